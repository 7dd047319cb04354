"""R peaks: found in every rhythm, in bad recordings too, and moved to where they are."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.simulate import sample_identity, simulate_record
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.qrs import detect_qrs, without_jumps
from ecg_tf.signals.rpeaks import between_samples, find_rpeaks, refine_rpeaks
from tests.small_records import make_record
from tests.validation.beat_scores import scores
from tests.validation.rhythm_cases import ecg_of_beats, regular, rhythm_cases


@pytest.fixture(scope="module")
def sinus():
    """20 s at 70 bpm, 250 Hz: (time,) mV and beats in samples."""
    beats = regular(70, 20, np.random.default_rng(0))
    ecg = ecg_of_beats(beats, sample_identity(0, 1), 250.0, 20)
    noise = 0.01 * np.random.default_rng(1).standard_normal(len(ecg))
    return ecg + noise, beats[beats < 20] * 250


@pytest.mark.parametrize("fs", [100.0, 128.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("tolerance", [0.15, 0.05])
def test_every_simulated_case_is_found(fs, tolerance):
    bad = {}
    for case in rhythm_cases((fs,), hearts=(1,)):
        found = find_rpeaks(case.signal, fs)
        result = scores(found, case.beats * fs, fs, len(case.signal), tolerance)
        if min(result.sensitivity, result.ppv) < 0.97:
            bad[case.name] = result
    assert not bad


@pytest.mark.parametrize("rate", [25, 60, 180])
def test_and_after_filtering_and_resampling(rate):
    for case in rhythm_cases((250.0,), hearts=(2,)):
        if case.kind in (f"{rate} bpm", "first-sample step", "constant start of 4.1 s"):
            ready = prepare(make_record(case.signal, 250.0))
            found = find_rpeaks(ready.signal, 128.0)
            result = scores(found, case.beats * 128, 128.0, len(ready.signal))
            assert min(result.sensitivity, result.ppv) >= 0.97, case.name


def test_offset_size_and_polarity_do_not_matter(sinus):
    ecg, beats = sinus
    found = find_rpeaks(ecg, 250.0)
    assert len(found) == len(beats) and np.abs(found - beats).max() <= 2
    for other in (ecg + 40, 0.2 * ecg, -ecg, -5 * ecg - 3):
        assert np.array_equal(find_rpeaks(other, 250.0), found)
    assert np.array_equal(find_rpeaks(ecg, 250.0), found)  # the same again


def test_a_poor_first_lead_is_no_hindrance(sinus):
    ecg, beats = sinus
    rng = np.random.default_rng(2)
    for first in (np.zeros_like(ecg), rng.standard_normal(len(ecg)), np.full_like(ecg, np.nan)):
        found = find_rpeaks(np.stack([first, ecg], 1), 250.0)
        assert len(found) == len(beats) and np.abs(found - beats).max() <= 2
    off = ecg.copy()
    off[1000:3000] = 0.0  # where the first lead is off, the middle of the complex stays
    found = find_rpeaks(np.stack([off, ecg], 1), 250.0)
    assert len(found) == len(beats) and np.abs(found - beats).max() <= 0.04 * 250


def test_the_first_lead_says_where_the_peak_is(sinus):
    ecg, beats = sinus
    later = np.roll(ecg, 5)
    found = find_rpeaks(np.stack([ecg, later], 1), 250.0)
    assert np.abs(found - beats).max() <= 2
    assert np.abs(find_rpeaks(np.stack([later, ecg], 1), 250.0) - beats - 5).max() <= 2


def test_what_has_no_beats_gives_none_and_a_low_rate_is_refused(sinus):
    assert len(find_rpeaks(np.zeros(10), 128.0)) == 0
    assert len(find_rpeaks(np.zeros((2000, 2)), 128.0)) == 0
    assert len(find_rpeaks(np.full(2000, np.nan), 128.0)) == 0
    for fs in (30.0, 0.0, float("nan")):
        with pytest.raises(InputError, match="sampling rate"):
            find_rpeaks(sinus[0], fs)


def test_missing_samples_are_bridged(sinus):
    ecg, beats = sinus
    lost = ecg + 2.0
    lost[500:1000] = np.nan
    outside = (beats < 490) | (beats > 1010)
    found = find_rpeaks(lost, 250.0)
    assert np.abs(found[:, None] - beats[outside]).min(axis=0).max() <= 2
    assert len(found) <= outside.sum() + 1


def test_jumps_and_spikes_are_taken_out_and_complexes_are_not(sinus):
    ecg, beats = sinus
    assert without_jumps(ecg, 250.0, 0.3) is None
    step, spike = ecg.copy(), ecg.copy()
    step[1333:] += 3.0
    spike[1333] += 3.0
    for changed in (step, spike):
        repaired = without_jumps(changed, 250.0, 0.3)
        assert np.ptp(repaired - ecg) < 0.2
        assert len(detect_qrs(changed[:, None], 250.0).at) == len(beats)


def test_ventricular_beats_choose_their_polarity():
    beats = regular(70, 30, np.random.default_rng(3))
    wide = np.arange(len(beats)) % 5 == 2
    heart = sample_identity(0, 1)
    normal = ecg_of_beats(beats[~wide], heart, 250.0, 30)
    down = -ecg_of_beats(beats[wide], heart, 250.0, 30, ventricular=np.ones(wide.sum(), bool))
    side = np.sign(down[round(beats[wide][0] * 250)])
    found = find_rpeaks(normal - side * down, 250.0)
    inside = beats[(beats > 0.1) & (beats < 29.9)] * 250
    assert np.abs(found[:, None] - inside).min(axis=0).max() <= 2


@pytest.mark.parametrize("polarity", [1, -1])
def test_refinement_finds_the_peak_again(polarity):
    record = simulate_record(sample_identity(0, 2), minutes=1, noise=0, ectopy=0)
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
    hearts = [sample_identity(0, k) for k in range(1, 40)]
    fast = max(hearts, key=lambda h: h.heart_rate)
    for heart in (hearts[0], fast):
        record = prepare(simulate_record(heart, minutes=2, ectopy=0))
        found = find_rpeaks(record.signal, record.fs)
        distance = np.abs(found[None, :] - record.beats[2:-2, None]).min(axis=1)
        assert np.mean(distance <= 2) > 0.98 and abs(len(found) - len(record.beats)) < 5


def test_peaks_are_found_between_samples():
    at = np.array([20.0, 50.25, 80.5, 110.9])
    y = np.exp(-0.5 * ((np.arange(130)[:, None] - at) / 2) ** 2) @ [1, -1, 2, 1]
    rough = np.rint(at + 1e-9).astype(int)
    assert np.abs(rough + between_samples(y, rough) - at).max() < 0.03
    assert between_samples(y, [0, 129, 54]).tolist() == [0, 0, 0]  # ends, and no extremum
    assert between_samples(np.ones(9), [4]).tolist() == [0]
    assert between_samples([1.0, 2], [1]).tolist() == [0]
