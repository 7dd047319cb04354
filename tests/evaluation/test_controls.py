"""The control sets are what they say, and every measure puts them in the right order."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import fidelity
from ecg_tf.evaluation.clinical import rhythm
from ecg_tf.evaluation.descriptors import DescriptorScale, describe, log_band_power, strip_rpeaks
from ecg_tf.evaluation.validation import controls
from ecg_tf.evaluation.waveform import wasserstein1
from tests.small_records import windows_of

FS = 128
MITDB = "100 101 103 105 106 112 113 115 116 119 121 123 200 202 205 208 210 213 221 230".split()
COPIES = ("exact copy", "shifted copy", "gain copy", "warped copy")
FAULTS = ("phase randomized", "shuffled samples", "white noise", "tenfold amplitude",
          "one window repeated", "wrong heart rate")


def _simulated_cohort():
    return controls.simulated(112, 10 * FS, FS, np.random.default_rng(1), subjects=28)


def _mitdb_cohort(folder, each=5):
    import wfdb
    from scipy.signal import butter, resample_poly, sosfiltfilt

    band, strips, subjects = butter(2, (0.5, 40), "bandpass", fs=360, output="sos"), [], []
    for name in MITDB:
        record = wfdb.rdrecord(str(folder / name), channel_names=["MLII"], sampto=360 * 400)
        signal = resample_poly(sosfiltfilt(band, record.p_signal[:, 0]), 16, 45)
        for start in range(0, each * 30 * FS, 30 * FS):
            strips.append(signal[start:start + 10 * FS])
            subjects.append(name)
    return np.asarray(strips, np.float32)[..., None], np.array(subjects)


def _psd_distance(real, other):
    real, other = (10 * log_band_power(side, FS).mean(0) for side in (real, other))
    return float(np.sqrt(np.mean((real - other) ** 2)))


def _measured(real, subjects):
    first = controls.halves(subjects, seed=3)
    sets = controls.control_sets(windows_of(real, subjects), seed=3, first=first)
    scale = DescriptorScale.from_real(real[first], FS)
    base, base_rhythm = describe(real[first], FS, scale), rhythm(real[first], FS)
    rows = {}
    for name, strips in sets.items():
        features, found = describe(strips, FS, scale), rhythm(strips, FS)
        size, some = min(len(base), len(features)), np.random.default_rng(0)
        one, other = some.permutation(len(base))[:size], some.permutation(len(features))[:size]
        rows[name] = {
            "mmd2": fidelity.mmd2(base, features, permutations=0)[0],
            "frechet": fidelity.frechet_distance(base, features),
            **fidelity.precision_recall_density_coverage(base[one], features[other],
                                                         groups=subjects[first][one]),
            **fidelity.diversity(base[one], features[other]),
            "heart_rate": wasserstein1(base_rhythm.heart_rate, found.heart_rate),
            "r_amplitude": wasserstein1(base_rhythm.r_amplitude, found.r_amplitude),
            "amplitude": wasserstein1(real[first][:, ::8], strips[:, ::8]),
            "psd": _psd_distance(real[first], strips),
            "detectable": found.detectable.mean(),
        }
    return rows


@pytest.fixture(scope="module")
def on_simulated():
    return _measured(*_simulated_cohort())


@pytest.fixture
def on_real(mitdb, _cache={}):  # noqa: B006 - measured once for all tests of this file
    if not _cache:
        _cache.update(_measured(*_mitdb_cohort(mitdb)))
    return _cache


@pytest.fixture(params=["simulated", "mitdb"])
def rows(request):
    return request.getfixturevalue("on_simulated" if request.param == "simulated" else "on_real")


def test_mmd_puts_copies_below_other_persons_and_faults_far_above(rows):
    baseline = rows["other half"]["mmd2"]
    assert baseline > 0
    assert rows["exact copy"]["mmd2"] < 0
    assert rows["shifted copy"]["mmd2"] < 0.1 * baseline
    for name in COPIES:
        assert rows[name]["mmd2"] < baseline, name
    for name in FAULTS:
        assert rows[name]["mmd2"] > 4 * baseline, name


def test_frechet_agrees(rows):
    baseline = rows["other half"]["frechet"]
    assert rows["exact copy"]["frechet"] < 1e-3 * baseline
    for name in FAULTS:
        assert rows[name]["frechet"] > 2 * baseline, name  # where the release gate stands


def test_noise_is_not_precise_and_other_persons_are(rows):
    other = rows["other half"]
    assert other["precision"] > 0.5 and other["coverage"] > 0.3
    assert rows["exact copy"]["precision"] == rows["exact copy"]["recall"] == 1
    for name in ("phase randomized", "shuffled samples", "white noise", "tenfold amplitude"):
        for measure in ("precision", "recall", "density", "coverage"):
            assert rows[name][measure] < 0.5 * other[measure], (name, measure)


def test_collapse_is_caught_by_recall_coverage_and_diversity_not_by_precision(rows):
    collapsed, other = rows["one window repeated"], rows["other half"]
    assert collapsed["precision"] == 1
    assert collapsed["recall"] < 0.3 * other["recall"]
    assert collapsed["coverage"] < 0.5 * other["coverage"]
    assert collapsed["diversity"] < 0.01 < 0.5 < other["diversity"]
    assert collapsed["near_duplicates"] == 1 and other["near_duplicates"] < 0.2


def test_wrong_heart_rate_is_caught_where_amplitude_is_right(rows):
    wrong, other = rows["wrong heart rate"], rows["other half"]
    assert wrong["heart_rate"] > 5 * other["heart_rate"]
    assert wrong["r_amplitude"] < other["r_amplitude"]
    assert wrong["detectable"] > 0.8


def test_tenfold_amplitude_is_caught_by_the_signal_measures(rows):
    tenfold, other = rows["tenfold amplitude"], rows["other half"]
    assert tenfold["psd"] == pytest.approx(20, abs=0.5)
    for name in ("amplitude", "r_amplitude", "psd"):
        assert tenfold[name] > 5 * other[name], name
    assert rows["gain copy"]["r_amplitude"] > rows["exact copy"]["r_amplitude"] == 0


def test_only_ecgs_are_detectable(rows):
    for name in ("phase randomized", "shuffled samples", "white noise"):
        assert rows[name]["detectable"] < 0.2, name
    for name in (*COPIES, "other half", "simulated"):
        assert rows[name]["detectable"] > 0.8, name


def test_phase_randomized_has_the_right_spectrum(rows):
    assert rows["phase randomized"]["psd"] < 0.1 * rows["white noise"]["psd"]


def test_the_sets_are_what_they_say():
    real, subjects = controls.simulated(40, 10 * FS, FS, np.random.default_rng(2), leads=2,
                                        subjects=10)
    first = controls.halves(subjects)
    sets = controls.control_sets(windows_of(real, subjects))
    assert sets.keys() == controls.CONTROLS.keys()
    base = real[first]
    for name, strips in sets.items():
        assert strips.shape[1:] == real.shape[1:] and strips.dtype == np.float32, name
        assert np.isfinite(strips).all(), name
        assert len(strips) == (len(real) - len(base) if name == "other half" else len(base))
    np.testing.assert_array_equal(sets["exact copy"], base)
    np.testing.assert_array_equal(sets["tenfold amplitude"], 10 * base)
    np.testing.assert_array_equal(np.sort(sets["shuffled samples"], 1), np.sort(base, 1))
    assert len(np.unique(sets["one window repeated"], axis=0)) == 1
    np.testing.assert_allclose(sets["white noise"].std(1), base.std(1), rtol=0.2)
    spectrum = [np.abs(np.fft.rfft(one, axis=1)) for one in (sets["phase randomized"], base)]
    np.testing.assert_allclose(*spectrum, atol=1e-3)
    assert not set(subjects[first]) & set(subjects[~first])


def test_copies_of_other_kinds_are_far_in_plain_distance():
    # What makes plain Euclidean distance blind to copies: the shifted one looks like fresh data.
    real, _ = controls.simulated(20, 10 * FS, FS, np.random.default_rng(4))
    moved = controls.shifted(real, FS, np.random.default_rng(0))
    slower = controls.warped(real, 0.05)
    between = np.sqrt(((real[1:] - real[:-1]) ** 2).mean())
    assert np.sqrt(((moved - real) ** 2).mean()) > 0.8 * between
    ratio = rhythm(real, FS).heart_rate / rhythm(slower, FS).heart_rate
    assert np.median(ratio) == pytest.approx(1 / 0.95, rel=0.02)


def test_reading_between_samples_dampens_nothing():
    sine = np.sin(2 * np.pi * 35 * np.arange(1280) / FS)[None, :, None].astype(np.float32)
    assert controls.warped(sine).std() == pytest.approx(sine.std(), rel=0.03)


def test_shifting_makes_no_rr_interval_that_was_not_there():
    real, _ = controls.simulated(30, 10 * FS, FS, np.random.default_rng(5))
    moved = controls.shifted(real, FS, np.random.default_rng(0))
    for before, after in zip(strip_rpeaks(real, FS), strip_rpeaks(moved, FS), strict=True):
        low, high = np.diff(before).min(), np.diff(before).max()
        inner = np.diff(after)
        assert inner.min() > low - 3 and inner.max() < high + 3


@pytest.mark.parametrize("rate", [35, 60, 150, 215])
def test_beats_are_put_at_the_rate_asked_for(rate):
    real, _ = controls.simulated(10, 10 * FS, FS, np.random.default_rng(6), rates=(60, 90))
    got = rhythm(controls.at_heart_rate(real, FS, (rate, rate + 0.1)), FS).heart_rate
    assert np.median(got) == pytest.approx(rate, rel=0.03)


def test_the_same_seed_gives_the_same_sets():
    real, subjects = controls.simulated(12, 10 * FS, FS, np.random.default_rng(7), subjects=4)
    one, same, other = (controls.control_sets(windows_of(real, subjects), seed)
                        for seed in (1, 1, 2))
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
    assert not np.array_equal(one["white noise"], other["white noise"])


def test_spectrum_bands_read_a_sine_at_its_place():
    time = np.arange(10 * FS) / FS
    power = log_band_power(np.sin(2 * np.pi * 9 * time)[None, :, None], FS)[0]
    assert power.argmax() == 8  # 8-10 Hz


def test_bad_input_is_named():
    real, subjects = controls.simulated(6, 10 * FS, FS, np.random.default_rng(0), subjects=3)
    with pytest.raises(InputError, match="two"):
        controls.halves(["a"] * 6)
    with pytest.raises(InputError, match="halves"):
        controls.control_sets(windows_of(real, subjects), first=np.ones(6, bool))
    real[0, 5] = np.nan
    with pytest.raises(InputError, match="missing"):
        controls.control_sets(windows_of(real, subjects))
