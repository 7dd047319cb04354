"""Figures: to scale, distinguishable, described, small."""

import base64
import io
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured, measured_table
from ecg_tf.figures import ecg_paper as paper
from ecg_tf.figures import plots
from ecg_tf.figures.curve_plots import along
from ecg_tf.figures.style import REAL, SYNTHETIC

FS = 128


def ecgs(count=3, seconds=4.0, seed=0):
    """Sum-of-Gaussians ECGs (count, time, 1) in mV and their R positions."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * FS)) / FS
    signals, peaks = [], []
    for _ in range(count):
        at = np.arange(rng.uniform(0.2, 0.6), seconds, rng.uniform(0.7, 1.0))
        y = 0.01 * rng.normal(size=len(t))
        for shift, height, width in ((-0.17, 0.12, 0.025), (0, 1.2, 0.012), (0.26, 0.3, 0.045)):
            y += height * np.exp(-0.5 * ((t[:, None] - at - shift) / width) ** 2).sum(axis=1)
        signals.append(y)
        peaks.append(np.round(at * FS).astype(int))
    return np.array(signals)[..., None].astype("float32"), peaks


def strips_of(figure):
    return [ax for ax in figure.axes if ax.get_xlim()[0] < 0]


@settings(max_examples=10, deadline=None)
@given(
    seconds=st.floats(0.5, 30),
    peak=st.floats(0.2, 60),
    columns=st.integers(1, 4),
    count=st.integers(1, 5),
)
def test_paper_has_square_boxes_of_the_clinical_scale_at_every_size(seconds, peak, columns, count):
    signal = np.zeros((count, max(int(seconds * FS), 2)))
    signal[:, ::7] = peak
    figure = paper.ecg_paper(signal, FS, columns=columns)
    wide, high = figure.get_size_inches() * 25.4
    assert wide < 12.5 * 25.4 + 1 and len(strips_of(figure)) == count
    for ax in strips_of(figure):
        box = ax.get_position()
        mm_per_s = box.width * wide / np.ptp(ax.get_xlim())
        mm_per_mv = box.height * high / np.ptp(ax.get_ylim())
        assert mm_per_s / mm_per_mv == pytest.approx(25 / 10, rel=1e-6)
        assert mm_per_s <= 25 + 1e-6
        assert np.ptp(ax.get_ylim()) < 8  # an outlier does not make a tower of paper
    if seconds <= 5 and columns == 1:
        assert mm_per_s == pytest.approx(25)


def test_grid_lines_are_40_ms_and_100_uV_apart_and_every_fifth_is_large():
    ax = strips_of(paper.ecg_paper(ecgs(1)[0], FS))[0]
    small, large = ax.collections
    for lines, step_t, step_v in ((small, 0.04, 0.1), (large, 0.2, 0.5)):
        ends = np.array([line[:2] for line in lines.get_segments()])
        t = ends[ends[:, 0, 0] == ends[:, 1, 0]][:, 0, 0]
        v = ends[ends[:, 0, 1] == ends[:, 1, 1]][:, 0, 1]
        np.testing.assert_allclose(np.diff(t), step_t, atol=1e-9)
        np.testing.assert_allclose(np.diff(v), step_v, atol=1e-9)
        assert np.abs(t).min() < 1e-9  # t = 0 lies on a line


def test_the_trace_is_the_signal_and_the_pulse_one_millivolt():
    signals, _ = ecgs(1)
    pulse, trace = strips_of(paper.ecg_paper(signals, FS))[0].lines
    np.testing.assert_array_equal(trace.get_ydata(), signals[0, :, 0])
    np.testing.assert_allclose(trace.get_xdata(), np.arange(signals.shape[1]) / FS)
    assert max(pulse.get_ydata()) == 1 and min(pulse.get_ydata()) == 0


def test_real_and_synthetic_differ_by_colour_line_and_word():
    signals, _ = ecgs(2)
    figure = paper.real_beside_synthetic(signals, signals, FS, n=2)
    looks = []
    for ax in strips_of(figure)[:2]:
        line = ax.lines[-1]
        word = ax.texts[0].get_text()
        looks.append((word, to_hex(line.get_color()), line.is_dashed()))
    assert looks == [("real", REAL, False), ("synthetic", SYNTHETIC, True)]
    assert "2 real" in figure.alt_text and "2 synthetic" in figure.alt_text


def test_padding_is_not_drawn_and_a_strip_off_the_paper_says_so():
    signals = np.full((2, 400), np.nan)
    signals[0], signals[1, :100] = 0.1, np.linspace(0, 40, 100)
    first, second = strips_of(paper.ecg_paper(signals, FS, columns=2))
    assert len(second.lines[-1].get_ydata()) == 100
    assert any("leaves the paper" in text.get_text() for text in second.texts)
    assert not any("leaves the paper" in text.get_text() for text in first.texts)


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.ecg_paper(np.zeros((0, 5)), FS),
        lambda: plots.ecg_paper(np.full((1, 5), np.nan), FS),
        lambda: plots.ecg_paper(np.zeros((2, 50)), FS, titles=["one"]),
        lambda: plots.ecg_paper(np.zeros((2, 50)), FS, real=[True]),
        lambda: plots.ecg_paper(np.zeros((2, 50, 1)), FS, lead=1),
        lambda: plots.image_grid(np.zeros((2, 4, 4, 1)), channel=1),
        lambda: plots.image_grid(np.zeros((2, 4, 4, 2)), channel="rgb"),
        lambda: plots.time_path(np.zeros(5)),
        lambda: plots.training_history(pd.DataFrame({"epoch": [1]})),
        lambda: plots.distributions({"rr": [1.0]}, {"qt": [1.0]}),
        lambda: plots.distributions({"rr": [np.nan]}, {"rr": [np.nan]}),
        lambda: plots.measures_table(pd.DataFrame({"baseline": [1]})),
        lambda: plots.beat_overlay(np.zeros((1, 99)), np.zeros((1, 99)), FS, rpeaks=([[]], [[]])),
    ],
)
def test_what_cannot_be_drawn_is_explained(call):
    with pytest.raises(InputError):
        call()


def test_images_are_drawn_pixel_for_pixel_on_one_scale():
    images = np.random.default_rng(0).uniform(-1, 1, (5, 8, 16, 2))
    figure = plots.image_grid(images, channel=1, columns=3)
    plotted = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(plotted) == 5 and {image.get_clim() for image in plotted} == {(-1, 1)}
    np.testing.assert_array_equal(plotted[4].get_array(), images[4, ..., 1])
    rgb = plots.image_grid(np.full((1, 4, 4, 3), -1.0), channel="rgb")
    assert rgb.axes[0].images[0].get_array().max() == 0


class _Serpentine:
    image_shape = (8, 8, 1)

    def path(self):
        order = np.arange(64).reshape(8, 8)
        order[1::2] = order[1::2, ::-1]
        row, column = np.divmod(np.argsort(order.ravel()), 8)
        return np.stack([row, column, np.zeros(64)], axis=1)


def test_the_path_of_time_counts_the_jumps():
    order = np.arange(64).reshape(8, 8)
    assert "7 of 63 steps jump" in plots.time_path(order).alt_text
    assert "0 of 63 steps jump" in plots.time_path(_Serpentine()).alt_text
    interleaved = plots.time_path(np.arange(192).reshape(8, 8, 3))
    assert "21 of 189" in interleaved.alt_text
    markers = [line.get_marker() for ax in interleaved.axes for line in ax.lines]
    assert sorted(markers) == ["o", "s"]  # time starts once and ends once, not in every channel


def test_history_draws_the_panels_it_has_and_skips_missing_cells():
    history = pd.DataFrame(
        {"epoch": [1, 2, 3], "d_loss": [1, 0.5, 0.4], "g_loss": [1, 2, 3.0], "lr": [1, 1, 1]}
    )
    history["mmd"] = [0.3, np.nan, 0.1]
    figure = plots.training_history(history)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Losses", "Distance to real"]
    assert list(figure.axes[1].lines[0].get_ydata()) == [0.3, 0.1]
    assert all(ax.get_xlabel() == "epoch" and ax.get_ylabel() for ax in figure.axes)
    assert "mmd ends at 0.1" in figure.alt_text


def test_curves_are_named_once_and_need_a_column():
    history = pd.DataFrame({"step": [1, 2], "g_grad_norm": [0.5, 0.1], "diversity": [0.2, 0.9]})
    figure = along({"a": history, "b": history}, {"g_grad_norm": "norm", "diversity": "diversity"},
                   log=("g_grad_norm",), levels={"diversity": (0.3, "alarm")})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    assert "norm, a: 0.5 at first, 0.1 at last" in figure.alt_text and len(figure.axes) == 2
    with pytest.raises(InputError, match="no curves"):
        along({"a": history}, {"nothing": "nothing"})


def test_what_was_found_on_one_side_only_is_drawn_alone_and_said():
    real, synthetic = {"rr": [1.0, 1.1], "sdnn": [0.1]}, {"rr": [1.2], "sdnn": [np.nan]}
    figure = plots.distributions(real, synthetic)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[0].startswith("W1 = ") and titles[1] == "none found in synthetic ECGs"
    assert "none found in synthetic ECGs" in figure.alt_text


def test_distributions_print_distance_and_baseline_and_keep_the_tails():
    real, synthetic = np.r_[np.zeros(500), np.ones(500)], np.ones(1000) + 0.25
    synthetic[0] = 50.0
    figure = plots.distributions({"rr": real}, {"rr": synthetic})
    ax = figure.axes[0]
    assert ax.get_title(loc="left") == "W1 = 0.799"
    table = measured_table([Measured("RR W1", 0.7, 0.02)])  # a report's table took other strips
    beside = plots.distributions({"rr": real}, {"rr": synthetic}, table).axes[0]
    assert beside.get_title(loc="left") == "W1 = 0.7; real against real: 0.02"
    assert ax.get_xlabel() == "RR interval (s)"
    for patch in ax.patches:  # both histograms hold everything: their areas are 1
        x, y = patch.get_xy().T
        assert abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2 == pytest.approx(1, rel=1e-6)


def test_table_sets_each_value_beside_its_baseline():
    table = pd.DataFrame(
        {"value": [0.06, 3], "baseline": [0.03, None], "low": [0.05, None], "high": [0.07, None]},
        index=["MMD²", "modes"],
    ).assign(passed=[False, None])
    page = plots.measures_table(table).to_html()
    for words in ("0.05 to 0.07", "2.00 ×", "✗ fail", "real against real", "modes"):
        assert words in page
    assert "nan" not in page.lower()


def test_table_says_what_is_better_and_where_real_persons_lie():
    measures = [
        Measured("recall", 0.25, 0.5, better="high", p_value=0.04, baseline_low=0.375,
                 baseline_high=0.625),
        Measured("MMD²", 0.04, 0.03, baseline_low=0.02, baseline_high=0.05),
        Measured("copies", np.nan, 0.0), Measured("modes", 3.0)]
    shown = plots.measures_table(measured_table(measures)).data
    assert list(shown["better"]) == ["more", "less", "less", "less"]
    assert list(shown["as real"]) == ["✗ no", "✓ yes", "", ""]  # nothing to say of the last two
    assert list(shown["its 95 % interval"]) == ["0.375 to 0.625", "0.02 to 0.05", "", ""]
    assert list(shown["p"]) == ["0.04", "", "", ""]
    assert not len(plots.measures_table(measured_table(measures)[:0]).data)  # without attacks


def test_spectrum_peaks_where_the_signal_does():
    t = np.arange(1024) / FS
    tone = np.sin(2 * np.pi * 10 * t)[None] + 1e-3 * np.random.default_rng(0).normal(size=(4, 1024))
    line = plots.mean_psd(tone, tone, FS).axes[0].lines[0]
    assert line.get_xdata()[np.argmax(line.get_ydata())] == pytest.approx(10)


def test_beats_are_laid_over_one_another_at_their_peaks():
    signals, peaks = ecgs(4)
    figure = plots.beat_overlay(signals, signals, FS, rpeaks=(peaks, peaks))
    for ax in figure.axes:
        median = next(line for line in ax.lines if line.get_label() == "median")
        assert median.get_xdata()[np.argmax(median.get_ydata())] == 0
        assert median.get_ydata().max() == pytest.approx(1.2, abs=0.1)


def test_beats_are_found_by_the_detector_of_strips_where_none_are_given():
    signals, peaks = ecgs(4)
    plotted = plots.beat_overlay(signals, signals, FS).axes[0].get_title(loc="left")
    inside = [((at > 0.3 * FS) & (at < (4 - 0.5) * FS - 1)).sum() for at in peaks]
    assert int(plotted.split()[1]) == pytest.approx(sum(inside), abs=2)


def test_html_carries_alt_text_caption_and_a_small_picture_of_the_same_size():
    figure = paper.real_beside_synthetic(*[ecgs(4, 5, seed)[0] for seed in (0, 1)], FS)
    page = plots.figure_html(figure, 'Caption with <angle> & "quotes".', 'An "alt" <text>.')
    assert 'alt="An &quot;alt&quot; &lt;text&gt;."' in page
    assert "Caption with &lt;angle&gt; &amp;" in page
    data = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])
    picture = Image.open(io.BytesIO(data))
    assert picture.size == tuple(np.round(figure.get_size_inches() * figure.dpi - 0.5).astype(int))
    assert picture.mode == "P" and len(data) < 120_000
    raw = io.BytesIO()
    figure.savefig(raw, format="png")
    full = np.asarray(Image.open(raw).convert("RGB"), dtype=int)
    assert np.abs(full - np.asarray(picture.convert("RGB"), dtype=int)).mean() < 2


def test_show_displays_html_for_a_notebook(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    figure = paper.ecg_paper(ecgs(1)[0], FS)
    plots.show(figure, "A caption.")
    (data, raw), = shown
    assert raw and figure.alt_text in data["text/html"] and "A caption." in data["text/plain"]


def test_every_figure_is_described_and_pyplot_keeps_none():
    import matplotlib.pyplot as plt

    signals, peaks = ecgs(3)
    figures = [
        plots.ecg_paper(signals, FS),
        plots.real_beside_synthetic(signals, signals, FS, 2),
        plots.image_grid(np.zeros((2, 4, 4, 1))),
        plots.time_path(np.arange(16).reshape(4, 4)),
        plots.training_history(pd.DataFrame({"g_loss": [1.0, 2.0]})),
        plots.distributions({"rr": [1.0, 2.0]}, {"rr": [1.5, 2.0]}),
        plots.mean_psd(signals, signals, FS),
        plots.beat_overlay(signals, signals, FS, rpeaks=(peaks, peaks)),
    ]
    for figure in figures:
        assert isinstance(figure, Figure) and len(figure.alt_text) > 30
        figure.savefig(io.BytesIO(), format="png", dpi=30)
    assert plt.get_fignums() == []


def test_importing_plots_is_light():
    heavy = "('tensorflow', 'keras', 'seaborn', 'wfdb', 'matplotlib.pyplot')"
    code = f"import sys, ecg_tf.figures.plots; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_several_leads_lie_below_each_other():
    rng = np.random.default_rng(0)
    strips = rng.normal(0, 0.2, (3, 250, 2))
    figure = paper.ecg_paper(strips, 125, ["a", "b", ""], columns=2, leads=("MLII", "V1"))
    assert len(figure.axes) == 6
    labels = [[t.get_text() for t in ax.texts if t.get_text() != "real"] for ax in figure.axes]
    assert labels == [["a, MLII"], ["a, V1"], ["b, MLII"], ["b, V1"], ["MLII"], ["V1"]]
    plotted = [ax.lines[-1].get_ydata() for ax in figure.axes]
    assert np.array_equal(plotted[3], strips[1, :, 1])
    tops = [ax.get_position().y1 for ax in figure.axes]
    assert tops[0] == tops[2] > tops[1] == tops[3] > tops[4] > tops[5]
    assert "3 real strips" in figure.alt_text and "leads MLII, V1" in figure.alt_text
    both = paper.real_beside_synthetic(strips, -strips, 125, 2, leads=("MLII", "V1"))
    assert len(both.axes) == 8 and "2 real and 2 synthetic strips" in both.alt_text


HOSTILE = '<img src=x onerror=alert(1)>'


def test_names_of_files_are_text_in_tables_and_notes_and_no_formula_in_figures():
    table = pd.DataFrame({HOSTILE: [HOSTILE]}, index=[HOSTILE])
    for shown in (plots.styled(table).to_html(), plots.notes([HOSTILE]).data,
                  plots.facts_table({HOSTILE: HOSTILE}).data):
        assert "<img" not in shown and "&lt;img" in shown
    signal = np.random.default_rng(0).standard_normal((1, 1280, 1))
    figure = paper.ecg_paper(signal, 128.0, [r"$\frac{$"], leads=[r"$\frac{$"])
    figure.canvas.draw()
