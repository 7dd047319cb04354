"""Images rougher than every real one are generated again, by the generator itself."""

import keras
import numpy as np
import pytest

from ecg_tf.config.experiment import Experiment
from ecg_tf.models.privacy import ATTEMPTS, rejection_sampling, roughest, roughness
from ecg_tf.models.sampling import sample_images
from ecg_tf.training.data import prepare_data
from ecg_tf.training.synthesis import final_generator, synthesize
from tests.study.test_run import TINY


@pytest.fixture(scope="module")
def data():
    return prepare_data(Experiment(**TINY))


@pytest.fixture(scope="module")
def generator(data):
    """A network whose images are rough where the first latent is large."""
    height, width, channels = data.codec.image_shape
    latents = keras.Input((8,))
    x = keras.layers.Dense(height * width * channels, use_bias=False)(latents)
    x = keras.layers.Reshape(data.codec.image_shape)(x)
    model = keras.Model(latents, x)
    kernel = np.zeros(model.weights[0].shape, np.float32)
    kernel[0] = np.where(np.arange(kernel.shape[1]) // channels % 2, 0.1, -0.1)
    kernel[1] = 1e-4
    model.set_weights([kernel])
    return model


def of(images, data):
    return roughness(images[..., : data.codec.channels.count("signal")])


def test_roughness_is_that_of_the_second_difference():
    rows = np.array([0, 1, 0, 1, 0], float).reshape(1, 1, 5, 1)
    assert roughness(rows)[0] == 2 and roughness(rows * 0)[0] == 0
    ramp = np.arange(5.0).reshape(1, 1, 5, 1)
    assert roughness(ramp)[0] == 0 and float(roughness(keras.ops.array(rows))[0]) == 2


def test_the_roughest_is_found_whatever_the_blocks(data):
    windows = data.windows["train"]
    wanted = of(data.codec.encode(windows), data).max()
    assert roughest(windows, data.codec) == pytest.approx(wanted, rel=1e-6)


def test_rough_images_are_drawn_again_and_the_others_left_alone(data, generator, tmp_path):
    plain = sample_images(generator, 400, seed=3)
    limit = float(np.quantile(of(plain, data), 0.8))
    rejecting = rejection_sampling(generator, data.codec, limit)
    found = sample_images(rejecting, 400, seed=3)
    before, after = of(plain, data) > limit, of(found, data) > limit
    assert before.mean() == pytest.approx(0.2, abs=0.01)
    assert after.mean() < 3 * 0.2**ATTEMPTS + 0.005
    np.testing.assert_array_equal(found[~before], plain[~before])
    assert len(np.unique(found[before].reshape(before.sum(), -1), axis=0)) == before.sum()
    rejecting.save(tmp_path / "generator.keras")
    loaded = keras.saving.load_model(tmp_path / "generator.keras", safe_mode=True)
    np.testing.assert_array_equal(sample_images(loaded, 400, seed=3), found)


def test_a_run_leaves_the_generator_that_was_asked_for(data, generator):
    from types import SimpleNamespace

    gan = SimpleNamespace(ema_generator=generator)
    assert final_generator(Experiment(**TINY), gan, data) is generator
    plain = of(sample_images(generator, 100, seed=1), data)
    for times in (1.0, float(np.median(plain)) / roughest(data.windows["train"], data.codec)):
        final = final_generator(Experiment(**TINY | {"rejection_roughness": times}), gan, data)
        limit = times * roughest(data.windows["train"], data.codec)
        rough = of(sample_images(final, 100, seed=1), data) > limit
        assert rough.mean() < (plain > limit).mean()
    windows = synthesize(final, data.codec, 5, seed=1)
    assert len(windows) == 5 and np.isfinite(windows.signals[0, : windows.lengths[0]]).all()
