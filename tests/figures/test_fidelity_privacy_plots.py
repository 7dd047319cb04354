"""The fidelity-privacy plot: points in place, the target shaded, what has no place named."""

import numpy as np
import pandas as pd
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.gate import release_gate
from ecg_tf.figures.fidelity_privacy_plots import (
    fidelity_privacy_null,
    fidelity_privacy_plot,
    fidelity_privacy_point,
)
from ecg_tf.figures.plots import gate_table

ROWS = [Measured("MMD²", 0.06, 0.02, 0.05, 0.08),
        Measured("re-identification at 1 % FAR", 0.1, 0.012, 0.06, 0.15, 0.01, baseline_low=0.002,
                 baseline_high=0.03)]
LANDMARKS = pd.DataFrame({"baselines": [1, 1.1, 30, np.nan], "reidentified": [0.7, 0.01, 0, 0.5]},
                         index=["copies", "new persons", "white noise", "nowhere"])


def plotted(figure):
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0]))
            for line in figure.axes[0].lines if line.get_marker() not in ("None", "")]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_point_is_in_baselines_and_has_intervals_from_measures_or_their_json():
    point = fidelity_privacy_point(ROWS)
    assert point["baselines"] == pytest.approx(3) and point["baselines_high"] == pytest.approx(4)
    assert (point["reidentified"], point["low"]) == (0.1, 0.06)
    as_json = [vars(ROWS[0]), {**vars(ROWS[1]), "value": None}]
    assert np.isnan(fidelity_privacy_point(as_json)["reidentified"])
    assert fidelity_privacy_null(ROWS) == (0.012, 0.002, 0.03)
    assert np.isnan(list(fidelity_privacy_point([]).values())).all()
    negative = Measured("MMD²", 0.01, -0.001, baseline_high=0.005)
    assert fidelity_privacy_point([negative])["baselines"] == pytest.approx(2)


def test_points_and_landmarks_are_drawn_where_they_are():
    points = pd.DataFrame({"mine": fidelity_privacy_point(ROWS)}).T
    figure = fidelity_privacy_plot(points, LANDMARKS, 0.02, fidelity_privacy_null(ROWS))
    np.testing.assert_allclose(sorted(plotted(figure)), [(1, 0.7), (1.1, 0.01), (3, 0.1), (30, 0)])
    assert {"copies", "new persons", "white noise", "target"} <= set(texts(figure))
    assert "nowhere" not in texts(figure)
    ax = figure.axes[0]
    assert ax.get_xlim()[1] > 30 and ax.get_ylim()[1] >= 1
    assert "0.02" in ax.get_xlabel() and ax.get_legend() is not None
    for word in ("mine stands at 3 x baseline with 10 %", "copies at 1 x baseline and 70 %", "3 %"):
        assert word in figure.alt_text, figure.alt_text
    figure.savefig("/dev/null", format="png")


def test_the_target_reaches_two_baselines_and_the_nulls_upper_end():
    points = pd.DataFrame({"a": fidelity_privacy_point(ROWS)}).T
    shade = fidelity_privacy_plot(points, null=(0.01, 0, 0.05)).axes[0].collections[0]
    corners = shade.get_paths()[0].vertices
    assert corners[:, 0].max() == 2 and corners[:, 1].max() == 0.05


def test_sets_without_a_place_are_named_and_not_drawn():
    void = pd.DataFrame({"void run": fidelity_privacy_point(ROWS[:1])}).T
    figure = fidelity_privacy_plot(void, pd.DataFrame(columns=["baselines", "reidentified"]))
    assert plotted(figure) == [] and "void run" in figure.axes[0].get_title(loc="left")
    assert "No set has a place" in figure.alt_text


def test_experiments_differ_in_colour_and_in_marker():
    points = pd.DataFrame({f"run {k}": fidelity_privacy_point(ROWS) for k in range(4)}).T
    lines = [line for line in fidelity_privacy_plot(points).axes[0].lines
             if line.get_label().startswith("run")]
    assert len({line.get_marker() for line in lines}) == 4
    assert len({line.get_color() for line in lines}) == 4


def test_other_tables_are_refused():
    with pytest.raises(InputError, match="fidelity_privacy_point"):
        fidelity_privacy_plot(pd.DataFrame({"value": [1]}))


def test_the_gates_table_says_pass_and_fail_in_words():
    page = gate_table(release_gate(ROWS)).to_html()
    assert "✗ fail" in page and "– not measured" in page
    assert "re-identification at 1 % FAR" in page
