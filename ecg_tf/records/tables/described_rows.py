"""The rows of one table beside the records, found by a record's name and interpreted."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.person import age_years, is_nobody, sex_of
from ecg_tf.records.tables.cell_statements import is_blank, plain, scp_codes, statements
from ecg_tf.records.tables.delimited import Table, bad_table
from ecg_tf.records.tables.layouts import Layout, read_with_layout

_EXTENSION = re.compile(r"\.(hea|dat|mat|edf|bdf|csv|tsv|txt|npy|npz|xml|wav)$", re.I)
_OVER = re.compile(r"(>=?|≥)?\s*([0-9]{2,3})(?:\.0*)?\s*(\+)?\s*(?:y|yrs?|years?)?", re.I)
LONGEST_NAME = 500  # characters of a record or person


class DescribedRows:
    """A table whose columns are understood.

    Args:
        table: Table.
        layout: Layout.

    Raises:
        InputError: a row names no record, or the rows of a record name two persons.
    """

    def __init__(self, table: Table, layout: Layout):
        self.file, self.layout, self._rows = table.file, layout, table.rows
        self._at = {name: i for i, name in enumerate(table.columns)}
        self._table, self.names_persons = table, False
        self._index: dict[str, list[int]] = {}
        self._ends: dict[str, list[str]] = {}  # last part of a path -> records that end with it
        for row in range(len(table.rows)):
            self._put(row)
        for name in self._index:
            self._ends.setdefault(name.rsplit("/", 1)[-1], []).append(name)
        self._check_persons()
        self._scp = self._read_scp()

    @classmethod
    def read(cls, file: Path, columns: Mapping | None = None) -> "DescribedRows":
        """Reads a table, see `layouts.read_with_layout`."""
        return cls(*read_with_layout(file, columns))

    # Which rows are a record's

    def records(self, most: int) -> list[str]:
        """The first records of the table."""
        return list(self._index)[:most]

    def at_rates(self, names: Iterable[str]) -> list[dict[float, str]]:
        """The recordings that a row names at several rates.

        Args:
            names: records that are there.

        Returns:
            for each recording: Hz -> the one of `names` at this rate.
        """
        if not self.layout.rates:
            return []
        known = {self._key(name): name for name in self.find(names)}
        rows = ([path_of(cell) for cell in self._cells(row, self.layout.record)]
                for row in range(len(self._rows)))
        found = ({fs: known[key] for fs, key in zip(self.layout.rates, row, strict=True)
                  if key in known} for row in rows)
        return [one for one in found if one]

    def find(self, names: Iterable[str]) -> dict[str, tuple[int, ...]]:
        """Rows of each record.

        Raises:
            InputError: two records fit the same rows by the ends of their paths.
        """
        names = list(dict.fromkeys(names))
        keys = {name: key for name in names if (key := path_of(name)) in self._index}
        exact, ends = set(keys.values()), {}
        for name in names:
            if name in keys or not (key := self._end(path_of(name))) or key in exact:
                continue
            if key in ends:
                raise bad_table(
                    self.file, f"rows that say which of '{printable(ends[key])}' and "
                    f"'{printable(name)}' they mean", f"'{printable(key)}'",
                    "write the records' whole paths into the table",
                )
            keys[name] = ends[key] = key
            ends[key] = name
        return {name: tuple(self._index[keys[name]]) for name in names if name in keys}

    def _key(self, name: str) -> str:
        """The name of a record in the table, "" if it has none."""
        key = path_of(name)
        return key if key in self._index else self._end(key)

    def _end(self, name: str) -> str:
        """The one record of the table whose path ends as this one's does, or ""."""
        fit = [key for key in self._ends.get(name.rsplit("/", 1)[-1], ())
               if key.endswith(f"/{name}") or name.endswith(f"/{key}")]
        return fit[0] if len(fit) == 1 else ""

    # What the rows say

    def subject(self, rows: Sequence[int]) -> str:
        """The person, "" if none is named."""
        said = (self._identifier(row) for row in rows) if self.layout.subject else ()
        return next(filter(None, said), "")

    def age(self, rows: Sequence[int]) -> float:
        """Years, NaN if not said or not understood."""
        return next((age for cell in self._said(rows, self.layout.age)
                     if (age := self._years(cell)) == age), math.nan)

    def sex(self, rows: Sequence[int]) -> str:
        """ "male", "female", or "" if not said or not understood."""
        cells = self._said(rows, self.layout.sex)
        return next(filter(None, (self._sex(cell) for cell in cells)), "")

    def session(self, rows: Sequence[int]) -> str:
        """Date or session, "" if not said."""
        cell = next(iter(self._said(rows, self.layout.session)), "")
        return cell[:10] if self.layout.day and re.match(r"\d{4}-\d\d-\d\d", cell) else plain(cell)

    def labels(self, rows: Sequence[int]) -> dict[str, tuple[str, ...]]:
        """Kind -> statements, each once; kinds without any are left out."""
        found: dict[str, dict[str, None]] = {}
        for kind, columns in self.layout.labels.items():
            for row in rows:
                for column in columns:
                    known = self._scp if column == "scp_codes" else {}
                    said = known.get(row) or statements(self._cell(row, column))
                    found.setdefault(kind, {}).update(dict.fromkeys(said))
        for kind, meaning in self.layout.derived.items():
            said = [meaning[code] for code in found.get("scp", ()) if code in meaning]
            found.setdefault(kind, {}).update(dict.fromkeys(said))
        return {kind: tuple(said) for kind, said in found.items() if said}

    def paced(self, rows: Sequence[int]) -> bool:
        """Whether the table says that beats are paced."""
        if self.layout.paced_column and self._said(rows, self.layout.paced_column):
            return True
        return any(not self.layout.paced.isdisjoint(said) for said in self.labels(rows).values())

    def columns(self, rows: Sequence[int]) -> dict[str, str]:
        """Column -> text, without blank cells, record and person."""
        own = {*self.layout.record, self.layout.subject}
        return {name: cell for row in reversed(rows) for name, cell in
                zip(self._at, self._rows[row], strict=True)
                if name not in own and not is_blank(cell)}

    def not_understood(self, what: str, found: Mapping[str, Sequence[int]]) -> list[str]:
        """Records of which something is said that is not understood.

        Args:
            what: str, "age" or "sex".
            found: record -> rows.
        """
        column = self.layout.age if what == "age" else self.layout.sex
        read = (lambda cell: not math.isnan(self._years(cell))) if what == "age" else self._sex
        return [name for name, rows in found.items()
                if (cells := [cell for cell in self._said(rows, column) if not is_nobody(cell)])
                and not any(map(read, cells))]

    # Cells

    def _cell(self, row: int, column: str) -> str:
        return self._rows[row][self._at[column]]

    def _cells(self, row: int, columns: Iterable[str]) -> list[str]:
        return [self._cell(row, column) for column in columns]

    def _said(self, rows: Sequence[int], column: str) -> list[str]:
        cells = (self._cell(row, column) for row in rows) if column else ()
        return [cell for cell in cells if not is_blank(cell)]

    def _identifier(self, row: int) -> str:
        text = plain(unicodedata.normalize("NFC", self._cell(row, self.layout.subject)))
        return "" if is_nobody(text) else text

    def _years(self, cell: str) -> float:
        if (age := self.layout.ages.get(plain(cell))) is not None:
            return age
        # Ages are often cut off where persons become few; ">89" and "90+" are 90 at least.
        over = _OVER.fullmatch(cell)
        if over and (over[1] or over[3]):
            return float(over[2]) + (over[1] == ">")
        unit = self.layout.age_unit
        return age_years(f"{cell} {unit}" if unit and re.search(r"\d$", cell) else cell)

    def _sex(self, cell: str) -> str:
        return self.layout.sexes.get(plain(cell)) or sex_of(cell)

    # Checks

    def _put(self, row: int) -> None:
        cells = [cell for cell in self._cells(row, self.layout.record) if not is_blank(cell)]
        who = [self._cell(row, self.layout.subject)] if self.layout.subject else []
        for cell in (*cells, *who):
            if cell.startswith("=") or len(cell) > LONGEST_NAME:
                raise bad_table(self.file, "names of records and persons",
                                f"'{printable(cell, 30)}' on line {self._table.lines[row]}",
                                "save the table with values instead of formulas")
        if not cells:
            raise bad_table(self.file, "a record's name in each row",
                            f"none on line {self._table.lines[row]}")
        for name in dict.fromkeys(map(path_of, cells)):
            self._index.setdefault(name, []).append(row)

    def _check_persons(self) -> None:
        if not self.layout.subject:
            return
        for name, rows in self._index.items():
            if len(rows) > 1:
                persons = [*dict.fromkeys(filter(None, map(self._identifier, rows)))]
                if len(persons) > 1:
                    raise bad_table(
                        self.file, f"one person for record '{printable(name)}'",
                        f"'{printable(persons[0])}' and '{printable(persons[1])}'",
                        "correct the table",
                    )

    def _read_scp(self) -> dict[int, tuple[str, ...]]:
        """PTB-XL's statements, parsed once: a malformed one is found before anything is read."""
        if self.layout.kind != "ptbxl" or self.layout.labels.get("scp") != ("scp_codes",):
            return {}
        found: dict[int, tuple[str, ...]] = {}
        known: dict[str, str] = {}
        for row in range(len(self._rows)):
            cell = self._cell(row, "scp_codes")
            try:
                codes = () if is_blank(cell) else scp_codes(cell)
            except InputError as error:
                raise bad_table(self.file, "SCP statements such as {'NORM': 100.0}",
                                f"'{printable(cell)}' on line {self._table.lines[row]}",
                                "fetch it again: `python -m ecg_tf data ptbxl`") from error
            found[row] = tuple(known.setdefault(code, code) for code in codes)
        return found


def path_of(cell: str) -> str:
    """A record's name as readers give it: slashes, no "./" in front, no extension, no ".0"."""
    text = unicodedata.normalize("NFC", plain(cell)).replace("\\", "/")
    while text.startswith("./"):
        text = text[2:]
    return _EXTENSION.sub("", text.lstrip("/"))
