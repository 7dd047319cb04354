"""One recording in a file: WFDB, EDF, CSV and NumPy, each read into a `Record` in mV and Hz.

| file | content |
| --- | --- |
| `common.py` | units, lead names, checks, beats and labels: what all readers share |
| `wfdb_header.py` | a WFDB header, checked before anything in it is believed |
| `wfdb_files.py`, `wfdb_samples.py` | one WFDB record with its beats, its samples |
| `csv_files.py`, `csv_head.py` | one CSV file, what stands before its numbers |
| `edf_files.py`, `edf_header.py` | one EDF or EDF+ file, its header |
| `arrays.py`, `array_axes.py`, `npy_files.py` | arrays in memory and in files, their axes |
| `columns.py`, `sample_times.py` | what names of columns mean; the rate by times of samples |
"""
