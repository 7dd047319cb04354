"""What `python -m ecg_tf controls` prints: planted faults and copies, intervals, detectors."""

import numpy as np
import pandas as pd

from ecg_tf.base.checks import expanded
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.evaluation.validation.copy_power import copy_power, power_words
from ecg_tf.evaluation.validation.fault_table import cohort_strips, fault_cohort, fault_table
from ecg_tf.evaluation.validation.interval_check import WAVES, interval_errors

KINDS = ("faults", "copies", "intervals", "sessions", "detectors", "delineation")


def print_tables(database: str = "simulated", data_dir: str = "", kinds=("faults",),
                 markdown: bool = False, progress: bool = True, seed: int = 0,
                 figure: str = "") -> bool:
    """Prints the tables asked for.

    Args:
        database: "simulated", a known database or a folder.
        data_dir: folder of the databases.
        kinds: out of `KINDS`.
        markdown: for the documentation. Default False, for a terminal.
        progress: bool.
        seed: int.
        figure: path of a PNG: draws the table of recognition ("sessions") too. Default "", none.

    Returns:
        bool, all known orders of the planted faults are right.

    Raises:
        InputError: a figure without the table that it shows, or one that cannot be written.
    """
    right = True
    if figure and "sessions" not in kinds:
        raise InputError("Only the table of recognition is drawn.", expected="sessions among the "
                         "tables", got=", ".join(kinds), fix="add --tables sessions")
    if "faults" in kinds:
        each = 12 if database == "simulated" else 20
        members, fresh, others = fault_cohort(database, data_dir, each=each, seed=seed)
        table = fault_table(members, fresh, others, members.fs, seed=seed, progress=progress)
        print(f"{table.to_markdown()}\n\n{table.words}" if markdown else table.to_string())
        right = not table.wrong
    if "copies" in kinds:
        windows = cohort_strips(database, data_dir, seed=seed)
        persons = np.random.default_rng(seed).permutation(np.unique(windows.subjects))
        members = np.isin(windows.subjects, persons[:len(persons) // 2])
        table = copy_power(windows.take(members), windows.take(~members), seed=seed)
        text = table.assign(as_copy=[f"{one:.1%}" for one in table.as_copy],
                            as_lookalike=[f"{one:.1%}" for one in table.as_lookalike])
        print("\n" + (as_markdown(text) if markdown else text.to_string()))
        print(f"\n{power_words(table)}")
    if "intervals" in kinds:
        table = interval_text(interval_errors(seed=seed))
        print("\n" + (as_markdown(table) if markdown else table.to_string()))
    if "sessions" in kinds:
        from ecg_tf.evaluation.sessions import session_records, session_table, session_text

        table = session_table(session_records(database, data_dir, seed), seed=seed)
        text = session_text(table)
        print("\n" + (as_markdown(text) if markdown else text.to_string()))
        if figure:
            from ecg_tf.figures.curve_plots import validity_figure
            from ecg_tf.figures.plots import png_of

            write_whole(expanded(figure), png_of(validity_figure(table)))
    if "detectors" in kinds:
        from ecg_tf.evaluation.validation.detector_tables import detector_tables

        _print_shares(detector_tables(data_dir, progress), markdown)
    if "delineation" in kinds:
        from ecg_tf.evaluation.validation.delineation_tables import lead_ii_tables

        _print_shares(lead_ii_tables(data_dir), markdown)
    return right


def _print_shares(tables: dict[str, pd.DataFrame], markdown: bool) -> None:
    """Tables with their titles; whole numbers as they are, others to what can be read."""
    for title, table in tables.items():
        text = table.map(lambda one: f"{one:.4g}" if isinstance(one, float) else str(one))
        text.columns = [" ".join(map(str, one)) if isinstance(one, tuple) else one
                        for one in text.columns]
        if isinstance(text.index, pd.MultiIndex):
            text = text.reset_index().set_index(text.index.names[0])
        print(f"\n{title}\n\n" + (as_markdown(text) if markdown else text.to_string()))


def interval_text(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors with their spread and the share of strips, as text."""
    out = pd.DataFrame({"heart rate, largest error (bpm)": [
        f"{off:.2f}" + (f" ({found:.0%})" if found < 1 else "")
        for off, found in errors[["heart_rate", "heart_rate_found"]].to_numpy()]}, errors.index)
    for name in WAVES:
        out[f"{name.replace('_', ' ')} (ms)"] = [
            "not found" if not found else f"{off:+.0f} ± {spread:.0f}"
            + (f" ({found:.0%})" if found < 1 else "")
            for off, spread, found in errors[[name, f"{name}_spread", f"{name}_found"]].to_numpy()]
    return out


def as_markdown(table: pd.DataFrame) -> str:
    """A table as Markdown; all its cells are text or whole numbers."""
    lines = [[table.index.name or "", *map(str, table)], ["---"] + ["---:"] * len(table.columns),
             *([str(name), *map(str, row)] for name, row in zip(table.index, table.to_numpy(object),
                                                                strict=True))]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
