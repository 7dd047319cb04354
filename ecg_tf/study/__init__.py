"""All experiments together.

| file | what lives there |
| --- | --- |
| `run_study.py` | one after another: what is done is skipped |
| `cluster.py` | the same by several processes or machines (Dask) |
| `metrics_file.py` | what a run measured, read from its metrics.json |
| `comparison.py` | runs beside each other, and whom they may be compared with |
| `contests.py` | what differs in one thing alone, at equal budget |
| `measure_agreement.py` | whether the measures agree |
"""
