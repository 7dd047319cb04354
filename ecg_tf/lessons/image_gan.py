"""One GAN for any set of images, with one network and one budget: what comparisons need."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ecg_tf.base.checks import choice, count, number
from ecg_tf.base.errors import InputError
from ecg_tf.lessons.rings import dense_layers
from ecg_tf.models import R1GAN, MinibatchStd, build_discriminator, build_generator
from ecg_tf.training.fit import fit_gan

NETWORKS = {
    "convolutional": "see neighbouring pixels together, as for pictures",
    "dense": "see all numbers at once and know of no neighbours",
}
UNITS = 256  # of a dense layer: about as many weights as 32 base filters at 16 x 16 pixels


def train_images(images, steps: int, networks: str = "convolutional", *, latent_dim: int = 64,
                 base_filters: int = 32, batch_size: int = 64, learning_rate: float = 1e-3,
                 penalty: float = 0.5, seed: int = 0) -> R1GAN:
    """Trains an R1GAN on images; the same call twice gives the same weights on one machine.

    Args:
        images: (n, height, width, channel) in [-1, 1]; sides of 8 or more for "convolutional".
        steps: int, updates of the generator.
        networks: str, one of `NETWORKS`. Default "convolutional".
        latent_dim: int, random numbers an image. Default 64.
        base_filters: int, filters of the finest grid, "convolutional" only. Default 32.
        batch_size: int, images a step. Default 64.
        learning_rate: float, of Adam. Default 0.001: small networks, short training.
        penalty: float, weight of the slope at real and at generated images. Default 0.5.
        seed: int, of weights, batches and latents.

    Returns:
        R1GAN, for `generate(n, seed)`.

    Raises:
        InputError: no such networks, values out of range, fewer than 2 images, NaN or inf.

    Example:
        >>> train_images(codec.encode(table), steps=1000).generate(10, seed=1).shape
        (10, 16, 16, 1)
    """
    images = checked_images(images)
    choice(networks, "networks", NETWORKS)
    steps = count(steps, "steps", 1, 10**7)
    batch_size = count(batch_size, "batch_size", 2, 4096)
    number(learning_rate, "learning_rate", 1e-7, 1.0)
    keras.utils.set_random_seed(count(seed, "seed", 0, 2**32 - 1))
    build = _convolutional if networks == "convolutional" else _dense
    generator, discriminator = build(images.shape[1:], count(latent_dim, "latent_dim", 1, 4096),
                                     count(base_filters, "base_filters", 1, 1024))
    penalty = number(penalty, "penalty", 0.0, 1e4)
    # Averages over about 100 steps: a training of 1,000 would else carry its beginning along.
    gan = R1GAN(generator, discriminator, r1=penalty, r2=penalty, ema_decay=0.99, seed=seed)
    gan.compile(*(keras.optimizers.Adam(learning_rate, beta_1=0.0, beta_2=0.99) for _ in range(2)),
                steps_per_execution=min(50, steps))
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed)
    fit_gan(gan, batches.repeat().batch(batch_size), steps, check_every=steps)
    return gan


def checked_images(images) -> np.ndarray:
    """Images as float32 (n, height, width, channel).

    Raises:
        InputError: another shape, fewer than 2, NaN or inf.
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or len(images) < 2 or not np.isfinite(images).all():
        raise InputError("A GAN cannot learn these images.", got=f"shape {images.shape}",
                         expected="(n, height, width, channel), finite, 2 images or more",
                         fix="encode windows with their codec, or look at what the folder holds")
    return images


def _convolutional(shape, latent_dim, base_filters):
    return (build_generator(shape, latent_dim, base_filters, padding="zero"),
            build_discriminator(shape, base_filters, padding="zero"))


def _dense(shape, latent_dim, base_filters):
    generator = keras.Sequential(
        [keras.Input((latent_dim,)), *dense_layers(UNITS, 3),
         layers.Dense(int(np.prod(shape)), "tanh"), layers.Reshape(shape)], name="generator")
    discriminator = keras.Sequential(
        [keras.Input(shape), MinibatchStd(), layers.Flatten(), *dense_layers(UNITS, 3),
         layers.Dense(1)], name="discriminator")
    return generator, discriminator
