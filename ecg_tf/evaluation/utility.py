"""Is it useful? Classifiers trained on synthetic beats, tested on real persons never seen.

TRTR is train on real, test on real; TSTR train on synthetic, test on real; TRTS the other way
round. Judges are fresh classifiers of two kinds that the GAN has never met. All of it works on
plain arrays: features (beat, feature), labels and subjects (beat,).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ecg_tf.base.checks import choice, count
from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.training.labelled_beats import balanced_draw

JUDGES = {
    "forest": "random forest of 50 trees",
    "boosting": "gradient-boosted trees",
}
SETUPS = {
    "TRTR": "trained on real beats, as many of each class as synthetic ones",
    "TRTR, all beats": "trained on all real beats as they are, mostly N",
    "half the persons": "trained on real beats of one half of the training persons",
    "TSTR": "trained on synthetic beats",
    "real + synthetic": "trained on both together",
    "TRTS": "trained on real beats, tested on synthetic ones",
    "shuffled labels": "trained on synthetic beats whose labels were dealt anew",
    "majority": "says the most frequent class of training always",
}
RATIO = "TSTR/TRTR macro-F1"


@dataclass(frozen=True)
class Utility:
    """All results of `utility`.

    Args:
        runs: DataFrame, one row a (judge, setup, seed): `macro_f1` of the judged classes,
            `macro_f1_all` of all, `balanced_accuracy`, and `recall N`, `f1 N`, ... for each class.
        confusion: (judge, setup) -> (class, class) float, rows the truth, mean over seeds.
        classes: all classes, in the order of the confusion's rows.
        judged: those in `macro_f1` and `balanced_accuracy`.
        by_person: (judge, setup) -> (seed, person, class, class) counts of the test persons; empty
            where they are not known.
    """

    runs: pd.DataFrame
    confusion: dict
    classes: tuple[str, ...]
    judged: tuple[str, ...]
    by_person: dict = field(default_factory=dict)

    def table(self, judge: str = "forest") -> pd.DataFrame:
        """Mean over seeds, one row a setup."""
        own = self.runs[self.runs["judge"] == judge].drop(columns=["judge", "seed"])
        return own.groupby("setup", sort=False).mean()

    def values(self, setup: str, column: str = "macro_f1", judge: str = "forest") -> np.ndarray:
        """(seed,) values of a setup."""
        runs = self.runs
        return runs.loc[(runs["judge"] == judge) & (runs["setup"] == setup), column].to_numpy()

    def ratio(self, judge: str = "forest", setup: str = "TSTR") -> np.ndarray:
        """(seed,) macro-F1 of a setup over that of TRTR of the same seed, the better of the two
        ways to train on real beats."""
        best = np.maximum(self.values("TRTR", judge=judge),
                          self.values("TRTR, all beats", judge=judge))
        return self.values(setup, judge=judge) / np.maximum(best, 1e-9)

    def over_persons(self, setup: str = "TSTR", column: str = "macro_f1_all",
                     judge: str = "forest", draws: int = 2000, seed: int = 0) -> tuple:
        """(low, high) of a 95 % interval over test persons and starts of the judge (bootstrap).

        A few persons hold most beats of a rare class: another 22 could have given another number.

        Raises:
            InputError: `utility` was not told the test persons, or the setup has none.
        """
        if (judge, setup) not in self.by_person:
            raise InputError("There are no test persons to draw from.", got=f"{judge}, {setup}",
                             expected="a judge and setup tested on persons",
                             fix="pass test_subjects= to utility")
        counts, rng = self.by_person[judge, setup], np.random.default_rng(seed)
        persons = counts.shape[1]
        drawn = [scores(counts[rng.integers(len(counts)), rng.integers(persons, size=persons)]
                        .sum(axis=0), self.classes, self.judged)[column] for _ in range(draws)]
        return tuple(float(q) for q in np.nanquantile(drawn, (0.025, 0.975)))

    def measures(self, n: int = 0) -> list[Measured]:
        """Rows for a report and the release gate, each with its real yardstick as baseline.

        The baseline of the ratio is that of real beats of half of the training persons; of a
        macro-F1, recall or accuracy it is TRTR's. Intervals are 95 % (Student) of the mean over
        seeds.
        """
        out = []
        for judge in dict.fromkeys(self.runs["judge"]):
            out.append(_measured(f"{RATIO}, {judge}", self.ratio(judge),
                                 self.ratio(judge, "half the persons"), n))
            columns = {"macro_f1": "macro-F1", "macro_f1_all": "macro-F1 of all classes",
                       "balanced_accuracy": "balanced accuracy"}
            columns |= {f"recall {name}": f"recall of {name}" for name in self.judged}
            out += [_measured(f"TSTR {label}, {judge}", self.values("TSTR", column, judge),
                              self.values("TRTR", column, judge), n)
                    for column, label in columns.items()]
            out += [_measured(f"{setup} macro-F1, {judge}", self.values(setup, judge=judge),
                              self.values("TRTR", judge=judge), n)
                    for setup in ("TRTS", "real + synthetic")]
        return out


def utility(train, train_labels, train_subjects, synthetic, synthetic_labels, test, test_labels,
            *, classes: Sequence[str] = ("N", "S", "V", "F", "Q"),
            judged: Sequence[str] = ("N", "S", "V", "F"), per_class: int = 2000, seeds: int = 5,
            judges: Sequence[str] = tuple(JUDGES), setups: Sequence[str] = tuple(SETUPS),
            test_subjects=None, seed: int = 0) -> Utility:
    """Trains judges on real and on synthetic beats, and tests them on real beats of other persons.

    Each seed draws `per_class` beats a class anew and starts the judge anew. Real beats are drawn
    as a GAN is fed: classes evenly, persons by the root of their beats, with repetition where there
    are too few. The GAN itself is one: intervals do not tell what another training would give.

    Args:
        train: (n, feature) of real beats of the training persons.
        train_labels: (n,) names of classes.
        train_subjects: (n,) persons.
        synthetic: (m, feature).
        synthetic_labels: (m,) the classes that were asked for.
        test: (k, feature) of real beats of persons never seen.
        test_labels: (k,).
        classes: names of all classes.
        judged: those that count; others are trained and predicted, and counted where wrong.
        per_class: int, beats a class to train on. Default 2,000.
        seeds: int, repetitions. Default 5.
        judges: of `JUDGES`. Default: all.
        setups: of `SETUPS`. Default: all; "TRTR" and "TRTR, all beats" are the ratio's yardstick.
        test_subjects: (k,) persons, for `over_persons`, and to make sure that none of them trained.
            Default: not known.
        seed: int, of the first repetition.

    Returns:
        Utility.

    Raises:
        InputError: labels that are no classes, sets that do not fit, persons on both sides.
    """
    count(seeds, "seeds", 1, 1000)
    count(per_class, "per_class", 1, 10**7)
    for one, names in ((judges, JUDGES), (setups, SETUPS)):
        for name in one:
            choice(name, "judge" if names is JUDGES else "setup", tuple(names))
    sets = {"train": (train, train_labels), "synthetic": (synthetic, synthetic_labels),
            "test": (test, test_labels)}
    sets = {name: _checked(name, *pair, classes) for name, pair in sets.items()}
    train_subjects = np.asarray(train_subjects, str)
    if len(train_subjects) != len(sets["train"][0]):
        raise InputError("Each training beat needs its person.", got=f"{len(train_subjects)} names",
                         expected=len(sets["train"][0]), fix="pass windows.subjects")
    persons = None if test_subjects is None else np.asarray(test_subjects, str)
    if persons is not None and len(persons) != len(sets["test"][0]):
        raise InputError("Each test beat needs its person.", got=f"{len(persons)} names",
                         expected=len(sets["test"][0]), fix="pass windows.subjects")
    if persons is not None and (both := np.intersect1d(train_subjects, persons)).size:
        raise InputError("Persons are in training and test.", expected="disjoint subjects",
                         got=", ".join(both[:5]), fix="split by subject, not by beat")
    judged = tuple(name for name in judged if name in set(sets["test"][1]))
    rows, confusion, by_person = [], {}, {}
    for judge in judges:
        for name in setups:
            for number in range(seed, seed + seeds):
                x, y, asked = _setup(name, sets, train_subjects, per_class, number)
                tested, truth = sets[asked]
                said = _trained_and_tested(judge, x, y, tested, number, name == "majority")
                groups = [slice(None)]
                if persons is not None and asked == "test":
                    groups = [persons == one for one in np.unique(persons)]
                counts = np.stack([confusion_matrix(truth[own], said[own], classes)
                                   for own in groups])
                matrix = counts.sum(axis=0)
                if len(groups) > 1:
                    by_person.setdefault((judge, name), []).append(counts)
                rows.append({"judge": judge, "setup": name, "seed": number}
                            | scores(matrix, classes, judged))
                confusion[judge, name] = confusion.get((judge, name), 0.0) + matrix / seeds
    return Utility(pd.DataFrame(rows), confusion, tuple(classes), judged,
                   {key: np.stack(counts) for key, counts in by_person.items()})


def scores(confusion, classes: Sequence[str], judged: Sequence[str]) -> dict[str, float]:
    """The numbers of one confusion matrix.

    Args:
        confusion: (class, class) counts, rows the truth, columns what was said.
        classes: names of rows and columns.
        judged: those in `macro_f1` and `balanced_accuracy`.

    Returns:
        dict: `macro_f1`, `macro_f1_all`, `balanced_accuracy`, and `recall X`, `f1 X` of each class;
        NaN where a class has no beats. `macro_f1_all` counts it as 0 where it is wrongly said.
    """
    matrix = np.asarray(confusion, float)
    hit, truth, said = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, f1 = hit / np.where(truth, truth, np.nan), 2 * hit / (truth + said)
    chosen = np.isin(list(classes), list(judged))
    out = {"macro_f1": float(np.mean(f1[chosen])), "macro_f1_all": float(np.nanmean(f1)),
           "balanced_accuracy": float(np.mean(recall[chosen]))}
    for name, r, f in zip(classes, recall, f1, strict=True):
        out |= {f"recall {name}": float(r), f"f1 {name}": float(f)}
    return out


def circularity(own_on_generated, own_on_test, test_labels, judge_on_generated, generated_labels,
                classes: Sequence[str], judged: Sequence[str]) -> pd.DataFrame:
    """What a GAN's own class head says, beside what others say of the same beats.

    Args:
        own_on_generated: (m,) classes the GAN's head names in its own beats.
        own_on_test: (k,) classes it names in real beats of persons never seen.
        test_labels: (k,) their classes.
        judge_on_generated: (m,) classes an independent classifier names in the GAN's beats.
        generated_labels: (m,) the classes that were asked for.
        classes, judged: as in `utility`.

    Returns:
        DataFrame, one row a comparison: `accuracy`, `balanced_accuracy`, `macro_f1`.
    """
    rows = {}
    for name, said, truth in (
        ("own class head on its own beats", own_on_generated, generated_labels),
        ("independent classifier on the same beats", judge_on_generated, generated_labels),
        ("own class head on real test persons", own_on_test, test_labels),
    ):
        matrix = confusion_matrix(truth, said, classes)
        present = [one for one in judged if matrix[list(classes).index(one)].sum()]
        own = scores(matrix, classes, present)
        rows[name] = {"accuracy": matrix.trace() / matrix.sum(),
                      "balanced_accuracy": own["balanced_accuracy"], "macro_f1": own["macro_f1"]}
    return pd.DataFrame.from_dict(rows, orient="index")


def confusion_matrix(truth, said, classes: Sequence[str]) -> np.ndarray:
    """(class, class) counts, rows the truth, columns what was said."""
    numbers = {name: place for place, name in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)))
    np.add.at(matrix, ([numbers[one] for one in truth], [numbers[one] for one in said]), 1)
    return matrix


def make_classifier(name: str, seed: int):
    """A fresh scikit-learn classifier of `JUDGES`."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    choice(name, "judge", tuple(JUDGES))
    if name == "forest":
        return RandomForestClassifier(50, random_state=seed, n_jobs=-1)
    return HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, max_leaf_nodes=15,
                                          early_stopping=False, random_state=seed)


def _setup(name, sets, subjects, per_class, seed):
    """Features and labels to train on, and which set to test on."""
    rng = np.random.default_rng([seed, 7])
    x, y = sets["train"]
    if name in ("TRTR, all beats", "majority"):
        return x, y, "test"
    if name == "half the persons":
        persons = np.unique(subjects)
        kept = np.isin(subjects, rng.permutation(persons)[: max(1, len(persons) // 2)])
        at = np.flatnonzero(kept)[_even(y[kept], subjects[kept], per_class, seed)]
        return x[at], y[at], "test"
    at = _even(y, subjects, per_class, seed)
    real = x[at], y[at]
    fake_x, fake_y = sets["synthetic"]
    some = _even(fake_y, np.full(len(fake_y), ""), per_class, seed)
    fake = fake_x[some], fake_y[some]
    if name == "TSTR":
        return *fake, "test"
    if name == "shuffled labels":
        return fake[0], rng.permutation(fake[1]), "test"
    if name == "real + synthetic":
        return np.concatenate([real[0], fake[0]]), np.concatenate([real[1], fake[1]]), "test"
    return *real, "synthetic" if name == "TRTS" else "test"


def _even(labels, subjects, per_class, seed):
    """`per_class` beats of each class: without repetition where there are enough of one source."""
    out, rng = [], np.random.default_rng([seed, 8])
    for name in np.unique(labels):
        own = np.flatnonzero(labels == name)
        if len(np.unique(subjects[own])) == 1 and len(own) >= per_class:
            out.append(rng.choice(own, per_class, replace=False))
        else:
            out.append(own[balanced_draw(labels[own], subjects[own], per_class, seed)])
    return np.concatenate(out)


def _trained_and_tested(judge, x, y, test, seed, majority):
    """What a fresh judge calls the beats of `test`."""
    if majority or len(np.unique(y)) == 1:
        names, counts = np.unique(y, return_counts=True)
        return np.full(len(test), names[counts.argmax()])
    return make_classifier(judge, seed).fit(x, y).predict(test)


def _measured(name, values, yardstick, n):
    low, high = _interval(values)
    baseline_low, baseline_high = _interval(yardstick)
    return Measured(name, float(np.mean(values)), float(np.mean(yardstick)), low, high,
                    better="high", n=n, baseline_low=baseline_low, baseline_high=baseline_high)


def _interval(values) -> tuple[float, float]:
    from scipy.stats import t

    values = np.asarray(values, float)
    if len(values) < 2 or not np.isfinite(values).all():
        return np.nan, np.nan
    reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - reach), float(values.mean() + reach)


def _checked(name, x, y, classes):
    x, y = np.asarray(x, np.float32), np.asarray(y, str)
    unknown = sorted(set(np.unique(y)) - set(classes))
    if x.ndim != 2 or len(x) != len(y) or not len(x) or unknown or not np.isfinite(x).all():
        raise InputError(f"The {name} set cannot be used.",
                         expected=f"(beat, feature) without gaps, labels of {', '.join(classes)}",
                         got=f"shape {x.shape}, {len(y)} labels" + (f", {unknown}" * bool(unknown)),
                         fix="pass beat_features(...) and the labels of the same beats")
    return x, y
