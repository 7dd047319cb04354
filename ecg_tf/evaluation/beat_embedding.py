"""The beat network: features of beats and rhythm, for the Fréchet distance.

It looks at single beats with their neighbours and is trained on real training subjects only; a
strip is described by mean and standard deviation over its beats.
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
    predict,
)
from ecg_tf.evaluation.descriptors import as_strips, strip_rpeaks
from ecg_tf.signals.windows import Windows

CONTEXT = np.arange(-40, 41) / 50.0  # s around R: neighbours' beats are seen, and so the rhythm
CLASSES = ("N", "S", "V", "F", "Q")


@dataclass(frozen=True)
class BeatEmbedding:
    """A network trained to classify beats and estimate their RR intervals.

    Args:
        network: keras.Model, beats with context (n, 81, lead) -> (n, 24).
        balanced_accuracy: mean recall of the beat classes on a fifth of the persons left out of
            the training; NaN without labels.
        rr_correlation: of the RR interval before the beat, estimated and true, on the same persons.
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
            for strip in np.unique(owner):
                mine = found[owner == strip]
                out[strip] = mine.mean(0), mine.std(0)
        return out.reshape(len(strips), -1)


def train_beat_embedding(beats: Windows, epochs: int = 10, beats_per_person: int = 400,
                         seed: int = 0, cache: bool = True) -> BeatEmbedding:
    """Trains on beats of the training persons only; a fifth of them is held out for validation.

    Args:
        beats: `cutting.beats(records, before_s=0.85, after_s=0.85)` of the training persons.
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
    predicted, predicted_rr = (np.asarray(part) for part in model.predict(x[out], 512, verbose=0))
    present = [number for number in range(len(CLASSES)) if (label[out] == number).sum() >= 5]
    recall = [np.mean(predicted.argmax(1)[label[out] == number] == number) for number in present]
    rr_correlation = np.corrcoef(predicted_rr[:, 0], rr[out, 0])[0, 1]
    recall = float(np.mean(recall)) if recall else np.nan
    return BeatEmbedding(embedding_of(model), recall, float(rr_correlation))


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
    target[:, 0] = [classes.get(str(label), -1) for label in labels]
    step = np.diff(beats.starts) / beats.fs
    near = (beats.records[1:] == beats.records[:-1]) & (step > 0.2) & (step < 2.5)
    rr = np.where(near, np.log(np.where(near, step, 1)), np.nan)
    target[1:, 1], target[:-1, 2] = rr, rr
    return target, np.isfinite(target).all(1)
