"""A network that names persons, and what a generator pays for images that it can name.

The network learns to name the training person of a real image, is then frozen, and judges each
generated image. The price is the cross-entropy between the uniform distribution over the K persons
and what the network says, p:

    L(x) = - 1/K sum_k log p_k(x)  =  log sum_k exp(l_k) - 1/K sum_k l_k,   least log K,

the "confusion" loss of Tzeng et al. (2015), arXiv:1510.02192. Chen, Konrad and Ishwar (2018),
arXiv:1803.07100, and Huang et al. (2017), arXiv:1710.09549, train a generator against a network
that names persons, for the sake of privacy; theirs goes on learning, this one does not, so that a
training costs hardly more and resumes exactly.
"""

import keras
import tensorflow as tf

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError
from ecg_tf.models.names import number_layers
from ecg_tf.models.networks import build_discriminator

NOISE = 0.1  # spread added to its images in training, whose range is -1 to 1
STEPS = 400  # batches it learns from


def build_identity_network(image_shape, persons: int, base_filters: int = 8,
                           padding: str = "helical", dtype=None) -> keras.Model:
    """A small convolutional network that names the person of an image.

    It is the discriminator's, without a score; in training its images are noisy, so that it does
    not hang on a pattern that nobody would see.

    Args:
        image_shape: (height, width, channels), sides of 8 or more.
        persons: int, two or more.
        base_filters: int, as of `build_discriminator`. Default 8.
        padding: str, "zero" or "helical", default "helical".
        dtype: dtype policy such as "mixed_bfloat16"; None takes Keras' global policy.

    Returns:
        keras.Model, images (batch, height, width, channels) -> logits (batch, persons) float32.

    Raises:
        InputError: fewer than two persons, or a shape that cannot be used.

    Example:
        >>> build_identity_network((32, 64, 2), persons=17).output_shape
        (None, 17)
    """
    if count(persons, "persons", 0, 2**20) < 2:
        raise InputError("There is nobody to be taken for anybody else.",
                         expected="2 or more training persons", got=persons,
                         fix="set identity_weight to 0, or take more records")
    judge = build_discriminator(image_shape, base_filters, padding=padding, classes=persons,
                                minibatch_std=False, dtype=dtype)
    logits = keras.Model(judge.inputs, judge.outputs[1], name="naming")
    number_layers(logits)
    images = keras.Input(logits.input_shape[1:], name="images")
    noisy = keras.layers.GaussianNoise(NOISE, dtype="float32", seed=0, name="noise")(images)
    return keras.Model(images, logits(noisy), name="identity")


def train_identity_network(network: keras.Model, batches, steps: int = STEPS,
                           learning_rate: float = 0.001) -> float:
    """Trains it, then freezes it; the same weights for the same start and batches on one machine.

    Args:
        network: of `build_identity_network`, changed in place.
        batches: Dataset of (images, numbers of their persons), endless.
        steps: int, batches. Default 400.
        learning_rate: float, of Adam. Default 0.001.

    Returns:
        share of the images that it named rightly over the last quarter of the steps.
    """
    rounds = 4 if steps >= 4 else 1
    # A wrapper is compiled, not the network: an optimizer has no place in a GAN's checkpoint.
    pupil = keras.Sequential([network], name="pupil")
    pupil.compile(keras.optimizers.Adam(learning_rate),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=["accuracy"])
    told = pupil.fit(batches, epochs=rounds, steps_per_epoch=steps // rounds, verbose=0,
                     shuffle=False)
    network.trainable = False
    return float(told.history["accuracy"][-1])


def confusion_loss(logits):
    """Cross-entropy between the uniform distribution and softmax: logits (batch, K) -> scalar.

    Least, ln K, where all persons are equally likely for every image.
    """
    each = tf.reduce_logsumexp(logits, axis=1) - tf.reduce_mean(logits, axis=1)
    return tf.reduce_mean(each)
