"""The nearest strip of a set, whatever its shift, gain and small change of speed.

All pairs are compared coarsely (below 8 Hz, the middle half of a strip, a grid of speeds) by
blocked FFT cross-correlation; the best few are then aligned in full. No array is larger than
(block, lags), beside one (strips, reference) matrix a batch of 64 strips.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ecg_tf.errors import InputError
from ecg_tf.evaluation.descriptors import BEAT_GRID, aligned_beats, as_strips, strip_rpeaks

WARPS = np.arange(-4, 5) / 80  # speeds of the coarse search: -5 % ... +5 % in steps of 1.25 %
# A coarse match may be a beat off, with a speed that makes up for it: whole strips at all speeds.
ROUGH = np.arange(-8, 9) / 133  # below 6 Hz: -6 % ... +6 % in steps of 0.75 %
# Added to the two best of these, below 12 Hz. Steps of 0.36 % moved the last beats of 10 s by 9 ms:
# a true copy came out at 0.94, behind six other strips of a steady rhythm, and was lost.
CLOSE = np.arange(-2, 3) / 400  # steps of 0.25 %
FINALISTS = 6  # strips that are left after it
FINE = np.arange(-2, 3) / 1440  # added to these in full: steps of 0.07 %
FINEST = np.arange(-3, 4) / 4320  # and for the nearest strip alone: steps of 0.02 %
BLOCK = 512  # reference strips correlated at once
BATCH = 64  # strips whose coarse correlations are kept at once
EDGE = 0.03  # of a strip left out at either end: a slowed copy does not reach there
_COARSE = (8, 40)  # Hz, low-pass and sampling rate of the comparison of all pairs
_STEPS = ((6, 40), (12, 60))  # the same of the rough and of the close step
_APART = 0.01  # two speeds that differ by less are one guess
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
    coarse, fine = _Coarse(reference, strips.shape[1], fs), _Fine(reference, fs, min_overlap)

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
    return _Coarse(reference[..., lead], strips.shape[1], fs).search(strips[..., lead])


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
    known, best, owner = _unit(known.reshape(len(known), -1)).T, None, np.zeros(0, int)
    for speed in (0.95, 0.975, 1, 1.025, 1.05):
        beats, owner = aligned_beats(strips, peaks, fs * speed)
        beats = _unit(beats.reshape(len(beats), len(known)))
        fit = [(beats[start:start + BLOCK] @ known).max(1) for start in range(0, len(beats), BLOCK)]
        fit = np.concatenate([*fit, np.zeros(0)])
        best = fit if best is None else np.maximum(best, fit)
    count = np.bincount(owner, minlength=len(strips))
    return np.bincount(owner, best, len(strips)) / np.maximum(count, 1)


def read_faster(strips, by) -> np.ndarray:
    """Strips (n, time) read faster by a share each, (n,), about their middle: (n, time) float32.

    Past the ends the last value is held; read from four times as many samples, lest 30-40 Hz fade.
    """
    from scipy.signal import resample_poly

    length = strips.shape[1]
    at = (np.arange(length) - length / 2) * (1 + np.asarray(by)[:, None]) + length / 2
    fine = resample_poly(strips, 4, 1, axis=1, padtype="line").astype(np.float32)
    at = np.clip(4 * at, 0, fine.shape[1] - 1)
    left = np.minimum(at.astype(int), fine.shape[1] - 2)
    part = (at - left).astype(np.float32)
    # A set of one strip may be read at many speeds.
    rows = np.arange(len(fine))[:, None] if len(fine) > 1 else np.zeros((1, 1), int)
    return fine[rows, left] * (1 - part) + fine[rows, left + 1] * part


class _Coarse:
    """The middle half of a strip, slid over all reference strips at each speed."""

    def __init__(self, reference, length: int, fs: float):
        from scipy.fft import next_fast_len, rfft

        self.fs = fs
        slow = _low_passed(reference, fs, *_COARSE)
        self.piece = length // max(1, int(fs / _COARSE[1])) // 2
        self.lags = slow.shape[1] - self.piece + 1
        self.size = next_fast_len(slow.shape[1], real=True)
        self.spectrum = rfft(slow, self.size, axis=1)
        total, squares = (_running(part, self.piece) for part in (slow, slow.astype(float) ** 2))
        energy = squares - total**2 / self.piece
        least = np.maximum(1e-3 * energy.max(1, keepdims=True), 1e-9)  # flat stretches match nobody
        self.scale = (1 / np.sqrt(np.maximum(energy, least))).astype(np.float32)

    def search(self, strips) -> np.ndarray:
        """(n, m) best correlations over all speeds of `WARPS`."""
        from scipy.fft import irfft, rfft

        best = np.full((len(strips), len(self.spectrum)), -1, np.float32)
        for warp in WARPS:
            faster = read_faster(strips, np.full(len(strips), warp))
            slow = _low_passed(faster, self.fs, *_COARSE)
            first = (slow.shape[1] - self.piece) // 2
            piece = _unit(slow[:, first:first + self.piece])
            turned = np.conj(rfft(piece, self.size, axis=1))
            for start in range(0, len(self.spectrum), BLOCK):
                block = slice(start, start + BLOCK)
                for row, one in enumerate(turned):
                    match = irfft(self.spectrum[block] * one, self.size, axis=1)[:, :self.lags]
                    match *= self.scale[block]
                    best[row, block] = np.maximum(best[row, block], _peak(match))
        return best


class _Fine:
    """Alignment of one strip with a few reference strips, in four steps of rising accuracy."""

    def __init__(self, reference, fs: float, min_overlap: float):
        self.reference, self.fs, self.min_overlap = reference, fs, min_overlap
        self.slow = [_low_passed(reference, fs, *step) for step in _STEPS]

    def align(self, strip, index):
        """(index, r, r2, r of the next strip, shift, warp) of the best among some strips."""
        speeds = np.broadcast_to(ROUGH, (len(index), len(ROUGH)))
        for step, (slow, more) in enumerate(zip(self.slow, (CLOSE, FINE), strict=True)):
            low = _low_passed(strip[None], self.fs, *_STEPS[step])[0]
            match, _ = _correlations(low, slow[index], speeds, self.min_overlap)
            height = _peak(match.reshape(-1, match.shape[2])).reshape(match.shape[:2])
            if step:
                left = np.argsort(-height.max(1), kind="stable")[:FINALISTS]
                index, speeds, height = index[left], speeds[left], height[left]
            # Beats of one rhythm fit at two shifts with two speeds, nearly as well as the right
            # ones: the best speed is gone on with, and the best one that is not next to it.
            rows = np.arange(len(index))
            best = speeds[rows, height.argmax(1)]
            beside = np.abs(speeds - best[:, None]) < _APART
            other = speeds[rows, np.where(beside, -2, height).argmax(1)]
            speeds = np.concatenate([one[:, None] + more for one in (best, other)], 1)
        match, _ = _correlations(strip, self.reference[index], speeds, self.min_overlap)
        rows, speed = np.arange(len(match)), match.max(2).argmax(1)
        match = match[rows, speed]
        order = np.argsort(-_peak(match))
        best, next_best = order[0], _peak(match)[order[1]]
        closer = speeds[best, speed[best]] + FINEST
        again, lag = _correlations(strip, self.reference[index[best:best + 1]], closer[None],
                                   self.min_overlap)
        height = _between(again[0])
        one = height.argmax()
        shift = again[0, one].argmax()
        far = np.abs(np.arange(len(lag)) - shift) > 0.25 * self.fs
        second = min(again[0, one][far].max(initial=0), height[one])
        return (index[best], height[one], second, min(next_best, height[one]),
                lag[shift] / self.fs, closer[one])


def _low_passed(strips, fs, cutoff, rate):
    """Strips below a frequency, at about a rate: every few samples."""
    from scipy.signal import butter, sosfiltfilt

    low = butter(4, cutoff, fs=fs, output="sos")
    return sosfiltfilt(low, strips, axis=1)[:, ::max(1, int(fs / rate))].astype(np.float32)


def _correlations(strip, reference, speeds, min_overlap):
    """(reference, speed, lag) correlations of one strip read at (reference, speed), and lags."""
    from scipy.fft import irfft, next_fast_len, rfft

    length, longer = len(strip), reference.shape[1]
    edge = int(EDGE * length)
    read = read_faster(strip[None], speeds.ravel())[:, edge:length - edge]
    read = _centred(read).reshape(*speeds.shape, -1)
    size = read.shape[2]
    outside = int((1 - min_overlap) * size)
    lag = np.arange(-outside, longer - size + outside + 1)
    low, high = np.maximum(lag, 0), np.minimum(lag + size, longer)
    whole = next_fast_len(longer + size, real=True)
    reference = _centred(reference)
    product = rfft(reference, whole, axis=1)[:, None] * np.conj(rfft(read, whole, axis=2))
    match = irfft(product, whole, axis=2)[..., lag]
    count = high - low
    total, energy = zip(_over(reference[:, None], low, high), _over(read, low - lag, high - lag),
                        strict=True)
    match -= total[0] * total[1] / count
    there, here = (one - sums**2 / count for one, sums in zip(energy, total, strict=True))
    # Where little of a strip's energy is left, a few samples would match anything.
    enough = [one > 0.3 * min_overlap * one.max(-1, keepdims=True) for one in (there, here)]
    scaled = match / np.sqrt(np.maximum(there * here, 1e-9))
    return np.where(enough[0] & enough[1], scaled, -1), lag - edge


def _peak(match):
    """Height of each row's highest peak, between the samples by a parabola; at most 1."""
    rows, top = np.arange(len(match)), match.argmax(1)
    inner = np.clip(top, 1, match.shape[1] - 2)
    left, at, right = (match[rows, inner + step] for step in (-1, 0, 1))
    bend = np.minimum(left - 2 * at + right, -1e-6)
    height = at - (right - left) ** 2 / (8 * bend)
    inside = (inner == top) & (left > -1) & (right > -1)
    return np.minimum(np.where(inside, height, match[rows, top]), 1)


def _between(match, around: int = 12, parts: int = 8):
    """`_peak`, read from eight times as many lags: a parabola takes 0.005 off a narrow QRS."""
    from scipy.signal import resample_poly

    height = _peak(match)
    for row, top in enumerate(match.argmax(1)):
        near = match[row, max(0, top - around):top + around + 1]
        if top >= around and len(near) > 2 * around and near.min() > -1:
            height[row] = max(height[row], resample_poly(near, parts, 1, padtype="line").max())
    return np.minimum(height, 1)


def _centred(x):
    return x - x.mean(-1, keepdims=True)


def _unit(x):
    x = _centred(x)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)


def _over(x, start, stop):
    """Sum and energy of the last axis between each start and stop."""
    sums = np.zeros((2, *x.shape[:-1], x.shape[-1] + 1))
    np.cumsum(x, axis=-1, out=sums[0, ..., 1:])
    np.cumsum(x.astype(np.float64) ** 2, axis=-1, out=sums[1, ..., 1:])
    return sums[..., stop] - sums[..., start]


def _running(x, size):
    sums = np.cumsum(x, axis=1, dtype=np.float64)
    return np.concatenate([sums[:, size - 1:size], sums[:, size:] - sums[:, :-size]], axis=1)
