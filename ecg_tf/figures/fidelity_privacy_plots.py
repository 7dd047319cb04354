"""The plane that matters: how like real ECGs a set is, and how many of its strips betray a member.

Right is unlike, up is a leak. The aim is the lower left corner: fidelity at the baseline,
recognition at the null. Copies are at the left and high up, noise is far right and low.
"""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import STYLE, SYNTHETIC
from ecg_tf.figures.plots import styled

AIM_FLOORS = 2.0  # MMD² of the aim, in baselines: the gate's default
REIDENTIFIED = "re-identification at 1 % FAR"
_AIM, _LANDMARK = "#029e73", "#5c5c5c"
_COLORS = (SYNTHETIC, "#de8f05", "#cc78bc", "#ca9161", "#d55e00", "#56b4e9")
_MARKERS = "oDPXv^"
_SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1)
_MULTIPLES = (-1, 0, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def fidelity_privacy_point(measures) -> dict[str, float]:
    """Where a set stands: MMD² in baselines and the share taken for a member, each with its
    interval.

    Args:
        measures: list of `Measured`, or the "measures" of a metrics.json.

    Returns:
        dict baselines, baselines_low, baselines_high, reidentified, low, high; NaN where not
        measured.

    Example:
        >>> points = pd.DataFrame({"my GAN": fidelity_privacy_point(verdict.measures)}).T
    """
    rows = {one["name"]: one for one in (
        measure if isinstance(measure, Mapping) else vars(measure) for measure in measures)}

    def of(name, *fields):
        values = (rows.get(name, {}).get(field) for field in fields)
        return [np.nan if value is None else float(value) for value in values]

    baseline, baseline_high, *distance = of(
        "MMD²", "baseline", "baseline_high", "value", "low", "high"
    )
    baseline = baseline if baseline > 0 else baseline_high
    share = of(REIDENTIFIED, "value", "low", "high")
    keys = ("baselines", "baselines_low", "baselines_high", "reidentified", "low", "high")
    return dict(zip(keys, [*(np.array(distance) / baseline), *share], strict=True))


def fidelity_privacy_null(measures) -> tuple[float, float, float]:
    """(mean, low, high) of the share of strangers' strips taken for a member: the null."""
    rows = {one["name"]: one for one in (
        measure if isinstance(measure, Mapping) else vars(measure) for measure in measures)}
    row = rows.get(REIDENTIFIED, {})
    mean, low, high = (np.nan if row.get(field) is None else float(row[field])
                       for field in ("baseline", "baseline_low", "baseline_high"))
    return mean, low, high


@matplotlib.rc_context(STYLE)
def fidelity_privacy_plot(
    points: pd.DataFrame,
    landmarks: pd.DataFrame | None = None,
    baseline: float = np.nan,
    null=np.nan,
) -> Figure:
    """Fidelity against re-identification, one point an experiment, with landmarks.

    Args:
        points: DataFrame, index = name of the set; columns `baselines` (MMD² in multiples of its
            baseline) and `reidentified` (share of strips taken for a member); with `baselines_low`,
            `baselines_high`, `low`, `high` there are intervals. See `fidelity_privacy_point`.
        landmarks: `Verdict.landmarks`; default None.
        baseline: MMD² of one baseline, said below the axis; NaN (default) where experiments differ.
        null: share of strangers' strips taken for a member, or (mean, low, high) of it, see
            `fidelity_privacy_null`; the aim reaches up to `high`. Default NaN: 1 %.

    Returns:
        Figure. A set whose place is not known is named below the axes, not drawn.

    Raises:
        InputError: columns are missing.

    Example:
        >>> points = pd.DataFrame({"quickstart": fidelity_privacy_point(verdict.measures)}).T
        >>> fidelity_privacy_plot(points, verdict.landmarks,
        null=fidelity_privacy_null(verdict.measures))
    """
    for name, table in (("points", points), ("landmarks", landmarks)):
        if table is not None and len(table) and {"baselines", "reidentified"} - set(table.columns):
            raise InputError(f"The {name} of the plane have no place.",
                             expected="columns baselines and reidentified",
                             got=f"columns {list(table.columns)}", fix="use fidelity_privacy_point")
    mean, low, high = np.broadcast_to(null, 3) if np.ndim(null) == 0 else null
    top = next((one for one in (high, mean) if np.isfinite(one)), 0.01)
    figure = Figure(figsize=(8.6, 5.2), dpi=110, layout="constrained")
    ax = figure.subplots()
    _axes(ax, points, landmarks)
    left = ax.get_xlim()[0]
    ax.fill_between([left, AIM_FLOORS], 0, max(top, 0.01), color=_AIM, alpha=0.16, linewidth=0)
    ax.plot([left, AIM_FLOORS, AIM_FLOORS], [max(top, 0.01), max(top, 0.01), 0], color=_AIM,
            linewidth=1.2, linestyle=(0, (4, 2)))
    ax.annotate("aim", (AIM_FLOORS, 0), (-4, 3), textcoords="offset points", color="#01674b",
                ha="right", va="bottom", weight="bold", fontsize=10)
    ax.axvline(1, color=_LANDMARK, linewidth=0.8, linestyle=":")
    if np.isfinite(mean):
        ax.axhline(mean, color=_LANDMARK, linewidth=0.8, linestyle=":")
        ax.annotate(f"null: {_percent(mean)}\nof strangers'\nstrips", (1, mean), (4, 0),
                    xycoords=("axes fraction", "data"), textcoords="offset points", ha="left",
                    va="center", fontsize=8.5, color=_LANDMARK)
    missing = [str(name) for name, row in points.iterrows() if not _is_placed(row)]
    if missing:
        ax.set_title(f"No place: {', '.join(missing)} (not measured, or void)", loc="left",
                     fontsize=9.5, color="#a03000")
    of = f" = {baseline:.3g}" if np.isfinite(baseline) else ""
    ax.set_xlabel(f"MMD² to persons never seen, in multiples of its baseline (1{of}: other real "
                  "persons)  →  less like real ECGs")
    ax.set_ylabel("Strips taken for a member, at 1 % false alarms")
    # Labels find their places by the layout, which all that stands beside the axes decides.
    figure.draw_without_rendering()
    _landmarks(ax, landmarks)
    said = _points(ax, points)
    if len(points) - len(missing):
        ax.legend(fontsize=9, loc="upper right", borderaxespad=0.2)
    around = [f"{name} at {row.baselines:.2g} x baseline and {_percent(row.reidentified)}"
              for name, row in (landmarks.iterrows() if landmarks is not None else ())
              if _is_placed(row)]
    figure.alt_text = (
        "Plane of fidelity (MMD² in baselines) against re-identification (share of strips taken "
        f"for a member). Aim: at most {AIM_FLOORS:g} x baseline and {_percent(max(top, 0.01))}. "
        + (f"{'; '.join(said)}. " if said else "No set has a place in it. ")
        + (f"Landmarks: {'; '.join(around)}." if around else "No landmarks.")
    )
    return figure


def _axes(ax, points, landmarks):
    tables = [table for table in (points, landmarks) if table is not None and len(table)]
    x = np.concatenate([np.zeros(0), *(table[column].to_numpy(float) for table in tables
                       for column in ("baselines", "baselines_low", "baselines_high")
                       if column in table.columns)])
    x = x[np.isfinite(x)]
    right = max(5.0, 1.35 * x.max(initial=0))
    left = min(-0.15, 1.2 * x.min(initial=0))
    ax.set_xscale("symlog", linthresh=2, linscale=1.3)
    ax.set_xlim(left, right)
    ticks = [one for one in _MULTIPLES if left <= one <= right]
    ax.set_xticks(ticks, [f"{one:g}" for one in ticks])
    ax.set_xticks([], minor=True)
    # The root spreads the low shares, where it matters, and knows 0.
    ax.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
    ax.set_ylim(0, 1.04)
    ax.set_yticks(_SHARES, [_percent(one) for one in _SHARES])
    ax.grid(alpha=0.25, linewidth=0.6)


def _landmarks(ax, landmarks):
    placed = []
    for name, row in (landmarks.iterrows() if landmarks is not None else ()):
        if not _is_placed(row):
            continue
        ax.plot(row.baselines, row.reidentified, marker="s", markersize=6, color="white",
                markeredgecolor=_LANDMARK, markeredgewidth=1.4, linestyle="", clip_on=False,
                zorder=3)
        _label(ax, str(name), row, placed, _LANDMARK, 8.5)


def _points(ax, points):
    said = []
    for number, (name, row) in enumerate(points.iterrows()):
        if not _is_placed(row):
            continue
        color, marker = _COLORS[number % len(_COLORS)], _MARKERS[number % len(_MARKERS)]
        x, y = float(row.baselines), float(row.reidentified)
        for low, high, whole, across in (("baselines_low", "baselines_high", x, True),
                                         ("low", "high", y, False)):
            ends = [row.get(low, np.nan), row.get(high, np.nan)]
            if np.isfinite(ends).all():
                span = [min(ends[0], whole), max(ends[1], whole)]
                ax.plot(*((span, [y, y]) if across else ([x, x], span)), color=color,
                        linewidth=1.3, alpha=0.7, zorder=4)
        ax.plot(x, y, marker=marker, markersize=10, color=color, markeredgecolor="white",
                markeredgewidth=1, linestyle="", label=str(name), clip_on=False, zorder=5)
        said.append(
            f"{name} stands at {x:.2g} x baseline with {_percent(y)} of its strips taken for "
            "a member"
        )
    return said


def _label(ax, text, row, placed, color, size):
    """Beside its mark, on the side where no other label lies yet."""
    x, y = ax.transData.transform((row.baselines, row.reidentified))
    width, height = 0.62 * size * len(text) * 110 / 72, 1.35 * size * 110 / 72
    right = ax.transAxes.transform((1, 0))[0]
    for dx, dy, ha in ((9, 0, "left"), (-9, 0, "right"), (9, 13, "left"), (9, -13, "left"),
                       (-9, 13, "right"), (-9, -13, "right"), (9, 26, "left"), (-9, 26, "right"),
                       (-9, 39, "right")):
        px, py = x + dx * 110 / 72, y + dy * 110 / 72
        box = (px if ha == "left" else px - width, py - height / 2)
        inside = box[0] > 0 and box[0] + width < right
        inside &= row.reidentified > 0.004 or dy > 0  # not across the axis
        if inside and not any(box[0] < bx + bw and bx < box[0] + width
                              and abs(box[1] - by) < height for bx, by, bw in placed):
            break
    placed.append((*box, width))
    ax.annotate(text, (row.baselines, row.reidentified), (dx, dy), textcoords="offset points",
                ha=ha, va="center", fontsize=size, color=color)


def _is_placed(row) -> bool:
    return bool(np.isfinite([float(row.baselines), float(row.reidentified)]).all())


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def gate_table(gate):
    """The release gate's table with a word and a sign a row.

    Args:
        gate: `Gate`.

    Returns:
        pandas Styler, shown by a notebook as a table.
    """
    signs = {"pass": "✓ pass", "fail": "✗ fail", "not measured": "– not measured"}
    table = gate.table.rename_axis(None).assign(verdict=gate.table["verdict"].map(signs))
    style = styled(table).set_properties(**{"text-align": "left", "padding": ".3em .9em",
                                          "vertical-align": "top"})
    fail = "font-weight:bold;color:#b34700"
    style = style.map(lambda cell: fail if "fail" in cell else "", subset=["verdict"])
    style = style.set_properties(subset=["verdict"], **{"white-space": "nowrap"})
    heads = "text-align:left;vertical-align:top;padding:.3em .9em"
    return style.set_table_styles([{"selector": "th", "props": heads}])
