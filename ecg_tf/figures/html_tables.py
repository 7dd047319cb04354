"""Tables for notebooks. Names come from files: all of them are shown as text, never as markup."""

import html
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.figures.style import WARNING

VERDICTS = {True: "✓ pass", False: "✗ fail", "pass": "✓ pass", "passed": "✓ pass",
            "fail": "✗ fail", "not passed": "✗ fail", "not measured": "– not measured"}


def styled(table: pd.DataFrame, **formats):
    """A pandas Styler whose cells and names are text: a Styler alone does not escape them.

    Args:
        table: DataFrame.
        **formats: further arguments of `Styler.format`, such as precision.
    """
    style = table.style.format(escape="html", **formats)
    return style.format_index(escape="html").format_index(escape="html", axis=1)


def text_table(table: pd.DataFrame, right: Iterable[str] = (), verdict: str = "",
               padding: str = ".3em .9em"):
    """A DataFrame of text as all reports show it (a pandas Styler): numbers to the `right`,
    failures marked in the column `verdict` ("✓ pass", "✗ fail"), a word and a sign, not a colour
    alone."""
    cell = {"padding": padding, "vertical-align": "top"}
    style = styled(table).set_properties(**cell, **{"text-align": "left"}).set_properties(
        subset=list(right), **{"text-align": "right", "white-space": "nowrap",
                               "font-variant-numeric": "tabular-nums"})
    if verdict in table:
        fail = f"font-weight:bold;color:{WARNING}"
        style = style.set_properties(subset=[verdict], **{"white-space": "nowrap"}).map(
            lambda text: fail if "fail" in text else "", subset=[verdict])
    heads = {"selector": "th", "props": f"text-align:left;vertical-align:top;padding:{padding}"}
    return style.set_table_styles([heads])


def facts_table(facts: Mapping, columns: int = 1):
    """Names and values, such as settings or where data come from, as a compact table.

    Args:
        facts: name -> value; empty values ("", None, [], {}) are left out.
        columns: int, pairs side by side.

    Returns:
        HTML, shown by a notebook as a table.
    """
    from IPython.display import HTML

    cell = "text-align:left;vertical-align:top;padding:.25em .9em;overflow-wrap:anywhere"
    pairs = [
        f'<th scope="row" style="{cell};white-space:nowrap">'
        f'{html.escape(str(name).replace("_", " "))}</th>'
        f'<td style="{cell}">{html.escape(_fact(value))}</td>'
        for name, value in facts.items()
        if value is not None and not (hasattr(value, "__len__") and not len(value))]
    deep = -(-len(pairs) // columns)
    rows = [f"<tr>{''.join(pairs[row::deep])}</tr>" for row in range(deep)]
    return HTML(f"<table>{''.join(rows)}</table>")


def notes(lines: Iterable[str]):
    """Sentences as a list, shown by a notebook; HTML, empty without any."""
    from IPython.display import HTML

    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return HTML(f"<ul>{items}</ul>" if items else "")


def measures_table(measures: pd.DataFrame):
    """The table of measures: value and real-vs-real baseline with intervals, what is better.

    Args:
        measures: DataFrame, one row a measure (the index names it), columns `value` and any of
            `low`, `high` (confidence interval), `baseline` (real against real), `baseline_low`,
            `baseline_high`, `better` ("low" or "high"), `at_baseline`, `p_value`, `unit`, `passed`
            (True, False or missing). `ratio` = value / baseline is added where it is missing.

    Returns:
        pandas Styler.

    Raises:
        InputError: no column `value`.
    """
    if "value" not in getattr(measures, "columns", ()):
        raise InputError("The table of measures has no values.",
                         expected="a DataFrame with a column 'value'",
                         got=f"columns {list(getattr(measures, 'columns', []))}",
                         fix="give one row a measure, with value, baseline, low and high")
    table = pd.DataFrame({"value": measures["value"].map(_number)})
    if {"low", "high"} <= set(measures):
        table["95 % interval"] = _intervals(measures[["low", "high"]])
    if "better" in measures:
        table["better"] = measures["better"].map({"low": "less", "high": "more"})
    if "baseline" in measures:
        table["real against real"] = measures["baseline"].map(_number)
        if {"baseline_low", "baseline_high"} <= set(measures):
            table["its 95 % interval"] = _intervals(measures[["baseline_low", "baseline_high"]])
        ratio = measures.get("ratio", measures["value"] / measures["baseline"].replace(0, np.nan))
        table["ratio"] = ratio.astype(float).map("{:.2f} ×".format).where(ratio.notna(), "")
    if "p_value" in measures and measures["p_value"].notna().any():
        table["p"] = measures["p_value"].map(_number)
    right = [name for name in table if name != "better"]
    if "at_baseline" in measures and "baseline" in measures:
        known = measures["value"].notna() & measures.filter(like="baseline").drop(
            columns="at_baseline").notna().any(axis=1)
        table["as real"] = measures["at_baseline"].astype(bool).map(
            {True: "✓ yes", False: "✗ no"}).where(known, "")
    if "unit" in measures:
        table["unit"] = measures["unit"].fillna("")
    if "passed" in measures:
        table["gate"] = ["" if pd.isna(passed) else VERDICTS[bool(passed)]
                         for passed in measures["passed"]]
    return text_table(table.rename_axis(None), right, "gate")


def _intervals(ends: pd.DataFrame) -> pd.Series:
    low, high = (ends[name].map(_number).astype(str) for name in ends)  # also of an empty table
    return (low + " to " + high).where(ends.notna().all(axis=1), "")


def gate_table(gate):
    """The release gate's table with a word and a sign a row; `gate`: `Gate`."""
    table = gate.table.rename_axis(None).assign(verdict=gate.table["verdict"].map(VERDICTS))
    return text_table(table, verdict="verdict")


def _fact(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_fact(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_fact, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _number(value) -> str:
    if value is None or value != value:
        return ""
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"
