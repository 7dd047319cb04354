"""The explorer: what it points out is where it says, and reports get a still picture."""

import gc
import time
import weakref

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.figures.explorers import (
    Explorer,
    explore,
    is_live,
    keep_out_of_collections,
    make_widget,
)
from ecg_tf.figures.plots import png_of
from ecg_tf.records.simulate import simulate_cohort


@pytest.fixture(scope="module")
def explorer():
    return Explorer(simulate_cohort(2, minutes=1.5, leads=("MLII", "V1", "V5")), side=16)


def test_the_pixel_on_the_path_holds_the_sample_of_that_moment(explorer):
    name = next(iter(explorer.records))
    for arrangement in explorer.arrangements(name):
        t, signal, image, path = explorer.window(name, "MLII", 3.0, arrangement)
        assert len(t) == len(signal) == len(path) and image.ndim == 3
        row, column, channel = np.rint(path).astype(int).T
        fits = column < image.shape[1]  # beat rows: fractions may round to the next row
        pixels = image[row[fits], column[fits], channel[fits]]
        assert np.corrcoef(pixels, np.arcsinh(signal[fits] / 0.3))[0, 1] > 0.97, arrangement
        assert 3.0 <= t[0] < 5.0


def test_beat_rows_begin_at_a_cut_and_keep_their_r_peaks_in_one_column(explorer):
    name = next(iter(explorer.records))
    _, signal, image, path = explorer.window(name, "MLII", 0.0, "beat_rows")
    assert path[0, 0] == 0 and path[0, 1] < 2
    tallest = image[..., 0].argmax(axis=1)
    assert np.ptp(tallest) <= 2


def test_bad_input_and_windows_past_the_end_are_explained(explorer):
    name = next(iter(explorer.records))
    for call in (
        lambda: explorer.window("unknown"),
        lambda: explorer.window(name, "V9"),
        lambda: explorer.window(name, arrangement="spiral"),
        lambda: explorer.window(name, start=89.0, arrangement="row_major"),
        lambda: explorer.window(name, start=89.0, arrangement="beat_rows"),
        lambda: Explorer([]),
    ):
        with pytest.raises(InputError):
            call()


def test_every_arrangement_has_a_whole_window_up_to_the_last_start(explorer):
    name = next(iter(explorer.records))
    last = explorer.last_start(name)
    assert last > 0
    for arrangement in explorer.arrangements(name):
        assert len(explorer.window(name, "", last, arrangement)[0])


def test_a_picture_follows_the_sliders_in_time(explorer):
    name = next(iter(explorer.records))
    png_of(explorer.figure(name))
    took = []
    for follow in (0.2, 0.4, 0.6):
        start = time.thread_time()  # not what other threads do meanwhile
        png_of(explorer.figure(name, "V1", 2.0, "serpentine", follow))
        took.append(time.thread_time() - start)
    assert min(took) < 0.2


def test_widget_updates_picture_and_controls(explorer):
    widget = make_widget(explorer)
    (record, lead, arrangement), (start, follow) = (box.children for box in widget.children[:2])
    picture, words = widget.children[2:]
    before = picture.value
    arrangement.value = "hilbert"
    assert picture.value != before and "hilbert" in words.value
    start.value = start.max
    record.value = record.options[1]
    assert start.value == 0 and record.options[1] in words.value and arrangement.value == "hilbert"


def test_reports_get_a_figure_and_no_widget(monkeypatch, explorer):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *data, **_: shown.append(data[0]))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert not is_live()
    records = list(explorer.records.values())
    assert explore(records, side=16) is None
    assert "<figure" in shown[0]["text/html"]
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook.ipynb")
    assert is_live() and explore(records, side=16) is shown[1]


def test_what_an_explorer_kept_is_given_back_when_it_is_of_no_use_any_more():
    class Trained:
        pass

    old = Trained()
    old.itself, gone = old, weakref.ref(old)  # as networks do: only a collection can free it
    keep_out_of_collections()
    del old
    gc.collect()
    assert gone() is not None  # passed over
    keep_out_of_collections()
    assert gone() is None
    gc.unfreeze()
