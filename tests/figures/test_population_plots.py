"""Measures against the number of persons: points, bands and crosses where they belong."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.figures.population_plots import against_persons
from ecg_tf.lessons.population import table_of
from tests.lessons.test_population import ROWS

TITLES = {"MMD²": "MMD² (less is better)", "recall": "recall (more)",
          "copies": "copies", "no such measure": "nothing"}


def test_a_point_a_training_a_panel_a_measure_that_has_values():
    figure = against_persons(table_of(ROWS), TITLES, "other real persons, 95 %")
    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in panels] == list(TITLES.values())[:2]
    ax = panels[0]
    points = np.array([[float(line.get_xdata()[0]), float(line.get_ydata()[0])]
                       for line in ax.lines if line.get_marker() == "o"])
    assert points[:, 1].tolist() == [0.3, 0.2, 0.1] and len(set(points[:, 0])) == 3
    assert points[2, 0] == 16 and points[:2, 0].prod() == pytest.approx(16)  # beside 4
    crosses = next(line for line in ax.lines if line.get_marker() == "X")
    assert crosses.get_ydata() == pytest.approx([0.1, 0.025])
    assert ax.get_xscale() == "log" and list(ax.get_xticks()) == [4, 16]
    assert "0.25 with 4, 0.1 with 16; baseline 0.02" in figure.alt_text
    assert "other real persons, 95 %" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_nothing_to_plot_is_said():
    with pytest.raises(InputError, match="nothing to plot"):
        against_persons(table_of(ROWS), {"copies": "copies"}, "band")
