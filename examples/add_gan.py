"""A GAN of one's own: another loss, trained as all others are."""

import keras
import tensorflow as tf

import ecg_tf as et
from ecg_tf.config.experiment import MODELS
from ecg_tf.models import GAN
from ecg_tf.testing import check_gan
from ecg_tf.training.families import FAMILIES, Family, build_gan


@keras.saving.register_keras_serializable(package="ecg_tf")  # so that checkpoints can be read
class HingeGAN(GAN):
    """Hinge loss (Lim and Ye 2017): what is told apart by a margin of 1 no longer counts."""

    def discriminator_loss(self, real_scores, generated_scores):
        real, generated = tf.nn.relu(1.0 - real_scores), tf.nn.relu(1.0 + generated_scores)
        return tf.reduce_mean(real) + tf.reduce_mean(generated)

    def generator_loss(self, real_scores, generated_scores):
        return -tf.reduce_mean(generated_scores)


# In the project the class goes into ecg_tf/models/losses.py, these lines into `MODELS` in
# ecg_tf/config/experiment.py and `FAMILIES` in ecg_tf/training/families.py.
MODELS["hinge"] = "hinge loss"
FAMILIES["hinge"] = Family(HingeGAN)

train = et.load("simulated", subjects=3, minutes=0.5)
codec = et.Codec("row_major", height=8, width=16).fit(train)
small = {"base_filters": 2, "latent_dim": 4, "batch_size": 4, "padding": "zero"}
gan = et.GAN("hinge", codec, **small).fit(train, steps=4, progress=False)
check_gan(lambda: build_gan(gan.experiment, codec))
print(f"{type(gan.network).__name__}, 4 steps: {gan.sample(2)[0].signal.shape} mV")
