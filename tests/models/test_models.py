"""The GANs: losses, penalties, averages, drawing, saving and loading."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import ecg_tf.models
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.models import DCGAN, GAN, R1GAN, WGANGP, build_discriminator, build_generator
from ecg_tf.models.sampling import sample_latents
from ecg_tf.training.families import FAMILIES as REGISTRY

SHAPE = (16, 16, 1)


def make(family=R1GAN, shape=SHAPE, base_filters=4, latent_dim=8, network=None, **kw):
    keras.utils.set_random_seed(0)
    network = {"padding": "zero", **(network or {})}  # quicker to trace than "helical"
    return family(
        build_generator(shape, latent_dim, base_filters, **network),
        build_discriminator(shape, base_filters, **network),
        **kw,
    )


@pytest.fixture(scope="module")
def pair():
    """A generator and a discriminator that no test changes."""
    gan = make()
    return gan.generator, gan.discriminator


def bumps(n, seed, side=16):
    """Images (n, side, side, 1): one Gaussian each, anywhere."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(3, side - 4, size=(2, n, 1, 1))
    rows, columns = np.mgrid[:side, :side]
    images = 2 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8) - 1
    return images[..., None].astype(np.float32)


def batches(images, batch_size):
    return tf.data.Dataset.from_tensor_slices(images).batch(batch_size)


def fit(gan, images, batch_size=8, **kwargs):
    gan.fit(batches(images, batch_size), verbose=0, shuffle=False, **kwargs)


def same(a, b):
    assert len(a) == len(b) > 0
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def test_three_steps_saved_loaded_and_three_more_are_six_steps(tmp_path):
    """In the graph; `check_gan` tries all families."""
    family, kwargs = R1GAN, {"penalty_every": 2, "r2": 0.1}
    images = bumps(24, seed=0)
    straight = make(family, **kwargs)
    straight.compile()
    fit(straight, images[:12], batch_size=4)
    straight.save(tmp_path / "gan.keras")
    half = [np.copy(w) for w in straight.ema_generator.get_weights()]
    fit(straight, images[12:], batch_size=4)
    # Nothing global may carry the state over: it all has to come from the file.
    keras.utils.set_random_seed(99)
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded) is family and int(loaded.step.numpy()) == 3
    same(loaded.ema_generator.get_weights(), half)
    fit(loaded, images[12:], batch_size=4)
    for name in ("generator", "discriminator", "ema_generator"):
        same(getattr(loaded, name).weights, getattr(straight, name).weights)
    for name in ("g_optimizer", "d_optimizer"):
        same(getattr(loaded, name).variables, getattr(straight, name).variables)
    same([loaded.seed_generator.state], [straight.seed_generator.state])
    np.testing.assert_array_equal(loaded.generate(4, seed=1), straight.generate(4, seed=1))
    own = {"ema_decay": 0.999, "seed": 0, **kwargs}
    assert {name: loaded.get_config()[name] for name in own} == own
    # Weights alone, the way `BackupAndRestore` works, carry everything too.
    straight.save_weights(tmp_path / "state.weights.h5")
    other = make(family, seed=5, **kwargs)
    other.compile()
    other.load_weights(tmp_path / "state.weights.h5")
    same(other.weights, straight.weights)
    same(other.d_optimizer.variables, straight.d_optimizer.variables)
    same([other.seed_generator.state], [straight.seed_generator.state])


def test_the_optimizers_given_are_used_and_survive(tmp_path):
    gan = make()
    gan.compile(keras.optimizers.SGD(0.125), keras.optimizers.Adam(0.25))
    assert gan.optimizer is None
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert isinstance(loaded.g_optimizer, keras.optimizers.SGD)
    assert float(loaded.g_optimizer.learning_rate.numpy()) == 0.125
    assert float(loaded.d_optimizer.learning_rate.numpy()) == 0.25


def test_generate_is_seeded_stateless_and_independent_of_batch_size():
    gan = make()
    images = gan.generate(10, seed=3)
    assert images.shape == (10, *SHAPE) and images.dtype == np.float32
    np.testing.assert_array_equal(gan.generate(10, seed=3), images)
    np.testing.assert_allclose(gan.generate(10, seed=3, batch_size=4), images, atol=1e-5)
    np.testing.assert_allclose(gan.generate(4, seed=3), images[:4], atol=1e-5)
    assert np.abs(gan.generate(10, seed=4) - images).max() > 1e-3
    with pytest.raises(InputError, match="number of images"):
        gan.generate(0, seed=0)


def test_the_average_follows_the_warm_up_and_decides_what_is_drawn():
    gan = make(ema_decay=0.5)
    before = gan.generator.get_weights()
    gan.step.assign(1)  # (1 + 1) / (10 + 1)
    gan.generator.set_weights([w + 1 for w in before])
    gan.update_ema()
    for average, w in zip(gan.ema_generator.weights, before, strict=True):
        np.testing.assert_allclose(average, w + 1 - 2 / 11, rtol=1e-5, atol=1e-6)
    gan.step.assign(10**6)
    gan.update_ema()
    for average, w in zip(gan.ema_generator.weights, before, strict=True):
        np.testing.assert_allclose(average, w + 1 - 1 / 11, rtol=1e-5, atol=1e-6)
    latents = sample_latents(2, gan.latent_dim, seed=0)
    np.testing.assert_array_equal(gan(latents), gan.ema_generator(latents))


def test_lazy_penalty_is_due_every_k_steps_and_as_strong_on_average(pair):
    images = tf.constant(bumps(8, seed=0))
    always, lazy = R1GAN(*pair, penalty_every=1), R1GAN(*pair, penalty_every=4)
    once = always.penalty_gradients(images, images)
    assert float(tf.linalg.global_norm(once)) > 0
    gradients = tf.function(lazy.penalty_gradients)
    for step in range(6):
        lazy.step.assign(step)
        for due, each in zip(gradients(images, images), once, strict=True):
            wanted = 4 * each.numpy() if step in (0, 4) else 0 * each.numpy()
            np.testing.assert_allclose(due, wanted, rtol=1e-3, atol=1e-5)


class Slope(keras.layers.Layer):
    """A discriminator of known slope: factor times the sum over all pixels."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, images):
        return self.factor * keras.ops.sum(images, axis=(1, 2, 3))[:, None]


def test_penalties_have_their_closed_form_on_a_linear_discriminator():
    inputs = keras.Input(SHAPE)
    linear = keras.Model(inputs, Slope(0.25)(inputs))  # squared slope 256 / 16 = 16
    images = tf.constant(bumps(4, seed=0))
    r1 = R1GAN(build_generator(SHAPE, 8, 4), linear, r1=0.5, r2=0.25)
    assert float(r1.penalty(images, -images)) == pytest.approx(0.5 * (0.5 + 0.25) * 16, rel=1e-5)
    wgan = WGANGP(build_generator(SHAPE, 8, 4), linear, gradient_penalty=10.0)
    assert float(wgan.penalty(images, -images)) == pytest.approx(10 * (4 - 1) ** 2, rel=1e-5)


def test_a_flat_critic_gives_a_finite_gradient():
    gan = make(WGANGP, gradient_penalty=10.0)
    gan.discriminator.set_weights([0 * w for w in gan.discriminator.get_weights()])
    images = tf.constant(bumps(4, seed=0))
    with tf.GradientTape() as tape:
        value = gan.penalty(images, images)
    assert float(value) == pytest.approx(10, rel=1e-3)
    gradients = tape.gradient(value, gan.discriminator.trainable_variables)
    assert all(np.isfinite(g).all() for g in map(np.asarray, gradients) if g.dtype != object)


def test_losses_have_their_closed_forms(pair):
    real, fake = tf.constant([[2.0], [0.0]]), tf.constant([[-1.0], [3.0]])

    def log_sigmoid(x):
        return -np.log1p(np.exp(-np.asarray(x)))

    plain, smooth = DCGAN(*pair), DCGAN(*pair, label_smoothing=0.1)
    wanted = -log_sigmoid(real).mean() - log_sigmoid(-fake).mean()
    assert float(plain.discriminator_loss(real, fake)) == pytest.approx(wanted, rel=1e-5)
    # softplus(s) - softplus(-s) = s: smoothing adds its share of the mean real score.
    assert float(smooth.discriminator_loss(real, fake)) == pytest.approx(wanted + 0.1, rel=1e-5)
    assert float(plain.generator_loss(None, fake)) == pytest.approx(-log_sigmoid(fake).mean())
    saturating = DCGAN(*pair, loss="saturating")
    assert float(saturating.generator_loss(None, fake)) == pytest.approx(log_sigmoid(-fake).mean())
    assert float(R1GAN(*pair).generator_loss(real, fake)) == pytest.approx(
        -log_sigmoid(np.asarray(fake) - np.asarray(real)).mean()
    )
    assert float(WGANGP(*pair).discriminator_loss(real, fake)) == 0.0


def test_the_saturating_gradient_vanishes_where_the_other_does_not(pair):
    scores = tf.constant([[-20.0]])
    norms = []
    for loss in ("saturating", "non_saturating"):
        gan = DCGAN(*pair, loss=loss)
        with tf.GradientTape() as tape:
            tape.watch(scores)
            value = gan.generator_loss(None, scores)
        norms.append(abs(float(tape.gradient(value, scores)[0, 0])))
    assert norms[0] < 1e-8 and norms[1] > 0.99


def test_mixed_precision_trains_and_draws_float32(tmp_path):
    network = {"dtype": "mixed_bfloat16", "padding": "helical"}
    gan = make(R1GAN, network=network)
    gan.compile(run_eagerly=True)
    fit(gan, bumps(8, seed=0))
    assert gan.generate(2, seed=0).dtype == np.float32
    assert {str(w.dtype) for w in gan.generator.weights} == {"float32"}
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.generate(2, seed=0), gan.generate(2, seed=0))


def test_wrong_gans_are_refused(pair):
    generator, discriminator = pair
    with pytest.raises(InputError, match="fit together"):
        R1GAN(generator, build_discriminator((16, 24, 1), 4))
    with pytest.raises(InputError, match="Did you mean 'saturating'"):
        DCGAN(generator, discriminator, loss="saturatin")
    with pytest.raises(InputError, match="label_smoothing"):
        DCGAN(generator, discriminator, label_smoothing=0.9)
    with pytest.raises(InputError, match="penalties"):
        R1GAN(generator, discriminator, penalty_every=0)
    with pytest.raises(InputError, match="ema_decay"):
        R1GAN(generator, discriminator, ema_decay=1)
    with pytest.raises(TypeError, match="use DCGAN"):
        GAN(generator, discriminator).generator_loss(None, None)


@pytest.mark.parametrize("name", [name for name in REGISTRY
                                  if name != "acgan" and not REGISTRY[name].fitted])
def test_a_class_behaves_as_an_experiment_does(name, pair):
    family = REGISTRY[name]
    own, configured = family.kind(*pair), family.kind(*pair, **family.options(Experiment()))
    assert own.get_config() | {"name": ""} == configured.get_config() | {"name": ""}
    own.compile(steps=1000)
    rate = own.g_optimizer.get_config()["learning_rate"]
    assert rate["config"] == {"rate": 0.001, "hold": 300, "steps": 1000}


def test_r1gan_learns_bumps_within_100_steps():
    real = bumps(1024, seed=0)

    def distance(images):
        """Energy distance to fresh real images: 0 when alike."""
        a, b = images.reshape(len(images), -1), bumps(128, seed=7).reshape(128, -1)

        def mean(x, y):
            return np.sqrt(((x[:, None] - y[None]) ** 2).mean(-1)).mean()

        return 2 * mean(a, b) - mean(a, a) - mean(b, b)

    gan = make(R1GAN, base_filters=8, latent_dim=16)
    gan.compile(keras.optimizers.Adam(1e-3, 0.0, 0.99), keras.optimizers.Adam(1e-3, 0.0, 0.99))
    start = distance(gan.generate(128, seed=1))
    dataset = tf.data.Dataset.from_tensor_slices(real).shuffle(1024, seed=0).repeat().batch(32)
    gan.fit(dataset, steps_per_epoch=100, verbose=0, shuffle=False)
    end = distance(gan.generate(128, seed=1))
    assert end < 0.5 * start, (start, end)


@pytest.mark.parametrize("family, options", [
    (DCGAN, {"loss": "saturating", "label_smoothing": 0.1}), (WGANGP, {"n_critic": 2}),
    (R1GAN, {"relativistic": False, "r2": 0.5}), (GAN, {"ema_decay": 0.5, "seed": 3})])
def test_options_survive_the_configuration(family, options, pair):
    config = family.from_config(family(*pair, **options).get_config()).get_config()
    assert {name: config[name] for name in options} == options


def test_what_was_built_before_changes_no_name_and_no_bit_of_a_training():
    names, ends = [], []
    for before in (0, 40):  # some names make TensorFlow leave a graph optimization out
        for _ in range(before):
            keras.layers.Add(), keras.layers.LeakyReLU(), keras.layers.Conv2D(1, 1)
        gan = make(DCGAN)
        gan.compile()
        names.append([one.name for one in gan.generator.layers + gan.discriminator.layers])
        fit(gan, bumps(32, seed=0), epochs=2)
        ends.append(gan.get_weights())
    assert names[0] == names[1]
    same(*ends)


def test_a_fresh_python_knows_all_layers_of_a_saved_network():
    """`sample` and `export` read a generator in a Python that has built none."""
    of_package = sorted(Path(ecg_tf.models.__file__).parent.glob("*.py"))
    wanted = [f"ecg_tf.models.{file.stem}" for file in of_package
              if "register_keras_serializable" in file.read_text()]
    code = f"import sys, ecg_tf.models; print([n for n in {wanted} if n not in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(wanted) > 6 and found.stdout.strip() == "[]"
