"""A small identification network, for attacks by recognition.

It looks at single beats on their R peak and describes a strip by the mean over its beats. It is
trained on real ECGs only, once for each set of data and settings: a cache remembers it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.beat_networks import (
    cache_key,
    embedding_of,
    fit,
    fitted,
    identity_network,
    predict,
)
from ecg_tf.evaluation.descriptors import aligned_beats, as_strips, strip_rpeaks
from ecg_tf.evaluation.person_statistics import mean_interval
from ecg_tf.signals.windows import Windows

REQUIRED = 0.95  # rank-1 below which the identification network proves nothing


@dataclass(frozen=True)
class Identifier:
    """A network that identifies persons by the shape of their beats."""

    network: Any  # keras.Model, beats (n, 80, lead) -> unit vectors (n, 64)
    persons: np.ndarray  # (person,) names of those it was trained on, sorted
    templates: np.ndarray  # (person, 64) unit vectors, mean of each person's enrolment strips
    rank1: float  # share of probe strips that are named rightly
    rank1_low: float  # lower end of its 95 % interval (bootstrap over persons)
    rank1_high: float  # upper end
    n: int  # probe strips

    @property
    def valid(self) -> bool:
        """It identifies the share `REQUIRED` of the probes: its other results count."""
        return bool(self.rank1 >= REQUIRED)

    def embed(self, strips, fs: float) -> np.ndarray:
        """(n, 64) unit vectors, or zeros for a strip without beats; inner products compare."""
        return _of_strips(self.network, _beats(strips, fs), len(strips))

    def likeness(self, strips, fs: float) -> np.ndarray:
        """(n, person) cosine of each strip with each person's template."""
        return self.embed(strips, fs) @ self.templates.T


def train_identifier(enrolment: Windows, probe: Windows, beats_per_person: int = 250,
                     epochs: int = 10, seed: int = 0, cache: bool = True) -> Identifier:
    """Trains on enrolment strips, and tests how well it names their persons' probe strips.

    Args:
        enrolment: strips of two persons or more.
        probe: strips of these persons, recorded later or in another session.
        beats_per_person: sampled from the enrolment strips.
        seed: the same data and seed give the same network on one machine.
        cache: keep and use the network in $ECG_TF_CACHE (or the user's cache folder).

    Raises:
        InputError: fewer than two persons, a person of the probes who did not enrol, no beats.

    Example:
        >>> known = train_identifier(data.enrolment, data.probe)
        >>> known.rank1, known.valid
        (0.99, True)
    """
    fs = enrolment.fs
    persons, who = np.unique(enrolment.subjects, return_inverse=True)
    unknown = np.setdiff1d(probe.subjects, persons)
    if len(persons) < 2 or len(unknown):
        raise InputError("Persons cannot be identified with these strips.",
                         expected="two persons or more, those of the probes among them",
                         got=f"{len(persons)} persons, unknown probes {unknown[:3].tolist()}",
                         fix="split each person's records by time")
    beats, owner = _beats(enrolment.signals, fs)
    rng = np.random.default_rng(seed)
    kept = np.concatenate([rng.permutation(np.flatnonzero(who[owner] == i))[:beats_per_person]
                           for i in range(len(persons))])
    x, y = beats[kept], who[owner[kept]]
    if len(np.unique(y)) < len(persons):
        raise InputError("Some persons have no beats.", expected="beats in each person's strips",
                         got="none found in some", fix="look at these persons' strips")
    key = cache_key("identifier", x, y, [len(persons), epochs, seed])
    model = fitted(key, identity_network(beats.shape[1:], len(persons), seed), cache,
                   lambda model: fit(model, x, y, epochs, seed, warp=0.05))
    network = embedding_of(model)
    known = _of_strips(network, (beats, owner), len(enrolment))
    templates = _unit(np.stack([known[who == i].mean(0) for i in range(len(persons))]))
    probes = _of_strips(network, _beats(probe.signals, fs), len(probe))
    right = persons[(probes @ templates.T).argmax(1)] == probe.subjects
    low, high = mean_interval(right, probe.subjects, seed)
    return Identifier(network, persons, templates, float(right.mean()), low, high, len(probe))


def _beats(strips, fs):
    strips = as_strips(strips, fs)
    return aligned_beats(strips, strip_rpeaks(strips, fs), fs)


def _of_strips(network, beats_and_owner, n):
    beats, owner = beats_and_owner
    total = np.zeros((n, network.output_shape[1]), np.float32)
    if len(beats):
        np.add.at(total, owner, predict(network, beats))
    return _unit(total)


def _unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
