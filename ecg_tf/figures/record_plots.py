"""Figures that introduce records: waves of a beat, beats by class, heart rate, planted flaws."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import as_strips, ecg_paper
from ecg_tf.figures.paper import draw_grid
from ecg_tf.figures.style import COLORS, REAL, WARNING, in_style, legend_above, panels

# AAMI classes: word, colour and marker; each also has its letter.
CLASSES = {
    "N": ("normal", COLORS[6], "o"), "S": ("supraventricular", COLORS[0], "^"),
    "V": ("ventricular", COLORS[1], "s"), "F": ("fusion", COLORS[2], "D"),
    "Q": ("paced or unclear", COLORS[3], "v"), "": ("detected, not annotated", COLORS[6], "o"),
}
_FLAWS = {"nan": ("missing", COLORS[5], "//"), "flat": ("flat", COLORS[4], ".."),
          "saturated": ("saturated", COLORS[1], "xx"), "step": ("a spike", COLORS[3], "++")}


@in_style
def heartbeat(signal, fs: float, rpeaks: Sequence[int], title: str = "") -> Figure:
    """One heartbeat on enlarged ECG paper, its waves, intervals and the paper's boxes pointed out.

    The beat shown is the one most like the median beat. P and T are taken where the median of all
    beats deviates most from the line between the beats; where it hardly does, they are left out.

    Args:
        signal: (time,) mV, filtered.
        fs: float, Hz.
        rpeaks: (beat,) sample positions, of normal beats.

    Raises:
        InputError: fewer than three beats with 0.45 s before and 1.1 s after them.

    Example:
        >>> figure = heartbeat(record.signal[:, 0], record.fs, rpeaks_of(record)[0])
    """
    beat, t, rr, waves = _usual_beat(np.asarray(signal, float), fs, np.asarray(rpeaks, int))
    low = np.floor(beat.min() / 0.5 - 0.4) * 0.5
    high, tall = np.ceil((beat.max() + 0.75) / 0.5) * 0.5, beat.max()
    figure, ax = _enlarged_paper(t[0], t[-1], low, high)
    ax.plot(t, beat, color=REAL, linewidth=2, solid_joinstyle="round", zorder=3)
    box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "#bbbbbb"}
    for name, at in waves.items():
        # Beside the QRS complex and above it there is space, whatever the beat looks like.
        place, side, words = {
            "P": ((-0.04, 0.62 * tall), "right", "P wave: the atria contract"),
            "R": ((0.06, tall + 0.2), "left", "R, the tip of QRS: the ventricles contract"),
            "T": ((0.05, 0.62 * tall), "left", "T wave: the ventricles recover"),
        }[name]
        arrow = {"arrowstyle": "-", "color": "#555555", "shrinkB": 3,
                 "relpos": (0.0 if name == "R" else 0.5, 0.5)}
        ax.annotate(words, (at, beat[np.argmin(np.abs(t - at))]), place, fontsize=10.5, ha=side,
                    va="center", zorder=5, bbox=box, arrowprops=arrow)
    _span(ax, 0, rr, low + 0.18, f"RR interval {rr:.2f} s: {60 / rr:.0f} beats a minute", t[-1])
    _boxes(ax, t[0], high)
    ax.set_title(title, fontsize=11)
    places = ", ".join(f"{name} at {at:+.2f} s" for name, at in waves.items())
    figure.alt_text = (
        f"One heartbeat on enlarged ECG paper: {places} (from R), R peak {beat.max():.2f} mV above "
        f"the line between the beats, next beat after {rr:.2f} s.")
    return figure


def beats_on_paper(signals, fs: float, beats: Sequence, classes: Sequence,
                   titles: Sequence[str] | None = None) -> Figure:
    """ECG paper with every beat marked by a marker and the letter of its class.

    Args:
        signals: (strip, time), (strip, time, lead) or a list of (time,), mV.
        fs: float, Hz.
        beats: one array of sample positions a strip.
        classes: one array of AAMI classes a strip, "" where beats were only detected.
        titles: one text a strip.

    Example:
        >>> beats_on_paper([signal], 360, [[120, 400]], [["N", "V"]])
    """
    strips = as_strips(signals)
    figure = ecg_paper(strips, fs, titles=titles, real=None)
    for ax, strip, positions, letters in zip(figure.axes, strips, beats, classes, strict=True):
        top = ax.get_ylim()[1] - 0.12
        for position, letter in zip(np.asarray(positions, int), letters, strict=True):
            _, color, marker = CLASSES[str(letter)]
            usual, place = letter in ("N", ""), (position / fs, min(strip[position] + 0.16, top))
            ax.plot(*place, marker, color=color, markersize=3.5 if usual else 6)
            if not usual:
                ax.annotate(letter, place, xytext=(6, -3), textcoords="offset points",
                            color=color, fontsize=10, fontweight="bold")
    counts = Counter(str(letter) for letters in classes for letter in letters)
    words = ", ".join(f"{count} {CLASSES[letter][0]}" for letter, count in counts.items())
    figure.alt_text += f" Beats marked: {words or 'none'}."
    return figure


@in_style
def heart_rate(tracks: Mapping[str, tuple]) -> Figure:
    """Heart rate along records, one panel each; beats that are not normal stand out.

    Args:
        tracks: title -> (seconds (beat,), classes (beat,)) of its beats; "" is not annotated.

    Returns:
        Figure; the rate at a beat is 60 s / its distance from the beat before.
    """
    figure, axes = panels(len(tracks), 1, 9.2, 1.75, 0.75, sharey=True)
    texts, rates = [], []
    for ax, (title, (seconds, classes)) in zip(axes, tracks.items(), strict=True):
        seconds, classes = np.asarray(seconds, float), np.asarray(classes, str)
        rates.append(60 / np.maximum(np.diff(seconds), 1e-3))
        ax.plot(seconds[1:], rates[-1], color="#9a9a9a", linewidth=0.8, zorder=1)
        for letter, (words, color, marker) in CLASSES.items():
            chosen, usual = classes[1:] == letter, letter in ("N", "")
            if chosen.any():
                ax.plot(seconds[1:][chosen], rates[-1][chosen], marker, color=color,
                        zorder=2 + (not usual), markersize=2.2 if usual else 5,
                        label=(letter + ": " if letter else "") + words)
        middle = np.median(rates[-1])
        ax.set(title=f"{title}: median {middle:.0f} bpm", xlim=(0, seconds[-1] * 1.005))
        ax.grid()
        texts.append(f"{title} {middle:.0f} bpm, {np.mean(~np.isin(classes, ['N', ''])):.1%} "
                     "beats not normal")
    low, high = np.percentile(np.concatenate(rates), [0.5, 99.5])
    axes[0].set_ylim(max(0, low - 12), high + 12)
    axes[-1].set_xlabel("Time (s)")
    figure.supylabel("Heart rate (beats a minute)", fontsize=10)
    legend_above(figure, markerscale=1.3)
    figure.alt_text = f"Heart rate along {len(tracks)} record(s): {'; '.join(texts)}."
    return figure


@in_style
def flawed(signal, fs: float, flaws: Mapping[str, np.ndarray], windows=None) -> Figure:
    """A raw signal with its flawed stretches shaded, and which windows the quality gate keeps.

    Args:
        signal: (time,) mV; NaN where samples are missing.
        fs: float, Hz.
        flaws: "nan", "flat", "saturated" -> (time,) bool.
        windows: (starts, length, kept): (window,) samples, samples, (window,) bool; default None.
    """
    signal = np.asarray(signal, float)
    figure, (ax,) = panels(1, 1, 9.2, 3.0)
    t = np.arange(len(signal)) / fs
    ax.plot(t, signal, color=REAL, linewidth=0.8)
    low, high = np.nanmin(signal), np.nanmax(signal)
    tall, texts = high - low, []
    for name, where in flaws.items():
        words, color, hatch = _FLAWS[name]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(where, int), [0]]))) / fs
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            ax.axvspan(start, stop, facecolor=color + "44", edgecolor=color, hatch=hatch,
                       linewidth=0.8, label=words)
            texts.append(f"{words} from {start:.1f} to {stop:.1f} s")
    if windows is not None:
        starts, length, kept = windows
        for start, good in zip(starts / fs, kept, strict=True):
            ax.add_patch(Rectangle((start, low - 0.24 * tall), length / fs, 0.11 * tall,
                                   facecolor="#d9efe6" if good else "white", edgecolor="#777777"))
            ax.text(start + length / fs / 2, low - 0.185 * tall,
                    "✓ kept" if good else "✗ dropped", ha="center", va="center", fontsize=8.5,
                    color="#00674b" if good else WARNING)
        texts.append(f"{int(np.sum(kept))} of {len(kept)} windows are kept")
    ax.set(xlim=(0, t[-1]), ylim=(low - (0.05 if windows is None else 0.27) * tall,
                                  high + 0.05 * tall), xlabel="Time (s)", ylabel="mV")
    legend_above(figure)
    figure.alt_text = f"A signal of {t[-1]:.0f} s: {'; '.join(texts) or 'without flaws'}."
    return figure


def _usual_beat(signal, fs, rpeaks):
    """A usual beat, with a usual one after the usual time: mV, s from R, RR in s, its waves."""
    reach = np.arange(-round(0.45 * fs), round(1.1 * fs) + 1)
    inside = (rpeaks + reach[0] >= 0) & (rpeaks + reach[-1] < len(signal))
    inside[-1:] = False  # the one after it is needed for the RR interval
    if inside.sum() < 3:
        raise InputError("There are too few beats to choose one.", expected="3 or more whole ones",
                         got=int(inside.sum()), fix="give a longer stretch, or its R peaks")
    beats = signal[rpeaks[inside, None] + reach]
    median, t = np.median(beats, axis=0), reach / fs
    # Zero lies between the beats, as a reader of ECGs takes it.
    level = np.median(median[(t > -0.36) & (t < -0.26)])
    after = np.diff(rpeaks)[inside[:-1]]
    near = (t > -0.3) & (t < 0.45)
    unlike = np.abs(beats - median)[:, near].mean(axis=1) / np.ptp(median)
    unlike += np.append(unlike[1:], np.inf) + np.abs(after / np.median(after) - 1)
    chosen = np.argmin(unlike)
    return beats[chosen] - level, t, after[chosen] / fs, _waves(t, median - level)


def _enlarged_paper(start, stop, low, high):
    """Paper nearly five times its size, so that small boxes can be counted."""
    mm = 4.8
    wide, tall = 25 * (stop - start) * mm, 10 * (high - low) * mm
    figure = Figure(figsize=((wide + 6) / 25.4, (tall + 20) / 25.4), dpi=110)
    ax = figure.add_axes((3 / (wide + 6), 10 / (tall + 20), wide / (wide + 6), tall / (tall + 20)))
    draw_grid(ax, stop, low, high, small=True, start=start)
    ticks = np.arange(np.ceil(start / 0.2), stop / 0.2) * 0.2
    ax.set_xticks(ticks, [f"{tick:.1f} s" if abs(tick) > 1e-9 else "0" for tick in ticks])
    return figure, ax


def _waves(t, median) -> dict[str, float]:
    """Where the waves of a median beat lie, s from R; those too small to be seen are left out."""
    found = {}
    for name, low, high in (("P", -0.25, -0.09), ("R", -0.02, 0.02), ("T", 0.16, 0.42)):
        part = np.flatnonzero((t >= low) & (t <= high))
        # A wave stands out from the line between the ends of its stretch.
        line = np.interp(t[part], t[part[[0, -1]]], median[part[[0, -1]]])
        at = part[np.argmax(np.abs(median[part] - line))]
        if name == "R":
            found[name] = 0.0
        elif np.abs(median[part] - line).max() > 0.03:
            found[name] = float(t[at])
    return found


def _span(ax, start, stop, height, words, end):
    shown = min(stop, end)
    style = {"arrowstyle": "<|-|>" if shown == stop else "<|-", "color": "#0072b2", "shrinkA": 0,
             "shrinkB": 0}
    ax.annotate("", (shown, height), (start, height), arrowprops=style, zorder=4)
    for x in {start, shown}:
        ax.plot([x, x], [height - 0.07, height + 0.07], color="#0072b2", linewidth=1, zorder=4)
    ax.text((start + shown) / 2, height + 0.06, words, color="#0072b2", fontsize=10.5, ha="center",
            va="bottom", zorder=4)


def _boxes(ax, start, high):
    left = np.ceil(start / 0.2) * 0.2
    ax.add_patch(Rectangle((left, high - 0.5), 0.2, 0.5, fill=False, edgecolor="#b04a2f",
                           linewidth=1.6, zorder=4))
    ax.add_patch(Rectangle((left, high - 0.1), 0.04, 0.1, facecolor="#b04a2f", zorder=4))
    ax.text(left + 0.215, high - 0.25, "large box: 0.2 s × 0.5 mV (5 mm)\nsmall box: 0.04 s × "
            "0.1 mV (1 mm)", color="#8c3a25", fontsize=9.5, va="center")
