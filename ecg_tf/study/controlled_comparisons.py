"""Controlled comparisons of runs: one difference, equal budget, several seeds.

The paper's discussion asks for arrangement and for architecture. Comparable groups are found by the
settings of the runs, not by their names: everything that decides about the result has to be equal,
but for what is compared.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.checks import choice
from ecg_tf.config.experiment import parts_of
from ecg_tf.images.arrangement import Arrangement
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.study.comparison import (
    DISTANCE,
    LEAST,
    Run,
    evaluation_key,
    families,
    fields,
    over_seeds,
    relevant,
)

#: question -> the settings it asks about; those that are parts of them come along
QUESTIONS = {
    "arrangement": ("arrangement",),
    "architecture": ("model", "arrangement"),
    "scaling": ("scaling",),
}
SURE = 0.05


@dataclass(frozen=True)
class ControlledComparison:
    """Runs that differ in one thing alone."""

    question: str  # a key of `QUESTIONS`
    field: str  # title of the field: they were all evaluated in the same way
    contenders: dict[str, list[Run]]  # name -> runs, one a seed

    @property
    def runs(self) -> list[Run]:
        """All of them."""
        return [run for group in self.contenders.values() for run in group]

    @property
    def values(self) -> pd.DataFrame:
        """(seed, contender): MMD² in baselines, NaN where there is no such run."""
        return pd.DataFrame({name: pd.Series(
            {run.settings["seed"]: run.in_baselines() for run in group}, dtype=float)
            for name, group in self.contenders.items()}).sort_index()

    @property
    def budget(self) -> str:
        """What they have in common, for people."""
        s = self.runs[0].settings
        seeds = sorted({len(group) for group in self.contenders.values()})
        many = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f"{seeds[0]} seeds"
        many = "one training" if seeds[-1] == 1 else many
        return (f"{s['steps']:,} steps of {s['batch_size']} images of {_samples(s):,} samples a "
                f"lead, {s['base_filters']} base filters, {many} each")


def controlled_comparisons(runs: Sequence[Run],
                           question: str = "arrangement") -> list[ControlledComparison]:
    """Finds the groups of runs that may be compared.

    Args:
        runs: list of Run.
        question: "arrangement", "architecture" or "scaling".

    Returns:
        list of ControlledComparison with two contenders or more; real databases first, larger ones
        first.

    Example:
        >>> [list(found.contenders) for found in controlled_comparisons(read_runs("runs"))]
        [['beat_rows', 'row_major']]
    """
    choice(question, "question", tuple(QUESTIONS))
    varied = QUESTIONS[question]
    along = parts_of(*varied)
    found = []
    for title, group in fields(runs).items():
        alike: dict[str, list[Run]] = {}
        for run in (run for run in group if np.isfinite(run.in_baselines())):
            own = relevant(run.settings)
            key = {name: value for name, value in own.items() if name not in (*varied, *along)}
            key["samples"] = _samples(own)
            key["evaluation"] = evaluation_key(run)
            alike.setdefault(json.dumps(key, sort_keys=True, default=str), []).append(run)
        same = [ControlledComparison(question, title, families(group, varied))
                for group in alike.values()
                if len({run.settings[varied[0]] for run in group}) > 1]
        found += sorted(same, key=lambda comparison: -len(comparison.runs))
    return found


def standings(values: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Who is nearest to real ECGs, by how much, and is it more than chance?

    Logarithms of the distances are taken to be a contender's part plus a seed's part (left out
    where seeds do not connect the contenders) plus chance that is alike for all: the analysis of
    variance of a block design. Intervals of the factors hold for all contenders together
    (Bonferroni).

    Args:
        values: (seed, contender) distances in baselines, NaN where missing; see
            `ControlledComparison.values`.

    Returns:
        (table, p): table with one row a contender, nearest first: `n` (seeds), `mean`, `low`,
        `high` (`comparison.over_seeds`), `factor` (times as far as the first), `factor_low`,
        `factor_high`; p of "all are alike" (F test). Intervals and p are NaN where no seed was
        repeated.

    Example:
        >>> table, p = standings(comparison.values)
        >>> table.index[0], p
        ('beat_rows', 0.0003)
    """
    from scipy import stats

    values = values.loc[:, values.notna().any()]
    names, k = list(values.columns), values.shape[1]
    where = np.argwhere(values.notna().to_numpy())
    y = np.log(np.maximum(values.to_numpy(float)[tuple(where.T)], LEAST))
    contender = np.eye(k)[where[:, 1]]
    seeds = np.eye(len(values))[where[:, 0]][:, 1:]
    both = np.hstack([contender, seeds])
    blocks = np.linalg.matrix_rank(both) == both.shape[1]
    design = both if blocks else contender
    inverse = np.linalg.pinv(design.T @ design)
    effect = inverse @ design.T @ y
    rest = float(((y - design @ effect) ** 2).sum())
    df = len(y) - design.shape[1]
    variance = rest / df if df > 0 else np.nan
    order = np.argsort(effect[:k].round(12), kind="stable")
    rows = {}
    for place in order:
        difference = effect[place] - effect[order[0]]
        spread = variance * (inverse[place, place] + inverse[order[0], order[0]]
                             - 2 * inverse[place, order[0]])
        half = np.nan
        if place != order[0] and df > 0:
            half = stats.t.ppf(1 - SURE / 2 / max(k - 1, 1), df) * np.sqrt(max(spread, 0))
        mean, low, high = over_seeds(values.iloc[:, place])
        rows[names[place]] = {
            "n": int(values.iloc[:, place].notna().sum()), "mean": mean, "low": low, "high": high,
            "factor": np.exp(difference), "factor_low": np.exp(difference - half),
            "factor_high": np.exp(difference + half),
        }
    return pd.DataFrame.from_dict(rows, orient="index"), _p_alike(y, design, k, rest, df, blocks)


def _p_alike(y, design, k, rest, df, blocks) -> float:
    from scipy import stats

    if df <= 0 or k < 2:
        return np.nan
    null = np.hstack([np.ones((len(y), 1)), design[:, k:]]) if blocks else np.ones((len(y), 1))
    alone = y - null @ np.linalg.lstsq(null, y, rcond=None)[0]
    gain = float((alone**2).sum()) - rest
    if rest < 1e-20:  # no chance at all in these numbers
        return 1.0 if gain < 1e-20 else 0.0
    return float(stats.f.sf(gain / (k - 1) / (rest / df), k - 1, df))


def comparison_words(comparison: ControlledComparison) -> list[str]:
    """The verdict of a comparison, then a sentence a contender."""
    table, p = standings(comparison.values)
    return [_verdict(comparison, table, p), *(
        _sentence(comparison, name, row, table.index[0]) for name, row in table.iterrows())]


def detour_words(comparison: ControlledComparison) -> list[str]:
    """Does the detour through images help? The signal itself (`wavegan`) against images.

    Args:
        comparison: of the question "architecture".

    Returns:
        sentences; none if no run of the comparison worked on the signal itself.
    """
    values = comparison.values
    signal = [name for name, group in comparison.contenders.items()
              if group[0].settings["model"] == "wavegan"]
    images = [name for name in values if name not in signal]
    if not signal or not images:
        return []
    order = list(standings(values)[0].index)
    own = next(name for name in order if name in signal)
    best = next(name for name in order if name in images)
    sentences = [f"Of all images `{best}` comes nearest. " + _pair(
        values, best, own, "The detour through images helps here",
        "The detour through images harms here")]
    same = [name for name in images if name != best
            and (s := comparison.contenders[name][0].settings)["arrangement"] == "row_major"
            and s["model"] == "r1gan"]
    if same:
        sentences.append("The same signal as an image, line by line: " + _pair(
            values, same[0], own, "the detour helps", "the detour harms"))
    return sentences


def uneven_words(comparison: ControlledComparison) -> list[str]:
    """What else differs between contenders: the learning rate."""
    rates: dict[float, list[str]] = {}
    for name, group in comparison.contenders.items():
        rates.setdefault(group[0].settings["learning_rate"], []).append(f"`{name}`")
    if len(rates) < 2:
        return []
    return ["The learning rate differs too, as is usual between these: " + "; ".join(
        f"{rate:g} for {', '.join(names)}" for rate, names in rates.items()) + "."]


def loner_words(runs: Sequence[Run], most: int = 12) -> list[str]:
    """Runs that may be compared with nothing, and what keeps them apart from the nearest one."""
    paired = {_key(run) for question in QUESTIONS
              for comparison in controlled_comparisons(runs, question) for run in comparison.runs}
    sentences = []
    for group in fields(runs).values():
        for run in (run for run in group if _key(run) not in paired):
            own = relevant(run.settings)
            apart = []
            for other in group:
                theirs = relevant(other.settings)
                keys = [key for key in own if own[key] != theirs.get(key)]
                if keys:  # none: the same experiment, made twice or with another seed
                    apart.append((len(keys), other.name, keys))
            if apart:
                _, name, keys = min(apart)
                sentences.append(f"`{run.name}` has no fair opponent: the nearest, `{name}`, "
                                 f"differs in {', '.join(keys)}.")
    more = [f"{len(sentences) - most} more have none either."] if len(sentences) > most else []
    return sentences[:most] + more


def question_words(found: Sequence[ControlledComparison]) -> str:
    """One sentence over all comparisons of a question."""
    if not found:
        return "No two runs differ in this alone: it cannot be answered yet."
    tables = [standings(comparison.values) for comparison in found]
    first = pd.Series([table.index[0] for table, _ in tables]).value_counts()
    p = np.array([p for _, p in tables])
    nearest = ", ".join(f"`{name}` in {many} of {len(found)}" for name, many in first.items())
    where = "comparison" if len(found) == 1 else "comparisons"
    return (f"{len(found)} {where}; nearest to real ECGs: {nearest}. Beyond chance (p < {SURE:g}) "
            f"it matters in {int((p < SURE).sum())} of the {int(np.isfinite(p).sum())} that "
            "were repeated with other seeds.")


def _samples(settings: dict) -> int:
    """Samples of a lead in an image: equal images say as much, in one colour or in three."""
    kind = ARRANGEMENTS.get(settings["arrangement"], Arrangement)
    return kind.samples(settings["height"], settings["width"])


def _key(run: Run) -> str:
    return json.dumps([relevant(run.settings), evaluation_key(run)], sort_keys=True, default=str)


def _verdict(comparison: ControlledComparison, table: pd.DataFrame, p: float) -> str:
    best, word = table.index[0], comparison.question
    head = f"**{comparison.field}** ({comparison.budget}): "
    others = table.iloc[1:]
    if np.isnan(p):
        last, factor = table.index[-1], _times(others["factor"].iloc[-1])
        return (head + f"`{best}` comes nearest; `{last}` stands {factor} times as far. Each was "
                "trained once, so how much of this is chance is not known.")
    if p >= SURE:
        return head + (f"that the {word} matters was not seen (p = {_p(p)}): `{best}` comes "
                       "nearest, by no more than chance gives.")
    behind = [f"`{name}` ({_times(row.factor)} times as far, {_times(row.factor_low)} to "
              f"{_times(row.factor_high)})" for name, row in others.iterrows()
              if row.factor_low > 1]
    level = [f"`{name}`" for name, row in others.iterrows() if not row.factor_low > 1]
    return (head + f"the {word} matters (p = {_p(p)}). `{best}` comes nearest. "
            + (f"Behind it: {', '.join(behind)}." if behind else "")
            + (f" Indistinguishable from it: {', '.join(level)}." if level else ""))


def _sentence(comparison: ControlledComparison, name: str, row, best: str) -> str:
    runs = comparison.contenders[name]
    if row.n > 1:
        about = f"[{_times(row.low)} to {_times(row.high)}] over {row.n:.0f} seeds"
    else:
        low, high = (runs[0].in_baselines(field=end) for end in ("low", "high"))
        about = "from one seed" if np.isnan(low) else \
            f"[{_times(low)} to {_times(high)} over test persons] from one seed"
    good = sum(bool(run.measures[DISTANCE]["at_baseline"]) for run in runs)
    baseline = f"; within the baseline's interval in {good} of {len(runs)}" if good else ""
    beats = np.nanmean([run.number("detectable strips") for run in runs]) if any(
        np.isfinite(run.number("detectable strips")) for run in runs) else np.nan
    beats = f"; beats are found in {beats:.0%} of the strips" if np.isfinite(beats) else ""
    return f"`{name}`: {DISTANCE} {_times(row['mean'])} × baseline {about}{baseline}{beats}."


def _pair(values: pd.DataFrame, image: str, signal: str, helps: str, harms: str) -> str:
    table, p = standings(values[[image, signal]])
    near, far = table.index
    row = table.loc[far]
    about = "" if np.isnan(p) else f" ({_times(row.factor_low)} to {_times(row.factor_high)})"
    sentence = f"`{far}` stands {_times(row.factor)} times as far as `{near}`{about}"
    if np.isnan(p):
        return (f"{helps if near == image else harms}, as far as one training each can tell: "
                f"{sentence}.")
    if not row.factor_low > 1:
        return f"No difference was seen beyond chance: {sentence}."
    return f"{helps if near == image else harms}: {sentence}."


def _times(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def _p(p: float) -> str:
    return "0.0001 at most" if p < 0.0001 else f"{p:.2g}"
