"""Do the leads of a synthetic ECG belong to one heart? Only for strips of several leads.

Leads are views of the same beats, so they go together: how closely, differs from person to person,
and its distribution is compared. Limb leads do more, they are sums of each other (Einthoven 1912,
Goldberger 1942), so what is left of these sums is an error whoever the person is. The other
measures look at each lead for itself and see neither.
"""

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured, baseline, cut_sets, interval
from ecg_tf.evaluation.descriptors import as_strips
from ecg_tf.evaluation.fidelity import wasserstein1
from ecg_tf.signals.limb_leads import limb_lead

#: mV: sums of float32 are right so far. A residual below it is none, lest two sets that both add up
#: are told apart by their last bits.
ROUNDING_MV = 1e-6
_BLOCK = 64  # strips at once: their float64 copies stay small

#: Sums of limb leads that are zero in every recording: lead -> factor.
RELATIONS = {
    "I + III = II": {"I": 1.0, "III": 1.0, "II": -1.0},
    "aVR + aVL + aVF = 0": {"aVR": 1.0, "aVL": 1.0, "aVF": 1.0},
    "aVR = -(I + II) / 2": {"aVR": 1.0, "I": 0.5, "II": 0.5},
    "aVL = (I - III) / 2": {"aVL": 1.0, "I": -0.5, "III": 0.5},
    "aVL = I - II / 2": {"aVL": 1.0, "I": -1.0, "II": 0.5},
    "aVF = (II + III) / 2": {"aVF": 1.0, "II": -0.5, "III": -0.5},
    "aVF = II - I / 2": {"aVF": 1.0, "II": -1.0, "I": 0.5},
}


def lead_correlations(strips) -> np.ndarray:
    """How alike the leads of each strip are at the same moment.

    Args:
        strips: (n, time, lead) mV, two leads or more.

    Returns:
        (n, pair) Pearson correlations, pairs in the order of `itertools.combinations`; 0 where a
        lead is flat.

    Raises:
        InputError: one lead only.
    """
    strips = np.asarray(strips)
    if strips.ndim != 3 or strips.shape[2] < 2:
        raise InputError("Leads are compared with each other.", got=f"shape {strips.shape}",
                         expected="(strip, time, lead) with two leads or more",
                         fix="read the records with several leads")
    first, second = np.array(list(combinations(range(strips.shape[2]), 2))).T
    out = np.zeros((len(strips), len(first)))
    for start in range(0, len(strips), _BLOCK):
        part = strips[start : start + _BLOCK].astype(np.float64)
        part -= part.mean(axis=1, keepdims=True)
        products = np.swapaxes(part, 1, 2) @ part
        norms = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
        most = norms[:, first] * norms[:, second]
        alike = products[:, first, second] / np.maximum(most, 1e-30)
        out[start : start + _BLOCK] = np.where(most > 0, alike, 0.0)
    return out


def known_relations(leads: Sequence[str]) -> dict[str, np.ndarray]:
    """Which sums of these leads have to be zero.

    Args:
        leads: names, such as "II", "aVR" or "ECG I filtered". MLII is no limb lead of this kind:
            its electrodes are on the chest.

    Returns:
        relation -> (lead,) factors; empty where fewer than three limb leads belong together.

    Example:
        >>> list(known_relations(["I", "II", "III", "V1"]))
        ['I + III = II']
    """
    limb = [limb_lead(re.sub(r"\s+filtered$", "", lead.strip(), flags=re.I)) for lead in leads]
    return {name: np.array([factors.get(one, 0.0) for one in limb])
            for name, factors in RELATIONS.items()
            if all(limb.count(key) == 1 for key in factors)}


def einthoven_residual(strips, leads: Sequence[str]) -> np.ndarray:
    """What is left of the sums that have to be zero.

    Args:
        strips: (n, time, lead) mV.
        leads: their names.

    Returns:
        (n, 2): root mean square of the residuals over all relations, and of the leads in them, mV.

    Raises:
        InputError: no relation is known of these leads.
    """
    relations = known_relations(leads)
    strips = np.asarray(strips)
    if not relations or strips.ndim != 3 or strips.shape[2] != len(leads):
        raise InputError("These leads have no sum that must be zero.",
                         expected="strips (n, time, lead) of limb leads, such as I, II and III",
                         got=f"{', '.join(leads)}, shape {strips.shape}",
                         fix="read all limb leads that the records have")
    factors = np.stack(list(relations.values()), -1)
    used = np.any(factors != 0, axis=1)
    out = np.zeros((len(strips), 2))
    for start in range(0, len(strips), _BLOCK):
        part = strips[start : start + _BLOCK][..., used].astype(np.float64)
        left = part @ factors[used]
        out[start : start + _BLOCK] = np.stack([np.sqrt((left**2).mean(axis=(1, 2))),
                                                np.sqrt((part**2).mean(axis=(1, 2)))], -1)
    return out


def inter_lead_measures(real_test, real_test_subjects, synthetic, leads: Sequence[str], fs: float,
                        real_train=None, real_train_subjects=None, max_strips: int = 1000,
                        repeats: int = 30, seed: int = 0) -> list[Measured]:
    """The rows of a report about leads; the arguments are those of `baseline.fidelity_measures`.

    The baseline is the training persons in the synthetic set's place, its interval parts all real
    persons anew; without training strips both come from halves of the test persons.

    Args:
        real_test: (n, time, lead) mV.
        real_test_subjects: (n,) str.
        synthetic: (m, time, lead) mV.
        leads: names.
        fs: Hz.
        real_train, real_train_subjects: (k, time, lead) mV and (k,) str; default None.
        max_strips: each set is cut to so many; default 1000.
        repeats: half-samples for baseline and interval; default 30.
        seed: int.

    Returns:
        list of `Measured`: "inter-lead correlation W1" (mean over pairs of leads of the
        Wasserstein-1 distance between both sets' correlations) and, where limb leads allow it,
        "Einthoven residual" (mV) and "Einthoven residual of signal" (relative to the rms of the
        leads), both 0 where the sums are right to rounding (`ROUNDING_MV`), as they are by
        construction where a codec computes these leads. Empty for one lead.

    Raises:
        InputError: as `baseline.fidelity_measures`, or names that do not match the strips.
    """
    synthetic = as_strips(synthetic, fs, "synthetic strips")
    if synthetic.shape[2] != len(leads):
        raise InputError("Leads and strips do not match.", expected=f"{synthetic.shape[2]} names",
                         got=", ".join(leads), fix="give the name of each lead, in their order")
    if len(leads) < 2:
        return []
    signals, subjects, test, train, fake = cut_sets(
        [(real_test, real_test_subjects), (real_train, real_train_subjects)], synthetic, fs,
        max_strips, np.random.default_rng(seed))
    real = np.concatenate([test, train]).astype(int)
    persons = [len(np.unique(subjects[part])) for part in (test, train)]
    share = persons[0] / sum(persons) if persons[1] else 0.5
    alike = lead_correlations(signals)

    def measured(name, function, unit=""):
        mean, baseline_low, baseline_high = baseline(
            function, real, subjects[real], len(fake), share, repeats, seed
        )
        low, high = interval(function, test, subjects[test], fake, repeats, seed, (0.0, np.inf))
        return Measured(name, function(test, fake), function(test, train) if len(train) else mean,
                        low, high, unit=unit, n=len(fake), baseline_low=baseline_low,
                        baseline_high=baseline_high)

    out = [measured("inter-lead correlation W1", lambda a, b: float(np.mean(
        [wasserstein1(alike[a, pair], alike[b, pair]) for pair in range(alike.shape[1])])))]
    if known_relations(leads):
        left, size = einthoven_residual(signals, leads).T
        left = np.where(left < ROUNDING_MV, 0.0, left)
        out += [measured("Einthoven residual", lambda a, b: _rms(left[b]), "mV"),
                measured("Einthoven residual of signal",
                         lambda a, b: _rms(left[b]) / max(_rms(size[b]), 1e-12), "share")]
    return out


def _rms(values) -> float:
    return float(np.sqrt(np.mean(values**2)))
