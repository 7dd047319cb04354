"""Images of a network: seeded latents in, batches of one size, images out."""

import numpy as np

from ecg_tf.base.checks import count

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

    `labels`: (n,) numbers of classes for a network that wants them; `batch_size` changes nothing
    but the last bits. InputError: `n` or `batch_size` is no positive number.
    """
    count(batch_size, "batch_size", 1, 2**20)
    dim = network.latent_dim if hasattr(network, "latent_dim") else network.inputs[0].shape[-1]
    # The last batch is filled up, so that every batch is computed by one and the same program.
    inputs = [np.pad(sample_latents(n, dim, seed), ((0, -n % batch_size), (0, 0)))]
    if labels is not None:
        inputs.append(np.pad(np.asarray(labels, np.int32), (0, -n % batch_size)))
    batches = []
    for start in range(0, len(inputs[0]), batch_size):
        batch = [array[start : start + batch_size] for array in inputs]
        batches.append(network.predict_on_batch(batch if len(batch) > 1 else batch[0]))
    return np.concatenate(batches)[:n].astype(np.float32)


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
