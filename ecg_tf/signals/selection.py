"""Choosing windows so that every subject counts: at most so many, or as many of each."""

import numpy as np

from ecg_tf.signals.windows import Windows


def thin(windows: Windows, most: int) -> Windows:
    """At most so many windows: as many of each subject as can be, evenly over the subject's own."""
    return windows if len(windows) <= most else windows.take(thin_rows(windows, most))


def thin_rows(windows: Windows, most: int) -> np.ndarray:
    """(k,) int, rising: the windows that `thin` takes, k <= most."""
    if len(windows) <= most:
        return np.arange(len(windows))
    subjects, count = np.unique(windows.subjects, return_counts=True)
    each = np.zeros(len(subjects), int)
    for place, left in zip(np.argsort(count, kind="stable"), range(len(subjects), 0, -1),
                           strict=True):
        each[place] = min(count[place], (most - each.sum()) // left)
    return _rows_of_each(windows, subjects, each)


def balance(windows: Windows) -> Windows:
    """Of each subject at most as many windows as the median subject has, evenly over its own."""
    subjects, count = np.unique(windows.subjects, return_counts=True)
    return windows.take(_rows_of_each(windows, subjects, np.minimum(count, int(np.median(count)))))


def _rows_of_each(windows: Windows, subjects, each) -> np.ndarray:
    rows = []
    for subject, size in zip(subjects, each, strict=True):
        own = np.flatnonzero(windows.subjects == subject)
        rows.append(own[np.linspace(0, len(own) - 1, size).astype(int)])
    return np.sort(np.concatenate(rows))
