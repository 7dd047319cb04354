"""R peaks: found, and moved to where they are."""

import numpy as np
import pytest

from ecg_tf.records.simulate import draw_identity, simulate_record
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.rpeaks import between_samples, find_rpeaks, refine_rpeaks


@pytest.mark.parametrize("polarity", [1, -1])
def test_refinement_finds_the_peak_again(polarity):
    record = simulate_record(draw_identity(0, 2), minutes=1, noise=0, ectopy=0)
    shaken = record.beats + np.random.default_rng(0).integers(-15, 16, len(record.beats))
    found = refine_rpeaks(polarity * record.signal, 360.0, shaken)
    assert np.abs(found - record.beats)[1:-1].max() <= 1


def test_one_record_one_polarity_but_ventricular_beats_choose():
    fs, peaks = 100.0, np.arange(100, 1900, 90)
    y = np.zeros(2000)
    for k, peak in enumerate(peaks):
        y[peak] = 1.0
        y[peak + 3] = -1.2 if k % 5 == 4 else -0.7  # sometimes S is larger than R
    symbols = np.full(len(peaks), "N")
    assert np.array_equal(refine_rpeaks(y, fs, peaks + 1, symbols), peaks)
    symbols[4] = "V"
    moved = refine_rpeaks(y, fs, peaks + 1, symbols) - peaks
    assert moved[4] == 3 and not np.delete(moved, 4).any()
    assert len(refine_rpeaks(y, fs, [])) == 0


def test_the_detector_finds_simulated_beats_also_fast_ones():
    hearts = [draw_identity(0, k) for k in range(1, 40)]
    fast = max(hearts, key=lambda h: h.heart_rate)
    for heart in (hearts[0], fast):
        record = prepare(simulate_record(heart, minutes=2, ectopy=0))
        found = find_rpeaks(record.signal, record.fs)
        distance = np.abs(found[None, :] - record.beats[2:-2, None]).min(axis=1)
        assert np.mean(distance <= 2) > 0.98 and abs(len(found) - len(record.beats)) < 5
    assert len(find_rpeaks(np.zeros(10), 128.0)) == 0


def test_peaks_are_found_between_samples():
    at = np.array([20.0, 50.25, 80.5, 110.9])
    y = np.exp(-0.5 * ((np.arange(130)[:, None] - at) / 2) ** 2) @ [1, -1, 2, 1]
    rough = np.rint(at + 1e-9).astype(int)
    assert np.abs(rough + between_samples(y, rough) - at).max() < 0.03
    assert between_samples(y, [0, 129, 54]).tolist() == [0, 0, 0]  # ends, and no extremum
    assert between_samples(np.ones(9), [4]).tolist() == [0]
    assert between_samples([1.0, 2], [1]).tolist() == [0]
