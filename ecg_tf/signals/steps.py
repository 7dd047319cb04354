"""Steps and spikes of one sample: a recorder just switched on, an end mark, a lost bit."""

import warnings
from typing import NamedTuple

import numpy as np

#: How much steeper than the steepest of a typical beat a step must be, and at least in mV.
STEEPER = 2.5
LEAST_MV = 0.1
#: A stretch that holds a beat also at 25 bpm, s: what is typical is the median over such stretches.
STRETCH_S = 2.5
EDGE_S = 0.008  # a step at either end lies within so many seconds of it, at least in one sample
SPIKE = 5.0  # a spike within the record must be this much steeper than the steepest of a beat
RARE_S = 10.0  # more than one spike in so many seconds are pacing


class Step(NamedTuple):
    """Samples of one lead that are no ECG.

    Args:
        lead: int, the column.
        start: int, the first sample.
        stop: int, the one behind the last.
        at_end: bool, at the first or last samples of the record: nothing is lost with them.
    """

    lead: int
    start: int
    stop: int
    at_end: bool


def find_steps(signal: np.ndarray, fs: float, paced: bool = False) -> list[Step]:
    """Finds single steps and spikes that no heart and no pacemaker makes.

    At either end: one jump alone, steeper than `STEEPER` times what is steepest in a typical
    stretch of the lead. Within: spikes of one sample that return, `SPIKE` times as steep, taller
    than a beat from peak to peak, and rare: more than one in `RARE_S` that are alike may be
    pacing, and stay. A pacemaker that paces once in 10 s cannot be distinguished from such a spike.

    Args:
        signal: (time, lead), mV; NaN where samples are missing.
        fs: float, Hz.
        paced: bool, known to be paced: nothing is looked for but at the ends. Default False.

    Example:
        >>> signal[0] += 2.0
        >>> find_steps(signal, fs=250.0)
        [Step(lead=0, start=0, stop=1, at_end=True)]
    """
    if len(signal) < 8 * max(1, round(EDGE_S * fs)):
        return []
    rows = np.ascontiguousarray(signal.T)  # each lead in one piece: several times faster
    valid = np.isfinite(rows)
    if valid.all():
        slopes = np.abs(np.diff(rows))
    else:
        rows = np.where(valid, rows, np.float32(np.nan))
        slopes = np.nan_to_num(np.abs(np.diff(rows)))  # 0 beside what is missing
    typical = typical_largest(slopes, fs)
    found = _at_ends(slopes, typical, fs)
    return found if paced else found + _within(rows, slopes, typical, fs)


def typical_largest(rows: np.ndarray, fs: float) -> np.ndarray:
    """The largest value of a typical stretch of `STRETCH_S`: (lead,), the median over stretches, of
    (lead, time); NaN does not count."""
    return _median(np.fmax.reduce(_stretches(rows, fs), axis=2))


def typical_peak_to_peak(rows: np.ndarray, fs: float, stretch_s: float = STRETCH_S) -> np.ndarray:
    """From the lowest to the highest value of a typical stretch: (lead,), of (lead, time).

    Slow baseline wander and a single artefact count little, as the median is over stretches; NaN
    does not count.
    """
    parts = _stretches(rows, fs, stretch_s)
    return _median(np.fmax.reduce(parts, axis=2) - np.fmin.reduce(parts, axis=2))


def _stretches(rows: np.ndarray, fs: float, stretch_s: float = STRETCH_S) -> np.ndarray:
    """(lead, time) as (lead, stretch, time): whole stretches of so many s, or all as one."""
    length = min(rows.shape[1], max(1, round(stretch_s * fs)))
    number = rows.shape[1] // length
    return rows[:, : number * length].reshape(len(rows), number, length)


def _median(values: np.ndarray) -> np.ndarray:
    """(lead,) medians of (lead, stretch), without the stretches that are NaN."""
    if np.isfinite(values).all():
        return np.median(values, axis=1)
    with warnings.catch_warnings():  # a lead of NaN alone is NaN, which needs no warning
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmedian(values, axis=1)


def _at_ends(slopes, typical, fs: float) -> list[Step]:
    reach, last = max(1, round(EDGE_S * fs)), slopes.shape[1]
    least = np.maximum(STEEPER * typical, LEAST_MV)
    found = []
    for turned in (False, True):
        edge = slopes[:, ::-1][:, : 2 * reach + 1] if turned else slopes[:, : 2 * reach + 1]
        for lead in np.flatnonzero(edge[:, :reach].max(axis=1) > least):
            jump = int(np.argmax(edge[lead, :reach]))
            # A beat that is cut by the record's end goes on rising or falling; a step is alone.
            if np.delete(edge[lead], jump).max() < edge[lead, jump] / 2:
                start, stop = (last - jump, last + 1) if turned else (0, jump + 1)
                found.append(Step(int(lead), start, stop, at_end=True))
    return found


def _within(rows, slopes, typical, fs: float) -> list[Step]:
    steep = np.maximum(SPIKE * typical, LEAST_MV)
    found = []
    for lead in np.flatnonzero(slopes.max(axis=1) > steep):
        values, slope = rows[lead], slopes[lead]
        height = np.minimum(slope[:-1], slope[1:])  # of the samples 1 to last - 1
        returns = (values[1:-1] - values[:-2]) * (values[1:-1] - values[2:]) > 0
        tall = typical_peak_to_peak(values[None], fs)[0]
        spikes = np.flatnonzero(returns & (height > max(steep[lead], tall)))
        if not len(spikes):
            continue
        alike = np.sum(returns & (height > height[spikes].min() / 3))
        if alike <= max(1, len(values) / fs / RARE_S):
            # With a neighbour on both sides: resampling by others spreads a spike.
            found += [Step(int(lead), int(k), int(k) + 3, at_end=False) for k in spikes]
    return found
