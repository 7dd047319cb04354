"""Resampling and filtering: nothing moves that should not, no beat is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.signals.filtering import filter_record, low_pass, resample
from ecg_tf.signals.windows import Windows
from tests.small_records import make_record, noise


@pytest.mark.parametrize(("old", "new"), [(360, 128), (500, 128), (128, 360), (250, 257.5)])
def test_resampling_keeps_a_sine_and_its_place(old, new):
    t = np.arange(int(20 * old)) / old
    record = make_record(2 + np.sin(2 * np.pi * 3 * t), old, beats=[0, len(t) // 2, len(t) - 1])
    out = resample(record, new)
    assert out.fs == new and len(out.signal) == np.ceil(len(t) * new / old)
    truth = 2 + np.sin(2 * np.pi * 3 * np.arange(len(out.signal)) / new)
    middle = slice(int(new), -int(new))
    assert np.abs(out.signal[middle, 0] - truth[middle]).max() < 5e-3
    assert len(out.beats) == 3 and out.beats[-1] <= len(out.signal) - 1
    assert np.abs(out.beats / new - record.beats / old).max() <= 1.0 / new


@settings(max_examples=30, deadline=None)
@given(st.integers(300, 3000), st.sampled_from([64, 100, 128, 250, 360, 500, 1000]))
def test_no_beat_is_lost_at_the_end(samples, fs):
    record = make_record(noise(samples), 360.0, beats=np.arange(samples))
    out = resample(record, fs)
    assert len(out.beats) == samples
    assert out.beats.min() >= 0 and out.beats.max() < len(out.signal)


def test_the_same_rate_changes_nothing():
    record = make_record(noise(500), 128.0, beats=[3, 400])
    out = resample(record, 128.0)
    assert np.array_equal(out.signal, record.signal) and np.array_equal(out.beats, record.beats)


def test_the_band_pass_is_zero_phase_and_the_notch_takes_the_hum():
    fs, t = 360.0, np.arange(360 * 30) / 360
    heart, hum, drift = np.sin(2 * np.pi * 5 * t), np.sin(2 * np.pi * 50 * t), 3 + 0.1 * t
    middle = slice(3600, -3600)

    def through(y, **options):
        return filter_record(make_record(y, fs), **options).signal[middle, 0]

    assert np.abs(through(heart + drift) - heart[middle]).max() < 0.05
    assert np.std(through(hum, low=0, high=0, notch=50)) < 0.01
    assert np.abs(through(heart, low=0, high=0, notch=50) - heart[middle]).max() < 0.01
    assert np.array_equal(through(heart, low=0, high=0), heart[middle].astype(np.float32))
    for wrong in ({"high": 180}, {"low": -1}, {"low": 50, "high": 40}, {"notch": 500}):
        with pytest.raises(InputError):
            through(heart, **wrong)


def test_decoded_windows_pass_the_low_pass_of_the_records():
    rng = np.random.default_rng(0)
    long = np.sin(2 * np.pi * 5 * np.arange(512) / 128)[:, None] + 0.1 * rng.normal(size=(512, 1))
    signals = np.full((2, 512, 1), np.nan, np.float32)
    signals[0], signals[1, :300] = long, long[:300]
    who = np.array(["a", "b"])
    windows = Windows(signals, 128.0, ("II",), np.array([512, 300]), who, who, np.zeros(2, int))
    once = low_pass(windows, 40.0)
    assert np.isnan(once.signals[1, 300:]).all() and np.isfinite(once.signals[1, :300]).all()
    before, after = (np.abs(np.fft.rfft(one.signals[0, :, 0])) for one in (windows, once))
    hz = np.fft.rfftfreq(512, 1 / 128)
    assert after[hz > 50].sum() < 0.2 * before[hz > 50].sum()
    assert np.isclose(after[hz == 5], before[hz == 5], rtol=0.01).all()
    assert low_pass(windows, 0.0) is windows
    with pytest.raises(InputError, match="high"):
        low_pass(windows, 64.0)


@pytest.mark.parametrize("old", [249.89, 499.31, 333.3333, 128.0001, 1000 / 7])
@pytest.mark.parametrize("new", [100, 128, 250, 360, 500])
def test_odd_rates_are_resampled_and_drift_less_than_half_a_sample(old, new):
    seconds = 300
    t = np.arange(int(seconds * old)) / old
    marks = np.linspace(0, len(t) - 1, 50).astype(int)
    out = resample(make_record(np.sin(2 * np.pi * 3 * t), old, beats=marks), new)
    assert out.fs == new and abs(len(out.signal) - len(t) * new / old) <= 1.5
    assert np.abs(out.beats - marks / old * new).max() <= 1.0  # half by drift, half by rounding
    end = slice(-int(5 * new), -int(new))  # where a drift would be largest
    truth = np.sin(2 * np.pi * 3 * np.arange(len(out.signal)) / new)
    assert np.abs(out.signal[end, 0] - truth[end]).max() < 2 * np.pi * 3 * 0.5 / new + 5e-3


def test_rates_without_any_ratio_are_refused():
    with pytest.raises(InputError, match="cannot be changed to 100000 Hz"):
        resample(make_record(noise(100), 1.5), 100_000)
