"""Onset, peak and offset of P, QRS and T of each beat, in one lead.

The median beat gives position and sign of P and T, and whether there is a P at all: noise averages
out, and a wave that does not keep its distance from R is no P. Each beat's own points are sought
nearby. A wave ends where its slope has fallen to a part of its steepest, in the signal smoothed by
a Gaussian. The constants were chosen on the odd records of LUDB; docs/detectors.md has the errors
on the even ones.

Source: ends by the slope at a wave's own scale, after Martínez et al. 2004,
doi:10.1109/TBME.2003.821031, with another search.
"""

from typing import NamedTuple

import numpy as np
from scipy import signal as dsp
from scipy.ndimage import gaussian_filter1d

POINTS = ("p_onset", "p_peak", "p_offset", "qrs_onset", "qrs_offset", "t_onset", "t_peak",
          "t_offset")
LEAST_FS = 250.0  # Hz: strips of a lower rate are interpolated

QRS_S = (-0.14, 0.16)  # around R, where a QRS complex may reach
QRS_SIGMA_S, P_SIGMA_S, T_SIGMA_S = 0.006, 0.012, 0.016  # of the Gaussians that smooth
STEEP = 0.2  # of the steepest slope: what belongs to the QRS complex
JOIN_S = 0.04  # steep parts this near to each other are one complex
QRS_END = 0.15  # of the first or last steep slope; cardiologists see the end a little later:
QRS_MORE_S = 0.012
P_ONSET, P_OFFSET, T_ONSET, T_OFFSET = 0.32, 0.5, 0.42, 0.35  # of a wave's steepest slope
T_USUAL_S, T_SPREAD_S = 0.3, 0.09  # T's peak after R at 60 bpm; with the cube root of RR
T_LATEST_S, T_LATEST_RR = 0.5, 0.72  # of the cube root of RR, and of RR
P_EARLIEST_S = 0.32  # before R
P_LEAST_MV, P_NOISE = 0.01, 2.0  # a P of the median beat is higher, also than its own noise
P_PART = 0.15  # of the median beat's P: what a beat's own P reaches
P_SPREAD_S = 0.012  # P waves keep their distance from R, waves of fibrillation do not
NEAR_S = 0.05  # a beat's peak lies this near to the median beat's


class _Smooth(NamedTuple):
    level: np.ndarray
    slope: np.ndarray


class _Guide(NamedTuple):
    """A peak of the median beat: samples from R, sign, height in mV."""

    at: int
    sign: float
    height: float


def delineate(ecg: np.ndarray, rpeaks: np.ndarray, fs: float) -> dict[str, np.ndarray]:
    """Onsets, peaks and offsets of the waves of each beat.

    Args:
        ecg: (time,) mV, finite, one lead.
        rpeaks: (beat,) positions of R peaks in samples, rising, may lie between samples.
        fs: float, Hz.

    Returns:
        dict of the names in `POINTS` to (beat,) float, positions in samples; NaN where a beat has
        no such wave.

    Example:
        >>> points = delineate(strip[:, 0], strip_rpeaks(strip[None], 128.0)[0], 128.0)
        >>> qt = (points["t_offset"] - points["qrs_onset"]) / 128.0
    """
    rpeaks = np.asarray(rpeaks, np.float64)
    out = {name: np.full(len(rpeaks), np.nan) for name in POINTS}
    if not len(rpeaks):
        return out
    times = max(1, int(np.ceil(LEAST_FS / fs)))
    ecg = np.asarray(ecg, np.float64) - np.median(ecg)
    if times > 1:
        ecg = dsp.resample_poly(ecg, times, 1, padtype="line")
    fs, r = fs * times, np.clip(np.round(rpeaks * times).astype(int), 0, len(ecg) - 1)
    high = dsp.butter(2, 0.5, "highpass", fs=fs, output="sos")
    ecg = dsp.sosfiltfilt(high, ecg, padlen=min(len(ecg) - 1, int(3 * fs)))
    onset, offset = qrs_bounds(ecg, r, fs)
    rest = _without_qrs(ecg, onset, offset, fs)
    out["qrs_onset"], out["qrs_offset"] = onset.astype(float), offset.astype(float)
    _find_t(out, rest, r, onset, offset, fs)
    _find_p(out, rest, r, onset, fs)
    return {name: at / times for name, at in out.items()}


def qrs_bounds(ecg: np.ndarray, r: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """(beat,) int twice: onset and offset of the QRS complexes around `r`, in samples."""
    slope = np.abs(gaussian_filter1d(ecg, QRS_SIGMA_S * fs, order=1))
    bounds = [_one_complex(slope, peak, fs) for peak in r]
    onset, offset = np.array(bounds).T
    more = round(QRS_MORE_S * fs)
    return np.maximum(onset - more, 0), np.minimum(offset + more, len(ecg) - 1)


def _one_complex(slope, peak, fs):
    low = max(0, peak + round(QRS_S[0] * fs))
    slope, peak = slope[low : peak + round(QRS_S[1] * fs)], peak - low
    centre = slope[max(0, peak - round(0.08 * fs)) : peak + round(0.1 * fs)]
    least = STEEP * centre.max()
    steep = np.flatnonzero(slope >= max(least, 1e-12))
    if not len(steep):  # flat
        return low + peak, low + peak
    apart = np.flatnonzero(np.diff(steep) > JOIN_S * fs)
    group = np.searchsorted(apart, np.abs(steep - peak).argmin())
    steep = np.split(steep, apart + 1)[group]
    first, last, reach = steep[0], steep[-1], round(0.02 * fs)
    rise = first + slope[first : first + reach + 1].argmax()
    fall = max(0, last - reach) + slope[max(0, last - reach) : last + 1].argmax()
    before = np.flatnonzero(slope[:rise] < QRS_END * max(slope[rise], least))
    after = np.flatnonzero(slope[fall:] < QRS_END * max(slope[fall], least))
    onset = before[-1] if len(before) else 0
    return low + onset, low + (fall + after[0] if len(after) else len(slope) - 1)


def _without_qrs(ecg, onset, offset, fs):
    """The signal with lines in place of QRS complexes, from the level before each of them."""
    level = [np.median(ecg[max(0, at - round(0.02 * fs)) : at + 1]) for at in onset]
    rest = ecg - np.interp(np.arange(len(ecg)), onset, level)
    for start, stop in zip(onset, offset, strict=True):
        rest[start : stop + 1] = np.linspace(rest[start], rest[stop], stop - start + 1)
    return rest


def _find_t(out, rest, r, onset, offset, fs):
    rr = np.median(np.diff(r)) / fs if len(r) > 1 else 1.0
    following = np.append(onset[1:], len(rest))
    start = max(np.median(offset - r) / fs + 0.04, 0.1)
    stop = min(T_LATEST_S * np.cbrt(rr), T_LATEST_RR * rr)
    time = np.arange(round(start * fs), round(stop * fs))
    beat, _ = _median_beat(rest, r, time, r, following - round(0.02 * fs))
    weight = np.exp(-0.5 * ((time / fs - T_USUAL_S * np.cbrt(rr)) / T_SPREAD_S) ** 2)
    guide = _highest(beat, time, T_SIGMA_S * fs, weight)
    if guide is None:
        return
    smooth = _smooth(rest, T_SIGMA_S * fs)
    for i, peak in enumerate(r):
        low = max(offset[i] + round(0.02 * fs), 0)
        at = _own_peak(smooth, guide, peak, low, following[i] - round(0.02 * fs), fs)
        if at is not None:
            out["t_peak"][i] = at
            start = max(offset[i], at - round(0.25 * fs))
            out["t_onset"][i] = _end(smooth.slope, at, start, T_ONSET)
            stop = min(following[i], at + round(0.22 * fs))
            out["t_offset"][i] = _end(smooth.slope, at, stop, T_OFFSET)


def _find_p(out, rest, r, onset, fs):
    # The T wave before ends where this beat's own search found it, else where it usually does.
    usual = out["t_offset"] - r
    usual = np.nanmedian(usual) if np.isfinite(usual).any() else 0.35 * fs
    ended = np.where(np.isfinite(out["t_offset"]), out["t_offset"], r + usual)
    free = np.append(0, ended[:-1].astype(int))
    time = np.arange(-round(P_EARLIEST_S * fs), int(np.median(onset - r)))
    beat, noise = _median_beat(rest, r, time, free, onset)
    here = np.isfinite(beat)
    if here.sum() <= 0.06 * fs:
        return
    beat, time = beat[here], time[here]
    beat = beat - np.linspace(beat[0], beat[-1], len(beat))
    guide = _highest(beat, time, P_SIGMA_S * fs, np.ones(len(beat)))
    if guide is None or guide.height < max(P_LEAST_MV, P_NOISE * noise):
        return
    smooth, reach = _smooth(rest, P_SIGMA_S * fs), round(0.06 * fs)
    for i, peak in enumerate(r):
        at = _own_peak(smooth, guide, peak, free[i], onset[i], fs)
        if at is None:
            continue
        sides = smooth.level[max(0, at - reach)] + smooth.level[min(len(rest) - 1, at + reach)]
        if guide.sign * (smooth.level[at] - sides / 2) >= P_PART * guide.height:
            out["p_peak"][i] = at
            out["p_onset"][i] = _end(smooth.slope, at, max(0, at - 2 * reach), P_ONSET)
            stop = min(onset[i] + 1, at + 2 * reach)
            out["p_offset"][i] = _end(smooth.slope, at, stop, P_OFFSET)
    before = (r - out["p_peak"])[np.isfinite(out["p_peak"])]
    if len(before) and 1.48 * np.median(np.abs(before - np.median(before))) > P_SPREAD_S * fs:
        for point in ("p_onset", "p_peak", "p_offset"):
            out[point][:] = np.nan


def _median_beat(rest, r, time, start, stop):
    """(time,) mV, median over beats of what lies within their start and stop; and its noise.

    NaN where fewer than a third of the beats have anything.
    """
    index = r[:, None] + time
    inside = (index >= np.maximum(start, 0)[:, None]) & (index < stop[:, None])
    values = np.where(inside, rest[np.clip(index, 0, len(rest) - 1)], np.nan)
    seen = inside.sum(0) >= max(1, len(r) // 3)
    beat = np.full(len(time), np.nan)
    if not seen.any():
        return beat, 0.0
    beat[seen] = np.nanmedian(values[:, seen], axis=0)
    spread = np.nanmedian(np.abs(values[:, seen] - beat[seen]))
    return beat, 1.48 * spread / np.sqrt(len(r))


def _highest(beat, time, sigma, weight):
    """The extremum of a median beat that stands out most, in either direction."""
    if len(beat) < 4:
        return None
    smooth = _smooth(np.nan_to_num(beat), sigma)
    turns = _turns(smooth.slope)
    if not len(turns):
        return None
    best = turns[np.argmax(np.abs(smooth.level[turns]) * weight[turns])]
    height = smooth.level[best]
    return _Guide(int(time[best]), float(np.sign(height)), float(abs(height)))


def _own_peak(smooth, guide, peak, low, high, fs):
    """A beat's extremum nearest in kind to the guide's, between low and high; None without one."""
    near = round(NEAR_S * fs)
    low = max(int(low), peak + guide.at - near)
    high = min(int(high), peak + guide.at + near + 1, len(smooth.level))
    if high - low < 3:
        return None
    turns = low + _turns(smooth.slope[low:high])
    return turns[np.argmax(guide.sign * smooth.level[turns])] if len(turns) else None


def _end(slope, at, stop, part):
    """From a peak towards `stop`: where the slope has fallen to a part of its steepest."""
    flank = slope[at:stop] if stop > at else slope[stop : at + 1][::-1]
    if len(flank) < 4:
        return np.nan
    turned = np.flatnonzero(np.sign(flank[2]) * flank[2:] <= 0)
    flank = np.abs(flank[: 2 + turned[0]] if len(turned) else flank)
    steepest = int(flank.argmax())
    below = np.flatnonzero(flank[steepest:] < part * flank[steepest])
    away = steepest + below[0] if len(below) else len(flank) - 1
    return float(at + away if stop > at else at - away)


def _smooth(values, sigma):
    return _Smooth(gaussian_filter1d(values, sigma), gaussian_filter1d(values, sigma, order=1))


def _turns(slope):
    return np.flatnonzero(np.diff(np.sign(slope)) != 0)
