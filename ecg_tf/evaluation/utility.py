"""Is it useful? Classifiers trained on synthetic beats, tested on real held-out subjects.

TRTR is train on real, test on real; TSTR train on synthetic, test on real; TRTS the other way
round. The classifiers are fresh, of two kinds that the GAN has never met.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecg_tf.base.checks import choice, count
from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.resampling import bootstrap, percentiles
from ecg_tf.training.labelled_beats import balanced_sample

CLASSIFIERS = {
    "forest": "random forest of 50 trees",
    "boosting": "gradient-boosted trees",
}
SETUPS = {
    "TRTR": "trained on real beats, as many of each class as synthetic ones",
    "TRTR, all beats": "trained on all real beats as they are, mostly N",
    "half the persons": "trained on real beats of one half of the training subjects",
    "TSTR": "trained on synthetic beats",
    "real + synthetic": "trained on both together",
    "TRTS": "trained on real beats, tested on synthetic ones",
    "shuffled labels": "trained on synthetic beats with permuted labels",
    "majority": "always predicts the most frequent class of training",
}
RATIO = "TSTR/TRTR macro-F1"


class Beats(NamedTuple):
    """(beat, feature) of `beat_features`, (beat,) class names, (beat,) subjects if known."""

    features: np.ndarray
    labels: np.ndarray
    subjects: np.ndarray | None = None


@dataclass(frozen=True)
class Utility:
    """All results of `utility`.

    Args:
        runs: DataFrame, one row a (classifier, setup, seed): `macro_f1` of the scored classes,
            `macro_f1_all` of all, `balanced_accuracy`, and `recall N`, `f1 N`, ... for each class.
        confusion: (classifier, setup) -> (class, class) float, rows the truth, mean over seeds.
        classes: all classes, in the order of the confusion's rows.
        scored: those in `macro_f1` and `balanced_accuracy`.
        by_person: (classifier, setup) -> (seed, person, class, class) counts of the test subjects;
            empty where they are not known.
    """

    runs: pd.DataFrame
    confusion: dict
    classes: tuple[str, ...]
    scored: tuple[str, ...]
    by_person: dict = field(default_factory=dict)

    def table(self, classifier: str = "forest") -> pd.DataFrame:
        """Mean over seeds, one row a setup."""
        own = self.runs[self.runs["classifier"] == classifier]
        return own.drop(columns=["classifier", "seed"]).groupby("setup", sort=False).mean()

    def values(self, setup: str, column: str = "macro_f1", classifier: str = "forest"
               ) -> np.ndarray:
        """(seed,) values of a setup."""
        chosen = (self.runs["classifier"] == classifier) & (self.runs["setup"] == setup)
        return self.runs.loc[chosen, column].to_numpy()

    def ratio(self, classifier: str = "forest", setup: str = "TSTR") -> np.ndarray:
        """(seed,) macro-F1 of a setup over that of the better TRTR of the same seed."""
        best = np.maximum(self.values("TRTR", classifier=classifier),
                          self.values("TRTR, all beats", classifier=classifier))
        return self.values(setup, classifier=classifier) / np.maximum(best, 1e-9)

    def over_persons(self, setup: str = "TSTR", column: str = "macro_f1_all",
                     classifier: str = "forest", resamples: int = 2000, seed: int = 0
                     ) -> tuple[float, float]:
        """95 % bootstrap interval over test subjects and seeds: (low, high).

        Raises:
            InputError: `utility` was not given the test subjects, or the setup has none.
        """
        if (classifier, setup) not in self.by_person:
            raise InputError("There are no test subjects to resample.",
                             expected="a classifier and setup tested on subjects",
                             got=f"{classifier}, {setup}", fix="give the test beats their subjects")
        counts = self.by_person[classifier, setup]

        def statistic(start, persons):
            return scores(counts[start, persons].sum(axis=0), self.classes, self.scored)[column]

        return percentiles(bootstrap(statistic, [(len(counts), 1), counts.shape[1]],
                                     resamples, seed))

    def measures(self, n: int = 0) -> list[Measured]:
        """Rows for a report and the release gate, each with its real-vs-real baseline.

        The baseline of the ratio is that of real beats of half of the training subjects; of a
        macro-F1, recall or accuracy it is TRTR's. Intervals are 95 % (Student) of the mean over
        seeds.
        """
        columns = {"macro_f1": "macro-F1", "macro_f1_all": "macro-F1 of all classes",
                   "balanced_accuracy": "balanced accuracy"}
        columns |= {f"recall {name}": f"recall of {name}" for name in self.scored}
        out = []
        for name in dict.fromkeys(self.runs["classifier"]):
            pairs = {RATIO: (self.ratio(name), self.ratio(name, "half the persons"))}
            pairs |= {f"TSTR {label}": (self.values("TSTR", column, name),
                                        self.values("TRTR", column, name))
                      for column, label in columns.items()}
            pairs |= {f"{setup} macro-F1": (self.values(setup, classifier=name),
                                            self.values("TRTR", classifier=name))
                      for setup in ("TRTS", "real + synthetic")}
            out += [_measured(f"{label}, {name}", *pair, n) for label, pair in pairs.items()]
        return out


def utility(train: Beats, synthetic: Beats, test: Beats, *,
            classes: Sequence[str] = ("N", "S", "V", "F", "Q"),
            scored: Sequence[str] = ("N", "S", "V", "F"), per_class: int = 2000, seeds: int = 5,
            classifiers: Sequence[str] = tuple(CLASSIFIERS), seed: int = 0) -> Utility:
    """Trains classifiers on real and on synthetic beats, and tests them on other subjects' beats.

    Each seed samples `per_class` beats a class for a fresh classifier. Real beats are sampled as
    for training a GAN: classes evenly, subjects by the root of their number of beats, repeated
    where there are too few. There is one GAN: intervals do not cover another training of it.

    Args:
        train: real beats of the training subjects, with their subjects.
        synthetic: synthetic beats with the requested classes.
        test: real beats of held-out subjects; their subjects, where given, must not be in training.
        classes: names of all classes.
        scored: those that count; others are trained and predicted.
        per_class: int, beats a class to train on. Default 2,000.
        seeds: int, repetitions. Default 5.
        classifiers: of `CLASSIFIERS`. Default: all.
        seed: int, of the first repetition.

    Raises:
        InputError: unknown labels, sets that do not fit, subjects on both sides.
    """
    count(seeds, "seeds", 1, 1000)
    count(per_class, "per_class", 1, 10**7)
    for name in classifiers:
        choice(name, "classifier", tuple(CLASSIFIERS))
    train, synthetic, test = (_checked(name, beats, classes) for name, beats in (
        ("training", train), ("synthetic", synthetic), ("test", test)))
    if train.subjects is None:
        raise InputError("Each training beat needs its subject.", got="none",
                         expected=len(train.labels), fix="pass windows.subjects")
    persons = [slice(None)]
    if test.subjects is not None:
        persons = [test.subjects == name for name in np.unique(test.subjects)]
        if (both := np.intersect1d(train.subjects, test.subjects)).size:
            raise InputError("Subjects are in training and test.", expected="disjoint subjects",
                             got=", ".join(both[:5]), fix="split by subject, not by beat")
    scored = tuple(name for name in scored if name in set(test.labels))
    rows, confusion, by_person = [], {}, {}
    for key in [(name, setup) for name in classifiers for setup in SETUPS]:
        matrices = []
        for number in range(seed, seed + seeds):
            x, y, tested = _setup(key[1], train, synthetic, test, per_class, number)
            predicted = _predicted(key[0], x, y, tested.features, number, key[1] == "majority")
            groups = persons if tested is test else [slice(None)]
            matrices.append([confusion_matrix(tested.labels[group], predicted[group], classes)
                             for group in groups])
            rows.append({"classifier": key[0], "setup": key[1], "seed": number}
                        | scores(np.sum(matrices[-1], axis=0), classes, scored))
        confusion[key] = np.sum(matrices, axis=1).mean(axis=0)
        if len(matrices[0]) > 1:
            by_person[key] = np.array(matrices, float)
    return Utility(pd.DataFrame(rows), confusion, tuple(classes), scored, by_person)


def scores(confusion, classes: Sequence[str], scored: Sequence[str]) -> dict[str, float]:
    """F1, recall and balanced accuracy of one confusion matrix.

    Args:
        confusion: (class, class) counts, rows the truth, columns the predictions.
        classes: names of rows and columns.
        scored: those in `macro_f1` and `balanced_accuracy`.

    Returns:
        dict: `macro_f1`, `macro_f1_all`, `balanced_accuracy`, and `recall X`, `f1 X` of each class;
        NaN where a class has no beats. `macro_f1_all` counts it as 0 where it is wrongly predicted.
    """
    matrix = np.asarray(confusion, float)
    hit, truth, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, f1 = hit / np.where(truth, truth, np.nan), 2 * hit / (truth + predicted)
    chosen = np.isin(list(classes), list(scored))
    out = {"macro_f1": float(np.mean(f1[chosen])), "macro_f1_all": float(np.nanmean(f1)),
           "balanced_accuracy": float(np.mean(recall[chosen]))}
    for name, r, f in zip(classes, recall, f1, strict=True):
        out |= {f"recall {name}": float(r), f"f1 {name}": float(f)}
    return out


def circularity(own_on_generated, own_on_test, test_labels, other_on_generated,
                generated_labels, classes: Sequence[str], scored: Sequence[str]) -> pd.DataFrame:
    """How a GAN's own class head labels beats, beside an independent classifier.

    Args:
        own_on_generated: (m,) predictions of the GAN's head for its own beats.
        own_on_test: (k,) its predictions for real beats of held-out subjects.
        test_labels: (k,) their classes.
        other_on_generated: (m,) predictions of an independent classifier for the GAN's beats.
        generated_labels: (m,) the requested classes.
        classes, scored: as in `utility`.

    Returns:
        DataFrame, one row a comparison: `accuracy`, `balanced_accuracy`, `macro_f1`.
    """
    rows = {}
    for name, predicted, truth in (
        ("own class head on its own beats", own_on_generated, generated_labels),
        ("independent classifier on the same beats", other_on_generated, generated_labels),
        ("own class head on real test persons", own_on_test, test_labels),
    ):
        matrix = confusion_matrix(truth, predicted, classes)
        present = [label for label in scored if matrix[list(classes).index(label)].sum()]
        own = scores(matrix, classes, present)
        rows[name] = {"accuracy": matrix.trace() / matrix.sum(),
                      "balanced_accuracy": own["balanced_accuracy"], "macro_f1": own["macro_f1"]}
    return pd.DataFrame.from_dict(rows, orient="index")


def confusion_matrix(truth, predicted, classes: Sequence[str]) -> np.ndarray:
    """(class, class) counts, rows the truth, columns the predictions; no labels give zeros."""
    from sklearn import metrics

    if not len(truth):
        return np.zeros((len(classes), len(classes)), int)
    return metrics.confusion_matrix(truth, predicted, labels=list(classes))


def make_classifier(name: str, seed: int):
    """A fresh scikit-learn classifier of `CLASSIFIERS`."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    choice(name, "classifier", tuple(CLASSIFIERS))
    if name == "forest":
        return RandomForestClassifier(50, random_state=seed, n_jobs=-1)
    return HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, max_leaf_nodes=15,
                                          early_stopping=False, random_state=seed)


def _setup(name: str, train: Beats, synthetic: Beats, test: Beats, per_class: int, seed: int):
    """Features and labels to train on, and the set to test on."""
    rng = np.random.default_rng([seed, 7])
    x, y, subjects = train.features, train.labels, np.asarray(train.subjects)
    if name in ("TRTR, all beats", "majority"):
        return x, y, test
    if name == "half the persons":
        persons = np.unique(subjects)
        kept = np.isin(subjects, rng.permutation(persons)[: max(1, len(persons) // 2)])
        at = np.flatnonzero(kept)[_even(y[kept], subjects[kept], per_class, seed)]
        return x[at], y[at], test
    at = _even(y, subjects, per_class, seed)
    some = _even(synthetic.labels, np.full(len(synthetic.labels), ""), per_class, seed)
    fake_x, fake_y = synthetic.features[some], synthetic.labels[some]
    if name == "TSTR":
        return fake_x, fake_y, test
    if name == "shuffled labels":
        return fake_x, rng.permutation(fake_y), test
    if name == "real + synthetic":
        return np.concatenate([x[at], fake_x]), np.concatenate([y[at], fake_y]), test
    return x[at], y[at], synthetic if name == "TRTS" else test


def _even(labels, subjects, per_class, seed):
    """`per_class` beats of each class: without repetition where there are enough of one source."""
    out, rng = [], np.random.default_rng([seed, 8])
    for name in np.unique(labels):
        own = np.flatnonzero(labels == name)
        if len(np.unique(subjects[own])) == 1 and len(own) >= per_class:
            out.append(rng.choice(own, per_class, replace=False))
        else:
            out.append(own[balanced_sample(labels[own], subjects[own], per_class, seed)])
    return np.concatenate(out)


def _predicted(name, x, y, test, seed, majority):
    """What a fresh classifier predicts for the beats of `test`."""
    if majority or len(np.unique(y)) == 1:
        names, counts = np.unique(y, return_counts=True)
        return np.full(len(test), names[counts.argmax()])
    return make_classifier(name, seed).fit(x, y).predict(test)


def _measured(name, values, real, n):
    (low, high), (baseline_low, baseline_high) = _student(values), _student(real)
    return Measured(name, float(np.mean(values)), float(np.mean(real)), low, high, better="high",
                    n=n, baseline_low=baseline_low, baseline_high=baseline_high)


def _student(values) -> tuple[float, float]:
    """95 % interval of the mean."""
    from scipy.stats import sem, t

    values = np.asarray(values, float)
    if len(values) < 2 or not np.isfinite(values).all():
        return np.nan, np.nan
    reach = t.ppf(0.975, len(values) - 1) * sem(values)
    return float(values.mean() - reach), float(values.mean() + reach)


def _checked(name: str, beats: Beats, classes) -> Beats:
    x, y = np.asarray(beats.features, np.float32), np.asarray(beats.labels, str)
    who = None if beats.subjects is None else np.asarray(beats.subjects, str)
    unknown = sorted(set(np.unique(y)) - set(classes))
    if x.ndim != 2 or len(x) != len(y) or not len(x) or unknown or not np.isfinite(x).all():
        raise InputError(f"The {name} set cannot be used.",
                         expected=f"(beat, feature) without gaps, labels of {', '.join(classes)}",
                         got=f"shape {x.shape}, {len(y)} labels" + (f", {unknown}" * bool(unknown)),
                         fix="pass beat_features(...) and the labels of the same beats")
    if who is not None and len(who) != len(x):
        raise InputError(f"Each {name} beat needs its subject.", got=f"{len(who)} names",
                         expected=len(x), fix="pass windows.subjects")
    return Beats(x, y, who)
