"""What is computed once a strip, so that baselines and intervals are cheap to resample."""

import copy

import numpy as np
import pandas as pd

from ecg_tf.evaluation import fidelity
from ecg_tf.evaluation.clinical import rhythm
from ecg_tf.evaluation.descriptors import (
    DescriptorScale,
    aligned_beats,
    describe,
    log_band_power,
    strip_rpeaks,
)
from ecg_tf.evaluation.discriminative import discriminative_auc, pseudo_subjects
from ecg_tf.evaluation.waveform import wasserstein1


class StripData:
    """Strips of all sets, described once; its measures take two arrays of indices, (real, other).

    Args:
        signals: (n, time, lead) mV, real and synthetic strips together.
        subjects: (n,) str; "" for synthetic ones.
        fs: Hz.
        reference: indices of the real strips that fix the scales, or a `DescriptorScale`.
        by_person: seek the neighbours of real strips among other persons; False where the real
            persons are too few to be halved.
        seed: int.
    """

    def __init__(self, signals, subjects, fs: float, reference, by_person: bool = True,
                 seed: int = 0):
        rpeaks = strip_rpeaks(signals, fs)
        raw = describe(signals, fs, rpeaks=rpeaks)
        if not isinstance(reference, DescriptorScale):
            reference = DescriptorScale.from_description(raw[reference], signals.shape[2])
        self.fs, self.scale = fs, reference
        self.features = ((raw - reference.center) / reference.scale).astype(np.float32)
        self.subjects, self.by_person, self.seed, self._known = subjects, by_person, seed, {}
        self.rhythm = rhythm(signals, fs, rpeaks=rpeaks)
        self.spectrum = 10 * log_band_power(signals, fs)
        at = np.random.default_rng(seed).integers(0, signals.shape[1], (len(signals), 64, 1))
        self.samples = np.take_along_axis(signals, at, axis=1)
        beats, owner = aligned_beats(signals, rpeaks, fs)
        self.beat = np.zeros((len(signals), beats.shape[1] * beats.shape[2]), np.float32)
        self.beat[owner] = beats.reshape(len(owner), self.beat.shape[1])  # the strip's last beat

    def joined(self, signals) -> "StripData":
        """These strips and synthetic ones behind them, on these scales.

        Args:
            signals: (m, time, lead) mV.
        """
        more = StripData(signals, np.full(len(signals), ""), self.fs, self.scale, self.by_person,
                         self.seed)
        whole = copy.copy(self)
        for name in ("features", "subjects", "spectrum", "samples", "beat"):
            setattr(whole, name, np.concatenate([getattr(self, name), getattr(more, name)]))
        whole.rhythm = pd.concat([self.rhythm, more.rhythm], ignore_index=True)
        whole._known = {}
        return whole

    def mmd2(self, a, b) -> float:
        return fidelity.mmd2(self.features[a], self.features[b], permutations=0, seed=self.seed)[0]

    def frechet(self, a, b) -> float:
        return fidelity.frechet_distance(self.features[a], self.features[b])

    def manifold(self, name: str):
        """One of precision, recall, density, coverage, as a function of (a, b)."""
        def between_persons(a, b):
            groups = self.subjects[a] if self.by_person else None
            return fidelity.precision_recall_density_coverage(
                self.features[a], self.features[b], groups=groups)
        return self._of_equal_sets(between_persons, name)

    def spread(self, name: str):
        """`diversity` or `near_duplicates`, as a function of (a, b)."""
        def spread(a, b):
            return fidelity.diversity(self.features[a], self.features[b])
        return self._of_equal_sets(spread, name)

    def clinical(self, column: str):
        """Wasserstein-1 of a column of `clinical.rhythm`, as a function of (a, b)."""
        values = self.rhythm[column].to_numpy(float)
        return lambda a, b: wasserstein1(values[a], values[b])

    def amplitude(self, a, b) -> float:
        return float(np.mean([wasserstein1(lead[a], lead[b])
                              for lead in np.moveaxis(self.samples, 2, 0)]))

    def psd(self, a, b) -> float:
        difference = self.spectrum[a].mean(0) - self.spectrum[b].mean(0)
        return float(np.sqrt(np.mean(difference**2)))

    def detectable(self, a, b) -> float:
        """Share of the second set's strips in which beats can be found."""
        return float(self.rhythm["detectable"].to_numpy(float)[b].mean())

    def discriminative(self, test, train, fake):
        """AUC of synthetic, and of other real persons, against the test persons, with intervals.

        Without training strips the baseline is one half of the test persons against the other.
        """
        known = train if len(train) else test
        groups = pseudo_subjects(self.features[known], self.subjects[known], self.features[fake])
        value = self.auc(test, fake, groups)
        real, other = test, train
        if not len(train):
            half = np.isin(self.subjects[test], np.unique(self.subjects[test])[::2])
            real, other = test[half], test[~half]
        return value, self.auc(real, other, self.subjects[other])

    def auc(self, real, other, groups):
        """(AUC, low, high) of a classifier of real against other strips, whole persons left out.

        Args:
            real, other: indices.
            groups: the person each of the others counts with, see `pseudo_subjects`.
        """
        persons = len(np.unique(self.subjects[real])), len(np.unique(groups))
        folds = min(5, persons[0], len(other))
        if folds < 2:
            return np.nan, np.nan, np.nan
        if persons[1] < folds:
            groups = None  # collapsed: there are no subjects to keep together
        both = np.concatenate([self.features, self.beat], axis=1)
        return discriminative_auc(both[real], both[other], self.seed,
                                  self.subjects[real], groups, folds)

    def _of_equal_sets(self, function, name):
        def measure(a, b):
            # Every measure meets the same splits: results are kept.
            key = function.__name__, a.tobytes(), b.tobytes()
            if key not in self._known:
                rng, size = np.random.default_rng(self.seed), min(len(a), len(b))
                a, b = (side if len(side) == size else rng.choice(side, size, replace=False)
                        for side in (a, b))
                self._known[key] = function(a, b)
            return self._known[key][name]
        return measure
