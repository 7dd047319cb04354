"""Clinical numbers: rhythm and intervals, found by the same tools on both sides."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.delineation import delineate
from ecg_tf.evaluation.descriptors import BEAT_GRID, aligned_beats, as_strips, strip_rpeaks

RATES = (30.0, 220.0)  # bpm, what counts as a heart rate
# Intervals outside are errors of the delineator rather than of the heart; seconds.
PLAUSIBLE = {"p_duration": (0.03, 0.20), "pr": (0.08, 0.40), "qrs": (0.04, 0.22),
             "qt": (0.20, 0.65)}


def rhythm(strips, fs: float, lead: int = 0, rpeaks=None) -> pd.DataFrame:
    """Heart rate, RR, HRV and R amplitude of every strip; quick (2,000 strips in seconds).

    Args:
        strips: (n, time, lead) mV, finite, 2 s or longer.
        fs: Hz.
        rpeaks: of `strip_rpeaks` for this lead; default None, found here.

    Returns:
        DataFrame of n rows: `beats` (number), `heart_rate` (bpm, 60 / median RR, NaN outside
        30-220), `rr` (s, mean), `sdnn`, `rmssd` (s, three beats or more), `r_amplitude` (mV above
        the strip's median, median over beats, negative where the main deflection is), `likeness`
        (median correlation of the beats with their median beat, without 25 ms around R),
        `detectable` (three beats, a heart rate, likeness at least 0.5). NaN where a strip has none.

    Raises:
        InputError: missing values, wrong shape, no such lead.

    Source: Task Force of the ESC and NASPE 1996 (HRV).
    """
    strips = _one_lead(strips, fs, lead)
    rpeaks = strip_rpeaks(strips, fs) if rpeaks is None else rpeaks
    beats, owner = aligned_beats(strips, rpeaks, fs)
    first = np.searchsorted(owner, np.arange(len(strips) + 1))
    level = np.median(strips, axis=1)[:, 0]
    rows = []
    for i, peaks in enumerate(rpeaks):
        rr = np.diff(peaks) / fs
        rate = 60 / np.median(rr) if len(rr) else np.nan
        rate = rate if RATES[0] <= rate <= RATES[1] else np.nan
        spread = len(rr) > 1
        tall = strips[i, np.round(peaks).astype(int), 0] - level[i]
        rows.append({
            "beats": len(peaks), "heart_rate": rate, "rr": rr.mean() if len(rr) else np.nan,
            "sdnn": rr.std(ddof=1) if spread else np.nan,
            "rmssd": np.sqrt(np.mean(np.diff(rr) ** 2)) if spread else np.nan,
            "r_amplitude": np.median(tall) if len(tall) else np.nan,
            "likeness": _likeness(beats[first[i]:first[i + 1], :, 0])})
    table = pd.DataFrame(rows)
    table["detectable"] = ((table.beats >= 3) & table.heart_rate.notna() & (table.likeness >= 0.5))
    return table


class Waves(NamedTuple):
    """What `waves` finds.

    Args:
        table: DataFrame, one row a sampled strip, index = its number: `p_duration`, `pr`, `qrs`,
            `qt`, `qtc` (s), `delineated` (True where the strip is `detectable` and at least half
            of its beats have a QRS and a QT of plausible length). NaN where not found.
        amplitudes: (n, 3, lead) mV, of P, R and T in every lead, above the strip's median.
    """

    table: pd.DataFrame
    amplitudes: np.ndarray


def waves(strips, fs: float, lead: int = 0, limit: int = 60, seed: int = 0) -> Waves:
    """Intervals and amplitudes of up to `limit` strips, as `delineate` finds the waves.

    Each strip's value is the median over its beats. Fridericia's QTc = QT / RR^⅓: Bazett's would
    add an error where rates differ, which rate itself shows already. Amplitudes are read in all
    leads at the moments of the peaks in the delineated one.

    Args:
        strips: (n, time, lead) mV.
        fs: Hz.
        lead: which one is delineated; default the first.
        limit: strips delineated, sampled at random; default 60 (about 0.01 s each).

    Raises:
        InputError: as `rhythm`; limit < 1.

    Source: see `delineation`; its errors on LUDB are in docs/detectors.md.
    """
    leads = as_strips(strips, fs)
    one = _one_lead(leads, fs, lead)
    if limit < 1:
        raise InputError("Nothing to delineate.", expected="limit >= 1", got=limit,
                         fix="leave `limit` out for 60 strips")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(leads))[:limit])
    leads, one = leads[chosen], one[chosen]
    rpeaks = strip_rpeaks(one, fs)
    found = rhythm(one, fs, rpeaks=rpeaks)
    rows = [_delineate(strip, lead, peaks, fs, bool(ok))
            for strip, peaks, ok in zip(leads, rpeaks, found.detectable, strict=True)]
    return Waves(pd.DataFrame([row for row, _ in rows], index=chosen),
                 np.array([heights for _, heights in rows]).reshape(len(rows), 3, leads.shape[2]))


def _one_lead(strips, fs, lead):
    strips = as_strips(strips, fs)
    if not 0 <= lead < strips.shape[2]:
        raise InputError("There is no such lead.", expected=f"0 ... {strips.shape[2] - 1}",
                         got=lead, fix="choose a lead the strips have")
    return strips[..., lead:lead + 1]


def _likeness(beats):
    if len(beats) < 2:
        return np.nan
    # Without the peak, at which beats are aligned: there even shuffled samples correlate.
    beats = beats[:, np.abs(BEAT_GRID) > 0.025]
    beats = beats - beats.mean(1, keepdims=True)
    middle = np.median(beats, axis=0)
    norm = np.linalg.norm(beats, axis=1) * np.linalg.norm(middle)
    return float(np.median(beats @ middle / np.maximum(norm, 1e-9)))


def _delineate(strip, lead, rpeaks, fs, detectable):
    row = dict.fromkeys([*PLAUSIBLE, "qtc"], np.nan) | {"delineated": False}
    if len(rpeaks) < 3:
        return row, np.full((3, strip.shape[1]), np.nan)
    at = delineate(strip[:, lead], rpeaks, fs)
    times = {"p_duration": at["p_offset"] - at["p_onset"], "pr": at["qrs_onset"] - at["p_onset"],
             "qrs": at["qrs_offset"] - at["qrs_onset"], "qt": at["t_offset"] - at["qrs_onset"]}
    fine = {}
    for name, (low, high) in PLAUSIBLE.items():
        seconds = times[name] / fs
        fine[name] = (seconds >= low) & (seconds <= high)
        row[name] = float(np.median(seconds[fine[name]])) if fine[name].any() else np.nan
    row["qtc"] = row["qt"] / np.cbrt(np.median(np.diff(rpeaks)) / fs)
    row["delineated"] = bool(detectable and (fine["qrs"] & fine["qt"]).mean() >= 0.5)
    peaks = at["p_peak"][fine["p_duration"]], np.asarray(rpeaks), at["t_peak"][fine["qt"]]
    return row, np.stack([_heights(strip, where) for where in peaks])


def _heights(strip, peaks):
    """(lead,) mV: median over beats of the strip at these samples, above its own median."""
    peaks = np.round(peaks[np.isfinite(peaks)]).astype(int)
    if not len(peaks):
        return np.full(strip.shape[1], np.nan)
    return np.median(strip[peaks], axis=0) - np.median(strip, axis=0)
