"""Small ECG networks that judge: one knows persons (privacy), one knows beats (fidelity).

Both look at single beats on their R peak and describe a strip by the mean over its beats. They are
trained on real ECGs only, once for each set of data and settings: a cache remembers them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.beat_networks import (
    beat_network,
    cache_key,
    embedding_of,
    fit,
    fitted,
    identity_network,
    predict,
)
from ecg_tf.evaluation.descriptors import aligned_beats, as_strips, strip_rpeaks
from ecg_tf.signals.windows import Windows

REQUIRED = 0.95  # rank-1 below which the identification network proves nothing
CONTEXT = np.arange(-40, 41) / 50.0  # s around R: neighbours' beats are seen, and so the rhythm
CLASSES = ("N", "S", "V", "F", "Q")


@dataclass(frozen=True)
class Identifier:
    """A network that tells persons apart by the shape of their beats.

    Args:
        network: keras.Model, beats (n, 80, lead) -> unit vectors (n, 64).
        persons: those it was trained on.
        templates: (person, 64) unit vectors, mean of each person's early strips.
        rank1: share of later strips of these persons that are named rightly.
        rank1_low: lower end of its 95 % interval (bootstrap over persons).
        rank1_high: upper end.
        n: later strips.
        required: rank-1 it has to reach, else what it says is void.
    """

    network: object
    persons: tuple[str, ...]
    templates: np.ndarray
    rank1: float
    rank1_low: float
    rank1_high: float
    n: int
    required: float = REQUIRED

    @property
    def valid(self) -> bool:
        return bool(self.rank1 >= self.required)

    def embed(self, strips, fs: float) -> np.ndarray:
        """(n, 64) unit vectors, or zeros for a strip without beats; inner products compare."""
        beats, owner = _beats(strips, fs)
        return _of_strips(self.network, beats, owner, len(strips))


def train_identifier(early, early_subjects, late, late_subjects, fs: float,
                     required: float = REQUIRED, beats_per_person: int = 250, epochs: int = 10,
                     seed: int = 0, cache: bool = True) -> Identifier:
    """Trains on early strips of known persons, and asks it to name their later ones.

    Args:
        early: (n, time, lead) mV.
        early_subjects: (n,) persons, two or more.
        late: (m, time, lead) mV, recorded later, or in another session.
        late_subjects: (m,) persons, all among the early ones.
        fs: Hz.
        required: rank-1 that makes the run valid, default 0.95.
        beats_per_person: drawn from the early strips, default 250.
        epochs: default 10.
        seed: int; the same data and seed give the same network on one machine.
        cache: keep and use the network in $ECG_TF_CACHE (or the user's cache folder).

    Returns:
        Identifier; look at `valid` before believing it.

    Raises:
        InputError: fewer than two persons, a late person that was not seen early, no beats.

    Example:
        >>> known = train_identifier(early, early_subjects, late, late_subjects, fs=128)
        >>> known.rank1, known.valid
        (0.99, True)
    """
    early, late = as_strips(early, fs, "early strips"), as_strips(late, fs, "late strips")
    early_subjects, late_subjects = np.asarray(early_subjects), np.asarray(late_subjects)
    persons, who = np.unique(early_subjects, return_inverse=True)
    strangers = np.setdiff1d(late_subjects, persons)
    if len(persons) < 2 or len(strangers) or len(early_subjects) != len(early) \
            or len(late_subjects) != len(late):
        raise InputError("Persons cannot be told apart with these strips.",
                         expected="a subject for each strip, two persons or more, late ones among "
                         "the early ones",
                         got=f"{len(persons)} persons, late strangers {strangers[:3].tolist()}",
                         fix="split each person's records by time")
    beats, owner = _beats(early, fs)
    rng = np.random.default_rng(seed)
    kept = [rng.permutation(np.flatnonzero(who[owner] == one))[:beats_per_person]
            for one in range(len(persons))]
    kept = np.concatenate(kept)
    if len(np.unique(who[owner[kept]])) < len(persons):
        raise InputError("Some persons have no beats.", expected="beats in each person's strips",
                         got="none found in some", fix="look at these persons' strips")
    key = cache_key("identifier", beats[kept], who[owner[kept]], [len(persons), epochs, seed])
    model = fitted(key, identity_network(beats.shape[1:], len(persons), seed), cache, lambda model:
                   fit(model, beats[kept], [who[owner[kept]]], epochs, seed, warp=0.05))
    network = embedding_of(model)
    known = _of_strips(network, beats, owner, len(early))
    templates = _unit(np.stack([known[who == one].mean(0) for one in range(len(persons))]))
    later, from_strip = _beats(late, fs)
    guess = (_of_strips(network, later, from_strip, len(late)) @ templates.T).argmax(1)
    right = persons[guess] == late_subjects
    low, high = _interval_over(late_subjects, right, seed)
    return Identifier(network, tuple(map(str, persons)), templates, float(right.mean()), low, high,
                      len(late), required)


@dataclass(frozen=True)
class BeatEmbedding:
    """A network trained to name beats and tell their RR intervals; for Fréchet distance and such.

    Args:
        network: keras.Model, beats with context (n, 81, lead) -> (n, 24).
        balanced_accuracy: mean recall of the beat classes on a fifth of the persons left out of
            the training; NaN without labels.
        rr_correlation: of the RR interval before the beat, told and true, on the same persons.
    """

    network: Any
    balanced_accuracy: float
    rr_correlation: float

    def embed(self, strips, fs: float) -> np.ndarray:
        """(n, 48) features: mean over a strip's beats, and their standard deviation."""
        strips = as_strips(strips, fs)
        length, reach = strips.shape[1], int(np.ceil(-CONTEXT[0] * fs)) + 1
        rows = [(i, peak) for i, peaks in enumerate(strip_rpeaks(strips, fs)) for peak in peaks
                if reach <= peak < length - reach]
        out = np.zeros((len(strips), 2, self.network.output_shape[1]), np.float32)
        if rows:
            owner, peak = (np.array(column) for column in zip(*rows, strict=True))
            windows = strips[owner[:, None], peak.astype(int)[:, None] + np.arange(-reach, reach)]
            at = (peak % 1)[:, None] + reach + CONTEXT * fs
            found = predict(self.network, _levelled(_read(windows, at)))
            for one in np.unique(owner):
                mine = found[owner == one]
                out[one] = mine.mean(0), mine.std(0)
        return out.reshape(len(strips), -1)


def train_beat_embedding(beats: Windows, epochs: int = 10, beats_per_person: int = 400,
                         seed: int = 0, cache: bool = True) -> BeatEmbedding:
    """Trains on beats of the training persons only; a fifth of them is kept apart to see its worth.

    Args:
        beats: `windows.beats(records, before_s=0.85, after_s=0.85)` of the training persons.
        epochs: default 10.
        beats_per_person: default 400; rarer classes are kept first.
        seed: int.
        cache: as in `train_identifier`.

    Returns:
        BeatEmbedding.

    Raises:
        InputError: fewer than two persons, or windows too short.
    """
    rng, fs = np.random.default_rng(seed), beats.fs
    if len(np.unique(beats.subjects)) < 2 or beats.signals.shape[1] < 1.68 * fs:
        raise InputError("These beats cannot train an embedding.",
                         expected="two persons or more, 0.85 s either side of each R peak",
                         got=f"{len(np.unique(beats.subjects))} persons, "
                             f"{beats.signals.shape[1] / fs:.2f} s",
                         fix="windows.beats(records, before_s=0.85, after_s=0.85)")
    target, known = _class_and_rr(beats)
    rows = []
    for person in np.unique(beats.subjects):
        mine = rng.permutation(np.flatnonzero((beats.subjects == person) & known))
        common = target[mine, 0] == 0  # rare classes first
        rows.append(mine[np.argsort(common, kind="stable")][:beats_per_person])
    rows = np.concatenate(rows)
    centre = beats.signals.shape[1] // 2
    x = _levelled(_read(beats.signals[rows], np.tile(centre + CONTEXT * fs, (len(rows), 1))))
    label, rr, person = target[rows, 0].astype(int), target[rows, 1:], beats.subjects[rows]
    out = np.isin(person, rng.permutation(np.unique(person))[:max(1, len(np.unique(person)) // 5)])
    weight = 1 / np.sqrt(np.bincount(np.maximum(label, 0), minlength=len(CLASSES)) + 1)
    weight = np.where(label >= 0, weight[np.maximum(label, 0)], 0)
    weight = weight / max(weight.mean(), 1e-9)
    key = cache_key("beats", x, target[rows], [epochs, seed])
    model = fitted(key, beat_network(x.shape[1:], len(CLASSES), seed), cache, lambda model: fit(
        model, x[~out], [np.maximum(label[~out], 0), rr[~out]], epochs, seed,
        [weight[~out], np.ones((~out).sum())]))
    told, told_rr = (np.asarray(part) for part in model.predict(x[out], 512, verbose=0))
    present = [one for one in range(len(CLASSES)) if (label[out] == one).sum() >= 5]
    recall = [np.mean(told.argmax(1)[label[out] == one] == one) for one in present]
    heard = np.corrcoef(told_rr[:, 0], rr[out, 0])[0, 1]
    recall = float(np.mean(recall)) if recall else np.nan
    return BeatEmbedding(embedding_of(model), recall, float(heard))


def early_and_late(windows: Windows, share: float = 0.6, gap_s: float = 30.0):
    """Splits each record in time: (n,) bool of the early part, and of the part after a gap."""
    early, late = np.zeros((2, len(windows)), bool)
    for record in np.unique(windows.records):
        mine = np.flatnonzero(windows.records == record)
        end = windows.starts[mine] + windows.lengths[mine]
        cut = windows.starts[mine].min() + share * (end.max() - windows.starts[mine].min())
        early[mine] = end <= cut
        late[mine] = windows.starts[mine] >= cut + gap_s * windows.fs
    return early, late


def _beats(strips, fs):
    strips = as_strips(strips, fs)
    return aligned_beats(strips, strip_rpeaks(strips, fs), fs)


def _of_strips(network, beats, owner, n):
    total = np.zeros((n, network.output_shape[1]), np.float32)
    if len(beats):
        np.add.at(total, owner, predict(network, beats))
    return _unit(total)


def _unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def _read(windows, at):
    left = np.clip(at.astype(int), 0, windows.shape[1] - 2)
    part, rows = (at - left)[..., None].astype(np.float32), np.arange(len(windows))[:, None]
    return windows[rows, left] * (1 - part) + windows[rows, left + 1] * part


def _levelled(x):
    return (x - np.median(x, axis=1, keepdims=True)).astype(np.float32)


def _class_and_rr(beats: Windows):
    """(n, 3): class number or -1, ln RR before and after in s; and where both are known."""
    classes = {name: number for number, name in enumerate(CLASSES)}
    labels = [""] * len(beats) if beats.labels is None else beats.labels
    target = np.full((len(beats), 3), np.nan, np.float32)
    target[:, 0] = [classes.get(str(one), -1) for one in labels]
    step = np.diff(beats.starts) / beats.fs
    near = (beats.records[1:] == beats.records[:-1]) & (step > 0.2) & (step < 2.5)
    rr = np.where(near, np.log(np.where(near, step, 1)), np.nan)
    target[1:, 1], target[:-1, 2] = rr, rr
    return target, np.isfinite(target).all(1)


def _interval_over(subjects, right, seed, draws=500):
    _, inverse = np.unique(subjects, return_inverse=True)
    hits, total = np.bincount(inverse, right), np.bincount(inverse)
    drawn = np.random.default_rng(seed).integers(len(total), size=(draws, len(total)))
    low, high = np.quantile(hits[drawn].sum(1) / total[drawn].sum(1), [0.025, 0.975])
    return float(low), float(high)
