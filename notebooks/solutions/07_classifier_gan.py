"""Solutions to the exercises of 07_classifier_gan:
`python notebooks/solutions/07_classifier_gan.py`.

Each function answers one exercise; its first line says what is to be seen. Exercises 1 and 2
train GANs, some minutes each; what they print decides, and another seed may decide otherwise.
"""

import numpy as np
import pandas as pd

from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.beat_features import beat_features
from ecg_tf.evaluation.utility import make_classifier, scores
from ecg_tf.training.labelled_beats import balanced_sample, prepare_beats

with quiet_startup():
    from ecg_tf.lessons.beat_gan import named_by_head, synthesize_beats, train_beat_gan


def beats(subjects=14, minutes=4.0, ectopy=3.0, **settings):
    """Labelled beats as in the lesson."""
    e = Experiment(**{"arrangement": "row_major", "height": 8, "width": 16, "subjects": subjects,
                      "minutes": minutes, "knee_mv": 0.1, **settings})
    return prepare_beats(e, ectopy)


def recall_of(named, labels):
    """Mean over the classes of the share that is named rightly."""
    return float(np.mean([np.mean(named[labels == name] == name) for name in np.unique(labels)]))


def weighed(weight, steps=800, per_class=300, base_filters=16, latent_dim=64, **size):
    """Recall by the own head and by an independent classifier, and TSTR (mean recall)."""
    data = beats(**size)
    train, test, classes = data.windows["train"], data.windows["test"], data.classes
    fed = balanced_sample(train.labels, train.subjects, per_class * len(classes), 0)
    classifier = make_classifier("forest", 0).fit(beat_features(train)[fed], train.labels[fed])
    gan, _ = train_beat_gan(train, data.codec, classes, steps, latent_dim=latent_dim,
                            base_filters=base_filters, generator_class_weight=weight,
                            ema_decay=0.995, check_every=steps)
    generated = synthesize_beats(gan, data.codec, classes, per_class, 1, 40.0)
    x = beat_features(generated)
    taught = make_classifier("forest", 0).fit(x, generated.labels)
    named = np.asarray(named_by_head(gan, data.codec, classes, generated))
    own = recall_of(named, generated.labels)
    out = {"own head": own, "independent": recall_of(classifier.predict(x), generated.labels),
           "TSTR": recall_of(taught.predict(beat_features(test)), test.labels)}
    print(f"class weight {weight:g}: " + ", ".join(f"{k} {v:.2f}" for k, v in out.items()))
    return out


def exercise_1(**size):
    """The own head is the easiest to please. If it rises while TSTR does not, the generator makes
    caricatures: beats no head could mistake and no person has, such as a V twice as wide as any."""
    return {weight: weighed(weight, **size) for weight in (0.2, 5.0)}


def exercise_2(**size):
    """With a weight of 0 the generator never hears the head, only the score that depends on the
    class. What the head then says was not taught to the generator: still one opinion from the same
    house, but no longer an echo."""
    return {weight: weighed(weight, **size) for weight in (0.0, 0.2)}


def exercise_3(normal=0.9, classes=("N", "S", "V", "F")):
    """Precision of N is 0.9, its recall 1, so F1 is 2 * 0.9 / 1.9 = 0.947; the others have 0, and
    the mean over four classes is 0.237: "near 0.24", as the lesson says."""
    by_hand = 2 * normal / (1 + normal) / len(classes)
    rest = (1 - normal) / (len(classes) - 1)
    confusion = np.zeros((len(classes), len(classes)))
    confusion[:, 0] = 1000 * np.array([normal] + [rest] * (len(classes) - 1))
    package = scores(confusion, classes, classes)["macro_f1"]
    print(f"By hand {by_hand:.3f}, the package {package:.3f}.")
    return by_hand, package


def exercise_4(per_class=200, **size):
    """A generator that repeats one perfect beat of each class has a TRTS near 1: the real
    classifier knows them all. Trained on it, a classifier has seen one beat of each class and does
    worse on people than one trained on real beats. Only TSTR shows whether the set varies."""
    data = beats(**size)
    train, test = data.windows["train"], data.windows["test"]
    x, known = beat_features(train), [c for c in data.classes if c in train.labels]
    usual = np.stack([np.median(x[train.labels == one], axis=0) for one in known])
    perfect, labels = np.repeat(usual, per_class, 0), np.repeat(known, per_class)
    fed = balanced_sample(train.labels, train.subjects, per_class * len(known), 0)
    real_classifier = make_classifier("forest", 0).fit(x[fed], train.labels[fed])
    taught = make_classifier("forest", 0).fit(perfect, labels)
    found = {"TRTS": recall_of(real_classifier.predict(perfect), labels),
             "TRTR": recall_of(real_classifier.predict(beat_features(test)), test.labels),
             "TSTR": recall_of(taught.predict(beat_features(test)), test.labels)}
    print(", ".join(f"{name} {value:.2f}" for name, value in found.items()))
    return found


def exercise_5(database="mitdb", **size):
    """In MIT-BIH nearly all F beats of the test belong to one person: a number about F says whether
    that person's beats were found, and no more than that."""
    split = {"split": "ds1ds2"} if database == "mitdb" else {}
    data = beats(database=database, **split, **size)
    rows = {}
    for part, windows in data.windows.items():
        for label in data.classes:
            who, n = np.unique(windows.subjects[windows.labels == label], return_counts=True)
            rows[part, label] = {"beats": n.sum(), "persons": len(who),
                                 "of one person": n.max() / n.sum() if len(n) else np.nan}
    table = pd.DataFrame(rows).T
    print(table.round(2).to_string())
    return table


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4):
        exercise()
    exercise_5("simulated")  # "mitdb" where it is at hand
