"""Would a cardiologist's numbers come out alike? Rhythm and intervals, same tools on both sides."""

import warnings

import numpy as np
import pandas as pd

from ecg_tf.errors import InputError
from ecg_tf.evaluation.descriptors import BEAT_GRID, aligned_beats, as_strips, strip_rpeaks
from ecg_tf.evaluation.waveform import wasserstein1

RATES = (30.0, 220.0)  # bpm, what counts as a heart rate
# Intervals outside are errors of the delineator rather than of the heart; seconds.
PLAUSIBLE = {"p_duration": (0.03, 0.20), "pr": (0.08, 0.40), "qrs": (0.04, 0.22),
             "qt": (0.20, 0.65)}
# Where a beat's points may lie, seconds from its R peak.
REACH = {"P_Onsets": (-0.50, -0.04), "P_Peaks": (-0.45, -0.03), "P_Offsets": (-0.40, -0.02),
         "R_Onsets": (-0.20, 0.0), "R_Offsets": (0.0, 0.20), "T_Offsets": (0.10, 0.65)}
UNITS = {"heart_rate": "bpm", "rr": "s", "sdnn": "s", "rmssd": "s", "r_amplitude": "mV",
         "p_duration": "s", "p_amplitude": "mV", "pr": "s", "qrs": "s", "qt": "s", "qtc": "s"}


def rhythm(strips, fs: float, lead: int = 0, rpeaks=None) -> pd.DataFrame:
    """Heart rate, RR, HRV and R amplitude of every strip; quick (2,000 strips in seconds).

    Args:
        strips: (n, time, lead) mV, finite, 2 s or longer.
        fs: Hz.
        lead: which lead to read; default 0.
        rpeaks: what `strip_rpeaks` gave for this lead; default None, found here.

    Returns:
        DataFrame of n rows: `beats` (number), `heart_rate` (bpm, 60 / median RR, NaN outside
        30-220), `rr` (s, mean), `sdnn`, `rmssd` (s, three beats or more), `r_amplitude` (mV above
        the strip's median, median over beats, negative where the main deflection is),
        `likeness` (median correlation of the beats with their median beat, 25 ms around R left
        out),
        `detectable` (three beats, a heart rate, likeness at least 0.5).
        NaN where a strip has no such thing.

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
    table["detectable"] = ((table.beats >= 3) & table.heart_rate.notna()
                           & (table.likeness >= 0.5))
    return table


def intervals(strips, fs: float, lead: int = 0, limit: int = 60, seed: int = 0) -> pd.DataFrame:
    """P, PR, QRS, QT and QTc of up to `limit` strips, by NeuroKit2's wavelet delineator.

    Each strip's value is the median over its beats. Fridericia's QTc = QT / RR^⅓: Bazett's would
    add an error where rates differ, which rate itself shows already.

    Args:
        strips: (n, time, lead) mV.
        fs: Hz.
        lead: default 0.
        limit: strips delineated, drawn at random; default 60 (about 0.1 s each).
        seed: int.

    Returns:
        DataFrame, one row a drawn strip, index = its number: `p_duration`, `pr`, `qrs`, `qt`,
        `qtc` (s), `p_amplitude` (mV), `delineated` (True where the strip is `detectable` and at
        least half of its beats have a QRS and a QT of plausible length). NaN where not found.

    Raises:
        InputError: as `rhythm`; limit < 1.

    Source: Martínez et al. 2004, doi:10.1109/TBME.2003.821031; Makowski et al. 2021 (NeuroKit2).
    """
    strips = _one_lead(strips, fs, lead)
    if limit < 1:
        raise InputError("Nothing to delineate.", expected="limit >= 1", got=limit,
                         fix="leave `limit` out for 60 strips")
    drawn = np.random.default_rng(seed).permutation(len(strips))[:limit]
    strips = strips[np.sort(drawn)]
    rpeaks = strip_rpeaks(strips, fs)
    found = rhythm(strips, fs, rpeaks=rpeaks)
    rows = [_delineate(strip[:, 0], peaks, fs, bool(ok))
            for strip, peaks, ok in zip(strips, rpeaks, found.detectable, strict=True)]
    return pd.DataFrame(rows, index=np.sort(drawn))


def clinical_distances(real, synthetic, fs: float, lead: int = 0, limit: int = 60,
                       seed: int = 0) -> pd.DataFrame:
    """Wasserstein-1 of every clinical number between two sets, with medians and shares beside it.

    Args:
        real: (n, time, lead) mV.
        synthetic: (m, time, lead) mV.
        fs: Hz, of both.
        lead: default 0.
        limit: strips a side that are delineated; 0 leaves the intervals out; default 60.
        seed: int.

    Returns:
        DataFrame, index = measure, columns `wasserstein1`, `real` and `synthetic` (medians),
        `found_real` and `found_synthetic` (share of strips that have the number), `unit`; and the
        rows `detectable` and `delineated`, whose values are shares and whose distance is the
        difference of the shares.

    Example:
        >>> clinical_distances(real, synthetic, fs=128).loc["heart_rate", "wasserstein1"]
    """
    one, other = (rhythm(side, fs, lead) for side in (real, synthetic))
    out = _compare(one, other, ["heart_rate", "rr", "sdnn", "rmssd", "r_amplitude"], "detectable")
    if limit:
        one, other = (intervals(side, fs, lead, limit, seed) for side in (real, synthetic))
        names = ["p_duration", "p_amplitude", "pr", "qrs", "qt", "qtc"]
        out = pd.concat([out, _compare(one, other, names, "delineated")])
    return out


def _compare(real, synthetic, names, share):
    rows = {name: {"wasserstein1": wasserstein1(real[name], synthetic[name]),
                   "real": real[name].median(), "synthetic": synthetic[name].median(),
                   "found_real": real[name].notna().mean(),
                   "found_synthetic": synthetic[name].notna().mean(), "unit": UNITS[name]}
            for name in names}
    a, b = real[share].mean(), synthetic[share].mean()
    rows[share] = {"wasserstein1": abs(a - b), "real": a, "synthetic": b, "found_real": a,
                   "found_synthetic": b, "unit": "share"}
    return pd.DataFrame.from_dict(rows, orient="index")


def _one_lead(strips, fs, lead):
    strips = as_strips(strips, fs)
    if not 0 <= lead < strips.shape[2]:
        raise InputError("There is no such lead.", expected=f"0 ... {strips.shape[2] - 1}",
                         got=lead, fix="choose a lead the strips have")
    return strips[..., lead:lead + 1]


def _likeness(beats):
    if len(beats) < 2:
        return np.nan
    # Without the peak: beats are aligned at it, so even shuffled samples are alike there.
    beats = beats[:, np.abs(BEAT_GRID) > 0.025]
    beats = beats - beats.mean(1, keepdims=True)
    middle = np.median(beats, axis=0)
    norm = np.linalg.norm(beats, axis=1) * np.linalg.norm(middle)
    return float(np.median(beats @ middle / np.maximum(norm, 1e-9)))


def _delineate(ecg, rpeaks, fs, detectable):
    import neurokit2 as nk

    empty = dict.fromkeys([*PLAUSIBLE, "qtc", "p_amplitude"], np.nan) | {"delineated": False}
    peaks = np.round(rpeaks).astype(int)
    if len(peaks) < 3:
        return empty
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, waves = nk.ecg_delineate(ecg, peaks, sampling_rate=int(round(fs)), method="dwt")
    except (ValueError, IndexError, ZeroDivisionError):  # what it raises where it finds no wave
        return empty
    at = {name: _of_beats(waves[f"ECG_{name}"], peaks, *(np.array(reach) * fs))
          for name, reach in REACH.items()}
    times = {"p_duration": at["P_Offsets"] - at["P_Onsets"],
             "pr": at["R_Onsets"] - at["P_Onsets"], "qrs": at["R_Offsets"] - at["R_Onsets"],
             "qt": at["T_Offsets"] - at["R_Onsets"]}
    row = dict(empty)
    fine = {}
    for name, (low, high) in PLAUSIBLE.items():
        seconds = times[name] / fs
        fine[name] = (seconds >= low) & (seconds <= high)
        row[name] = float(np.median(seconds[fine[name]])) if fine[name].any() else np.nan
    p_peaks = at["P_Peaks"][fine["p_duration"] & np.isfinite(at["P_Peaks"])].astype(int)
    if len(p_peaks):
        row["p_amplitude"] = float(np.median(ecg[p_peaks]) - np.median(ecg))
    row["qtc"] = row["qt"] / np.cbrt(np.median(np.diff(rpeaks)) / fs)
    row["delineated"] = bool(detectable and (fine["qrs"] & fine["qt"]).mean() >= 0.5)
    return row


def _of_beats(points, peaks, low, high):
    """For each beat the point nearest to R inside (low, high): the delineator's lists of points
    may be longer or shorter than the beats, so position decides, not order."""
    points = np.asarray(points, float)
    points = points[np.isfinite(points)]
    out = np.full(len(peaks), np.nan)
    # Nor beyond the beats beside it: at 150 bpm the next T wave ends within reach, too.
    before, after = np.r_[-np.inf, peaks[:-1]], np.r_[peaks[1:], np.inf]
    for i, peak in enumerate(peaks):
        near = points[(points - peak >= low) & (points - peak <= high)
                      & (points > before[i]) & (points < after[i])]
        if len(near):
            out[i] = near[np.abs(near - peak).argmin()]
    return out
