"""Are the waves those of real ECGs? Durations and heights of P, QRS and T, beside real persons'.

A sample of the strips is delineated, in lead II where there is one: P waves are clearest there.
"""

import numpy as np

from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.clinical import Waves, waves
from ecg_tf.evaluation.fidelity_measures import cut_sets
from ecg_tf.evaluation.waveform import wasserstein1
from ecg_tf.signals.windows import Windows

DELINEATED = ("II", "MLII")  # the first of these that the strips have, else their first lead
INTERVALS = {"P duration W1": "p_duration", "PR interval W1": "pr", "QRS duration W1": "qrs",
             "QT interval W1": "qt"}
AMPLITUDES = ("P amplitude by lead W1", "R amplitude by lead W1", "T amplitude by lead W1")


def wave_measures(test: Windows, synthetic, train: Windows | None = None, max_strips: int = 200,
                  repeats: int = 30, seed: int = 0) -> list[Measured]:
    """The rows of a report about waves; arguments as in `fidelity_measures`.

    Args:
        max_strips: of each set that are delineated (0.01 s each); default 200.

    Returns:
        list of `Measured`: "delineated strips" (share of strips with plausible QRS and QT), W1 of
            P duration, PR, QRS and QT (s), and of the amplitudes of P, R and T in each lead (mV,
            mean over leads). NaN where a set has no such wave.

    Raises:
        InputError: as `fidelity_measures`.
    """
    signals, sets = cut_sets(test, synthetic, train, max_strips, repeats, seed)
    found = found_waves(signals, test.fs, test.leads)
    plausible = found.table.delineated.to_numpy(float)
    out = [sets.measure("delineated strips", lambda a, b: float(plausible[b].mean()), "share",
                        "high", (0.0, 1.0))]
    for name, column in INTERVALS.items():
        seconds = found.table[column].to_numpy(float)
        out.append(sets.measure(name, _distance(seconds[:, None]), "s"))
    return out + [sets.measure(name, _distance(height), "mV")
                  for name, height in zip(AMPLITUDES, np.swapaxes(found.amplitudes, 0, 1),
                                          strict=True)]


def found_waves(signals, fs: float, leads) -> Waves:
    """`waves` of all strips (n, time, lead), delineated in lead II where there is one."""
    lead = next((leads.index(name) for name in DELINEATED if name in leads), 0)
    return waves(signals, fs, lead, limit=len(signals))


def _distance(values):
    """Mean over the columns of the W1 distance of two sets of rows."""
    return lambda a, b: float(np.mean([wasserstein1(column[a], column[b]) for column in values.T]))
