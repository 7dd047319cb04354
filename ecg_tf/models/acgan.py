"""A GAN that generates a given class, with a class head beside the score (AC-GAN)."""

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models.losses import R1GAN
from ecg_tf.models.sampling import sample_images


@keras.saving.register_keras_serializable(package="ecg_tf")
class ACGAN(R1GAN):
    """The discriminator also classifies images, and the generator has to satisfy it.

    The score stays that of `R1GAN`; each real image is paired with a generated one of its own
    class, so that a class is never compared with another. To both losses a cross-entropy of the
    class is added (Odena 2017, "Conditional image synthesis with auxiliary classifier GANs"):

        L_D = softplus(D(G(z, c), c) - D(x, c)) + class_weight * -log P(c | x)
        L_G = softplus(D(x, c) - D(G(z, c), c)) + generator_class_weight * -log P(c | G(z, c))

    The class term alone rewards images that no one could mistake, which are not typical ones. So
    the second half of the logits are scores of the classes: D(x, c) = score(x) + score_c(x) asks
    for a typical image of that class (as the projection of Miyato 2018 does).

    Args:
        generator: keras.Model, [latents, labels] -> images (`build_generator(classes=n)`).
        discriminator: keras.Model, images -> [scores, 2 n logits].
        class_weight: float, weight of the class loss at real images, default 1.
        generator_class_weight: float, the same for the generator, default 0.2.
        **kwargs: further arguments of `R1GAN` and `GAN`.

    Raises:
        InputError: networks without classes, or with other numbers of them; a negative weight; an
            `identity`, which has no place in this loss.

    Example:
        >>> gan = ACGAN(build_generator((8, 16, 3), classes=4),
        ...             build_discriminator((8, 16, 3), classes=8, minibatch_std=False))
        >>> gan.generate(8, seed=1, labels=[0, 1, 2, 3] * 2).shape
        (8, 8, 16, 3)
    """

    def __init__(self, generator, discriminator, *, class_weight=1.0, generator_class_weight=0.2,
                 **kwargs):
        classes = _check_classes(generator, discriminator)
        super().__init__(generator, discriminator, **kwargs)
        if min(class_weight, generator_class_weight) < 0:
            raise InputError("A weight of ACGAN is negative.", expected="0 or more",
                             got=(class_weight, generator_class_weight),
                             fix="pass class_weight=1, generator_class_weight=0.2")
        if self.identity is not None:
            raise InputError("An ACGAN has no identity-adversarial loss.",
                             expected="no identity", got="a network that names persons",
                             fix="leave identity out, or take a GAN without classes")
        self.classes = classes
        self.class_weight = float(class_weight)
        self.generator_class_weight = float(generator_class_weight)
        for name in ("class_loss", "class_accuracy", "generated_class_accuracy"):
            self.trackers[name] = keras.metrics.Mean(name=name)

    # Training

    def discriminator_objective(self, images, generated, labels=None):
        real, logits = self.scores_and_logits(images, labels)
        fake, fake_logits = self.scores_and_logits(generated, labels)
        loss, class_loss = self.discriminator_loss(real, fake), _cross_entropy(labels, logits)
        return loss + self.class_weight * class_loss, {
            "d_loss": loss, "real_score": tf.reduce_mean(real),
            "generated_score": tf.reduce_mean(fake), "class_loss": class_loss,
            "class_accuracy": _accuracy(labels, logits),
            "generated_class_accuracy": _accuracy(labels, fake_logits)}

    def generator_objective(self, images, generated, labels=None):
        real = self.score(images, labels) if self.relativistic else None
        scores, logits = self.scores_and_logits(generated, labels)
        loss = self.generator_loss(real, scores)
        class_loss = _cross_entropy(labels, logits)
        return loss + self.generator_class_weight * class_loss, {"g_loss": loss}

    def scores_and_logits(self, images, labels):
        """(scores as images of `labels` (batch, 1), class logits (batch, classes))."""
        scores, logits = self.discriminator(images, training=True)
        own = tf.one_hot(labels, self.classes) * logits[:, self.classes :]
        scores += tf.reduce_sum(own, axis=1, keepdims=True)
        return scores, logits[:, : self.classes]

    def score(self, images, labels=None):
        return self.scores_and_logits(images, labels)[0]

    # Sampling and classifying

    def generate(self, n, seed, batch_size=64, labels=None):
        """Images of classes from the averaged weights; the same ones for the same seed.

        Args:
            n, seed, batch_size: as in `GAN.generate`.
            labels: (n,) numbers of classes, or one for all; default: 0, 1, 2, ... in turn.

        Returns:
            images (n, height, width, channel) float32.

        Raises:
            InputError: labels that are no classes, or not n of them.
        """
        given = np.asarray(np.arange(n) % self.classes if labels is None else labels)
        given = np.full(n, given) if given.ndim == 0 else given
        whole = given.shape == (n,) and given.dtype.kind in "iu"
        if not whole or given.min() < 0 or given.max() >= self.classes:
            raise InputError("Images of these labels cannot be generated.",
                             expected=f"{n} whole numbers from 0 to {self.classes - 1}",
                             got=f"shape {given.shape}, {np.unique(given)[:9].tolist()}",
                             fix="pass the place of each class in the list of classes")
        return sample_images(self, n, seed, given, batch_size)

    def classify(self, images, batch_size=256):
        """Probabilities (n, classes) float32 of the class head.

        Its labels of the GAN's own images are no evidence: the generator was trained on them.
        """
        images = np.asarray(images, np.float32)
        found = [np.zeros((0, self.classes), np.float32)]
        for start in range(0, len(images), batch_size):
            _, logits = self.discriminator(images[start : start + batch_size], training=False)
            found.append(tf.nn.softmax(logits[:, : self.classes]).numpy())
        return np.concatenate(found)

    def get_config(self):
        names = ("class_weight", "generator_class_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _cross_entropy(labels, logits):
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def _accuracy(labels, logits):
    named = tf.argmax(logits, axis=1, output_type=tf.int32)
    return tf.reduce_mean(tf.cast(named == labels, tf.float32))


def _check_classes(generator, discriminator):
    """The number of classes, or an error."""
    got = f"a generator with {len(generator.inputs)} inputs, a discriminator with " \
          f"{len(discriminator.outputs)} outputs"
    if len(generator.inputs) == 2 and len(discriminator.outputs) == 2:
        classes = int(generator.get_layer("class_code").input_dim)
        logits = int(discriminator.outputs[1].shape[-1])
        if logits == 2 * classes:
            return classes
        got = f"{classes} classes and {logits} logits"
    raise InputError(
        "These networks are not for classes, or not for the same ones.",
        expected="a generator that takes labels of n classes, a class head with 2 n logits",
        got=got, fix="build them with classes=n and classes=2 * n, or call build_gan",
    )
