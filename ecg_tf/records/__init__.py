"""ECG records: WFDB, EDF, CSV and arrays, known databases or a simulation, always in mV and Hz.

In the order in which data flow:

| file or folder | content |
| --- | --- |
| `record.py`, `ecgs.py` | `Record`: signal, leads, beats, person; `ECGs`: what `load` gives |
| `database.py`, `databases.py` | what is known of the public databases: license, persons, quirks |
| `download.py`, `selection.py` | a database, or a part of it, from PhysioNet to disk, verified |
| `formats/` | one recording in a file: WFDB, EDF, CSV, NumPy |
| `tables/` | tables beside the records: who is who, age, sex, labels |
| `listing.py` | the recordings of a folder |
| `folder.py`, `cache.py`, `checksums.py` | reading them one by one; kept as memory-mapped arrays |
| `person.py`, `persons.py` | persons in texts; the person of each record |
| `duplicates.py` | recordings that are there twice |
| `splits.py` | training, validation and test by person |
| `builtin.py`, `simulate.py`, `simulated_hearts.py`, `simulated_leads.py` | ECGs without any file |
| `several.py`, `common_leads.py` | several databases as one; leads that all records have |
| `loading.py` | `load`, the one entry point |
| `provenance.py` | where records come from, for reports and dataset cards |
"""

from ecg_tf.records.databases import DATABASES, DS1, DS2, PACED, Database, data_folder
from ecg_tf.records.ecgs import ECGs, LeftOut
from ecg_tf.records.folder import read_record
from ecg_tf.records.loading import load
from ecg_tf.records.provenance import provenance
from ecg_tf.records.record import BEAT_SYMBOLS, About, Record
from ecg_tf.records.several import database_names

__all__ = [
    "BEAT_SYMBOLS",
    "DATABASES",
    "DS1",
    "DS2",
    "PACED",
    "About",
    "Database",
    "ECGs",
    "LeftOut",
    "Record",
    "data_folder",
    "database_names",
    "load",
    "provenance",
    "read_record",
]
