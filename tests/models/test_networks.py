"""Layers and networks."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.models import (
    HelicalConv2D,
    IntervalMean,
    MinibatchStd,
    build_discriminator,
    build_generator,
)
from ecg_tf.models.layers import (
    FromPatches,
    RowGate,
    SpectralNorm,
    StyleNorm,
    ToPatches,
    helical_pad,
)
from ecg_tf.models.networks import grid_sizes

SHAPE = (16, 16, 1)


# Layers


@given(
    height=st.integers(1, 6),
    width=st.integers(4, 7),
    left=st.integers(0, 2),
    right=st.integers(0, 2),
)
@settings(max_examples=15, deadline=None)
def test_helical_padding_continues_the_rows(height, width, left, right):
    images = np.arange(height * width, dtype=np.float32).reshape(1, height, width, 1)
    padded = np.asarray(helical_pad(images, (1, 2), (left, right)))[0, ..., 0]
    assert padded.shape == (height + 3, left + width + right)
    assert not padded[0].any() and not padded[-2:].any()
    inner = padded[1:-2]
    # Pixels are numbered along the helix, so a row goes on counting over both its ends.
    wanted = np.arange(-left, width + right)[None] + width * np.arange(height)[:, None]
    wanted[0, :left], wanted[-1, left + width :] = 0, height * width - 1
    np.testing.assert_array_equal(inner, wanted)


@pytest.mark.parametrize("height, width, left, right", [(3, 4, 1, 1), (1, 9, 4, 5), (2, 6, 2, 0)])
def test_the_gradient_of_the_padding_takes_back_what_was_copied_to_any_order(height, width, left,
                                                                              right):
    rng = np.random.default_rng(0)
    images, other = rng.normal(size=(2, 2, height, width, 3)).astype(np.float32)
    pad = partial(helical_pad, rows=(0, 0), columns=(left, right))
    weights = tf.constant(rng.normal(size=pad(images).shape).astype(np.float32))
    x = tf.constant(images)
    with tf.GradientTape() as outer:
        outer.watch(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(pad(x) * weights)
        slope = tape.gradient(value, x)
        along = tf.reduce_sum(slope * other)
    # Padding is linear: its gradient is the transpose, and that one's is the padding again.
    assert float(along) == pytest.approx(float(tf.reduce_sum(pad(other) * weights)), rel=1e-4)
    np.testing.assert_array_equal(outer.gradient(along, weights), pad(other))


def test_helical_conv_sees_across_the_row_border_and_a_plain_one_does_not():
    images = np.zeros((1, 8, 8, 1), np.float32)
    images[0, 3, 7] = 1
    ones = {"kernel_initializer": "ones"}
    helical = np.asarray(HelicalConv2D(1, 3, **ones)(images))[0, ..., 0]
    plain = np.asarray(keras.layers.Conv2D(1, 3, padding="same", **ones)(images))[0, ..., 0]
    assert helical[4, 0] == 1 and plain[4, 0] == 0
    np.testing.assert_array_equal(helical[1:-1, 1:-1], plain[1:-1, 1:-1])


@given(
    sides=st.tuples(st.integers(4, 11), st.integers(4, 11)),
    stride=st.sampled_from([1, 2, (1, 2)]),
    kernel=st.sampled_from([3, 4]),
)
@settings(max_examples=12, deadline=None)
def test_helical_conv_has_the_size_of_same_padding(sides, stride, kernel):
    images = np.random.default_rng(0).normal(size=(1, *sides, 2)).astype(np.float32)
    helical = HelicalConv2D(3, kernel, stride)
    plain = keras.layers.Conv2D(3, kernel, stride, padding="same")
    out, wanted = np.asarray(helical(images)), np.asarray(plain(images))
    assert out.shape == wanted.shape == helical.compute_output_shape(images.shape)
    plain.set_weights(helical.get_weights())
    # Away from the left and right ends nothing differs.
    np.testing.assert_allclose(
        out[:, :, 2:-2], np.asarray(plain(images))[:, :, 2:-2], rtol=1e-5, atol=1e-5
    )


@given(
    height=st.integers(1, 5), width=st.integers(2, 8), data=st.data(), channels=st.integers(1, 3)
)
@settings(max_examples=20, deadline=None)
def test_interval_mean_equals_a_plain_loop(height, width, data, channels):
    split = data.draw(st.integers(1, width - 1))
    channel = data.draw(st.integers(-channels, channels - 1))
    images = np.random.default_rng(1).normal(size=(2, height, width, channels)).astype(np.float32)
    layer = IntervalMean(split, channel)
    out = np.asarray(layer(images))
    wanted = images.copy()
    for image, target in zip(images[..., channel], wanted[..., channel], strict=True):
        for k in range(height + 1):
            pieces = [(k - 1, slice(split, None))] * (k > 0) + [(k, slice(0, split))] * (k < height)
            mean = np.concatenate([image[piece] for piece in pieces]).mean()
            for piece in pieces:
                target[piece] = mean
    np.testing.assert_allclose(out, wanted, atol=1e-6)
    np.testing.assert_allclose(np.asarray(layer(out)), out, atol=1e-6)  # a projection


def test_interval_mean_spreads_its_gradient_over_the_interval():
    images = tf.zeros((1, 3, 4, 2))
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = IntervalMean(1)(images)[0, 1, 0, 1]
    gradient = tape.gradient(value, images).numpy()
    wanted = np.zeros((3, 4))
    wanted[0, 1:] = wanted[1, 0] = 0.25
    np.testing.assert_allclose(gradient[0, ..., 1], wanted)
    assert not gradient[..., 0].any()


@pytest.mark.parametrize("split, channel", [(0, -1), (16, -1), (3, 2), (3, -3)])
def test_interval_mean_refuses_what_is_not_there(split, channel):
    with pytest.raises(InputError, match="IntervalMean"):
        IntervalMean(split, channel)(np.zeros((1, 4, 16, 2), np.float32))


def test_minibatch_std_tells_a_collapsed_batch():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(64, 4, 4, 3)).astype(np.float32)
    spread = np.asarray(MinibatchStd()(images))
    collapsed = np.asarray(MinibatchStd()(np.repeat(images[:1], 64, axis=0)))
    assert spread.shape == (64, 4, 4, 4)
    assert abs(spread[..., -1].mean() - 1) < 0.1 and np.ptp(spread[..., -1]) == 0
    assert collapsed[..., -1].max() < 1e-3
    np.testing.assert_array_equal(spread[..., :3], images)


@given(seed=st.integers(0, 100), scale=st.sampled_from([0.01, 1.0, 10.0]))
@settings(max_examples=10, deadline=None)
def test_spectral_norm_keeps_the_largest_singular_value_at_one(seed, scale):
    kernel = scale * np.random.default_rng(seed).normal(size=(3, 3, 5, 7)).astype(np.float32)
    largest = [
        np.linalg.svd(np.reshape(np.asarray(k), (-1, 7)), compute_uv=False)[0]
        for k in (kernel, SpectralNorm(20)(kernel))
    ]
    assert largest[1] == pytest.approx(min(largest[0], 1), rel=0.05)


# Networks


def test_patches_and_back_is_exact():
    images = np.random.default_rng(0).normal(size=(2, 6, 8, 3)).astype(np.float32)
    patches = ToPatches(2)(images)
    assert patches.shape == (2, 3, 4, 12)
    np.testing.assert_array_equal(patches[0, 1, 2], images[0, 2:4, 4:6].ravel())
    np.testing.assert_array_equal(FromPatches(2)(patches), images)


def test_a_style_says_the_same_to_every_pixel_and_keeps_what_is_relative():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1, 4, 5, 6)).astype(np.float32)
    styles = rng.normal(size=(2, 3)).astype(np.float32)
    layer = StyleNorm()
    one, other = (np.asarray(layer([features, style[None]])) for style in styles)
    assert np.abs(one - other).max() > 0.01
    # Both are scale * normalized + shift: on one channel a straight line maps one to the other.
    x, y = one[..., 0].ravel(), other[..., 0].ravel()
    np.testing.assert_allclose(y, np.polyval(np.polyfit(x, y, 1), x), atol=1e-5)
    # Ten times the signal is no other signal: only what is relative between features is kept.
    np.testing.assert_allclose(np.asarray(layer([10 * features, styles[:1]])), one, atol=1e-4)


@pytest.mark.parametrize(
    "shape", [(16, 16, 1), (24, 64, 3), (48, 80, 2), (32, 64, 2), (16, 128, 6), (17, 33, 1)]
)
@pytest.mark.parametrize("padding", ["zero", "helical"])
def test_networks_fit_any_image_shape(shape, padding):
    generator = build_generator(shape, 8, 4, padding=padding)
    discriminator = build_discriminator(shape, 4, padding=padding)
    latents = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    images = generator(latents)
    assert images.shape == (3, *shape) and images.dtype == "float32"
    assert np.abs(images).max() <= 1
    assert discriminator(images).shape == (3, 1)


@given(height=st.integers(8, 128), width=st.integers(8, 128))
@settings(max_examples=60, deadline=None)
def test_grid_sizes_end_small_and_halve_at_most(height, width):
    sizes = grid_sizes((height, width))
    assert sizes[0] == (height, width) and max(sizes[-1]) <= 8 and min(sizes[-1]) >= 4
    for size, coarser in zip(sizes, sizes[1:], strict=False):
        for a, b in zip(size, coarser, strict=True):
            assert b in (a, -(-a // 2))


def test_networks_survive_saving(tmp_path):
    projection = IntervalMean(6, channel=1)
    generator = build_generator((16, 24, 2), 8, 4, padding="helical", projection=projection)
    discriminator = build_discriminator((16, 24, 2), 4, padding="helical", spectral_norm=True)
    latents = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    images = generator(latents)
    for network, inputs in ((generator, latents), (discriminator, images)):
        path = tmp_path / f"{network.name}.keras"
        network.save(path)
        loaded = keras.saving.load_model(path)
        np.testing.assert_array_equal(loaded(inputs), network(inputs))


def test_conditions_reach_the_image_and_the_score_but_not_the_class_logits():
    generator = build_generator(SHAPE, 8, 4, padding="zero", conditions=3)
    discriminator = build_discriminator(SHAPE, 4, padding="zero", conditions=3, classes=2)
    latents, rows = np.ones((2, 8), np.float32), np.eye(3, dtype=np.float32)
    images = np.asarray(generator([latents, rows[[0, 2]]]))
    assert np.abs(images[0] - images[1]).max() > 1e-6
    scores, logits = discriminator([images, rows[[0, 2]]])
    assert scores.shape == (2, 1) and logits.shape == (2, 2)
    other, same = discriminator([images, rows[[1, 2]]])
    assert scores[0] != other[0] and np.isclose(scores[1], other[1], atol=1e-6)
    assert np.allclose(logits, same, atol=1e-6)
    # <V c, phi(x)> is linear in c: two statements at once add up
    none, both = (discriminator([images, np.tile(row, (2, 1))])[0]
                  for row in (0 * rows[0], rows[0] + rows[1]))
    apart = [discriminator([images, np.tile(row, (2, 1))])[0] - none for row in rows[:2]]
    assert np.allclose(both - none, apart[0] + apart[1], atol=1e-4)


def test_unaligned_labels_look_at_no_place():
    discriminator = build_discriminator((16, 32, 1), 4, padding="zero", conditions=2, aligned=False)
    assert discriminator.get_layer("projection").kernel.shape[0] < 64
    assert build_discriminator((16, 32, 1), 4, padding="zero", conditions=2).get_layer(
        "projection").kernel.shape[0] > 64  # of the score: every place counts for itself


def test_classes_alone_add_class_logits():
    discriminator = build_discriminator(SHAPE, 4, padding="zero", classes=3)
    assert discriminator.output_shape == [(None, 1), (None, 3)]


def test_the_discriminator_has_no_batch_norm():
    kinds = [type(layer) for layer in build_discriminator(SHAPE, 4).layers]
    assert keras.layers.BatchNormalization not in kinds and MinibatchStd in kinds
    without = build_discriminator(SHAPE, 4, minibatch_std=False)
    assert MinibatchStd not in [type(layer) for layer in without.layers]


@pytest.mark.parametrize(
    "kwargs, word",
    [
        ({"image_shape": (4, 16, 1)}, "image shape"),
        ({"image_shape": (16, 16)}, "image shape"),
        ({"image_shape": None}, "image shape"),
        ({"padding": "helicl"}, "helical"),
        ({"latent_dim": 0}, "latent_dim"),
        ({"base_filters": -1}, "base_filters"),
    ],
)
def test_network_errors_teach(kwargs, word):
    with pytest.raises(InputError, match=word):
        build_generator(**{"image_shape": SHAPE, **kwargs})


def test_row_gate_scales_what_differs_from_the_mean_row_and_starts_near_one():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(3, 16, 32, 2)).astype(np.float32)
    features = rng.normal(size=(3, 8, 16, 6)).astype(np.float32)
    layer = RowGate()
    made = np.asarray(layer([images, features]))
    mean = images.mean(1, keepdims=True)
    assert np.allclose(made.mean(1, keepdims=True), mean, atol=1e-5)
    scale = made.std(1) / images.std(1)  # one number an image, column and channel
    assert scale.shape == (3, 32, 2) and 0.5 < scale.min() < scale.max() < 2
    assert np.allclose(made - mean, scale[:, None] * (images - mean), atol=1e-4)
    layer.to_gate.bias.assign(-50 * np.ones(4))
    assert np.abs(np.asarray(layer([images, features])) - mean).max() < 0.02
    with pytest.raises(InputError, match="do not fit"):
        RowGate()([images, features[:, :, :15]])
