"""What privacy tests see: likeness to members, copies among fresh strips, and false alarms."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import REAL, STYLE, SYNTHETIC

_COLORS = (REAL, "#029e73", SYNTHETIC, "#de8f05", "#cc78bc", "#d55e00")


@matplotlib.rc_context(STYLE)
def threshold_figure(groups: Mapping, threshold: float, xlabel: str, above: str = "above it",
                     bins: int = 40) -> Figure:
    """How the scores of several sets of strips lie about a threshold, one row a set.

    Args:
        groups: name -> (n,) scores.
        threshold: the score past which an alarm is raised.
        xlabel: what the score is.
        above: what a strip past the threshold is called.
        bins: default 40.

    Returns:
        Figure; each row says which share lies past the threshold.

    Raises:
        InputError: no set, or one without finite scores.

    Example:
        >>> threshold_figure({"strangers": null, "members, later": later}, 0.8, "cosine")
    """
    values = {name: np.asarray(one, float)[np.isfinite(one)] for name, one in groups.items()}
    empty = [name for name, one in values.items() if not len(one)]
    if empty or not values or not np.isfinite(threshold):
        raise InputError("These scores cannot be drawn.", expected="sets of finite scores and a "
                         "finite threshold", got=f"none in {empty}, threshold {threshold}",
                         fix="draw only what was measured")
    every = np.concatenate([*values.values(), [threshold]])
    low, high = np.quantile(every, [0.002, 0.998])
    edges = np.linspace(min(low, threshold), max(high, threshold), bins + 1)
    figure = Figure(figsize=(7.6, 0.95 * len(values) + 0.8), dpi=110, layout="constrained")
    axes, said = figure.subplots(len(values), 1, sharex=True, squeeze=False)[:, 0], []
    for number, (ax, (name, scores)) in enumerate(zip(axes, values.items(), strict=True)):
        color, share = _COLORS[number % len(_COLORS)], np.mean(scores > threshold)
        ax.hist(np.clip(scores, edges[0], edges[-1]), edges, color=color + "40",
                edgecolor=color, linewidth=0.8, histtype="stepfilled")
        ax.axvline(threshold, color="#a03000", linestyle=(0, (4, 2)), linewidth=1.3)
        ax.set(yticks=[], ylabel="", ylim=(0, 1.5 * ax.get_ylim()[1]))  # room for the words
        ax.text(0.005, 0.94, f"{name} (n = {len(scores):,})", transform=ax.transAxes, va="top",
                fontsize=9.5)
        ax.text(0.995, 0.94, f"{share:.1%} {above}", transform=ax.transAxes, va="top", ha="right",
                fontsize=9.5, color="#a03000" if share > 0.05 else "#3c3c3c")
        said.append(f"{name}: {share:.1%} of {len(scores):,} strips {above}")
    axes[-1].set_xlabel(f"{xlabel}; dashed: the threshold, {threshold:.3g}")
    figure.alt_text = f"Histograms of {xlabel}, threshold {threshold:.3g}. {'; '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
def confusion_of_persons(named, true) -> Figure:
    """Which person the identification network names for each true person: its validity.

    Args:
        named: (n,) str, the person it names for each later strip.
        true: (n,) str.

    Returns:
        Figure, shares by row; a diagonal is a network that knows everybody.

    Example:
        >>> confusion_of_persons(persons[likeness.argmax(1)], late.subjects)
    """
    named, true = np.asarray(named, str), np.asarray(true, str)
    persons = np.unique(np.concatenate([named, true]))
    table = np.zeros((len(persons), len(persons)))
    np.add.at(table, (np.searchsorted(persons, true), np.searchsorted(persons, named)), 1)
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    right = float(np.mean(named == true))
    side = min(6.2, 2.2 + 0.16 * len(persons))
    figure = Figure(figsize=(side + 0.8, side), dpi=110, layout="constrained")
    ax = figure.subplots()
    picture = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, ax=ax, label="share of the person's later strips", shrink=0.85)
    if len(persons) <= 24:
        ax.set_xticks(range(len(persons)), persons, rotation=90, fontsize=7)
        ax.set_yticks(range(len(persons)), persons, fontsize=7)
    else:
        ax.set(xticks=[], yticks=[])
    ax.set(xlabel="person that is named", ylabel="true person")
    ax.set_title(f"rank-1: {right:.1%} of {len(true):,} strips", loc="left", fontsize=10)
    worst = persons[np.argmin(np.where(table.sum(1) > 0, np.diag(share), 2))]
    figure.alt_text = (f"Matrix of true against named persons, {len(persons)} persons: {right:.1%} "
                       f"of {len(true):,} later strips are named rightly; least sure: {worst}.")
    return figure


@matplotlib.rc_context(STYLE)
def validity_figure(table, required: float = 0.95) -> Figure:
    """Validity of the re-identification attacker: how often it names the right one of g persons.

    Args:
        table: `evaluation.sessions.session_table`.
        required: share that makes the attacker valid on the date it learned; default 0.95.

    Returns:
        Figure: intruder success over the size of the gallery, a line a date, with 95 % intervals,
        beside guessing.

    Raises:
        InputError: no galleries in the table.

    Example:
        >>> validity_figure(session_table(session_records("ecgiddb")))
    """
    rows = [(*name.removeprefix("gallery of ").split(", "), row)
            for name, row in table.iterrows() if name.startswith("gallery of ")]
    if not rows:
        raise InputError("There is no validity to draw.", expected="galleries in the table",
                         got=", ".join(map(str, table.index[:3])) or "an empty table",
                         fix="take more persons, or smaller galleries")
    figure = Figure(figsize=(6.4, 3.6), dpi=110, layout="constrained")
    ax, said = figure.subplots(), []
    sizes = sorted({int(size) for size, _, _ in rows})
    dates = list(dict.fromkeys(date for _, date, _ in rows))
    for number, date in enumerate(dates):
        mine = [row for _, of, row in rows if of == date]
        at = np.array([int(size) for size, of, _ in rows if of == date]) * 1.03 ** number
        value, low, high = np.array([row[["value", "low", "high"]] for row in mine], float).T
        ax.errorbar(at, value, [np.maximum(value - low, 0), np.maximum(high - value, 0)],
                    marker="o", capsize=3, color=_COLORS[number], label=date)
        said.append(f"{date}: " + ", ".join(f"{one:.1%}" for one in value))
    ax.plot(sizes, [1 / size for size in sizes], color="#777777", linestyle=":", label="guessing")
    ax.axhline(required, color="#a03000", linestyle=(0, (4, 2)), linewidth=1.2,
               label="required on the same date")
    ax.set(xscale="log", ylim=(0, 1.03), xlabel="persons in the gallery",
           ylabel="right person named")
    ax.set_xticks(sizes, map(str, sizes))
    ax.minorticks_off()
    ax.legend(loc="center left", fontsize=9)
    figure.alt_text = (f"Share of strips whose person is named in galleries of "
                       f"{', '.join(map(str, sizes))}. {'; '.join(said)}.")
    return figure
