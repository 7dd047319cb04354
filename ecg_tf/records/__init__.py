"""ECG records: WFDB, EDF, CSV and arrays, known databases or a simulation, always in mV and Hz.

In the order in which data flow:

| file | what lives there |
| --- | --- |
| `record.py`, `ecgs.py` | `Record`: signal, leads, beats, person; `ECGs`: what `load` gives |
| `databases.py` | what is known of the public databases: license, citation, persons, quirks |
| `download.py` | a database from PhysioNet to disk, resumed and verified |
| `checksums.py` | SHA-256 of files, compared with published lists |
| `units.py`, `person.py` | volts to mV; what texts say of a person |
| `headers.py` | a WFDB header, checked before anything in it is believed |
| `wfdb_files.py`, `wfdb_samples.py`, `wfdb_beats.py` | one WFDB record, its samples, its beats |
| `csv_files.py`, `edf_files.py`, `arrays.py` | a recording in another format |
| `listing.py` | the recordings of a folder, and the tables beside them |
| `folder.py`, `cache.py` | reading them one by one; kept as memory-mapped arrays |
| `metadata.py`, `persons.py` | tables that say who is who; the person of each record |
| `duplicates.py` | one recording that is there twice |
| `simulate.py`, `simulated_leads.py` | a cohort whose every beat is known; the leads it has |
| `several.py`, `common_leads.py` | several databases as one; leads that all records have |
| `loading.py` | `load`: the one way in |
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
