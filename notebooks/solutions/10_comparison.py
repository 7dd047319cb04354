"""Solutions to the exercises of 10_comparison: `python notebooks/solutions/10_comparison.py`.

Each function answers one exercise; its first line says what is to be seen. Exercises 1, 2 and 5
read the runs that are there; the notebook makes some if there are none.
"""

import numpy as np
import pandas as pd

from ecg_tf.study.comparison import fields, leaderboard, over_seeds, read_runs
from ecg_tf.study.controlled_comparisons import comparison_words, controlled_comparisons, standings
from ecg_tf.study.measure_agreement import agreement


def exercise_1(runs_dir="runs"):
    """The sentences say which scaling is nearest, and whether another one is behind by more than
    chance. It finds nothing where no two runs differ in the scaling alone."""
    sentences = [
        words
        for comparison in controlled_comparisons(read_runs(runs_dir), "scaling")
        for words in comparison_words(comparison)
    ]
    print("\n".join(sentences) or "No two runs differ in the scaling alone.")
    return sentences


def exercise_2(runs_dir="runs"):
    """Those move whose ECGs are right on the whole and give themselves away by a detail, such as a
    seam or a rough line: MMD² looks at averages, a classifier at whatever helps it."""
    board = leaderboard(read_runs(runs_dir))
    board = board[board["field"] == board["field"].iloc[0]]
    moved = board["auc"].rank() - board["baselines"].rank()
    table = pd.DataFrame({"baselines": board["baselines"], "auc": board["auc"], "moves": moved})
    print(table.sort_values("auc").round(2).to_string())
    return moved


def exercise_3(distances=(2.0, 2.6, 2.2, 2.4)):
    """From two seeds to three it becomes much narrower, since Student's t falls from 12.7 to 4.3;
    from three to four somewhat. With the same spread, every further seed helps less."""
    widths = {}
    for n in range(2, len(distances) + 1):
        mean, low, high = over_seeds(distances[:n])
        widths[n] = high / low
        print(f"{n} seeds: {mean:.2f} baselines [{low:.2f} to {high:.2f}]")
    return widths


def exercise_4(spread=0.15, seeds=3, factors=(1.1, 1.2, 1.5, 2.0, 3.0), repeats=50, seed=0):
    """At a spread of 15 % between trainings and three seeds each, a factor of 1.2 is seldom seen, 2
    in three of four comparisons, 3 nearly always. Look at the spread of your own runs before you
    believe in less."""
    rng, seen = np.random.default_rng(seed), {}
    for factor in factors:
        hits = 0
        for _ in range(repeats):
            noise = np.exp(spread * rng.standard_normal((seeds, 2)))
            values = pd.DataFrame(noise * [1.0, factor], columns=["near", "far"])
            table, _ = standings(values)
            hits += bool(table.loc["far", "factor_low"] > 1) if "far" == table.index[1] else 0
        seen[factor] = hits / repeats
        print(f"factor {factor:g}: seen in {seen[factor]:.0%} of {repeats} comparisons")
    return seen


def exercise_5(runs_dir="runs"):
    """One of the two that agree most: they order the runs alike, so one of them says it all. Before
    you drop it, ask what it alone would see: precision and coverage may agree on every run here,
    and part company on the first one that collapses."""
    group = max(fields(read_runs(runs_dir)).values(), key=len)
    matrix = agreement(group)
    if len(matrix) < 2:
        print("Too few runs to ask.")
        return None
    pairs = matrix.where(np.tri(len(matrix), k=-1, dtype=bool)).stack()
    print(f"Most alike over {len(group)} runs: {' and '.join(pairs.idxmax())} ({pairs.max():.2f})")
    return pairs.idxmax()


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
