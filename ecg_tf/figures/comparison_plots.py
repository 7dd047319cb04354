"""Figures and tables of runs beside each other: standings, strips, agreement of the measures."""

import os
from collections.abc import Iterable, Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import REAL, STYLE, SYNTHETIC, ecg_paper
from ecg_tf.figures.plots import styled
from ecg_tf.study.comparison import LEAST, Run, drawn_strips, over_seeds
from ecg_tf.study.measure_agreement import BLIND, PANEL, as_good_as_real, fooled

_MEAN = "#b34700"


@matplotlib.rc_context(STYLE)
def standings_figure(contenders: Mapping[str, Sequence[Run]]) -> Figure:
    """MMD² in baselines of several contenders, nearest to real ECGs first, with all intervals.

    Args:
        contenders: name -> runs, one a seed; of one field.

    Returns:
        Figure: pale a run with its interval over test persons, strong the geometric mean with its
        interval over seeds, grey the interval of the baseline.

    Raises:
        InputError: no run has a distance and a baseline.
    """
    rows = {name: [run for run in group if np.isfinite(run.in_baselines())]
            for name, group in contenders.items()}
    rows = {name: group for name, group in rows.items() if group}
    if not rows:
        raise InputError("There is nothing to compare.", expected="runs with MMD² and its baseline",
                         got="none", fix="measure the runs again")
    means = {
        name: over_seeds([run.in_baselines() for run in group]) for name, group in rows.items()
    }
    several = any(len(group) > 1 for group in rows.values())
    order = sorted(rows, key=lambda name: means[name][0])
    values = np.array([run.in_baselines() for group in rows.values() for run in group])
    left, right = max(min(values.min(), 1) / 3, LEAST / 2), 2.5 * max(values.max(), 1)
    figure = Figure(figsize=(9.2, 0.4 * len(rows) + 1.3), dpi=100, layout="constrained")
    ax = figure.subplots()
    band = [np.nanmedian([run.in_baselines(field=end) for group in rows.values() for run in group])
            for end in ("baseline_low", "baseline_high")]
    if np.isfinite(band).all():
        ax.axvspan(max(band[0], left), band[1], color="#cccccc", alpha=0.5, linewidth=0,
                   label="baseline, 95 %: other real persons")
    ax.axvline(1, color=REAL, linestyle=(0, (5, 1.5)), linewidth=1.2)
    for place, name in enumerate(order):
        ax.axhline(place, color="#e4e4e4", linewidth=0.8, zorder=0)
        for run in rows[name]:
            low, high = (run.in_baselines(field=end) for end in ("low", "high"))
            ax.plot(np.clip([low, high], left, right), [place - 0.13] * 2, color=SYNTHETIC,
                    linewidth=1.2, alpha=0.45)
            ax.plot(max(run.in_baselines(), left), place - 0.13, "o", color=SYNTHETIC, markersize=5,
                    alpha=0.6)
        if not several:
            continue
        mean, low, high = means[name]
        ax.plot(np.clip([low, high], left, right), [place + 0.13] * 2, color=_MEAN, linewidth=2.2)
        ax.plot(mean, place + 0.13, "D", color=_MEAN, markersize=6.5)
    ax.plot([], [], "o-", color=SYNTHETIC, alpha=0.6, label="one run, 95 % over test persons")
    if several:
        ax.plot([], [], "D-", color=_MEAN, label="mean, 95 % over seeds")
    ax.set(xscale="log", xlim=(left, right), ylim=(len(rows) - 0.5, -0.5),
           yticks=range(len(rows)), yticklabels=order,
           xlabel="MMD² to persons never seen, in multiples of its baseline (log; left is better)")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="x", alpha=0.35, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper right", ncols=3, fontsize=8.5)
    said = "; ".join(f"{name} {means[name][0]:.2g} over {len(rows[name])} seed(s)"
                     for name in order)
    figure.alt_text = f"MMD² in multiples of its baseline, nearest to real first: {said}."
    return figure


def strips_figures(runs: Sequence[Run], count: int = 3, seconds: float = 5.0, rows: int = 10
                   ) -> list[Figure]:
    """The first decoded ECGs of each run on ECG paper, a row a run; none is picked.

    Args:
        runs: of one field, in the order wanted.
        count: strips a run, default 3.
        seconds: of each, default 5; images that last shorter are drawn whole.
        rows: runs a figure, default 10.

    Returns:
        list of Figure; runs that keep no generator are left out.
    """
    drawn = [(run, drawn_strips(run, count, seconds)) for run in runs]
    drawn = [(run, strips) for run, strips in drawn if len(strips)]
    shown, out = _short_names(run.name for run, _ in drawn), []
    for start in range(0, len(drawn), rows):
        signals, titles = [], []
        for run, strips in drawn[start : start + rows]:
            signals += [strips[k, :, 0] if k < len(strips) else np.zeros(1) for k in range(count)]
            name, baselines = shown[run.name][:24], f"{_short(run.in_baselines())} x baseline"
            words = [name, baselines] if count > 1 else [f"{name}: {baselines}"]
            titles += [*words, *[""] * (count - len(words))]
        figure = ecg_paper(signals, drawn[start][0].settings["fs"], titles, columns=count,
                           real=False)
        names = ", ".join(run.name for run, _ in drawn[start : start + rows])
        figure.alt_text = f"The first {count} decoded strips of {names}. {figure.alt_text}"
        out.append(figure)
    return out


@matplotlib.rc_context(STYLE)
def agreement_figure(matrix: pd.DataFrame, runs: int) -> Figure:
    """Rank correlations of all pairs of measures over runs.

    Args:
        matrix: of `measure_agreement.agreement`.
        runs: how many, for the caption.

    Returns:
        Figure: the pairs below the diagonal, orange where they agree, purple where they rank the
        runs the other way round.
    """
    n, names = len(matrix), list(matrix.index)
    values = np.where(np.tri(n, k=-1, dtype=bool), matrix, np.nan).astype(float)
    figure = Figure(figsize=(0.5 * n + 2.9, 0.36 * n + 2.0), dpi=100, layout="constrained")
    ax = figure.subplots()
    colors = matplotlib.colormaps["PuOr_r"].with_extremes(bad="white")
    image = ax.imshow(values[1:, :-1], vmin=-1, vmax=1, cmap=colors, aspect="auto")
    for i, j in np.argwhere(np.isfinite(values)):
        ax.text(j, i - 1, f"{values[i, j]:.2f}".replace("-0.00", "0.00"), ha="center", va="center",
                fontsize=7.5, color="white" if abs(values[i, j]) > 0.65 else "#222222")
    ax.set_xticks(range(n - 1), names[:-1], rotation=40, ha="right", fontsize=9)
    ax.set_yticks(range(n - 1), names[1:], fontsize=9)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=ax, shrink=0.7)
    bar.set_label("Spearman's rank correlation", fontsize=9)
    bar.outline.set_visible(False)
    pairs = matrix.where(np.tri(n, k=-1, dtype=bool)).stack()
    said = "; ".join(f"{a} and {b} {value:.2f}" for (a, b), value in pairs.nsmallest(3).items())
    figure.alt_text = (f"Rank correlation of {n} measures over {runs} runs, {pairs.mean():.2f} on "
                       f"average; lowest: {said}.")
    return figure


@matplotlib.rc_context(STYLE)
def passes_figure(runs: Sequence[Run]) -> Figure:
    """Which measure takes which run for real: a tick where it is not worse than its baseline.

    Args:
        runs: of one field, in the order wanted.

    Returns:
        Figure: rows are runs; the panel (see `measure_agreement.fooled`) is left, then those
        that are fooled least.
    """
    table, share = as_good_as_real(runs), fooled(runs)["share"].fillna(0)
    rest = [name for name in share.sort_values(kind="stable").index if name not in PANEL]
    names = [name for name in PANEL if name in table] + rest
    values = table[names].to_numpy(float)
    figure = Figure(figsize=(0.4 * len(names) + 3.6, 0.27 * len(runs) + 1.9), dpi=100,
                    layout="constrained")
    ax = figure.subplots()
    colors = matplotlib.colors.ListedColormap(["#f1f1f1", "#9fd8c5"]).with_extremes(bad="white")
    ax.imshow(values, vmin=0, vmax=1, cmap=colors, aspect="auto")
    for i, j in np.argwhere(np.isfinite(values)):
        good = values[i, j] == 1
        ax.text(j, i, "✓" if good else "×", ha="center", va="center", fontsize=9,
                color="#01493a" if good else "#999999")
    edges = np.arange(1, max(values.shape)) - 0.5
    ax.vlines(edges[: len(names) - 1], -0.5, len(runs) - 0.5, color="white", linewidth=1.5)
    ax.hlines(edges[: len(runs) - 1], -0.5, len(names) - 0.5, color="white", linewidth=1.5)
    ax.axvline(sum(name in PANEL for name in names) - 0.5, color=REAL, linewidth=1.4)
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=9)
    shown = _short_names(run.name for run in runs)
    ax.set_yticks(range(len(runs)), [shown[run.name] for run in runs], fontsize=8.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    said = "; ".join(f"{name} {np.nansum(column):.0f} of {np.isfinite(column).sum()}"
                     for name, column in zip(names, values.T, strict=True))
    figure.alt_text = f"Runs that each measure takes for real: {said}."
    return figure


def board_table(board: pd.DataFrame):
    """One field of the leaderboard as a table: each number beside its yardstick.

    Args:
        board: rows of `comparison.leaderboard`.

    Returns:
        pandas Styler, shown by a notebook as a table.
    """
    def beside(name, form):
        return ["" if np.isnan(v) else f"{form(v)} ({form(f)})" if np.isfinite(f) else form(v)
                for v, f in zip(board[name], board[f"{name}_baseline"], strict=True)]

    table = pd.DataFrame({
        "": ["–" if np.isnan(place) else f"{place:.0f}" for place in board["place"]],
        "run": list(_short_names(board.index).values()),
        "seed": board["seed"].to_numpy(),
        "MMD² / baseline": [_interval(*row) for row in board[
            ["baselines", "baselines_low", "baselines_high"]].to_numpy()],
        "Fréchet / baseline": [_short(value) for value in board["frechet"]],
        "precision": beside("precision", "{:.2f}".format),
        "recall": beside("recall", "{:.2f}".format),
        "AUC": beside("auc", "{:.2f}".format),
        "strips with beats": beside("beats", "{:.0%}".format),
    })
    if board["reidentified"].notna().any():
        table["taken for a member"] = beside("reidentified", "{:.1%}".format)
        signs = {"passed": "✓ pass", "not passed": "✗ fail", "": ""}
        table["gate"] = [signs[word] for word in board["gate"]]
    style = styled(table).hide().set_properties(
        **{"text-align": "right", "padding": ".15em .5em", "white-space": "nowrap",
           "font-size": ".88em", "font-variant-numeric": "tabular-nums"})
    style = style.set_properties(subset=["run"], **{"text-align": "left", "white-space": "normal",
                                                    "min-width": "12em"})
    heads = "text-align:left;vertical-align:bottom;padding:.15em .5em;font-size:.88em"
    return style.set_table_styles([{"selector": "th", "props": heads}])


def fooled_table(runs: Sequence[Run]):
    """The measures that were fooled, how often, and what they do not look at by their definition.

    Args:
        runs: of one field.

    Returns:
        pandas Styler.
    """
    found = fooled(runs)
    found = found[found["passed"] + found["alone"] > 0]  # the others are right, here
    found = found.sort_values(["share", "passed"], ascending=False, kind="stable")
    table = pd.DataFrame({
        "measure": found.index,
        "fooled": [
            f"{row.passed:.0f} of {row.told:.0f}" for row in found.itertuples()],
        "rejects alone": [f"{row.alone:.0f}" if row.alone else "" for row in found.itertuples()],
        "does not look at": [BLIND.get(name, "") for name in found.index],
    })
    heads = "text-align:left;padding:.2em .8em"
    return (styled(table).hide().set_properties(**{"text-align": "left", "padding": ".2em .8em"})
            .set_table_styles([{"selector": "th", "props": heads}]))


def _short_names(names: Iterable[str]) -> dict[str, str]:
    """Names without the words that all of them begin with: room is scarce."""
    last = {name: name.rsplit("/", 1)[-1] for name in names}
    last = last if len(set(last.values())) == len(last) else {name: name for name in last}
    common = os.path.commonprefix(list(last.values()) if len(last) > 1 else [""])
    return {name: word[common.rfind("-") + 1 :] for name, word in last.items()}


def _short(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2g}" if abs(value) < 10 else f"{value:,.0f}"


def _interval(value, low, high) -> str:
    if np.isnan(value):
        return "not measured"
    return _short(value) + ("" if np.isnan(low) else f" ({_short(low)} to {_short(high)})")
