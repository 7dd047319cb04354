"""The command `evaluate`: a report on a synthetic set that this software did not make."""

import json
import re
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.config.shipped import NOTEBOOKS
from ecg_tf.evaluation.baselines import plain_measures
from ecg_tf.evaluation.evaluation_data import EvaluationData
from ecg_tf.evaluation.privacy_evaluation import PrivacyEvaluation
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

    folders = {"real": str(real), "synthetic": str(synthetic), "holdout": str(holdout)}
    _check(folders)  # before a notebook is started
    name = name or f"evaluate-{Path(synthetic).expanduser().resolve().name}"
    if not re.fullmatch(r"[\w.-]+", name):
        raise InputError("The name of the report cannot be a file's.", expected="letters, digits, "
                         "'.', '-' and '_'", got=repr(name), fix="give another --name")
    metrics = Path(output) / f".{name}.metrics.json"
    report = run_notebook(NOTEBOOK, Path(output) / f"{name}.ipynb",
                          {**folders, **settings, "metrics_file": str(metrics)}, progress=progress)
    content = json.loads(metrics.read_text(encoding="utf-8"))
    metrics.unlink()
    keep_report(read_executed(report), report.with_suffix(".json"), content,
                parameters={"synthetic": Path(synthetic).expanduser().resolve().name})
    return content, to_html(report)


def gate_text(metrics: dict) -> str:
    """The gate's table for a terminal, its words, and what was not measured and why."""
    import pandas as pd

    found = metrics["privacy"]
    table = pd.DataFrame.from_dict(found["gate"], orient="index", columns=[
        "verdict", "criterion", "result"]).reset_index(names="")
    rows = [list(table), *table.astype(str).to_numpy().tolist()]
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(wide) for cell, wide in zip(row, width, strict=True)).rstrip()
             for row in rows]
    verdict = "Release gate: passed." if found["passed"] else "Release gate: failed."
    return "\n".join([*lines, "", f"{verdict} {found['words']}",
                      *(f"- {note}" for note in found["notes"])])


def write_metrics(path, data: EvaluationData, found: PrivacyEvaluation, settings: dict) -> Path:
    """Writes what was measured as JSON: measures, gate, notes, data and versions.

    Args:
        path: of the file.
        settings: name -> plain value, what the measures depend on.
    """
    from ecg_tf.base.code import git_commit, versions
    from ecg_tf.study.writing import plain_verdict

    sets = {"real": data.real, "synthetic": data.synthetic, "holdout": data.holdout}
    content = {
        "settings": settings,
        "measures": plain_measures(found.measures),
        "privacy": plain_verdict(found),
        "strips": {side: len(windows) for side, windows in sets.items() if windows is not None},
        "data": data.provenance,
        "quality": {side: book.counts() for side, book in data.quality.items()},
        "versions": versions(),
        "git": git_commit(),
    }
    return write_whole(path, json.dumps(content, indent=1))


def _check(folders: dict[str, str]) -> None:
    for side, folder in folders.items():
        if folder and not is_source(folder):
            raise InputError(f"There is no folder '{folder}' of {side} ECGs.",
                             expected="a folder or file of recordings, or a known database",
                             got="none of these", fix="check the path")
    places = [str(Path(folder).expanduser().resolve()) for folder in folders.values() if folder]
    if len(set(places)) < len(places):
        raise InputError("Two sides are one folder.", expected="different folders",
                         got=", ".join(places), fix="check the paths")
