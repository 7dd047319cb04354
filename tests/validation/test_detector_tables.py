"""Tables of detectors: counts are right, noise is added as it should, others are called alike."""

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_tf.base.errors import InputError
from ecg_tf.records.simulate import simulate_cohort
from tests.validation.__main__ import main
from tests.validation.beat_scores import Scores, matched, scores
from tests.validation.detector_tables import (
    detector_table,
    kinds_table,
    noise_table,
    simulated_scores,
    stressed,
)
from tests.validation.detectors import DETECTORS
from tests.validation.rhythm_cases import rhythm_cases


def test_beats_are_paired_one_to_one():
    result = scores([100, 104, 300, 500, 995], [102, 290, 700], 100.0, 1000, tolerance=0.1)
    assert result == Scores(right=2, wrong=2, missed=1)  # 995 lies at the end
    assert result.sensitivity == pytest.approx(2 / 3) and result.ppv == 0.5
    outside = scores([100, 500], [102, 700], 100.0, 1000, without=[(450, 800)])
    assert outside == Scores(1, 0, 0)
    assert Scores().sensitivity == Scores().ppv == 1 and Scores(0, 3, 0).ppv == 0
    assert Scores(1, 2, 3) + Scores(1, 0, 0) == Scores(2, 2, 3)


def test_as_many_pairs_as_there_can_be():
    rng = np.random.default_rng(0)
    for _ in range(50):
        found, known = (np.sort(rng.integers(0, 200, 20)) for _ in range(2))
        right, also = matched(found, known, 6)
        assert right.sum() == also.sum()
        free = np.abs(found[~right][:, None] - known[~also]) <= 6
        assert not free.any()  # what is left over has no partner


def test_cases_are_what_they_say():
    cases = list(rhythm_cases((128.0,), hearts=(1,)))
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        assert case.signal.ndim == 2 and case.signal.dtype == np.float32
        assert (np.diff(case.beats) > 0.15).all(), case.name
        if case.kind.endswith("bpm"):
            rate = float(case.kind.split()[0])
            assert 60 / np.median(np.diff(case.beats)) == pytest.approx(rate, rel=0.02)


def test_noise_has_the_power_asked_for():
    record = simulate_cohort(subjects=1, minutes=10, noise=0)[0]
    noise = 7 * np.random.default_rng(0).standard_normal((len(record.signal), 2))
    around = record.beats[5:-5, None] + np.arange(-18, 19)
    power = np.ptp(record.signal[around, 0], axis=1).mean() ** 2 / 8
    for decibels in (18, 0):
        added = stressed(record.signal, record.beats, noise, 360.0, decibels) - record.signal
        assert not added[: 300 * 360].any() and not added[420 * 360 : 540 * 360].any()
        on = added[301 * 360 : 419 * 360]
        assert 10 * np.log10(power / on.var()) == pytest.approx(decibels, abs=0.5)
    with pytest.raises(InputError, match="does not cover"):
        stressed(record.signal, record.beats, noise[:99], 360.0, 6)


@pytest.mark.parametrize("name", ["ecg_tf", "sleepecg", "neurokit2 neurokit", "wfdb xqrs"])
def test_detectors_are_called_alike(name):
    record = simulate_cohort(subjects=1, minutes=0.5, ectopy=0)[0]
    found = DETECTORS[name](record.signal, 360.0)
    result = scores(found, record.beats, 360.0, len(record.signal))
    assert result.sensitivity > 0.9 and result.ppv > 0.9
    assert len(DETECTORS[name](np.zeros((3600, 1)), 360.0)) == 0


def test_the_table_of_kinds_counts_good_cases(monkeypatch):
    monkeypatch.setattr("tests.validation.detector_tables.rhythm_cases", _few_cases)
    table = simulated_scores(["ecg_tf"])
    kinds = kinds_table(table)
    assert kinds.loc["75 bpm", "ecg_tf"] == 1 and list(kinds.columns) == ["ecg_tf"]
    assert table.good.all()


def test_databases_that_are_there_are_used(tmp_path, monkeypatch):
    """A folder laid out as MIT-BIH and nstdb, of simulated ECGs."""
    monkeypatch.setattr("tests.validation.detector_tables.rhythm_cases", _few_cases)
    with pytest.raises(InputError, match="mitdb"):
        noise_table(str(tmp_path))
    record = simulate_cohort(subjects=1, minutes=6, leads=("MLII", "V5"), ectopy=0)[0]
    for name, signal in (("mitdb/118", record.signal), ("nstdb/em", _wander(record.signal))):
        folder = tmp_path / name.split("/")[0]
        folder.mkdir()
        (folder / "RECORDS").write_text(f"{name.split('/')[1]}\n")
        wfdb.wrsamp(name.split("/")[1], 360, ["mV"] * 2, ["a", "b"], np.float64(signal),
                    fmt=["16"] * 2, write_dir=str(folder))
    wfdb.wrann("118", "atr", record.beats, list(record.symbols), write_dir=str(tmp_path / "mitdb"))
    table = detector_table(str(tmp_path), ["ecg_tf"])
    assert table.loc["ecg_tf", "mitdb sensitivity"] > 0.99 and table.loc["ecg_tf", "ms"] > 0
    assert "ecgiddb ppv" not in table and table.loc["ecg_tf", "simulated"] == 1
    monkeypatch.setattr(
        "tests.validation.detector_tables.NOISES", {"em": "electrode motion"}
    )
    noisy = noise_table(str(tmp_path), ["ecg_tf"], ["118"], (24,), leads=2)
    assert noisy.loc[("electrode motion", 24), ("ecg_tf", "sensitivity")] > 0.9


def _few_cases(hearts, seed):
    return rhythm_cases((128.0,), hearts, seed)


def _wander(signal):
    time = np.arange(len(signal)) / 360
    return np.stack([np.sin(2 * np.pi * 0.3 * time), np.cos(2 * np.pi * 0.3 * time)], 1)


def test_tables_of_numbers_become_text(monkeypatch, capsys):
    columns = pd.MultiIndex.from_tuples([("ecg_tf", "ppv")])
    index = pd.MultiIndex.from_tuples([("muscle", 6)], names=["noise", "dB"])
    two = {"Detectors": pd.DataFrame({"ms": [0.81234]}, index=pd.Index(["x"], name="detector")),
           "With noise": pd.DataFrame([[0.98765]], index, columns)}
    monkeypatch.setattr("tests.validation.__main__.detector_tables", lambda *_, **__: two)
    main(["detectors"])
    text = capsys.readouterr().out
    assert "Detectors" in text and "| x | 0.8123 |" in text and "| muscle | 6 | 0.9877 |" in text
