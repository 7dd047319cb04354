"""A small network on single beats: built, trained reproducibly, and cached.

One core trains them in seconds. Every weight and every batch comes from the seed; what was trained
is kept under a digest of data and settings.
"""

import hashlib
import io
import json
import zipfile

import numpy as np

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.records.cache import cache_root

_FORMAT = 1  # raise it whenever training or the networks change


def identity_network(shape, persons: int, seed: int):
    """Beats of a shape -> logits of the persons, 16 times the cosine of unit vectors."""
    with quiet_startup():
        import keras
    inputs = keras.Input(shape)
    unit = keras.layers.UnitNormalization(name="embedding")(_body(keras, inputs, 64, seed))
    angle = keras.layers.Dense(persons, use_bias=False, kernel_constraint="unit_norm",
                               kernel_initializer=_glorot(keras, seed + 9))(unit)
    model = keras.Model(inputs, keras.layers.Rescaling(16.0)(angle))
    model.compile(keras.optimizers.Adam(2e-3), keras.losses.SparseCategoricalCrossentropy(True))
    return model


def embedding_of(model):
    """The part of a network up to its layer "embedding"."""
    import keras

    return keras.Model(model.input, model.get_layer("embedding").output)


def fit(model, x, target, epochs: int, seed: int, warp: float):
    """Epochs in a seeded order; gain, noise and speed (by up to `warp`) change, so that
    none is memorized."""
    rng, rate = np.random.default_rng(seed), float(model.optimizer.learning_rate)
    for epoch in range(epochs):
        model.optimizer.learning_rate = rate * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(x))
        gain = np.exp(rng.uniform(-0.3, 0.3, (len(x), 1, 1)))
        other = _slower(x[order], rng.uniform(-warp, warp, (len(x), 1))) * gain
        noisy = (other + 0.02 * rng.standard_normal(x.shape)).astype(np.float32)
        model.fit(noisy, target[order], 128, 1, 0, shuffle=False)


def predict(network, x) -> np.ndarray:
    """(n, d) outputs, without the overhead of Keras' own loop."""
    return np.concatenate([np.asarray(network(x[start:start + 2048], training=False))
                           for start in range(0, len(x), 2048)])


def cache_key(kind: str, x, y, settings) -> str:
    """Digest of what decides about the weights."""
    digest = hashlib.sha256(json.dumps([_FORMAT, kind, x.shape, settings]).encode())
    for part in (x, np.asarray(y)):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:24]


def fitted(key: str, model, cache: bool, train):
    """The model with weights from the cache, or fitted and then kept there."""
    path = cache_root() / "embedding" / f"{key}.npz"
    if cache and path.exists():
        try:
            with np.load(path, allow_pickle=False) as kept:
                model.set_weights([kept[f"w{i}"] for i in range(len(model.weights))])
            return model
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            pass  # not whole, or of another network: trained again
    train(model)
    if cache:
        buffer = io.BytesIO()
        np.savez(buffer, **{f"w{i}": w for i, w in enumerate(model.get_weights())})
        try:
            write_whole(path, buffer.getvalue())
        except InputError:
            pass  # without a cache it only takes longer
    return model


def _slower(x, by):
    """Beats read slower about their R peak, which lies 0.3 to 0.5 of the way in."""
    time, centre = np.arange(x.shape[1]), 0.4 * x.shape[1]
    at = np.clip((time - centre) * (1 - by) + centre, 0, x.shape[1] - 1)
    left = np.minimum(at.astype(int), x.shape[1] - 2)
    part = (at - left)[..., None]
    low, high = (np.take_along_axis(x, (left + side)[..., None], 1) for side in (0, 1))
    return low * (1 - part) + high * part


def _body(keras, x, size: int, seed: int):
    for number, (filters, kernel) in enumerate(((32, 7), (64, 5), (96, 3))):
        x = keras.layers.Conv1D(filters, kernel, 2, "same", use_bias=False,
                                kernel_initializer=_glorot(keras, seed + number))(x)
        x = keras.layers.LayerNormalization()(x)
        x = keras.layers.Activation("relu")(x)
    return keras.layers.Dense(size, kernel_initializer=_glorot(keras, seed + 5))(
        keras.layers.Flatten()(x))


def _glorot(keras, seed):
    return keras.initializers.GlorotUniform(seed=seed)
