"""Leads that belong to one heart, and planted sets whose leads do not."""

import numpy as np
import pytest

from ecg_tf.errors import InputError
from ecg_tf.evaluation.inter_lead import (
    einthoven_residual,
    inter_lead_measures,
    known_relations,
    lead_correlations,
)
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.windows import strips

LEADS = ("I", "II", "III", "aVF", "V1")


@pytest.fixture(scope="module")
def cohort():
    ready = [prepare(one, 128.0) for one in simulate_cohort(9, minutes=0.8, leads=LEADS)]
    return strips(ready, 128 * 5)


def measured(cohort, synthetic, leads=LEADS):
    persons = np.unique(cohort.subjects)
    test = np.isin(cohort.subjects, persons[:4])
    rows = inter_lead_measures(cohort.signals[test], cohort.subjects[test], synthetic, leads, 128.0,
                               cohort.signals[~test], cohort.subjects[~test], repeats=8)
    return {one.name: one for one in rows}


def test_correlation_of_a_strip_is_that_of_numpy_and_flat_leads_have_none(cohort):
    some = cohort.signals[:3].copy()
    some[2, :, 1] = 0.5
    found = lead_correlations(some)
    assert found.shape == (3, 10)
    wanted = np.corrcoef(some[0].T)[np.triu_indices(5, 1)]
    assert np.allclose(found[0], wanted, atol=1e-5)
    assert found[2, 0] == 0 and np.isfinite(found).all()
    with pytest.raises(InputError, match="compared"):
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


def test_planted_faults_pass_the_floor_and_other_persons_do_not(cohort):
    rng = np.random.default_rng(0)
    persons = np.unique(cohort.subjects)
    others = cohort.signals[np.isin(cohort.subjects, persons[4:])]
    right = measured(cohort, others)
    assert all(one.at_floor for one in right.values())
    shuffled = others.copy()  # each lead from another strip: right as such, of nobody together
    for lead in range(1, shuffled.shape[2]):
        shuffled[..., lead] = shuffled[rng.permutation(len(shuffled)), :, lead]
    negated = others * np.array([1, 1, -1, 1, 1], np.float32)
    for fault in (shuffled, negated):
        wrong = measured(cohort, fault)
        assert not any(one.at_floor for one in wrong.values())
        alike = wrong["inter-lead correlation W1"]
        assert alike.low > alike.floor_high
        assert wrong["Einthoven residual of signal"].value > 0.3
        assert wrong["Einthoven residual"].unit == "mV"


def test_without_limb_leads_only_the_correlation_is_measured_and_of_one_lead_nothing(cohort):
    two = measured(cohort.take(slice(None)), cohort.signals, LEADS)
    assert len(two) == 3
    rows = inter_lead_measures(cohort.signals[..., 3:], cohort.subjects, cohort.signals[..., 3:],
                               LEADS[3:], 128.0, repeats=4)
    assert [one.name for one in rows] == ["inter-lead correlation W1"]
    assert np.isfinite(rows[0].floor)
    one = cohort.signals[..., :1]
    assert inter_lead_measures(one, cohort.subjects, one, LEADS[:1], 128.0) == []
    with pytest.raises(InputError, match="do not match"):
        inter_lead_measures(one, cohort.subjects, one, LEADS, 128.0)
