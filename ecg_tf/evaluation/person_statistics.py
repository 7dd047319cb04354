"""Intervals and p-values of attacks, over persons."""

from typing import Any

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.resampling import bootstrap, percentiles


class PersonAUC:
    """AUC between windows of members and of non-members, resampled by whole persons.

    How often a window of one person scores above a window of another is counted once for each
    pair; every bootstrap and permutation is a sum over that (persons, persons) table.

    Args:
        member: (n,) scores of members' windows; higher says "member".
        member_subjects: (n,).
        other: (m,) scores of non-members' windows.
        other_subjects: (m,).

    Example:
        >>> PersonAUC([0.9, 0.4], ["a", "b"], [0.5, 0.1], ["c", "d"]).value()
        0.75
    """

    def __init__(self, member, member_subjects, other, other_subjects):
        sides = [self._checked(*side) for side in ((member, member_subjects),
                                                   (other, other_subjects))]
        shared = np.intersect1d(sides[0][1], sides[1][1])
        if len(shared):
            raise InputError("Persons are both members and non-members.",
                             expected="disjoint persons", got=", ".join(map(str, shared[:5])),
                             fix="split by subject")
        scores = [score[who == person] for score, who in sides for person in np.unique(who)]
        self.members = len(np.unique(sides[0][1]))
        self.sizes = np.array([len(score) for score in scores], float)
        self.means = np.array([score.mean() for score in scores])
        ordered = [np.sort(score) for score in scores]
        self.above = np.array([[(np.searchsorted(low, high) + np.searchsorted(low, high, "right")
                                 ).sum() / 2 for low in ordered] for high in scores])

    def value(self) -> float:
        """Of windows."""
        return self._auc(*self._sides(np.arange(len(self.sizes))))

    def interval(self, resamples: int = 1000, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval over members and others."""
        k = self.members
        return percentiles(bootstrap(lambda high, low: self._auc(high, k + low),
                                     [k, len(self.sizes) - k], resamples, seed))

    def null(self, resamples: int = 1000, seed: int = 0) -> np.ndarray:
        """(resamples,) AUCs with membership permuted over the persons."""
        rng = np.random.default_rng(seed)
        return np.array([self._auc(*self._sides(rng.permutation(len(self.sizes))))
                         for _ in range(resamples)])

    def of_persons(self) -> "PersonAUC":
        """The same with one score a person, the mean over its windows."""
        names = np.arange(len(self.means))
        k = self.members
        return PersonAUC(self.means[:k], names[:k], self.means[k:], names[k:])

    def _sides(self, order):
        return order[:self.members], order[self.members:]

    def _auc(self, high, low):
        pairs = self.sizes[high].sum() * self.sizes[low].sum()
        return float(self.above[np.ix_(high, low)].sum() / pairs)

    @staticmethod
    def _checked(score, subjects):
        score, subjects = np.asarray(score, float), np.asarray(subjects)
        if score.ndim != 1 or len(score) != len(subjects) or len(np.unique(subjects)) < 2 \
                or not np.isfinite(score).all():
            raise InputError("The scores of an attack cannot be used.",
                             expected="finite (n,) scores with a subject each, two persons a side",
                             got=f"{score.shape} scores, {len(subjects)} subjects, "
                                 f"{len(np.unique(subjects))} persons",
                             fix="give more persons, and one score a window")
        return score, subjects


def true_positives(member, other, fpr: float = 0.01) -> float:
    """True positive rate at a false positive rate of `fpr`; NaN with too few others.

    It is the share of members past the score that a share `fpr` of the others exceeds.
    """
    if len(other) < 1 / fpr:
        return np.nan
    return float(np.mean(np.asarray(member) > upper(other, fpr)))


def upper(score, fpr: float) -> float:
    """The order statistic that at most a share `fpr` of fresh scores exceeds."""
    rank = int(np.ceil((len(score) + 1) * (1 - fpr)))
    return float(np.sort(score)[min(rank, len(score)) - 1])


def excess_over_non_members(synthetic, non_members, non_member_subjects, fpr: float = 0.01,
                            resamples: int = 500, seed: int = 0, doubt: bool = False
                            ) -> dict[str, Any]:
    """Share of synthetic values past a threshold set by non-members, and the chance rate.

    Each non-member is compared with a threshold of the others, which gives the chance rate. Then
    non-members are resampled, for threshold and chance rate together. The p-value is the share of
    samples in which the synthetic set does not exceed the chance rate.

    Args:
        synthetic: (n,) values, higher is worse.
        non_members: (m,) values of strips of non-members.
        non_member_subjects: (m,) two persons or more.
        fpr: false positive rate of the threshold, default 0.01.
        doubt: also resample one more non-member, wholly accepted as a member (rule of succession).
            Few non-members without a double among the members do not show that none has one: on
            MIT-BIH 14 % of the strips of 11 new persons passed a threshold of 8 non-members,
            almost all of one or two persons. Default False.

    Returns:
        dict: value, low, high, baseline, baseline_low, baseline_high, p_value: arguments of
            `Measured`.
    """
    return joint_excess([(synthetic, non_members, non_member_subjects)], fpr, resamples, seed,
                        doubt)


def joint_excess(folds, fpr: float = 0.01, resamples: int = 500, seed: int = 0,
                 doubt: bool = False) -> dict[str, Any]:
    """`excess_over_non_members` of several attackers, each with non-members of its own.

    `folds`: (synthetic, non_members, non_member_subjects) of each attacker; the value is the mean
    of theirs, the chance rate is that of all non-members together.
    """
    attackers, rates = [], []
    for synthetic, non_members, subjects in folds:
        synthetic, non_members = np.asarray(synthetic, float), np.asarray(non_members, float)
        persons, who = np.unique(subjects, return_inverse=True)
        if len(persons) < 2 or len(who) != len(non_members) or len(non_members) < 1 / fpr:
            raise InputError("The non-members are too few to set a threshold.",
                             expected=f"{1 / fpr:.0f} strips or more, of two persons or more",
                             got=f"{len(non_members)} strips of {len(persons)} persons",
                             fix="give more held-out strips, or a larger false positive rate")
        rows = [np.flatnonzero(who == i) for i in range(len(persons))]
        rates.append([np.mean(non_members[mine] > upper(non_members[who != i], fpr))
                      for i, mine in enumerate(rows)])
        attackers.append((synthetic, non_members, rows))
    rate, offset = np.concatenate(rates), np.cumsum([0, *map(len, rates)])
    with_doubt = np.append(rate, 1.0) if doubt else rate

    def excess(*samples):
        value = [np.mean(synthetic > upper(non_members[np.concatenate([rows[i] for i in sample])],
                                           fpr))
                 for (synthetic, non_members, rows), sample
                 in zip(attackers, samples, strict=False)]
        chance = samples[-1] if doubt else np.concatenate(
            [sample + start for sample, start in zip(samples, offset, strict=False)])
        return np.mean(value), with_doubt[chance].mean()

    sizes: list[int | tuple[int, int]] = [*map(len, rates)]
    if doubt:
        sizes.append((len(with_doubt), len(rate)))
    value, chance = bootstrap(excess, sizes, resamples, seed).T
    return {"value": float(np.mean([np.mean(synthetic > upper(non_members, fpr))
                                    for synthetic, non_members, _ in attackers])),
            "baseline": float(rate.mean()),
            **_ends(value, chance),
            "p_value": float((1 + (value <= chance).sum()) / (1 + resamples))}


def member_advantage(success, subjects, member, resamples: int = 1000, seed: int = 0) -> dict:
    """Mean success of members' windows minus that of others'; the null permutes membership.

    Of (n,) success (higher is a better attack), (n,) subjects and (n,) bool: dict value, baseline
    (0), low, high, baseline_low, baseline_high, p_value.
    """
    persons, first, who = np.unique(subjects, return_index=True, return_inverse=True)
    rate = np.bincount(who, success) / np.bincount(who)
    inside = np.asarray(member, bool)[first]
    if inside.all() or not inside.any():
        raise InputError("There are no persons to compare with.", expected="members and others",
                         got=f"{int(inside.sum())} members of {len(persons)} persons",
                         fix="give windows of both")
    rng, members, others = np.random.default_rng(seed), rate[inside], rate[~inside]

    def gap(mask):
        return rate[mask].mean() - rate[~mask].mean()

    null, value = np.array([gap(rng.permutation(inside)) for _ in range(resamples)]), gap(inside)
    values = bootstrap(lambda a, b: members[a].mean() - others[b].mean(),
                       [len(members), len(others)], resamples, rng)
    return {"value": float(value), "baseline": 0.0, **_ends(values, null),
            "p_value": float((1 + (null >= value).sum()) / (1 + resamples))}


def _ends(values, null) -> dict[str, float]:
    ends = (*percentiles(values), *percentiles(null))
    return dict(zip(("low", "high", "baseline_low", "baseline_high"), ends, strict=True))


def mean_interval(values, subjects, seed: int = 0, resamples: int = 500) -> tuple[float, float]:
    """95 % interval of the mean of values (n,), by bootstrap over their subjects (n,)."""
    _, who = np.unique(subjects, return_inverse=True)
    total, count = np.bincount(who, np.asarray(values, float)), np.bincount(who)
    return percentiles(bootstrap(lambda rows: total[rows].sum() / count[rows].sum(), [len(total)],
                                 resamples, seed))
