"""Beats found against beats known: sensitivity and positive predictive value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE_S = 0.15  # ANSI/AAMI EC57
EDGE_S = 0.2  # at either end of a record a beat may be cut in two: neither counted nor missed


@dataclass(frozen=True)
class Scores:
    """Counts of beats; they add up.

    Args:
        right: int, found and known.
        wrong: int, found, not known.
        missed: int, known, not found.
    """

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def sensitivity(self) -> float:
        """Share of the known beats that were found; 1 where there are none."""
        return self.right / max(self.right + self.missed, 1) if self.right + self.missed else 1.0

    @property
    def ppv(self) -> float:
        """Positive predictive value: share of the found beats that are known; 1 without any."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(self.right + other.right, self.wrong + other.wrong,
                      self.missed + other.missed)


def scores(found: np.ndarray, known: np.ndarray, fs: float, length: int,
           tolerance: float = TOLERANCE_S, edge: float = EDGE_S,
           without: Sequence[tuple[float, float]] = ()) -> Scores:
    """Compares beats one to one.

    Args:
        found: (n,) positions in samples, in any order.
        known: (m,) likewise.
        fs: float, Hz.
        length: int, samples of the record.
        tolerance: float, s, default 0.15, as ANSI/AAMI EC57 has it.
        edge: float, s, default 0.2; beats nearer to an end count neither way.
        without: (start, stop) in samples where nothing counts, such as ventricular flutter.

    Returns:
        Scores.

    Example:
        >>> scores(np.array([100, 300]), np.array([101, 200]), 100.0, 400)
        Scores(right=1, wrong=1, missed=1)
    """
    found, known = (np.sort(np.asarray(beats, np.float64)) for beats in (found, known))
    found_right, known_right = matched(found, known, tolerance * fs)

    def counts(beats):
        inside = (beats >= edge * fs) & (beats <= length - 1 - edge * fs)
        for start, stop in without:
            inside &= (beats < start) | (beats > stop)
        return inside

    return Scores(int((known_right & counts(known)).sum()),
                  int((~found_right & counts(found)).sum()),
                  int((~known_right & counts(known)).sum()))


def matched(found: np.ndarray, known: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Which of two rising arrays have a partner within `reach`; no one has two.

    Returns:
        (n,) bool, (m,) bool: as many True in both, the most there can be.
    """
    found_right, known_right = np.zeros(len(found), bool), np.zeros(len(known), bool)
    i = j = 0
    while i < len(found) and j < len(known):
        if found[i] < known[j] - reach:
            i += 1
        elif found[i] > known[j] + reach:
            j += 1
        else:
            found_right[i] = known_right[j] = True
            i, j = i + 1, j + 1
    return found_right, known_right
