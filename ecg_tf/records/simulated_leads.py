"""Which leads a simulated heart is recorded in, and what each sees of a wave.

A wave is a dipole in the chest: leads I and II and its depth (Frank's z, towards the back) say
which, and Dower's matrix what the chest leads see of it. So R grows from V1 to V5 where S shrinks,
aVR is upside down, and T is tallest in V2 to V4, as in ECGs of healthy adults.

Source: Dower et al. 1980 (doi:10.1002/clc.1980.3.2.87) for the matrix; a dipole for each wave as in
Sameni et al. 2007 (doi:10.1155/2007/43407).
"""

from collections.abc import Sequence

import numpy as np

from ecg_tf.base.errors import InputError, closest

#: Frank's x (left), y (down) and z (back) in parts that each lead sees of them.
DOWER = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
#: Leads that are simulated; MLII sees what II sees of a normal beat. New ones go to the end, for
#: electrodes are placed in this order.
LEADS = ("MLII", "II", "I", "V1", "V2", "V5", "V3", "V4", "V6")
#: Lead I in parts of lead II, for P, Q, R, S and T.
LEAD_I = (0.6, 0.8, 0.55, 0.5, 0.7)
#: Depth of P, R and T in parts of their lead II, and of Q and S in parts of R (II): the septum
#: starts forward, T points forward again.
DEPTH = (-0.3, -0.22, 0.15, 0.05, -0.5)
#: Between R and S the left ventricle points back. Leads I and II see nothing of it; to V1 to V3 it
#: is their S. Its depth in parts of R (II), its centre and sigma in parts of the QRS duration.
BACK = {"depth": 0.65, "after_r": 0.18, "sigma": 0.12}
#: The other limb leads are no measurements of their own: recorders add them up from I and II, noise
#: and all (Einthoven 1912; Goldberger 1942).
SUMS = {
    "III": {"II": 1.0, "I": -1.0},
    "aVR": {"I": -0.5, "II": -0.5},
    "aVL": {"I": 1.0, "II": -0.5},
    "aVF": {"II": 1.0, "I": -0.5},
}


def checked_leads(leads: str | Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple, spelled as here: AVR is aVR.

    Raises:
        InputError: no such lead, one twice, or none at all.
    """
    asked = (leads,) if isinstance(leads, str) else tuple(leads)
    known = {lead.lower(): lead for lead in (*LEADS, *SUMS)}
    wrong = [lead for lead in asked if lead.lower() not in known]
    found = tuple(known.get(lead.lower(), lead) for lead in asked)
    if wrong or not found or len(set(found)) < len(found):
        raise InputError("These leads cannot be simulated.", got=list(asked),
                         expected=f"different ones of {list(known.values())}",
                         fix=closest(wrong[0], list(known.values())) if wrong else "")
    return found


def measured_leads(leads: Sequence[str]) -> tuple[str, ...]:
    """The leads of `LEADS` that have to be simulated to get these."""
    parts = [part for lead in leads for part in SUMS.get(lead, {lead: 1.0})]
    return tuple(dict.fromkeys(parts))


def summed(values: np.ndarray, measured: Sequence[str], leads: Sequence[str]) -> np.ndarray:
    """Leads (..., lead) mV out of values (..., measured lead) of those in `measured_leads`.

    Example:
        >>> summed(np.array([[0.5, 1.2]]), ("I", "II"), ("III",)).round(2).tolist()
        [[0.7]]
    """
    return np.stack([
        sum(factor * values[..., measured.index(part)]
            for part, factor in SUMS.get(lead, {lead: 1.0}).items()) for lead in leads], -1)


def chest_leads(first: np.ndarray, second: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """What all simulated leads see of dipoles: (..., lead) mV in the order of `LEADS`; MLII as II.

    `first`, `second`: leads I and II, mV; `depth`: Frank's z, mV.

    Example:
        >>> seen = chest_leads(np.array(0.55), np.array(1.0), np.array(0.6))
        >>> [float(seen[LEADS.index(lead)].round(1)) for lead in ("V1", "V2", "V3", "V4", "V5")]
        [-1.0, -0.7, 0.3, 1.1, 1.3]
    """
    matrix = np.array(list(DOWER.values()))
    # Two equations for x and y once z is known: the limb leads lie in the frontal plane.
    flat = np.stack([first, second], -1) - depth[..., None] * matrix[:2, 2]
    dipole = np.concatenate([flat @ np.linalg.inv(matrix[:2, :2]).T, depth[..., None]], -1)
    seen = dict(zip(DOWER, np.moveaxis(dipole @ matrix.T, -1, 0), strict=True))
    seen |= {"I": first, "II": second, "MLII": second}
    return np.stack([seen[lead] for lead in LEADS], -1)
