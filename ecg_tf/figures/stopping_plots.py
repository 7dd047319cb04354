"""Figures about stopping: measures along a training, who agrees with whom, where each stops."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.evaluation.stopping import LOSSES
from ecg_tf.figures.ecg_paper import REAL, STYLE, SYNTHETIC

_TEST, _LOSS, _PALE = "#d55e00", "#009e73", "#e9e6de"


@matplotlib.rc_context(STYLE)
def along_training(criteria: pd.DataFrame, baselines: pd.DataFrame,
                   test: Mapping[str, pd.Series] | None = None,
                   units: Mapping[str, str] | None = None, columns: int = 4) -> Figure:
    """Every criterion in a panel of its own: its course, its baseline, and what test persons say.

    Args:
        criteria: one row a check (index: step), one column a measure or loss.
        baselines: index criterion, columns baseline, low, high; what is missing has no baseline.
        test: criterion -> the same against the test persons, by step; default none.
        units: criterion -> unit.
        columns: panels side by side.

    Returns:
        Figure.
    """
    names, test = list(criteria.columns), dict(test or {})
    rows, said = -(-len(names) // columns), []
    figure = Figure(figsize=(2.75 * columns, 1.85 * rows + 0.4), dpi=100, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for ax in axes.flat[len(names):]:
        ax.set_visible(False)
    for ax, name in zip(axes.flat, names, strict=False):
        values, loss = criteria[name], _is_loss(name)
        finite = values[np.isfinite(values)]
        ax.plot(values.index, values, color=_LOSS if loss else SYNTHETIC, linewidth=1.6)
        if name in test:
            ax.plot(test[name].index, test[name], color=_TEST, linewidth=1.3, linestyle=(0, (4, 1)))
        said.append(f"{name} from {finite.iloc[0]:.2g} to {finite.iloc[-1]:.2g}"
                    if len(finite) else f"{name} never measured")
        baseline = baselines.loc[name] if name in baselines.index else {"baseline": np.nan}
        if np.isfinite(baseline["baseline"]):
            ax.axhline(baseline["baseline"], color=REAL, linestyle=(0, (5, 1.5)), linewidth=1.2)
            ax.axhspan(baseline["low"], baseline["high"], color=_PALE, zorder=0)
            said[-1] += f", baseline {baseline['baseline']:.2g}"
        unit = (units or {}).get(name, "")
        ax.set_title(name + (f" ({unit})" if unit else ""), fontsize=9.5, loc="left")
        ax.tick_params(labelsize=8)
        ax.grid(alpha=0.35, linewidth=0.6)
        _window(ax, values, test.get(name), baseline["baseline"])
    for k in range(columns):  # the lowest panel of each column carries the steps
        shown = [ax for ax in axes[:, k] if ax.get_visible()]
        if shown:
            shown[-1].set_xlabel("Step", fontsize=9)
            shown[-1].tick_params(labelbottom=True)
    line = [matplotlib.lines.Line2D([], [], color=color, linestyle=dash) for color, dash in
            ((SYNTHETIC, "-"), (_TEST, (0, (4, 1))), (REAL, (0, (5, 1.5))), (_LOSS, "-"))]
    band = matplotlib.patches.Patch(color=_PALE)
    words = ["validation persons", "test persons", "baseline, validation",
             "its interval over persons", "loss, score"]
    handles = [line[0], line[1], line[2], band, line[3]]
    kept = [k for k in range(5) if test or k != 1]
    figure.legend([handles[k] for k in kept], [words[k] for k in kept],
                  loc="outside upper left", ncols=5, fontsize=9)
    figure.alt_text = f"Measures and losses along the training: {'; '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
def agreement(spearman: pd.DataFrame, kendall: pd.DataFrame) -> Figure:
    """Rank agreement of all pairs: Spearman's rho above the diagonal, Kendall's tau below.

    Args:
        spearman: (criterion, criterion), of `stopping.rank_agreement`.
        kendall: the same, with method="kendall".

    Returns:
        Figure.
    """
    names, n = list(spearman.index), len(spearman)
    values = np.where(np.triu(np.ones((n, n)), 1) > 0, spearman, kendall).astype(float)
    np.fill_diagonal(values, np.nan)
    figure = Figure(figsize=(0.43 * n + 2.5, 0.36 * n + 1.9), dpi=100, layout="constrained")
    ax = figure.subplots()
    colors = matplotlib.colormaps["PuOr_r"].with_extremes(bad="#f4f4f4")
    image = ax.imshow(values, vmin=-1, vmax=1, cmap=colors, aspect="auto")
    for i, j in np.argwhere(np.isfinite(values)):
        strong = abs(values[i, j]) > 0.65
        ax.text(j, i, f"{values[i, j]:.1f}".replace("-0.0", "0.0"), ha="center", va="center",
                fontsize=7, color="white" if strong else "#222222")
    ax.set_xticks(range(n), names, rotation=45, ha="right", fontsize=8.5)
    ax.set_yticks(range(n), names, fontsize=8.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=ax, shrink=0.7)
    bar.set_label("right above: Spearman; left below: Kendall", fontsize=8.5)
    first = spearman.iloc[0].iloc[1:].dropna()
    said = ", ".join(f"{names[0]} and {name} {value:.2f}" for name, value in first.items())
    figure.alt_text = f"Rank agreement along the training (Spearman): {said}."
    return figure


@matplotlib.rc_context(STYLE)
def where_they_stop(judged: pd.Series, rules: pd.DataFrame, name: str,
                    baseline: float = np.nan) -> Figure:
    """What each rule keeps, on the curve that judges all of them, and how much worse that is.

    Args:
        judged: by step, low is better; what the rules did not see.
        rules: of `stopping.compare_rules`, drawn from the best to the worst.
        name: of what judges, with its unit.
        baseline: its baseline; default none.

    Returns:
        Figure: left the curve with the step each rule keeps, right the values there over the best.
    """
    rules = rules.sort_values(["judged", "picks"])
    figure = Figure(figsize=(10.6, 0.3 * len(rules) + 1.5), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    left.plot(judged.index, judged, color=_TEST, linewidth=1.4, zorder=1)
    for marker, color, size, lossy in (("o", SYNTHETIC, 9, False), ("X", _LOSS, 6, True)):
        picked = rules["picks"][[_is_loss(rule) == lossy for rule in rules.index]].unique()
        left.plot(picked, judged.loc[picked], marker, color=color, markersize=size, zorder=3,
                  markeredgecolor="white", linewidth=0)
    if np.isfinite(baseline):
        left.axhline(baseline, color=REAL, linestyle=(0, (5, 1.5)), linewidth=1.2)
        left.text(judged.index[-1], baseline, "baseline", ha="right", va="bottom", fontsize=8.5)
    left.set(xlabel="Step", ylabel=name, yscale="log" if judged.min() > 0 else "linear")
    left.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    left.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    left.grid(alpha=0.35, linewidth=0.6, which="both")
    left.set_title("weights that the rules keep", fontsize=10, loc="left")
    said = []
    for place, (rule, row) in enumerate(rules.iterrows()):
        color, marker = (_LOSS, "X") if _is_loss(rule) else (SYNTHETIC, "o")
        right.axhline(place, color="#dddddd", linewidth=0.8, zorder=0)
        right.plot(row["times_best"], place, marker, color=color, markersize=7)
        why = {"baseline": "at its baseline", "patience": "out of patience", "end": "never stopped"}
        right.annotate(f"  {row['times_best']:.1f}  (keeps {row['picks']:,}, stops {row['stops']:,}"
                       f", {why[row['why']]})", (row["times_best"], place), va="center",
                       fontsize=7.5, xytext=(5, 0), textcoords="offset points")
        said.append(f"{rule} keeps step {row['picks']}, {row['times_best']:.1f} times the best")
    widest = np.nanmax(np.append(rules["times_best"], 1.0))
    right.set(yticks=range(len(rules)), yticklabels=list(rules.index), xscale="log",
              ylim=(len(rules) - 0.5, -0.5), xlim=(0.9, widest * max(6.0, widest ** 0.9)))
    right.axvline(1, color="#999999", linewidth=0.8)
    ticks = [one for one in (1, 2, 3, 5, 10, 20, 50, 100) if one <= 1.3 * widest]
    right.set_xticks(ticks, [f"{one}" for one in ticks])
    right.set_xticks([], minor=True)
    right.tick_params(axis="y", length=0, labelsize=8.5)
    right.set_title(f"{name}, times that of the best check", fontsize=10, loc="left")
    figure.alt_text = f"Where each rule would have stopped: {'; '.join(said)}."
    return figure


def _is_loss(name: str) -> bool:
    return name in LOSSES


def _window(ax, values, test, baseline):
    """The start of a training is often far off: later values decide what is in view."""
    late = [np.asarray(one, float)[len(one) // 8:] for one in (values, test) if one is not None]
    late = np.concatenate([*late, [baseline]])
    late = late[np.isfinite(late)]
    if late.size:
        low, high = late.min(), late.max()
        pad = 0.08 * (high - low) or 0.05 * abs(high) or 0.05
        ax.set_ylim(low - pad, high + pad)
