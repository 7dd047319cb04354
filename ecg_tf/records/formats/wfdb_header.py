"""WFDB headers, read by a strict grammar: what is not understood is refused, never dropped.

The package wfdb reads headers as ASCII, drops all other bytes ("1/\N{MICRO SIGN}V" became V) and
puts what its grammar does not know into the lead's name. So headers are read here (WFDB header
format: physionet.org/physiotools/wag/header-5.htm), and numbers are bounded.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.common import FASTEST_FS, check_file, check_inside, text_of

LARGEST_HEADER = 2**22  # bytes
LONGEST_LINE = 2000  # characters, but for comments
MOST_SIGNALS, MOST_SEGMENTS = 1024, 100_000
MOST_FRAMES, MOST_PER_FRAME = 2**56, 10_000  # beyond any file, small enough for all arithmetic
NO_FILE = "~"  # the file's name of a signal that has no samples

_BLANKS = re.compile(r"[ \t]+")
_FLOAT = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?"
_RECORD = re.compile(r"([^\s/]+)(?:/(\d{1,9}))?", re.A)
_RATE = re.compile(rf"({_FLOAT})(?:/{_FLOAT}(?:\({_FLOAT}\))?)?", re.A)
_FORMAT = re.compile(r"(\d{1,4})(?:x(\d{1,9}))?(?::(\d{1,9}))?(?:\+(\d{1,12}))?", re.A)
_SCALE = re.compile(rf"({_FLOAT})(?:\(({_FLOAT})\))?(?:/(\S+))?", re.A)
_COUNT, _INTEGER = re.compile(r"\d{1,17}", re.A), re.compile(r"[+-]?\d{1,12}", re.A)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Signal:
    """What a header says of one signal."""

    file: str  # name of the signal file, "~" for none
    format: str  # WFDB's number of the format, "16"
    per_frame: int = 1  # samples in a frame
    skew: int = 0  # frames by which it is shifted
    byte_offset: int = 0  # bytes in front of the samples (for FLAC: samples)
    name: str = ""  # of the lead; "" if the header names none
    gain: float = 0.0  # ADC units per physical unit; 0 if the header gives none
    baseline: float = 0.0  # ADC units of 0 physical units
    unit: str = ""  # physical unit; "" if the header gives none
    initial: int = 0  # first sample, from which format 8 counts
    checksum: int | None = None  # 16-bit sum of the samples; None if the header has none
    fault: str = ""  # what in the fields after the format is not understood, "" if all is


@dataclass(frozen=True)
class Header:
    """A header's content; either signals or segments are there."""

    fs: float  # frames a second
    frames: int  # length in frames; 0 if the header does not say
    signals: tuple[Signal, ...] = ()  # of a single record, in the header's order
    segments: tuple[tuple[str, int], ...] = ()  # (name, frames), "~" for a gap
    comments: tuple[str, ...] = ()  # lines without "#"
    notes: tuple[str, ...] = ()  # what had to be assumed, sentences


def read_header(file: Path, root: Path) -> Header:
    """Reads a header and checks everything that can be checked without the signal.

    InputError: it is missing or malformed, or names a file outside the record's folder or `root`.
    """
    check_file(file, root)
    if (size := file.stat().st_size) > LARGEST_HEADER:
        raise malformed(file, f"{size} bytes, more than {LARGEST_HEADER}")
    try:
        header = _parse(decoded(file.read_bytes()))
    except ValueError as error:
        raise malformed(file, str(error)) from None
    for name in {signal.file for signal in header.signals} | {name for name, _ in header.segments}:
        if name != NO_FILE:
            check_inside(name, file)
    return header


def decoded(data: bytes) -> list[str]:
    """Lines of a text, each in UTF-8 or else Latin-1, ended by LF, CR LF or CR.

    Blanks around them are taken off. Letters are composed (NFC), so that one lead or person has
    one spelling.

    Example:
        >>> decoded(b"M\\xc3\\xbcller\\nM\\xfcller")
        ['Müller', 'Müller']
    """
    lines = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n").split(b"\n")
    return [unicodedata.normalize("NFC", text_of(line)).strip(" \t") for line in lines]


def malformed(path: Path, got: str) -> InputError:
    """The error for a header that breaks the format, to be raised."""
    return InputError(f"WFDB header '{path.with_suffix('.hea')}' is malformed.", got=got,
                      expected="a header as in physionet.org/physiotools/wag/header-5.htm",
                      fix="fetch the file again, or correct it")


# The grammar; a ValueError says what is wrong.


def _parse(lines: list[str]) -> Header:
    comments = tuple(line.strip(" \t#") for line in lines if line.startswith("#"))
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise ValueError("no line but comments")
    if (longest := max(map(len, lines))) > LONGEST_LINE:
        raise ValueError(f"a line of {longest} characters, more than {LONGEST_LINE}")
    if any(map(_CONTROL.search, lines)):
        raise ValueError("control characters: this is no text, or not in UTF-8 or Latin-1")
    first, *lines = lines
    n_segments, n_signals, fs, frames, notes = _record_line(first)
    count, most, what = (n_signals, MOST_SIGNALS, "signals") if n_segments is None else \
        (n_segments, MOST_SEGMENTS, "segments")
    if len(lines) != count or count > most:
        raise ValueError(f"{count} {what} announced, {len(lines)} described ({most} at most)")
    if n_segments is None:
        return Header(fs, frames, tuple(map(_signal_line, lines)), (), comments, notes)
    segments = tuple(map(_segment_line, lines))
    if sum(length for _, length in segments) != frames:
        raise ValueError("segments that do not add up to the record's length")
    return Header(fs, frames, (), segments, comments, notes)


def _record_line(line: str) -> tuple[int | None, int, float, int, tuple[str, ...]]:
    """Numbers of segments (None: a single record) and signals, rate, length, notes."""
    name, *fields = _BLANKS.split(line)
    match = _RECORD.fullmatch(name)
    if match is None or not fields or not _COUNT.fullmatch(fields[0]):
        raise ValueError(f"the record line {_short(line)}")
    rate = _RATE.fullmatch(fields[1]) if len(fields) > 1 else None
    if len(fields) > 1 and rate is None:
        raise ValueError(f"the sampling rate {_short(fields[1])}")
    fs = float(rate[1]) if rate else 250.0
    if not 0 < fs <= FASTEST_FS:
        raise ValueError(f"a sampling rate of {fs:g} Hz")
    if len(fields) > 2 and not _COUNT.fullmatch(fields[2]):
        raise ValueError(f"the number of samples {_short(fields[2])}")
    frames = int(fields[2]) if len(fields) > 2 else 0
    if frames > MOST_FRAMES:
        raise ValueError(f"{frames} samples, more than {MOST_FRAMES}")
    # Time and date are written in many ways and orders; nothing here depends on them.
    if len(fields) > 6 or any(not re.match(r"[\[\d(AP]", field) for field in fields[3:]):
        raise ValueError(f"{_short(' '.join(fields[3:]))} where time and date belong")
    notes = () if rate else ("The header gives no sampling rate: WFDB's 250 Hz are assumed.",)
    return (None if match[2] is None else int(match[2])), int(fields[0]), fs, frames, notes


def _signal_line(line: str) -> Signal:
    file, *fields = _BLANKS.split(line, 2)
    match = _FORMAT.fullmatch(fields[0]) if fields else None
    if match is None:
        raise ValueError(f"the signal line {_short(line)}")
    per_frame = int(match[2] or 1) or 1
    if per_frame > MOST_PER_FRAME:
        raise ValueError(f"{per_frame} samples a frame, more than {MOST_PER_FRAME}")
    layout = (file, match[1], per_frame, int(match[3] or 0), int(match[4] or 0))
    if len(fields) == 1:
        return Signal(*layout)
    try:
        return Signal(*layout, **_calibration(fields[1]))
    except ValueError as error:  # it matters only if this signal is read
        return Signal(*layout, fault=f"{error} in the line {_short(line)}")


def _calibration(text: str) -> dict[str, Any]:
    """Fields of `Signal` from the gain to the name."""
    fields = _BLANKS.split(text, 6)
    match = _SCALE.fullmatch(fields[0])
    if match is None:
        raise ValueError(f"the gain {_short(fields[0])}")
    numbers: list[int] = []  # ADC resolution, ADC zero, first sample, checksum, block size
    for field in fields[1:6]:
        if not _INTEGER.fullmatch(field):
            break
        numbers.append(int(field))
    rest = fields[1 + len(numbers) :]
    # A name may stand where numbers are left out. More than a name there is some other grammar.
    if len(numbers) < 5 and rest and (
        not rest[0][0].isalpha() or any(_INTEGER.fullmatch(field) for field in rest[1:])
    ):
        raise ValueError(f"{_short(rest[0])} where a number belongs")
    zero, initial, checksum = (*numbers[1:4], *[None] * 3)[:3]
    gain, baseline = float(match[1]), float(match[2] or zero or 0)
    if not (math.isfinite(gain) and math.isfinite(baseline)):
        raise ValueError(f"the gain {_short(fields[0])}")
    return {"name": " ".join(rest).replace("\t", " "), "gain": gain, "baseline": baseline,
            "unit": match[3] or "", "initial": initial or 0, "checksum": checksum}


def _segment_line(line: str) -> tuple[str, int]:
    name, *fields = _BLANKS.split(line)
    if len(fields) != 1 or not _COUNT.fullmatch(fields[0]):
        raise ValueError(f"the segment line {_short(line)}")
    return name, int(fields[0])


def _short(text: str) -> str:
    return repr(text if len(text) <= 100 else f"{text[:97]}...")
