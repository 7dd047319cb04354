"""From records to windows: resample, filter, gate by quality, cut, and split by subject."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from scipy import signal as dsp

from ecg_tf.checks import choice, count, number
from ecg_tf.databases import DS1, DS2
from ecg_tf.errors import InputError
from ecg_tf.records import Record

FLAWS = {"nan": 1, "flat": 2, "saturated": 4}
BEAT_SYMBOLS = tuple("NLRBAaJSVrFejnE/fQ?")  # the other WFDB codes mark rhythm, noise, waves
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Windows:
    """Stretches of ECG with their origin.

    Args:
        signals: (window, time, lead) float32, mV; shorter windows end in NaN.
        fs: float, Hz. leads: names of the leads.
        lengths: (window,) int, valid samples of each.
        subjects, records: (window,) str. starts: (window,) int, sample in the resampled record.
        rpeaks: (window, rows + 2) float64 or None, samples from the window's start: the R peak
            before, those of the `rows` beats, the one after (beat sequences only).
        labels: (window,) str or None, AAMI class (windows of one beat only).
    """

    signals: np.ndarray
    fs: float
    leads: tuple[str, ...]
    lengths: np.ndarray
    subjects: np.ndarray
    records: np.ndarray
    starts: np.ndarray
    rpeaks: np.ndarray | None = None
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.signals)

    def take(self, index) -> "Windows":
        """The windows at these rows (whole numbers, booleans or a slice)."""
        arrays = {n: a[index] for n, a in vars(self).items() if isinstance(a, np.ndarray)}
        return replace(self, **arrays)

    @staticmethod
    def concatenate(windows: "Sequence[Windows]") -> "Windows":
        """Windows of one kind (fs, leads, rows) in one set, padded to the longest with NaN."""
        kinds = {(w.fs, w.leads, np.shape(w.rpeaks)[1:], w.labels is None) for w in windows}
        _fit_together("windows", kinds)
        longest, leads = max(w.signals.shape[1] for w in windows), len(windows[0].leads)
        shape = (sum(map(len, windows)), longest, leads)
        signals, stops = np.full(shape, np.nan, np.float32), np.cumsum([len(w) for w in windows])
        for w, stop in zip(windows, stops, strict=True):
            signals[stop - len(w) : stop, : w.signals.shape[1]] = w.signals
        arrays = [n for n, value in vars(windows[0]).items() if np.ndim(value)]
        joined = {n: np.concatenate([getattr(w, n) for w in windows]) for n in arrays[2:]}
        return replace(windows[0], signals=signals, **joined)


@dataclass
class Quality:
    """The gate, and its book: counts add up over all calls it is given to.

    Args:
        gap_s: s; NaN for less is bridged by a line. flat_s: s; constant for longer is flat.
        saturated_s: s at the record's extreme. rr_min, rr_max: s, of beats in a sequence.
        kept: windows that passed. dropped: reason -> windows; "short" counts windows that would
            reach past an end of the record, and records too short to give one.
    """

    gap_s: float = 0.05
    flat_s: float = 1.0
    saturated_s: float = 0.05
    rr_min: float = 0.2
    rr_max: float = 2.5
    kept: int = 0
    dropped: dict = field(default_factory=lambda: dict.fromkeys([*FLAWS, "rr", "short"], 0))


@dataclass(frozen=True, eq=False)
class Prepared(Record):
    """A record without NaN; `flaws` (time,) uint8 says which `FLAWS` the raw signal had where."""

    flaws: np.ndarray = None


def prepare(record: Record, fs=128.0, low=0.5, high=40.0, notch=0.0, quality=None) -> Prepared:
    """Looks for flaws in the raw signal, resamples to `fs` (Hz), then filters.

    Example:
        >>> prepared = [prepare(record, fs=128.0) for record in load_records("simulated")]
        >>> windows = beat_sequences(prepared, rows=32, step=4)
    """
    return filter_record(resample(inspect_record(record, quality), fs), low, high, notch)


def inspect_record(record: Record, quality: Quality | None = None) -> Prepared:
    """Marks samples that are missing, flat or saturated in any lead and bridges them by lines."""
    if isinstance(record, Prepared):
        return record
    quality, fs = quality or Quality(), record.fs
    flaws, filled = np.zeros(len(record.signal), np.uint8), record.signal.copy()
    for column, y in enumerate(record.signal.T):
        valid = np.isfinite(y)
        ends = {y[valid].min(), y[valid].max()} if valid.any() else ()
        stuck = max(3, np.ceil(quality.saturated_s * fs - 1e-9))
        found = [(*run, "nan") for run in _runs(~valid, np.ceil(quality.gap_s * fs - 1e-9))]
        same = _runs(y[1:] == y[:-1], int(quality.flat_s * fs + 1e-9))
        found += [(start, stop + 1, "flat") for start, stop in same]
        found += [(*run, "saturated") for end in ends for run in _runs(y == end, stuck)]
        for start, stop, flaw in found:
            flaws[start:stop] |= FLAWS[flaw]
            valid[start:stop] = False
        # Bridged before filtering: a step at the edge of a flaw would ring into good signal.
        good, values = (np.flatnonzero(valid), y[valid]) if valid.any() else ([0], [0.0])
        filled[~valid, column] = np.interp(np.flatnonzero(~valid), good, values)
    return Prepared(**{**vars(record), "signal": filled}, flaws=flaws)


def resample(record: Record, fs: float) -> Prepared:
    """Polyphase resampling by the exact rational ratio; beats move along, none is lost."""
    record, fs = inspect_record(record), number(fs, "fs", 1.0, 100_000.0)
    ratio = Fraction(fs).limit_denominator(1000) / Fraction(record.fs).limit_denominator(1000)
    up, down = ratio.numerator, ratio.denominator  # 1 to 1 leaves all as it was
    if max(up, down) > 20_000 or abs(ratio * record.fs / fs - 1) > 1e-9:
        got = f"{record.fs} to {fs} Hz"
        raise InputError("Rates without a handy ratio.", expected="whole numbers of Hz", got=got)
    signal = dsp.resample_poly(record.signal, up, down, axis=0, padtype="line")
    flaws = np.bitwise_or.reduceat(record.flaws, np.arange(len(signal)) * down // up)
    beats = np.minimum(np.round(record.beats * (up / down)), len(signal) - 1).astype(np.int64)
    return replace(record, signal=signal.astype(np.float32), fs=fs, flaws=flaws, beats=beats)


def filter_record(record: Record, low=0.5, high=40.0, notch=0.0) -> Prepared:
    """Zero-phase Butterworth band-pass (order 2, run both ways) and notch, edges in Hz, 0: none."""
    record = inspect_record(record)
    for name, edge in {"low": low, "high": high, "notch": notch}.items():
        number(edge, name, 0.0, np.nextafter(record.fs / 2, 0))
    if low and high and low >= high:
        raise InputError("The pass band is empty.", expected="low < high", got=f"{low}-{high} Hz")
    band = ([low, high], "bandpass") if low and high else (low or high, "hp" if low else "lp")
    sections = [dsp.butter(2, *band, fs=record.fs, output="sos")] if low or high else []
    sections += [dsp.tf2sos(*dsp.iirnotch(notch, 30, fs=record.fs))] if notch else []
    y, pad = record.signal, min(len(record.signal) - 1, int(record.fs * (2 / low if low else 1)))
    for sos in sections:
        y = dsp.sosfiltfilt(sos, y, axis=0, padlen=pad)
    return replace(record, signal=np.asarray(y, np.float32))


def find_rpeaks(signal: np.ndarray, fs: float) -> np.ndarray:
    """R peaks of one lead (time,) by sleepecg's detector, refined; (beat,) int64 samples."""
    import sleepecg
    signal = np.nan_to_num(np.asarray(signal, np.float64).reshape(len(signal), -1)[:, 0])
    if len(signal) < max(fs, 16):  # the detector cannot work on less than a second
        return np.zeros(0, np.int64)
    return np.unique(refine_rpeaks(signal, fs, sleepecg.detect_heartbeats(signal, fs)))


def refine_rpeaks(signal, fs: float, rpeaks, symbols=None, reach_s: float = 0.06) -> np.ndarray:
    """Moves each R peak to the largest deflection from the local median; (beat,) int64 samples.

    Args:
        signal: (time,) or (time, lead), mV; the first lead counts. fs: float, Hz.
        rpeaks: (beat,) samples. reach_s: float, s, how far one may move, default 0.06.
        symbols: (beat,) WFDB symbols or None. All beats share the polarity of most of them,
            but ventricular ones ("V", "E", "F") choose their own.
    """
    signal = np.asarray(signal).reshape(len(signal), -1)[:, 0]
    rpeaks = np.asarray(rpeaks, np.int64)
    if not len(rpeaks):
        return rpeaks
    reach, around = max(1, round(reach_s * fs)), round(0.4 * fs)
    wide = np.clip(rpeaks[:, None] + np.arange(-around, around + 1), 0, len(signal) - 1)
    near = np.clip(rpeaks[:, None] + np.arange(-reach, reach + 1), 0, len(signal) - 1)
    deflection = signal[near] - np.median(signal[wide], axis=1, keepdims=True)
    upright = deflection.max(axis=1) >= -deflection.min(axis=1)
    own = np.isin(symbols, list("VEF")) if symbols is not None else np.zeros(len(rpeaks), bool)
    common = np.mean(upright[~own] if not own.all() else upright) >= 0.5
    sign = np.where(np.where(own, upright, common), 1, -1)
    return near[np.arange(len(near)), np.argmax(deflection * sign[:, None], axis=1)]


def strips(records, length: int, step: int | None = None, quality=None) -> Windows:
    """Windows of `length` samples of a record or several, every `step` samples (default length).

    `quality` (of all cutters): a `Quality`; it drops windows with flaws and counts them.
    """
    count(length, "length", 1, 2**31), count(step or length, "step", 1, 2**31)
    def cut(one):
        starts = np.arange(0, len(one.signal) - length + 1, step or length)
        return starts, np.full(len(starts), length), None, None
    return _cut_all(records, quality, cut)


def beat_sequences(records, rows: int = 32, step: int | None = None, quality=None) -> Windows:
    """Sequences of `rows` beats, every `step` beats (default `rows`), for beat-row images.

    A window reaches from the R peak before the first beat (`starts`) to the one after the last,
    both included: 3 samples more than cuts at 40 % of RR need, from fs = 38 Hz on.
    """
    count(rows, "rows", 1, 10_000), count(step or rows, "step", 1, 10_000)
    def cut(one):
        positions, _ = _beats_of(one)
        first = np.arange(0, len(positions) - rows - 1, step or rows)
        peaks = positions[first[:, None] + np.arange(rows + 2)]
        return peaks[:, 0], np.ptp(peaks, axis=1) + 1, (peaks - peaks[:, :1]).astype(float), None
    return _cut_all(records, quality, cut)


def beats(records, before_s: float = 0.3, after_s: float = 0.5, quality=None) -> Windows:
    """One window a beat, R peak `round(before_s*fs)` samples in, labelled with its AAMI class."""
    number(before_s, "before_s", 0.0, 60.0), number(after_s, "after_s", 0.0, 60.0)
    def cut(one):
        positions, labels = _beats_of(one)
        before, after = round(before_s * one.fs), round(after_s * one.fs)
        return positions - before, np.full(len(positions), before + after + 1), None, labels
    return _cut_all(records, quality, cut)


def cut_strips(windows: Windows, seconds: float, per_window: int = 1, with_source=False):
    """The middle of each window, (strip, time, lead) float32; too short or NaN ones are left out.

    `with_source=True` gives also (strip,) int64, the window of each, so that losses can be told.
    """
    length = round(number(seconds, "seconds", 1 / windows.fs, 1e6) * windows.fs)
    count(per_window, "per_window", 1, 10_000)
    fits = np.minimum(windows.lengths // length, per_window)
    source = np.repeat(np.arange(len(windows)), fits)
    turn = np.arange(len(source)) - np.repeat(np.cumsum(fits) - fits, fits)
    start = (windows.lengths - fits * length)[source] // 2 + turn * length
    out = windows.signals[source[:, None], start[:, None] + np.arange(length)]
    whole = np.isfinite(out).all(axis=(1, 2))
    return (out[whole], source[whole]) if with_source else out[whole]


def split_by_subject(records_or_subjects, scheme="random", fractions=(0.6, 0.15, 0.25),
                     seed: int = 0, validation: int = 4) -> dict[str, list[str]]:  # fmt: skip
    """Gives every person to one part only: "train", "validation", "test" -> sorted subjects.

    Args:
        records_or_subjects: records, or names of subjects.
        scheme: "random", or "ds1ds2" (MIT-BIH, de Chazal et al. 2004): DS2 tests, DS1 without
            `validation` subjects trains, paced records take no part. Record 201 (DS1) and 202
            (DS2) are one person, who is kept for the test.
        fractions: of "random" for train, validation, test; each above 0 gets a subject.
    """
    choice(scheme, "scheme", ("random", "ds1ds2"))
    names = sorted({str(getattr(item, "subject", item)) for item in records_or_subjects})
    rng = np.random.default_rng(seed)
    if scheme == "ds1ds2":
        test = {f"mitdb-{'201' if n == '202' else n}" for n in DS2}
        first = rng.permutation(sorted({f"mitdb-{n}" for n in DS1}.intersection(names) - test))
        parts = [first[validation:], first[:validation], test.intersection(names)]
        few = min(map(len, parts[::2])) < 1
    else:
        shares = [number(f, "fraction", 0.0, 1.0) for f in fractions]
        if len(shares) != 3 or abs(sum(shares) - 1) > 1e-6:
            raise InputError("The fractions are wrong.", expected="3 with sum 1", got=fractions)
        sizes = [max(round(f * len(names)), 1) if f else 0 for f in shares]
        largest = int(np.argmax(shares))  # takes what rounding left over
        sizes[largest] += len(names) - sum(sizes)
        few = sizes[largest] < 1
        parts = np.split(rng.permutation(names), np.cumsum(sizes)[:2]) if not few else ()
    if few:
        got = f"{len(names)}: {names[:5]}"
        raise InputError(f"Too few subjects for {scheme}.", expected=f"some for {PARTS}", got=got)
    return {part: sorted(map(str, who)) for part, who in zip(PARTS, parts, strict=True)}


def assert_disjoint(split: dict[str, Sequence[str]]) -> None:
    """Raises InputError if a subject is in two parts of the split."""
    names, parts = np.unique([n for p in split.values() for n in set(p)], return_counts=True)
    shared = names[parts > 1].tolist()
    if shared:
        raise InputError("The split leaks.", expected="each subject in one part", got=shared)


def select_part(windows: Windows, split: dict[str, Sequence[str]], part: str) -> Windows:
    """The windows of the subjects of one part, after making sure that the split is disjoint."""
    assert_disjoint(split)
    choice(part, "part", tuple(split))
    chosen = windows.take(np.isin(windows.subjects, list(split[part])))
    if not len(chosen):
        got = f"windows of {np.unique(windows.subjects)[:9]}"
        raise InputError(f"No window is of '{part}'.", expected=f"of {split[part]}", got=got)
    return chosen


def _beats_of(record: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """Refined R peaks and AAMI classes: the annotated beats if they cover it, else detected."""
    keep = np.isin(record.symbols, BEAT_SYMBOLS)
    symbols, given, end = record.symbols[keep], record.beats[keep], len(record.signal)
    if len(given) * 3 < end / record.fs or np.ptp(given) < 0.8 * end:  # ECG-ID: the first ten only
        found = find_rpeaks(record.signal, record.fs)
        return found, np.full(len(found), "")
    found = refine_rpeaks(record.signal, record.fs, given, symbols)
    order = np.argsort(found, kind="stable")
    return found[order], record.aami()[keep][order]


def _cut_all(records, quality: Quality | None, cut) -> Windows:
    quality = quality or Quality()
    records = [records] if isinstance(records, Record) else list(records)
    records = [inspect_record(record, quality) for record in records]
    _fit_together("records", {(r.fs, tuple(r.leads)) for r in records})
    parts, before = [], dict(quality.dropped)
    for record in records:
        starts, lengths, peaks, labels = cut(record)
        keep = _gate(record, starts, lengths, peaks, quality)
        parts.append([None if a is None else a[keep] for a in (starts, lengths, peaks, labels)])
    joined = [None if a[0] is None else np.concatenate(a) for a in zip(*parts, strict=True)]
    starts, lengths, peaks, labels = joined
    if not len(starts):
        why = {k: v - before[k] for k, v in quality.dropped.items() if v > before[k]}
        raise InputError("No record gives a window.", got=f"dropped {why}", fix="shorten them")
    owner = np.repeat(np.arange(len(records)), [len(part[0]) for part in parts])
    signals = np.empty((len(starts), lengths.max(), len(records[0].leads)), np.float32)
    for row, (who, start, length) in enumerate(zip(owner, starts, lengths, strict=True)):
        signals[row, :length] = records[who].signal[start : start + length]
        signals[row, length:] = np.nan
    origin = np.array([(r.subject, r.name) for r in records])[owner]
    return Windows(signals, records[0].fs, tuple(records[0].leads), lengths, origin[:, 0],
                   origin[:, 1], starts, peaks, labels)  # fmt: skip


def _fit_together(what: str, kinds: set) -> None:
    if len(kinds) != 1:
        raise InputError(f"These {what} do not fit together.", expected="one kind", got=kinds)


def _gate(record, starts, lengths, peaks, quality: Quality) -> np.ndarray:
    """Which windows pass; each that does not is counted once, under its first reason."""
    quality.dropped["short"] += not len(starts)
    stops = np.minimum(starts + lengths, len(record.signal))
    reasons = {"short": (starts < 0) | (starts + lengths > len(record.signal))}
    for flaw, bit in FLAWS.items():
        seen = np.concatenate([[0], np.cumsum(record.flaws & bit > 0)])
        reasons[flaw] = seen[stops] > seen[np.maximum(starts, 0)]
    if peaks is not None:
        rr = np.diff(peaks, axis=1) / record.fs
        reasons["rr"] = ((rr < quality.rr_min) | (rr > quality.rr_max)).any(axis=1)
    keep = np.ones(len(starts), bool)
    for reason, bad in reasons.items():
        quality.dropped[reason] += int((keep & bad).sum())
        keep &= ~bad
    quality.kept += int(keep.sum())
    return keep


def _runs(mask: np.ndarray, least: float) -> list[tuple[int, int]]:
    """(start, stop) of the stretches of True that are at least `least` long."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]
