"""What an executed report says of itself: title, question, measures, pictures, date, seed.

All is read from what the reader sees too, the outputs and the parameters of the notebook: a report
needs nothing beside it, and nothing can differ from what stands in it.
"""

import ast
import base64
import html
import math
import re
from dataclasses import dataclass
from pathlib import Path

from ecg_tf.study.html import read_executed

VALUE, FLOOR = "value", "real against real"  # heads of the table of measures
_FIGURE = re.compile(
    r'<img alt="(?P<alt>[^"]*)"[^>]*src="data:image/png;base64,(?P<png>[A-Za-z0-9+/=]+)"'
)


@dataclass(frozen=True)
class Report:
    """One executed notebook.

    Args:
        name: of its file.
        title: its first heading.
        question: the question it asks; "" if it names none.
        notebook: the notebook it is the executed copy of.
        parameters: name -> value, those of the parameters cell and those given.
        facts: name -> text, of the tables of facts, such as "seed" and "git commit".
        measures: name -> (value, baseline), as printed; NaN where nothing is printed.
        gate: "passed", "not passed", or "" where nobody judged.
        learned: what was learned, one line each, without markup.
        figures: (alt text, PNG) of each figure, in order.
        date: the day it was made, "" if unknown.
        minutes: how long it ran; NaN if unknown.
    """

    name: str
    title: str
    question: str
    notebook: str
    parameters: dict
    facts: dict
    measures: dict
    gate: str
    learned: tuple[str, ...]
    figures: tuple[tuple[str, bytes], ...]
    date: str
    minutes: float

    @property
    def seed(self) -> str:
        """Seed or seeds, as text; "" if it has none."""
        seeds = self.parameters.get("seeds", self.facts.get("seed", self.parameters.get("seed")))
        if isinstance(seeds, list | tuple):
            return ", ".join(map(str, seeds))
        return "" if seeds is None else str(seeds)


def read_report(path) -> Report:
    """Reads an executed notebook.

    Args:
        path: of the .ipynb.

    Returns:
        Report.

    Raises:
        InputError: no such notebook, or a file that is none.

    Example:
        >>> read_report("reports/mitdb-companded-beat_rows-dcgan.ipynb").measures["recall"]
        (0.34, 0.45)
    """
    path = Path(path)
    notebook = read_executed(path)
    ran = dict(notebook.metadata.get("papermill") or {})
    said = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    first = said[0] if said else ""
    title = re.search(r"^#\s+(.+)$", first, re.M)
    question = re.search(r"\*\*(?:Question:\s*)?([^*]+\?)\*\*", first)
    facts, measures, figures = _shown(notebook)
    return Report(
        name=path.stem,
        title=_plain(title[1]) if title else path.stem,
        question=_plain(question[1]) if question else "",
        notebook=Path(str(ran.get("input_path", ""))).stem,
        parameters=_parameters(notebook) | dict(ran.get("parameters") or {}),
        facts=facts,
        measures=measures,
        gate=_gate(notebook),
        learned=_learned(notebook),
        figures=figures,
        date=str(ran.get("end_time") or "")[:10],
        minutes=_number(ran.get("duration")) / 60,
    )


def _outputs(notebook, kind: str):
    """All outputs of a kind of media, as text, each with the number of its cell."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if kind in output.get("data", {}):
                yield number, "".join(output["data"][kind])


def _shown(notebook) -> tuple[dict, dict, tuple]:
    from bs4 import BeautifulSoup

    facts, measures, figures = {}, {}, []
    for _, shown in _outputs(notebook, "text/html"):
        figures += [(html.unescape(found["alt"]), base64.b64decode(found["png"]))
                    for found in _FIGURE.finditer(shown)]
        if "<table" not in shown or "base64," in shown:
            continue
        for table in BeautifulSoup(shown, "html.parser").find_all("table"):
            heads = [cell.get_text(" ", strip=True) for cell in table.select("thead th")]
            rows = [[cell.get_text(" ", strip=True) for cell in row(["th", "td"])]
                    for row in table("tr") if row.find("td")]
            if {VALUE, FLOOR} <= set(heads):
                at = heads.index(VALUE), heads.index(FLOOR)
                measures |= {row[0]: (_number(row[at[0]]), _number(row[at[1]]))
                             for row in rows if len(row) == len(heads)}
            elif not heads:  # names and values side by side
                facts |= {name: value for row in rows
                          for name, value in zip(row[::2], row[1::2], strict=False)}
    return facts, measures, tuple(figures)


def _gate(notebook) -> str:
    for _, shown in _outputs(notebook, "text/markdown"):
        if found := re.match(r"\*\*(Passed|Not passed)\.\*\*", shown):
            return found[1].lower()
    return ""


def _learned(notebook) -> tuple[str, ...]:
    """The last list that was computed: a notebook ends with what was learned."""
    lists = [[line for line in shown.splitlines() if line.startswith("- ")]
             for _, shown in _outputs(notebook, "text/markdown")]
    return tuple(_plain(line[2:]) for line in next(filter(None, reversed(lists)), []))


def _parameters(notebook) -> dict:
    """What the cell tagged "parameters" assigns, where it is a plain value."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            for line in ast.parse(cell.source).body:
                if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                    try:
                        found[line.targets[0].id] = ast.literal_eval(line.value)
                    except ValueError:
                        continue  # computed: only a run of the notebook would tell
    return found


def _plain(markdown: str) -> str:
    """A line without its markup."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", " ".join(markdown.split()))
    return re.sub(r"[`*$]", "", text)


def _number(text) -> float:
    try:
        return float(str(text).replace(",", ""))
    except ValueError:  # an empty cell
        return math.nan
