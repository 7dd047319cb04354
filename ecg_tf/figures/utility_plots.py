"""Figures of labelled beats and of the classifiers that judge them."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import REAL, STYLE, SYNTHETIC, SYNTHETIC_DASH


@matplotlib.rc_context(STYLE)
def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Confusion matrices side by side: of each class, which share was called what.

    Args:
        matrices: title -> (class, class) counts, rows the truth.
        classes: names of rows and columns.

    Returns:
        Figure; shares of a row in the cells, the number of beats beside it.
    """
    if not matrices:
        raise InputError("There is no confusion to draw.", expected="title -> matrix", got="none",
                         fix="pass utility.confusion of one judge")
    width = 0.62 * len(classes) + 1.5
    figure = Figure(figsize=(width * len(matrices), 0.5 * len(classes) + 1.5), dpi=110,
                    layout="constrained")
    said = []
    for ax, (title, matrix) in zip(np.ravel(figure.subplots(1, len(matrices), squeeze=False)),
                                   matrices.items(), strict=True):
        total = matrix.sum(axis=1, keepdims=True)
        share = matrix / np.maximum(total, 1)
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in np.ndindex(share.shape):
            if total[row, 0]:
                ax.text(column, row, f"{100 * share[row, column]:.0f} %", ha="center", va="center",
                        color="white" if share[row, column] > 0.55 else REAL, fontsize=9)
        ax.set(xticks=range(len(classes)), xticklabels=classes, yticks=range(len(classes)),
               yticklabels=[f"{name} ({n:,.0f})" for name, n in zip(classes, total[:, 0],
                                                                   strict=True)],
               xlabel="called", title=title)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        said.append(f"{title}: " + ", ".join(
            f"{name} {100 * share[k, k]:.0f} % right" for k, name in enumerate(classes)
            if total[k, 0]))
    figure.axes[0].set_ylabel("truth (beats)")
    figure.alt_text = f"Confusion matrices. {'; '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
def two_witnesses(steps, own, independent, baseline: float | None = None) -> Figure:
    """Along the training: how often two classifiers find the class that was asked for.

    Args:
        steps: (check,) steps of training.
        own: (check,) share of the GAN's own class head.
        independent: (check,) share of a classifier that the GAN never met.
        baseline: float, share of that classifier on real beats of test persons. Default none.

    Returns:
        Figure.
    """
    figure = Figure(figsize=(8.2, 3.1), dpi=110, layout="constrained")
    ax = figure.subplots()
    ax.plot(steps, own, "o-", color=SYNTHETIC, markersize=5, label="own class head")
    ax.plot(steps, independent, "s", linestyle=SYNTHETIC_DASH, color="#d55e00", markersize=5,
            label="independent classifier")
    said = f"own class head {own[0]:.2f} to {own[-1]:.2f}, "
    said += f"independent classifier {independent[0]:.2f} to {independent[-1]:.2f}"
    if baseline is not None:
        ax.axhline(baseline, color=REAL, linestyle=(0, (5, 1.5)), linewidth=1.2,
                   label="the same on real beats of test persons")
        said += f", on real beats {baseline:.2f}"
    ax.set(xlabel="steps of training", ylabel="share named as asked", ylim=(0, 1.03))
    ax.grid(alpha=0.35, linewidth=0.6)
    ax.legend(loc="lower right", fontsize=9)
    figure.alt_text = f"Share of generated beats named as asked, along the training: {said}."
    return figure


@matplotlib.rc_context(STYLE)
def class_shapes(real, real_labels, synthetic, synthetic_labels, fs: float,
                 classes: Sequence[str]) -> Figure:
    """The middle beat of each class and where 80 % of them lie, real beside synthetic.

    Args:
        real: (n, time) mV, R at time // 2.
        real_labels: (n,).
        synthetic: (m, time) mV.
        synthetic_labels: (m,).
        fs: float, Hz.
        classes: which, from left to right.

    Returns:
        Figure.
    """
    figure = Figure(figsize=(2.3 * len(classes) + 0.6, 2.9), dpi=110, layout="constrained")
    axes = np.ravel(figure.subplots(1, len(classes), sharey=True, squeeze=False))
    time = (np.arange(np.shape(real)[1]) - np.shape(real)[1] // 2) / fs
    said = []
    for ax, name in zip(axes, classes, strict=True):
        middles = []
        for signals, labels, color, dash, word in (
            (real, real_labels, REAL, "-", "real"),
            (synthetic, synthetic_labels, SYNTHETIC, SYNTHETIC_DASH, "synthetic"),
        ):
            own = np.asarray(signals)[np.asarray(labels) == name]
            if not len(own):
                continue
            low, middle, high = np.quantile(own, [0.1, 0.5, 0.9], axis=0)
            ax.fill_between(time, low, high, color=color, alpha=0.16, linewidth=0)
            ax.plot(time, middle, color=color, linestyle=dash, linewidth=1.6, label=word)
            middles.append(middle)
        if len(middles) == 2:
            apart = np.abs(middles[0] - middles[1]).mean()
            said.append(f"{name}: medians differ by {apart:.2f} mV")
        ax.set(title=name, xlabel="s from R")
        ax.grid(alpha=0.35, linewidth=0.6)
    axes[0].set_ylabel("mV")
    axes[0].legend(fontsize=8, loc="upper left", handlelength=2.4)
    figure.alt_text = f"Median beat and 10 to 90 % band of each class. {'; '.join(said)}."
    return figure
