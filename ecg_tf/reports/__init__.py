"""A report is an executed notebook.

| file | what lives there |
| --- | --- |
| `execution.py` | run one, resume a failed one, clean it of its machine |
| `html.py` | the page of one |
| `reading.py` | what an executed one says of itself |
| `index.py` | one page over all |
| `results_table.py` | the README's table |
"""
