"""Copies are found whatever was done to them; fresh strips pass no more often than stated."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import copies
from ecg_tf.evaluation.alignment import Nearest, nearest_beats, nearest_strips
from ecg_tf.evaluation.alignment_search import read_faster
from ecg_tf.evaluation.copy_reference import copy_reference, has_neighbours, stretched
from ecg_tf.evaluation.validation import controls
from tests.privacy_cohort import FS, mitdb_cohort, reference_of, simulated_cohort

FPR = 0.02  # 50 strips or more set it


@pytest.fixture(scope="module")
def cohort():
    return simulated_cohort()


@pytest.fixture(scope="module")
def test(cohort):
    return copies.fit_copy_test(cohort.reference, cohort.others, FPR)


@pytest.fixture(scope="module")
def planted(cohort):
    """Copies of every kind, and the members' strips that they are of."""
    rows = np.random.default_rng(0).permutation(len(cohort.members))[:10]
    long = cohort.long[cohort.member][rows]
    return copies.plant_copies(long, FS, cohort.seconds), rows


@pytest.fixture(scope="module")
def fresh():
    return simulated_cohort(subjects=6, minutes=1.5, seed=77).strips.signals


def test_planted_copies_are_found_with_their_shift_and_speed(cohort, test, planted):
    made, rows = planted
    for kind in copies.PROMISED:
        found = cohort.reference.nearest(made[kind])
        assert (found.index == rows).all(), kind
        assert (found.score > max(test.near_match, test.copy)).all(), kind
        assert found.distance.max() < 0.01, kind
        if kind == "faster":
            assert np.median(found.warp) == pytest.approx(1 / 1.05 - 1, abs=0.003)
            assert np.median(np.abs(found.shift_s)) < 0.05
        if kind == "exact":
            assert found.distance.max() < 1e-4


def test_fresh_strips_pass_no_more_often_than_stated_and_one_copy_in_ten_is_seen(
        cohort, test, planted, fresh):
    score = cohort.reference.nearest(fresh).score
    exact, near = copies.copy_measures(score, test)
    assert (exact.name, near.name) == ("copies", "near-matches")
    assert exact.value == 0 and exact.p_value == 1 and exact.baseline == FPR
    assert near.value < 0.08 and near.baseline <= 0.05  # each by a threshold of other persons
    hidden = cohort.reference.nearest(planted[0]["all of these"][:5]).score
    row = copies.copy_measures(np.concatenate([score[:45], hidden]), test)[0]
    assert row.value == pytest.approx(0.1, abs=0.02)
    assert row.p_value < 0.01 and row.low < row.value < row.high


def test_other_strips_of_a_member_are_near_matches_at_most(cohort):
    # The threshold for copies bears with the same heart; that for near-matches need not.
    late = np.arange(len(cohort.members)) % 4 == 3
    reference = reference_of(cohort.members.take(~late))
    test = copies.fit_copy_test(reference, cohort.others.take(slice(None, None, 2)), 0.04)
    score = reference.nearest(cohort.members.signals[late]).score
    assert np.mean(score > test.copy) < 0.08
    assert test.copy >= test.near_match


def test_euclidean_distance_is_blind_to_a_shift_and_the_alignment_is_not(cohort, test):
    training, some = cohort.members.signals, cohort.others.signals[::3]
    first = (cohort.long.shape[1] - training.shape[1]) // 2 + round(0.2 * FS)
    moved = cohort.long[cohort.member][::7, first:first + training.shape[1]]

    def euclidean(strips):
        return np.array([np.sqrt(((training - strip) ** 2).sum((1, 2))).min() for strip in strips])

    # By plain distance some fresh persons are as near as a copy begun 0.2 s later.
    assert np.median(euclidean(moved)) > np.quantile(euclidean(some), 0.1)
    assert cohort.reference.nearest(moved).score.min() > np.quantile(test.scores, 0.99)


def test_closest_record_measures_order_the_controls(cohort, fresh):
    rng = np.random.default_rng(0)
    some = cohort.members.signals[rng.permutation(len(cohort.members))[:8]]
    shifted = controls.shifted(some, FS, rng)
    dcr, nndr = copies.closest_record_measures(shifted, cohort.members, cohort.others)
    # A quarter or more of the persons, and their strips with them, is left out of each draw.
    assert dcr.value > 0.75 and dcr.low > 0.6
    assert nndr.value < 0.8 * nndr.baseline
    dcr, nndr = copies.closest_record_measures(fresh[::6], cohort.members, cohort.others)
    assert 0.2 < dcr.value < 0.8
    assert nndr.value == pytest.approx(nndr.baseline, abs=0.25)
    alone = np.unique(cohort.members.subjects, return_index=True)[1]
    with pytest.raises(InputError, match="second nearest"):
        copies.closest_record_measures(fresh[:3], cohort.members.take(alone), cohort.others)


def test_excluded_pairs_are_not_compared(cohort):
    some = cohort.strips.take(slice(0, 24))
    strips, who = some.signals, some.subjects
    assert (nearest_strips(strips, strips, FS).index == np.arange(24)).all()
    found = nearest_strips(strips, strips, FS, who[:, None] == who)
    assert (who[found.index] != who).all()
    with pytest.raises(InputError, match="nothing to be compared"):
        nearest_strips(strips, strips, FS, np.ones((24, 24), bool))


def test_gain_sign_and_rate():
    rng = np.random.default_rng(0)
    base = rng.standard_normal((4, 6 * 250, 1)).cumsum(1)
    found = nearest_strips(-3 * base, base, 250)  # an upside-down copy is another lead
    assert found.correlation.max() < 0.999
    found = nearest_strips(3 * base, np.concatenate([base, base[::-1]]), 250)
    np.testing.assert_allclose(found.correlation, 1, atol=1e-4)


def test_beats_of_copies_fit_better_than_those_of_new_persons(cohort, planted, fresh):
    training = cohort.members.signals
    new = np.median(1 - nearest_beats(fresh, training, FS))
    for kind in copies.PROMISED:
        assert np.median(1 - nearest_beats(planted[0][kind], training, FS)) < 0.5 * new, kind
    assert (nearest_beats(np.zeros((2, 10 * FS, 1)), training, FS) == 0).all()


def test_flat_and_noise_strips_match_nobody(cohort, test):
    odd = np.zeros((2, cohort.members.signals.shape[1], 1), np.float32)
    odd[1] = np.random.default_rng(0).standard_normal(odd[1].shape)
    score = cohort.reference.nearest(odd).score
    assert np.isfinite(score).all() and (score < test.near_match).all()


def test_read_faster_undoes_itself():
    wave = np.sin(np.arange(1000) / 9)[None].astype(np.float32)
    back = read_faster(read_faster(wave, [0.05]), [1 / 1.05 - 1])
    np.testing.assert_allclose(back[0, 100:-100], wave[0, 100:-100], atol=0.02)


def test_scores_of_copies_are_above_those_of_rhythms():
    same_rhythm = Nearest(np.zeros(1, int), *np.array([[0.97], [0.96], [0.95], [0.0], [0.0]]))
    copy = Nearest(np.zeros(1, int), *np.array([[0.97], [0.5], [0.6], [0.0], [0.0]]))
    assert copy.score > same_rhythm.score + 2
    assert copy.ratio < same_rhythm.ratio


def test_the_reference_goes_on_into_the_records(cohort):
    train = cohort.members.take(slice(None, 30))
    length = train.signals.shape[1]
    assert has_neighbours(train)
    long = stretched(train, 200)
    for row in range(len(train) - 1):
        if train.records[row] == train.records[row + 1]:
            assert (long[row, length:] == train.signals[row + 1, :200]).all()
            assert (long[row, :length] == train.signals[row]).all()
        else:
            assert (long[row, 200:] == train.signals[row]).all()
            assert (long[row, :200] == train.signals[row - 1, -200:]).all()
    alone = train.take([0, 5, 10])
    assert (stretched(alone, 200)[:, length:] == alone.signals[:, -1:]).all()
    assert copy_reference(alone).strips.shape[1] == length
    reference = copy_reference(train)
    assert reference.strips.shape == (30, length * 3 // 2 + 2 * (length < 6 * FS), 1)
    apart = np.abs(reference.places[:, None] - reference.places)
    near = np.abs(train.starts[:, None] - train.starts) <= length
    assert ((apart <= 1) == (near & (train.records[:, None] == train.records))).all()
    thinned = copy_reference(train, 12)
    assert len(thinned.strips) == 12 and np.isin(thinned.places, reference.places).all()
    moved = long[3:5, 150:150 + length]  # begun between two strips
    assert set(reference.nearest(moved).index) <= {3, 4, 5}


def test_bad_input_is_named(cohort):
    few = cohort.members.take(slice(0, 20))
    with pytest.raises(InputError, match="false positive rate"):
        copies.fit_copy_test(cohort.reference, few)  # 20 strips cannot set 1 %
    with pytest.raises(InputError, match="do not fit"):
        nearest_strips(few.signals, few.signals[:, :500], FS)
    with pytest.raises(InputError, match="too short"):
        copies.plant_copies(few.signals, FS, cohort.seconds - 1)
    bad = replace(few, signals=np.where(np.arange(len(few))[:, None, None] == 3, np.nan,
                                        few.signals))
    with pytest.raises(InputError, match="missing values"):
        cohort.reference.nearest(bad.signals)


@pytest.mark.slow
def test_real_copies_are_found(mitdb):
    cohort = mitdb_cohort(mitdb, each=14)
    test = copies.fit_copy_test(cohort.reference, cohort.others, own=100)
    made = copies.plant_copies(cohort.long[cohort.member][::10][:20], FS, cohort.seconds)
    for kind in copies.PROMISED:
        score = cohort.reference.nearest(made[kind]).score
        assert np.mean(score > test.near_match) >= 0.97, kind
        if kind in ("exact", "gain", "faster", "slower"):
            assert (score > test.copy).all(), kind
    assert copies.copy_measures(score, test)[1].baseline < 0.04
