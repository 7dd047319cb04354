"""Networks for images of any shape, and the GANs that train them (TensorFlow).

| file | content |
| --- | --- |
| `gan.py` | what all GANs share: the training step, averaged weights, saving |
| `losses.py`, `acgan.py` | the losses; a GAN over classes |
| `networks.py`, `layers.py`, `projection.py` | generator, discriminator and their parts |
| `privacy.py` | identity-adversarial loss, rejection sampling by roughness |
| `sampling.py`, `devices.py` | seeded images; several devices |
"""

from ecg_tf.models.acgan import ACGAN
from ecg_tf.models.gan import GAN, HoldThenFall
from ecg_tf.models.layers import HelicalConv2D, MinibatchStd
from ecg_tf.models.losses import DCGAN, R1GAN, WGANGP
from ecg_tf.models.networks import build_discriminator, build_generator
from ecg_tf.models.privacy import rejection_sampling
from ecg_tf.models.projection import HalfMean, IntervalMean, projection_of

__all__ = [
    "ACGAN",
    "DCGAN",
    "GAN",
    "R1GAN",
    "WGANGP",
    "HalfMean",
    "HelicalConv2D",
    "HoldThenFall",
    "IntervalMean",
    "MinibatchStd",
    "build_discriminator",
    "build_generator",
    "projection_of",
    "rejection_sampling",
]
