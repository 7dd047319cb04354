"""Simulated persons with statements, as a database in a folder would have them."""

from dataclasses import replace

import numpy as np

from ecg_tf.records.ecgs import ECGs
from ecg_tf.records.simulate import simulate_cohort


def labelled_cohort(persons=60, minutes=0.25, seed=0):
    """One short record a person; half have "BIG", their beats twice as high; one has "ODD"."""
    records = []
    for k, record in enumerate(simulate_cohort(subjects=persons, minutes=minutes, seed=seed)):
        big = k % 2 == 0
        kinds = (*(["BIG"] if big else ["NORM"]), *(["ODD"] if k == 1 else []))
        records.append(replace(record, sex="female" if k // 2 % 2 else "male", age=30.0 + k % 40,
                               signal=(record.signal * (2 if big else 1)).astype(np.float32),
                               labels={"superclass": kinds}))
    return ECGs.of_records(records, "database")
