"""Landmarks of the fidelity-privacy plot: sets whose right place in it is known.

Two axes: MMD² to the holdout persons, in multiples of its baseline (the training persons in the
synthetic set's place), and the share of strips accepted as a member at 1 % false accepts. Copies of
training strips stand high up at 1 x baseline, for they are as like the holdout as the training
persons are. New persons stand near 1 x baseline and near 1 %: the target region.
"""

import numpy as np
import pandas as pd

from ecg_tf.evaluation.attack_data import AttackData
from ecg_tf.evaluation.descriptors import DescriptorScale, describe
from ecg_tf.evaluation.fidelity import mmd2
from ecg_tf.evaluation.person_statistics import excess_over_non_members, upper
from ecg_tf.evaluation.validation import controls
from ecg_tf.signals.selection import thin

LANDMARKS = {
    "copies": "strips of the training persons themselves",
    "copies, disguised": "the same, begun later, 5 % slower, with another gain",
    "new persons": "half of the holdout persons, against the other half: the target",
    "wrong heart rate": "the training persons' beats at 140-170 bpm",
    "phase randomized": "training strips with their spectrum kept and their shape destroyed",
    "simulated": "sum-of-Gaussians ECGs, of no real person",
    "white noise": "mean and standard deviation of training strips, nothing else",
}
COLUMNS = ["mmd2", "baselines", "reidentified", "n"]


def landmark_table(data: AttackData, strips: int = 300, fpr: float = 0.01,
                   seed: int = 0) -> pd.DataFrame:
    """Where sets whose nature is known stand in the fidelity-privacy plot.

    Index = name (see `LANDMARKS`); columns `mmd2`, `baselines` (multiples of the baseline, which is
    `.attrs["baseline"]`), `reidentified` (share at false accept rate `fpr`, NaN without a valid
    network), `n` (at most `strips`). Empty without a holdout.
    """
    if data.non_members is None:
        return pd.DataFrame(columns=COLUMNS)
    rng, fs = np.random.default_rng(seed), data.fs
    base = thin(data.members, strips)
    scale = DescriptorScale.from_real(data.members.signals, fs)
    sets = _sets(base.signals, fs, rng)
    holdout = thin(data.non_members, 2 * strips)
    real = describe(holdout.signals, fs, scale)
    claims = _claims(data, fpr)
    rows = {}
    for name, signals in sets.items():
        value = mmd2(real, describe(signals, fs, scale), permutations=0, seed=seed)[0]
        rows[name] = (value, claims(signals), len(signals))
    baseline = rows["copies"][0]
    rows["new persons"] = (_between_halves(real, holdout.subjects, len(data.member_names), seed),
                           _chance(data, fpr, seed), len(holdout))
    table = pd.DataFrame.from_dict({name: rows[name] for name in LANDMARKS}, orient="index",
                                   columns=["mmd2", "reidentified", "n"])
    # A baseline that came out at or below 0 by chance is no reference.
    table["baselines"] = table["mmd2"] / baseline if baseline > 0 else np.nan
    table.attrs["baseline"] = baseline
    return table[COLUMNS].rename_axis("landmark")


def _sets(base, fs, rng):
    gain, noise = controls.gains(len(base), rng), controls.white_noise(base, rng)
    return {
        "copies": base,
        "copies, disguised": controls.warped(controls.shifted(base, fs, rng), 0.05) * gain,
        "wrong heart rate": controls.at_heart_rate(base, fs, (140, 170), rng),
        "phase randomized": controls.phase_randomized(base, rng),
        "simulated": controls.simulated(len(base), base.shape[1], fs, rng,
                                        leads=base.shape[2])[0],
        "white noise": noise,
    }


def _between_halves(real, subjects, members, seed, repeats=10):
    """MMD² of one half of the persons to the other, mean over ways to halve them.

    Between n and m persons sampled from one population it is in proportion to 1/n + 1/m on average:
    the halves are brought to the baseline's numbers, members and all holdout persons.
    """
    persons = len(np.unique(subjects))
    if persons < 2:
        return np.nan
    values, half = [], (persons + 1) // 2
    numbers = (1 / members + 1 / persons) / (1 / half + 1 / (persons - half))
    for repeat in range(repeats):
        first = controls.halves(subjects, seed + repeat)
        if min(first.sum(), (~first).sum()) >= 2:
            values.append(mmd2(real[first], real[~first], permutations=0, seed=seed)[0])
    return float(np.mean(values)) * numbers if values else np.nan


def _claims(data: AttackData, fpr: float):
    """A function: strips -> share of them accepted as a member."""
    if not _recognizes(data, fpr):
        return lambda signals: np.nan
    threshold = upper(_likeness(data, data.impostors.signals), fpr)
    return lambda signals: float(np.mean(_likeness(data, signals) > threshold))


def _chance(data: AttackData, fpr: float, seed: int) -> float:
    """Impostors, each compared with a threshold of the others."""
    if not _recognizes(data, fpr) or len(np.unique(data.impostors.subjects)) < 2:
        return np.nan
    likeness = _likeness(data, data.impostors.signals)
    return excess_over_non_members(likeness, likeness, data.impostors.subjects, fpr, resamples=1,
                                   seed=seed)["baseline"]


def _recognizes(data: AttackData, fpr: float) -> bool:
    return data.identifier is not None and data.identifier.valid and len(data.impostors) >= 1 / fpr


def _likeness(data: AttackData, signals) -> np.ndarray:
    """(n,) likeness to the member whom a strip is most like."""
    is_member = np.isin(data.identifier.persons, data.member_names)
    return data.identifier.likeness(signals, data.fs)[:, is_member].max(1)
