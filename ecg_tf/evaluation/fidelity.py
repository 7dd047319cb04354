"""Distances between a real and a synthetic set of features.

Features (n, d) are descriptions (`descriptors.describe`) or an embedding. Each function gives a
bare value; baseline and interval come from `baselines`. Distances are computed block by block: no
array is larger than (block, n) beside its inputs.
"""

import numpy as np

from ecg_tf.base.errors import InputError, TooFew

BLOCK = 512  # rows of a distance matrix made at once
MANY_FEATURES = 1000  # from there on principal axes are not sought exactly


def mmd2(x, y, bandwidth: float | None = None, permutations: int = 200, seed: int = 0,
         groups=None) -> tuple[float, float]:
    """Squared maximum mean discrepancy, unbiased, with ONE Gaussian kernel for all three parts.

    MMD² = mean k(x_i, x_j), i≠j + mean k(y_i, y_j), i≠j - 2 mean k(x_i, y_j),
    k(a, b) = exp(-|a - b|² / (2 s²)), s the median distance of the pooled set. It may be negative,
    as for copies: clipping it at 0, or a bandwidth for each part, hides what it measures.

    The p-value permutes windows. Windows of one person are alike, so it is small for other persons
    too: `groups` permutes whole persons instead.

    Args:
        x: (n, d), n >= 2.
        y: (m, d), m >= 2.
        bandwidth: s; default None, the pooled median.
        permutations: of the p-value, (1 + exceedances) / (1 + permutations); 0 gives NaN.
        groups: (n + m,) labels of x's, then y's persons; default None, every window for itself.

    Returns:
        (value, p-value).

    Raises:
        InputError: other dimensions, too few rows, missing values, a bandwidth that is not > 0.

    Source: Gretton et al. 2012, JMLR 13:723, eq. 3; permutation p-value: Phipson & Smyth 2010.
    """
    x, y = checked_features(x, y)
    pooled, n = np.concatenate([x, y]), len(x)
    if bandwidth is None:
        bandwidth = median_distance(pooled, seed=seed) or 1.0
    if not bandwidth > 0:
        raise InputError("A kernel needs a width.", expected="bandwidth > 0", got=bandwidth,
                         fix="leave it out: the pooled median is used")
    sides = np.stack([np.arange(len(pooled)) < n] + _permuted(n, len(pooled), permutations, seed,
                                                              groups), 1).astype(np.float32)
    within, cross, total = np.zeros((3, sides.shape[1]))
    for rows, squares in _blocks(pooled, pooled):
        kernel = np.exp(squares / (-2 * bandwidth**2))
        kernel[np.arange(len(kernel)), np.arange(rows.start, rows.stop)] = 0  # i = j left out
        to_x, side = kernel @ sides, sides[rows]
        within += (side * to_x).sum(0, dtype=np.float64)
        cross += ((1 - side) * to_x).sum(0, dtype=np.float64)
        total += kernel.sum(dtype=np.float64)
    a = sides.sum(0, dtype=np.float64)
    b = len(pooled) - a
    values = (within / (a * (a - 1)) + (total - within - 2 * cross) / (b * (b - 1))
              - 2 * cross / (a * b))
    p_value = (1 + (values[1:] >= values[0]).sum()) / len(values) if permutations else np.nan
    return float(values[0]), float(p_value)


def precision_recall_density_coverage(real, synthetic, k: int = 5, cap: float | None = 0.75,
                                      groups=None) -> dict[str, float]:
    """Shares of synthetic windows among real ones, and the other way round.

    With r_k(i) the distance of sample i to its k-th neighbour in its own set:
    precision = share of synthetic within r_k of ANY real (not only the nearest: its ball may be
    small), recall = the same with the sets exchanged; density = synthetic-in-ball count / k / m;
    coverage = share of real balls that hold at least one synthetic.

    Two things differ from the sources, because windows of one person are alike:
    * with `groups` a real window's neighbours are sought among other persons. Else its ball holds
      only its own person: on MIT-BIH strips of 10 persons other real ones had a precision of 0.01,
      and of 0.83 with groups.
    * no ball is larger than the `cap` quantile of the real ones. Else a few odd windows (noise,
      fibrillation) have balls that hold white noise, and a set of tenfold amplitude has balls that
      hold everything (recall 1).

    Recall is the weakest of the four, coverage measures the same better (Naeem).

    Args:
        real: (n, d), n > k.
        synthetic: (m, d), m > k. Compare equal sizes only: the balls shrink with n.
        k: neighbours, default 5.
        cap: quantile in (0, 1] of the real radii; default 0.75; None for no cap.
        groups: (n,) persons of the real windows; default None, every window for itself.

    Returns:
        dict precision, recall, density (may pass 1, does so with groups), coverage.

    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
    """
    real, synthetic = checked_features(real, synthetic, least=k + 1)
    real_radius = neighbour_distance(real, k, groups)
    synthetic_radius = neighbour_distance(synthetic, k)
    if cap is not None:
        largest = np.quantile(real_radius, cap)
        real_radius = np.minimum(real_radius, largest)
        synthetic_radius = np.minimum(synthetic_radius, largest)
    balls, precise = 0, np.zeros(len(synthetic), bool)
    recalled, covered = np.zeros((2, len(real)), bool)
    for rows, squares in _blocks(real, synthetic):
        distance = np.sqrt(squares)
        in_real = distance <= real_radius[rows, None]
        balls += int(in_real.sum())
        precise |= in_real.any(0)
        covered[rows] = in_real.any(1)
        recalled[rows] = (distance <= synthetic_radius).any(1)
    return {"precision": float(precise.mean()), "recall": float(recalled.mean()),
            "density": balls / (k * len(synthetic)), "coverage": float(covered.mean())}


def frechet_distance(real, synthetic, dimensions: int = 32, limit: float = 5.0) -> float:
    """Fréchet distance of two Gaussians, in the leading principal axes of both sets together.

    |m1 - m2|² + tr(C1 + C2 - 2 (C1^½ C2 C1^½)^½). Axes of the real set alone would miss what a
    synthetic set does outside them. Covariances are shrunk (Ledoit-Wolf), since with few windows
    raw ones make equal sets look different. Rows farther from the real median than `limit` times
    the median real row are moved to that distance: else one artefact of 7 mV among 110 ECG-ID
    strips moved the distance of two halves of real persons from 1 to 25.

    Args:
        real: (n, d).
        synthetic: (m, d).
        dimensions: principal axes kept, default 32.
        limit: default 5; `np.inf` for the plain distance.

    Returns:
        float >= 0, in squared units of the features.

    Source: Dowson & Landau 1982; Heusel et al. 2017, arXiv:1706.08500.
    """
    from sklearn.covariance import ledoit_wolf

    x, y = (side.astype(np.float64) for side in checked_features(real, synthetic))
    center = np.median(x, axis=0)
    x, y = x - center, y - center
    farthest = limit * max(np.median(np.linalg.norm(x, axis=1)), 1e-12)
    norms = (np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    x, y = (side * np.minimum(1, farthest / np.maximum(norm, 1e-12))
            for side, norm in zip((x, y), norms, strict=True))
    center = (x.mean(0) + y.mean(0)) / 2
    x, y = x - center, y - center
    # Both sides weigh alike, whatever their sizes.
    axes = _leading_axes(np.concatenate([x / np.sqrt(len(x)), y / np.sqrt(len(y))]), dimensions)
    x, y = x @ axes, y @ axes
    cov_x, cov_y = ledoit_wolf(x)[0], ledoit_wolf(y)[0]
    values, vectors = np.linalg.eigh(cov_x)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    middle = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov_y @ root), 0)).sum()
    shift = ((x.mean(0) - y.mean(0)) ** 2).sum()
    return float(max(shift + np.trace(cov_x) + np.trace(cov_y) - 2 * middle, 0.0))


def _leading_axes(rows: np.ndarray, count: int) -> np.ndarray:
    """(d, count) principal axes of rows (n, d) about 0, in a fixed order.

    Of more than `MANY_FEATURES` they are found by random projections (Halko, Martinsson and Tropp
    2011, arXiv:0909.4061): twelve leads have 2,128 features, whose exact axes take 4 s each time.
    """
    if rows.shape[1] <= MANY_FEATURES:
        _, axes = np.linalg.eigh(rows.T @ rows)
        return axes[:, -min(count, axes.shape[1]):]
    from sklearn.utils.extmath import randomized_svd

    return randomized_svd(rows, count, n_oversamples=64, n_iter=4, random_state=0)[2].T


def diversity(real, synthetic, k: int = 1) -> dict[str, float]:
    """Diversity of the synthetic set relative to the real one, and its near-duplicates.

    Args:
        real: (n, d) features.
        synthetic: (m, d); compare equal sizes.
        k: neighbour that counts as a duplicate, default 1.

    Returns:
        dict: `diversity`, mean pairwise distance of the synthetic set / of the real set (1 is
        right, 0 is collapse); `near_duplicates`, share of synthetic windows whose neighbour in the
        set is nearer than that of 99 % of the real windows (0.01 by construction for the real).
    """
    real, synthetic = checked_features(real, synthetic, least=k + 1)
    spread = [sum(np.sqrt(squares).sum(dtype=np.float64) for _, squares in _blocks(side, side))
              / (len(side) * (len(side) - 1)) for side in (real, synthetic)]
    close = np.quantile(neighbour_distance(real, k), 0.01)
    # The distance of two equal rows, by way of |a|² + |b|² - 2ab, is not quite 0 in float32.
    close = max(close, 1e-3 * spread[0])
    return {"diversity": float(spread[1] / max(spread[0], 1e-12)),
            "near_duplicates": float((neighbour_distance(synthetic, k) <= close).mean())}


def neighbour_distance(x, k: int = 1, groups=None) -> np.ndarray:
    """Distance of each row to its k-th nearest other row, or row of another group: (n,).

    Where fewer than k are there, the farthest of them counts.
    """
    label = np.arange(len(x)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(label) != len(x) or label.max() == 0:
        raise InputError("Neighbours cannot be sought in other groups.", got=f"{len(label)} labels",
                         expected=f"{len(x)} labels of two groups or more",
                         fix="give one person for each real window, or leave `groups` out")
    far = []
    for rows, squares in _blocks(x, x):
        squares[label[rows, None] == label] = np.inf
        nearest = np.partition(squares, k - 1, axis=1)[:, :k]
        far.append(np.where(np.isfinite(nearest), nearest, 0).max(1))
    return np.sqrt(np.concatenate(far))


def nearest_rows(x, y) -> np.ndarray:
    """(n,) index of the row of y that is nearest to each row of x."""
    return np.concatenate([squares.argmin(1) for _, squares in _blocks(x, y)])


def median_distance(x, limit: int = 1000, seed: int = 0) -> float:
    """Median distance of pairs of rows, of at most `limit` rows."""
    if len(x) > limit:
        x = x[np.random.default_rng(seed).choice(len(x), limit, replace=False)]
    upper = [np.sqrt(squares)[np.arange(x.shape[0]) > np.arange(rows.start, rows.stop)[:, None]]
             for rows, squares in _blocks(x, x)]
    return float(np.median(np.concatenate(upper)))


def _blocks(x, y):
    """Squared distances, (block, len(y)) at a time, with the rows of x they belong to."""
    norms = (y * y).sum(1)
    for start in range(0, len(x), BLOCK):
        part = x[start:start + BLOCK]
        squares = (part * part).sum(1)[:, None] + norms - 2 * (part @ y.T)
        yield slice(start, start + len(part)), np.maximum(squares, 0, out=squares)


def checked_features(x, y, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as float32; an InputError where they cannot be compared."""
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < least:
        few = x.ndim == y.ndim == 2 and x.shape[1] == y.shape[1]
        kind = TooFew if few else InputError
        raise kind("The two sets of features cannot be compared.",
                   expected=f"(n, d) and (m, d) with at least {least} rows each",
                   got=(x.shape, y.shape), fix="describe both sets alike; use more windows")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("Features have missing values.", expected="finite numbers",
                         got="NaN or infinity", fix="describe finite strips")
    return x, y


def _permuted(n, total, permutations, seed, groups):
    rng = np.random.default_rng(seed)
    if groups is None:
        return [rng.permutation(total) < n for _ in range(permutations)]
    groups = np.asarray(groups)
    if len(groups) != total:
        raise InputError("A group is needed for each row of both sets.", expected=total,
                         got=len(groups), fix="concatenate the groups of x and of y")
    # A person stays whole: persons change sides, as many as there were on x's side.
    inverse = np.unique(groups, return_inverse=True)[1]
    first = len(np.unique(groups[:n]))
    count = inverse.max() + 1
    if not 0 < first < count:
        raise InputError("Persons cannot change sides.", expected="persons on either side only",
                         got=f"{first} of {count} on the first", fix="split by subject")
    return [(rng.permutation(count) < first)[inverse] for _ in range(permutations)]
