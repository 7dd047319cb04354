"""R peaks of a whole record: annotated or detected, and moved onto the extremum."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records import BEAT_SYMBOLS, Record
from ecg_tf.signals.qrs import detect_qrs

MIN_FS = 40.0  # Hz: below, too little of the band of QRS complexes is left
NOISE = 6.0  # clearness of a lead (`qrs.detect_qrs`) below which its peaks are noise

_KNOWN: WeakKeyDictionary[Record, tuple[np.ndarray, np.ndarray]] = WeakKeyDictionary()


def find_rpeaks(signal: np.ndarray, fs: float) -> np.ndarray:
    """Finds QRS complexes in all leads at once, then moves them to the extremum of the first lead.

    The complexes are found by their energy (`qrs.detect_qrs`), whatever their sign, from 20 to 300
    bpm. Each goes to the extremum nearby as in `refine_rpeaks`; one that is twice as large the
    other way as most are, such as a ventricular beat, chooses its own polarity. Where the first
    lead shows noise only, the clearest lead takes its place; where it is flat, the middle of the
    complex stays.

    Args:
        signal: (time,) or (time, lead), mV; NaN is bridged by lines.
        fs: float, Hz, at least 40.

    Returns:
        (beat,) int64, rising sample positions; empty for less than 1 s (or 16 samples).

    Raises:
        InputError: a sampling rate below 40 Hz.

    Example:
        >>> rr = np.diff(find_rpeaks(record.signal, record.fs)) / record.fs

    Source: see `qrs`; sensitivity and positive predictive value in docs/detectors.md.
    """
    if not fs >= MIN_FS:
        raise InputError("R peaks cannot be found at this sampling rate.",
                         expected=f"{MIN_FS:g} Hz or more", got=f"{fs:g} Hz",
                         fix="use records of a higher rate, or resample to 100 Hz or more")
    signal = np.asarray(signal, np.float64)
    signal = signal.reshape(len(signal), -1)
    if len(signal) < max(fs, 16):  # no complex is usual in less than a second
        return np.zeros(0, np.int64)
    found, leads, clearness = detect_qrs(signal, fs)
    lead = 0 if clearness[0] >= NOISE or len(clearness) == 1 else int(np.argmax(clearness))
    # Without jumps: a pacemaker's spike is taller than the R peak that follows it.
    return np.unique(_refined(leads[:, lead], fs, found, own_from=2.0))


def refine_rpeaks(signal: np.ndarray, fs: float, rpeaks: Sequence[int] | np.ndarray,
                  symbols: Sequence[str] | np.ndarray | None = None,
                  reach_s: float = 0.06) -> np.ndarray:
    """Moves each R peak to the largest deflection from the local median (over 0.8 s).

    All beats are moved to the same polarity, that of most of them, lest R and S take turns where
    they are of one size. Ventricular beats have another shape and choose their own.

    Args:
        signal: (time,) or (time, lead), mV; the first lead counts.
        rpeaks: (beat,) sample positions near the peaks, in any order.
        symbols: (beat,) WFDB symbols, or None; "V", "E" and "F" choose their own polarity.
        reach_s: s, how far a peak may move (at least one sample).

    Returns:
        (beat,) int64, sample positions, in the order of `rpeaks`; two may fall on one sample.
    """
    own = None if symbols is None else np.isin(symbols, list("VEF"))
    return _refined(_first_lead(np.asarray(signal)), fs, rpeaks, own, reach_s=reach_s)


def between_samples(signal: np.ndarray, rpeaks: np.ndarray) -> np.ndarray:
    """Where R peaks (beat,) lie between the samples of (time,) or (time, lead) mV (the first lead),
    by the parabola through a peak and its neighbours: (beat,) samples to add, -0.5 to 0.5; 0 where
    a peak is no extremum or at the end.

    At 128 Hz a peak on the nearest sample is up to 4 ms off. On the slopes of a QRS complex that is
    as much as beats of one person differ in all; see `cutting.beat_sequences`.
    """
    signal, rpeaks = _first_lead(np.asarray(signal, np.float64)), np.asarray(rpeaks, np.int64)
    if len(signal) < 3:
        return np.zeros(len(rpeaks))
    middle = np.clip(rpeaks, 1, len(signal) - 2)
    before, here, after = signal[middle - 1], signal[middle], signal[middle + 1]
    bend = before - 2 * here + after
    offset = 0.5 * (before - after) / np.where(bend == 0, 1, bend)
    extremum = (here - before) * (here - after) >= 0
    return np.where(extremum & (bend != 0) & (middle == rpeaks), np.clip(offset, -0.5, 0.5), 0.0)


def rpeaks_of(record: Record) -> tuple[np.ndarray, np.ndarray]:
    """R peaks of a record: its annotated beats, refined, where they cover it; else detected ones.

    Args:
        record: a record without NaN.

    Returns:
        (beat,) int64, sample positions that do not fall; (beat,) str, AAMI classes, all "" if the
        beats were detected.

    Example:
        >>> positions, classes = rpeaks_of(prepare(record))
    """
    if record not in _KNOWN:  # records never change: each is searched only once
        _KNOWN[record] = _rpeaks_of(record)
    positions, classes = _KNOWN[record]
    return positions.copy(), classes.copy()


def _rpeaks_of(record: Record) -> tuple[np.ndarray, np.ndarray]:
    is_beat = np.isin(record.symbols, list(BEAT_SYMBOLS))
    annotated, end = record.beats[is_beat], len(record.signal)
    # ECG-ID annotates the first ten beats only: fewer than one in 3 s, or a long end without any.
    few = not len(annotated) or len(annotated) * 3 < end / record.fs
    if few or np.ptp(annotated) < 0.8 * end:
        found = find_rpeaks(record.signal, record.fs)
        return found, np.full(len(found), "")
    found = refine_rpeaks(record.signal, record.fs, annotated, record.symbols[is_beat])
    order = np.argsort(found, kind="stable")
    return found[order], record.aami()[is_beat][order]


def _first_lead(signal: np.ndarray) -> np.ndarray:
    return signal.reshape(len(signal), -1)[:, 0]


def _around(positions: np.ndarray, reach: int, length: int) -> np.ndarray:
    """(beat, 2 * reach + 1) sample positions around each beat, none outside the signal."""
    return np.clip(positions[:, None] + np.arange(-reach, reach + 1), 0, length - 1)


def _refined(signal, fs, rpeaks, own=None, own_from=0.0, reach_s=0.06) -> np.ndarray:
    """`refine_rpeaks` of one lead; `own`: beats that choose their polarity.

    So do those that are `own_from` times as large one way as the other; 0: none.
    """
    rpeaks = np.asarray(rpeaks, np.int64)
    if not len(rpeaks):
        return rpeaks
    near = _around(rpeaks, max(1, round(reach_s * fs)), len(signal))
    wide = _around(rpeaks, round(0.4 * fs), len(signal))
    deflection = signal[near] - np.median(signal[wide], axis=1, keepdims=True)
    up, down = deflection.max(axis=1), -deflection.min(axis=1)
    upright = up >= down
    own = np.zeros(len(rpeaks), bool) if own is None else own
    deciding = upright if own.all() else upright[~own]
    common = np.mean(deciding) >= 0.5
    if own_from:
        own = own | (np.maximum(up, down) > own_from * np.minimum(up, down))
    sign = np.where(np.where(own, upright, common), 1, -1)
    largest = np.argmax(deflection * sign[:, None], axis=1)
    moved = near[np.arange(len(near)), largest]
    # A stretch without signal has no peak, even if a filter has left something there.
    size = np.ptp(deflection, axis=1)
    return np.where(size > (0.05 * np.median(size) if own_from else 0), moved, rpeaks)
