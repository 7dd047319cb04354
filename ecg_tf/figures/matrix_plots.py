"""Matrices with a word in each cell: confusions, rank agreement, measures that pass runs."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.style import REAL, in_style, panels


@in_style
def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Confusion matrices side by side: predicted shares of each class.

    Args:
        matrices: title -> (class, class) counts, rows the truth.
        classes: names of rows and columns.

    Returns:
        Figure; shares of a row in the cells, the number of beats beside it.
    """
    if not matrices:
        raise InputError("There is no confusion to plot.", expected="title -> matrix", got="none",
                         fix="pass utility.confusion of one classifier")
    figure, axes = panels(len(matrices), len(matrices), 0.62 * len(classes) + 1.5,
                          0.5 * len(classes) + 1.5)
    texts = []
    for ax, (title, matrix) in zip(axes, matrices.items(), strict=True):
        total = matrix.sum(axis=1, keepdims=True)
        rows = [f"{name} ({n:,.0f})" for name, n in zip(classes, total[:, 0], strict=True)]
        share = pd.DataFrame(np.where(total > 0, matrix / np.maximum(total, 1), np.nan), rows,
                             list(classes))
        _cells(ax, share, (100 * share).map("{:.0f} %".format), cmap="Blues", vmin=0, vmax=1)
        ax.set(xlabel="called", title=title)
        right = [f"{name} {100 * value:.0f} % right"
                 for name, value in zip(classes, np.diag(share), strict=True) if value == value]
        texts.append(f"{title}: {', '.join(right)}")
    axes[0].set_ylabel("truth (beats)")
    figure.alt_text = f"Confusion matrices. {'; '.join(texts)}."
    return figure


@in_style
def confusion_of_persons(named, true) -> Figure:
    """Which person the identification network names for each true person: its validity.

    Args:
        named: (n,) str, the person it names for each probe strip.
        true: (n,) str.

    Returns:
        Figure, shares by row; a diagonal is a network that recognizes all persons.

    Example:
        >>> confusion_of_persons(persons[likeness.argmax(1)], probe.subjects)
    """
    named, true = np.asarray(named, str), np.asarray(true, str)
    persons = np.unique([*named, *true])
    counts = pd.crosstab(true, named).reindex(index=persons, columns=persons, fill_value=0)
    share = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0).rename_axis(
        index=None, columns=None)
    right, side = float(np.mean(named == true)), min(6.2, 2.2 + 0.16 * len(persons))
    figure, (ax,) = panels(1, 1, side + 0.8, side)
    _cells(ax, share, None, cmap="Blues", vmin=0, vmax=1, cbar=True, cbar_kws={
        "label": "share of the person's probe strips", "shrink": 0.85})
    ax.tick_params(labelsize=7, labelrotation=0)
    if len(persons) > 24:
        ax.set(xticks=[], yticks=[])
    ax.set(xlabel="person that is named", ylabel="true person")
    ax.set_title(f"rank-1: {right:.1%} of {len(true):,} strips")
    worst = pd.Series(np.diag(share), persons).idxmin()
    figure.alt_text = (f"Matrix of true against named persons, {len(persons)} persons: {right:.1%} "
                       f"of {len(true):,} probe strips are named rightly; least sure: {worst}.")
    return figure


@in_style
def agreement_figure(spearman: pd.DataFrame, kendall: pd.DataFrame | None = None) -> Figure:
    """Rank agreement of all pairs: Spearman's rho above the diagonal, Kendall's tau below.

    Args:
        spearman: (criterion, criterion).
        kendall: the same; default None leaves the lower half empty.

    Returns:
        Figure, orange where two agree, purple where one ranks the other way round.
    """
    n, upper = len(spearman), np.triu(np.ones(spearman.shape, bool), 1)
    lower = np.tril(np.ones(spearman.shape, bool), -1)
    values = spearman.where(upper) if kendall is None else spearman.where(
        upper, kendall.where(lower))
    figure, (ax,) = panels(1, 1, 0.46 * n + 2.6, 0.36 * n + 1.9)
    text = values.map(lambda value: f"{value:.1f}".replace("-0.0", "0.0"))
    halves = "Spearman" if kendall is None else "right above: Spearman; left below: Kendall"
    _cells(ax, values.astype(float), text, 40, 7.5, cmap="PuOr_r", vmin=-1, vmax=1, cbar=True,
           cbar_kws={"shrink": 0.7, "label": f"rank agreement ({halves})"})
    pairs = spearman.where(upper).stack()
    least = "; ".join(f"{a} and {b} {value:.2f}" for (a, b), value in pairs.nsmallest(3).items())
    figure.alt_text = (f"Rank agreement (Spearman) of {n} criteria, {pairs.mean():.2f} on average; "
                       f"lowest: {least}.")
    return figure


@in_style
def passes_figure(passes: pd.DataFrame, panel: int = 0) -> Figure:
    """Which measure passes which run: a tick where it is not worse than its baseline.

    Args:
        passes: (run, measure) of 1 (passes), 0 (worse than real) and NaN (not measured).
        panel: the first so many measures are set apart by a line.
    """
    figure, (ax,) = panels(1, 1, 0.4 * passes.shape[1] + 3.6, 0.27 * len(passes) + 1.9)
    text = passes.map({1.0: "✓", 0.0: "×"}.get)
    _cells(ax, passes.astype(float), text, 40, 9, cmap=ListedColormap(["#f1f1f1", "#9fd8c5"]),
           vmin=0, vmax=1)
    ax.axvline(panel, color=REAL, linewidth=1.4)
    counts = [f"{name} {column.sum():.0f} of {column.count()}" for name, column in passes.items()]
    figure.alt_text = f"Runs that each measure passes: {'; '.join(counts)}."
    return figure


def _cells(ax, values, text, tilt=0, size=9, **options):
    import seaborn

    seaborn.heatmap(values, annot=text, fmt="", ax=ax, annot_kws={"fontsize": size},
                    linewidths=0.8, **{"cbar": False} | options)
    ax.tick_params(length=0, labelrotation=0)
    if tilt:
        ax.set_xticks(ax.get_xticks(), ax.get_xticklabels(), rotation=tilt, ha="right")
