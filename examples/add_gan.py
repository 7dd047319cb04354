"""A GAN of one's own: another loss, trained as all others are."""

import tempfile

import keras
import tensorflow as tf

from ecg_tf.config.experiment import MODELS, Experiment
from ecg_tf.models import GAN
from ecg_tf.training.data import prepare_data
from ecg_tf.training.families import FAMILIES, Family
from ecg_tf.training.fit import train


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

with tempfile.TemporaryDirectory() as runs:  # far too small for ECGs, enough to see it work
    experiment = Experiment(model="hinge", arrangement="row_major", height=8, width=16, steps=4,
                            base_filters=2, latent_dim=4, batch_size=4, subjects=3, minutes=0.5,
                            strip_seconds=1, precision="float32", runs_dir=runs)
    data = prepare_data(experiment)
    gan = train(experiment, data, progress=False)
decoded = data.codec.decode(gan.generate(2, seed=0))
print(f"{type(gan).__name__}, {int(gan.step.value)} steps; decoded: {decoded.signals.shape} mV")
