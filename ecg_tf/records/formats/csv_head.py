"""What a CSV file says before its numbers, and whether it is a recording at all."""

import csv
import io
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.columns import Column, column_of, is_ecg, words_of
from ecg_tf.records.formats.common import text_of, to_millivolts

FORMAT = ("a header line, then numbers: a column `time` (s) or `fs` (Hz), all other columns leads "
          "in mV or with their unit, 'II (uV)', an empty field for a missing sample")
MOST_COLUMNS = 1024
_LONGEST_LINE, _LONGEST_COMMENTS = 2**20, 2**24  # bytes
_ROWS = 40  # that tell a table
_RECORDS = {"record", "records", "record name", "record id", "recording", "recording id",
            "filename", "file name", "file", "path", "file path", "filename lr", "filename hr",
            "ecg id", "study id", "exam id", "trace file", "case id", "patient", "patient id",
            "patientid", "subject", "subject id", "subjectid", "id", "uid"}
_PERSONS = {"age", "sex", "gender", "patient age", "patientage", "diagnosis", "dx", "scp codes",
            "report", "strat fold", "fold"}


@dataclass(frozen=True)
class Head:
    """What stands before the numbers."""

    comments: tuple[str, ...]  # lines that begin with #, without it
    columns: tuple[Column, ...]  # what their names say, with the units of a second line
    delimiter: str
    decimal: str  # "." or ","
    start: int  # byte at which the numbers begin


def read_head(path: Path) -> Head:
    """Reads what stands before the numbers of a CSV file, in UTF-8 or Latin-1.

    Raises:
        InputError: it is empty, no text, or has no header line.
    """
    comments, lines, start = _beginning(path)
    header, following = text_of(lines[0]).strip("\r\n"), [text_of(line) for line in lines[1:21]]
    delimiter = _delimiter(header, following)
    names = _fields(header, delimiter)
    _check_names(path, names, header)
    units = _units(following, delimiter, len(names))
    if any(units):
        start += len(lines[1])
    return Head(comments, tuple(map(column_of, names, units)), delimiter,
                _decimal(path, delimiter, following), start)


def is_table(path: Path) -> bool:
    """Whether a CSV file lists records or persons (such as ptbxl_database.csv) instead of holding a
    recording: a quick look. False for what cannot be read, which `read_csv` then refuses by
    name."""
    try:
        lines = [text_of(line) for line in _beginning(path)[1]]
        reader = csv.reader(lines, delimiter=_delimiter(lines[0], lines[1:6]))
        head, *body = [[cell.strip() for cell in row] for row in reader if row]
    except (OSError, ValueError, csv.Error):
        return False
    if len(head) > MOST_COLUMNS or all(is_number(cell) for cell in head if cell):
        return False
    columns, words = [column_of(name) for name in head], [words_of(name) for name in head]
    cells = [[row[i] for row in body if i < len(row) and row[i]] for i in range(len(head))]
    recording = any(column.kind in ("time", "rate") for column in columns) or any(
        is_ecg(column.name) and word not in _RECORDS and some and all(map(is_number, some))
        for column, word, some in zip(columns, words, cells, strict=True))
    for word, some in zip(words, cells, strict=True):
        # A recording may name its person in every line, or count its samples by an `id`.
        if word in _RECORDS and (not recording or len({*some}) > 1 and any(map(_is_name, some))):
            return True
    if recording:
        return False
    if {*words} & _PERSONS or (cells[0] and all(map(_is_name, cells[0]))):
        return True
    # A list without a header line: its first line is like the others, and these hold text.
    filled = [(name, some) for name, some in zip(head, cells, strict=True) if some]
    return any(all(map(_is_name, some)) for _, some in filled) and all(
        is_number(name) == all(map(is_number, some)) for name, some in filled)


def is_number(text: str) -> bool:
    """Whether a field holds a number."""
    try:
        return not math.isnan(float(text.strip().replace(",", ".")))
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    return not is_number(text) and not re.fullmatch(r"[\d:./+TZ '\[\]-]*", text)


def _beginning(path: Path) -> tuple[tuple[str, ...], list[bytes], int]:
    """Comments, the header line and up to 40 behind it, and the byte behind the header line."""
    comments: list[str] = []
    with path.open("rb") as file:
        line = _line(file, path).removeprefix(b"\xef\xbb\xbf")
        while line.startswith(b"#") or (line and not line.strip()):
            if line.startswith(b"#"):
                comments.append(text_of(line)[1:].strip())
            line = _line(file, path)
            if file.tell() > _LONGEST_COMMENTS:
                raise _unreadable(path, f"more than {_LONGEST_COMMENTS} bytes of comment")
        start = file.tell()
        more = iter(lambda: file.readline(_LONGEST_LINE), b"")
        lines = [line, *itertools.islice(more, _ROWS)]
    if not line or b"\0" in line:
        raise _unreadable(path, "no text" if line else "an empty file")
    return tuple(comments), lines, start


def _line(file: io.BufferedReader, path: Path) -> bytes:
    line = file.readline(_LONGEST_LINE)
    # Our own list of R peaks may be long; a header is not.
    if line.startswith(b"#") and not line.endswith(b"\n"):
        line += file.readline(_LONGEST_COMMENTS)
    if len(line) >= _LONGEST_LINE and not line.startswith(b"#"):
        raise _unreadable(path, f"a first line of more than {_LONGEST_LINE} bytes")
    return line


def _check_names(path: Path, names: list[str], header: str) -> None:
    filled = [name for name in names if name]
    counted = [str(i) for i in range(len(filled))]
    # pandas heads columns without names by 0, 1, 2, ..., and its index by nothing.
    if all(map(is_number, filled)) and not (names[0] == "" and filled and filled == counted):
        beats = " A table of beats, one a line and its class last, holds no recordings." \
            if len(names) > 32 else ""
        raise InputError(
            f"'{path}' has no header line.", expected=FORMAT, got=f"{len(names)} numbers in the "
            f"first line, {printable(header, 40)}...",
            fix=f"put a line with the names of the columns first.{beats}")
    if len(names) > MOST_COLUMNS:
        raise InputError(f"The header of '{path}' does not fit.", expected=FORMAT,
                         got=f"{len(names)} columns", fix=f"keep it to {MOST_COLUMNS} columns")


def _units(following: list[str], delimiter: str, count: int) -> list[str]:
    """Units in a line of their own behind the header, as PhysioNet's tools write them."""
    line = following[0].strip("\r\n") if following else ""
    fields = [field.strip("'\" ") for field in _fields(line, delimiter)]
    if len(fields) == count and not any(map(is_number, fields)) and \
            any(field and to_millivolts(field) is not None for field in fields):
        return fields
    return [""] * count


def _delimiter(header: str, following: list[str]) -> str:
    """The one by which the header has most fields; of several, that of the lines behind it."""
    counts = {mark: len(_fields(header.strip("\r\n"), mark)) for mark in ",;\t|"}
    most = max(counts.values())
    best = [mark for mark, count in counts.items() if count == most]
    row = following[0].strip("\r\n") if following else ""
    return next((mark for mark in best if len(_fields(row, mark)) == most), best[0])


def _decimal(path: Path, delimiter: str, following: list[str]) -> str:
    text = "".join(following)
    if delimiter == "," or "," not in text:
        return "."
    if re.search(r"\d\.\d", text):
        raise InputError(f"'{path}' holds decimal points and commas.", expected=FORMAT,
                         got=printable(following[0], 60), fix="write decimal points only, and no "
                         "separators of thousands")
    return ","


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        row = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        row = line.split(delimiter)
    return [field.strip() for field in row]


def _unreadable(path: Path, got: str) -> InputError:
    return InputError(f"'{path}' cannot be read.", expected=FORMAT, got=got,
                      fix="write it as CSV in UTF-8")
