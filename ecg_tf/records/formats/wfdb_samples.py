"""Samples of a WFDB record's signal files: sizes and checksums compared with the header, in mV.

The formats are decoded by the package wfdb, whose reader of samples is called with what our own
reader of headers found; `tests/records/test_wfdb_files.py` notices when that reader changes.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.common import check_file, to_millivolts
from ecg_tf.records.formats.wfdb_header import Header, Signal, malformed

BITS = {"8": 8, "80": 8, "16": 16, "61": 16, "160": 16, "24": 24, "32": 32, "212": 12,
        "310": 32 / 3, "311": 32 / 3}
FLAC = ("508", "516", "524")
UNCALIBRATED = 200.0  # ADC units per physical unit, by the format's definition
_NOTES = {
    "none": "The header has no checksum: the samples could not be verified.",
    "zero": "The header's checksum field is 0 and the samples' checksum is not: the samples could "
            "not be verified.",
}


def read_samples(file: Path, header: Header, chosen: Sequence[int], names: Sequence[str],
                 damaged: int, root: Path) -> tuple[np.ndarray, int, list[str]]:
    """Reads signals of one record; files that hold none of them are not looked at.

    Args:
        file, header: Path of the header, and what it says.
        chosen: places of the signals in the header, all of one rate.
        names: of all its leads, for messages.
        damaged: samples at the start known to be damaged in the published file. They are cut off
            only where the checksum fails and they are constant: a repaired file is left alone.

    Returns:
        (time, lead) float32, mV, aligned in time, NaN where invalid or left open by a skew; number
            of samples cut off; sentences on what could not be verified.

    Raises:
        InputError: a file is missing, too short, not of the format, outside of `root`, or disagrees
            with a checksum; or gain and unit make no finite voltage.
    """
    found: dict[int, np.ndarray] = {}
    unsure: dict[int, InputError] = {}
    for name in dict.fromkeys(header.signals[i].file for i in chosen):
        inside = [i for i, signal in enumerate(header.signals) if signal.file == name]
        wanted = [i for i in inside if i in chosen]
        frames, error = _frames(file, header.frames, [header.signals[i] for i in inside], root)
        found |= zip(wanted, _digital(file, header, inside, wanted, frames), strict=True)
        unsure |= dict.fromkeys(wanted, error) if error else {}
    digital = [np.ascontiguousarray(found[i]) for i in chosen]
    lengths = {len(values) for values in digital}
    if len(lengths) != 1 or 0 in lengths:
        raise malformed(file, f"signals of {sorted(lengths)} samples")
    verdicts = [_verdict(header.signals[i].checksum, values)
                for i, values in zip(chosen, digital, strict=True)]
    for i, verdict in zip(chosen, verdicts, strict=True):
        if verdict in _NOTES and i in unsure:
            raise unsure[i]
    cut = 0
    if "wrong" in verdicts:
        if not damaged or any(np.ptp(values[:damaged]) for values in digital):
            at = verdicts.index("wrong")
            raise _disagree(file, header.signals[chosen[at]], names[chosen[at]], digital[at])
        cut = damaged
    notes = [_NOTES[kind] for kind in _NOTES if kind in verdicts]
    if uncalibrated := [names[i] for i in chosen if not header.signals[i].gain]:
        notes.insert(0, f"The header gives no gain for {', '.join(uncalibrated)}: WFDB's default "
                     f"of {UNCALIBRATED:g} is assumed.")
    signal = np.empty((len(digital[0]), len(chosen)), np.float32)
    for column, i in enumerate(chosen):
        _fill(signal[:, column], digital[column], header.signals[i], file)
    return signal[cut:], cut, notes


def _fill(column: np.ndarray, digital: np.ndarray, signal: Signal, file: Path) -> None:
    """Writes samples into (time,) of mV."""
    from wfdb.io import _signal

    with np.errstate(over="ignore", invalid="ignore"):
        values = (digital - signal.baseline) / (signal.gain or UNCALIBRATED)
        if (factor := to_millivolts(signal.unit)) not in (None, 1.0):
            values *= factor
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise malformed(file, f"a gain of {signal.gain:g}, which makes no finite voltage")
    if (invalid := _signal.INVALID_SAMPLE_VALUE[signal.format]) is not None:
        values[digital == invalid] = np.nan
    skew = min(signal.skew * signal.per_frame, len(values))
    column[: len(values) - skew] = values[skew:]
    column[len(values) - skew :] = np.nan


def _digital(file: Path, header: Header, inside: list[int], wanted: list[int], frames: int
             ) -> list[np.ndarray]:
    """(time,) integers of the wanted signals; `inside` are all those of their file."""
    from wfdb.io import _signal

    signals = [header.signals[i] for i in inside]
    try:
        return _signal._rd_segment(
            file_name=[signal.file for signal in signals], dir_name=str(file.parent.absolute()),
            pn_dir=None, fmt=[signal.format for signal in signals], n_sig=len(signals),
            sig_len=frames,
            byte_offset=[signal.byte_offset for signal in signals],
            samps_per_frame=[signal.per_frame for signal in signals],
            skew=[0] * len(signals),  # shifted samples would spoil the checksum
            init_value=[signal.initial for signal in signals], sampfrom=0, sampto=frames,
            channels=[inside.index(i) for i in wanted], ignore_skew=True)
    except Exception as error:  # wfdb has no exception of its own: any means a bad file
        raise malformed(file, f"{type(error).__name__}: {error}") from error


def _frames(header: Path, frames: int, signals: Sequence[Signal], root: Path
            ) -> tuple[int, InputError | None]:
    """Frames of a signal file; the error to raise if it holds more and no checksum confirms them.

    The file's size is compared with the header before memory is reserved for it.
    """
    file, offset = header.parent / signals[0].file, signals[0].byte_offset
    check_file(file, root)
    formats = {signal.format for signal in signals}
    if len(formats) > 1 or not formats <= {*BITS, *FLAC}:
        raise malformed(header, f"signal format {', '.join(sorted(formats))}")
    form, a_frame = signals[0].format, float(signals[0].per_frame)
    if form in FLAC:
        size, units = _flac_samples(header, file), "frames"
    else:
        size, units = file.stat().st_size, "bytes"
        a_frame = sum(signal.per_frame for signal in signals) * BITS[form] / 8
    if not frames:  # the length is then the file's
        return int(max(size - offset, 0) / a_frame + 1e-6), None
    needed = offset + math.ceil(frames * a_frame - 1e-6)
    error = InputError(
        f"Signal file '{file}' does not have the length its header says.", got=str(size),
        expected=f"{needed} {units} ({frames} samples of {len(signals)} signals in format {form})",
        fix="fetch the file again: it was cut off, or header and signals do not belong together")
    if size < needed:
        raise error
    # Without a checksum only the length can tell a header that was cut down by mistake.
    return frames, error if size > needed + 4 else None


def _flac_samples(header: Path, file: Path) -> int:
    """Samples of each channel of a FLAC file, of which a few bytes could claim any number."""
    import soundfile

    try:
        sound = soundfile.info(str(file))
    except RuntimeError as error:
        raise malformed(header, f"no FLAC file ({error})") from error
    if sound.frames * sound.channels > 100 * file.stat().st_size + 10**6:
        raise malformed(header, f"a FLAC file of {file.stat().st_size} bytes that claims "
                        f"{sound.frames} samples")
    return sound.frames


def _verdict(checksum: int | None, values: np.ndarray) -> str:
    """Whether samples are what the header's checksum says: "right", "wrong", or a key of _NOTES."""
    if checksum is None:
        return "none"
    if _checksum(values) == checksum & 0xFFFF:
        return "right"
    return "wrong" if checksum else "zero"  # the CinC 2017 challenge was published with 0


def _checksum(values: np.ndarray) -> int:
    return int(values.sum(dtype=np.int64)) & 0xFFFF


def _disagree(file: Path, signal: Signal, name: str, values: np.ndarray) -> InputError:
    return InputError(
        f"Header and signal of record '{file.with_suffix('')}' disagree.",
        expected=f"checksum {(signal.checksum or 0) & 0xFFFF} for lead '{name}'",
        got=f"{_checksum(values)} over {len(values)} samples",
        fix="fetch the record again: the header or the signal file was changed or damaged")
