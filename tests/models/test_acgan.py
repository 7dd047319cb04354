"""ACGAN: generates the requested classes, survives saving; its class head proves nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models import ACGAN, R1GAN, HalfMean, build_discriminator, build_generator

SHAPE = (8, 8, 2)


def small(classes=3, run_eagerly=True, projection=None, **options):
    """Single steps are quicker than tracing them."""
    keras.utils.set_random_seed(0)
    gan = ACGAN(build_generator(SHAPE, 4, 4, 2, "zero", classes, projection),
                build_discriminator(SHAPE, 4, "zero", conditions=classes, classes=classes,
                                    minibatch_std=False),
                r1=0.5, r2=0.0, **options)
    gan.compile(*(keras.optimizers.Adam(5e-3, beta_1=0.0) for _ in range(2)),
                run_eagerly=run_eagerly)
    return gan


def toy(n=96, seed=0):
    """Images whose level is their class: -0.6, 0, 0.6."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    level = 0.6 * (labels - 1)[:, None, None, None]
    return (level + 0.05 * rng.standard_normal((n, *SHAPE))).astype(np.float32), labels


def one_hot(labels):
    return np.eye(3, dtype=np.float32)[labels]


def batches(n=96):
    images, labels = toy(n)
    labels = one_hot(labels)
    return tf.data.Dataset.from_tensor_slices((images, labels)).repeat().batch(32)


@pytest.fixture(scope="module")
def trained():
    gan = small(projection=HalfMean(1), ema_decay=0.9, run_eagerly=False)
    gan.fit(batches(), steps_per_epoch=60, epochs=2, verbose=0, shuffle=False)
    return gan


def test_it_draws_the_class_that_was_asked_for(trained):
    images = trained.generate(60, seed=1, labels=np.repeat([0, 1, 2], 20))
    level = images[..., 0].reshape(3, -1).mean(axis=1)
    assert level[0] < -0.3 < level[1] < 0.3 < level[2]
    assert (np.ptp(images[:, :4, :, 1], axis=(1, 2)) < 1e-6).all()  # the projection is at work


def test_class_head_knows_real_classes_and_reports_probabilities(trained):
    images, labels = toy(200, seed=5)
    shares = trained.classify(images)
    assert shares.shape == (200, 3) and np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares.argmax(axis=1) == labels).mean() > 0.95
    assert np.allclose(trained.classify(images[:7]), shares[:7], atol=1e-5)  # image by image


def test_same_seed_same_images_whatever_the_batch(trained):
    labels = np.arange(10) % 3
    first = trained.generate(10, seed=3, labels=labels)
    assert np.allclose(first, trained.generate(10, seed=3, batch_size=4, labels=labels), atol=1e-5)
    assert np.array_equal(first, trained.generate(10, seed=3))  # in turn is the default
    assert not np.allclose(first, trained.generate(10, seed=4, labels=labels))
    assert not np.allclose(first, trained.generate(10, seed=3, labels=0))


def test_saved_and_loaded_it_goes_on_as_if_nothing_had_been(trained, tmp_path):
    trained.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert isinstance(loaded, ACGAN) and loaded.classes == 3
    assert loaded.get_config()["generator_class_weight"] == trained.generator_class_weight
    labels = [2, 0, 1]
    assert np.array_equal(loaded.generate(3, 1, labels=labels), trained.generate(3, 1,
                                                                                 labels=labels))
    images, numbers = toy(32)
    one, two = (model.train_on_batch(images, one_hot(numbers), return_dict=True)
                for model in (loaded, trained))
    assert set(one) >= {"d_loss", "g_loss", "class_loss", "class_accuracy"}
    weights = zip(loaded.generator.weights, trained.generator.weights, strict=True)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in weights)
    assert np.isclose(one["class_loss"], two["class_loss"], rtol=1e-4)


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_plain_variant_takes_a_step(exclusive):
    gan = small(relativistic=False, exclusive=exclusive)
    images, labels = toy(16)
    logs = gan.train_on_batch(images, one_hot(labels), return_dict=True)
    shares = gan.classify(images).sum(axis=1)
    assert np.allclose(shares, 1, atol=1e-5) == exclusive
    assert np.isfinite([float(value) for value in logs.values()]).all()


def test_the_score_depends_on_the_class():
    images, _ = toy(8)
    gan = small()
    one, other = (gan.score(images, one_hot([k] * 8)).numpy() for k in (0, 1))
    assert not np.allclose(one, other)


def test_matching_teaches_the_projection_which_labels_belong_to_an_image():
    keras.utils.set_random_seed(0)
    gan = R1GAN(build_generator(SHAPE, 4, 4, 2, "zero", 3),
                build_discriminator(SHAPE, 4, "zero", conditions=3))
    gan.matching_weight = 1.0  # sooner
    gan.compile(*(keras.optimizers.Adam(5e-3, beta_1=0.0) for _ in range(2)))
    gan.fit(batches(), steps_per_epoch=60, verbose=0, shuffle=False)
    images, labels = toy(90, seed=5)
    own, other = (gan.score(images, one_hot((labels + k) % 3)).numpy() for k in (0, 1))
    assert (own > other).mean() > 0.8
    level = gan.generate(60, seed=1, labels=one_hot(np.repeat([0, 1, 2], 20)))[..., 0]
    low, middle, high = level.reshape(3, -1).mean(axis=1)
    assert low < middle < high


def test_generator_weight_of_the_class_reaches_the_generator():
    images, labels = toy(32)
    weights = []
    for weight in (0.0, 5.0):
        gan = small(generator_class_weight=weight)
        gan.train_on_batch(images, one_hot(labels))
        weights.append(gan.generator.get_weights()[0])
    assert not np.allclose(*weights)


def test_bad_input_says_how_to_mend_it(trained):
    with pytest.raises(InputError, match="from 0 to 2"):
        trained.generate(2, seed=0, labels=[0, 3])
    with pytest.raises(InputError, match="labels"):
        trained.generate(2, seed=0, labels=[0.5, 1.0])
    with pytest.raises(InputError, match="labels"):
        trained.generate(3, seed=0, labels=[0, 1])
    with pytest.raises(InputError, match="batch_size"):
        trained.generate(3, seed=0, batch_size=0)
    with pytest.raises(InputError, match="negative"):
        small(class_weight=-1.0)
    named = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(InputError, match="no identity-adversarial"):
        ACGAN(trained.generator, trained.discriminator, identity=named, identity_weight=0.1)
    plain = build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4)
    with pytest.raises(InputError, match="not for classes"):
        ACGAN(*plain)
    generator = build_generator(SHAPE, 4, 4, conditions=3)
    with pytest.raises(InputError, match="as many labels"):
        ACGAN(generator, build_discriminator(SHAPE, 4, classes=3))
    with pytest.raises(InputError, match="3 conditions and 5 class logits"):
        ACGAN(generator, build_discriminator(SHAPE, 4, conditions=3, classes=5))
