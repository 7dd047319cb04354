"""Attacks on a synthetic set: one registry, one loop, one null.

An attack is a function `scores(data) -> (n,)`, one score for each strip in `data.candidates`:
strips of members, then of non-members. What it gives both alike is no leak; the difference is.
Values, intervals, nulls and p-values are computed here, over persons, for all attacks alike. An
attack must treat both sides alike: an embedding trained on members only knows them already.

Sources: Article 29 Working Party, Opinion 05/2014 (singling out, linkability, inference);
Giomi et al. 2023, arXiv:2211.10459.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.alignment import nearest_beats, nearest_strips
from ecg_tf.evaluation.attack_data import AttackData
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.descriptors import DescriptorScale, block_slices, describe
from ecg_tf.evaluation.gate import PRIVACY
from ecg_tf.evaluation.person_statistics import PersonAUC, member_advantage, true_positives

BLOCK = 512
NEIGHBOURS = 5


class Scores(NamedTuple):
    """Scores of something else than the candidates, such as a discriminator's of images."""

    score: np.ndarray  # (n,) higher says "member"
    subjects: np.ndarray  # (n,) persons
    member: np.ndarray  # (n,) bool


@dataclass(frozen=True)
class Attack:
    """One way to ask who is in a synthetic set.

    Args:
        scores: AttackData -> (n,) of its candidates, or `Scores`. NaN leaves a strip out. An
            InputError says why the attack cannot be made.
        knows: what the attacker knows beside the released set.
        of_membership: True: higher says "member", measured as AUC. False: higher is a greater
            success, measured as mean of members less mean of non-members.
        uses_impostors: members are then compared with the other non-members only.
        unit: of the success. Default "advantage".
    """

    scores: Callable[[AttackData], "np.ndarray | Scores"]
    knows: str = "nothing"
    of_membership: bool = True
    uses_impostors: bool = False
    unit: str = "advantage"

    def row(self, name: str) -> str:
        """Name of the attack's first row; it says that the row is about persons."""
        if self.of_membership:
            return f"membership AUC, {name}"
        return name if name.startswith(PRIVACY) else f"attack, {name}"

    def measures(self, name: str, data: AttackData, fpr: float = 0.01, resamples: int = 1000,
                 seed: int = 0) -> list[Measured]:
        """Rows of this attack; the name stands in them.

        Raises:
            InputError: the attack cannot be made, scores are infinite, or persons too few.
        """
        found = self.scores(data)
        if not isinstance(found, Scores):
            found = Scores(np.asarray(found), data.candidates.subjects, data.is_member)
            kept = ~np.isnan(found.score)
            if self.uses_impostors:
                kept &= data.unused
            found = Scores(*(part[kept] for part in found))
        if self.of_membership:
            return membership(found, name, fpr, resamples, seed)
        return [Measured(self.row(name), unit=self.unit, n=len(found.score), **member_advantage(
            found.score, found.subjects, found.member, resamples, seed))]


def run_attacks(data: AttackData, attacks: Mapping[str, Attack] | None = None, fpr: float = 0.01,
                resamples: int = 1000, seed: int = 0, begin: Callable[[str], None] | None = None
                ) -> tuple[list[Measured], dict[str, str]]:
    """Makes all attacks.

    Args:
        attacks: name -> Attack; default `ATTACKS`.
        fpr: false positive rate of the TPR rows, default 0.01.
        resamples: bootstrap samples and permutations, default 1000.
        begin: called with the name of each attack before it is made. Default None.

    Returns:
        rows, those of membership first; and row -> why it could not be measured (its value is NaN).
    """
    rows: list[Measured] = []
    lost = {}
    attacks = ATTACKS if attacks is None else attacks
    ordered = sorted(attacks.items(), key=lambda item: not item[1].of_membership)
    for name, attack in ordered:
        if begin is not None:
            begin(name)
        try:
            rows += attack.measures(name, data, fpr, resamples, seed)
        except InputError as error:
            row = attack.row(name)
            lost[row] = error.one_line
            rows.append(Measured(row, np.nan, n=len(data.synthetic)))
    return rows, lost


def membership(found: Scores, attacker: str, fpr: float = 0.01, resamples: int = 1000,
               seed: int = 0) -> list[Measured]:
    """Can an attacker's score tell members from non-members?

    Args:
        attacker: name, put behind the measure's.
        fpr: false positive rate of the last measure, default 0.01.

    Returns:
        "membership AUC, <attacker>" of strips; "membership AUC of persons, <attacker>", one mean
        score a person; "membership TPR at 1 % FPR, <attacker>". Baseline: 0.5 or `fpr`, its
        interval: membership permuted over the persons; p-value one-sided. With 20 persons a side
        the interval is about ±0.15 wide, whatever the number of strips.

    Raises:
        InputError: scores that are not finite, one person a side, persons on both sides.
    """
    sides = [(found.score[side], found.subjects[side]) for side in (found.member, ~found.member)]
    auc = PersonAUC(*sides[0], *sides[1])
    name, n = f"membership TPR at {100 * fpr:g} % FPR, {attacker}", len(found.score)
    (member, _), (other, _) = sides
    rng, values = np.random.default_rng(seed), []
    rows_of = [[np.flatnonzero(who == subject) for subject in np.unique(who)] for _, who in sides]
    for _ in range(resamples // 4):
        first, second = (np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
                         for rows in rows_of)
        values.append(true_positives(member[first], other[second], fpr))
    low, high = map(float, np.quantile(values, [0.025, 0.975]))
    return [auc_row(f"membership AUC, {attacker}", auc, n, resamples, seed),
            auc_row(f"membership AUC of persons, {attacker}", auc.of_persons(), n, resamples, seed),
            Measured(name, true_positives(member, other, fpr), fpr, low, high, unit="share", n=n)]


def auc_row(name: str, auc: PersonAUC, n: int, resamples: int = 1000, seed: int = 0) -> Measured:
    """An AUC with its interval, its null of permuted membership, and a one-sided p-value."""
    value, null, (low, high) = auc.value(), auc.null(resamples, seed), auc.interval(resamples, seed)
    baseline_low, baseline_high = map(float, np.quantile(null, [0.025, 0.975]))
    return Measured(name, value, 0.5, low, high, (1 + (null >= value).sum()) / (1 + resamples), n=n,
                    baseline_low=baseline_low, baseline_high=baseline_high)


# The attacks -------------------------------------------------------------------------------------

def descriptors(data: AttackData) -> np.ndarray:
    """Nearness of the nearest synthetic strip, by description."""
    _, queries, known = data.described
    return -_distances(queries, known, 1)[0][:, 0]


def strips(data: AttackData) -> np.ndarray:
    """Copy score of each candidate among the synthetic strips, whatever its shift and gain."""
    return nearest_strips(data.candidates.signals, data.synthetic, data.fs).score


def beats(data: AttackData) -> np.ndarray:
    """Correlation of a candidate's beats with the nearest synthetic beats."""
    return nearest_beats(data.candidates.signals, data.synthetic, data.fs)


def embedding(data: AttackData) -> np.ndarray:
    """Likeness to the nearest synthetic strip, to a network that knows both sides alike."""
    if data.identifier is None or not len(data.known_names):
        raise InputError("There is no identification network, or no known persons beside the "
                         "members.")
    queries, known = (data.identifier.embed(signals, data.fs)
                      for signals in (data.candidates.signals, data.synthetic))
    return (queries @ known.T).max(1)


def adaptive(data: AttackData) -> np.ndarray:
    """How much denser the synthetic set is here than the population: ln(d_public / d_synthetic).

    A linear real-versus-synthetic classifier was tried first and found nothing in exact copies of
    MIT-BIH strips (AUC 0.54): as sets, copies look like the population.
    """
    scale, queries, known = data.described
    public = describe(data.impostors.signals, data.fs, scale)
    near, far = (_distances(queries, other, 1)[0][:, 0] for other in (known, public))
    return np.log(far + 1e-3) - np.log(near + 1e-3)


def linkability(data: AttackData) -> np.ndarray:
    """Can two databases be joined through the synthetic set? 1 where it links a strip.

    One knows a strip by the shape of its beats, the other by rhythm and spectrum. They are linked
    when a synthetic strip is among the nearest five of both.
    """
    _, queries, known = data.described
    part = block_slices(data.synthetic.shape[2])
    shape, rhythm = (_distances(queries[:, block], known[:, block], NEIGHBOURS)[1] for block in
                     (part["mean_beat"], np.r_[part["rhythm"], part["spectrum"]]))
    return (shape[:, :, None] == rhythm[:, None]).any((1, 2)).astype(float)


def singling_out(data: AttackData) -> np.ndarray:
    """Share of synthetic strips that point at a strip's person alone.

    An attacker claims "one person in the population is like this strip" where the nearest person
    is nearer by half than the second nearest. A strip of no real person points at anyone.
    """
    real, subjects = data.candidates.signals, data.candidates.subjects
    scale = DescriptorScale.from_real(real, data.fs)
    queries, known = (describe(signals, data.fs, scale) for signals in (real, data.synthetic))
    persons, person = np.unique(subjects, return_inverse=True)
    distance = np.stack([_distances(known, queries[person == i], 1)[0][:, 0]
                         for i in range(len(persons))], 1)
    nearest, second = np.sort(distance, axis=1)[:, :2].T
    claims = np.bincount(distance.argmin(1)[nearest < 0.5 * second], minlength=len(persons))
    return claims[person] / len(known)


ATTACKS: dict[str, Attack] = {
    "descriptors": Attack(descriptors),
    "strips": Attack(strips),
    "beats": Attack(beats),
    "embedding": Attack(embedding, "enrolment strips", uses_impostors=True),
    "adaptive": Attack(adaptive, "reference persons", uses_impostors=True),
    "linkability": Attack(linkability, "both databases", of_membership=False),
    "singling out": Attack(singling_out, of_membership=False, unit="claims a person"),
}


def attribute_attack(values: Mapping) -> Attack:
    """Does the synthetic set tell more about members' attributes than non-members' strips would?

    The attacker has a person's ECG and reads the attribute off the five nearest synthetic strips:
    their majority (text) or median (numbers). Each synthetic strip is given, in the worst case, the
    attribute of the member who comes nearest. That alone favours members, who come back to
    themselves over any strip: on MIT-BIH by seven to ten years of age. So what counts is the
    gain over as many strips of impostors, treated alike.

    Args:
        values: subject -> text ("" unknown) or number (NaN unknown).

    Returns:
        Attack; its scores are gains in accuracy, or, of numbers, less absolute error.
    """
    text = any(isinstance(value, str) for value in values.values())

    def scores(data: AttackData) -> np.ndarray:
        real, subjects, member = data.candidates.signals, data.candidates.subjects, data.is_member
        truth = np.array([values.get(str(who), "" if text else np.nan) for who in subjects],
                         str if text else float)
        given = data.unused & (truth != "" if text else np.isfinite(truth))
        if any(len(np.unique(subjects[given & side])) < 2 for side in (member, ~member)):
            raise InputError("The attribute is known of fewer than two persons on one side.")
        kinds, code = np.unique(truth[given], return_inverse=True) if text else ((), truth[given])
        inside, scale = member[given], DescriptorScale.from_real(real[given], data.fs)
        queries = describe(real[given], data.fs, scale)
        size = min(len(data.synthetic), len(data.impostors))

        def success(strips):
            rows = np.linspace(0, len(strips) - 1, size).astype(int)
            known = describe(strips[rows], data.fs, scale)
            worst = code[inside][_distances(known, queries[inside], 1)[1][:, 0]]
            votes = worst[_distances(queries, known, NEIGHBOURS)[1]]
            if not text:
                return -np.abs(np.median(votes, axis=1) - code)
            guess = (votes[..., None] == np.arange(len(kinds))).sum(1).argmax(1)
            return (guess == code).astype(float)

        out = np.full(len(real), np.nan)
        out[given] = success(data.synthetic) - success(data.impostors.signals)
        return out

    return Attack(scores, "attributes of members", of_membership=False, uses_impostors=True)


def _distances(x, y, k):
    """(n, k) least distances of rows of x to rows of y, rising, and which rows: block by block."""
    norms, found = (y * y).sum(1), []
    for start in range(0, len(x), BLOCK):
        part = x[start:start + BLOCK]
        squares = (part * part).sum(1)[:, None] + norms - 2 * part @ y.T
        index = np.argsort(squares, axis=1)[:, :k]
        found.append((np.sqrt(np.maximum(np.take_along_axis(squares, index, 1), 0)), index))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))
