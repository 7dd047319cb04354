"""Measures on numbers and on the signal itself, in mV: Wasserstein-1 distance, seams."""

import numpy as np

from ecg_tf.base.errors import InputError


def wasserstein1(a, b) -> float:
    """Wasserstein-1 distance of two samples of numbers, in their unit; NaN values are left out.

    Unlike a histogram divergence it has no bins and no infinities; NaN where one side is empty.
    """
    from scipy.stats import wasserstein_distance

    a, b = (np.asarray(side, np.float64).ravel() for side in (a, b))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    return float(wasserstein_distance(a, b)) if len(a) and len(b) else np.nan


def seam_ratio(signals, seams) -> float:
    """Mean step across the seams of the arrangement / mean step elsewhere; NaN where either is
    missing.

    1 where the seams do not show; compare with real windows cut at the same places.

    Args:
        signals: (window, time, lead); NaN at the end of shorter windows is left out.
        seams: (s,) int positions for all windows, or one array of positions for each window (list,
            or (window, s) padded with negative values). Seam p lies between samples p - 1 and p.

    Raises:
        InputError: wrong shape, a list of another length, a position outside the signal.
    """
    signals = np.asarray(signals)
    if signals.ndim != 3:
        raise InputError("The signals have the wrong shape.", expected="(window, time, lead)",
                         got=signals.shape, fix="add the missing axis")
    seams = list(seams)
    each = seams if len(seams) and np.ndim(seams[0]) else [seams] * len(signals)
    if len(each) != len(signals):
        raise InputError("Seams are given for another number of windows.", expected=len(signals),
                         got=len(each), fix="give one array for each window, or one for all")
    at_seam = np.zeros((len(signals), signals.shape[1] - 1), bool)
    for row, places in zip(at_seam, each, strict=True):
        places = np.asarray(places).astype(int)
        places = places[places >= 0]
        if len(places) and not 1 <= places.min() <= places.max() <= len(row):
            raise InputError("A seam lies outside the signal.", expected=f"1 ... {len(row)}",
                             got=f"{places.min()} ... {places.max()}",
                             fix="a seam p lies between samples p - 1 and p")
        row[places - 1] = True
    step = np.abs(np.diff(signals, axis=1))
    valid = np.isfinite(step)
    across = step[at_seam[..., None] & valid]
    elsewhere = step[~at_seam[..., None] & valid]
    if not len(across) or not len(elsewhere):
        return np.nan
    return float(across.mean() / max(elsewhere.mean(), 1e-12))
