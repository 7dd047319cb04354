"""Which column of a table beside the records says what: record, person, age, sex, labels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.tables.delimited import Table, bad_table, read_table

#: What `metadata: FILE` may name a column for.
ROLES = ("record", "subject", "age", "sex", "session", "labels")
#: Names of columns that are recognized, in small letters and digits alone; the first one counts.
_KNOWN = {
    "record": "record recordname recordid recording recordingname recordingid file filename "
    "filepath path ecg ecgname ecgfile ecgid id",
    "subject": "subject subjectid patient patientid person personid participant participantid",
    "age": "age ageyears ageinyears patientage agemonths ageinmonths ageweeks ageinweeks agedays "
    "ageindays",
    "sex": "sex gender patientsex patientgender",
    "session": "session sessionid visit visitid recordingdate acquisitiondate studydate date",
}
_LABELS = {
    "label": "label labels firstlabel secondlabel thirdlabel",
    "diagnosis": "diagnosis diagnoses dx",
    "rhythm": "rhythm rhythms",
    "superclass": "superclass superclasses",
    "class": "class classes",
    "scp": "scp scpcodes",
    "statement": "statement statements",
}
_KIND_OF = {name: kind for kind, names in _LABELS.items() for name in names.split()}
_LUDB_DIAGNOSES = (
    "Electric axis of the heart", "Conduction abnormalities", "Extrasystolies", "Hypertrophies",
    "Cardiac pacing", "Ischemia", "Non-specific repolarization abnormalities", "Other states",
)
_FETCH = "fetch it again: `ecg-tf data ptbxl`"


@dataclass(frozen=True)
class Layout:
    """Which columns say what.

    Args:
        kind: "ptbxl", "ludb", "subjects", "labels" or "table".
        record: columns that name the record of a row; of PTB-XL two, one for each rate.
        rates: Hz of each of these columns, () where rows do not name several.
        subject, age, sex, session: a column each, "" if there is none.
        labels: kind of statement -> columns.
        derived: kind of statement -> statement of kind "scp" -> what follows from it.
        sexes, ages: what this table means by a cell such as "0" or "300".
        day: of the session only the date counts.
        paced: statements of any kind that mean paced beats.
        paced_column: column that is blank where no beat is paced.
        notes: sentences for whoever uses the table.
    """

    kind: str
    record: tuple[str, ...]
    rates: tuple[float, ...] = ()
    subject: str = ""
    age: str = ""
    sex: str = ""
    session: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    day: bool = False
    paced: frozenset[str] = frozenset()
    paced_column: str = ""
    notes: tuple[str, ...] = ()

    @property
    def age_unit(self) -> str:
        """The unit that the name of the age column says ("age_months"), "" for years."""
        found = re.search(r"(months|weeks|days)$", _plain(self.age))
        return found[1] if found else ""


def read_with_layout(file: Path, columns: Mapping | None = None) -> tuple[Table, Layout]:
    """Reads a table and says which of its columns mean what.

    `columns`: what -> name of a column (of labels and record also a list of names), for what cannot
    be guessed; "" for what no column says. InputError: the table cannot be read, has no such
    column, or none names the records.
    """
    layout = None
    if file.stem.casefold().startswith("reference"):  # of a PhysioNet challenge: often no header
        table = read_table(file, header=False)
        if _plain(table.rows[0][0]) not in _KNOWN["record"].split():
            if len(table.rows[0]) != 2:
                raise bad_table(file, "two cells a row, record and label, or a header line",
                                f"{len(table.rows[0])} cells")
            table = replace(table, columns=("record", "label"))
            layout = Layout("labels", ("record",), labels={"rhythm": ("label",)})
    if layout is None:
        table = read_table(file)
        layout = _recognized(table)
    return table, _named(table, layout, columns or {})


def _recognized(table: Table) -> Layout:
    columns = table.columns
    if {"patient_id", "scp_codes", "filename_lr"} <= {*columns}:
        return _ptbxl(table)
    if {"ID", "Rhythms", *_LUDB_DIAGNOSES} <= {*columns}:
        return Layout("ludb", ("ID",), age="Age", sex="Sex", paced_column="Cardiac pacing",
                      labels={"rhythm": ("Rhythms",), "diagnosis": _LUDB_DIAGNOSES})
    by_plain = {_plain(name): name for name in reversed(columns)}
    found: dict[str, Any] = {
        role: next((by_plain[name] for name in names.split() if name in by_plain), "")
        for role, names in _KNOWN.items()}
    record = tuple(filter(None, [found.pop("record")]))
    kind = "subjects" if table.file.stem.casefold() == "subjects" else "table"
    known = [name for name in columns if _plain(name) in _KIND_OF]
    return Layout(kind, record, labels=_by_kind(known), **found)


def _ptbxl(table: Table) -> Layout:
    """PTB-XL's own table (doi:10.1038/s41597-020-0495-6).

    An age of 300 stands for over 89 and is read as 90. A record has all the superclasses, rhythms
    and forms of its SCP statements whatever their likelihood, as in the example code published
    with PTB-XL: 0 there means that the likelihood is not known.
    """
    file, derived, notes = table.file.with_name("scp_statements.csv"), {}, ()
    if file.is_file():
        derived = _scp_statements(file)
    else:
        notes = (f"'{file.name}' is not beside '{table.file.name}': which superclasses and rhythms "
                 "the statements stand for is not known.",)
    rates = {"filename_lr": 100.0, "filename_hr": 500.0}
    rates = {name: fs for name, fs in rates.items() if name in table.columns}
    age, sex, session = (name if name in table.columns else ""
                         for name in ("age", "sex", "recording_date"))
    return Layout("ptbxl", tuple(rates), tuple(rates.values()), "patient_id", age, sex, session,
                  labels={"scp": ("scp_codes",)}, derived=derived,
                  sexes={"0": "male", "1": "female"}, ages={"300": 90.0}, day=True,
                  paced=frozenset({"PACE"}), notes=notes)


def _scp_statements(file: Path) -> dict[str, dict[str, str]]:
    """Superclass, form and rhythm of each SCP statement, by PTB-XL's `scp_statements.csv`."""
    table = read_table(file)
    if missing := {"diagnostic", "diagnostic_class", "form", "rhythm"} - {*table.columns}:
        raise bad_table(file, f"a column '{min(missing)}'", ", ".join(table.columns[:8]), _FETCH)
    derived: dict[str, dict[str, str]] = {"superclass": {}, "form": {}, "rhythm": {}}
    for cells in table.rows:
        code, row = cells[0], dict(zip(table.columns, cells, strict=True))
        means = {"superclass": (row["diagnostic"], row["diagnostic_class"]),
                 "form": (row["form"], code), "rhythm": (row["rhythm"], code)}
        for kind, (holds, meaning) in means.items():
            if holds in ("1", "1.0") and meaning:
                derived[kind][code] = meaning
    return derived


def _named(table: Table, layout: Layout, columns: Mapping) -> Layout:
    """The layout with the columns that the user named."""
    for role, names in columns.items():
        if role not in ROLES:
            raise InputError(f"A column cannot be named for '{printable(role)}'.",
                             expected=", ".join(ROLES), got=printable(role),
                             fix=closest(printable(role), ROLES) or "choose one of these")
        names = _column_names(table, role, names)
        if role == "labels":
            layout = replace(layout, labels=_by_kind(names), derived={})
        elif role == "record":
            layout = replace(layout, record=names, rates=())
        else:
            column: dict[str, Any] = {role: names[0] if names else ""}
            layout = replace(layout, **column)
    if not layout.record:
        raise bad_table(table.file, "a column that names the records, such as record or filename",
                        ", ".join(printable(name) for name in table.columns[:8]),
                        "name it: columns: {record: NAME}, or write a header line")
    return layout


def _by_kind(names) -> dict[str, tuple[str, ...]]:
    """Columns of labels by the kind of statement that their names say."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        kind = _KIND_OF.get(_plain(name), name.strip().casefold())
        found[kind] = (*found.get(kind, ()), name)
    return found


def _column_names(table: Table, role: str, names) -> tuple[str, ...]:
    several = [names] if isinstance(names, str) else names
    one = role not in ("labels", "record")
    if not isinstance(several, (list, tuple)) or not all(isinstance(n, str) for n in several):
        raise InputError(f"The column for '{role}' is wrong.", expected="the name of a column",
                         got=printable(names), fix=f"write columns: {{{role}: NAME}}")
    several = [name for name in several if name]
    for name in several:
        if name not in table.columns:
            raise bad_table(table.file, f"a column '{printable(name)}' for '{role}'",
                            ", ".join(printable(column) for column in table.columns[:30]),
                            closest(name, table.columns) or "name one of these")
    if one and len(several) > 1:
        raise InputError(f"There is one column for '{role}'.", expected="one name",
                         got=printable(several), fix="name one of them")
    return tuple(several)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
