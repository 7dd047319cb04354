"""ECGs as a cardiologist expects them: on paper, to scale; real and synthetic look different.

25 mm/s and 10 mm/mV, and boxes stay square at every size. Each strip says whether it is real.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.lead_pages import MANY_LEADS, lead_pages
from ecg_tf.figures.paper import (
    LEAD_IN,
    Sheet,
    described,
    draw_grid,
    draw_pulse,
    draw_trace,
    label,
    per_strip,
    warn,
)
from ecg_tf.figures.style import in_style

_TALLEST = 6.0  # mV of paper at most: a trace that leaves it says so


@in_style
def ecg_paper(signals, fs: float, titles: Sequence[str] | None = None, columns: int = 1,
              real: bool | Sequence[bool] | None = True, lead: int = 0, max_width: float = 12.5,
              leads: Sequence[str] = ()) -> Figure:
    """ECGs on ECG paper, 25 mm/s and 10 mm/mV, many strips in a grid, one voltage range for all.

    Args:
        signals: array (time,), (strip, time) or (strip, time, lead), or a list of (time,) of
            different lengths, mV. NaN (the padding of short windows) is left out.
        fs: float, Hz.
        titles: one text a strip, such as its record's name; none by default.
        columns: int, strips side by side.
        real: True (real), False (synthetic) or None (unmarked), for all strips or one each.
        lead: int, which lead of (strip, time, lead).
        max_width: float, inches. Wider paper is shrunk, and the figure says by how much.
        leads: names of all leads of (strip, time, lead), to show them below each other, six or
            more as pages (see `lead_pages`); default none, `lead` alone.

    Returns:
        Figure with `alt_text`.

    Raises:
        InputError: nothing to plot, or titles or marks that do not match the strips.

    Example:
        >>> figure = ecg_paper(np.zeros((4, 720)), fs=360, columns=2, real=[True, False] * 2)
    """
    if len(leads) >= MANY_LEADS:
        return lead_pages(signals, fs, leads, titles, columns, real, max_width)
    views = [as_strips(signals, k) for k in (range(len(leads)) if len(leads) > 1 else [lead])]
    count, deep = len(views[0]), len(views)
    marks, titles = per_strip("real", real, count), per_strip("titles", titles, count)
    columns = max(1, min(int(columns), count))
    strips = [strip for view in views for strip in view]
    seconds = math.ceil(max(map(len, strips)) / fs / 0.2 - 1e-6) * 0.2
    low, high = _voltage_range(strips)
    sheet = Sheet(25 * (LEAD_IN + seconds), columns, max_width, foot=12)
    figure = sheet.start(math.ceil(count / columns) * deep, 10 * (high - low))
    for index in range(count):
        row, column = divmod(index, columns)
        for k, view in enumerate(views):
            ax = sheet.field(row * deep + k, column)
            draw_grid(ax, seconds, low, high, small=sheet.scale > 0.5)
            draw_pulse(ax, marks[index], sheet.scale)
            strip = view[index]
            draw_trace(ax, np.arange(len(strip)) / fs, strip, marks[index], sheet.scale)
            words = [titles[index] or "", leads[k] if deep > 1 else ""]
            label(ax, marks[index], ", ".join(filter(None, words)))
            warn(ax, _leaving(strip, low, high))
            _time_axis(ax, sheet.scale, index + columns >= count and k == deep - 1)
    figure.alt_text = (
        f"ECG paper, 25 mm/s and 10 mm/mV, with {described(marks, 'strip')} of "
        f"{np.median([len(strip) for strip in strips]) / fs:.1f} s between "
        f"{min(map(np.nanmin, strips)):.1f} and {max(map(np.nanmax, strips)):.1f} mV."
        + (f" Each in the leads {', '.join(leads)}, below each other." if deep > 1 else ""))
    return figure


def real_beside_synthetic(real, synthetic, fs: float, n: int = 4, lead: int = 0,
                          titles: Sequence[str] | None = None, leads: Sequence[str] = ()) -> Figure:
    """Real ECGs in the left column, synthetic ones in the right, on the same paper.

    The strips face each other only to be compared: a synthetic ECG has no real counterpart.

    Args:
        real: (window, time, lead) or (window, time), mV.
        synthetic: the same, mV.
        fs: float, Hz, of both.
        n: int, rows; fewer where there are fewer windows.
        lead: int, which lead.
        titles: one text a real strip, such as its record's name.
        leads: names of all leads, to show them below each other; default none, `lead` alone.
    """
    sides = [list(side) if len(leads) > 1 else as_strips(side, lead) for side in (real, synthetic)]
    n = max(1, min(int(n), *map(len, sides)))
    strips = [strip for pair in zip(*sides, strict=False) for strip in pair][: 2 * n]
    names = None if titles is None else [text for title in titles[:n] for text in (title, "")]
    figure = ecg_paper(strips, fs, titles=names, columns=2, real=[True, False] * n, leads=leads)
    figure.alt_text = (f"{n} real ECGs (left, black) beside {n} synthetic ones (right, blue "
                       f"dashed). {figure.alt_text}")
    return figure


def as_strips(signals, lead: int = 0) -> list[np.ndarray]:
    """Signals, (time,), (strip, time), (strip, time, lead) or a list of (time,), mV, as a list of
    (time,) float arrays without padding at the end. InputError: another shape, no such lead, or
    nothing at all."""
    if not isinstance(signals, list | tuple) or not len(signals) or np.ndim(signals[0]) == 0:
        array = np.asarray(signals, dtype=float)
        signals = [array] if array.ndim == 1 else array if array.ndim in (2, 3) else []
    arrays = [np.asarray(signal, dtype=float) for signal in signals]
    if any(array.ndim == 2 and not 0 <= lead < array.shape[1] for array in arrays):
        raise InputError("There is no such lead.", expected=f"0 to {arrays[0].shape[1] - 1}",
                         got=lead, fix="choose another lead")
    arrays = [array[:, lead] if array.ndim == 2 else array for array in arrays]
    if not arrays or any(array.ndim != 1 or not np.isfinite(array).any() for array in arrays):
        raise InputError(
            "These signals cannot be plotted.",
            expected="(time,), (strip, time) or (strip, time, lead) in mV, finite values in each",
            got=f"shapes {[array.shape for array in arrays]}" if arrays else np.shape(signals),
            fix="give at least one strip that holds a signal")
    return [array[: np.flatnonzero(np.isfinite(array))[-1] + 1] for array in arrays]


def _voltage_range(strips) -> tuple[float, float]:
    low, high = min(map(np.nanmin, strips)), max(map(np.nanmax, strips))
    if max(high, 1.0) - min(low, 0.0) > _TALLEST:  # an outlier must not squeeze all others
        low = np.median([np.nanpercentile(strip, 1) for strip in strips])
        high = np.median([np.nanpercentile(strip, 99.5) for strip in strips]) + 0.5
        low, high = max(low, -_TALLEST / 2), min(high, _TALLEST / 2)
    # Whole large boxes, a little air, and always space for the 1 mV calibration pulse.
    return (math.floor((min(low, -0.3) - 0.1) / 0.5) * 0.5,
            math.ceil((max(high, 1.0) + 0.1) / 0.5) * 0.5)


def _leaving(strip, low, high) -> str:
    least, most = np.nanmin(strip), np.nanmax(strip)
    inside = least >= low and most <= high
    return "" if inside else f"leaves the paper: {least:.1f} to {most:.1f} mV"


def _time_axis(ax, scale, last):
    step = 1 if ax.get_xlim()[1] * scale <= 12 else 5
    ticks = np.arange(0, ax.get_xlim()[1] - 0.02 * step, step)  # none at the very edge
    ax.set_xticks(ticks, [f"{t:g} s" for t in ticks] if last else [""] * len(ticks))
    ax.tick_params(axis="x", length=3 if last else 0, labelsize=8.5, color="#8a8a8a", pad=2)
