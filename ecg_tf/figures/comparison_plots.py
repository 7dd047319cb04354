"""Tables of runs beside each other, and the strips that they generate."""

import os
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.figures.ecg_paper import ecg_paper
from ecg_tf.figures.html_tables import VERDICTS, text_table


def strips_figures(strips: Mapping[str, np.ndarray], baselines: Mapping[str, float], fs: float,
                   count: int = 3, rows: int = 10) -> list[Figure]:
    """The first decoded ECGs of each run on ECG paper, a row a run; none is picked.

    Args:
        strips: run -> (strip, time, lead) mV, in the order wanted; runs without any are left out.
        baselines: run -> MMD² in multiples of its baseline, for the titles.
        fs: Hz.
        count: strips a run, default 3.
        rows: runs a figure, default 10.
    """
    names = [name for name in strips if len(strips[name])]
    shown, out = short_names(names), []
    for some in (names[start : start + rows] for start in range(0, len(names), rows)):
        signals, titles = [], []
        for name in some:
            signals += [strips[name][k, :, 0] if k < len(strips[name]) else np.zeros(1)
                        for k in range(count)]
            words = [shown[name][:24], f"{_short(baselines[name])} x baseline"]
            titles += (words if count > 1 else [": ".join(words)]) + [""] * (count - 2)
        figure = ecg_paper(signals, fs, titles, columns=count, real=False)
        figure.alt_text = (f"The first {count} decoded strips of {', '.join(some)}. "
                           f"{figure.alt_text}")
        out.append(figure)
    return out


def board_table(board: pd.DataFrame):
    """One field of the leaderboard as a table: each number beside its baseline.

    Args:
        board: rows of `study.comparison.leaderboard`.

    Returns:
        pandas Styler, shown by a notebook as a table.
    """
    table = pd.DataFrame({
        "": ["–" if np.isnan(place) else f"{place:.0f}" for place in board["place"]],
        "run": list(short_names(board.index).values()),
        "seed": board["seed"].to_numpy(),
        "MMD² / baseline": [_interval(*row) for row in board[
            ["baselines", "baselines_low", "baselines_high"]].to_numpy()],
        "Fréchet / baseline": [_short(value) for value in board["frechet"]],
    })
    columns = {"precision": ("precision", "{:.2f}"), "recall": ("recall", "{:.2f}"),
               "AUC": ("auc", "{:.2f}"), "strips with beats": ("beats", "{:.0%}")}
    attacked = board["reidentified"].notna().any()
    if attacked:
        columns["accepted as a member"] = ("reidentified", "{:.1%}")
    for title, (name, form) in columns.items():
        table[title] = [
            "" if np.isnan(value) else form.format(value)
            + (f" ({form.format(baseline)})" if np.isfinite(baseline) else "")
            for value, baseline in board[[name, f"{name}_baseline"]].to_numpy(float)]
    right = [name for name in table if name != "run"]
    if attacked:
        table["gate"] = [VERDICTS.get(word, word) for word in board["gate"]]
    return text_table(table, right, "gate", ".15em .5em").hide().set_properties(
        **{"font-size": ".88em"}).set_properties(subset=["run"], **{"min-width": "12em"})


def fooled_table(found: pd.DataFrame, blind: Mapping[str, str]):
    """The measures that were fooled, how often, and what they do not look at by their definition.

    Args:
        found: of `study.measure_agreement.fooled`.
        blind: measure -> what it does not look at.

    Returns:
        pandas Styler.
    """
    found = found[found["passed"] + found["alone"] > 0]  # the others are right, here
    found = found.sort_values(["share", "passed"], ascending=False, kind="stable")
    return text_table(pd.DataFrame({
        "measure": found.index,
        "fooled": [f"{row.passed:.0f} of {row.rejected:.0f}" for row in found.itertuples()],
        "rejects alone": [f"{alone:.0f}" if alone else "" for alone in found["alone"]],
        "does not look at": [blind.get(name, "") for name in found.index],
    }), padding=".2em .8em").hide()


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Names without the words that all of them begin with: space is scarce."""
    last = {name: name.rsplit("/", 1)[-1] for name in names}
    last = last if len(set(last.values())) == len(last) else {name: name for name in last}
    common = os.path.commonprefix(list(last.values()) if len(last) > 1 else [""])
    return {name: word[common.rfind("-") + 1 :] for name, word in last.items()}


def _short(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2g}" if abs(value) < 10 else f"{value:,.0f}"


def _interval(value, low, high) -> str:
    if np.isnan(value):
        return "not measured"
    return _short(value) + ("" if np.isnan(low) else f" ({_short(low)} to {_short(high)})")
