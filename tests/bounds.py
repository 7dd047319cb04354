"""Stated beside measured error of every range, grid and fixed arrangement.

Run it with `python -m tests.bounds`.
"""

import numpy as np

from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.codec import Codec
from ecg_tf.images.quantize import HALF_STEP
from ecg_tf.images.scaling import SCALINGS
from ecg_tf.signals.windows import Windows


def windows_of(signals, rpeaks=None, lengths=None, fs=128.0) -> Windows:
    """Windows of an array (window, time, lead), one subject and record a window."""
    signals = np.asarray(signals, np.float32)
    names = np.array([f"r{k}" for k in range(len(signals))])
    lengths = np.full(len(signals), signals.shape[1]) if lengths is None else np.asarray(lengths)
    leads = ("MLII", "V1", "V5", "V2")[: signals.shape[2]]
    return Windows(signals, fs, leads, lengths, names, names, np.zeros(len(signals), int), rpeaks)


def smooth_beats(count=6, rows=32, seed=0, fs=128.0, leads=1) -> Windows:
    """Sum-of-Gaussians ECGs with a wandering heart rate; windows from R peak to R peak."""
    rng = np.random.default_rng(seed)
    signals, peaks = [], []
    for _ in range(count):
        rr = rng.uniform(0.6, 1.0) * (1 + 0.1 * rng.standard_normal(rows + 1))
        peak = np.concatenate([[0], np.cumsum(np.rint(rr * fs))])
        time, signal = np.arange(peak[-1] + 1), 0.0
        for at, interval in zip(peak, np.append(rr, rr[-1]), strict=True):
            for mv, where, width in ((0.15, -0.18, 0.025), (-0.1, -0.028, 0.01), (1.1, 0, 0.012),
                                     (-0.25, 0.028, 0.012), (0.3, 0.3 * interval**0.5, 0.05)):
                signal = signal + mv * np.exp(-(((time - at) / fs - where) ** 2) / (2 * width**2))
        signals.append(np.stack([signal * (1 - 0.3 * k) for k in range(leads)], -1))
        peaks.append(peak)
    lengths = [len(signal) for signal in signals]
    padded = np.full((count, max(lengths), leads), np.nan)
    for k, signal in enumerate(signals):
        padded[k, : len(signal)] = signal
    return windows_of(padded, np.array(peaks, float), lengths, fs)


def bounds_table() -> list[dict]:
    """One row a range, grid and arrangement: stated bound and largest error measured, in mV."""
    table = []
    for arrangement, kind in ARRANGEMENTS.items():
        if kind.by_beats:
            continue
        leads = kind.lead_count or 1
        windows = windows_of(np.random.default_rng(0).uniform(-2, 2.5, (20, 256, leads)))
        for name in SCALINGS:
            for grid in HALF_STEP:
                options = {"quantization": grid, "quantiles": (0.0, 1.0), "limits_mv": (-3, 3),
                           "knee_mv": 0.1}
                codec = Codec(arrangement, scaling=name, height=16, width=16,
                              **options).fit(windows)
                table.append({
                    "arrangement": arrangement, "range": name, "grid": grid,
                    "stated_mv": float(codec.error_bound_mv().max()),
                    "measured_mv": codec.round_trip_error(windows)["max_mv"],
                })
    return table


if __name__ == "__main__":
    for row in bounds_table():
        print("{arrangement:16}{range:11}{grid:9}{stated_mv:12.3e}{measured_mv:12.3e}".format(**row))
