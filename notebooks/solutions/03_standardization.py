"""Solutions to the exercises of 03_standardization:
`python notebooks/solutions/03_standardization.py`.

Each function answers one exercise; its first line says what is to be seen.
"""

import json

import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.images.scaling import Standardizer
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import beat_sequences
from ecg_tf.signals.filtering import prepare


def some_windows(persons=6, minutes=1.0):
    """Windows of eight beats of simulated persons."""
    return beat_sequences([prepare(r) for r in simulate_cohort(persons, minutes=minutes)], rows=8)


def exercise_1(limit=4.0, knee=0.5, **size):
    """Largest at the far end: a step of half a grey level moves u = asinh(x/k) by asinh(L/k)/255,
    and x by at most k cosh(u) times that, with u = asinh(L/k) at the end. The table's bound is this
    number, and what is measured stays below."""
    end = np.arcsinh(limit / knee)
    bound = knee * np.cosh(end) * end / 255
    companded = Standardizer("companded", limits_mv=(-limit, limit), knee_mv=knee,
                             quantization="uint8")
    windows = some_windows(**size)
    mv = windows.signals[np.isfinite(windows.signals)].clip(-limit, limit)[None, :, None]
    measured = np.abs(companded.inverse_transform(companded.transform(mv)) - mv).max()
    print(f"By hand {bound:.4f} mV, the package says {companded.error_bound_mv()[0]:.4f}, "
          f"measured {measured:.4f}.")
    return bound, float(companded.error_bound_mv()[0]), float(measured)


def exercise_2(quantiles=(0.02, 0.98), **size):
    """Most R peaks are cut off, at one height: a reader would see flat tips and believe that these
    hearts have the same, small QRS. Few samples are clipped, but it is the ones that matter."""
    windows = some_windows(**size)
    report = Standardizer("quantile", quantiles=quantiles).fit(windows).report(windows)
    print(f"{report['clipped_samples_percent']:.1f} % of the samples and "
          f"{report['clipped_rpeaks_percent']:.0f} % of the R peaks are clipped.")
    return report


def exercise_3(**size):
    """`physical` with limits of ±5 mV: what the device can give fits, and nothing depends on any
    person. `global` leaks: the end of its range, in codec.json for everybody to read, is the
    largest sample of the most unusual patient."""
    windows = some_windows(**size)
    state = json.loads(json.dumps(Standardizer("global").fit(windows).to_dict()))
    end, largest = state["centre"][0] + state["half"][0], float(np.nanmax(windows.signals))
    who = windows.subjects[np.nanmax(windows.signals[..., 0], axis=1).argmax()]
    print(f"The range ends at {end:.3f} mV, the tallest R peak ({who}) is {largest:.3f} mV high.")
    return end, largest


def exercise_4(knees=(0.05, 0.5, 2.0, 50.0), limit=4.0):
    """The larger the knee, the straighter: at 2 mV grey levels at rest are still finer than those
    of `physical`, far above the limits they are the same. A small knee spends most levels on the
    noise around 0 mV."""
    levels = {}
    for knee in knees:
        companded = Standardizer("companded", limits_mv=(-limit, limit), knee_mv=knee)
        step = np.array([[[1 / 255], [-1 / 255]]])
        levels[knee] = float(-np.diff(companded.inverse_transform(step)[0, :, 0])[0] * 1000)
    physical = 2 * limit / 255 * 1000
    print("A grey level at 0 mV: " + ", ".join(f"knee {k:g} {v:.1f} µV" for k, v in levels.items())
          + f"; physical {physical:.1f} µV.")
    return levels, physical


def exercise_5(scalings=("global", "quantile", "companded"), seeds=(0, 1, 2), **settings):
    """Look whether the best scaling of one seed is the best of each: where the values of two
    scalings overlap over the seeds, the order is chance. (Some 10 minutes.)"""
    from ecg_tf.study.run import run

    size = {"subjects": 12, "minutes": 3.0, "height": 16, "base_filters": 8, "latent_dim": 64,
            "batch_size": 32, "ema_decay": 0.99, "synthetic": 200, "strip_seconds": 6.0,
            "steps": 800, **settings}
    baselines = {}
    for name in scalings:
        for seed in seeds:
            plan = Experiment(experiment=f"solution-03-{name}-{seed}", scaling=name, seed=seed,
                              attacks=False, **size)
            mmd2 = run(plan, progress=False).measures[0]
            baselines[name, seed] = mmd2.value / mmd2.baseline
    for seed in seeds:
        print(f"seed {seed}:", *sorted(scalings, key=lambda name, seed=seed: baselines[name, seed]))
    return baselines


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
