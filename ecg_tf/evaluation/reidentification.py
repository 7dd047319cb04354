"""Can persons be recognized in a synthetic set by a network that knows them?

A closed-set network always names somebody. So nothing here counts bare hits: strips of persons the
network never saw set the threshold, and what they pass by chance is the null.
"""

from dataclasses import dataclass, replace

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.embedding import Identifier, train_identifier
from ecg_tf.evaluation.person_statistics import PersonAUC, joint_excess, upper
from ecg_tf.evaluation.roles import assign_roles
from ecg_tf.signals.windows import Windows

GALLERIES = (10, 45, 89)


@dataclass(frozen=True)
class Twin:
    """A second network that knows the first one's strangers, and not its known others.

    Args:
        identifier: `Identifier` of the members and of the first one's strangers.
        strange: strips of the first one's known others, strangers to this one.
    """

    identifier: Identifier
    strange: Windows


def train_twin(train: Windows, holdout: Windows, max_strips: int, seed: int = 0,
               alarm: float = 0.01, cache: bool = True) -> Twin | None:
    """Trains the second network of `reidentification`, so that all holdout persons are strangers.

    Args:
        train, holdout, max_strips, seed: as given to `roles.cast` for the first one.
        alarm: rate of false alarms that its strangers have to set. Default 0.01.
        cache: as in `train_identifier`.

    Returns:
        Twin, or None where persons or strips are too few for one, or it does not know its persons.
    """
    roles = assign_roles(train, holdout, max_strips, seed, swap=True)
    strange = roles.strange
    if strange is None or len(roles.strangers) < 2 or len(strange) < 1 / alarm \
            or not len(roles.late):
        return None
    try:
        known = train_identifier(roles.early.signals, roles.early.subjects, roles.late.signals,
                                 roles.late.subjects, train.fs, seed=seed, cache=cache)
    except InputError:
        return None
    return Twin(known, strange) if known.valid else None


def reidentification(identifier: Identifier, members, synthetic, later, later_subjects, strangers,
                     stranger_subjects, fs: float, galleries=GALLERIES, alarm: float = 0.01,
                     seed: int = 0, twin: Twin | None = None) -> list[Measured]:
    """All re-identification measures; void (NaN) where the network does not know its persons.

    Args:
        identifier: trained on early strips of the members, and of some other persons, so that
            intruders treat both alike.
        members: names of the persons the generator was trained on, all known to the identifier.
        synthetic: (n, time, lead) mV.
        later: (m, time, lead) mV, later strips of known persons, members or not.
        later_subjects: (m,).
        strangers: (k, time, lead) mV of persons neither the identifier nor the generator saw.
        stranger_subjects: (k,).
        fs: Hz.
        galleries: sizes of the intruders' galleries, default (10, 45, 89).
        alarm: false alarms of a stranger's strip, default 0.01.
        seed: int.
        twin: second network with other strangers, see `train_twin`; the first two measures are
            then means over both, and their null is over the strangers of both. Default None.

    Returns:
        list of Measured:
        "identification rank-1": the network's validity, baseline: what is required;
        "re-identification at 1 % FAR": share of synthetic strips taken for a member (baseline:
        strangers left out of the threshold; its interval and the one-sided p-value are over
        strangers, and allow for one more who would be wholly taken for a member: with 13 strangers
        an excess shows from about 0.25 on, with 100 from about 0.04; a twin doubles them);
        "members' later strips at 1 % FAR": the power of the test;
        "similarity to members": mean, baseline: that of strangers;
        "pile-up on one person": share of the set taken for the one person most often found,
        baseline: the same of strangers;
        "intruder success, gallery of g": one member among g known persons is picked by likeness to
        the synthetic set; baseline 1 / g. NaN where there are too few known persons;
        "membership AUC of persons, identifier": the same likeness, all known persons;
        "membership AUC of persons, adapted identifier": by how much templates retrained on the
        synthetic set fit a person's later strips better; blind to copies of the early strips,
        which the templates hold already.

    Raises:
        InputError: members unknown to the identifier, strangers it knows, too few strangers.

    Example:
        >>> rows = reidentification(known, split["train"], synthetic, later, later_subjects,
        ...                         strangers, stranger_subjects, fs=128)
    """
    later, later_subjects = np.asarray(later), np.asarray(later_subjects)
    _check(identifier, members, later_subjects, stranger_subjects)
    n, percent = len(synthetic), f"{100 * alarm:g} % FAR"
    validity = Measured("identification rank-1", identifier.rank1, identifier.required,
                        identifier.rank1_low, identifier.rank1_high, unit="share", better="high",
                        n=identifier.n)
    inside = np.isin(identifier.persons, list(members))
    templates = identifier.templates[inside]
    own = np.isin(later_subjects, list(members))
    fake, real, others = (identifier.embed(one, fs) for one in (synthetic, later, strangers))
    likeness, known, chance = (one @ templates.T for one in (fake, real[own], others))
    threshold = upper(chance.max(1), alarm)
    folds, power = [(likeness.max(1), chance.max(1), stranger_subjects)], []
    power.append(np.mean(known.max(1) > threshold) if own.any() else np.nan)
    if twin is not None:
        again = _likeness(twin.identifier, members, synthetic, later[own], twin.strange.signals,
                          fs=fs)
        folds.append((again[0], again[2], twin.strange.subjects))
        power.append(np.mean(again[1] > upper(again[2], alarm)) if own.any() else np.nan)
    found = joint_excess(folds, alarm, seed=seed, doubt=True)
    low, high = _mean_interval(likeness.max(1), seed)
    rows = [
        Measured(f"re-identification at {percent}", unit="share", n=n, **found),
        Measured(f"members' later strips at {percent}",
                 float(np.mean(power)), found["baseline"], unit="share", better="high",
                 n=int(own.sum())),
        Measured("similarity to members", float(likeness.max(1).mean()),
                 float(chance.max(1).mean()), low, high, unit="cosine", n=n),
        Measured("pile-up on one person", _pile(likeness, threshold), _pile(chance, threshold),
                 unit="share", n=n),
    ]
    rows += _intruders(fake @ identifier.templates.T, inside, galleries, n, seed)
    rows.append(_adapted(identifier, fake, real, later_subjects, inside, n, seed))
    if not identifier.valid:
        rows = [void(row) for row in rows]
    return [validity, *rows]


def void(measured: Measured) -> Measured:
    """The same row without values: what a network that knows nobody says proves nothing."""
    blank: dict = dict.fromkeys(("value", "baseline", "low", "high", "p_value", "baseline_low",
                                 "baseline_high"), np.nan)
    return replace(measured, **blank)


def _likeness(identifier, members, *sets, fs):
    """Of each set's strips to the member they are most like: one (n,) a set."""
    templates = identifier.templates[np.isin(identifier.persons, list(members))]
    return [(identifier.embed(one, fs) @ templates.T).max(1) if len(one) else np.zeros(0)
            for one in sets]


def _check(identifier, members, later_subjects, stranger_subjects):
    unknown = np.setdiff1d([*members, *np.unique(later_subjects)], identifier.persons)
    seen = np.intersect1d(stranger_subjects, identifier.persons)
    if len(unknown) or len(seen) or not len(members):
        raise InputError("The identification network knows the wrong persons.",
                         expected="all members and later persons, and no stranger",
                         got=f"unknown {unknown[:3].tolist()}, known strangers "
                             f"{seen[:3].tolist()}, {len(members)} members",
                         fix="train the identifier on the members and some others only")


def _adapted(identifier, fake, vectors, subjects, inside, n, seed):
    """Templates retrained on the synthetic set: do they fit the later strips of members better?

    Every known person's template is moved to the ten most alike of the synthetic strips that are
    named as that person. What is recognized in the other half of the synthetic set would prove
    nothing, since a new person in both halves is recognized too; real later strips are the judge.
    """
    templates = identifier.templates
    likeness, gain = fake @ templates.T, np.full(len(templates), np.nan)
    for person, name in enumerate(identifier.persons):
        named = np.flatnonzero(likeness.argmax(1) == person)
        nearest = named[np.argsort(-likeness[named, person])[:10]]
        moved = templates[person] + (fake[nearest].mean(0) if len(nearest) else 0)
        moved = moved / max(np.linalg.norm(moved), 1e-9)
        mine = vectors[subjects == name]
        if len(mine):
            gain[person] = (mine @ (moved - templates[person])).mean()
    there = np.isfinite(gain)
    return _person_auc("adapted identifier", gain[there & inside], gain[there & ~inside], n, seed)


def _pile(likeness, threshold):
    named = likeness.argmax(1)[likeness.max(1) > threshold]
    return float(np.bincount(named, minlength=1).max() / len(likeness)) if len(likeness) else np.nan


def _intruders(likeness, inside, galleries, n, seed, draws=2000):
    """Each known person's likeness to the set: the mean of its ten best synthetic strips."""
    top = min(10, len(likeness))
    score = np.sort(likeness, axis=0)[-top:].mean(0)
    members, others = score[inside], score[~inside]
    rng, rows = np.random.default_rng(seed), []
    for size in galleries:
        name = f"intruder success, gallery of {size}"
        if len(others) < size - 1:
            rows.append(Measured(name, np.nan, 1 / size, unit="share", n=n))
            continue
        right = np.empty(draws)
        picked = rng.integers(len(members), size=draws)
        for draw in range(draws):
            rivals = rng.permutation(others)[:size - 1]
            right[draw] = np.mean(members[picked[draw]] > rivals.max())
        low, high = _member_interval(right, picked, len(members), seed)
        rows.append(Measured(name, float(right.mean()), 1 / size, low, high, unit="share", n=n))
    return [*rows, _person_auc("identifier", members, others, n, seed)]


def _person_auc(attacker, members, others, n, seed):
    name = f"membership AUC of persons, {attacker}"
    if min(len(members), len(others)) < 2:
        return Measured(name, np.nan, 0.5, n=n)
    who = np.arange(len(members) + len(others))
    auc = PersonAUC(members, who[:len(members)], others, who[len(members):])
    (low, high), null = auc.interval(seed=seed), auc.null(seed=seed)
    bottom = np.quantile(null, [0.025, 0.975])
    return Measured(name, auc.value(), 0.5, low, high, n=n,
                    p_value=float((1 + (null >= auc.value()).sum()) / (1 + len(null))),
                    baseline_low=float(bottom[0]), baseline_high=float(bottom[1]))


def _member_interval(right, picked, members, seed, draws=500):
    hits, total = np.bincount(picked, right, members), np.bincount(picked, minlength=members)
    drawn = np.random.default_rng(seed).integers(members, size=(draws, members))
    share = hits[drawn].sum(1) / np.maximum(total[drawn].sum(1), 1)
    return tuple(map(float, np.quantile(share, [0.025, 0.975])))


def _mean_interval(values, seed, draws=500):
    drawn = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    return tuple(map(float, np.quantile(values[drawn].mean(1), [0.025, 0.975])))
