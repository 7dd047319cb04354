"""When to stop: measures beside their baselines along a training, and the rule that reads them.

A GAN's losses say how its two networks stand against each other, not how good the images are. So
decoded ECGs of the averaged generator stop the training, against real persons it was not trained
on. Those are the validation persons, never the test persons: what was chosen by a measure looks
better in that measure than it is. The callbacks are in `stopping_callbacks`; here is what needs no
TensorFlow.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.checks import choice, count, number
from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import baseline
from ecg_tf.evaluation.discriminative import pseudo_subjects
from ecg_tf.evaluation.strip_data import StripData
from ecg_tf.signals.windows import Windows, cut_strips

FEWEST = 10  # strips a side; below, nothing is measured
#: What is measured: name -> (unit, which way is better).
MEASURES = {
    "MMD²": ("", "low"), "Fréchet distance": ("", "low"), "precision": ("", "high"),
    "recall": ("", "high"), "density": ("", "high"), "coverage": ("", "high"),
    "discriminative AUC": ("", "low"), "heart rate W1": ("bpm", "low"), "RR W1": ("s", "low"),
    "SDNN W1": ("s", "low"), "R amplitude W1": ("mV", "low"), "amplitude W1": ("mV", "low"),
    "log-PSD distance": ("dB", "low"), "detectable strips": ("share", "high"),
    "diversity": ("of real", "high"), "near-duplicates": ("share", "low"),
}

#: From the history, for comparison only: never to stop by.
LOSSES = ("d_loss", "g_loss", "critic's distance")


class StripEvaluator:
    """Measures synthetic ECGs against groups of real persons, whose strips are described once.

    Args:
        against: name -> `Windows` of strips, the persons to compare with.
        others: `Windows` of strips of the training persons. In the synthetic set's place they give
            the baseline: what a perfect generator would reach. For a group that is the training
            persons themselves, the baseline is between its halves.
        seconds: length of the strips, s.
        size: strips a side at most, sampled at random; default 400.
        repeats: random splits of the persons for the baseline's interval; default 20.
        auc: also the discriminative AUC, which takes longer than all others together, and wants
            other persons than the training's on the real side; default False, NaN.
        seed: int.

    Attributes:
        baselines: DataFrame, index (against, name), columns baseline, low, high, unit, better.
            `low` and `high` come from random splits of the persons of both groups.

    Raises:
        InputError: strips of other lengths or leads, or a group of fewer than ten.

    Example:
        >>> evaluator = StripEvaluator({"validation": strips["validation"]}, strips["train"], 10.0)
        >>> synthetic = synthesize(gan.ema_generator, codec, 200, seed=1)
        >>> evaluator.measure(synthetic)["validation", "MMD²"]
    """

    def __init__(self, against: Mapping[str, Windows], others: Windows, seconds: float,
                 size: int = 400, repeats: int = 20, auc: bool = False, seed: int = 0):
        self.seconds, self.size, self.seed = number(seconds, "seconds", 1, 3600), size, seed
        self.auc = auc
        count(size, "size", FEWEST, 100_000)
        rng = np.random.default_rng(seed)
        groups = {"": others, **against}
        for name, strips in groups.items():
            if len(strips) < FEWEST or strips.signals.shape[1:] != others.signals.shape[1:]:
                raise InputError(f"The strips of '{name or 'others'}' cannot be compared with.",
                                 expected=f"{FEWEST} strips or more, all of one length and leads",
                                 got=f"{len(strips)} of shape {strips.signals.shape[1:]}",
                                 fix="cut all groups from the records in the same way")
        taken = [strips.take(np.sort(rng.permutation(len(strips))[:size]))
                 for strips in groups.values()]
        ends = np.cumsum([len(strips) for strips in taken])
        lie = dict(zip(groups, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
        self._others, self._parts = lie[""], {name: lie[name] for name in against}
        subjects = np.concatenate([strips.subjects for strips in taken])
        fewest = min(len(np.unique(subjects[part])) for part in self._parts.values())
        self._data = StripData(np.concatenate([strips.signals for strips in taken]), subjects,
                               others.fs, self._others, fewest >= 4, seed)
        self.baselines = self._baselines(repeats)

    def measure(self, synthetic: Windows) -> dict[tuple[str, str], float]:
        """(against, name) -> value; NaN where fewer than 10 windows are as long as a strip."""
        strips = cut_strips(synthetic, self.seconds, per_window=2)[:self.size]
        names = [(part, name) for part in self._parts for name in MEASURES]
        if len(strips) < FEWEST:
            return dict.fromkeys(names, np.nan)
        data = self._data.joined(strips)
        fake = np.arange(len(self._data.features), len(data.features))
        values = dict.fromkeys(names, np.nan)
        for part, real in self._parts.items():
            some = fake[:len(real)]  # sets of one size: neighbours depend on it
            for name, function in _functions(data).items():
                values[part, name] = float(function(real, some))
            if self.auc and self._apart(real):
                groups = pseudo_subjects(
                    data.features[self._others], data.subjects[self._others], data.features[some])
                values[part, "discriminative AUC"] = data.auc(real, some, groups)[0]
        return values

    def _apart(self, real) -> bool:
        subjects = self._data.subjects
        return not np.intersect1d(subjects[real], subjects[self._others]).size

    def _baselines(self, repeats):
        data, rows = self._data, {}
        for part, real in self._parts.items():
            other, apart = self._others, self._apart(real)
            persons, trained = (np.unique(data.subjects[at]) for at in (real, other))
            if not apart:  # the training persons themselves: halves of them
                real = np.union1d(real, other)
                half = np.isin(data.subjects[real], trained[::2])
                real, other = real[half], real[~half]
            pool = np.concatenate([real, other])
            share = len(persons) / (len(persons) + len(trained)) if apart else 0.5
            rng = np.random.default_rng(self.seed)
            other = np.sort(rng.permutation(other)[:len(real)])
            for name, function in _functions(data).items():
                mean, low, high = baseline(_of_enough(function), pool, data.subjects[pool],
                                           len(real), share, repeats, self.seed)
                rows[part, name] = function(real, other) if apart else mean, low, high
            if self.auc and apart:
                rows[part, "discriminative AUC"] = data.auc(real, other, data.subjects[other])
        table = pd.DataFrame(rows, index=["baseline", "low", "high"]).T
        table = table.reindex([(part, name) for part in self._parts for name in MEASURES])
        table.index = pd.MultiIndex.from_tuples(table.index, names=["against", "name"])
        table[["unit", "better"]] = [MEASURES[name] for _, name in table.index]
        return table


@dataclass(frozen=True)
class Verdict:
    """The rule's answer to a row of checks."""

    best: int | None  # index of the best check so far; None before the first finite value
    stop: int | None = None  # index of the check after which the training ends; None: it continues
    reason: str = ""  # "baseline", "patience" or ""


def decide(values, baseline: float = np.nan, factor: float = 1.0, patience: int = 10,
           better: str = "low") -> Verdict:
    """Stop at the baseline, or when the best value is `patience` checks old.

    It depends on `values` only, so a resumed training decides as one that was never killed. Checks
    without a value (NaN) are never the best, and none counts before the first value.

    Args:
        values: (check,) measured, in order.
        baseline: the same measure between real persons; NaN for a rule without a baseline.
        factor: the baseline counts as reached at factor x baseline (baseline / factor if high is
            better).
        patience: checks without a new best value after which it is over.
        better: "low" or "high".

    Returns:
        Verdict; later values than the stop are not looked at.

    Example:
        >>> decide([5, 3, 4, 4, 2], patience=2)
        Verdict(best=1, stop=3, reason='patience')
    """
    choice(better, "better", ("low", "high"))
    count(patience, "patience", 1, 1_000_000)
    factor = number(factor, "factor", 1e-6, 1e6)
    sign = 1.0 if better == "low" else -1.0
    limit = sign * baseline * factor if better == "low" else sign * baseline / factor
    best, lowest = None, np.inf
    for index, value in enumerate(sign * np.asarray(values, dtype=float)):
        if value < lowest:
            best, lowest = index, value
        if value <= limit:
            return Verdict(best, index, "baseline")
        if best is not None and index - best >= patience:
            return Verdict(best, index, "patience")
    return Verdict(best)


def usable_baselines(baselines: pd.DataFrame) -> dict[str, float]:
    """name -> baseline, of a group of `StripEvaluator.baselines`, without those that are no goal: 0
    where high is better."""
    values = baselines["baseline"]
    kept = values.notna() & ((baselines["better"] == "low") | (values > 0))
    return baselines.loc[kept, "baseline"].astype(float).to_dict()


def losses_of(history: pd.DataFrame) -> pd.DataFrame:
    """`LOSSES` by step, from the columns of a run's `history.csv`.

    The critic's distance is its mean score of real images less that of generated ones.
    """
    by_step = history.set_index("step")
    table = by_step[["d_loss", "g_loss"]].copy()
    table["critic's distance"] = by_step["real_score"] - by_step["generated_score"]
    return table


def rank_agreement(table: pd.DataFrame, better: Mapping[str, str], method: str = "spearman"):
    """How far two measures put the same checks in the same order: 1 the same, -1 the reverse.

    Args:
        table: one row a check, one column a measure.
        better: column -> "low" or "high"; columns of which high is better are turned round.
        method: "spearman" or "kendall".

    Returns:
        DataFrame, (measure, measure); NaN for a measure that never changes.
    """
    choice(method, "method", ("spearman", "kendall"))
    signs = pd.Series({name: 1.0 if better[name] == "low" else -1.0 for name in table.columns})
    return (table * signs).corr(method=method)


def compare_rules(criteria: pd.DataFrame, better: Mapping[str, str], outcome: pd.Series,
                  baselines: Mapping[str, float] | None = None, patience: int = 10,
                  factor: float = 1.0) -> pd.DataFrame:
    """Where each criterion would have stopped one and the same training, and how good that is.

    Args:
        criteria: one row a check (index: step), one column a criterion: measures, losses.
        better: column -> "low" or "high".
        outcome: by step, how good the choice is; low is better. It was no criterion.
        baselines: column -> baseline; criteria without one stop by patience only.
        patience, factor: see `decide`.

    Returns:
        DataFrame, index criterion: `stops` (step; the last one where it never stopped), `why`
        ("baseline", "patience", "end"), `picks` (step of the weights it keeps), `outcome` there,
        `times_best` (over the lowest outcome of all checks; 1 is the best choice).
    """
    baselines = {} if baselines is None else dict(baselines)
    rows, steps = {}, criteria.index
    for name in criteria.columns:
        verdict = decide(criteria[name], baselines.get(name, np.nan), factor, patience,
                         better[name])
        end = len(steps) - 1 if verdict.stop is None else verdict.stop
        picked = end if verdict.best is None else verdict.best
        value = float(outcome.loc[steps[picked]])
        rows[name] = {"stops": int(steps[end]), "why": verdict.reason or "end",
                      "picks": int(steps[picked]), "outcome": value,
                      "times_best": value / float(outcome.min())}
    return pd.DataFrame.from_dict(rows, orient="index")


def _of_enough(function):
    return lambda a, b: function(a, b) if min(len(a), len(b)) >= FEWEST else np.nan


def _functions(data: StripData) -> dict:
    """Measures of two arrays of indices, (real, other), but the AUC, which wants persons."""
    columns = {"heart rate W1": "heart_rate", "RR W1": "rr", "SDNN W1": "sdnn",
               "R amplitude W1": "r_amplitude"}
    return {
        "MMD²": data.mmd2, "Fréchet distance": data.frechet,
        **{name: data.manifold(name) for name in ("precision", "recall", "density", "coverage")},
        **{name: data.clinical(column) for name, column in columns.items()},
        "amplitude W1": data.amplitude, "log-PSD distance": data.psd,
        "detectable strips": data.detectable, "diversity": data.spread("diversity"),
        "near-duplicates": data.spread("near_duplicates"),
    }
