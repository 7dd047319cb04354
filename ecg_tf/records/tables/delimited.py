"""Tables as text (CSV, TSV, semicolons), read without believing anything in them."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError

LARGEST_TABLE = 2**28  # bytes; a table of 800,000 records has about 80 MB
MOST_COLUMNS = 4096
_DELIMITERS = ",\t;"
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, eq=False)
class Table:
    """A table as text.

    Args:
        file: Path it was read from.
        columns: names of its columns, different ones; empty where it has no header line.
        rows: cells, blanks around them taken off; each row has as many as there are columns.
        lines: line of the file on which each row ends, for messages.
    """

    file: Path
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lines: list[int]


def read_table(file: Path, header: bool = True) -> Table:
    """Reads a table with a header line, or without one.

    Fields are separated by commas, tabs or semicolons, whichever its first line has most of. The
    text is UTF-8, UTF-16 with a byte order mark, or Latin-1. Blank lines are no rows. InputError:
    it is missing, too large, no text, empty, or its rows differ in length.
    """
    text = _text(file)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=_outside_quotes(first).count)
    rows, lines = [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(tuple(cells))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise bad_table(file, "cells separated by commas, each quotation mark closed",
                        f"line {reader.line_num}: {error}") from error
    if not rows or header and len(rows) < 2:
        raise bad_table(file, "rows" + " below its header line" * header, "none")
    width = len(rows[0])
    if width > MOST_COLUMNS:
        raise bad_table(file, f"{MOST_COLUMNS} columns at most", f"{width}")
    columns = _names(file, rows[0]) if header else ()
    rows, lines = rows[header:], lines[header:]
    for i, row in enumerate(rows):
        if len(row) > width and not any(row[width:]):  # commas at the end of a line
            rows[i] = row[:width]
        elif len(row) != width:
            raise bad_table(file, f"{width} cells in each row, as in the first line",
                            f"{len(row)} on line {lines[i]}")
    return Table(file, columns, rows, lines)


def bad_table(file: Path, expected: str, got: str, fix: str = "") -> InputError:
    """The error for a table that cannot be used, to be raised."""
    return InputError(f"The table '{file}' cannot be used.", expected=expected, got=got,
                      fix=fix or "correct the table, or save it again as CSV in UTF-8")


def _text(file: Path) -> str:
    try:
        size = file.stat().st_size
        if size > LARGEST_TABLE:
            raise bad_table(file, f"{LARGEST_TABLE} bytes at most", f"{size}",
                            "take out the columns that are not needed")
        data = file.read_bytes()
    except OSError as error:
        raise bad_table(file, "a file that can be read", f"{error.strerror or error}",
                        "check its name and permissions") from error
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if found := _CONTROL.search(text):
        what = "a workbook" if data[:2] == b"PK" else f"the character {ord(found[0])}"
        raise bad_table(file, "text: CSV, TSV or semicolons", what,
                        "open it in a spreadsheet and save it as CSV" if what == "a workbook"
                        else "save it again as CSV in UTF-8")
    return text


def _names(file: Path, cells: tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns: "column 0" for the blank one that pandas writes in front."""
    names = tuple(cell or f"column {i}" for i, cell in enumerate(cells))
    if twice := [name for name, number in Counter(names).items() if number > 1]:
        raise bad_table(file, "columns of different names", f"'{printable(twice[0])}' twice")
    return names


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"?', "", line)
