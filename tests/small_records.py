"""Small records for tests: what they hold is known to the sample."""

import numpy as np

from ecg_tf.records import Record
from ecg_tf.signals.windows import Windows


def make_record(signal, fs=100.0, beats=(), symbols=None, subject="s", name="r", leads=None):
    """A Record of (time,) or (time, lead) values in mV, its leads L0, L1, ..."""
    signal = np.asarray(signal, np.float32).reshape(len(signal), -1)
    symbols = ["N"] * len(beats) if symbols is None else symbols
    leads = leads or tuple(f"L{k}" for k in range(signal.shape[1]))
    return Record(name, "simulated", subject, signal, fs, leads,
                  np.array(beats, np.int64), np.array(symbols, "<U1"))


def noise(samples, seed=0):
    """(time,) float32, never twice the same value."""
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def windows_of(signals, subjects, fs=128.0, leads=None):
    """Windows of strips (n, time, lead) in mV and their subjects, each subject one record."""
    n, length, count = np.shape(signals)
    names = np.asarray(subjects, str)
    return Windows(np.asarray(signals, np.float32), float(fs),
                   leads or tuple(f"L{k}" for k in range(count)), np.full(n, length), names, names,
                   np.zeros(n, int))
