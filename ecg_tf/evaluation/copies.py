"""Does the set hold copies of training strips? The test, its thresholds and its power.

A copy is a training strip under any shift, gain and small change of speed. Two yardsticks bound
what may pass without alarm, each at a stated rate of false alarms:

* strips of *other persons* (holdout) against the training strips: past it a strip is nearer to a
  training person than new persons come, by a copy or by that person's own rhythm and shape;
* *other strips of the training persons themselves*: past it a strip is a copy, for even the same
  heart does not come so near again.

What it cannot see: copies of single beats or of less than half a strip, copies whose changes (noise
of 0 dB, another speed in each half) are larger than the differences of two beats, copies of another
lead, and, in persons whose beats are all alike (pacemakers), the copy among the lookalikes.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.alignment import Nearest, coarse_correlation, nearest_strips
from ecg_tf.evaluation.alignment_search import read_faster
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.descriptors import as_strips
from ecg_tf.evaluation.person_statistics import excess_over_strangers, upper

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
#: Kinds of which 99 of 100 pass both thresholds, see `copy_power`.
PROMISED = tuple(KINDS)[:6]


@dataclass(frozen=True)
class CopyTest:
    """Thresholds of `Nearest.score`, fitted on real strips only.

    Args:
        person: score that `alarm` of the strips of other persons pass.
        copy: score that `alarm` of the training persons' other strips pass (NaN if not measured).
        alarm: stated rate of false alarms of one strip.
        alarm_seen: rate seen when each holdout person is judged by a threshold of the others.
        alarm_low: lower end of its 95 % interval (bootstrap over persons).
        alarm_high: upper end.
        n: strips the thresholds come from, (other persons, training persons).
        scores: of the holdout strips, None without a holdout.
        subjects: their persons.
    """

    person: float
    copy: float
    alarm: float
    alarm_seen: float
    alarm_low: float
    alarm_high: float
    n: tuple[int, int]
    scores: np.ndarray | None = None
    subjects: np.ndarray | None = None


def fit_copy_test(training, holdout, holdout_subjects, fs: float, alarm: float = 0.01,
                  own: int = 300, own_groups=None, seed: int = 0, progress: bool = False,
                  length: int = 0, apart: int = 0) -> CopyTest:
    """Finds the thresholds of the copy test; needs no synthetic strip.

    Args:
        training: (m, time', lead) mV, all strips the generator was trained on.
        holdout: (n, time, lead) mV, of persons it was not trained on; 200 or more. None leaves
            `person` unknown, and `copy` is then the training persons' own alone.
        holdout_subjects: (n,) their persons.
        fs: Hz.
        alarm: false alarms of a fresh strip, default 0.01.
        own: training strips compared with the other training strips, default 300; 0 for none.
        own_groups: (m,) labels: a training strip is not compared with those of its own label. Give
            one where training strips overlap; default None, only the strip itself is left out.
        seed: int.
        progress: bool. Default False.
        length: samples of a strip; needed where there is no holdout.
        apart: numbers in `own_groups` have to differ by more than this. Default 0.

    Returns:
        CopyTest.

    Raises:
        InputError: alarm out of range, fewer than 1 / alarm holdout strips, one person only.

    Example:
        >>> test = fit_copy_test(training, holdout, holdout_subjects, fs=128)
        >>> rows = copy_measures(synthetic, training, test, fs=128)
    """
    groups = np.arange(len(training)) if own_groups is None else np.asarray(own_groups)
    person, seen, low, high, n, score = np.nan, np.nan, np.nan, np.nan, 0, None
    if holdout is not None:
        score = _holdout_scores(training, holdout, holdout_subjects, fs, alarm, progress)
        person, length, n = upper(score, alarm), np.shape(holdout)[1], len(holdout)
        seen, low, high = _alarms_seen(score, np.asarray(holdout_subjects), alarm, seed)
    chosen = np.random.default_rng(seed).permutation(len(training))[:own]
    copy = np.nan
    if len(chosen) >= 1 / alarm:
        again = _middle(np.asarray(training)[chosen], length)
        copy = upper(nearest_strips(again, training, fs, (groups[chosen], groups),
                                    progress=progress, apart=apart).score, alarm)
        copy = float(np.fmax(copy, person))
    return CopyTest(person, copy, alarm, seen, low, high,
                    (n, len(chosen) if np.isfinite(copy) else 0), score,
                    None if score is None else np.asarray(holdout_subjects))


def copy_measures(synthetic, training, test: CopyTest, fs: float, found: Nearest | None = None,
                  progress: bool = False) -> list[Measured]:
    """How many synthetic strips pass the thresholds, beside how many pass by chance.

    Args:
        synthetic: (n, time, lead) mV, strips as long as the holdout's of `fit_copy_test`.
        training: (m, time', lead) mV, as in `fit_copy_test`.
        test: CopyTest.
        fs: Hz.
        found: `nearest_strips(synthetic, training, fs)`, if it is known already.
        progress: bool. Default False.

    Returns:
        "copies": share past `test.copy`; baseline: the rate of false alarms; interval: Wilson's;
        p-value: binomial, of so many alarms or more by chance. "lookalikes": share past
        `test.person`; baseline, interval and p-value are over the holdout persons (drawn again, and
        the threshold with them, and a double of a member as one more of them), for a few of them
        decide how near new persons come. A single copy
        among n strips is not significant: look at `found.score` of the highest.
    """
    from scipy.stats import binomtest

    found = nearest_strips(synthetic, training, fs, progress=progress) if found is None else found
    n, rows = len(found.score), [Measured(name, np.nan, unit="share", n=len(found.score))
                                 for name in ("copies", "lookalikes")]
    if np.isfinite(test.copy):
        count = int((found.score > test.copy).sum())
        low, high = binomtest(count, n).proportion_ci(method="wilson")
        rows[0] = Measured("copies", count / n, test.alarm, low, high,
                           binomtest(count, n, test.alarm, alternative="greater").pvalue, "share",
                           n=n)
    if test.scores is not None:
        rows[1] = Measured("lookalikes", unit="share", n=n, **excess_over_strangers(
            found.score, test.scores, test.subjects, test.alarm, doubt=True))
    return rows


def closest_record_measures(synthetic, training, training_subjects, holdout, holdout_subjects,
                            fs: float, draws: int = 20, seed: int = 0) -> list[Measured]:
    """DCR and NNDR: are synthetic strips nearer to training strips than to holdout strips?

    Both sides get as many persons, and as many strips of each: the more a set holds, the nearer its
    nearest strip. Three quarters of the smaller side's persons are drawn again and again, which
    gives the interval.

    Args:
        synthetic: (n, time, lead) mV.
        training: (m, time, lead) mV.
        training_subjects: (m,).
        holdout: (k, time, lead) mV.
        holdout_subjects: (k,).
        fs: Hz.
        draws: of persons, default 20; distances are computed once, to the eight persons of a side
            who come nearest by coarse correlation (one draw in 65,000 has none of them).
        seed: int.

    Returns:
        "DCR, nearer to training": share of synthetic strips (baseline 0.5, ties half); "NNDR of
        training", median, baseline: the same of the holdout.

    Raises:
        InputError: no person of a side has two strips.
    """
    rng, sides = np.random.default_rng(seed), []
    sets = [(np.asarray(training), np.asarray(training_subjects)),
            (np.asarray(holdout), np.asarray(holdout_subjects))]
    counts = [np.unique(subjects, return_counts=True)[1] for _, subjects in sets]
    each = max(2, int(min(np.median(one) for one in counts)))
    ratios = []
    for strips, subjects in sets:
        chosen = [rng.permutation(np.flatnonzero(subjects == person))[:each]
                  for person in np.unique(subjects)]
        chosen = [rows for rows in chosen if len(rows) > 1]
        if not chosen:
            raise InputError("Nobody has enough strips for a nearest and a second nearest one.",
                             expected="a person with two or more on either side", got="none",
                             fix="give more strips a person")
        # Aligning in full costs 6 ms a pair: only within the persons who come near at all.
        near = coarse_correlation(synthetic, strips[np.concatenate(chosen)], fs)
        starts = np.cumsum([0, *map(len, chosen)])[:-1]
        rank = (-np.maximum.reduceat(near, starts, axis=1)).argsort(1).argsort(1)
        distance = np.full((len(chosen), len(synthetic)), 2.0)  # that of r = -1: never the nearest
        ratio = np.ones(distance.shape)
        for person, rows in enumerate(chosen):
            asked = np.flatnonzero(rank[:, person] < _NEAR_PERSONS)
            if len(asked):
                found = nearest_strips(synthetic[asked], strips[rows], fs, candidates=4)
                distance[person, asked], ratio[person, asked] = found.distance, found.ratio
        sides.append(distance)
        ratios.append(np.median(ratio[distance.argmin(0), np.arange(len(synthetic))]))
    size, values = max(1, round(0.75 * min(map(len, sides)))), []
    for _ in range(draws):
        near, far = (side[rng.permutation(len(side))[:size]].min(0) for side in sides)
        values.append(np.mean(near < far) + 0.5 * np.mean(near == far))
    low, high = np.quantile(values, [0.025, 0.975])
    return [Measured("DCR, nearer to training", float(np.mean(values)), 0.5, low, high,
                     unit="share", n=len(synthetic)),
            Measured("NNDR of training", float(ratios[0]), float(ratios[1]), better="high",
                     n=len(synthetic))]


def plant_copies(windows, fs: float, seconds: float, seed: int = 0) -> dict[str, np.ndarray]:
    """Copies of every kind in `KINDS` of the middle of each window.

    Args:
        windows: (n, longer, lead) mV, training windows at least 3 s longer than a strip.
        fs: Hz.
        seconds: s, length of a strip.
        seed: int.

    Returns:
        kind -> (n, seconds * fs, lead) float32, mV.

    Raises:
        InputError: the windows are too short to shift in.
    """
    from scipy.signal import butter, sosfiltfilt

    windows, length, reach = as_strips(windows, fs, "windows"), round(seconds * fs), int(1.5 * fs)
    if windows.shape[1] < length + 2 * reach:
        raise InputError("The windows are too short to plant shifted copies.",
                         expected=f"{seconds + 3:g} s or more",
                         got=f"{windows.shape[1] / fs:.2f} s",
                         fix="cut longer windows, or shorter strips")
    rng, n = np.random.default_rng(seed), len(windows)
    base = _middle(windows, length)
    shift = rng.integers(-reach, reach + 1, n)
    gain = rng.uniform(0.7, 1.4, (n, 1, 1)).astype(np.float32)
    noise = rng.standard_normal(base.shape).astype(np.float32) * base.std(1, keepdims=True)
    moved = _middle(windows, length, shift)
    changed = _middle(_faster(windows, rng.uniform(-0.05, 0.05, n)), length, shift)
    fast, slow = (_middle(_faster(windows, np.full(n, by)), length) for by in (0.05, -0.05))
    low = sosfiltfilt(butter(2, 15, fs=fs, output="sos"), base, axis=1).astype(np.float32)
    made = (base, base * gain, moved, fast, slow, changed * gain, base + 0.1 * noise,
            base + np.float32(10**-0.5) * noise, low)
    return dict(zip(KINDS, made, strict=True))


def power_table(windows, training, test: CopyTest, fs: float, seconds: float,
                seed: int = 0) -> pd.DataFrame:
    """Share of planted copies that each threshold finds, by kind of copy.

    Args:
        windows: (n, longer, lead) mV, training windows whose middles are among `training`; 100.
        training: (m, time', lead) mV.
        test: CopyTest.
        fs: Hz.
        seconds: s, length of a strip.
        seed: int.

    Returns:
        DataFrame, index = kind; columns `as_copy`, `as_lookalike` (shares found), `n`.
    """
    rows = {}
    for kind, planted in plant_copies(windows, fs, seconds, seed).items():
        score = nearest_strips(planted, training, fs).score
        rows[kind] = {"as_copy": np.mean(score > test.copy) if np.isfinite(test.copy) else np.nan,
                      "as_lookalike": np.mean(score > test.person), "n": len(score)}
    return pd.DataFrame.from_dict(rows, orient="index")


def _holdout_scores(training, holdout, subjects, fs, alarm, progress):
    persons = len(np.unique(subjects))
    if not 0 < alarm < 1 or len(holdout) < 1 / alarm or persons < 2 \
            or len(subjects) != len(holdout):
        raise InputError("The rate of false alarms cannot be set.",
                         expected=f"a rate in (0, 1), at least {1 / max(alarm, 1e-6):.0f} holdout "
                         "strips of two persons or more, each with its subject",
                         got=f"rate {alarm}, {len(holdout)} strips, {persons} persons",
                         fix="give more holdout strips, or allow more false alarms")
    return nearest_strips(holdout, training, fs, progress=progress).score


def _alarms_seen(score, subjects, alarm, seed):
    """Rate of alarms when each person is judged by a threshold of the others, with interval."""
    passed = np.zeros(len(score), bool)
    for person in np.unique(subjects):
        out = subjects == person
        passed[out] = score[out] > upper(score[~out], alarm)
    return (float(passed.mean()), *_share_interval(passed, subjects, seed))


def _share_interval(passed, subjects, seed, draws=500):
    persons, inverse = np.unique(subjects, return_inverse=True)
    hits, total = (np.bincount(inverse, weights) for weights in (passed, None))
    drawn = np.random.default_rng(seed).integers(len(persons), size=(draws, len(persons)))
    return tuple(map(float, np.quantile(hits[drawn].sum(1) / total[drawn].sum(1), [0.025, 0.975])))


def _middle(windows, length, shift=0):
    first = (windows.shape[1] - length) // 2 + np.broadcast_to(shift, len(windows))
    return np.take_along_axis(windows, (first[:, None] + np.arange(length))[..., None], axis=1)


def _faster(windows, by):
    return np.stack([read_faster(windows[..., lead], by) for lead in range(windows.shape[2])], -1)
