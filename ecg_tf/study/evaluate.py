"""The command `evaluate`: a report on a synthetic set that this software did not make."""

import json
import re
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.config.shipped import NOTEBOOKS
from ecg_tf.evaluation.baselines import plain_measures
from ecg_tf.evaluation.evaluation_data import EvaluationData
from ecg_tf.evaluation.privacy_evaluation import Verdict
from ecg_tf.records.loading import is_source

NOTEBOOK = NOTEBOOKS / "evaluate.ipynb"


def evaluate(real, synthetic, holdout="", output="reports", name="", progress: bool = True,
             **settings) -> tuple[dict, Path]:
    """Writes <output>/<name>.ipynb, .html and .json.

    Args:
        real: folder of the ECGs the synthetic set was made from, WFDB, EDF or CSV.
        synthetic: folder of the synthetic set.
        holdout: folder of ECGs of other persons; "" for none.
        output: folder of the report, default "reports".
        name: of the report; default: evaluate-<name of the synthetic folder>.
        progress: bool, show how far it is. Default True.
        **settings: other parameters of notebooks/evaluate.ipynb, such as fs or leads.

    Returns:
        (what the JSON file holds, path of the HTML).

    Raises:
        InputError: folders, records or settings cannot be used.

    Example:
        >>> evaluate("mine/real", "mine/synthetic", "mine/others")[0]["privacy"]["passed"]
        False
    """
    from ecg_tf.study.execution import run_notebook
    from ecg_tf.study.pages import read_executed, to_html
    from ecg_tf.study.reports import keep_report

    folders = {"real": real, "synthetic": synthetic, "holdout": holdout}
    for side, folder in folders.items():
        # What can be seen at once is said at once, before a notebook is started.
        if folder and not is_source(str(folder)):
            raise InputError(f"There is no folder '{folder}' of {side} ECGs.",
                             expected="a folder or file of recordings, or a known database",
                             got="none of these",
                             fix="check the path")
    places = {side: str(Path(one).expanduser().resolve()) for side, one in folders.items() if one}
    if len(set(places.values())) < len(places):
        raise InputError("Two sides are one folder.", expected="different folders",
                         got=", ".join(places.values()), fix="check the paths")
    name = name or f"evaluate-{Path(places['synthetic']).name}"
    if not re.fullmatch(r"[\w.-]+", name):
        raise InputError("The name of the report cannot be a file's.", expected="letters, digits, "
                         "'.', '-' and '_'", got=repr(name), fix="give another --name")
    metrics = Path(output) / f".{name}.metrics.json"
    report = run_notebook(NOTEBOOK, Path(output) / f"{name}.ipynb",
                          {**{side: str(one) for side, one in folders.items()}, **settings,
                           "metrics_file": str(metrics)}, progress=progress)
    content = json.loads(metrics.read_text(encoding="utf-8"))
    metrics.unlink()
    keep_report(read_executed(report), report.with_suffix(".json"), content,
                parameters={"synthetic": Path(places["synthetic"]).name})
    return content, to_html(report)


def gate_text(metrics: dict) -> str:
    """The gate's table for a terminal, its words, and what was not measured and why."""
    found = metrics["privacy"]
    rows = [("", "verdict", "asked", "got"),
            *((name, row["verdict"], row["asked"], row["got"]) for name, row in
              found["gate"].items())]
    width = [max(len(str(row[column])) for row in rows) for column in range(4)]
    table = ["  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, width, strict=True)).rstrip()
             for row in rows]
    verdict = "Release gate: passed." if found["passed"] else "Release gate: failed."
    return "\n".join([*table, "", f"{verdict} {found['words']}",
                      *(f"- {note}" for note in found["notes"])])


def write_metrics(path, sides: EvaluationData, verdict: Verdict, settings: dict) -> Path:
    """Writes what was measured as JSON: measures, gate, notes, data and versions.

    Args:
        path: of the file.
        sides: `EvaluationData`.
        verdict: `Verdict`.
        settings: name -> plain value, what the measures depend on.

    Returns:
        Path.
    """
    from ecg_tf.base.code import git_commit, versions
    from ecg_tf.study.writing import plain_verdict

    cut = {"real": sides.real, "synthetic": sides.synthetic, "holdout": sides.holdout}
    content = {
        "settings": settings,
        "measures": plain_measures(verdict.measures),
        "privacy": plain_verdict(verdict),
        "strips": {side: len(windows) for side, windows in cut.items() if windows is not None},
        "data": sides.provenance,
        "quality": {side: book.counts() for side, book in sides.quality.items()},
        "versions": versions(),
        "git": git_commit(),
    }
    return write_whole(path, json.dumps(content, indent=1))
