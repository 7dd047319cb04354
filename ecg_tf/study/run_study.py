"""All experiments one after another: what is done is skipped, a failure does not stop the rest.

A report is done when it was made by the same code and parameters and, if its notebook is one that
leaves a run, the run is there too: the comparison at the end reads it. Comments and text of a
notebook may change without its being run again. Nothing else has to be remembered, so a study that
was killed goes on when the same command is given again.
"""

import ast
import copy
import fnmatch
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.base.locks import holding
from ecg_tf.config.experiment import AUTOMATIC, Experiment, before
from ecg_tf.config.renamed import current_settings
from ecg_tf.config.yaml_files import read_yaml
from ecg_tf.study.execution import NotebookError, check_parameters, run_notebook, without_paths
from ecg_tf.study.html import read_executed, to_html
from ecg_tf.study.metrics_file import read_metrics

EXPERIMENT = "05_experiment"  # the notebook of a file that names none
COMPARISON = "10_comparison"
FIRST = "quickstart"
#: Parameters that came later, with the values at which all is done as before: reports that were
#: made without them are none the worse.
LATER = before()


@dataclass(frozen=True)
class Plan:
    """One report to be made.

    Args:
        name: of the report.
        notebook: path of the notebook that is to be run.
        parameters: what it is given.
    """

    name: str
    notebook: Path
    parameters: dict

    def report(self, output="reports") -> Path:
        """Where the executed notebook will be."""
        return Path(output) / f"{self.name}.ipynb"


@dataclass(frozen=True)
class Outcome:
    """What became of a plan.

    Args:
        plan: `Plan`.
        state: "done" (before already), "made" or "failed".
        minutes: how long its notebook ran; NaN where that is not known.
        reason: why it failed, in one line.
    """

    plan: Plan
    state: str
    minutes: float = np.nan
    reason: str = ""


def read_plan(file, notebook="", notebooks="notebooks") -> Plan:
    """Reads an experiment file: parameters, and the notebook they are for (key `notebook`).

    Args:
        file: path of a YAML file.
        notebook: path of the notebook, in place of the file's; "" takes the file's.
        notebooks: folder of the notebooks.

    Returns:
        Plan; its name is the key `experiment`, or that of the file.

    Raises:
        InputError: no such file or notebook, a wrong parameter.

    Example:
        >>> read_plan("notebooks/experiments/mitdb-04_arrangement.yaml").notebook
        PosixPath('notebooks/04_arrangement.ipynb')
    """
    file = Path(file)
    parameters = current_settings(read_yaml(file))
    stem = printable(parameters.pop("notebook", EXPERIMENT), 200).removesuffix(".ipynb")
    if not re.fullmatch(r"\w[\w.-]*", stem):  # a notebook is a program: none from elsewhere
        raise InputError(f"{file}: The notebook is not named as one of '{notebooks}'.",
                         expected="a name without a path, such as 04_arrangement", got=repr(stem),
                         fix="put the notebook there, or give its path by --notebook")
    path = Path(notebook) if notebook else Path(notebooks) / f"{stem}.ipynb"
    parameters.setdefault("experiment", file.stem)
    try:
        name = Experiment(experiment=parameters["experiment"]).experiment  # fit to name a file
        if "experiment" not in check_parameters(path, {}):
            del parameters["experiment"]  # a lesson: it names its runs itself
        if path.stem == EXPERIMENT:
            Experiment.from_dict(parameters)
        check_parameters(path, parameters)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    return Plan(name, path, parameters)


def find_plans(paths: Sequence = (), only: str = "", notebooks="notebooks") -> list[Plan]:
    """All plans of a study, read and checked before the first is run.

    Args:
        paths: experiment files, or folders of them; default: the folder `experiments`.
        only: a pattern such as "mitdb-*", or a part of the name; "" takes all.
        notebooks: folder of the notebooks.

    Returns:
        list of Plan: the quickstart, then the experiments, then the lessons, by name.

    Raises:
        InputError: nothing there, a file that cannot be used, a name that is used twice, or a
            pattern that fits none.
    """
    files = []
    for path in map(Path, paths or [Path(notebooks) / "experiments"]):
        found = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not found:
            raise InputError(f"There is no experiment file in '{path}'.", expected="*.yaml",
                             got="none", fix="name another folder, or files")
        files += found
    plans = [read_plan(file, notebooks=notebooks) for file in dict.fromkeys(files)]
    names = [plan.name for plan in plans]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"Two experiment files would write the same report '{twice[0]}'.",
                         expected="a name of its own for each", got=f"{twice[0]} twice",
                         fix="change the key `experiment` of one of them")
    plans = [p for p in plans if not only or only in p.name or fnmatch.fnmatchcase(p.name, only)]
    if not plans:
        raise InputError(f"No experiment is named '{only}'.", expected=", ".join(sorted(names)),
                         got=only, fix=closest(only, names) or "use one of these names, or a "
                         "pattern such as 'mitdb-*'")
    return sorted(plans, key=lambda p: (p.name != FIRST, p.notebook.stem != EXPERIMENT, p.name))


def comparison_plan(runs_dir="", notebooks="notebooks") -> Plan:
    """The comparison of all runs.

    Args:
        runs_dir: folder of the runs; "" takes the notebook's own, which trains some tiny runs if
            there are none. A folder that is named must have some.
        notebooks: folder of the notebooks.

    Returns:
        Plan.
    """
    given = {"runs_dir": str(runs_dir), "make_runs": False} if runs_dir else {}
    return Plan("comparison", Path(notebooks) / f"{COMPARISON}.ipynb", given)


def make_report(plan: Plan, output="reports", progress: bool = True, cwd=".") -> tuple[Path, Path]:
    """Runs a plan's notebook.

    Args:
        plan: `Plan`.
        output: folder of the report.
        progress: bool, show a bar over the notebook's cells. Default True.
        cwd: folder in which the notebook runs.

    Returns:
        (path of the executed notebook, path of its HTML page).

    Raises:
        InputError, NotebookError: as `run_notebook`.
    """
    executed = run_notebook(plan.notebook, plan.report(output), plan.parameters, progress=progress,
                            cwd=cwd)
    return executed, to_html(executed)


def is_done(plan: Plan, output="reports") -> bool:
    """Whether a plan's report is there, made by the same code and parameters, its run beside it."""
    import nbformat

    try:
        executed = read_executed(plan.report(output))
    except InputError:
        return False
    source = without_paths(nbformat.read(plan.notebook, as_version=4))
    given = executed.metadata.get("papermill", {}).get("parameters")
    same = given == without_paths(copy.deepcopy(plan.parameters))
    return same and _code(executed) == _code(source) and _has_run(plan)


def run_study(
    plans: Sequence[Plan], output="reports", notebooks="notebooks", clock=time.monotonic,
    elsewhere: Callable[..., list[Outcome]] | None = None,
) -> list[Outcome]:
    """Makes all reports that are not there yet, then the comparison over all runs.

    Args:
        plans: of `find_plans`.
        output: folder of the reports.
        notebooks: folder of the notebooks; the comparison is made if it is among them.
        clock: function that gives seconds, default `time.monotonic`.
        elsewhere: makes the reports of (plans, output) in other processes, such as
            `cluster.make_reports`; None makes one after another here.

    Returns:
        list of Outcome, the comparison's last. Progress, failures and a summary are printed.

    Raises:
        InputError: another study writes into the same folder of reports.
        KeyboardInterrupt: Ctrl-C, after what is kept has been said.
    """
    with holding(output, ".study.lock"):
        return _run_study(plans, output, notebooks, clock, elsewhere)


def _run_study(plans, output, notebooks, clock, elsewhere) -> list[Outcome]:
    plans, to_run, outcomes, times = list(plans), [], [], []
    comparison = comparison_plan(notebooks=notebooks)
    if comparison.notebook.exists():
        plans.append(comparison)
    for plan in plans:
        minutes = _minutes(plan.report(output))
        if np.isfinite(minutes):
            times.append((plan, minutes))  # also of an older report: a guess at the new one
        if (plan is comparison and to_run) or not is_done(plan, output):
            to_run.append(plan)
            continue
        print(f"done: {plan.name}")
        outcomes.append(Outcome(plan, "done", minutes))
        if not (page := plan.report(output).with_suffix(".html")).exists():
            to_html(plan.report(output), page)
    if elsewhere is not None and (others := [plan for plan in to_run if plan is not comparison]):
        outcomes += elsewhere(others, output)
        to_run = to_run[len(others):]  # the comparison comes last, here
    for number, plan in enumerate(to_run):
        print(f"[{number + 1} of {len(to_run)}] {plan.name}: {plan.notebook.stem} with "
              f"{len(plan.parameters)} parameters; {_left(to_run[number:], times)}",
              flush=True)
        start = clock()
        try:
            make_report(plan, output, progress=sys.stderr.isatty())
            outcomes.append(Outcome(plan, "made", (clock() - start) / 60))
            times.append((plan, outcomes[-1].minutes))
            print(f"    made in {outcomes[-1].minutes:.1f} min: {plan.report(output)}", flush=True)
        except (InputError, NotebookError) as error:
            reason = " ".join(str(error).split())
            outcomes.append(Outcome(plan, "failed", (clock() - start) / 60, reason))
            print(f"    failed: {reason}", flush=True)
        except KeyboardInterrupt:
            kept = sum(outcome.state != "failed" for outcome in outcomes)
            print(f"\nStopped while making '{plan.name}'. Kept: {kept} finished reports in "
                  f"'{output}', and the checkpoints of what was being trained.")
            raise
    print("\n" + summary(outcomes), flush=True)
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> str:
    """A table of all outcomes for people, and a line that counts them."""
    import pandas as pd

    table = pd.DataFrame([
        {"report": o.plan.name, "notebook": o.plan.notebook.stem, "state": o.state,
         "minutes": "" if np.isnan(o.minutes) else f"{o.minutes:.1f}",
         "MMD² / baseline": "" if np.isnan(ratio := _distance(o.plan)) else f"{ratio:.1f}"}
        for o in outcomes
    ])
    made, done, failed = (sum(o.state == s for o in outcomes) for s in ("made", "done", "failed"))
    line = f"{made} reports made, {done} were done before, {failed} failed."
    return "\n".join([table.to_string(index=False), line]) if len(table) else line


def _code(notebook) -> list[str]:
    code = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or "injected-parameters" in cell.metadata.get("tags", []):
            continue
        try:
            tree = ast.parse(cell.source)
            tree.body = [line for line in tree.body if not _as_before(line)]
            code.append(ast.dump(tree))  # comments and line breaks do not count
        except SyntaxError:  # such as %matplotlib
            code.append(cell.source)
    return code


def _as_before(line: ast.stmt) -> bool:
    """Whether a line gives a parameter of `LATER` its value there."""
    if not isinstance(line, ast.Assign):
        return False
    try:
        value = ast.literal_eval(line.value)
    except (ValueError, SyntaxError):
        return False
    return any(isinstance(target, ast.Name) and LATER.get(target.id, ...) == value
               for target in line.targets)


def _metrics(plan: Plan) -> dict:
    if "experiment" not in plan.parameters:
        return {}
    try:
        return read_metrics(Experiment.from_dict(plan.parameters).folder / "metrics.json")
    except (OSError, InputError):  # none, or a damaged one: it has to be made
        return {}


def _has_run(plan: Plan) -> bool:
    if plan.notebook.stem != EXPERIMENT:
        return True
    used = _metrics(plan).get("experiment", {})
    wanted = Experiment.from_dict(plan.parameters).to_dict()
    return all(name in used and wanted[name] in (used[name], AUTOMATIC.get(name, ...))
               for name in plan.parameters)


def _distance(plan: Plan) -> float:
    """MMD² of a plan's run over its baseline; NaN where there is none."""
    if plan.notebook.stem != EXPERIMENT:
        return np.nan
    measures = {m.get("name"): m for m in _metrics(plan).get("measures", [])}
    value, baseline = (measures.get("MMD²", {}).get(key) for key in ("value", "baseline"))
    return value / baseline if value is not None and baseline else np.nan


def _minutes(report: Path) -> float:
    """How long the notebook of a report ran, as papermill wrote it down; NaN where it did not."""
    try:
        metadata = json.loads(report.read_text(encoding="utf-8"))["metadata"]
        return float(metadata["papermill"]["duration"]) / 60
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return np.nan


def _left(plans: Sequence[Plan], times: Sequence[tuple[Plan, float]]) -> str:
    """Time left, from what the same report, notebook and database took before."""
    total = 0.0
    for plan in plans:
        pools = (
            [t for p, t in times if p.name == plan.name],
            [t for p, t in times if (p.notebook, p.parameters.get("database"))
             == (plan.notebook, plan.parameters.get("database"))],
            [t for p, t in times if p.notebook == plan.notebook],
            [t for _, t in times],
        )
        pool = next((pool for pool in pools if pool), None)
        if pool is None:
            return "time left not known yet"
        total += pool[-1] if pool is pools[0] else float(np.mean(pool))
    return f"about {total:.0f} min left" if total >= 1 else "less than a minute left"
