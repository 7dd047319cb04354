"""One evaluation of a synthetic set: all attacks with their nulls, the gate, and landmarks.

`evaluate_privacy` assigns the roles (`attack_data`), runs `copies`, `reidentification` and the
registry of `attacks`, and hands everything to the release gate. Where persons or strips are too few
for a measure it stays in the table without a value, and the notes say why: what was not measured
has not passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.base.stages import Stages
from ecg_tf.evaluation import copies
from ecg_tf.evaluation.attack_data import NO_HOLDOUT, AttackData, attack_data
from ecg_tf.evaluation.attacks import ATTACKS, Attack, run_attacks
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.copy_reference import SHIFT_S, CopyReference, copy_reference
from ecg_tf.evaluation.embedding import REQUIRED
from ecg_tf.evaluation.gate import PRIVACY, Gate, release_gate
from ecg_tf.evaluation.landmarks import COLUMNS, landmark_table
from ecg_tf.evaluation.reidentification import (
    GALLERIES,
    reidentification,
    swapped_roles,
    validity,
    with_identifier,
)
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows

FPR = 0.01
_REFERENCE = 4  # times `max_strips`: training strips among which copies are sought
_PLANTED = 100  # copies planted to see what the copy test finds
_CLOSEST = ("DCR, nearer to training", "NNDR of training")


@dataclass(frozen=True)
class AttackSettings:
    """How the attacks are made.

    Args:
        max_strips: of each set, default 1000.
        seed: int.
        landmarks: also compute the landmarks of the fidelity-privacy plot. Default True.
        cache: keep the identification networks for the next time. Default True.
        progress: bool. Default False.
    """

    max_strips: int = 1000
    seed: int = 0
    landmarks: bool = True
    cache: bool = True
    progress: bool = False


@dataclass(frozen=True)
class PrivacyEvaluation:
    """Results of all attacks on a synthetic set, and whether it may be released.

    Args:
        measures: fidelity and utility as they were given to `gated`, then privacy.
        gate: pass or fail, a row each.
        power: what the privacy tests would have found, in words.
        notes: which measures lost their null or were not measured, and why.
        landmarks: `landmarks.landmark_table`; empty where it was not computed.
    """

    measures: list[Measured]
    gate: Gate
    power: str = ""
    notes: tuple[str, ...] = ()
    landmarks: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))

    @property
    def privacy(self) -> list[Measured]:
        """The measures about persons."""
        return [row for row in self.measures if row.name.startswith(PRIVACY)]

    def gated(self, measures: Sequence[Measured], thresholds: Mapping | None = None,
              warnings: Sequence[str] = ()) -> "PrivacyEvaluation":
        """The same with measures of fidelity and utility in front, and the gate over all.

        Args:
            measures: such as those of `fidelity_measures`.
            thresholds: of the gate, over its defaults; see `release_gate`.
            warnings: what casts doubt on every row about persons, for the gate's words.
        """
        measures = [*measures, *self.measures]
        return replace(self, measures=measures, gate=release_gate(
            measures, thresholds, self.power, warnings))


def evaluate_privacy(synthetic, train: Windows, holdout: Windows | None,
                     attacks: Mapping[str, Attack] | None = None,
                     settings: AttackSettings | None = None) -> PrivacyEvaluation:
    """Makes all attacks on a synthetic set.

    The holdout persons are halved by the seed, see `attack_data`; a second identification network
    with the halves exchanged makes impostors of all of them. Copies are sought among all training
    strips up to four times `max_strips`, each continued by what follows it in its record.

    Args:
        synthetic: (n, time, lead) mV, strips as long as the real ones; 10 or more.
        train: strips of the persons the generator was trained on; `cutting.strips`.
        holdout: strips of other persons of the same population; None: most measures then have no
            null and stay without a value.
        attacks: name -> Attack, beside those of `ATTACKS`, such as `attribute_attack`.
        settings: `AttackSettings`; default None, its defaults.

    Returns:
        PrivacyEvaluation; `gated` adds fidelity and thresholds.

    Raises:
        InputError: strips of other lengths or leads, missing values, persons on both sides.

    Example:
        >>> found = evaluate_privacy(strips, data.strips["train"], data.strips["test"])
        >>> found = found.gated(fidelity)
        >>> found.gate.passed, found.gate.words
    """
    s = settings or AttackSettings()
    data = attack_data(synthetic, train, holdout, s.max_strips, s.seed)
    if len(data.synthetic) < 10:
        raise InputError("The synthetic strips are too few to be evaluated.",
                         expected="10 or more", got=len(data.synthetic), fix="generate more")
    attacks = {**ATTACKS, **(attacks or {})}
    begin = Stages("attack", 2 + len(attacks) + s.landmarks, s.progress)
    found = _Rows(len(data.synthetic))
    begin("copies of training strips")
    reference = copy_reference(train, _REFERENCE * s.max_strips)
    if len(reference.strips) < len(train):
        found.notes.append(f"Copies were sought among {len(reference.strips):,} of "
                           f"{len(train):,} training strips: a copy of another one is not seen.")
    planted = _copies(found, data, reference, s)
    begin("re-identification, by a network that learns the persons")
    data = _identification(found, data, (train, holdout), s)
    rows, lost = run_attacks(data, attacks, FPR, seed=s.seed, begin=begin)
    found.rows += rows
    for name, why in lost.items():
        found.lose((name,), why, rows=False)
    notes, table = found.all_notes(), pd.DataFrame(columns=COLUMNS)
    if s.landmarks:
        begin("landmarks: sets whose nature is known")
        table = landmark_table(data, seed=s.seed)
        if not len(table):
            notes.append(f"The fidelity-privacy plot has no landmarks: {NO_HOLDOUT}.")
    power = _power(found.rows, planted, data)
    return PrivacyEvaluation(found.rows, release_gate(found.rows, power=power), power,
                             tuple(notes), table)


def unattacked(measures: Sequence[Measured], thresholds: Mapping | None = None,
               warnings: Sequence[str] = ()) -> PrivacyEvaluation:
    """Fidelity and utility alone: every row about persons is "not measured"."""
    nothing = PrivacyEvaluation([], release_gate([]), notes=(
        "Nothing about persons was measured: the attacks were switched off.",))
    return nothing.gated(measures, thresholds, warnings)


class _Rows:
    """Rows that were measured, and why others were not."""

    def __init__(self, n: int):
        self.n, self.rows, self.notes = n, [], []
        self._lost: dict[str, list[str]] = {}

    def lose(self, names: Sequence[str], why: str, rows: bool = True) -> None:
        """Notes the reason; `rows`: also stands the measures in the table, without values."""
        why = why[:1].upper() + why[1:].rstrip(".") + "."
        self._lost.setdefault(why, []).extend(names)
        if rows:
            self.rows += [Measured(name, np.nan, n=self.n) for name in names]

    def attempt(self, names: Sequence[str], function) -> None:
        """Adds the rows that a function gives, or notes why it cannot."""
        try:
            self.rows += function()
        except InputError as error:
            self.lose(names, error.one_line)

    def all_notes(self) -> list[str]:
        return [*self.notes, *(f"Not measured: {', '.join(names)}. {why}"
                               for why, names in self._lost.items())]


def _copies(found: _Rows, data: AttackData, reference: CopyReference, s: AttackSettings):
    """Adds the rows of the copy test; (copies found, planted)."""
    other, planted = data.non_members, (0, 0)
    if other is None:
        found.lose(("near-matches", *_CLOSEST), NO_HOLDOUT)
    elif len(np.unique(other.subjects)) < 2 or len(other) < 1 / FPR:
        found.lose(("near-matches", *_CLOSEST), "too few holdout persons or strips")
        other = None

    def rows():
        nonlocal planted
        test = copies.fit_copy_test(reference, other, FPR, seed=s.seed, progress=s.progress)
        score = reference.nearest(data.synthetic, s.progress).score
        planted = _plant(reference, test, s.seed)
        made = copies.copy_measures(score, test)
        if not np.isfinite(test.copy):
            found.lose(("copies",), f"Fewer than {1 / FPR:.0f} training strips can be compared "
                       "with the others.", rows=False)
        return made if other is not None else made[:1]

    found.attempt(("copies",) if other is None else ("copies", "near-matches"), rows)
    if other is not None:
        near, far = (thin(side, 10 * len(np.unique(side.subjects)))
                     for side in (data.members, other))
        found.attempt(_CLOSEST, lambda: copies.closest_record_measures(
            data.synthetic[:100], near, far, seed=s.seed))
    return planted


def _plant(reference: CopyReference, test: copies.CopyTest, seed: int) -> tuple[int, int]:
    """(found, planted) copies of the hardest promised kind."""
    if reference.strips.shape[1] < reference.length + 2 * int(SHIFT_S * reference.fs):
        return 0, 0
    rows = np.random.default_rng(seed).permutation(len(reference.strips))[:_PLANTED]
    made = copies.plant_copies(reference.strips[rows], reference.fs,
                               reference.length / reference.fs, seed)["all of these"]
    score = reference.nearest(made).score
    threshold = test.copy if np.isnan(test.near_match) else test.near_match
    return int((score > threshold).sum()), len(score)


def _identification(found: _Rows, data: AttackData, sides, s: AttackSettings) -> AttackData:
    """Adds the rows of re-identification; the data with the network, if there is one."""
    percent = f"{100 * FPR:g} % FAR"
    names = [f"re-identification at {percent}", f"members' probe strips at {percent}"]
    try:
        data = with_identifier(data, s.seed, s.cache)
    except InputError as error:
        found.lose(["identification rank-1", *names], error.one_line)
        return data
    known = data.identifier
    members = int(np.isin(data.member_names, known.persons).sum())
    if members < len(data.member_names):
        found.notes.append(f"{len(data.member_names) - members} of {len(data.member_names)} "
                           "members have no enrolment strips and cannot be recognized.")
    train, holdout = sides
    if holdout is None or data.non_members is None:
        found.rows.append(validity(known))
        found.lose(names, NO_HOLDOUT)
        return data
    others = len(known.persons) - members
    if left := [str(size) for size in GALLERIES if size > others + 1]:
        found.notes.append(f"Galleries of {', '.join(left)} need more than the {others} known "
                           "persons beside the members.")
    second = None
    if known.valid:
        second = swapped_roles(data.synthetic, train, holdout, s.max_strips, s.seed, s.cache)
    else:
        found.notes.append(f"Re-identification is void: the network names {known.rank1:.1%} of "
                           f"probe strips rightly, {REQUIRED:.0%} are required.")
    try:
        found.rows += reidentification(data, [size for size in GALLERIES if size <= others + 1],
                                       FPR, s.seed, second)
    except InputError as error:
        found.rows.append(validity(known))
        found.lose(names, error.one_line)
    return data


def _power(rows: Sequence[Measured], planted: tuple[int, int], data: AttackData) -> str:
    parts = []
    if planted[1]:
        parts.append(f"{planted[0]} of {planted[1]} planted copies (shifted, other gain, up to 5 % "
                     "faster or slower) found")
    parts += [f"{row.value:.0%} of the members' own probe strips recognized at {FPR:.0%} false "
              "accepts" for row in rows
              if row.name.startswith("members' probe strips") and np.isfinite(row.value)]
    shows = [row.baseline_high for row in rows
             if row.name.startswith("membership AUC,") and np.isfinite(row.baseline_high)]
    if shows:
        others = len(np.unique(data.candidates.subjects)) - len(np.unique(data.members.subjects))
        parts.append(f"membership seen from an AUC of {min(shows):.2f} to {max(shows):.2f} on, by "
                     f"attacker, with {len(data.member_names)} members and {others} non-members")
    return "; ".join(parts)
