"""Dots: numbers of choices below each other, runs in a ranking, and points beside their modes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from ecg_tf.base.errors import InputError
from ecg_tf.figures.style import (
    BASELINE,
    COLORS,
    MARKERS,
    SYNTHETIC,
    in_style,
    legend_above,
    panels,
    plain_decades,
)

_LEAST = 0.05  # baselines: the left end of the ranking


@in_style
def dots(table: Mapping[str, Mapping], xlabel: str, baseline: float | None = None,
         log: bool = False, xlim=None, bars: Sequence[str] = ()) -> Figure:
    """Numbers of several choices below each other, as dots on one axis.

    Args:
        table: choice -> {what: number, or several numbers (one a seed: each a pale dot, their
            mean a strong one)}.
        xlabel: str, with unit.
        baseline: float, real-vs-real baseline, as a line; default None.
        log: bool, logarithmic axis; numbers at or below 0 stand at its left end.
        xlim: (low, high), default by the numbers.
        bars: names of what is shown as upright bars, such as a bound that dots must not pass.

    Raises:
        InputError: nothing to plot.

    Example:
        >>> dots({"row_major": {"MMD²": [0.5, 0.6]}, "beat_rows": {"MMD²": [0.2]}}, "MMD²", 0.05)
    """
    values = {(choice, what): np.ravel(value).astype(float) for choice, row in table.items()
              for what, value in row.items()}
    values = {key: value[np.isfinite(value)] for key, value in values.items()}
    finite = np.concatenate([*values.values(), np.zeros(0)])
    if not finite.size:
        raise InputError("There is nothing to compare.", expected="one finite number or more",
                         got="none", fix="give choice -> {measure: number}")
    choices, kinds = list(table), list(dict.fromkeys(what for _, what in values))
    figure, (ax,) = _rows(choices, 8.2, 0.36)
    if log:
        values = {key: np.maximum(value, finite[finite > 0].min(initial=np.inf) / 3)
                  for key, value in values.items()}
    for (choice, what), value in values.items():
        if value.size:
            k, place = kinds.index(what), choices.index(choice)
            look = {"color": COLORS[k % 8], "linewidth": 0,
                    "marker": "|" if what in bars else MARKERS[k % 8]}
            if len(value) > 1:
                ax.plot(value, [place] * len(value), alpha=0.35, markersize=6, **look)
            big = ({"markersize": 20, "markeredgewidth": 2.5, "zorder": 2} if what in bars
                   else {"markersize": 8, "zorder": 3})
            ax.plot(value.mean(), place, label=what, **big, **look)
    texts = [f"{choice}: {what} {value.mean():.3g}" for (choice, what), value in values.items()
             if value.size]
    if baseline is not None and np.isfinite(baseline):
        ax.axvline(baseline, label="real against real", **BASELINE)
        texts.append(f"real against real: {baseline:.3g}")
    ax.set(xlabel=xlabel, xscale="log" if log else "linear", xlim=xlim)
    if log:
        plain_decades(ax.xaxis)
    if len(kinds) > 1 or baseline is not None:
        legend_above(figure, len(kinds) + 1)
    figure.alt_text = f"{xlabel}. {'; '.join(texts)}."
    return figure


@in_style
def standings_figure(runs: pd.DataFrame, means: pd.DataFrame) -> Figure:
    """MMD² of several contenders in multiples of its baseline, nearest to real ECGs first.

    Args:
        runs: one row a run: `contender`, and in multiples of the baseline `value`, `low`, `high`
            (interval over test persons) and `baseline_low`, `baseline_high`.
        means: index contender: `mean`, `low`, `high` over seeds, and `n`.

    Returns:
        Figure: pale a run with its interval over test persons, strong the geometric mean with its
        interval over seeds, grey the interval of the baseline.

    Raises:
        InputError: no run has a distance and a baseline.
    """
    runs = runs[np.isfinite(runs["value"].astype(float))] if len(runs) else runs
    if not len(runs):
        raise InputError("There is nothing to compare.", expected="runs with MMD² and its baseline",
                         got="none", fix="measure the runs again")
    means = means.loc[list(dict.fromkeys(runs["contender"]))].sort_values("mean", kind="stable")
    order = list(means.index)
    least, most = runs["value"].min(), runs["value"].max()
    left, right = max(min(least, 1) / 3, _LEAST), 2.5 * max(most, 1)
    figure, (ax,) = _rows(order, 9.2, 0.4)
    band = runs[["baseline_low", "baseline_high"]].median()
    if np.isfinite(band).all():
        ax.axvspan(max(band.iloc[0], left), band.iloc[1], color="#cccccc", alpha=0.5, linewidth=0,
                   label="baseline, 95 %: other real persons")
    ax.axvline(1, **BASELINE)
    several = runs["contender"].duplicated().any()
    for row in runs.itertuples():
        _with_interval(ax, order.index(row.contender) - 0.13, np.clip(
            [row.value, row.low, row.high], left, right), "o", color=SYNTHETIC, alpha=0.55,
            label="one run, 95 % over test persons")
    for place, row in enumerate(means.itertuples() if several else ()):
        _with_interval(ax, place + 0.13, np.clip([row.mean, row.low, row.high], left, right), "D",
                       color=COLORS[1], linewidth=2.2, label="mean, 95 % over seeds")
    ax.set(xscale="log", xlim=(left, right), xlabel="MMD² to persons never seen, in multiples of "
           "its baseline (log; left is better)")
    plain_decades(ax.xaxis)
    legend_above(figure, 3, fontsize=8.5)
    texts = [f"{row.Index} {row.mean:.2g} over {row.n} seed(s)" for row in means.itertuples()]
    figure.alt_text = ("MMD² in multiples of its baseline, nearest to real first: "
                       f"{'; '.join(texts)}.")
    return figure


@in_style
def ring_points(points: Mapping[str, np.ndarray], ring, columns: int = 4) -> Figure:
    """Generated points beside the Gaussians of a ring; a reached mode is solid.

    Args:
        points: title -> points (n, 2) or (n, 1, 1, 2).
        ring: `lessons.rings.Ring` that they were to be sampled from.
        columns: int, panels side by side, default 4.

    Returns:
        Figure; each title says modes reached and share of good points.

    Raises:
        InputError: no panels.
    """
    if not points:
        raise InputError("There are no points to plot.", expected="title -> points", got="none",
                         fix="train at least one GAN")
    figure, axes = panels(len(points), columns, 2.75, 3.1)
    span, texts = 1.35 * ring.radius + 3 * ring.std, []
    for ax, (title, own) in zip(axes, points.items(), strict=True):
        own = np.asarray(own, float).reshape(-1, 2)
        found = ring.evaluate(own)
        for center, reached in zip(ring.centers, ring.reached(own), strict=True):
            ax.add_patch(Circle(center, 3 * ring.std, fill=False, edgecolor="#222222",
                                linewidth=1.4, linestyle="-" if reached else ":"))
        ax.plot(*own.T, ".", color=SYNTHETIC, markersize=2.2, alpha=0.35)
        text = f"{found['modes']} of {ring.modes} modes, {found['good']:.0%} good"
        ax.set_title(f"{title}\n{text}", fontsize=9.5, loc="center")
        ax.set(xlim=(-span, span), ylim=(-span, span), aspect="equal", xticks=[], yticks=[])
        texts.append(f"{title}: {text}")
    figure.alt_text = f"Points on a ring of {ring.modes} Gaussians. {'; '.join(texts)}."
    return figure


def _rows(names, width, height):
    """Axes with one line a name, the first one above."""
    figure, axes = panels(1, 1, width, height * len(names) + 1.2)
    axes[0].set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes[0].hlines(range(len(names)), 0, 1, color="#e0e0e0", linewidth=0.8, zorder=0,
                   transform=axes[0].get_yaxis_transform())
    axes[0].grid(axis="x")
    axes[0].tick_params(axis="y", length=0)
    return figure, axes


def _with_interval(ax, place, numbers, marker, label, **look):
    value, low, high = numbers
    ax.plot([low, high], [place] * 2, **{"linewidth": 1.2} | look)
    ax.plot(value, place, marker, markersize=6, label=label, **look)
