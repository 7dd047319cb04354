"""One synthetic set and the real strips that attackers hold beside it.

*Members* are the persons whom the generator was trained on. The holdout persons, its non-members,
are halved by the seed. The identification network learns the *known* half beside the members, so
that it treats both alike. The other half are its *impostors*: they set the false accept rate, and
are the reference persons of attacks that need some.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.descriptors import DescriptorScale, as_strips, describe
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows

SHARE, GAP_S = 0.6, 30.0  # enrolment's share of a record; s between enrolment and probe


@dataclass(frozen=True, eq=False)
class AttackData:
    """What an attack may look at; each set is thinned evenly over its persons.

    Args:
        synthetic: (n, time, lead) mV, strips of the synthetic set.
        members: strips of training persons.
        non_members: strips of all holdout persons; None without a holdout.
        impostors: strips of those holdout persons whom no network learned; empty without.
        enrolment: what an identification network learns: first part of the records of members and
            known non-members.
        probe: what it is tested on: their later part.
        member_names: of the training persons.
        known_names: of the holdout persons whom the network learns.
        identifier: `Identifier`, once it is trained; see `reidentification.with_identifier`.
    """

    synthetic: np.ndarray
    members: Windows
    non_members: Windows | None
    impostors: Windows
    enrolment: Windows
    probe: Windows
    member_names: np.ndarray
    known_names: np.ndarray
    identifier: Any = None

    @property
    def fs(self) -> float:
        return self.members.fs

    @cached_property
    def candidates(self) -> Windows:
        """The strips whose persons are in question, members first.

        Raises:
            InputError: there are no non-members.
        """
        if self.non_members is None:
            raise InputError(NO_HOLDOUT)
        return Windows.concatenate([self.members, self.non_members])

    @property
    def is_member(self) -> np.ndarray:
        """(candidate,) bool."""
        return np.arange(len(self.candidates)) < len(self.members)

    @property
    def unused(self) -> np.ndarray:
        """(candidate,) bool: all but impostors, who cannot be the null of what they helped make."""
        return self.is_member | np.isin(self.candidates.subjects, self.known_names)

    @cached_property
    def described(self) -> tuple[DescriptorScale, np.ndarray, np.ndarray]:
        """Scale of the synthetic set, descriptions of the candidates and of the synthetic set."""
        scale = DescriptorScale.from_real(self.synthetic, self.fs)
        return (scale, describe(self.candidates.signals, self.fs, scale),
                describe(self.synthetic, self.fs, scale))


NO_HOLDOUT = ("there is no holdout: what persons the generator never saw would give, the null, "
              "is unknown")


def attack_data(synthetic, train: Windows, holdout: Windows | None = None, max_strips: int = 1000,
                seed: int = 0, swap: bool = False) -> AttackData:
    """Assigns persons to their roles.

    Args:
        synthetic: (n, time, lead) mV, strips as long as the real ones.
        train: strips of the persons the generator was trained on.
        holdout: strips of other persons of the same population, or None.
        max_strips: of each set, default 1000.
        seed: int, of the halves and of the synthetic strips that are kept.
        swap: exchange known non-members and impostors. Default False.

    Returns:
        AttackData; sets may be empty where persons are too few or records too short.

    Raises:
        InputError: strips of other lengths or leads, missing values, persons on both sides.
    """
    synthetic = _checked(synthetic, train, holdout)
    if len(synthetic) > max_strips:
        kept = np.random.default_rng(seed).choice(len(synthetic), max_strips, replace=False)
        synthetic = synthetic[np.sort(kept)]
    members, others = np.unique(train.subjects), np.zeros(0, train.subjects.dtype)
    if holdout is not None and len(holdout):
        others = np.random.default_rng(seed).permutation(np.unique(holdout.subjects))
        if (both := np.intersect1d(members, others)).size:
            raise InputError("Persons are in training and holdout.", expected="disjoint subjects",
                             got=", ".join(map(str, both[:5])),
                             fix="split by subject, not by window")
    impostors, known = np.split(others, [(len(others) + 1) // 2])
    if swap:
        impostors, known = known, impostors
    learned = train
    if holdout is not None and len(known):
        learned = Windows.concatenate([train, holdout.take(np.isin(holdout.subjects, known))])
    enrolment, probe = (thin(learned.take(part), 2 * max_strips)
                        for part in enrolment_and_probe(learned))
    non_members, strange = None, train.take(slice(0, 0))
    if holdout is not None and len(others):
        non_members = thin(holdout, max_strips)
        strange = thin(holdout.take(np.isin(holdout.subjects, impostors)), max_strips)
    return AttackData(synthetic, thin(train, max_strips), non_members, strange, enrolment, probe,
                      members, known)


def enrolment_and_probe(windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Splits each person's strips in time: (n,) bool of enrolment, and of probe strips.

    A record is split at 60 % of its length, with a gap of 30 s, or a tenth of it where records are
    short. A person whose records are too short for that enrols with the first half of them, by
    name, and is probed with the rest; one short record gives no probe. No person has probes alone.
    """
    enrolment, probe = np.zeros((2, len(windows)), bool)
    own = [np.flatnonzero(windows.records == name) for name in np.unique(windows.records)]
    gap = min(GAP_S * windows.fs, 0.1 * float(np.median([np.ptp(windows.starts[rows])
                                                         for rows in own])))
    for rows in own:
        start, end = windows.starts[rows], windows.starts[rows] + windows.lengths[rows]
        cut = start.min() + SHARE * (end.max() - start.min())
        enrolment[rows], probe[rows] = end <= cut, start >= cut + gap
    for subject in np.unique(windows.subjects):
        rows = np.flatnonzero(windows.subjects == subject)
        records = sorted(np.unique(windows.records[rows]), key=lambda name: (len(name), name))
        if probe[rows].any() and enrolment[rows].any() or len(records) < 2:
            continue
        first = np.isin(windows.records[rows], records[:(len(records) + 1) // 2])
        enrolment[rows], probe[rows] = first, ~first
    return enrolment, probe & np.isin(windows.subjects, windows.subjects[enrolment])


def _checked(synthetic, train: Windows, holdout: Windows | None) -> np.ndarray:
    synthetic = as_strips(synthetic, train.fs, "synthetic strips")
    for name, side in (("training strips", train), ("holdout strips", holdout)):
        if side is None:
            continue
        shape = as_strips(side.signals, side.fs, name).shape[1:]
        if shape != synthetic.shape[1:] or side.fs != train.fs:
            raise InputError(f"The synthetic strips and the {name} differ.",
                             expected=f"(time, lead) {shape} at {side.fs:g} Hz",
                             got=f"{synthetic.shape[1:]} at {train.fs:g} Hz",
                             fix="cut all sets into strips of one length, rate and leads")
    return synthetic
