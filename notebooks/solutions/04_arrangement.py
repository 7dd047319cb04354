"""Solutions to the exercises of 04_arrangement: `python notebooks/solutions/04_arrangement.py`.

Each function answers one exercise; its first line says what is to be seen.
"""

from dataclasses import replace

import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.images.arrangements import make_arrangement
from ecg_tf.images.image_losses import neighbour_correlation
from ecg_tf.training.data import prepare_data


def exercise_1(height=6, width=5):
    """Row t // N; column t mod N in even rows, N - 1 - t mod N in odd ones: the plough turns. It is
    its own inverse up to the row, since turning a row around twice changes nothing."""
    t = np.arange(height * width)
    row, rest = np.divmod(t, width)
    column = np.where(row % 2 == 0, rest, width - 1 - rest)
    path = make_arrangement("serpentine", height, width).path()
    same = bool((path[:, 0] == row).all() and (path[:, 1] == column).all())
    print(f"The formula gives the package's path: {same}.")
    return same


def exercise_2(sides=(16, 32), subjects=4, minutes=1.0):
    """The vertical correlation changes: the pixel below is the sample N later, so it is the
    signal's autocorrelation at N samples. That is high if N samples hold a whole number of beats,
    which depends on the heart rate. The horizontal one is that at one sample and stays."""
    found = {}
    for side in sides:
        e = Experiment(arrangement="row_major", height=side, width=side, subjects=subjects,
                       minutes=minutes, overlap=0.0)
        data = prepare_data(e)
        windows = data.windows["train"]
        x = data.codec.standardizer.transform(windows.signals)[..., 0]
        lagged = np.corrcoef(x[:, :-side].ravel(), x[:, side:].ravel())[0, 1]
        pixels = neighbour_correlation(data.codec.encode(windows))
        found[side] = pixels["vertical"], float(lagged), pixels["horizontal"]
        print(f"side {side}: vertical {found[side][0]:.2f}, autocorrelation at {side} samples "
              f"{lagged:.2f}, horizontal {found[side][2]:.2f}")
    return found


def exercise_3(width=32, fs=128.0, rows=32, jitters=(0.0, 0.02, 0.1)):
    """At 60 fs / N = 240 beats a minute a row is a beat. It would not stay so: a heart that varies
    by 2 % from beat to beat drifts away from its column row by row, and one that varies by 10 % has
    left it at once."""
    rate, rng, found = 60 * fs / width, np.random.default_rng(0), {}
    for jitter in jitters:
        rr = width * (1 + jitter * rng.standard_normal(rows + 20))
        peaks = np.cumsum(rr) - width / 2
        t = np.arange(rows * width)
        beat = np.exp(-0.5 * ((t[:, None] - peaks) / 2.0) ** 2).sum(1)
        image = make_arrangement("row_major", rows, width).encode(beat[None, :, None])
        apart = np.corrcoef(image[0, :-16].ravel(), image[0, 16:].ravel())[0, 1]
        found[jitter] = neighbour_correlation(image)["vertical"], float(apart)
        print(f"{rate:.0f} bpm, varying by {jitter:.0%}: next row {found[jitter][0]:.2f}, "
              f"16 rows on {found[jitter][1]:.2f}")
    return found


def exercise_4(database="simulated", subjects=6, minutes=1.0, height=16):
    """In atrial fibrillation the R peaks are still there, so every beat gets its row; rows of very
    different length are stretched very differently, and where a long row has few pixels for many
    samples, the way back loses most. With database = "mitdb" look at the persons printed last."""
    e = Experiment(database=database, subjects=subjects, minutes=minutes, height=height,
                   overlap=0.0, split="random" if database == "simulated" else "ds1ds2")
    data, errors = prepare_data(e), {}
    windows = data.windows["train"]
    for who in np.unique(windows.subjects):
        own = windows.take(windows.subjects == who)
        error = data.codec.round_trip_error(own)["prd_percent"]
        rr = np.diff(own.rpeaks, axis=1)
        errors[str(who)] = error, float(np.mean(rr.std(1) / rr.mean(1)))
    for who, (error, uneven) in sorted(errors.items(), key=lambda item: item[1]):
        print(f"{who}: error {error:.1f} %, RR intervals vary by {uneven:.0%}")
    return errors


def exercise_5(names=("row_major", "beat_rows"), seeds=(0, 1, 2), side=32, **settings):
    """Look whether every training of one arrangement is nearer than every one of the other: only
    then the order is no chance. (Some minutes.)"""
    from ecg_tf.study.run import run

    size = {"subjects": 12, "minutes": 3.0, "base_filters": 8, "latent_dim": 64, "batch_size": 32,
            "ema_decay": 0.99, "synthetic": 200, "strip_seconds": 6.0, "steps": 800, **settings}
    baselines = {}
    for name in names:
        high, wide = (side // 2, 2 * side) if name == "beat_rows" else (side, side)
        plan = Experiment(arrangement=name, height=high, width=wide, attacks=False, **size)
        for seed in seeds:
            one = replace(plan, experiment=f"solution-04-{name}-{seed}", seed=seed)
            mmd2 = run(one, progress=False).measures[0]
            baselines.setdefault(name, []).append(mmd2.value / mmd2.baseline)
        print(f"{name}: {min(baselines[name]):.1f} to {max(baselines[name]):.1f} baselines")
    return baselines


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
