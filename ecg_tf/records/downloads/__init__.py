"""A database from PhysioNet to disk: resumed, verified, whole or in parts.

| file | what lives there |
| --- | --- |
| `download.py` | `download`: a database by its name |
| `selection.py` | which files a part needs: records, folds, a rate |
| `transfer.py` | one file, patiently |
"""
