"""ECG records: read from WFDB folders, known databases or a simulation, always in mV and Hz.

In the order in which data flow:

| file | what lives there |
| --- | --- |
| `record.py` | `Record`: signal, leads, beats, person; beat symbols and their AAMI classes |
| `databases.py` | what is known of the public databases: license, citation, persons, quirks |
| `download.py` | a database from PhysioNet to disk, resumed and verified |
| `checksums.py` | SHA-256 of files, compared with published lists |
| `headers.py` | a WFDB header, checked before anything in it is believed; its comments |
| `files.py` | signals and annotated beats of one WFDB record |
| `folder.py` | `read_record`, `read_folder`: files to Records |
| `csv_files.py`, `edf_files.py`, `arrays.py` | CSV, EDF and NumPy files to Records |
| `simulate.py`, `simulated_leads.py` | a cohort whose every beat is known; the leads it has |
| `cache.py` | records read once, kept as memory-mapped arrays |
| `several.py` | several databases as one, such as "mitdb+ecgiddb" |
| `load.py` | `load_records`: a simulation, a sample, a database or a folder, by name |
| `one_by_one.py` | the same, one record at a time, for what does not fit into memory |
| `provenance.py` | where records come from, for reports and dataset cards |
"""

from ecg_tf.records.databases import DATABASES, DS1, DS2, PACED, Database, data_folder
from ecg_tf.records.folder import read_folder, read_record
from ecg_tf.records.load import load_records
from ecg_tf.records.provenance import provenance
from ecg_tf.records.record import BEAT_SYMBOLS, Record
from ecg_tf.records.several import database_names

__all__ = [
    "BEAT_SYMBOLS",
    "DATABASES",
    "DS1",
    "DS2",
    "PACED",
    "Database",
    "Record",
    "data_folder",
    "database_names",
    "load_records",
    "provenance",
    "read_folder",
    "read_record",
]
