"""One WFDB record from its files: header, samples in mV, annotated beats and person."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.checksums import digests
from ecg_tf.records.databases import Database
from ecg_tf.records.formats.headers import (
    FASTEST_FS,
    NO_FILE,
    SLOWEST_FS,
    Header,
    Signal,
    lead_names,
    malformed,
    read_header,
)
from ecg_tf.records.formats.statements import labels_of
from ecg_tf.records.formats.units import to_millivolts
from ecg_tf.records.formats.wfdb_beats import read_beats
from ecg_tf.records.formats.wfdb_samples import UNCALIBRATED, in_millivolts, read_samples
from ecg_tf.records.person import about
from ecg_tf.records.record import Record

#: Samples without a signal in a multi-segment record, and 20 more for each that is there.
MOST_GAP = 10**7


@dataclass(frozen=True, eq=False)
class Contents:
    """What a WFDB record's files hold.

    Args:
        signal: (time, lead) float32, mV; invalid samples are NaN.
        fs: float, Hz.
        leads: names of the leads.
        comments: lines of the header's comments.
        files: names of the files read, relative to the record's folder.
        damaged_start: samples at the start that were cut off.
        frames_fs: float, Hz, rate of the header's frames, in which annotations count.
        notes: what could not be verified or had to be assumed, sentences.
    """

    signal: np.ndarray
    fs: float
    leads: tuple[str, ...]
    comments: tuple[str, ...]
    files: tuple[str, ...]
    damaged_start: int = 0
    frames_fs: float = 0.0
    notes: tuple[str, ...] = ()


class MissingLead(InputError):
    """A record does not have a lead that was asked for; `leads` are those it has."""

    leads: tuple[str, ...] = ()


def read_wfdb(path: Path, root: Path, leads: Sequence[str] | None = None,
              sums: Mapping[str, str] | None = None, database: Database | None = None) -> Record:
    """Reads one WFDB record with its annotated beats.

    Signals that nobody asked for are not looked at: their units, rates, files and checksums may be
    what they are.

    Args:
        path: Path of the record without extension.
        root: Path of the folder it belongs to; no file may lie outside of it.
        leads: names of the leads, in the order wanted. Default: all that are measured in volts.
        sums: name of file, relative to `root` -> published SHA-256. Default: none are compared.
        database: what is known of the public database that the folder holds. Default: nothing.

    Returns:
        Record. Its subject is what the database or else the header says, "" if neither does.

    Raises:
        MissingLead: it has not all of the leads, or no ECG at all.
        InputError: its files are missing, damaged or malformed, or a lead holds no ECG.

    Example:
        >>> read_wfdb(Path("data/mitdb/100"), Path("data/mitdb"), ("MLII",)).signal.shape
        (650000, 1)
    """
    name = path.absolute().relative_to(root.absolute()).as_posix()
    damaged = database.damaged_starts.get(name, 0) if database else 0
    contents = read_contents(path, leads, damaged, root, database.gain if database else 0.0)
    cut = contents.damaged_start
    beats, symbols, annotations = read_beats(
        path, contents.fs, len(contents.signal) + cut, root, contents.frames_fs
    )
    kept = beats >= cut
    files = [*contents.files, annotations] if annotations else contents.files
    folder = PurePosixPath(name).parent
    person = about(contents.comments, database is not None and database.name == "mitdb")
    if database:
        person["subject"] = database.subject(name) or person["subject"]
    return Record(
        name=name,
        database=database.name if database else root.absolute().name,
        signal=contents.signal,
        fs=contents.fs,
        leads=contents.leads,
        beats=beats[kept] - cut,
        symbols=symbols[kept],
        paced=bool(database and name in database.paced or np.any(symbols[kept] == "/")),
        notes=contents.notes,
        labels=labels_of(contents.comments),
        source={"files": digests(root, [str(folder / file) for file in files], sums or {})},
        **person,
    )


def read_contents(path: Path, leads: Sequence[str] | None = None, damaged: int = 0,
                  root: Path | None = None, gain: float = 0.0) -> Contents:
    """Reads and checks header and signals of one WFDB record.

    Args:
        path: Path of the record without extension.
        leads: names of the leads wanted, in that order; None takes every lead measured in volts.
        damaged: samples at the start known to be damaged, see `wfdb_samples.read_samples`.
        root: Path of the folder that no file may lie outside of. Default: the record's own.
        gain: float, counts a mV of all signals, where the header's own gains are no calibration;
            default 0, the header is right.

    Returns:
        Contents.

    Raises:
        MissingLead: it has not all of the leads, or no ECG at all.
        InputError: a file is missing, truncated, malformed, or disagrees with the header; or a
            lead holds no ECG.
    """
    header = read_header(path, root)
    if gain:
        note = (f"The header's gains scale every lead to one height: {gain:g} counts a mV are "
                "assumed for all leads.")
        header = replace(header, notes=(*header.notes, note), signals=tuple(
            replace(signal, gain=gain) for signal in header.signals))
    if header.segments:
        contents = _read_segments(path, header, leads, root)
    else:
        contents = _read_single(path, header, leads, damaged, root)
    for lead, values in zip(contents.leads, contents.signal.T, strict=True):
        if not _varies(values[:1000]) and not _varies(values):  # the first second mostly decides
            low = np.fmin.reduce(values)
            raise InputError(
                f"Lead '{lead}' of record '{path}' holds no ECG.",
                expected="a signal that varies",
                got="only NaN" if math.isnan(low) else f"the constant {low:g} mV",
                fix="choose other leads with leads=..., or leave the record out with records=...",
            )
    return contents


def _read_single(path: Path, header: Header, leads, damaged: int, root: Path | None) -> Contents:
    names = lead_names([signal.name for signal in header.signals])
    chosen = _choose(path, header, names, leads)
    rates = {names[i]: header.fs * header.signals[i].per_frame for i in chosen}
    if len(set(rates.values())) > 1:
        raise InputError(
            f"The leads of record '{path}' have different sampling rates.",
            expected="leads of one rate",
            got=", ".join(f"{lead} {fs:g} Hz" for lead, fs in rates.items()),
            fix="choose leads of one rate with leads=...",
        )
    samples = read_samples(path, header, chosen, names, damaged, root)
    uncalibrated = [names[i] for i in chosen if not header.signals[i].gain]
    notes = [f"The header gives no gain for {', '.join(uncalibrated)}: WFDB's default of "
             f"{UNCALIBRATED:g} is assumed."] if uncalibrated else []
    return Contents(
        signal=in_millivolts(path, header, chosen, samples),
        fs=rates[names[chosen[0]]],
        leads=tuple(names[i] for i in chosen),
        comments=header.comments,
        files=(f"{path.name}.hea", *dict.fromkeys(header.signals[i].file for i in chosen)),
        damaged_start=samples.cut,
        frames_fs=header.fs,
        notes=(*header.notes, *notes, *samples.notes),
    )


def _read_segments(path: Path, header: Header, leads, root: Path | None) -> Contents:
    """A multi-segment record: its segments joined by lead names, gaps and missing leads are NaN."""
    parts, start = [], 0
    files, notes, found = [f"{path.name}.hea"], list(header.notes), {}
    for name, length in header.segments:
        if name != NO_FILE and length > 0:
            segment = path.parent / name
            head = read_header(segment, root)
            if head.segments or head.frames != length:
                raise malformed(path, f"segment '{name}' disagrees")
            usable = _usable(head, lead_names([signal.name for signal in head.signals]))
            wanted = [lead for lead in leads or usable if lead in usable]
            found |= dict.fromkeys(usable)
            if wanted:
                part = _read_single(segment, head, wanted, 0, root)
                parts.append((start, part))
                files += [str(PurePosixPath(name).parent / file) for file in part.files]
                notes += part.notes
        start += length
    if not found or any(lead not in found for lead in leads or ()):
        missing = next((lead for lead in leads or () if lead not in found), "")
        raise _missing_lead(path, missing, list(found))
    names = tuple(leads or found)
    signal, fs = _joined(path, header, parts, names, start)
    return Contents(signal, fs, names, header.comments, tuple(dict.fromkeys(files)),
                    frames_fs=header.fs, notes=tuple(dict.fromkeys(notes)))


def _joined(path: Path, header: Header, parts, names: tuple[str, ...], frames: int
            ) -> tuple[np.ndarray, float]:
    """(time, lead) signal of (first frame, Contents) parts, and its rate in Hz."""
    fs = parts[0][1].fs
    ratio = round(fs / header.fs)
    if any(part.fs != fs for _, part in parts) or not math.isclose(ratio * header.fs, fs):
        raise malformed(path, "segments of different sampling rates")
    there = sum(len(part.signal) for _, part in parts)
    if frames * ratio > MOST_GAP + 20 * there:  # a header of one line could claim any length
        raise malformed(path, f"{frames * ratio} samples, of which only {there} are there")
    signal = np.full((frames * ratio, len(names)), np.nan, np.float32)
    for begin, part in parts:
        rows = slice(begin * ratio, begin * ratio + len(part.signal))
        for column, lead in enumerate(part.leads):
            signal[rows, names.index(lead)] = part.signal[:, column]
    return signal, fs


def _varies(values: np.ndarray) -> bool:
    return bool(np.fmax.reduce(values) > np.fmin.reduce(values))  # these ignore NaN, without a copy


def _usable(header: Header, names: Sequence[str]) -> list[str]:
    """Names of the signals that may be an ECG."""
    return [name for name, signal in zip(names, header.signals, strict=True)
            if not _why_not(signal, header.fs)]


def _why_not(signal: Signal, fs: float) -> str:
    """Why a signal is no ECG, "" if it may be one."""
    if to_millivolts(signal.unit) is None:
        return f"measured in '{signal.unit}', which is no known unit of voltage"
    if not SLOWEST_FS <= fs * signal.per_frame <= FASTEST_FS:
        return f"sampled at {fs * signal.per_frame:g} Hz"
    return "without a signal file" if signal.file == NO_FILE else ""


def _choose(path: Path, header: Header, names: list[str], leads) -> list[int]:
    """Places of the leads among the header's signals."""
    usable = _usable(header, names)
    chosen = list(leads or usable)
    lacking = next((lead for lead in chosen if lead not in usable), "")
    faults = [signal.fault for name, signal in zip(names, header.signals, strict=True)
              if signal.fault and (lacking or not leads or name in chosen)]
    if faults:  # what is not understood may be the very lead that is asked for
        raise malformed(path, faults[0])
    if lacking or not chosen:
        reason = ""
        if lacking in names:
            reason = _why_not(header.signals[names.index(lacking)], header.fs)
        raise _missing_lead(path, lacking, usable, reason)
    return [names.index(lead) for lead in chosen]


def _missing_lead(path: Path, lead: str, usable: Sequence[str], reason: str = "") -> MissingLead:
    have = "one of " + ", ".join(f"'{name}'" for name in usable) if usable else ""
    error = MissingLead(
        f"Record '{path}' has no lead '{lead}'." if lead else f"Record '{path}' has no ECG lead.",
        expected=have or f"at least one signal measured in V, mV or uV, at {SLOWEST_FS:g} Hz or "
        "faster",
        got=f"'{lead}' {reason}" if reason else repr(lead) if lead else "none",
        fix=closest(lead, usable) or "choose leads it has, or leave this record out",
    )
    error.leads = tuple(usable)
    return error
