"""A database of one's own: what it is called, whose it is, and which records are one person."""

import tempfile
from pathlib import Path

import numpy as np
import wfdb

from ecg_tf.records import DATABASES, Database, load, provenance

# In the project this entry goes into `DATABASES` in ecg_tf/records/databases.py. A database of
# PhysioNet can then be fetched too: ecg-tf data clinic
DATABASES["clinic"] = Database(
    name="clinic",  # of the folder too
    title="ECGs of the Clinic",
    version="1.0.0",
    url="",
    doi="",
    license="for use inside the clinic only",  # stands in every report and dataset card
    citation="The clinic's own records.",
    n_records=3,
    n_subjects=2,
    fs=250.0,
    lead="II",  # what is read when no lead is named
    same_subject={"c3": "c1"},  # c1 came again; or persons="table", tables=("patients.csv",)
)

with tempfile.TemporaryDirectory() as data_dir:
    folder = Path(data_dir) / "clinic"
    folder.mkdir()
    for seed, name in enumerate(("c1", "c2", "c3")):  # 10 s, two leads, in WFDB's format
        wfdb.wrsamp(name, fs=250, units=["mV"] * 2, sig_name=["II", "V1"], fmt=["16"] * 2,
                    p_signal=np.random.default_rng(seed).normal(0, 0.2, (2500, 2)),
                    write_dir=str(folder))
    records = load("clinic", data_dir)  # in an experiment file: database: clinic

for record in records:
    print(record.name, "is of", record.subject, record.leads, f"{record.fs:g} Hz")
print("License:", provenance(records)["license"])
