"""Figures of images: what a GAN sees, how time runs through it, losses by scaling to pixels."""

from collections.abc import Mapping

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.style import COLORS, REAL, in_style, look, panels, plain_decades


@in_style
def image_grid(images, channel: int | str = 0, columns: int = 6, titles=None,
               time: str = "rows") -> Figure:
    """Images with a colour bar and the direction in which time runs.

    Args:
        images: (batch, height, width, channel) or (batch, height, width), in [-1, 1].
        channel: int, the channel to show, or "rgb" for the first three as colours.
        columns: int, images side by side.
        titles: one text an image.
        time: "rows" (time runs along a row, then the next row), "columns" or "" (no arrow).

    Raises:
        InputError: another shape, or no such channel.
    """
    images = np.asarray(images, dtype=float)
    images = images[..., None] if images.ndim == 3 else images
    rgb = channel == "rgb"
    chosen: list = [0, 1, 2] if rgb else [channel]
    if images.ndim != 4 or not len(images) or not set(chosen) <= set(range(images.shape[3])):
        raise InputError("These images, or this channel of them, cannot be shown.",
                         expected="(batch, height, width, channel) and a channel they have, or "
                         "'rgb' of three", got=f"shape {images.shape}, channel {channel!r}",
                         fix="choose one of the channels, or add the missing axes")
    pixels = np.clip((images[..., :3] + 1) / 2, 0, 1) if rgb else images[..., chosen[0]]
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    cell = 1.75 if columns > 2 else 2.6
    tall = (cell - 0.12) * images.shape[1] / images.shape[2]
    extra, top = (0.3, 0.62) if titles is not None else (0.12, 0.42)
    figure = _Inches(columns * cell + (0.6 if rgb else 1.4), rows * (tall + extra) + top)
    for index, picture in enumerate(pixels):
        row, column = divmod(index, columns)
        ax = figure.axes_at(0.45 + column * cell, top + row * (tall + extra), cell - 0.12, tall)
        shown = draw_image(ax, picture, vmin=-1, vmax=1)
        if titles is not None:
            ax.set_title(titles[index], fontsize=8.5, pad=2, loc="center")
        if index == 0 and time:
            _time_arrow(ax, time, above=1 + (0.3 if titles is not None else 0.12) / tall)
    if not rgb:
        high = min(rows * (tall + extra) - extra, 3.0)
        figure.color_bar(shown, 0.92, top, 0.13, high, [-1, -0.5, 0, 0.5, 1], "pixel value", 2)
    figure.alt_text = (
        f"{len(images)} images of {images.shape[1]} x {images.shape[2]} pixels, "
        f"{'as colours' if rgb else f'channel {channel}'}"
        + (f"; time runs along {time}." if time else "."))
    return figure


@in_style
def time_path(arrangement, title: str = "") -> Figure:
    """The path that time takes through an image: where sample 0, 1, 2 ... of a strip goes.

    Steps to a neighbouring pixel are solid, jumps (the seams) thin and dotted; colour is time.

    Args:
        arrangement: what has `image_shape` and `path() -> (time, 3)` row, column, channel; or the
            order itself, an array (height, width) or (height, width, channel) that holds the
            time index of each pixel, NaN where there is none. Small images (8 x 8) show best.

    Returns:
        Figure, one panel a channel.
    """
    order = _time_order(arrangement)
    height, width, channels = order.shape
    side = 3.0 if channels > 1 else 3.6
    tall, top = side * height / width, 0.65 if title and channels > 1 else 0.4
    figure = _Inches((side + 0.12) * channels + 0.95, tall + top + 0.35)
    last, jumps, steps = np.nanmax(order), 0, 0
    names = ("red", "green", "blue") if channels == 3 else [f"channel {k}" for k in range(channels)]
    for k in range(channels):
        ax = figure.axes_at(0.12 + k * (side + 0.12), top, side, tall)
        shown = draw_image(ax, order[..., k], vmin=0, vmax=last, alpha=0.45)
        near = _draw_path(ax, order[..., k], (np.nanmin(order), last))
        jumps, steps = jumps + int((~near).sum()), steps + len(near)
        if channels > 1:
            ax.set_title(names[k], fontsize=9.5, pad=4)
    figure.color_bar(shown, 0.8, top, 0.12, tall, [0, last],
                     "time (sample)" if tall > 1.8 else "sample", -8)
    note = "● start    ■ end" + ("    ┄ jump" if jumps else "")
    figure.text(0.12 / figure.wide, 0.1 / figure.high, note, fontsize=8.5, color="#444444")
    figure.text(0.12 / figure.wide, 1 - 0.1 / figure.high, title, fontsize=11, va="top")
    figure.alt_text = (
        f"Path of time through an image of {height} x {width} pixels and {channels} channel(s)"
        f"{': ' + title if title else ''}. {jumps} of {steps} steps jump over pixels.")
    return figure


@in_style
def scaling_curves(standardizers: Mapping, signals, codes: Mapping | None = None) -> Figure:
    """How each scaling turns millivolts into pixels, above where the samples of the data lie.

    Args:
        standardizers: name -> fitted `Standardizer`.
        signals: (window, time, lead) mV, lead 0 is shown; NaN is left out.
        codes: name -> (1, lead, 2), one window's ends for "record" and "window"; default None.

    Returns:
        Figure: left pixel value against mV, right the width of one of 256 grey levels in mV.
    """
    values = np.asarray(signals, float)[..., 0].ravel()
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, [0.01, 99.99])
    low, high = min(low - 0.3, -1.0), max(high + 0.3, 1.5)
    x = np.linspace(low, high, 1201)
    figure, axes = panels(4, 2, 4.8, 2.3, height_ratios=(3.2, 1), sharex=True)
    levels = []
    for k, (name, standardizer) in enumerate(standardizers.items()):
        leads = 1 if standardizer.leads is None else len(standardizer.leads)
        y = standardizer.scale(np.repeat(x[None, :, None], leads, 2), (codes or {}).get(name))
        y = y[0, :, 0].astype(float)
        axes[0].plot(x, y, label=name, linewidth=1.8, **look(k))
        step = 2 / 255 / np.maximum(np.gradient(y, x), 1e-9)
        inside = np.abs(y) < 1
        inside[1:-1] &= inside[2:] & inside[:-2]  # the slope at a clipped end belongs to neither
        axes[1].plot(x[inside], 1000 * step[inside], linewidth=1.8, **look(k))
        if inside.any():
            middle = np.argmin(np.abs(x))
            levels.append(f"{name} {1000 * step[middle]:.0f} microvolts a grey level at 0 mV")
    axes[0].set(ylabel="Pixel value", ylim=(-1.08, 1.08), xlim=(low, high))
    axes[0].legend(loc="upper left", handlelength=2.6, borderaxespad=0.1)
    axes[1].set(ylabel="One of 256 grey levels (µV, log scale)", yscale="log")
    plain_decades(axes[1].yaxis)
    for above, below in zip(axes[:2], axes[2:], strict=True):
        above.grid(which="both")
        below.hist(values, 160, range=(low, high), color=REAL + "55", log=True)
        below.set(yticks=[], xlabel="mV", ylabel="samples\n(log)")
    figure.alt_text = f"Pixel value and grey-level width against voltage: {'; '.join(levels)}."
    return figure


@in_style
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
    t, errors = (np.arange(len(signal)) - rpeak) / fs, []
    figure, axes = panels(2 * len(decoded), len(decoded), 1.78 + 0.6 / len(decoded), 2.1,
                          sharey="row")
    top, level = signal[rpeak], float(np.median(signal))
    for (name, back), tip, waves in zip(decoded.items(), axes, axes[len(decoded):], strict=False):
        error = np.abs(back - signal)
        for ax in (tip, waves):
            ax.plot(t, signal, color="#9a9a9a", linewidth=2.4, label="signal")
            ax.plot(t, back, color=COLORS[0], linewidth=1.1, label="after 256 grey levels",
                    marker="." if ax is tip else None)
            ax.grid()
        # Off by more than any grey level of these scalings is wide: this is clipping.
        cut = (error > 0.05) & (np.abs(t) < 0.05)
        tip.vlines(t[cut], back[cut], signal[cut], color=COLORS[1], linewidth=1.5)
        tip.plot([], [], color=COLORS[1], label="clipped")
        tip.set(xlim=(-0.045, 0.045), xticks=(-0.03, 0, 0.03), ylim=(top - 0.55, top + 0.08))
        waves.set(xlim=(t[0], t[-1]), ylim=(level - 0.14, level + 0.3), xlabel="s from R")
        tip.set_title(name)
        errors.append(f"{name} off by up to {error.max():.3f} mV")
    axes[0].set_ylabel("tip of R (mV)")
    axes[len(decoded)].set_ylabel("P and T waves (mV)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    figure.alt_text = f"A beat and what grey levels leave of it: {', '.join(errors)}."
    return figure


def draw_image(ax, pixels, **options):
    """Pixels as they are, without ticks and frame; options of `imshow`."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax.imshow(pixels, cmap="cividis", interpolation="nearest", aspect="auto", **options)


class _Inches(Figure):
    """A figure whose axes are placed in inches from its upper left corner."""

    def __init__(self, wide: float, high: float):
        super().__init__(figsize=(wide, high))
        self.wide, self.high = wide, high

    def axes_at(self, left, top, width, height):
        bottom = self.high - top - height
        return self.add_axes((left / self.wide, bottom / self.high, width / self.wide,
                              height / self.high))

    def color_bar(self, shown, from_right, top, width, height, ticks, label, labelpad):
        ax = self.axes_at(self.wide - from_right, top, width, height)
        self.colorbar(shown, cax=ax, ticks=ticks).outline.set_visible(False)
        ax.set_ylabel(label, fontsize=9, labelpad=labelpad)
        ax.tick_params(labelsize=8.5)


def _time_arrow(ax, time, above):
    style = {"arrowstyle": "-|>", "color": "#444444", "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    along, then = ("time", "next row") if time == "rows" else ("next column", "time")
    text = {"transform": ax.transAxes, "fontsize": 8.5, "color": "#444444"}
    ax.annotate("", (0.34, above), (0, above), xycoords="axes fraction", arrowprops=style)
    ax.text(0.38, above, along, ha="left", va="center", **text)
    ax.annotate("", (-0.09, 0.66), (-0.09, 1), xycoords="axes fraction", arrowprops=style)
    ax.text(-0.09, 0.62, then, ha="center", va="top", rotation=90, **text)


def _draw_path(ax, panel, ends) -> np.ndarray:
    """Plots the path of one channel; returns which of its steps go to a neighbour."""
    row, column = np.nonzero(np.isfinite(panel))
    sort = np.argsort(panel[row, column], kind="stable")
    points = np.column_stack([column, row])[sort].astype(float)
    segments = np.stack([points[:-1], points[1:]], axis=1)
    near = np.abs(np.diff(points, axis=0)).max(axis=1, initial=0) <= 1
    thick, size = (1.5, 7) if panel.shape[1] < 33 else (0.6, 4.5)
    for chosen, dash, width in ((near, "solid", thick), (~near, ":", 0.55 * thick)):
        ax.add_collection(LineCollection(segments[chosen], colors=REAL, linestyles=dash,
                                         capstyle="round", linewidths=width))
    index = panel[row, column][sort]
    for at, moment, marker in ((0, ends[0], "o"), (-1, ends[1], "s")):
        if len(index) and index[at] == moment:
            ax.plot(*points[at], marker, color=REAL, markersize=size)
    return near


def _time_order(arrangement) -> np.ndarray:
    if hasattr(arrangement, "path"):
        places = np.rint(arrangement.path()).astype(int)  # columns may be fractions
        height, width = arrangement.image_shape[:2]
        row, column, channel = np.minimum(places, (height - 1, width - 1, places.max())).T
        arrangement = np.full((height, width, channel.max() + 1), np.nan)
        arrangement[row, column, channel] = np.arange(len(places))
    order = np.asarray(arrangement, dtype=float)
    order = order[..., None] if order.ndim == 2 else order
    if order.ndim != 3 or not np.isfinite(order).any():
        raise InputError(
            "This is no order of pixels in time.",
            expected="an arrangement, or an array (height, width) or (height, width, channel)",
            got=f"shape {order.shape}",
            fix="give the arrangement itself, or the time index of each pixel")
    return order
