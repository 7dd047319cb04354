"""Solutions to the exercises of 11_population: `python notebooks/solutions/11_population.py`.

Each function answers one exercise; its first line says what is to be seen. Exercise 1 trains two
GANs, a minute each; another seed may decide otherwise.
"""

from dataclasses import replace

import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.baselines import baseline
from ecg_tf.evaluation.person_statistics import PersonAUC
from ecg_tf.evaluation.strip_data import StripData
from ecg_tf.lessons.population import Measuring, population_study, subsets_of, trainable
from ecg_tf.training.data import prepare_data

SIZE = {"subjects": 40, "minutes": 2.0, "height": 16, "width": 32, "strip_seconds": 6.0,
        "model": "beatgan", "latent_dim": 64, "batch_size": 32, "ema_decay": 0.98,
        "synthetic": 200}


def exercise_1(few=4, many=8, steps=300, measuring=None, **settings):
    """Persons, in most trainings: images of other hearts differ more than further images of the
    same ones, so recall rises with persons at equal images. Repeat it with other seeds."""
    e = Experiment(experiment="solution-11", steps=steps, **{**SIZE, **settings})
    data, found = prepare_data(e), {}
    for name, persons, step in (("hours", few, 1), ("persons", many, 2)):
        windows = data.windows["train"]
        half = {**data.windows, "train": windows.take(slice(None, None, step))}
        own = replace(e, experiment=f"solution-11-{name}")
        table = population_study(own, [persons], data=replace(data, windows=half),
                                 measuring=measuring or Measuring(max_strips=150), progress=False)
        found[name] = {what: float(table[what]["value"].iloc[0]) for what in ("MMD²", "recall")}
        print(f"{persons} persons, {table['training']['images'].iloc[0]} images: "
              + ", ".join(f"{what} {value:.3f}" for what, value in found[name].items()))
    return found


def exercise_2(members=(4, 16, 64, 256), others=16, resamples=400, seed=0):
    """The band narrows at first and then stands still: with ever more members what is left is the
    chance of the 16 non-members, 1/sqrt(12 m). Only more non-members narrow it further. Outsiders
    are such; but all persons have none, so the sizes are then tested with unequal power."""
    rng, widths = np.random.default_rng(seed), {}
    for n in members:
        scores = rng.standard_normal(n + others)
        auc = PersonAUC(scores[:n], np.arange(n), scores[n:], n + np.arange(others))
        widths[n] = (float(np.std(auc.null(resamples, seed))),
                     float(np.sqrt((n + others + 1) / (12 * n * others))))
        print(f"{n} members, {others} non-members: standard deviation {widths[n][0]:.3f}, "
              f"by the formula {widths[n][1]:.3f}")
    return widths


def exercise_3(persons=100, small=8, large=16, repeats=1000, seed=0):
    """Nested ones: half of the persons are the same on both sides and cancel in the difference.
    Its variance is s2 (1/8 - 1/16) when nested and s2 (1/8 + 1/16) when independent, a third."""
    rng = np.random.default_rng(seed)
    value = {str(k): v for k, v in enumerate(rng.standard_normal(persons))}
    mean = [np.mean([value[who] for who in one.persons])
            for one in subsets_of(value, [small, large], repeats, seed)]
    first, second = np.array(mean[:repeats]), np.array(mean[repeats:])
    nested, independent = np.var(second - first), np.var(np.roll(second, 1) - first)
    print(f"Variance of the difference: {nested:.4f} nested, {independent:.4f} independent")
    return float(nested), float(independent)


def exercise_4(sizes=(2, 4, 8, 16, 0), repeats=10, subjects=40, minutes=1.0, seconds=6.0):
    """The memorizer's MMD² falls about as 1/n, and some four simulated persons come within twice
    the baseline. So a GAN that reaches that may have learned four hearts: fidelity to new persons
    does not tell learning from memorizing. Its membership AUC and its near-matches do."""
    data = prepare_data(Experiment(subjects=subjects, minutes=minutes, height=8,
                                   strip_seconds=seconds))
    train, test = data.strips["train"], data.strips["test"]
    subjects = np.concatenate([test.subjects, train.subjects])
    here = len(test) + np.arange(len(train))
    real = StripData(np.concatenate([test.signals, train.signals]), subjects, test.fs, here)
    there, found = np.arange(len(test)), {}
    for one in subsets_of(trainable(data), list(sizes), repeats):
        own = here[np.isin(train.subjects, one.persons)]
        found.setdefault(len(one.persons), []).append(real.mmd2(there, own))
    found = {n: float(np.mean(values)) for n, values in found.items()}
    level = baseline(real.mmd2, np.arange(len(subjects)), subjects, repeats=20,
                     share=len(np.unique(test.subjects)) / len(np.unique(subjects)))[0]
    print(f"Baseline {level:.4f}. Own strips of "
          + ", ".join(f"{n} persons {value:.4f}" for n, value in found.items()))
    return level, found


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4):
        exercise()
