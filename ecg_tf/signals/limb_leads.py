"""Limb leads that follow from two others, and whether a record's leads agree with that.

Three electrodes give two independent voltages. So any two of I, II and III determine the others,
aVR, aVL and aVF included. Recorders compute them; so can whoever decodes an image.

Source: Einthoven 1912 (III = II - I); Goldberger 1942 (the augmented leads).
"""

import re
from collections.abc import Sequence

import numpy as np

from ecg_tf.base.errors import InputError

#: Each limb lead in parts of I and II.
LIMB_LEADS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
#: Pairs that the others are computed from, the usual one first.
PAIRS = (("I", "II"), ("I", "III"), ("II", "III"))
#: mV. Leads stored in steps of 1 µV agree within 0.0006, of 5 µV within 0.005; leads with another
#: gain, or filtered by themselves, differ by more than 0.01.
AGREEMENT_MV = 0.01
_BY_CASE = {name.lower(): name for name in LIMB_LEADS}


def limb_lead(name: str) -> str:
    """Which limb lead a name means, one of `LIMB_LEADS`, or "".

    Case and a word in front ("ECG", "EKG", "lead") do not matter. MLII is no limb lead: its
    electrodes are on the chest.

    Example:
        >>> [limb_lead(name) for name in ("ii", "ECG AVR", "MLII", "V1")]
        ['II', 'aVR', '', '']
    """
    short = re.sub(r"^(ecg|ekg|lead)[\s_:-]+", "", name.strip().lower())
    return _BY_CASE.get(short, "")


def independent_leads(leads: Sequence[str]) -> tuple[str, ...]:
    """The leads that the others follow from: all but the limb leads that two of I, II and III
    determine, in their order. Of a limb lead that is there twice both are kept, and none follows.

    Example:
        >>> independent_leads(["I", "II", "III", "aVR", "aVL", "aVF", "V1"])
        ('I', 'II', 'V1')
        >>> independent_leads(["aVF", "III", "V1", "I"])
        ('III', 'V1', 'I')
    """
    kinds = _kinds(leads)
    pair = _pair(kinds)
    if not pair:
        return tuple(leads)
    return tuple(lead for lead, kind in zip(leads, kinds, strict=True) if not kind or kind in pair)


def lead_factors(kept: Sequence[str], leads: Sequence[str]) -> np.ndarray:
    """Factors that compute leads from those that were kept: (kept, lead) float64.

    Signals of `kept` times this are the signals of `leads`: kept ones, and limb leads that follow
    from them; an InputError for others.

    Example:
        >>> lead_factors(["I", "II"], ["II", "III", "aVF"]).T.tolist()
        [[0.0, 1.0], [-1.0, 1.0], [-0.5, 1.0]]
    """
    kept, kinds = list(kept), _kinds(kept)
    if kept == list(leads):
        return np.eye(len(kept))
    pair = _pair(kinds)
    factors = np.zeros((len(kept), len(leads)))
    basis = np.linalg.inv([LIMB_LEADS[name] for name in pair]) if pair else np.zeros((2, 0))
    for column, lead in enumerate(leads):
        if lead in kept:
            factors[kept.index(lead), column] = 1.0
        elif pair and limb_lead(lead):
            # The inverses are whole numbers: rounded, the factors are exact.
            parts = np.rint(2 * np.array(LIMB_LEADS[limb_lead(lead)]) @ basis) / 2
            factors[[kinds.index(name) for name in pair], column] = parts
        else:
            raise InputError(f"The lead '{lead}' does not follow from the others.",
                             expected="a limb lead, and two of I, II and III to compute it from",
                             got=", ".join(kept), fix="keep this lead, or two of I, II and III")
    return factors


def all_leads(signals: np.ndarray, kept: Sequence[str], leads: Sequence[str]) -> np.ndarray:
    """Signals (..., lead) mV of all leads, computed from those that were kept, (..., kept) mV.

    Kept leads stay as they were, bit by bit; the others are computed in float64 and rounded once: a
    float32 differs from the exact sum by at most 6e-8 of itself, 1.2e-7 mV up to 2 mV. InputError:
    a lead that does not follow from those kept.

    Example:
        >>> all_leads(np.array([[0.5, 1.5]]), ["I", "II"], ["I", "II", "III", "aVR"]).tolist()
        [[0.5, 1.5, 1.0, -1.0]]
    """
    if list(kept) == list(leads):
        return signals
    factors = lead_factors(kept, leads)
    whole = np.empty((*signals.shape[:-1], len(leads)), signals.dtype)
    for column, parts in enumerate(factors.T):
        used = np.flatnonzero(parts)
        if len(used) == 1 and parts[used[0]] == 1:
            whole[..., column] = signals[..., used[0]]
        else:
            whole[..., column] = sum(parts[k] * signals[..., k].astype(np.float64) for k in used)
    return whole


def lead_residuals(signal, leads: Sequence[str]) -> dict[str, float]:
    """How far each computed limb lead of a record is from the sum that it should be.

    Of (time, lead) mV, NaN left out: lead -> mV, the root mean square of the residual without its
    mean; empty where no lead follows from others. The residual grows where leads bear a wrong name,
    sign or gain, or were filtered separately. A constant offset does not count. Exchanged
    electrodes do not show: their sums are right.

    Example:
        >>> i, ii = np.random.default_rng(0).normal(size=(2, 500))
        >>> lead_residuals(np.stack([i, ii, ii - i + 1], -1), ["I", "II", "III"])["III"] < 1e-9
        True
    """
    kept = independent_leads(leads)
    derived, place = [lead for lead in leads if lead not in kept], list(leads).index
    out = {}
    for lead, parts in zip(derived, lead_factors(kept, derived).T, strict=True):
        left = np.asarray(signal[:, place(lead)], np.float64)
        for k in np.flatnonzero(parts):
            left = left - parts[k] * signal[:, place(kept[k])]
        left = left[np.isfinite(left)]
        if len(left):
            out[lead] = float(left.std())
    return out


def limb_lead_residual(signals, leads: Sequence[str]) -> np.ndarray:
    """The largest of the `lead_residuals` of each record, (time, lead) mV: (record,) mV.

    NaN where no lead follows from others. Beyond `AGREEMENT_MV` the leads do not belong together.
    """
    return np.array([max(lead_residuals(np.asarray(signal), leads).values(), default=np.nan)
                     for signal in signals], np.float64)


def _kinds(leads: Sequence[str]) -> list[str]:
    """The limb lead that each name means, "" for the others and where two mean the same."""
    if len(set(leads)) < len(leads):  # sums go by name, so no name may be there twice
        return [""] * len(leads)
    kinds = [limb_lead(lead) for lead in leads]
    return [kind if kinds.count(kind) == 1 else "" for kind in kinds]


def _pair(kinds: Sequence[str]) -> tuple[str, str] | tuple[()]:
    return next((pair for pair in PAIRS if set(pair) <= set(kinds)), ())
