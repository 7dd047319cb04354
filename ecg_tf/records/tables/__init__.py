"""Tables beside the records: who is who, age, sex, labels.

| file | content |
| --- | --- |
| `metadata.py` | `read_metadata`: all tables of a folder, searched by a record's name |
| `layouts.py` | which column means what, of published tables and of others |
| `described_rows.py`, `delimited.py` | one table: its rows, its text |
| `cell_statements.py` | statements in a cell: lists, SCP codes |
"""
