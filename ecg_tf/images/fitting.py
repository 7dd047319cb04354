"""Windows that fit the records: which arrangement, how many rows, how many seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangement import ROWS
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.rows_needed import rows_needed
from ecg_tf.records.record import Record
from ecg_tf.signals.preparation import Preparation
from ecg_tf.signals.quality import NoWindow, Prepared
from ecg_tf.signals.rpeaks import rpeaks_of

LONGEST_STRIP_S = 30.0  # s of a strip that one image holds, unless more is set
USUAL_STRIP_S = 10.0  # s of the strips that measures compare
LONG_RECORD_S = 60.0  # s from which on windows of a fixed number of beats fit everywhere
SHARE = 0.9  # of the records must be as long as the windows chosen
SAMPLE = 1000  # records whose beats are counted
COUNTED_S = 120.0  # s at the beginning of each in which they are


@dataclass(frozen=True)
class ImageSettings(Preparation):
    """What decides about windows and their images, as an experiment has it under these names.

    Args:
        arrangement, height, width: of the image; "auto" and 0 are left to the records.
        strip_seconds: float, s, of strips that windows must hold; 0 for none.
    """

    arrangement: str = "auto"
    height: int = 0
    width: int = 64
    strip_seconds: float = 0.0


def fit_to_records(settings, records: Sequence[Record]):
    """Settles what is left open, and refuses what cannot fit these records.

    `arrangement: auto` becomes beat rows where records last a minute or more (or hold as many
    beats as `height` asks for), else beat strips: one image is one whole strip. `height: 0`,
    `window_seconds: 0` and `strip_seconds: 0` become what records and windows allow. Beats are
    counted in at most 1,000 records.

    Args:
        settings: `Experiment`, or `ImageSettings`.
        records: raw records, as they were read.

    Returns:
        the same without anything left open; what left nothing open is returned as it is.

    Raises:
        InputError: a setting that cannot fit; it is named, with the nearest one that works.

    Example:
        >>> fit_to_records(Experiment(database="ptbxl"), load("ptbxl")).arrangement
        'beat_strips'
    """
    seconds = np.array([len(record.signal) / record.fs for record in records])
    usual = float(np.quantile(seconds, 1 - SHARE))  # so long are nine records in ten, or longer
    e = settings
    if e.strip_seconds > usual + 0.5 / e.fs:
        raise InputError(f"strip_seconds is longer than the records: {e.strip_seconds:g} s.",
                         expected=f"at most {_whole(usual):g} s, which nine of ten records last",
                         got=f"{e.strip_seconds:g}",
                         fix=f"set strip_seconds: {_whole(usual):g}, or leave it out")
    if e.arrangement != "auto" and not ARRANGEMENTS[e.arrangement].by_beats:
        return _fixed(e, usual)
    beats = _Beats.of(records, e)
    if e.arrangement == "auto":
        e = replace(e, arrangement=_arrangement(e, usual, beats))
    of_length = ARRANGEMENTS[e.arrangement].cut_by == "beat_strips"
    return (_beat_strips if of_length else _beat_rows)(e, usual, beats)


@dataclass(frozen=True)
class _Beats:
    """The beats of some of the records.

    Args:
        prepared: at most `SAMPLE` records, spread over all, at most `COUNTED_S` of each.
        counts: (record,) R peaks of the whole record, extrapolated where only a part was taken.
        rr: (record,) median RR interval, s; NaN for fewer than two R peaks.
    """

    prepared: list[Prepared]
    counts: np.ndarray
    rr: np.ndarray

    @classmethod
    def of(cls, records: Sequence[Record], e) -> "_Beats":
        chosen = np.unique(np.linspace(0, len(records) - 1, min(len(records), SAMPLE)).astype(int))
        prepared, counts, rr = [], [], []
        preparation = Preparation.of(e)
        for k in chosen:
            part, share = _beginning(records[k])
            prepared += preparation.clean([part])
            positions, _ = rpeaks_of(prepared[-1])
            counts.append(round(len(positions) / share))
            rr.append(np.median(np.diff(positions)) / e.fs if len(positions) > 1 else np.nan)
        return cls(prepared, np.array(counts), np.array(rr))


def _with_strips(e, longest: float):
    """The settings with strips to compare that windows of so many seconds hold."""
    return replace(e, strip_seconds=e.strip_seconds or min(USUAL_STRIP_S, _whole(longest)))


def _arrangement(e, usual: float, beats: _Beats) -> str:
    if e.window_seconds:
        return "beat_strips"
    rows = e.height or ROWS
    enough = np.quantile(beats.counts, 1 - SHARE) >= rows + 2
    if usual >= LONG_RECORD_S and enough and rows * np.nanmedian(beats.rr) >= (
            e.strip_seconds or USUAL_STRIP_S):
        return "beat_rows"
    # A height that was set is a number of beats, where the records have so many.
    return "beat_rows" if e.height and np.median(beats.counts) >= e.height + 2 else "beat_strips"


def _beat_rows(e, usual: float, beats: _Beats):
    most, usual_most = (int(np.quantile(beats.counts, q)) - 2 for q in (1, 1 - SHARE))
    rows = e.height or min(ROWS, max(8, usual_most // 8 * 8))
    if rows > most:
        raise NoWindow(
            f"height: {rows} beats are more than a record has.",
            expected=f"at most {most} rows of beat_rows (the R peaks before and after belong to "
            "the window)" if most >= 8 else "longer records for beat_rows",
            got=f"{rows}",
            fix="set arrangement: beat_strips, which takes whole records"
            + (f", or height: {most // 8 * 8}" if most >= 8 else ""),
        )
    shortest = rows * float(np.nanmedian(beats.rr))
    if shortest < e.strip_seconds:
        needed = int(np.ceil(1.2 * e.strip_seconds / np.nanmedian(beats.rr) / 8) * 8)
        raise InputError(f"height: {rows} beats last {shortest:.1f} s, less than strip_seconds.",
                         expected=f"strips of at most {_whole(shortest):g} s, or more rows",
                         got=f"strip_seconds: {e.strip_seconds:g}",
                         fix=f"set height: {needed}, or strip_seconds: {_whole(shortest):g}")
    return _with_strips(replace(e, height=rows), min(shortest, usual))


def _beat_strips(e, usual: float, beats: _Beats):
    seconds = e.window_seconds or min(_whole(usual), LONGEST_STRIP_S)
    if seconds > usual + 0.5 / e.fs:
        raise InputError(f"window_seconds is longer than the records: {seconds:g} s.",
                         expected=f"at most {_whole(usual):g} s, which nine of ten records last",
                         got=f"{seconds:g}",
                         fix=f"set window_seconds: {_whole(usual):g}, or leave it out")
    if seconds < e.strip_seconds:
        raise InputError(
            f"window_seconds: {seconds:g} s are less than strip_seconds.",
            expected=f"windows of at least {e.strip_seconds:g} s",
            got=f"{seconds:g}",
            fix=f"set window_seconds: {e.strip_seconds:g}, or strip_seconds: {seconds:g}",
        )
    needed = rows_needed(beats.prepared, seconds)
    if e.height and rows_needed(beats.prepared, seconds, share=0.5) > e.height:
        raise InputError(f"height: {e.height} rows cannot hold the beats of {seconds:g} s.",
                         expected=f"{needed} rows, which hold 99 % of the strips",
                         got=str(e.height),
                         fix=f"set height: {needed}, or a shorter window_seconds")
    return _with_strips(replace(e, window_seconds=seconds, height=e.height or needed), seconds)


def _fixed(e, usual: float):
    e = replace(e, height=e.height or ROWS)
    kind = ARRANGEMENTS[e.arrangement]
    samples = kind.samples(e.height, e.width)
    if samples / e.fs > usual + 0.5 / e.fs:
        wide = int(usual * e.fs / kind.samples(e.height, 8)) * 8
        raise NoWindow(
            f"An image of {e.height} x {e.width} with '{e.arrangement}' takes {samples} samples, "
            f"{samples / e.fs:.1f} s at {e.fs:g} Hz: longer than the records.",
            expected=f"at most {usual:.1f} s",
            got=f"{samples / e.fs:.1f} s",
            fix=f"set width: {wide}" if wide >= 8 else "set a smaller height, or a higher fs",
        )
    return _with_strips(e, samples / e.fs)


def _beginning(record: Record) -> tuple[Record, float]:
    """The first two minutes of a record, and which share of it they are."""
    length = min(len(record.signal), int(COUNTED_S * record.fs))
    inside = record.beats < length
    part = replace(record, signal=record.signal[:length], beats=record.beats[inside],
                   symbols=record.symbols[inside])
    return part, length / len(record.signal)


def _whole(seconds: float) -> float:
    """Whole seconds that fit; records of 9.998 s are records of 10 s that lost a sample."""
    return float(max(1, np.floor(seconds + 0.004)))
