"""A heartbeat in a few numbers, each relative to what is usual for that subject.

Subjects differ more than the classes of their beats: what is premature or wide for one is usual for
another. So nothing is in seconds or millivolts. Tried in cross-validation over the training
subjects of MIT-BIH (DS1, seven groups, random forest), macro-F1 of N, S, V and F: RR against the
median of the 33 nearby and absolute shape .44; RR against the record's mean .53; with correlation
to the usual beat .58; without the absolute measures .60.
"""

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.signals.windows import Windows
from ecg_tf.training.labelled_beats import rhythm_of, usual_beat_of

WAVES_S = {"QRS": (-0.12, 0.12), "P": (-0.28, -0.08), "T": (0.12, 0.42)}
NAMES = ("before / usual", "after / usual", "before / after", "size",
         *(f"{what} of {wave}" for wave in WAVES_S
           for what in ("correlation", "difference", "height")))
SMALLEST_MV = 0.02


def beat_features(windows: Windows) -> np.ndarray:
    """Features from which a classifier can learn the classes of beats.

    Args:
        windows: beats with rhythm, real or decoded, the R peak at sample time // 2; see
            `labelled_beats.beats_with_rhythm`.

    Returns:
        (beat, feature) float32, in the order of `NAMES`: log2 of the intervals' ratios; largest
        deflection within 0.1 s of R over the usual one; and for QRS, P and T the correlation with
        the usual beat, the root mean square difference from it over its largest deflection, and
        the height from trough to top over the usual one.

    Raises:
        InputError: no rhythm, or missing values.

    Example:
        >>> x = beat_features(beats_with_rhythm(records, length=128))

    Source: RR against the record's mean: de Chazal 2004, doi:10.1109/TBME.2004.827359.
    """
    rr, fs = rhythm_of(windows), windows.fs
    x, usual = (np.asarray(part, np.float64) for part in (windows.signals[..., 0],
                                                          usual_beat_of(windows)))
    if not (np.isfinite(x).all() and np.isfinite(usual).all()):
        raise InputError("The beats have missing values.", expected="finite mV",
                         got="NaN or infinity", fix="leave these beats out")
    before, after, steady = np.maximum(np.nan_to_num(rr, nan=0.8), 0.05).T
    x, usual = (beats - np.median(beats, axis=1, keepdims=True) for beats in (x, usual))
    size, usual_size = (np.maximum(np.abs(_between(beats, -0.1, 0.1, fs)).max(axis=1), SMALLEST_MV)
                        for beats in (x, usual))
    own = [*np.log2([before / steady, after / steady, before / after]), size / usual_size]
    for wave in WAVES_S.values():
        a, b = (_between(beats, *wave, fs) for beats in (x, usual))
        own += [_correlation(a, b), np.sqrt(np.mean((a - b) ** 2, axis=1)) / usual_size,
                np.ptp(a, axis=1) / np.maximum(np.ptp(b, axis=1), SMALLEST_MV)]
    return np.stack(own, -1).astype(np.float32)


def _between(x, start, stop, fs):
    """Samples from start to stop, in s from R, as far as there are any; two at least."""
    r = x.shape[1] // 2
    low = min(max(r + round(start * fs), 0), x.shape[1] - 2)
    return x[:, low:max(min(r + round(stop * fs) + 1, x.shape[1]), low + 2)]


def _correlation(a, b):
    a, b = (wave - wave.mean(axis=1, keepdims=True) for wave in (a, b))
    both = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.maximum(both, 1e-9)
