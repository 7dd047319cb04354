"""The measures against what is known of them, the mistakes of others, and their baselines."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import discriminative, fidelity
from ecg_tf.evaluation.baselines import (
    Measured,
    baseline,
    interval,
    measured_table,
    plain_number,
)
from ecg_tf.evaluation.descriptors import DescriptorScale, block_slices, describe
from ecg_tf.evaluation.discriminative import discriminative_auc, pseudo_subjects
from ecg_tf.evaluation.fidelity_measures import fidelity_measures
from ecg_tf.evaluation.validation import controls
from ecg_tf.evaluation.waveform import seam_ratio, wasserstein1
from tests.small_records import windows_of

FS = 128


def _normal(n, d=5, mean=0.0, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(mean, scale, (n, d)).astype(np.float32)


def _plain_mmd2(x, y, width):
    def kernel(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / (2 * width**2))

    xx, yy = kernel(x, x), kernel(y, y)
    n, m = len(x), len(y)
    return ((xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1))
            - 2 * kernel(x, y).mean())


# MMD

@settings(max_examples=15, deadline=None)
@given(st.integers(2, 40), st.integers(2, 600), st.integers(0, 99), st.floats(0.5, 5))
def test_mmd_is_its_formula(n, m, seed, width):
    x, y = _normal(n, seed=seed), _normal(m, seed=seed + 1, mean=0.3)
    expected = _plain_mmd2(x.astype(float), y.astype(float), width)
    assert fidelity.mmd2(x, y, width, permutations=0)[0] == pytest.approx(expected, abs=2e-5)


def test_mmd_is_unbiased_and_may_be_negative():
    values = [fidelity.mmd2(_normal(60, seed=i), _normal(60, seed=i + 500), permutations=0)[0]
              for i in range(60)]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_mmd_of_white_noise_is_not_zero():
    # The mistake: a bandwidth for each of XX, YY and XY, clipped at 0, gives noise a perfect score.
    x, noise = _normal(100, d=50, scale=0.1), _normal(100, d=50, scale=3, seed=1)
    value, p_value = fidelity.mmd2(x, noise)
    assert value > 0.1 and p_value < 0.01


def test_mmd_p_value_is_honest():
    same = [fidelity.mmd2(_normal(40, seed=i), _normal(40, seed=i + 99), permutations=60)[1]
            for i in range(40)]
    assert 0.3 < np.mean(same) < 0.7
    assert fidelity.mmd2(_normal(80), _normal(80, mean=1, seed=1), permutations=99)[1] == 0.01


def test_mmd_p_value_by_persons_is_not_fooled_by_windows():
    rng = np.random.default_rng(0)
    windows, persons = [], []
    for _ in range(20):
        persons.append(np.repeat(np.arange(12), 15))
        windows.append(rng.normal(size=(12, 1, 4)) + 0.2 * rng.normal(size=(12, 15, 4)))
    p_window, p_person = [], []
    for x, groups in zip(windows, persons, strict=True):
        x = x.reshape(-1, 4)
        p_window.append(fidelity.mmd2(x[:90], x[90:], permutations=50)[1])
        p_person.append(fidelity.mmd2(x[:90], x[90:], permutations=50, groups=groups)[1])
    assert np.mean(np.array(p_window) < 0.05) > 0.9
    assert np.mean(np.array(p_person) < 0.05) < 0.3


# Precision, recall, density, coverage

def test_any_real_ball_counts_not_only_the_nearest():
    # A tight cluster at 0 and one lonely real point at 5 whose ball reaches to 0; a synthetic
    # point at 0.5 is nearest to the cluster, outside its tiny balls, inside the lonely one's.
    real = np.array([[0.0], [0.01], [0.02], [0.03], [5.0]])
    synthetic = np.array([[0.5], [0.51], [0.52]])
    got = fidelity.precision_recall_density_coverage(real, synthetic, k=1, cap=None)
    assert got["precision"] == 1
    assert got["coverage"] == pytest.approx(0.2)
    assert got["density"] == pytest.approx(1)


def test_equal_sets_reach_one_and_far_sets_zero():
    x = _normal(200)
    assert set(fidelity.precision_recall_density_coverage(x, x).values()) >= {1.0}
    far = fidelity.precision_recall_density_coverage(x, _normal(200, mean=50, seed=1))
    assert set(far.values()) == {0.0}


def test_the_cap_takes_giant_balls_away():
    real = np.concatenate([_normal(190), _normal(10, mean=40, scale=30, seed=1)])
    noise = _normal(200, mean=35, scale=0.1, seed=2)
    assert fidelity.precision_recall_density_coverage(real, noise, cap=None)["precision"] > 0.9
    assert fidelity.precision_recall_density_coverage(real, noise)["precision"] == 0
    tenfold = real * 10
    assert fidelity.precision_recall_density_coverage(real, tenfold, cap=None)["recall"] > 0.5
    assert fidelity.precision_recall_density_coverage(real, tenfold)["recall"] < 0.5


def test_with_persons_a_new_person_is_precise_and_noise_is_not():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 10)
    person = rng.normal(size=(40, 1, 4))
    windows = (person + 0.05 * rng.normal(size=(40, 10, 4))).reshape(-1, 4)
    real, new, far = windows[:200], windows[200:], rng.normal(4, 0.1, (200, 4))
    measure = fidelity.precision_recall_density_coverage
    assert measure(real, new)["precision"] < 0.2
    assert measure(real, new, groups=groups)["precision"] > 0.5
    assert measure(real, far, groups=groups)["precision"] == 0
    with pytest.raises(InputError, match="other groups"):
        measure(real, new, groups=np.zeros(200))


# Fréchet, AUC, Wasserstein

def test_frechet_of_gaussians_is_known():
    x, y = _normal(8000, 3), _normal(8000, 3, mean=2, seed=1, scale=2)
    got = fidelity.frechet_distance(x, y, limit=np.inf)
    assert got == pytest.approx(3 * (4 + 1), rel=0.05)
    assert fidelity.frechet_distance(x, x) == pytest.approx(0, abs=1e-6)


def test_one_artefact_does_not_make_the_frechet_distance():
    x, y = _normal(100, 20), _normal(100, 20, seed=1)
    broken = y.copy()
    broken[0] *= 50
    base = fidelity.frechet_distance(x, y)
    assert fidelity.frechet_distance(x, broken, limit=np.inf) > 10 * base
    assert fidelity.frechet_distance(x, broken) < 2 * base


def test_frechet_sees_what_lies_outside_the_real_axes():
    real = np.concatenate([_normal(300, 5), np.zeros((300, 200), np.float32)], 1)
    odd = real[::-1].copy()
    odd[:, 5:] += _normal(300, 200, seed=3)
    assert fidelity.frechet_distance(real, odd) > 10 * fidelity.frechet_distance(real, real[::-1])


def test_auc_is_half_for_equal_and_one_for_apart():
    value, low, high = discriminative_auc(_normal(150), _normal(150, seed=1))
    assert 0.5 <= low <= value <= high <= 0.65
    assert discriminative_auc(_normal(60), _normal(60, mean=4, seed=1))[0] > 0.98


def test_the_weighted_auc_is_scikit_learns():
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth, score = np.r_[0, 1, rng.integers(0, 2, 30)], rng.integers(0, 9, 32) / 4
        weight = 0.1 + rng.random(32)
        assert discriminative.weighted_auc(truth, score, weight) == pytest.approx(
            roc_auc_score(truth, score, sample_weight=weight))


def test_auc_keeps_persons_together():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(24), 15)
    x = (rng.normal(size=(24, 1, 6)) + 0.1 * rng.normal(size=(24, 15, 6))).reshape(-1, 6)
    real, other = who < 12, who >= 12
    loose = discriminative_auc(x[real], x[other], resamples=20)[0]
    kept = discriminative_auc(x[real], x[other], 0, who[real], who[other],
                                       resamples=20)[0]
    assert loose > 0.9 and kept < 0.8
    np.testing.assert_array_equal(pseudo_subjects(x[real], who[real], x[real]), who[real])


def test_equal_samples_have_a_small_distance_beside_their_baseline():
    # The mistake: a histogram divergence of 50 bins with n = 30 calls equal samples different.
    x = np.random.default_rng(0).normal(size=(120, 1))
    subjects = np.repeat(np.arange(12), 10)
    mean, low, high = baseline(wasserstein1, x[30:], subjects[30:], n_synthetic=30)
    assert low < mean < high
    assert wasserstein1(x[:30], x[30:60]) < 2 * high
    assert wasserstein1([0, 1, np.nan], [2, 3]) == pytest.approx(2)
    assert np.isnan(wasserstein1([np.nan], [1]))


# Seams, diversity, memory

def test_seam_ratio_by_fixed_and_by_own_places():
    signals = np.cumsum(np.full((4, 100, 2), 0.1), axis=1)
    signals[:, 50:] += 1
    assert seam_ratio(signals, [50]) == pytest.approx(11)
    assert seam_ratio(signals, [20, 80]) < 1
    own = signals.copy()
    own[2:, 60:] += 1
    own[2:, 50:60] -= 1
    own[2:, 60:] -= 1
    assert seam_ratio(own, [[50, -1], [50, -1], [60, -1], [60, -1]]) == pytest.approx(11)
    padded = np.concatenate([signals, np.full((4, 9, 2), np.nan)], 1)
    assert seam_ratio(padded, [50]) == pytest.approx(11)
    assert np.isnan(seam_ratio(signals, []))
    with pytest.raises(InputError, match="outside"):
        seam_ratio(signals, [100])
    with pytest.raises(InputError, match="another number"):
        seam_ratio(signals, [[3], [4]])


def test_diversity_sees_collapse_and_duplicates():
    real = _normal(150)
    assert fidelity.diversity(real, _normal(150, seed=1))["diversity"] == pytest.approx(1, abs=0.1)
    half = np.repeat(_normal(75, seed=2), 2, axis=0)
    assert fidelity.diversity(real, half)["near_duplicates"] == 1
    assert fidelity.diversity(real, real[:1].repeat(150, 0))["diversity"] < 1e-2


def test_no_array_of_all_pairs_times_features():
    x, y = _normal(1500, 300), _normal(1500, 300, seed=1)
    tracemalloc.start()
    fidelity.mmd2(x, y, permutations=20)
    fidelity.precision_recall_density_coverage(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # N²·d would be 2.7 GB


# Descriptors

def test_descriptions_do_not_depend_on_where_a_strip_begins():
    real, _ = controls.simulated(20, 12 * FS, FS, np.random.default_rng(0))
    scale = DescriptorScale.from_real(real[:, :10 * FS], FS)
    one, later = (describe(real[:, s:s + 10 * FS], FS, scale) for s in (0, 100))
    between = np.linalg.norm(one[1:] - one[:-1], axis=1).mean()
    assert np.linalg.norm(one - later, axis=1).mean() < 0.35 * between
    raw = np.linalg.norm((real[:, :1280] - real[:, 100:1380])[..., 0], axis=1).mean()
    assert raw > 0.7 * np.linalg.norm((real[1:, :1280] - real[:-1, :1280])[..., 0], axis=1).mean()


def test_descriptions_are_always_finite_and_blocks_weigh_alike():
    real, _ = controls.simulated(30, 10 * FS, FS, np.random.default_rng(1), leads=2)
    scale = DescriptorScale.from_real(real, FS)
    odd = np.zeros((6, 1280, 2))
    odd[1] = np.random.default_rng(0).standard_normal((1280, 2))
    odd[2, -1] = 1
    odd[3, 640] = 5
    odd[4] = 1e4 * odd[1]
    odd[5] = -3
    assert np.isfinite(describe(odd, FS, scale)).all()
    features = describe(real, FS, scale)
    assert features.dtype == np.float32 and features.shape == (30, 177 * 2 + 4)
    for part in block_slices(leads=2).values():
        assert np.median(np.linalg.norm(features[:, part], axis=1)) == pytest.approx(1, abs=0.01)
    with pytest.raises(InputError, match="other strips"):
        describe(real[..., :1], FS, scale)


# Baselines, intervals, the first table

def test_baseline_and_interval_cover_what_they_should():
    rng = np.random.default_rng(0)
    subjects = np.repeat(np.arange(20), 10)
    person = rng.normal(size=(20, 1))
    data = (person + 0.1 * rng.normal(size=(20, 10))).reshape(-1, 1)

    def shift(a, b):
        return float(a.mean() - b.mean())

    mean, low, high = baseline(shift, data, subjects, repeats=200)
    assert low < 0 < high and abs(mean) < 0.15
    # Two groups of 10 of 20 persons: sd of the difference of means is 2 sd / sqrt(20).
    expected = 2 * person.std() / np.sqrt(20)
    assert (high - low) / 3.92 == pytest.approx(expected, rel=0.3)
    synthetic = rng.normal(size=(400, 1))
    low, high = interval(shift, data, subjects, synthetic, repeats=200)
    error = np.hypot(person.std() / np.sqrt(20), 1 / 20)
    assert (high - low) / 3.92 == pytest.approx(error, rel=0.3)
    assert interval(shift, data, subjects, synthetic, bounds=(0, 0)) == (0, 0)
    with pytest.raises(InputError, match="baseline"):
        baseline(shift, data, np.zeros(200))


def test_numbers_for_files_do_not_tell_the_last_bits():
    assert plain_number(13.263600180521797) == plain_number(13.263600180521799)
    assert plain_number(np.float64(1) / 3) == pytest.approx(1 / 3, rel=1e-11)
    assert plain_number(float("nan")) is None and plain_number(7) == 7 and plain_number("") == ""


def test_fidelity_measures_judge_controls():
    real = windows_of(*controls.simulated(160, 10 * FS, FS, np.random.default_rng(3), subjects=40))
    first = controls.halves(real.subjects, seed=1)
    test, train = real.take(~first), real.take(first)
    fresh, _ = controls.simulated(80, 10 * FS, FS, np.random.default_rng(4), subjects=20)
    noise = np.random.default_rng(5).standard_normal(fresh.shape).astype(np.float32)
    good = measured_table(fidelity_measures(test, fresh, train, repeats=3))
    bad = measured_table(fidelity_measures(test, noise, train, repeats=3))
    assert good.baseline.notna().all() and good.low.notna().all() and (good.n == 80).all()
    assert (good.low <= good.value + 1e-9).mean() > 0.9
    assert 0 < good.p_value["MMD²"] <= 1
    assert good.value["MMD²"] < 3 * good.baseline["MMD²"]
    assert bad.value["MMD²"] > 10 * bad.baseline["MMD²"]
    for name in ("MMD²", "precision", "recall", "Fréchet distance", "discriminative AUC",
                 "heart rate W1", "log-PSD distance", "detectable strips"):
        assert not bad.at_baseline[name], name


def test_fidelity_measures_without_training_strips_and_their_errors():
    real = windows_of(*controls.simulated(48, 4 * FS, FS, np.random.default_rng(6), subjects=12))
    table = measured_table(fidelity_measures(real, real.signals[::-1], repeats=3))
    assert table.baseline.notna().all()
    assert table.equals(measured_table(fidelity_measures(real, real.signals[::-1], repeats=3)))
    some = fidelity_measures(real, real.signals[::-1], repeats=3, only=("recall", "MMD²"))
    assert measured_table(some).equals(table.loc[["MMD²", "recall"]])
    with pytest.raises(InputError, match="training and test"):
        fidelity_measures(real, real, real)
    with pytest.raises(InputError, match="different lengths"):
        fidelity_measures(real, real.signals[:, :400])
    with pytest.raises(InputError, match="better"):
        Measured("x", 1.0, better="up")
    with pytest.raises(InputError, match="compared"):
        fidelity.mmd2(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(InputError, match="missing"):
        fidelity.mmd2(np.full((3, 2), np.nan), np.zeros((3, 2)))


def test_frechet_distance_of_many_features_is_that_of_the_exact_axes(monkeypatch):
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((40, 300)) * 0.8 ** np.arange(40)[:, None]
    x, y = (rng.standard_normal((200, 40)) @ mixing + 0.01 * rng.standard_normal((200, 300))
            for _ in range(2))
    exact = fidelity.frechet_distance(x, y + 0.1)
    monkeypatch.setattr(fidelity, "MANY_FEATURES", 100)
    assert fidelity.frechet_distance(x, y + 0.1) == pytest.approx(exact, rel=1e-3)
    assert fidelity.frechet_distance(x, y + 0.1) == fidelity.frechet_distance(x, y + 0.1)
