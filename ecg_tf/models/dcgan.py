"""Cross-entropy GAN (Goodfellow 2014): saturating or not, real labels smoothed or not."""

import keras
import tensorflow as tf

from ecg_tf.base.errors import InputError, closest
from ecg_tf.models.gan import GAN

LOSSES = ("non_saturating", "saturating")


@keras.saving.register_keras_serializable(package="ecg_tf")
class DCGAN(GAN):
    """Cross-entropy between real and generated.

    With "non_saturating" the generator maximizes log D(G(z)); with "saturating" it minimizes
    log(1 - D(G(z))), whose gradient vanishes as soon as the discriminator wins: kept to show it
    (Goodfellow 2014, section 3).

    Args:
        generator: keras.Model, as for `GAN`.
        discriminator: keras.Model, as for `GAN`.
        loss: str, "non_saturating" or "saturating", default "non_saturating".
        label_smoothing: float in [0, 0.5], one-sided: real images have the label
            1 - label_smoothing, generated ones stay at 0 (Salimans 2016), default 0.
        **kwargs: further arguments of `GAN`.

    Raises:
        InputError: unknown loss, or smoothing out of range.
    """

    def __init__(
        self, generator, discriminator, *, loss="non_saturating", label_smoothing=0.0, **kwargs
    ):
        super().__init__(generator, discriminator, **kwargs)
        if loss not in LOSSES:
            raise InputError(
                "Unknown loss for DCGAN.",
                expected=f"one of {', '.join(LOSSES)}",
                got=loss,
                fix=closest(loss, LOSSES) or "use non_saturating",
            )
        if not 0 <= label_smoothing <= 0.5:
            raise InputError(
                "'label_smoothing' is out of range.",
                expected="0 to 0.5",
                got=label_smoothing,
                fix="pass 0.1, or 0 for none",
            )
        self.loss_name, self.label_smoothing = loss, float(label_smoothing)

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
