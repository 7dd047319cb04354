"""A heartbeat in numbers: what a cardiologist looks at, beside what is usual for that person.

Persons differ more than the classes of their beats do: what is early or wide for one is usual for
another. So a beat is measured twice, by itself and against its person's usual interval and beat.
"""

import numpy as np

from ecg_tf.errors import InputError

SHAPE_S = np.linspace(-0.28, 0.44, 27)  # where the shape is read, s from R
WAVES_S = {"QRS": (-0.12, 0.12), "P": (-0.28, -0.08), "T": (0.12, 0.42)}
SMALLEST_MV = 0.02


def beat_features(signals, usual_beats, rhythm, fs: float) -> np.ndarray:
    """Numbers that a classifier can learn classes of beats from.

    Args:
        signals: (beat, time) mV, the R peak at sample time // 2.
        usual_beats: (beat, time) mV, the usual beat of the same person, likewise.
        rhythm: (beat, 3) s, RR before, after and usual.
        fs: float, Hz.

    Returns:
        (beat, feature) float32: log2 of the intervals' ratios (3); size, slope and width of QRS,
        P and T waves (15); the shape at `SHAPE_S` over the size of QRS (27); likeness to the usual
        beat in QRS, P and T (10). No interval in seconds: fast hearts are not sick ones.

    Raises:
        InputError: arrays that do not belong together, or with gaps.

    Source: RR against the record's mean: de Chazal 2004, doi:10.1109/TBME.2004.827359.
    """
    x, usual, rr = (np.asarray(one, np.float64) for one in (signals, usual_beats, rhythm))
    whole = np.isfinite(x).all() and np.isfinite(usual).all()
    if x.ndim != 2 or usual.shape != x.shape or rr.shape != (len(x), 3) or not whole:
        raise InputError("These are no beats with rhythm.",
                         got=f"shapes {x.shape}, {usual.shape}, {rr.shape}",
                         expected="(beat, time) twice, without gaps, and (beat, 3)",
                         fix="pass signals of one lead, usual_beat_of and rhythm_of(windows)")
    rr = np.maximum(np.nan_to_num(rr, nan=0.8), 0.05)
    ratios = np.log2(np.stack([rr[:, 0] / rr[:, 2], rr[:, 1] / rr[:, 2], rr[:, 0] / rr[:, 1]], -1))
    x, usual = (one - np.median(one, axis=1, keepdims=True) for one in (x, usual))
    return np.concatenate([ratios, _waves(x, fs), _likeness(x, usual, fs)], 1).astype(np.float32)


def _between(x, start, stop, fs):
    """Samples from start to stop, in s from R, as far as there are any; two at least."""
    r = x.shape[1] // 2
    low = min(max(r + round(start * fs), 0), x.shape[1] - 2)
    return x[:, low:max(min(r + round(stop * fs) + 1, x.shape[1]), low + 2)]


def _waves(x, fs):
    """The beat by itself: (beat, 42)."""
    qrs, p, t = (_between(x, *part, fs) for part in ((-0.1, 0.1), (-0.26, -0.07), (0.12, 0.42)))
    wide = np.abs(_between(x, -0.16, 0.16, fs))
    size = np.maximum(np.abs(qrs).max(axis=1), SMALLEST_MV)[:, None]
    steps = np.diff(qrs, axis=1)
    own = [size[:, 0], qrs.max(axis=1), qrs.min(axis=1), steps.max(axis=1), steps.min(axis=1),
           (wide > 0.5 * size).sum(axis=1) / fs, (wide > 0.25 * size).sum(axis=1) / fs,
           wide.mean(axis=1), p.max(axis=1), p.min(axis=1), p.std(axis=1), t.max(axis=1),
           t.min(axis=1), t.argmax(axis=1) / fs, np.abs(x).mean(axis=1) / size[:, 0]]
    grid = x.shape[1] // 2 + SHAPE_S * fs
    low = np.clip(grid.astype(int), 0, x.shape[1] - 2)
    part = np.clip(grid - low, 0, 1)
    shape = (x[:, low] * (1 - part) + x[:, low + 1] * part) / size
    return np.concatenate([np.stack(own, -1), shape], 1)


def _likeness(x, usual, fs):
    """The beat against the usual one: (beat, 10)."""
    size, usual_size = (np.maximum(np.abs(_between(one, -0.1, 0.1, fs)).max(axis=1), SMALLEST_MV)
                        for one in (x, usual))
    own = [size / usual_size]
    for wave in WAVES_S.values():
        a, b = (_between(one, *wave, fs) for one in (x, usual))
        own += [_correlation(a, b), np.sqrt(np.mean((a - b) ** 2, axis=1)) / usual_size,
                np.ptp(a, axis=1) / np.maximum(np.ptp(b, axis=1), SMALLEST_MV)]
    return np.stack(own, -1)


def _correlation(a, b):
    a, b = (one - one.mean(axis=1, keepdims=True) for one in (a, b))
    both = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.maximum(both, 1e-9)
