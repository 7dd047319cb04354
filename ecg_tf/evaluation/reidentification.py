"""Can persons be recognized in a synthetic set by a network that knows them?

A closed-set network always names a person. So nothing here counts bare hits: strips of impostors,
whom the network never saw, set the threshold, and what they pass by chance is the null.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.attack_data import AttackData, attack_data
from ecg_tf.evaluation.attacks import auc_row
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.embedding import REQUIRED, Identifier, train_identifier
from ecg_tf.evaluation.person_statistics import PersonAUC, joint_excess, mean_interval, upper
from ecg_tf.signals.windows import Windows

GALLERIES = (10, 45, 89)


def with_identifier(data: AttackData, seed: int = 0, cache: bool = True, **settings) -> AttackData:
    """The same data with an identification network trained on its enrolment strips.

    Args:
        seed, cache, settings: of `train_identifier`.

    Raises:
        InputError: no person has both enrolment and probe strips, or those of `train_identifier`.
    """
    if not len(data.probe):
        raise InputError("No person has later strips that the network could be tested on: records "
                         "are too short, and only one a person.")
    return replace(data, identifier=train_identifier(data.enrolment, data.probe, seed=seed,
                                                     cache=cache, **settings))


def swapped_roles(synthetic, train: Windows, holdout: Windows, max_strips: int, seed: int = 0,
                  cache: bool = True) -> AttackData | None:
    """A second attacker, whose impostors are the first one's known non-members.

    With both, all holdout persons are impostors once. Arguments as given to `attack_data` for the
    first one; None where persons or strips are too few, or its network is not valid.
    """
    data = attack_data(synthetic, train, holdout, max_strips, seed, swap=True)
    if len(np.unique(data.impostors.subjects)) < 2:
        return None
    try:
        data = with_identifier(data, seed, cache)
    except InputError:
        return None
    return data if data.identifier is not None and data.identifier.valid else None


def reidentification(data: AttackData, galleries: Sequence[int] = GALLERIES, fpr: float = 0.01,
                     seed: int = 0, second: AttackData | None = None) -> list[Measured]:
    """All re-identification measures; void (NaN) where the network does not know its persons.

    Args:
        data: AttackData with an identifier and impostors.
        galleries: sizes for singling out, default (10, 45, 89).
        fpr: false accept rate of an impostor's strip, default 0.01.
        second: data of a second network with other impostors, see `swapped_roles`; the first two
            measures are then means over both, and their null is over the impostors of both.

    Returns:
        list of Measured: "identification rank-1": the network's validity, baseline: what is
        required; "re-identification at 1 % FAR": share of synthetic strips accepted as a member
        (baseline: impostors left out of the threshold; interval and one-sided p-value are over
        impostors, and allow for one more who would be wholly accepted: with 13 impostors an excess
        shows from about 0.25 on, with 100 from about 0.04; a second network doubles them);
        "members' probe strips at 1 % FAR": the power of the test; "similarity to members": mean,
        baseline: that of impostors; "maximum share per subject": share of the set accepted as the
        member most often found, baseline: the same of impostors; "singling-out rate, gallery of g":
        one member among g known persons is found by likeness to the synthetic set; baseline 1 / g.
        NaN where there are too few known persons; "membership AUC of persons, identifier": the same
        likeness, all known persons; "membership AUC of persons, adapted identifier": by how much
        templates retrained on the synthetic set fit a person's probe strips better; blind to copies
        of the enrolment strips, which the templates hold already.

    Raises:
        InputError: members unknown to the identifier, impostors it knows, too few impostors.
    """
    known, n = data.identifier, len(data.synthetic)
    _check(known, data)
    if second is not None and len(second.impostors) < 1 / fpr:
        second = None
    is_member = np.isin(known.persons, data.member_names)
    percent = f"{100 * fpr:g} % FAR"
    attackers = [data] if second is None else [data, second]
    folds = [_accepted(part) for part in attackers]
    power = [np.mean(probe.max(1) > upper(chance.max(1), fpr)) if len(probe) else np.nan
             for _, probe, chance in folds]
    found = joint_excess([(fake.max(1), chance.max(1), part.impostors.subjects) for
                          (fake, _, chance), part in zip(folds, attackers, strict=True)],
                         fpr, seed=seed, doubt=True)
    fake, probe, chance = folds[0]
    threshold = upper(chance.max(1), fpr)
    low, high = mean_interval(fake.max(1), np.arange(n), seed)
    vectors = known.embed(data.synthetic, data.fs)
    rows = [
        Measured(f"re-identification at {percent}", unit="share", n=n, **found),
        Measured(f"members' probe strips at {percent}", float(np.mean(power)), found["baseline"],
                 unit="share", better="high", n=len(probe)),
        Measured("similarity to members", float(fake.max(1).mean()), float(chance.max(1).mean()),
                 low, high, unit="cosine", n=n),
        Measured("maximum share per subject", _largest_share(fake, threshold),
                 _largest_share(chance, threshold), unit="share", n=n),
        *_singled_out(vectors @ known.templates.T, is_member, galleries, n, seed),
        _person_auc("adapted identifier", _adapted(data, vectors), is_member, n, seed),
    ]
    return [validity(known), *(rows if known.valid else map(void, rows))]


def validity(known: Identifier) -> Measured:
    """The row "identification rank-1"."""
    return Measured("identification rank-1", known.rank1, REQUIRED, known.rank1_low,
                    known.rank1_high, unit="share", better="high", n=known.n)


def void(measured: Measured) -> Measured:
    """The same row without values: an invalid network proves nothing."""
    blank: dict = dict.fromkeys(("value", "baseline", "low", "high", "p_value", "baseline_low",
                                 "baseline_high"), np.nan)
    return replace(measured, **blank)


def _accepted(data: AttackData) -> list[np.ndarray]:
    """(strip, member) likeness of the synthetic strips, the members' probes, the impostors."""
    known = data.identifier
    is_member = np.isin(known.persons, data.member_names)
    probe = data.probe.signals[np.isin(data.probe.subjects, data.member_names)]
    return [known.likeness(strips, data.fs)[:, is_member] if len(strips) else
            np.zeros((0, is_member.sum())) for strips in (data.synthetic, probe,
                                                          data.impostors.signals)]


def _check(known: Identifier, data: AttackData) -> None:
    unknown = np.setdiff1d(data.probe.subjects, known.persons)
    seen = np.intersect1d(data.impostors.subjects, known.persons)
    members = np.isin(data.member_names, known.persons).sum()
    if len(unknown) or len(seen) or not members:
        raise InputError("The identification network knows the wrong persons.",
                         expected="members, all persons of the probes, and no impostor",
                         got=f"unknown {unknown[:3].tolist()}, known impostors "
                             f"{seen[:3].tolist()}, {members} members",
                         fix="train the identifier on the enrolment strips only")


def _largest_share(likeness, threshold) -> float:
    accepted = likeness.argmax(1)[likeness.max(1) > threshold]
    return float(np.bincount(accepted, minlength=1).max() / len(likeness)) if len(likeness) \
        else np.nan


def _adapted(data: AttackData, vectors) -> np.ndarray:
    """(person,) do templates retrained on the synthetic set fit a person's probes better?

    Every known person's template is moved to the ten most alike of the synthetic strips that are
    named as that person. What is recognized in the other half of the synthetic set would prove
    nothing, since a new person in both halves is recognized too; so real probes decide.
    """
    templates = data.identifier.templates
    likeness, gain = vectors @ templates.T, np.full(len(templates), np.nan)
    probes = data.identifier.embed(data.probe.signals, data.fs)
    for i, name in enumerate(data.identifier.persons):
        named = np.flatnonzero(likeness.argmax(1) == i)
        nearest = named[np.argsort(-likeness[named, i])[:10]]
        moved = templates[i] + (vectors[nearest].mean(0) if len(nearest) else 0)
        moved = moved / max(np.linalg.norm(moved), 1e-9)
        mine = probes[data.probe.subjects == name]
        if len(mine):
            gain[i] = (mine @ (moved - templates[i])).mean()
    return gain


def _singled_out(likeness, is_member, galleries, n, seed, resamples=2000) -> list[Measured]:
    """Each known person's likeness to the set: the mean of its ten best synthetic strips."""
    score = np.sort(likeness, axis=0)[-10:].mean(0)
    members, others = score[is_member], score[~is_member]
    rng, rows = np.random.default_rng(seed), []
    for size in galleries:
        name = f"singling-out rate, gallery of {size}"
        if len(others) < size - 1:
            rows.append(Measured(name, np.nan, 1 / size, unit="share", n=n))
            continue
        picked = rng.integers(len(members), size=resamples)
        right = np.array([np.mean(members[who] > rng.permutation(others)[:size - 1].max())
                          for who in picked])
        rows.append(Measured(name, float(right.mean()), 1 / size,
                             *mean_interval(right, picked, seed), unit="share", n=n))
    return [*rows, _person_auc("identifier", score, is_member, n, seed)]


def _person_auc(attacker, score, is_member, n, seed) -> Measured:
    name = f"membership AUC of persons, {attacker}"
    sides = [score[np.isfinite(score) & side] for side in (is_member, ~is_member)]
    if min(map(len, sides)) < 2:
        return Measured(name, np.nan, 0.5, n=n)
    persons = np.arange(sum(map(len, sides)))
    first = len(sides[0])
    return auc_row(name, PersonAUC(sides[0], persons[:first], sides[1], persons[first:]), n,
                   seed=seed)
