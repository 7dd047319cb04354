"""Solutions to the exercises of 08_stopping: `python notebooks/solutions/08_stopping.py`.

Each function answers one exercise; its first line says what is to be seen. Exercise 2 trains a GAN.
"""

import numpy as np
import pandas as pd

from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation import fidelity
from ecg_tf.evaluation.baselines import baseline
from ecg_tf.evaluation.clinical import rhythm
from ecg_tf.evaluation.descriptors import DescriptorScale, describe
from ecg_tf.evaluation.stopping import decide
from ecg_tf.training.data import prepare_data


def exercise_1(patiences=(1, 5, 20), checks=60, seed=0):
    """Rules whose measure jumps from check to check change their choice: with a patience of 1 they
    give up at the first jump. A smooth measure does not care, and with 20 both find the end. Here a
    falling line, without and with noise; in the lesson compare `rules` for each patience."""
    smooth = 1.0 + np.exp(-np.arange(checks) / 10)
    noisy = smooth + 0.1 * np.random.default_rng(seed).standard_normal(checks)
    kept = {(name, p): decide(values, patience=p).best for p in patiences
            for name, values in (("smooth", smooth), ("noisy", noisy))}
    for (name, patience), check in kept.items():
        print(f"{name}, patience {patience}: keeps check {check} of {checks}")
    return kept


def exercise_2(steps=600, **settings):
    """Lowest where the discriminator has the easiest task, and that is early, while the images
    are still noise; or late, when it begins to know its training images. Whoever stops at the
    lowest d_loss keeps the weights of one of these."""
    from ecg_tf.base.tf_startup import quiet_startup

    with quiet_startup():
        from ecg_tf.training.fit import train

    size = {"subjects": 12, "minutes": 3.0, "height": 16, "width": 32, "base_filters": 8,
            "latent_dim": 64, "batch_size": 32, "check_every": 50, **settings}
    e = Experiment(experiment="solution-08", steps=steps, ema_decay=0.99, **size)
    train(e, prepare_data(e), progress=False)
    history = pd.read_csv(e.folder / "history.csv").set_index("step")["d_loss"]
    print(f"d_loss is lowest at step {history.idxmin()} of {steps}: {history.min():.3f}; "
          f"at the end {history.iloc[-1]:.3f}")
    return int(history.idxmin())


def described(subjects, minutes, seconds=6.0):
    """Strips of an experiment's parts, described: part -> (features, subjects)."""
    data = prepare_data(Experiment(subjects=subjects, minutes=minutes, height=8,
                                   strip_seconds=seconds))
    train = data.strips["train"]
    scale = DescriptorScale.from_real(train.signals, train.fs)
    return {part: (describe(strips.signals, strips.fs, scale), strips.subjects)
            for part, strips in data.strips.items()}


def distance(a, b):
    """MMD² between two sets of described strips, of at most 150 each."""
    rng = np.random.default_rng(0)
    sides = [x[rng.permutation(len(x))[:150]] for x in (a, b)]
    return fidelity.mmd2(*sides, permutations=0)[0]


def exercise_3(few=8, many=24, minutes=1.0):
    """With one validation person the baseline is the distance to that one person, and the partings
    lie far apart: it says who the person is, not how good the ECGs are. I would not stop there,
    but ask for more persons."""
    found = {}
    for subjects in (few, many):
        parts = described(subjects, minutes)
        (x, who), (y, other) = parts["validation"], parts["train"]
        value = distance(x, y)
        persons = len(np.unique(who)), len(np.unique(other))
        _, low, high = baseline(distance, np.concatenate([x, y]), np.concatenate([who, other]), 150,
                             persons[0] / sum(persons), 20)
        found[subjects] = persons[0], value, low, high
        print(f"{subjects} subjects, {persons[0]} to validate: baseline {value:.3f}, partings "
              f"{low:.3f} to {high:.3f}")
    return found


def exercise_4(subjects=16, minutes=1.0):
    """Against validation persons copies are exactly at the baseline, for the baseline is the
    training ECGs. Against the training persons they are below every other set's distance, near 0 or
    negative: that one gives them away."""
    parts = described(subjects, minutes)
    copies = parts["train"][0]
    found = {"validation": distance(parts["validation"][0], copies),
             "training": distance(parts["train"][0], copies),
             "test persons to training": distance(parts["train"][0], parts["test"][0])}
    print("MMD² of copies: " + ", ".join(f"{name} {value:.3f}" for name, value in found.items()))
    return found


def exercise_5(subjects=8, minutes=1.0, seconds=6.0, seed=0):
    """One perfect strip, again and again, has beats in all strips and no diversity; noise differs
    more than people do and has no beats. Each is perfect in one measure and useless."""
    data = prepare_data(Experiment(subjects=subjects, minutes=minutes, height=8,
                                   strip_seconds=seconds))
    real = data.strips["test"].signals
    rng = np.random.default_rng(seed)
    scale = DescriptorScale.from_real(real, 128.0)
    sets = {"one strip": np.repeat(real[:1], len(real), 0)
            + 1e-4 * rng.standard_normal(real.shape).astype(np.float32),
            "noise": rng.normal(0, real.std(), real.shape).astype(np.float32)}
    found = {}
    for name, strips in sets.items():
        spread = fidelity.diversity(*(describe(x, 128.0, scale) for x in (real, strips)))
        found[name] = float(rhythm(strips, 128.0)["detectable"].mean()), spread["diversity"]
        print(f"{name}: beats in {found[name][0]:.0%} of the strips, diversity "
              f"{found[name][1]:.2f}")
    return found


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
