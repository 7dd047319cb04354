"""A GAN that draws what it is told to, with a class head beside the score (AC-GAN)."""

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models.gan import squared_slopes
from ecg_tf.models.networks import build_discriminator, build_generator
from ecg_tf.models.r1gan import R1GAN
from ecg_tf.models.sampling import draw


@keras.saving.register_keras_serializable(package="ecg_tf")
class ACGAN(R1GAN):
    """The discriminator also names the class of an image, and the generator is to be understood.

    The score stays that of `R1GAN`; each real image is paired with a generated one of its own
    class, so that a class is never compared with another. To both losses a cross-entropy of the
    class is added (Odena 2017, "Conditional image synthesis with auxiliary classifier GANs"):

        L_D = softplus(D(G(z, c), c) - D(x, c)) + class_weight * -log P(c | x)
        L_G = softplus(D(x, c) - D(G(z, c), c)) + generator_class_weight * -log P(c | G(z, c))

    The class term alone rewards images that no one could mistake, which are not typical ones. So
    where the discriminator has twice as many logits as there are classes, the second half are
    scores of the classes: D(x, c) = score(x) + score_c(x) asks for a typical image of that class
    (as the projection of Miyato 2018 does).

    Args:
        generator: keras.Model, [latents, labels] -> images (`build_generator(classes=n)`).
        discriminator: keras.Model, images -> [scores, logits], with n logits, or 2 n.
        class_weight: float, weight of the class loss at real images, default 1.
        generator_class_weight: float, the same for the generator, default 0.2.
        generated_class_weight: float, for the discriminator at generated images; Odena's 1 teaches
            it to take the generator's word for a class, default 0.
        **kwargs: further arguments of `R1GAN` and `GAN`.

    Raises:
        InputError: networks without classes, or with other numbers of them; a negative weight; an
            `identity`, which has no place in this loss.

    Example:
        >>> gan = build_acgan((8, 16, 3), classes=4)
        >>> gan.compile()
        >>> gan.fit(images_and_labels, epochs=1, steps_per_epoch=1000, shuffle=False)
        >>> gan.generate(8, seed=1, labels=[0, 1, 2, 3] * 2).shape
        (8, 8, 16, 3)
    """

    def __init__(
        self, generator, discriminator, *, class_weight=1.0, generator_class_weight=0.2,
        generated_class_weight=0.0, **kwargs,
    ):
        classes = _check_classes(generator, discriminator)
        super().__init__(generator, discriminator, **kwargs)
        weights = class_weight, generator_class_weight, generated_class_weight
        if min(weights) < 0:
            raise InputError("A weight of ACGAN is negative.", expected="0 or more", got=weights,
                             fix="pass class_weight=1, generator_class_weight=0.2")
        if self.identity is not None:
            raise InputError("An ACGAN cannot pay for images of training persons.",
                             expected="no identity", got="a network that names persons",
                             fix="leave identity out, or take a GAN without classes")
        self.classes = classes
        self.class_weight, self.generator_class_weight = float(weights[0]), float(weights[1])
        self.generated_class_weight = float(weights[2])
        for name in ("class_loss", "class_accuracy", "generated_class_accuracy"):
            self.trackers[name] = keras.metrics.Mean(name=name)

    # Training

    def train_step(self, data):
        images, labels = tf.convert_to_tensor(data[0]), tf.cast(data[1], tf.int32)
        with tf.GradientTape() as drawing:
            latents = self.draw_latents(tf.shape(images)[0])
            generated = self.generator([latents, labels], training=True)
        d_loss, class_loss, real, fake = self.discriminator_step((images, labels),
                                                                 (generated, labels))
        # As in `GAN.train_step`: the updated discriminator says how each pixel should change.
        with tf.GradientTape() as tape:
            tape.watch(generated)
            real_scores = self.score((images, labels)) if self.relativistic else None
            scores, logits = self.judge(generated, labels)
            g_loss = self.generator_loss(real_scores, scores)
            wanted = g_loss + self.generator_class_weight * _cross_entropy(labels, logits)
        gradients = self.update_generator(drawing, generated, tape.gradient(wanted, generated))
        return self.track(
            d_loss=d_loss,
            g_loss=g_loss,
            real_score=tf.reduce_mean(real[0]),
            generated_score=tf.reduce_mean(fake[0]),
            g_grad_norm=tf.linalg.global_norm(gradients),
            class_loss=class_loss,
            class_accuracy=_accuracy(labels, real[1]),
            generated_class_accuracy=_accuracy(labels, fake[1]),
        )

    def discriminator_step(self, images, generated):
        """One update; takes and scores pairs (images, labels)."""
        labels = images[1]
        with tf.GradientTape() as tape:
            real, fake = self.judge(*images), self.judge(*generated)
            loss = self.discriminator_loss(real[0], fake[0])
            class_loss = _cross_entropy(labels, real[1])
            total = loss + self.class_weight * class_loss
            if self.generated_class_weight:
                total += self.generated_class_weight * _cross_entropy(labels, fake[1])
        self.update_discriminator(tape, total, images, generated)
        return loss, class_loss, real, fake

    def judge(self, images, labels):
        """(scores as images of `labels` (batch, 1), class logits (batch, classes))."""
        if self.augment is not None:
            images = self.augment(images)
        scores, logits = self.discriminator(images, training=True)
        if logits.shape[-1] > self.classes:
            own = tf.one_hot(labels, self.classes) * logits[:, self.classes :]
            scores += tf.reduce_sum(own, axis=1, keepdims=True)
        return scores, logits[:, : self.classes]

    def score(self, images):
        """Scores (batch, 1) of a pair (images, labels)."""
        return self.judge(*images)[0]

    def _squared_slope(self, images):
        pixels, labels = images
        slopes = squared_slopes(lambda pixels: self.score((pixels, labels)), pixels)
        return tf.reduce_mean(slopes)

    # Drawing and naming images

    def call(self, inputs, training=False):
        return self.ema_generator(inputs, training=training)

    def generate(self, n, seed, batch_size=64, truncation=1.0, labels=None):
        """Draws images of classes from the averaged weights; the same ones for the same seed.

        Args:
            n, seed, batch_size, truncation: as in `GAN.generate`.
            labels: (n,) numbers of classes, or one for all; default: 0, 1, 2, ... in turn.

        Returns:
            images (n, height, width, channel) float32.

        Raises:
            InputError: labels that are no classes, or not n of them.
        """
        latents = self.latents(n, seed, truncation)
        given = np.arange(n) % self.classes if labels is None else np.asarray(labels)
        if given.ndim == 0:
            given = np.full(n, given)
        whole = given.shape == (n,) and given.dtype.kind in "iu"
        if not whole or given.min() < 0 or given.max() >= self.classes:
            raise InputError(
                "These labels cannot be drawn.",
                expected=f"{n} whole numbers from 0 to {self.classes - 1}",
                got=f"shape {given.shape}, {np.unique(given)[:9].tolist()}",
                fix="pass the place of each class in the list of classes",
            )
        return draw(self, latents, given, batch_size)

    def classify(self, images, batch_size=256):
        """What the class head says: probabilities (n, classes) float32.

        Its opinion of the GAN's own images is no evidence: they were made to please it.
        """
        images = np.asarray(images, np.float32)
        said = [
            tf.nn.softmax(self.discriminator(images[at : at + batch_size], training=False)[1][
                :, : self.classes]).numpy()
            for at in range(0, len(images), batch_size)
        ]
        return np.concatenate(said) if said else np.zeros((0, self.classes), np.float32)

    def get_config(self):
        names = ("class_weight", "generator_class_weight", "generated_class_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def build_acgan(image_shape, classes, *, latent_dim=64, base_filters=32, padding="zero",
                projection=None, class_scores=True, dtype=None, **kwargs):
    """Both networks and the GAN.

    Args:
        image_shape: (height, width, channels).
        classes: int, number of classes.
        latent_dim, base_filters, padding, projection, dtype: of the networks.
        class_scores: bool, score each image as one of its class; False is the plain AC-GAN.
        **kwargs: further arguments of `ACGAN`.

    Returns:
        ACGAN, not compiled.
    """
    generator = build_generator(image_shape, latent_dim, base_filters, padding=padding,
                                classes=classes, projection=projection, dtype=dtype)
    # A class head that looks at one image must not depend on the others of its batch.
    discriminator = build_discriminator(
        image_shape, base_filters, padding=padding, minibatch_std=False, dtype=dtype,
        classes=classes * (2 if class_scores else 1),
    )
    return ACGAN(generator, discriminator, **kwargs)


def _cross_entropy(labels, logits):
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )


def _accuracy(labels, logits):
    named = tf.argmax(logits, axis=1, output_type=tf.int32)
    return tf.reduce_mean(tf.cast(named == labels, tf.float32))


def _check_classes(generator, discriminator):
    """The number of classes, or an error."""
    names = [layer.name for layer in generator.layers]
    heads = len(discriminator.outputs)
    if len(generator.inputs) == 2 and "class_code" in names and heads == 2:
        classes = int(generator.get_layer("class_code").input_dim)
        logits = int(discriminator.outputs[1].shape[-1])
        if logits in (classes, 2 * classes):
            return classes
        got = f"{classes} classes and {logits} logits"
    else:
        got = f"a generator with {len(generator.inputs)} inputs, {heads} outputs of the other"
    raise InputError(
        "These networks are not for classes, or not for the same ones.",
        expected="a generator that takes labels of n classes, a class head with n or 2 n logits",
        got=got,
        fix="build both with classes=n, or call build_acgan",
    )
