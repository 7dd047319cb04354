"""The two searches behind `alignment`: all pairs coarsely, then the best few in full."""

import numpy as np

WARPS = np.arange(-4, 5) / 80  # speeds of the coarse search: -5 % ... +5 % in steps of 1.25 %
# A coarse match may be a beat off, with a speed that makes up for it: whole strips at all speeds.
ROUGH = np.arange(-8, 9) / 133  # below 6 Hz: -6 % ... +6 % in steps of 0.75 %
# Added to the two best of these, below 12 Hz. Steps of 0.36 % moved the last beats of 10 s by 9 ms:
# a true copy came out at 0.94, behind six other strips of a steady rhythm, and was lost.
CLOSE = np.arange(-2, 3) / 400  # steps of 0.25 %
FINALISTS = 6  # strips that are left after it
FINE = np.arange(-2, 3) / 1440  # added to these in full: steps of 0.07 %
FINEST = np.arange(-3, 4) / 4320  # and for the nearest strip alone: steps of 0.02 %
BLOCK = 512  # reference strips, or beats, compared at once
EDGE = 0.03  # of a strip left out at either end: a slowed copy does not reach there
_COARSE = (8, 40)  # Hz, low-pass and sampling rate of the comparison of all pairs
_STEPS = ((6, 40), (12, 60))  # the same of the rough and of the close step
MIN_OVERLAP = 0.6  # share of a strip that must overlap with the reference
_APART = 0.01  # two speeds that differ by less are one candidate


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


class Coarse:
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
        least = np.maximum(1e-3 * energy.max(1, keepdims=True), 1e-9)  # flat parts match nothing
        self.scale = (1 / np.sqrt(np.maximum(energy, least))).astype(np.float32)

    def search(self, strips) -> np.ndarray:
        """(n, m) best correlations over all speeds of `WARPS`."""
        from scipy.fft import irfft, rfft

        best = np.full((len(strips), len(self.spectrum)), -1, np.float32)
        for warp in WARPS:
            faster = read_faster(strips, np.full(len(strips), warp))
            slow = _low_passed(faster, self.fs, *_COARSE)
            first = (slow.shape[1] - self.piece) // 2
            piece = unit(slow[:, first:first + self.piece])
            turned = np.conj(rfft(piece, self.size, axis=1))
            for start in range(0, len(self.spectrum), BLOCK):
                block = slice(start, start + BLOCK)
                for row, spectrum in enumerate(turned):
                    match = irfft(self.spectrum[block] * spectrum, self.size, axis=1)[:, :self.lags]
                    match *= self.scale[block]
                    best[row, block] = np.maximum(best[row, block], _peak(match))
        return best


class Fine:
    """Alignment of one strip with a few reference strips, in four steps of rising accuracy."""

    def __init__(self, reference, fs: float):
        self.reference, self.fs = reference, fs
        self.slow = [_low_passed(reference, fs, *step) for step in _STEPS]

    def align(self, strip, index):
        """(index, r, r2, r of the next strip, shift, warp) of the best among some strips."""
        speeds = np.broadcast_to(ROUGH, (len(index), len(ROUGH)))
        for step, (slow, more) in enumerate(zip(self.slow, (CLOSE, FINE), strict=True)):
            low = _low_passed(strip[None], self.fs, *_STEPS[step])[0]
            match, _ = _correlations(low, slow[index], speeds)
            height = _peak(match.reshape(-1, match.shape[2])).reshape(match.shape[:2])
            if step:
                left = np.argsort(-height.max(1), kind="stable")[:FINALISTS]
                index, speeds, height = index[left], speeds[left], height[left]
            # Beats of one rhythm fit at two shifts with two speeds, nearly as well as the right
            # ones: the best speed is kept, and the best one that is not next to it.
            rows = np.arange(len(index))
            best = speeds[rows, height.argmax(1)]
            beside = np.abs(speeds - best[:, None]) < _APART
            other = speeds[rows, np.where(beside, -2, height).argmax(1)]
            speeds = np.concatenate([center[:, None] + more for center in (best, other)], 1)
        match, _ = _correlations(strip, self.reference[index], speeds)
        rows, speed = np.arange(len(match)), match.max(2).argmax(1)
        match = match[rows, speed]
        order = np.argsort(-_peak(match))
        best, next_best = order[0], _peak(match)[order[1]]
        closer = speeds[best, speed[best]] + FINEST
        again, lag = _correlations(strip, self.reference[index[best:best + 1]], closer[None])
        height = _between(again[0])
        speed_row = height.argmax()
        shift = again[0, speed_row].argmax()
        far = np.abs(np.arange(len(lag)) - shift) > 0.25 * self.fs
        second = min(again[0, speed_row][far].max(initial=0), height[speed_row])
        return (index[best], height[speed_row], second, min(next_best, height[speed_row]),
                lag[shift] / self.fs, closer[speed_row])


def _low_passed(strips, fs, cutoff, rate):
    """Strips below a frequency, at about a rate: every few samples."""
    from scipy.signal import butter, sosfiltfilt

    low = butter(4, cutoff, fs=fs, output="sos")
    return sosfiltfilt(low, strips, axis=1)[:, ::max(1, int(fs / rate))].astype(np.float32)


def _correlations(strip, reference, speeds):
    """(reference, speed, lag) correlations of one strip read at (reference, speed), and lags."""
    from scipy.fft import irfft, next_fast_len, rfft

    length, longer = len(strip), reference.shape[1]
    edge = int(EDGE * length)
    read = read_faster(strip[None], speeds.ravel())[:, edge:length - edge]
    read = _centred(read).reshape(*speeds.shape, -1)
    size = read.shape[2]
    outside = int((1 - MIN_OVERLAP) * size)
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
    there, here = (part - sums**2 / count for part, sums in zip(energy, total, strict=True))
    # Where little of a strip's energy is left, a few samples would match anything.
    enough = [part > 0.3 * MIN_OVERLAP * part.max(-1, keepdims=True) for part in (there, here)]
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


def unit(x):
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
