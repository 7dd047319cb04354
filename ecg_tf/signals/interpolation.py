"""Interpolation through eight neighbours or more, for arrays and for tensors.

Four would do for slow waves. Half-way between samples at 128 Hz they lose 9 % of a wave of 30 Hz
and 25 % of one of 40 Hz; eight lose 1 % and 10 %, and QRS complexes reach that far.
"""

import math

import numpy as np

POINTS = 8


def lagrange(times, last, points=POINTS):
    """Lagrange interpolation over `points` (even) neighbours on a whole-numbered grid 0 ... last.

    Of positions from 0 to `last` (points - 1 at least): first, int array, the first of the
    neighbours; weights, `points` arrays, of positions first, first + 1, ...
    """
    first = np.clip(np.floor(times) - (points // 2 - 1), 0, last - (points - 1))
    return first.astype(np.int64), lagrange_weights(times - first, points)


def lagrange_weights(t, points=POINTS):
    """Weights of values at 0, 1, ... for the polynomial through them at `t` (array or tensor)."""
    distances = [t - k for k in range(points)]
    below, above = [1.0], [1.0]  # products of all distances on one side of a neighbour
    for low, high in zip(distances[:-1], distances[:0:-1], strict=True):
        below.append(below[-1] * low)
        above.append(above[-1] * high)
    denominators = [(-1) ** (points - 1 - k) * math.factorial(k) * math.factorial(points - 1 - k)
                    for k in range(points)]
    return [left * right * (1 / denominator)
            for left, right, denominator in zip(below, above[::-1], denominators, strict=True)]


def interpolate(values, times, last=None, points=POINTS, window=None):
    """Values at times between samples, for many windows at once: (*shape of times, lead) float64.

    Args:
        values: (window, place, lead).
        times: (window, n) places, fractions as well; those beyond an end are moved to it.
        last: the last valid place, broadcast against `times`. Default: that of `values`.
        points: neighbours.
        window: that each time belongs to, broadcast against `times`. Default: row k of `times` to
            window k.
    """
    last = values.shape[1] - 1.0 if last is None else last
    first, weights = lagrange(np.clip(times, 0, last), last, points)
    first += (np.arange(len(values))[:, None] if window is None else window) * values.shape[1]
    found = np.empty((*first.shape, values.shape[2]))
    for lead in range(values.shape[2]):
        flat = np.ascontiguousarray(values[..., lead]).ravel()
        found[..., lead] = sum(weight * flat[first + k] for k, weight in enumerate(weights))
    return found


def interpolate_tf(values, times, last, points, precision):
    """`interpolate` for tensors: (batch, n, lead) float32.

    Of values (batch, place, lead) float32, times (batch, n) float64, those beyond an end moved to
    it, and `last` (batch or 1, 1) float64; weights are computed in `precision`.
    """
    import tensorflow as tf

    times = tf.clip_by_value(times, tf.zeros_like(last), last)
    first = tf.clip_by_value(tf.floor(times) - (points // 2 - 1.0), tf.zeros_like(last),
                             last - (points - 1.0))
    weights = lagrange_weights(tf.cast(times - first, precision), points)
    weights = [tf.cast(weight, tf.float32) for weight in weights]
    shape = tf.shape(values)
    first = tf.cast(first, tf.int32) + tf.range(shape[0])[:, None] * shape[1]
    flat = tf.reshape(values, [-1, values.shape[2]])
    return tf.add_n([tf.gather(flat, first + k) * w[..., None] for k, w in enumerate(weights)])


def reflected(values, first, last, margin: int):
    """Values that go on beyond their ends, so that interpolation has neighbours on both sides.

    Each end is a point of symmetry: v(last + k) = 2 v(last) - v(last - k). A polynomial through
    eight values on one side would swing: it enlarges noise to 2.8 times its size half-way between
    the last two values, this does not. Of (window, place, lead), valid from `first` to `last`
    (window,): (window, margin + place + margin, lead).

    Example:
        >>> reflected(np.array([[[9.0], [1.0], [2.0], [4.0]]]), [1], [3], 1)[0, :, 0].tolist()
        [-2.0, 0.0, 1.0, 2.0, 4.0, 6.0]
    """
    first, last = np.asarray(first)[:, None], np.asarray(last)[:, None]
    place = np.arange(-margin, values.shape[1] + margin)
    edge = np.clip(place, first, last)
    mirrored = np.clip(2 * edge - place, first, last)
    at_edge, inner = (np.take_along_axis(values, at[..., None], 1) for at in (edge, mirrored))
    return np.where((edge == place)[..., None], inner, 2 * at_edge - inner)
