"""Reports beside each other: each in brief, and the page over all.

Beside `reports/<name>.ipynb` and `.html` lies `<name>.json`: a copy of the run's `results.json`,
and a part "report" with title, question, parameters and a picture. Index and table are made of
these files alone, so that a clone without runs can make them.
"""

import io
import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.evaluation.gate import REIDENTIFIED
from ecg_tf.study.pages import render, to_html
from ecg_tf.study.results import read_results

INDEX = "index.html"
THUMBNAIL = (400, 240)  # pixels; shown at 320 or less, so that lines stay sharp on fine screens
EXPERIMENT, COMPARISON = "05_experiment", "10_comparison"
#: Titles of the index's parts, each with its notebook; the rest are lessons.
PARTS = {"All runs beside each other": COMPARISON, "Experiments": EXPERIMENT, "Lessons": "",
         "Synthetic sets made elsewhere": "evaluate"}
_FIGURE = re.compile(
    r'<img alt="(?P<alt>[^"]*)"[^>]*src="data:image/png;base64,(?P<png>[A-Za-z0-9+/=]+)"')


@dataclass(frozen=True)
class Report:
    """A report, from its JSON file.

    Args:
        name: of its files.
        about: the part "report": notebook, title, question, parameters, learned, date, minutes,
            alt, thumbnail, code.
        results: of the run; without measures for lessons.
    """

    name: str
    about: dict
    results: dict

    def measure(self, name: str) -> tuple[float, float]:
        """(value, baseline), NaN where it is missing.

        Raises:
            InputError: no such measure.
        """
        for row in self.results.get("measures") or ():
            if row["name"] == name:
                value, baseline = (math.nan if row.get(key) is None else row[key]
                                   for key in ("value", "baseline"))
                return value, baseline
        raise InputError(f"The report '{self.name}' has no measure '{name}'.",
                         expected="a finished report of notebook 05, with its attacks",
                         got=f"{len(self.results.get('measures') or ())} measures",
                         fix="make this report again, or take its line out of columns.csv")


def read_report(path) -> Report:
    """Reads `<name>.json` beside a report.

    Raises:
        InputError: no such file, or it is of no report.
    """
    path = Path(path)
    try:
        content = read_results(path)
        return Report(path.stem, content.pop("report"), content)
    except (OSError, KeyError) as error:
        raise InputError(f"'{path}' is of no report.", expected="what `report` writes",
                         got=type(error).__name__, fix="make the report again") from error


def keep_report(executed, path, results: dict, **about) -> Path:
    """Writes `<name>.json`: the results of a run ({} for lessons), and what the executed notebook
    says of itself, with more `about` it for the part "report", such as the parameters."""
    ran = executed.metadata.get("papermill") or {}
    text = [cell.source for cell in executed.cells if cell.cell_type == "markdown"]
    first = text[0] if text else ""
    title = re.search(r"^#\s+(.+)$", first, re.M)
    question = re.search(r"\*\*(?:Question:\s*)?([^*]+\?)\*\*", first)
    about = {
        "notebook": Path(str(ran.get("input_path", ""))).stem,
        "title": _plain(title[1]) if title else Path(path).stem,
        "question": _plain(question[1]) if question else "",
        "learned": _learned(executed),
        "date": str(ran.get("end_time") or "")[:10],
        "minutes": round(float(ran.get("duration") or 0) / 60, 2),
        **_picture(executed),
        **about,
    }
    return write_whole(path, json.dumps({"report": about, **results}, indent=1))


def make_pages(folder="reports") -> tuple[Path, int]:
    """Makes the HTML page of every report in a folder, and the page over all of them.

    Gives the path of the page over all and the number of reports. InputError: there is no report,
    or one that cannot be read.
    """
    paths = sorted(path for path in Path(folder).glob("*.ipynb")
                   if not path.name.startswith(".") and ".failed" not in path.suffixes)
    if not paths:
        raise InputError(f"There is no report in '{folder}'.", expected="executed notebooks",
                         got="none" if Path(folder).is_dir() else "no such folder",
                         fix="make one first (make report), or name their folder")
    for path in paths:
        to_html(path)
    page = index_page([read_report(path.with_suffix(".json")) for path in paths])
    return write_whole(Path(folder) / INDEX, page), len(paths)


def index_page(reports: Sequence[Report]) -> str:
    """The page over all reports, HTML that loads nothing; their pages lie beside it."""
    of_notebook = {notebook: part for part, notebook in PARTS.items()}
    found: dict[str, list[dict]] = {part: [] for part in PARTS}
    for report in reports:
        found[of_notebook.get(report.about["notebook"], "Lessons")].append(_card(report))
    return render("index", title="Reports on synthetic ECGs",
                  parts={part: cards for part, cards in found.items() if cards})


def key_figures(report: Report) -> str:
    """One line of what came out: measures with their baselines, or the first thing learned."""
    if not report.results.get("measures"):
        return (report.about.get("learned") or [""])[0]
    value, baseline = report.measure("MMD²")
    parts = [f"MMD² {value / baseline:.2g} × baseline" if baseline > 0 else f"MMD² {value:.3g}"]
    names = {row["name"] for row in report.results["measures"]}
    parts += [f"{name} {report.measure(name)[0]:.2f} (real: {report.measure(name)[1]:.2f})"
              for name in ("precision", "recall") if name in names]
    if REIDENTIFIED in names and not math.isnan(report.measure(REIDENTIFIED)[0]):
        value, baseline = report.measure(REIDENTIFIED)
        parts.append(f"{100 * value:.2g}\u00a0% of the strips accepted as a training person (new "
                     f"persons: {100 * baseline:.2g}\u00a0%)")
    if "privacy" in report.results:
        passed = report.results["privacy"]["passed"]
        parts.append(f"release gate: {'passed' if passed else 'not passed'}")
    return " · ".join(parts)


# What an executed notebook says of itself


def _picture(executed) -> dict:
    """Alt text and thumbnail: real beside synthetic, else synthetic strips, else any figure."""
    shown = [str(output.data["text/html"]) for cell in executed.cells
             for output in cell.get("outputs", []) if "text/html" in output.get("data", {})]
    figures = [found.groups() for text in shown for found in _FIGURE.finditer(text)]
    chosen = [figure for words in ("real ECGs (left", "synthetic strips", "")
              for figure in figures if words in figure[0]]
    if not chosen or not (small := thumbnail(b64decode(chosen[0][1]))):
        return {}
    from html import unescape

    return {"alt": unescape(chosen[0][0]), "thumbnail": b64encode(small).decode()}


def thumbnail(png: bytes) -> bytes:
    """The upper left part of a picture as a small palette PNG; b"" if it cannot be read."""
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(png)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return b""
    width, height = THUMBNAIL
    # Wide figures are cut at their right end, tall ones at their lower: lines stay readable.
    scale = max(width / picture.width, min(height / picture.height, 0.62))
    cut = picture.crop((0, 0, round(width / scale), round(height / scale)))
    over = Image.new("RGB", cut.size, "white")
    over.paste(picture, (0, 0))
    small = over.resize(THUMBNAIL, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.quantize(128, dither=Image.Dither.NONE).save(out, format="png", optimize=True)
    return out.getvalue()


def _learned(executed) -> list[str]:
    """The last list that was computed: a lesson ends with what was learned."""
    texts = [str(output.data["text/markdown"]) for cell in executed.cells
             for output in cell.get("outputs", []) if "text/markdown" in output.get("data", {})]
    lists = [[_plain(line[2:]) for line in text.splitlines() if line.startswith("- ")]
             for text in texts]
    return next(filter(None, reversed(lists)), [])


def _plain(markdown: str) -> str:
    """A line without its markup."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", " ".join(markdown.split()))
    return re.sub(r"[`*$]", "", text)


# The index's cards


def _card(report: Report) -> dict:
    about, experiment = report.about, report.about["notebook"] == EXPERIMENT
    seeds = about["parameters"].get("seeds", about["parameters"].get("seed", ""))
    seeds = ", ".join(map(str, seeds)) if isinstance(seeds, list) else str(seeds)
    commit = report.results.get("git", "")
    minutes = about.get("minutes") or 0
    made = [about.get("date", ""), f"{minutes:.1f} min" * bool(minutes),
            f"seed {seeds}" * bool(seeds), f"code {commit}" * bool(commit)]
    return {"name": report.name, "alt": about.get("alt", ""),
            "thumbnail": about.get("thumbnail", ""),
            "heading": report.name if experiment else about["title"],
            "text": _settings(report) if experiment else about["question"],
            "figures": key_figures(report), "made": [fact for fact in made if fact]}


def _settings(report: Report) -> str:
    own = report.results.get("experiment") or report.about["parameters"]
    parts = [f"arrangement {own.get('arrangement')}", f"model {own.get('model')}",
             f"scaling {own.get('scaling')}", f"{own.get('steps', 0):,} steps"]
    if own.get("subject_mixing", 1) > 1:
        parts.append(f"subject mixing (k = {own['subject_mixing']})")
    if own.get("even_subjects"):
        parts.append("all persons seen equally often")
    database = (report.results.get("data") or {}).get("title") or own.get("database")
    return f"{', '.join(parts)}; {database}."
