"""One report: made, or found up to date.

A report is up to date if its notebook, parameters, data and code are those that made it. If only
the notebook's text changed, the text is replaced and nothing is run. If figures or captions of an
experiment changed, its notebook is run on the kept results, which takes seconds.
"""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

from ecg_tf.base.code import COMPUTING, bare_code, code_digest
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.config.experiment import Experiment
from ecg_tf.study.execution import run_notebook, without_paths
from ecg_tf.study.pages import read_executed, to_html
from ecg_tf.study.plans import Plan
from ecg_tf.study.reports import COMPARISON, keep_report, read_report
from ecg_tf.study.results import RESULTS, read_results

LESSON_ONLY = "lesson-only"  # tag of cells that a report of an experiment does not have
INJECTED = "injected-parameters"
_SHOWING = ("figures", "study/report_text.py", "study/comparison.py")


def make_report(plan: Plan, output="reports", progress: bool = True, cwd=".") -> tuple[Path, Path]:
    """Runs a plan's notebook in the folder `cwd`; writes the executed copy, its page and its JSON
    file.

    Gives the paths of copy and page. InputError, NotebookError: as `run_notebook`.
    """
    executed = run_notebook(plan.notebook, plan.report(output), plan.parameters, progress=progress,
                            cwd=cwd)
    return executed, _publish(plan, read_executed(executed), executed, cwd)


def is_done(plan: Plan, output="reports") -> bool:
    """Whether a plan's report is there, made by the same code, parameters and data.

    Where the notebook's text alone changed, it is replaced in the report.
    """
    path = plan.report(output)
    try:
        about = read_report(path.with_suffix(".json")).about
        if about.get("code") != report_code(plan):
            return False
        executed = read_executed(path)
        if about.get("text") != (text := _text_of(plan)):
            executed.cells = _with_text(executed.cells, read_executed(plan.notebook).cells)
            _publish(plan, executed, path, ".")
            print(f"text replaced: {plan.name}" if text else "", flush=True)
    except (InputError, OSError, IndexError):
        return False
    if not path.with_suffix(".html").exists():
        to_html(path)
    return True


def report_code(plan: Plan, cwd=".") -> str | None:
    """A digest of all that decides about a report but the notebook's text; None without its run.

    Of an experiment that is the kept run; of the comparison, all runs; of a lesson, the code.
    """
    cells = [cell for cell in read_executed(plan.notebook).cells if cell.cell_type == "code"]
    facts = [without_paths(dict(plan.parameters)), [_bare(cell.source) for cell in cells]]
    if plan.is_experiment:
        from ecg_tf.study.run import kept_result

        kept = kept_result(_experiment(plan, cwd))
        if kept is None:
            return None
        facts += [kept.content["key"], code_digest(*_SHOWING)]
    elif plan.notebook.stem == COMPARISON:
        runs = Path(cwd, plan.parameters.get("runs_dir", "runs"))
        files = sorted([*runs.glob(f"*/{RESULTS}"), *runs.glob(f"*/*/{RESULTS}")])
        facts += [[str(file), hashlib.sha256(file.read_bytes()).hexdigest()] for file in files]
        facts.append(code_digest(*_SHOWING))
    else:
        facts.append(code_digest(*COMPUTING))
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]


def _publish(plan: Plan, executed, path: Path, cwd) -> Path:
    """Writes a report's three files from its executed notebook; returns the page's path."""
    import nbformat

    results = {}
    if plan.is_experiment:
        executed.cells = [cell for cell in executed.cells
                          if LESSON_ONLY not in cell.metadata.get("tags", [])]
        for cell in executed.cells:
            if cell.cell_type == "code":  # how far the run was, of interest while it ran
                cell.outputs = [output for output in cell.outputs
                                if (output.output_type, output.get("name")) != ("stream", "stdout")]
        first = next((cell for cell in executed.cells if cell.cell_type == "markdown"), None)
        if first is not None:  # titles differ
            first.source = re.sub(r"^# (?!.*: ).*$", lambda found: f"{found[0]}: {plan.name}",
                                  first.source, count=1, flags=re.M)
        file = _experiment(plan, cwd).folder / RESULTS
        results = read_results(file) if file.is_file() else {}
    write_whole(path, nbformat.writes(executed))
    keep_report(executed, path.with_suffix(".json"), results, code=report_code(plan, cwd),
                text=_text_of(plan), parameters=plan.parameters)
    return to_html(path)


def _with_text(executed: list, source: list) -> list:
    """The source's cells, code cells with what they gave when they were executed."""
    code = [cell for cell in executed if cell.cell_type == "code"]
    cells = []
    for cell in source:
        cells.append(cell if cell.cell_type != "code" else code.pop(0))
        while cell.cell_type == "code" and code and INJECTED in code[0].metadata.get("tags", []):
            cells.append(code.pop(0))
    return cells


def _text_of(plan: Plan) -> str:
    text = [cell.source for cell in read_executed(plan.notebook).cells if cell.cell_type != "code"]
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:16]


def _bare(source: str) -> str:
    try:
        return bare_code(source)
    except SyntaxError:  # such as %matplotlib
        return source


def _experiment(plan: Plan, cwd) -> Experiment:
    experiment = Experiment.from_dict(plan.parameters)
    return replace(experiment, runs_dir=str(Path(cwd, experiment.runs_dir)))
