"""What tables beside the records say of them: person, age, sex, session, labels, all else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecg_tf.base.checks import expanded, printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.database import Database
from ecg_tf.records.tables.described_rows import DescribedTable, Info

#: Tables that are recognized by name, in the order in which they are searched.
RECOGNIZED = (
    "subjects.csv", "subjects.tsv", "ptbxl_database.csv", "reference-v3.csv", "reference.csv",
    "ludb.csv",
)
_SCP = "scp_statements.csv"


@dataclass(frozen=True, eq=False)
class Metadata:
    """The tables of a folder.

    Args:
        tables: those found, in the order in which they are searched.
        files: their names relative to the folder, with those that explain them.
        must_match: the first table has to know some of the records.
    """

    tables: tuple[DescribedTable, ...] = field(repr=False)
    files: tuple[str, ...] = ()
    must_match: bool = False

    @property
    def source(self) -> str:
        """Names of the tables, joined by " + "."""
        return " + ".join(table.file.name for table in self.tables)

    @property
    def kind(self) -> str:
        """Of the first table: "ptbxl", "ludb", "subjects", "labels" or "table"."""
        return self.tables[0].layout.kind

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for whoever uses the tables."""
        return tuple(note for table in self.tables for note in table.layout.notes)

    @property
    def names_subjects(self) -> bool:
        """Whether a column says which person a record is of."""
        return self._persons is not None

    @property
    def _persons(self) -> DescribedTable | None:
        """The one table that names persons: identifiers of two need not be of one kind."""
        return next((table for table in self.tables if table.layout.subject), None)

    def of(self, name: str) -> Info | None:
        """What is known of one record, None if no table has it; `match` checks all together."""
        return self._infos([name], [table.find([name]) for table in self.tables]).get(name)

    def match(self, names: Sequence[str]) -> dict[str, Info]:
        """What is known of each record, of all names that there are: name -> Info of those a table
        has.

        A record is found by its whole name, with or without extension, else by the end of its path
        ("00001_lr" is "records100/00000/00001_lr") where only one fits. InputError: two records fit
        one row, or a table that was named by the user has none.
        """
        found = [table.find(names) for table in self.tables]
        if self.must_match and names and not found[0]:
            raise InputError(
                f"The table '{self.tables[0].file}' has none of the {len(names)} records.",
                expected=f"records such as '{printable(names[0])}'",
                got=", ".join(printable(name) for name in list(self.tables[0].infos)[:3]),
                fix="name the column that holds the records' names: columns: {record: NAME}",
            )
        return self._infos(names, found)

    def other_rates(self, names: Sequence[str], rate: float = 0.0) -> dict[str, str]:
        """Of recordings that are there at several rates, the readings that are not wanted.

        Of the names of all records there are: record -> the same recording at `rate` Hz (0: the
        lowest that a table names; PTB-XL: 100). Empty where no table names rates. InputError: none
        of the recordings that a table names at several rates has this one.
        """
        found = [recording for table in self.tables for recording in table.at_rates(names)]
        there = sorted({fs for recording in found for fs in recording})
        if found and rate and rate not in there:
            raise InputError(f"No recording is there at {rate:g} Hz.",
                             expected=" or ".join(f"{fs:g} Hz" for fs in there), got=f"{rate:g} Hz",
                             fix="choose one of these and resample, or fetch the others: "
                             f"`ecg-tf data ptbxl --rate {rate:g}`")
        unwanted = {}
        for recording in found:
            kept = recording.get(rate or there[0])
            unwanted |= {other: kept for other in recording.values() if kept and other != kept}
        return unwanted

    def remarks(self, names: Sequence[str]) -> tuple[str, ...]:
        """Remarks on the tables' gaps, for users of these records: sentences on records without a
        row or a person, ages and sexes that are not understood."""
        table = self._persons or self.tables[0]
        infos = {name: table.infos[key] for name, key in table.find(names).items()}
        own = ": each counts as a person of its own" if self.names_subjects else ""
        missing = [name for name in names if name not in infos]
        blank = [name for name, info in infos.items() if self.names_subjects and not info.subject]
        remarks = [
            f"{len(which)} of {len(names)} records have no {what} in '{table.file.name}' "
            f"({few(which)}){own}." for what, which in (("row", missing), ("person", blank))
            if which]
        for what in ("age", "sex"):
            if odd := [name for name, info in infos.items() if what in info.odd]:
                remarks.append(f"The {what} of {len(odd)} records in '{table.file.name}' is not "
                               f"understood and counts as unknown ({few(odd)}).")
        return (*self.notes, *remarks)

    def _infos(self, names: Iterable[str], found: Sequence[Mapping]) -> dict[str, Info]:
        """Each record by all tables: the first that says something counts."""
        infos: dict[str, Info] = {}
        for name in names:
            for table, keys in zip(self.tables, found, strict=True):
                if name in keys:
                    info = table.infos[keys[name]]
                    if table is not self._persons:
                        info = replace(info, subject="")
                    infos[name] = infos[name].filled(info) if name in infos else info
        return infos


def read_metadata(folder: Path, file: str = "", columns: Mapping | None = None,
                  database: Database | None = None) -> Metadata | None:
    """Reads the tables beside the records of a folder.

    Recognized by their names are subjects.csv (columns record, subject and, if there are, age,
    sex, session, labels), PTB-XL's ptbxl_database.csv with scp_statements.csv, the labels of a
    PhysioNet challenge (REFERENCE.csv, REFERENCE-v3.csv) and LUDB's ludb.csv. A table that the user
    names comes first; what it does not say is taken from these.

    Args:
        folder: Path of the records.
        file: a table, relative to the folder or a path. Default "", none but those recognized.
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
    recognized = tables_in(folder, database)
    files = [_named_file(folder, file)] if file else []
    files += [path for path in recognized if path.name != _SCP and path not in files]
    if not files:
        if columns:
            raise InputError(f"Columns are named, but '{folder}' has no table.",
                             expected="a table that holds them", got="none",
                             fix="name it: metadata: FILE")
        return None
    tables = [DescribedTable(path, columns if i == 0 else None) for i, path in enumerate(files)]
    explaining = [table.file.with_name(_SCP) for table in tables if table.layout.derived]
    return Metadata(tuple(tables), _inside(folder, [*files, *recognized, *explaining]),
                    bool(file or columns) or tables[0].layout.kind == "subjects")


def tables_in(folder: Path, database: Database | None = None) -> list[Path]:
    """The tables of a folder, or of the known database in it, that are recognized and so are no
    records; in the order in which they are searched."""
    try:
        there = {path.name.casefold(): path for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError:
        there = {}
    names = (*RECOGNIZED, *([_SCP] if "ptbxl_database.csv" in there else []))
    found = [path for name in (database.tables if database else ())
             if (path := folder / name).is_file()]
    found += [there[name] for name in names if name in there and there[name] not in found]
    # Of two versions of a challenge's labels the first one counts.
    references = [path for path in found if path.stem.casefold().startswith("reference")]
    return [path for path in found if path not in references[1:]]


def few(names: Iterable[str], most: int = 5) -> str:
    """The first names, for a message."""
    names = list(names)
    return ", ".join(map(printable, names[:most])) + (", ..." if len(names) > most else "")


def _inside(folder: Path, files: Iterable[Path]) -> tuple[str, ...]:
    home = folder.absolute()
    return tuple(dict.fromkeys(path.absolute().relative_to(home).as_posix() for path in files
                               if path.absolute().is_relative_to(home)))


def _named_file(folder: Path, file: str) -> Path:
    for path in (folder / str(file), expanded(file)):
        if path.is_file():
            return path
    there = sorted(path.name for path in folder.glob("*.[ct]sv"))
    raise InputError(f"There is no table '{printable(file)}'.",
                     expected=f"a file in '{folder}', or its path",
                     got=f"tables there: {few(there, 8)}" if there else "no tables there",
                     fix=closest(str(file), there) or "check its name")
