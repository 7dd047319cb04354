"""Networks for images of any shape, and the GANs that train them.

| file | what lives there |
| --- | --- |
| `networks.py`, `layers.py` | generator, discriminator and their parts |
| `projection.py` | what the codec could have made: the generator draws nothing else |
| `gan.py` | what all GANs share: the step, the averaged weights, saving |
| `dcgan.py`, `r1gan.py`, `wgan_gp.py` | the losses |
| `acgan.py` | a GAN over classes |
| `wavegan.py` | networks along time, without images |
| `identity.py` | the network that names persons, and what being named costs |
| `sampling.py`, `rejection.py` | seeded images; rough ones drawn again |
| `schedules.py`, `names.py`, `replica_batch.py` | learning rates, file names, several devices |
"""

from ecg_tf.models.acgan import ACGAN, build_acgan
from ecg_tf.models.dcgan import DCGAN
from ecg_tf.models.gan import GAN
from ecg_tf.models.layers import HelicalConv2D, HelicalPadding, MinibatchStd
from ecg_tf.models.networks import build_discriminator, build_generator
from ecg_tf.models.projection import HalfMean, IntervalMean, projection_of
from ecg_tf.models.r1gan import R1GAN
from ecg_tf.models.rejection import redrawing
from ecg_tf.models.schedules import HoldThenFall
from ecg_tf.models.wavegan import build_wave_discriminator, build_wave_generator
from ecg_tf.models.wgan_gp import WGANGP

__all__ = [
    "ACGAN",
    "DCGAN",
    "GAN",
    "HalfMean",
    "HelicalConv2D",
    "HelicalPadding",
    "HoldThenFall",
    "IntervalMean",
    "MinibatchStd",
    "R1GAN",
    "WGANGP",
    "build_acgan",
    "build_discriminator",
    "build_generator",
    "build_wave_discriminator",
    "build_wave_generator",
    "projection_of",
    "redrawing",
]
