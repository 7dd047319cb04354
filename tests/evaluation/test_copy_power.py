"""Planted copies among fresh strips: nearly all found, hardly any false positive."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.copies import PROMISED
from ecg_tf.evaluation.validation.copy_power import copy_power, power_words
from ecg_tf.evaluation.validation.fault_table import cohort_strips


@pytest.fixture(scope="module")
def sides():
    windows = cohort_strips("simulated")
    members = np.isin(windows.subjects, np.unique(windows.subjects)[:20])
    return windows.take(members), windows.take(~members)


@pytest.mark.slow
def test_of_planted_copies_99_in_100_are_found(sides):
    table = copy_power(*sides, planted=30, fresh=300)
    assert (table.loc[list(PROMISED), "as_copy"] >= 0.99).all(), table
    assert table.loc["fresh strips", "as_copy"] <= 0.01
    assert table.loc["fresh strips", "n"] > 200 and table.attrs["persons"] == (20, 20)
    words = power_words(table)
    assert "at least 100%" in words and words.endswith("false positives is kept.")
    assert "not kept" in power_words(table.assign(as_copy=0.98))


@pytest.mark.slow
def test_a_thinned_reference_still_hides_no_copy_begun_between_two_strips(sides):
    table = copy_power(*sides, planted=20, fresh=120, reference=130)  # every second strip
    assert table.loc["all of these", "n"] == 20
    assert table.loc["all of these", "as_copy"] == 1


def test_single_strips_cannot_be_planted(sides):
    members, holdout = sides
    alone = members.take(slice(None, None, 3))
    with pytest.raises(InputError, match="side by side"):
        copy_power(replace(alone, starts=alone.starts * 2), holdout)
