"""A cohort of simulated and one of real persons, cut for the privacy tests."""

from dataclasses import replace

import numpy as np

from ecg_tf.evaluation.copy_reference import CopyReference
from ecg_tf.evaluation.validation.controls import halves
from ecg_tf.records import load
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.windows import Windows

FS = 128
MARGIN = 2 * FS  # at either end, to shift in


class Cohort:
    """Strips, what surrounds them, and which persons are members.

    Args:
        records: list of Record.
        seconds: s, of a strip.
        each: strips kept of a person, spread over the record; None for all.
    """

    def __init__(self, records, seconds=10, each=None, seed=0):
        self.seconds, length = seconds, seconds * FS
        long = strips([prepare(record) for record in records], length + 2 * MARGIN, step=length)
        if each:
            own = [np.flatnonzero(long.subjects == who) for who in np.unique(long.subjects)]
            long = long.take(np.concatenate([
                rows[np.linspace(0, len(rows) - 1, min(each, len(rows))).astype(int)]
                for rows in own]))
        self.long = long.signals
        self.strips = replace(long, signals=self.long[:, MARGIN:MARGIN + length], rpeaks=None,
                              starts=long.starts + MARGIN, lengths=np.full(len(long), length))
        self.member = halves(long.subjects, seed)
        self.members, self.others = self.strips.take(self.member), self.strips.take(~self.member)

    @property
    def reference(self) -> CopyReference:
        """The members' strips as they are: copies in it may begin anywhere in them."""
        return reference_of(self.members)


def reference_of(windows: Windows) -> CopyReference:
    return CopyReference(windows.signals, windows.signals.shape[1], windows.fs,
                         np.arange(len(windows)))


def simulated_cohort(subjects=12, minutes=2.0, seed=1, seconds=10):
    return Cohort(simulate_cohort(subjects=subjects, minutes=minutes, fs=256.0, seed=seed), seconds)


def mitdb_cohort(folder, each=24):
    return Cohort(load(str(folder), leads=["MLII"]), each=each)
