"""Solutions to the exercises of 09_anonymity: `python notebooks/solutions/09_anonymity.py`.

Each function answers one exercise; its first line says what is to be seen. Exercises 1 and 2 train
GANs, some minutes each; what they print decides, and another seed may decide otherwise.
"""

from dataclasses import replace

import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.copies import copy_measures, fit_copy_test, plant_copies
from ecg_tf.evaluation.copy_reference import CopyReference, copy_reference
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.windows import cut_strips
from ecg_tf.training.data import prepare_data

FS = 128.0


def memorizing(few_windows=2, steps=1500, persons=5, generated=100, subjects=40, minutes=4.0,
               height=32, seconds=10.0, **settings):
    """Copies and near-matches among the strips of a GAN that saw a few images of a few persons."""
    from ecg_tf.base.tf_startup import quiet_startup

    with quiet_startup():
        from ecg_tf.training.fit import train
        from ecg_tf.training.synthesis import synthesize

    e = Experiment(**{
        "experiment": f"solution-09-{few_windows}-{steps}", "subjects": subjects,
        "minutes": minutes, "height": height, "strip_seconds": seconds, "penalty": 0.1,
        "steps": steps, "ema_decay": 0.99, "base_filters": 16, "latent_dim": 64, **settings})
    data = prepare_data(e)
    pool, known = data.windows["train"], np.unique(data.windows["train"].subjects)[:persons]
    rows = [np.flatnonzero(pool.subjects == who) for who in known]
    rows = [own[np.linspace(0, len(own) - 1, few_windows).astype(int)] for own in rows]
    narrow = pool.take(np.unique(np.concatenate(rows)))
    gan = train(replace(e, batch_size=min(16, len(narrow))),
                replace(data, windows={**data.windows, "train": narrow}), progress=False)
    made = synthesize(gan.ema_generator, data.codec, 2 * generated, 1, high=40.0)
    made = cut_strips(made, seconds)
    inside = data.strips["train"].take(np.isin(data.strips["train"].subjects, known))
    other = data.strips["test"]
    reference = copy_reference(inside)
    rows = copy_measures(reference.nearest(made[:generated]).score, fit_copy_test(reference, other))
    print(f"{few_windows} images of each of {persons} persons, {steps} steps: "
          + ", ".join(f"{row.name} {row.value:.0%}" for row in rows))
    return {row.name: row.value for row in rows}


def exercise_1(windows=(2, 10, 30), **size):
    """The more images of a person, the less any one of them is generated again: copies fall first.
    Near-matches last longest, since the GAN still generates these few persons and no others."""
    return {n: memorizing(few_windows=n, **size) for n in windows}


def exercise_2(steps=(100, 1500), **size):
    """Look at the shares after 100 steps, and at the strips: what is still noise is near no one. A
    GAN is caught when, not before, its images are good enough to be a person's."""
    return {n: memorizing(steps=n, **size) for n in steps}


def exercise_3(members=10, others=20, planted=5, generated=200, minutes=2.0, seconds=4.0, seed=0):
    """Five of two hundred are 2.5 %: a share moves little, but the five stand at the very top of
    the copy scores. Whoever looks at the highest scores sees them at once."""
    length, margin = round(seconds * FS), round(2 * FS)
    cohort = [prepare(r) for r in simulate_cohort(members + others, minutes=minutes, seed=seed)]
    inside = strips(cohort[:members], length + 2 * margin, step=length)
    outside = strips(cohort[members:], length)
    rng = np.random.default_rng(seed)
    fresh = outside.take(np.isin(outside.subjects, np.unique(outside.subjects)[::2]))
    null = outside.take(~np.isin(outside.subjects, np.unique(outside.subjects)[::2]))
    chosen = inside.signals[rng.permutation(len(inside))[:planted]]
    hidden = plant_copies(chosen, FS, seconds, seed)["all of these"]
    mixed = np.concatenate([fresh.signals[rng.permutation(len(fresh))[:generated]], hidden])
    reference = CopyReference(inside.signals, length, FS, 10 * np.arange(len(inside)))
    test, score = fit_copy_test(reference, null), reference.nearest(mixed).score
    top = np.argsort(-score)[:planted]
    found = float((top >= len(mixed) - planted).mean()), float((score > test.near_match).mean())
    print(f"Near-matches: {found[1]:.1%} of {len(mixed)} strips. Of the {planted} highest scores "
          f"{found[0]:.0%} are planted copies.")
    return found


def exercise_4(persons=(40, 20, 10), repeats=500, seed=0):
    """The interval of the null grows with one over the square root of the persons, whatever the
    number of strips: with half of them a leak has to be 1.4 times as large to show."""
    rng, widths = np.random.default_rng(seed), {}
    for n in persons:
        half = n // 2
        scores = rng.standard_normal((repeats, n))  # one score a person, assigned at random
        higher = (scores[:, :half, None] > scores[:, None, half:]).mean(axis=(1, 2))
        low, high = np.quantile(higher, [0.025, 0.975])
        widths[n] = high - low
        print(f"{n} persons: an AUC between {low:.2f} and {high:.2f} is chance")
    return widths


def exercise_5():
    """There is no number to compute. Those who might: a colleague who has the patient's next ECG;
    an insurer with one ECG of an applicant; a relative who knows the date of a stay; whoever
    trained the generator and has its weights. For each write down what they know already, and which
    attack of the lesson stands for them. The first two are membership inference with an own
    recording; weights and dates are not covered here, so the gate says nothing about these
    attackers."""
    print(exercise_5.__doc__)


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
