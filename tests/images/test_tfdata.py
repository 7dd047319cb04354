"""tf.data gives what numpy gives, in an order that depends on the seed alone."""

import dataclasses
import time

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.images.codec import Codec
from tests.bounds import smooth_beats, windows_of
from tests.images.test_arrangements import FIXED
from tests.images.test_beat_strips import smooth_strips

tf = pytest.importorskip("tensorflow")

from ecg_tf.images.tfdata import beat_mixer, encode_tf, make_dataset, tf_inputs  # noqa: E402
from ecg_tf.models import build_discriminator, build_generator, projection_of  # noqa: E402
from ecg_tf.models.projection import OnlyPresent  # noqa: E402


@pytest.fixture(scope="module")
def beats():
    return smooth_beats(10, rows=32)


def strips(leads=1, length=256, count=10):
    return windows_of(np.random.default_rng(0).normal(0, 0.8, (count, length, leads)))


def whole(windows, codec):
    dataset = make_dataset(windows, codec, len(windows), shuffle=False, repeat=False)
    return next(iter(dataset)).numpy()


@pytest.mark.parametrize("arrangement", FIXED)
@pytest.mark.parametrize("name, grid", [
    ("physical", "float32"), ("quantile", "uint8"), ("window", "uint16"), ("record", "float16"),
])
def test_permutations_are_bit_equal_to_numpy(arrangement, name, grid):
    leads = {"rgb_leads": 3, "rgb_planar": 2}.get(arrangement, 1)
    windows = strips(leads)
    codec = Codec(arrangement, scaling=name, height=16, width=16, quantization=grid,
                  fit="tile").fit(windows)
    assert np.array_equal(whole(windows, codec), codec.encode(windows))


@pytest.mark.parametrize("name", ["physical", "quantile", "window", "record", "companded"])
def test_beat_rows_are_equal_to_numpy(beats, name):
    codec = Codec(scaling=name).fit(beats)
    images = whole(beats, codec)
    assert images.shape == (10, *codec.image_shape) and images.dtype == np.float32
    assert np.abs(images - codec.encode(beats)).max() <= 1e-6


@pytest.mark.parametrize("name", ["physical", "quantile", "window", "record", "companded"])
def test_beat_strips_are_equal_to_numpy(name):
    windows = smooth_strips(leads=2)
    codec = Codec("beat_strips", scaling=name, height=24, width=48).fit(windows)
    images, wanted = whole(windows, codec), codec.encode(windows)
    assert images.shape == (12, *codec.image_shape) and images.dtype == np.float32
    assert np.abs(images - wanted).max() <= 1e-6
    presence = codec.channels.index("presence")
    assert np.array_equal(images[..., presence], wanted[..., presence])
    assert np.abs(codec.decode(images).rpeaks - codec.decode(wanted).rpeaks)[:, :2].max() < 1e-3


def test_companded_strips_are_equal_to_numpy():
    windows = strips()
    codec = Codec("serpentine", scaling="companded", height=16, width=16).fit(windows)
    assert np.abs(whole(windows, codec) - codec.encode(windows)).max() <= 1e-6


@pytest.mark.parametrize("arrangement, name", [
    ("beat_rows", "physical"), ("beat_rows", "window"), ("row_major", "record"),
    ("row_major", "physical"),
])
def test_project_is_equal_to_numpy_and_has_gradients(beats, arrangement, name):
    windows = beats if arrangement == "beat_rows" else strips()
    codec = Codec(arrangement, scaling=name, height=32, width=64).fit(windows)
    wild = np.random.default_rng(0).uniform(-1, 1, (3, *codec.image_shape)).astype(np.float32)
    project = projection_of(codec) or tf.identity
    assert np.abs(project(tf.constant(wild)).numpy() - codec.project(wild)).max() <= 1e-6
    x = tf.constant(wild)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(project(x) ** 2)
    assert (np.abs(tape.gradient(total, x).numpy()).sum(axis=(0, 1, 2)) > 0).all()


def test_a_generator_of_strips_draws_nothing_beside_them():
    windows = smooth_strips()
    codec = Codec("beat_strips", scaling="physical", height=24, width=48).fit(windows)
    project, images = projection_of(codec), codec.encode(windows)
    kept = np.abs(project(tf.constant(images)).numpy() - images)
    # Only pixels of which the strip has less than a sixteenth may fade.
    assert kept[images[..., 2] >= -0.875].max() <= 1e-6
    wild = np.random.default_rng(0).uniform(-1, 1, images.shape).astype(np.float32)
    wild[..., 2] = images[..., 2]
    x = tf.constant(wild)
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = project(x)
        total = tf.reduce_sum(made**2)
    made = made.numpy()
    assert (made[images[..., 2] == -1][:, 0] == 0).all()
    assert np.array_equal(made[..., 0][images[..., 2] == 1], wild[..., 0][images[..., 2] == 1])
    assert np.isfinite(tape.gradient(total, x).numpy()).all()
    rr = codec.project(made)[..., 1] - made[..., 1]  # up to one factor, and empty rows
    used = (images[..., 1] != 0) & (np.abs(codec.project(made)[..., 1]) < 0.999)
    for one, inside in zip(rr, used, strict=True):
        assert np.ptp(one[inside]) < 1e-4
    layer = OnlyPresent(2, 3)
    assert OnlyPresent.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("height", [8, 9, 14, 17, 22, 24, 27])
def test_networks_are_built_for_any_number_of_rows(height):
    shape = (height, 16, 3)
    for padding in ("zero", "helical"):
        made = build_generator(shape, latent_dim=4, base_filters=2, padding=padding)
        critic = build_discriminator(shape, base_filters=2, padding=padding)
        assert made.output_shape == (None, *shape) and critic.input_shape == (None, *shape)


def batches(windows, codec, count, **options):
    labels = np.arange(len(windows))
    dataset = make_dataset(windows, codec, 4, labels=labels, **options)
    return [labels.numpy().tolist() for _, labels in dataset.take(count)]


def test_order_depends_on_the_seed_and_every_epoch_holds_every_window():
    windows = strips()
    codec = Codec("row_major", scaling="physical", height=16, width=16).fit(windows)
    order = batches(windows, codec, 10, seed=3)
    assert order == batches(windows, codec, 10, seed=3) != batches(windows, codec, 10, seed=4)
    flat = sum(order, [])
    epochs = [flat[k : k + 10] for k in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("step", [0, 1, 2, 5, 7])
def test_a_run_continues_where_it_stood(step):
    windows = strips()
    codec = Codec("row_major", scaling="physical", height=16, width=16).fit(windows)
    all_of_it = batches(windows, codec, 12, seed=1)
    assert batches(windows, codec, 12 - step, seed=1, start_step=step) == all_of_it[step:]


def test_one_epoch_in_order_with_labels():
    windows = strips()
    codec = Codec("row_major", scaling="physical", height=16, width=16).fit(windows)
    dataset = make_dataset(windows, codec, 4, shuffle=False, repeat=False, labels=np.arange(10))
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    assert [len(batch) for batch in images] == [4, 4, 2]
    assert np.concatenate(labels).tolist() == list(range(10))
    assert np.array_equal(np.concatenate(images), codec.encode(windows))
    assert dataset.element_spec[0].shape.as_list() == [None, 16, 16, 1]


def test_fewer_windows_than_a_batch_still_fill_it():
    windows = strips(count=3)
    codec = Codec("row_major", scaling="physical", height=16, width=16).fit(windows)
    assert next(iter(make_dataset(windows, codec, 8))).shape == (8, 16, 16, 1)


def test_a_batch_costs_little(beats):
    codec = Codec(scaling="physical").fit(beats)
    windows = beats.take(np.arange(64) % 10)
    inputs = {key: tf.constant(value) for key, value in tf_inputs(windows, codec).items()}
    encode = tf.function(encode_tf(codec))
    encode(inputs)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        encode(inputs).numpy()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1  # 3 ms on an idle core


def test_wrong_input_is_refused(beats):
    codec = Codec(scaling="physical").fit(beats)
    with pytest.raises(InputError, match="label"):
        make_dataset(beats, codec, labels=np.zeros(3))
    with pytest.raises(InputError, match="batch_size"):
        make_dataset(beats, codec, batch_size=0)
    with pytest.raises(InputError, match="no windows"):
        make_dataset(beats.take(slice(0, 0)), codec)
    with pytest.raises(InputError, match="R peaks"):
        make_dataset(windows_of(beats.signals, None, beats.lengths), codec)


def test_mixed_persons_keep_mean_and_spread_over_persons_and_what_varies_within_one():
    rng = np.random.default_rng(0)
    persons = rng.normal(0, 0.1, (256, 1, 64, 1))
    own = rng.normal(0, 0.02, (256, 32, 64, 1))
    signal = (persons + own - own.mean(1, keepdims=True)).astype(np.float32)
    windows = smooth_beats(256, rows=32)
    codec = Codec(scaling="companded", height=32, width=64).fit(windows)
    rr = codec.encode(windows)[..., 1:]
    images = np.concatenate([signal, rr], -1)
    mixed = beat_mixer(codec, 3)(tf.constant(images), tf.constant([1, 2], tf.int64)).numpy()
    mean, before = np.median(mixed, 1), np.median(images, 1)
    assert np.allclose(mixed - mean[:, None], images - before[:, None], atol=1e-5)
    assert np.allclose(mean.mean(0)[:, 0], before.mean(0)[:, 0], atol=0.03)
    ratio = mean[..., 0].std(0) / before[..., 0].std(0)
    assert 0.9 < ratio.mean() < 1.1  # the average of persons, without their spread, has 0.58
    likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(mean[..., 0], before[..., 0], strict=True)]
    assert 0.4 < np.mean(likeness) < 0.75  # a third of the person, as variance counts
    again = codec.project(mixed)
    assert np.allclose(again, mixed, atol=1e-5)  # still one RR value an interval


def test_ranges_of_windows_are_mixed_with_their_shapes():
    windows = smooth_beats(64, rows=32)
    gains = np.random.default_rng(0).uniform(0.5, 2.0, (64, 1, 1)).astype(np.float32)
    windows = dataclasses.replace(windows, signals=windows.signals * gains)
    codec = Codec(scaling="window", height=32, width=64).fit(windows)
    images = codec.encode(windows)
    mixed = beat_mixer(codec, 2)(tf.constant(images), tf.constant([1, 2], tf.int64)).numpy()
    place = codec.channels.index("range")
    halves = mixed[:, :16, :, place], mixed[:, 16:, :, place]
    for half in halves:  # still one number a half, and another than before
        assert np.allclose(half, half[:, :1, :1], atol=1e-5)
    assert not np.allclose(mixed[..., place], images[..., place], atol=1e-3)
    for k, half in enumerate((slice(16), slice(16, None))):
        before = images[:, half, 0, place].mean(1)
        assert np.isclose(halves[k].mean(), before.mean(), atol=0.05)


def test_strips_of_other_persons_are_mixed_where_a_strip_is_and_keep_their_rhythm():
    windows = smooth_strips(64)
    gains = np.random.default_rng(0).uniform(0.3, 1.0, (64, 1, 1)).astype(np.float32)
    windows = dataclasses.replace(windows, signals=windows.signals * gains)
    for name in ("physical", "window"):
        codec = Codec("beat_strips", scaling=name, height=24, width=48).fit(windows)
        images = codec.encode(windows)
        mixed = beat_mixer(codec, 3)(tf.constant(images), tf.constant([1, 2], tf.int64)).numpy()
        assert np.array_equal(mixed[..., 1:3], images[..., 1:3])
        empty = images[..., 2] == -1
        assert (mixed[..., 0][empty] == 0).all() and np.isfinite(mixed).all()
        change = mixed[..., 0] - images[..., 0]
        inside = (np.abs(mixed[..., 0]) < 1) & ~empty
        for one, held in zip(change, inside, strict=True):  # in every row of a column the same
            spread = np.where(held, one, -9).max(0) - np.where(held, one, 9).min(0)
            assert spread[held.any(0)].max() < 1e-5
        assert np.abs(change[inside]).max() > 0.05
        assert np.array_equal(codec.project(mixed)[..., :3], mixed[..., :3])
        if name == "window":
            assert not np.allclose(mixed[..., 3], images[..., 3], atol=1e-3)
    usual = np.nanmedian(np.where(empty, np.nan, images[..., 0]), 1)
    again = np.nanmedian(np.where(empty, np.nan, mixed[..., 0]), 1)
    assert np.allclose(again.mean(0), usual.mean(0), atol=0.03)


def test_mixing_depends_on_seed_and_step_alone_and_needs_beat_rows(beats):
    codec = Codec(scaling="companded", height=32, width=64).fit(beats)

    def draw(**options):
        return [np.asarray(x) for x in make_dataset(beats, codec, 4, **options).take(4)]

    whole = draw(seed=1, subject_mixing=2)
    resumed = draw(seed=1, subject_mixing=2, start_step=2)
    assert np.array_equal(whole[2], resumed[0]) and np.array_equal(whole[3], resumed[1])
    plain = draw(seed=1)
    assert not np.allclose(whole[0], plain[0], atol=0.01)
    flat = strips()
    fixed = Codec("row_major", scaling="physical", height=16, width=16).fit(flat)
    with pytest.raises(InputError, match="each row is a beat"):
        make_dataset(flat, fixed, 4, subject_mixing=2)


def test_persons_are_drawn_evenly_whatever_their_number_of_windows():
    windows = smooth_beats(96, rows=8)
    who = np.repeat(["long", "short", "once"], [80, 12, 4])
    who = np.random.default_rng(0).permutation(who)
    windows = dataclasses.replace(windows, subjects=who)
    codec = Codec(scaling="companded", height=8, width=16).fit(windows)

    def numbers(**options):
        """The windows of each batch, by way of labels."""
        made = make_dataset(windows, codec, 32, labels=np.arange(96), even_subjects=True, **options)
        return np.stack([np.asarray(own) for _, own in made.take(60)])

    sampled = numbers(seed=1)
    _, count = np.unique(who[sampled], return_counts=True)
    assert np.array_equal(count, [640, 640, 640])  # whole epochs: exactly
    assert len(np.unique(sampled)) == 96  # the windows of all persons are used
    each = np.bincount(sampled.ravel(), minlength=96)
    assert each[who == "once"].min() > 100 and each[who == "long"].max() < 25
    assert np.array_equal(numbers(seed=1, start_step=7)[:20], sampled[7:27])
    assert not np.array_equal(numbers(seed=2), sampled)
    with pytest.raises(InputError, match="in random order"):
        make_dataset(windows, codec, 4, shuffle=False, even_subjects=True)
