"""The tables of `ecg-tf controls`: known orders, copies, intervals, detectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

KINDS = ("faults", "copies", "intervals", "sessions", "detectors", "delineation")


@dataclass(frozen=True)
class ControlTable:
    """A table to print.

    Args:
        kind: one of `KINDS`.
        title: "" for none.
        cells: the table as text.
        note: a sentence below it.
        right: False where a known order came out wrong.
        values: the numbers behind it, for a figure; may be empty.
    """

    kind: str
    title: str
    cells: pd.DataFrame
    note: str = ""
    right: bool = True
    values: pd.DataFrame = field(default_factory=pd.DataFrame)

    def text(self, markdown: bool = False) -> str:
        """Title, table and note, for a terminal or as Markdown."""
        table = as_markdown(self.cells) if markdown else self.cells.to_string(line_width=120)
        return "\n\n".join(part for part in (self.title, table, self.note) if part)


def control_tables(kinds: Sequence[str] = ("faults",), database: str = "simulated",
                   data_dir: str = "", seed: int = 0, progress: bool = True
                   ) -> Iterator[ControlTable]:
    """Makes the tables one after the other.

    Args:
        kinds: out of `KINDS`.
        database: "simulated", a known database or a folder; for faults, copies and sessions.
        data_dir: folder of the databases.
        seed: int.
        progress: bool, show it.

    Yields:
        ControlTable.
    """
    makers = {"faults": _faults, "copies": _copies, "sessions": _sessions}
    for kind in (kind for kind in KINDS if kind in kinds):
        if kind in makers:
            yield makers[kind](database, data_dir, seed, progress)
        elif kind == "intervals":
            from ecg_tf.evaluation.validation.interval_check import interval_errors

            yield ControlTable(kind, "", interval_text(interval_errors(seed=seed)))
        elif kind == "detectors":
            from ecg_tf.evaluation.validation.detector_tables import detector_tables

            yield from _of_numbers(kind, detector_tables(data_dir, progress))
        else:
            from ecg_tf.evaluation.validation.delineation_tables import delineation_tables

            yield from _of_numbers(kind, delineation_tables(data_dir))


def _faults(database, data_dir, seed, progress):
    from ecg_tf.evaluation.validation.fault_table import fault_cohort, fault_table

    groups = fault_cohort(database, data_dir, each=12 if database == "simulated" else 20, seed=seed)
    table = fault_table(*groups, seed=seed, progress=progress)
    return ControlTable("faults", "", table.cells(), table.note, not table.wrong)


def _copies(database, data_dir, seed, progress):
    from ecg_tf.evaluation.validation.copy_power import copy_power, power_words
    from ecg_tf.evaluation.validation.fault_table import cohort_strips

    windows = cohort_strips(database, data_dir, seed=seed)
    persons = np.random.default_rng(seed).permutation(np.unique(windows.subjects))
    members = np.isin(windows.subjects, persons[:len(persons) // 2])
    table = copy_power(windows.take(members), windows.take(~members), seed=seed)
    cells = table.assign(**{name: table[name].map("{:.1%}".format)
                            for name in table.columns if name != "n"})
    return ControlTable("copies", "", cells, power_words(table))


def _sessions(database, data_dir, seed, progress):
    from ecg_tf.evaluation.sessions import session_records, session_table, session_text

    table = session_table(session_records(database, data_dir, seed), seed=seed)
    return ControlTable("sessions", "", session_text(table), values=table)


def _of_numbers(kind, tables: dict[str, pd.DataFrame]) -> Iterator[ControlTable]:
    """Floats to four digits, all else as it is."""
    for title, table in tables.items():
        cells = table.map(lambda value: f"{value:.4g}" if isinstance(value, float) else str(value))
        cells.columns = [" ".join(map(str, name)) if isinstance(name, tuple) else name
                         for name in cells.columns]
        if isinstance(cells.index, pd.MultiIndex):
            cells = cells.reset_index().set_index(cells.index.names[0])
        yield ControlTable(kind, title, cells)


def interval_text(errors: pd.DataFrame) -> pd.DataFrame:
    """The table of `interval_errors` as text: error ± spread, share of strips below 100 %."""
    from ecg_tf.evaluation.validation.interval_check import WAVES

    def share(found):
        return f" ({found:.0%})" if found < 1 else ""

    out = pd.DataFrame({"heart rate, largest error (bpm)": [
        f"{off:.2f}{share(found)}"
        for off, found in errors[["heart_rate", "heart_rate_found"]].to_numpy()]}, errors.index)
    for name in WAVES:
        out[f"{name.replace('_', ' ')} (ms)"] = [
            f"{off:+.0f} ± {spread:.0f}{share(found)}" if found else "not found"
            for off, spread, found in errors[[name, f"{name}_spread", f"{name}_found"]].to_numpy()]
    return out


def as_markdown(table: pd.DataFrame) -> str:
    """A table of text or whole numbers as Markdown."""
    lines = [[table.index.name or "", *map(str, table)], ["---"] + ["---:"] * len(table.columns),
             *([str(name), *map(str, row)] for name, row in zip(table.index, table.to_numpy(object),
                                                                strict=True))]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
