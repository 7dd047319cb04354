"""Images of a network: seeded latents in, batches of one size, images out."""

import numpy as np

from ecg_tf.base.checks import count


def sample_latents(n, latent_dim, seed):
    """Standard normal latents (n, latent_dim) float32 of a seed, without touching any state.

    Raises:
        InputError: `n` is no positive number.
    """
    shape = (count(n, "number of images", 1, 10**9), latent_dim)
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def sample_images(network, n, seed, labels=None, batch_size=64):
    """Images that a network generates; the same ones for the same seed.

    Args:
        network: keras.Model, a GAN or a generator, latents (and labels) -> images.
        n: int, number of images.
        seed: int, of the latents.
        labels: (n,) numbers of classes for a network that wants them. Default None.
        batch_size: int, images computed at once; it changes nothing but the last bits. Default 64.

    Returns:
        images (n, height, width, channel) float32.

    Raises:
        InputError: `n` or `batch_size` is no positive number.
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
