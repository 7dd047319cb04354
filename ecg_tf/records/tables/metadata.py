"""What tables beside the records say of them: person, age, sex, session, labels, all else."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ecg_tf.base.checks import expanded, printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.database import Database
from ecg_tf.records.tables.described_rows import DescribedRows

#: Tables that are recognized by name, in the order in which they are asked.
RECOGNIZED = (
    "subjects.csv", "subjects.tsv", "ptbxl_database.csv", "reference-v3.csv", "reference.csv",
    "ludb.csv",
)


@dataclass(frozen=True)
class Info:
    """What tables say of one record.

    Args:
        subject: str, the person as the table writes it; "" where no table names one.
        session: str, "" if not said.
        sex: str, "male", "female" or "" if not said or not understood.
        age: float, years, NaN if not said or not understood.
        labels: kind -> statements.
        columns: column -> text, all cells that are not blank but record and person.
        paced: bool, a table says that beats are paced.
    """

    subject: str = ""
    session: str = ""
    sex: str = ""
    age: float = math.nan
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)
    paced: bool = False


@dataclass(frozen=True, eq=False)
class Metadata:
    """The tables of a folder.

    Args:
        source: str, names of the tables, joined by " + ".
        kind: str, of the first table: "ptbxl", "ludb", "subjects", "labels" or "table".
        names_subjects: bool, a column says which person a record is of.
        files: their names relative to the folder, with those that explain them.
        notes: sentences for whoever uses the tables.
    """

    source: str
    kind: str
    names_subjects: bool
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    _tables: tuple[DescribedRows, ...] = field(default=(), repr=False)
    _must_match: bool = field(default=False, repr=False)

    def of(self, name: str) -> Info | None:
        """What is known of one record, None if no table has it; `match` checks all together."""
        return self._infos([name], [table.find([name]) for table in self._tables]).get(name)

    def match(self, names: Sequence[str]) -> dict[str, Info]:
        """What is known of each record.

        A record is found by its whole name, with or without extension, else by the end of its path
        ("00001_lr" is "records100/00000/00001_lr") where only one fits.

        Args:
            names: the records' names, all that there are.

        Returns:
            name -> Info of the records that a table has.

        Raises:
            InputError: two records fit one row, or a table that was named by the user has none.
        """
        found = [table.find(names) for table in self._tables]
        if self._must_match and names and not found[0]:
            have = ", ".join(printable(one) for one in self._tables[0].records(3))
            raise InputError(
                f"The table '{self._tables[0].file}' has none of the {len(names)} records.",
                expected=f"records such as '{printable(names[0])}'",
                got=have,
                fix="name the column that holds the records' names: columns: {record: NAME}",
            )
        return self._infos(names, found)

    def other_rates(self, names: Sequence[str], rate: float = 0.0) -> dict[str, str]:
        """Of recordings that are there at several rates, the readings that are not wanted.

        Args:
            names: the records' names, all that there are.
            rate: float, Hz, to read. Default 0, the lowest that a table names (PTB-XL: 100).

        Returns:
            record -> the same recording at the wanted rate. Empty where no table names rates.

        Raises:
            InputError: none of the recordings that a table names at several rates has this one.
        """
        found = [one for table in self._tables for one in table.at_rates(names)]
        if not found:
            return {}
        there = sorted({fs for one in found for fs in one})
        if rate and rate not in there:
            raise InputError(
                f"No recording is there at {rate:g} Hz.",
                expected=" or ".join(f"{fs:g} Hz" for fs in there), got=f"{rate:g} Hz",
                fix="choose one of these and resample, or fetch the others: "
                f"`python -m ecg_tf data ptbxl --rate {rate:g}`",
            )
        unwanted = {}
        for one in found:
            kept = one.get(rate or there[0])
            unwanted |= {other: kept for other in one.values() if kept and other != kept}
        return unwanted

    def remarks(self, names: Sequence[str]) -> tuple[str, ...]:
        """What whoever uses these records should know of the tables' gaps.

        Args:
            names: the records' names.

        Returns:
            sentences: records without a row or a person, ages and sexes that are not understood.
        """
        tables = [table for table in self._tables if table.layout.subject] or self._tables[:1]
        said = list(self.notes)
        for table in tables[:1]:
            rows = table.find(names)
            own = ": each counts as a person of its own" if self.names_subjects else ""
            if missing := [name for name in names if name not in rows]:
                said.append(f"{len(missing)} of {len(names)} records have no row in "
                            f"'{table.file.name}' ({few(missing)}){own}.")
            blank = [name for name, row in rows.items() if not table.subject(row)]
            if self.names_subjects and blank:
                said.append(f"{len(blank)} of {len(names)} records have no person in "
                            f"'{table.file.name}' ({few(blank)}){own}.")
            for what in ("age", "sex"):
                if odd := table.not_understood(what, rows):
                    said.append(f"The {what} of {len(odd)} records in '{table.file.name}' is not "
                                f"understood and counts as unknown ({few(odd)}).")
        return tuple(said)

    def _infos(self, names: Iterable[str], found: Sequence[Mapping]) -> dict[str, Info]:
        return {name: self._info([(table, rows[name]) for table, rows in
                                  zip(self._tables, found, strict=True) if name in rows])
                for name in names if any(name in rows for rows in found)}

    def _info(self, rows: Sequence[tuple[DescribedRows, tuple[int, ...]]]) -> Info:
        """One record's rows in several tables: the first that says something counts."""
        labels: dict[str, tuple[str, ...]] = {}
        columns: dict[str, str] = {}
        for table, row in rows:
            for kind, statements in table.labels(row).items():
                labels.setdefault(kind, statements)
            for column, text in table.columns(row).items():
                columns.setdefault(column, text)
        # Identifiers of two tables need not be of one kind: one table names all persons.
        subject = next((table.subject(row) for table, row in rows if table.names_persons), "")
        return Info(
            subject=subject,
            session=next(filter(None, (table.session(row) for table, row in rows)), ""),
            sex=next(filter(None, (table.sex(row) for table, row in rows)), ""),
            age=next((age for table, row in rows if (age := table.age(row)) == age), math.nan),
            labels=labels,
            columns=columns,
            paced=any(table.paced(row) for table, row in rows),
        )


def read_metadata(
    folder: Path,
    file: str = "",
    columns: Mapping | None = None,
    database: Database | None = None,
) -> Metadata | None:
    """Reads the tables beside the records of a folder.

    Recognized without being told are subjects.csv (columns record, subject and, if there are, age,
    sex, session, labels), PTB-XL's ptbxl_database.csv with scp_statements.csv, the labels of a
    PhysioNet challenge (REFERENCE.csv, REFERENCE-v3.csv) and LUDB's ludb.csv. A table that the user
    names comes first; what it does not say is taken from these.

    Args:
        folder: Path of the records.
        file: str, a table, relative to the folder or a path. Default "", none but those recognized.
        columns: what -> column of `file` (or of the first table) for what its names do not tell:
            {"record": "ECG", "subject": "pid", "age": "years", "sex": "", "labels": ["a", "b"]}.
        database: the known database that the folder holds, which may have tables of its own.

    Returns:
        Metadata, or None if there is no table.

    Raises:
        InputError: a table cannot be read, or gives a record two persons.

    Example:
        >>> read_metadata(Path("data/ptbxl")).of("records100/00000/00001_lr").labels["superclass"]
        ('NORM',)
    """
    files = [_named_file(folder, file)] if file else []
    files += [path for path in tables_in(folder, database)
              if path.name != "scp_statements.csv" and path not in files]
    if not files:
        if columns:
            raise InputError(
                f"Columns are named, but '{folder}' has no table.",
                expected="a table that holds them", got="none",
                fix="name it: metadata: FILE",
            )
        return None
    tables = [DescribedRows.read(path, columns if i == 0 else None)
              for i, path in enumerate(files)]
    persons = next((table for table in tables if table.layout.subject), None)
    if persons:
        persons.names_persons = True
    return Metadata(
        source=" + ".join(table.file.name for table in tables),
        kind=tables[0].layout.kind,
        names_subjects=persons is not None,
        files=_inside(folder, [*files, *tables_in(folder, database),
                               *(table.file.with_name("scp_statements.csv") for table in tables
                                 if table.layout.derived)]),
        notes=tuple(note for table in tables for note in table.layout.notes),
        _tables=tuple(tables),
        _must_match=bool(file or columns) or tables[0].layout.kind == "subjects",
    )


def tables_in(folder: Path, database: Database | None = None) -> list[Path]:
    """The tables of a folder that are recognized; they are no records.

    Args:
        folder: Path.
        database: the known database that it holds, which may have tables in other places.

    Returns:
        list of Path, in the order in which they are asked.
    """
    found = [path for name in (database.tables if database else ())
             if (path := folder / name).is_file()]
    # Of two versions of a challenge's labels the better one counts.
    references = [path for path in found if path.stem.casefold().startswith("reference")]
    found = [path for path in found if path not in references[1:]]
    try:
        there = {path.name.casefold(): path for path in sorted(folder.iterdir())}
    except OSError:
        return found
    for name in (*RECOGNIZED, *(["scp_statements.csv"] if "ptbxl_database.csv" in there else [])):
        reference = name.startswith("reference")
        if name in there and there[name].is_file() and not (reference and references):
            found += [there[name]] if there[name] not in found else []
            references += [there[name]] if reference else []
    return found


def _inside(folder: Path, files: Iterable[Path]) -> tuple[str, ...]:
    home = folder.absolute()
    return tuple(dict.fromkeys(path.absolute().relative_to(home).as_posix() for path in files
                               if path.absolute().is_relative_to(home)))


def few(names: Iterable[str], most: int = 5) -> str:
    """The first names, for a message."""
    names = list(names)
    shown = ", ".join(printable(name) for name in names[:most])
    return shown + (", ..." if len(names) > most else "")


def _named_file(folder: Path, file: str) -> Path:
    for path in (folder / str(file), expanded(file)):
        if path.is_file():
            return path
    there = sorted(path.name for path in folder.glob("*.[ct]sv"))
    raise InputError(
        f"There is no table '{printable(file)}'.",
        expected=f"a file in '{folder}', or its path",
        got=f"tables there: {few(there, 8)}" if there else "no tables there",
        fix=closest(str(file), there) or "check its name",
    )
