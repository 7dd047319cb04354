"""Do the leads of a synthetic ECG belong to one heart? For strips of several leads.

Leads show the same beats, so they correlate; how closely differs between persons, and its
distribution is compared. Limb leads are also sums of each other (Einthoven 1912, Goldberger 1942):
a residual of these sums is an error whoever the person is. The other measures look at one lead at
a time and see neither.
"""

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.fidelity_measures import cut_sets
from ecg_tf.evaluation.waveform import wasserstein1
from ecg_tf.signals.limb_leads import limb_lead
from ecg_tf.signals.windows import Windows

#: mV, the precision of sums of float32. A smaller residual counts as 0: the last bits must not
#: tell two sets apart.
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
    """Pearson correlations between the leads of each strip of (n, time, lead) mV: (n, pair), pairs
    in the order of `itertools.combinations`, 0 where a lead is flat. InputError for one lead
    only."""
    strips = np.asarray(strips)
    if strips.ndim != 3 or strips.shape[2] < 2:
        raise InputError("Correlations need several leads.", got=f"shape {strips.shape}",
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
    """Which sums of these leads have to be zero: relation -> (lead,) factors.

    Empty where fewer than three limb leads belong together. MLII is no limb lead of this kind: its
    electrodes are on the chest.

    Example:
        >>> list(known_relations(["I", "II", "III", "V1"]))
        ['I + III = II']
    """
    limb = [limb_lead(re.sub(r"\s+filtered$", "", lead.strip(), flags=re.I)) for lead in leads]
    return {name: np.array([factors.get(name, 0.0) for name in limb])
            for name, factors in RELATIONS.items()
            if all(limb.count(key) == 1 for key in factors)}


def einthoven_residual(strips, leads: Sequence[str]) -> np.ndarray:
    """Residuals of the sums that have to be zero: (n, 2), root mean square of the residuals over
    all relations, and of the leads in them, mV. InputError where no relation is known of these
    leads."""
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


def inter_lead_measures(test: Windows, synthetic, train: Windows | None = None,
                        max_strips: int = 1000, repeats: int = 30, seed: int = 0
                        ) -> list[Measured]:
    """The rows of a report about leads; arguments as in `fidelity_measures`.

    Returns:
        list of `Measured`: "inter-lead correlation W1" (mean over pairs of leads of the
            Wasserstein-1 distance between both sets' correlations) and, where limb leads allow it,
            "Einthoven residual" (mV) and "Einthoven residual of signal" (relative to the rms of the
            leads). Both residuals are 0 where the sums are right to rounding (`ROUNDING_MV`), as by
            construction where a codec computes these leads. Empty for one lead.
    """
    if len(test.leads) < 2:
        return []
    signals, sets = cut_sets(test, synthetic, train, max_strips, repeats, seed)
    alike = lead_correlations(signals)
    out = [sets.measure("inter-lead correlation W1", lambda a, b: float(np.mean(
        [wasserstein1(alike[a, pair], alike[b, pair]) for pair in range(alike.shape[1])])))]
    if known_relations(test.leads):
        left, size = einthoven_residual(signals, test.leads).T
        left = np.where(left < ROUNDING_MV, 0.0, left)
        out += [sets.measure("Einthoven residual", lambda a, b: _rms(left[b]), "mV"),
                sets.measure("Einthoven residual of signal",
                             lambda a, b: _rms(left[b]) / max(_rms(size[b]), 1e-12), "share")]
    return out


def _rms(values) -> float:
    return float(np.sqrt(np.mean(values**2)))
