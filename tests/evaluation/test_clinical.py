"""Rates without a ceiling, intervals near what was put in, the same tools on both sides."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import clinical
from ecg_tf.evaluation.descriptors import strip_rpeaks
from ecg_tf.evaluation.validation import controls

FS = 128


def _cohort(n=16, seed=0, **more):
    return controls.simulated(n, 10 * FS, FS, np.random.default_rng(seed), **more)[0]


@pytest.mark.parametrize("rate", [32, 45, 60, 119, 125, 150, 180, 215])
def test_no_ceiling_at_120_bpm(rate):
    found = clinical.rhythm(_cohort(rates=(rate, rate + 0.01)), FS)
    assert found.heart_rate.median() == pytest.approx(rate, rel=0.03)
    assert found.heart_rate.notna().mean() > 0.8


@pytest.mark.parametrize("fs", [100, 128, 250, 360])
def test_rpeaks_lie_where_the_beats_are(fs):
    at = np.array([0.8, 1.7, 2.5, 3.4, 4.25, 5.1, 6.0, 6.9, 7.7, 8.6, 9.3])
    time = np.arange(10 * fs) / fs
    ecg = np.exp(-0.5 * ((time[:, None] - at) / 0.012) ** 2).sum(1)
    for sign in (1, -1):  # a lead may have its main deflection downwards
        found = strip_rpeaks((sign * ecg + 3)[None, :, None], fs)[0]
        np.testing.assert_allclose(found / fs, at, atol=0.003)


def test_hrv_and_amplitude_are_right():
    rr = np.tile([0.8, 0.9], 6)
    at = 0.4 + np.cumsum(rr)[:-1]
    time = np.arange(10 * FS) / FS
    ecg = 1.3 * np.exp(-0.5 * ((time[:, None] - at) / 0.015) ** 2).sum(1)
    row = clinical.rhythm(ecg[None, :, None], FS).iloc[0]
    inside = np.diff(at[at < 10])
    assert row.rr == pytest.approx(inside.mean(), abs=0.003)
    assert row.sdnn == pytest.approx(inside.std(ddof=1), abs=0.004)
    assert row.rmssd == pytest.approx(0.1, abs=0.006)
    assert row.r_amplitude == pytest.approx(1.3, abs=0.06)


def test_what_is_not_there_is_nan_and_not_an_error():
    flat, spike = np.zeros((2, 1280, 1))
    spike[600] = 1
    noise = np.random.default_rng(0).standard_normal((1280, 1))
    found = clinical.rhythm(np.stack([flat, spike, noise]), FS)
    assert np.isnan(found.heart_rate[0]) and found.beats[0] == 0 and np.isnan(found.r_amplitude[0])
    assert np.isnan(found.sdnn[1])
    assert not found.detectable.any()
    assert clinical.waves(np.stack([flat, spike, noise]), FS).table.delineated.sum() == 0


def test_delineation_finds_what_was_put_in():
    table = clinical.waves(_cohort(12, rates=(55, 75)), FS).table
    assert table.delineated.mean() > 0.6
    assert 0.10 < table.pr.median() < 0.24
    assert 0.06 < table.qrs.median() < 0.15
    assert 0.32 < table.qt.median() < 0.48


def test_noise_is_not_delineated():
    noise = np.random.default_rng(1).standard_normal((8, 1280, 1))
    assert clinical.waves(noise, FS).table.delineated.mean() == 0


def test_amplitudes_are_read_in_every_lead_where_the_delineated_one_has_its_peaks():
    one = _cohort(6, rates=(55, 75))
    leads = np.concatenate([one, -2 * one + 0.3], axis=2)
    found = clinical.waves(leads, FS, lead=0)
    assert found.amplitudes.shape == (6, 3, 2)
    np.testing.assert_allclose(found.amplitudes[..., 1], -2 * found.amplitudes[..., 0], atol=1e-5)
    r_amplitude = clinical.rhythm(one, FS).r_amplitude
    np.testing.assert_allclose(found.amplitudes[:, 1, 0], r_amplitude, atol=1e-5)


def test_bad_input_is_named():
    real = _cohort(3)
    with pytest.raises(InputError, match="no such lead"):
        clinical.rhythm(real, FS, lead=1)
    with pytest.raises(InputError, match="too short"):
        clinical.rhythm(real[:, :100], FS)
    with pytest.raises(InputError, match="shape"):
        clinical.rhythm(real[..., 0], FS)
    with pytest.raises(InputError, match="sampling rate"):
        clinical.rhythm(real, 50)
    with pytest.raises(InputError, match="delineate"):
        clinical.waves(real, FS, limit=0)
    broken = real.copy()
    broken[1, -5:] = np.nan
    with pytest.raises(InputError, match="1 of 3 windows"):
        clinical.waves(broken, FS)
