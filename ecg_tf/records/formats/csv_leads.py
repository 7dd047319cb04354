"""Which columns of a CSV file are leads, and which count, label or measure something else."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.formats.columns import Column, is_ecg
from ecg_tf.records.formats.csv_head import FORMAT, is_number
from ecg_tf.records.formats.wfdb_files import MissingLead

_COUNTED = 50  # lines from which on a column 0, 1, 2, ... is a counter whatever its name


def choose(path: Path, columns: list[Column], table, leads) -> tuple[dict[str, int], list[str]]:
    """Chooses the columns that are leads.

    Args:
        path: Path of the file, for messages.
        columns: of its header.
        table: its numbers, DataFrame of numbered columns.
        leads: names asked for, with or without the unit; None for all that may be ECGs.

    Returns:
        lead -> number of its column, in the order asked for; sentences on what was left out.

    Raises:
        MissingLead: a lead asked for is not there, or nothing in the file is one.
        InputError: two leads of one name, one without a name, or a counter that leaps.
    """
    timed = any(one.kind == "time" for one in columns)
    counters = {i for i, one in enumerate(columns) if _is_counter(one, table[i], path, timed)}
    usable = {i: one for i, one in enumerate(columns) if i not in counters and one.name
              and one.factor and one.kind in ("lead", "other", "counter")}
    names = [one.name for one in usable.values()]
    by_name = {one.raw: i for i, one in usable.items()} | {one.name: i for i, one in usable.items()}
    for lead in leads or ():
        if lead not in by_name:
            raise _missing(path, lead, names)
    if twice := [name for name in leads or names if names.count(name) > 1]:
        raise InputError(f"The header of '{path}' does not fit.", expected=FORMAT,
                         got=f"several columns '{printable(twice[0])}'",
                         fix="give each column a name of its own")
    if leads:
        return {lead: by_name[lead] for lead in leads}, []
    for i, one in enumerate(columns):
        if not one.name and i not in counters and table[i].notna().any():
            raise InputError(f"Column {i + 1} of '{path}' has no name.", expected=FORMAT,
                             got=printable(f"'{', '.join(one.raw for one in columns)}'", 200),
                             fix="name it: time, or the lead")
    chosen = {one.name: i for i, one in usable.items() if one.kind != "other"
              and _may_be_ecg(one, table[i])}
    left = [one.raw for i, one in enumerate(columns) if one.kind in ("note", "other")
            or one.kind == "lead" and i not in chosen.values()]
    if not chosen:
        raise _missing(path, "", [], left)
    note = "Columns that are no leads were left out: "
    return chosen, [note + printable(", ".join(left), 200) + "."] if left else []


def _is_counter(column: Column, values, path: Path, timed: bool) -> bool:
    """Whether a column counts the samples.

    Raises:
        InputError: it does, there are no times, and its numbers leap: samples are lost.
    """
    named = column.kind == "counter"
    if not np.issubdtype(values.dtype, np.number) or values.isna().any() or \
            not (named or len(values) >= _COUNTED and not is_ecg(column.name)):
        return False
    steps = np.diff(values.to_numpy(float))
    if (steps == steps[0]).all() and (steps[0] == 1 or named and steps[0] > 0):
        return True
    if named and not timed and (steps > 0).all() and (steps == np.rint(steps)).all():
        raise InputError(f"The column '{printable(column.raw)}' of '{path}' counts with gaps.",
                         expected="each sample, none lost", got=f"steps from {steps.min():g} to "
                         f"{steps.max():g}", fix="write missing samples as empty fields")
    return False


def _may_be_ecg(column: Column, values) -> bool:
    """Whether what a column holds may be an ECG: not empty, no words, no flags 0 and 1."""
    if values.isna().all():
        return False
    if is_ecg(column.name):
        return True
    if np.issubdtype(values.dtype, np.number):
        return not values.dropna().isin((0, 1)).all()
    numbers = sum(map(is_number, values.dropna().astype(str).head(1000)))
    return numbers * 2 > min(1000, values.notna().sum())


def _missing(path: Path, lead: str, names: Sequence[str], left: Sequence[str] = ()) -> MissingLead:
    if lead:
        error = MissingLead(f"'{path}' has no lead '{printable(lead)}'.", got=printable(lead),
                            expected=f"one of {', '.join(names)}" if names else FORMAT,
                            fix=closest(lead, names) or "choose one of these")
    else:
        error = MissingLead(f"'{path}' has no lead.", expected=FORMAT,
                            got=f"columns that are none: {printable(', '.join(left), 200)}"
                            if left else "no column but time, rate or counters",
                            fix="add a column for each lead, of numbers with decimal points")
    error.leads = tuple(names)
    return error
