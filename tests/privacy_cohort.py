"""A cohort of simulated and one of real persons, cut for the privacy tests."""

import numpy as np

from ecg_tf.evaluation.validation.controls import halves
from ecg_tf.records import load
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare

FS = 128
LENGTH = 10 * FS
MARGIN = 2 * FS  # at either end, to shift in


class Cohort:
    """Windows of 14 s, their middles, and which persons are members.

    Args:
        records: list of Record.
        each: windows kept of a person, spread over the record; None for all.
    """

    def __init__(self, records, each=None, seed=0):
        windows = strips([prepare(one) for one in records], LENGTH + 2 * MARGIN, step=LENGTH)
        if each:
            chosen = [np.flatnonzero(windows.subjects == who) for who in
                      np.unique(windows.subjects)]
            windows = windows.take(np.concatenate([
                rows[np.linspace(0, len(rows) - 1, min(each, len(rows))).astype(int)]
                for rows in chosen]))
        self.windows, self.subjects, self.starts = windows.signals, windows.subjects, windows.starts
        self.records = windows.records
        self.strips = self.windows[:, MARGIN:MARGIN + LENGTH]
        self.member = halves(self.subjects, seed)
        self.late = np.zeros(len(self.starts), bool)
        for who in np.unique(self.records):
            own = self.records == who
            self.late[own] = self.starts[own] > np.median(self.starts[own])


def simulated_cohort(subjects=16, minutes=3.0, seed=1):
    return Cohort(simulate_cohort(subjects=subjects, minutes=minutes, fs=256.0, seed=seed))


def mitdb_cohort(folder, each=24):
    return Cohort(load(str(folder), leads=["MLII"]), each)
