"""Do the measures agree over runs, and which of them are fooled?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ecg_tf.study.comparison import DISTANCE, Run

#: The measures that look at whole distributions: the panel that each other is held against.
PANEL = (DISTANCE, "Fréchet distance", "discriminative AUC")
#: What a measure does not look at, by its definition.
BLIND = {
    "MMD²": "which of shape, variation, rhythm and spectrum is wrong",
    "precision": "what is missing",
    "recall": "what is false",
    "density": "what is missing",
    "coverage": "false strips beside good ones",
    "Fréchet distance": "all but mean and covariance",
    "discriminative AUC": "how small the trace is by which it tells: very strict",
    "heart rate W1": "strips without beats, and all shapes",
    "RR W1": "strips without beats, and all shapes",
    "SDNN W1": "strips without beats, and all shapes",
    "RMSSD W1": "strips without beats, and all shapes",
    "R amplitude W1": "strips without beats; P, T, rhythm",
    "amplitude W1": "the order of samples: shuffled ones pass",
    "log-PSD distance": "phases: a noise of the right spectrum passes",
    "detectable strips": "all but that there are beats",
    "P duration W1": "strips without P waves, and all but their length",
    "PR interval W1": "strips without P waves, and all shapes",
    "QRS duration W1": "all but its length",
    "QT interval W1": "all but its length",
    "P amplitude by lead W1": "strips without P waves, and all other shapes",
    "R amplitude by lead W1": "strips without beats; P, T, rhythm",
    "T amplitude by lead W1": "strips without T waves, and all other shapes",
    "delineated strips": "all but that QRS and QT have plausible lengths",
    "diversity": "whether they are ECGs: noise is diverse",
    "near-duplicates": "whether they are ECGs: noise has none",
    "seam ratio": "all but the seams",
}


def shortfalls(runs: Sequence[Run]) -> pd.DataFrame:
    """How far each run of a field falls short of real persons, by every measure of fidelity.

    (run, measure): value minus baseline, turned so that less is better. Where some runs have no
    baseline, the value itself.
    """
    from ecg_tf.evaluation.gate import PRIVACY

    names = dict.fromkeys(name for run in runs for name in run.measures)
    table = {}
    for name in (name for name in names if not name.startswith(PRIVACY)):
        sign = next(-1.0 if run.measures[name]["better"] == "high" else 1.0
                    for run in runs if name in run.measures)
        value, baseline = (np.array([run.number(name, field) for run in runs])
                           for field in ("value", "baseline"))
        known = np.isfinite(baseline[np.isfinite(value)]).all()
        table[name] = sign * (value - baseline if known else value)
    return pd.DataFrame(table, index=[run.name for run in runs])


def agreement(runs: Sequence[Run], fewest: int = 4) -> pd.DataFrame:
    """Do measures put the runs in the same order? Spearman's rank correlation of each pair.

    Args:
        runs: of one field.
        fewest: runs that two measures must have in common, default 4.

    Returns:
        DataFrame (measure, measure), NaN for pairs of too few runs. Measures that are the same
        for all runs are left out; those that agree most with all others come first. Empty if
        there are too few runs.
    """
    table = shortfalls(runs)
    table = table[[name for name in table
                   if table[name].nunique() > 1 and table[name].count() >= fewest]]
    matrix = table.corr(method="spearman", min_periods=fewest)
    order = mean_agreement(matrix).index
    return matrix.loc[order, order]


def mean_agreement(matrix: pd.DataFrame) -> pd.Series:
    """Mean rank correlation of each measure with all others, highest first."""
    others = matrix.where(~np.eye(len(matrix), dtype=bool))
    return others.mean(axis=1).sort_values(ascending=False, kind="stable")


def as_good_as_real(runs: Sequence[Run]) -> pd.DataFrame:
    """Which measure takes which run for real: not worse than its baseline's interval.

    Returns:
        DataFrame (run, measure) of 1.0 (passes), 0.0 (worse than real) and NaN (not measured).
    """
    values = shortfalls(runs)
    rows = [[float(run.measures[name]["at_baseline"]) if np.isfinite(run.number(name)) else np.nan
             for name in values.columns] for run in runs]
    return pd.DataFrame(rows, index=values.index, columns=values.columns)


def panel_first(runs: Sequence[Run]) -> tuple[pd.DataFrame, int]:
    """`as_good_as_real` with the panel first, then those that are fooled least; and its size."""
    table, share = as_good_as_real(runs), fooled(runs)["share"].fillna(0)
    panel = [name for name in PANEL if name in table]
    rest = [name for name in share.sort_values(kind="stable").index if name not in PANEL]
    return table[panel + rest], len(panel)


def fooled(runs: Sequence[Run]) -> pd.DataFrame:
    """Which measures pass runs that the panel rejects?

    A run is *rejected* if at least two of MMD², Fréchet distance and discriminative AUC are
    past their baselines; the measure in question is left out of the panel.

    Args:
        runs: of one field.

    Returns:
        DataFrame, index measure: `rejected` (runs), `passed` (of these, not worse
        than real), `share`, `alone` (runs that the whole panel passes, and this measure does not).
    """
    passes, rows = as_good_as_real(runs), {}
    for name in passes.columns:
        own = passes[name]
        panel = passes[[other for other in PANEL if other != name and other in passes]][own.notna()]
        rejected = (panel == 0).sum(axis=1) >= 2
        fine = (panel == 1).all(axis=1) & (panel.shape[1] > 0)
        passed = int((own[rejected.index[rejected]] == 1).sum())
        rows[name] = {"rejected": int(rejected.sum()), "passed": passed,
                      "share": passed / rejected.sum() if rejected.any() else np.nan,
                      "alone": int((own[fine.index[fine]] == 0).sum())}
    return pd.DataFrame.from_dict(rows, orient="index",
                                  columns=["rejected", "passed", "share", "alone"])


def agreement_words(runs: Sequence[Run], fewest: int = 4) -> list[str]:
    """What the runs of a field say about the measures, in sentences."""
    matrix = agreement(runs, fewest)
    sentences = []
    if len(matrix) > 1:
        mean = mean_agreement(matrix).dropna()
        away = matrix.where(np.tri(len(matrix), k=-1, dtype=bool)).stack()
        (one, other), worst = away.idxmin(), away.min()
        sentences.append(
            f"Over {len(runs)} runs the measures agree with a mean rank correlation of "
            f"{away.mean():.2f}. Most like all others is `{mean.index[0]}` ({mean.iloc[0]:.2f}), "
            f"least `{mean.index[-1]}` ({mean.iloc[-1]:.2f}); most at odds are `{one}` and "
            f"`{other}` ({worst:.2f})."
        )
    else:
        sentences.append(f"{len(runs)} runs are too few to see whether measures agree: {fewest} or "
                         "more are needed.")
    table = fooled(runs)
    taken = table[table["passed"] > 0].sort_values(["share", "passed"], ascending=False,
                                                   kind="stable")
    most = int(table["rejected"].max()) if len(table) else 0
    if not most:
        sentences.append("No run is rejected by two of the panel: nothing could fool a measure.")
    elif len(taken):
        sentences.append("Fooled, they pass runs that the panel rejects: " + "; ".join(
            f"`{name}` {row.passed:.0f} of {row.rejected:.0f}"
            for name, row in taken.iterrows()) + ".")
    else:
        sentences.append(f"No measure passes one of the {most} runs that the panel rejects.")
    never = [name for name, row in table.iterrows() if row.rejected and not row.passed]
    if never and len(taken):
        sentences.append(f"Never fooled: {', '.join(f'`{name}`' for name in never)}.")
    alone = table[table["alone"] > 0].sort_values("alone", ascending=False, kind="stable")
    if len(alone):
        sentences.append("Stricter than the panel: " + ", ".join(
            f"`{name}` rejects {row.alone:.0f} that pass it" for name, row in alone.iterrows())
            + ".")
    return sentences
