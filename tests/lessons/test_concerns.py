import keras
import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.lessons.concerns import (
    best_accuracy,
    discriminator_alone,
    distances_to_persons,
    ignore_latents,
    make_gan,
    watched,
)
from ecg_tf.lessons.rings import Ring, build_point_discriminator, build_point_generator
from ecg_tf.models import build_discriminator, build_generator, projection_of
from ecg_tf.training.callbacks import CollapseAlarm
from ecg_tf.training.data import prepare_data


@pytest.fixture(scope="module")
def ecgs():
    return prepare_data(Experiment(subjects=6, minutes=1.5, height=16, width=32, strip_seconds=4))


def test_saturating_gradient_dies_with_the_discriminators_accuracy_and_the_others_do_not():
    gans = {name: make_gan(name, lambda: build_point_generator(spread=0.1),
                           build_point_discriminator)
            for name in ("saturating", "non-saturating", "WGAN-GP")}
    one, points = gans["saturating"], Ring(8, 2.0, 0.1).sample(2048, 0)
    before = one.generator.get_weights()[0]
    pair = {name: gans[name].generator_loss for name in ("saturating", "non-saturating")}
    table = discriminator_alone(one, points, 200, pair, checks=6)
    critic = gans["WGAN-GP"]
    other = discriminator_alone(critic, points, 200, {"norm": critic.generator_loss}, checks=6)
    assert list(table["step"])[:2] == [0, 1] and table["step"].iloc[-1] == 200
    assert table["accuracy"].iloc[-1] > 0.9 and table["D(G(z))"].iloc[-1] < 0.1
    ratio = table["saturating"] / table["non-saturating"]
    assert ratio.iloc[-1] < 0.2 * ratio.iloc[0]
    assert table["saturating"].iloc[-1] < 0.3 * table["saturating"].max()
    assert table["non-saturating"].iloc[-1] > 0.5 * table["non-saturating"].iloc[0]
    falling = table["saturating"].iloc[-1] / table["saturating"].iloc[-3]
    assert other["norm"].iloc[-1] / other["norm"].iloc[-3] > 0.5 > 2 * falling  # levels off
    assert np.array_equal(before, one.generator.get_weights()[0])  # the generator never learned


def test_push_per_score_is_as_the_formula_says():
    import tensorflow as tf

    scores = tf.constant([[-6.0]])
    probability = float(tf.sigmoid(scores)[0, 0])
    for name, push in (("saturating", -probability), ("non-saturating", probability - 1),
                       ("WGAN-GP", -1.0)):
        gan = make_gan(name, build_point_generator, build_point_discriminator)
        with tf.GradientTape() as tape:
            tape.watch(scores)
            loss = gan.generator_loss(None, scores)
        assert float(tape.gradient(loss, scores)[0, 0]) == pytest.approx(push, rel=1e-5)


def test_best_accuracy_needs_no_zero_of_the_scores():
    assert best_accuracy([5.0, 6.0], [3.0, 4.0]) == 1.0
    assert best_accuracy([3.0, 4.0], [5.0, 6.0]) == 0.5
    assert best_accuracy([1.0, 3.0], [2.0, 0.0]) == 0.75
    assert best_accuracy([1.0] * 9, [1.0] * 3) == 0.5


def test_the_alarm_finds_ecgs_collapsed_on_purpose_and_no_others(ecgs):
    images, shape = ecgs.codec.encode(ecgs.windows["train"]), ecgs.codec.image_shape

    def generator():
        return build_generator(shape, 8, 4, depth=1, padding="zero",
                               projection=projection_of(ecgs.codec))

    def run(build):
        gan = make_gan("non-saturating", build,
                       lambda **remedy: build_discriminator(shape, 4, "zero", **remedy))
        return watched(gan, images, 24, checks=8, batch_size=8, alarm=CollapseAlarm(warmup=8))

    ill, well = run(lambda: ignore_latents(generator())), run(generator)
    assert len(ill.alarms) == 1 and ill.history["diversity"].max() < 0.01
    assert "Mode collapse" in ill.alarms[0] and "differ by 0.00" in ill.alarms[0]
    assert well.alarms == [] and well.history["diversity"].iloc[-1] > 0.3


def test_distances_know_real_persons_from_noise_and_too_few_strips(ecgs):
    test, train = ecgs.strips["test"], ecgs.strips["train"]
    noise = np.random.default_rng(0).normal(size=train.signals.shape).astype(np.float32)
    found, (baseline, low, high) = distances_to_persons(
        {"copy": train.signals, "noise": noise, "none": noise[:3]}, test, train)
    assert found["copy"] == pytest.approx(baseline, abs=1e-6) and low <= high
    assert found["noise"] > 3 * max(baseline, high) and np.isnan(found["none"])


def test_images_that_cannot_be_learned_are_refused():
    gan = make_gan("saturating", build_point_generator, build_point_discriminator)
    with pytest.raises(InputError, match="cannot learn"):
        watched(gan, np.full((8, 1, 1, 2), np.nan), 4)
    assert isinstance(gan, keras.Model)
