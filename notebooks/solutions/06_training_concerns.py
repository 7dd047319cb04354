"""Solutions to the exercises of 06_training_concerns:
`python notebooks/solutions/06_training_concerns.py`.

Each function answers one exercise; its first line says what is to be seen. Exercises 2, 3 and 5
train GANs, some minutes each; what they print decides, and another seed may decide otherwise.
"""

import numpy as np

from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.training.data import prepare_data

with quiet_startup():
    import tensorflow as tf

    from ecg_tf.lessons import concerns, rings

RECIPES = ("saturating", "non-saturating", "+ gradient penalty", "R1 + R2, relativistic")


def exercise_1(scores=(0.5, 0.01, 0.0001)):
    """Equal at 0.5, where both are 0.5. The surer the discriminator, the nearer the saturating push
    is to 0 and the other one to 1: at 0.0001 the latter is 10,000 times as strong."""
    pushes = {d: (d, 1 - d) for d in scores}
    for d, (saturating, other) in pushes.items():
        print(f"D = {d:g}: saturating {saturating:g}, non-saturating {other:g}")
    return pushes


def ring_modes(recipes=RECIPES, seeds=(0,), steps=2000, beta_1=0.5, latent_dim=8):
    """Modes reached at the end of each training, (recipe, seed) -> of eight."""
    ring, found = rings.Ring(modes=8, radius=2.0, std=0.1), {}
    points = ring.sample(8192, seed=0)
    for seed in seeds:
        for name in recipes:
            gan = concerns.make_gan(name, lambda: rings.build_point_generator(latent_dim),
                                    rings.build_point_discriminator, beta_1=beta_1, seed=seed)
            done = concerns.watched(gan, points, steps, checks=4, batch_size=128, seed=seed,
                                    callbacks=[rings.RingWatch(ring)])
            found[name, seed] = int(done.history["modes"].iloc[-1])
    return found


def exercise_2(**size):
    """Look which recipes change between the three lines. "This loss does not collapse" holds for
    a loss with its optimizer, its networks and its latents; change these, and it may."""
    lines = {"as in the lesson": ring_modes(**size),
             "beta_1 = 0": ring_modes(beta_1=0.0, **size),
             "2 latents": ring_modes(latent_dim=2, **size)}
    for what, modes in lines.items():
        print(f"{what}: " + ", ".join(f"{name} {n} of 8" for (name, _), n in modes.items()))
    return lines


def exercise_3(seeds=(0, 1, 2), **size):
    """Only recipes whose ranges over the seeds do not overlap differ by more than chance."""
    modes = ring_modes(seeds=seeds, **size)
    ranges = {}
    for name in dict.fromkeys(recipe for recipe, _ in modes):
        own = [n for (recipe, _), n in modes.items() if recipe == name]
        ranges[name] = min(own), max(own)
        print(f"{name}: {min(own)} to {max(own)} modes over {len(own)} seeds")
    return ranges


def exercise_4(steps=300, recipes=("non-saturating", "+ gradient penalty", "+ spectral norm")):
    """The second factor, the slope of the discriminator at the drawings: it grows as the
    discriminator becomes sure, while the push stays about 1. Spectral normalization bounds it, a
    gradient penalty pays for it where the points are real."""
    ring, slopes = rings.Ring(modes=8, radius=2.0, std=0.1), {}
    points = ring.sample(4096, seed=0)
    for name in recipes:
        gan = concerns.make_gan(name, lambda: rings.build_point_generator(8, spread=0.1),
                                rings.build_point_discriminator, beta_1=0.5, seed=0)
        before = slope_of(gan)
        concerns.discriminator_alone(gan, points, steps, {"loss": gan.generator_loss},
                                     batch_size=128)
        slopes[name] = before, slope_of(gan)
        print(f"{name}: slope {before:.2f} at the start, {slopes[name][1]:.2f} after {steps} steps")
    return slopes


def slope_of(gan, n=256):
    """Mean length of the discriminator's gradient at generated points."""
    generated = tf.constant(gan.generate(n, 0))
    with tf.GradientTape() as tape:
        tape.watch(generated)
        score = gan.discriminator(generated, training=False)
    gradient = tape.gradient(score, generated).numpy().reshape(n, -1)
    return float(np.linalg.norm(gradient, axis=1).mean())


def exercise_5(faster=(30.0, 10.0, 3.0), steps=400, **settings):
    """Where the alarm falls silent the generator need not be well: it only generates things that
    differ. Its MMD² in baselines tells, and so do the images."""
    from ecg_tf.models import build_discriminator, build_generator, projection_of
    from ecg_tf.signals.windows import cut_strips
    from ecg_tf.training.synthesis import synthesize

    size = {"subjects": 10, "minutes": 2.0, "height": 16, "width": 32, "strip_seconds": 5.0}
    e = Experiment(**{**size, **settings})
    data, found = prepare_data(e), {}
    images, shape = data.codec.encode(data.windows["train"]), data.codec.image_shape
    for factor in faster:
        gan = concerns.make_gan(
            "saturating", lambda: build_generator(shape, 32, 8, depth=1, padding="helical",
                                                  projection=projection_of(data.codec)),
            lambda **remedy: build_discriminator(shape, 8, padding="helical",
                                                 **{"minibatch_std": False, **remedy}),
            learning_rate=0.001, g_learning_rate=factor * 0.001, beta_1=0.5, seed=0)
        done = concerns.watched(gan, images, steps, batch_size=32, seed=0)
        strips = cut_strips(synthesize(gan.ema_generator, data.codec, 60, 0), e.strip_seconds)
        distance, baseline = concerns.distances_to_persons(
            {"hasty": strips}, data.strips["test"], data.strips["train"])
        found[factor] = bool(done.alarms), distance["hasty"] / baseline[0]
        print(f"{factor:g} times as fast: alarm {'rings' if done.alarms else 'is silent'}, "
              f"MMD² {found[factor][1]:.1f} baselines")
    return found


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
