"""Power of the copy test: planted copies among fresh strips of persons it has not used."""

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import copies
from ecg_tf.evaluation.copy_reference import SHIFT_S, copy_reference, has_neighbours
from ecg_tf.evaluation.validation.controls import halves
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows

#: Promise for each kind of copy: least share found, largest false positive rate.
MIN_FOUND, MAX_FPR = 0.99, 0.01


def copy_power(train: Windows, holdout: Windows, planted: int = 100, fresh: int = 1000,
               reference: int = 2000, fpr: float = 0.01, seed: int = 0) -> pd.DataFrame:
    """Plants copies of every kind among fresh strips, and counts.

    The test is fitted as `evaluate_privacy` fits it: copies are sought among training strips
    continued by what follows them. One half of the holdout persons sets the thresholds, the fresh
    strips come from the other half; then the halves swap, and the false positives of both are
    counted. Copies are cut 1.5 s off the training strips' grid, and shifted from there.

    Args:
        train: training strips, side by side in their records.
        holdout: strips of other persons.
        planted, fresh: copies of each kind; fresh strips.
        reference: training strips at most, spread over their persons.
        fpr: false positive rate of the thresholds.

    Returns:
        DataFrame, index = kind (`copies.KINDS`, then "fresh strips"); columns `n`, `as_copy` and
            `as_near_match`: shares past either threshold, the lower of the two fits for copies, of
            all fresh strips for these. `.attrs["persons"]`: (training, holdout).

    Raises:
        InputError: training strips without neighbours, too few holdout persons or strips.
    """
    fs, length = train.fs, train.signals.shape[1]
    if not has_neighbours(train):
        raise InputError("Copies cannot be planted off the grid.", expected="training strips cut "
                         "side by side", got="single strips", fix="use cutting.strips")
    known = copy_reference(train, reference)
    # Not those held at their last value, at the end of a stretch.
    alive = np.ptp(known.strips[:, length:], axis=1).min(1) > 0
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(alive))[:planted]
    longer = known.strips[rows, :length + int(2 * SHIFT_S * fs) + 2]
    made = copies.plant_copies(longer, fs, length / fs, seed)
    scores = {kind: known.nearest(strips).score for kind, strips in made.items()}
    first, found, false_positives = halves(holdout.subjects, seed), [], []
    for side in (first, ~first):
        sets, other = (thin(holdout.take(part), fresh) for part in (side, ~side))
        test = copies.fit_copy_test(known, sets, fpr, seed=seed)
        found.append({kind: (np.mean(score > test.copy), np.mean(score > test.near_match))
                      for kind, score in scores.items()})
        score = known.nearest(other.signals).score
        false_positives.append((score > test.copy, score > test.near_match))
    table = {kind: (len(scores[kind]), *np.min([shares[kind] for shares in found], axis=0))
             for kind in scores}
    passed = [np.concatenate(each) for each in zip(*false_positives, strict=True)]
    table["fresh strips"] = (len(passed[0]), *(float(each.mean()) for each in passed))
    out = pd.DataFrame.from_dict(table, orient="index", columns=["n", "as_copy", "as_near_match"])
    out.attrs["persons"] = tuple(len(np.unique(windows.subjects)) for windows in (train, holdout))
    return out.rename_axis("kind")


def power_words(table: pd.DataFrame) -> str:
    """Whether the promise is kept: each promised kind found, few fresh strips counted as copies."""
    least = table.loc[list(copies.PROMISED), "as_copy"]
    fresh = table.loc["fresh strips"]
    kept = least.min() >= MIN_FOUND and fresh.as_copy <= MAX_FPR
    return (f"Of planted copies at least {least.min():.0%} were found, whatever was done to them "
            f"({least.idxmin()} is the hardest of {len(least)} kinds); of {int(fresh.n):,} fresh "
            f"strips {fresh.as_copy:.1%} were counted as copies and {fresh.as_near_match:.1%} as "
            f"near-matches. The promise of {MIN_FOUND:.0%} at {MAX_FPR:.0%} false positives is "
            f"{'kept' if kept else 'not kept'}.")
