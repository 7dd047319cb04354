"""Figures of measured things, real beside synthetic: distributions, spectra, beats, scores."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import as_strips
from ecg_tf.figures.style import (
    COLORS,
    REAL,
    SIDES,
    SYNTHETIC,
    SYNTHETIC_DASH,
    WARNING,
    in_style,
    panels,
)

LABELS = {
    "heart_rate": "Heart rate (bpm)", "rr": "RR interval (s)", "r_amplitude": "R amplitude (mV)",
    "p_amplitude": "P amplitude (mV)", "pr": "PR interval (s)", "qrs": "QRS duration (s)",
    "qt": "QT interval (s)", "qtc": "QTc interval (s)", "sdnn": "SDNN (s)", "rmssd": "RMSSD (s)",
}


@in_style
def distributions(real: Mapping, synthetic: Mapping, measures: pd.DataFrame | None = None,
                  columns: int = 3) -> Figure:
    """How heart rate, R amplitude, RR ... are distributed, real and synthetic, same bins and scale.

    What was found on one side only (strips of a poor GAN may have no beats) is shown alone.

    Args:
        real: name -> values; known names (heart_rate, rr, r_amplitude ...) get their unit.
        synthetic: name -> values, the same names.
        measures: the table beside the figure, of `measured_table`: where "heart rate W1" is in it,
            the panel has its value and baseline, so that both say the same. Default None: the
            distance of these values.
        columns: int, panels side by side.

    Raises:
        InputError: no name in common, or no finite value at all.
    """
    names = [name for name in real if name in synthetic]
    values = {name: (_finite(real[name]), _finite(synthetic[name])) for name in names}
    if not any(side.size for name in names for side in values[name]):
        raise InputError(
            "These distributions cannot be compared.",
            expected="the same names on both sides, finite values in some",
            got=f"no value in {names}" if names else f"{list(real)} and {list(synthetic)}",
            fix="measure the same things on the real and on the synthetic signals")
    known = {} if measures is None else {
        str(row.name).lower(): (row["value"], row["baseline"]) for _, row in measures.iterrows()}
    figure, axes = panels(len(names), columns, 3.5, 3.0, 0.25)
    texts = []
    for ax, (name, (a, b)) in zip(axes, values.items(), strict=True):
        _histograms(ax, a, b)
        label = LABELS.get(name, str(name).replace("_", " "))
        distance = _distance_text(a, b, known.get(f"{name} W1".replace("_", " ").lower()))
        ax.set_title(distance, fontsize=9.5)
        ax.set(xlabel=label, yticks=[])
        ax.set_ylim(top=ax.get_ylim()[1] * (1.35 if ax is axes[0] else 1.05))
        medians = (f"median {np.median(a):.3g} real, {np.median(b):.3g} synthetic, "
                   if a.size and b.size else "")
        texts.append(f"{label}: {medians}{distance}")
    for ax in axes[::min(columns, len(names))]:
        ax.set_ylabel("density")
    if axes[0].get_legend_handles_labels()[0]:
        axes[0].legend(fontsize=8.5, loc="upper right", handlelength=1.8, borderaxespad=0.1)
    figure.alt_text = f"Distributions, real and synthetic. {'. '.join(texts)}."
    return figure


@in_style
def mean_psd(real, synthetic, fs: float, lead: int = 0) -> Figure:
    """Power spectral density, median over windows with the band of the middle 80 % of them.

    Args:
        real: (window, time) or (window, time, lead), mV.
        synthetic: the same, mV.
        fs: float, Hz.
        lead: int, which lead.

    Returns:
        Figure; Welch's method, Hann windows of 2 s, dB re 1 mV²/Hz.
    """
    figure, (ax,) = panels(1, 1, 6.6, 3.5)
    medians = []
    for signals, (word, color, dash) in zip((real, synthetic), SIDES, strict=True):
        frequency, decibel = _spectra(as_strips(signals, lead), fs)
        middle, low, high = np.percentile(decibel, [50, 10, 90], axis=0)
        ax.fill_between(frequency, low, high, color=color, alpha=0.15, linewidth=0)
        ax.plot(frequency, middle, color=color, linestyle=dash, linewidth=1.6,
                label=f"{word} (n = {len(decibel):,}), band: 10-90 %")
        medians.append(middle)
    ax.set(xlabel="Frequency (Hz)", ylabel="Power density (dB re 1 mV²/Hz)",
           xlim=(0, min(fs / 2, 60)))
    ax.grid()
    ax.legend(loc="upper right")
    far = np.abs(medians[0] - medians[1]) if len(medians[0]) == len(medians[1]) else np.zeros(1)
    figure.alt_text = ("Power spectra of real and synthetic ECGs; their medians lie "
                       f"{far.mean():.1f} dB apart on average, {far.max():.1f} dB at most.")
    return figure


@in_style
def beat_overlay(real, synthetic, fs: float, lead: int = 0, before: float = 0.3,
                 after: float = 0.5, rpeaks=None, most: int = 150) -> Figure:
    """Beats laid over one another at their R peaks, real left and synthetic right, same axes.

    Args:
        real: (window, time) or (window, time, lead), mV.
        synthetic: the same, mV.
        fs: float, Hz.
        lead: int, which lead.
        before: float, s shown before R.
        after: float, s shown after R.
        rpeaks: (real, synthetic), each a list of R positions (samples) a window; default: found
            by `evaluation.descriptors.strip_rpeaks`, the same on both sides.
        most: int, beats shown a side, evenly chosen; the median is over all.

    Raises:
        InputError: no beat on either side.
    """
    figure, axes = panels(2, 2, 4.3, 3.4, sharex=True, sharey=True)
    t = np.arange(-round(before * fs), round(after * fs) + 1) / fs
    texts, limits = [], []
    for k, (ax, signals) in enumerate(zip(axes, (real, synthetic), strict=True)):
        strips = as_strips(signals, lead)
        beats = _aligned(strips, rpeaks[k] if rpeaks is not None else None, fs, t)
        ax.set_title(f"{SIDES[k][0]}: {len(beats):,} beats of {len(strips):,} windows")
        ax.set_xlabel("Time from R peak (s)")
        ax.grid()
        texts.append(f"{len(beats)} {SIDES[k][0]} beats")
        if not len(beats):
            ax.text(0.5, 0.5, "no beat found", transform=ax.transAxes, ha="center", color=WARNING)
            continue
        middle = _overlay(ax, t, beats, most, *SIDES[k][1:])
        limits.append(np.percentile(beats, [0.1, 99.9]))
        texts[-1] += f" with a median R amplitude of {middle[round(before * fs)]:.2f} mV"
    if not limits:
        raise InputError(
            "No beat was found in these signals.", expected="ECGs with at least one whole beat",
            got=f"{len(real)} real and {len(synthetic)} synthetic windows without any",
            fix="look at them with ecg_paper, or give rpeaks")
    low, high = np.min(limits), np.max(limits)
    axes[0].set(ylabel="mV", xlim=(t[0], t[-1]), ylim=(low - 0.1, high + 0.12 * (high - low)))
    figure.alt_text = f"Beats aligned at their R peaks: {' and '.join(texts)}."
    return figure


@in_style
def class_shapes(real, real_labels, synthetic, synthetic_labels, fs: float,
                 classes: Sequence[str]) -> Figure:
    """The median beat of each class and where 80 % of them lie, real beside synthetic.

    Args:
        real: (n, time) mV, R at time // 2.
        real_labels: (n,).
        synthetic: (m, time) mV.
        synthetic_labels: (m,).
        fs: float, Hz.
        classes: which, from left to right.
    """
    figure, axes = panels(len(classes), len(classes), 2.4, 2.9, sharey=True)
    time = (np.arange(np.shape(real)[1]) - np.shape(real)[1] // 2) / fs
    texts = []
    for ax, name in zip(axes, classes, strict=True):
        medians = []
        for (word, color, dash), signals, labels in zip(
                SIDES, (real, synthetic), (real_labels, synthetic_labels), strict=True):
            beats = np.asarray(signals)[np.asarray(labels) == name]
            if len(beats):
                low, middle, high = np.quantile(beats, [0.1, 0.5, 0.9], axis=0)
                ax.fill_between(time, low, high, color=color, alpha=0.16, linewidth=0)
                ax.plot(time, middle, color=color, linestyle=dash, linewidth=1.6, label=word)
                medians.append(middle)
        if len(medians) == 2:
            apart = np.abs(medians[0] - medians[1]).mean()
            texts.append(f"{name}: medians differ by {apart:.2f} mV")
        ax.set(title=name, xlabel="s from R")
        ax.grid()
    axes[0].set_ylabel("mV")
    axes[0].legend(fontsize=8, loc="upper left", handlelength=2.4)
    figure.alt_text = f"Median beat and 10 to 90 % band of each class. {'; '.join(texts)}."
    return figure


@in_style
def threshold_figure(groups: Mapping, threshold: float, xlabel: str, above: str = "above it",
                     bins: int = 40) -> Figure:
    """How the scores of several sets of strips lie about a threshold, one row a set.

    Args:
        groups: name -> (n,) scores.
        threshold: the score past which a strip counts.
        xlabel: what the score is.
        above: what a strip past the threshold is called.

    Returns:
        Figure; each row says which share lies past the threshold.

    Raises:
        InputError: no set, or one without finite scores.

    Example:
        >>> threshold_figure({"non-members": null, "members, later": later}, 0.8, "cosine")
    """
    values = {name: _finite(scores) for name, scores in groups.items()}
    empty = [name for name, scores in values.items() if not len(scores)]
    if empty or not values or not np.isfinite(threshold):
        raise InputError("These scores cannot be plotted.", expected="sets of finite scores and a "
                         "finite threshold", got=f"none in {empty}, threshold {threshold}",
                         fix="plot only what was measured")
    low, high = np.quantile(np.concatenate([*values.values(), [threshold]]), [0.002, 0.998])
    edges = np.linspace(min(low, threshold), max(high, threshold), bins + 1)
    figure, axes = panels(len(values), 1, 7.6, 0.95, 0.8, sharex=True)
    texts = []
    for k, (ax, (name, scores)) in enumerate(zip(axes, values.items(), strict=True)):
        color, share = (REAL, *COLORS)[k % 9], np.mean(scores > threshold)
        ax.hist(np.clip(scores, edges[0], edges[-1]), edges, facecolor=color + "40",
                edgecolor=color, linewidth=0.8, histtype="stepfilled")
        ax.axvline(threshold, color=WARNING, linestyle=(0, (4, 2)), linewidth=1.3)
        ax.set(yticks=[], ylim=(0, 1.5 * ax.get_ylim()[1]))  # space for the words
        words = {"transform": ax.transAxes, "va": "top", "fontsize": 9.5}
        ax.text(0.005, 0.94, f"{name} (n = {len(scores):,})", **words)
        ax.text(0.995, 0.94, f"{share:.1%} {above}", ha="right",
                color=WARNING if share > 0.05 else "#3c3c3c", **words)
        texts.append(f"{name}: {share:.1%} of {len(scores):,} strips {above}")
    axes[-1].set_xlabel(f"{xlabel}; dashed: the threshold, {threshold:.3g}")
    figure.alt_text = f"Histograms of {xlabel}, threshold {threshold:.3g}. {'; '.join(texts)}."
    return figure


def _histograms(ax, real, synthetic):
    both = np.concatenate([real, synthetic])
    low, high = np.percentile(both, [0.25, 99.75]) if both.size else (0.0, 1.0)
    bins = np.linspace(low, high if high > low else low + 1, 31)
    looks = ({"histtype": "stepfilled", "facecolor": REAL + "26", "edgecolor": REAL,
              "linewidth": 1.3},
             {"histtype": "step", "color": SYNTHETIC, "linestyle": SYNTHETIC_DASH,
              "linewidth": 1.7})
    for (word, _, _), values, how in zip(SIDES, (real, synthetic), looks, strict=True):
        if values.size:  # tails beyond the axis are kept in its outermost bins
            ax.hist(np.clip(values, bins[0], bins[-1]), bins, density=True,
                    label=f"{word} (n = {values.size:,})", **how)


def _distance_text(real, synthetic, known) -> str:
    from scipy.stats import wasserstein_distance

    missing = [word for (word, _, _), values in zip(SIDES, (real, synthetic), strict=True)
               if not values.size]
    if missing:
        return f"none found in {' and '.join(missing)} ECGs"
    if known is None:
        return f"W1 = {wasserstein_distance(real, synthetic):.3g}"
    value, baseline = known
    return f"W1 = {value:.3g}" + (f"; real against real: {baseline:.3g}"
                                  if np.isfinite(baseline) else "")


def _overlay(ax, t, beats, most, color, dash) -> np.ndarray:
    chosen = beats[np.linspace(0, len(beats) - 1, min(most, len(beats))).astype(int)]
    ax.plot(t, chosen.T, color=color, linewidth=0.6, alpha=max(0.07, 0.5 / len(chosen) ** 0.5))
    middle = np.median(beats, axis=0)
    ax.plot(t, middle, color="white", linewidth=3.6)
    ax.plot(t, middle, color=color, linewidth=1.8, linestyle=dash, label="median")
    ax.legend(loc="upper right")
    return middle


def _aligned(strips, rpeaks, fs, t) -> np.ndarray:
    if rpeaks is None:
        from ecg_tf.evaluation.descriptors import strip_rpeaks

        rpeaks = [strip_rpeaks(np.nan_to_num(strip)[None, :, None], fs)[0] for strip in strips]
    offsets = np.round(t * fs).astype(int)
    beats = [strip[peak + offsets] for strip, peaks in zip(strips, rpeaks, strict=True)
             for peak in np.round(np.asarray(peaks)).astype(int)
             if peak + offsets[0] >= 0 and peak + offsets[-1] < len(strip)]
    beats = np.array(beats).reshape(-1, len(t))
    return beats[np.isfinite(beats).all(axis=1)]


def _spectra(strips, fs):
    from scipy.signal import welch

    segment = min(round(2 * fs), min(map(len, strips)))
    spectra = [welch(np.nan_to_num(strip), fs, nperseg=segment)[1] for strip in strips]
    frequency = np.fft.rfftfreq(segment, 1 / fs)
    return frequency[1:], 10 * np.log10(np.maximum(np.array(spectra)[:, 1:], 1e-12))


def _finite(values) -> np.ndarray:
    values = np.asarray(values, dtype=float).ravel()
    return values[np.isfinite(values)]
