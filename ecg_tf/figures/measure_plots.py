"""Figures of measured things: training, distributions, spectra, beats."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import REAL, STYLE, SYNTHETIC, as_strips

LABELS = {
    "heart_rate": "Heart rate (bpm)",
    "rr": "RR interval (s)",
    "r_amplitude": "R amplitude (mV)",
    "p_amplitude": "P amplitude (mV)",
    "pr": "PR interval (s)",
    "qrs": "QRS duration (s)",
    "qt": "QT interval (s)",
    "qtc": "QTc interval (s)",
    "sdnn": "SDNN (s)",
    "rmssd": "RMSSD (s)",
}
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), "-.")


@matplotlib.rc_context(STYLE)
def training_history(history) -> Figure:
    """Losses, gradient norms, diversity and distances along a training, one panel each.

    Columns are recognized by their names: `*loss*`, `*grad*`, `*divers*`, `*mmd*` / `*distance*`;
    kinds that the history lacks are left out. The x axis is the column "step" or "epoch".

    Args:
        history: DataFrame, one row an epoch; cells may be missing.

    Returns:
        Figure.

    Raises:
        InputError: none of these columns.
    """
    x_name = next((name for name in ("step", "epoch") if name in history.columns), None)
    x = history[x_name] if x_name else history.index
    panels = []
    for title, unit, words, scale in (
        ("Losses", "loss", ("loss",), "linear"),
        ("Gradient norms", "norm (log scale)", ("grad",), "log"),
        ("Diversity", "pairwise distance, ratio to real", ("divers",), "linear"),
        ("Distance to real", "squared MMD", ("mmd", "distance"), "linear"),
    ):
        taken = [name for panel in panels for name in panel[2]]
        names = [c for c in history.columns if any(word in str(c).lower() for word in words)]
        names = [c for c in names if history[c].notna().any() and c not in taken]
        if names:
            panels.append((title, unit, names, scale))
    if not panels:
        raise InputError(
            "There is nothing in this history to draw.",
            expected="columns such as d_loss, g_loss, g_gradient_norm, diversity",
            got=", ".join(map(str, history.columns)) or "no columns",
            fix="give the history.csv of a run",
        )
    palette = _palette()
    wide = min(len(panels), 2)
    deep = -(-len(panels) // wide)
    figure = Figure(figsize=(4.9 * wide, 2.9 * deep), dpi=110, layout="constrained")
    axes = figure.subplots(deep, wide, squeeze=False).ravel()
    for ax, (title, unit, names, scale) in zip(axes, panels, strict=False):
        for k, name in enumerate(names):
            seen = history[name].notna().to_numpy()
            ax.plot(
                np.asarray(x)[seen], history[name].to_numpy(dtype=float)[seen],
                color=palette[k % len(palette)], linestyle=_DASHES[k % 4], linewidth=1.4,
                marker="." if seen.sum() < 25 else None, label=str(name).replace("_", " "),
            )
        positive = all((history[name].dropna() > 0).all() for name in names)
        ax.set(yscale=scale if positive else "linear", xlabel=x_name or "epoch", ylabel=unit)
        ax.set_title(title, loc="left")
        ax.grid(alpha=0.35, linewidth=0.6)
        if ax.get_yscale() == "log":
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter(NullFormatter())
        # Beside the title, where it hides no curve.
        ax.legend(
            fontsize=8.5, loc="lower right", bbox_to_anchor=(1.01, 0.98), handlelength=2.4,
            ncols=2 if len(names) < 3 else 1, columnspacing=1.2, borderaxespad=0.2,
        )
    for ax in axes[len(panels) :]:
        ax.remove()
    ends = [
        f"{name} ends at {history[name].dropna().iloc[-1]:.3g}" for p in panels for name in p[2]
    ]
    along = f"Training along {x_name or 'epochs'}, {len(history)} rows"
    figure.alt_text = f"{along}: {', '.join(ends)}."
    return figure


@matplotlib.rc_context(STYLE)
def distributions(
    real: Mapping, synthetic: Mapping, baseline: Mapping | None = None, columns: int = 3
) -> Figure:
    """How heart rate, R amplitude, RR ... are distributed, real and synthetic, same bins and scale.

    What was found on one side only (strips of a poor GAN may have no beats) is drawn alone.

    Args:
        real: name -> values; known names (heart_rate, rr, r_amplitude ...) get their unit.
        synthetic: name -> values, the same names.
        baseline: name -> Wasserstein-1 distance between two groups of real subjects, printed below
            the distance between real and synthetic as its yardstick.
        columns: int, panels side by side.

    Returns:
        Figure.

    Raises:
        InputError: no name in common, or no finite value at all.
    """
    from scipy.stats import wasserstein_distance

    names = [name for name in real if name in synthetic]
    values = {name: (_finite(real[name]), _finite(synthetic[name])) for name in names}
    if not any(side.size for name in names for side in values[name]):
        raise InputError(
            "These distributions cannot be compared.",
            expected="the same names on both sides, finite values in some",
            got=f"no value in {names}" if names else f"{list(real)} and {list(synthetic)}",
            fix="measure the same things on the real and on the synthetic signals",
        )
    wide = min(columns, len(names))
    deep = -(-len(names) // wide)
    figure = Figure(figsize=(3.5 * wide, 3.0 * deep + 0.25), dpi=110, layout="constrained")
    axes = figure.subplots(deep, wide, squeeze=False).ravel()
    said = []
    for ax, name in zip(axes, names, strict=False):
        a, b = values[name]
        both = np.concatenate([a, b])
        low, high = np.percentile(both, [0.25, 99.75]) if both.size else (0.0, 1.0)
        bins = np.linspace(low, high if high > low else low + 1, 31)
        # Tails beyond the axis are kept in its outermost bins: nothing falls out of sight.
        if a.size:
            ax.hist(
                np.clip(a, bins[0], bins[-1]), bins, density=True, histtype="stepfilled",
                facecolor=REAL + "26", edgecolor=REAL, linewidth=1.3,
                label=f"real (n = {a.size:,})",
            )
        if b.size:
            ax.hist(
                np.clip(b, bins[0], bins[-1]), bins, density=True, histtype="step",
                color=SYNTHETIC, linestyle=(0, (4, 1.5)), linewidth=1.7,
                label=f"synthetic (n = {b.size:,})",
            )
        label = LABELS.get(name, str(name).replace("_", " "))
        if a.size and b.size:
            text = f"W1 = {wasserstein_distance(a, b):.3g}"
            if baseline is not None and name in baseline:
                text += f"; real against real: {baseline[name]:.3g}"
            said.append(f"{label}: median {np.median(a):.3g} real, {np.median(b):.3g} "
                        f"synthetic, {text}")
        else:
            sides = [side for side, one in (("real", a), ("synthetic", b)) if not one.size]
            text = f"none found in {' and '.join(sides)} ECGs"
            said.append(f"{label}: {text}")
        ax.set_title(text, loc="left", fontsize=9.5)
        ax.set(xlabel=label, yticks=[])
        ax.set_ylabel("density" if ax in axes[::wide] else "")
    for ax in axes[len(names) :]:
        ax.remove()
    if axes[0].get_legend_handles_labels()[0]:
        axes[0].legend(fontsize=8.5, loc="upper right", handlelength=1.8, borderaxespad=0.1)
    for ax in axes[: len(names)]:
        ax.set_ylim(top=ax.get_ylim()[1] * (1.35 if ax is axes[0] else 1.05))
    figure.alt_text = f"Distributions, real and synthetic. {'. '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
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
    figure = Figure(figsize=(6.6, 3.5), dpi=110, layout="constrained")
    ax = figure.subplots()
    medians = []
    for signals, color, dash, alpha, word in (
        (real, REAL, "-", 0.13, "real"),
        (synthetic, SYNTHETIC, (0, (5, 1.5)), 0.2, "synthetic"),
    ):
        frequency, decibel = _spectra(as_strips(signals, lead), fs)
        middle, low, high = np.percentile(decibel, [50, 10, 90], axis=0)
        ax.fill_between(frequency, low, high, color=color, alpha=alpha, linewidth=0)
        ax.plot(frequency, middle, color=color, linestyle=dash, linewidth=1.6,
                label=f"{word} (n = {len(decibel):,}), band: 10-90 %")
        medians.append(middle)
    ax.set(xlabel="Frequency (Hz)", ylabel="Power density (dB re 1 mV²/Hz)")
    ax.set_xlim(0, min(fs / 2, 60))
    ax.grid(alpha=0.35, linewidth=0.6)
    ax.legend(fontsize=9, loc="upper right")
    far = np.abs(medians[0] - medians[1]) if len(medians[0]) == len(medians[1]) else np.zeros(1)
    figure.alt_text = (
        "Power spectra of real and synthetic ECGs; their medians lie "
        f"{far.mean():.1f} dB apart on average, {far.max():.1f} dB at most."
    )
    return figure


@matplotlib.rc_context(STYLE)
def beat_overlay(
    real, synthetic, fs: float, lead: int = 0, before: float = 0.3, after: float = 0.5,
    rpeaks=None, most: int = 150,
) -> Figure:
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
        most: int, beats drawn a side, evenly chosen; the median is over all.

    Returns:
        Figure.

    Raises:
        InputError: no beat on either side.
    """
    figure = Figure(figsize=(8.6, 3.4), dpi=110, layout="constrained")
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    t = np.arange(-round(before * fs), round(after * fs) + 1) / fs
    said, limits = [], []
    for side, (ax, signals, color, word) in enumerate(
        zip(axes, (real, synthetic), (REAL, SYNTHETIC), ("real", "synthetic"), strict=True)
    ):
        strips = as_strips(signals, lead)
        beats = _aligned(strips, rpeaks[side] if rpeaks is not None else None, fs, t)
        ax.set_title(f"{word}: {len(beats):,} beats of {len(strips):,} windows", loc="left")
        ax.set_xlabel("Time from R peak (s)")
        ax.grid(alpha=0.35, linewidth=0.6)
        said.append(f"{len(beats)} {word} beats")
        if not len(beats):
            ax.text(0.5, 0.5, "no beat found", transform=ax.transAxes, ha="center", color="#a03000")
            continue
        chosen = beats[np.linspace(0, len(beats) - 1, min(most, len(beats))).astype(int)]
        ax.plot(t, chosen.T, color=color, linewidth=0.6, alpha=max(0.07, 0.5 / len(chosen) ** 0.5))
        middle = np.median(beats, axis=0)
        ax.plot(t, middle, color="white", linewidth=3.6)
        dash = "-" if word == "real" else (0, (5, 1))
        ax.plot(t, middle, color=color, linewidth=1.8, linestyle=dash, label="median")
        ax.legend(fontsize=9, loc="upper right")
        limits.append(np.percentile(beats, [0.1, 99.9]))
        said[-1] += f" with a median R amplitude of {middle[round(before * fs)]:.2f} mV"
    if not limits:
        raise InputError(
            "No beat was found in these signals.",
            expected="ECGs with at least one whole beat",
            got=f"{len(real)} real and {len(synthetic)} synthetic windows without any",
            fix="look at them with ecg_paper, or give rpeaks",
        )
    low, high = np.min(limits), np.max(limits)
    axes[0].set(ylabel="mV", xlim=(t[0], t[-1]), ylim=(low - 0.1, high + 0.12 * (high - low)))
    figure.alt_text = f"Beats aligned at their R peaks: {' and '.join(said)}."
    return figure


def _aligned(strips, rpeaks, fs, t) -> np.ndarray:
    if rpeaks is None:
        from ecg_tf.evaluation.descriptors import strip_rpeaks

        rpeaks = [strip_rpeaks(np.nan_to_num(strip)[None, :, None], fs)[0] for strip in strips]
    offsets = np.round(t * fs).astype(int)
    beats = [
        strip[peak + offsets]
        for strip, peaks in zip(strips, rpeaks, strict=True)
        for peak in np.round(np.asarray(peaks)).astype(int)
        if peak + offsets[0] >= 0 and peak + offsets[-1] < len(strip)
    ]
    beats = np.array(beats).reshape(-1, len(t))
    return beats[np.isfinite(beats).all(axis=1)]


def _spectra(strips, fs):
    from scipy.signal import welch

    segment = min(round(2 * fs), min(len(strip) for strip in strips))
    spectra = [welch(np.nan_to_num(strip), fs, nperseg=segment)[1] for strip in strips]
    frequency = np.fft.rfftfreq(segment, 1 / fs)
    return frequency[1:], 10 * np.log10(np.maximum(np.array(spectra)[:, 1:], 1e-12))


def _finite(values) -> np.ndarray:
    values = np.asarray(values, dtype=float).ravel()
    return values[np.isfinite(values)]


def _palette():
    import seaborn

    return seaborn.color_palette("colorblind")
