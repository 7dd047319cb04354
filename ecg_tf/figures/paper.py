"""ECG paper itself: sheets in millimetres, grid, calibration pulse, and traces with their marks.

25 mm/s and 10 mm/mV: a small box is 0.04 s x 0.1 mV (1 mm), a large one 0.2 s x 0.5 mV (5 mm).
A mark is True (real: black, solid), False (synthetic: blue, dashed) or None (not stated).
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.style import REAL, SYNTHETIC, SYNTHETIC_DASH, WARNING

PAPER, SMALL_BOX, LARGE_BOX = "#fffaf6", "#fae3da", "#f0bfae"
DPI = 101.6  # 4 pixels a millimetre: every grid line falls on whole pixels and stays sharp
LEAD_IN = 0.4  # s of paper left of the signal, for the calibration pulse
GAP = 6  # mm between two fields of paper


class Sheet:
    """A figure of equal fields of paper. Paper that is too wide shrinks, its text does not.

    Args:
        across: mm, width of a field.
        columns: fields side by side.
        max_width: inches.
        foot: mm below the fields, for the note.

    Attributes:
        scale: how large paper is: 1, 0.75 or 0.5 where that fits, else as large as it can be.
    """

    def __init__(self, across: float, columns: int, max_width: float, foot: float):
        self.across, self.width = across, columns * across + (columns - 1) * GAP + 8
        fitting = [s for s in (1, 0.75, 0.5) if self.width * s / 25.4 <= max_width]
        self.scale = fitting[0] if fitting else max_width * 25.4 / self.width
        self.head, self.foot = math.ceil(7 / self.scale), math.ceil(foot / self.scale)

    def start(self, rows: int, tall: float, gain: float = 10.0) -> Figure:
        """The figure, with a note on speed and gain; fields are `tall` mm high."""
        self.tall, self.height = tall, rows * (tall + self.head) + self.foot
        size = (self.width * self.scale / 25.4, self.height * self.scale / 25.4)
        self.figure = Figure(figsize=size, dpi=DPI)
        self.figure.text(4 / self.width, 1.5 / self.height, _box_note(self.scale, gain),
                         fontsize=8.5, color="#555555", va="bottom")
        return self.figure

    def field(self, row: int, column: int):
        """Axes of one field."""
        left = 4 + column * (self.across + GAP)
        bottom = self.height - (row + 1) * (self.tall + self.head)
        return self.figure.add_axes((left / self.width, bottom / self.height,
                                     self.across / self.width, self.tall / self.height))


def per_strip(name: str, given, count: int) -> list:
    """One entry a strip, of a list or of one value for all.

    Raises:
        InputError: a list of another length.
    """
    entries = [given] * count if given is None or np.ndim(given) == 0 else list(given)
    if len(entries) != count:
        raise InputError(f"'{name}' does not match the strips.", expected=f"{count}, one a strip",
                         got=len(entries), fix=f"give one entry of '{name}' for each strip")
    return entries


def draw_grid(ax, seconds: float, low: float, high: float, small: bool,
              start: float = -LEAD_IN) -> None:
    """Boxes from `start` to `seconds` and from `low` to `high` (1 = 10 mm)."""
    boxes = ((0.04, 0.1, SMALL_BOX), (0.2, 0.5, LARGE_BOX))
    for step_t, step_v, color in boxes if small else boxes[1:]:
        t = step_t * np.arange(math.ceil(start / step_t - 1e-6), seconds / step_t + 1e-6)
        v = step_v * np.arange(math.ceil(low / step_v - 1e-6), high / step_v + 1e-6)
        lines = [[(x, low), (x, high)] for x in t] + [[(start, y), (seconds, y)] for y in v]
        ax.add_collection(LineCollection(lines, colors=color, linewidths=0.7, antialiaseds=False,
                                         zorder=0))
    ax.set(facecolor=PAPER, xlim=(start, seconds), ylim=(low, high), yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=LARGE_BOX, linewidth=0.9)


def draw_pulse(ax, mark: bool | None, scale: float, base: float = 0.0, height: float = 1.0) -> None:
    """1 mV for 0.2 s, left of the signal: how a reader checks speed and gain."""
    pulse_t = (-0.36, -0.28, -0.28, -0.08, -0.08, -0.02)
    ax.plot(pulse_t, base + height * np.array([0.0, 0, 1, 1, 0, 0]), color=_color(mark),
            linewidth=_line_width(scale), solid_joinstyle="miter")


def draw_trace(ax, t, values, mark: bool | None, scale: float) -> None:
    """A trace; a synthetic one as dashes on a pale solid line, so that no sample is hidden."""
    options = {"color": _color(mark), "linewidth": _line_width(scale), "solid_joinstyle": "round"}
    if mark is not None and not mark:
        ax.plot(t, values, alpha=0.5, **options)
        options["linestyle"] = SYNTHETIC_DASH
    ax.plot(t, values, **options)


def label(ax, mark: bool | None, title: str) -> None:
    """Above the paper: real or synthetic, and the title."""
    style = {"xycoords": "axes fraction", "textcoords": "offset points"}
    left = 0
    if mark is not None:
        word, left = ("real", 34) if mark else ("synthetic", 62)
        box = {"boxstyle": "round,pad=0.22", "facecolor": _color(mark), "edgecolor": "none"}
        ax.annotate(word, (0, 1), xytext=(1, 4), fontsize=8.5, color="white", fontweight="bold",
                    bbox=box, **style).set_in_layout(False)
    # Names of records and leads are text, also where a $ stands in them.
    if title:
        ax.annotate(title, (0, 1), xytext=(left, 4), fontsize=9.5, color="#333333",
                    parse_math=False, **style)


def warn(ax, text: str) -> None:
    """Above the paper on the right: what is odd about the traces; "" for nothing."""
    if text:
        ax.annotate(text, (1, 1), xytext=(0, 4), fontsize=8.5, color=WARNING, ha="right",
                    parse_math=False, xycoords="axes fraction", textcoords="offset points")


def described(marks: Sequence[bool | None], word: str) -> str:
    """How many there are of which kind: "2 real and 1 synthetic strips"."""
    kinds = [f"{marks.count(kind)} {name}" for kind, name in ((True, "real"), (False, "synthetic"))
             if marks.count(kind)]
    return f"{' and '.join(kinds) or len(marks)} {word}{'s' * (len(marks) > 1)}"


def _color(mark):
    return SYNTHETIC if mark is not None and not mark else REAL


def _line_width(scale):
    return 1.15 if scale == 1 else 0.95 if scale > 0.5 else 0.75


def _box_note(scale, gain):
    mv = 1 / gain
    small = f"small box 0.04 s × {mv:g} mV, large box" if scale > 0.5 else "one box"
    size = "" if scale == 1 else f"; shown at {scale:.0%} of its size"
    return f"25 mm/s, {gain:g} mm/mV; {small} 0.2 s × {5 * mv:g} mV{size}"
