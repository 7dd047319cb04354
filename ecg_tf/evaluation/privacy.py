"""Who was in the training set, who can be singled out, linked, or read? Attacks as plain functions.

Every attack is made on members (persons the generator was trained on) and on others of the same
population. What it learns about both alike is no leak; the difference is. Intervals and p-values
are over persons. Attackers must treat both sides alike: an embedding trained on members only knows
them already, without any synthetic set.
"""

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.alignment import nearest_beats, nearest_strips
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.descriptors import DescriptorScale, block_slices, describe
from ecg_tf.evaluation.person_statistics import PersonAUC, member_advantage, true_positives

BLOCK = 512
EvaluationData = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_INFORMED = ("embedding", "adaptive")  # attackers that may have used some of the others before


def membership(member_scores, member_subjects, other_scores, other_subjects, attacker: str,
               alarm: float = 0.01, draws: int = 1000, seed: int = 0) -> list[Measured]:
    """Can an attacker's score tell members from others?

    Args:
        member_scores: (n,) of members' windows; higher says "member". For the white-box attack
            give the discriminator's outputs.
        member_subjects: (n,).
        other_scores: (m,) of windows of persons the generator never saw.
        other_subjects: (m,).
        attacker: name, put behind the measure's.
        alarm: false positive rate of the second measure, default 0.01.
        draws: default 1000.
        seed: int.

    Returns:
        "membership AUC, <attacker>" of windows; "membership AUC of persons, <attacker>", one mean
        score a person; "membership TPR at 1 % FPR, <attacker>". Baseline: 0.5 or `alarm`, its
        interval: membership dealt to the persons anew; p-value one-sided. With 20 persons a side
        the interval is about ±0.15 wide, whatever the number of windows.

    Raises:
        InputError: scores that are not finite, one person a side, persons on both sides.

    Example:
        >>> rows = membership(a, a_subjects, b, b_subjects, "discriminator")
    """
    windows = PersonAUC(member_scores, member_subjects, other_scores, other_subjects)
    rows, n = [], len(member_scores) + len(other_scores)
    for name, auc in (("membership AUC", windows),
                      ("membership AUC of persons", windows.of_persons())):
        value, (low, high), null = auc.value(), auc.interval(draws, seed), auc.null(draws, seed)
        bottom = np.quantile(null, [0.025, 0.975])
        rows.append(Measured(f"{name}, {attacker}", value, 0.5, low, high, n=n,
                             p_value=float((1 + (null >= value).sum()) / (1 + draws)),
                             baseline_low=float(bottom[0]), baseline_high=float(bottom[1])))
    member_scores, other_scores = np.asarray(member_scores), np.asarray(other_scores)
    rng, values = np.random.default_rng(seed), []
    rows_of = [[np.flatnonzero(np.asarray(who) == one) for one in np.unique(who)]
               for who in (member_subjects, other_subjects)]
    for _ in range(draws // 4):
        drawn = [np.concatenate([side[i] for i in rng.integers(len(side), size=len(side))])
                 for side in rows_of]
        values.append(true_positives(member_scores[drawn[0]], other_scores[drawn[1]], alarm))
    low, high = np.quantile(values, [0.025, 0.975])
    return [*rows, Measured(f"membership TPR at {100 * alarm:g} % FPR, {attacker}",
                            true_positives(member_scores, other_scores, alarm), alarm, low, high,
                            unit="share", n=n)]


def attack_scores(
    members,
    member_subjects,
    others,
    other_subjects,
    synthetic,
    fs: float,
    public=None,
    embed=None,
    unused=None,
    progress: bool = False,
) -> dict[str, EvaluationData]:
    """Scores of the attackers that need nothing but the synthetic set: higher says "member".

    Args:
        members: (n, time, lead) mV.
        member_subjects: (n,).
        others: (m, time, lead) mV.
        other_subjects: (m,).
        synthetic: (k, time, lead) mV, as long as the real ones.
        fs: Hz.
        public: (l, time, lead) mV of persons who are members of nothing; lets the adaptive
            attacker set aside what is common in the population. Default None: no such
            attacker.
        embed: function, strips -> (n, d) unit vectors, of a network that knows members and
            `unused` others alike, or neither; default None: no such attacker.
        unused: (m,) bool, the others to whom "embedding" and "adaptive" compare members: none of
            those in `public`, who cannot be the null of what was made with them. Default None, all.
        progress: bool. Default False.

    Returns:
        attacker -> (member scores, their subjects, other scores, their subjects), the first
        arguments of `membership`: "descriptors" (nearest synthetic description), "strips" (aligned
        correlation of whole strips), "beats" (of beats), "embedding", "adaptive".
    """
    real, other_subjects = np.concatenate([members, others]), np.asarray(other_subjects)
    scale = DescriptorScale.from_real(synthetic, fs)
    known, asked = (describe(one, fs, scale) for one in (synthetic, real))
    scores = {"descriptors": -_distances(asked, known, 1)[0][:, 0],
              "strips": nearest_strips(real, synthetic, fs, progress=progress).score,
              "beats": nearest_beats(real, synthetic, fs)}
    if embed is not None:
        scores["embedding"] = (embed(real) @ embed(synthetic).T).max(1)
    if public is not None:
        scores["adaptive"] = _adaptive(asked, known, describe(public, fs, scale))
    sides = {}
    for attacker, score in scores.items():
        inside, outside = np.split(score, [len(members)])
        kept = slice(None) if unused is None or attacker not in _INFORMED else unused
        sides[attacker] = inside, member_subjects, outside[kept], other_subjects[kept]
    return sides


def linkability(real, subjects, member, synthetic, fs: float, neighbours: int = 5,
                seed: int = 0) -> Measured:
    """Can two databases be joined through the synthetic set?

    One knows a strip by the shape of its beats, the other by rhythm and spectrum. They are linked
    when a synthetic strip is among the nearest of both. Value: rate of members less that of others.

    Args:
        real: (n, time, lead) mV, members and others.
        subjects: (n,).
        member: (n,) bool.
        synthetic: (m, time, lead) mV.
        fs: Hz.
        neighbours: default 5.
        seed: int.

    Returns:
        Measured "linkability" (baseline 0, p-value of membership dealt anew).

    Source: Giomi et al. 2023, arXiv:2211.10459; Article 29 Working Party, Opinion 05/2014.
    """
    scale = DescriptorScale.from_real(synthetic, fs)
    known, asked = (describe(one, fs, scale) for one in (synthetic, real))
    part = block_slices(np.shape(real)[2])
    rest = np.r_[part["rhythm"], part["spectrum"]]
    shape, rhythm = (_distances(asked[:, block], known[:, block], neighbours)[1]
                     for block in (part["mean_beat"], rest))
    linked = (shape[:, :, None] == rhythm[:, None]).any((1, 2))
    return Measured("linkability", unit="advantage", n=len(real),
                    **member_advantage(linked, subjects, member, seed=seed))


def singling_out(real, subjects, member, synthetic, fs: float, seed: int = 0) -> Measured:
    """Does a synthetic strip point at one person alone?

    An attacker claims "one person in the population is like this strip" for each synthetic strip:
    the strip's nearest person must be nearer by half than the second nearest person. The claim is
    right when that person is a member (a strip drawn from the population points at anyone).

    Args:
        real: (n, time, lead) mV, members and others.
        subjects: (n,).
        member: (n,) bool.
        synthetic: (m, time, lead) mV.
        fs: Hz.
        seed: int.

    Returns:
        Measured "singling out": claims a person of the members less claims a person of the others,
        in shares of the synthetic set (baseline 0, p-value of membership dealt anew).

    Source: Article 29 Working Party, Opinion 05/2014.
    """
    scale = DescriptorScale.from_real(real, fs)
    asked, known = (describe(one, fs, scale) for one in (real, synthetic))
    persons, first, who = np.unique(subjects, return_index=True, return_inverse=True)
    distance = np.stack([_distances(known, asked[who == one], 1)[0][:, 0]
                         for one in range(len(persons))], 1)
    nearest, second = np.sort(distance, axis=1)[:, :2].T
    claims = np.bincount(distance.argmin(1)[nearest < 0.5 * second], minlength=len(persons))
    return Measured("singling out", unit="claims a person", n=len(synthetic),
                    **member_advantage(claims / len(known), persons,
                                       np.asarray(member, bool)[first], seed=seed))


def attribute_inference(real, subjects, member, attribute, synthetic, strangers, fs: float,
                        name: str = "sex", neighbours: int = 5, seed: int = 0) -> Measured:
    """Does the synthetic set tell more about members' attributes than strangers' strips would?

    The attacker has a person's ECG and reads the attribute off the nearest synthetic strips: their
    majority (text) or median (numbers). Strips that say nothing of themselves are given, in the
    worst case, the attribute of the member who comes nearest. That alone favours members, who come
    back to themselves over anybody's strip: real strips of strangers, given attributes in the same
    way, seem to know members' ages better by some seven to ten years on MIT-BIH. So what counts is
    how much better the synthetic strips do than as many of the strangers'.

    Args:
        real: (n, time, lead) mV.
        subjects: (n,).
        member: (n,) bool.
        attribute: (n,) str ("" unknown) or float (NaN unknown); windows without it are left out.
        synthetic: (m, time, lead) mV.
        strangers: (k, time, lead) mV, of persons who are neither members nor among the others.
        fs: Hz.
        name: of the attribute, default "sex".
        neighbours: default 5.
        seed: int.

    Returns:
        Measured "attribute inference, <name>": gain in accuracy (or, of numbers, less absolute
        error) over the strangers' strips, of members less that of others; baseline 0.

    Raises:
        InputError: no attribute is known on one of the sides.
    """
    attribute, member = np.asarray(attribute), np.asarray(member, bool)
    text = attribute.dtype.kind in "US"
    given = attribute != "" if text else np.isfinite(attribute.astype(float))
    if not (given & member).any():
        raise InputError("The attribute cannot be inferred.", expected="an attribute, text or "
                         "numbers, known for some members", got="none known", fix="give some")
    kinds, code = np.unique(attribute[given], return_inverse=True) if text else (
        (), attribute[given].astype(float))
    inside, asked = member[given], np.asarray(real)[given]
    size = min(len(synthetic), len(strangers))
    scale = DescriptorScale.from_real(asked, fs)
    asked = describe(asked, fs, scale)

    def success(strips):
        known = describe(np.asarray(strips)[np.linspace(0, len(strips) - 1, size).astype(int)], fs,
                         scale)
        told = code[inside][_distances(known, asked[inside], 1)[1][:, 0]]
        told = told[_distances(asked, known, neighbours)[1]]
        if not text:
            return -np.abs(np.median(told, axis=1) - code)
        return ((told[..., None] == np.arange(len(kinds))).sum(1).argmax(1) == code).astype(float)

    return Measured(f"attribute inference, {name}", unit="advantage", n=int(given.sum()),
                    **member_advantage(success(synthetic) - success(strangers),
                                       np.asarray(subjects)[given], inside, seed=seed))


def _distances(x, y, k):
    """(n, k) least distances of rows of x to rows of y, rising, and which rows: block by block."""
    norms, found = (y * y).sum(1), []
    for start in range(0, len(x), BLOCK):
        part = x[start:start + BLOCK]
        squares = (part * part).sum(1)[:, None] + norms - 2 * part @ y.T
        index = np.argsort(squares, axis=1)[:, :k]
        found.append((np.sqrt(np.maximum(np.take_along_axis(squares, index, 1), 0)), index))
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def _adaptive(asked, synthetic, public):
    """How much denser the synthetic set is here than the population: ln(d_public / d_synthetic).

    A linear real-versus-synthetic classifier was tried first and found nothing in exact copies of
    MIT-BIH strips (AUC 0.54): as sets, copies look like the population.
    """
    near, far = (_distances(asked, one, 1)[0][:, 0] for one in (synthetic, public))
    return np.log(far + 1e-3) - np.log(near + 1e-3)
