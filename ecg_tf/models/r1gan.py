"""A GAN with zero-centred gradient penalties (Mescheder 2018), relativistic or not."""

import keras
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models.gan import GAN, squared_slopes


@keras.saving.register_keras_serializable(package="ecg_tf")
class R1GAN(GAN):
    """Punishes the discriminator's slope at real images, so that training settles down.

    Relativistic pairing compares each real image with a generated one, D(x) - D(G(z)): a generator
    that leaves out a mode is told so by every real image of it (Jolicoeur-Martineau 2019; Huang
    2024, "The GAN is dead; long live the GAN!").

    Args:
        generator: keras.Model, as for `GAN`.
        discriminator: keras.Model, as for `GAN`.
        r1: float, weight of the squared slope at real images (as r1 / 2), default 0.5.
        r2: float, the same at generated images, default 0 (off).
        relativistic: bool, pair real with generated images; else non-saturating, default True.
        penalty_every: int, steps between penalties; each is that many times as strong, default 4.
        **kwargs: further arguments of `GAN`.

    Raises:
        InputError: a weight is negative or `penalty_every` is below 1.
    """

    def __init__(
        self, generator, discriminator, *, r1=0.5, r2=0.0, relativistic=True, penalty_every=4,
        **kwargs,
    ):
        super().__init__(generator, discriminator, **kwargs)
        if min(r1, r2) < 0 or penalty_every < 1:
            raise InputError(
                "R1GAN's penalties are out of range.",
                expected="r1 and r2 of 0 or more, penalty_every of 1 or more",
                got=f"r1={r1}, r2={r2}, penalty_every={penalty_every}",
                fix="pass r1=0.5, r2=0, penalty_every=4",
            )
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

    def penalty(self, images, generated):
        total = tf.constant(0.0)
        for weight, where in ((self.r1, images), (self.r2, generated)):
            if weight:
                total += 0.5 * weight * self._squared_slope(where)
        return total

    def default_optimizers(self):
        return tuple(keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99) for _ in range(2))

    def get_config(self):
        names = ("r1", "r2", "relativistic", "penalty_every")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _squared_slope(self, images):
        return tf.reduce_mean(squared_slopes(self.score, images))
