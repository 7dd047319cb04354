"""Which limb leads follow from which, exactly, and records whose limb leads do not agree."""

import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.records.simulated_leads import SUMS
from ecg_tf.signals.limb_leads import (
    AGREEMENT_MV,
    LIMB_LEADS,
    all_leads,
    independent_leads,
    lead_factors,
    limb_lead,
    limb_lead_residual,
)

LIMBS = ("I", "II", "III", "aVR", "aVL", "aVF")


def limbs(samples=500, seed=0, dtype=np.float64):
    """(time, 6) in the order of `LIMBS`, computed from I and II."""
    i, ii = np.random.default_rng(seed).normal(0, 0.5, (2, samples))
    return np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2], -1).astype(dtype)


@pytest.mark.parametrize("name, lead", [
    ("I", "I"), ("i", "I"), ("ECG II", "II"), ("ekg-iii", "III"), ("AVR", "aVR"), ("avl", "aVL"),
    ("Lead aVF", "aVF"), (" II ", "II"), ("MLII", ""), ("ML I", ""), ("V1", ""), ("IV", ""),
    ("-aVR", ""), ("II filtered", ""), ("", ""), ("ECG", ""), ("ECGII", ""),
])
def test_names_are_forgiven_but_only_of_limb_leads(name, lead):
    assert limb_lead(name) == lead


def test_any_two_of_the_first_three_determine_the_rest():
    assert independent_leads([*LIMBS, "V1"]) == ("I", "II", "V1")
    assert independent_leads(["III", "I", "V2", "aVF"]) == ("III", "I", "V2")
    assert independent_leads(["iii", "ECG II", "avr"]) == ("iii", "ECG II")
    for nothing in (["I", "II"], ["II", "V5"], ["I", "aVL", "aVF"], ["MLII", "I", "III"][:2],
                    ["I", "MLII", "aVR"], ["III", "aVR", "aVL", "aVF"]):
        assert independent_leads(nothing) == tuple(nothing)


def test_leads_that_are_there_twice_are_left_as_they_are():
    assert independent_leads(["I", "II", "III", "X", "X"]) == ("I", "II", "III", "X", "X")
    twice = ["I", "ECG I", "II", "III", "aVF"]  # II and III are there once
    assert independent_leads(twice) == ("I", "ECG I", "II", "III")
    assert independent_leads(["I", "i", "II", "III"][:3]) == ("I", "i", "II")


@pytest.mark.parametrize("pair", [("I", "II"), ("I", "III"), ("II", "III")])
def test_every_pair_gives_every_lead_whatever_the_order(pair):
    whole = limbs()
    for order in list(permutations(LIMBS))[::60]:
        signal = whole[:, [LIMBS.index(lead) for lead in order]]
        kept = [lead for lead in order if lead in pair]
        factors = lead_factors(kept, order)
        assert set(np.unique(factors)) <= {-1, -0.5, 0, 0.5, 1, 1.5}
        found = all_leads(signal[:, [order.index(lead) for lead in kept]], kept, order)
        assert np.abs(found - signal).max() < 1e-15


def test_the_sums_are_those_of_the_simulation():
    for lead, parts in SUMS.items():
        assert LIMB_LEADS[lead] == (parts.get("I", 0.0), parts.get("II", 0.0))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(1e-3, 1e3))
def test_a_computed_lead_is_rounded_once(seed, mv):
    pair = (mv * np.random.default_rng(seed).normal(size=(50, 3))).astype(np.float32)
    found = all_leads(pair, ["II", "V1", "I"], ["V1", *LIMBS])
    assert found.dtype == np.float32
    assert np.array_equal(found[:, [2, 0, 1]], pair[:, [0, 1, 2]])  # bit by bit
    i, ii = found[:, 1].astype(float), found[:, 2].astype(float)
    for column, exact in ((3, ii - i), (4, -(i + ii) / 2), (5, i - ii / 2), (6, ii - i / 2)):
        assert (np.abs(found[:, column] - exact) <= 2.0**-24 * np.abs(exact)).all()


def test_what_does_not_follow_is_refused():
    for kept, leads in ((["I", "II"], ["V1"]), (["I", "V1"], ["III"]), (["I"], ["I", "MLII"])):
        with pytest.raises(InputError, match="does not follow"):
            lead_factors(kept, leads)


def test_leads_that_agree_have_no_residual_and_others_say_so():
    whole = limbs()
    good = np.stack([whole, whole + [0.3, 0, 0, -1, 0, 0]])  # a constant offset does not count
    assert (limb_lead_residual(good, LIMBS) < 1e-12).all()
    stored = np.rint(whole * 1000) / 1000  # in steps of 1 µV
    gains = whole / np.ptp(whole, axis=0)  # each lead scaled to 1 mV by itself
    faults = [stored[:, [0, 1, 2, 4, 3, 5]], whole * [1, 1, 1, -1, 1, 1], gains,
              np.where(np.arange(6) == 2, np.roll(whole, 3, axis=0), whole)]
    assert limb_lead_residual([stored], LIMBS)[0] < 0.001 < AGREEMENT_MV
    assert (limb_lead_residual(faults, LIMBS) > 2 * AGREEMENT_MV).all()


def test_records_may_have_gaps_and_other_lengths_and_no_limb_leads():
    long, short = limbs(600), limbs(90, 1)
    long[100:130, 2] = np.nan
    lost = limbs(50)
    lost[:, 1] = np.nan
    found = limb_lead_residual([long, short, lost], LIMBS)
    assert (found[:2] < 1e-12).all() and np.isnan(found[2])
    assert np.isnan(limb_lead_residual(np.zeros((3, 20, 2)), ["I", "II"])).all()
    assert limb_lead_residual([], LIMBS).shape == (0,)


def test_published_twelve_leads_agree_to_their_rounding():
    from ecg_tf.records import read_record

    folder = Path(os.environ.get("ECG_TF_DATA", "data")) / "ptbxl" / "records100"
    paths = sorted(folder.glob("*/*.hea"))[:40]
    if not paths:
        pytest.skip("the ptbxl database is not at hand (set ECG_TF_DATA)")
    records = [read_record(path.with_suffix("")) for path in paths]
    residual = limb_lead_residual([one.signal for one in records], records[0].leads)
    assert residual.max() < 0.001
