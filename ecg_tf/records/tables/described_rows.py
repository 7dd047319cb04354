"""The rows of one table beside the records, interpreted, and found by a record's name."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.person import age_years, is_blank_name, sex_of
from ecg_tf.records.tables.cell_statements import is_blank, plain, scp_codes, statements
from ecg_tf.records.tables.delimited import bad_table
from ecg_tf.records.tables.layouts import Layout, read_with_layout

_EXTENSION = re.compile(r"\.(hea|dat|mat|edf|bdf|csv|tsv|txt|npy|npz|xml|wav)$", re.I)
_OVER = re.compile(r"(>=?|≥)?\s*([0-9]{2,3})(?:\.0*)?\s*(\+)?\s*(?:y|yrs?|years?)?", re.I)
LONGEST_NAME = 500  # characters of a record or person


@dataclass(frozen=True)
class Info:
    """What tables say of one record.

    Args:
        subject: the person as the table writes it; "" where no table names one.
        session: "" if missing.
        sex: "male", "female" or "" if missing or not understood.
        age: years, NaN if missing or not understood.
        labels: kind -> statements.
        columns: column -> text, all cells that are not blank but record and person.
        paced: a table says that beats are paced.
        odd: "age", "sex": given, but not understood.
    """

    subject: str = ""
    session: str = ""
    sex: str = ""
    age: float = math.nan
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)
    paced: bool = False
    odd: frozenset[str] = frozenset()

    def filled(self, other: "Info") -> "Info":
        """This one, with what it does not say taken from another."""
        sex, age = self.sex or other.sex, other.age if math.isnan(self.age) else self.age
        understood = {name for name, known in (("sex", sex), ("age", age == age)) if known}
        return Info(self.subject or other.subject, self.session or other.session, sex, age,
                    {**other.labels, **self.labels}, {**other.columns, **self.columns},
                    self.paced or other.paced, (self.odd | other.odd) - understood)


class DescribedTable:
    """A table whose columns are understood.

    Args:
        file: the table.
        columns: see `layouts.read_with_layout`.

    Raises:
        InputError: a row names no record, or the rows of a record name two persons.
    """

    def __init__(self, file: Path, columns: Mapping | None = None):
        table, self.layout = read_with_layout(file, columns)
        self.file = file
        self.infos: dict[str, Info] = {}
        self._rates: list[list[str]] = []  # of each row the records at `layout.rates`
        for line, cells in zip(table.lines, table.rows, strict=True):
            row = dict(zip(table.columns, cells, strict=True))
            names = self._names(row, line)
            self._rates.append([path_of(row[column]) for column in self.layout.record])
            info = _read(row, self.layout, file, line)
            for name in dict.fromkeys(names):
                self.infos[name] = self._joined(name, info)
        self._ends: dict[str, list[str]] = {}  # last part of a path -> records that end with it
        for name in self.infos:
            self._ends.setdefault(name.rsplit("/", 1)[-1], []).append(name)

    def find(self, names: Iterable[str]) -> dict[str, str]:
        """The record of the table that each name means, for the names that it knows.

        Raises:
            InputError: two records fit the same rows by the ends of their paths.
        """
        names = list(dict.fromkeys(names))
        keys = {name: key for name in names if (key := path_of(name)) in self.infos}
        exact, ends = set(keys.values()), {}
        for name in names:
            if name in keys or not (key := self._end(path_of(name))) or key in exact:
                continue
            if key in ends:
                raise bad_table(self.file, f"rows that say which of '{printable(ends[key])}' and "
                                f"'{printable(name)}' they mean", f"'{printable(key)}'",
                                "write the records' whole paths into the table")
            keys[name], ends[key] = key, name
        return keys

    def at_rates(self, names: Iterable[str]) -> list[dict[float, str]]:
        """Of each recording that a row names at several rates: Hz -> the one of `names`."""
        known = {key: name for name, key in self.find(names).items()}
        found = ({fs: known[key] for fs, key in zip(self.layout.rates, row, strict=False)
                  if key in known} for row in self._rates if self.layout.rates)
        return [recording for recording in found if recording]

    def _names(self, row: Mapping[str, str], line: int) -> list[str]:
        """The records of a row."""
        cells = [row[column] for column in self.layout.record if not is_blank(row[column])]
        for cell in [*cells, row.get(self.layout.subject, "")]:
            if cell.startswith("=") or len(cell) > LONGEST_NAME:
                raise bad_table(self.file, "names of records and persons",
                                f"'{printable(cell, 30)}' on line {line}",
                                "save the table with values instead of formulas")
        if not cells:
            raise bad_table(self.file, "a record's name in each row", f"none on line {line}")
        return [path_of(cell) for cell in cells]

    def _joined(self, name: str, info: Info) -> Info:
        """What this row and those before it say of a record."""
        before = self.infos.get(name)
        if before is None:
            return info
        if before.subject and info.subject and before.subject != info.subject:
            raise bad_table(self.file, f"one person for record '{printable(name)}'",
                            f"'{printable(before.subject)}' and '{printable(info.subject)}'",
                            "correct the table")
        labels = {kind: tuple(dict.fromkeys((*before.labels.get(kind, ()),
                                             *info.labels.get(kind, ()))))
                  for kind in (*before.labels, *info.labels)}
        return replace(before.filled(info), labels=labels)

    def _end(self, name: str) -> str:
        """The one record of the table whose path ends as this one's does, or ""."""
        fit = [key for key in self._ends.get(name.rsplit("/", 1)[-1], ())
               if key.endswith(f"/{name}") or name.endswith(f"/{key}")]
        return fit[0] if len(fit) == 1 else ""


def path_of(cell: str) -> str:
    """A record's name as readers give it: slashes, no "./" in front, no extension, no ".0"."""
    text = unicodedata.normalize("NFC", plain(cell)).replace("\\", "/")
    while text.startswith("./"):
        text = text[2:]
    return _EXTENSION.sub("", text.lstrip("/"))


def _read(row: Mapping[str, str], layout: Layout, file: Path, line: int) -> Info:
    """What one row says."""
    cells = {name: cell for name, cell in row.items() if not is_blank(cell)}
    subject = plain(unicodedata.normalize("NFC", cells.get(layout.subject, "")))
    session, sex, age = (cells.get(column, "") for column in
                         (layout.session, layout.sex, layout.age))
    if layout.day and re.match(r"\d{4}-\d\d-\d\d", session):
        session = session[:10]
    years, male_or_female = _years(age, layout), layout.sexes.get(plain(sex)) or sex_of(sex)
    labels = _labels(cells, layout, file, line)
    odd = {"age": not is_blank_name(age) and math.isnan(years),
           "sex": not is_blank_name(sex) and not male_or_female}
    return Info(
        "" if is_blank_name(subject) else subject, plain(session), male_or_female, years, labels,
        {name: cell for name, cell in cells.items()
         if name not in (*layout.record, layout.subject)},
        layout.paced_column in cells or any(layout.paced & {*names} for names in labels.values()),
        frozenset(name for name, is_odd in odd.items() if is_odd),
    )


def _labels(cells: Mapping[str, str], layout: Layout, file: Path, line: int) -> dict:
    found = {}
    for kind, columns in layout.labels.items():
        texts = [cells[column] for column in columns if column in cells]
        read = _scp if layout.kind == "ptbxl" and kind == "scp" else statements
        try:
            found[kind] = tuple(dict.fromkeys(name for text in texts for name in read(text)))
        except InputError as error:
            raise bad_table(file, "statements in a cell", f"'{printable(texts[0])}' on line {line}",
                            "fetch it again: `ecg-tf data ptbxl`") from error
    for kind, meaning in layout.derived.items():
        codes = found.get("scp", ())
        found[kind] = tuple(dict.fromkeys(meaning[code] for code in codes if code in meaning))
    return {kind: names for kind, names in found.items() if names}


def _scp(cell: str) -> list[str]:
    return list(scp_codes(cell))


def _years(cell: str, layout: Layout) -> float:
    if (age := layout.ages.get(plain(cell))) is not None:
        return age
    # Ages are often cut off where persons become few; ">89" and "90+" are 90 at least.
    over = _OVER.fullmatch(cell)
    if over and (over[1] or over[3]):
        return float(over[2]) + (over[1] == ">")
    unit = layout.age_unit
    return age_years(f"{cell} {unit}" if unit and re.search(r"\d$", cell) else cell)
