"""One WFDB record from its files: header, samples in mV, annotated beats and person."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records.database import Database
from ecg_tf.records.formats.common import (
    FASTEST_FS,
    MOST_GAP,
    SLOWEST_FS,
    beats_of,
    check_file,
    lead_names,
    missing_lead,
    one_rate,
    record_of,
    to_millivolts,
)
from ecg_tf.records.formats.wfdb_header import NO_FILE, Header, Signal, malformed, read_header
from ecg_tf.records.formats.wfdb_samples import read_samples
from ecg_tf.records.person import about
from ecg_tf.records.record import BEAT_SYMBOLS, Record

#: Annotation files looked for, best first: "atr" holds reference annotations by convention.
ANNOTATORS = ("atr", "ecg", "qrs")
_NOTE = 22  # WFDB's code of an annotation that is a comment


@dataclass
class _Part:
    """Signals of a record or segment: (time, lead) in mV, Hz, and what was read how."""

    signal: np.ndarray
    fs: float
    leads: tuple[str, ...]
    files: list[Path]
    notes: tuple[str, ...]
    cut: int = 0  # samples at the start that were left out


def read_wfdb(file: Path, root: Path, leads: Sequence[str] | None = None,
              database: Database | None = None) -> Record:
    """Reads one WFDB record with its annotated beats.

    Signals that are not wanted are not looked at: their units, rates, files and checksums may be
    what they are.

    Args:
        file, root: Path of the header, and of the folder that no file may lie outside of.
        leads: in the order wanted. Default: all that are measured in volts.
        database: what is known of the public database that the folder holds. Default: nothing.

    Its subject is what the database or else the header says, "" if neither does.

    Raises:
        MissingLead: it has not all of the leads, or no ECG at all.
        InputError: its files are missing, damaged or malformed, or a lead holds no ECG.
    """
    file, root = file.absolute(), root.absolute()
    name = file.relative_to(root).with_suffix("").as_posix()
    header, known, paced = read_header(file, root), {}, False
    damaged = database.damaged_starts.get(name, 0) if database else 0
    if database:
        known = about(header.comments, first_line=database.name == "mitdb")
        known["subject"] = database.subject(name) or known["subject"]
        known["database"], paced = database.name, name in database.paced
    if database and database.gain:
        note = (f"The header's gains scale every lead to one height: {database.gain:g} counts a mV "
                "are assumed for all leads.")
        header = replace(header, notes=(*header.notes, note), signals=tuple(
            replace(signal, gain=database.gain) for signal in header.signals))
    part = _joined(file, header, leads, root) if header.segments else \
        _single(file, header, leads, damaged, root)
    positions, symbols, annotations = _read_beats(file, part.fs, header.fs, root)
    beats = beats_of(positions - part.cut, symbols, len(part.signal))
    return record_of(file, root, part.signal, part.fs, part.leads, beats, header.comments,
                     part.notes, [*part.files, *annotations],
                     paced=bool(paced or np.any(beats[1] == "/")), **known)


def _single(file: Path, header: Header, leads, damaged: int, root: Path) -> _Part:
    names = lead_names([signal.name for signal in header.signals])
    chosen = _choose(file, header, names, leads)
    signals = [header.signals[i] for i in chosen]
    fs = one_rate({names[i]: header.fs * header.signals[i].per_frame for i in chosen},
                  file.with_suffix(""))
    signal, cut, notes = read_samples(file, header, chosen, names, damaged, root)
    files = [file, *dict.fromkeys(file.parent / signal.file for signal in signals)]
    return _Part(signal, fs, tuple(names[i] for i in chosen), files, (*header.notes, *notes), cut)


def _joined(file: Path, header: Header, leads, root: Path) -> _Part:
    """A multi-segment record: its segments joined by lead names, gaps and missing leads are NaN."""
    parts, start, found = [], 0, {}
    for name, length in header.segments:
        if name != NO_FILE and length > 0:
            path = file.parent / f"{name}.hea"
            head = read_header(path, root)
            if head.segments or head.frames != length:
                raise malformed(file, f"segment '{name}' disagrees")
            usable = _usable(head, lead_names([signal.name for signal in head.signals]))
            found |= dict.fromkeys(usable)
            if wanted := [lead for lead in leads or usable if lead in usable]:
                parts.append((start, _single(path, head, wanted, 0, root)))
        start += length
    names = tuple(leads or found)
    if not found or not {*names} <= {*found}:
        missing = next((lead for lead in names if lead not in found), "")
        raise missing_lead(file.with_suffix(""), missing, list(found))
    fs = parts[0][1].fs
    ratio = round(fs / header.fs)
    if any(part.fs != fs for _, part in parts) or not math.isclose(ratio * header.fs, fs):
        raise malformed(file, "segments of different sampling rates")
    there = sum(len(part.signal) for _, part in parts)
    if start * ratio > MOST_GAP + 20 * there:  # a header of one line could claim any length
        raise malformed(file, f"{start * ratio} samples, of which only {there} are there")
    signal = np.full((start * ratio, len(names)), np.nan, np.float32)
    for begin, part in parts:
        rows = slice(begin * ratio, begin * ratio + len(part.signal))
        signal[rows, [names.index(lead) for lead in part.leads]] = part.signal
    notes = [*header.notes, *(note for _, part in parts for note in part.notes)]
    files = [file, *(path for _, part in parts for path in part.files)]
    return _Part(signal, fs, names, files, tuple(dict.fromkeys(notes)))


# Which signals are the leads


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


def _choose(file: Path, header: Header, names: list[str], leads) -> list[int]:
    """Places of the leads among the header's signals."""
    usable = _usable(header, names)
    chosen = list(leads or usable)
    lacking = next((lead for lead in chosen if lead not in usable), "")
    for name, signal in zip(names, header.signals, strict=True):
        # What is not understood may be the very lead that is wanted.
        if signal.fault and (lacking or not leads or name in chosen):
            raise malformed(file, signal.fault)
    if lacking or not chosen:
        reason = _why_not(header.signals[names.index(lacking)], header.fs) \
            if lacking in names else ""
        raise missing_lead(file.with_suffix(""), lacking, usable,
                           f"'{lacking}' {reason}" if reason else "")
    return [names.index(lead) for lead in chosen]


# Annotations


def _read_beats(header: Path, fs: float, frames_fs: float, root: Path
                ) -> tuple[np.ndarray, np.ndarray, list[Path]]:
    """(beat,) positions in samples of `fs`, (beat,) symbols, and the file read, if there is one.

    Annotations whose file states no rate count in frames.
    """
    files = map(header.with_suffix, (f".{extension}" for extension in ANNOTATORS))
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return np.zeros(0), np.zeros(0, "<U1"), []
    check_file(file, root)
    try:
        samples, symbols, own_fs = _annotations(header.with_suffix(""), file.suffix[1:])
        counted_in = own_fs or frames_fs
        positions = samples if math.isclose(counted_in, fs) else samples * (fs / counted_in)
        is_beat = np.isin(symbols, list(BEAT_SYMBOLS))
        return np.rint(positions[is_beat]), symbols[is_beat], [file]
    except Exception as error:  # wfdb has no exception of its own: any of them means a bad file
        raise InputError(
            f"Annotation file '{file}' cannot be read.", expected="a WFDB annotation file",
            got=f"{type(error).__name__}: {error}",
            fix="fetch the file again, or move it away to read the signal without beats",
        ) from error


def _annotations(path: Path, extension: str) -> tuple[np.ndarray, np.ndarray, float]:
    """(annotation,) int64 positions, (annotation,) str symbols, and the rate that the file states.

    As `wfdb.rdann`, but that reads the header too, whose bytes it would drop, and calls codes
    without a meaning "nan", of which "n" would be a beat. 0 Hz if the file states no rate.
    """
    from wfdb.io import annotation as wfdb

    data = wfdb.load_byte_pairs(str(path.absolute()), extension, None)
    sample, codes, _, _, _, notes = wfdb.proc_ann_bytes(data, None)
    fs, meaning = 0.0, {label.label_store: label.symbol for label in wfdb.ann_labels}
    for position, code, note in zip(sample, codes, notes, strict=True):
        if position != 0 or code != _NOTE:  # definitions stand first
            break
        if not fs and (match := re.match(r"## time resolution: (\d{1,9}(?:\.\d{1,9})?)", note)):
            fs = float(match[1])
        elif match := re.fullmatch(r"(\d{1,2}) (\S+) .+", note):
            meaning[int(match[1])] = match[2]
    symbols = [meaning.get(code, "") for code in codes]
    return np.asarray(sample, np.int64), np.asarray(symbols, str), fs
