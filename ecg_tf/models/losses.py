"""The losses: cross-entropy (DCGAN), relativistic with R1 and R2, Wasserstein (WGAN-GP)."""

import keras
import tensorflow as tf

from ecg_tf.base.checks import choice, number
from ecg_tf.base.errors import InputError
from ecg_tf.models.devices import random_share
from ecg_tf.models.gan import GAN

LOSSES = ("non_saturating", "saturating")


@keras.saving.register_keras_serializable(package="ecg_tf")
class DCGAN(GAN):
    """Cross-entropy between real and generated (Goodfellow 2014).

    With "non_saturating" the generator maximizes log D(G(z)); with "saturating" it minimizes
    log(1 - D(G(z))), whose gradient vanishes as soon as the discriminator wins: kept to show it
    (Goodfellow 2014, section 3).

    Args:
        generator, discriminator: keras.Model, as for `GAN`.
        loss: str, "non_saturating" or "saturating", default "non_saturating".
        label_smoothing: float in [0, 0.5], one-sided: real images have the label
            1 - label_smoothing, generated ones stay at 0 (Salimans 2016), default 0.
        **kwargs: further arguments of `GAN`.

    Raises:
        InputError: unknown loss, or smoothing out of range.
    """

    beta_1 = 0.5

    def __init__(self, generator, discriminator, *, loss="non_saturating", label_smoothing=0.0,
                 **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.loss_name = choice(loss, "loss of DCGAN", LOSSES)
        self.label_smoothing = number(label_smoothing, "label_smoothing", 0, 0.5)

    def discriminator_loss(self, real_scores, generated_scores):
        # -log D(x) = softplus(-score), -log(1 - D(x)) = softplus(score): exact at any score.
        s = self.label_smoothing
        real = (1 - s) * tf.nn.softplus(-real_scores) + s * tf.nn.softplus(real_scores)
        return tf.reduce_mean(real) + tf.reduce_mean(tf.nn.softplus(generated_scores))

    def generator_loss(self, real_scores, generated_scores):
        if self.loss_name == "saturating":
            return -tf.reduce_mean(tf.nn.softplus(generated_scores))
        return tf.reduce_mean(tf.nn.softplus(-generated_scores))

    def get_config(self):
        own = {"loss": self.loss_name, "label_smoothing": self.label_smoothing}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="ecg_tf")
class R1GAN(GAN):
    """Zero-centred penalties on the discriminator's slope settle the training (Mescheder 2018).

    Relativistic pairing compares each real image with a generated one, D(x) - D(G(z)): a generator
    that leaves out a mode is penalized by every real image of it (Jolicoeur-Martineau 2019; Huang
    2024, "The GAN is dead; long live the GAN!").

    Args:
        generator, discriminator: keras.Model, as for `GAN`.
        r1: float, weight of the squared slope at real images (as r1 / 2), default 1.
        r2: float, the same at generated images, default 1.
        relativistic: bool, pair real with generated images; else non-saturating, default True.
        penalty_every: int, steps between penalties; each is that many times as strong, default 4.
        **kwargs: further arguments of `GAN`.

    Raises:
        InputError: a weight is negative or `penalty_every` is below 1.
    """

    def __init__(self, generator, discriminator, *, r1=1.0, r2=1.0, relativistic=True,
                 penalty_every=4, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        if min(r1, r2) < 0 or penalty_every < 1:
            raise InputError("R1GAN's penalties are out of range.",
                             expected="r1 and r2 of 0 or more, penalty_every of 1 or more",
                             got=f"r1={r1}, r2={r2}, penalty_every={penalty_every}",
                             fix="pass r1=1, r2=1, penalty_every=4")
        self.r1, self.r2 = float(r1), float(r2)
        self.relativistic, self.penalty_every = bool(relativistic), int(penalty_every)

    def discriminator_loss(self, real_scores, generated_scores):
        if self.relativistic:
            return tf.reduce_mean(tf.nn.softplus(generated_scores - real_scores))
        real, generated = tf.nn.softplus(-real_scores), tf.nn.softplus(generated_scores)
        return tf.reduce_mean(real) + tf.reduce_mean(generated)

    def generator_loss(self, real_scores, generated_scores):
        if self.relativistic:
            return tf.reduce_mean(tf.nn.softplus(real_scores - generated_scores))
        return tf.reduce_mean(tf.nn.softplus(-generated_scores))

    def penalty(self, images, generated, labels=None):
        total = tf.constant(0.0)
        for weight, where in ((self.r1, images), (self.r2, generated)):
            if weight:
                total += 0.5 * weight * tf.reduce_mean(self.slopes(where, labels))
        return total

    def slopes(self, images, labels=None):
        """(batch,) squared gradient of the scores by what the discriminator sees: the pixels."""
        return squared_slopes(lambda pixels: self.score(pixels, labels), images)

    def get_config(self):
        names = ("r1", "r2", "relativistic", "penalty_every")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="ecg_tf")
class BeatGAN(R1GAN):
    """`R1GAN` whose penalties are on slopes by what its discriminator reads of an image.

    Of `build_beat_discriminator`. Read numbers have unit variance, while a component of little
    variance is a faint pattern of many pixels: with slopes by the pixels the discriminator could
    not look at it, and 500 steps on PTB-XL came nowhere near an ECG (MMD² 0.79 against 0.04).

    Raises:
        InputError: another discriminator; as `R1GAN`.
    """

    def __init__(self, generator, discriminator, **kwargs):
        if not any(layer.name == "read" for layer in discriminator.layers):
            raise InputError("A BeatGAN's discriminator reads beats.",
                             expected="a network of build_beat_discriminator",
                             got=f"layers {', '.join(x.name for x in discriminator.layers[:4])}",
                             fix="build it so, or take R1GAN")
        super().__init__(generator, discriminator, **kwargs)
        self.read, self.judge = (self.discriminator.get_layer(name) for name in ("read", "judge"))

    def slopes(self, images, labels=None):
        read, known = self.read(images), [] if labels is None else [labels]
        with tf.GradientTape() as tape:
            tape.watch(read)
            scores = self.judge([*read, *known], training=True)
        # All that is read, else the discriminator is as steep as it likes by the rest.
        return sum(tf.reduce_sum(tf.square(slope), axis=range(1, slope.ndim))
                   for slope in tape.gradient(scores, read))


@keras.saving.register_keras_serializable(package="ecg_tf")
class WGANGP(GAN):
    """The critic's scores estimate the Wasserstein-1 distance; a penalty keeps its slope near 1.

    All `n_critic` updates of a step use the step's batch of real images and fresh generated ones
    (Gulrajani 2017).

    Args:
        generator, discriminator: keras.Model, as for `GAN`.
        gradient_penalty: float, weight of the penalty; default 1 (Gulrajani: 10).
        n_critic: int, critic updates before each generator update, default 5.
        **kwargs: further arguments of `GAN`.
    """

    penalty_every = 1

    def __init__(self, generator, discriminator, *, gradient_penalty=1.0, n_critic=5, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.gradient_penalty, self.n_critic = float(gradient_penalty), int(n_critic)

    def discriminator_loss(self, real_scores, generated_scores):
        return tf.reduce_mean(generated_scores) - tf.reduce_mean(real_scores)

    def generator_loss(self, real_scores, generated_scores):
        return -tf.reduce_mean(generated_scores)

    def penalty(self, images, generated, labels=None):
        # Points between a real and a generated image, all along the line: uniform, not normal.
        weight = random_share(
            lambda n: keras.random.uniform((n, 1, 1, 1), seed=self.seed_generator),
            tf.shape(images)[0])
        between = images + weight * (generated - images)
        # Without the 1e-12 the root's own gradient is infinite where the critic is flat.
        slopes = squared_slopes(lambda pixels: self.score(pixels, labels), between)
        norms = tf.sqrt(slopes + 1e-12)
        return self.gradient_penalty * tf.reduce_mean(tf.square(norms - 1.0))

    def get_config(self):
        own = {"gradient_penalty": self.gradient_penalty, "n_critic": self.n_critic}
        return {**super().get_config(), **own}


def squared_slopes(score, images):
    """(batch,) squared gradient of `score(images)`, (batch, 1), by the pixels of each image."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = score(images)
    slopes = tape.gradient(scores, images)
    return tf.reduce_sum(tf.square(slopes), axis=[1, 2, 3])
