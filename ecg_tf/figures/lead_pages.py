"""ECGs of six leads and more as pages of ECG paper, twelve leads in the usual 3 x 4 layout.

25 mm/s and 10 mm/mV; where leads are so tall that their rows would lie apart too far, 5 or
2.5 mm/mV, as recorders do: the calibration pulse of 1 mV shows it, and the note below says it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.page_layout import (
    cells_of,
    grid_of,
    name_bins,
    name_height,
    short_name,
    skyline,
    trace_of,
)
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

MANY_LEADS = 6  # so many are shown as a page
GAINS = (10.0, 5.0, 2.5)  # mm/mV
FARTHEST = 4.0  # cm from row to row at most
NEAREST = 2.0  # cm, at least
CLEAR = 0.15  # cm of paper between the traces of two rows


@in_style
def lead_pages(signals, fs: float, leads: Sequence[str], titles: Sequence[str] | None = None,
               columns: int = 1, real: bool | Sequence[bool] | None = True,
               max_width: float = 12.5) -> Figure:
    """ECGs as pages in a grid, all with one gain: rows of leads, and a rhythm strip of lead II.

    Twelve leads stand as I aVR V1 V4 / II aVL V2 V5 / III aVF V3 V6, 2.5 s each, one after the
    other. Other sets stand column by column: six leads in 2 columns of 3, eight in 2 of 4.

    Args:
        signals: (strip, time, lead) or a list of (time, lead) of any lengths, mV; each lead is
            centred on its own median, NaN is left out. Strips longer than 10 s show their first
            10 s, and their rhythm strip, up to a minute, in rows of 10 s; of strips shorter than
            6 s all leads are shown from the beginning.
        fs: float, Hz.
        leads: names, six or more, in any order and case.
        titles: one text a strip; none by default.
        columns: int, pages side by side.
        real: True, False (synthetic) or None (unmarked), for all strips or one each.
        max_width: float, inches; wider paper is shrunk, and the figure says by how much.

    Returns:
        Figure with `alt_text`.

    Raises:
        InputError: no strips, fewer than six leads, or titles or marks that do not match.

    Example:
        >>> leads = ["I", "II", "III", "aVR", "aVL", "aVF"]
        >>> figure = lead_pages(np.zeros((3, 1000, 6)), 100, leads, columns=3, real=False)
    """
    strips = _checked(signals, leads)
    count = len(strips)
    marks, titles = per_strip("real", real, count), per_strip("titles", titles, count)
    columns = max(1, min(int(columns), count))
    across = 25 * (LEAD_IN + max(cells_of(leads, len(strip) / fs)[1] for strip in strips))
    sheet = Sheet(across, columns, max_width, foot=8)
    pages = [_Page(strip, fs, tuple(leads), mark, sheet.scale)
             for strip, mark in zip(strips, marks, strict=True)]
    space = _space_for(pages)
    tall = 10 * (space.above + space.below + space.apart * (max(page.rows for page in pages) - 1))
    figure = sheet.start(math.ceil(count / columns), tall, space.gain)
    for index, page in enumerate(pages):
        ax = sheet.field(*divmod(index, columns))
        draw_grid(ax, across / 25 - LEAD_IN, space.above - tall / 10, space.above,
                  sheet.scale > 0.5)
        ax.set_xticks([])
        label(ax, marks[index], titles[index] or "")
        warn(ax, page.draw(ax, space))
    figure.alt_text = _describe(pages, marks, space.gain)
    return figure


@dataclass(frozen=True)
class _Space:
    """What all pages of a figure have in common, in cm of paper but for the gain in mm/mV."""

    gain: float
    apart: float  # from row to row
    above: float  # the first row
    below: float  # the last row


class _Page:
    """One strip: where its leads stand, how much space they need, and how they are plotted."""

    def __init__(self, strip: np.ndarray, fs: float, leads: tuple[str, ...], mark, scale: float):
        self.fs, self.leads, self.mark, self.scale = fs, leads, mark, scale
        self.seconds = len(strip) / fs
        self.signal = strip - np.nanmedian(strip, axis=0)
        self.cells, self.page = cells_of(leads, self.seconds)
        self.rows = max(cell.row for cell in self.cells) + 1
        self.points = max(5.5, 9 * min(1.0, 0.3 + 0.7 * scale))  # size of the leads' names
        self.letter_cm = 0.0353 * self.points / scale

    @cached_property
    def tame(self) -> np.ndarray:
        """The signal without what lies far outside the usual range of its lead, such as spikes."""
        low, high = np.nanquantile(self.signal, [0.005, 0.995], axis=0)
        spare = high - low + 0.5
        far = (self.signal < low - spare) | (self.signal > high + spare)
        return np.where(far, np.nan, self.signal)

    def reach(self, gain: float, signal: np.ndarray) -> np.ndarray:
        """(2, row, piece) cm up and down; see `skyline`."""
        mv = 10 / gain
        return skyline(self.cells, signal, self.fs, self.page, 0.62 * self.letter_cm / 2.5,
                       1.2 * self.letter_cm * mv) / mv

    def space(self, gain: float, signal: np.ndarray) -> tuple[float, float, float]:
        """cm needed between rows, above the first and below the last."""
        up, down = self.reach(gain, signal)
        between = (down[:-1] + up[1:]).max(initial=0) + CLEAR
        return float(between), float(up[0].max()) + CLEAR, float(down[-1].max()) + CLEAR

    def fitting(self, space: _Space) -> np.ndarray:
        """The signal, as much of it as there is space for; the rest is NaN."""
        limits = np.array([space.apart, space.above, space.below]) + 1e-9
        for signal in (self.signal, self.tame):
            if (np.array(self.space(space.gain, signal)) <= limits).all():
                return signal
        half = (space.apart - CLEAR) / 2 * 10 / space.gain
        up = max(half - 1.2 * self.letter_cm * 10 / space.gain, half / 2)
        return np.where((self.signal > up) | (self.signal < -half), np.nan, self.signal)

    def draw(self, ax, space: _Space) -> str:
        """Plots all leads with their names; returns notes on them."""
        signal, cm = self.fitting(space), space.gain / 10
        up = self.reach(space.gain, signal)[0]
        plain = up - 1.2 * self.letter_cm  # names stand on the traces, not on themselves
        gone = set()
        for cell in self.cells:
            t, values = trace_of(cell, signal, self.fs)
            base = -cell.row * space.apart
            if cell.at == 0:
                draw_pulse(ax, self.mark, self.scale, base, cm)
            else:
                ax.plot([cell.at] * 2, [base - 0.3, base + 0.3], color="#777777", linewidth=0.8)
            draw_trace(ax, t, base + cm * values, self.mark, self.scale)
            if np.isfinite(trace_of(cell, self.signal, self.fs)[1][~np.isfinite(values)]).any():
                gone.add(cell.lead)
            under = name_bins(cell, 0.62 * self.letter_cm / 2.5)
            ax.text(cell.at + 0.05, base + name_height(plain[cell.row], under) + 0.05, cell.name,
                    fontsize=self.points, color="#222222", va="bottom", parse_math=False,
                    fontweight="bold")
        return _leaving(self.signal, sorted(gone), self.leads)


def _space_for(pages: list[_Page]) -> _Space:
    """The largest gain at which most pages fit; what sticks out of the others is left out."""
    for gain in GAINS:
        for tame in (False, True):
            rooms = np.array([page.space(gain, page.tame if tame else page.signal)
                              for page in pages])
            fits = (rooms <= FARTHEST).all(axis=1)
            if fits.mean() >= 0.75:
                # Whole large boxes: baselines lie on lines.
                apart, above, below = np.ceil(rooms[fits].max(axis=0) / 0.5 - 1e-9) * 0.5
                return _Space(gain, max(NEAREST, float(apart)), max(1.5, float(above)),
                              max(1.0, float(below)))
    return _Space(GAINS[-1], FARTHEST, FARTHEST / 2, FARTHEST / 2)


def _leaving(signal, gone, leads) -> str:
    found = [f"{short_name(leads[k])} {np.nanmin(signal[:, k]):.1f} to "
             f"{np.nanmax(signal[:, k]):.1f} mV" for k in gone]
    more = f", and {len(found) - 2} more leads" if len(found) > 3 else ""
    return f"leaves the paper: {', '.join(found[:2 if more else 3])}{more}" if found else ""


def _checked(signals, leads) -> list[np.ndarray]:
    """Strips (time, lead) without their padding at the end."""
    if not isinstance(signals, list | tuple):
        signals = np.asarray(signals, float)
        signals = [signals] if signals.ndim == 2 else list(signals)
    strips = [np.asarray(strip, float) for strip in signals]
    good = len(leads) >= MANY_LEADS and strips and all(
        strip.ndim == 2 and strip.shape[1] == len(leads)
        # A lead without any sample has no median; it is no ECG of these leads.
        and np.isfinite(strip).any(axis=0).all() for strip in strips)
    if not good:
        raise InputError(
            "These signals cannot be plotted as pages.",
            expected=f"(strip, time, {len(leads)}) in mV for {len(leads)} leads, {MANY_LEADS} or "
            "more, finite values in each", got=f"shapes {[strip.shape for strip in strips][:3]}",
            fix="name each lead of the signals, or plot one of them with ecg_paper(lead=0)")
    return [strip[: np.flatnonzero(np.isfinite(strip).any(axis=1))[-1] + 1] for strip in strips]


def _describe(pages: list[_Page], marks, gain: float) -> str:
    first, signals = pages[0], [page.signal for page in pages]
    rows = [" ".join(short_name(first.leads[k]) for k in row) for row in grid_of(first.leads)]
    return (
        f"ECG paper, 25 mm/s and {gain:g} mm/mV, with {described(marks, 'ECG')} of "
        f"{len(first.leads)} leads, {np.median([page.seconds for page in pages]):.1f} s: "
        f"{' / '.join(rows)}, {first.cells[0].seconds:g} s each, and a rhythm strip of lead "
        f"{first.cells[-1].name.split(',')[0]}; {min(map(np.nanmin, signals)):.1f} to "
        f"{max(map(np.nanmax, signals)):.1f} mV from the middle of each lead."
    )
