"""A ring of Gaussians: data whose modes can be counted, for looking at how GANs go wrong.

Each point is an image of 1 x 1 pixel with two channels, x and y, so that every GAN of `models`
learns it as it is (Metz 2017, "Unrolled GANs": eight Gaussians on a circle).
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from ecg_tf.base.checks import count, number
from ecg_tf.base.errors import InputError
from ecg_tf.models.layers import MinibatchStd, SpectralNorm
from ecg_tf.models.sampling import sample_latents

SHAPE = (1, 1, 2)  # of a point as an image


@dataclass(frozen=True)
class Ring:
    """Gaussians of equal weight, evenly spaced on a circle.

    Args:
        modes: int, number of Gaussians, default 8.
        radius: float, of the circle, default 1.
        std: float, standard deviation of each Gaussian along x and along y, default 0.05.

    Raises:
        InputError: a number out of range, or Gaussians that overlap (centres nearer than 8 std).

    Example:
        >>> Ring().sample(1000, seed=0).shape
        (1000, 1, 1, 2)
    """

    modes: int = 8
    radius: float = 1.0
    std: float = 0.05

    def __post_init__(self):
        count(self.modes, "modes", 2, 100)
        number(self.radius, "radius", 1e-3, 1e3)
        number(self.std, "std", 1e-9, 1e3)
        apart = 2 * self.radius * np.sin(np.pi / self.modes)
        if apart < 8 * self.std:
            raise InputError("The Gaussians of the ring overlap: their modes cannot be counted.",
                             expected=f"a std of at most {apart / 8:.3g}", got=self.std,
                             fix="take a smaller std, fewer modes or a larger radius")

    @property
    def centers(self) -> np.ndarray:
        """(modes, 2) float64, the first at angle 0."""
        angle = 2 * np.pi * np.arange(self.modes) / self.modes
        return self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Points as images (n, 1, 1, 2) float32, the same ones for the same seed."""
        rng = np.random.default_rng(seed)
        points = self.centers[rng.integers(0, self.modes, count(n, "n", 1, 10**8))]
        points = points + self.std * rng.standard_normal((n, 2))
        return points.reshape(n, *SHAPE).astype(np.float32)

    def counts(self, points) -> np.ndarray:
        """Good points of each mode: those within 3 std of its centre (98.9 % of real points are).

        Args:
            points: (n, 1, 1, 2) or (n, 2).

        Returns:
            (modes,) int.
        """
        points = np.asarray(points, float).reshape(-1, 2)
        distance = np.linalg.norm(points[:, None] - self.centers, axis=2)  # NaN is good nowhere
        return np.sum(distance <= 3 * self.std, axis=0)

    def reached(self, points, least: float = 0.1) -> np.ndarray:
        """Modes that get `least` of their fair share, n / modes, of good points: (modes,) bool."""
        return self.counts(points) >= max(least * len(points) / self.modes, 1)

    def evaluate(self, points, least: float = 0.1) -> dict:
        """How many modes points reach, and how many of the points are good.

        Args:
            points: (n, 1, 1, 2) or (n, 2).
            least: a mode is reached by this share of its fair share, n / modes, of good points;
                default 0.1. A single stray point does not count.

        Returns:
            dict: "modes" (int), "modes_reached" (share of all modes) and "good" (share of points).

        Raises:
            InputError: no points, or points that are not two numbers each.

        Example:
            >>> Ring().evaluate(Ring().sample(2000, seed=0))["modes"]
            8
        """
        points = np.asarray(points, float)
        if not points.size or points.size != 2 * len(points):
            raise InputError("These are no points of a plane.", expected="(n, 2) or (n, 1, 1, 2)",
                             got=points.shape, fix="pass images of a GAN trained on a Ring")
        reached = int(self.reached(points, least).sum())
        return {"modes": reached, "modes_reached": reached / self.modes,
                "good": float(self.counts(points).sum() / len(points))}


def build_point_generator(latent_dim: int = 16, units: int = 64, hidden: int = 2,
                          spread: float = 1.0) -> keras.Model:
    """A dense network, latents (batch, latent_dim) -> points (batch, 1, 1, 2).

    Args:
        latent_dim: int, length of a latent vector, default 16.
        units: int, width of the hidden layers, default 64.
        hidden: int, hidden layers, default 2.
        spread: float, scale of the points before any training, default 1.
    """
    number(spread, "spread", 1e-6, 1e3)
    start = keras.initializers.VarianceScaling(spread**2, "fan_avg", "uniform")
    return keras.Sequential([
        keras.Input((count(latent_dim, "latent_dim", 1, 4096),)), *dense_layers(units, hidden),
        layers.Dense(2, kernel_initializer=start), layers.Reshape(SHAPE),
    ], name="generator")


def build_point_discriminator(units: int = 64, hidden: int = 2, spectral_norm: bool = False,
                              minibatch_std: bool = False) -> keras.Model:
    """A dense network, points (batch, 1, 1, 2) -> scores (batch, 1).

    Args:
        units: int, width of the hidden layers, default 64.
        hidden: int, hidden layers, default 2.
        spectral_norm: bool, keep every kernel's spectral norm at 1 or below, default False.
        minibatch_std: bool, let it see how much the points of a batch differ, default False.
    """
    constraint = SpectralNorm() if spectral_norm else None
    return keras.Sequential([
        keras.Input(SHAPE), *([MinibatchStd()] if minibatch_std else []), layers.Flatten(),
        *dense_layers(units, hidden, constraint), layers.Dense(1, kernel_constraint=constraint),
    ], name="discriminator")


class RingWatch(keras.callbacks.Callback):
    """Adds "modes", "modes_reached" and "good" to the logs, and keeps the points.

    Args:
        ring: `Ring` the GAN learns.
        n: int, points a check, default 1000.
        seed: int, of their latents, default 0.
        averaged: bool, use the averaged weights, else the raw ones; default True.

    Attributes:
        points: dict, step -> (n, 2) float32.
    """

    def __init__(self, ring: Ring, n: int = 1000, seed: int = 0, averaged: bool = True):
        super().__init__()
        self.ring, self.n, self.seed = ring, count(n, "n", 10, 10**6), seed
        self.averaged, self.points = averaged, {}

    def on_epoch_end(self, epoch, logs=None):
        gan = self.model
        if self.averaged:
            images = gan.generate(self.n, self.seed, batch_size=self.n)
        else:
            latents = sample_latents(self.n, gan.latent_dim, self.seed)
            images = np.asarray(gan.generator(latents, training=False))
        self.points[int(gan.step.numpy())] = images.reshape(-1, 2)
        if logs is not None:
            prefix = "" if self.averaged else "raw_"
            logs.update({prefix + k: v for k, v in self.ring.evaluate(images).items()})


def dense_layers(units: int, hidden: int, constraint=None) -> list:
    """`hidden` dense layers of `units` with leaky rectifiers."""
    count(units, "units", 1, 65_536), count(hidden, "hidden", 1, 20)
    return [layer for _ in range(hidden) for layer in (
        layers.Dense(units, kernel_initializer="he_normal", kernel_constraint=constraint),
        layers.LeakyReLU(0.2))]
