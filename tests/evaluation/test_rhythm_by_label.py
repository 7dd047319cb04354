"""A label whose rhythm is drawn too regularly is seen, even where the set as a whole is right."""

import numpy as np
import pytest

from ecg_tf.evaluation.rhythm_by_label import rhythm_by_label
from tests.small_records import windows_of

FS = 100
SPREADS = {"N": 0.02, "A": 0.15}  # s, standard deviation of RR


def _strips(labels, seed, person):
    rng, time = np.random.default_rng(seed), np.arange(20 * FS) / FS
    out = []
    for label in labels:
        at = 0.4 + np.cumsum(np.clip(rng.normal(0.8, SPREADS[label], 30), 0.4, 1.6))
        out.append(np.exp(-0.5 * ((time[:, None] - at) / 0.015) ** 2).sum(1))
    names = np.array([f"{person}{k}" for k in range(len(labels))])
    return windows_of(np.array(out, np.float32)[..., None], names, fs=FS)


def _holds(labels):
    return np.stack([np.array(labels) == name for name in SPREADS], 1)


@pytest.fixture(scope="module")
def real():
    labels = ["N", "A"] * 20
    return {"train": _strips(labels, 0, "a"), "test": _strips(labels, 1, "b")}, labels


def _measured(real, drawn, requested):
    sets, labels = real
    made = _strips(drawn, 2, "c")
    holds = {"train": _holds(labels), "test": _holds(labels), "synthetic": _holds(requested)}
    return rhythm_by_label({**sets, "synthetic": made}, holds, repeats=10)


def test_labels_that_are_kept_are_at_the_baseline(real):
    table, measures = _measured(real, real[1], real[1])
    assert [row.name for row in measures] == ["SDNN by label W1", "RMSSD by label W1"]
    assert all(row.at_baseline and np.isfinite(row.low) for row in measures)
    assert all(row["rmssd"] < 0.05 and row["rmssd_baseline"] < 0.05 for row in table)


def test_swapped_labels_are_seen_though_the_whole_set_is_the_same(real):
    table, measures = _measured(real, real[1], real[1][::-1])
    assert not any(row.at_baseline for row in measures)
    assert min(row["rmssd"] for row in table) > 0.1  # 0.21 against 0.03


def test_only_the_label_that_is_wrong_is_blamed(real):
    table, _ = _measured(real, ["N"] * 40, real[1])
    normal, fibrillation = table
    assert normal["sdnn"] < 0.02 and fibrillation["sdnn"] > 0.08


def test_a_label_of_too_few_strips_has_no_distance(real):
    table, measures = _measured(real, real[1], ["N"] * 38 + ["A"] * 2)
    assert np.isnan(table[1]["sdnn"]) and np.isfinite(table[0]["sdnn"])
    assert np.isfinite(measures[0].value)
