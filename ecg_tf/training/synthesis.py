"""From a trained GAN to synthetic ECGs in mV."""

from dataclasses import replace

import keras
import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.models.rejection import redrawing, roughest
from ecg_tf.models.sampling import draw, latents_of
from ecg_tf.signals.filtering import low_pass
from ecg_tf.signals.windows import Windows
from ecg_tf.training.data import Data


def final_generator(experiment: Experiment, gan, data: Data) -> keras.Model:
    """The network that a run leaves behind: latents to images, without the GAN around it.

    Args:
        experiment: `Experiment`; with `rejection_roughness` no image is let pass that is so many
            times
            as rough as the roughest training image.
        gan: trained `GAN`.
        data: `Data` it was trained on.

    Returns:
        keras.Model: the averaged generator, or the `redrawing` one around it.
    """
    if not experiment.rejection_roughness:
        return gan.ema_generator
    limit = experiment.rejection_roughness * roughest(data.windows["train"], data.codec)
    return redrawing(gan.ema_generator, data.codec, limit)


def draw_images(generator: keras.Model, n: int, seed: int, truncation: float = 1.0) -> np.ndarray:
    """Images of a generator, the same ones for the same seed.

    Args:
        generator: keras.Model, latents (batch, latent_dim) -> images.
        n: int, images.
        seed: int.
        truncation: float, scale of the latents; below 1 more typical, less diverse. Default 1.

    Returns:
        (n, height, width, channel) float32.
    """
    return draw(generator, latents_of(n, generator.input_shape[-1], seed, truncation))


def synthesize(generator: keras.Model, codec: Codec, n: int, seed: int, truncation: float = 1.0,
               high: float = 0.0) -> Windows:
    """Draws images and decodes them.

    Args:
        generator: keras.Model, latents (batch, latent_dim) -> images, as of `final_generator`.
        codec: the `Codec` its images were made with.
        n: int, images.
        seed: int; the same ECGs for the same seed.
        truncation: as in `draw_images`.
        high: float, Hz, upper edge of the band that the training ECGs were filtered to: decoded
            ones pass the same low-pass. Default 0: none.

    Returns:
        Windows of n signals (n, time, lead) in mV, subjects "synthetic", records "synthetic-0", ...

    Example:
        >>> strips = cut_strips(synthesize(gan.ema_generator, codec, 100, seed=1), seconds=10)
    """
    windows = codec.decode(draw_images(generator, n, seed, truncation))
    names = np.array([f"synthetic-{number}" for number in range(n)])
    return low_pass(replace(windows, subjects=np.full(n, "synthetic"), records=names), high)
