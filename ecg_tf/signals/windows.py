"""Windows: stretches of prepared records that remember their origin; `cutting` makes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ecg_tf.base.checks import choice, count, number
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.record import About
from ecg_tf.records.splits import assert_disjoint


@dataclass(frozen=True, eq=False)
class Windows:
    """Stretches of ECG with their origin.

    Args:
        signals: (window, time, lead) float32, mV; windows shorter than the longest end in NaN.
        fs: float, Hz.
        leads: names of the leads.
        lengths: (window,) int, valid samples of each.
        subjects: (window,) str.
        records: (window,) str.
        starts: (window,) int, first sample in the prepared (resampled) record; sequences of beats
            begin up to one sample later, see `beat_sequences`.
        rpeaks: (window, rows + 2) float64 or None, samples from the window's start: the R peak
            before, those of the `rows` beats, the one after (beat sequences); of strips (window,
            rows), those within the strip, then NaN. None: cut by time alone.
        labels: (window,) str or None, AAMI class (windows of one beat only; "" if not known).
        about: record -> what is known of it beside its signal: sex, age, statements, columns of
            a table. It stays whole when windows are chosen.

    Example:
        >>> windows = strips(prepared, length=1280)
        >>> windows.take(windows.subjects == "simulated-0-001").signals.shape
        (180, 1280, 1)
        >>> windows.statements("sex")[1].mean(axis=0)  # the share that has each
    """

    signals: np.ndarray
    fs: float
    leads: tuple[str, ...]
    lengths: np.ndarray
    subjects: np.ndarray
    records: np.ndarray
    starts: np.ndarray
    rpeaks: np.ndarray | None = None
    labels: np.ndarray | None = None
    about: Mapping[str, About] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.signals)

    def take(self, index) -> "Windows":
        """Chooses windows.

        Args:
            index: whole numbers, booleans, or a slice (which does not copy the signals).

        Returns:
            Windows, still as wide as before.
        """
        arrays = {n: a[index] for n, a in vars(self).items() if isinstance(a, np.ndarray)}
        return replace(self, **arrays)

    def statements(self, kind: str,
                   names: Sequence[str] = ()) -> tuple[tuple[str, ...], np.ndarray]:
        """Statements about the windows' records as a table of yes and no.

        Args:
            kind: str, such as "superclass", "rhythm" or "sex".
            names: the statements wanted, in that order. Default: all that occur, sorted.

        Returns:
            names; (window, name) bool. A window without any statement of the kind has only False.

        Raises:
            InputError: no record has a statement of that kind.
        """
        statements = [self.about.get(name, About()).statements(kind) for name in self.records]
        found = {statement for own in statements for statement in own}
        if not found:
            kinds = sorted({kind for about in self.about.values() for kind in about.labels})
            raise InputError(f"No record has a statement of the kind '{kind}'.",
                             expected=f"one of {', '.join([*kinds, 'sex'])}", got=repr(kind),
                             fix=closest(kind, kinds) or "name a table by metadata:, with the "
                             "column of the labels")
        names = tuple(names) or tuple(sorted(found))
        return names, np.array([[name in own for name in names] for own in statements], bool)

    def ages(self) -> np.ndarray:
        """(window,) float64, years; NaN where unknown."""
        unknown = About()
        return np.array([self.about.get(name, unknown).age for name in self.records], float)

    @staticmethod
    def concatenate(windows: "Sequence[Windows]") -> "Windows":
        """Joins sets of windows of one kind, padded to the longest with NaN.

        Args:
            windows: one set or more.

        Returns:
            Windows, in the same order.

        Raises:
            InputError: there are none, or they differ in fs, leads, number of R peaks or in having
                labels.
        """
        windows = list(windows)
        if not windows:
            raise InputError("There are no windows to join.", expected="one or more", got="none")
        first = windows[0]
        for place, other in enumerate(windows[1:], 2):
            one, two = _kind(first), _kind(other)
            if one != two:
                raise InputError(
                    f"Set 1 and set {place} of the windows are of different kinds.",
                    expected="one fs, the same leads, as many R peaks, labels in both or neither",
                    got=f"{one} and {two}",
                    fix="cut both in the same way from records of the same leads and rate",
                )
        longest = max(part.signals.shape[1] for part in windows)
        signals = np.empty((sum(map(len, windows)), longest, len(first.leads)), np.float32)
        stop = 0
        for part in windows:
            start, stop, width = stop, stop + len(part), part.signals.shape[1]
            signals[start:stop, :width] = part.signals
            signals[start:stop, width:] = np.nan
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in windows])
            for name, value in vars(first).items()
            if isinstance(value, np.ndarray) and name != "signals"
        }
        about = {name: of for part in windows for name, of in part.about.items()}
        return replace(first, signals=signals, **joined, about=about)


def cut_strips(windows: Windows, seconds: float, per_window: int = 1,
               with_source: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Cuts the middle of each window to one length, for measures that compare strips.

    Args:
        windows: windows of any lengths; those too short, or with NaN in the middle, are left out.
        seconds: float, s, length of a strip.
        per_window: int, strips side by side of a window that is long enough, default 1.
        with_source: bool, give also which window each strip is from, default False.

    Returns:
        (strip, time, lead) float32, mV; with `with_source` also (strip,) int64.

    Raises:
        InputError: a number is out of range.

    Example:
        >>> cut_strips(windows, seconds=10.0).shape
        (180, 1280, 1)
    """
    length = round(number(seconds, "seconds", 1 / windows.fs, 1e6) * windows.fs)
    per_window = count(per_window, "per_window", 1, 10_000)
    fits = np.minimum(windows.lengths // length, per_window)
    source = np.repeat(np.arange(len(windows)), fits)
    turn = np.arange(len(source)) - np.repeat(np.cumsum(fits) - fits, fits)
    start = (windows.lengths - fits * length)[source] // 2 + turn * length
    strip = np.empty((len(source), length, windows.signals.shape[2]), windows.signals.dtype)
    for row, (window, first) in enumerate(zip(source, start, strict=True)):
        strip[row] = windows.signals[window, first : first + length]
    whole = np.isfinite(strip).all(axis=(1, 2))
    if not whole.all():
        strip, source = strip[whole], source[whole]
    return (strip, source) if with_source else strip


def select_part(windows: Windows, split: Mapping[str, Sequence[str]], part: str) -> Windows:
    """The windows of the subjects of one part, in the same order; a copy of their signals.

    InputError: the split leaks, has no such part, or the part has no windows.

    Example:
        >>> train = select_part(windows, split_by_subject(records, seed=1), "train")
    """
    assert_disjoint(split)
    choice(part, "part", tuple(split))
    chosen = np.isin(windows.subjects, list(split[part]))
    if not chosen.any():
        raise InputError(
            f"No window is of the part '{part}'.",
            expected=f"windows of {list(split[part])}",
            got=f"windows of {np.unique(windows.subjects)[:9].tolist()}",
            fix="split the records that the windows were cut from, or look at what the quality "
            "gate dropped",
        )
    return windows.take(chosen)


def _kind(windows: Windows) -> str:
    rows = "no R peaks" if windows.rpeaks is None else f"{windows.rpeaks.shape[1]} R peaks"
    labels = "no labels" if windows.labels is None else "labels"
    return f"{windows.fs:g} Hz, {' + '.join(windows.leads)}, {rows}, {labels}"


def finite_signals(windows) -> np.ndarray:
    """The windows' signals (window, time, lead), NaN behind their lengths.

    Raises:
        InputError: no windows at all, or NaN or inf within one.
    """
    signals = np.asarray(windows.signals)
    if signals.ndim != 3 or not len(signals):
        raise InputError("There are no windows to standardize.",
                         expected="signals of shape (window, time, lead) with at least one window",
                         got=f"shape {signals.shape}",
                         fix="look at the report of what the quality gate dropped")
    inside = np.arange(signals.shape[1]) < np.asarray(windows.lengths)[:, None]
    if not np.isfinite(signals[inside]).all():
        bad = ~(np.isfinite(signals).all(axis=2) | ~inside).all(axis=1)
        raise InputError(f"{int(bad.sum())} of {len(bad)} windows hold NaN or inf.",
                         expected="finite mV in every valid sample",
                         got=f"window {int(np.argmax(bad))} is the first with a gap",
                         fix="turn the quality gate on when cutting windows, or drop these windows")
    # What lies behind a window's end must not count, whatever it is.
    return signals if inside.all() else np.where(inside[..., None], signals, np.nan)
