"""Networks for images of any shape, and the GANs that train them (TensorFlow).

| file | content |
| --- | --- |
| `gan.py` | what all GANs share: the training step, averaged weights, saving |
| `losses.py`, `acgan.py` | the losses; a GAN over classes |
| `beat_basis.py`, `beat_layers.py`, `beat_networks.py` | networks that read and make beats |
| `diffusion.py` | denoising diffusion over what these read |
| `networks.py`, `layers.py`, `projection.py` | generator, discriminator and their parts |
| `privacy.py` | identity-adversarial loss, rejection sampling by roughness |
| `sampling.py`, `devices.py` | seeded images; several devices |

All of them are imported here: Keras reads a saved network only if it knows its layers.
"""

from ecg_tf.models.acgan import ACGAN
from ecg_tf.models.beat_networks import build_beat_discriminator, build_beat_generator
from ecg_tf.models.diffusion import Diffusion, build_diffusion_generator
from ecg_tf.models.gan import GAN, HoldThenFall
from ecg_tf.models.layers import HelicalConv2D, MinibatchStd
from ecg_tf.models.losses import DCGAN, R1GAN, WGANGP, BeatGAN
from ecg_tf.models.networks import build_discriminator, build_generator
from ecg_tf.models.privacy import rejection_sampling
from ecg_tf.models.projection import HalfMean, IntervalMean, projection_of

__all__ = [
    "ACGAN",
    "BeatGAN",
    "DCGAN",
    "Diffusion",
    "GAN",
    "R1GAN",
    "WGANGP",
    "HalfMean",
    "HelicalConv2D",
    "HoldThenFall",
    "IntervalMean",
    "MinibatchStd",
    "build_beat_discriminator",
    "build_beat_generator",
    "build_diffusion_generator",
    "build_discriminator",
    "build_generator",
    "projection_of",
    "rejection_sampling",
]
