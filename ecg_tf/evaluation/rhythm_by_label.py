"""Is the rhythm right for each label? Fibrillation may be drawn as regular as all the rest."""

import numpy as np

from ecg_tf.evaluation.baselines import Comparison, Measured
from ecg_tf.evaluation.clinical import rhythm
from ecg_tf.evaluation.waveform import wasserstein1
from ecg_tf.signals.windows import Windows

LEAST = 5  # strips of a label on each side, from which a distance is given
COLUMNS = {"sdnn": "SDNN by label W1", "rmssd": "RMSSD by label W1"}


def rhythm_by_label(sets: dict[str, Windows], holds: dict[str, np.ndarray], repeats: int = 30,
                    seed: int = 0) -> tuple[list[dict], list[Measured]]:
    """Wasserstein-1 distances of SDNN and RMSSD, label by label.

    Args:
        sets: "train", "test" and "synthetic": strips of each.
        holds: the same keys: (strip, label) bool.
        repeats: half-samples for the intervals of the means. Default 30.
        seed: int.

    Returns:
        (a dict a label: distances in seconds of the synthetic from the test strips that have the
        label, "sdnn", "rmssd", and of the training strips, "sdnn_baseline", "rmssd_baseline"; NaN
        where fewer than `LEAST` strips have it; the means over labels, with intervals).
    """
    order = ("test", "train", "synthetic")
    found = {name: rhythm(sets[name].signals, sets[name].fs) for name in order}
    label = np.concatenate([holds[name] for name in order]).T
    parts = np.split(np.arange(label.shape[1]), np.cumsum([len(sets[name]) for name in order])[:-1])
    who = np.concatenate([sets[name].subjects for name in order[:2]]
                         + [np.full(len(parts[2]), "")]).astype(str)
    compared = Comparison(who, parts[0], parts[1], parts[2], repeats, seed)
    table: list[dict] = [{} for _ in label]
    measures = []
    for column, name in COLUMNS.items():
        seconds = np.concatenate([found[side][column].to_numpy(float) for side in order])
        for row, own in zip(table, label, strict=True):
            row[column] = _distance(seconds, own, parts[0], parts[2])
            row[f"{column}_baseline"] = _distance(seconds, own, parts[0], parts[1])
        measures.append(compared.measure(name, _mean_distance(seconds, label), "s"))
    return table, measures


def _mean_distance(seconds, label):
    def measure(a, b):
        each = np.array([_distance(seconds, own, a, b) for own in label])
        return float(np.nanmean(each)) if np.isfinite(each).any() else np.nan
    return measure


def _distance(seconds, own, a, b) -> float:
    a, b = a[own[a]], b[own[b]]
    return wasserstein1(seconds[a], seconds[b]) if min(len(a), len(b)) >= LEAST else np.nan
