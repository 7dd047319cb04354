"""Curves: losses and measures along a training, and shares along steps or galleries."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.style import (
    BASELINE,
    COLORS,
    SYNTHETIC,
    WARNING,
    in_style,
    legend_above,
    look,
    panels,
    plain_decades,
)

#: Panels of a history: title, y axis, words in the names of columns, logarithmic.
_HISTORY = (("Losses", "loss", ("loss",), False),
            ("Gradient norms", "norm (log scale)", ("grad",), True),
            ("Diversity", "pairwise distance, ratio to real", ("divers",), False),
            ("Distance to real", "squared MMD", ("mmd", "distance"), False))
_INTERVAL = "#e9e6de"


@in_style
def training_history(history: pd.DataFrame) -> Figure:
    """Losses, gradient norms, diversity and distances along a training, one panel each.

    Columns are recognized by their names: `*loss*`, `*grad*`, `*divers*`, `*mmd*` / `*distance*`;
    kinds that the history lacks are left out. The x axis is the column "step" or "epoch".

    Args:
        history: DataFrame, one row an epoch; cells may be missing.

    Raises:
        InputError: none of these columns.
    """
    x_name = next((name for name in ("step", "epoch") if name in history), "epoch")
    x = history.get(x_name, history.index.to_series())
    kinds: list = []
    for title, unit, words, log in _HISTORY:
        taken = [name for kind in kinds for name in kind[2]]
        names = [name for name in history if any(word in str(name).lower() for word in words)
                 and history[name].notna().any() and name not in taken]
        if names:
            kinds.append((title, unit, names, log))
    if not kinds:
        raise InputError("There is nothing in this history to plot.",
                         expected="columns such as d_loss, g_loss, g_gradient_norm, diversity",
                         got=", ".join(map(str, history)) or "no columns",
                         fix="give the history.csv of a run")
    figure, axes = panels(len(kinds), 2, 4.9, 2.9)
    for ax, (title, unit, names, log) in zip(axes, kinds, strict=True):
        for k, name in enumerate(names):
            seen = history[name].dropna()
            ax.plot(x[seen.index], seen, linewidth=1.4, marker="." if len(seen) < 25 else None,
                    label=str(name).replace("_", " "), **look(k))
        ax.set(xlabel=x_name, ylabel=unit, title=title)
        if log and not (history[names] <= 0).any(axis=None):
            ax.set_yscale("log")
            plain_decades(ax.yaxis)
        ax.grid()
        # Beside the title, where it hides no curve.
        ax.legend(fontsize=8.5, loc="lower right", bbox_to_anchor=(1.01, 0.98), handlelength=2.4,
                  ncols=2 if len(names) < 3 else 1, columnspacing=1.2, borderaxespad=0.2)
    ends = [f"{name} ends at {history[name].dropna().iloc[-1]:.3g}"
            for _, _, names, _ in kinds for name in names]
    figure.alt_text = f"Training along {x_name}, {len(history)} rows: {', '.join(ends)}."
    return figure


@in_style
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
        log_x: bool, logarithmic x axis; steps from 0 on are linear up to 1.
        levels: column -> (number, word), a level as a horizontal line; default none.

    Raises:
        InputError: none of the tables has any of the columns.
    """
    columns = {c: label for c, label in columns.items() if any(c in t for t in tables.values())}
    if not columns:
        raise InputError("There are no curves to plot.", expected="tables with a known column",
                         got=", ".join(tables) or "no tables", fix="give the history of a training")
    figure, axes = panels(len(columns), 4, min(5.2, 11.4 / len(columns)), 3.6)
    texts = []
    for ax, (column, label) in zip(axes, columns.items(), strict=True):
        for k, (name, table) in enumerate(tables.items()):
            if column in table:
                values = table[column].astype(float)
                values = values.where(values > 0) if column in log else values
                ax.plot(table[x], values, linewidth=1.6, label=name, **look(k))
                texts += [f"{label}, {name}: {seen.iloc[0]:.2g} at first, {seen.iloc[-1]:.2g} at "
                          "last" for seen in [values[np.isfinite(values)]] if len(seen)]
        for level, word in [levels[column]] if levels and column in levels else []:
            ax.axhline(level, color="#222222", linewidth=1, linestyle=(0, (1, 1)))
            ax.annotate(word, (0, level), xycoords=("axes fraction", "data"), fontsize=8.5,
                        va="bottom", xytext=(3, 2), textcoords="offset points")
        ax.set(xlabel=xlabel or x, ylabel=label, yscale="log" if column in log else "linear")
        if log_x:
            ax.set_xscale("symlog", linthresh=1)
            ax.set_xlim(left=0)
        ax.grid()
    legend_above(figure, where="outside lower center", handlelength=2.8)
    figure.alt_text = f"Along {xlabel or x}. {'; '.join(texts)}."
    return figure


@in_style
def along_training(criteria: pd.DataFrame, baselines: pd.DataFrame,
                   test: Mapping[str, pd.Series] | None = None,
                   units: Mapping[str, str] | None = None, losses=(), columns: int = 4) -> Figure:
    """Every criterion in a panel of its own: its course, its baseline, and that of test persons.

    Args:
        criteria: one row a check (index: step), one column a measure or loss.
        baselines: index criterion, columns baseline, low, high; what is missing has no baseline.
        test: criterion -> the same against the test persons, by step; default none.
        units: criterion -> unit.
        losses: names of the criteria that are losses.
        columns: panels side by side.
    """
    test, texts = dict(test or {}), []
    figure, axes = panels(criteria.shape[1], columns, 2.75, 1.85, 0.4)
    for k, (ax, (name, values)) in enumerate(zip(axes, criteria.items(), strict=True)):
        kind = "loss, score" if name in losses else "validation persons"
        ax.plot(values.index, values, color=COLORS[2] if name in losses else SYNTHETIC,
                linewidth=1.6, label=kind)
        if name in test:
            ax.plot(test[name].index, test[name], color=COLORS[1], linewidth=1.3,
                    linestyle=(0, (4, 1)), label="test persons")
        seen = values[np.isfinite(values)]
        texts.append(f"{name} from {seen.iloc[0]:.2g} to {seen.iloc[-1]:.2g}" if len(seen)
                     else f"{name} never measured")
        level = baselines["baseline"].get(name, np.nan)
        if np.isfinite(level):
            ax.axhline(level, label="baseline, validation", **BASELINE)
            ax.axhspan(*baselines.loc[name, ["low", "high"]], color=_INTERVAL, zorder=0,
                       label="its interval over persons")
            texts[-1] += f", baseline {level:.2g}"
        unit = (units or {}).get(name, "")
        ax.set_title(name + (f" ({unit})" if unit else ""), fontsize=9.5)
        ax.tick_params(labelsize=8)
        if k + columns >= len(axes):  # the lowest panel of each column carries the steps
            ax.set_xlabel("Step", fontsize=9)
        ax.grid()
        _show_late(ax, [values, test.get(name, ()), [level]])
    legend_above(figure, 5, "outside upper left")
    figure.alt_text = f"Measures and losses along the training: {'; '.join(texts)}."
    return figure


@in_style
def where_they_stop(outcome: pd.Series, rules: pd.DataFrame, name: str, baseline: float = np.nan,
                    losses=()) -> Figure:
    """What each rule keeps, on the curve of the outcome, and how much worse that is.

    Args:
        outcome: by step, low is better; not seen by the rules.
        rules: of `stopping.compare_rules`, plotted from the best to the worst.
        name: of the outcome, with its unit.
        baseline: its baseline; default none.
        losses: names of the rules that go by a loss.

    Returns:
        Figure: left the curve with the step each rule keeps, right the values there over the best.
    """
    rules = rules.sort_values(["outcome", "picks"])
    looks = {rule: (COLORS[2], "X") if rule in losses else (SYNTHETIC, "o") for rule in rules.index}
    figure, (left, right) = panels(2, 2, 5.3, 0.3 * len(rules) + 1.5, width_ratios=(1, 1.15))
    left.plot(outcome.index, outcome, color=COLORS[1], linewidth=1.4, zorder=1)
    for rule, step in rules["picks"].items():
        color, marker = looks[rule]
        left.plot(step, outcome.loc[step], marker, color=color, zorder=3, markeredgecolor="white",
                  markersize=9 if marker == "o" else 6)
    if np.isfinite(baseline):
        left.axhline(baseline, **BASELINE)
        left.text(outcome.index[-1], baseline, "baseline", ha="right", va="bottom", fontsize=8.5)
    left.set(xlabel="Step", ylabel=name, title="weights that the rules keep",
             yscale="log" if outcome.min() > 0 else "linear")
    if outcome.min() > 0:
        plain_decades(left.yaxis)
    left.grid(which="both")
    _rule_rows(right, rules, looks)
    right.set_title(f"{name}, times that of the best check")
    texts = [f"{row.Index} keeps step {row.picks}, {row.times_best:.1f} times the best"
             for row in rules.itertuples()]
    figure.alt_text = f"Where each rule would have stopped: {'; '.join(texts)}."
    return figure


@in_style
def validity_figure(table: pd.DataFrame, required: float = 0.95) -> Figure:
    """Validity of the re-identification attacker: how often it names the right one of g persons.

    Of a `sessions.session_table`: share named rightly over the size of the gallery, a line a date,
    with 95 % intervals, beside guessing; `required` makes the attacker valid on the date it
    learned. InputError: no galleries in the table.
    """
    names = table.index.to_series().str.extract(r"^gallery of (\d+), (.+)$").dropna()
    if not len(names):
        raise InputError("There is no validity to plot.", expected="galleries in the table",
                         got=", ".join(map(str, table.index[:3])) or "an empty table",
                         fix="take more persons, or smaller galleries")
    rows = table.loc[names.index, ["value", "low", "high"]].astype(float)
    rows = rows.assign(size=names[0].astype(int), date=names[1])
    figure, (ax,) = panels(1, 1, 6.4, 3.6)
    texts, sizes = [], sorted(rows["size"].unique())
    for k, (date, own) in enumerate(rows.groupby("date", sort=False)):
        spread = [(own["value"] - own["low"]).clip(0), (own["high"] - own["value"]).clip(0)]
        ax.errorbar(own["size"] * 1.03**k, own["value"], spread, marker="o", capsize=3,
                    label=date, **look(k))
        texts.append(f"{date}: " + ", ".join(own["value"].map("{:.1%}".format)))
    ax.plot(sizes, 1 / np.array(sizes), color="#777777", linestyle=":", label="guessing")
    ax.axhline(required, color=WARNING, linestyle=(0, (4, 2)), linewidth=1.2,
               label="required on the same date")
    ax.set(xscale="log", ylim=(0, 1.03), xlabel="persons in the gallery",
           ylabel="right person named")
    ax.set_xticks(sizes, map(str, sizes))
    ax.minorticks_off()
    ax.legend(loc="center left")
    figure.alt_text = (f"Share of strips whose person is named in galleries of "
                       f"{', '.join(map(str, sizes))}. {'; '.join(texts)}.")
    return figure


def _show_late(ax, curves):
    """The start of a training is often far off: later values decide what is in view."""
    late = np.concatenate([np.asarray(values, float)[len(values) // 8 :] for values in curves])
    late = late[np.isfinite(late)]
    if late.size:
        low, high = late.min(), late.max()
        pad = 0.08 * (high - low) or 0.05 * abs(high) or 0.05
        ax.set_ylim(low - pad, high + pad)


def _rule_rows(ax, rules, looks):
    why = {"baseline": "at its baseline", "patience": "out of patience", "end": "never stopped"}
    for place, row in enumerate(rules.itertuples()):
        color, marker = looks[row.Index]
        ax.axhline(place, color="#dddddd", linewidth=0.8, zorder=0)
        ax.plot(row.times_best, place, marker, color=color, markersize=7)
        ax.annotate(f"  {row.times_best:.1f}  (keeps {row.picks:,}, stops {row.stops:,}, "
                    f"{why[row.why]})", (row.times_best, place), va="center", fontsize=7.5,
                    xytext=(5, 0), textcoords="offset points")
    widest = np.nanmax([*rules["times_best"], 1.0])
    ax.set(yticks=range(len(rules)), yticklabels=list(rules.index), xscale="log",
           ylim=(len(rules) - 0.5, -0.5), xlim=(0.9, widest * max(6.0, widest**0.9)))
    ax.axvline(1, color="#999999", linewidth=0.8)
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100) if tick <= 1.3 * widest]
    ax.set_xticks(ticks, map(str, ticks))
    ax.set_xticks([], minor=True)
    ax.tick_params(axis="y", length=0, labelsize=8.5)
