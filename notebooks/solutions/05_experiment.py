"""Solutions to the exercises of 05_experiment: `python notebooks/solutions/05_experiment.py`.

Each function answers one exercise; its first line says what is to be seen. Exercises 1, 2 and 4
train GANs, some minutes each; what they print decides, and another seed may decide otherwise.
"""

from dataclasses import replace

import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.training.data import prepare_data

CLASS = {"subjects": 12, "minutes": 3.0, "base_filters": 8, "latent_dim": 64, "batch_size": 32,
         "ema_decay": 0.99, "synthetic": 200, "strip_seconds": 6.0, "height": 16, "width": 64}
SHOWN = ("MMD²", "precision", "recall", "heart rate W1", "detectable strips", "amplitude W1")


def trained(name, **settings):
    """Measures of one experiment: name -> (value, baseline)."""
    from ecg_tf.study.run import run

    settings = {**CLASS, "attacks": False, **settings, "experiment": f"solution-05-{name}"}
    found = run(Experiment(**settings), progress=False).measures
    measures = {m.name: (m.value, m.baseline) for m in found}
    print(f"{name}: " + ", ".join(f"{key} {measures[key][0]:.2f} ({measures[key][1]:.2f})"
                                  for key in SHOWN))
    return measures


def exercise_1(steps=800, **settings):
    """Row-major strips show beats of the right shape here and there and no rhythm: a beat comes
    back in another column of another row, too far away for a convolution. The detectable strips and
    the heart rate say so before the amplitudes do."""
    square = {"arrangement": "row_major", "height": 32, "width": 32}
    return {name: trained(name, steps=steps, **{**settings, **more})
            for name, more in (("beat-rows", {}), ("row-major", square))}


def exercise_2(few=50, steps=800, **settings):
    """Compare the two lines: what moves towards its baseline (in brackets) notices training.
    Whatever looks right after 50 steps does not look at what was still wrong."""
    return {n: trained(f"{n}-steps", steps=n, **settings) for n in (few, steps)}


def exercise_3(**size):
    """The T waves fade: under `physical` they get fewer grey levels than under `companded`, so the
    discriminator sees less of them, and the generator has less reason to generate them well."""
    e = Experiment(**{"subjects": 6, "minutes": 1.0, "height": 8, **size})
    levels = {}
    for name in ("physical", "companded"):
        data = prepare_data(replace(e, scaling=name, quantization="uint8"))
        windows = data.windows["train"]
        after = windows.rpeaks[:, 1:-2, None] + np.arange(0.15, 0.4, 0.02) * windows.fs
        at = np.rint(after).astype(int)  # where T waves are
        t_wave = np.median(windows.signals[np.arange(len(at))[:, None, None], at, 0].max(axis=2))
        pixel = data.codec.standardizer.transform(np.array([[[t_wave], [0.0]]]))[0, :, 0]
        levels[name] = float((pixel[0] - pixel[1]) * 255 / 2)
    print(", ".join(f"{name}: a T wave is {n:.0f} grey levels high" for name, n in levels.items()))
    return levels


def exercise_4(few=4, many=12, **settings):
    """Recall falls: the GAN can only generate what two persons show, and most test persons are
    not near them. A hospital would publish a set in which its other patients do not occur, and
    the two who do are easily found."""
    return {n: trained(f"{n}-subjects", subjects=n, **settings) for n in (few, many)}


def exercise_5(persons=(20, 60, 250, 600), bound=0.55):
    """With 60 subjects even a coin has an interval that reaches far beyond 0.55: no set could pass.
    The standard error of an AUC of 0.5 with m members and n others is sqrt((m + n + 1) / (12 m n)),
    so some 260 persons a side are needed, however many strips each gives."""
    upper = {n: 0.5 + 1.96 * np.sqrt((2 * n + 1) / (12 * n * n)) for n in persons}
    for n, value in upper.items():
        print(f"{n} members, {n} others: upper end {value:.3f}, "
              f"{'can pass' if value <= bound else 'cannot pass'}")
    return upper


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
