import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.figures.dot_plots import ring_points
from ecg_tf.lessons.concerns import RECIPES, make_gan, watched
from ecg_tf.lessons.rings import Ring, RingWatch, build_point_discriminator, build_point_generator
from ecg_tf.training.callbacks import CollapseAlarm

RING = Ring(8, 2.0, 0.1)


def gan_of(recipe, **changes):
    options = {"learning_rate": 0.002, "beta_1": 0.5, "steps_per_execution": 50,
               "jit_compile": True} | changes
    return make_gan(recipe, lambda: build_point_generator(8), build_point_discriminator, **options)


@given(st.integers(2, 20), st.floats(0.5, 5), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_real_points_reach_all_modes_and_nearly_all_are_good(modes, radius, seed):
    ring = Ring(modes, radius, radius * np.sin(np.pi / modes) / 5)
    found = ring.evaluate(ring.sample(4000, seed))
    assert found["modes"] == modes and found["modes_reached"] == 1
    assert found["good"] == pytest.approx(1 - np.exp(-4.5), abs=0.012)


def test_missing_modes_stray_and_nan_points_are_counted_for_what_they_are():
    points = RING.sample(4000, seed=1).reshape(-1, 2)
    assert RING.evaluate(points[points[:, 0] > 1.0])["modes"] == 3
    assert RING.evaluate(np.repeat(points[:1], 100, axis=0))["modes"] == 1
    assert RING.evaluate(np.zeros((100, 2))) == {"modes": 0, "modes_reached": 0.0, "good": 0.0}
    assert RING.evaluate(np.full((100, 2), np.nan))["good"] == 0
    # One stray point in a mode is not enough to have reached it.
    assert RING.evaluate(np.concatenate([np.repeat(RING.centers[:1], 999, 0), RING.centers[1:2]]))[
        "modes"] == 1
    assert np.array_equal(RING.sample(5, 3), RING.sample(5, 3))


def test_what_is_no_ring_and_no_point_is_refused():
    with pytest.raises(InputError, match="overlap"):
        Ring(8, 1.0, 0.2)
    with pytest.raises(InputError, match="points of a plane"):
        RING.evaluate(np.zeros((10, 3)))
    with pytest.raises(InputError, match="non-saturating"):
        make_gan("non-saturatin", build_point_generator, build_point_discriminator)


@pytest.mark.slow
def test_the_alarm_finds_a_ring_collapsed_by_training_and_not_the_healthy_one():
    """Few modes of eight, then a discriminator that sees the spread of a batch."""
    found = {}
    for recipe in ("saturating", "+ minibatch std"):
        alarm = CollapseAlarm(0.5, patience=3, warmup=600, monitor="modes_reached")
        found[recipe] = watched(gan_of(recipe), RING.sample(4096, 0), 1000, checks=10, alarm=alarm,
                                batch_size=128, callbacks=[RingWatch(RING)])
    ill, well = found.values()
    assert ill.history["modes"].iloc[-3:].max() < 4 and len(ill.alarms) == 1
    assert "modes_reached is" in ill.alarms[0]
    assert well.history["modes"].iloc[-1] >= 7 and well.alarms == []
    assert list(ill.history["step"])[-1] == 1000 == int(ill.gan.step.value)
    assert ill.gradient["median"] > 0


def test_watch_tells_averaged_from_raw_weights():
    gan = gan_of("non-saturating", steps_per_execution=1, jit_compile=False)
    both = RingWatch(RING), RingWatch(RING, averaged=False)
    history = watched(gan, RING.sample(512, 0), 4, checks=2, callbacks=both).history
    assert {"modes", "good", "raw_modes", "raw_good"} <= set(history)
    averaged, raw = (watch.points[4] for watch in both)
    assert averaged.shape == raw.shape == (1000, 2) and not np.allclose(averaged, raw)


def test_diversity_is_measured_against_all_real_points_in_whatever_order_they_come():
    points = RING.sample(4096, 0)
    by_mode = points[np.argsort(np.arctan2(points[:, 0, 0, 1], points[:, 0, 0, 0]))]
    gan = gan_of("non-saturating", steps_per_execution=1, jit_compile=False)
    assert 0 < watched(gan, by_mode, 2, checks=1).history["diversity"].iloc[-1] < 3


def test_points_are_shown_with_the_modes_they_reach():
    figure = ring_points({"real": RING.sample(500, 0), "none": np.zeros((50, 2))}, RING)
    assert "real: 8 of 8 modes" in figure.alt_text and "none: 0 of 8 modes" in figure.alt_text
    with pytest.raises(InputError, match="no points"):
        ring_points({}, RING)


def test_recipes_start_from_the_same_generator():
    first = [gan_of(name).generator.get_weights()[0] for name in RECIPES]
    assert all(np.array_equal(first[0], other) for other in first[1:])
