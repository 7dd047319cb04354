"""Small trainings side by side: one setting differs, everything else is equal (lessons 3 and 4)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.figures.ecg_paper import ecg_paper
from ecg_tf.study.results import Result
from ecg_tf.study.run import run

Runs = Mapping[tuple[str, int], Result]
_OVERVIEW = {"precision": "precision", "recall": "recall", "discriminative AUC":
             "discriminative AUC", "strips with beats": "detectable strips"}


def train_all(plans: Mapping[tuple[str, int], Experiment]) -> dict[tuple[str, int], Result]:
    """Runs every plan, (choice, seed) -> experiment, and prints its MMD²."""
    runs = {}
    for (name, seed), plan in plans.items():
        with quiet_startup():
            import ecg_tf.training.fit  # noqa: F401  brings TensorFlow
        runs[name, seed] = run(plan, progress=False)
        print(f"{name}, seed {seed}: {plan.steps} steps, "
              f"MMD² {runs[name, seed].measures[0].value:.3f}")
    return runs


def in_baselines(runs: Runs, measures: Iterable[str]) -> dict[str, dict[str, list[float]]]:
    """Choice -> measure -> value / baseline of each seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for (name, _), result in runs.items():
        rows = {row.name: row for row in result.measures}
        for measure in measures:
            ratio = rows[measure].value / rows[measure].baseline
            found.setdefault(name, {}).setdefault(measure, []).append(ratio)
    return found


def overview(runs: Runs) -> pd.DataFrame:
    """One row a choice: mean over the seeds, with the smallest and the largest value."""
    rows = []
    for (name, _), result in runs.items():
        values = {row.name: row for row in result.measures}
        rows.append({"": name, "MMD² / baseline": values["MMD²"].value / values["MMD²"].baseline,
                     **{title: values[what].value for title, what in _OVERVIEW.items()}})
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(rows).groupby("", sort=False).agg(
        lambda v: f"{v.mean():.2f}" + (f" ({v.min():.2f} to {v.max():.2f})" if len(v) > 1 else ""))


def first_strips(runs: Runs, fs: float) -> Figure:
    """Two strips of a test person, then the first two generated ones of each choice."""
    first = {name: result.arrays for (name, _), result in reversed(list(runs.items()))}
    first = {name: first[name] for name, _ in runs}
    strips = [*next(iter(first.values()))["test"][:2, :, 0]]
    strips += [strip for arrays in first.values() for strip in arrays["synthetic"][:2, :, 0]]
    titles = ["test person"] * 2 + [name for name in first for _ in range(2)]
    real = [True] * 2 + [False] * (len(strips) - 2)
    return ecg_paper(strips, fs, titles[: len(strips)], columns=2, real=real)


def nearest_sentences(ratios: Mapping[str, Mapping[str, list[float]]], steps: int) -> list[str]:
    """What `in_baselines` says about MMD², in sentences; none without runs."""
    values = {name: row["MMD²"] for name, row in ratios.items()}
    if not values:
        return []
    mean = {name: np.mean(own) for name, own in values.items()}
    best = min(mean, key=mean.__getitem__)
    others = ", ".join(f"{name} {mean[name]:.1f}" for name in mean if name != best)
    sentences = [f"After {steps} steps the ECGs of `{best}` are nearest to real ones: MMD² "
                 f"{mean[best]:.1f} times its baseline" + (f" ({others})." if others else ".")]
    if len(values[best]) < 2:
        return [*sentences, "One seed was trained: a small difference may be chance."]
    behind = [name for name in mean if min(values[name]) > max(values[best])]
    level = [name for name in mean if name not in (best, *behind)]
    return [*sentences, f"The {len(values[best])} trainings of `{best}` lie between "
            f"{min(values[best]):.1f} and {max(values[best]):.1f}."
            + (f" Each is nearer than any of {', '.join(behind)}." if behind else "")
            + (f" So few seeds cannot distinguish it from {', '.join(level)}." if level else "")]
