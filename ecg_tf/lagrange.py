"""Cubic interpolation through four neighbours, for arrays and for tensors."""

import numpy as np


def lagrange(times, last):
    """Four-point Lagrange interpolation on a whole-numbered grid 0 ... last.

    Args:
        times: array, positions from 0 to `last`.
        last: number or array, the last position there is; 3 at least.

    Returns:
        first: int array, the first of the four positions.
        weights: four arrays, the weights of positions first ... first + 3.
    """
    first = np.clip(np.floor(times) - 1, 0, last - 3)
    return first.astype(np.int64), lagrange_weights(times - first)


def lagrange_weights(t):
    """Weights of values at 0, 1, 2, 3 for the cubic through them at `t` (array or tensor)."""
    a, b, c = t - 1, t - 2, t - 3
    return a * b * c * (-1 / 6), t * b * c * 0.5, t * a * c * -0.5, t * a * b * (1 / 6)
