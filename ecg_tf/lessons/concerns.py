"""Mode collapse and vanishing gradients: the same networks under every recipe.

A recipe changes one thing of the plain cross-entropy GAN, or takes another loss. `watched` trains
it and monitors it; `discriminator_alone` shows the generator's gradient when the discriminator
wins.
"""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from ecg_tf.base.checks import choice, count, number
from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import baseline
from ecg_tf.evaluation.strip_data import StripData
from ecg_tf.lessons.image_gan import checked_images
from ecg_tf.models import DCGAN, GAN, R1GAN, WGANGP
from ecg_tf.models.sampling import sample_latents
from ecg_tf.training.callbacks import CollapseAlarm, Diversity
from ecg_tf.training.fit import fit_gan


@dataclass(frozen=True)
class Recipe:
    """A loss family with options of the GAN and of the discriminator's builder."""

    kind: type[GAN]
    loss: dict = field(default_factory=dict)
    discriminator: dict = field(default_factory=dict)
    words: str = ""  # what it is, for tables


def _r1(relativistic, r2):
    return {"relativistic": relativistic, "r1": 0.1, "r2": r2, "penalty_every": 1}


RECIPES = {
    "saturating": Recipe(DCGAN, {"loss": "saturating"}, words="minimize log(1 - D)"),
    "non-saturating": Recipe(DCGAN, words="maximize log D"),
    "+ label smoothing": Recipe(DCGAN, {"label_smoothing": 0.1}, words="real labels 0.9"),
    "+ spectral norm": Recipe(DCGAN, {}, {"spectral_norm": True}, words="kernels of norm 1"),
    "+ minibatch std": Recipe(DCGAN, {}, {"minibatch_std": True}, words="D sees the spread"),
    "+ gradient penalty": Recipe(R1GAN, _r1(False, 0.0), words="slope of D small at real images"),
    "WGAN-GP": Recipe(WGANGP, {"gradient_penalty": 1.0, "n_critic": 3},
                      words="Wasserstein, slope near 1"),
    "R1 + R2, relativistic": Recipe(R1GAN, _r1(True, 0.1), words="pairs, small slopes of D"),
}


def known_recipes(names) -> tuple[str, ...]:
    """Names of `RECIPES`, each once, or an `InputError` that says which one is unknown."""
    found = tuple(dict.fromkeys(choice(name, "recipe", tuple(RECIPES)) for name in names))
    if not found:
        raise InputError("There are no recipes to compare.", expected="one or more",
                         got="an empty list", fix=f"choose from {', '.join(RECIPES)}")
    return found


def make_gan(recipe: str, generator: Callable[[], keras.Model],
             discriminator: Callable[..., keras.Model], *, learning_rate: float = 0.002,
             g_learning_rate: float | None = None, beta_1: float = 0.0, ema_decay: float = 0.99,
             seed: int = 0, steps_per_execution: int = 1, jit_compile: bool = False) -> GAN:
    """A GAN of a recipe, compiled; all recipes get the same weights to start from and one Adam.

    Args:
        recipe: one of `RECIPES`.
        generator: () -> keras.Model.
        discriminator: (options of the recipe) -> keras.Model.
        learning_rate: of both networks. Default 0.002.
        g_learning_rate: of the generator, default the same.
        beta_1: Adam's memory of past gradients. Default 0.
        ema_decay: of the averaged weights. Default 0.99.
        seed: int, of the weights and latents.
        steps_per_execution, jit_compile: of `GAN.compile`.

    Raises:
        InputError: no such recipe, or values out of range.

    Example:
        >>> make_gan("WGAN-GP", build_point_generator, build_point_discriminator).generate(4, 0)
    """
    plan = RECIPES[choice(recipe, "recipe", tuple(RECIPES))]
    rates = [number(rate, "learning_rate", 0.0, 10.0) for rate in
             (learning_rate if g_learning_rate is None else g_learning_rate, learning_rate)]
    number(beta_1, "beta_1", 0.0, 0.999)
    keras.utils.set_random_seed(count(seed, "seed", 0, 2**31 - 1))
    gan = plan.kind(generator(), discriminator(**plan.discriminator), ema_decay=ema_decay,
                    seed=seed, **plan.loss)
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=0.99) for rate in rates),
                steps_per_execution=steps_per_execution, jit_compile=jit_compile)
    return gan


def ignore_latents(generator: keras.Model) -> keras.Model:
    """The same network without its latents: one image again and again, to test alarms."""
    latents = keras.Input(generator.input_shape[1:], name="ignored")
    return keras.Model(latents, generator(keras.layers.Rescaling(0.0)(latents)), name="generator")


@dataclass(frozen=True)
class Watched:
    """A training that was monitored.

    Args:
        gan: the trained `GAN`.
        history: DataFrame, one row a check: step, losses, g_grad_norm (mean since the last
            check), diversity, and what further callbacks add.
        alarms: sentences of the collapse alarm.
        seconds: wall time.
    """

    gan: GAN
    history: pd.DataFrame
    alarms: list[str]
    seconds: float

    @property
    def gradient(self) -> dict:
        """Norm of the generator's gradient: "median" and "lowest" of all checks, "end"."""
        norms = self.history["g_grad_norm"]
        return {"median": float(norms.median()), "lowest": float(norms.min()),
                "end": float(norms.iloc[-1])}


def watched(gan: GAN, images, steps: int, *, checks: int = 20, batch_size: int = 64,
            seed: int = 0, callbacks=(), alarm: CollapseAlarm | None = None) -> Watched:
    """Trains a GAN on images, monitored by `Diversity` and `CollapseAlarm`.

    Args:
        gan: compiled `GAN`.
        images: (n, height, width, channel), 2 or more, finite.
        steps: int, updates of the generator.
        seed: int, of the batches.
        callbacks: further ones; they act before the alarm, which may monitor what they log.
        alarm: `CollapseAlarm`, default one with a warm-up of a quarter of the steps.

    Raises:
        InputError: images that cannot be learned, or numbers out of range.

    Example:
        >>> watched(gan, Ring().sample(8192, seed=0), steps=1000).alarms
        []
    """
    images = checked_images(images)
    checks = min(count(checks, "checks", 1, 10**6), count(steps, "steps", 1, 10**7))
    per_check = steps // checks
    alarm = alarm or CollapseAlarm(warmup=steps // 4)
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed).repeat()
    some = images[:: max(1, len(images) // 128)]  # from all persons: windows come one by one
    start = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the alarm's; it is in what is returned
        history = fit_gan(gan, batches.batch(count(batch_size, "batch_size", 2, 65_536)),
                          per_check * checks, check_every=per_check,
                          callbacks=[Diversity(some, n=128, seed=seed), *callbacks, alarm])
    table = pd.DataFrame(history)
    table.insert(0, "step", per_check * np.arange(1, checks + 1))
    return Watched(gan, table, alarm.alarms, time.monotonic() - start)


def distances_to_persons(synthetic: Mapping[str, np.ndarray], test, train, *, seed: int = 0,
                         most: int = 300) -> tuple[dict, tuple[float, float, float]]:
    """MMD² of several synthetic sets from persons never seen, and its baseline.

    Args:
        synthetic: name -> strips (n, time, lead) in mV.
        test: `Windows`, strips of the test persons.
        train: `Windows`, strips of the training persons, which fix the scales.
        most: int, strips of each set at most, default 300.

    Returns:
        ({name: MMD²}, (baseline, low, high)). NaN for a set with fewer than 10 strips. The
        baseline is the training persons in the synthetic set's place; its interval comes from
        random splits of all persons.
    """
    rng = np.random.default_rng(seed)
    test, train = (windows.take(np.sort(rng.permutation(len(windows))[:most]))
                   for windows in (test, train))
    subjects = np.concatenate([test.subjects, train.subjects])
    everyone = np.arange(len(subjects))
    there, here = everyone[: len(test)], everyone[len(test):]
    real = StripData(np.concatenate([test.signals, train.signals]), subjects, test.fs, here)
    share = len(np.unique(test.subjects)) / len(np.unique(subjects))
    _, low, high = baseline(real.mmd2, everyone, subjects, share=share, repeats=30, seed=seed)
    found = {}
    for name, strips in synthetic.items():
        strips = np.asarray(strips)[:most]
        found[name] = np.nan
        if len(strips) >= 10:
            fake = len(subjects) + np.arange(len(strips))
            found[name] = real.joined(strips).mmd2(there, fake)
    return found, (real.mmd2(there, here), low, high)


def discriminator_alone(gan: GAN, images, steps: int, losses: Mapping[str, Callable], *,
                        checks: int = 12, batch_size: int = 64, seed: int = 0) -> pd.DataFrame:
    """Trains only the discriminator; what gradient would each loss give the generator?

    Checks come at steps 0, 1, 2, 4, ... in geometric progression, since a discriminator wins
    quickly.

    Args:
        gan: compiled `GAN`; its discriminator is trained, its generator is not.
        images: (n, height, width, channel) real images.
        steps: int, updates of the discriminator.
        losses: name -> function (real scores, generated scores) -> loss of the generator, such as
            `gan.generator_loss`.
        batch_size: int; a check takes four times as many images. Default 64.
        seed: int, of the batches.

    Returns:
        DataFrame, one row a check: step, accuracy (`best_accuracy`), D(G(z)) (mean of the
        sigmoid), and the norm of the gradient over all generator weights, a column a loss.

    Example:
        >>> discriminator_alone(gan, images, 200, {"saturating": gan.generator_loss})
    """
    images = np.asarray(images, np.float32)
    rng = np.random.default_rng(seed)
    due = {0, *np.unique(np.geomspace(1, count(steps, "steps", 1, 10**7), checks).round())}
    shown = images[rng.integers(0, len(images), 4 * batch_size)]
    latents = sample_latents(4 * batch_size, gan.latent_dim, seed)
    learn = tf.function(lambda real: gan.update_discriminator(real, gan.sample(len(real))))
    rows = []
    for step in range(steps + 1):
        if step:
            learn(tf.constant(images[rng.integers(0, len(images), batch_size)]))
        if step in due:
            rows.append({"step": step, **_gradients(gan, shown, latents, losses)})
    return pd.DataFrame(rows)


def _gradients(gan, images, latents, losses):
    weights = gan.generator.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        real, generated = gan.score(images), gan.score(gan.generator(latents, training=True))
        values = {name: loss(real, generated) for name, loss in losses.items()}
    norms = {name: float(tf.linalg.global_norm(tape.gradient(value, weights)))
             for name, value in values.items()}
    return {"accuracy": best_accuracy(real, generated),
            "D(G(z))": float(tf.reduce_mean(tf.sigmoid(generated))), **norms}


def best_accuracy(real_scores, generated_scores) -> float:
    """Balanced accuracy of the best threshold: a critic's scores have no zero of their own."""
    from sklearn.metrics import roc_curve

    real, generated = np.ravel(real_scores), np.ravel(generated_scores)
    false_positives, true_positives, _ = roc_curve(
        np.repeat([1, 0], [len(real), len(generated)]), np.concatenate([real, generated]))
    return float(0.5 + (true_positives - false_positives).max() / 2)
