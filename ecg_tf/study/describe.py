"""What a folder or database holds, before anybody trains: persons, leads, labels, what fits."""

import math
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.fitting import fit_to_records
from ecg_tf.records.ecgs import ECGs
from ecg_tf.records.loading import load
from ecg_tf.records.record import Record
from ecg_tf.records.splits import split_by_subject
from ecg_tf.signals.plausibility import (
    BY_RPEAKS,
    KINDS,
    Plausibility,
    in_words,
    plausibility,
)
from ecg_tf.signals.quality import inspect_record
from ecg_tf.signals.record_measures import heart_rate
from ecg_tf.signals.rpeaks import rpeaks_of

BEATS_OF = 500  # records whose R peaks are looked for, spread over all
BEATS_S = 300.0  # s in the middle of each in which they are


def describe(source: str | Path, data_dir: str | Path = "",
             leads: str | Sequence[str] | None = None, fs: float = 0.0, metadata: str | Path = "",
             **how) -> dict:
    """Reads a folder or database and says what is in it and what could be done with it.

    Args:
        source: a folder, a file, a known database, or another source of `records.loading.load`.
        data_dir, leads, fs, metadata: as of `load`.
        **how: further arguments of `load`.

    Returns:
        dict of plain values for JSON, see `describe_ecgs`.

    Raises:
        InputError: nothing can be read.

    Example:
        >>> describe("ptbxl")["subjects"]
        2266
    """
    with warnings.catch_warnings():  # they are among what is returned
        warnings.simplefilter("ignore")
        ecgs = load(source, data_dir, leads, fs=fs, metadata=metadata, **how)
    return describe_ecgs(ecgs, str(source))


def describe_ecgs(ecgs: ECGs, source: str = "") -> dict:
    """Says what records hold: who, how long, how high, how fast, and what fits.

    Every record is looked at (`plausibility`); R peaks are looked for in at most `BEATS_OF`
    records, in `BEATS_S` s in the middle of each.

    Args:
        ecgs: what was read.
        source: str, what it was read from.

    Returns:
        dict of plain values for JSON; numbers not known are None:
        "source"; "records", "subjects" (int), "subjects_known_by", "subjects_with_several"
        (persons with more than one record); "fs_hz" (a list where records differ); "seconds"
        (median), "seconds_range"; "leads" (of any record), "leads_in_all"; "amplitude_mv" (peak
        to peak, median over records and leads), "amplitude_mv_by_lead"; "heart_rate_bpm"
        (median), "heart_rate_range_bpm" (5 to 95 %), "heart_rate_records" (of how many); "sex"
        and "age" of persons; "labels" (kind -> statement -> records), "beats" (AAMI class ->
        annotated beats); "left_out" (name, kind, reason), "left_out_by_kind"; "notes" (sentence
        -> records); "implausible" (kind -> name of a record -> what was found); "windows" that
        fit; the "split" that would be made; "warnings" (sentences).

    Raises:
        InputError: there are no records.

    Example:
        >>> describe_ecgs(ECGs(signals, fs=100))["windows"]["arrangement"]
        'beat_strips'
    """
    if not len(ecgs):
        raise InputError("There are no ECGs.", expected="at least one that can be read",
                         got=f"{len(ecgs.left_out)} left out", fix="check the folder's path")
    looks, rates = _look(ecgs)
    implausible = _implausible(ecgs, looks)
    warnings = list(ecgs.warnings) + _warnings_of(ecgs, implausible, len(rates))
    windows = _or_warning(warnings, fitting, ecgs, rates)
    split = _or_warning(warnings, split_of, ecgs)
    return {
        "source": source,
        **_who(ecgs),
        **_shape(ecgs),
        **_heights(ecgs, looks),
        **_rates(rates),
        "labels": _labels(ecgs),
        "beats": _beat_classes(ecgs),
        "left_out": [asdict(item) for item in ecgs.left_out],
        "left_out_by_kind": ecgs.left_out_by_kind(),
        "notes": dict(Counter(note for record in ecgs for note in record.notes)),
        "implausible": implausible,
        "windows": windows,
        "split": split,
        "warnings": warnings,
    }


def fitting(ecgs: ECGs, rates: Sequence[float]) -> dict:
    """The windows of an experiment that leaves them to the records (`fitting.fit_to_records`).

    {"arrangement", "rows", "seconds" (of a strip), "windows" (side by side, about, by the heart
    rates in bpm of some records), "records_too_short"}. InputError: no window fits.
    """
    e = fit_to_records(Experiment(), ecgs)
    seconds = np.array([len(record.signal) / record.fs for record in ecgs])
    if not e.window_seconds:
        known = [rate for rate in rates if math.isfinite(rate)]
        beats = seconds * np.median(known) / 60 if known else np.zeros(len(seconds))
        windows = np.maximum(beats - 2, 0) // e.height
    else:
        windows = (seconds * e.fs + 0.5) // (e.window_seconds * e.fs)
    return {
        "arrangement": e.arrangement,
        "rows": e.height,
        "seconds": e.window_seconds or None,
        "windows": int(windows.sum()),
        "records_too_short": int((windows < 1).sum()),
    }


def split_of(ecgs: ECGs) -> dict:
    """The split by person that an experiment makes by default: {"scheme", "parts": {part:
    {"subjects", "records"}}}. InputError: there are too few persons."""
    e = Experiment()
    parts = split_by_subject(ecgs, e.split, seed=e.seed)
    records = Counter(record.subject for record in ecgs)
    return {"scheme": e.split, "parts": {
        part: {"subjects": len(names), "records": sum(records[name] for name in names)}
        for part, names in parts.items()}}


def _look(ecgs: ECGs) -> tuple[list[Plausibility], list[float]]:
    """What each record looks like; the heart rates (bpm) of those whose R peaks were looked for."""
    chosen = set(np.linspace(0, len(ecgs) - 1, min(len(ecgs), BEATS_OF)).astype(int).tolist())
    looks, rates = [], []
    for number, record in enumerate(ecgs):
        rpeaks = _rpeaks(record) if number in chosen else None
        looks.append(plausibility(record, rpeaks))
        if rpeaks is not None:
            rates.append(heart_rate(rpeaks, record.fs))
    return looks, rates


def _rpeaks(record: Record) -> np.ndarray | None:
    """(beat,) R peaks in the middle of a record, as sample positions of the whole; None where
    they cannot be searched, as in records of a few Hz."""
    length = min(len(record.signal), round(BEATS_S * record.fs))
    start = (len(record.signal) - length) // 2
    inside = (record.beats >= start) & (record.beats < start + length)
    part = replace(record, signal=record.signal[start : start + length],
                   beats=record.beats[inside] - start, symbols=record.symbols[inside])
    try:
        return rpeaks_of(inspect_record(part))[0] + start
    except InputError:
        return None


def _implausible(ecgs: ECGs, looks: Iterable[Plausibility]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for record, look in zip(ecgs, looks, strict=True):
        for kind, text in look.concerns():
            found[kind][record.name] = text
    return {kind: names for kind, names in found.items() if names}


def _who(ecgs: ECGs) -> dict:
    several = Counter(record.subject for record in ecgs)
    sex, ages = {}, {}
    for record in ecgs:
        sex[record.subject] = sex.get(record.subject) or record.sex
        if math.isfinite(record.age):
            ages.setdefault(record.subject, record.age)
    return {
        "records": len(ecgs),
        "subjects": len(several),
        "subjects_known_by": ecgs.subjects_known_by,
        "subjects_with_several": sum(number > 1 for number in several.values()),
        "sex": dict(Counter(value or "unknown" for value in sex.values())),
        "age": {"known": len(ages), **_spread(ages.values(), 1)},
    }


def _shape(ecgs: ECGs) -> dict:
    rates = sorted({round(float(record.fs), 4) for record in ecgs})
    seconds = [len(record.signal) / record.fs for record in ecgs]
    leads = list(dict.fromkeys(lead for record in ecgs for lead in record.leads))
    return {
        "fs_hz": rates[0] if len(rates) == 1 else rates,
        "seconds": _number(np.median(seconds), 3),
        "seconds_range": [_number(min(seconds), 3), _number(max(seconds), 3)],
        "leads": leads,
        "leads_in_all": [name for name in leads if all(name in record.leads for record in ecgs)],
    }


def _heights(ecgs: ECGs, looks: Sequence[Plausibility]) -> dict:
    by_lead: dict[str, list[float]] = {}
    for look in looks:
        for lead, height in zip(look.leads, look.amplitudes_mv, strict=True):
            if height > 0:  # a constant or missing lead has no height
                by_lead.setdefault(lead, []).append(float(height))
    every = [height for heights in by_lead.values() for height in heights]
    return {
        "amplitude_mv": _number(np.median(every), 4) if every else None,
        "amplitude_mv_by_lead": {lead: _number(np.median(heights), 4)
                                 for lead, heights in by_lead.items()},
    }


def _rates(rates: Sequence[float]) -> dict:
    of = _spread(rates, 1)
    return {"heart_rate_bpm": of["median"], "heart_rate_range_bpm": of["range"],
            "heart_rate_records": len(rates)}


def _labels(ecgs: ECGs) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter] = {}
    for record in ecgs:
        for kind, statements in record.labels.items():
            counts.setdefault(kind, Counter()).update(set(statements))
    return {kind: dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
            for kind, counter in sorted(counts.items())}


def _beat_classes(ecgs: ECGs) -> dict[str, int]:
    counts: Counter = Counter()
    for record in ecgs:
        if len(record.beats):
            counts.update(record.aami().tolist())
    return dict(counts.most_common())


def _warnings_of(ecgs: ECGs, implausible: dict[str, dict[str, str]], with_rpeaks: int) -> list[str]:
    """Warnings beside those of reading; R peaks are known of so many records."""
    out = []
    if ecgs.subjects_known_by == "nothing" and len(ecgs) > 1 and not ecgs.warnings:
        out.append(f"Nothing says who is who: each of the {len(ecgs):,} records counts as a "
                   "person. If a person has several, they may be on both sides of a split.")
    for kind, names in implausible.items():
        looked_at = with_rpeaks if kind in BY_RPEAKS else len(ecgs)
        out += in_words({kind: names}, looked_at)
    return out


def _or_warning(warnings: list[str], make, *arguments) -> dict:
    """What a step of the preparation would make; if it refuses, the reason becomes a warning."""
    try:
        return make(*arguments)
    except InputError as error:
        warnings.append(error.one_line)
        return {"refused": error.one_line}


def _spread(values: Iterable[float], digits: int) -> dict:
    known = np.array([value for value in values if math.isfinite(value)], float)
    if not len(known):
        return {"median": None, "range": [None, None]}
    low, middle, high = np.quantile(known, (0.05, 0.5, 0.95))
    return {"median": _number(middle, digits),
            "range": [_number(low, digits), _number(high, digits)]}


def _number(value, digits: int) -> float | None:
    return round(float(value), digits) if math.isfinite(value) else None
