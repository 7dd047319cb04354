"""What all figures share: colours, line styles, and the panels that each of them starts from.

Real ECGs are black, solid lines, synthetic ones blue and dashed. Colours are those of Okabe and
Ito, and each comes with a dash and a marker: colour is never the only difference.
"""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

REAL, SYNTHETIC, WARNING = "#1c1c1c", "#0173b2", "#a03000"
SYNTHETIC_DASH = (0, (6, 1.1))
SIDES = (("real", REAL, "-"), ("synthetic", SYNTHETIC, SYNTHETIC_DASH))
BASELINE = {"color": REAL, "linestyle": (0, (5, 1.5)), "linewidth": 1.2}
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d", "#8c3a25")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), "-.", (0, (7, 1, 1, 1)), (0, (3, 2)))
MARKERS = "o^sDvPX*"
#: For figures: `@in_style` draws a function's figure in this style.
STYLE = {
    "font.size": 10, "axes.titlesize": 10, "axes.titlelocation": "left", "axes.labelsize": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#8a8a8a",
    "xtick.color": "#444444", "ytick.color": "#444444", "legend.frameon": False,
    "legend.fontsize": 9, "grid.alpha": 0.35, "grid.linewidth": 0.6, "figure.dpi": 110,
    "figure.facecolor": "white", "savefig.facecolor": "white",
    "text.parse_math": False,  # a lead's name may hold a dollar sign; no text here is a formula
}
in_style = matplotlib.rc_context(STYLE)


def look(k: int) -> dict:
    """Colour and dash of the k-th curve."""
    return {"color": COLORS[k % len(COLORS)], "linestyle": DASHES[k % len(DASHES)]}


def panels(count: int, columns: int, width: float, height: float, extra: float = 0.0,
           **options) -> tuple[Figure, list]:
    """A figure of equal panels and its axes, one a panel.

    Args:
        count: panels.
        columns: panels side by side at most.
        width, height: inches of a panel.
        extra: inches of height for titles and legends of the whole figure.
        **options: of `Figure.subplots`, such as sharex.
    """
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + extra), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    for ax in axes[count:]:
        ax.set_visible(False)
    return figure, axes[:count]


def plain_decades(axis) -> None:
    """Numbers such as 0.5 and 200 on a logarithmic axis, few enough to be read."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 300 else (1,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def legend_above(figure: Figure, columns: int = 4, where: str = "outside upper right",
                 **options) -> None:
    """One legend for all panels, each name once; none where nothing has a name."""
    handles = {name: line for ax in figure.axes
               for line, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    if handles:
        figure.legend(handles.values(), handles, loc=where, ncols=min(columns, len(handles)),
                      **options)
