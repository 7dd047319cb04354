"""A fresh classifier of real against synthetic windows: can they be distinguished?"""

import numpy as np

from ecg_tf.base.errors import TooFew
from ecg_tf.evaluation.fidelity import checked_features, nearest_rows
from ecg_tf.evaluation.resampling import bootstrap, percentiles


def discriminative_auc(real, synthetic, seed: int = 0, real_groups=None, synthetic_groups=None,
                       folds: int = 5, resamples: int = 200) -> tuple[float, float, float]:
    """AUC of a fresh real-versus-synthetic classifier on windows it did not see.

    Mean rank of gradient boosting and logistic regression, cross-validated; the mean AUC of the
    folds, since scores of different folds are not comparable. 0.5: indistinguishable (lower
    values are chance and returned as 0.5). With groups no person is in training and test fold at
    once; without them even other real persons are recognized by identity.

    Args:
        real: (n, d) features; put raw beats beside them to let the classifier look closer.
        synthetic: (m, d).
        real_groups: (n,) persons; default None, every window for itself.
        synthetic_groups: (m,) persons or what stands for them (`pseudo_subjects`); default None.
        folds: int >= 2, at most the number of groups a side; default 5.
        resamples: of whole groups, for the interval (the classifier is not refitted).

    Returns:
        (AUC in [0.5, 1], low, high of the 95 % interval).

    Raises:
        InputError: fewer groups a side than folds.

    Source: Yoon et al. 2019 (TimeGAN), discriminative score; Lopez-Paz & Oquab 2017.
    """
    x, y = checked_features(real, synthetic)
    sides = [np.arange(len(side)) if groups is None else np.unique(groups, return_inverse=True)[1]
             for side, groups in ((x, real_groups), (y, synthetic_groups))]
    if min(len(np.unique(side)) for side in sides) < folds:
        raise TooFew("Too few persons or windows for the folds.", expected=f"{folds} a side",
                     got=[len(np.unique(side)) for side in sides], fix="lower `folds`")
    groups = np.concatenate([sides[0], sides[1] + sides[0].max() + 1])
    truth = np.repeat([0, 1], [len(x), len(y)])
    fold, score = _out_of_fold(np.concatenate([x, y]), truth, groups, folds, seed)
    tests = [np.flatnonzero(fold == number) for number in range(folds)]
    # Large groups can leave a fold with one side only: it has no AUC.
    tests = [test for test in tests if 0 < truth[test].sum() < len(test)]

    # Whole groups are resampled, inside their fold and side.
    parts = [test[truth[test] == side] for test in tests for side in (0, 1)]
    owners = [np.unique(groups[rows], return_inverse=True)[1] for rows in parts]

    def mean_auc(*samples):
        weight = np.ones(len(truth))
        for rows, owner, sample in zip(parts, owners, samples, strict=False):
            weight[rows] = np.bincount(sample, minlength=owner.max() + 1)[owner]
        return max(0.5, float(np.mean([weighted_auc(truth[test], score[test], weight[test])
                                       for test in tests])))

    values = bootstrap(mean_auc, [owner.max() + 1 for owner in owners], resamples, seed)
    return mean_auc(), *percentiles(values)


def pseudo_subjects(features, subjects, synthetic) -> np.ndarray:
    """The real person each synthetic window is nearest to: (m,) labels, groups for the folds.

    Windows of a perfect generator of the training persons resemble them. Ungrouped, the classifier
    would know those persons from its training folds.
    """
    features, synthetic = checked_features(features, synthetic)
    return np.asarray(subjects)[nearest_rows(synthetic, features)]


def _out_of_fold(x, truth, groups, folds, seed):
    from scipy.stats import rankdata
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fold, score = np.zeros(len(truth), int), np.zeros(len(truth))
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for number, (train, test) in enumerate(splits.split(x, truth, groups)):
        fold[test] = number
        models = (HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, max_bins=32,
                                                 max_features=0.2, random_state=seed),
                  make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300)))
        for model in models:
            chance = model.fit(x[train], truth[train]).predict_proba(x[test])[:, 1]
            score[test] += rankdata(chance) / len(test)
    return fold, score


def weighted_auc(truth, score, weight) -> float:
    """Weighted `sklearn.metrics.roc_auc_score` without its checks, for thousands of calls."""
    values, place = np.unique(score, return_inverse=True)
    positive = np.bincount(place, weight * (truth == 1), len(values))
    negative = np.bincount(place, weight * (truth == 0), len(values))
    below = np.cumsum(negative) - negative / 2
    return (positive * below).sum() / (positive.sum() * negative.sum())
