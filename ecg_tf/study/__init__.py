"""Experiments from settings to reports, one or many.

| file | content |
| --- | --- |
| `run.py`, `writing.py`, `results.py` | one experiment, the whole way; its results |
| `evaluate.py` | synthetic ECGs made elsewhere |
| `describe.py`, `describe_text.py`, `people.py` | what is in a folder of records |
| `plans.py`, `making.py`, `execution.py` | a report is an executed notebook |
| `watching.py` | what that notebook is doing, in the terminal |
| `pages.py`, `templates/`, `report_text.py` | its HTML page and its summary |
| `reports.py`, `results_table.py` | one page over all reports; the README's table |
| `study.py`, `cluster.py` | all experiments, one after another or at once (Dask) |
| `comparison.py` | runs beside each other |
| `controlled_comparisons.py`, `measure_agreement.py` | comparisons; agreement of measures |
"""
