"""One recording in a file: WFDB, EDF, CSV and NumPy, each read into a `Record` in mV and Hz.

| file | what lives there |
| --- | --- |
| `headers.py` | a WFDB header, checked before anything in it is believed |
| `wfdb_files.py`, `wfdb_samples.py`, `wfdb_beats.py` | one WFDB record, its samples, its beats |
| `csv_files.py`, `csv_head.py`, `csv_leads.py` | one CSV file, its head, its leads |
| `edf_files.py`, `edf_header.py` | one EDF or EDF+ file, its header |
| `arrays.py`, `array_axes.py`, `npy_files.py` | arrays in memory and in files, their axes |
| `units.py`, `columns.py`, `sample_times.py`, `statements.py` | what several of them share |
"""
