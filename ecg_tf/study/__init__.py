"""Experiments from settings to reports, one or many.

| file | what lives there |
| --- | --- |
| `run.py` | one experiment, the whole way |
| `evaluate.py` | synthetic ECGs made elsewhere, judged |
| `describe.py`, `describe_text.py`, `people.py` | what is in a folder of records |
| `execution.py`, `html.py`, `reading.py` | a report is an executed notebook |
| `index.py`, `results_table.py` | one page over all reports; the README's table |
| `run_study.py`, `cluster.py` | all experiments, one after another or at once (Dask) |
| `metrics_file.py`, `comparison.py` | what runs measured, beside each other |
| `controlled_comparisons.py`, `measure_agreement.py` | what differs in one thing alone |
"""
