"""What a CSV file says before its numbers: comments, names and units; and whether it is a table.

A table lists records or persons (subjects.csv, REFERENCE.csv, ptbxl_database.csv): it lies beside
recordings and is none itself.
"""

import csv
import io
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.columns import column_of, is_ecg
from ecg_tf.records.formats.units import to_millivolts

FORMAT = ("a header line, then numbers: a column `time` (s) or `fs` (Hz), all other columns leads "
          "in mV or with their unit, 'II (uV)', an empty field for a missing sample")
MOST_COLUMNS = 1024
_LONGEST_LINE, _LONGEST_COMMENTS = 2**20, 2**24  # bytes
_LOOK, _ROWS = 2**16, 40  # bytes and rows that tell a table
_RECORDS = {"record", "records", "record name", "record id", "recording", "recording id",
            "filename", "file name", "file", "path", "file path", "filename lr", "filename hr",
            "ecg id", "study id", "exam id", "trace file", "case id", "patient", "patient id",
            "patientid", "subject", "subject id", "subjectid", "id", "uid"}
_PERSONS = {"age", "sex", "gender", "patient age", "patientage", "diagnosis", "dx", "scp codes",
            "report", "strat fold", "fold"}


@dataclass(frozen=True)
class Head:
    """What stands before the numbers.

    Args:
        comments: lines that begin with #, without it.
        names: of the columns.
        units: of the columns, where a second line gives them, else "".
        delimiter: between fields.
        decimal: "." or ",".
        start: byte at which the numbers begin.
    """

    comments: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    delimiter: str
    decimal: str
    start: int


def read_head(path: Path) -> Head:
    """Reads what stands before the numbers of a CSV file.

    Args:
        path: Path of the file, in UTF-8 or Latin-1.

    Returns:
        Head.

    Raises:
        InputError: it is empty, no text, or has no header line.
    """
    comments: list[str] = []
    with path.open("rb") as file:
        line = _line(file, path).removeprefix(b"\xef\xbb\xbf")
        while line.startswith(b"#") or (line and not line.strip()):
            if line.startswith(b"#"):
                comments.append(_text(line)[1:].strip())
            line = _line(file, path)
            if file.tell() > _LONGEST_COMMENTS:
                raise _unreadable(path, f"more than {_LONGEST_COMMENTS} bytes of comment")
        start = file.tell()
        more = iter(lambda: file.readline(_LONGEST_LINE), b"")
        following = [_text(row) for row in itertools.islice(more, 20)]
    header = _text(line).strip("\r\n")
    if not header.strip() or "\0" in header:
        raise _unreadable(path, "no text" if header.strip() else "an empty file")
    delimiter = _delimiter(header, following)
    names = _fields(header, delimiter)
    _check_names(path, names, header)
    decimal = _decimal(path, delimiter, following)
    units = tuple("" for _ in names)
    if following and (found := _units(following[0], delimiter, len(names))):
        units, start = found, start + _length_of_line(path, start)
    return Head(tuple(comments), tuple(names), units, delimiter, decimal, start)


def is_table(path: Path) -> bool:
    """Whether a CSV file lists records or persons instead of holding a recording: a quick look.

    Args:
        path: Path.

    Returns:
        bool; False for what cannot be read, which `read_csv` then refuses by name.

    Example:
        >>> is_table(Path("ptbxl/ptbxl_database.csv")), is_table(Path("mine/ecg-01.csv"))
        (True, False)
    """
    rows = _first_rows(path)
    if not rows or all(is_number(cell) for cell in rows[0] if cell):
        return False
    head, body = rows[0], rows[1:]
    columns = [column_of(name) for name in head]
    timed = any(column.kind in ("time", "rate") for column in columns)
    cells = [[row[i] for row in body if i < len(row) and row[i]] for i in range(len(head))]
    words = [re.sub(r"[\s_.-]+", " ", name.casefold()).strip() for name in head]
    signals = any(is_ecg(column.name) and words[i] not in _RECORDS and cells[i]
                  and all(map(is_number, cells[i])) for i, column in enumerate(columns))
    for i in [i for i, word in enumerate(words) if word in _RECORDS]:
        # A recording may name its person in every line, or count its samples by an `id`.
        if len({*cells[i]}) > 1 and any(map(_is_name, cells[i])) or not (timed or signals):
            return True
    if timed or signals:
        return False
    if {*words} & _PERSONS or (cells[0] and all(map(_is_name, cells[0]))):
        return True
    # A list without a header line: its first line is like the others, and these hold text.
    alike = [is_number(name) == all(map(is_number, some)) for name, some in
             zip(head, cells, strict=True) if some]
    texts = [some for some in cells if some and all(map(_is_name, some))]
    return bool(alike) and all(alike) and bool(texts)


def is_number(text: str) -> bool:
    """Whether a field holds a number."""
    try:
        return not math.isnan(float(text.strip().replace(",", "."))) if text.strip() else False
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    return not is_number(text) and not re.fullmatch(r"[\d:./+TZ '\[\]-]*", text)


def _first_rows(path: Path) -> list[list[str]]:
    try:
        if not path.is_file():
            return []
        with path.open("rb") as file:
            content = file.read(_LOOK)
    except OSError:
        return []
    text = _text(content.removeprefix(b"\xef\xbb\xbf"))
    if len(content) == _LOOK:
        text = text[: text.rfind("\n") + 1]
    lines = text.splitlines(keepends=True)
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        del lines[0]
    if not lines or "\0" in text:
        return []
    reader = csv.reader(lines, delimiter=_delimiter(lines[0], lines[1:6]))
    try:
        rows = [[cell.strip() for cell in row] for row in itertools.islice(reader, _ROWS) if row]
    except csv.Error:
        return []
    return rows if rows and len(rows[0]) <= MOST_COLUMNS else []


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


def _units(line: str, delimiter: str, count: int) -> tuple[str, ...] | None:
    """Units in a line of their own behind the header, as PhysioNet's tools write them."""
    fields = [field.strip("'\" ") for field in _fields(line.strip("\r\n"), delimiter)]
    if len(fields) != count or any(map(is_number, fields)):
        return None
    return tuple(fields) if any(f and to_millivolts(f) is not None for f in fields) else None


def _delimiter(header: str, following: list[str]) -> str:
    """The one by which the header has most fields; of several, that of the lines behind it."""
    counts = {one: len(_fields(header.strip("\r\n"), one)) for one in ",;\t|"}
    most = max(counts.values())
    best = [one for one, count in counts.items() if count == most]
    row = following[0].strip("\r\n") if following else ""
    return next((one for one in best if len(_fields(row, one)) == most), best[0])


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


def _line(file: io.BufferedReader, path: Path) -> bytes:
    line = file.readline(_LONGEST_LINE)
    # Our own list of R peaks may be long; a header is not.
    while line.startswith(b"#") and not line.endswith(b"\n") and len(line) < _LONGEST_COMMENTS:
        more = file.readline(_LONGEST_LINE)
        if not more:
            break
        line += more
    if len(line) >= _LONGEST_LINE and not line.startswith(b"#"):
        raise _unreadable(path, f"a first line of more than {_LONGEST_LINE} bytes")
    return line


def _length_of_line(path: Path, start: int) -> int:
    with path.open("rb") as file:
        file.seek(start)
        return len(file.readline(_LONGEST_LINE))


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:  # as spreadsheets of western languages write it
        return content.decode("latin-1")


def _unreadable(path: Path, got: str) -> InputError:
    return InputError(f"'{path}' cannot be read.", expected=FORMAT, got=got,
                      fix="write it as CSV in UTF-8")
