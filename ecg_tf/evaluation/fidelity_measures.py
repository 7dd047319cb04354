"""The first table of a report: every measure of fidelity beside its real-vs-real baseline."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import fidelity
from ecg_tf.evaluation.baselines import Comparison, Measured, some_rows
from ecg_tf.evaluation.descriptors import as_strips
from ecg_tf.evaluation.strip_data import StripData
from ecg_tf.signals.windows import Windows


@dataclass(frozen=True)
class Further:
    """A measure beside those of `fidelity_measures`.

    Args:
        function: (real strips, other strips, fs) -> float; strips are (n, time, lead) mV, of
            different numbers on the two sides.
        unit: "" for a pure number.
        better: "low" or "high".
    """

    function: Callable
    unit: str = ""
    better: str = "low"


#: name -> `Further`. Each gets a baseline and an interval and stands in every report; a threshold
#: in the experiment's `gate` makes it count.
FURTHER: dict[str, Further] = {}


def fidelity_measures(test: Windows, synthetic, train: Windows | None = None,
                      max_strips: int = 1000, repeats: int = 30, seed: int = 0,
                      only: Collection[str] | None = None) -> list[Measured]:
    """The first table of a report: are the synthetic ECGs like real ECGs of unseen subjects?

    All measures compare with the test subjects; baselines as in `Comparison.measure`. All sets
    are cut to one size, since nearest-neighbour measures depend on it. Scales are fixed from the
    training strips.

    The p-value of MMD² permutes windows, and so is small for other real subjects too: read the
    baseline. In the discriminative AUC whole subjects are left out; a synthetic window belongs to
    the training subject it is nearest to. Precision, density and coverage seek a real strip's
    neighbours among other subjects, where there are four test subjects or more. Copies of training
    strips sit at the baseline: this table cannot see them, the privacy tests do.

    Args:
        test: strips of the test subjects.
        synthetic: (m, time, lead) mV, or `Windows`, at the rate and with the leads of `test`.
        train: strips of the training subjects; default None.
        max_strips: of each set; default 1000.
        repeats: half-samples for baseline and interval; default 30.
        only: names of the measures that are computed. Default: all.

    Returns:
        list of `Measured`: MMD², precision, recall, density, coverage, Fréchet distance,
        discriminative AUC, heart rate, RR, SDNN, RMSSD, R amplitude and amplitude
        Wasserstein-1, log-PSD distance, detectable strips, diversity, near-duplicates, and those
        of `FURTHER`.

    Raises:
        InputError: missing values, wrong shapes, subjects both in training and test.

    Example:
        >>> print(measured_table(fidelity_measures(test, strips, train)))
    """
    signals, sets = cut_sets(test, synthetic, train, max_strips, repeats, seed)
    fs = test.fs
    by_person = len(np.unique(sets.subjects[sets.test])) >= 4
    data = StripData(signals, sets.subjects, fs, sets.train if len(sets.train) else sets.test,
                     by_person, seed)
    share = (0.0, 1.0)
    measures: list[tuple[Any, ...]] = [
        ("MMD²",),
        ("precision", data.manifold("precision"), "", "high", share),
        ("recall", data.manifold("recall"), "", "high", share),
        ("density", data.manifold("density"), "", "high"),
        ("coverage", data.manifold("coverage"), "", "high", share),
        ("Fréchet distance", data.frechet),
        ("discriminative AUC",),
        ("heart rate W1", data.clinical("heart_rate"), "bpm"),
        ("RR W1", data.clinical("rr"), "s"),
        ("SDNN W1", data.clinical("sdnn"), "s"),
        ("RMSSD W1", data.clinical("rmssd"), "s"),
        ("R amplitude W1", data.clinical("r_amplitude"), "mV"),
        ("amplitude W1", data.amplitude, "mV"),
        ("log-PSD distance", data.psd, "dB"),
        ("detectable strips", data.detectable, "share", "high", share),
        ("diversity", data.spread("diversity"), "of real", "high"),
        ("near-duplicates", data.spread("near_duplicates"), "share", "low", share),
        *((name, lambda a, b, of=more.function: float(of(signals[a], signals[b], fs)), more.unit,
           more.better, (-np.inf, np.inf)) for name, more in FURTHER.items()),
    ]
    own = {"MMD²": _mmd2, "discriminative AUC": _discriminative}
    return [own[name](data, sets) if name in own else sets.measure(name, *arguments)
            for name, *arguments in measures if only is None or name in only]


def _mmd2(data: StripData, sets: Comparison) -> Measured:
    """With the p-value of a permutation test, which is slow."""
    p = fidelity.mmd2(data.features[sets.test], data.features[sets.synthetic], seed=data.seed)[1]
    return sets.measure("MMD²", data.mmd2, "", "low", (-np.inf, np.inf), p)


def _discriminative(data: StripData, sets: Comparison) -> Measured:
    """Intervals are those of an AUC: classifiers are not trained on half-samples."""
    (auc, low, high), real = data.discriminative(sets.test, sets.train, sets.synthetic)
    return Measured("discriminative AUC", auc, real[0], low, high, n=len(sets.synthetic),
                    baseline_low=real[1], baseline_high=real[2])


def cut_sets(test: Windows, synthetic, train: Windows | None, max_strips: int, repeats: int,
             seed: int) -> tuple[np.ndarray, Comparison]:
    """All strips as one array (n, time, lead), each set cut to one size, and where the sets lie in
    it.

    Arguments as in `fidelity_measures`. InputError: missing values, wrong shapes, subjects both in
    training and test.
    """
    real = [(test, "test strips")] + ([(train, "training strips")] if train is not None else [])
    if train is not None and (both := np.intersect1d(test.subjects, train.subjects)).size:
        raise InputError("Subjects are in training and test.", expected="disjoint subjects",
                         got=", ".join(both[:5]), fix="split by subject, not by window")
    strips = [as_strips(part.signals, test.fs, name) for part, name in real]
    strips.append(as_strips(getattr(synthetic, "signals", synthetic), test.fs, "synthetic strips"))
    if len({part.shape[1:] for part in strips}) > 1:
        raise InputError("The sets have different lengths or leads.", expected="one (time, lead)",
                         got=[part.shape[1:] for part in strips],
                         fix="cut all sets into strips of one length, with the same leads")
    subjects = [np.asarray(part.subjects, str) for part, _ in real] + [np.full(len(strips[-1]), "")]
    size, rng = min(max_strips, *map(len, strips)), np.random.default_rng(seed)
    chosen = [some_rows(np.arange(len(part)), size, rng) for part in strips]
    signals, who = (np.concatenate([part[rows] for part, rows in zip(parts, chosen, strict=True)])
                    for parts in (strips, subjects))
    index = np.split(np.arange(len(signals)), len(strips))
    train_rows = index[1] if len(strips) == 3 else index[0][:0]
    return signals, Comparison(who, index[0], train_rows, index[-1], repeats, seed)
