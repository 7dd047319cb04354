"""Images of a network: seeded latents in, batches of one size, images out."""

import numpy as np

from ecg_tf.base.errors import InputError


def latents_of(n, latent_dim, seed, truncation=1.0):
    """Latent vectors of a seed, without touching any state.

    Args:
        n: int, number of vectors.
        latent_dim: int, their length.
        seed: int.
        truncation: float, scale: below 1 more typical, less diverse; default 1.

    Returns:
        (n, latent_dim) float32, standard normal times `truncation`.

    Raises:
        InputError: `n` is no positive number.
    """
    if n < 1:
        raise InputError("No images to generate.", expected="n of 1 or more", got=n,
                         fix="pass the number of images you want")
    drawn = np.random.default_rng(seed).standard_normal((n, latent_dim), dtype=np.float32)
    return drawn * np.float32(truncation)


def draw(network, latents, labels=None, batch_size=64):
    """Images that a network makes of latents.

    Args:
        network: keras.Model, a GAN or a generator.
        latents: (n, latent_dim) float32.
        labels: (n,) numbers of classes for a network that wants them. Default None.
        batch_size: int, images computed at once; it changes nothing but the last bits. Default 64.

    Returns:
        images (n, height, width, channel) float32.

    Raises:
        InputError: `batch_size` is no positive number.
    """
    if batch_size < 1:
        raise InputError("Images cannot be drawn in such batches.", expected="1 or more",
                         got=batch_size, fix="pass batch_size=64")
    n = len(latents)
    # The last batch is filled up, so that every batch is computed by one and the same program.
    latents = np.pad(latents, ((0, -n % batch_size), (0, 0)))
    if labels is not None:
        labels = np.pad(np.asarray(labels, np.int32), (0, -n % batch_size))
    batches = []
    for first in range(0, len(latents), batch_size):
        some = slice(first, first + batch_size)
        inputs = latents[some] if labels is None else [latents[some], labels[some]]
        batches.append(network.predict_on_batch(inputs))
    return np.concatenate(batches)[:n].astype(np.float32)
