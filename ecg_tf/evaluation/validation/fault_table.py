"""The planted-fault table: every measure on sets whose correct results are known.

Subjects are split into three groups: *members*, of whom the control sets are made; a *fresh*
group, the control "other half"; and a *holdout*, which gives baselines and nulls. Fidelity is
measured against the members here, so copies have a known place: nearer than other subjects. (A
report compares with the holdout, where copies sit at the baseline.)
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.attack_data import attack_data
from ecg_tf.evaluation.attacks import ATTACKS, run_attacks
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.copies import copy_measures, fit_copy_test
from ecg_tf.evaluation.copy_reference import CopyReference
from ecg_tf.evaluation.fidelity_measures import fidelity_measures
from ecg_tf.evaluation.gate import REIDENTIFIED
from ecg_tf.evaluation.reidentification import reidentification, swapped_roles, with_identifier
from ecg_tf.evaluation.validation.controls import CONTROLS, control_sets
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows

COPIES = ("exact copy", "shifted copy", "gain copy", "warped copy")
NOISE = ("phase randomized", "shuffled samples", "white noise")
FAULTS = (*NOISE, "tenfold amplitude", "one window repeated", "wrong heart rate")
_STRANGE = ("other half", *NOISE, "simulated")

#: What a value has to be, so that the measure has ordered its control rightly.
RELATIONS = {
    "nearer": "better than other real persons are (the baseline)",
    "like": "within a factor of two of the baseline",
    "worse": "worse than the baseline by more than a factor of two",
    "leak": "a leak is reported: most strips of the set and more than by chance, or an AUC above "
            "its null",
    "no leak": "none is reported: a share of strips, or an AUC, within its null, or 5 % of them",
}


def _expect(**relations) -> dict[str, str]:
    return {control: relation.replace("_", " ") for relation, names in relations.items()
            for control in names}


_DISTANCE = _expect(nearer=COPIES, like=["other half"], worse=FAULTS)
_MANIFOLD = _expect(nearer=["exact copy"], like=["other half"], worse=[*NOISE, "tenfold amplitude"])
_RATE = _expect(nearer=["exact copy", "gain copy", "tenfold amplitude"], like=["other half"],
                worse=["wrong heart rate"])
_LEAK = _expect(leak=[*COPIES, "tenfold amplitude", "one window repeated"], no_leak=_STRANGE)
# No claim on phase-randomized strips: they keep their subject's spectrum, so rate and rhythm. Two
# of three strips of simulated subjects lie nearest to the surrogate of another strip of their own
# subject (one in ten by chance): an attacker by rhythm or spectrum rightly finds members.
_MEMBER = _expect(leak=COPIES, no_leak=[name for name in _STRANGE if name != "phase randomized"])
#: measure -> control -> relation, where the right answer is known; all else is shown unmarked.
EXPECTED = {
    "MMD²": _DISTANCE,
    "Fréchet distance": {**_DISTANCE, **_expect(like=["gain copy", "warped copy"])},
    "precision": _MANIFOLD,
    "recall": {**_MANIFOLD, "one window repeated": "worse"},
    "density": _MANIFOLD,
    "coverage": {**_MANIFOLD, "one window repeated": "worse"},
    "discriminative AUC": _expect(nearer=["exact copy"], like=["other half"],
                                  worse=[*NOISE, "tenfold amplitude"]),
    "heart rate W1": _RATE,
    "RR W1": _RATE,
    "SDNN W1": _expect(nearer=["exact copy", "gain copy"], like=["other half"]),
    "RMSSD W1": _expect(nearer=["exact copy", "gain copy"], like=["other half"]),
    "R amplitude W1": _expect(nearer=["exact copy", "wrong heart rate"], like=["other half"],
                              worse=["tenfold amplitude"]),
    "amplitude W1": _expect(nearer=["exact copy", "shuffled samples"], like=["other half"],
                            worse=["tenfold amplitude"]),
    "log-PSD distance": _expect(nearer=["exact copy", "phase randomized"], like=["other half"],
                                worse=["white noise", "shuffled samples", "tenfold amplitude"]),
    "detectable strips": _expect(like=[*COPIES, "other half", "simulated", "tenfold amplitude"],
                                 worse=NOISE),
    "diversity": _expect(like=["exact copy", "shifted copy", "other half"],
                         worse=["one window repeated"]),
    "near-duplicates": _expect(like=["exact copy", "other half"], worse=["one window repeated"]),
    "copies": _LEAK,
    "near-matches": _LEAK,
    "membership AUC, strips": {**_MEMBER, "tenfold amplitude": "leak"},
    "membership AUC, beats": {
        **_MEMBER, **_expect(leak=["tenfold amplitude"], no_leak=["phase randomized"])},
    "membership AUC, descriptors": _MEMBER,
    "membership AUC, adaptive": _MEMBER,
    REIDENTIFIED: _expect(
        leak=[*COPIES, "one window repeated"], no_leak=_STRANGE),
}
_FACTOR, _MOST, _FEW = 2.0, 0.5, 0.05
_SLACK = {"near-duplicates": 0.05}  # its baseline may be 0


@dataclass(frozen=True)
class FaultTable:
    """The value of every measure for every control set."""

    values: pd.DataFrame  # DataFrame, index = measure, columns = control sets (`controls.CONTROLS`)
    baseline: pd.Series  # Series, the same measure of the holdout persons, or the null
    right: pd.DataFrame  # DataFrame of True, False, or None where no right answer is known

    @property
    def wrong(self) -> list[tuple[str, str]]:
        """(measure, control) that came out in the wrong order."""
        return [(measure, control) for measure, row in self.right.iterrows()
                for control, right in row.items() if right is False]

    def cells(self) -> pd.DataFrame:
        """All values as text with their mark: ✓ ordered rightly, ✗ wrongly, none: no claim."""
        signs = {True: " ✓", False: " ✗"}
        out = pd.DataFrame({control: [
            _text(self.values.at[measure, control]) + signs.get(self.right.at[measure, control], "")
            for measure in self.values.index] for control in self.values}, self.values.index)
        out.insert(0, "baseline", [_text(value) for value in self.baseline])
        return out

    @property
    def note(self) -> str:
        """How many came out right, and which did not."""
        known = int(self.right.notna().to_numpy().sum())
        wrong = "; ".join(f"{measure} of {control}" for measure, control in self.wrong)
        return (f"{known - len(self.wrong)} of {known} known orders are right."
                + (f" Wrong: {wrong}." if wrong else ""))


def fault_table(members: Windows, fresh: Windows, holdout: Windows, seed: int = 0,
                identify: bool = True, progress: bool = False) -> FaultTable:
    """Measures and attacks every control set.

    Args:
        members: strips of the subjects whose ECGs are corrupted and copied.
        fresh: as many strips of other subjects, the control "other half".
        holdout: strips of yet others, for baselines and nulls; half of them are unknown to the
            identification network, 100 strips or more.
        identify: also train the identification network.

    Raises:
        InputError: subjects in two groups, too few strips for the tests.
    """
    persons = [set(group.subjects) for group in (members, fresh, holdout)]
    if len(set.union(*persons)) < sum(map(len, persons)):
        raise InputError("Subjects are in two groups.", expected="disjoint groups", got="overlap",
                         fix="split the subjects with `fault_cohort`")
    both = Windows.concatenate([members, fresh])
    sets = control_sets(both, seed, np.arange(len(both)) < len(members))
    attack = _Attack(members, holdout, seed, identify)
    names = list(sets)
    if progress:
        from tqdm import tqdm

        names = tqdm(names, desc="control sets")
    rows = {}
    for name in names:
        rows[name] = fidelity_measures(members, sets[name], holdout, repeats=1, seed=seed)
        rows[name] += attack(sets[name])
    return table_of({name: {row.name: row for row in found} for name, found in rows.items()})


def table_of(rows) -> FaultTable:
    """The table of control -> {measure: Measured}, with the measures of `EXPECTED` in their
    order."""
    controls = [name for name in CONTROLS if name in rows]
    measures = [name for name in EXPECTED if name in rows[controls[0]]]
    values = pd.DataFrame({control: [rows[control][name].value for name in measures]
                           for control in controls}, measures)
    right = pd.DataFrame({control: [ordered(rows[control][name], EXPECTED[name].get(control))
                                    for name in measures] for control in controls},
                         measures, dtype=object)
    right = right.where(right.notna(), None)
    baseline = pd.Series({name: rows["exact copy"][name].baseline for name in measures})
    return FaultTable(values, baseline, right)


def ordered(measure: Measured, relation: str | None) -> bool | None:
    """Whether a measured value is in its known relation; None where none is known."""
    if relation is None:
        return None
    value, baseline = measure.value, measure.baseline
    if not np.isfinite(value):
        return False
    if relation in ("leak", "no leak"):
        # Of ten new subjects one looks like a member, in all strips: 5 % may be too few.
        high = measure.baseline_high
        chance = high if "AUC" in measure.name else np.fmax(high, _FEW)
        least = chance if "AUC" in measure.name else max(chance, _MOST)
        return bool(value > least if relation == "leak" else value <= chance)
    if "AUC" in measure.name:  # 0.5 is the best, 1 the worst: by what is left to 1
        value, baseline, better = 1 - value, 1 - baseline, "high"
    else:
        better = measure.better
    if better == "high":
        return bool({"nearer": value >= baseline, "like": value >= baseline / _FACTOR,
                     "worse": value < baseline / _FACTOR}[relation])
    limit = _FACTOR * baseline + _SLACK.get(measure.name, 0)
    return bool({"nearer": value <= baseline, "like": value <= limit,
                 "worse": value > limit}[relation])


def fault_cohort(database: str = "simulated", data_dir: str = "", fs: float = 128.0,
                 seconds: float = 10.0, each: int = 12, seed: int = 0):
    """Three groups of subjects for `fault_table`: a quarter, a quarter, and half of them.

    `database`: "simulated" (40 persons), a known one or a folder, of 16 persons or more, else an
    InputError; `each`: strips of a person, spread over the record. Gives (members, fresh, holdout),
    the first two equally many.
    """
    windows = cohort_strips(database, data_dir, fs, seconds, seed)
    persons = np.unique(windows.subjects)
    if len(persons) < 16:
        raise InputError("Too few subjects for three groups.",
                         expected="16 or more", got=len(persons), fix="take a larger database")
    persons = np.random.default_rng(seed).permutation(persons)
    quarter = len(persons) // 4
    groups = [thin(windows, each * len(np.unique(windows.subjects))) for windows in (
        windows.take(np.isin(windows.subjects, some))
        for some in (persons[:quarter], persons[quarter:2 * quarter], persons[2 * quarter:]))]
    size = min(map(len, groups[:2]))
    return thin(groups[0], size), thin(groups[1], size), groups[2]


def cohort_strips(database: str, data_dir: str = "", fs: float = 128.0, seconds: float = 10.0,
                  seed: int = 0) -> Windows:
    """All strips of a database, side by side; simulated: 40 persons of 2.2 minutes."""
    from ecg_tf.records import load
    from ecg_tf.signals.cutting import strips
    from ecg_tf.signals.preparation import Preparation

    records = load(database, data_dir, subjects=40, minutes=2.2, seed=seed)
    return strips(Preparation(fs).clean(records), round(seconds * fs))


class _Attack:
    """The privacy tests on one control set after the other; shared parts are fitted once."""

    def __init__(self, members: Windows, holdout: Windows, seed: int, identify: bool):
        self.seed, self.second = seed, None
        most = len(members) + len(holdout)
        self.data = attack_data(members.signals, members, holdout, most, seed)
        # Strip against strip, not longer ones: here copies lie on the grid.
        self.reference = CopyReference(members.signals, members.signals.shape[1], members.fs,
                                       np.arange(len(members)))
        self.test = fit_copy_test(self.reference, holdout, seed=seed)
        if identify:
            self.data = with_identifier(self.data, seed)
            self.second = swapped_roles(members.signals, members, holdout, most, seed)

    def __call__(self, strips) -> list[Measured]:
        data = replace(self.data, synthetic=strips)
        rows = copy_measures(self.reference.nearest(strips).score, self.test)
        shown = {name: attack for name, attack in ATTACKS.items()
                 if attack.of_membership and name != "embedding"}
        rows += run_attacks(data, shown, resamples=200, seed=self.seed)[0]
        if data.identifier is None:
            return rows
        second = None if self.second is None else replace(self.second, synthetic=strips)
        return rows + reidentification(data, (), seed=self.seed, second=second)


def _text(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
