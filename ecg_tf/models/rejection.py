"""A generator that draws again what came out rougher than real images are.

Where a GAN cannot follow an irregular ECG it draws noise. Noise shows in how much neighbouring
pixels of a row differ, and the training images tell how much of that is real: so an image that is
so many times as rough as the roughest of them is rejected (as in rejection sampling, Azadi et al.
2019, arXiv:1810.06758, there by the discriminator) and another one takes its place.
"""

import keras
import numpy as np
from keras import ops

from ecg_tf.images.codec import Codec
from ecg_tf.signals.windows import Windows

_PACKAGE = "ecg_tf"
ATTEMPTS = 4  # drawings of an image; where 1 of 7 is rejected, 1 of 2,400 stays
_BLOCK = 512  # windows encoded at once


def roughness(images):
    """Mean absolute second difference along the rows, an image.

    Args:
        images: (batch, height, width, lead), values of the leads only.

    Returns:
        (batch,) of the images' kind (tensor or array), in units of their values.

    Example:
        >>> roughness(np.zeros((2, 8, 8, 1))).tolist()
        [0.0, 0.0]
    """
    second = images[:, :, 2:] - 2 * images[:, :, 1:-1] + images[:, :, :-2]
    return abs(second).mean((1, 2, 3)) if isinstance(images, np.ndarray) else ops.mean(
        ops.abs(second), (1, 2, 3))


def roughest(windows: Windows, codec: Codec) -> float:
    """Roughness of the roughest image of windows.

    Args:
        windows: `Windows` that the codec fits, one or more.
        codec: fitted `Codec`.

    Returns:
        float, of the channels that hold leads.
    """
    leads = codec.channels.count("signal")
    return max(
        float(roughness(codec.encode(windows.take(slice(i, i + _BLOCK)))[..., :leads]).max())
        for i in range(0, len(windows), _BLOCK)
    )


def redrawing(generator: keras.Model, codec: Codec, limit: float) -> keras.Model:
    """A generator that draws an image anew, up to `ATTEMPTS` times, while it is too rough.

    The latents of attempt k are the given ones turned by k places: as standard normal as before,
    and the image is still a function of the latents alone.

    Args:
        generator: keras.Model, latents (batch, latent_dim) -> images.
        codec: `Codec` of its images.
        limit: largest roughness that is let pass, as of `roughest`.

    Returns:
        keras.Model, latents -> images of the same shapes; it takes `ATTEMPTS` times as long.

    Example:
        >>> redrawing(gan.ema_generator, codec, roughest(windows, codec)).save("generator.keras")
    """
    leads = codec.channels.count("signal")
    latents = keras.Input(generator.input_shape[1:], name="latents")
    images = generator(latents)
    for attempt in range(1, ATTEMPTS):
        other = generator(Turned(attempt, name=f"turned_{attempt}")(latents))
        images = Smoother(limit, leads, name=f"smoother_{attempt}")([images, other])
    return keras.Model(latents, images, name="redrawing_generator")


@keras.saving.register_keras_serializable(package=_PACKAGE)
class Turned(keras.layers.Layer):
    """Latent vectors (batch, latent_dim), turned by `places`; of the shape of its input."""

    def __init__(self, places, **kwargs):
        super().__init__(**kwargs)
        self.places = int(places)

    def call(self, latents):
        return ops.roll(latents, self.places, axis=-1)

    def get_config(self):
        return {**super().get_config(), "places": self.places}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class Smoother(keras.layers.Layer):
    """Of two batches of images the first, and the second's image where the first's is too rough.

    Args:
        limit: largest `roughness` that is let pass.
        leads: int, channels it is taken of, the first ones.

    Returns:
        images (batch, height, width, channel).
    """

    def __init__(self, limit, leads, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.limit, self.leads = float(limit), int(leads)

    def call(self, images):
        first, second = images
        passes = roughness(first[..., : self.leads]) <= self.limit
        return ops.where(passes[:, None, None, None], first, second)

    def get_config(self):
        return {**super().get_config(), "limit": self.limit, "leads": self.leads}

