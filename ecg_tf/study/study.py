"""All reports of a study: what is up to date is left, a failure does not stop the rest.

A study that was killed continues when the same command is given again.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.base.locks import holding
from ecg_tf.study.execution import NotebookError
from ecg_tf.study.making import is_done, make_report
from ecg_tf.study.plans import Plan, comparison_plan
from ecg_tf.study.reports import read_report


@dataclass(frozen=True)
class Outcome:
    """The outcome of a plan."""

    plan: Plan
    state: str  # "done" (before already), "made" or "failed"
    minutes: float = np.nan  # how long its notebook ran; NaN where that is not known
    reason: str = ""  # why it failed, in one line


def run_study(plans: Sequence[Plan], output="reports",
              elsewhere: Callable[..., list[Outcome]] | None = None) -> list[Outcome]:
    """Makes all reports that are not up to date, then the comparison over all runs.

    Progress, failures and a summary are printed; the comparison's outcome is the last. `elsewhere`
    makes the reports of (plans, output) in other processes, such as `cluster.make_reports`; None
    makes one after another here. InputError: another study writes into the same folder of reports.
    KeyboardInterrupt: Ctrl-C, after a summary of what is kept.
    """
    with holding(output, ".study.lock"):
        to_run, outcomes, times = [], [], []
        for plan in plans:
            minutes = _minutes(plan, output)
            times += [(plan, minutes)] * bool(np.isfinite(minutes))  # a guess at the new one
            if is_done(plan, output):
                print(f"done: {plan.name}", flush=True)
                outcomes.append(Outcome(plan, "done", minutes))
            else:
                to_run.append(plan)
        if elsewhere is not None and to_run:
            outcomes += elsewhere(to_run, output)
            to_run = []
        comparison = comparison_plan()
        if comparison.notebook.exists():
            to_run.append(comparison)
        for number, plan in enumerate(to_run):
            if plan is comparison and is_done(plan, output):
                print(f"done: {plan.name}")
                outcomes.append(Outcome(plan, "done", _minutes(plan, output)))
                continue
            print(f"[{number + 1} of {len(to_run)}] {plan.name}: {plan.notebook.stem} with "
                  f"{len(plan.parameters)} parameters; {_left(to_run[number:], times)}",
                  flush=True)
            outcomes.append(_made(plan, output, outcomes))
            times += [(plan, outcomes[-1].minutes)] * (outcomes[-1].state == "made")
    print("\n" + summary(outcomes, output), flush=True)
    return outcomes


def summary(outcomes: Sequence[Outcome], output="reports") -> str:
    """A table of all outcomes for people, and a line that counts them."""
    import pandas as pd

    table = pd.DataFrame([
        {"report": o.plan.name, "notebook": o.plan.notebook.stem, "state": o.state,
         "minutes": "" if np.isnan(o.minutes) else f"{o.minutes:.1f}",
         "MMD² / baseline": "" if np.isnan(ratio := _distance(o.plan, output)) else f"{ratio:.1f}"}
        for o in outcomes
    ])
    made, done, failed = (sum(o.state == s for o in outcomes) for s in ("made", "done", "failed"))
    line = f"{made} reports made, {done} were done before, {failed} failed."
    return "\n".join([table.to_string(index=False), line]) if len(table) else line


def _made(plan: Plan, output, before: Sequence[Outcome]) -> Outcome:
    start = time.monotonic()
    try:
        make_report(plan, output, progress=sys.stderr.isatty())
        minutes = (time.monotonic() - start) / 60
        print(f"    made in {minutes:.1f} min: {plan.report(output)}", flush=True)
        return Outcome(plan, "made", minutes)
    except (InputError, NotebookError) as error:
        reason = " ".join(str(error).split())
        print(f"    failed: {reason}", flush=True)
        return Outcome(plan, "failed", (time.monotonic() - start) / 60, reason)
    except KeyboardInterrupt:
        kept = sum(outcome.state != "failed" for outcome in before)
        print(f"\nStopped while making '{plan.name}'. Kept: {kept} finished reports in "
              f"'{output}', and the checkpoints of what was being trained.")
        raise


def _distance(plan: Plan, output) -> float:
    """MMD² of a report's run over its baseline; NaN where there is none."""
    try:
        value, baseline = read_report(plan.report(output).with_suffix(".json")).measure("MMD²")
        return value / baseline if baseline else np.nan
    except InputError:
        return np.nan


def _minutes(plan: Plan, output) -> float:
    """How long the notebook of a report ran; NaN where that is not known."""
    try:
        about = read_report(plan.report(output).with_suffix(".json")).about
        return float(about.get("minutes") or np.nan)
    except (InputError, TypeError, ValueError):
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
