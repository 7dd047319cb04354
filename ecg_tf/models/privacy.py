"""Two ways to leak less: an identity-adversarial loss, and rejection of rough images.

The identity network learns to name the training person of a real image, is then frozen, and sees
each generated image. The loss is the cross-entropy between the uniform distribution over the K
persons and its answer p:

    L(x) = - 1/K sum_k log p_k(x)  =  log sum_k exp(l_k) - 1/K sum_k l_k,   least log K,

the "confusion" loss of Tzeng et al. (2015), arXiv:1510.02192. Chen, Konrad and Ishwar (2018),
arXiv:1803.07100, and Huang et al. (2017), arXiv:1710.09549, train a generator against a network
that names persons, for the sake of privacy; theirs goes on learning, this one does not, so that a
training takes hardly longer and resumes exactly.

Where a GAN cannot follow an irregular ECG it makes noise, which shows in how much neighbouring
pixels of a row differ. An image that is so many times as rough as the roughest training image is
rejected (rejection sampling, Azadi et al. 2019, arXiv:1810.06758, there by the discriminator) and
another one takes its place.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError
from ecg_tf.images.codec import Codec
from ecg_tf.models.layers import number_layers
from ecg_tf.models.networks import build_discriminator
from ecg_tf.signals.windows import Windows

NOISE = 0.1  # spread added to the identity network's images in training, whose range is -1 to 1
STEPS = 400  # batches it learns from
ATTEMPTS = 4  # samples of an image; where 1 of 7 is rejected, 1 of 2,400 stays
_BLOCK = 512  # windows encoded at once


def build_identity_network(image_shape, persons: int, base_filters: int = 8,
                           padding: str = "helical", dtype=None) -> keras.Model:
    """The discriminator's network with a class head alone; in training its images are noisy.

    Images (batch, height, width, channels), sides of 8 or more, -> logits (batch, persons) float32,
    of two persons or more; the rest as of `build_discriminator`.

    Example:
        >>> build_identity_network((32, 64, 2), persons=17).output_shape
        (None, 17)
    """
    if count(persons, "persons", 0, 2**20) < 2:
        raise InputError("There are too few persons to be confused with each other.",
                         expected="2 or more training persons", got=persons,
                         fix="set identity_weight to 0, or take more records")
    whole = build_discriminator(image_shape, base_filters, padding=padding, classes=persons,
                                minibatch_std=False, dtype=dtype)
    logits = keras.Model(whole.inputs, whole.outputs[1], name="naming")
    number_layers(logits)
    images = keras.Input(logits.input_shape[1:], name="images")
    noisy = keras.layers.GaussianNoise(NOISE, dtype="float32", seed=0, name="noise")(images)
    return keras.Model(images, logits(noisy), name="identity")


def train_identity_network(network: keras.Model, batches, steps: int = STEPS,
                           learning_rate: float = 0.001) -> float:
    """Trains it in place, then freezes it; gives the accuracy over the last quarter of the steps.

    `batches`: endless Dataset of (images, numbers of their persons). The weights are the same for
    the same start and batches on one machine.
    """
    epochs = 4 if steps >= 4 else 1
    # A wrapper is compiled, not the network: an optimizer has no place in a GAN's checkpoint.
    pupil = keras.Sequential([network], name="pupil")
    pupil.compile(keras.optimizers.Adam(learning_rate),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=["accuracy"])
    history = pupil.fit(batches, epochs=epochs, steps_per_epoch=steps // epochs, verbose=0,
                        shuffle=False).history
    network.trainable = False
    return float(history["accuracy"][-1])


def confusion_loss(logits):
    """Cross-entropy between the uniform distribution and softmax: logits (batch, K) -> scalar."""
    each = tf.reduce_logsumexp(logits, axis=1) - tf.reduce_mean(logits, axis=1)
    return tf.reduce_mean(each)


def roughness(images):
    """Mean absolute second difference along the rows of each image (batch, height, width, lead), of
    the leads only: (batch,), in units of their values.

    Example:
        >>> roughness(np.zeros((2, 8, 8, 1))).tolist()
        [0.0, 0.0]
    """
    second = images[:, :, 2:] - 2 * images[:, :, 1:-1] + images[:, :, :-2]
    return abs(second).mean((1, 2, 3)) if isinstance(images, np.ndarray) else ops.mean(
        ops.abs(second), (1, 2, 3))


def roughest(windows: Windows, codec: Codec) -> float:
    """Roughness of the roughest image of `windows`, one or more, of the channels with leads."""
    leads = codec.channels.count("signal")
    return max(
        float(roughness(codec.encode(windows.take(slice(i, i + _BLOCK)))[..., :leads]).max())
        for i in range(0, len(windows), _BLOCK)
    )


def rejection_sampling(generator: keras.Model, codec: Codec, limit: float) -> keras.Model:
    """A generator that replaces an image, up to `ATTEMPTS` - 1 times, while its roughness is above
    `limit`, such as of `roughest`; it takes `ATTEMPTS` times as long.

    The latents of attempt k are the given ones turned by k places: as standard normal as before,
    and the image is still a function of the latents alone.

    Example:
        >>> rejection_sampling(gan.ema_generator, codec, roughest(windows, codec)).save("g.keras")
    """
    leads = codec.channels.count("signal")
    inputs = [keras.Input(each.shape[1:], name=each.name) for each in generator.inputs]
    of = inputs[0] if len(inputs) == 1 else inputs
    images = generator(of)
    for attempt in range(1, ATTEMPTS):
        turned = Turned(attempt, name=f"turned_{attempt}")(inputs[0])
        other = generator([turned, *inputs[1:]] if inputs[1:] else turned)
        images = Smoother(limit, leads, name=f"smoother_{attempt}")([images, other])
    return keras.Model(of, images, name="rejection_generator")


@keras.saving.register_keras_serializable(package="ecg_tf")
class Turned(keras.layers.Layer):
    """Latent vectors (batch, latent_dim), turned by `places`."""

    def __init__(self, places, **kwargs):
        super().__init__(**kwargs)
        self.places = int(places)

    def call(self, latents):
        return ops.roll(latents, self.places, axis=-1)

    def get_config(self):
        return {**super().get_config(), "places": self.places}


@keras.saving.register_keras_serializable(package="ecg_tf")
class Smoother(keras.layers.Layer):
    """Of two batches of images the first, and the second's image where the first's is too rough.

    Args:
        limit: largest `roughness` that is accepted.
        leads: int, channels it is taken of, the first ones.
    """

    def __init__(self, limit, leads, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.limit, self.leads = float(limit), int(leads)

    def call(self, images):
        first, second = images
        passes = roughness(first[..., : self.leads]) <= self.limit
        return ops.where(passes[:, None, None, None], first, second)

    def get_config(self):
        return {**super().get_config(), "limit": self.limit, "leads": self.leads}
