"""Does the delineator find what was put in? Simulated ECGs of 30 to 220 bpm with known intervals.

No database with manual delineations is used here: this says how far the numbers of `clinical` are
off on clean sums of Gaussians, not on patients. What matters for comparisons is that both sides
are read by the same delineator, with the same error.
"""

import numpy as np
import pandas as pd

from ecg_tf.evaluation.clinical import intervals, rhythm
from ecg_tf.records.simulate import draw_identity
from ecg_tf.records.simulated_leads import LEADS

RATES = (30, 45, 60, 80, 100, 120, 150, 180, 220)
WAVES = ("p_duration", "pr", "qrs", "qt")


def ecg_at(rate: float, persons: int = 12, fs: float = 128.0, seconds: float = 10.0,
           noise: float = 0.01, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """One strip each of simulated persons at a heart rate, and its true intervals.

    Hearts are those of `simulate.draw_identity`, in lead II, with RR varying by 2 %. QT follows
    Fridericia down to 30 and up to 220 bpm; PR shortens by 30 ms per second of RR, from 120 ms on
    no more. A wave begins and ends 2 sigma from its centre, as in `simulate.true_intervals`.

    Args:
        rate: bpm.
        persons: default 12.
        fs: Hz.
        seconds: s.
        noise: mV of white noise, default 0.01.
        seed: int.

    Returns:
        (strips (persons, time, 1) mV, DataFrame with columns heart_rate, p_duration, pr, qrs, qt).
    """
    rng, time = np.random.default_rng(seed), np.arange(round(seconds * fs)) / fs
    strips, truth, lead = np.zeros((persons, len(time), 1), np.float32), [], list(LEADS).index("II")
    for person in range(persons):
        heart = draw_identity(seed, person + 1)
        rr = 60 / rate * (1 + 0.02 * rng.standard_normal(int(seconds * rate / 60) + 5).clip(-3, 3))
        beats = np.cumsum(rr) - rr[0] - rng.uniform(0, rr[0])
        mean = 60 / rate
        place, q, r, s = (part * heart.qrs_duration for part in heart.qrs_shape)
        pr = np.clip(heart.pr_interval + 0.03 * (mean - 0.85), 0.12, 0.2)
        p, stretch = heart.p_duration / 4, np.cbrt(mean)
        after = heart.t_duration * stretch / (2 * (1 + heart.t_skew))
        qt = heart.qtc * stretch
        centres = np.array([2 * p - place - pr, 2 * q - place, 0.0,
                            heart.qrs_duration - place - 2 * s, qt - place - 2 * after])
        before, behind = (np.array([p, q, r, s, heart.t_skew * after]),
                          np.array([p, q, r, s, after]))
        since = time[:, None, None] - beats[:, None] - centres
        wide = np.where(since < 0, before, behind)
        waves = np.exp(-0.5 * (since / wide) ** 2).sum(1) @ heart.amplitude[:, lead]
        strips[person, :, 0] = waves + noise * rng.standard_normal(len(time))
        inside = np.diff(beats[(beats >= 0) & (beats < seconds)])
        truth.append({"heart_rate": 60 / np.median(inside), "p_duration": 4 * p, "pr": pr,
                      "qrs": heart.qrs_duration, "qt": qt})
    return strips, pd.DataFrame(truth)


def interval_errors(rates=RATES, persons: int = 12, fs: float = 128.0,
                    seed: int = 0) -> pd.DataFrame:
    """What `clinical` reads off these strips, less the truth, by heart rate.

    Args:
        rates: bpm.
        persons: strips of each rate, default 12.
        fs: Hz.
        seed: int.

    Returns:
        DataFrame, index = rate; `heart_rate` (largest error in bpm; strips outside of
        `clinical.RATES` have none), `p_duration`, `pr`, `qrs`,
        `qt` (median error in ms, positive: read too long), each with `<name>_spread` (median
        absolute deviation, ms) and `<name>_found` (share of strips).

    Example:
        >>> interval_errors().loc[60, "qt"]
    """
    rows = {}
    for rate in rates:
        strips, truth = ecg_at(rate, persons, fs, seed=seed)
        found = intervals(strips, fs, limit=persons)
        error = rhythm(strips, fs).heart_rate - truth.heart_rate
        row = {"heart_rate": error.abs().max(), "heart_rate_found": error.notna().mean()}
        for name in WAVES:
            off = 1000 * (found[name] - truth[name]).dropna()
            row |= {name: off.median(), f"{name}_spread": (off - off.median()).abs().median(),
                    f"{name}_found": len(off) / len(found)}
        rows[rate] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("bpm")
