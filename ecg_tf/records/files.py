"""One WFDB record from its files, in mV: checked against the header's 16-bit checksum."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ecg_tf.errors import InputError, closest
from ecg_tf.records.headers import check_links, check_sizes, lead_names, malformed, read_header
from ecg_tf.records.record import BEAT_SYMBOLS

#: Annotation files looked for, best first: "atr" holds reference annotations by convention.
ANNOTATORS = ("atr", "ecg", "qrs")
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
    """

    signal: np.ndarray
    fs: float
    leads: tuple[str, ...]
    comments: tuple[str, ...]
    files: tuple[str, ...]
    damaged_start: int = 0


class MissingLead(InputError):
    """A record does not have a lead that was asked for; `leads` are those it has."""

    leads: tuple[str, ...] = ()


def read_contents(path: Path, leads: Sequence[str] | None = None, damaged: int = 0,
                  root: Path | None = None) -> Contents:
    """Reads and checks header and signals of one WFDB record.

    Args:
        path: Path of the record without extension.
        leads: names of the leads wanted, in that order; None takes every lead measured in volts.
        damaged: samples at the start known to be damaged in the published file. They are cut off
            only where the checksum fails and they are constant: a mended file is left alone.
        root: Path of the folder that no file may lie outside of. Default: the record's own.

    Returns:
        Contents.

    Raises:
        InputError: a file is missing, truncated, malformed, or disagrees with the header.
    """
    header = read_header(path, root)
    if hasattr(header, "seg_name"):
        contents = _read_segments(path, header, leads, root)
    else:
        contents = _read_single(path, header, leads, damaged, root)
    for lead, values in zip(contents.leads, contents.signal.T, strict=True):
        # min/max ignore NaN without a copy; a lead without any spread holds no ECG.
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        if not high > low:
            raise InputError(
                f"Lead '{lead}' of record '{path}' holds no ECG.",
                expected="a signal that varies",
                got="only NaN" if math.isnan(low) else f"the constant {low:g} mV",
                fix="choose other leads with leads=..., or leave the record out with records=...",
            )
    return contents


def read_beats(path: Path, fs: float, n_samples: int,
               root: Path | None = None) -> tuple[np.ndarray, np.ndarray, str]:
    """Reads the annotated beats of a WFDB record.

    Args:
        path: Path of the record without extension.
        fs: float, Hz, sampling rate of the signal they belong to.
        n_samples: int, samples of the signal; annotations outside it are dropped.
        root: Path of the folder that no file may lie outside of. Default: the record's own.

    Returns:
        (beat,) int64 positions in time order, (beat,) str symbols, name of the file read
        ("" and empty arrays if there is none).

    Raises:
        InputError: the file is malformed.
    """
    import wfdb

    files = (path.with_name(f"{path.name}.{extension}") for extension in ANNOTATORS)
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return np.zeros(0, np.int64), np.zeros(0, "<U1"), ""
    check_links(file, root or path.parent)
    try:
        annotation = wfdb.rdann(str(path), file.suffix[1:])
        samples = np.asarray(annotation.sample, np.int64)
        symbols = np.asarray(annotation.symbol, "<U1")
        if annotation.fs and not math.isclose(annotation.fs, fs):
            samples = np.rint(samples * (fs / annotation.fs)).astype(np.int64)
        is_beat = np.isin(symbols, list(BEAT_SYMBOLS)) & (samples >= 0) & (samples < n_samples)
    except Exception as error:  # wfdb has no exception of its own: any of them means a bad file
        raise InputError(
            f"Annotation file '{file}' cannot be read.",
            expected="a WFDB annotation file",
            got=f"{type(error).__name__}: {error}",
            fix="fetch the file again, or move it away to read the signal without beats",
        ) from error
    order = np.argsort(samples[is_beat], kind="stable")
    return samples[is_beat][order], symbols[is_beat][order], file.name


def _read_single(path: Path, header, leads, damaged: int, root: Path | None) -> Contents:
    import wfdb

    check_sizes(path, header, root)
    names = lead_names(header.sig_name)
    chosen = _choose(path, names, header.units, leads)
    rates = {header.samps_per_frame[i] or 1 for i in chosen}
    if len(rates) > 1:
        rate = {names[i]: header.fs * (header.samps_per_frame[i] or 1) for i in chosen}
        raise InputError(
            f"The leads of record '{path}' have different sampling rates.",
            expected="leads of one rate",
            got=", ".join(f"{lead} {fs:g} Hz" for lead, fs in rate.items()),
            fix="choose leads of one rate with leads=...",
        )
    channels = sorted(set(chosen))
    big_endian = "61" in header.fmt  # wfdb 4.3 fails on these unless it converts them itself
    try:
        data = wfdb.rdrecord(
            str(path.absolute()),
            channels=channels,
            physical=big_endian,
            smooth_frames=False,
            ignore_skew=True,  # shifted samples would spoil the checksum; skew is applied below
            return_res=64 if big_endian else 32,
        )
        digital = data.adc(expanded=True) if big_endian else data.e_d_signal
        physical = data.e_p_signal if big_endian else data.dac(expanded=True, return_res=64)
    except Exception as error:  # wfdb has no exception of its own: any means a bad header
        raise malformed(path, f"{type(error).__name__}: {error}") from error
    lengths = {len(values) for values in digital}
    if len(lengths) != 1 or 0 in lengths:
        raise malformed(path, f"signals of {sorted(lengths)} samples")

    cut = 0
    wrong = [i for i, values in enumerate(digital) if not _agrees(values, data.checksum[i])]
    if wrong and damaged and all(np.ptp(values[:damaged]) == 0 for values in digital):
        cut = damaged
    elif wrong:
        values, checksum = digital[wrong[0]], data.checksum[wrong[0]]
        raise InputError(
            f"Header and signal of record '{path}' disagree.",
            expected=f"checksum {checksum & 0xFFFF} for lead '{names[channels[wrong[0]]]}'",
            got=f"{_checksum(values)} over {len(values)} samples",
            fix="fetch the record again: the header or the signal file was changed or damaged",
        )
    columns = []
    for channel in chosen:
        values, factor = physical[channels.index(channel)], _to_mv(header.units[channel])
        skew = min((header.skew[channel] or 0) * next(iter(rates)), len(values))
        if factor != 1:  # a long record is not copied for nothing
            values = values * factor
        columns.append(np.append(values[skew:], np.full(skew, np.nan)) if skew else values)
    return Contents(
        signal=np.stack(columns, axis=1, dtype=np.float32)[cut:],
        fs=float(header.fs * next(iter(rates))),
        leads=tuple(names[i] for i in chosen),
        comments=tuple(header.comments),
        files=(f"{path.name}.hea", *dict.fromkeys(header.file_name)),
        damaged_start=cut,
    )


def _read_segments(path: Path, header, leads, root: Path | None) -> Contents:
    """A multi-segment record: its segments joined by lead names, gaps and missing leads are NaN."""
    parts, start, files, fs = [], 0, [f"{path.name}.hea"], 0.0
    for name, length in zip(header.seg_name, header.seg_len, strict=True):
        if name != "~" and length > 0:
            segment = path.parent / name
            head = read_header(segment, root)
            if hasattr(head, "seg_name") or head.sig_len != length:
                raise malformed(path, f"segment '{name}' disagrees")
            available = lead_names(head.sig_name)
            wanted = None if leads is None else [lead for lead in leads if lead in available]
            if wanted is None or wanted:
                part = _read_single(segment, head, wanted, 0, root)
                parts.append((start, part))
                files += [str(PurePosixPath(name).parent / file) for file in part.files]
                fs = fs or part.fs
        start += length
    found = tuple(dict.fromkeys(lead for _, part in parts for lead in part.leads))
    if not found or any(lead not in found for lead in leads or ()):
        raise _missing_lead(path, next((w for w in leads or () if w not in found), ""), found)
    ratio = round(fs / header.fs)
    if any(part.fs != fs for _, part in parts) or ratio * header.fs != fs:
        raise malformed(path, "segments of different sampling rates")
    names = tuple(leads or found)
    there = sum(len(part.signal) for _, part in parts)
    if start * ratio > MOST_GAP + 20 * there:  # a header of one line could claim any length
        raise malformed(path, f"{start * ratio} samples, of which only {there} are there")
    signal = np.full((start * ratio, len(names)), np.nan, np.float32)
    for begin, part in parts:
        for column, lead in enumerate(part.leads):
            rows = slice(begin * ratio, begin * ratio + len(part.signal))
            signal[rows, names.index(lead)] = part.signal[:, column]
    return Contents(signal, fs, names, tuple(header.comments), tuple(dict.fromkeys(files)))


def _choose(path: Path, names, units, leads) -> list[int]:
    usable = [name for name, unit in zip(names, units, strict=True) if _to_mv(unit) is not None]
    for lead in leads or ():
        if lead not in usable:
            raise _missing_lead(path, lead, usable)
    chosen = list(leads) if leads else usable
    if not chosen:
        raise _missing_lead(path, "", usable)
    return [names.index(lead) for lead in chosen]


def _missing_lead(path: Path, lead: str, usable: Sequence[str]) -> MissingLead:
    have = "one of " + ", ".join(f"'{name}'" for name in usable) if usable else ""
    error = MissingLead(
        f"Record '{path}' has no lead '{lead}'." if lead else f"Record '{path}' has no ECG lead.",
        expected=have or "at least one signal measured in V, mV or uV",
        got=repr(lead) if lead else "none",
        fix=closest(lead, usable) or "choose leads it has, or leave this record out",
    )
    error.leads = tuple(usable)
    return error


def _to_mv(units: str | None) -> float | None:
    """Factor to mV; None for what is no voltage. A header without units means mV."""
    return {"mv": 1.0, "uv": 1e-3, "v": 1e3, "nv": 1e-6}.get((units or "mV").lower())


def _checksum(values: np.ndarray) -> int:
    return int(values.sum(dtype=np.int64)) & 0xFFFF


def _agrees(values: np.ndarray, checksum: int | None) -> bool:
    return checksum is None or _checksum(values) == checksum & 0xFFFF
