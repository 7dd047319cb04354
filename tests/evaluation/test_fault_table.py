"""Every control set is put in its place by every measure whose right answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.alignment import nearest_strips
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.validation.controls import CONTROLS, phase_randomized
from ecg_tf.evaluation.validation.fault_table import (
    EXPECTED,
    RELATIONS,
    FaultTable,
    fault_cohort,
    fault_table,
    ordered,
    table_of,
)

CASES = [(measure, control) for measure, known in EXPECTED.items() for control in known]


@pytest.fixture(scope="module")
def groups():
    return fault_cohort("simulated")


@pytest.fixture(scope="module")
def table(groups, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("ECG_TF_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield fault_table(*groups)
    patch.undo()


@pytest.mark.slow
@pytest.mark.parametrize(("measure", "control"), CASES, ids=[" of ".join(case) for case in CASES])
def test_the_known_order_is_right(table, measure, control):
    assert table.right.at[measure, control], (
        f"{table.values.at[measure, control]} beside {table.baseline[measure]} should be: "
        f"{RELATIONS[EXPECTED[measure][control]]}"
    )


@pytest.mark.slow
def test_all_measures_meet_all_controls(table):
    assert list(table.values) == list(CONTROLS) and list(table.values.index) == list(EXPECTED)
    assert np.isfinite(table.values.to_numpy()).all() and not table.wrong
    assert table.note == f"{len(CASES)} of {len(CASES)} known orders are right."
    assert table.cells().to_string().count("✓") == len(CASES)
    assert "✗" not in table.cells().to_string()


def test_persons_are_in_one_group(groups):
    names = [set(one.subjects) for one in groups]
    assert not names[0] & names[1] and not names[2] & (names[0] | names[1])
    assert len(groups[0]) == len(groups[1]) and len(groups[2]) >= 200
    with pytest.raises(InputError, match="two groups"):
        fault_table(groups[0], groups[0], groups[2])


@pytest.mark.parametrize(("value", "relation", "right"), [
    (0.5, "nearer", True), (1.5, "nearer", False), (1.9, "like", True), (2.1, "like", False),
    (2.1, "worse", True), (1.9, "worse", False), (np.nan, "worse", False), (9.0, None, None)])
def test_an_order_has_two_sides(value, relation, right):
    assert ordered(Measured("MMD²", value, baseline=1.0), relation) is right


@pytest.mark.parametrize(("value", "relation", "right"), [
    (0.9, "nearer", True), (0.7, "nearer", False), (0.5, "like", True), (0.3, "like", False),
    (0.3, "worse", True), (0.5, "worse", False)])
def test_where_high_is_better_it_turns_round(value, relation, right):
    assert ordered(Measured("recall", value, baseline=0.8, better="high"), relation) is right


def test_separability_counts_by_what_is_left_to_one():
    auc = Measured("discriminative AUC", 0.99, baseline=0.8)
    assert ordered(auc, "worse") and not ordered(auc, "like")
    assert ordered(replace(auc, value=0.85), "like")


def test_a_leak_is_a_share_or_an_auc_past_its_null():
    share, auc = Measured("copies", 0.97, baseline=0.01), Measured("membership AUC, strips", 0.6,
                                                                 baseline_high=0.62)
    assert ordered(share, "leak") and not ordered(share, "no leak")
    assert not ordered(replace(share, value=0.3), "leak")
    assert ordered(auc, "no leak") and not ordered(auc, "leak")


def test_a_share_within_its_null_is_no_leak_and_one_beyond_it_may_be_none_yet():
    share = Measured("re-identification at 1 % FAR", 0.12, baseline=0.02, baseline_high=0.3)
    assert ordered(share, "no leak") and not ordered(share, "leak")
    assert not ordered(replace(share, baseline_high=0.04), "no leak")
    assert not ordered(replace(share, value=0.6, baseline_high=0.7), "leak")


def test_surrogates_of_another_strip_point_at_their_person(groups):
    # Which is why nothing is claimed of attackers by rhythm or spectrum on them.
    strips, who = groups[0].signals, groups[0].subjects
    surrogates = phase_randomized(strips, np.random.default_rng(0))
    number = np.arange(len(strips))
    found = nearest_strips(strips[::4], surrogates, 128, number[::4, None] == number)
    assert np.mean(who[found.index] == who[::4]) > 3 / len(np.unique(who))


def test_a_wrong_order_is_shown():
    rows = {control: {"MMD²": Measured("MMD²", 0.0, baseline=1.0)} for control in CONTROLS}
    blind = table_of(rows)  # a measure that finds white noise perfect, like clipped ones
    assert ("MMD²", "white noise") in blind.wrong and ("MMD²", "exact copy") not in blind.wrong
    assert isinstance(blind, FaultTable) and "Wrong: MMD² of" in blind.note
    assert blind.cells().at["MMD²", "white noise"] == "0 ✗"
    assert blind.cells().at["MMD²", "simulated"] == "0"
