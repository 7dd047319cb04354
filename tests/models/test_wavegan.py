"""The 1-D networks: they see a strip of samples, and nothing but that differs from the 2-D ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.arrangements import make_arrangement
from ecg_tf.models import R1GAN, build_discriminator, build_generator
from ecg_tf.models.networks import strip_lengths
from ecg_tf.training.data import prepare_data
from ecg_tf.training.families import build_gan
from tests.study.test_run import TINY

WAVE = TINY | {"model": "wavegan", "arrangement": "row_major"}


@pytest.mark.parametrize("shape", [(32, 64, 1), (64, 64, 1), (16, 32, 2)])
def test_as_many_weights_as_the_two_dimensional_networks(shape):
    image, wave = build_generator(shape, 16, 8), build_generator(shape, 16, 8, along_time=True)
    gate = image.get_layer("row_gate")  # a strip has no rows that could differ
    assert wave.count_params() == image.count_params() - gate.count_params()
    assert gate.count_params() < 0.01 * image.count_params()
    assert wave.output_shape == image.output_shape
    image, wave = build_discriminator(shape, 8), build_discriminator(shape, 8, along_time=True)
    assert wave.count_params() == image.count_params()
    assert wave.output_shape == image.output_shape


@pytest.mark.parametrize("shape", [(9, 9, 1), (8, 8, 3), (10, 33, 1)])
def test_any_shape_is_drawn_and_scored(shape):
    images = build_generator(shape, 4, 4, along_time=True)(np.ones((2, 4), np.float32))
    assert images.shape == (2, *shape) and images.dtype == "float32"
    assert float(tf.reduce_max(tf.abs(images))) <= 1
    assert build_discriminator(shape, 4, along_time=True)(images).shape == (2, 1)


def test_lengths_end_at_the_coarsest():
    assert strip_lengths(512) == [512, 128, 32] and strip_lengths(64) == [64]
    assert strip_lengths(515) == [515, 129, 33]


def reach(network, shape, sample):
    """Samples (time order) whose value changes the first layer's output at `sample`'s patch."""
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    inner = keras.Model(network.inputs, first.output)
    images = tf.random.stateless_normal((1, *shape), seed=(0, 1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = tf.reduce_sum(inner(images)[0, 0, sample // 4])
    slopes = make_arrangement("row_major", *shape[:2]).decode(tape.gradient(value, images).numpy())
    return np.flatnonzero(slopes[0, :, 0])


def test_a_convolution_sees_the_neighbours_in_time_across_the_rows():
    shape = (16, 32, 1)
    seen = reach(build_discriminator(shape, 4, along_time=True), shape, sample=130)
    # The patch of 130 starts at 128, the start of a row; four patches of 4 on either side.
    np.testing.assert_array_equal(seen, np.arange(128 - 16, 132 + 16))


def test_what_is_drawn_is_a_strip_shifted_nowhere():
    generator = build_generator((16, 32, 1), 4, 4, along_time=True)
    inner = keras.Model(generator.inputs, generator.layers[-2].input)  # patches, before reshaping
    latents = np.random.default_rng(0).normal(size=(1, 4)).astype(np.float32)
    strip = make_arrangement("row_major", 16, 32).decode(generator(latents).numpy())
    np.testing.assert_allclose(strip[0, :, 0], np.tanh(inner(latents).numpy().ravel()), atol=1e-6)


def test_the_experiment_builds_it_trains_it_and_it_survives_a_file(tmp_path):
    experiment = Experiment.from_dict(WAVE | {"runs_dir": str(tmp_path)})
    data = prepare_data(experiment)
    gan = build_gan(experiment, data.codec)
    assert isinstance(gan, R1GAN) and "row_gate" not in str(gan.generator.get_config())
    images = data.codec.encode(data.windows["train"])
    gan.fit(tf.data.Dataset.from_tensor_slices(images[:16]).batch(8), verbose=0, shuffle=False)
    made = gan.generate(3, seed=0)
    gan.save(tmp_path / "gan.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "gan.keras").generate(3, 0),
                                  made)
    decoded = data.codec.decode(made)
    assert decoded.signals.shape == (3, 16 * 32, 1)


def share_of_sine(images):
    """Share of the power (without the mean) that lies at the sines' frequency."""
    power = np.abs(np.fft.rfft(images.reshape(len(images), -1))) ** 2
    return power[:, 15:18].sum() / power[:, 1:].sum()


def test_it_learns_the_mean_and_spread_of_waves():
    """Sines of any phase: after a hundred small steps the made ones are as large and as smooth."""
    rng = np.random.default_rng(0)
    time = np.arange(256) / 16
    waves = 0.8 * np.sin(2 * np.pi * (time + rng.random((256, 1)))).astype(np.float32)
    images = waves.reshape(-1, 16, 16, 1)
    keras.utils.set_random_seed(0)
    gan = R1GAN(build_generator((16, 16, 1), 8, 4, along_time=True),
                build_discriminator((16, 16, 1), 4, along_time=True), r1=0.5, r2=0.0, ema_decay=0.9)
    gan.compile(*(keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99) for _ in range(2)))
    before = share_of_sine(gan.generate(32, 0))
    data = tf.data.Dataset.from_tensor_slices(images).repeat().batch(32)
    gan.fit(data, steps_per_epoch=150, epochs=1, verbose=0, shuffle=False)
    made = gan.generate(32, 0)
    assert share_of_sine(made) > 0.5 > 0.2 > before
    assert 0.3 < made.std() / waves.std() < 1.5


def test_another_arrangement_is_refused_before_anything_is_read():
    with pytest.raises(InputError, match="row_major"):
        Experiment(model="wavegan", arrangement="beat_rows")
    with pytest.raises(InputError, match="base_filters"):
        build_generator((16, 16, 1), base_filters=0, along_time=True)
