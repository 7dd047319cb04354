"""Images of a network: seeded latents in, batches of one size, images out."""

import numpy as np

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError

PLACES = 5  # on an arc between two latent vectors


def sample_latents(n, latent_dim, seed):
    """Standard normal latents (n, latent_dim) float32 of a seed, without touching any state.

    Raises:
        InputError: `n` is no positive number.
    """
    shape = (count(n, "number of images", 1, 10**9), latent_dim)
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def sample_images(network, n, seed, labels=None, batch_size=64):
    """Images (n, height, width, channel) float32 that a GAN or a generator makes; the same for the
    same seed.

    `labels`: (n, conditions) for a network that takes conditions; `batch_size` changes nothing but
    the last bits. InputError: `n` or `batch_size` is no positive number, or the labels do not fit.
    """
    count(batch_size, "batch_size", 1, 2**20)
    dim = network.latent_dim if hasattr(network, "latent_dim") else network.inputs[0].shape[-1]
    # The last batch is filled up, so that every batch is computed by one and the same program.
    inputs = [np.pad(sample_latents(n, dim, seed), ((0, -n % batch_size), (0, 0)))]
    if conditions := count_conditions(network):
        rows = checked_labels(labels, n, conditions)
        inputs.append(np.pad(rows, ((0, -n % batch_size), (0, 0))))
    batches = []
    for start in range(0, len(inputs[0]), batch_size):
        batch = [array[start : start + batch_size] for array in inputs]
        batches.append(network.predict_on_batch(batch if len(batch) > 1 else batch[0]))
    return np.concatenate(batches)[:n].astype(np.float32)


def count_conditions(network) -> int:
    """How many numbers a GAN, generator or discriminator wants to be told; 0 for none."""
    if isinstance(known := getattr(network, "conditions", None), int):
        return known
    return network.inputs[1].shape[-1] if len(getattr(network, "inputs", ())) == 2 else 0


def checked_labels(labels, n: int, conditions: int) -> np.ndarray:
    """(n, conditions) float32.

    Raises:
        InputError: none, another shape, or numbers that are not finite.
    """
    rows = np.asarray([] if labels is None else labels, np.float32)
    if rows.shape != (n, conditions) or not np.isfinite(rows).all():
        raise InputError("Images of these labels cannot be generated.",
                         expected=f"{n} rows of {conditions} numbers, as of Conditions.draw",
                         got="none" if labels is None else f"shape {rows.shape}",
                         fix="pass labels=conditions.draw(n, seed)")
    return rows


def arc_latents(latent_dim, first=0, second=1, mixes=None):
    """(place, latent_dim) places on the arc from one latent vector to another, by their numbers,
    each of which always names the same one; `mixes`: shares of the way, by default `PLACES` evenly
    spaced."""
    seeds = [count(number, "number", 0, 2**31 - 1) for number in (first, second)]
    a, b = (np.random.default_rng([seed]).standard_normal(latent_dim) for seed in seeds)
    mix = np.asarray(np.linspace(0, 1, PLACES) if mixes is None else mixes)[:, None]
    angle = np.arccos(np.clip(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)), -1, 1))
    if angle < 1e-6:  # the same number twice
        return np.tile(a, (len(mix), 1))
    return (np.sin((1 - mix) * angle) * a + np.sin(mix * angle) * b) / np.sin(angle)
