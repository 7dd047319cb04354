"""Waves of copies are at the baseline; wrong intervals and amplitudes are seen, each by its row."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import measured_table
from ecg_tf.evaluation.validation import controls
from ecg_tf.evaluation.wave_measures import AMPLITUDES, INTERVALS, found_waves, wave_measures
from tests.small_records import windows_of

FS = 128


@pytest.fixture(scope="module")
def cohort():
    real = windows_of(*controls.simulated(80, 10 * FS, FS, np.random.default_rng(3), subjects=40))
    first = controls.halves(real.subjects, seed=1)
    return real.take(~first), real.take(first)


def _table(test, synthetic, train):
    return measured_table(wave_measures(test, synthetic, train, repeats=5))


def test_training_strips_themselves_are_the_baseline(cohort):
    test, train = cohort
    table = _table(test, train.signals, train)
    assert list(table.index) == ["delineated strips", *INTERVALS, *AMPLITUDES]
    np.testing.assert_allclose(table.value, table.baseline)
    assert table.at_baseline.all() and table.value.notna().all()
    assert (table.baseline_low <= table.baseline_high).all()


def test_another_amplitude_is_seen_and_intervals_are_not_blamed(cohort):
    test, train = cohort
    louder = _table(test, 2 * train.signals, train)
    assert not louder.at_baseline[list(AMPLITUDES)].any()
    assert louder.at_baseline[["QRS duration W1", "QT interval W1"]].all()


def test_longer_waves_are_seen(cohort):
    test, train = cohort
    half = train.signals[:, :640]
    slow = np.repeat(half, 2, axis=1)  # each wave lasts twice as long, and each beat, too
    table = _table(test, slow, train)
    assert not table.at_baseline[["QRS duration W1", "QT interval W1"]].any()


def test_noise_has_no_waves(cohort):
    test, train = cohort
    noise = np.random.default_rng(5).standard_normal(train.signals.shape).astype(np.float32)
    assert _table(test, noise, train).value["delineated strips"] == 0


def test_lead_two_is_delineated_where_there_is_one(cohort):
    test, _ = cohort
    flat = np.zeros_like(test.signals)
    both = np.concatenate([flat, test.signals], axis=2)
    assert found_waves(both, FS, ("I", "II")).table.delineated.mean() > 0.5
    assert found_waves(both, FS, ("V1", "V2")).table.delineated.mean() == 0


def test_sets_that_do_not_fit_are_named(cohort):
    test, _ = cohort
    with pytest.raises(InputError, match="different lengths"):
        wave_measures(test, test.signals[:, :640])
