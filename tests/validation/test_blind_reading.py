"""Blind reading: pages of both kinds, shuffled, and a share of right answers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ecg_tf.base.errors import InputError
from tests.validation import blind_reading


@pytest.fixture
def run(monkeypatch):
    """A run of three real strips, which begin with 1, and three synthetic ones, with 0."""
    strips = np.random.default_rng(0).normal(size=(6, 250, 1)).astype(np.float32) / 5
    result = SimpleNamespace(experiment=SimpleNamespace(fs=100.0),
                             codec=SimpleNamespace(leads=("II",)),
                             arrays={"test": strips[:3], "synthetic": strips[3:]})
    monkeypatch.setattr(blind_reading, "read_result", lambda folder: result)


def test_pages_and_key(run, monkeypatch, tmp_path):
    monkeypatch.setattr(blind_reading, "EACH", 2)
    key = blind_reading.write_pages("run", tmp_path, seed=1)
    assert sorted(key["real"]) == [False, False, True, True]
    assert [file.name for file in sorted(tmp_path.glob("*.png"))] == ["01.png", "02.png", "03.png",
                                                                     "04.png"]
    kept = pd.read_csv(tmp_path / "key.csv").set_index("page")
    pd.testing.assert_frame_equal(kept, key)
    assert not blind_reading.write_pages("run", tmp_path, seed=3)["real"].equals(key["real"])


def test_too_few_strips(run, tmp_path):
    with pytest.raises(InputError, match="too few strips"):
        blind_reading.write_pages("run", tmp_path)


def test_answers_are_counted_by_kind():
    key = pd.DataFrame({"page": [1, 2, 3, 4], "real": [True, True, False, False]}).set_index("page")
    answers = pd.DataFrame({"page": [4, 3, 2, 1], "real": [False, True, True, True]})
    assert blind_reading.share_right(key, answers) == (
        "3 of 4 right (p = 0.31): 2 of 2 real and 1 of 2 synthetic strips.")
