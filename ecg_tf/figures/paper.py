"""ECG paper itself: colours, grid, calibration pulse, and traces marked as real or synthetic.

25 mm/s and 10 mm/mV: a small box is 0.04 s x 0.1 mV (1 mm), a large one 0.2 s x 0.5 mV (5 mm).
Real ECGs are black, solid lines, synthetic ones blue and dashed; each says in words which it is.
"""

import numpy as np
from matplotlib.collections import LineCollection

REAL, SYNTHETIC = "#1c1c1c", "#0173b2"  # black, and the blue of seaborn's colour-blind palette
SYNTHETIC_DASH = (0, (6, 1.1))
PAPER, SMALL_BOX, LARGE_BOX = "#fffaf6", "#fae3da", "#f0bfae"
WARNING = "#a03000"
DPI = 101.6  # 4 pixels a millimetre: every grid line falls on whole pixels and stays sharp
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8a8a",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,  # a lead's name may hold a dollar sign; no text of ours is a formula
}
LEAD_IN = 0.4  # s of paper left of the signal, for the calibration pulse


def shrink_to(width_mm: float, max_width: float) -> float:
    """How large paper is drawn: 1, 0.75 or 0.5 where that fits, else as large as it can be.

    Args:
        width_mm: mm of paper.
        max_width: inches there are.

    Returns:
        float, 1 or less.
    """
    scale = next((s for s in (1, 0.75, 0.5) if width_mm * s / 25.4 <= max_width), None)
    return scale or max_width * 25.4 / width_mm


def draw_grid(ax, seconds: float, low: float, high: float, small: bool) -> None:
    """Boxes from `LEAD_IN` before 0 to `seconds`, and from `low` to `high` (1 = 10 mm)."""
    t0, t1 = -LEAD_IN, seconds
    boxes = ((0.04, 0.1, SMALL_BOX), (0.2, 0.5, LARGE_BOX))
    for step_t, step_v, color in boxes if small else boxes[1:]:
        t = t0 + step_t * np.arange(round((t1 - t0) / step_t) + 1)
        v = low + step_v * np.arange(round((high - low) / step_v) + 1)
        lines = [[(x, low), (x, high)] for x in t] + [[(t0, y), (t1, y)] for y in v]
        ax.add_collection(
            LineCollection(lines, colors=color, linewidths=0.7, antialiaseds=False, zorder=0)
        )
    ax.set(facecolor=PAPER, xlim=(t0, t1), ylim=(low, high), yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=LARGE_BOX, linewidth=0.9)


def draw_pulse(ax, mark: bool | None, scale: float, base: float = 0.0, height: float = 1.0) -> None:
    """1 mV for 0.2 s, left of the signal: how a reader checks speed and gain."""
    pulse_t = (-0.36, -0.28, -0.28, -0.08, -0.08, -0.02)
    pulse_v = base + height * np.array([0.0, 0, 1, 1, 0, 0])
    ax.plot(pulse_t, pulse_v, color=colour(mark), linewidth=line_width(scale),
            solid_joinstyle="miter")


def draw_trace(ax, t, values, mark: bool | None, scale: float) -> None:
    """A trace; a synthetic one as dashes on a pale solid line, so that no sample is hidden."""
    color, width, synthetic = colour(mark), line_width(scale), is_synthetic(mark)
    if synthetic:
        ax.plot(t, values, color=color, linewidth=width, alpha=0.5, solid_joinstyle="round")
    dash = SYNTHETIC_DASH if synthetic else "solid"
    ax.plot(t, values, color=color, linewidth=width, linestyle=dash, solid_joinstyle="round")


def label(ax, mark: bool | None, title: str) -> None:
    """Above the paper: real or synthetic, and the title."""
    word = "" if mark is None else "synthetic" if is_synthetic(mark) else "real"
    style = {"xycoords": "axes fraction", "textcoords": "offset points"}
    left = 0.0
    if word:
        badge = ax.annotate(
            word, (0, 1), xytext=(1, 4), fontsize=8.5, color="white", fontweight="bold",
            bbox={"boxstyle": "round,pad=0.22", "facecolor": colour(mark), "edgecolor": "none"},
            **style,
        )
        badge.set_in_layout(False)
        left = 34 if word == "real" else 62
    # Names of records and leads are text, also where a $ stands in them.
    if title:
        ax.annotate(title, (0, 1), xytext=(left, 4), fontsize=9.5, color="#333333",
                    parse_math=False, **style)


def warn(ax, text: str) -> None:
    """Above the paper on the right: what has to be said about the traces; "" for nothing."""
    if text:
        ax.annotate(text, (1, 1), xytext=(0, 4), xycoords="axes fraction", fontsize=8.5,
                    textcoords="offset points", color=WARNING, ha="right", parse_math=False)


def is_synthetic(mark: bool | None) -> bool:
    """A mark is True (real), False (synthetic) or None (not said)."""
    return mark is not None and not mark


def colour(mark: bool | None) -> str:
    """Of traces with this mark."""
    return SYNTHETIC if is_synthetic(mark) else REAL


def line_width(scale: float) -> float:
    """Of traces on paper drawn at this scale, in points."""
    return 1.15 if scale == 1 else 0.95 if scale > 0.5 else 0.75


def box_note(scale: float, gain: float = 10.0) -> str:
    """Speed, gain and boxes in words, and the scale if it is not 1."""
    mv = 1 / gain
    note = f"25 mm/s, {gain:g} mm/mV; " + (
        f"small box 0.04 s × {mv:g} mV, large box 0.2 s × {5 * mv:g} mV" if scale > 0.5 else
        f"one box 0.2 s × {5 * mv:g} mV"
    )
    return note + ("" if scale == 1 else f"; drawn at {scale:.0%} of its size")
