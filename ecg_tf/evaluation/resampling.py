"""The one bootstrap: whole persons are resampled, for strips of one person are no new evidence."""

from collections.abc import Callable, Sequence

import numpy as np


def bootstrap(statistic: Callable, sizes: Sequence[int | tuple[int, int]], resamples: int = 1000,
              seed=0) -> np.ndarray:
    """A statistic of groups sampled again and again with replacement: (resamples, ...) values, of
    which `percentiles` makes an interval.

    Args:
        statistic: one index array a group -> value or values.
        sizes: of each group, in persons; or (population, number sampled).
        seed: int, or a Generator.

    Example:
        >>> rate = np.array([0.0, 0.2, 0.4])
        >>> bootstrap(lambda rows: rate[rows].mean(), [3], resamples=200).shape
        (200,)

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap.
    """
    rng = np.random.default_rng(seed)
    pairs = [size if isinstance(size, tuple) else (size, size) for size in sizes]
    return np.array([statistic(*(rng.integers(n, size=k) for n, k in pairs))
                     for _ in range(resamples)])


def percentiles(values, level: float = 0.95) -> tuple[float, float]:
    """(low, high) quantiles of the finite values that hold `level` of them; NaN without any."""
    values = np.asarray(values, float)
    if not np.isfinite(values).any():
        return np.nan, np.nan
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
