"""Utility: planted sets whose right answer is known, and the way from records to labelled beats."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.beat_features import NAMES, beat_features
from ecg_tf.evaluation.gate import release_gate
from ecg_tf.evaluation.utility import (
    RATIO,
    Beats,
    circularity,
    confusion_matrix,
    make_classifier,
    scores,
    utility,
)
from ecg_tf.images.codec import Codec
from ecg_tf.signals.windows import Windows
from ecg_tf.training.labelled_beats import (
    balanced_sample,
    beats_with_rhythm,
    class_numbers,
    prepare_beats,
    rhythm_leads,
    rhythm_of,
    usual_beat_of,
)
from tests.small_records import make_record

CLASSES = ("N", "S", "V")
FAST = {"classes": CLASSES, "scored": CLASSES, "per_class": 60, "seeds": 3,
        "classifiers": ("forest",)}


def beats_of(n, persons, seed, spread=1.2):
    """Features of three overlapping classes, N ten times as frequent, and who they are of."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(list(CLASSES), n, p=(0.8, 0.1, 0.1))
    centre = np.array([{"N": (0, 0), "S": (2, 0), "V": (0, 2)}[one] for one in labels])
    own = rng.choice(persons, n)
    person = np.array([np.random.default_rng(int(p)).normal(0, 0.3, 2) for p in own])
    x = np.concatenate([centre + person, np.zeros((n, 3))], 1) + rng.normal(0, spread / 2, (n, 5))
    return x, labels, own.astype(str)


@pytest.fixture(scope="module")
def real():
    return beats_of(1500, np.arange(8), 0), beats_of(800, np.arange(20, 26), 1)


@pytest.fixture(scope="module")
def of_copies(real):
    """Utility of a copy of the real training beats."""
    return scored(real, *real[0][:2])


def scored(real, synthetic, labels, **changed):
    return utility(Beats(*real[0]), Beats(synthetic, labels), Beats(*real[1]), **(FAST | changed))


def test_a_copy_of_the_real_set_is_as_good_as_it(of_copies):
    u = of_copies
    assert abs(u.ratio().mean() - 1) < 0.12
    (ratio, *_) = u.measures(n=1500)
    assert ratio.name == f"{RATIO}, forest" and ratio.low <= ratio.value <= ratio.high
    assert release_gate([ratio], {}).table.loc[ratio.name, "verdict"] == "pass"
    table = u.table()
    assert table.loc["TRTS", "macro_f1"] > 0.7  # balanced, so better than on the test's shares
    assert table.loc["majority", "recall N"] == 1 and table.loc["majority", "recall V"] == 0
    assert u.confusion["forest", "TSTR"].sum() == pytest.approx(800)


def test_interval_over_persons_is_wider_than_that_over_starts(of_copies):
    u = of_copies
    low, high = u.over_persons()
    values = u.values("TSTR", "macro_f1_all")
    assert low < values.mean() < high and high - low > np.ptp(values)
    assert (low, high) == u.over_persons() and high - low < 0.3
    for key, counts in u.by_person.items():
        assert counts.shape == (3, 6, 3, 3) and key[1] != "TRTS"
        assert np.allclose(counts.sum(axis=1).mean(axis=0), u.confusion[key])
    assert u.over_persons("majority", "recall N") == (1, 1)
    with pytest.raises(InputError, match="test subjects"):
        u.over_persons("TRTS")


def test_shuffled_labels_are_chance(of_copies):
    u = of_copies
    assert u.values("shuffled labels", "balanced_accuracy").mean() == pytest.approx(1 / 3, abs=0.1)
    assert u.values("TSTR", "balanced_accuracy").mean() > 0.6


def test_swapped_labels_are_caught(real):
    x, y, _ = real[0]
    swapped = np.select([y == "S", y == "V"], ["V", "S"], y)
    u = scored(real, x, swapped)
    assert u.ratio().mean() < 0.6
    table = u.table()
    assert table.loc["TSTR", "recall S"] < 0.3 < 0.6 < table.loc["TRTR", "recall S"]
    ratio = u.measures()[0]
    assert release_gate([ratio]).table.loc[ratio.name, "verdict"] == "fail"


def test_one_beat_repeated_is_caught(real):
    x, y, _ = real[0]
    one = np.concatenate([np.tile(x[np.flatnonzero(y == name)[:1]], (60, 1)) for name in CLASSES])
    assert scored(real, one, np.repeat(CLASSES, 60)).ratio().mean() < 0.9


def test_the_ratio_asks_for_the_better_way_to_train_on_real_beats(real, of_copies):
    u = of_copies
    best = np.maximum(u.values("TRTR"), u.values("TRTR, all beats"))
    assert np.allclose(u.ratio(), u.values("TSTR") / best)
    again = scored(real, *real[0][:2])
    assert u.runs.equals(again.runs)


def test_the_gans_own_head_is_no_independent_classifier(real):
    """Beats that follow the head's own rule, which is a wrong one, satisfy it and no one else."""
    (x, y, _), (test, truth, _) = real
    rng = np.random.default_rng(0)
    requested = rng.choice(list(CLASSES), 300)
    fakes = rng.normal(0, 0.6, (300, 5))
    fakes[:, 4] = np.array([-3, 0, 3])[class_numbers(requested, CLASSES)]

    def head(z):
        return np.array(CLASSES)[np.digitize(z[:, 4], [-1.5, 1.5])]

    other = make_classifier("forest", 0).fit(x, y)
    table = circularity(head(fakes), head(test), truth, other.predict(fakes), requested, CLASSES,
                        CLASSES)
    own, independent, on_real = table["balanced_accuracy"]
    assert own > 0.95 and independent < 0.5 and on_real < 0.5


def test_scores_by_hand():
    matrix = confusion_matrix(["N", "N", "N", "V"], ["N", "N", "V", "V"], ("N", "V", "Q"))
    assert matrix.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    got = scores(matrix, ("N", "V", "Q"), ("N", "V"))
    assert got["recall N"] == pytest.approx(2 / 3) and np.isnan(got["recall Q"])
    assert got["f1 V"] == pytest.approx(2 / 3)
    assert got["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert got["macro_f1_all"] == pytest.approx(got["macro_f1"])  # Q is neither there nor predicted


def test_both_classifiers_work_and_bad_sets_are_refused(real):
    few = tuple(tuple(part[:200] for part in side) for side in real)
    u = scored(few, *few[0][:2], classifiers=("forest", "boosting"), seeds=1, per_class=15)
    assert {m.name for m in u.measures()} >= {f"{RATIO}, boosting", "TSTR recall of V, forest"}
    with pytest.raises(InputError, match="training and test"):
        utility(Beats(*real[0]), Beats(*real[0]), Beats(*real[0]), **FAST)
    with pytest.raises(InputError, match="synthetic set"):
        scored(real, real[0][0], np.full(1500, "X"))
    with pytest.raises(InputError, match="forest"):
        scored(real, *real[0][:2], classifiers=("forrest",))


def bumps(symbols="NNANVNNNNNNNNNNNNN", fs=100.0, rr=80):
    """A record with a bump at every beat, beats marked "A" early."""
    gaps = [rr] * len(symbols)
    for place, symbol in enumerate(symbols):
        if symbol == "A":
            gaps[place] = rr // 2
    at = np.cumsum(gaps)
    time = np.arange(at[-1] + 80)
    wave = sum(np.exp(-0.5 * ((time - a) / (6 if s == "V" else 2)) ** 2)
               for a, s in zip(at, symbols, strict=True))
    noise = 0.002 * np.random.default_rng(0).standard_normal(len(time))
    return make_record(wave + noise, fs, at, list(symbols))


def test_beats_carry_their_rhythm_through_images_and_back():
    windows = beats_with_rhythm([bumps()], 128)
    assert windows.signals.shape[1:] == (128, 4) and len(windows) == 16  # first and last left out
    assert (windows.signals[:, 64, 0] > 0.95).all()
    early = np.flatnonzero(windows.labels == "S")
    rhythm = rhythm_of(windows)
    assert len(early) == 1 and rhythm[early[0]] == pytest.approx([0.4, 0.8, 0.8], abs=0.03)
    assert rhythm[early[0] - 1] == pytest.approx([0.8, 0.4, 0.8], abs=0.03)
    codec = Codec("row_major", scaling="companded", height=8, width=16).fit(windows)
    decoded = codec.decode(codec.encode(windows))
    assert np.allclose(rhythm_of(decoded), rhythm, atol=1e-4)
    assert np.allclose(decoded.signals, windows.signals, atol=1e-5)
    with pytest.raises(InputError, match="no rhythm"):
        rhythm_of(Windows(windows.signals, 100.0, ("a", "b", "c", "d"), *[windows.starts] * 4))


def test_usual_is_the_persons_own_and_runs_do_not_wear_it_out():
    """Half of a record is a run of early beats: the local rhythm would call them usual."""
    run, other = bumps("N" * 41 + "A" * 40 + "N"), bumps("N" * 20 + "V" + "N" * 20)
    other = replace(other, name="other", subject="other", signal=2 * other.signal)
    windows = beats_with_rhythm([run, other], 128)
    before, _, usual = rhythm_of(windows).T
    early = windows.labels == "S"
    assert (before[early] / usual[early] < 0.75).all() and early.sum() == 40
    beat = usual_beat_of(windows)
    of_other = windows.subjects == "other"
    assert np.allclose(beat[of_other][:, 64], 2, atol=0.1)
    assert np.allclose(beat[~of_other], beat[0], atol=1e-5)
    assert np.abs(windows.signals[windows.labels == "V"][0, :, 1]).max() > 1  # wide unlike the rest


def test_rhythm_leads_are_undone_by_rhythm_of():
    windows = beats_with_rhythm([bumps()], 64)
    rhythm = np.random.default_rng(0).uniform(0.3, 1.5, (len(windows), 3))
    signals = np.concatenate([windows.signals[..., :2], rhythm_leads(rhythm, 64)], -1)
    again = Windows(signals, 100.0, windows.leads, *[windows.starts] * 4)
    assert np.allclose(rhythm_of(again), rhythm, rtol=1e-5)


def test_features_tell_early_and_wide_beats():
    windows = beats_with_rhythm([bumps()], 128)
    x = beat_features(windows)
    assert np.isfinite(x).all() and x.shape == (16, len(NAMES))
    early, wide = (np.flatnonzero(windows.labels == name)[0] for name in "SV")
    assert x[early, 0] < -0.8 and abs(x[wide, 0]) < 0.1  # log2 of RR before / usual
    normal = np.flatnonzero(windows.labels == "N")
    alike, apart = (x[:, NAMES.index(f"{what} of QRS")] for what in ("correlation", "difference"))
    assert alike[normal].min() > 0.99 and alike[early] > 0.99 and alike[wide] < 0.9
    assert apart[wide] > 5 * apart[normal].max()
    broken = replace(windows, signals=np.where(np.arange(128)[:, None] == 3, np.nan,
                                               windows.signals))
    with pytest.raises(InputError, match="missing"):
        beat_features(broken)


def test_draw_is_even_over_classes_and_gentle_with_the_rare():
    labels = np.array(["N"] * 5000 + ["S"] * 400 + ["Q"] * 10)
    subjects = np.array(["a"] * 4900 + ["b"] * 100 + ["a"] * 200 + ["b"] * 200 + ["a"] * 10)
    sampled = balanced_sample(labels, subjects, 20000, seed=0)
    share = {name: (labels[sampled] == name).mean() for name in "NSQ"}
    assert abs(share["N"] - share["S"]) < 0.02 and share["Q"] == pytest.approx(10 / 210, abs=0.01)
    normal = sampled[labels[sampled] == "N"]
    assert (subjects[normal] == "b").mean() == pytest.approx(10 / 80, abs=0.02)  # roots: 70 and 10
    assert np.array_equal(sampled, balanced_sample(labels, subjects, 20000, seed=0))


def test_prepared_beats_have_nobody_on_both_sides():
    data = prepare_beats(Experiment(arrangement="row_major", height=8, width=16, subjects=6,
                                    minutes=1.5), ectopy=4.0)
    assert data.codec.image_shape == (8, 16, 4) and not data.split["validation"]
    assert not set(data.windows["train"].subjects) & set(data.windows["test"].subjects)
    assert data.classes == ("N", "S", "V")
    assert data.table().loc["V", "train beats"] == (data.windows["train"].labels == "V").sum() > 0
    with pytest.raises(InputError, match="even height"):
        prepare_beats(Experiment(arrangement="row_major", height=9))
    with pytest.raises(InputError, match="row_major"):
        prepare_beats(Experiment(arrangement="hilbert"))
