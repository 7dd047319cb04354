"""From a trained GAN to synthetic ECGs in mV."""

from dataclasses import replace

import numpy as np

from ecg_tf.codec import Codec
from ecg_tf.filtering import low_pass
from ecg_tf.windows import Windows


def synthesize(gan, codec: Codec, n: int, seed: int, truncation: float = 1.0,
               high: float = 0.0) -> Windows:
    """Draws images from the averaged generator and decodes them.

    Args:
        gan: trained `GAN`.
        codec: the `Codec` its images were made with.
        n: int, images.
        seed: int; the same ECGs for the same seed.
        truncation: float, scale of the latents; below 1 more typical, less diverse. Default 1.
        high: float, Hz, upper edge of the band that the training ECGs were filtered to: decoded
            ones pass the same low-pass. Default 0: none.

    Returns:
        Windows of n signals (n, time, lead) in mV, subjects "synthetic", records "synthetic-0", ...

    Example:
        >>> strips = cut_strips(synthesize(gan, codec, 100, seed=1), seconds=10)
    """
    windows = codec.decode(gan.generate(n, seed, truncation=truncation))
    names = np.array([f"synthetic-{number}" for number in range(n)])
    return low_pass(replace(windows, subjects=np.full(n, "synthetic"), records=names), high)
