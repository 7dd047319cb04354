"""Figures of trainings that go wrong or right: points beside their modes, curves of recipes."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import STYLE, SYNTHETIC
from ecg_tf.lessons.rings import Ring

# Okabe-Ito, each with a dash of its own: colour is never the only difference.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d", "#8c3a25")
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), "-.", (0, (7, 1, 1, 1)), (0, (3, 2)))


@matplotlib.rc_context(STYLE)
def ring_points(panels: Mapping[str, np.ndarray], ring: Ring, columns: int = 4) -> Figure:
    """Generated points beside the Gaussians of a ring; a mode that is reached is drawn solid.

    Args:
        panels: title -> points (n, 2) or (n, 1, 1, 2).
        ring: `Ring` they were to be drawn from.
        columns: int, panels side by side, default 4.

    Returns:
        Figure; each title says modes reached and share of good points.

    Raises:
        InputError: no panels.
    """
    if not panels:
        raise InputError("There are no points to draw.", expected="title -> points", got="none",
                         fix="train at least one GAN")
    wide = min(columns, len(panels))
    deep = -(-len(panels) // wide)
    figure = Figure(figsize=(2.75 * wide, 3.1 * deep), dpi=110, layout="constrained")
    axes = figure.subplots(deep, wide, squeeze=False).ravel()
    span, said = 1.35 * ring.radius + 3 * ring.std, []
    for ax, (title, points) in zip(axes, panels.items(), strict=False):
        points = np.asarray(points, float).reshape(-1, 2)
        judged, counts = ring.judge(points), ring.counts(points)
        for center, good in zip(ring.centers, counts, strict=True):
            reached = good >= max(0.1 * len(points) / ring.modes, 1)
            ax.add_patch(Circle(center, 3 * ring.std, fill=False, edgecolor="#222222",
                                linewidth=1.4, linestyle="-" if reached else ":"))
        ax.plot(*points.T, ".", color=SYNTHETIC, markersize=2.2, alpha=0.35)
        text = f"{judged['modes']} of {ring.modes} modes, {judged['good']:.0%} good"
        ax.set_title(f"{title}\n{text}", fontsize=9.5)
        ax.set(xlim=(-span, span), ylim=(-span, span), aspect="equal", xticks=[], yticks=[])
        said.append(f"{title}: {text}")
    for ax in axes[len(panels):]:
        ax.set_axis_off()
    figure.alt_text = f"Points on a ring of {ring.modes} Gaussians. {'; '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
def along(tables: Mapping[str, pd.DataFrame], columns: Mapping[str, str], *, x: str = "step",
          xlabel: str = "", log: tuple[str, ...] = (), log_x: bool = False,
          levels: Mapping[str, tuple[float, str]] | None = None) -> Figure:
    """Curves of several trainings, one panel a column.

    Args:
        tables: training -> DataFrame with the column `x` and some of `columns`.
        columns: column -> label of the panel's y axis.
        x: str, the column along the x axis, default "step".
        xlabel: str, default `x`.
        log: columns with a logarithmic axis.
        log_x: bool, logarithmic x axis; steps from 0 on are drawn linearly up to 1.
        levels: column -> (number, word), a level drawn across; default none.

    Returns:
        Figure.

    Raises:
        InputError: none of the tables has any of the columns.
    """
    columns = {c: label for c, label in columns.items() if any(c in t for t in tables.values())}
    if not columns:
        raise InputError("There are no curves to draw.", expected="tables with a known column",
                         got=", ".join(tables) or "no tables", fix="give the history of a training")
    wide = min(5.2 * len(columns), 11.4)
    figure = Figure(figsize=(wide, 3.6), dpi=110, layout="constrained")
    axes = figure.subplots(1, len(columns), squeeze=False)[0]
    said = []
    for ax, (column, label) in zip(axes, columns.items(), strict=True):
        for k, (name, table) in enumerate(tables.items()):
            if column not in table:
                continue
            values = table[column].to_numpy(float)
            if column in log:
                values = np.where(values > 0, values, np.nan)
            ax.plot(table[x], values, color=_COLORS[k % 8], linestyle=_DASHES[k % 6],
                    linewidth=1.6, label=name)
            seen = values[np.isfinite(values)]
            if seen.size:
                said.append(f"{label}, {name}: {seen[0]:.2g} at first, {seen[-1]:.2g} at last")
        for level, word in [(levels or {}).get(column, (None, ""))]:
            if level is not None:
                ax.axhline(level, color="#222222", linewidth=1, linestyle=(0, (1, 1)))
                ax.annotate(word, (0, level), xycoords=("axes fraction", "data"), fontsize=8.5,
                            ha="left", va="bottom", xytext=(3, 2), textcoords="offset points")
        ax.set(xlabel=xlabel or x, ylabel=label, yscale="log" if column in log else "linear")
        if log_x:
            ax.set_xscale("symlog", linthresh=1)
            ax.set_xlim(left=0)
        ax.grid(alpha=0.35, linewidth=0.6)
    # Each name once, whichever panels it stands in.
    handles = {text: line for ax in axes
               for line, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles, loc="outside lower center", fontsize=9,
                  ncols=min(4, len(handles)), handlelength=2.8)
    figure.alt_text = f"Along {xlabel or x}. {'; '.join(said)}."
    return figure
