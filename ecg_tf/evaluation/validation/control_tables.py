"""The tables of `ecg-tf controls`: known orders, power of the copy test, recognition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ecg_tf.evaluation.sessions import session_records, session_table, session_text
from ecg_tf.evaluation.validation.copy_power import copy_power, power_words
from ecg_tf.evaluation.validation.fault_table import cohort_strips, fault_cohort, fault_table


@dataclass(frozen=True)
class ControlTable:
    """A table to print.

    Args:
        kind: one of `KINDS`.
        cells: the table as text.
        note: a sentence below it.
        right: False where a known order came out wrong.
        values: the numbers behind it, for a figure; may be empty.
    """

    kind: str
    cells: pd.DataFrame
    note: str = ""
    right: bool = True
    values: pd.DataFrame = field(default_factory=pd.DataFrame)

    def text(self, markdown: bool = False) -> str:
        """Table and note, for a terminal or as Markdown."""
        table = as_markdown(self.cells) if markdown else self.cells.to_string(line_width=120)
        return "\n\n".join(part for part in (table, self.note) if part)


def control_tables(kinds: Sequence[str] = ("faults",), database: str = "simulated",
                   data_dir: str = "", seed: int = 0, progress: bool = True
                   ) -> Iterator[ControlTable]:
    """Makes the tables of some `KINDS`, one after the other, of a database or folder."""
    for kind in (kind for kind in KINDS if kind in kinds):
        yield KINDS[kind](database, data_dir, seed, progress)


def _faults(database, data_dir, seed, progress):
    groups = fault_cohort(database, data_dir, each=12 if database == "simulated" else 20, seed=seed)
    table = fault_table(*groups, seed=seed, progress=progress)
    return ControlTable("faults", table.cells(), table.note, not table.wrong)


def _copies(database, data_dir, seed, progress):
    windows = cohort_strips(database, data_dir, seed=seed)
    persons = np.random.default_rng(seed).permutation(np.unique(windows.subjects))
    members = np.isin(windows.subjects, persons[:len(persons) // 2])
    table = copy_power(windows.take(members), windows.take(~members), seed=seed)
    cells = table.assign(**{name: table[name].map("{:.1%}".format)
                            for name in table.columns if name != "n"})
    return ControlTable("copies", cells, power_words(table))


def _sessions(database, data_dir, seed, progress):
    table = session_table(session_records(database, data_dir, seed), seed=seed)
    return ControlTable("sessions", session_text(table), values=table)


KINDS = {"faults": _faults, "copies": _copies, "sessions": _sessions}


def as_markdown(table: pd.DataFrame) -> str:
    """A table of text or whole numbers as Markdown."""
    lines = [[table.index.name or "", *map(str, table)], ["---"] + ["---:"] * len(table.columns),
             *([str(name), *map(str, row)] for name, row in zip(table.index, table.to_numpy(object),
                                                                strict=True))]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
