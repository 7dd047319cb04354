"""Wasserstein GAN with gradient penalty (Gulrajani 2017)."""

import keras
import tensorflow as tf

from ecg_tf.models.gan import GAN, squared_slopes
from ecg_tf.models.replica_batch import draw_share


@keras.saving.register_keras_serializable(package="ecg_tf")
class WGANGP(GAN):
    """The critic's scores estimate the Wasserstein-1 distance; a penalty keeps its slope near 1.

    All `n_critic` updates of a step use the step's batch of real images and fresh generated ones.

    Args:
        generator: keras.Model, as for `GAN`.
        discriminator: keras.Model, the critic, as for `GAN`.
        gradient_penalty: float, weight of the penalty, default 10.
        n_critic: int, critic updates before each generator update, default 5.
        **kwargs: further arguments of `GAN`.
    """

    penalty_every = 1

    def __init__(self, generator, discriminator, *, gradient_penalty=10.0, n_critic=5, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.gradient_penalty, self.n_critic = float(gradient_penalty), int(n_critic)

    def discriminator_loss(self, real_scores, generated_scores):
        return tf.reduce_mean(generated_scores) - tf.reduce_mean(real_scores)

    def generator_loss(self, real_scores, generated_scores):
        return -tf.reduce_mean(generated_scores)

    def penalty(self, images, generated):
        # Points between a real and a generated image, all along the line: uniform, not normal.
        weight = draw_share(lambda n: keras.random.uniform((n, 1, 1, 1), seed=self.seed_generator),
                            tf.shape(images)[0])
        between = images + weight * (generated - images)
        # Without the 1e-12 the root's own gradient is infinite where the critic is flat.
        norms = tf.sqrt(squared_slopes(self.score, between) + 1e-12)
        return self.gradient_penalty * tf.reduce_mean(tf.square(norms - 1.0))

    def default_optimizers(self):
        return tuple(keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9) for _ in range(2))

    def get_config(self):
        own = {"gradient_penalty": self.gradient_penalty, "n_critic": self.n_critic}
        return {**super().get_config(), **own}
