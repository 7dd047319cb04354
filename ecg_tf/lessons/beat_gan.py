"""Trains a class-conditional GAN on labelled beats, and generates beats of given classes."""

import math
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.beat_features import beat_features
from ecg_tf.images.codec import Codec
from ecg_tf.models import ACGAN, HalfMean
from ecg_tf.signals.filtering import low_pass
from ecg_tf.signals.windows import Windows
from ecg_tf.training.families import build_gan
from ecg_tf.training.fit import fit_gan
from ecg_tf.training.labelled_beats import balanced_sample, class_numbers


def train_beat_gan(windows: Windows, codec: Codec, classes, steps: int, *, seed: int = 0,
                   check_every: int = 100, callbacks=(), generator_class_weight: float = 0.2,
                   **settings) -> tuple[ACGAN, dict]:
    """Trains an ACGAN; the same call twice gives the same weights on one machine.

    Args:
        windows: `Windows` of labelled beats with rhythm, training persons only.
        codec: fitted `Codec`.
        classes: names of the classes, in the order of their numbers.
        steps: int, updates of the generator.
        seed: int, of weights, batches and latents.
        check_every: int, steps between two lines of the history. Default 100.
        callbacks: of Keras, such as `ClassAgreement`. Default: none.
        generator_class_weight: of `ACGAN`. Default 0.2.
        **settings: of an `Experiment`, such as latent_dim, batch_size, learning_rate, penalty.

    Returns:
        (ACGAN, history: name -> list of values, one every `check_every` steps).

    Raises:
        InputError: labels that are no classes, or a number out of range.

    Example:
        >>> gan, history = train_beat_gan(data.windows["train"], data.codec, data.classes, 1000)
    """
    e = Experiment(model="acgan", labels=("beat",), steps=steps,
                   check_every=min(check_every, steps), seed=seed, **{
                       "latent_dim": 64, "base_filters": 32, "penalty": 0.5,
                       "precision": "float32", **settings})
    labels = tf.one_hot(class_numbers(windows.labels, classes), len(classes))
    images = tf.constant(codec.encode(windows))
    gan = build_gan(e, codec, conditions=len(classes), classes=len(classes), exclusive=True,
                    aligned=True,  # R in the middle
                    projection=HalfMean(len(windows.leads) - 2),
                    generator_class_weight=generator_class_weight)
    gan.compile(gan.g_optimizer, gan.d_optimizer,
                steps_per_execution=math.gcd(steps, e.check_every))
    order = balanced_sample(windows.labels, windows.subjects, steps * e.batch_size, seed)
    batches = tf.data.Dataset.from_tensor_slices(order.reshape(steps, e.batch_size)).map(
        lambda at: (tf.gather(images, at), tf.gather(labels, at)))
    history = fit_gan(gan, batches.repeat().prefetch(4), steps, check_every=e.check_every,
                      callbacks=callbacks)
    return gan, history


class ClassAgreement(keras.callbacks.Callback):
    """Adds `own_head` and `independent` to the history.

    They are the shares of generated beats in which the GAN's class head and an independent
    classifier find the class that was requested.

    Args:
        classifier: fitted, with `predict`, from features to names of classes.
        codec: the `Codec` of the images.
        classes: names of the classes, in the order of their numbers.
        per_class: int, beats of each class. Default 50.
        seed: int.
        high: float, Hz, as in `synthesize_beats`. Default 0, none.
    """

    def __init__(self, classifier, codec: Codec, classes, per_class: int = 50, seed: int = 0,
                 high: float = 0.0):
        super().__init__()
        self.classifier, self.codec, self.classes = classifier, codec, tuple(classes)
        self.per_class, self.seed, self.high = per_class, seed, high

    def on_epoch_end(self, epoch, logs=None):
        beats = synthesize_beats(self.model, self.codec, self.classes, self.per_class, self.seed,
                                 self.high)
        own = named_by_head(self.model, self.codec, self.classes, beats)
        independent = self.classifier.predict(beat_features(beats))
        logs |= {"own_head": float((own == beats.labels).mean()),
                 "independent": float((independent == beats.labels).mean())}


def named_by_head(gan: ACGAN, codec: Codec, classes, windows: Windows) -> np.ndarray:
    """The class that the GAN's own class head names in each beat: (beat,) str."""
    return np.array(classes)[gan.classify(codec.encode(windows)).argmax(axis=1)]


def synthesize_beats(gan: ACGAN, codec: Codec, classes, per_class, seed: int,
                     high: float = 0.0) -> Windows:
    """Beats of each class, generated and decoded.

    Args:
        gan: trained `ACGAN`.
        codec: the `Codec` its images were made with.
        classes: names of the classes, in the order of their numbers.
        per_class: int, beats of each class; or class -> number.
        seed: int; the same beats for the same seed.
        high: float, Hz, upper edge of the band that the real beats passed. Default 0, none.

    Returns:
        Windows in mV (and rhythm leads) with `labels`, subjects "synthetic", class after class.
    """
    if len(classes) != gan.classes:
        raise InputError("The GAN knows other classes.", expected=f"{gan.classes} names",
                         got=", ".join(classes), fix="pass the classes it was trained with")
    if not isinstance(per_class, dict):
        per_class = dict.fromkeys(classes, count(per_class, "per_class", 1, 10**7))
    numbers = np.repeat(np.arange(len(classes)), [per_class.get(name, 0) for name in classes])
    windows = codec.decode(gan.generate(len(numbers), seed, 256, labels=numbers))
    # The rhythm leads have a step at R, which no filter may smooth.
    ecg = low_pass(replace(windows, signals=windows.signals[..., :-2], leads=windows.leads[:-2]),
                   high)
    windows.signals[..., :-2] = ecg.signals
    names = np.array([f"synthetic-{place}" for place in range(len(numbers))])
    return replace(windows, labels=np.array(classes)[numbers], records=names,
                   subjects=np.full(len(numbers), "synthetic"))
