"""QRS complexes by their energy: all leads together, whatever their sign, offset or size.

No lead's polarity matters, a step counts once at most, and a threshold follows the record: it does
not depend on the first seconds. What counts as a beat is decided in this order:

1. Jumps within one sample are taken out (`without_jumps`): no heart makes them.
2. Energy from 8 to 25 Hz, each lead by how far its complexes stand out of its noise (`energy`).
3. Peaks of energy that reach a part of what is usual nearby, and stand out of the noise there.
4. A peak close to a much larger one is its P or T wave; so is a premature one before a pause.
5. Where a beat is missing, a smaller peak will do; where it is noisy, a weak one too many goes.

Source: energy and refractory rules after Pan & Tompkins 1985, doi:10.1109/TBME.1985.325532. The
numbers were chosen on every second record of MIT-BIH; see docs/detectors.md.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import signal as dsp
from scipy.ndimage import median_filter, uniform_filter1d

BAND = (8.0, 25.0)  # Hz: QRS complexes have their energy here, P and T waves below
SMOOTH_S = 0.1  # about the length of a QRS complex
APART_S = 0.15  # between beats: 400 bpm
LEVEL_S, LEVEL_BLOCKS = 2.0, 7  # the usual height: median of the largest of 7 times 2 s
NOISE_S, NOISE_BLOCKS = 1.0, 3  # the noise: median of the 30th percentiles of 3 times 1 s
NOISE_PERCENTILE = 30
#: s, and a part of a jump: differences beside it are smaller, or it may be a complex's slope.
QUIET_S, QUIET = 0.02, 0.3
FLAT = 1e-4  # mV: what never gets above it is no ECG

LOWEST = 0.25  # of the usual height that a beat reaches
ABOVE_NOISE, NOISE_AT_MOST = 3.0, 0.5  # times the noise; but no more than this part of the usual
FAINT, FAINT_NOISE = 0.2, 0.8  # the same where a beat is missing; the latter of the usual threshold
#: Where the noise is this part of the usual height times `ABOVE_NOISE`: a beat below `WEAK` of two
#: strong ones around it is noise, if these follow each other within so many usual intervals, and if
#: fewer intervals than that hold a weak beat (in bigeminy every second beat may be weak).
NOISY, STRONG, WEAK, WEAK_RR, WEAK_OFTEN = 0.2, 0.6, 0.6, 1.3, 0.6
GAP = 1.5  # RR intervals of this many usual ones lack a beat
ROUNDS = 6  # or several
#: s, and a part of a larger peak: whatever is this near and lower is its P wave or its second half,
#: unless it stands between two such, as beats of a fast rhythm do.
NEAR_S, NEAR_PART = 0.26, 0.7
VALLEY = 0.35  # two peaks this near belong to one complex where the energy stays above this part
P_S, P_PART = 0.32, 0.45  # below this part of a larger peak, this long before it: its P wave
T_S, T_PART = 0.4, 0.4  # likewise behind it: its T wave
ALONE_S, ALONE_PART = 0.36, 0.5  # a tall T wave, unless the next peak comes as early


class Complexes(NamedTuple):
    """QRS complexes of a signal.

    Args:
        at: (beat,) int64, rising, middles of the complexes to within some 30 ms.
        leads: (time, lead) mV, the signal they were found in: NaN bridged, offsets and jumps gone.
        clearness: (lead,) float, how far each lead's complexes stand out of its noise: 4 is noise,
            10 and more an ECG, 0 a flat lead. With one lead, which nothing depends on, 0.
    """

    at: np.ndarray
    leads: np.ndarray
    clearness: np.ndarray


def detect_qrs(signal: np.ndarray, fs: float) -> Complexes:
    """Finds QRS complexes in (time, lead) mV, a second or longer, of 40 Hz or more; NaN is bridged
    by lines."""
    leads, band = _prepared(signal, fs)
    # From here on the band needs no more than 120 samples a second.
    step = max(1, int(fs // 120))
    strength, clearness = energy(band[::step], fs / step)
    at, _ = dsp.find_peaks(strength, distance=max(1, round(APART_S * fs / step)))
    found = _choose(strength, at, fs / step) if len(at) else at
    return Complexes(at[found].astype(np.int64) * step if len(at) else at, leads, clearness)


def energy(band: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Root of the energy of all leads (time, lead) mV, band-passed to `BAND`, in parts of a usual
    QRS complex: (time,); and (lead,) clearness as in `Complexes`.

    Each lead counts by the third power of how far its complexes stand out, over some seconds: the
    clearest leads decide, and a lead that fails for a while is left out for that while.
    """
    band = np.abs(band)
    usual = _usual(band, fs)
    live = usual > 0
    clearness = np.zeros(len(usual))
    if not live.any():
        return np.zeros(len(band)), clearness
    band = np.minimum(band[:, live] / usual[live], 2.0)  # an artefact counts as two beats
    share = np.ones((1, 1))
    if len(usual) > 1:
        stands_out = _stands_out(band, fs)
        clearness[live] = np.median(stands_out, axis=0)
        share = np.maximum(stands_out - 3, 0.01) ** 3
    total = (share * band**2).sum(1) / share.sum(1)
    width = max(1, round(SMOOTH_S * fs))
    return np.sqrt(np.maximum(uniform_filter1d(total, width, mode="nearest"), 0)), clearness


def without_jumps(signal: np.ndarray, fs: float, least: float) -> np.ndarray | None:
    """A lead (time,) mV, without NaN, without jumps and spikes that are faster than any heart; None
    if there was nothing to take out.

    A jump is a difference of neighbouring samples, of `least` mV or more, that neither begins
    before nor goes on behind: an electrode coming off, an odd first sample, the end of a constant
    start. A spike is a jump there and back within 4 ms, or in the next sample, as pacemakers make
    it; below 100 Hz a QRS complex can look like one, so spikes stay. The rest is put together
    again.
    """
    change = np.diff(signal)
    size = np.abs(change)
    if size.max() <= least:
        return None
    least = max(least, 8 * float(np.median(size)))  # white noise jumps, too
    large = np.flatnonzero(size > least)
    large = large[np.concatenate([[0.0], size])[large] < QUIET * size[large]]
    if not len(large):  # all of them go on from slopes, as those of QRS complexes do
        return None
    reach = max(2, round(QUIET_S * fs))
    padded = np.pad(size, reach)
    out = change.copy()
    for width in range(max(fs >= 100, round(0.004 * fs)) + 1):
        start = large[large + width < len(change)]
        start = start[size[start + width] > least]
        if width:  # there and back
            height = np.minimum(size[start], size[start + width])
            start = start[np.abs(change[start] + change[start + width]) < QUIET * height]
        others = [*range(-1, -reach - 1, -1), *range(width + 1, width + reach + 1),
                  *range(1, width)]
        for k in others:  # all of these are small
            height = np.minimum(size[start], size[start + width])
            start = start[padded[start + reach + k] < QUIET * height]
        out[start] = out[start + width] = 0.0
    if np.array_equal(out, change):
        return None
    return np.concatenate([[0.0], np.cumsum(out)])


def _prepared(signal, fs):
    """(time, lead) twice: the leads without gaps and jumps, and their band."""
    leads = np.stack([_bridged(lead) for lead in signal.T], 1)
    band = _band_pass(leads, fs)
    for lead, usual in enumerate(_usual(np.abs(band), fs)):
        repaired = without_jumps(leads[:, lead], fs, 0.5 * usual) if usual else None
        if repaired is not None:
            leads[:, lead] = repaired
            band[:, lead] = _band_pass(repaired[:, None], fs)[:, 0]
    return leads, band


def _choose(strength, at, fs):
    """Which of the peaks `at` are beats."""
    height, seconds = strength[at], at / fs
    largest = _blocks(strength, LEVEL_S * fs).max(1)
    largest = np.maximum(_median_of(largest, LEVEL_BLOCKS), 0.15 * _median_above(largest, 0.0))
    usual = _between_blocks(largest, LEVEL_S * fs, at)
    noise = np.percentile(_blocks(strength, NOISE_S * fs), NOISE_PERCENTILE, axis=1)
    noise = _between_blocks(_median_of(noise, NOISE_BLOCKS), NOISE_S * fs, at)
    # At 240 bpm complexes leave no gap between them, and pass for noise: hence "at most".
    noise = np.minimum(ABOVE_NOISE * noise, NOISE_AT_MOST * usual)
    valley = np.minimum.reduceat(strength, at)[:-1]
    free = ~_shadowed(seconds, height, valley)
    found = np.flatnonzero(free & (height > np.maximum(LOWEST * usual, noise)))
    found = found[~_alone(seconds[found], height[found])]
    likely = free & (height > np.maximum(FAINT * usual, FAINT_NOISE * noise))
    for _ in range(ROUNDS):
        missed = _missed(found, likely, seconds, height)
        if not len(missed):
            break
        found = np.sort(np.concatenate([found, missed]))
    noisy = noise[found] > NOISY * usual[found]
    return found[~(noisy & _weak(seconds[found], height[found], usual[found]))]


def _weak(seconds, height, usual):
    """(beat,) bool, weak ones between two strong ones that follow each other as beats do."""
    out = np.zeros(len(seconds), bool)
    strong = np.flatnonzero(height > STRONG * usual)
    if len(strong) < 5:
        return out
    rr = np.diff(seconds[strong])
    between = np.diff(strong) > 1
    regular = rr < WEAK_RR * median_filter(rr, size=9, mode="nearest")
    rare = uniform_filter1d(between.astype(float), 15, mode="nearest") < WEAK_OFTEN
    for gap in np.flatnonzero(between & regular & rare):
        inside = np.arange(strong[gap] + 1, strong[gap + 1])
        lower = min(height[strong[gap]], height[strong[gap + 1]])
        out[inside] = height[inside] < WEAK * lower
    return out


def _alone(seconds, height):
    """(beat,) bool, which follow a larger one early and stand before a pause: tall T waves."""
    out = np.zeros(len(seconds), bool)
    if len(seconds) > 2:
        apart, part = np.diff(seconds), height[1:-1] / height[:-2]
        out[1:-1] = (apart[:-1] < ALONE_S) & (part < ALONE_PART) & (apart[1:] > 1.5 * apart[:-1])
    return out


def _missed(found, likely, seconds, height):
    """The largest likely peak in each gap between beats."""
    if len(found) < 3:
        return found[:0]
    rr = np.diff(seconds[found])
    missed = []
    for gap in np.flatnonzero(rr > GAP * median_filter(rr, size=9, mode="nearest")):
        inside = np.arange(found[gap] + 1, found[gap + 1])[likely[found[gap] + 1 : found[gap + 1]]]
        if len(inside):
            missed.append(inside[np.argmax(height[inside])])
    return np.array(missed, found.dtype)


def _shadowed(seconds, height, valley):
    """(peak,) bool, which of them are P or T waves, or belong to a complex that has a peak."""
    apart, part = np.diff(seconds), height[1:] / height[:-1]
    behind = np.concatenate([[False], (apart < NEAR_S) & (part < NEAR_PART)])
    before = np.concatenate([(apart < NEAR_S) & (1 / part < NEAR_PART), [False]])
    out = behind ^ before
    near = (apart < NEAR_S) & (valley > VALLEY * np.minimum(height[1:], height[:-1]))
    out[1:] |= near & (part < 1)
    out[:-1] |= near & (part >= 1)
    for k in (1, 2):
        apart, part = seconds[k:] - seconds[:-k], height[k:] / height[:-k]
        out[k:] |= (apart < T_S) & (part < T_PART)
        out[:-k] |= (apart < P_S) & (1 / part < P_PART)
    return out


def _stands_out(band, fs):
    """(time, lead) how far the complexes of each lead stand out of its noise, over some seconds."""
    time = np.arange(len(band))
    largest = _median_of(_blocks(band, LEVEL_S * fs).max(1), LEVEL_BLOCKS)
    noise = _median_of(np.median(_blocks(band, NOISE_S * fs), axis=1), NOISE_BLOCKS)
    noise = np.maximum(_between_blocks(noise, NOISE_S * fs, time), 0.02)
    return _between_blocks(largest, LEVEL_S * fs, time) / noise


def _usual(band, fs):
    """(lead,) mV, the usual size of a complex; 0 for a flat lead."""
    largest = _blocks(band, LEVEL_S * fs).max(1)
    return np.array([_median_above(lead, FLAT) for lead in largest.T])


def _median_above(values, least):
    values = values[values > least]
    return float(np.median(values)) if len(values) else 0.0


def _blocks(values, length):
    """(block, length, ...) of (time, ...) values; what is left at the end belongs to no block."""
    length = max(1, min(int(length), len(values)))
    whole = values[: len(values) // length * length]
    return whole.reshape(-1, length, *values.shape[1:])


def _median_of(values, size):
    """Running median over an odd number of blocks, the first axis."""
    size = min(size, len(values))
    width = (size - 1 + size % 2,) + (1,) * (values.ndim - 1)
    return median_filter(values, size=width, mode="nearest")


def _between_blocks(values, length, at):
    """(at, ...) values between the middles of blocks, by lines; the first and last go on."""
    where = np.clip((at + 0.5) / int(length) - 0.5, 0, len(values) - 1)
    left = np.minimum(where.astype(int), max(len(values) - 2, 0))
    right = np.minimum(left + 1, len(values) - 1)
    part = (where - left).reshape(-1, *(1,) * (values.ndim - 1))
    return values[left] * (1 - part) + values[right] * part


def _bridged(lead):
    lead = np.asarray(lead, np.float64)
    fine = np.isfinite(lead)
    if fine.all():
        return lead - np.median(lead)
    if not fine.any():
        return np.zeros(len(lead))
    where = np.flatnonzero(fine)
    return np.interp(np.arange(len(lead)), where, lead[fine]) - np.median(lead[fine])


def _band_pass(signal, fs):
    padding = min(len(signal) - 1, int(fs))
    return dsp.sosfiltfilt(_sections(fs), signal, axis=0, padlen=padding)


@lru_cache(maxsize=64)
def _sections(fs):
    return dsp.butter(2, [BAND[0], min(BAND[1], 0.45 * fs)], "bandpass", fs=fs, output="sos")
