"""What is wrong with a raw signal, and which windows may pass: marked, bridged, counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records import Record
from ecg_tf.signals.rpeaks import rpeaks_of
from ecg_tf.signals.steps import find_steps, typical_largest

#: Flaws of a signal and the bit that marks each of them in `Prepared.flaws`.
FLAWS = {"nan": 1, "flat": 2, "saturated": 4, "step": 8}
_CONCERN = "concern: "  # before a kind of concern, in the exclusion log as JSON


@dataclass
class Quality:
    """The quality gate: what counts as a flaw, and the signal-quality exclusion log.

    The counts add up over all calls that a `Quality` is given to.

    Args:
        gap_s: float, s, default 0.05; missing samples for less are bridged by a line.
        flat_s: float, s, default 1; a signal constant for longer is flat.
        saturated_s: float, s, default 0.05; a signal this long at the record's smallest or largest
            value is saturated, if it came or left there steeply or stays there four times as long
            in all: a record's last samples that are held, or a top of the baseline, are not.
        rr_min: float, s, default 0.2; shortest RR interval of a beat sequence or strip.
        rr_max: float, s, default 2.5; longest RR interval of a beat sequence or strip.
        kept: int, windows that passed.
        dropped: reason -> windows. Each counts once, under the first reason of "short", "nan",
            "flat", "saturated", "step", "rr", "rows" (more beats than a strip's image has rows).
            "short" counts windows that would reach past an end of their record, and records too
            short to give a window.
        concerns: kind -> records that are implausible in this way, see `plausibility.KINDS`. They
            are counted by `plausibility.look_at` and drop no window by themselves.

    Example:
        >>> quality = Quality()
        >>> windows = strips(prepared, 1280, quality=quality)
        >>> quality.kept, quality.dropped["nan"]
        (180, 0)
    """

    gap_s: float = 0.05
    flat_s: float = 1.0
    saturated_s: float = 0.05
    rr_min: float = 0.2
    rr_max: float = 2.5
    kept: int = 0
    dropped: dict = field(default_factory=lambda: dict.fromkeys([*FLAWS, "rr", "short", "rows"], 0))
    concerns: dict = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """The log for JSON: "kept", every reason -> windows, "concern: kind" -> records."""
        concerns = {_CONCERN + kind: records for kind, records in self.concerns.items()}
        return {"kept": self.kept, **self.dropped, **concerns}

    @classmethod
    def of_counts(cls, counts: Mapping[str, int]) -> "Quality":
        """The log that gave these `counts`, at the default limits; reasons unknown then are 0."""
        log = cls(kept=counts["kept"])
        for name, number in counts.items():
            if name.startswith(_CONCERN):
                log.concerns[name.removeprefix(_CONCERN)] = number
            elif name != "kept":
                log.dropped[name] = number
        return log


@dataclass(frozen=True, eq=False)
class Prepared(Record):
    """A `Record` without NaN that remembers where its raw signal was flawed.

    Args:
        flaws: (time,) uint8, the sum of the `FLAWS` of any lead at each sample; 0: none.
    """

    flaws: np.ndarray = None  # type: ignore[assignment]  # always given; fields before have defaults


def inspect_record(record: Record, quality: Quality | None = None) -> Prepared:
    """Marks samples that are missing, flat, saturated or a spike in any lead, and bridges them.

    Bridging comes before filtering: a step at the edge of a flaw would ring into good signal. A
    step of the first or last samples (`steps.find_steps`) is bridged and not marked, as is a short
    gap: nothing of the ECG is lost with it, and a record of 10 s would be lost with its mark.

    Args:
        record: the raw record. One that is `Prepared` already is returned as it is.
        quality: what counts as a flaw; None takes the defaults of `Quality`.

    Returns:
        Prepared of the same shape and rate. Without flaws it shares the record's signal.

    Example:
        >>> inspect_record(record).flaws.any()
        False
    """
    if isinstance(record, Prepared):
        return record
    quality = quality or Quality()
    signal = record.signal
    flaws = np.zeros(len(signal), np.uint8)
    good = np.isfinite(signal)
    for step in find_steps(signal, record.fs, record.paced):
        good[step.start : step.stop, step.lead] = False
        flaws[step.start : step.stop] |= 0 if step.at_end else FLAWS["step"]
    for column, values in enumerate(record.signal.T):
        valid = good[:, column].copy()
        for start, stop, flaw in _find_flaws(values, valid, record.fs, quality):
            flaws[start:stop] |= FLAWS[flaw]
            valid[start:stop] = False
        if valid.all():
            continue
        if signal is record.signal:
            signal = record.signal.copy()
        missing = np.flatnonzero(~valid)
        if valid.any():
            signal[missing, column] = np.interp(missing, np.flatnonzero(valid), values[valid])
        else:
            signal[missing, column] = 0.0
    return Prepared(**{**vars(record), "signal": signal}, flaws=flaws)


def gate(record: Prepared, starts: np.ndarray, lengths: np.ndarray, rpeaks: np.ndarray | None,
         quality: Quality, faults: np.ndarray | None = None) -> np.ndarray:
    """Decides which windows of a record pass, and writes it into the log of `quality`.

    Args:
        record: the record that the windows are to be cut from.
        starts: (window,) int, samples; a window may reach past either end.
        lengths: (window,) int, samples.
        rpeaks: (window, beat) sample positions whose intervals must be plausible, or None; NaN
            where a window has fewer.
        quality: the gate; its counts grow.
        faults: (window,) str, a further reason to drop each window, "" for none; default none.

    Returns:
        (window,) bool, True where a window passes.
    """
    quality.dropped["short"] += not len(starts)
    stops = np.minimum(starts + lengths, len(record.signal))
    reasons = {"short": (starts < 0) | (starts + lengths > len(record.signal))}
    for flaw, bit in FLAWS.items():
        flawed_before = np.concatenate([[0], np.cumsum(record.flaws & bit > 0)])
        reasons[flaw] = flawed_before[stops] > flawed_before[np.maximum(starts, 0)]
    if rpeaks is not None:
        rr = np.diff(rpeaks, axis=1) / record.fs
        reasons["rr"] = ((rr < quality.rr_min) | (rr > quality.rr_max)).any(axis=1)
    for reason in [] if faults is None else sorted(set(faults) - {""}):
        reasons[reason] = reasons.get(reason, False) | (faults == reason)
    keep = np.ones(len(starts), bool)
    for reason, bad in reasons.items():
        quality.dropped[reason] += int((keep & bad).sum())
        keep &= ~bad
    quality.kept += int(keep.sum())
    return keep


class NoWindow(InputError):
    """Records that give no window at all."""


def no_window_error(records: Sequence[Prepared], length: int, n_rpeaks: int,
                    dropped: Mapping[str, int]) -> NoWindow:
    """The error for records (one or more, of one rate) that give no window at all, to be raised.

    It says why: a window needs `length` samples (0: varies) or `n_rpeaks` R peaks (0: not by
    beats); `dropped`: reason -> windows.
    """
    longest = max(records, key=lambda record: len(record.signal))
    if length > len(longest.signal):
        return NoWindow(
            "The window is longer than every record.",
            expected=f"at most {len(longest.signal)} samples ({_seconds(longest)}), the length of "
            f"record '{longest.name}'",
            got=f"{length} samples ({length / longest.fs:.2f} s at {longest.fs:g} Hz)",
            fix="cut shorter windows, or read longer records",
        )
    most = max(len(rpeaks_of(record)[0]) for record in records) if n_rpeaks else 0
    if most < n_rpeaks:
        return NoWindow(
            "A sequence has more beats than every record.",
            expected=f"at most {max(0, most - 2)} rows: the R peaks before and after belong to the "
            f"window, and no record has more than {most}",
            got=f"{n_rpeaks - 2} rows; the longest record, '{longest.name}', lasts "
            f"{_seconds(longest)}",
            fix="take fewer rows, or read longer records",
        )
    crowded = dropped.get("rows", 0) > sum(dropped.values()) / 2
    return NoWindow(
        "No record gives a window.",
        expected="one window or more that passes the quality gate",
        got="all dropped: " + ", ".join(f"{n} {why}" for why, n in dropped.items() if n),
        fix="take images of more rows, as images.rows_needed says" if crowded else
        "look at the signals, choose another lead, or give a Quality with other limits",
    )


def _seconds(record: Record) -> str:
    return f"{len(record.signal) / record.fs:.2f} s"


def _find_flaws(values, valid, fs: float, quality: Quality) -> list[tuple[int, int, str]]:
    """(start, stop, flaw) of all flaws of one lead, (time,) mV; `valid` (time,) is False at NaN."""
    # A hair less or more: 0.05 s at 100 Hz is 5 samples, whatever floating point makes of it.
    gap = np.ceil(quality.gap_s * fs - 1e-9)
    stuck = max(3, np.ceil(quality.saturated_s * fs - 1e-9))
    flat = int(quality.flat_s * fs + 1e-9)
    found = [(start, stop, "nan") for start, stop in runs_of(~valid, gap)]
    same = runs_of(values[1:] == values[:-1], flat)
    found += [(start, stop + 1, "flat") for start, stop in same]
    if valid.any():
        finite = values if valid.all() else values[valid]
        for end in {finite.min(), finite.max()}:
            at_limit = limit_runs(values, end, stuck, fs)
            found += [(start, stop, "saturated") for start, stop in at_limit]
    return found


def limit_runs(values: np.ndarray, end: float, least: float, fs: float) -> list[tuple[int, int]]:
    """Where a signal (time,) mV is saturated (ADC limit) at `end`, its smallest or largest value,
    for `least` samples or more, and not by chance for long at one value: list of (start, stop).

    In MIT-BIH, whose saturations all stay, they last 0.2 s and more or are entered at 0.25 times a
    beat's steepest slope. Of 2,322 records of PTB-XL, 62 had such a stretch by chance, of 0.12 s at
    most; half of them were the record's last samples, held.
    """
    runs = runs_of(values == end, least)
    if sum(stop - start for start, stop in runs) >= 4 * least:
        return runs
    return steep_runs(values, runs, fs)


def steep_runs(values, runs: list[tuple[int, int]], fs: float) -> list[tuple[int, int]]:
    """Those of the `runs` that are entered or left at 0.25 times a beat's steepest slope."""
    if not runs:
        return runs
    slopes = np.nan_to_num(np.abs(np.diff(values)))
    steep = 0.25 * typical_largest(slopes[None], fs)[0]
    return [(start, stop) for start, stop in runs
            if (start > 0 and slopes[start - 1] > steep)
            or (stop < len(values) and slopes[stop - 1] > steep)]


def runs_of(mask: np.ndarray, least: float) -> list[tuple[int, int]]:
    """(start, stop) of the stretches of True that are at least `least` long."""
    stride = int(least) // 2
    if stride > 1:  # a long stretch meets two of these in a row: most records have none
        some = mask[::stride]
        if not (some[1:] & some[:-1]).any():
            return []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    starts, stops = edges[::2], edges[1::2]
    long = stops - starts >= least
    return list(zip(starts[long].tolist(), stops[long].tolist(), strict=True))
