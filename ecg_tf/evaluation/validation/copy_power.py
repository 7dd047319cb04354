"""How sure is the copy test? Planted copies among fresh strips of persons it has not used."""

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import copies
from ecg_tf.evaluation.alignment import nearest_strips
from ecg_tf.evaluation.roles import has_neighbours, places, stretched
from ecg_tf.evaluation.validation.controls import halves
from ecg_tf.signals.selection import thin, thin_rows
from ecg_tf.signals.windows import Windows

#: What is promised of each kind: found of 100, and false alarms of 1,000 at most.
FOUND, ALARMS = 0.99, 0.01


def copy_power(train: Windows, holdout: Windows, planted: int = 100, fresh: int = 1000,
               reference: int = 2000, alarm: float = 0.01, seed: int = 0) -> pd.DataFrame:
    """Plants copies of every kind among fresh strips, and counts.

    The test is fitted as `evaluate_privacy` fits it: copies are sought among training strips that
    go on into what follows them. One half of the holdout persons sets the thresholds, the fresh
    strips come from the other half; then the halves change places, and the alarms of both are
    counted. Copies are cut 1.5 s off the training strips' grid, and shifted from there.

    Args:
        train: training strips, side by side in their records.
        holdout: strips of other persons.
        planted: copies of each kind, default 100.
        fresh: fresh strips, default 1,000.
        reference: training strips at most, spread over their persons; default 2,000.
        alarm: false alarms that the thresholds allow, default 0.01.
        seed: int.

    Returns:
        DataFrame, index = kind (`copies.KINDS`, then "fresh strips"); columns `n`, `as_copy` and
        `as_lookalike`: shares past either threshold, the lower of the two fits for copies, of all
        fresh strips for these. `.attrs["persons"]`: (training, holdout).

    Raises:
        InputError: training strips without neighbours, too few holdout persons or strips.

    Example:
        >>> copy_power(data.strips["train"], data.strips["test"])
    """
    fs, length = train.fs, train.signals.shape[1]
    if not has_neighbours(train):
        raise InputError("Copies cannot be planted off the grid.", expected="training strips cut "
                         "side by side", got="single strips", fix="use cutting.strips")
    extra = max(length // 2, int(3 * fs) + 2)
    # Thinned out after stretching: what follows a strip need not be a reference strip itself.
    kept = thin_rows(train, reference)
    long, place = stretched(train, min(extra, length))[kept], places(train)[kept]
    alive = np.ptp(long[:, length:], axis=1).min(1) > 0  # not held at the end of a stretch
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(alive))[:planted]
    made = copies.plant_copies(long[rows, :length + int(3 * fs) + 2], fs, length / fs, seed)
    scores = {kind: nearest_strips(one, long, fs).score for kind, one in made.items()}
    first, found, alarms = halves(holdout.subjects, seed), [], []
    for side in (first, ~first):
        sets, other = (thin(holdout.take(part), fresh) for part in (side, ~side))
        test = copies.fit_copy_test(long, sets.signals, sets.subjects, fs, alarm,
                                    own_groups=place, seed=seed, apart=1)
        found.append({kind: (np.mean(score > test.copy), np.mean(score > test.person))
                      for kind, score in scores.items()})
        score = nearest_strips(other.signals, long, fs).score
        alarms.append((score > test.copy, score > test.person))
    table = {kind: (len(scores[kind]), *np.min([one[kind] for one in found], axis=0))
             for kind in scores}
    passed = [np.concatenate(one) for one in zip(*alarms, strict=True)]
    table["fresh strips"] = (len(passed[0]), *(float(one.mean()) for one in passed))
    out = pd.DataFrame.from_dict(table, orient="index", columns=["n", "as_copy", "as_lookalike"])
    out.attrs["persons"] = tuple(len(np.unique(one.subjects)) for one in (train, holdout))
    return out.rename_axis("kind")


def power_words(table: pd.DataFrame) -> str:
    """Whether the promise is kept: each promised kind found, few fresh strips taken for copies."""
    least = table.loc[list(copies.PROMISED), "as_copy"]
    alarms = table.loc["fresh strips"]
    kept = least.min() >= FOUND and alarms.as_copy <= ALARMS
    return (f"Of planted copies at least {least.min():.0%} were found, whatever was done to them "
            f"({least.idxmin()} is the hardest of {len(least)} kinds); of {int(alarms.n):,} fresh "
            f"strips {alarms.as_copy:.1%} were taken for copies and {alarms.as_lookalike:.1%} for "
            f"lookalikes. The promise of {FOUND:.0%} at {ALARMS:.0%} false alarms is "
            f"{'kept' if kept else 'not kept'}.")
