"""ECGs of six leads and more as pages of ECG paper, twelve leads in the usual 3 x 4 layout.

25 mm/s and 10 mm/mV; where leads are so tall that their rows would lie apart too far, 5 or
2.5 mm/mV, as recorders do: the calibration pulse of 1 mV shows it, and the note below says it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import matplotlib
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
    DPI,
    LEAD_IN,
    STYLE,
    box_note,
    draw_grid,
    draw_pulse,
    draw_trace,
    label,
    shrink_to,
    warn,
)

MANY_LEADS = 6  # so many are shown as a page
GAINS = (10.0, 5.0, 2.5)  # mm/mV
FARTHEST = 4.0  # cm from row to row at most
NEAREST = 2.0  # cm, at least
GAP = 0.15  # cm of paper between the traces of two rows


def twelve_lead_paper(signal, fs: float, leads: Sequence[str], title: str = "",
                      real: bool | None = True, max_width: float = 12.5) -> Figure:
    """One ECG of twelve leads as a page: three rows of four leads, and a rhythm strip of lead II.

    I aVR V1 V4 / II aVL V2 V5 / III aVF V3 V6, 2.5 s each, one after the other. Other sets of six
    leads and more stand column by column: six leads in 2 columns of 3, eight in 2 of 4.

    Args:
        signal: (time, lead) mV; each lead is drawn about its own median. NaN is not drawn.
        fs: float, Hz.
        leads: names, in any order and case.
        title: such as the record's name.
        real: True (real), False (synthetic) or None (unmarked).
        max_width: float, inches; wider paper is shrunk, and the figure says by how much.

    Returns:
        Figure with `alt_text`.

    Raises:
        InputError: fewer than six leads, or a signal that does not fit them.

    Example:
        >>> leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
        >>> figure = twelve_lead_paper(np.zeros((1000, 12)), 100, leads, "00001_lr")
    """
    return lead_pages([signal], fs, leads, [title], 1, real, max_width)


@matplotlib.rc_context(STYLE)
def lead_pages(signals, fs: float, leads: Sequence[str], titles: Sequence[str] | None = None,
               columns: int = 1, real: bool | Sequence[bool] | None = True,
               max_width: float = 12.5) -> Figure:
    """Pages as `twelve_lead_paper` draws them, many in a grid, all with one gain.

    Args:
        signals: (strip, time, lead) or a list of (time, lead) of any lengths, mV. Strips longer
            than 10 s show their first 10 s, and their rhythm strip, up to a minute, in rows of
            10 s; of strips shorter than 6 s all leads are shown from the beginning.
        fs: float, Hz.
        leads: names, six or more.
        titles: one text a strip; none by default.
        columns: int, pages side by side.
        real: True, False (synthetic) or None (unmarked), for all strips or one each.
        max_width: float, inches.

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
    marks = [real] * count if real is None or isinstance(real, bool | np.bool_) else list(real)
    titles = [""] * count if titles is None else list(titles)
    for name, given in (("titles", titles), ("real", marks)):
        if len(given) != count:
            raise InputError(f"'{name}' does not match the strips.", got=f"{len(given)}",
                             expected=f"{count}, one a strip",
                             fix=f"give one entry of '{name}' for each strip")
    columns = max(1, min(int(columns), count))
    across = 25 * (LEAD_IN + max(cells_of(leads, len(one) / fs)[1] for one in strips))
    gap, head, foot = 6.0, 7.0, 8.0
    width = columns * across + (columns - 1) * gap + 8
    scale = shrink_to(width, max_width)
    head, foot = math.ceil(head / scale), math.ceil(foot / scale)  # text keeps its size
    pages = [_Page(one, fs, tuple(leads), mark, scale)
             for one, mark in zip(strips, marks, strict=True)]
    sheet = _sheet_of(pages)
    tall = 10 * (sheet.above + sheet.below + sheet.apart * (max(one.rows for one in pages) - 1))
    height = math.ceil(count / columns) * (tall + head) + foot
    figure = Figure(figsize=(width * scale / 25.4, height * scale / 25.4), dpi=DPI)
    for index, page in enumerate(pages):
        row, column = divmod(index, columns)
        left, bottom = 4 + column * (across + gap), height - (row + 1) * (tall + head)
        ax = figure.add_axes((left / width, bottom / height, across / width, tall / height))
        draw_grid(ax, across / 25 - LEAD_IN, -tall / 10 + sheet.above, sheet.above, scale > 0.5)
        ax.set_xticks([])
        label(ax, marks[index], titles[index])
        warn(ax, page.draw(ax, sheet))
    figure.text(4 / width, 1.5 / height, box_note(scale, sheet.gain), fontsize=8.5,
                color="#555555", va="bottom")
    figure.alt_text = _describe(pages, marks, sheet.gain)
    return figure


@dataclass(frozen=True)
class _Sheet:
    """What all pages of a figure have in common, in cm of paper but for the gain in mm/mV."""

    gain: float
    apart: float  # from row to row
    above: float  # the first row
    below: float  # the last row


class _Page:
    """One strip: where its leads stand, how much room they need, and how they are drawn."""

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

    def room(self, gain: float, signal: np.ndarray) -> tuple[float, float, float]:
        """cm needed between rows, above the first and below the last."""
        up, down = self.reach(gain, signal)
        between = (down[:-1] + up[1:]).max(initial=0) + GAP
        return float(between), float(up[0].max()) + GAP, float(down[-1].max()) + GAP

    def fitting(self, sheet: _Sheet) -> np.ndarray:
        """The signal, as much of it as the sheet has room for; the rest is NaN."""
        limits = np.array([sheet.apart, sheet.above, sheet.below]) + 1e-9
        for signal in (self.signal, self.tame):
            if (np.array(self.room(sheet.gain, signal)) <= limits).all():
                return signal
        half = (sheet.apart - GAP) / 2 * 10 / sheet.gain
        up = max(half - 1.2 * self.letter_cm * 10 / sheet.gain, half / 2)
        return np.where((self.signal > up) | (self.signal < -half), np.nan, self.signal)

    def draw(self, ax, sheet: _Sheet) -> str:
        """Draws all leads with their names; returns what has to be said about them."""
        signal, cm = self.fitting(sheet), sheet.gain / 10
        up = self.reach(sheet.gain, signal)[0]
        plain = up - 1.2 * self.letter_cm  # names stand on the traces, not on themselves
        gone = set()
        for cell in self.cells:
            t, values = trace_of(cell, signal, self.fs)
            base = -cell.row * sheet.apart
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


def _sheet_of(pages: list[_Page]) -> _Sheet:
    """The largest gain at which most pages fit; what sticks out of the others is left out."""
    for gain in GAINS:
        for tame in (False, True):
            rooms = np.array([one.room(gain, one.tame if tame else one.signal) for one in pages])
            fits = (rooms <= FARTHEST).all(axis=1)
            if fits.mean() >= 0.75:
                # Whole large boxes: baselines lie on lines.
                apart, above, below = np.ceil(rooms[fits].max(axis=0) / 0.5 - 1e-9) * 0.5
                return _Sheet(gain, max(NEAREST, float(apart)), max(1.5, float(above)),
                              max(1.0, float(below)))
    return _Sheet(GAINS[-1], FARTHEST, FARTHEST / 2, FARTHEST / 2)


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
    strips = [np.asarray(one, float) for one in signals]
    good = strips and all(one.ndim == 2 and one.shape[1] == len(leads) for one in strips)
    finite = [np.flatnonzero(np.isfinite(one).any(axis=1)) for one in strips] if good else []
    # A lead without any sample has no median; it is no ECG of these leads.
    good = good and all(np.isfinite(one).any(axis=0).all() for one in strips)
    if not good or len(leads) < MANY_LEADS:
        raise InputError(
            "These signals cannot be drawn as pages.",
            expected=f"(strip, time, {len(leads)}) in mV for {len(leads)} leads, {MANY_LEADS} or "
            "more, finite values in each", got=f"shapes {[one.shape for one in strips][:3]}",
            fix="name each lead of the signals, or draw one of them with ecg_paper(lead=0)",
        )
    return [one[: at[-1] + 1] for one, at in zip(strips, finite, strict=True)]


def _describe(pages: list[_Page], marks, gain: float) -> str:
    kinds = [f"{marks.count(kind)} {word}" for kind, word in ((True, "real"), (False, "synthetic"))
             if marks.count(kind)]
    what = " and ".join(kinds) if kinds else str(len(pages))
    first, signals = pages[0], [one.signal for one in pages]
    grid = grid_of(first.leads)
    rhythm = first.cells[-1].name.split(",")[0]
    low, high = min(map(np.nanmin, signals)), max(map(np.nanmax, signals))
    return (
        f"ECG paper, 25 mm/s and {gain:g} mm/mV, with {what} "
        f"{'ECG' if len(pages) == 1 else 'ECGs'} of {len(first.leads)} leads, "
        f"{np.median([one.seconds for one in pages]):.1f} s: "
        f"{' / '.join(' '.join(short_name(first.leads[k]) for k in row) for row in grid)}, "
        f"{first.cells[0].seconds:g} s each, and a rhythm strip of lead {rhythm}; "
        f"{low:.1f} to {high:.1f} mV from the middle of each lead."
    )
