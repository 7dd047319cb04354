"""A transparent description of an ECG strip, independent of where in the beat it begins.

Kernel measures on raw samples mostly compare the position of the first R peak. Here a strip becomes
four blocks a cardiologist can read: mean beat, spread of the beats, rhythm, spectrum. There is no
network and no training.
"""

from dataclasses import dataclass

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.signals.rpeaks import between_samples, find_rpeaks

BEAT_GRID = np.arange(-30, 50) / 100.0  # s around the R peak: -0.30 ... +0.49 in steps of 10 ms
BANDS = np.array([0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26, 30, 35, 40])  # Hz
MIN_FS = 82.0  # Hz; 40 Hz must be resolved
_LEAST_SDNN = 0.004  # s; half a sample at 128 Hz: below it only the sampling grid is measured
_LEAST_POWER = 1e-7  # mV^2/Hz; under the quantization noise of any recorder


@dataclass(frozen=True)
class DescriptorScale:
    """Centre and scale of the blocks, fitted once to real strips, so that blocks weigh alike.

    Each block is divided by the median distance of real strips from their mean in that block, which
    keeps its inner proportions. The four rhythm numbers have different units and are first divided
    by their own standard deviations.

    Example:
        >>> scale = DescriptorScale.from_real(real_train, fs=128)
        >>> features = describe(synthetic, fs=128, scale=scale)
    """

    center: np.ndarray  # (d,) float64, mean description of the real strips
    scale: np.ndarray  # (d,) float64, positive

    @classmethod
    def from_real(cls, real, fs: float) -> "DescriptorScale":
        """Fits the scale.

        Args:
            real: (n, time, lead) mV, n >= 2; the training subjects' strips.
            fs: sampling rate, Hz.

        Returns:
            DescriptorScale.

        Raises:
            InputError: the strips cannot be described, or are fewer than two.
        """
        raw = describe(real, fs)
        if len(raw) < 2:
            raise InputError("Too few strips to fit a scale.", expected="2 or more", got=len(raw),
                             fix="give all strips of the training subjects")
        return cls.from_description(raw, leads=np.shape(real)[2])

    @classmethod
    def from_description(cls, raw, leads: int = 1) -> "DescriptorScale":
        """The same from (n, d) unscaled descriptions."""
        center, scale = raw.mean(0, dtype=np.float64), np.ones(raw.shape[1])
        rhythm = block_slices(leads)["rhythm"]
        scale[rhythm] = np.maximum(raw[:, rhythm].std(0, dtype=np.float64), 1e-3)
        for part in block_slices(leads).values():
            distance = np.sqrt((((raw[:, part] - center[part]) / scale[part]) ** 2).sum(1))
            scale[part] *= max(float(np.median(distance)), 1e-3)
        return cls(center, scale)


def describe(strips, fs: float, scale: DescriptorScale | None = None, rpeaks=None) -> np.ndarray:
    """Describes strips: [mean beat | spread of the beats | rhythm | log spectrum].

    * mean beat: lead by lead, -0.3 ... +0.49 s around R, mV above the strip's median;
    * spread: the standard deviation of the beats around that mean, at each time;
    * rhythm: mean RR (s), ln SDNN, ln RMSSD, beats per 10 s;
    * spectrum: log10 of the power density (mV²/Hz, Welch) in 17 bands of 0.5-40 Hz.

    Always finite: a strip without beats has a zero beat, an RR as long as the strip and no
    variability. R peaks are found in the first lead, by the same detector for every set.

    Args:
        strips: (n, time, lead) mV, at least 2 s long, finite.
        fs: sampling rate, Hz, at least 82.
        scale: fixed centre and scale; None gives the blocks in their own units.
        rpeaks: of `strip_rpeaks`; default None, found here.

    Returns:
        (n, d) float32, d = 177 * leads + 4.

    Raises:
        InputError: wrong shape, missing values, strips too short, fs too low.

    Example:
        >>> describe(np.zeros((3, 1280, 1)), fs=128).shape
        (3, 181)
    """
    strips = as_strips(strips, fs)
    rpeaks = strip_rpeaks(strips, fs) if rpeaks is None else rpeaks
    mean, spread = _mean_and_spread(strips, rpeaks, fs)
    blocks = (mean, spread, _rhythm(rpeaks, strips.shape[1], fs), log_band_power(strips, fs))
    features = np.concatenate(blocks, axis=1)
    if scale is not None:
        if len(scale.center) != features.shape[1]:
            raise InputError("The scale was fitted on other strips.", expected=len(scale.center),
                             got=features.shape[1], fix="fit and describe the same leads")
        features = (features - scale.center) / scale.scale
    return features.astype(np.float32)


def block_slices(leads: int = 1) -> dict[str, slice]:
    """Where each block lies in a description of so many leads."""
    sizes = {"mean_beat": len(BEAT_GRID) * leads, "spread": len(BEAT_GRID) * leads, "rhythm": 4,
             "spectrum": (len(BANDS) - 1) * leads}
    ends = np.cumsum(list(sizes.values()))
    return {name: slice(int(end) - size, int(end))
            for (name, size), end in zip(sizes.items(), ends, strict=True)}


def strip_rpeaks(strips, fs: float, lead: int = 0) -> list[np.ndarray]:
    """R peaks of each strip of (n, time, lead) mV, in one lead: n arrays of rising positions,
    between samples (`signals.rpeaks.between_samples`); empty where none was found."""
    leads = [strip[:, lead] for strip in as_strips(strips, fs)]
    found = [find_rpeaks(ecg, fs) for ecg in leads]
    return [peaks + between_samples(ecg, peaks) for ecg, peaks in zip(leads, found, strict=True)]


def aligned_beats(strips, rpeaks, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """All whole beats on `BEAT_GRID`, mV above their strip's median.

    Of strips (n, time, lead) mV and n arrays of R peaks in samples: beats (m, 80, lead) float32,
    and (m,) int, the strip of each beat, rising.
    """
    strips = np.asarray(strips, np.float32)
    n, length, _ = strips.shape
    owner = np.repeat(np.arange(n), [len(peaks) for peaks in rpeaks])
    at = np.concatenate([*rpeaks, np.zeros(0)])
    reach = at[:, None] + BEAT_GRID[None] * fs
    whole = (reach[:, 0] >= 0) & (reach[:, -1] <= length - 1)
    owner, reach = owner[whole], reach[whole]
    left = np.minimum(reach.astype(int), length - 2)
    part = (reach - left)[..., None].astype(np.float32)
    beats = strips[owner[:, None], left] * (1 - part) + strips[owner[:, None], left + 1] * part
    return beats - np.median(strips, axis=1)[owner][:, None], owner


def log_band_power(strips, fs: float) -> np.ndarray:
    """log10 of the mean Welch power density in each of `BANDS`: (n, 17 * lead), mV²/Hz."""
    from scipy.signal import welch

    strips = as_strips(strips, fs)
    size = min(int(round(2 * fs)), strips.shape[1])
    rate, power = welch(strips, fs, nperseg=size, axis=1)
    bands = [power[:, _in_band(rate, low, high)].mean(1)
             for low, high in zip(BANDS[:-1], BANDS[1:], strict=True)]
    return np.log10(np.maximum(np.stack(bands, 1), _LEAST_POWER)).reshape(len(strips), -1)


def as_strips(strips, fs: float, name: str = "strips") -> np.ndarray:
    """Checks strips and returns them as (n, time, lead) float32, without a copy where it can."""
    strips = np.asarray(strips, np.float32)
    if strips.ndim != 3 or not strips.shape[0] or not strips.shape[2]:
        raise InputError(f"The {name} have no usable shape.", expected="(window, time, lead)",
                         got=strips.shape, fix="add a lead axis with x[..., None]; drop no lead")
    if not MIN_FS <= fs < np.inf:
        raise InputError("The sampling rate is too low for an ECG up to 40 Hz.",
                         expected=f"at least {MIN_FS:g} Hz", got=fs, fix="resample to 128 Hz")
    if strips.shape[1] < 2 * fs:
        raise InputError(f"The {name} are too short to find beats in.", expected="2 s or more",
                         got=f"{strips.shape[1] / fs:.2f} s", fix="use strips of 10 s")
    if not np.isfinite(strips).all():
        bad = int((~np.isfinite(strips)).any(axis=(1, 2)).sum())
        raise InputError(f"The {name} have missing values.", expected="finite mV everywhere",
                         got=f"{bad} of {len(strips)} windows with NaN or infinity",
                         fix="cut padded windows into whole strips, drop flat or lost leads")
    return strips


def _mean_and_spread(strips, rpeaks, fs):
    beats, owner = aligned_beats(strips, rpeaks, fs)
    beats = beats.reshape(len(beats), len(BEAT_GRID) * strips.shape[2])
    mean, spread = np.zeros((2, len(strips), beats.shape[1]), np.float32)
    if len(beats):
        first = np.flatnonzero(np.r_[True, np.diff(owner) > 0])
        count = np.diff(np.r_[first, len(owner)])[:, None]
        mean[owner[first]] = np.add.reduceat(beats, first) / count
        squares = np.add.reduceat((beats - mean[owner]) ** 2, first)
        spread[owner[first]] = np.sqrt(squares / count)
    return mean, spread


def _rhythm(rpeaks, length, fs):
    rows = []
    for peaks in rpeaks:
        rr = np.diff(peaks) / fs
        mean = rr.mean() if len(rr) else length / fs
        sdnn = rr.std(ddof=1) if len(rr) > 1 else 0.0
        rmssd = np.sqrt(np.mean(np.diff(rr) ** 2)) if len(rr) > 1 else 0.0
        rows.append((mean, np.log(max(sdnn, _LEAST_SDNN)), np.log(max(rmssd, _LEAST_SDNN)),
                     len(peaks) * 10 * fs / length))
    return np.array(rows)


def _in_band(rate, low, high):
    inside = (rate >= low) & (rate < high)
    if not inside.any():  # short strips: the nearest line stands for the band
        inside[np.abs(rate - (low + high) / 2).argmin()] = True
    return inside
