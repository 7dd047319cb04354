"""Training strips continued by what follows them, so that copies begun anywhere are found."""

from dataclasses import dataclass

import numpy as np

from ecg_tf.evaluation.alignment import Nearest, nearest_strips
from ecg_tf.signals.selection import thin_rows
from ecg_tf.signals.windows import Windows

SHIFT_S = 1.5  # s by which planted copies are shifted at most


@dataclass(frozen=True, eq=False)
class CopyReference:
    """The strips in which copies are sought.

    Args:
        strips: (m, longer, lead) mV.
        length: samples of a strip, without what follows it.
        fs: Hz.
        places: (m,) int; strips next to each other in a record differ by 1, those of two records
            by 10 or more.
    """

    strips: np.ndarray
    length: int
    fs: float
    places: np.ndarray

    def nearest(self, strips, progress: bool = False) -> Nearest:
        """`nearest_strips` among these."""
        return nearest_strips(strips, self.strips, self.fs, progress=progress)

    def nearest_others(self, rows, progress: bool = False) -> Nearest:
        """The same of some of these strips, each without itself and what overlaps with it."""
        apart = int(self.strips.shape[1] > self.length)
        excluded = np.abs(self.places[rows, None] - self.places) <= apart
        return nearest_strips(middle(self.strips[rows], self.length), self.strips, self.fs,
                              excluded, progress=progress)


def copy_reference(train: Windows, most: int | None = None) -> CopyReference:
    """Makes the reference of `fit_copy_test`.

    Args:
        train: all strips the generator was trained on. Where most are followed by another of their
            record, each gets half a strip or more of what follows it.
        most: strips to keep, evenly over the persons; default None, all.
    """
    length = train.signals.shape[1]
    extra = min(length, max(length // 2, int(2 * SHIFT_S * train.fs) + 2))
    # Thinned out afterwards: what follows a strip need not be kept itself.
    kept = thin_rows(train, len(train) if most is None else most)
    strips = (stretched(train, extra) if has_neighbours(train) else train.signals)[kept]
    return CopyReference(strips, length, train.fs, _places(train)[kept])


def stretched(windows: Windows, extra: int) -> np.ndarray:
    """Strips of one length with `extra` samples behind them in their record, at most their length:
    (n, time + extra, lead) float32. At the end of a stretch the samples before a strip are added; a
    strip without any neighbour holds its last value."""
    length = windows.signals.shape[1]
    out = np.concatenate([windows.signals, np.repeat(windows.signals[:, -1:], extra, 1)], 1)
    for record in np.unique(windows.records):
        mine = np.flatnonzero(windows.records == record)
        mine = mine[np.argsort(windows.starts[mine], kind="stable")]
        start = windows.starts[mine]
        after = np.searchsorted(start, start + length, "right") - 1
        before = np.searchsorted(start, start - length, "left")
        for row, (begin, far, near) in enumerate(zip(start, after, before, strict=True)):
            ahead = begin + length - start[far]
            back = begin - start[near]
            if far > row and ahead + extra <= length:
                out[mine[row], length:] = windows.signals[mine[far], ahead:ahead + extra]
            elif near < row and extra <= back <= length:
                out[mine[row], extra:] = windows.signals[mine[row]]
                out[mine[row], :extra] = windows.signals[mine[near], back - extra:back]
    return out


def has_neighbours(windows: Windows) -> bool:
    """Whether most strips are followed by another of the same record, with no gap between."""
    order = np.lexsort((windows.starts, windows.records))
    step, same = np.diff(windows.starts[order]), ~_new_record(windows, order)[1:]
    near = same & (step > 0) & (step <= windows.signals.shape[1])
    return bool(near.mean() > 0.5) if len(near) else False


def middle(windows, length: int, shift=0) -> np.ndarray:
    """(n, length, lead): the middle of each window, or as many samples later as `shift` (n,)."""
    first = (windows.shape[1] - length) // 2 + np.broadcast_to(shift, len(windows))
    return np.take_along_axis(windows, (first[:, None] + np.arange(length))[..., None], axis=1)


def _places(windows: Windows) -> np.ndarray:
    order = np.lexsort((windows.starts, windows.records))
    out = np.empty(len(order), int)
    out[order] = np.arange(len(order)) + 10 * np.cumsum(_new_record(windows, order))
    return out


def _new_record(windows: Windows, order) -> np.ndarray:
    return np.r_[False, windows.records[order][1:] != windows.records[order][:-1]]
