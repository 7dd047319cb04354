"""Trains GANs, all in one loop; a killed training resumes from its checkpoint."""

import hashlib
import json
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.code import COMPUTING, TRAINING, code_digest
from ecg_tf.base.errors import InputError
from ecg_tf.base.locks import holding
from ecg_tf.config.experiment import Experiment, affecting
from ecg_tf.images.codec import Codec
from ecg_tf.images.tfdata import beat_mixer, make_dataset
from ecg_tf.models import GAN
from ecg_tf.models.devices import copy_state, spread, strategy_for
from ecg_tf.models.privacy import build_identity_network, train_identity_network
from ecg_tf.signals.windows import Windows
from ecg_tf.training.callbacks import CollapseAlarm, Diversity, HistoryCSV, ProgressLine, SampleGrid
from ecg_tf.training.checkpoint import Checkpoint
from ecg_tf.training.conditions import Conditions
from ecg_tf.training.data import Data
from ecg_tf.training.families import FAMILIES, build_gan
from ecg_tf.training.precision import precision_of

FITTED_IMAGES = 4096  # whose principal components a GAN of beats takes
REAL_IMAGES = 256  # whose diversity is the baseline of the generated ones


def fit_gan(gan: GAN, batches, steps: int, *, check_every: int = 100, callbacks=(), stop=None,
            strategy=None) -> dict[str, list[float]]:
    """Trains a GAN until it has made `steps` steps: the one loop of all GANs.

    Args:
        gan: compiled `GAN`; one of a checkpoint resumes.
        batches: endless Dataset of images, or of (images, labels); or a function that gives the
            Dataset from a step on.
        steps: int, updates of the generator in all.
        check_every: int, steps between two rounds of callbacks. Default 100.
        callbacks: of Keras; their epochs are rounds of `check_every` steps.
        stop: what ends the training early: `stop.over(gan)` -> bool. Default None.
        strategy: of `models.devices.strategy_for`. Default None: one device.

    Returns:
        name -> values, one a round.

    Example:
        >>> history = fit_gan(gan, images.repeat().batch(64), steps=1000)
    """
    history: dict[str, list[float]] = {}
    trained = gan if strategy is None else spread(gan, strategy)
    while (done := int(trained.step.numpy())) < steps and not (stop and stop.over(trained)):
        # At most twice: whole rounds of `check_every` steps, then what is left of `steps`.
        per_epoch = min(check_every, steps - done)
        logs = trained.fit(batches(done) if callable(batches) else batches,
                           epochs=(steps - done) // per_epoch, steps_per_epoch=per_epoch,
                           callbacks=list(callbacks), verbose=0, shuffle=False).history
        for name, values in logs.items():
            history.setdefault(name, []).extend(values)
    if trained is not gan:
        copy_state(trained, gan)
    return history


def train(experiment: Experiment, data: Data, callbacks=(), progress: bool = True,
          devices: int = 1, stop=None) -> GAN:
    """Trains on the training windows, writing history and checkpoints into `experiment.folder`.

    If a checkpoint of the same experiment lies there, it resumes from it, with the batches and
    latents it would have seen, so that the weights end up the same.

    Args:
        data: `Data` of `prepare_data`.
        callbacks: further Keras callbacks.
        progress: bool, show a bar or lines with the time left. Default True.
        devices: int, devices that share each batch, see `devices.strategy_for`. Default 1.
        stop: of `evaluation.stopping_callbacks.stopping_rule`. At the end the averaged generator
            gets the weights of the best check. Default None, for an experiment without one.

    Returns:
        GAN, trained. `history.csv`, `samples/` and `checkpoints/last.keras` are in the folder.

    Raises:
        InputError: the folder cannot be written to, another process works in it, none of its
            checkpoints can be read, or a batch cannot be divided among so many devices.
    """
    e = data.settled(experiment)
    if (e.stop == "baseline") != (stop is not None):
        raise InputError("It is not clear when the training stops.",
                         expected="a stopping rule for stop: baseline, none for stop: steps",
                         got=f"stop: {e.stop} and {'a' if stop else 'no'} rule",
                         fix="pass stop=stopping_rule(experiment, data)")
    strategy = strategy_for(devices, e.batch_size)  # before TensorFlow works
    with holding(e.folder):
        checkpoint = Checkpoint(e.folder / "checkpoints" / "last.keras", training_key(e, data))
        gan = checkpoint.load()
        if gan is None or int(gan.step.value) > e.steps:
            # Fewer steps than the checkpoint has: its weights are not those of this experiment.
            gan = build_gan(e, data.codec,
                            **fitted_to(e, data.windows["train"], data.codec, data.conditions),
                            identity=_identity_network(e, data, progress),
                            identity_weight=e.identity_weight)
        elif progress:
            print(f"Resuming from the checkpoint of step {int(gan.step.value):,}.", flush=True)
        fit_gan(gan, partial(batches_of, e, data.training, data.codec,
                             conditions=data.conditions), e.steps,
                check_every=e.check_every,
                callbacks=[*_watching(e, data, progress), *callbacks,
                           *(stop.callbacks if stop else []),
                           checkpoint],  # last: it is then no older than the history
                stop=stop, strategy=strategy)
        if stop:
            kept = stop.restore(gan)
            if progress:
                print(kept, flush=True)
    return gan


def fitted_to(e: Experiment, windows: Windows, codec: Codec,
              conditions: Conditions | None = None) -> dict:
    """What `build_gan` has to know of the training windows: their labels, and some images for
    networks that are fitted to them."""
    own: dict = {}
    if conditions is not None:
        own = {"conditions": len(conditions),
               "classes": len(conditions.columns) if e.model == "acgan" else 0}
    if FAMILIES[e.model].fitted:
        some = windows.take(slice(None, None, -(-len(windows) // FITTED_IMAGES)))
        own["images"] = codec.encode(some)
    return own


def batches_of(e: Experiment, windows: Windows, codec: Codec, start_step: int = 0,
               conditions: Conditions | None = None):
    """The batches of images that an experiment trains on, from a step on; with conditions their
    rows go along, and windows of rare statements come more often (`Conditions.weights`)."""
    own: dict = {"even_subjects": e.even_subjects}
    if conditions is not None:
        weights = conditions.weights(windows)
        if e.even_subjects:
            _, who, counts = np.unique(windows.subjects, return_inverse=True, return_counts=True)
            weights = weights / counts[who]
        own = {"labels": conditions.encode(windows), "weights": weights}
    return make_dataset(windows, codec, e.batch_size, e.seed, start_step=start_step,
                        subject_mixing=e.subject_mixing, **own)


def _watching(e: Experiment, data: Data, progress: bool) -> list:
    windows = data.windows["train"]
    some = windows.take(slice(None, None, max(1, len(windows) // REAL_IMAGES)))
    draw = None if data.conditions is None else data.conditions.draw
    return [
        SampleGrid(e.folder / "samples", n=16, every=max(1, e.steps // e.check_every // 8),
                   seed=e.seed, draw=draw),
        Diversity(data.codec.encode(some), seed=e.seed, draw=draw),
        CollapseAlarm(warmup=min(e.steps // 4, 500)),
        *([ProgressLine(e.steps)] if progress else []),
        *([_tensorboard(e.folder)] if e.tensorboard else []),
        HistoryCSV(e.folder / "history.csv"),
    ]


def training_key(experiment: Experiment, data: Data) -> str:
    """A digest of all that decides about the weights: settings, data, split, code, and some images,
    which tell of a change in the way from records to images that nothing else names."""
    values = experiment.to_dict()
    settings = {name: values[name] for name in affecting("windows", "weights")}
    settings["code"] = code_digest(*(COMPUTING if experiment.stop == "baseline" else TRAINING))
    settings["precision"] = precision_of(experiment.precision)
    if experiment.decay:
        settings["steps"] = experiment.steps  # the learning rate falls towards their end
    stored: list = [] if data.stored is None else [len(data.stored)]
    if data.conditions is not None:
        rows = data.conditions.encode(data.training).tobytes()
        stored += [data.conditions.to_dict(), hashlib.sha256(rows).hexdigest()]
    facts = json.dumps([settings, data.provenance["sha256"], data.split, *stored], sort_keys=True)
    images = data.codec.encode(data.windows["train"].take(slice(0, 16)))
    if experiment.subject_mixing > 1:
        mix = beat_mixer(data.codec, experiment.subject_mixing)
        images = mix(tf.constant(images), tf.zeros(2, tf.int64)).numpy().round(4)
    return hashlib.sha256(facts.encode() + images.tobytes()).hexdigest()[:16]


def _identity_network(experiment: Experiment, data: Data, progress: bool):
    """The network of an `identity_weight`, kept in the run's folder or trained now; None for 0.

    It sees unmixed images: mixed ones are of no single person.
    """
    e = experiment
    if not e.identity_weight:
        return None
    kept = Checkpoint(e.folder / "identity" / "last.keras", training_key(e, data))
    if (network := kept.load()) is not None:
        return network
    windows = data.windows["train"]
    persons, who = np.unique(windows.subjects, return_inverse=True)
    keras.utils.set_random_seed(e.seed)
    network = build_identity_network(data.codec.image_shape, len(persons), padding=e.padding,
                                     dtype=precision_of(e.precision))
    batches = make_dataset(windows, data.codec, e.batch_size, e.seed, labels=who)
    accuracy = train_identity_network(network, batches)
    if progress:
        print(f"The identity network names the person of {accuracy:.0%} of its last images; "
              f"guessing would give {1 / len(persons):.0%}.", flush=True)
    kept.set_model(network)
    kept.on_epoch_end(0)
    return network


def _tensorboard(folder):
    try:
        import tensorboard  # noqa: F401  TensorFlow no longer brings it
    except ImportError as error:
        raise InputError("TensorBoard is not installed.", expected="the package tensorboard",
                         got="tensorboard: true", fix="pip install tensorboard, or set "
                         "tensorboard to false") from error
    return keras.callbacks.TensorBoard(folder / "tensorboard")
