"""One verdict on a synthetic set: all attacks with their nulls, the gate, and landmarks.

`evaluate_privacy` deals the parts (`roles`), runs what `copies`, `privacy` and `reidentification`
offer, and hands everything to the release gate. Where persons or strips are too few for a measure
it stays in the table without a value, and the notes say why: what was not measured has not passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import copies, privacy
from ecg_tf.evaluation.alignment import nearest_strips
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.descriptors import as_strips
from ecg_tf.evaluation.gate import PRIVACY, Gate, release_gate
from ecg_tf.evaluation.landmarks import COLUMNS, landmark_table
from ecg_tf.evaluation.reidentification import GALLERIES, reidentification, train_twin
from ecg_tf.evaluation.roles import (
    Roles,
    assign_roles,
    has_neighbours,
    places,
    stretched,
)
from ecg_tf.signals.selection import thin, thin_rows
from ecg_tf.signals.windows import Windows

ALARM = 0.01
ATTACKERS = ("descriptors", "strips", "beats", "embedding", "adaptive")
_REFERENCE = 4  # times `max_strips`: training strips among which copies are sought
_PLANTED = 100  # copies planted to see what the copy test finds
_NO_HOLDOUT = ("there is no holdout: what persons the generator never saw would give, the null, "
               "is unknown")


@dataclass(frozen=True)
class Verdict:
    """What all tests say of a synthetic set.

    Args:
        measures: fidelity and use as they were given, then privacy.
        gate: pass or fail, a row each.
        power: what the privacy tests would have found, in words.
        notes: which measures lost their null or were not measured, and why.
        landmarks: `landmarks.landmark_table`; empty where it was not asked for.
    """

    measures: list[Measured]
    gate: Gate
    power: str
    notes: tuple[str, ...]
    landmarks: pd.DataFrame

    @property
    def privacy(self) -> list[Measured]:
        """The measures that `evaluate_privacy` added."""
        return [one for one in self.measures if one.name.startswith(PRIVACY)]


def evaluate_privacy(synthetic, train: Windows, holdout: Windows | None, fs: float, *,
          fidelity: Sequence[Measured] = (), discriminator=None, thresholds: Mapping | None = None,
          utility: Sequence[Measured] = (), landmarks: bool = True, max_strips: int = 1000,
          attributes: Mapping | None = None, seed: int = 0, progress: bool = False,
          cache: bool = True, warnings: Sequence[str] = ()) -> Verdict:
    """Attacks a synthetic set in every way there is here, and judges it by the release gate.

    The holdout persons are halved by the seed (`roles.cast`): the identification network knows one
    half beside the members, the strangers of the other half set its false alarms; a second one with
    the halves exchanged makes strangers of all of them. The embedding
    and the adaptive attacker are compared on the first half alone, since they have used the other;
    all other attackers on all holdout persons.

    Copies are sought among all training strips up to four times `max_strips`, each going on into
    what follows it in its record, under any shift.

    Args:
        synthetic: (n, time, lead) mV, strips as long as the real ones.
        train: strips of the persons the generator was trained on; `cutting.strips`.
        holdout: strips of other persons of the same population; None: most measures then have no
            null and stay without a value.
        fs: Hz.
        fidelity: measures of fidelity for the gate, such as those of `baseline.fidelity_measures`.
        discriminator: white-box attack, (scores of members (n,), their subjects, scores of others
            (m,), their subjects), of windows or images; default None.
        thresholds: of the gate, over its defaults; see `release_gate`.
        utility: measures of use for the gate.
        landmarks: also compute the plane's landmarks. Default True.
        max_strips: of each set, default 1000.
        attributes: name -> {subject: value}, such as {"sex": {"mitdb-100": "male"}}; the attacker
            gives a strip the value of its nearest training strip. Default None.
        seed: int.
        progress: bool. Default False.
        cache: keep the identification network for the next time. Default True.
        warnings: what casts doubt on every row about persons, for the gate's words.

    Returns:
        Verdict.

    Raises:
        InputError: strips of other lengths or leads, missing values, persons on both sides.

    Example:
        >>> verdict = judge(strips, data.strips["train"], data.strips["test"], 128, fidelity=rows)
        >>> verdict.gate.passed, verdict.gate.words
    """
    synthetic = _checked(synthetic, train, holdout, fs)
    rng, notes = np.random.default_rng(seed), []
    if len(synthetic) > max_strips:
        synthetic = synthetic[np.sort(rng.choice(len(synthetic), max_strips, replace=False))]
    roles = assign_roles(train, holdout, max_strips, seed)
    attack = _Attack(synthetic, roles, (train, holdout, max_strips), fs, notes, seed, progress,
                     cache)
    rows, planted = attack.copies(train, _REFERENCE * max_strips)
    identifier, known = attack.identification()
    rows += known + attack.membership(identifier, discriminator) + attack.persons()
    for name, values in (attributes or {}).items():
        rows += attack.attribute(name, values)
    power = _power(rows, planted, roles)
    table = pd.DataFrame(columns=COLUMNS)
    if landmarks:
        table = landmark_table(roles, fs, identifier, seed=seed)
        if not len(table):
            notes.append(f"The plane has no landmarks: {_NO_HOLDOUT}.")
    measures = [*fidelity, *utility, *rows]
    return Verdict(measures, release_gate(measures, thresholds, power, warnings), power,
                   tuple(notes), table)


def unattacked(fidelity: Sequence[Measured], thresholds: Mapping | None = None,
               utility: Sequence[Measured] = (), why: str = "the attacks were switched off",
               warnings: Sequence[str] = ()):
    """A verdict on fidelity and use alone: every row about persons is "not measured"."""
    measures = [*fidelity, *utility]
    return Verdict(measures, release_gate(measures, thresholds, warnings=warnings), "",
                   (f"Nothing about persons was measured: {why}.",), pd.DataFrame(columns=COLUMNS))


class _Attack:
    """The attacks on one set; a measure that cannot be made is void, and a note says why."""

    def __init__(self, synthetic, roles: Roles, sides, fs, notes, seed, progress, cache):
        self.synthetic, self.roles, self.fs, self.notes = synthetic, roles, fs, notes
        self.sides = sides
        self.seed, self.progress, self.cache = seed, progress, cache

    def attempt(self, names, function):
        """What the function gives, or rows without values and a note."""
        try:
            return function()
        except InputError as error:
            return self.void(names, error.one_line)

    def void(self, names, why):
        self.notes.append(f"Not measured: {', '.join(names)}. {why[:1].upper()}{why[1:]}"
                          + "." * (not why.endswith(".")))
        return [Measured(name, np.nan, n=len(self.synthetic)) for name in names]

    def copies(self, train: Windows, most: int):
        """(rows, (copies found, planted))."""
        length, other = self.synthetic.shape[1], self.roles.other
        kept = thin_rows(train, most)
        if len(kept) < len(train):
            self.notes.append(f"Copies were sought among {len(kept):,} of {len(train):,} training "
                              "strips: a copy of another one is not seen.")
        near = has_neighbours(train)
        extra = min(length, max(length // 2, int(3 * self.fs) + 2)) if near else 0
        # Thinned out after stretching: what follows a strip need not be kept itself.
        training = (stretched(train, extra) if near else train.signals)[kept]
        names = ("copies", "lookalikes")
        enough = other is not None and len(np.unique(other.subjects)) > 1 \
            and len(other) >= 1 / ALARM
        if not enough:
            self.void(["lookalikes", "DCR, nearer to training", "NNDR of training"],
                      _NO_HOLDOUT if other is None else "too few holdout persons or strips")
            names = ("copies",)
        planted = 0, 0

        def rows():
            nonlocal planted
            sides = (other.signals, other.subjects) if enough else (None, None)
            test = copies.fit_copy_test(training, *sides, self.fs, ALARM,
                                        own_groups=places(train)[kept], seed=self.seed,
                                        progress=self.progress, length=length, apart=int(near))
            found = nearest_strips(self.synthetic, training, self.fs, progress=self.progress)
            made = copies.copy_measures(self.synthetic, training, test, self.fs, found)
            planted = self._plant(training, length, test)
            if not np.isfinite(test.copy):
                self.notes.append(f"Not measured: copies. Fewer than {1 / ALARM:.0f} training "
                                  "strips can be compared with the others.")
            return made
        made = self.attempt(names, rows)
        if enough:
            made += self.attempt(("DCR, nearer to training", "NNDR of training"), self._closest)
        return made, planted

    def _plant(self, training, length, test):
        kind, rng = "all of these", np.random.default_rng(self.seed)
        some = training[rng.permutation(len(training))[:_PLANTED]]
        if training.shape[1] < length + 2 * int(1.5 * self.fs):
            return 0, 0
        one = copies.plant_copies(some, self.fs, length / self.fs, self.seed)[kind]
        score = nearest_strips(one, training, self.fs).score
        threshold = test.copy if np.isnan(test.person) else test.person
        return int((score > threshold).sum()), len(score)

    def _closest(self):
        few = [thin(side, 10 * len(np.unique(side.subjects)))
               for side in (self.roles.member, self.roles.other)]
        return copies.closest_record_measures(
            self.synthetic[:100], few[0].signals, few[0].subjects, few[1].signals,
            few[1].subjects, self.fs, seed=self.seed)

    def identification(self):
        """(identifier or None, rows)."""
        from ecg_tf.evaluation.embedding import train_identifier

        roles, percent = self.roles, f"{100 * ALARM:g} % FAR"
        names = ["identification rank-1", f"re-identification at {percent}",
                 f"members' later strips at {percent}"]
        if not len(roles.late):
            return None, self.void(names, "no person has later strips that the network could be "
                                   "asked for: records are too short, and only one a person")
        try:
            known = train_identifier(roles.early.signals, roles.early.subjects,
                                     roles.late.signals, roles.late.subjects, self.fs,
                                     seed=self.seed, cache=self.cache)
        except InputError as error:
            return None, self.void(names, error.one_line)
        members = roles.members[np.isin(roles.members, known.persons)]
        if len(members) < len(roles.members):
            self.notes.append(f"{len(roles.members) - len(members)} of {len(roles.members)} "
                              "members have no early strips and cannot be recognized.")
        valid = Measured(names[0], known.rank1, known.required, known.rank1_low,
                         known.rank1_high, unit="share", better="high", n=known.n)
        if roles.strange is None:
            return known, [valid, *self.void(names[1:], _NO_HOLDOUT)]
        if not known.valid:
            self.notes.append(f"Re-identification is void: the network names {known.rank1:.1%} of "
                              f"later real strips rightly, {known.required:.0%} are required.")
        others = len(known.persons) - len(members)
        sizes = [size for size in GALLERIES if size <= others + 1]
        if left := [str(size) for size in GALLERIES if size not in sizes]:
            self.notes.append(f"Galleries of {', '.join(left)} need more than the {others} known "
                              "persons beside the members.")
        twin = train_twin(*self.sides, self.seed, ALARM, self.cache) if known.valid else None
        try:
            return known, reidentification(
                known, members, self.synthetic, roles.late.signals, roles.late.subjects,
                roles.strange.signals, roles.strange.subjects, self.fs, sizes, ALARM, self.seed,
                twin)
        except InputError as error:
            return known, [valid, *self.void(names[1:], error.one_line)]

    def membership(self, identifier, discriminator):
        """Rows of all attackers."""
        roles, rows = self.roles, []
        names = {one: [f"membership AUC, {one}"] for one in (*ATTACKERS, "discriminator")}
        if roles.other is None:
            return self.void(sum(names.values(), []), _NO_HOLDOUT)
        embed = None if identifier is None or not len(roles.known) else (
            lambda strips: identifier.embed(strips, self.fs))
        try:
            sides = privacy.attack_scores(
                roles.member.signals, roles.member.subjects, roles.other.signals,
                roles.other.subjects, self.synthetic, self.fs, roles.strange.signals, embed,
                np.isin(roles.other.subjects, roles.known), self.progress)
        except InputError as error:
            return self.void(sum(names.values(), []), error.one_line)
        if discriminator is not None:
            sides["discriminator"] = discriminator
        for name, row in names.items():
            if name in sides:
                rows += self.attempt(row, lambda name=name: privacy.membership(
                    *sides[name], name, ALARM, seed=self.seed))
            elif name in ATTACKERS:
                rows += self.void(row, "there is no identification network, or no known persons "
                                  "beside the members")
        return rows

    def persons(self):
        """Linkability and singling out."""
        names = ("linkability", "singling out")
        if self.roles.other is None:
            return self.void(names, _NO_HOLDOUT)
        real, subjects, member = self._real()
        return [row for name, measure in zip(names, (privacy.linkability, privacy.singling_out),
                                             strict=True)
                for row in self.attempt([name], lambda measure=measure: [measure(
                    real, subjects, member, self.synthetic, self.fs, seed=self.seed)])]

    def attribute(self, name, values):
        """One attribute, if it is known of persons on both sides."""
        title = f"attribute inference, {name}"
        if self.roles.other is None:
            return self.void([title], _NO_HOLDOUT)
        if not len(self.roles.known):
            return self.void([title], "there are no known persons beside the members and strangers")
        real, subjects, member = self._real()
        kept = member | np.isin(subjects, self.roles.known)  # strangers are the yardstick
        real, subjects, member = real[kept], subjects[kept], member[kept]
        text = any(isinstance(value, str) for value in values.values())
        truth = np.array([values.get(str(who), "" if text else np.nan) for who in subjects],
                         str if text else float)
        given = truth != "" if text else np.isfinite(truth)
        if any(len(np.unique(subjects[given & side])) < 2 for side in (member, ~member)):
            return self.void([title], "it is known of fewer than two persons on one side")
        return self.attempt([title], lambda: [privacy.attribute_inference(
            real, subjects, member, truth, self.synthetic, self.roles.strange.signals, self.fs,
            name, seed=self.seed)])

    def _real(self):
        sides = self.roles.member, self.roles.other
        return (np.concatenate([side.signals for side in sides]),
                np.concatenate([side.subjects for side in sides]),
                np.repeat([True, False], [len(side) for side in sides]))


def _checked(synthetic, train, holdout, fs):
    synthetic = as_strips(synthetic, fs, "synthetic strips")
    for name, side in (("training strips", train), ("holdout strips", holdout)):
        if side is None:
            continue
        shape = as_strips(side.signals, fs, name).shape[1:]
        if shape != synthetic.shape[1:] or side.fs != fs:
            raise InputError(f"The synthetic strips and the {name} differ.",
                             expected=f"(time, lead) {shape} at {side.fs:g} Hz",
                             got=f"{synthetic.shape[1:]} at {fs:g} Hz",
                             fix="cut all sets into strips of one length, rate and leads")
    if len(synthetic) < 10:
        raise InputError("The synthetic strips are too few to be judged.", expected="10 or more",
                         got=len(synthetic), fix="draw more")
    return synthetic


def _power(rows, planted, roles):
    named, parts = {row.name: row for row in rows}, []
    if planted[1]:
        parts.append(f"{planted[0]} of {planted[1]} planted copies (shifted, other gain, up to 5 % "
                     "faster or slower) found")
    later = named.get(f"members' later strips at {100 * ALARM:g} % FAR")
    if later is not None and np.isfinite(later.value):
        parts.append(f"{later.value:.0%} of the members' own later strips recognized at "
                     f"{ALARM:.0%} false alarms")
    shows = [row.baseline_high for name, row in named.items()
             if name.startswith("membership AUC,") and np.isfinite(row.baseline_high)]
    if shows:
        parts.append(f"membership seen from an AUC of {min(shows):.2f} to {max(shows):.2f} on, by "
                     f"attacker, with {len(roles.members)} members and "
                     f"{len(roles.known) + len(roles.strangers)} others")
    return "; ".join(parts)
