"""Where the leads of an ECG of many leads stand on a page, and how far apart its rows are."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecg_tf.figures.paper import LEAD_IN
from ecg_tf.signals.limb_leads import limb_lead

STANDARD = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
PAGE_S = 10.0  # s of paper a page is wide at most
SHORTEST_S = 6.0  # a shorter strip shows all leads from its beginning: else a cell held no beat
RHYTHM_ROWS = 6  # a minute of the rhythm strip
BIN_S = 0.1  # s: rows are kept apart in every such piece of the page


@dataclass(frozen=True)
class Cell:
    """A piece of a lead on the page."""

    lead: int  # its place in the signal
    row: int  # 0 is the uppermost
    at: float  # s from the left of the page
    start: float  # s from the beginning of the strip
    seconds: float
    name: str  # what is written beside it


def short_name(lead: str) -> str:
    """A lead's name for the page: the usual one ("ecg avr" is aVR, "v1" V1), long ones cut."""
    chest = re.fullmatch(r"(?:ecg\s+)?(v\dr?)", lead.strip(), re.I)
    name = limb_lead(lead) or (chest[1].upper() if chest else lead.strip())
    return name if len(name) <= 8 else name[:7] + "…"


def grid_of(leads: Sequence[str]) -> list[list[int]]:
    """Rows of places in `leads` (six names or more): the standard order where all twelve are there,
    the others in rows below, else columnwise. The last row may be shorter.

    Example:
        >>> grid_of(["I", "II", "III", "aVR", "aVL", "aVF"])
        [[0, 3], [1, 4], [2, 5]]
    """
    names = [short_name(lead) for lead in leads]
    if all(names.count(name) == 1 for row in STANDARD for name in row):
        rows = [[names.index(name) for name in row] for row in STANDARD]
        others = [k for k in range(len(leads)) if not any(k in row for row in rows)]
        return rows + [others[k : k + 4] for k in range(0, len(others), 4)]
    deep = math.ceil(len(leads) / (2 if len(leads) <= 10 else 4))
    return [list(range(row, len(leads), deep)) for row in range(deep)]


def cells_of(leads: Sequence[str], seconds: float) -> tuple[list[Cell], float]:
    """Which piece of which lead (six or more) stands where, and how wide the page is, s.

    Of a strip longer than `PAGE_S` the leads show the first `PAGE_S`, and the rhythm strip takes
    several rows, up to `RHYTHM_ROWS`.
    """
    grid = grid_of(leads)
    across = max(len(row) for row in grid)
    if seconds < SHORTEST_S:
        part = min(PAGE_S / across, seconds)
        page, starts = part * across, [0.0] * across
    else:
        page = PAGE_S if seconds > PAGE_S + 0.5 else seconds
        part = page / across
        starts = [part * column for column in range(across)]
    cells = [Cell(lead, row, part * column, starts[column], part, short_name(leads[lead]))
             for row, line in enumerate(grid) for column, lead in enumerate(line)]
    rhythm = next((k for k, lead in enumerate(leads) if limb_lead(lead) == "II"), 0)
    lines = min(RHYTHM_ROWS, max(1, math.ceil((seconds - 0.5) / page)))
    name = short_name(leads[rhythm])
    cells += [Cell(rhythm, len(grid) + k, 0.0, k * page, min(page, seconds - k * page),
                   f"{name}, from {k * page:g} s" if k else name) for k in range(lines)]
    return cells, page


def skyline(cells: Sequence[Cell], signal: np.ndarray, fs: float, page: float, name_s: float,
            name_mv: float) -> np.ndarray:
    """How far each row reaches up (with names) and down from its line: (2, row, piece) mV.

    Of a signal (time, lead) mV from the lead's own median (NaN is no trace) on a page `page` s
    wide; a letter of a name takes `name_s` s and is `name_mv` mV high.
    """
    rows = max(cell.row for cell in cells) + 1
    pieces = math.ceil((page + LEAD_IN) / BIN_S) + 1
    reach = np.zeros((2, rows, pieces))
    pulse = slice(0, math.ceil(LEAD_IN / BIN_S))
    for cell in cells:
        t, values = trace_of(cell, signal, fs)
        at = ((t + LEAD_IN) / BIN_S).astype(int)
        for side, sign in enumerate((1, -1)):
            np.fmax.at(reach[side, cell.row], at, sign * values)
        under = name_bins(cell, name_s)
        reach[0, cell.row, under] = name_height(reach[0, cell.row], under) + name_mv
        if cell.at == 0:
            reach[0, cell.row, pulse] = np.maximum(reach[0, cell.row, pulse], 1.0)
    # A piece's neighbours count, too: two traces that just miss each other are hard to read.
    wide = np.pad(reach, ((0, 0), (0, 0), (1, 1)))
    return np.maximum(np.maximum(wide[..., :-2], wide[..., 1:-1]), wide[..., 2:])


def trace_of(cell: Cell, signal: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Times on the page (s) and values (mV) of a cell's piece of its lead."""
    first = round(cell.start * fs)
    values = signal[first : first + max(2, round(cell.seconds * fs)), cell.lead]
    return cell.at + np.arange(len(values)) / fs, values


def name_bins(cell: Cell, name_s: float) -> slice:
    """Pieces of the page that a cell's name stands over."""
    first = int((cell.at + LEAD_IN) / BIN_S + 1e-6)
    return slice(first, first + 1 + math.ceil(name_s * len(cell.name) / BIN_S))


def name_height(top: np.ndarray, under: slice) -> float:
    """Where a name starts, mV above the line of its row: over all that lies below it."""
    return max(0.4, float(top[under].max(initial=0.0)))
