"""Measures on the signal itself, in mV and Hz: amplitude, spectrum, seams, warped distance."""

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.descriptors import log_band_power


def wasserstein1(a, b) -> float:
    """Wasserstein-1 distance of two samples of numbers, in their unit; NaN values are left out.

    Of the amplitudes (mV) or of a clinical measure. Unlike a histogram divergence it has no bins
    and no infinities; NaN where one side has nothing.
    """
    from scipy.stats import wasserstein_distance

    a, b = (np.asarray(side, np.float64).ravel() for side in (a, b))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    return float(wasserstein_distance(a, b)) if len(a) and len(b) else np.nan


def psd_distance(real, synthetic, fs: float) -> float:
    """Root mean square difference (dB) of the mean log spectra, 0.5-40 Hz, over bands and leads.

    Blind to phase on purpose: phase-randomized surrogates score like real ones. (n, time, lead).
    """
    real, synthetic = log_band_power(real, fs), log_band_power(synthetic, fs)
    return float(10 * np.sqrt(np.mean((real.mean(0) - synthetic.mean(0)) ** 2)))


def seam_ratio(signals, seams) -> float:
    """Mean |Δ| across the places where the arrangement breaks / mean |Δ| elsewhere.

    1 where the seams do not show; compare with real windows cut at the same places.

    Args:
        signals: (window, time, lead); NaN at the end of shorter windows is left out.
        seams: (s,) int positions for all windows, or one array of positions for each window (list,
            or (window, s) padded with negative values). Seam p lies between samples p - 1 and p.

    Returns:
        float; NaN where there is no seam or nothing else.

    Raises:
        InputError: wrong shape, a list of another length, a position outside the signal.
    """
    signals = np.asarray(signals)
    if signals.ndim != 3:
        raise InputError("Signals have another shape.", expected="(window, time, lead)",
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


def dtw_to_nearest(beats, reference, band: int = 8, limit: int = 200, seed: int = 0) -> np.ndarray:
    """Dynamic time warping distance of each beat to the nearest reference beat.

    Root mean square along the best path inside a Sakoe-Chiba band: sqrt(min Σ (a - b)² / steps of
    the diagonal). All pairs advance together, cell by cell: length * band small steps.

    Args:
        beats: (n, time) or (n, time, lead) mV, say from `descriptors.aligned_beats`.
        reference: (m, time[, lead]) mV.
        band: half-width, samples (10 ms each on the beat grid); default 8.
        limit: each side is subsampled to so many beats; default 200.
        seed: int.

    Returns:
        (min(n, limit),) mV.

    Source: Sakoe & Chiba 1978, doi:10.1109/TASSP.1978.1163055.
    """
    rng = np.random.default_rng(seed)
    a, b = (np.asarray(side, np.float32) for side in (beats, reference))
    if a.ndim not in (2, 3) or a.shape[1:] != b.shape[1:] or not len(a) or not len(b):
        raise InputError("Beats to compare have other shapes.", expected="(n, time) both, n > 0",
                         got=(a.shape, b.shape), fix="align both with `aligned_beats`")
    a, b = (side[np.sort(rng.choice(len(side), min(limit, len(side)), replace=False))]
            for side in (a, b))
    length = a.shape[1]
    a, b = a.reshape(len(a), length, -1), b.reshape(len(b), length, -1)
    infinite = np.full((len(a), len(b)), np.inf, np.float32)
    before = {-1: np.zeros_like(infinite)}  # the path begins at (0, 0)
    for i in range(length):
        row = {}
        for j in range(max(0, i - band), min(length, i + band + 1)):
            cost = sum((a[:, None, i, lead] - b[None, :, j, lead]) ** 2
                       for lead in range(a.shape[2]))
            best = np.minimum(before.get(j, infinite), before.get(j - 1, infinite))
            row[j] = cost + np.minimum(best, row.get(j - 1, infinite))
        before = row
    return np.sqrt(before[length - 1] / length).min(1)
