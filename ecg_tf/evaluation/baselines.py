"""No number without its baseline: real-vs-real baselines and intervals.

Baseline and interval both come from half-samples of subjects. The ordinary bootstrap repeats
windows, which nearest-neighbour and kernel measures take for a collapsed set. A half-sample holds
every window once, and its spread about the whole estimates the standard error of the whole
(delete-half jackknife: Shao & Wu 1989, doi:10.1214/aos/1176347263). Scores that are fixed before
resampling (attacks, classifiers) use the ordinary `bootstrap`.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError, TooFew
from ecg_tf.evaluation.resampling import percentiles


@dataclass(frozen=True)
class Measured:
    """A value with its baseline and interval; NaN where there is none.

    Args:
        name: what was measured.
        value: of the synthetic set.
        baseline: the same measure of other real subjects.
        low: lower end of the value's 95 % interval.
        high: its upper end.
        p_value: of a permutation test.
        unit: "" for a pure number.
        better: "low" or "high".
        n: windows of the synthetic set that were used.
        baseline_low: lower end of the baseline's 95 % interval.
        baseline_high: its upper end.
    """

    name: str
    value: float
    baseline: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p_value: float = np.nan
    unit: str = ""
    better: str = "low"
    n: int = 0
    baseline_low: float = np.nan
    baseline_high: float = np.nan

    def __post_init__(self):
        if self.better not in ("low", "high"):
            raise InputError("Which direction is better?", expected="'low' or 'high'",
                             got=self.better, fix="say whether a smaller value is better")

    @property
    def at_baseline(self) -> bool:
        """No worse than real subjects are to each other: not past the baseline's interval."""
        if self.better == "low":
            return self.value <= np.fmax(self.baseline, self.baseline_high)
        return self.value >= np.fmin(self.baseline, self.baseline_low)

    def row(self) -> dict:
        """All fields by name, and `at_baseline`."""
        return dataclasses.asdict(self) | {"at_baseline": bool(self.at_baseline)}


def measured_table(measures: Sequence[Measured]) -> pd.DataFrame:
    """All measures as a table, index = name; the last column is `at_baseline`.

    Example:
        >>> measured_table([Measured("MMD²", 0.05, baseline=0.03)]).loc["MMD²", "baseline"]
        0.03
    """
    columns = [*(field.name for field in dataclasses.fields(Measured)), "at_baseline"]
    return pd.DataFrame([measure.row() for measure in measures], columns=columns).set_index("name")


def plain_measures(measures: Sequence[Measured]) -> list[dict]:
    """All measures for JSON: a dict each, with `plain_number` values and `at_baseline`."""
    return [{name: plain_number(value) for name, value in measure.row().items()}
            for measure in measures]


def plain_number(value):
    """For JSON: NaN as None, a float with 12 digits, all else as it is.

    The last bits of an eigenvalue or a matrix product depend on where an array lies in memory, so
    two processes would write different files about the same experiment.
    """
    if not isinstance(value, float):
        return value
    return None if np.isnan(value) else float(f"{value:.12g}")


def baseline(measure: Callable, data, subjects, n_synthetic: int | None = None, share: float = 0.5,
             repeats: int = 50, seed: int = 0) -> tuple[float, float, float]:
    """A measure between two disjoint groups of real subjects, over many random splits.

    Args:
        measure: (data of one group, data of the other) -> float. The second takes the place of
            the synthetic set.
        data: (n, ...) signals, features, or `np.arange(n)` to get indices.
        subjects: (n,).
        n_synthetic: most windows of each group, because nearest-neighbour measures depend on
            their number; default None, all.
        share: of the subjects in the first group; default one half.
        repeats: random splits, default 50.

    Returns:
        (mean, low, high): mean, 2.5 % and 97.5 % quantiles over the splits.

    Raises:
        InputError: one subject only, other lengths, repeats < 1.

    Example:
        >>> baseline(lambda a, b: mmd2(a, b, permutations=0)[0], features, subjects)
    """
    data, subjects = np.asarray(data), np.asarray(subjects)
    persons = np.unique(subjects)
    if len(data) != len(subjects) or len(persons) < 2 or repeats < 1:
        raise InputError("A baseline cannot be measured.",
                         expected="one subject for each row, two subjects, repeats >= 1",
                         got=f"{len(data)} rows, {len(subjects)} names, {len(persons)} subjects, "
                             f"{repeats} repeats", fix="give more real subjects")
    rng = np.random.default_rng(seed)
    size = int(np.clip(round(share * len(persons)), 1, len(persons) - 1))
    values = []
    for _ in range(repeats):
        first = np.isin(subjects, rng.permutation(persons)[:size])
        sides = [some_rows(np.flatnonzero(side), n_synthetic, rng) for side in (first, ~first)]
        values.append(measure(data[sides[0]], data[sides[1]]))
    return (float(np.mean(values)), *percentiles(values))


def interval(measure: Callable, real, subjects, synthetic, repeats: int = 50, seed: int = 0,
             bounds: tuple[float, float] = (-np.inf, np.inf)) -> tuple[float, float]:
    """95 % interval of measure(real, synthetic), over real subjects and synthetic windows.

    Half of the subjects and half of the windows are sampled repeatedly; the quantiles of
    (half-sample - mean of the half-samples) are laid about the value of the whole.

    Args:
        measure: (real data, synthetic data) -> float.
        real: (n, ...).
        subjects: (n,) of the real data.
        synthetic: (m, ...).
        bounds: (least, greatest) value the measure can have; default none, as of MMD².

    Returns:
        (low, high).
    """
    real, subjects, synthetic = (np.asarray(part) for part in (real, subjects, synthetic))
    persons, rng = np.unique(subjects), np.random.default_rng(seed)
    values = []
    for _ in range(repeats):
        kept = np.isin(subjects, rng.permutation(persons)[:max(1, len(persons) // 2)])
        windows = rng.permutation(len(synthetic))[:max(2, len(synthetic) // 2)]
        values.append(measure(real[kept], synthetic[np.sort(windows)]))
    low, high = percentiles(np.asarray(values) - np.mean(values))
    whole = measure(real, synthetic)
    low, high = np.clip([whole + low, whole + high], *bounds)
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Test, training and synthetic rows of the same arrays, for measures of two index arrays.

    Args:
        subjects: (n,) of all rows.
        test: indices of the test subjects' rows.
        train: of the training subjects' rows; may be empty.
        synthetic: of the synthetic rows.
        repeats: half-samples for baseline and interval.
        seed: int.
    """

    subjects: np.ndarray
    test: np.ndarray
    train: np.ndarray
    synthetic: np.ndarray
    repeats: int = 30
    seed: int = 0

    def measure(self, name: str, function: Callable, unit: str = "", better: str = "low",
                bounds: tuple[float, float] = (0.0, np.inf), p_value: float = np.nan) -> Measured:
        """The value of the synthetic rows against the test rows, its interval and baseline.

        The baseline's value puts the training rows in the synthetic rows' place; its interval
        splits all real subjects into groups of the same sizes. Without training rows both come
        from halves of the test subjects.

        Args:
            name, unit, better, p_value: as in `Measured`.
            function: (indices of real rows, indices of other rows) -> float.
            bounds: (least, greatest) value the measure can have.
        """
        test, train, synthetic = self.test, self.train, self.synthetic
        real = np.sort(np.concatenate([test, train]))
        persons = [len(np.unique(self.subjects[part])) for part in (test, train)]
        share = persons[0] / sum(persons) if persons[1] else 0.5
        mean, baseline_low, baseline_high = _or_nan(
            3, baseline, function, real, self.subjects[real], len(synthetic), share, self.repeats,
            self.seed)
        low, high = _or_nan(2, interval, function, test, self.subjects[test], synthetic,
                            self.repeats, self.seed, bounds)
        return Measured(name, function(test, synthetic),
                        function(test, train) if len(train) else mean, low, high, p_value, unit,
                        better, len(synthetic), baseline_low, baseline_high)


def _or_nan(count: int, function: Callable, *arguments):
    """What the function gives; so many NaN where there are too few strips or subjects for it."""
    try:
        return function(*arguments)
    except TooFew:
        return (np.nan,) * count


def some_rows(index, size: int | None, rng):
    """At most `size` of the indices, sampled without replacement and sorted."""
    if size is None or len(index) <= size:
        return index
    return np.sort(rng.choice(index, size, replace=False))
