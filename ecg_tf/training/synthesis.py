"""From a trained GAN to synthetic ECGs in mV."""

from dataclasses import replace

import keras
import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.models.privacy import rejection_sampling, roughest
from ecg_tf.models.sampling import sample_images
from ecg_tf.signals.filtering import low_pass
from ecg_tf.signals.windows import Windows
from ecg_tf.training.conditions import Conditions
from ecg_tf.training.data import Data


def final_generator(experiment: Experiment, gan, data: Data) -> keras.Model:
    """The network that a run leaves behind: latents to images, without the GAN around it.

    The averaged generator of a trained `GAN`; with `rejection_roughness` an image that is more than
    so many times as rough as the roughest training image is rejected.
    """
    if not experiment.rejection_roughness:
        return gan.ema_generator
    limit = experiment.rejection_roughness * roughest(data.windows["train"], data.codec)
    return rejection_sampling(gan.ema_generator, data.codec, limit)


def synthesize(generator: keras.Model, codec: Codec, n: int, seed: int, high: float = 0.0,
               conditions: Conditions | None = None) -> Windows:
    """Generates images and decodes them.

    Args:
        generator: keras.Model, latents (batch, latent_dim) -> images, as of `final_generator`.
        codec: the `Codec` its images were made with.
        n: int, images.
        seed: int; the same ECGs for the same seed.
        high: float, Hz, upper edge of the band that the training ECGs were filtered to: decoded
            ones pass the same low-pass. Default 0: none.
        conditions: whose combinations are requested, if the generator was trained with labels.
            Default None.

    Returns:
        Windows of n signals (n, time, lead) in mV, subjects "synthetic", records "synthetic-0",
        ...; their `about` says what was requested.

    Example:
        >>> strips = cut_strips(synthesize(gan.ema_generator, codec, 100, seed=1), seconds=10)
    """
    rows = None if conditions is None else conditions.draw(n, seed)
    windows = codec.decode(sample_images(generator, n, seed, rows))
    names = [f"synthetic-{number}" for number in range(n)]
    about = {} if conditions is None else dict(
        zip(names, conditions.describe(rows), strict=True))
    return low_pass(replace(windows, subjects=np.full(n, "synthetic"), records=np.array(names),
                            about=about), high)
