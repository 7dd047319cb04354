"""Figures that introduce records: waves of a beat, beats by class, heart rate, planted flaws."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import LARGE_BOX, PAPER, REAL, SMALL_BOX, STYLE, as_strips, ecg_paper

# Okabe-Ito colours that stay apart for colour-blind eyes; each class also has letter and marker.
CLASSES = {
    "N": ("normal", "#4d4d4d", "o"),
    "S": ("supraventricular", "#0072b2", "^"),
    "V": ("ventricular", "#d55e00", "s"),
    "F": ("fusion", "#009e73", "D"),
    "Q": ("paced or unclear", "#cc79a7", "v"),
    "": ("detected, not annotated", "#4d4d4d", "o"),
}
_FLAWS = {"nan": ("missing", "#56b4e9", "//"), "flat": ("flat", "#e69f00", ".."),
          "saturated": ("saturated", "#d55e00", "xx"),
          "step": ("a spike", "#cc79a7", "++")}


@matplotlib.rc_context(STYLE)
def heartbeat(signal, fs: float, rpeaks: Sequence[int], title: str = "") -> Figure:
    """One heartbeat on enlarged ECG paper, its waves, intervals and the paper's boxes pointed out.

    The beat shown is the one most like the median beat. P and T are taken where the median of all
    beats deviates most from the line between the beats; where it hardly does, they are left out.

    Args:
        signal: (time,) mV, filtered.
        fs: float, Hz.
        rpeaks: (beat,) sample positions, of normal beats.
        title: str.

    Returns:
        Figure.

    Raises:
        InputError: fewer than three beats with 0.45 s before and 1.1 s after them.

    Example:
        >>> figure = heartbeat(record.signal[:, 0], record.fs, rpeaks_of(record)[0])
    """
    signal, rpeaks = np.asarray(signal, float), np.asarray(rpeaks, int)
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
    one = np.argmin(unlike)  # a usual beat, with a usual one after the usual time
    beat, rr = beats[one] - level, after[one] / fs
    low = np.floor(beat.min() / 0.5 - 0.4) * 0.5
    high = np.ceil((beat.max() + 0.75) / 0.5) * 0.5
    figure, ax = _enlarged_paper(t[0], t[-1], low, high)
    ax.plot(t, beat, color=REAL, linewidth=2, solid_joinstyle="round", zorder=3)
    waves = _waves(t, median - level)
    for name, at in waves.items():
        here, tall = beat[np.argmin(np.abs(t - at))], beat.max()
        # Beside the QRS complex and above it there is room, whatever the beat looks like.
        place, side, words = {
            "P": ((-0.04, 0.62 * tall), "right", "P wave: the atria contract"),
            "R": ((0.06, tall + 0.2), "left", "R, the tip of QRS: the ventricles contract"),
            "T": ((0.05, 0.62 * tall), "left", "T wave: the ventricles recover"),
        }[name]
        ax.annotate(
            words, (at, here), place, fontsize=10.5, ha=side, va="center", zorder=5,
            bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "#bbbbbb"},
            arrowprops={"arrowstyle": "-", "color": "#555555", "shrinkB": 3,
                        "relpos": (0.0 if name == "R" else 0.5, 0.5)},
        )
    _span(ax, 0, rr, low + 0.18, f"RR interval {rr:.2f} s: {60 / rr:.0f} beats a minute", t[-1])
    _boxes(ax, t[0], high)
    ax.set_title(title, loc="left", fontsize=11)
    said = ", ".join(f"{name} at {at:+.2f} s" for name, at in waves.items())
    figure.alt_text = (
        f"One heartbeat on enlarged ECG paper: {said} (from R), R peak {beat.max():.2f} mV above "
        f"the line between the beats, next beat after {rr:.2f} s."
    )
    return figure


def beats_on_paper(
    signals, fs: float, beats: Sequence, classes: Sequence, titles: Sequence[str] | None = None,
    columns: int = 1, real: bool | None = None,
) -> Figure:
    """ECG paper with every beat marked by a marker and the letter of its class.

    Args:
        signals: (strip, time), (strip, time, lead) or a list of (time,), mV.
        fs: float, Hz.
        beats: one array of sample positions a strip.
        classes: one array of AAMI classes a strip, "" where beats were only detected.
        titles: one text a strip.
        columns: int, strips side by side.
        real: True, False (synthetic) or None (unmarked, default).

    Returns:
        Figure.

    Example:
        >>> beats_on_paper([signal], 360, [[120, 400]], [["N", "V"]])
    """
    strips = as_strips(signals)
    figure = ecg_paper(strips, fs, titles=titles, columns=columns, real=real)
    axes = [ax for ax in figure.axes if ax.get_xlim()[0] < 0]
    seen = {}
    for ax, strip, positions, letters in zip(axes, strips, beats, classes, strict=True):
        top = ax.get_ylim()[1]
        for position, letter in zip(np.asarray(positions, int), letters, strict=True):
            _, color, marker = CLASSES[str(letter)]
            seen[str(letter)] = seen.get(str(letter), 0) + 1
            ax.plot(position / fs, min(strip[position] + 0.16, top - 0.12), marker, color=color,
                    markersize=3.5 if letter in ("N", "") else 6)
            if letter not in ("N", ""):
                ax.annotate(
                    letter, (position / fs, min(strip[position] + 0.16, top - 0.12)),
                    xytext=(6, -3), textcoords="offset points", color=color, fontsize=10,
                    fontweight="bold",
                )
    said = ", ".join(f"{count} {CLASSES[letter][0]}" for letter, count in seen.items())
    figure.alt_text += f" Beats marked: {said or 'none'}."
    return figure


@matplotlib.rc_context(STYLE)
def heart_rate(tracks: Mapping[str, tuple]) -> Figure:
    """Heart rate along records, one panel each; beats that are not normal stand out.

    Args:
        tracks: title -> (seconds (beat,), classes (beat,)) of its beats; "" is not annotated.

    Returns:
        Figure; the rate at a beat is 60 s / its distance from the beat before.
    """
    figure = Figure(figsize=(9.2, 1.75 * len(tracks) + 0.75), dpi=110, layout="constrained")
    axes = figure.subplots(len(tracks), 1, sharey=True, squeeze=False)[:, 0]
    shown, said = set(), []
    for ax, (title, (seconds, classes)) in zip(axes, tracks.items(), strict=True):
        seconds, classes = np.asarray(seconds, float), np.asarray(classes, str)
        rate = 60 / np.maximum(np.diff(seconds), 1e-3)
        ax.plot(seconds[1:], rate, color="#9a9a9a", linewidth=0.8, zorder=1)
        for letter, (words, color, marker) in CLASSES.items():
            chosen = classes[1:] == letter
            if not chosen.any():
                continue
            small = letter in ("N", "")
            ax.plot(seconds[1:][chosen], rate[chosen], marker, color=color, zorder=3 - small,
                    markersize=2.2 if small else 5, linewidth=0,
                    label=(letter + ": " if letter else "") + words)
            shown.add(letter)
        middle = np.median(rate)
        ax.set_title(f"{title}: median {middle:.0f} bpm", loc="left", fontsize=10)
        ax.set_xlim(0, seconds[-1] * 1.005)
        ax.grid(alpha=0.35, linewidth=0.6)
        said.append(f"{title} {middle:.0f} bpm, {np.mean(~np.isin(classes, ['N', ''])):.1%} beats "
                    "not normal")
    low, high = np.percentile(np.concatenate([ax.lines[0].get_ydata() for ax in axes]), [0.5, 99.5])
    axes[0].set_ylim(max(0, low - 12), high + 12)
    axes[-1].set_xlabel("Time (s)")
    figure.supylabel("Heart rate (beats a minute)", fontsize=10)
    handles = {h.get_label(): h for ax in axes for h in ax.lines[1:]}
    figure.legend(handles.values(), handles.keys(), loc="outside upper right",
                  ncols=min(4, len(handles)), fontsize=9, markerscale=1.3)
    figure.alt_text = f"Heart rate along {len(tracks)} record(s): {'; '.join(said)}."
    return figure


@matplotlib.rc_context(STYLE)
def flawed(signal, fs: float, flaws: Mapping[str, np.ndarray], windows=None) -> Figure:
    """A raw signal with its flawed stretches shaded, and which windows the quality gate keeps.

    Args:
        signal: (time,) mV; NaN where samples are missing.
        fs: float, Hz.
        flaws: "nan", "flat", "saturated" -> (time,) bool.
        windows: (starts, length, kept): (window,) samples, samples, (window,) bool; default None.

    Returns:
        Figure.
    """
    signal = np.asarray(signal, float)
    figure = Figure(figsize=(9.2, 3.0), dpi=110, layout="constrained")
    ax = figure.subplots()
    t = np.arange(len(signal)) / fs
    ax.plot(t, signal, color=REAL, linewidth=0.8)
    low, high = np.nanmin(signal), np.nanmax(signal)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    said = []
    for name, where in flaws.items():
        words, color, hatch = _FLAWS[name]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(where, int), [0]])))
        for k, (start, stop) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
            ax.axvspan(start / fs, stop / fs, facecolor=color + "44", edgecolor=color, hatch=hatch,
                       linewidth=0.8, label=words if not k else None)
            said.append(f"{words} from {start / fs:.1f} to {stop / fs:.1f} s")
    if windows is not None:
        starts, length, kept = windows
        base = low - 0.1 * (high - low)
        for start, good in zip(starts, kept, strict=True):
            ax.add_patch(Rectangle(
                (start / fs, base - 0.08 * (high - low)), length / fs, 0.1 * (high - low),
                facecolor="#d9efe6" if good else "white", edgecolor="#777777", linewidth=0.8))
            ax.text((start + length / 2) / fs, base - 0.03 * (high - low),
                    "✓ kept" if good else "✗ dropped", ha="center", va="center", fontsize=8.5,
                    color="#00674b" if good else "#a03000")
        low = base - 0.1 * (high - low)
        said.append(f"{int(np.sum(kept))} of {len(kept)} windows are kept")
    ax.set(xlim=(0, t[-1]), ylim=(low, high), xlabel="Time (s)", ylabel="mV")
    if ax.get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper right", ncols=3, fontsize=9)
    figure.alt_text = f"A signal of {t[-1]:.0f} s: {'; '.join(said) or 'without flaws'}."
    return figure


def _enlarged_paper(start, stop, low, high):
    """Paper nearly five times its size, so that small boxes can be counted."""
    mm = 4.8
    wide, tall = 25 * (stop - start) * mm, 10 * (high - low) * mm
    figure = Figure(figsize=((wide + 6) / 25.4, (tall + 20) / 25.4), dpi=110)
    ax = figure.add_axes((3 / (wide + 6), 10 / (tall + 20), wide / (wide + 6), tall / (tall + 20)))
    for step_t, step_v, color in ((0.04, 0.1, SMALL_BOX), (0.2, 0.5, LARGE_BOX)):
        times = np.arange(np.ceil(start / step_t), stop / step_t + 1e-6) * step_t
        volts = np.arange(np.ceil(low / step_v - 1e-6), high / step_v + 1e-6) * step_v
        lines = [[(x, low), (x, high)] for x in times] + [[(start, y), (stop, y)] for y in volts]
        ax.add_collection(LineCollection(lines, colors=color, linewidths=1, zorder=0))
    ax.set(facecolor=PAPER, xlim=(start, stop), ylim=(low, high), yticks=[])
    ticks = np.arange(np.ceil(start / 0.2), stop / 0.2) * 0.2
    ax.set_xticks(ticks, [f"{tick:.1f} s" if abs(tick) > 1e-9 else "0" for tick in ticks])
    for spine in ax.spines.values():
        spine.set(visible=True, color=LARGE_BOX)
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
