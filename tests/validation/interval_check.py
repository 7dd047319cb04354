"""Errors of `clinical` on simulated ECGs of 30 to 220 bpm with known intervals.

These are clean sums of Gaussians, not patients (see `delineation_tables` for those). What matters
for comparisons is that both sides are read by the same delineator, with the same error.
"""

import numpy as np
import pandas as pd

from ecg_tf.evaluation.clinical import rhythm, waves
from ecg_tf.records.simulate import sample_identity
from tests.validation.rhythm_cases import ecg_of_beats, intervals_at, regular

RATES = (30, 45, 60, 80, 100, 120, 150, 180, 220)
WAVES = ("p_duration", "pr", "qrs", "qt")


def ecg_at(rate: float, persons: int = 12, fs: float = 128.0, seconds: float = 10.0,
           noise: float = 0.01, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """One strip each of simulated persons at a heart rate, and its true intervals.

    Lead II of the persons of `simulate.sample_identity`, with RR varying by 2 %. A wave begins and
    ends 2 sigma from its centre, as in `simulate.true_intervals`.

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
    rng, strips, truth = np.random.default_rng(seed), [], []
    for person in range(persons):
        heart, beats = sample_identity(seed, person + 1), regular(rate, seconds, rng)
        strip = ecg_of_beats(beats, heart, fs, seconds)
        strips.append(strip + noise * rng.standard_normal(len(strip)))
        pr, qt = intervals_at(heart, float(np.median(np.diff(beats))))
        inside = np.diff(beats[(beats >= 0) & (beats < seconds)])
        truth.append({"heart_rate": 60 / np.median(inside), "p_duration": heart.p_duration,
                      "pr": pr, "qrs": heart.qrs_duration, "qt": qt})
    return np.array(strips, np.float32)[..., None], pd.DataFrame(truth)


def interval_errors(rates=RATES, persons: int = 12, fs: float = 128.0,
                    seed: int = 0) -> pd.DataFrame:
    """Errors of `clinical` on these strips, by heart rate.

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
        found = waves(strips, fs, limit=persons).table
        error = rhythm(strips, fs).heart_rate - truth.heart_rate
        row = {"heart_rate": error.abs().max(), "heart_rate_found": error.notna().mean()}
        for name in WAVES:
            off = 1000 * (found[name] - truth[name]).dropna()
            row |= {name: off.median(), f"{name}_spread": (off - off.median()).abs().median(),
                    f"{name}_found": len(off) / len(found)}
        rows[rate] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("bpm")


def interval_text(errors: pd.DataFrame) -> pd.DataFrame:
    """The table of `interval_errors` as text: error ± spread, share of strips below 100 %."""

    def share(found):
        return f" ({found:.0%})" if found < 1 else ""

    out = pd.DataFrame({"heart rate, largest error (bpm)": [
        f"{off:.2f}{share(found)}"
        for off, found in errors[["heart_rate", "heart_rate_found"]].to_numpy()]}, errors.index)
    for name in WAVES:
        out[f"{name.replace('_', ' ')} (ms)"] = [
            f"{off:+.0f} ± {spread:.0f}{share(found)}" if found else "not found"
            for off, spread, found in errors[[name, f"{name}_spread", f"{name}_found"]].to_numpy()]
    return out
