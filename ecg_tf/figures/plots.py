"""Figures of images, tables, and how to show any; those of `ecg_paper` and `measure_plots` too.

Every function returns a matplotlib `Figure` made without pyplot (so nothing is shown twice and
nothing stays in memory) that carries a description in `figure.alt_text`. `show` puts it into a
notebook with caption and alt text, small enough for a report. Real is black and solid, synthetic
blue and dashed.
"""

import base64
import html
import io

import matplotlib
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import REAL, STYLE, ecg_paper, real_beside_synthetic
from ecg_tf.figures.lead_pages import lead_pages, twelve_lead_paper
from ecg_tf.figures.measure_plots import (
    beat_overlay,
    distributions,
    mean_psd,
    training_history,
)

__all__ = [
    "beat_overlay", "distributions", "ecg_paper", "figure_html", "image_grid", "lead_pages",
    "mean_psd", "measures_table", "real_beside_synthetic", "show", "time_path",
    "training_history", "twelve_lead_paper",
]

def show(figure: Figure, caption: str, alt: str = "", dpi: float = 0) -> None:
    """Displays a figure in a notebook so that caption and alt text survive into the HTML report.

    Args:
        figure: Figure.
        caption: str, what the reader should see in it.
        alt: str, what somebody who cannot see it should know; default: `figure.alt_text`.
        dpi: float, default: the figure's own.
    """
    from IPython.display import display

    alt = alt or getattr(figure, "alt_text", "") or caption
    picture = figure_html(figure, caption, alt, dpi)
    display({"text/html": picture, "text/plain": f"{alt} {caption}"}, raw=True)


def figure_html(figure: Figure, caption: str, alt: str = "", dpi: float = 0) -> str:
    """A figure as `<figure>` with its picture inside (a palette PNG), alt text and caption.

    Args:
        figure: Figure.
        caption: str, plain text.
        alt: str; default: `figure.alt_text`.
        dpi: float, default: the figure's own.

    Returns:
        str, HTML.
    """
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=dpi or figure.dpi)
    image = Image.open(raw).convert("RGB")
    # Lines on paper need few colours: a palette makes the picture about three times smaller.
    image.quantize(128, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    data = base64.b64encode(small.getvalue()).decode()
    alt = html.escape(alt or getattr(figure, "alt_text", "") or caption)
    return (
        f'<figure style="margin:1em 0"><img alt="{alt}" width="{image.width}" '
        f'style="max-width:100%;height:auto" src="data:image/png;base64,{data}">'
        f'<figcaption style="margin-top:.4em">{html.escape(caption)}</figcaption></figure>'
    )


def facts_table(facts, columns: int = 1):
    """Names and values, such as settings or where data come from, as a compact table.

    Args:
        facts: mapping name -> value; empty values ("", None, [], {}) are left out.
        columns: int, pairs side by side.

    Returns:
        HTML, shown by a notebook as a table.
    """
    from IPython.display import HTML

    pairs = [
        (str(name).replace("_", " "), _fact(value))
        for name, value in facts.items()
        if value is not None and not (hasattr(value, "__len__") and not len(value))
    ]
    deep = -(-len(pairs) // columns)
    cell = "text-align:left;vertical-align:top;padding:.25em .9em;overflow-wrap:anywhere"
    rows = [
        "".join(
            f'<th scope="row" style="{cell};white-space:nowrap">{html.escape(name)}</th>'
            f'<td style="{cell}">{html.escape(value)}</td>'
            for name, value in pairs[row::deep]
        )
        for row in range(deep)
    ]
    return HTML(f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")


def styled(table, **formats):
    """A pandas Styler whose cells and names are text and nothing else.

    Names of leads, records and folders come from files: what they hold must never run in a
    browser, and a Styler alone does not escape it.

    Args:
        table: DataFrame.
        **formats: further arguments of `Styler.format`, such as precision.

    Returns:
        pandas Styler.
    """
    style = table.style.format(escape="html", **formats)
    return style.format_index(escape="html").format_index(escape="html", axis=1)


def notes(lines):
    """Sentences as a list, shown by a notebook; markup in them is shown as text.

    Args:
        lines: iterable of str.

    Returns:
        HTML, empty without any.
    """
    from IPython.display import HTML

    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return HTML(f"<ul>{items}</ul>" if items else "")


def measures_table(measures):
    """The table of measures, each beside its yardstick: value, interval, baseline and ratio.

    Args:
        measures: DataFrame, one row a measure (the index names it), columns `value` and any of
            `low`, `high` (confidence interval), `baseline` (real against real), `unit`, `passed`
            (True, False or missing). `ratio` = value / baseline is added where it is missing.

    Returns:
        pandas Styler, shown by a notebook as a table.

    Raises:
        InputError: no column `value`.
    """
    import pandas as pd

    if "value" not in getattr(measures, "columns", ()):
        raise InputError(
            "The table of measures has no values.",
            expected="a DataFrame with a column 'value'",
            got=f"columns {list(getattr(measures, 'columns', []))}",
            fix="give one row a measure, with value, baseline, low and high",
        )
    table = pd.DataFrame(index=measures.index.rename(None))
    table["value"] = measures["value"].map(_number)
    if {"low", "high"} <= set(measures.columns):
        table["95 % interval"] = [
            "" if pd.isna(low) or pd.isna(high) else f"{_number(low)} to {_number(high)}"
            for low, high in zip(measures["low"], measures["high"], strict=True)
        ]
    if "baseline" in measures.columns:
        table["real against real"] = measures["baseline"].map(_number)
        ratio = measures.get("ratio", measures["value"] / measures["baseline"].replace(0, np.nan))
        table["ratio"] = ["" if pd.isna(r) else f"{r:.2f} ×" for r in ratio.astype(float)]
    if "unit" in measures.columns:
        table["unit"] = measures["unit"].fillna("")
    if "passed" in measures.columns:
        # A word and a sign, not a colour alone.
        table["gate"] = [
            "" if pd.isna(passed) else "✓ pass" if passed else "✗ fail"
            for passed in measures["passed"]
        ]
    right = [name for name in table.columns if name not in ("unit", "gate")]
    style = styled(table).set_properties(subset=right, **{"text-align": "right"})
    style = style.set_properties(**{"font-variant-numeric": "tabular-nums", "padding": ".3em .9em"})
    style = style.set_properties(**{"white-space": "nowrap"})
    if "gate" in table.columns:
        fail = "font-weight:bold;color:#d55e00"
        style = style.map(lambda cell: fail if "fail" in cell else "", subset=["gate"])
    heads = "text-align:left;padding:.3em .9em"
    return style.set_table_styles([{"selector": "th", "props": heads}])


@matplotlib.rc_context(STYLE)
def image_grid(
    images, channel: int | str = 0, columns: int = 6, titles=None, time: str = "rows"
) -> Figure:
    """The images a GAN sees or draws, with a colour bar and the direction in which time runs.

    Args:
        images: (batch, height, width, channel) or (batch, height, width), in [-1, 1].
        channel: int, the channel to draw, or "rgb" for the first three as colours.
        columns: int, images side by side.
        titles: one text an image.
        time: "rows" (time runs along a row, then the next row), "columns" or "" (no arrow).

    Returns:
        Figure.

    Raises:
        InputError: another shape, or no such channel.
    """
    images = np.asarray(images, dtype=float)
    images = images[..., None] if images.ndim == 3 else images
    rgb = channel == "rgb"
    known = rgb or (not isinstance(channel, str) and 0 <= channel < images.shape[-1])
    if images.ndim != 4 or not len(images) or not known:
        raise InputError(
            "These images, or this channel of them, cannot be drawn.",
            expected="(batch, height, width, channel) and a channel they have, or 'rgb'",
            got=f"shape {images.shape}, channel {channel!r}",
            fix="choose one of the channels, or add the missing axes",
        )
    if rgb and images.shape[-1] < 3:
        raise InputError("These images have no three channels.", got=images.shape, fix="channel=0")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    cell = 1.75 if columns > 2 else 2.6
    tall = (cell - 0.12) * images.shape[1] / images.shape[2]
    extra, top = (0.3, 0.62) if titles is not None else (0.12, 0.42)
    size = (columns * cell + (0.6 if rgb else 1.4), rows * (tall + extra) + top)
    figure = Figure(figsize=size, dpi=110)
    wide, high = size
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        left, bottom = 0.45 + column * cell, high - top - row * (tall + extra) - tall
        ax = figure.add_axes((left / wide, bottom / high, (cell - 0.12) / wide, tall / high))
        pixels = np.clip((image[..., :3] + 1) / 2, 0, 1) if rgb else image[..., channel]
        shown = ax.imshow(
            pixels, cmap="cividis", vmin=-1, vmax=1, interpolation="nearest", aspect="auto"
        )
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        if titles is not None:
            ax.set_title(titles[index], fontsize=8.5, pad=2)
        if index == 0 and time:
            _time_arrow(ax, time, above=1 + (0.3 if titles is not None else 0.12) / tall)
    if not rgb:
        bar = min(rows * (tall + extra) - extra, 3.0)
        cax = figure.add_axes(
            ((wide - 0.92) / wide, (high - top - bar) / high, 0.13 / wide, bar / high)
        )
        figure.colorbar(shown, cax=cax, ticks=[-1, -0.5, 0, 0.5, 1]).outline.set_visible(False)
        cax.set_ylabel("pixel value", fontsize=9, labelpad=2)
        cax.tick_params(labelsize=8.5)
    what = "as colours" if rgb else f"channel {channel}"
    figure.alt_text = (
        f"{len(images)} images of {images.shape[1]} x {images.shape[2]} pixels, {what}"
        + (f"; time runs along {time}." if time else ".")
    )
    return figure


def _time_arrow(ax, time, above):
    style = {"arrowstyle": "-|>", "color": "#444444", "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    along, then = ("time", "next row") if time == "rows" else ("next column", "time")
    text = {"transform": ax.transAxes, "fontsize": 8.5, "color": "#444444"}
    ax.annotate("", (0.34, above), (0, above), xycoords="axes fraction", arrowprops=style)
    ax.text(0.38, above, along, ha="left", va="center", **text)
    ax.annotate("", (-0.09, 0.66), (-0.09, 1), xycoords="axes fraction", arrowprops=style)
    ax.text(-0.09, 0.62, then, ha="center", va="top", rotation=90, **text)


@matplotlib.rc_context(STYLE)
def time_path(arrangement, title: str = "") -> Figure:
    """The path that time takes through an image: where sample 0, 1, 2 ... of a strip goes.

    Steps to a neighbouring pixel are solid, jumps (the seams) thin and dotted; colour is time.

    Args:
        arrangement: what has `image_shape` and `path() -> (time, 3)` row, column, channel; or the
            order itself, an array (height, width) or (height, width, channel) that holds the
            time index of each pixel, NaN where there is none. Small images (8 x 8) show best.
        title: str.

    Returns:
        Figure, one panel a channel.
    """
    order = _time_order(arrangement)
    height, width, channels = order.shape
    side = 3.0 if channels > 1 else 3.6
    tall, top = side * height / width, 0.65 if title and channels > 1 else 0.4
    figure = Figure(figsize=((side + 0.12) * channels + 0.95, tall + top + 0.35), dpi=110)
    wide, high = figure.get_size_inches()
    last = np.nanmax(order)
    jumps = steps = 0
    for k in range(channels):
        panel = order[..., k]
        left = 0.12 + k * (side + 0.12)
        ax = figure.add_axes((left / wide, 0.35 / high, side / wide, tall / high))
        shown = ax.imshow(panel, cmap="cividis", vmin=0, vmax=last, alpha=0.45, aspect="auto")
        row, column = np.nonzero(np.isfinite(panel))
        sort = np.argsort(panel[row, column], kind="stable")
        points = np.column_stack([column, row])[sort].astype(float)
        segments = np.stack([points[:-1], points[1:]], axis=1)
        near = np.abs(np.diff(points, axis=0)).max(axis=1, initial=0) <= 1
        jumps, steps = jumps + int((~near).sum()), steps + len(near)
        thick = 1.5 if width < 33 else 0.6
        for chosen, style in ((near, "solid"), (~near, ":")):
            ax.add_collection(
                LineCollection(
                    segments[chosen], colors=REAL, linestyles=style, capstyle="round",
                    linewidths=thick if style == "solid" else thick * 0.55,
                )
            )
        index = panel[row, column][sort]
        for at, moment, marker in ((0, np.nanmin(order), "o"), (-1, last, "s")):
            if len(index) and index[at] == moment:
                ax.plot(*points[at], marker, color=REAL, markersize=7 if width < 33 else 4.5)
        if channels > 1:
            name = ("red", "green", "blue")[k] if channels == 3 else f"channel {k}"
            ax.set_title(name, fontsize=9.5, pad=4, loc="left")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    cax = figure.add_axes(((wide - 0.8) / wide, 0.35 / high, 0.12 / wide, tall / high))
    bar = figure.colorbar(shown, cax=cax, ticks=[0, last])
    bar.outline.set_visible(False)
    cax.set_ylabel("time (sample)" if tall > 1.8 else "sample", fontsize=9, labelpad=-8)
    cax.tick_params(labelsize=8.5)
    note = "● start    ■ end    ┄ jump" if jumps else "● start    ■ end"
    figure.text(0.12 / wide, 0.1 / high, note, fontsize=8.5, color="#444444", va="bottom")
    if title:
        figure.text(0.12 / wide, 1 - 0.1 / high, title, fontsize=11, va="top")
    figure.alt_text = (
        f"Path of time through an image of {height} x {width} pixels and {channels} channel(s)"
        f"{': ' + title if title else ''}. {jumps} of {steps} steps jump over pixels."
    )
    return figure


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
            fix="give the arrangement itself, or the time index of each pixel",
        )
    return order


def _fact(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_fact(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_fact, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _number(value) -> str:
    if value is None or value != value:
        return ""
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"
