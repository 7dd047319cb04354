"""ECGs as a cardiologist expects them: on paper, to scale, real and synthetic told apart.

25 mm/s and 10 mm/mV: a small box is 0.04 s x 0.1 mV (1 mm), a large one 0.2 s x 0.5 mV (5 mm).
Boxes stay square at every size. Real ECGs are black, solid lines, synthetic ones blue and dashed,
and each says in words which it is.
"""

import math
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.lead_pages import MANY_LEADS, lead_pages
from ecg_tf.figures.paper import (
    DPI,
    LARGE_BOX,
    LEAD_IN,
    PAPER,
    REAL,
    SMALL_BOX,
    STYLE,
    SYNTHETIC,
    SYNTHETIC_DASH,
    box_note,
    draw_grid,
    draw_pulse,
    draw_trace,
    label,
    shrink_to,
    warn,
)

__all__ = [
    "DPI", "LARGE_BOX", "PAPER", "REAL", "SMALL_BOX", "STYLE", "SYNTHETIC", "SYNTHETIC_DASH",
    "as_strips", "ecg_paper", "real_beside_synthetic",
]
_TALLEST = 6.0  # mV of paper at most: a trace that leaves it says so


@matplotlib.rc_context(STYLE)
def ecg_paper(
    signals,
    fs: float,
    titles: Sequence[str] | None = None,
    columns: int = 1,
    real: bool | Sequence[bool] | None = True,
    lead: int = 0,
    max_width: float = 12.5,
    leads: Sequence[str] = (),
) -> Figure:
    """ECGs on ECG paper, 25 mm/s and 10 mm/mV, many strips in a grid, one voltage range for all.

    Args:
        signals: array (time,), (strip, time) or (strip, time, lead), or a list of (time,) of
            different lengths, mV. NaN (the padding of short windows) is not drawn.
        fs: float, Hz.
        titles: one text a strip, such as its record's name; none by default.
        columns: int, strips side by side.
        real: True (real), False (synthetic) or None (unmarked), for all strips or one each.
        lead: int, which lead of (strip, time, lead).
        max_width: float, inches. Paper that would be wider is shrunk, its boxes still square, and
            the figure says by how much.
        leads: names of all leads of (strip, time, lead), to draw them below each other, six or
            more as a page of `lead_pages`; default none, `lead` alone is drawn.

    Returns:
        Figure.

    Raises:
        InputError: nothing to draw, or titles or marks that do not match the strips.

    Example:
        >>> figure = ecg_paper(np.zeros((4, 720)), fs=360, columns=2, real=[True, False] * 2)
    """
    if len(leads) >= MANY_LEADS:
        return lead_pages(signals, fs, leads, titles, columns, real, max_width)
    views = [as_strips(signals, k) for k in (range(len(leads)) if len(leads) > 1 else [lead])]
    count, deep = len(views[0]), len(views)
    marks = [real] * count if real is None or isinstance(real, bool | np.bool_) else list(real)
    for name, given in (("titles", titles), ("real", marks)):
        if given is not None and len(given) != count:
            raise InputError(
                f"'{name}' does not match the strips.",
                expected=f"{count}, one a strip",
                got=f"{len(given)}",
                fix=f"give one entry of '{name}' for each strip",
            )
    columns = max(1, min(int(columns), count))
    rows = math.ceil(count / columns) * deep
    strips = [view[index] for index in range(count) for view in views]
    seconds = math.ceil(max(len(strip) for strip in strips) / fs / 0.2 - 1e-6) * 0.2
    low, high = _voltage_range(strips)

    # Everything is laid out in millimetres of paper; `scale` says how large one is drawn.
    across, tall = 25 * (LEAD_IN + seconds), 10 * (high - low)
    gap, head, foot = 6, 7, 12
    width = columns * across + (columns - 1) * gap + 8
    scale = shrink_to(width, max_width)
    if scale < 1:  # text keeps its size, so it needs more millimetres
        head, foot = math.ceil(head / scale), math.ceil(foot / scale)
    height = rows * (tall + head) + foot
    figure = Figure(figsize=(width * scale / 25.4, height * scale / 25.4), dpi=DPI)
    for place, strip in enumerate(strips):
        index, view = divmod(place, deep)
        row, column = divmod(index, columns)
        row = row * deep + view
        left, bottom = 4 + column * (across + gap), height - (row + 1) * (tall + head)
        ax = figure.add_axes((left / width, bottom / height, across / width, tall / height))
        draw_grid(ax, seconds, low, high, small=scale > 0.5)
        draw_pulse(ax, marks[index], scale)
        draw_trace(ax, np.arange(len(strip)) / fs, strip, marks[index], scale)
        last = index + columns >= count and view == deep - 1
        title = [titles[index]] if titles is not None and titles[index] else []
        title += [leads[view]] if deep > 1 else []
        _label_strip(ax, ", ".join(title), marks[index], last, scale)
    figure.text(4 / width, 1.5 / height, box_note(scale), fontsize=8.5, color="#555555",
                va="bottom")
    figure.alt_text = _describe(strips, fs, marks)
    if deep > 1:
        figure.alt_text += f" Each in the leads {', '.join(leads)}, below each other."
    return figure


def real_beside_synthetic(
    real, synthetic, fs: float, n: int = 4, lead: int = 0, titles: Sequence[str] | None = None,
    leads: Sequence[str] = (),
) -> Figure:
    """Real ECGs in the left column, synthetic ones in the right, on the same paper.

    The strips face each other only to be compared: a synthetic ECG is nobody's counterpart.

    Args:
        real: (window, time, lead) or (window, time), mV.
        synthetic: the same, mV.
        fs: float, Hz, of both.
        n: int, rows; fewer where there are fewer windows.
        lead: int, which lead.
        titles: one text a real strip, such as its record's name.
        leads: names of all leads, to draw them below each other; default none, `lead` alone.

    Returns:
        Figure.
    """
    if len(leads) > 1:
        left, right = list(real), list(synthetic)
    else:
        left, right = as_strips(real, lead), as_strips(synthetic, lead)
    n = max(1, min(int(n), len(left), len(right)))
    strips = [strip for pair in zip(left[:n], right[:n], strict=True) for strip in pair]
    names = None
    if titles is not None:
        names = [text for title in list(titles)[:n] for text in (title, "")]
    figure = ecg_paper(strips, fs, titles=names, columns=2, real=[True, False] * n, leads=leads)
    about = f"{n} real ECGs (left, black) beside {n} synthetic ones (right, blue dashed). "
    figure.alt_text = about + figure.alt_text
    return figure


def as_strips(signals, lead: int = 0) -> list[np.ndarray]:
    """Signals of any accepted shape as a list of (time,) float arrays without padding at the end.

    Args:
        signals: (time,), (strip, time), (strip, time, lead) or a list of (time,), mV.
        lead: int, which lead of (strip, time, lead).

    Returns:
        list of arrays (time,).

    Raises:
        InputError: another shape, no such lead, or nothing at all.
    """
    if isinstance(signals, list | tuple) and len(signals) and np.ndim(signals[0]) >= 1:
        arrays = [np.asarray(signal, dtype=float) for signal in signals]
    else:
        array = np.asarray(signals, dtype=float)
        arrays = [array] if array.ndim == 1 else list(array) if array.ndim in (2, 3) else []
    if any(array.ndim == 2 and not 0 <= lead < array.shape[1] for array in arrays):
        raise InputError(
            "There is no such lead.",
            expected=f"0 to {arrays[0].shape[1] - 1}",
            got=lead,
            fix="choose another lead",
        )
    arrays = [array[:, lead] if array.ndim == 2 else array for array in arrays]
    if not arrays or any(array.ndim != 1 or not np.isfinite(array).any() for array in arrays):
        raise InputError(
            "These signals cannot be drawn.",
            expected="(time,), (strip, time) or (strip, time, lead) in mV, finite values in each",
            got=f"shapes {[array.shape for array in arrays]}" if arrays else np.shape(signals),
            fix="give at least one strip that holds a signal",
        )
    return [array[: np.flatnonzero(np.isfinite(array))[-1] + 1] for array in arrays]


def _voltage_range(strips) -> tuple[float, float]:
    low = min(np.nanmin(strip) for strip in strips)
    high = max(np.nanmax(strip) for strip in strips)
    if max(high, 1.0) - min(low, 0.0) > _TALLEST:  # an outlier must not squeeze all others
        low = np.median([np.nanpercentile(strip, 1) for strip in strips])
        high = np.median([np.nanpercentile(strip, 99.5) for strip in strips]) + 0.5
        low, high = max(low, -_TALLEST / 2), min(high, _TALLEST / 2)
    # Whole large boxes, a little air, and always room for the 1 mV calibration pulse.
    low = math.floor((min(low, -0.3) - 0.1) / 0.5) * 0.5
    high = math.ceil((max(high, 1.0) + 0.1) / 0.5) * 0.5
    return low, high


def _label_strip(ax, title, mark, last, scale):
    low, high = ax.get_ylim()
    strip = ax.lines[-1].get_ydata()
    outside = np.nanmin(strip) < low or np.nanmax(strip) > high
    label(ax, mark, title)
    if outside:
        warn(ax, f"leaves the paper: {np.nanmin(strip):.1f} to {np.nanmax(strip):.1f} mV")
    step = 1 if ax.get_xlim()[1] * scale <= 12 else 5
    ticks = np.arange(0, ax.get_xlim()[1] - 0.02 * step, step)  # none at the very edge
    ax.set_xticks(ticks, [f"{t:g} s" for t in ticks] if last else [""] * len(ticks))
    ax.tick_params(axis="x", length=3 if last else 0, labelsize=8.5, color="#8a8a8a", pad=2)


def _describe(strips, fs, marks) -> str:
    seconds = np.median([len(strip) for strip in strips]) / fs
    low = min(np.nanmin(strip) for strip in strips)
    high = max(np.nanmax(strip) for strip in strips)
    kinds = [
        f"{marks.count(kind)} {word}" for kind, word in ((True, "real"), (False, "synthetic"))
        if marks.count(kind)
    ]
    what = " and ".join(kinds) if kinds else str(len(strips))
    return (
        f"ECG paper, 25 mm/s and 10 mm/mV, with {what} {'strip' if len(strips) == 1 else 'strips'} "
        f"of {seconds:.1f} s between {low:.1f} and {high:.1f} mV."
    )
