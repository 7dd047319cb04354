"""Do synthetic ECGs show what was requested? And do their labels teach a classifier?

A classifier per label learns from real training strips. It is asked about real test strips (the
baseline) and about synthetic ones, whose label is what the generator was told. Fresh classifiers
then learn from the synthetic strips alone and are tested on real test persons (TSTR: Esteban 2017,
arXiv:1706.02633), beside those of real strips (TRTR). Several labels may hold at once, so all is
measured label by label: AUROC, and its mean over labels (macro). Where labels of a kind exclude
each other, as rhythms do, their F1 is given too. Irregular rhythms should be as irregular as real
ones of that label: see `rhythm_by_label`.
"""

from dataclasses import dataclass

import numpy as np

from ecg_tf.evaluation.baselines import Measured, plain_number
from ecg_tf.evaluation.descriptors import describe
from ecg_tf.evaluation.discriminative import weighted_auc
from ecg_tf.evaluation.resampling import bootstrap, percentiles
from ecg_tf.evaluation.rhythm_by_label import rhythm_by_label
from ecg_tf.signals.windows import Windows
from ecg_tf.training.conditions import SEX, Conditions

COMPONENTS = 64  # of the strips' descriptions, that a classifier sees
STRENGTH = 0.02  # inverse of its penalty
RIDGE = 100.0  # penalty of the age's regression
LEAST = 5  # strips with and without a label, from which an AUROC is given
COMMON = 0.05  # of the test strips: rarer labels do not enter an F1
#: What strips are scored by: name -> (trained on, asked about).
SETUPS = {"real": ("train", "test"), "synthetic": ("train", "synthetic"),
          "trained_on_synthetic": ("synthetic", "test"), "half": ("half", "test")}


@dataclass(frozen=True)
class LabelAdherence:
    """What `label_adherence` found.

    Args:
        table: a dict a label: "label", "persons" (training), "requested" (share of the synthetic
            strips), the AUROC "real" (classifier of real training strips, on real test
            strips), "synthetic" (the same classifier, on synthetic strips) and
            "trained_on_synthetic" (on real test strips); NaN where a class is missing; and the
            distances of `rhythm_by_label`.
        measures: for the report: macro-AUROCs, macro-F1 of kinds whose labels exclude each other,
            their ratios, SDNN and RMSSD by label, correlation and error of the age.
    """

    table: list[dict]
    measures: list[Measured]

    @property
    def words(self) -> str:
        """The result in a sentence or two."""
        named = {measured.name: measured for measured in self.measures}
        out = []
        if (found := named.get("label AUROC")) is not None:
            out.append("A classifier that learned from real ECGs finds the requested labels in "
                       f"synthetic strips with a mean AUROC of {found.value:.2f}, those of real "
                       f"test strips with {found.baseline:.2f} (0.5: chance, 1: always).")
            use = named["TSTR label AUROC"]
            out.append(f"One that learned from synthetic strips alone reaches {use.value:.2f} on "
                       f"real test persons, one from real strips {use.baseline:.2f}.")
        for name, found in named.items():
            if name.startswith("TSTR ") and name.endswith(" macro-F1"):
                out.append(f"{name}: {found.value:.2f}, of real strips {found.baseline:.2f}.")
        if (found := named.get("RMSSD by label W1")) is not None:
            out.append(f"RMSSD differs from that of test strips with the same label by "
                       f"{found.value:.3f} s on average, of training strips by "
                       f"{found.baseline:.3f} s.")
        if (found := named.get("age correlation")) is not None:
            out.append(f"Ages estimated from synthetic strips correlate with the requested ones by "
                       f"{found.value:.2f}, of real test strips by {found.baseline:.2f}.")
        return " ".join(out)

    def plain(self) -> dict:
        """For JSON."""
        return {"words": self.words, "table": [
            {name: plain_number(value) for name, value in row.items()} for row in self.table]}


def label_adherence(train: Windows, test: Windows, synthetic: Windows, conditions: Conditions,
                    seed: int = 0, resamples: int = 200) -> LabelAdherence:
    """Measures it label by label.

    Args:
        train: strips of the training persons.
        test: strips of the test persons, of the same length, rate and leads.
        synthetic: strips whose `about` says what was requested.
        conditions: of the training.
        seed: int.
        resamples: of test persons or synthetic strips, for the intervals. Default 200.

    Returns:
        LabelAdherence.
    """
    sets = {"train": train, "test": test, "synthetic": synthetic}
    features = {name: describe(windows.signals, windows.fs) for name, windows in sets.items()}
    rows = {name: conditions.encode(windows) for name, windows in sets.items()}
    half = _half(train.subjects, seed)
    features["half"], rows["half"] = features["train"][half], rows["train"][half]
    reduce = _Reduced(features["train"])
    features = {name: reduce(values) for name, values in features.items()}

    # "male" is "not female": it would count the same thing twice
    places = [k for k, column in enumerate(conditions.columns) if column != (SEX, "male")]
    scores = {setup: np.stack([_scores(features[on], rows[on][:, k], features[about])
                               for k in places], 1) if places else np.zeros((0, 0))
              for setup, (on, about) in SETUPS.items()}
    truth = {name: rows[name][:, places] > 0.5 for name in sets}
    aucs = {setup: _aucs(truth[SETUPS[setup][1]], scores[setup]) for setup in SETUPS}
    table = [{"label": " ".join(conditions.columns[k]), "persons": conditions.persons[k],
              "requested": float(truth["synthetic"][:, number].mean()),
              **{setup: float(aucs[setup][number]) for setup in SETUPS if setup != "half"}}
             for number, k in enumerate(places)]
    measures = []
    if places:
        measures = _macro(scores, truth, test.subjects, resamples, seed)
        for kind, which in _exclusive(conditions, places, truth["train"]).items():
            measures += _f1_rows(kind, which, scores, truth["test"], test.subjects, resamples, seed)
        irregular, more = rhythm_by_label(sets, truth, seed=seed)
        table = [row | own for row, own in zip(table, irregular, strict=True)]
        measures += more
    if conditions.ages:
        measures += _ages(features, {name: windows.ages() for name, windows in sets.items()})
    return LabelAdherence(table, measures)


def _macro(scores, truth, subjects, resamples: int, seed: int) -> list[Measured]:
    """Mean AUROCs over labels, with intervals over test persons or synthetic strips."""
    shown = len(truth["synthetic"])

    def macro(setup, weight=None):
        return _mean(_aucs(truth[SETUPS[setup][1]], scores[setup], weight))

    def of_strips(some):
        return macro("synthetic", np.bincount(some, minlength=shown))

    use = _utility("label AUROC", macro, subjects, shown, resamples, seed)
    found = Measured("label AUROC", macro("synthetic"), use[0].baseline,
                     *percentiles(bootstrap(of_strips, [shown], resamples, seed)), better="high",
                     n=shown, baseline_low=use[0].baseline_low, baseline_high=use[0].baseline_high)
    return [found, *use]


def _f1_rows(kind, which, scores, truth, subjects, resamples: int, seed: int) -> list[Measured]:
    """Macro-F1 over a kind's common labels: each strip is given the one of highest score."""
    from sklearn.metrics import f1_score

    labelled = truth[:, which].any(axis=1)
    common = np.flatnonzero(truth[labelled][:, which].mean(axis=0) >= COMMON)
    if len(common) < 2:
        return []
    right = truth[labelled][:, which].argmax(axis=1)
    named = {setup: scores[setup][labelled][:, which].argmax(axis=1)
             for setup in ("real", "trained_on_synthetic", "half")}

    def macro(setup, weight=None):
        return float(f1_score(right, named[setup], labels=common, average="macro", zero_division=0,
                              sample_weight=None if weight is None else weight[labelled]))

    shown = len(scores["synthetic"])
    return _utility(f"{kind} macro-F1", macro, subjects, shown, resamples, seed)


def _utility(name: str, macro, subjects, n: int, resamples: int, seed: int) -> list[Measured]:
    """TSTR beside TRTR and their ratio beside that of half of the real persons, over persons.

    Args:
        macro: (setup, weights of the test strips or None) -> float.
    """
    _, who = np.unique(subjects, return_inverse=True)

    def of_persons(some):
        weight = np.bincount(some, minlength=who.max() + 1)[who]
        real, use, half = (macro(setup, weight) for setup in (
            "real", "trained_on_synthetic", "half"))
        return [real, use, use / real, half / real]

    ends = [percentiles(column) for column in bootstrap(
        of_persons, [who.max() + 1], resamples, seed).T]
    real, use, half = (macro(setup) for setup in ("real", "trained_on_synthetic", "half"))
    rows = [(f"TSTR {name}", use, real, ends[1], ends[0]),
            (f"TSTR/TRTR {name}", use / real, half / real, ends[2], ends[3])]
    return [Measured(name, value, base, *own, better="high", n=n, baseline_low=low,
                     baseline_high=high) for name, value, base, own, (low, high) in rows]


def _exclusive(conditions: Conditions, places, held) -> dict[str, list[int]]:
    """kind -> places of its labels, where no training strip has two and two exist."""
    kinds: dict[str, list[int]] = {}
    for number, k in enumerate(places):
        kinds.setdefault(conditions.columns[k][0], []).append(number)
    return {kind: which for kind, which in kinds.items()
            if len(which) > 1 and held[:, which].sum(axis=1).max() <= 1}


def _ages(features, ages) -> list[Measured]:
    """Correlation and error of ages estimated by a ridge regression of the training strips."""
    from sklearn.linear_model import Ridge

    known = {name: np.isfinite(values) for name, values in ages.items()}
    model = Ridge(RIDGE).fit(features["train"][known["train"]],
                             ages["train"][known["train"]])
    found = {}
    for name in ("test", "synthetic"):
        old, estimated = ages[name][known[name]], model.predict(features[name][known[name]])
        constant = len(old) < LEAST or not np.ptp(old)
        found[name] = (np.nan if constant else float(np.corrcoef(old, estimated)[0, 1]),
                       float(np.abs(old - estimated).mean()) if len(old) else np.nan)
    n = int(known["synthetic"].sum())
    (correlation, error), (real, real_error) = found["synthetic"], found["test"]
    return [Measured("age correlation", correlation, real, better="high", n=n),
            Measured("age error", error, real_error, unit="years", n=n)]


class _Reduced:
    """The first components of standardized descriptions, of unit spread."""

    def __init__(self, features):
        from sklearn.decomposition import PCA
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        n = min(COMPONENTS, len(features) - 1, features.shape[1])
        pca = PCA(n, svd_solver="randomized", random_state=0)
        self.model = make_pipeline(StandardScaler(), pca, StandardScaler())
        self.model.fit(features)

    def __call__(self, features):
        return self.model.transform(features) if len(features) else features


def _scores(x, y, asked) -> np.ndarray:
    """Log-odds (strip,) of a logistic regression; all 0 where it has one class to learn from."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(y)) < 2:
        return np.zeros(len(asked))
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(x, y)
    return model.decision_function(asked)


def _aucs(truth, scores, weight=None) -> np.ndarray:
    """(label,) AUROCs; NaN where fewer than `LEAST` strips have, or have not, the label."""
    weight = np.ones(len(truth)) if weight is None else weight
    out = np.full(truth.shape[1], np.nan)
    for k, (own, found) in enumerate(zip(truth.T, scores.T, strict=True)):
        if LEAST <= own[weight > 0].sum() <= (weight > 0).sum() - LEAST:
            out[k] = weighted_auc(own, found, weight)
    return out


def _mean(values) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _half(subjects, seed: int) -> np.ndarray:
    """Which strips are of a random half of the persons."""
    persons = np.unique(subjects)
    some = np.random.default_rng(seed).permutation(persons)[: (len(persons) + 1) // 2]
    return np.isin(subjects, some)
