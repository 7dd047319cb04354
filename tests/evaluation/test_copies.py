"""Copies are found whatever was done to them; fresh strips raise no more alarms than stated."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import copies
from ecg_tf.evaluation.alignment import Nearest, nearest_beats, nearest_strips
from ecg_tf.evaluation.alignment_search import read_faster
from ecg_tf.evaluation.validation import controls
from tests.privacy_cohort import FS, mitdb_cohort, simulated_cohort


@pytest.fixture(scope="module")
def cohort():
    return simulated_cohort()


@pytest.fixture(scope="module")
def fitted(cohort):
    return _fit(cohort)


def _fit(cohort):
    training, member = cohort.strips[cohort.member], cohort.member
    return training, copies.fit_copy_test(training, cohort.strips[~member],
                                          cohort.subjects[~member], FS, own=100)


def _planted(cohort, n=25, seed=0):
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(cohort.member))[:n]
    where = (np.cumsum(cohort.member) - 1)[rows]
    return copies.plant_copies(cohort.windows[rows], FS, 10, seed), where


def test_planted_copies_are_found_with_their_shift_and_speed(cohort, fitted):
    training, test = fitted
    planted, where = _planted(cohort)
    for kind in copies.PROMISED:
        found = nearest_strips(planted[kind], training, FS)
        assert (found.index == where).all(), kind
        assert (found.score > max(test.person, test.copy)).all(), kind
        assert found.distance.max() < 0.01, kind
    found = nearest_strips(planted["faster"], training, FS)
    assert np.median(found.warp) == pytest.approx(1 / 1.05 - 1, abs=0.003)
    assert np.median(np.abs(found.shift_s)) < 0.05
    assert nearest_strips(planted["exact"], training, FS).distance.max() < 1e-4


def test_fresh_strips_raise_no_more_alarms_than_stated(cohort, fitted):
    training, test = fitted
    assert test.alarm_seen <= 0.05  # judged by thresholds of other persons
    fresh = simulated_cohort(subjects=8, minutes=2, seed=77)
    rows = {row.name: row for row in copies.copy_measures(fresh.strips, training, test, FS)}
    assert rows["copies"].value == 0
    assert rows["lookalikes"].value < 0.08
    assert rows["copies"].p_value == 1


def test_the_measure_tells_one_copy_in_ten(cohort, fitted):
    training, test = fitted
    fresh = cohort.strips[~cohort.member][:90]
    planted, _ = _planted(cohort, n=10)
    mixed = np.concatenate([fresh, planted["all of these"]])
    row = copies.copy_measures(mixed, training, test, FS)[0]
    assert row.name == "copies" and row.value == pytest.approx(0.1, abs=0.02)
    assert row.p_value < 1e-4 and row.low < row.value < row.high


def test_other_strips_of_a_member_are_lookalikes_at_most(cohort):
    # The threshold for copies bears with the same heart; that for lookalikes need not.
    member = cohort.member
    early, late = member & ~cohort.late, member & cohort.late
    test = copies.fit_copy_test(cohort.strips[early], cohort.strips[~member],
                                cohort.subjects[~member], FS, alarm=0.02,
                                own=100)
    found = nearest_strips(cohort.strips[late], cohort.strips[early], FS)
    assert np.mean(found.score > test.copy) < 0.08
    assert test.copy >= test.person


def test_euclidean_distance_is_blind_to_a_shift_and_the_alignment_is_not(cohort, fitted):
    training, test = fitted
    rows = np.flatnonzero(cohort.member)[::7]
    first = (cohort.windows.shape[1] - 10 * FS) // 2 + round(0.2 * FS)
    moved = cohort.windows[rows, first:first + 10 * FS]
    fresh = cohort.strips[~cohort.member]

    def euclidean(strips):
        return np.array([np.sqrt(((training - one) ** 2).sum((1, 2))).min() for one in strips])

    # By plain distance fresh persons are as near as a copy begun 0.2 s later.
    assert np.median(euclidean(moved)) > np.quantile(euclidean(fresh), 0.25)
    score = nearest_strips(moved, training, FS).score
    assert score.min() > np.quantile(nearest_strips(fresh, training, FS).score, 0.99)


def test_closest_record_measures_order_the_controls(cohort):
    member, rng = cohort.member, np.random.default_rng(0)
    some = rng.permutation(np.flatnonzero(member))[:20]
    sets = (cohort.strips[member], cohort.subjects[member], cohort.strips[~member],
            cohort.subjects[~member])
    shifted = controls.shifted(cohort.strips[some], FS, rng)
    dcr, nndr = copies.closest_record_measures(shifted, *sets, FS)
    # A third of the strips is drawn out with its person again and again.
    assert dcr.value > 0.75 and dcr.low > 0.6
    assert nndr.value < 0.8 * nndr.baseline
    fresh = simulated_cohort(subjects=6, minutes=1, seed=5).strips[::2]
    dcr, nndr = copies.closest_record_measures(fresh, *sets, FS)
    assert 0.2 < dcr.value < 0.8
    assert nndr.value == pytest.approx(nndr.baseline, abs=0.25)


def test_persons_of_one_strip_have_no_second_nearest(cohort):
    first = np.unique(cohort.subjects[cohort.member], return_index=True)[1]
    alone = np.flatnonzero(cohort.member)[first]
    with pytest.raises(InputError, match="second nearest"):
        copies.closest_record_measures(
            cohort.strips[:3], cohort.strips[alone], cohort.subjects[alone],
            cohort.strips[~cohort.member], cohort.subjects[~cohort.member], FS)


def test_groups_leave_out_their_own(cohort):
    strips = cohort.strips[:40]
    labels = np.arange(40)
    assert (nearest_strips(strips, strips, FS).index == labels).all()
    assert (nearest_strips(strips, strips, FS, (labels, labels)).index != labels).all()
    people = cohort.subjects[:40]
    found = nearest_strips(strips, strips, FS, (people, people))
    assert (people[found.index] != people).all()


def test_gain_sign_and_rate():
    rng = np.random.default_rng(0)
    base = rng.standard_normal((4, 6 * 250, 1)).cumsum(1)
    found = nearest_strips(-3 * base, base, 250)  # an upside-down copy is another lead
    assert found.correlation.max() < 0.999
    found = nearest_strips(3 * base, np.concatenate([base, base[::-1]]), 250)
    np.testing.assert_allclose(found.correlation, 1, atol=1e-4)


def test_beats_of_copies_fit_better_than_those_of_new_persons(cohort):
    training, fresh = cohort.strips[cohort.member], cohort.strips[~cohort.member]
    planted, _ = _planted(cohort)
    new = np.median(1 - nearest_beats(fresh, training, FS))
    for kind in copies.PROMISED:
        assert np.median(1 - nearest_beats(planted[kind], training, FS)) < 0.5 * new, kind
    assert (nearest_beats(np.zeros((2, 10 * FS, 1)), training, FS) == 0).all()


def test_flat_and_noise_strips_match_nobody(cohort, fitted):
    training, test = fitted
    odd = np.zeros((2, 10 * FS, 1), np.float32)
    odd[1] = np.random.default_rng(0).standard_normal((10 * FS, 1))
    found = nearest_strips(odd, training, FS)
    assert np.isfinite(found.score).all() and (found.score < test.person).all()


def test_read_faster_undoes_itself():
    time = np.arange(1000)
    wave = np.sin(time / 9)[None].astype(np.float32)
    back = read_faster(read_faster(wave, [0.05]), [1 / 1.05 - 1])
    np.testing.assert_allclose(back[0, 100:-100], wave[0, 100:-100], atol=0.02)


def test_scores_of_copies_are_above_those_of_rhythms():
    same_rhythm = Nearest(np.zeros(1, int), *np.array([[0.97], [0.96], [0.95], [0.0], [0.0]]))
    copy = Nearest(np.zeros(1, int), *np.array([[0.97], [0.5], [0.6], [0.0], [0.0]]))
    assert copy.score > same_rhythm.score + 2
    assert copy.ratio < same_rhythm.ratio


def test_bad_input_is_named(cohort):
    strips, people = cohort.strips[:20], cohort.subjects[:20]
    with pytest.raises(InputError, match="false alarms"):
        copies.fit_copy_test(strips, strips, people, FS)  # 20 strips cannot set 1 %
    with pytest.raises(InputError, match="do not fit"):
        nearest_strips(strips, strips[:, :500], FS)
    with pytest.raises(InputError, match="lead"):
        nearest_strips(strips, strips, FS, lead=1)
    with pytest.raises(InputError, match="nothing to be compared"):
        nearest_strips(strips, strips, FS, (np.zeros(20), np.zeros(20)))
    with pytest.raises(InputError, match="too short"):
        copies.plant_copies(strips, FS, 9)


def test_real_copies_are_found(mitdb):
    cohort = mitdb_cohort(mitdb, each=14)
    training, test = _fit(cohort)
    table = copies.power_table(cohort.windows[cohort.member][::10][:20], training, test, FS, 10)
    assert (table.loc[list(copies.PROMISED), "as_lookalike"] >= 0.97).all(), table
    assert (table.loc[["exact", "gain", "faster", "slower"], "as_copy"] == 1).all(), table
    assert test.alarm_seen < 0.04
