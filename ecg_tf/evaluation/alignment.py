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


def nearest_strips(strips, reference, fs: float, groups=None, lead: int = 0, candidates: int = 20,
                   min_overlap: float = 0.6, progress: bool = False, apart: int = 0) -> Nearest:
    """Finds each strip's nearest reference strip, over shift, gain and ±5 % of speed.

    Shifts of up to a quarter of a strip are found (the middle half must lie in the reference strip,
    which may be longer); cut the reference with half overlap to find any shift. About 10 µs a pair.

    Args:
        strips: (n, time, lead) mV.
        reference: (m, time', lead) mV, time' >= time, m >= 2.
        fs: Hz.
        groups: (labels of strips (n,), labels of reference (m,)); strips are not compared with
            reference strips of the same label (their person, or themselves). Default None, all.
        lead: which lead to compare, default 0.
        candidates: reference strips aligned in full for each strip, default 20.
        min_overlap: share of a strip that must overlap with the reference, default 0.6.
        progress: bool, show a bar. Default False.
        apart: labels that are numbers have to differ by more than this. Default 0.

    Returns:
        Nearest, n long.

    Raises:
        InputError: wrong shapes, missing values, reference shorter than the strips or fewer than 2.

    Example:
        >>> found = nearest_strips(synthetic, training, fs=128)
        >>> found.distance.min(), found.score.max()
    """
    strips, reference = as_strips(strips, fs), as_strips(reference, fs, "reference strips")
    if reference.shape[1] < strips.shape[1] or len(reference) < 2:
        raise InputError("The reference strips do not fit.", got=reference.shape[:2],
                         expected=f"2 or more, of {strips.shape[1]} samples or longer",
                         fix="cut both sets to one length")
    if not 0 <= lead < min(strips.shape[2], reference.shape[2]):
        raise InputError("There is no such lead.", expected=f"0 to {strips.shape[2] - 1}",
                         got=lead, fix="count leads from 0")
    strips, reference = strips[..., lead], reference[..., lead]
    same = None if groups is None else [np.asarray(side) for side in groups]
    if same is not None and [len(side) for side in same] != [len(strips), len(reference)]:
        raise InputError("The groups do not fit.", expected=(len(strips), len(reference)),
                         got=tuple(map(len, same)), fix="give a label for each strip of both sets")
    coarse, fine = Coarse(reference, strips.shape[1], fs), Fine(reference, fs, min_overlap)

    def batch(start):
        part, found = strips[start:start + BATCH], []
        near = coarse.search(part)
        if same is not None:
            mine = same[0][start:start + BATCH, None]
            near[np.abs(mine - same[1]) <= apart if apart else mine == same[1]] = -2
        best = np.argpartition(-near, min(candidates, len(reference)) - 1)[:, :candidates]
        for row, (strip, chosen) in enumerate(zip(part, best, strict=True)):
            chosen = chosen[near[row, chosen] > -2]
            if len(chosen) < 2:
                raise InputError("A strip has nothing to be compared with.", expected="two "
                                 "reference strips of other groups", got=len(chosen),
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


def coarse_correlation(strips, reference, fs: float, lead: int = 0) -> np.ndarray:
    """How well the middle of each strip fits each reference strip, low-passed: a first look.

    Args:
        strips: (n, time, lead) mV.
        reference: (m, time', lead) mV, time' >= time.
        fs: Hz.
        lead: which lead to compare, default 0.

    Returns:
        (n, m) float32 correlations, the best over shift and ±5 % of speed.
    """
    strips, reference = as_strips(strips, fs), as_strips(reference, fs, "reference strips")
    return Coarse(reference[..., lead], strips.shape[1], fs).search(strips[..., lead])


def nearest_beats(strips, reference, fs: float, most: int = 4) -> np.ndarray:
    """How well each strip's beats fit their nearest reference beats, over gain and ±5 % of speed.

    Beats lie on their R peaks (-0.3 ... +0.49 s), so shift does not matter. One beat says little:
    beats of two persons reach 0.99. Copies of single beats hide there.

    Args:
        strips: (n, time, lead) mV.
        reference: (m, time', lead) mV.
        fs: Hz.
        most: beats of a strip that are compared, spread over it, default 4.

    Returns:
        (n,) mean over a strip's beats of the correlation with the nearest one; 0 without beats.

    Raises:
        InputError: wrong shapes, missing values, no beats in the reference.
    """
    strips, reference = as_strips(strips, fs), as_strips(reference, fs, "reference strips")
    known, _ = aligned_beats(reference, strip_rpeaks(reference, fs), fs)
    if not len(known):
        raise InputError("The reference strips have no beats.", expected="one or more", got=0,
                         fix="look at the reference strips")
    first, last = -BEAT_GRID[0] * 1.05 * fs, strips.shape[1] - 2 - BEAT_GRID[-1] * 1.05 * fs
    whole = [one[(one >= first) & (one <= last)] for one in strip_rpeaks(strips, fs)]
    peaks = [one[np.linspace(0, len(one) - 1, min(most, len(one))).astype(int)] for one in whole]
    known, best, owner = unit(known.reshape(len(known), -1)).T, None, np.zeros(0, int)
    for speed in (0.95, 0.975, 1, 1.025, 1.05):
        beats, owner = aligned_beats(strips, peaks, fs * speed)
        beats = unit(beats.reshape(len(beats), len(known)))
        fit = [(beats[start:start + BLOCK] @ known).max(1) for start in range(0, len(beats), BLOCK)]
        fit = np.concatenate([*fit, np.zeros(0)])
        best = fit if best is None else np.maximum(best, fit)
    count = np.bincount(owner, minlength=len(strips))
    return np.bincount(owner, best, len(strips)) / np.maximum(count, 1)
