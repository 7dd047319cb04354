"""The GAN of the comparisons: both kinds of networks learn, the same call gives the same images."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.lessons.image_gan import train_images
from ecg_tf.training.callbacks import mean_pairwise_distance


def stripes(n, seed=0):
    """Images whose left half is one number and whose right half is the opposite one."""
    left = np.random.default_rng(seed).uniform(-0.9, 0.9, (n, 1, 1, 1))
    return np.concatenate([left, -left], 2).repeat(8, 1).repeat(4, 2).astype(np.float32)


@pytest.mark.parametrize("networks", [
    "dense", pytest.param("convolutional", marks=pytest.mark.slow)])
def test_it_learns_that_one_half_is_the_opposite_of_the_other(networks):
    gan = train_images(stripes(256), 300, networks, latent_dim=8, base_filters=8, batch_size=32)
    images = gan.generate(200, seed=1)
    assert images.shape == (200, 8, 8, 1)
    left, right = images[:, :, :4].mean(axis=(1, 2, 3)), images[:, :, 4:].mean(axis=(1, 2, 3))
    assert np.corrcoef(left, right)[0, 1] < -0.8
    assert mean_pairwise_distance(images) > 0.5 * mean_pairwise_distance(stripes(200))


def test_the_same_call_gives_the_same_images():
    images = [train_images(stripes(16), 2, "dense", latent_dim=4, batch_size=4, seed=1)
              .generate(4, seed=0) for _ in range(2)]
    assert np.array_equal(*images)


def test_bad_settings_are_named():
    for images, options, says in (
        (stripes(1), {}, "2 images"), (stripes(4) * np.nan, {}, "finite"),
        (stripes(4), {"networks": "convolution"}, "convolutional"), (stripes(4)[0], {}, "shape"),
        (stripes(4), {"steps": 0}, "steps"), (stripes(4), {"learning_rate": "1e-3"}, "learning"),
        (stripes(4), {"batch_size": 1}, "batch_size"), (stripes(4), {"seed": -1}, "seed"),
    ):
        with pytest.raises(InputError, match=says):
            train_images(images, **{"steps": 1, **options})
