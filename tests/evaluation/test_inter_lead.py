"""Leads that belong to one heart, and planted sets whose leads do not."""

import time
from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.inter_lead import (
    ROUNDING_MV,
    einthoven_residual,
    inter_lead_measures,
    known_relations,
    lead_correlations,
)
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare

LEADS = ("I", "II", "III", "aVF", "V1")


@pytest.fixture(scope="module")
def cohort():
    ready = [prepare(one, 128.0) for one in simulate_cohort(9, minutes=0.8, leads=LEADS)]
    return strips(ready, 128 * 5)


def measured(cohort, synthetic, leads=LEADS):
    persons = np.unique(cohort.subjects)
    test = np.isin(cohort.subjects, persons[:4])
    cohort = replace(cohort, leads=leads)
    rows = inter_lead_measures(cohort.take(test), synthetic, cohort.take(~test), repeats=8)
    return {one.name: one for one in rows}


def test_correlation_of_a_strip_is_that_of_numpy_and_flat_leads_have_none(cohort):
    some = cohort.signals[:3].copy()
    some[2, :, 1] = 0.5
    found = lead_correlations(some)
    assert found.shape == (3, 10)
    wanted = np.corrcoef(some[0].T)[np.triu_indices(5, 1)]
    assert np.allclose(found[0], wanted, atol=1e-5)
    assert found[2, 0] == 0 and np.isfinite(found).all()
    with pytest.raises(InputError, match="several leads"):
        lead_correlations(some[..., :1])


def test_which_sums_are_known_depends_on_the_names():
    assert list(known_relations(["I", "II", "III", "V1"])) == ["I + III = II"]
    assert len(known_relations(["ECG I filtered", "ECG II", "ECG III", "AVR", "avl", "aVF"])) == 7
    assert not known_relations(["I", "MLII", "III"]) and not known_relations(["I", "II"])
    with pytest.raises(InputError, match="no sum"):
        einthoven_residual(np.zeros((1, 9, 2)), ["I", "II"])


def test_real_leads_add_up_through_filter_and_resampling(cohort):
    left, size = einthoven_residual(cohort.signals, cohort.leads).T
    assert (left < 1e-5).all() and (size > 0.02).all()


def test_planted_faults_pass_the_baseline_and_other_persons_do_not(cohort):
    rng = np.random.default_rng(0)
    persons = np.unique(cohort.subjects)
    others = cohort.signals[np.isin(cohort.subjects, persons[4:])]
    right = measured(cohort, others)
    assert all(one.at_baseline for one in right.values())
    shuffled = others.copy()  # each lead is from another strip
    for lead in range(1, shuffled.shape[2]):
        shuffled[..., lead] = shuffled[rng.permutation(len(shuffled)), :, lead]
    negated = others * np.array([1, 1, -1, 1, 1], np.float32)
    for fault in (shuffled, negated):
        wrong = measured(cohort, fault)
        assert not any(one.at_baseline for one in wrong.values())
        alike = wrong["inter-lead correlation W1"]
        assert alike.low > alike.baseline_high
        assert wrong["Einthoven residual of signal"].value > 0.3
        assert wrong["Einthoven residual"].unit == "mV"


def test_without_limb_leads_only_the_correlation_is_measured_and_of_one_lead_nothing(cohort):
    two = measured(cohort.take(slice(None)), cohort.signals, LEADS)
    assert len(two) == 3
    chest = replace(cohort, signals=cohort.signals[..., 3:], leads=LEADS[3:])
    rows = inter_lead_measures(chest, chest, repeats=4)
    assert [one.name for one in rows] == ["inter-lead correlation W1"]
    assert np.isfinite(rows[0].baseline)
    one = replace(cohort, signals=cohort.signals[..., :1], leads=LEADS[:1])
    assert inter_lead_measures(one, one) == []
    with pytest.raises(InputError, match="different lengths or leads"):
        inter_lead_measures(cohort, one)


TWELVE = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def twelve():
    usual = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    ready = [prepare(one, 128.0) for one in simulate_cohort(10, minutes=0.8, leads=usual)]
    return strips(ready, 128 * 5)


def test_twelve_leads_have_all_pairs_and_all_relations(twelve):
    alike = lead_correlations(twelve.signals)
    assert alike.shape == (len(twelve), 66) and len(known_relations(TWELVE)) == 7
    for k in (0, len(twelve) - 1):  # blocks come out in their places
        wanted = np.corrcoef(twelve.signals[k].T.astype(float))[np.triu_indices(12, 1)]
        assert np.allclose(alike[k], wanted, atol=1e-6)
    left, size = einthoven_residual(twelve.signals, TWELVE).T
    direct = twelve.signals[..., :6].astype(float)
    assert np.allclose(size, np.sqrt((direct**2).mean(axis=(1, 2))))
    assert (left < ROUNDING_MV).all()


def test_sums_that_are_right_to_rounding_are_right(twelve):
    persons = np.unique(twelve.subjects)
    others = twelve.signals[np.isin(twelve.subjects, persons[4:])]
    # As rounded once more, by a filter or a file: no more wrong than the real ones.
    again = (others * np.float32(1 / 3)) * np.float32(3)
    for rows in (measured(twelve, again, TWELVE), measured(twelve, others * 0.9, TWELVE)):
        assert rows["Einthoven residual"].value == 0 and rows["Einthoven residual"].at_baseline
        assert rows["Einthoven residual of signal"].at_baseline
    wrong = others.copy()
    wrong[..., 3] += 0.01 * np.sin(np.arange(wrong.shape[1]))
    assert not measured(twelve, wrong, TWELVE)["Einthoven residual"].at_baseline


def test_a_lead_that_comes_later_than_the_others_is_seen(twelve):
    persons = np.unique(twelve.subjects)
    others = twelve.signals[np.isin(twelve.subjects, persons[4:])]
    late = others.copy()
    late[..., 6:] = np.roll(late[..., 6:], 5, axis=1)  # 40 ms
    row = measured(twelve, late, TWELVE)["inter-lead correlation W1"]
    assert row.low > row.baseline_high


def test_two_thousand_strips_of_twelve_leads_take_seconds(twelve):
    many = np.tile(twelve.signals, (2000 // len(twelve), 2, 1))
    start = time.process_time()
    assert np.isfinite(lead_correlations(many)).all()
    assert (einthoven_residual(many, TWELVE)[:, 0] < ROUNDING_MV).all()
    assert time.process_time() - start < 10  # 1.0 s of an idle core
