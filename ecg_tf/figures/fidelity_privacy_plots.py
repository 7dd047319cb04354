"""The fidelity-privacy plot: how like real ECGs a set is, and how much it tells of its members.

Right is unlike, up is a leak. The target region is the lower left corner: fidelity at the
baseline, recognition at the null. Copies are at the left and high up, noise is far right and low.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.gate import REIDENTIFIED
from ecg_tf.figures.style import MARKERS, SYNTHETIC, WARNING, in_style, panels

TARGET = 2.0  # MMD² of the target region, in baselines: the gate's default
_TARGET, _LANDMARK = "#029e73", "#5c5c5c"
_COLORS = (SYNTHETIC, "#de8f05", "#cc78bc", "#ca9161", "#d55e00", "#56b4e9")
_SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1)
_MULTIPLES = (-1, 0, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def fidelity_privacy_point(measures) -> dict[str, float]:
    """Where a set stands: MMD² in baselines and the share accepted as a member, with intervals.

    Args:
        measures: list of `Measured`, or the "measures" of a results.json.

    Returns:
        dict baselines, baselines_low, baselines_high, reidentified, low, high; NaN where not
        measured.

    Example:
        >>> points = pd.DataFrame({"my GAN": fidelity_privacy_point(verdict.measures)}).T
    """
    baseline, baseline_high, *distance = _fields(
        measures, "MMD²", "baseline", "baseline_high", "value", "low", "high")
    baseline = baseline if baseline > 0 else baseline_high
    share = _fields(measures, REIDENTIFIED, "value", "low", "high")
    keys = ("baselines", "baselines_low", "baselines_high", "reidentified", "low", "high")
    return dict(zip(keys, [*(np.array(distance) / baseline), *share], strict=True))


def fidelity_privacy_null(measures) -> tuple[float, float, float]:
    """(mean, low, high) of the share of non-members' strips accepted as a member: the null."""
    mean, low, high = _fields(measures, REIDENTIFIED, "baseline", "baseline_low", "baseline_high")
    return mean, low, high


@in_style
def fidelity_privacy_plot(points: pd.DataFrame, landmarks: pd.DataFrame | None = None,
                          baseline: float = np.nan, null=np.nan) -> Figure:
    """Fidelity against re-identification, one point an experiment, with landmarks.

    Args:
        points: DataFrame, index = name of the set; columns `baselines` (MMD² in multiples of its
            baseline) and `reidentified` (share of strips accepted as a member); with
            `baselines_low`, `baselines_high`, `low`, `high` there are intervals. See
            `fidelity_privacy_point`.
        landmarks: `PrivacyEvaluation.landmarks`; default None.
        baseline: MMD² of one baseline, written below the axis; NaN (default) where
            experiments differ.
        null: share of non-members' strips accepted as a member, or (mean, low, high) of it, see
            `fidelity_privacy_null`; the target reaches up to `high`. Default NaN: 1 %.

    Returns:
        Figure. A set whose place is not known is named above the axes, not plotted.

    Raises:
        InputError: columns are missing.
    """
    landmarks = points.iloc[:0] if landmarks is None else landmarks
    for name, table in (("points", points), ("landmarks", landmarks)):
        if len(table) and {"baselines", "reidentified"} - set(table.columns):
            raise InputError(f"The {name} of the plot have no place.",
                             expected="columns baselines and reidentified",
                             got=f"columns {list(table.columns)}", fix="use fidelity_privacy_point")
    mean, _, high = np.broadcast_to(null, 3) if np.ndim(null) == 0 else null
    top = max(0.01, next((share for share in (high, mean) if np.isfinite(share)), 0.01))
    figure, (ax,) = panels(1, 1, 8.6, 5.2)
    _axes(ax, points, landmarks)
    _target(ax, top, mean)
    placed, around = _placed(points), _placed(landmarks)
    missing = [str(name) for name in points.index.difference(placed.index, sort=False)]
    if missing:
        ax.set_title(f"No place: {', '.join(missing)} (not measured, or void)", color=WARNING)
    of = f" = {baseline:.3g}" if np.isfinite(baseline) else ""
    ax.set_xlabel(f"MMD² to persons never seen, in multiples of its baseline (1{of}: other real "
                  "persons)  →  less like real ECGs")
    ax.set_ylabel("Strips accepted as a member, at 1 % false accepts")
    # Labels find their places by the layout, which all that stands beside the axes decides.
    figure.draw_without_rendering()
    _landmarks(ax, around)
    _points(ax, placed)
    stands = [f"{name} stands at {row.baselines:.2g} x baseline with {_percent(row.reidentified)} "
              "of its strips accepted as a member" for name, row in placed.iterrows()]
    others = [f"{name} at {row.baselines:.2g} x baseline and {_percent(row.reidentified)}"
              for name, row in around.iterrows()]
    figure.alt_text = (
        "Fidelity (MMD² in baselines) against re-identification (share of strips accepted as a "
        f"member). Target: at most {TARGET:g} x baseline and {_percent(top)}. "
        f"{'; '.join(stands) or 'No set has a place in it'}. "
        + (f"Landmarks: {'; '.join(others)}." if others else "No landmarks."))
    return figure


def _fields(measures, name, *fields) -> list[float]:
    rows = [row if isinstance(row, Mapping) else vars(row) for row in measures]
    row = next((row for row in rows if row["name"] == name), {})
    return [np.nan if row.get(field) is None else float(row[field]) for field in fields]


def _placed(table) -> pd.DataFrame:
    if not len(table):
        return table
    return table[np.isfinite(table[["baselines", "reidentified"]].astype(float)).all(axis=1)]


def _target(ax, top, null):
    left = ax.get_xlim()[0]
    ax.fill_between([left, TARGET], 0, top, color=_TARGET, alpha=0.16, linewidth=0)
    ax.plot([left, TARGET, TARGET], [top, top, 0], color=_TARGET, linewidth=1.2,
            linestyle=(0, (4, 2)))
    ax.annotate("target", (TARGET, 0), (-4, 3), textcoords="offset points", color="#01674b",
                ha="right", va="bottom", weight="bold", fontsize=10)
    ax.axvline(1, color=_LANDMARK, linewidth=0.8, linestyle=":")
    if np.isfinite(null):
        ax.axhline(null, color=_LANDMARK, linewidth=0.8, linestyle=":")
        ax.annotate(f"null: {_percent(null)}\nof non-members'\nstrips", (1, null), (4, 0),
                    xycoords=("axes fraction", "data"), textcoords="offset points", ha="left",
                    va="center", fontsize=8.5, color=_LANDMARK)


def _axes(ax, points, landmarks):
    wanted = ["baselines", "baselines_low", "baselines_high"]
    x = np.concatenate([table.reindex(columns=wanted).to_numpy(float).ravel()
                        for table in (points, landmarks)])
    x = x[np.isfinite(x)]
    left, right = min(-0.15, 1.2 * x.min(initial=0)), max(5.0, 1.35 * x.max(initial=0))
    ax.set_xscale("symlog", linthresh=2, linscale=1.3)
    ax.set_xlim(left, right)
    ticks = [tick for tick in _MULTIPLES if left <= tick <= right]
    ax.set_xticks(ticks, map(str, ticks))
    ax.set_xticks([], minor=True)
    # The root spreads the low shares, where it matters, and knows 0.
    ax.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
    ax.set_ylim(0, 1.04)
    ax.set_yticks(_SHARES, map(_percent, _SHARES))
    ax.grid(alpha=0.25)


def _landmarks(ax, landmarks):
    taken = []
    for name, row in landmarks.iterrows():
        ax.plot(row.baselines, row.reidentified, marker="s", markersize=6, color="white",
                markeredgecolor=_LANDMARK, markeredgewidth=1.4, linestyle="", clip_on=False,
                zorder=3)
        _label(ax, str(name), row, taken)


def _points(ax, points):
    for number, (name, row) in enumerate(points.iterrows()):
        look = {"color": _COLORS[number % len(_COLORS)]}
        x, y = float(row.baselines), float(row.reidentified)
        for ends, value, across in ((("baselines_low", "baselines_high"), x, True),
                                    (("low", "high"), y, False)):
            low, high = (row.get(end, np.nan) for end in ends)
            if np.isfinite([low, high]).all():
                span = [min(low, value), max(high, value)]
                ax.plot(*((span, [y, y]) if across else ([x, x], span)), linewidth=1.3, alpha=0.7,
                        zorder=4, **look)
        ax.plot(x, y, MARKERS[number % len(MARKERS)], markersize=10, markeredgecolor="white",
                label=str(name), clip_on=False, zorder=5, **look)
    if len(points):
        ax.legend(loc="upper right", borderaxespad=0.2)


def _label(ax, text, row, taken, size=8.5):
    """Beside its mark, on the side where no other label lies yet."""
    point = ax.figure.dpi / 72
    x, y = ax.transData.transform((row.baselines, row.reidentified))
    width, height = 0.62 * size * len(text) * point, 1.35 * size * point
    right = ax.transAxes.transform((1, 0))[0]
    for dx, dy in ((9, 0), (-9, 0), (9, 13), (9, -13), (-9, 13), (-9, -13), (9, 26), (-9, 26),
                   (-9, 39)):
        left = x + dx * point - (width if dx < 0 else 0)
        bottom = y + dy * point - height / 2
        inside = 0 < left < right - width and (row.reidentified > 0.004 or dy > 0)
        if inside and not any(left < other + wide and other < left + width
                              and abs(bottom - low) < height for other, low, wide in taken):
            break
    taken.append((left, bottom, width))
    ax.annotate(text, (row.baselines, row.reidentified), (dx, dy), textcoords="offset points",
                ha="left" if dx > 0 else "right", va="center", fontsize=size, color=_LANDMARK)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
