"""The delineator against simulated ECGs whose intervals are known, from 30 to 220 bpm."""

import numpy as np
import pytest

from ecg_tf.evaluation.clinical import rhythm, waves
from ecg_tf.evaluation.validation.control_tables import as_markdown
from tests.validation.interval_check import ecg_at, interval_errors, interval_text

FS = 128


@pytest.mark.parametrize("rate", [31, 45, 60, 90, 120, 121, 150, 180, 214])
def test_heart_rates_are_found_from_30_to_220(rate):
    strips, truth = ecg_at(rate, persons=8)
    found = rhythm(strips, FS).heart_rate
    inside = truth.heart_rate.between(30.2, 219.8)
    assert inside.mean() > 0.7
    np.testing.assert_allclose(found[inside], truth.heart_rate[inside], rtol=0.01)


def test_intervals_are_near_the_truth_where_waves_are_apart():
    errors = interval_errors((45, 60, 80, 100), persons=5)
    for name, most in (("pr", 30), ("qrs", 30), ("qt", 35), ("p_duration", 30)):
        assert (errors[name].abs() < most).all(), errors[name]
        assert (errors[f"{name}_found"] >= 0.8).all()


def test_no_interval_reaches_into_the_next_beat():
    # At 150 bpm the next beat's T wave ends within reach of the QT that is sought.
    strips, truth = ecg_at(150, persons=5)
    found = waves(strips, FS, limit=5).table
    rr = 60 / truth.heart_rate
    assert not (found.qt > rr + 0.05).any() and not (found.pr > rr).any()


def test_the_truth_is_what_was_drawn():
    strips, truth = ecg_at(60, persons=3, noise=0.0)
    again, same = ecg_at(60, persons=3, noise=0.0)
    np.testing.assert_array_equal(strips, again)
    assert truth.equals(same) and truth.heart_rate.between(57, 63).all()
    assert truth.qt.between(0.36, 0.42).all() and truth.qrs.between(0.08, 0.108).all()
    slow, fast = (ecg_at(rate, persons=3)[1] for rate in (40, 160))
    np.testing.assert_allclose(slow.qt / fast.qt, np.cbrt(4), rtol=0.01)  # Fridericia


def test_the_table_says_what_was_not_found():
    errors = interval_errors((60,), persons=2)
    errors["pr_found"], errors["qt_found"] = 0.0, 0.5
    text = interval_text(errors)
    assert text.loc[60, "pr (ms)"] == "not found" and "(50%)" in text.loc[60, "qt (ms)"]
    assert as_markdown(text).startswith("| bpm | heart rate")
