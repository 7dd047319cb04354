"""What ranges and arrangements cost, on signals whose cost is known; and the figures of it."""

import io

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.figures import dot_plots, image_plots, plots
from ecg_tf.figures.plots import time_path
from ecg_tf.images.arrangements import make_arrangement
from ecg_tf.images.codec import Codec
from ecg_tf.images.image_losses import arrangement_losses, scaling_losses
from ecg_tf.images.scaling import SCALINGS, Standardizer
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import beat_sequences, strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.windows import Windows


@pytest.fixture(scope="module")
def prepared():
    return [prepare(record) for record in simulate_cohort(3, minutes=1.5)]


def test_errors_stay_within_bounds_and_clipping_is_counted_apart(prepared):
    windows = beat_sequences(prepared, rows=8, step=8)
    for quantization in ("uint8", "uint16"):
        made = {
            name: Standardizer(name, quantization=quantization).fit(windows) for name in SCALINGS
        }
        losses = scaling_losses(made, windows)
        assert (losses["largest error (mV)"] <= losses["bound (mV)"]).all()
        assert (losses["largest error (mV)"] > 0.3 * losses["bound (mV)"]).drop("companded").all()
    assert losses.loc["global", "clipped samples (%)"] == 0
    assert losses.loc["quantile", "clipped samples (%)"] == pytest.approx(0.2, abs=0.02)


def test_a_ramp_has_costs_known_beforehand():
    ramp = np.linspace(-1, 1, 2000, dtype=np.float32)[None, :, None]
    names = np.array(["a"])
    windows = Windows(ramp, 100.0, ("II",), np.array([2000]), names, names, np.array([0]))
    one = Standardizer("physical", limits_mv=(-0.5, 0.5), quantization="uint8").fit(windows)
    row = scaling_losses({"half": one}, windows).loc["half"]
    assert row["clipped samples (%)"] == pytest.approx(50, abs=0.1)
    assert row["grey levels used"] == 256 and row["clipped R peaks (%)"] is None
    assert row["largest error (mV)"] == pytest.approx(0.5 / 255, rel=0.05)


def test_arrangements_are_compared_by_neighbours_seams_and_error(prepared):
    flat, beats = strips(prepared, 256), beat_sequences(prepared, rows=8, step=8)
    same = {"scaling": "global", "height": 16, "width": 16}
    examples = {name: (Codec(name, **same).fit(flat), flat)
                for name in ("row_major", "column_major", "serpentine", "hilbert")}
    examples["beat_rows"] = Codec(scaling="global", height=8, width=32).fit(beats), beats
    losses = arrangement_losses(examples)
    assert losses.loc["row_major", "vertical"] == losses.loc["column_major", "horizontal"]
    assert losses.loc["row_major", "horizontal"] == losses.loc["column_major", "vertical"] > 0.8
    assert losses["seams"].tolist() == [15, 15, 0, 0, 7]
    assert losses[["vertical", "horizontal"]].min(axis=1).idxmax() == "beat_rows"
    assert (losses["largest error (mV)"].drop("beat_rows") < 1e-5).all()
    assert losses.loc["beat_rows", "largest error (mV)"] > 1e-3
    assert losses.loc["row_major", "ECG in it (s)"] == 2
    assert losses.loc["hilbert", "image"] == "16 x 16 x 1"


def test_curves_end_where_the_range_ends():
    signals = np.random.default_rng(0).normal(0, 0.5, (4, 500, 1))
    names = np.array(["a"] * 4)
    windows = Windows(signals.astype(np.float32), 100.0, ("II",), np.full(4, 500), names, names,
                      np.arange(4))
    made = {"physical": Standardizer("physical", limits_mv=(-1, 1)),
            "window": Standardizer("window").fit(windows)}
    codes = {"window": made["window"].range_code(windows)[:1]}
    figure = image_plots.scaling_curves(made, signals, codes)
    line = figure.axes[0].lines[0]
    assert line.get_ydata()[line.get_xdata() > 1.01].min() == 1
    steps = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(steps, 2000 / 255, rtol=1e-3)
    assert "physical 8 microvolts" in figure.alt_text
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_grey_steps_point_out_what_was_clipped():
    signal = np.exp(-(((np.arange(100) - 40) / 3.0) ** 2))
    figure = image_plots.grey_steps(signal, {"a": signal, "b": np.minimum(signal, 0.7)}, 100.0, 40)
    tips = figure.axes[:2]
    assert [len(ax.collections[0].get_segments()) for ax in tips] == [0, 3]
    assert "b off by up to 0.300 mV" in figure.alt_text


def test_dots_show_seeds_their_mean_and_the_baseline():
    table = {"x": {"MMD²": [1.0, 3.0], "bound": 5.0}, "y": {"MMD²": [4.0]}}
    figure = dot_plots.dots(table, "distance", baseline=0.5, log=True, bars=["bound"])
    plotted = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_markersize() == 8]
    assert plotted[:2] == [2.0, 4.0]
    assert "x: MMD² 2" in figure.alt_text and "real against real: 0.5" in figure.alt_text
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    with pytest.raises(InputError):
        dot_plots.dots({"x": {"MMD²": np.nan}}, "distance")


def test_a_row_of_figures_keeps_every_caption_and_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    names = ("serpentine", "hilbert")
    plots.show_row({f"This is {n}.": time_path(make_arrangement(n, 4, 4), n) for n in names})
    assert shown[0]["text/html"].count("<figure") == 2
    assert all(f"This is {name}." in shown[0]["text/html"] for name in names)
    assert "0 of 15 steps jump" in shown[0]["text/plain"]
