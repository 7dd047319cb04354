"""The header and annotations of EDF and EDF+ files, checked before anything in them is believed.

Read here and not by a library, for those refuse files with Latin-1 letters, take the announced
number of data records for the real one, and know signals by labels that need not differ. Formats:
Kemp et al. 1992, doi:10.1016/0013-4694(92)90009-7; Kemp & Olivan 2003,
doi:10.1016/S1388-2457(03)00123-8 (edfplus.info/specs).
"""

import datetime
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.common import text_of
from ecg_tf.records.person import about, is_blank_name, sex_of

MOST_SIGNALS = 1024
_ANNOTATIONS = "EDF Annotations"
_FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # bytes of a signal's fields
_NUMBER = re.compile(r"[+-]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20})(?:e[+-]?\d{1,3})?", re.I | re.A)
_ONSET = re.compile(rb"([+-]\d{1,12}(?:\.\d{0,12})?)(?:\x15\d{1,12}(?:\.\d{0,12})?)?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NO_DATE = datetime.date(1985, 1, 1)  # what writers put where the date is withheld


@dataclass(frozen=True)
class Signal:
    """One signal of a file."""

    label: str
    unit: str
    range: tuple[str, str, str, str]  # physical minimum and maximum, digital ones, as text
    samples: int  # of one data record
    at: int  # of a data record's samples the first that is its

    @property
    def is_text(self) -> bool:
        """Whether it holds annotations."""
        return self.label == _ANNOTATIONS

    def scale(self) -> tuple[float, float]:
        """(gain, offset): physical = gain * digital + offset; ValueError where there is none."""
        low, high, least, most = map(_number, self.range)
        if not most > least or high == low:
            raise ValueError(f"a range of {low:g} to {high:g} for {least:g} to {most:g}")
        gain = (high - low) / (most - least)
        return gain, low - gain * least


@dataclass(frozen=True)
class Header:
    """What a header says, and what the file's length says."""

    patient: str
    recording: str
    date: str
    kind: str  # "", "EDF+C" or "EDF+D" (discontinuous)
    announced: int  # data records by the header; -1 if it does not say
    records: int  # whole data records that are there
    left_over: int  # bytes behind them
    seconds: float  # of one data record
    signals: tuple[Signal, ...]  # all, annotations too

    def data(self, path: Path) -> np.ndarray:
        """(record, sample) int16, memory-mapped."""
        width = sum(signal.samples for signal in self.signals)
        return np.memmap(path, "<i2", "r", 256 * (len(self.signals) + 1), (self.records, width))


def read_header(path: Path) -> Header:
    """Reads the header of an EDF or EDF+ file.

    Raises:
        InputError: it breaks the format, or announces more than the file holds.
    """
    with path.open("rb") as file:
        fixed = file.read(256)
        size = file.seek(0, 2)
        if fixed[:1] == b"\xff":
            raise broken(path, "a BDF file of 24 bits, which is not read", "write it as EDF+")
        if len(fixed) < 256 or fixed[:8].strip() != b"0":
            raise broken(path, f"{len(fixed)} bytes that begin by {printable(fixed[:8])}")
        patient, recording, date, _, length, reserved, count, seconds, signals = (
            _text(part) for part in _cut(fixed[8:], (80, 80, 8, 8, 8, 44, 8, 8, 4)))
        try:
            number = _whole(signals)
            start, announced, duration = _whole(length), _whole(count), _number(seconds)
            if not 0 < number <= MOST_SIGNALS or start != 256 * (number + 1) or duration < 0:
                raise ValueError(f"{number} signals in a header of {start} bytes")
            file.seek(256)
            found = _signals(file.read(256 * number), number)
        except ValueError as error:
            raise broken(path, str(error)) from error
    width = 2 * sum(signal.samples for signal in found)
    records, left_over = divmod(max(0, size - start), width)
    if announced > records or not records:
        raise broken(path, f"{max(announced, 0)} data records announced, {records} there: it was "
                     "cut off")
    kind = reserved[:5].upper() if reserved.upper().startswith("EDF+") else ""
    return Header(patient, recording, date, kind, announced, records, left_over, duration, found)


def read_annotations(header: Header, data: np.ndarray) -> tuple[np.ndarray, list]:
    """Start times of the data records, (record,) s from the file's start, NaN where a record does
    not say; and a list of (onset in s, text). `data`: of `Header.data`."""
    starts, texts = np.full(header.records, np.nan), []
    blocks = [np.array(data[:, signal.at : signal.at + signal.samples])
              for signal in header.signals if signal.is_text]
    for index in range(header.records if header.kind else 0):
        for number, block in enumerate(blocks):
            content = block[index].tobytes()
            for place, item in enumerate(content.rstrip(b"\0").split(b"\0")):
                onset, *words = item.split(b"\x14")
                match = _ONSET.fullmatch(onset)
                if match is None or not words:
                    continue
                if number == place == 0 and words[0] == b"":
                    starts[index] = float(match[1])
                texts += [(float(match[1]), _text(word)[:1000]) for word in words if word]
    return starts, texts


def person_of(header: Header) -> dict:
    """Subject, session, sex and age, "" or NaN where a header does not say them.

    The person's name is never taken, the hospital's code is. The session is the date.
    """
    code, sex, birth = [*header.patient.split(), "", "", ""][:3]
    born, day = _day(birth), _start_day(header)
    session = day.isoformat() if day else ""
    if not header.kind and not (sex in ("M", "F", "X") and (born or birth == "X")):
        return {**about([header.patient]), "session": session}
    years = (day - born).days / 365.25 if day and born else math.nan
    return {"subject": "" if is_blank_name(code) else code, "sex": sex_of(sex), "session": session,
            "age": years if 0 <= years < 130 else math.nan}


def broken(path: Path, got: str, fix: str = "fetch the file again, or rewrite it") -> InputError:
    """The error for a file that breaks the format, to be raised."""
    return InputError(f"'{path}' cannot be read.", expected="an EDF or EDF+ file",
                      got=printable(got, 200), fix=fix)


def _signals(content: bytes, count: int) -> tuple[Signal, ...]:
    if len(content) < 256 * count:
        raise ValueError("a header that was cut off")
    blocks = _cut(content, [width * count for width in _FIELDS])
    labels, _, units, *limits, _, samples, _ = (
        [_text(part) for part in _cut(block, [len(block) // count] * count)] for block in blocks)
    sizes = [_whole(text) for text in samples]
    if min(sizes) < 1 or sum(sizes) > 2**28:
        raise ValueError(f"data records of {sum(sizes)} samples")
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    return tuple(map(Signal, labels, units, zip(*limits, strict=True), sizes, starts))


def _cut(content: bytes, widths) -> list[bytes]:
    ends = np.cumsum(widths).tolist()
    return [content[end - width : end] for end, width in zip(ends, widths, strict=True)]


def _text(content: bytes) -> str:
    text = text_of(content.split(b"\0")[0])  # some writers fill up with it instead of blanks
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _number(text: str) -> float:
    text = text.replace(",", ".")  # as some devices write it
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(f"'{text}' for a number")
    return float(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,15}(?:\.0*)?", text, re.A):
        raise ValueError(f"'{text}' for a whole number")
    return int(float(text))


def _day(text: str, short: bool = False) -> datetime.date | None:
    """The day "02-MAY-1951"; if `short`, of the years 1985 to 2084, "02.05.51"."""
    if short:
        match = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", text, re.A)
        if match is None:
            return None
        day, month, year = map(int, match.groups())
        year += 1900 if year >= 85 else 2000
    else:
        match = re.fullmatch(rf"(\d{{1,2}})-({'|'.join(_MONTHS)})-(\d{{4}})", text, re.I | re.A)
        if match is None:
            return None
        day, month, year = int(match[1]), 1 + _MONTHS.index(match[2].upper()), int(match[3])
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _start_day(header: Header) -> datetime.date | None:
    startdate, word, *_ = [*header.recording.split(), "", ""]
    stated = startdate.casefold() == "startdate" and word
    if stated and word.upper() == "X":  # the short date then means nothing
        return None
    day = (_day(word) if stated else None) or _day(header.date, short=True)
    return None if day == _NO_DATE else day
