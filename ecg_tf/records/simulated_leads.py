"""Which leads a simulated heart is recorded in, and what each sees of a wave."""

from collections.abc import Sequence

import numpy as np

from ecg_tf.errors import InputError, closest

#: How much of a wave, as seen in lead II, another lead sees of it (P, Q, R, S, T). The deep S of
#: V1 and V2 is the R of the left leads seen from the other side: there it counts in parts of R.
LEADS = {
    "MLII": (1.0, 1.0, 1.0, 1.0, 1.0),
    "II": (1.0, 1.0, 1.0, 1.0, 1.0),
    "I": (0.6, 0.8, 0.55, 0.5, 0.7),
    "V1": (0.5, 0.0, 0.2, 0.7, -0.3),
    "V2": (0.5, 0.0, 0.4, 0.9, 1.3),
    "V5": (0.7, 0.9, 1.2, 1.0, 1.1),
}
#: The other limb leads are no measurements of their own: recorders add them up from I and II, noise
#: and all (Einthoven 1912; Goldberger 1942).
SUMS = {
    "III": {"II": 1.0, "I": -1.0},
    "aVR": {"I": -0.5, "II": -0.5},
    "aVL": {"I": 1.0, "II": -0.5},
    "aVF": {"II": 1.0, "I": -0.5},
}


def checked_leads(leads: str | Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple.

    Raises:
        InputError: no such lead, one twice, or none at all.
    """
    leads = (leads,) if isinstance(leads, str) else tuple(leads)
    known = [*LEADS, *SUMS]
    wrong = [lead for lead in leads if lead not in known]
    if wrong or not leads or len(set(leads)) < len(leads):
        raise InputError(
            "These leads cannot be simulated.", expected=f"different ones of {known}",
            got=list(leads), fix=closest(wrong[0], known) if wrong else "",
        )  # fmt: skip
    return leads


def measured_leads(leads: Sequence[str]) -> tuple[str, ...]:
    """The leads of `LEADS` that have to be simulated to get these."""
    parts = [part for lead in leads for part in SUMS.get(lead, {lead: 1.0})]
    return tuple(dict.fromkeys(parts))


def summed(values: np.ndarray, measured: Sequence[str], leads: Sequence[str]) -> np.ndarray:
    """Leads out of those that were measured.

    Args:
        values: (..., measured lead), mV.
        measured: their names, of `measured_leads`.
        leads: the names wanted.

    Returns:
        (..., lead) mV.

    Example:
        >>> summed(np.array([[0.5, 1.2]]), ("I", "II"), ("III",)).round(2).tolist()
        [[0.7]]
    """
    return np.stack([
        sum(factor * values[..., measured.index(part)]
            for part, factor in SUMS.get(lead, {lead: 1.0}).items()) for lead in leads], -1)
