"""Waves are found where they were put, at every rate, and where there is none none is found."""

import numpy as np
import pytest
import wfdb

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.delineation import POINTS, delineate, qrs_bounds
from ecg_tf.records.simulate import sample_identity, simulate_record, true_intervals
from tests.validation import delineation_tables as delineation_tables_module
from tests.validation.delineation_tables import (
    _errors,
    _row,
    delineation_table,
    delineation_tables,
    marked_points,
)
from tests.validation.rhythm_cases import ecg_of_beats


def _simulated(number=2, fs=250.0, **options):
    """30 s of a person, (time,) mV, and the truth in s of the beats inside."""
    heart = sample_identity(0, number)
    record = simulate_record(heart, minutes=0.5, fs=fs, leads=("II",), ectopy=0, **options)
    truth = true_intervals(heart, minutes=0.5, fs=fs, leads=("II",), ectopy=0)
    inside = (truth["rpeak"] > 0.6) & (truth["rpeak"] < 29.2)
    return record.signal[:, 0], {name: values[inside] for name, values in truth.items()}


@pytest.mark.parametrize("fs", [100.0, 128.0, 250.0, 500.0, 1000.0])
@pytest.mark.parametrize("polarity", [1, -1])
def test_waves_lie_where_they_were_put(fs, polarity):
    ecg, truth = _simulated(fs=fs, noise=0.5)
    found = delineate(polarity * ecg, truth["rpeak"] * fs, fs)
    # The simulation's waves end at 2 sigma; people, whom the delineator follows, see P and T end
    # a little later.
    for point, off in (("p_onset", 0.02), ("p_offset", 0.025), ("qrs_onset", 0.015),
                       ("qrs_offset", 0.015), ("t_offset", 0.025)):
        error = found[point] / fs - truth[point]
        assert np.isfinite(error).mean() >= 0.95, point
        assert abs(np.nanmedian(error)) < off, point
        assert np.nanmedian(np.abs(error - np.nanmedian(error))) < 0.012, point


def test_points_of_a_beat_are_in_order_and_between_its_neighbours():
    ecg, truth = _simulated(5, fs=128.0)
    r = truth["rpeak"] * 128
    found = delineate(ecg, r, 128.0)
    order = np.stack([found[point] for point in POINTS[:4]] + [r]
                     + [found[point] for point in POINTS[4:]])
    whole = np.isfinite(order).all(axis=0)
    assert whole.mean() > 0.9
    assert (np.diff(order[:, whole], axis=0) >= -1).all()
    assert np.nanmin(found["p_onset"][1:] - found["t_offset"][:-1]) >= -1


@pytest.mark.parametrize("seed", range(4))
def test_waves_of_fibrillation_are_no_p_waves(seed):
    rng, fs, heart = np.random.default_rng(seed), 250.0, sample_identity(0, 1)
    beats = np.cumsum(rng.uniform(0.5, 1.0, 40))
    beats = beats[beats < 29]
    ecg = ecg_of_beats(beats, heart, fs, 30, p=False)
    time = np.arange(len(ecg)) / fs
    waves = 0.05 * np.sin(2 * np.pi * rng.uniform(5, 7) * time + 2 * np.sin(0.7 * time))
    found = delineate(ecg + waves, beats * fs, fs)
    assert not np.isfinite(found["p_peak"]).any()
    assert np.isfinite(found["qrs_onset"]).all() and np.isfinite(found["t_peak"]).mean() > 0.8
    sinus = delineate(ecg_of_beats(beats, heart, fs, 30), beats * fs, fs)
    assert np.isfinite(sinus["p_peak"]).mean() > 0.9


def test_wide_complexes_are_measured_wide():
    fs, beats = 250.0, np.arange(0.8, 29, 0.9)
    heart = sample_identity(0, 3)
    narrow = ecg_of_beats(beats, heart, fs, 30)
    wide = ecg_of_beats(beats, heart, fs, 30, ventricular=np.ones(len(beats), bool))
    r = np.round(beats * fs).astype(int)
    lengths = [np.median(np.subtract(*qrs_bounds(ecg, r, fs)[::-1])) / fs for ecg in (narrow, wide)]
    assert 0.07 < lengths[0] < 0.12 and lengths[1] > lengths[0] + 0.03


@pytest.mark.parametrize("beats", [[], [400], [400, 700]])
def test_few_beats_and_flat_signals_are_no_error(beats):
    ecg, _ = _simulated()
    for signal in (ecg, np.zeros(len(ecg)), np.full(len(ecg), 3.0)):
        found = delineate(signal, beats, 250.0)
        assert set(found) == set(POINTS)
        assert all(len(values) == len(beats) for values in found.values())
    assert not np.isfinite(delineate(np.zeros(3000), [500, 800, 1100], 250.0)["p_peak"]).any()
    edges = delineate(ecg, [0, len(ecg) - 1], 250.0)
    assert all(np.nanmax(values, initial=0) <= len(ecg) for values in edges.values())


def test_marks_of_ludb_are_understood():
    samples = np.array([100, 110, 120, 140, 150, 160, 200, 250])
    symbols = ["(", "p", ")", "(", "N", ")", "t", ")"]
    points = marked_points(samples, symbols, 100.0)
    assert points["p_onset"].tolist() == [1.0] and points["p_peak"].tolist() == [1.1]
    assert points["qrs_onset"].tolist() == [1.4] and points["qrs_offset"].tolist() == [1.6]
    assert points["t_onset"].tolist() == [] and points["t_offset"].tolist() == [2.5]


def test_errors_pair_the_nearest():
    found, known = np.array([1.02, 1.10, 2.3, 3.01]), np.array([1.0, 2.0, 3.0])
    row = _row(*_errors([(found, known)], 0.15))
    assert row["sensitivity"] == pytest.approx(2 / 3) and row["ppv"] == pytest.approx(2 / 4)
    assert row["mean_ms"] == pytest.approx(15) and row["marks"] == 3
    assert np.isnan(_row(*_errors([(found, np.zeros(0))], 0.15))["mean_ms"])


def test_without_the_database_the_table_says_where_it_is_missing(tmp_path):
    with pytest.raises(InputError, match="ludb"):
        delineation_table(str(tmp_path))


def test_a_database_laid_out_as_ludb_gives_its_tables(tmp_path, monkeypatch):
    monkeypatch.setattr(delineation_tables_module, "LEADS", ("ii",))
    ecg, truth = _simulated(fs=500.0)
    folder = tmp_path / "ludb"
    folder.mkdir()
    (folder / "RECORDS").write_text("1\n2\n")  # odd records are left out
    marks = sorted((round(at * 500), mark) for point, mark in (
        ("qrs_onset", "("), ("rpeak", "N"), ("qrs_offset", ")")) for at in truth[point])
    at, symbols = zip(*marks, strict=True)
    wfdb.wrsamp("2", 500, ["mV"], ["ii"], ecg[:, None].astype(float), fmt=["16"],
                write_dir=str(folder))
    wfdb.wrann("2", "ii", np.array(at), list(symbols), write_dir=str(folder))
    tables = delineation_tables(str(tmp_path), (500.0, 250.0), ["ecg_tf"])
    *points, summary = tables.values()
    for table in points:
        row = table.loc[("ecg_tf", "qrs_onset")]
        assert row.sensitivity > 0.95 and row.ppv > 0.95 and abs(row.mean_ms) < 10
        assert row.marks == len(truth["rpeak"])
    narrow, wide = summary.loc["ecg_tf", ["sensitivity 40 ms", "sensitivity 150 ms"]]
    assert 0 < narrow <= wide
