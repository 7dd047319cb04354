"""The nearest strip of a set, whatever its shift, gain and small change of speed.

All pairs are compared coarsely (below 8 Hz, the middle half of a strip, a grid of speeds) by
blocked FFT cross-correlation; the best few are then aligned in full (`alignment_search`). No array
is larger than (block, lags), beside one (strips, reference) matrix a batch of 64 strips.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.alignment_search import BLOCK, Coarse, Fine, unit
from ecg_tf.evaluation.descriptors import BEAT_GRID, aligned_beats, as_strips, strip_rpeaks

BATCH = 64  # strips whose coarse correlations are kept at once
BEATS = 4  # of a strip that are compared, spread over it
_LEAST = 1e-4  # share of the energy below which two signals count as equal: planted copies reach it


@dataclass(frozen=True)
class Nearest:
    """What `nearest_strips` found for each of n strips.

    Args:
        index: (n,) int, the nearest reference strip.
        correlation: (n,) aligned normalized correlation with it, -1 ... 1; gain does not matter.
        second: (n,) the best correlation with the same strip at another shift (0.25 s or more
            away): how well its beats fit anywhere.
        next_best: (n,) correlation with the second nearest reference strip.
        shift_s: (n,) s, how much later it lies in the reference strip.
        warp: (n,) by how much it had to be read faster, -0.08 ... 0.08.
    """

    index: np.ndarray
    correlation: np.ndarray
    second: np.ndarray
    next_best: np.ndarray
    shift_s: np.ndarray
    warp: np.ndarray

    @property
    def distance(self) -> np.ndarray:
        """Distance to the closest record (DCR), 1 - correlation: the energy left unexplained."""
        return 1 - self.correlation

    @property
    def ratio(self) -> np.ndarray:
        """Nearest-neighbour distance ratio (NNDR), nearest / second nearest reference strip."""
        return (self.distance + _LEAST) / (1 - self.next_best + _LEAST)

    @property
    def score(self) -> np.ndarray:
        """How much of a copy it is: -ln(1 - r) + ln((1 - r2) / (1 - r)).

        r is the correlation at the best shift, r2 at the second best. Beat trains of one rhythm
        correlate highly at every shift by a beat (r ~ r2: the second term is near 0); a copy fits
        at one shift only, because there its intervals and the noise of its beats fit too.
        """
        left = np.log(self.distance + _LEAST)
        return np.log(1 - self.second + _LEAST) - 2 * left


def nearest_strips(strips, reference, fs: float, excluded=None, candidates: int = 20,
                   progress: bool = False) -> Nearest:
    """Finds each strip's nearest reference strip, over shift, gain and ±5 % of speed; first lead.

    Shifts of up to a quarter of a strip are found: the middle half must lie in the reference strip,
    which may be longer. About 10 µs a pair.

    Args:
        strips: (n, time, lead) mV.
        reference: (m, time', lead) mV, time' >= time, m >= 2.
        fs: Hz.
        excluded: (n, m) bool, pairs that are not compared; default None, all are.
        candidates: reference strips aligned in full for each strip, default 20.
        progress: bool, show a bar. Default False.

    Returns:
        Nearest, n long.

    Raises:
        InputError: wrong shapes, missing values, reference shorter than the strips or fewer than 2.

    Example:
        >>> found = nearest_strips(synthetic, training, fs=128)
        >>> found.distance.min(), found.score.max()
    """
    strips, reference = _first_leads(strips, reference, fs)
    if reference.shape[1] < strips.shape[1] or len(reference) < 2:
        raise InputError("The reference strips do not fit.", got=reference.shape[:2],
                         expected=f"2 or more, of {strips.shape[1]} samples or longer",
                         fix="cut both sets to one length")
    coarse, fine = Coarse(reference, strips.shape[1], fs), Fine(reference, fs)

    def batch(start):
        part, found = strips[start:start + BATCH], []
        near = coarse.search(part)
        if excluded is not None:
            near[excluded[start:start + BATCH]] = -2
        best = np.argpartition(-near, min(candidates, len(reference)) - 1)[:, :candidates]
        for row, (strip, chosen) in enumerate(zip(part, best, strict=True)):
            chosen = chosen[near[row, chosen] > -2]
            if len(chosen) < 2:
                raise InputError("A strip has nothing to be compared with.", expected="two "
                                 "reference strips that are not excluded", got=len(chosen),
                                 fix="add reference strips")
            found.append(fine.align(strip, chosen))
        return found

    starts = range(0, len(strips), BATCH)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:  # the transforms free Python
        batches = pool.map(batch, starts)
        if progress:
            from tqdm.auto import tqdm

            batches = tqdm(batches, desc="nearest strips", unit="batch", leave=False,
                           total=len(starts))
        columns = np.array([row for rows in batches for row in rows]).T
    return Nearest(columns[0].astype(int), *columns[1:])


def coarse_correlation(strips, reference, fs: float) -> np.ndarray:
    """(n, m) correlations of each strip's middle, low-passed: a first look for `nearest_strips`."""
    strips, reference = _first_leads(strips, reference, fs)
    return Coarse(reference, strips.shape[1], fs).search(strips)


def _first_leads(strips, reference, fs):
    return as_strips(strips, fs)[..., 0], as_strips(reference, fs, "reference strips")[..., 0]


def nearest_beats(strips, reference, fs: float) -> np.ndarray:
    """How well each strip's beats fit their nearest reference beats, over gain and ±5 % of speed.

    Beats lie on their R peaks (-0.3 ... +0.49 s), so shift does not matter. Up to four beats of a
    strip are compared, as one says little: beats of two persons reach 0.99. Of (n, time, lead) and
    (m, time', lead) mV: (n,) mean over a strip's beats of the correlation with the nearest one, 0
    without beats. InputError for wrong shapes, missing values, no beats in the reference.
    """
    strips, reference = as_strips(strips, fs), as_strips(reference, fs, "reference strips")
    known, _ = aligned_beats(reference, strip_rpeaks(reference, fs), fs)
    if not len(known):
        raise InputError("The reference strips have no beats.", expected="one or more", got=0,
                         fix="look at the reference strips")
    first, last = -BEAT_GRID[0] * 1.05 * fs, strips.shape[1] - 2 - BEAT_GRID[-1] * 1.05 * fs
    whole = [r[(r >= first) & (r <= last)] for r in strip_rpeaks(strips, fs)]
    peaks = [r[np.linspace(0, len(r) - 1, min(BEATS, len(r))).astype(int)] for r in whole]
    known, best, owner = unit(known.reshape(len(known), -1)).T, None, np.zeros(0, int)
    for speed in (0.95, 0.975, 1, 1.025, 1.05):
        beats, owner = aligned_beats(strips, peaks, fs * speed)
        beats = unit(beats.reshape(len(beats), len(known)))
        fit = [(beats[start:start + BLOCK] @ known).max(1) for start in range(0, len(beats), BLOCK)]
        fit = np.concatenate([*fit, np.zeros(0)])
        best = fit if best is None else np.maximum(best, fit)
    count = np.bincount(owner, minlength=len(strips))
    return np.bincount(owner, best, len(strips)) / np.maximum(count, 1)
