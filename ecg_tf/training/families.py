"""From the name of a model in an experiment to its GAN: one row a family."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.models.acgan import ACGAN
from ecg_tf.models.beat_basis import BeatBasis
from ecg_tf.models.beat_networks import build_beat_discriminator, build_beat_generator
from ecg_tf.models.diffusion import Diffusion, build_diffusion_generator
from ecg_tf.models.gan import GAN
from ecg_tf.models.losses import DCGAN, R1GAN, WGANGP, BeatGAN
from ecg_tf.models.networks import build_discriminator, build_generator
from ecg_tf.models.projection import projection_of
from ecg_tf.training.precision import precision_of


@dataclass(frozen=True)
class Family:
    """What an experiment's `model` stands for.

    Args:
        kind: the GAN's class.
        options: function of the experiment: the class's own options. Default: none.
        networks: "image", "time" (convolutions along time), "beats" (`models.beat_networks`) or
            "denoiser" (`models.diffusion`). Default "image".
    """

    kind: type[GAN]
    options: Callable[[Experiment], dict] = lambda experiment: {}
    networks: str = "image"

    @property
    def fitted(self) -> bool:
        """Whether the networks begin with principal components of the training images."""
        return self.networks in ("beats", "denoiser")


def _penalties(e: Experiment) -> dict:
    return {"r1": e.penalty, "r2": e.penalty, "penalty_every": e.penalty_every}


#: A new one gets its line here and one in `experiment.MODELS`.
FAMILIES = {
    "dcgan": Family(DCGAN),
    "r1gan": Family(R1GAN, _penalties),
    "wavegan": Family(R1GAN, _penalties, "time"),
    "wgan_gp": Family(WGANGP, lambda e: {"gradient_penalty": e.penalty}),
    "beatgan": Family(BeatGAN, _penalties, "beats"),
    "diffusion": Family(Diffusion, networks="denoiser"),
    "acgan": Family(ACGAN, lambda e: {**_penalties(e), "exclusive": False}),
}


def build_gan(experiment: Experiment, codec: Codec, *, conditions: int = 0, classes: int = 0,
              aligned: bool | None = None, projection=None, images=None, **options) -> GAN:
    """The GAN of an experiment for the images of its codec, compiled, with seeded weights.

    Args:
        codec: `Codec`, for the shape of the images.
        conditions: int, numbers that say what to make, see `training.conditions`. Default 0.
        classes: int, how many of them, the first ones, an ACGAN's class head names. Default 0.
        aligned: of `build_discriminator`. Default: whether the arrangement goes by beats.
        projection: what ends the generator, default `projection_of(codec)`.
        images: of the training windows, for networks that are fitted to them (`Family.fitted`).
        **options: of the GAN's class, over those of the experiment.

    Returns:
        GAN of the experiment's family.

    Raises:
        InputError: classes without an ACGAN, or an ACGAN without classes; networks of beats without
            images, or for images of another kind.

    Example:
        >>> build_gan(experiment, data.codec).image_shape == data.codec.image_shape
        True
    """
    e, family = experiment, FAMILIES[experiment.model]
    if bool(classes) != issubclass(family.kind, ACGAN):
        raise InputError(f"The model '{e.model}' does not fit the labels.",
                         expected="classes for acgan, none for another model",
                         got=f"{classes} classes",
                         fix="set model to acgan and name labels, or choose r1gan")
    keras.utils.set_random_seed(e.seed)
    common = {"base_filters": e.base_filters, "dtype": precision_of(e.precision),
              "conditions": conditions}
    if family.fitted:
        if images is None:
            raise InputError(f"The networks of the model '{e.model}' are fitted to images.",
                             expected="images=codec.encode(training windows)", got="none",
                             fix="pass images to build_gan")
        basis = BeatBasis.fit(codec, images)
    if family.networks == "denoiser":
        generator = build_diffusion_generator(basis, images, **common)
        discriminator = None  # its own
    elif family.networks == "beats":
        generator = build_beat_generator(basis, e.latent_dim, **common)
        discriminator = build_beat_discriminator(basis, **common)
    else:
        look = {"padding": e.padding, "along_time": family.networks == "time"}
        generator = build_generator(codec.image_shape, e.latent_dim, **look, **common,
                                    projection=projection or projection_of(codec))
        discriminator = build_discriminator(
            codec.image_shape, aligned=codec.kind.by_beats if aligned is None else aligned,
            # A class head that looks at one image must not depend on the others of its batch.
            classes=classes, minibatch_std=not classes, **look, **common)
    options = {"ema_decay": e.ema_decay, "seed": e.seed, **family.options(e), **options}
    gan = family.kind(generator, discriminator, **options)
    gan.compile(*(gan.adam(e.steps, e.learning_rate, e.decay) for _ in range(2)))
    return gan
