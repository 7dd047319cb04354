"""Does the set hold copies of training strips? The test, its thresholds and its power.

A copy is a training strip under any shift, gain and small change of speed. Two thresholds bound
what may pass, each at a stated false positive rate:

* strips of *non-members* against the training strips: past it a strip is a near-match, nearer to a
  training person than new persons come, by a copy or by that person's own rhythm and shape;
* *other strips of the training persons themselves*: past it a strip is a copy, for even the same
  heart does not come so near again.

What it cannot see: copies of single beats or of less than half a strip; copies whose changes (noise
of 0 dB, another speed in each half) are larger than the differences of two beats; copies of another
lead; and, in persons whose beats are all alike (pacemakers), the copy among the near-matches.
"""

from dataclasses import dataclass

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.alignment import coarse_correlation, nearest_strips
from ecg_tf.evaluation.alignment_search import read_faster
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.copy_reference import SHIFT_S, CopyReference, middle
from ecg_tf.evaluation.descriptors import as_strips
from ecg_tf.evaluation.person_statistics import excess_over_non_members, upper
from ecg_tf.signals.windows import Windows

_NEAR_PERSONS = 8  # of each side, in whom a strip's nearest one is sought

KINDS = {
    "exact": "the strip itself",
    "gain": "times 0.7 to 1.4",
    "shift": "begun up to 1.5 s earlier or later",
    "faster": "read 5 % faster",
    "slower": "read 5 % slower",
    "all of these": "shifted, another gain, -5 to +5 % faster",
    "noise 20 dB": "white noise of a tenth of its standard deviation added",
    "noise 10 dB": "white noise of a third of its standard deviation added",
    "low-pass 15 Hz": "smoothed, as generators smooth",
}
#: Kinds of which 99 of 100 pass both thresholds, see `validation.copy_power`.
PROMISED = tuple(KINDS)[:6]


@dataclass(frozen=True, eq=False)
class CopyTest:
    """Thresholds of `Nearest.score`, fitted on real strips only."""

    near_match: float  # score that `fpr` of the non-members' strips pass; NaN without any
    copy: float  # score that `fpr` of the training persons' other strips pass; NaN if not measured
    fpr: float  # stated false positive rate of one strip
    scores: np.ndarray | None = None  # of the non-members' strips, None without any
    subjects: np.ndarray | None = None  # their persons


def fit_copy_test(reference: CopyReference, holdout: Windows | None, fpr: float = 0.01,
                  own: int = 300, seed: int = 0, progress: bool = False) -> CopyTest:
    """Finds the thresholds of the copy test; needs no synthetic strip.

    Args:
        reference: `copy_reference` of all strips the generator was trained on.
        holdout: 1 / fpr or more strips of non-members. None leaves `near_match` unknown, and
            `copy` is then the training persons' own alone.
        fpr: false positive rate of a fresh strip, default 0.01.
        own: training strips compared with the other training strips, default 300; 0 for none.

    Raises:
        InputError: fpr out of range, fewer than 1 / fpr holdout strips, one person only.

    Example:
        >>> reference = copy_reference(train)
        >>> test = fit_copy_test(reference, holdout)
        >>> rows = copy_measures(reference.nearest(synthetic).score, test)
    """
    near_match, copy, scores, subjects = np.nan, np.nan, None, None
    if holdout is not None:
        subjects, persons = holdout.subjects, len(np.unique(holdout.subjects))
        if not 0 < fpr < 1 or len(holdout) < 1 / fpr or persons < 2:
            raise InputError(
                "The false positive rate cannot be set.",
                expected=f"a rate in (0, 1), at least {1 / max(fpr, 1e-6):.0f} holdout strips of "
                "two persons or more", got=f"rate {fpr}, {len(holdout)} strips, {persons} persons",
                fix="give more holdout strips, or a larger false positive rate")
        scores = reference.nearest(holdout.signals, progress).score
        near_match = upper(scores, fpr)
    rows = np.random.default_rng(seed).permutation(len(reference.strips))[:own]
    if len(rows) >= 1 / fpr:
        copy = float(np.fmax(upper(reference.nearest_others(rows, progress).score, fpr),
                             near_match))
    return CopyTest(near_match, copy, fpr, scores, subjects)


def copy_measures(score, test: CopyTest) -> list[Measured]:
    """How many synthetic strips pass the thresholds, beside how many pass by chance.

    Args:
        score: (n,) of `CopyReference.nearest(synthetic)`.

    Returns:
        "copies": share past `test.copy`; baseline: the false positive rate; interval: Wilson's;
        p-value: binomial, of so many or more by chance. "near-matches": share past
        `test.near_match`; baseline, interval and p-value by `excess_over_non_members`, for a few
        non-members decide how near new persons come. A single copy among n strips is not
        significant: look at the highest scores.
    """
    from scipy.stats import binomtest

    n = len(score)
    copies, near = (Measured(name, np.nan, unit="share", n=n) for name in
                    ("copies", "near-matches"))
    if np.isfinite(test.copy):
        count = int((score > test.copy).sum())
        low, high = binomtest(count, n).proportion_ci(method="wilson")
        p_value = binomtest(count, n, test.fpr, alternative="greater").pvalue
        copies = Measured("copies", count / n, test.fpr, low, high, p_value, "share", n=n)
    if test.scores is not None:
        near = Measured("near-matches", unit="share", n=n, **excess_over_non_members(
            score, test.scores, test.subjects, test.fpr, doubt=True))
    return [copies, near]


def closest_record_measures(synthetic, members: Windows, non_members: Windows, resamples: int = 20,
                            seed: int = 0) -> list[Measured]:
    """DCR and NNDR: are synthetic strips nearer to training strips than to holdout strips?

    Both sides get as many persons, and as many strips of each: the more a set holds, the nearer its
    nearest strip. Random three quarters of the smaller side's persons, sampled `resamples` times,
    give the interval. Strips are aligned with those of the eight persons of a side who come nearest
    by coarse correlation. InputError where no person of a side has two strips.

    Returns:
        "DCR, nearer to training": share of synthetic strips (baseline 0.5, ties half); "NNDR of
            training", median, baseline: the same of the holdout.
    """
    rng, n = np.random.default_rng(seed), len(synthetic)
    sets = members, non_members
    each = max(2, int(min(np.median(np.unique(windows.subjects, return_counts=True)[1])
                          for windows in sets)))
    (near, ratio), (far, baseline) = (_distance_to_persons(synthetic, windows, each, rng)
                                      for windows in sets)
    size, values = max(1, round(0.75 * min(len(near), len(far)))), []
    for _ in range(resamples):
        one, other = (side[rng.permutation(len(side))[:size]].min(0) for side in (near, far))
        values.append(np.mean(one < other) + 0.5 * np.mean(one == other))
    low, high = np.quantile(values, [0.025, 0.975])
    return [Measured("DCR, nearer to training", float(np.mean(values)), 0.5, low, high,
                     unit="share", n=n),
            Measured("NNDR of training", ratio, baseline, better="high", n=n)]


def _distance_to_persons(synthetic, windows: Windows, each: int, rng):
    """(person, n) distances to each person's nearest strip, and the median NNDR."""
    chosen = [rng.permutation(np.flatnonzero(windows.subjects == subject))[:each]
              for subject in np.unique(windows.subjects)]
    chosen = [rows for rows in chosen if len(rows) > 1]
    if not chosen:
        raise InputError("No person has enough strips for a nearest and a second nearest one.",
                         expected="a person with two or more on either side", got="none",
                         fix="give more strips a person")
    # Aligning in full takes 6 ms a pair: only within the persons who come near at all.
    near = coarse_correlation(synthetic, windows.signals[np.concatenate(chosen)], windows.fs)
    starts = np.cumsum([0, *map(len, chosen)])[:-1]
    rank = (-np.maximum.reduceat(near, starts, axis=1)).argsort(1).argsort(1)
    distance = np.full((len(chosen), len(synthetic)), 2.0)  # that of r = -1: never the nearest
    ratio = np.ones(distance.shape)
    for person, rows in enumerate(chosen):
        near_rows = np.flatnonzero(rank[:, person] < _NEAR_PERSONS)
        if len(near_rows):
            found = nearest_strips(synthetic[near_rows], windows.signals[rows], windows.fs,
                                   candidates=4)
            distance[person, near_rows], ratio[person, near_rows] = found.distance, found.ratio
    nearest = distance.argmin(0), np.arange(len(synthetic))
    return distance, float(np.median(ratio[nearest]))


def plant_copies(windows, fs: float, seconds: float, seed: int = 0) -> dict[str, np.ndarray]:
    """Copies of every kind in `KINDS` of the middle of each window.

    Args:
        windows: (n, longer, lead) mV, training windows at least 3 s longer than a strip, such as
            `CopyReference.strips`.
        fs: Hz.
        seconds: s, length of a strip.

    Returns:
        kind -> (n, seconds * fs, lead) float32, mV.

    Raises:
        InputError: the windows are too short to shift in.
    """
    from scipy.signal import butter, sosfiltfilt

    windows, length, reach = as_strips(windows, fs, "windows"), round(seconds * fs), \
        int(SHIFT_S * fs)
    if windows.shape[1] < length + 2 * reach:
        raise InputError("The windows are too short to plant shifted copies.",
                         expected=f"{seconds + 2 * SHIFT_S:g} s or more",
                         got=f"{windows.shape[1] / fs:.2f} s",
                         fix="cut longer windows, or shorter strips")
    rng, n = np.random.default_rng(seed), len(windows)
    base = middle(windows, length)
    shift = rng.integers(-reach, reach + 1, n)
    gain = rng.uniform(0.7, 1.4, (n, 1, 1)).astype(np.float32)
    noise = rng.standard_normal(base.shape).astype(np.float32) * base.std(1, keepdims=True)
    moved = middle(windows, length, shift)
    changed = middle(_faster(windows, rng.uniform(-0.05, 0.05, n)), length, shift)
    fast, slow = (middle(_faster(windows, np.full(n, by)), length) for by in (0.05, -0.05))
    low = sosfiltfilt(butter(2, 15, fs=fs, output="sos"), base, axis=1).astype(np.float32)
    made = (base, base * gain, moved, fast, slow, changed * gain, base + 0.1 * noise,
            base + np.float32(10**-0.5) * noise, low)
    return dict(zip(KINDS, made, strict=True))


def _faster(windows, by):
    return np.stack([read_faster(windows[..., lead], by) for lead in range(windows.shape[2])], -1)
