"""Is a synthetic table like the real one? Columns, their correlations, whole rows, copies.

Everything takes arrays (row, column) of numbers, NaN where a value is missing, as
`TableCodec.standardize` gives them; pixels of images are such columns too. One row is one person.
"""

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import fidelity
from ecg_tf.evaluation.baselines import Comparison, Measured
from ecg_tf.evaluation.discriminative import discriminative_auc
from ecg_tf.evaluation.resampling import percentiles
from ecg_tf.evaluation.waveform import wasserstein1


def table_measures(train, test, synthetic, valid: float | None = None, classifier: bool = True,
                   repeats: int = 30, seed: int = 0) -> list[Measured]:
    """All measures of a synthetic table against the test rows, each beside its baseline.

    Baselines as in `Comparison.measure`; all sets are cut to one size. Copies of training rows sit
    at every baseline but the last: the share of rows nearer to a training row than to any test row.
    For new real rows it is the training rows' share of both.

    Args:
        train: (k, column) rows the generator was trained on.
        test: (n, column) rows it never saw.
        synthetic: (m, column).
        valid: share of generated categories that were clear, see `valid_share`; default none.
        classifier: bool, train a real-versus-synthetic classifier (a few seconds). Default True.
        repeats: half-samples for baseline and interval; default 30.

    Returns:
        list of `Measured`: mean and worst Kolmogorov-Smirnov distance over columns, mean
        Wasserstein-1 in standard deviations of the training rows, correlation-matrix distance,
        MMD², discriminative AUC, the difference in missing values where there are any, valid
        categories where given, and rows nearer to training.

    Raises:
        InputError: other columns, fewer than 10 rows, infinite values.

    Example:
        >>> rows = table_measures(*(codec.standardize(t) for t in (train, test, synthetic)))
        >>> print(measured_table(rows))
    """
    train, test, synthetic = _tables(train, test, synthetic, least=10)
    scale, center = column_scale(train), np.nan_to_num(np.nanmean(train, axis=0))
    rng, size = np.random.default_rng(seed), min(len(train), len(test), len(synthetic))
    rows = np.concatenate([part[np.sort(rng.permutation(len(part))[:size])]
                           for part in (train, test, synthetic)])
    a, b, fake = np.split(np.arange(len(rows)), 3)
    sets = Comparison(np.arange(len(rows)), b, a, fake, repeats, seed)
    described = _describe(rows, center, scale)
    width = fidelity.median_distance(described[: 2 * size]) or 1.0
    p_value = fidelity.mmd2(described[b], described[fake], width, seed=seed)[1]

    def of_rows(function):
        return lambda x, y: float(function(rows[x], rows[y]))

    def mmd2(x, y):
        return fidelity.mmd2(described[x], described[y], width, permutations=0)[0]

    out = [
        sets.measure("KS, mean column", of_rows(lambda x, y: np.nanmean(ks(x, y))), bounds=(0, 1)),
        sets.measure("KS, worst column", of_rows(lambda x, y: np.nanmax(ks(x, y))), bounds=(0, 1)),
        sets.measure("W1, mean column", of_rows(lambda x, y: np.nanmean(w1(x, y, scale))), "sd"),
        sets.measure("correlation matrix", of_rows(correlation_distance), bounds=(0, 2)),
        sets.measure("MMD²", mmd2, bounds=(-np.inf, np.inf), p_value=p_value),
    ]
    if classifier:
        auc, low, high = discriminative_auc(described[b], described[fake], seed)
        real_auc = discriminative_auc(described[b], described[a], seed)
        out.append(Measured("discriminative AUC", auc, real_auc[0], low, high, n=size,
                            baseline_low=real_auc[1], baseline_high=real_auc[2]))
    if np.isnan(rows).any():
        out.append(sets.measure("missing values", of_rows(missing_difference), "share",
                                bounds=(0, 1)))
    if valid is not None:
        out.append(Measured("valid categories", float(valid), 1.0, unit="share", better="high",
                            n=len(synthetic)))
    out.append(_nearer_measured(train, test, synthetic, center, scale, repeats, seed))
    return out


def column_table(train, test, synthetic, names, seed: int = 0) -> pd.DataFrame:
    """Column by column: Kolmogorov-Smirnov and Wasserstein-1 distance, each beside its baseline.

    Args:
        train, test, synthetic: (row, column), as for `table_measures`.
        names: (column,) names.
        seed: int, of the cut to equal sizes.

    Returns:
        DataFrame, index the names, worst column first: `ks`, `ks_baseline`, `w1`, `w1_baseline`
        (W1 in standard deviations of the training rows; the baselines put training rows in the
        place of the synthetic ones).
    """
    train, test, synthetic = _tables(train, test, synthetic, least=2)
    scale, size = column_scale(train), min(len(train), len(test), len(synthetic))
    rng = np.random.default_rng(seed)
    a, b, fake = (rows[rng.permutation(len(rows))[:size]] for rows in (train, test, synthetic))
    table = pd.DataFrame({"ks": ks(b, fake), "ks_baseline": ks(b, a), "w1": w1(b, fake, scale),
                          "w1_baseline": w1(b, a, scale)}, index=list(names))
    return table.sort_values("ks", ascending=False)


def ks(real, synthetic) -> np.ndarray:
    """Kolmogorov-Smirnov distance of each column: the largest gap between the two distribution
    functions, 0 to 1; (column,), NaN where one side has no value."""
    real, synthetic = _tables(real, synthetic)
    return np.array([_ks(*pair) for pair in zip(real.T, synthetic.T, strict=True)])


def w1(real, synthetic, scale=1.0) -> np.ndarray:
    """Wasserstein-1 distance of each column, divided by `scale` (column,); (column,)."""
    real, synthetic = _tables(real, synthetic)
    if len(real) == len(synthetic) and not (np.isnan(real).any() or np.isnan(synthetic).any()):
        # The k-th smallest goes to the k-th smallest: the same number, thirty times as fast.
        return np.abs(np.sort(real, axis=0) - np.sort(synthetic, axis=0)).mean(axis=0) / scale
    pairs = zip(real.T, synthetic.T, strict=True)
    return np.array([wasserstein1(*pair) for pair in pairs]) / scale


def correlation_distance(real, synthetic) -> float:
    """Root mean square difference of all pairs' Pearson correlations, 0 to 2.

    Rows in which one of the two values is missing are left out of a pair. A column that does not
    vary has the correlation 0 with all others; one that varies on neither side is left out.
    """
    real, synthetic = _tables(real, synthetic)
    varies = np.array([_varies(x) or _varies(y) for x, y in zip(real.T, synthetic.T, strict=True)])
    if varies.sum() < 2:
        return 0.0
    upper = np.triu_indices(int(varies.sum()), 1)
    one, other = (correlations(side[:, varies])[upper] for side in (real, synthetic))
    return float(np.sqrt(np.mean((one - other) ** 2)))


def correlations(rows) -> np.ndarray:
    """Pearson correlations of all columns, (column, column); 0 where one does not vary."""
    rows = np.asarray(rows, np.float64)
    if np.isnan(rows).any():
        matrix = pd.DataFrame(rows).corr(min_periods=3).to_numpy()
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            matrix = np.corrcoef(rows, rowvar=False).reshape(rows.shape[1], -1)
    return np.nan_to_num(matrix)


def missing_difference(real, synthetic) -> float:
    """Mean difference in the share of missing values, over columns that miss any."""
    shares = [np.isnan(rows).mean(axis=0) for rows in _tables(real, synthetic)]
    some = (shares[0] > 0) | (shares[1] > 0)
    return float(np.abs(shares[0] - shares[1])[some].mean()) if some.any() else 0.0


def valid_share(cells, levels, tolerance: float = 0.25) -> float:
    """Share of generated categories that lie clearly at one level.

    Decoding takes the nearest level, so every decoded category is valid. A generated value may
    still lie half-way between two levels: the generator did not learn that nothing is there.

    Args:
        cells: (row, k) generated values in [-1, 1] of the cells that hold levels.
        levels: (k,) int, number of equally spaced levels of each, see `TableCodec.categories`.
        tolerance: largest distance to a level, as a share of the distance of two levels; at most
            0.5. Default 0.25: half of evenly spread noise passes.

    Returns:
        float, NaN where no cell holds levels.

    Raises:
        InputError: another shape, or a tolerance out of range.
    """
    cells, levels = np.asarray(cells, np.float64), np.asarray(levels)
    if cells.ndim != 2 or levels.shape != cells.shape[1:] or not 0 < tolerance <= 0.5:
        raise InputError("Valid categories cannot be counted.", fix="see TableCodec.categories",
                         expected="cells (row, k), levels (k,), a tolerance within 0 to 0.5",
                         got=f"{cells.shape}, {levels.shape}, {tolerance}")
    steps = (cells + 1) / 2 * (levels - 1)
    nearest = np.clip(np.rint(steps), 0, levels - 1)
    several = levels > 1  # a single level cannot be missed
    return float((np.abs(steps - nearest) <= tolerance)[:, several].mean()) \
        if several.any() and len(cells) else np.nan


def nearer_to_training(train, test, rows) -> float:
    """Share of rows nearer to a training row than to any test row; a tie counts one half.

    Of train (k, d), test (n, d), rows (m, d), scaled alike and without gaps: k / (k + n) is
    expected of rows that know nothing of either, 1 of copies.
    """
    from scipy.spatial import cKDTree

    near = [cKDTree(side).query(rows)[0] for side in (train, test)]
    equal = np.isclose(near[0], near[1], rtol=1e-5, atol=1e-6)
    return float(np.where(equal, 0.5, near[0] < near[1]).mean())


def column_scale(train) -> np.ndarray:
    """Standard deviation of each column, (column,), but no less than a tenth of their mean: the
    pixel that is bright in one image of a thousand must not outweigh all others."""
    spread = np.nan_to_num(np.nanstd(np.asarray(train, np.float64), axis=0))
    return np.maximum(spread, (spread.mean() or 1.0) / 10)


def _nearer_measured(train, test, synthetic, center, scale, repeats, seed):
    train, test, synthetic = (_describe(x, center, scale) for x in (train, test, synthetic))
    real, rng = np.concatenate([train, test]), np.random.default_rng(seed)
    share, values = len(train) / len(real), []
    for _ in range(repeats):
        order = rng.permutation(len(real))
        new, others = np.split(order, [len(order) // 3])
        one, other = np.split(others, [round(share * len(others))])
        values.append(nearer_to_training(real[one], real[other], real[new]))
    near = nearer_to_training(train, test, synthetic)
    # The interval of a share: the generator samples rows independently.
    half, (low, high) = 1.96 * np.sqrt(near * (1 - near) / len(synthetic)), percentiles(values)
    return Measured("nearer to training", near, float(np.mean(values)), max(0.0, near - half),
                    min(1.0, near + half), unit="share", n=len(synthetic), baseline_low=low,
                    baseline_high=high)


def _describe(rows, center, scale):
    """Rows without gaps, in standard deviations; each column with gaps adds a mark of them."""
    gaps = np.isnan(rows)
    filled = np.where(gaps, 0.0, (rows - center) / scale)
    return np.concatenate([filled, gaps], 1).astype(np.float32)


def _ks(a, b) -> float:
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return np.nan
    steps = [np.searchsorted(side, np.concatenate([a, b]), "right") / len(side) for side in (a, b)]
    return float(np.abs(steps[0] - steps[1]).max())


def _varies(column) -> bool:
    known = column[~np.isnan(column)]
    return len(known) > 1 and known.min() < known.max()


def _tables(*tables, least: int = 1):
    tables = [np.asarray(table, np.float64) for table in tables]
    shapes = [table.shape for table in tables]
    right = all(len(shape) == 2 and shape[0] >= least and shape[1] > 0 for shape in shapes)
    if not right or len({shape[1] for shape in shapes}) > 1:
        raise InputError("The tables cannot be compared.", got=", ".join(map(str, shapes)),
                         expected=f"(row, column) with the same columns, {least} rows or more each",
                         fix="standardize all of them with one TableCodec")
    if any(np.isinf(table).any() for table in tables):
        raise InputError("A table has infinite values.", expected="finite numbers or NaN",
                         got="infinity", fix="make them missing values")
    return tables
