"""The plane's landmarks: sets whose right place between fidelity and privacy is known.

Two axes: MMD² to the holdout persons, in multiples of its baseline (the training persons in the
synthetic set's place), and the share of strips taken for a member at 1 % false alarms. Copies of
training strips stand at one baseline, for they are as like the holdout as the training persons are,
and high up; new persons stand near one baseline and near the false alarms: that place is the aim.
"""

import numpy as np
import pandas as pd

from ecg_tf.evaluation.descriptors import DescriptorScale, describe
from ecg_tf.evaluation.fidelity import mmd2
from ecg_tf.evaluation.person_statistics import excess_over_strangers, upper
from ecg_tf.evaluation.roles import Roles
from ecg_tf.evaluation.validation import controls
from ecg_tf.signals.selection import thin

LANDMARKS = {
    "copies": "strips of the training persons themselves",
    "copies, disguised": "the same, begun later, 5 % slower, with another gain",
    "new persons": "half of the holdout persons, against the other half: the aim",
    "wrong heart rate": "the training persons' beats at 140-170 bpm",
    "phase randomized": "training strips with their spectrum kept and their shape destroyed",
    "simulated": "sum-of-Gaussians ECGs, of nobody",
    "white noise": "mean and standard deviation of training strips, nothing else",
}
COLUMNS = ["mmd2", "baselines", "reidentified", "n"]


def landmark_table(roles: Roles, fs: float, identifier=None, strips: int = 300,
                   alarm: float = 0.01, seed: int = 0) -> pd.DataFrame:
    """Where sets whose nature is known stand in the plane.

    Args:
        roles: `Roles` with a holdout.
        fs: Hz.
        identifier: valid `Identifier` of members and known others; default None: the table then
            has no shares.
        strips: of each set, default 300.
        alarm: default 0.01.
        seed: int.

    Returns:
        DataFrame, index = name (see `LANDMARKS`); columns `mmd2`, `baselines` (multiples of the
        baseline, which is `.attrs["baseline"]`), `reidentified` (share, NaN without network), `n`.
        Empty without a holdout.
    """
    if roles.other is None:
        return pd.DataFrame(columns=COLUMNS)
    rng = np.random.default_rng(seed)
    base = thin(roles.member, strips)
    scale = DescriptorScale.from_real(roles.member.signals, fs)
    sets = _sets(base.signals, fs, rng)
    holdout = thin(roles.other, 2 * strips)
    real = describe(holdout.signals, fs, scale)
    claims = _claims(roles, identifier, fs, alarm)
    rows = {}
    for name, signals in sets.items():
        value = mmd2(real, describe(signals, fs, scale), permutations=0, seed=seed)[0]
        rows[name] = (value, claims(signals), len(signals))
    baseline = rows["copies"][0]
    rows["new persons"] = (_between_halves(real, holdout.subjects, len(roles.members), seed),
                           _chance(roles, identifier, fs, alarm, seed), len(holdout))
    table = pd.DataFrame.from_dict({name: rows[name] for name in LANDMARKS}, orient="index",
                                   columns=["mmd2", "reidentified", "n"])
    # A baseline that came out at or below 0 by chance is no yardstick.
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

    Between n and m persons drawn from one population it is in proportion to 1/n + 1/m on average:
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


def _claims(roles, identifier, fs, alarm):
    """A function: strips -> share of them taken for a member."""
    if identifier is None or not identifier.valid or len(roles.strange) < 1 / alarm:
        return lambda signals: np.nan
    templates = _member_templates(roles, identifier)
    chance = (identifier.embed(roles.strange.signals, fs) @ templates.T).max(1)
    threshold = upper(chance, alarm)
    return lambda signals: float(np.mean(
        (identifier.embed(signals, fs) @ templates.T).max(1) > threshold))


def _chance(roles, identifier, fs, alarm, seed):
    """Strangers, each judged by a threshold of the others."""
    if identifier is None or not identifier.valid or len(roles.strange) < 1 / alarm \
            or len(roles.strangers) < 2:
        return np.nan
    likeness = identifier.embed(roles.strange.signals, fs) @ _member_templates(
        roles, identifier).T
    return excess_over_strangers(likeness.max(1), likeness.max(1), roles.strange.subjects, alarm,
                                 draws=1, seed=seed)["baseline"]


def _member_templates(roles, identifier):
    return identifier.templates[np.isin(identifier.persons, roles.members)]
