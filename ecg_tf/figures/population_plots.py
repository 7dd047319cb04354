"""Measures against the number of persons that a GAN was trained on, one point a training."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from ecg_tf.base.errors import InputError
from ecg_tf.figures.style import BASELINE, COLORS, SYNTHETIC, in_style, legend_above, panels

_BAND, _COPIED = "#cccccc", COLORS[1]
_APART = 1.06  # points of one number of persons, beside each other


@in_style
def against_persons(table: pd.DataFrame, titles: Mapping[str, str], band: str,
                    columns: int = 3) -> Figure:
    """Measures against the number of training persons (log axis), a panel each.

    Args:
        table: of `lessons.population.table_of`: persons and subset in the index, columns
            (measure, field) with the fields value, low, high, baseline, baseline_low,
            baseline_high, and `memorized` where there is one.
        titles: measure -> title of its panel, which says what is better.
        band: what the grey band is, such as "other real persons, 95 %".
        columns: panels side by side.

    Returns:
        Figure. A point with its interval a training, a line through the medians; the baseline
        dashed in its band; crosses where the training persons' own strips would stand.

    Raises:
        InputError: none of the measures has a value.
    """
    shown = {name: title for name, title in titles.items()
             if (name, "value") in table and np.isfinite(table[name]["value"]).any()}
    if not shown:
        raise InputError("There is nothing to plot against the number of persons.",
                         expected=f"values of {', '.join(titles)}", got="none",
                         fix="give a table of `population_study`")
    figure, axes = panels(len(shown), columns, 3.7, 2.9, 0.5)
    persons = table.index.get_level_values("persons").to_numpy()
    for ax, (name, title) in zip(axes, shown.items(), strict=True):
        _panel(ax, table[name].groupby(level="persons").median(), band)
        _points(ax, table[name], _beside(persons))
        _person_axis(ax, np.unique(persons))
        ax.set_title(title)
    legend_above(figure, 5, "outside lower center")
    figure.alt_text = f"Against the number of training persons. {_in_words(table, shown)}"
    return figure


def _panel(ax, medians: pd.DataFrame, band: str) -> None:
    """What lies behind the points, by number of persons."""
    n = medians.index.to_numpy(float)
    wide = np.r_[n[0] / 1.4, n, n[-1] * 1.4]  # beyond the outermost points

    def along(field):
        values = medians[field].to_numpy()
        return np.r_[values[0], values, values[-1]]

    ax.fill_between(wide, along("baseline_low"), along("baseline_high"), color=_BAND, alpha=0.5,
                    linewidth=0, label=band)
    ax.plot(wide, along("baseline"), label="baseline", **BASELINE)
    if "memorized" in medians:
        ax.plot(n, medians["memorized"], color=_COPIED, linestyle=(0, (1.5, 1.2)), linewidth=1,
                marker="X", markersize=6, label="the persons' own strips")
    ax.plot(n, medians["value"], color=SYNTHETIC, linewidth=1.2, label="median of the trainings")


def _points(ax, rows: pd.DataFrame, x) -> None:
    for place, (value, low, high) in zip(x, rows[["value", "low", "high"]].to_numpy(),
                                         strict=True):
        ax.plot(place, value, "o", color=SYNTHETIC, markersize=5, label="one training, 95 %")
        ax.plot([place, place], [low, high], color=SYNTHETIC, linewidth=1, alpha=0.6)


def _beside(persons: np.ndarray) -> np.ndarray:
    """Where the points stand: those of one number of persons a little apart."""
    out = persons.astype(float)
    for n in np.unique(persons):
        own = np.flatnonzero(persons == n)
        out[own] *= _APART ** (np.arange(len(own)) - (len(own) - 1) / 2)
    return out


def _person_axis(ax, sizes) -> None:
    ax.set(xscale="log", xlim=(sizes[0] / 1.3, sizes[-1] * 1.3), xlabel="training persons (log)")
    ax.xaxis.set_major_locator(FixedLocator(sizes))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.tick_params("x", labelrotation=30)  # 1,024 and 1,654 would stand on each other
    ax.grid(axis="y")


def _in_words(table: pd.DataFrame, shown: Mapping[str, str]) -> str:
    parts = []
    for name, title in shown.items():
        medians = table[name].groupby(level="persons").median()
        values = ", ".join(f"{row['value']:.3g} with {n:,}" for n, row in medians.iterrows())
        parts.append(f"{title}: {values}; baseline {medians['baseline'].median():.3g}.")
    return " ".join(parts)
