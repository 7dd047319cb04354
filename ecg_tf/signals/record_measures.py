"""Numbers of one raw record: heart rate, flat and clipped shares."""

import math
from collections.abc import Sequence

import numpy as np

from ecg_tf.signals.quality import Quality, limit_runs, runs_of, steep_runs


def heart_rate(rpeaks: Sequence[int] | np.ndarray, fs: float) -> float:
    """Beats per minute by the median RR interval; NaN for fewer than two R peaks.

    Args:
        rpeaks: (beat,) rising sample positions.
        fs: float, Hz.
    """
    rr = np.diff(np.asarray(rpeaks, np.float64)) / fs
    rr = rr[rr > 0]
    return 60.0 / float(np.median(rr)) if len(rr) else math.nan


def flat_share(values: np.ndarray, fs: float) -> float:
    """Share of the samples (time,) in stretches that are constant for more than
    `Quality.flat_s`."""
    same = runs_of(values[1:] == values[:-1], int(Quality.flat_s * fs + 1e-9))
    return sum(stop - start + 1 for start, stop in same) / len(values)


def clipped_share(values: np.ndarray, fs: float) -> float:
    """Share of the samples (time,) that are saturated (ADC limit), but for what counts as flat; NaN
    does not count."""
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    clipped = 0
    for end in (low, high) if low < high else ():
        # R peaks that are cut off: short, but steep on both sides, and in most beats.
        runs = steep_runs(values, runs_of(values == end, 3), fs)
        if len(runs) < 3:
            runs = limit_runs(values, end, max(3, np.ceil(Quality.saturated_s * fs - 1e-9)), fs)
        clipped += sum(b - a for a, b in runs if b - a <= Quality.flat_s * fs)
    return clipped / len(values)
