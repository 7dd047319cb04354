"""Figures of what an image makes of a signal: curves of the ranges, grey steps, comparisons."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import REAL, STYLE

# Okabe-Ito, each with a dash and a marker of its own: colour is never the only difference.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d", "#8c3a25")
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), "-.", (0, (7, 1, 1, 1)), (0, (3, 2)))
_MARKERS = "o^sDvPX*"


@matplotlib.rc_context(STYLE)
def range_curves(standardizers: Mapping, signals, codes: Mapping | None = None) -> Figure:
    """How each range turns millivolts into pixels, above where the samples of the data lie.

    Args:
        standardizers: name -> fitted `Standardizer`.
        signals: (window, time, lead) mV, lead 0 is drawn; NaN is left out.
        codes: name -> (1, lead, 2), one window's range for "record" and "window"; default None.

    Returns:
        Figure: left pixel value against mV, right the width of one of 256 grey levels in mV.
    """
    values = np.asarray(signals, float)[..., 0].ravel()
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, [0.01, 99.99])
    low, high = min(low - 0.3, -1.0), max(high + 0.3, 1.5)
    x = np.linspace(low, high, 1201)
    figure = Figure(figsize=(9.6, 4.6), dpi=110, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(3.2, 1))
    axes = [figure.add_subplot(grid[0, k]) for k in (0, 1)]
    said = []
    for k, (name, standardizer) in enumerate(standardizers.items()):
        code = (codes or {}).get(name)
        leads = 1 if standardizer.leads is None else len(standardizer.leads)
        y = standardizer.scale(np.repeat(x[None, :, None], leads, 2), code)[0, :, 0].astype(float)
        look: dict = {"color": _COLORS[k % 8], "linestyle": _DASHES[k % 6], "linewidth": 1.8}
        axes[0].plot(x, y, label=name, **look)
        step = 2 / 255 / np.maximum(np.gradient(y, x), 1e-9)
        inside = np.abs(y) < 1
        inside[1:-1] &= inside[2:] & inside[:-2]  # the slope at a clipped end belongs to neither
        axes[1].plot(x[inside], 1000 * step[inside], **look)
        if inside.any():
            middle = np.argmin(np.abs(x))
            said.append(f"{name} {1000 * step[middle]:.0f} microvolts a grey level at 0 mV")
    axes[0].set(ylabel="Pixel value", xlim=(low, high), ylim=(-1.08, 1.08))
    axes[0].legend(fontsize=9, loc="upper left", handlelength=2.6, borderaxespad=0.1)
    axes[1].set(ylabel="One of 256 grey levels (µV, log scale)", xlim=(low, high), yscale="log")
    _plain_decades(axes[1].yaxis)
    for k in (0, 1):
        axes[k].grid(alpha=0.35, linewidth=0.6, which="both")
        below = figure.add_subplot(grid[1, k])
        below.hist(values, 160, range=(low, high), color=REAL + "55", log=True)
        below.set(xlim=(low, high), yticks=[], xlabel="mV",
                  ylabel="samples\n(log)" if not k else "")
    figure.alt_text = f"Pixel value and grey-level width against voltage: {'; '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
def grey_steps(signal, decoded: Mapping[str, np.ndarray], fs: float, rpeak: int) -> Figure:
    """One beat, magnified, and what is left of it after the way into grey levels and back.

    Args:
        signal: (time,) mV, what went in.
        decoded: name -> (time,) mV, what came back.
        fs: float, Hz.
        rpeak: int, sample of its R peak.

    Returns:
        Figure, a column a name: above the tip of the R peak, below the P and T waves.
    """
    signal = np.asarray(signal, float)
    t, said = (np.arange(len(signal)) - rpeak) / fs, []
    figure = Figure(figsize=(1.78 * len(decoded) + 0.6, 4.2), dpi=110, layout="constrained")
    axes = figure.subplots(2, len(decoded), squeeze=False, sharey="row")
    top, level = signal[rpeak], float(np.median(signal))
    for (name, back), (tip, waves) in zip(decoded.items(), axes.T, strict=True):
        error = np.abs(back - signal)
        for ax in (tip, waves):
            ax.plot(t, signal, color="#9a9a9a", linewidth=2.4, label="signal")
            ax.plot(t, back, color="#0072b2", linewidth=1.1, label="after 256 grey levels",
                    marker="." if ax is tip else None)
            ax.grid(alpha=0.35, linewidth=0.6)
        # Off by more than any grey level of these ranges is wide: this is clipping.
        cut = (error > 0.05) & (np.abs(t) < 0.05)
        tip.vlines(t[cut], back[cut], signal[cut], color="#d55e00", linewidth=1.5)
        tip.plot([], [], color="#d55e00", label="clipped")
        tip.set(xlim=(-0.045, 0.045), xticks=(-0.03, 0, 0.03), ylim=(top - 0.55, top + 0.08))
        waves.set(xlim=(t[0], t[-1]), ylim=(level - 0.14, level + 0.3), xlabel="s from R")
        tip.set_title(name, fontsize=10)
        said.append(f"{name} off by up to {error.max():.3f} mV")
    axes[0, 0].set_ylabel("tip of R (mV)")
    axes[1, 0].set_ylabel("P and T waves (mV)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3, fontsize=9)
    figure.alt_text = f"A beat and what grey levels leave of it: {', '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
def dots(
    table: Mapping[str, Mapping], xlabel: str, baseline: float | None = None, log: bool = False,
    baseline_word: str = "real against real", xlim=None, bars: Sequence[str] = (),
) -> Figure:
    """Numbers of several choices below each other, as dots on one axis.

    Args:
        table: choice -> {what: number, or several numbers (one a seed: each a pale dot, their
            mean a strong one)}.
        xlabel: str, with unit.
        baseline: float, a yardstick drawn as a line; default None.
        log: bool, logarithmic axis; numbers at or below 0 are drawn at its left end.
        baseline_word: str, what the yardstick is.
        xlim: (low, high), default by the numbers.
        bars: names of what is drawn as upright bars, such as a bound that dots must not pass.

    Returns:
        Figure.

    Raises:
        InputError: nothing to draw.

    Example:
        >>> dots({"row_major": {"MMD²": [0.5, 0.6]}, "beat_rows": {"MMD²": [0.2]}}, "MMD²", 0.05)
    """
    kinds = list(dict.fromkeys(what for row in table.values() for what in row))
    numbers = [np.ravel(value).astype(float) for row in table.values() for value in row.values()]
    finite = np.concatenate([*numbers, np.zeros(0)])
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        raise InputError("There is nothing to compare.", expected="one finite number or more",
                         got="none", fix="give choice -> {measure: number}")
    markers = {what: "|" if what in bars else _MARKERS[k % 8] for k, what in enumerate(kinds)}
    figure = Figure(figsize=(8.2, 0.36 * len(table) + 1.15), dpi=110, layout="constrained")
    ax = figure.subplots()
    least = finite[finite > 0].min(initial=np.inf) / 3 if log else -np.inf
    said = []
    for place, (choice, row) in enumerate(table.items()):
        ax.axhline(place, color="#dddddd", linewidth=0.8, zorder=0)
        for what, value in row.items():
            k, value = kinds.index(what), np.atleast_1d(np.asarray(value, float))
            value = value[np.isfinite(value)]
            if not value.size:
                continue
            look = {"color": _COLORS[k % 8], "marker": markers[what], "linewidth": 0}
            if len(value) > 1:
                ax.plot(np.maximum(value, least), [place] * len(value), alpha=0.35, markersize=6,
                        **look)
            bar = what in bars
            look |= {"markersize": 20 if bar else 8, "markeredgewidth": 2.5 if bar else 1}
            ax.plot(max(value.mean(), least), place, zorder=3 - bar, **look)
            said.append(f"{choice}: {what} {value.mean():.3g}")
    for k, what in enumerate(kinds):
        ax.plot([], [], markers[what], color=_COLORS[k % 8], label=what, markeredgewidth=2)
    if baseline is not None and np.isfinite(baseline):
        ax.axvline(
            baseline, color=REAL, linestyle=(0, (5, 1.5)), linewidth=1.3, label=baseline_word
        )
        said.append(f"{baseline_word}: {baseline:.3g}")
    ax.set(yticks=range(len(table)), yticklabels=list(table), xlabel=xlabel,
           ylim=(len(table) - 0.5, -0.5), xscale="log" if log else "linear")
    if xlim is not None:
        ax.set_xlim(*xlim)
    if log:
        _plain_decades(ax.xaxis)
    ax.grid(axis="x", alpha=0.35, linewidth=0.6)
    ax.tick_params(axis="y", length=0, labelsize=10)
    if len(kinds) > 1 or baseline is not None:
        figure.legend(loc="outside upper right", ncols=len(kinds) + 1, fontsize=9)
    figure.alt_text = f"{xlabel}. {'; '.join(said)}."
    return figure


def show_row(figures: Mapping[str, Figure], dpi: float = 84) -> None:
    """Shows figures side by side, each with its caption; they wrap where the page is narrow.

    Args:
        figures: caption -> Figure.
        dpi: float, of all; two figures of 4.6 inches fit beside each other.
    """
    from IPython.display import display

    from ecg_tf.figures.plots import figure_html

    inside = "".join(figure_html(figure, caption, dpi=dpi) for caption, figure in figures.items())
    grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(min(390px,100%),1fr))"
    page = f'<div style="{grid};gap:0 1.2em">{inside}</div>'
    said = " ".join(f"{figure.alt_text} {caption}" for caption, figure in figures.items())
    display({"text/html": page, "text/plain": said}, raw=True)


def _plain_decades(axis) -> None:
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 300 else (1,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())
