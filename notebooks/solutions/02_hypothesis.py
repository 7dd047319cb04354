"""Solutions to the exercises of 02_hypothesis: `python notebooks/solutions/02_hypothesis.py`.

Each function answers one exercise; its first line says what is to be seen. Exercises 1 to 3 and 5
train small GANs, some minutes in all; what they print decides, another seed may decide
otherwise.
"""

import numpy as np
import pandas as pd

from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.evaluation import table_fidelity
from ecg_tf.evaluation.baselines import measured_table
from ecg_tf.tables.table_codec import TableCodec
from ecg_tf.tables.table_files import load_table

SHOWN = ["KS, mean column", "correlation matrix", "discriminative AUC"]


def halves(table, seed=0):
    """Training and test rows."""
    order = np.random.default_rng(seed).permutation(len(table))
    return table.iloc[order[len(table) // 3 :]], table.iloc[order[: len(table) // 3]]


def trained(steps=1500, synthetic=1000, seed=0, side=16, base_filters=32, **codec):
    """Measures of a GAN on the diabetes table, as images by a codec of these options."""
    with quiet_startup():
        from ecg_tf.lessons.image_gan import train_images

    train, test = halves(load_table("diabetes"))
    made = TableCodec(side, side, **codec).fit(train)
    gan = train_images(made.encode(train), steps, base_filters=base_filters, seed=seed)
    generated = made.standardize(made.decode(gan.generate(synthetic, seed + 1)))
    real = (made.standardize(part) for part in (train, test))
    return measured_table(table_fidelity.table_measures(*real, generated, seed=seed))["value"]


def beside(**measured):
    """Prints measures of several trainings beside each other."""
    table = pd.DataFrame(measured).reindex(SHOWN)
    print(table.round(3).to_string())
    return table


def exercise_1(**size):
    """Look whether the difference between stripes and patches is larger than that between two
    seeds: only then the network cares. Both give a convolution neighbours that are alike."""
    return beside(stripes=trained(arrangement="row_major", **size),
                  patches=trained(arrangement="hilbert", **size),
                  stripes_again=trained(arrangement="row_major", **{**size, "seed": 1}))


def exercise_2(**size):
    """Compare measure by measure which one loses most when ten numbers lie side by side in an empty
    image: a convolution mixes neighbours that have nothing in common, and no copies are
    averaged."""
    return beside(replicate=trained(fill="replicate", **size), pad=trained(fill="pad", **size))


def exercise_3(short=150, **size):
    """A measure that moves from the first column to the second notices the short training."""
    return beside(short=trained(**{**size, "steps": short}), long=trained(**size))


def exercise_4(seed=0):
    """KS of shuffled columns is at its baseline, since each column is real. The correlation matrix
    and the classifier's AUC expose them: nothing belongs together. A report of KS alone would call
    a table perfect in which men are pregnant."""
    train, test = halves(load_table("breast_cancer"))
    codec = TableCodec(16, 16).fit(train)
    real = [codec.standardize(part) for part in (train, test)]
    shuffled = np.random.default_rng(seed).permuted(np.asarray(real[0]), axis=0)
    table = measured_table(table_fidelity.table_measures(*real, shuffled, seed=seed))
    print(table.loc[SHOWN, ["value", "baseline", "at_baseline"]].round(3).to_string())
    return table.loc[SHOWN, "at_baseline"]


def exercise_5(rows=400, steps=800, synthetic=1000, rare=0.03, seed=0, base_filters=32):
    """Count the rare category among the generated rows: a GAN may lose it, or generate too many.
    Here is an invented table with a category that few rows have; put your own in its place."""
    with quiet_startup():
        from ecg_tf.lessons.image_gan import train_images

    rng = np.random.default_rng(seed)
    kind = rng.choice(["common", "usual", "rare"], rows, p=[0.6, 0.4 - rare, rare])
    age = rng.normal(50, 12, rows) + 20 * (kind == "rare")
    table = pd.DataFrame({"age": age, "kind": kind})
    codec = TableCodec(8, 8).fit(table)
    gan = train_images(codec.encode(table), steps, base_filters=base_filters, seed=seed)
    shares = {name: float((part["kind"] == "rare").mean()) for name, part in
              (("real", table), ("generated", codec.decode(gan.generate(synthetic, seed + 1))))}
    print(f"Rare: {shares['real']:.1%} of the real rows, {shares['generated']:.1%} of the "
          "generated ones.")
    return shares


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
