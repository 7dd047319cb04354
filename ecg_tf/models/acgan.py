"""A GAN whose discriminator also classifies what it sees (AC-GAN)."""

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models.losses import R1GAN


@keras.saving.register_keras_serializable(package="ecg_tf")
class ACGAN(R1GAN):
    """The discriminator also classifies images, and the generator has to satisfy it.

    The score stays that of `R1GAN` under conditions c; each real image is paired with a generated
    one of its own conditions, so that a class is never compared with another. To both losses a
    cross-entropy of the class head is added (Odena 2017, "Conditional image synthesis with
    auxiliary classifier GANs"):

        L_D = softplus(D(G(z, c), c) - D(x, c)) + class_weight * -log P(c | x)
        L_G = softplus(D(x, c) - D(G(z, c), c)) + generator_class_weight * -log P(c | G(z, c))

    The class term alone rewards images that no one could mistake, which are not typical ones. So
    D(x, c) depends on c too (projection, see `build_discriminator`).

    Args:
        generator: keras.Model, [latents, conditions] -> images (`build_generator(conditions=k)`).
        discriminator: keras.Model, [images, conditions] -> [scores, logits of the first
            `classes` conditions]: `build_discriminator(conditions=k, classes=n)`.
        exclusive: bool, exactly one class holds (softmax); False: each may hold (sigmoid).
            Default True.
        class_weight: float, weight of the class loss at real images, default 1.
        generator_class_weight: float, the same for the generator, default 0.2.
        **kwargs: further arguments of `R1GAN` and `GAN`.

    Raises:
        InputError: networks without classes, or with other numbers of them; a negative weight; an
            `identity`, which has no place in this loss.

    Example:
        >>> gan = ACGAN(build_generator((8, 16, 3), conditions=4),
        ...             build_discriminator((8, 16, 3), conditions=4, classes=4,
        ...                                 minibatch_std=False))
        >>> gan.generate(8, seed=1, labels=[0, 1, 2, 3] * 2).shape
        (8, 8, 16, 3)
    """

    def __init__(self, generator, discriminator, *, exclusive=True, class_weight=1.0,
                 generator_class_weight=0.2, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.classes = _classes_of(discriminator, self.conditions)
        if min(class_weight, generator_class_weight) < 0:
            raise InputError("A weight of ACGAN is negative.", expected="0 or more",
                             got=(class_weight, generator_class_weight),
                             fix="pass class_weight=1, generator_class_weight=0.2")
        if self.identity is not None:
            raise InputError("An ACGAN has no identity-adversarial loss.",
                             expected="no identity", got="a network that names persons",
                             fix="leave identity out, or take a GAN without classes")
        self.exclusive = bool(exclusive)
        self.class_weight = float(class_weight)
        self.generator_class_weight = float(generator_class_weight)
        for name in ("class_loss", "class_accuracy", "generated_class_accuracy"):
            self.trackers[name] = keras.metrics.Mean(name=name)

    # Training

    def discriminator_objective(self, images, generated, labels=None):
        # No `matching_loss`: the class head teaches the discriminator labels.
        real, logits = self.scores_and_logits(images, labels)
        fake, fake_logits = self.scores_and_logits(generated, labels)
        loss, class_loss = self.discriminator_loss(real, fake), self.class_loss(labels, logits)
        return loss + self.class_weight * class_loss, {
            "d_loss": loss, "real_score": tf.reduce_mean(real),
            "generated_score": tf.reduce_mean(fake), "class_loss": class_loss,
            "class_accuracy": self.accuracy(labels, logits),
            "generated_class_accuracy": self.accuracy(labels, fake_logits)}

    def generator_objective(self, images, generated, labels=None):
        real = self.score(images, labels) if self.relativistic else None
        scores, logits = self.scores_and_logits(generated, labels)
        loss = self.generator_loss(real, scores)
        class_loss = self.class_loss(labels, logits)
        return loss + self.generator_class_weight * class_loss, {"g_loss": loss}

    def scores_and_logits(self, images, labels):
        """(scores under the conditions `labels` (batch, 1), class logits (batch, classes))."""
        return self.discriminator([images, labels], training=True)

    def score(self, images, labels=None):
        return self.scores_and_logits(images, labels)[0]

    def class_loss(self, labels, logits):
        """-log P(c | x): softmax where classes exclude each other, else independent sigmoids."""
        labels = labels[:, : self.classes]
        if self.exclusive:
            each = tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        else:
            each = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(
                labels=labels, logits=logits), axis=1)
        return tf.reduce_mean(each)

    def accuracy(self, labels, logits):
        """Share of the images whose class is named rightly, or of the statements."""
        labels = labels[:, : self.classes]
        right = tf.argmax(logits, 1) == tf.argmax(labels, 1) if self.exclusive else (
            (logits > 0) == (labels > 0.5))
        return tf.reduce_mean(tf.cast(right, tf.float32))

    # Sampling and classifying

    def generate(self, n, seed, batch_size=64, labels=None):
        """Images of classes from the averaged weights; the same ones for the same seed.

        Args:
            n, seed, batch_size: as in `GAN.generate`.
            labels: (n, conditions); or numbers of classes, (n,) or one for all. Default: each
                condition alone, in turn.

        Returns:
            images (n, height, width, channel) float32.

        Raises:
            InputError: labels that are no classes, or not n of them.
        """
        if labels is None or np.ndim(labels) == 2:
            return super().generate(n, seed, batch_size, labels)
        given = np.full(n, labels) if np.ndim(labels) == 0 else np.asarray(labels)
        whole = given.shape == (n,) and given.dtype.kind in "iu"
        if not whole or given.min() < 0 or given.max() >= self.conditions:
            raise InputError("Images of these labels cannot be generated.",
                             expected=f"{n} whole numbers from 0 to {self.conditions - 1}",
                             got=f"shape {given.shape}, {np.unique(given)[:9].tolist()}",
                             fix="pass the place of each class in the list of classes")
        return super().generate(n, seed, batch_size, np.eye(self.conditions)[given])

    def classify(self, images, batch_size=256):
        """Probabilities (n, classes) float32 of the class head.

        Its labels of the GAN's own images are no evidence: the generator was trained on them.
        """
        images = np.asarray(images, np.float32)
        found = [np.zeros((0, self.classes), np.float32)]
        share = tf.nn.softmax if self.exclusive else tf.nn.sigmoid
        for start in range(0, len(images), batch_size):
            some = images[start : start + batch_size]
            none = np.zeros((len(some), self.conditions), np.float32)  # logits do not look at them
            _, logits = self.discriminator([some, none], training=False)
            found.append(share(logits).numpy())
        return np.concatenate(found)

    def get_config(self):
        names = ("exclusive", "class_weight", "generator_class_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _classes_of(discriminator, conditions: int) -> int:
    """The number of classes, or an error."""
    classes = int(discriminator.outputs[1].shape[-1]) if len(discriminator.outputs) == 2 else 0
    if 0 < classes <= conditions:
        return classes
    raise InputError(
        "These networks are not for classes, or not for the same ones.",
        expected="networks with conditions, and a class head for some of these",
        got=f"{conditions} conditions and {classes} class logits",
        fix="build them with conditions=k and classes=k, or call build_gan",
    )
