"""The gate fails what it must, passes nothing unmeasured, and never says the word."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.gate_rules import RULES
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.gate import DEFAULTS, Gate, release_gate


def _good():
    return [
        Measured("MMD²", 0.03, baseline=0.02), Measured("Fréchet distance", 1.5, baseline=1.0),
        Measured("precision", 0.85, baseline=0.9, better="high"),
        Measured("recall", 0.6, baseline=0.6, better="high"),
        Measured("TSTR/TRTR macro-F1", 0.93, better="high"),
        Measured("membership AUC, strips", 0.5, 0.5, 0.46, 0.54, p_value=0.5),
        Measured("membership AUC, beats", 0.51, 0.5, 0.47, 0.549, p_value=0.03),
        Measured("identification rank-1", 0.98, 0.95, better="high"),
        Measured("re-identification at 1 % FAR", 0.01, 0.012, p_value=0.6),
        Measured("re-identification at 1 % FAR, adaptive", 0.01, 0.012, p_value=0.5),
        Measured("copies", 0.0, 0.01, p_value=1.0),
        Measured("near-matches", 0.01, 0.01, p_value=0.4),
    ]


def _with(**changed):
    rows = {one.name: one for one in _good()}
    for one in changed.values():
        rows[one.name] = one
    return list(rows.values())


def test_a_good_set_passes_and_the_words_claim_no_more_than_was_tested():
    gate = release_gate(_good(), power="99 of 100 planted copies")
    assert gate.passed and (gate.table.verdict == "pass").all()
    assert len(gate.table) == len(_good())
    assert "No leak found by" in gate.words and "at power: 99 of 100 planted copies" in gate.words
    assert "anonym" not in gate.words.lower()
    assert "not stated" in release_gate(_good()).words


@pytest.mark.parametrize("bad", [
    Measured("MMD²", 0.041, baseline=0.02), Measured("precision", 0.8, baseline=0.9, better="high"),
    Measured("TSTR/TRTR macro-F1", 0.89, better="high"),
    Measured("membership AUC, strips", 0.6, 0.5, 0.55, 0.65, p_value=0.02),
    Measured("identification rank-1", 0.94, 0.95, better="high"),
    Measured("re-identification at 1 % FAR, adaptive", 0.1, 0.01, p_value=0.002),
    Measured("copies", 0.02, 0.01, p_value=0.01),
])
def test_one_failed_row_fails_the_set(bad):
    gate = release_gate(_with(bad=bad))
    assert not gate.passed
    assert list(gate.table.index[gate.table.verdict == "fail"]) == [bad.name]
    assert bad.name in gate.words
    if bad.name in ("copies", "membership AUC, strips"):
        assert "No leak" not in gate.words
        assert "leak was found, or could not be excluded" in gate.words


def test_what_was_not_measured_has_not_passed():
    missing = release_gate(_good()[:-1])
    assert not missing.passed and missing.table.loc["near-matches", "verdict"] == "not measured"
    void = release_gate(_with(a=Measured("re-identification at 1 % FAR", np.nan, p_value=np.nan)))
    assert void.table.loc["re-identification at 1 % FAR", "verdict"] == "not measured"
    no_baseline = release_gate(_with(a=Measured("MMD²", 0.0)))
    assert no_baseline.table.loc["MMD²", "verdict"] == "not measured"
    assert "Not measured: MMD²" in no_baseline.words
    nothing = release_gate([])
    assert not nothing.passed and set(nothing.table.index) == set(DEFAULTS)
    assert "No leak" not in nothing.words


def test_a_gate_without_rows_has_not_passed():
    assert not Gate(release_gate(_good()).table.iloc[:0]).passed


def test_an_interval_too_wide_says_so():
    row = Measured("membership AUC, strips", 0.5, 0.5, 0.36, 0.64, 0.5, baseline_high=0.63)
    table = release_gate(_with(a=row), {"membership AUC": {"upper_at_most": 0.55}}).table
    assert table.loc["membership AUC, strips", "verdict"] == "fail"
    assert "more persons" in table.loc["membership AUC, strips", "note"]
    assert table.loc["membership AUC, beats", "verdict"] == "pass"
    table = release_gate(_with(a=row)).table  # the default passes it and says what that leaves
    assert table.loc["membership AUC, strips", "verdict"] == "pass"
    assert "from about 0.63 on; a leak of up to 0.64" in table.loc["membership AUC, strips", "note"]


def test_several_attackers_share_one_false_positive_rate():
    row = Measured("membership AUC, strips", 0.6, 0.5, 0.45, 0.7, p_value=0.026)
    table = release_gate(_with(a=row)).table
    assert table.loc["membership AUC, strips", "verdict"] == "pass"  # 0.026 > 0.05 / 2
    assert table.loc["membership AUC, strips", "criterion"].endswith("0.05 / 2 attackers")
    alone = release_gate([row], {"membership AUC": {"no_excess": 0.05}}).table
    assert alone.loc["membership AUC, strips", "verdict"] == "fail"


def test_a_negative_baseline_does_not_forbid_everything():
    row = Measured("MMD²", 0.001, baseline=-0.0005, baseline_high=0.004)
    assert release_gate(_with(a=row)).table.loc["MMD²", "verdict"] == "pass"


def test_thresholds_are_overridden_taken_out_and_given_to_variants():
    gate = release_gate(_good(), {"MMD²": {"at_most_baselines": 1}, "recall": None,
                                  "membership AUC, beats": ("upper_at_most", 0.5),
                                  "seam ratio": ("at_most", 1.2)})
    assert gate.table.loc["MMD²", "verdict"] == "fail"
    assert "recall" not in gate.table.index
    assert gate.table.loc["membership AUC, beats", "verdict"] == "fail"
    assert gate.table.loc["membership AUC, strips", "verdict"] == "pass"
    assert gate.table.loc["seam ratio", "verdict"] == "not measured"


def test_bad_thresholds_are_named():
    for bad in ({"MMD²": 2}, {"MMD²": {"at_most_flors": 2}}, {"MMD²": ("at_most", "2")},
                {"MMD²": ("at_most", np.nan)}, {"MMD²": ("at_most", True)}):
        with pytest.raises(InputError, match="MMD²"):
            release_gate(_good(), bad)
    with pytest.raises(InputError, match="same name"):
        release_gate([*_good(), Measured("copies", 0.0)])
    assert all(rule in RULES for rule, _ in DEFAULTS.values())


def test_that_nobody_knows_who_is_who_stands_first_in_the_gates_words():
    gate = release_gate([], warnings=["Nothing says who is who."])
    assert gate.words.startswith("Warning: Nothing says who is who.") and not gate.passed
    assert not release_gate([]).words.startswith("Warning")
