"""What the image of a strip says of its time, made valid: where it begins and ends, and its rhythm.

A generator gives the channel "presence" and RR intervals that hardly ever agree with each other,
or with the strip's length. Here the nearest ones are found that do.
"""

import numpy as np

from ecg_tf.images.beat_rows import ON_SAMPLE

# Begin and end of a strip lie on multiples of this share of a pixel, which float32 holds exactly:
# so that an image says the same after it was read and made again.
GRID = 2.0**-12


def edges_of(presence) -> np.ndarray:
    """Begin and end that divide what is present best from what is not: (window, 2), first and last
    sample in pixels along the helix, of `presence` (window, rows, columns), 1 present to -1 empty.

    The begin lies in the first row, with the fewest pixels before it that are present, weighed by
    how much they are; the end has the most up to it. All pixels have a say in where it runs, the
    two beside it in where between the pixels.
    """
    columns = presence.shape[2]
    flat = np.clip(presence.reshape(len(presence), -1).astype(np.float64), -1, 1)
    before = np.cumsum(np.pad(flat, ((0, 0), (1, 0))), axis=1)
    first = np.argmin(before[:, : columns + 1], axis=1)
    last = np.argmax(before[:, 1:], axis=1)
    share, each = np.pad((flat + 1) / 2, ((0, 0), (1, 1))), np.arange(len(flat))
    begin = first + 1 - share[each, first + 1] - share[each, first]
    end = last - 1 + share[each, last + 1] + share[each, last + 2]
    return np.stack([begin, end], axis=1)


def possible_ends(arrangement, ends) -> np.ndarray:
    """The nearest begin and end between which the strip's length fits at some rhythm.

    Of a `BeatStrips` and ends (window, 2) in pixels along the helix: (window, 2) on `GRID`, the
    begin in the first row.
    """
    fastest, slowest = arrangement.fastest_and_slowest
    pixels, lasts = np.arange(len(fastest)), arrangement.length - 1.0
    # In steps of GRID. Limits are a little wider, so that what lay at one stays there.
    spare = _grid_samples(arrangement)
    latest = np.interp(slowest[-2] - lasts + spare, slowest, pixels)
    begin = np.clip(np.rint(ends[:, 0] / GRID), 0,
                    np.ceil(min(latest, arrangement.columns) / GRID)) * GRID
    low, high = (np.interp(np.interp(begin, pixels, times) + lasts + more, times, pixels)
                 for times, more in ((slowest, -spare), (fastest, spare)))
    end = np.clip(np.rint(ends[:, 1] / GRID), np.floor(low / GRID), np.ceil(high / GRID)) * GRID
    return np.stack([begin, np.minimum(end, len(pixels) - 2)], axis=1)


def lasting(arrangement, code, ends) -> np.ndarray:
    """RR intervals, all longer or shorter by one factor, so that the strip has its length.

    Intervals that would leave `rr_min_s` to `rr_max_s` stop there. Of a `BeatStrips`, (window, rows
    + 1) float32 of `rr_code`, and ends of `possible_ends`: a code of the same shape.
    """
    wanted = arrangement.length - 1.0
    rr = arrangement.rr_seconds(code.astype(np.float64)) * arrangement.fs
    shortest, longest = (limit * arrangement.fs
                         for limit in (arrangement.rr_min_s, arrangement.rr_max_s))

    def lasts(intervals):
        first, last = (times_at(arrangement, intervals, place) for place in ends.T)
        return last - first

    # What float32 and GRID make of valid intervals is left alone, lest each reading changes it.
    near = ON_SAMPLE + 1e-7 * arrangement.length + 3 * _grid_samples(arrangement)
    off = np.abs(lasts(rr) - wanted) > near
    if not off.any():
        return code
    ends, rr = ends[off], rr[off]
    low, high = np.log(shortest / rr.max(axis=1)), np.log(longest / rr.min(axis=1))
    for _ in range(50):  # bisection: each step halves a factor's uncertainty
        middle = (low + high) / 2
        short = lasts(np.clip(rr * np.exp(middle)[:, None], shortest, longest)) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    rr = np.clip(rr * np.exp(low)[:, None], shortest, longest)
    code = code.copy()
    code[off] = arrangement.rr_code(rr / arrangement.fs)
    return code


def times_at(arrangement, rr, place) -> np.ndarray:
    """Samples from the first row's R peak to places along the helix: (window,) float64.

    Of a `BeatStrips`, (window, rows + 1) RR intervals in samples, and (window,) pixels, fractions
    as well.
    """
    a, each = arrangement, np.arange(len(rr))
    row = np.minimum(place // a.columns, a.rows - 1).astype(int)
    peak = (np.cumsum(rr, axis=1) - rr[:, :1])[each, row]
    left, right = a.before * rr[each, row], (1 - a.before) * rr[each, row + 1]
    steps = np.stack(a.column_steps(left, right, np.minimum))
    return peak + (steps * a.column_basis(place - row * a.columns)).sum(axis=0)


def _grid_samples(arrangement) -> float:
    """Samples that a step of GRID takes at most."""
    return GRID * arrangement.margin
