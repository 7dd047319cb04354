"""Figures that introduce records: what they point at is where the simulation put it."""

import io
import re

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.figures import record_plots
from ecg_tf.records.simulate import sample_identity, simulate_record, true_intervals
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.rpeaks import rpeaks_of


def test_p_and_t_are_pointed_out_where_they_are():
    for number in (1, 2):
        identity = sample_identity(0, number)
        record = prepare(simulate_record(identity, minutes=1.0, ectopy=0.0), 360.0)
        figure = record_plots.heartbeat(record.signal[:, 0], 360.0, rpeaks_of(record)[0])
        truth = true_intervals(identity, minutes=1.0, ectopy=0.0)
        found = {name: float(at) for name, at in re.findall(r"([PT]) at ([+-][\d.]+) s",
                                                            figure.alt_text)}
        for wave, low, high in (("P", "p_onset", "p_offset"), ("T", "t_onset", "t_offset")):
            centre = np.median((truth[low] + truth[high]) / 2 - truth["rpeak"])
            assert found[wave] == pytest.approx(centre, abs=0.04)
        figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_too_few_beats_are_explained():
    with pytest.raises(InputError):
        record_plots.heartbeat(np.zeros(1000), 360.0, [500])


def test_every_beat_is_marked_at_its_place():
    signal = np.zeros(2000)
    figure = record_plots.beats_on_paper([signal], 200.0, [[300, 900]], [["N", "V"]])
    marks = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in marks] == [1.5, 4.5]
    assert "1 normal, 1 ventricular" in figure.alt_text
    assert [text.get_text() for text in figure.axes[0].texts if text.get_text() == "V"]


def test_heart_rate_is_60_over_rr():
    figure = record_plots.heart_rate({"a": ([0, 1, 2, 2.5], ["N", "N", "N", "S"])})
    assert figure.axes[0].lines[0].get_ydata().tolist() == [60, 60, 120]
    assert "a 60 bpm, 25.0% beats not normal" in figure.alt_text


def test_flaws_and_windows_are_told_in_words():
    signal, flat = np.sin(np.arange(1000) / 9), np.zeros(1000, bool)
    flat[200:300] = True
    kept = np.array([True, False])
    figure = record_plots.flawed(signal, 100.0, {"flat": flat}, (np.array([0, 200]), 200, kept))
    assert "flat from 2.0 to 3.0 s" in figure.alt_text
    assert "1 of 2 windows are kept" in figure.alt_text
