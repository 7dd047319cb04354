"""Health tables to images and back: data that are no signals.

| file | content |
| --- | --- |
| `table_files.py` | tables from CSV files, and two that come with scikit-learn |
| `table_columns.py` | one column to numbers in [-1, 1] and back |
| `table_codec.py` | a record to an image and back |
"""
