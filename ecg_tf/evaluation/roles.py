"""Who plays which part when a synthetic set is attacked: members, known others, strangers.

Members are the persons the generator was trained on. The holdout persons are halved by the seed:
the identification network learns one half beside the members (so that an intruder treats both
alike), the other half it never sees: these strangers set the threshold of false alarms.
"""

from dataclasses import dataclass

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.embedding import early_and_late
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows

GAP_S = 30.0  # s between what is learned of a record and what is asked


@dataclass(frozen=True)
class Roles:
    """Strips by part, each set of at most `max_strips`, spread evenly over its persons.

    Args:
        members: names of the training persons.
        known: names of the half of the holdout that the identification network learns.
        strangers: names of the other half.
        member: strips of the members.
        other: strips of known others and strangers together; None without a holdout.
        strange: strips of the strangers alone, as many as there are up to the limit; None too.
        early: what the identification network learns: first part of the records of members and
            known others.
        late: what it is asked: their later part.
    """

    members: np.ndarray
    known: np.ndarray
    strangers: np.ndarray
    member: Windows
    other: Windows | None
    strange: Windows | None
    early: Windows
    late: Windows


def assign_roles(train: Windows, holdout: Windows | None, max_strips: int = 1000, seed: int = 0,
         swap: bool = False) -> Roles:
    """Deals the parts.

    Args:
        train: strips of the persons the generator was trained on.
        holdout: strips of other persons of the same population, or None.
        max_strips: of each set, default 1000.
        seed: int, of the halves.
        swap: exchange known others and strangers, for a second identification network whose
            strangers are the other half. Default False.

    Returns:
        Roles; sets may be empty where there are too few persons or records are too short.

    Raises:
        InputError: persons on both sides.
    """
    members, others = np.unique(train.subjects), np.zeros(0, train.subjects.dtype)
    if holdout is not None and len(holdout):
        others = np.random.default_rng(seed).permutation(np.unique(holdout.subjects))
        if (both := np.intersect1d(members, others)).size:
            raise InputError("Persons are in training and holdout.", expected="disjoint subjects",
                             got=", ".join(map(str, both[:5])),
                             fix="split by subject, not by window")
    strangers, known = np.split(others, [(len(others) + 1) // 2])
    if swap:
        strangers, known = known, strangers
    parts = [train]
    if holdout is not None and len(known):
        parts.append(holdout.take(np.isin(holdout.subjects, known)))
    learned = Windows.concatenate(parts)
    early, late = in_time(learned)
    early, late = (thin(learned.take(part), 2 * max_strips) for part in (early, late))
    other = strange = None
    if holdout is not None and len(others):
        other = thin(holdout, max_strips)
        strange = thin(holdout.take(np.isin(holdout.subjects, strangers)), max_strips)
    return Roles(members, known, strangers, thin(train, max_strips), other, strange, early, late)


def in_time(windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool of the early and of the late strips of each person.

    A record is parted at 60 % of its length, with a gap of 30 s, less in short records. A person
    whose records are too short for that gives the first half of them, by name, and keeps the rest.
    """
    span = [np.ptp(windows.starts[windows.records == one]) / windows.fs
            for one in np.unique(windows.records)]
    early, late = early_and_late(windows, gap_s=min(GAP_S, 0.1 * float(np.median(span))))
    for person in np.unique(windows.subjects):
        mine = np.flatnonzero(windows.subjects == person)
        records = sorted(np.unique(windows.records[mine]), key=lambda name: (len(name), name))
        if late[mine].any() and early[mine].any() or len(records) < 2:
            continue
        first = np.isin(windows.records[mine], records[:(len(records) + 1) // 2])
        early[mine], late[mine] = first, ~first
    # Whoever was not seen early cannot be known later.
    return early, late & np.isin(windows.subjects, windows.subjects[early])


def stretched(windows: Windows, extra: int) -> np.ndarray:
    """Strips that go on into what follows them in their record, so that copies begun anywhere fit.

    Strips cut one behind the other hide a copy that lies half in one and half in the next.

    Args:
        windows: strips of one length.
        extra: samples to add, at most the length of a strip.

    Returns:
        (n, time + extra, lead) float32: with the samples behind a strip, or, at the end of a
        stretch, with those before it; a strip without any neighbour holds its last value.
    """
    length = windows.signals.shape[1]
    out = np.concatenate([windows.signals, np.repeat(windows.signals[:, -1:], extra, 1)], 1)
    for record in np.unique(windows.records):
        mine = np.flatnonzero(windows.records == record)
        mine = mine[np.argsort(windows.starts[mine], kind="stable")]
        start = windows.starts[mine]
        after = np.searchsorted(start, start + length, "right") - 1
        before = np.searchsorted(start, start - length, "left")
        for row, (begin, far, near) in enumerate(zip(start, after, before, strict=True)):
            ahead = begin + length - start[far]
            back = begin - start[near]
            if far > row and ahead + extra <= length:
                out[mine[row], length:] = windows.signals[mine[far], ahead:ahead + extra]
            elif near < row and back >= extra and back <= length:
                out[mine[row], extra:] = windows.signals[mine[row]]
                out[mine[row], :extra] = windows.signals[mine[near], back - extra:back]
    return out


def has_neighbours(windows: Windows) -> bool:
    """Whether most strips are followed by another of the same record, with no gap between."""
    order = np.lexsort((windows.starts, windows.records))
    step = np.diff(windows.starts[order])
    same = windows.records[order][1:] == windows.records[order][:-1]
    near = same & (step > 0) & (step <= windows.signals.shape[1])
    return bool(near.mean() > 0.5) if len(near) else False


def places(windows: Windows) -> np.ndarray:
    """(n,) whole numbers, one apart for strips in a row, ten or more for those of two records.

    Stretched strips overlap with their neighbours: with `apart=1` these are not compared.
    """
    order = np.lexsort((windows.starts, windows.records))
    new = np.r_[False, windows.records[order][1:] != windows.records[order][:-1]]
    out = np.empty(len(order), int)
    out[order] = np.arange(len(order)) + 10 * np.cumsum(new)
    return out
