"""No number without its yardstick: baselines, intervals, and the first table of a report.

Baseline and interval come from the same resampling, half-samples of persons. The ordinary bootstrap
draws with replacement; the copies it makes look to nearest-neighbour and kernel measures like a
collapsed set. Halves hold every window once, and the spread of a half-sample about the whole
estimates the standard error of the whole (delete-half jackknife: Shao & Wu 1989,
doi:10.1214/aos/1176347263).
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError, TooFew
from ecg_tf.evaluation import fidelity
from ecg_tf.evaluation.clinical import clinical_distances
from ecg_tf.evaluation.descriptors import as_strips
from ecg_tf.evaluation.strip_data import StripData


@dataclass(frozen=True)
class Further:
    """A measure beside those of `fidelity_measures`; see `FURTHER`.

    Args:
        function: (real strips, other strips, fs) -> float; strips are (n, time, lead) mV, of other
            numbers on the two sides.
        unit: "" for a pure number.
        better: "low" or "high".
    """

    function: Callable
    unit: str = ""
    better: str = "low"


#: name -> `Further`. What is put here gets a baseline and an interval as all others do, and stands
# in : every report; a threshold in the experiment's `gate` makes it count.
FURTHER: dict[str, Further] = {}


@dataclass(frozen=True)
class Measured:
    """A value with its yardsticks.

    Args:
        name: what was measured.
        value: of the synthetic set.
        baseline: the same measure of other real persons; NaN where there is none.
        low: lower end of the value's 95 % interval; NaN where there is none.
        high: its upper end.
        p_value: of a permutation test; NaN where there is none.
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
            raise InputError("Which way is better?", expected="'low' or 'high'", got=self.better,
                             fix="say whether a smaller value is the better one")

    @property
    def at_baseline(self) -> bool:
        """No worse than real persons are to each other: not past the baseline's interval."""
        if self.better == "low":
            return self.value <= np.fmax(self.baseline, self.baseline_high)
        return self.value >= np.fmin(self.baseline, self.baseline_low)


def measured_table(measures) -> pd.DataFrame:
    """All measures as a table, index = name; the last column says `at_baseline`.

    Example:
        >>> measured_table([Measured("MMD²", 0.05, baseline=0.03)]).loc["MMD²", "baseline"]
        0.03
    """
    columns = [field.name for field in dataclasses.fields(Measured)]
    rows = [{**dataclasses.asdict(one), "at_baseline": one.at_baseline} for one in measures]
    return pd.DataFrame(rows, columns=[*columns, "at_baseline"]).set_index("name")


def plain_measures(measures) -> list[dict]:
    """All measures for JSON: a dict each, as `plain_number`, with `at_baseline`."""
    return [{name: plain_number(value) for name, value in
             {**dataclasses.asdict(one), "at_baseline": bool(one.at_baseline)}.items()}
            for one in measures]


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
    """A measure between two disjoint groups of real persons, over many ways to part them.

    Args:
        measure: (data of one group, data of the other) -> float. The second stands where the
            synthetic set stands.
        data: (n, ...) signals, features, or `np.arange(n)` to get indices.
        subjects: (n,) persons.
        n_synthetic: both groups are cut to at most so many windows, because nearest-neighbour
            measures depend on it; default None, all.
        share: of the persons in the first group; default one half.
        repeats: ways to part them, default 50.
        seed: int.

    Returns:
        (mean, low, high): mean and 2.5 % and 97.5 % quantiles over the partings.

    Raises:
        InputError: one person only, other lengths, repeats < 1.

    Example:
        >>> baseline(lambda a, b: mmd2(a, b, permutations=0)[0], features, subjects,
        n_synthetic=500)
    """
    data, subjects = np.asarray(data), np.asarray(subjects)
    persons = np.unique(subjects)
    if len(data) != len(subjects) or len(persons) < 2 or repeats < 1:
        raise InputError("A baseline cannot be measured.",
                         expected="one subject for each row, two persons, repeats >= 1",
                         got=f"{len(data)} rows, {len(subjects)} subjects, {len(persons)} persons, "
                             f"{repeats} repeats", fix="give more real persons")
    rng = np.random.default_rng(seed)
    size = int(np.clip(round(share * len(persons)), 1, len(persons) - 1))
    values = []
    for _ in range(repeats):
        one = np.isin(subjects, rng.permutation(persons)[:size])
        sides = [_some(np.flatnonzero(side), n_synthetic, rng) for side in (one, ~one)]
        values.append(measure(data[sides[0]], data[sides[1]]))
    return (float(np.mean(values)), *_quantiles(values))


def interval(measure: Callable, real, subjects, synthetic, repeats: int = 50, seed: int = 0,
             bounds: tuple[float, float] = (-np.inf, np.inf)) -> tuple[float, float]:
    """95 % interval of measure(real, synthetic), over real persons and synthetic windows.

    Half of the persons and half of the windows are drawn, again and again; the quantiles of
    (half-sample - mean of the half-samples) are laid about the value of the whole.

    Args:
        measure: (real data, synthetic data) -> float.
        real: (n, ...).
        subjects: (n,) persons of the real data.
        synthetic: (m, ...).
        repeats: default 50.
        seed: int.
        bounds: (least, greatest) value the measure can have; default none, as of MMD².

    Returns:
        (low, high).
    """
    real, subjects, synthetic = (np.asarray(one) for one in (real, subjects, synthetic))
    persons, rng = np.unique(subjects), np.random.default_rng(seed)
    values = []
    for _ in range(repeats):
        kept = np.isin(subjects, rng.permutation(persons)[:max(1, len(persons) // 2)])
        windows = rng.permutation(len(synthetic))[:max(2, len(synthetic) // 2)]
        values.append(measure(real[kept], synthetic[np.sort(windows)]))
    low, high = _quantiles(np.asarray(values) - np.mean(values))
    whole = measure(real, synthetic)
    low, high = np.clip([whole + low, whole + high], *bounds)
    return float(low), float(high)


def fidelity_measures(real_test, real_test_subjects, synthetic, fs: float, real_train=None,
                   real_train_subjects=None, max_strips: int = 1000, repeats: int = 30,
                   clinical_strips: int = 0, seed: int = 0) -> list[Measured]:
    """The first table of an experiment's report: is it like real ECGs of persons never seen?

    All measures compare with the test persons. The baseline's point value is the training persons
    in the synthetic set's place: what a perfect generator of the training persons would reach. Its
    interval parts all real persons anew into groups of the same sizes. Without training strips
    both come from halves of the test persons. All sets are cut to one size, since nearest-neighbour
    measures depend on it; scales are fixed from the training strips.

    The p-value of MMD² permutes windows, and so is small for other real persons also: read
    the baseline. In the discriminative AUC whole persons are left out; a synthetic window belongs
    to the training person it is nearest to. Precision, density and coverage seek a real strip's
    neighbours among other persons, where there are four test persons or more. Copies of the
    training strips sit at the baseline: this table cannot see them, the privacy tests do.

    Args:
        real_test: (n, time, lead) mV, strips of the test persons.
        real_test_subjects: (n,) str.
        synthetic: (m, time, lead) mV.
        fs: Hz, of all.
        real_train: (k, time, lead) mV; default None.
        real_train_subjects: (k,) str; needed with `real_train`.
        max_strips: each set is cut to so many; default 1000.
        repeats: half-samples for baseline and interval; default 30.
        clinical_strips: strips a side delineated for P, PR, QRS, QT (0.1 s each); default 0, none.
        seed: int.

    Returns:
        list of `Measured`: MMD², precision, recall, density, coverage, Fréchet distance,
        discriminative AUC, heart rate, RR, SDNN, RMSSD, R amplitude and amplitude
        Wasserstein-1, log-PSD distance, detectable strips, diversity, near-duplicates, those of
        `FURTHER`, and the intervals where asked for.

    Raises:
        InputError: missing values, wrong shapes, persons both in training and test.

    Example:
        >>> rows = fidelity_measures(test, test_subjects, synthetic, 128, train, train_subjects)
        >>> print(measured_table(rows))
    """
    rng = np.random.default_rng(seed)
    sets = cut_sets([(real_test, real_test_subjects), (real_train, real_train_subjects)], synthetic,
                fs, max_strips, rng)
    signals, subjects, test, train, fake = sets
    persons = [len(np.unique(subjects[part])) for part in (test, train)]
    data = StripData(signals, subjects, fs, train if len(train) else test, persons[0] >= 4, seed)
    real = np.concatenate([test, train]).astype(int)
    share = persons[0] / sum(persons) if persons[1] else 0.5

    def measured(name, function, unit="", better="low", most=np.inf, least=0.0, **more):
        mean, baseline_low, baseline_high = _unless_few(3, baseline, function, real, subjects[real],
                                                  len(fake), share, repeats, seed)
        low, high = _unless_few(2, interval, function, test, subjects[test], fake, repeats, seed,
                                (least, most))
        return Measured(name, function(test, fake), function(test, train) if len(train) else mean,
                        low, high, unit=unit, better=better, n=len(fake), baseline_low=baseline_low,
                        baseline_high=baseline_high, **more)

    _, p_value = fidelity.mmd2(data.features[test], data.features[fake], seed=seed)
    out = [measured("MMD²", data.mmd2, least=-np.inf, p_value=p_value)]
    out += [measured(name, data.manifold(name), better="high", most=most) for name, most in
            (("precision", 1), ("recall", 1), ("density", np.inf), ("coverage", 1))]
    (auc, low, high), bottom = data.discriminative(test, train, fake)
    out += [measured("Fréchet distance", data.frechet),
            Measured("discriminative AUC", auc, bottom[0], low, high, n=len(fake),
                     baseline_low=bottom[1], baseline_high=bottom[2])]
    out += [measured(f"{label} W1", data.clinical(column), unit) for column, label, unit in
            (("heart_rate", "heart rate", "bpm"), ("rr", "RR", "s"), ("sdnn", "SDNN", "s"),
             ("rmssd", "RMSSD", "s"), ("r_amplitude", "R amplitude", "mV"))]
    out += [measured("amplitude W1", data.amplitude, "mV"),
            measured("log-PSD distance", data.psd, "dB"),
            measured("detectable strips", data.detectable, "share", "high", most=1),
            measured("diversity", data.spread("diversity"), "of real", "high"),
            measured("near-duplicates", data.spread("near_duplicates"), "share", most=1)]
    out += [measured(name, lambda a, b, of=one.function: float(of(signals[a], signals[b], fs)),
                     one.unit, one.better, least=-np.inf) for name, one in FURTHER.items()]
    if clinical_strips:
        out += _interval_measures(signals, test, train, fake, fs, clinical_strips, seed)
    return out


def cut_sets(real, synthetic, fs, max_strips, rng):
    """All strips as one array, each set cut to one size.

    Args:
        real: ((test strips, subjects), (training strips, subjects)); None for no training strips.
        synthetic: (m, time, lead) mV.
        fs: Hz.
        max_strips: most strips of a set.
        rng: draws which.

    Returns:
        (signals (n, time, lead), subjects (n,) "" for synthetic ones, then the indices of test,
        training and synthetic strips in them).

    Raises:
        InputError: missing values, wrong shapes, persons both in training and test.
    """
    parts = []
    for (strips, subjects), name in zip(real, ("test strips", "training strips"), strict=True):
        if strips is None:
            continue
        strips = as_strips(strips, fs, name)
        if subjects is None or len(subjects) != len(strips):
            raise InputError(f"The {name} have no subjects.", expected=f"{len(strips)} names",
                             got="none" if subjects is None else len(subjects),
                             fix="give the subject of each strip")
        parts.append((strips, np.asarray(subjects, str)))
    if len(parts) == 2 and (both := np.intersect1d(parts[0][1], parts[1][1])).size:
        raise InputError("Persons are in training and test.", expected="disjoint subjects",
                         got=", ".join(both[:5]), fix="split by subject, not by window")
    synthetic = as_strips(synthetic, fs, "synthetic strips")
    parts.append((synthetic, np.full(len(synthetic), "")))
    if len({part[0].shape[1:] for part in parts}) > 1:
        raise InputError("The sets have other lengths or leads.", expected="one (time, lead)",
                         got=[part[0].shape[1:] for part in parts],
                         fix="cut all sets into strips of one length, with the same leads")
    size = min(max_strips, *(len(part[0]) for part in parts))
    chosen = [_some(np.arange(len(part[0])), size, rng) for part in parts]
    signals = np.concatenate([part[0][at] for part, at in zip(parts, chosen, strict=True)])
    subjects = np.concatenate([part[1][at] for part, at in zip(parts, chosen, strict=True)])
    index = np.split(np.arange(len(signals)), len(parts))
    return signals, subjects, index[0], index[1] if len(parts) == 3 else index[0][:0], index[-1]


def _interval_measures(signals, test, train, fake, fs, limit, seed):
    table = clinical_distances(signals[test], signals[fake], fs, limit=limit, seed=seed)
    base = clinical_distances(signals[test], signals[train], fs, limit=limit, seed=seed) \
        if len(train) else None
    out = [Measured("delineated strips", table.synthetic["delineated"],
                    table.real["delineated"] if base is None else base.synthetic["delineated"],
                    unit="share", better="high", n=min(limit, len(fake)))]
    return out + [Measured(f"{name.replace('_', ' ')} W1", table.wasserstein1[name],
                           np.nan if base is None else base.wasserstein1[name],
                           unit=table.unit[name], n=min(limit, len(fake)))
                  for name in ("p_duration", "p_amplitude", "pr", "qrs", "qt", "qtc")]


def _unless_few(count: int, function: Callable, *arguments):
    """What the function gives; so many NaN where there are too few strips or persons for it."""
    try:
        return function(*arguments)
    except TooFew:
        return (np.nan,) * count


def _some(index, size, rng):
    if size is None or len(index) <= size:
        return index
    return np.sort(rng.choice(index, size, replace=False))


def _quantiles(values):
    values = np.asarray(values, float)
    if not np.isfinite(values).any():
        return np.nan, np.nan
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)
