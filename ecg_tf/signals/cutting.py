"""Records to windows: cut by time or by beats, past the quality gate."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ecg_tf.base.checks import count, number
from ecg_tf.records.record import Record, same_rate_and_leads
from ecg_tf.signals.interpolation import interpolate
from ecg_tf.signals.quality import Prepared, Quality, gate, inspect_record, no_window_error
from ecg_tf.signals.rpeaks import between_samples, rpeaks_of
from ecg_tf.signals.windows import Windows


def strips(records: Record | Iterable[Record], length: int, step: int | None = None,
           quality: Quality | None = None) -> Windows:
    """Cuts windows of a fixed length.

    Args:
        records: a record or several of one rate and the same leads; those that are not `Prepared`
            are inspected for flaws, but neither resampled nor filtered.
        length: int, samples of a window.
        step: int, samples from one window's start to the next; None: `length`, side by side.
        quality: the gate; it drops windows with flaws and counts what it did. None: a new one.

    Returns:
        Windows, signals (window, length, lead), record by record.

    Raises:
        InputError: records of different rates or leads, or none that gives a window.

    Example:
        >>> strips(prepared, length=1280, step=640).signals.shape  # 10 s at 128 Hz
        (359, 1280, 1)
    """
    length = count(length, "length", 1, 2**31)
    step = count(length if step is None else step, "step", 1, 2**31)

    def cut(record: Prepared) -> _Cuts:
        starts = np.arange(0, len(record.signal) - length + 1, step)
        return _Cuts(starts, np.full(len(starts), length))

    return _cut_all(records, quality, cut, length=length)


def beat_sequences(records: Record | Iterable[Record], rows: int = 32, step: int | None = None,
                   quality: Quality | None = None) -> Windows:
    """Cuts sequences of whole beats, for images with a beat in each row.

    A window reaches from the R peak before the first beat (`starts`) to the one after the last,
    both included: 3 samples more than cuts at 40 % of RR need, from fs = 38 Hz on. All windows take
    the memory of the longest.

    R peaks are placed between the samples (`between_samples`), and the record is read so that the
    first of a window's own beats falls on a sample (Lagrange interpolation, a shift by less than
    one sample). On the samples themselves, the slopes of the QRS complexes of one person differed
    three times as much from row to row, by the place of the samples alone.

    Args:
        records: as in `strips`. R peaks are the annotated beats, moved to the extremum, or
            detected where the annotations do not cover the record.
        rows: int, beats in a window, default 32.
        step: int, beats from one window to the next; None: `rows`.
        quality: as in `strips`; it also drops windows with an implausible RR interval.

    Returns:
        Windows with `rpeaks`, signals (window, longest, lead), record by record.

    Raises:
        InputError: records of different rates or leads, or none that gives a window.

    Example:
        >>> beat_sequences(prepared, rows=32, step=4).rpeaks.shape
        (671, 34)
    """
    rows = count(rows, "rows", 1, 10_000)
    step = count(rows if step is None else step, "step", 1, 10_000)

    def cut(record: Prepared) -> _Cuts:
        positions, _ = rpeaks_of(record)
        exact = positions + between_samples(record.signal, positions)
        first = np.arange(0, len(positions) - rows - 1, step)
        rpeaks = exact[first[:, None] + np.arange(rows + 2)]
        shifts = rpeaks[:, 1] % 1
        starts = np.maximum(np.floor(rpeaks[:, 0] - shifts), 0).astype(np.int64)
        rpeaks = rpeaks - (starts + shifts)[:, None]
        last = np.floor(len(record.signal) - 1 - starts - shifts)
        lengths = np.minimum(np.ceil(rpeaks[:, -1]), last).astype(np.int64) + 1
        return _Cuts(starts, lengths, rpeaks, shifts=shifts)

    return _cut_all(records, quality, cut, n_rpeaks=rows + 2)


def beat_strips(records: Record | Iterable[Record], length: int, rows: int = 24,
                step: int | None = None, quality: Quality | None = None) -> Windows:
    """Cuts windows of a fixed length with their R peaks, for images that are one strip each.

    The strip itself is that of `strips`, sample by sample; R peaks lie between the samples
    (`between_samples`).

    Args:
        records: as in `beat_sequences`.
        length: int, samples of a window.
        rows: int, rows of the image, default 24; a strip may have `rows` - 2 beats, as it may
            begin and end in the rows of two beats outside of it.
        step: int, samples from one window's start to the next; None: `length`, side by side.
        quality: as in `strips`; it also drops strips with fewer than two beats or an implausible
            RR interval ("rr"), those before the first beat and behind the last included
            (`outer_intervals`), and strips with too many beats ("rows").

    Returns:
        Windows with `rpeaks` (window, rows): R peaks within the strip, samples from its start,
        then NaN; signals (window, length, lead), record by record.

    Raises:
        InputError: records of different rates or leads, or none that gives a window.

    Example:
        >>> beat_strips(prepared, length=1280, rows=24).rpeaks.shape  # 10 s at 128 Hz
        (180, 24)
    """
    length = count(length, "length", 2, 2**31)
    rows = count(rows, "rows", 4, 10_000)
    step = count(length if step is None else step, "step", 1, 2**31)
    gate_of = quality or Quality()

    def cut(record: Prepared) -> _Cuts:
        positions = np.unique(rpeaks_of(record)[0])
        exact = positions + between_samples(record.signal, positions)
        starts = np.arange(0, len(record.signal) - length + 1, step)
        first, behind = np.searchsorted(positions, [starts, starts + length])
        own = first[:, None] + np.arange(rows)
        inside = np.append(exact, np.nan)[np.minimum(own, len(exact))] - starts[:, None]
        rpeaks = np.where(own < behind[:, None], inside, np.nan)
        # A strip of fewer than two beats has no RR interval: what is NaN does not fit either.
        outer = np.stack(outer_intervals(rpeaks, length)) / record.fs
        fits = ((outer >= gate_of.rr_min) & (outer <= gate_of.rr_max)).all(axis=0)
        too_many = behind - first > rows - 2
        faults = np.where(too_many, "rows", np.where(fits, "", "rr"))
        return _Cuts(starts, np.full(len(starts), length), rpeaks, faults=faults)

    return _cut_all(records, gate_of, cut, length=length)


def outer_intervals(rpeaks, length: int) -> tuple[np.ndarray, np.ndarray]:
    """RR intervals in which strips begin and end, as far as a strip alone can tell.

    The beat before lies as far from the first one as this from the second, or just outside of the
    strip if that is farther away; the beat behind likewise. Of R peaks (window, n) in samples, then
    NaN, and the samples of a strip: before the first, and behind the last, (window,) float64
    samples; NaN for fewer than two R peaks.

    Example:
        >>> outer_intervals([[20.0, 100.0, 180.0], [90.0, 160.0, np.nan]], 200)
        (array([80., 91.]), array([80., 70.]))
    """
    rpeaks = np.asarray(rpeaks, np.float64)
    last = np.isfinite(rpeaks).sum(axis=1) - 1
    each = np.arange(len(rpeaks))
    ends = rpeaks[each, last], rpeaks[each, np.maximum(last - 1, 0)]
    few = np.where(last > 0, 0.0, np.nan)
    before = np.maximum(rpeaks[:, 1] - rpeaks[:, 0], rpeaks[:, 0] + 1)
    return before + few, np.maximum(ends[0] - ends[1], length - ends[0]) + few


def beats(records: Record | Iterable[Record], before_s: float = 0.3, after_s: float = 0.5,
          quality: Quality | None = None) -> Windows:
    """Cuts one window a beat.

    Args:
        records: as in `beat_sequences`.
        before_s: s before the R peak; it lies `round(before_s * fs)` samples in.
        after_s: float, s after the R peak, default 0.5.
        quality: as in `strips`.

    Returns:
        Windows with `labels`: the AAMI classes N, S, V, F, Q; "" where beats were detected.

    Raises:
        InputError: records of different rates or leads, or none that gives a window.

    Example:
        >>> windows = beats(prepared)
        >>> windows.take(windows.labels == "S").signals.shape
        (29, 103, 1)
    """
    before_s = number(before_s, "before_s", 0.0, 60.0)
    after_s = number(after_s, "after_s", 0.0, 60.0)

    def cut(record: Prepared) -> _Cuts:
        positions, labels = rpeaks_of(record)
        before, after = round(before_s * record.fs), round(after_s * record.fs)
        lengths = np.full(len(positions), before + after + 1)
        return _Cuts(positions - before, lengths, labels=labels)

    return _cut_all(records, quality, cut)


class _Cuts(NamedTuple):
    """Where to cut one record: (window,) starts and lengths in samples, and what comes along."""

    starts: np.ndarray
    lengths: np.ndarray
    rpeaks: np.ndarray | None = None
    labels: np.ndarray | None = None
    shifts: np.ndarray | None = None  # share of a sample by which the window begins later
    faults: np.ndarray | None = None  # a reason to drop the window, "" for none


def _cut_all(records, quality: Quality | None, cut: Callable[[Prepared], _Cuts], length: int = 0,
             n_rpeaks: int = 0) -> Windows:
    """Cuts all records; `length` (samples) and `n_rpeaks` say what a window needs of its record."""
    quality = quality or Quality()
    records = [records] if isinstance(records, Record) else list(records)
    same_rate_and_leads(records)
    records = [inspect_record(record, quality) for record in records]
    dropped_before = dict(quality.dropped)
    wanted = [cut(record) for record in records]
    passed = []
    for record, cuts in zip(records, wanted, strict=True):
        keep = gate(record, cuts.starts, cuts.lengths, cuts.rpeaks, quality, cuts.faults)
        passed.append(_Cuts._make(None if part is None else part[keep] for part in cuts))
    if not any(len(cuts.starts) for cuts in passed):
        dropped = {why: n - dropped_before[why] for why, n in quality.dropped.items()}
        length = max([length, *(n for cuts in wanted for n in cuts.lengths[:1])])
        raise no_window_error(records, length, n_rpeaks, dropped)
    parts = zip(*passed, strict=True)
    joined = _Cuts._make(None if part[0] is None else np.concatenate(part) for part in parts)
    owner = np.repeat(np.arange(len(records)), [len(cuts.starts) for cuts in passed])
    return Windows(signals=_signals(records, owner, joined), fs=records[0].fs,
                   leads=tuple(records[0].leads), lengths=joined.lengths,
                   subjects=np.array([record.subject for record in records])[owner],
                   records=np.array([record.name for record in records])[owner],
                   starts=joined.starts, rpeaks=joined.rpeaks, labels=joined.labels,
                   about={record.name: record.about for record in records})


def _signals(records, owner: np.ndarray, cuts: _Cuts) -> np.ndarray:
    """(window, longest, lead) float32 mV; written once, as a list would take the memory twice."""
    shape = (len(owner), cuts.lengths.max(), len(records[0].leads))
    signals = np.empty(shape, np.float32)
    for row, (who, start, length) in enumerate(zip(owner, cuts.starts, cuts.lengths, strict=True)):
        whole = records[who].signal
        if cuts.shifts is None or not cuts.shifts[row]:
            signals[row, :length] = whole[start : start + length]
        else:
            places = start + cuts.shifts[row] + np.arange(length)
            signals[row, :length] = interpolate(whole[None], places[None])[0]
        signals[row, length:] = np.nan
    return signals
