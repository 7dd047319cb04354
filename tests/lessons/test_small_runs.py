"""What lessons 3 and 4 say of their small trainings."""

from types import SimpleNamespace

import numpy as np
import pytest

from ecg_tf.evaluation.baselines import Measured
from ecg_tf.lessons.small_runs import first_strips, in_baselines, nearest_sentences, overview


def result(mmd2):
    names = ("precision", "recall", "discriminative AUC", "detectable strips")
    measures = [Measured("MMD²", mmd2, 0.02), *(Measured(name, 0.5) for name in names)]
    strips = np.random.default_rng(0).normal(0, 0.2, (3, 500, 1))
    return SimpleNamespace(measures=measures, arrays={"synthetic": strips, "test": strips})


RUNS = {("a", 0): result(0.1), ("a", 1): result(0.12), ("b", 0): result(0.04),
        ("b", 1): result(0.06)}


def test_ratios_keep_every_seed_and_the_table_says_their_spread():
    ratios = in_baselines(RUNS, ["MMD²"])
    assert ratios["a"]["MMD²"] == pytest.approx([5, 6]) and list(ratios) == ["a", "b"]
    table = overview(RUNS)
    assert table.loc["b", "MMD² / baseline"] == "2.50 (2.00 to 3.00)"
    assert in_baselines({}, ["MMD²"]) == {} and overview({}).empty


def test_sentences_name_the_nearest_and_those_that_seeds_cannot_tell_apart():
    nearest, spread = nearest_sentences(in_baselines(RUNS, ["MMD²"]), 100)
    assert "After 100 steps the ECGs of `b` are nearest" in nearest and "2.5 times" in nearest
    assert "The 2 trainings of `b` lie between 2.0 and 3.0. Each is nearer than any of a." in spread
    level = {"a": {"MMD²": [2.0, 4.0]}, "b": {"MMD²": [3.0, 5.0]}}
    assert "cannot distinguish it from b" in nearest_sentences(level, 1)[1]
    one = nearest_sentences({"a": {"MMD²": [2.0]}}, 1)
    assert "may be chance" in one[1] and nearest_sentences({}, 1) == []


def test_strips_begin_with_test_persons():
    figure = first_strips(RUNS, 100.0)
    assert "2 real and 4 synthetic strips" in figure.alt_text
