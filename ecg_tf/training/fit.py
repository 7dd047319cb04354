"""Builds the GAN of an experiment and trains it; a killed training goes on where it stood."""

import hashlib
import json
import os
import re
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError, whole_file, write_whole
from ecg_tf.base.locks import holding
from ecg_tf.config.experiment import SETTINGS, Experiment, affecting
from ecg_tf.config.renamed import former
from ecg_tf.evaluation.stopping_callbacks import stop_at_baseline
from ecg_tf.images.codec import Codec
from ecg_tf.images.tfdata import beat_mixer, make_dataset
from ecg_tf.models import DCGAN, GAN, R1GAN, WGANGP, projection_of
from ecg_tf.models.identity import build_identity_network, train_identity_network
from ecg_tf.models.networks import build_discriminator, build_generator
from ecg_tf.models.schedules import HoldThenFall
from ecg_tf.models.wavegan import build_wave_discriminator, build_wave_generator
from ecg_tf.shards.sharded_windows import telling
from ecg_tf.training.callbacks import CollapseAlarm, Diversity, HistoryCSV, ProgressLine, SampleGrid
from ecg_tf.training.data import Data
from ecg_tf.training.devices import (
    StopTogether,
    agreed,
    check_shares,
    gather,
    spread,
    strategy_for,
    telling_who_is_missing,
)
from ecg_tf.training.precision import precision_of, why_precision
from ecg_tf.training.workers import worker

_R1GAN = (R1GAN, 0.0, lambda e: {"r1": e.penalty, "r2": e.penalty,
                                 "penalty_every": e.penalty_every})
#: model -> (its class, Adam's beta_1, function of the experiment: the class's own options). A new
#: one gets its line here and one in `experiment.MODELS`.
FAMILIES = {
    "dcgan": (DCGAN, 0.5, lambda e: {}),
    "r1gan": _R1GAN,
    "wavegan": _R1GAN,  # its networks are others
    "wgan_gp": (WGANGP, 0.0, lambda e: {"gradient_penalty": e.penalty}),
}
REAL_IMAGES = 256  # whose diversity is the yardstick for the generated ones


def build_gan(experiment: Experiment, codec: Codec, identity=None) -> GAN:
    """The GAN of an experiment for the images of its codec, compiled, with seeded weights.

    Args:
        experiment: `Experiment`.
        codec: `Codec`, for the shape of the images.
        identity: the network that names persons, for an `identity_weight`. Default None.

    Returns:
        DCGAN, R1GAN (also for "wavegan", with networks along time) or WGANGP.

    Example:
        >>> build_gan(experiment, data.codec).image_shape
        (32, 64, 2)
    """
    e = experiment
    keras.utils.set_random_seed(e.seed)
    common = {"base_filters": e.base_filters, "dtype": precision_of(e.precision)}
    if e.model == "wavegan":
        generator = build_wave_generator(codec.image_shape, e.latent_dim,
                                         projection=projection_of(codec), **common)
        discriminator = build_wave_discriminator(codec.image_shape, **common)
    else:
        common["padding"] = e.padding
        generator = build_generator(codec.image_shape, e.latent_dim,
                                    projection=projection_of(codec), **common)
        discriminator = build_discriminator(codec.image_shape, **common)
    kind, beta_1, options = FAMILIES[e.model]
    own = options(e)
    if identity is not None:
        own |= {"identity": identity, "identity_weight": e.identity_weight}
    gan = kind(generator, discriminator, ema_decay=e.ema_decay, seed=e.seed, **own)
    rate = HoldThenFall(e.learning_rate, round(e.steps * (1 - e.decay)), e.steps)
    gan.compile(*(keras.optimizers.Adam(rate if e.decay else e.learning_rate, beta_1, 0.99)
                  for _ in range(2)))
    return gan


def train(experiment: Experiment, data: Data, callbacks=(), progress: bool = True,
          devices: int = 1) -> GAN:
    """Trains on the training windows, writing history and checkpoints into `experiment.folder`.

    If a checkpoint of the same experiment lies there, it continues from it, with the batches and
    latents it would have seen, so that the weights end up the same. With `stop: "baseline"` it ends
    as `stopping.decide` says, and the averaged generator gets the weights of the best check.

    Args:
        experiment: `Experiment`.
        data: `Data` of `prepare_data`.
        callbacks: further Keras callbacks.
        progress: bool, show a bar or lines with the time left. Default True.
        devices: int, devices that share each batch, see `devices.strategy_for`. Default 1.

    Returns:
        GAN, trained. `history.csv`, `samples/` and `checkpoints/last.keras` are in the folder.

    Raises:
        InputError: the folder cannot be written to, another process works in it, none of its
            checkpoints can be read, or a batch cannot be shared out over so many devices.
    """
    with holding(experiment.folder):
        return _train(experiment, data, callbacks, progress, devices)


def _train(experiment: Experiment, data: Data, callbacks, progress: bool, devices: int) -> GAN:
    e, folder = data.settled(experiment), experiment.folder
    strategy = strategy_for(devices)  # first: devices are shared out before TensorFlow works
    checkpoint = Checkpoint(folder / "checkpoints" / "last.keras", training_key(e, data))
    if strategy is not None:
        check_shares(strategy, e.batch_size, checkpoint.key)
    gan = checkpoint.load()
    if gan is None or int(gan.step.value) > e.steps:
        # Asked for fewer steps than were kept: those weights would not be what was asked for.
        gan = build_gan(e, data.codec, _identity_network(e, data, progress))
    elif progress:
        print(f"Resuming from the checkpoint of step {int(gan.step.value):,}.", flush=True)
    if progress and e.precision == "auto":
        print(why_precision(), flush=True)
    alone = gan
    if strategy is not None:
        gan = spread(alone, strategy)
    train_windows = data.windows["train"]
    stop = stop_at_baseline(e, data) if e.stop == "baseline" else None
    some = train_windows.take(slice(None, None, max(1, len(train_windows) // REAL_IMAGES)))
    used = [
        SampleGrid(folder / "samples", n=16, every=max(1, e.steps // e.check_every // 8),
                   seed=e.seed),
        Diversity(data.codec.encode(some), seed=e.seed),
        CollapseAlarm(warmup=min(e.steps // 4, 500)),
        *([ProgressLine(e.steps)] if progress else []),
        *([_tensorboard(folder)] if e.tensorboard else []),
        HistoryCSV(folder / "history.csv"),
        *callbacks,
        *([stop.along, stop, StopTogether(strategy)] if stop else []),
        checkpoint,  # last: what it keeps is then no older than the history
    ]
    while (done := int(gan.step.numpy())) < e.steps and not (
        stop and agreed(strategy, stop.over(gan))
    ):
        # Two rounds at most: whole epochs of `check_every` steps, then what is left of `steps`.
        per_epoch = min(e.check_every, e.steps - done)
        batches = make_dataset(data.training, data.codec, e.batch_size, e.seed, start_step=done,
                               subject_mixing=e.subject_mixing, even_subjects=e.even_subjects)
        with telling(data.shards), telling_who_is_missing():
            gan.fit(batches, epochs=(e.steps - done) // per_epoch, steps_per_epoch=per_epoch,
                    callbacks=used, verbose=0, shuffle=False)
    if strategy is not None:
        gather(gan, alone)
        gan = alone
    if stop and worker() == 0:
        said = stop.restore(gan)
        if progress:
            print(said, flush=True)
    return gan


def training_key(experiment: Experiment, data: Data) -> str:
    """A digest of all that decides about the weights: settings, data, split, and some images, which
    tell of a change in the way from records to images that no setting names."""
    values = experiment.to_dict()
    # Former names, and nothing of what is as before there was a setting: older checkpoints stay
    # valid.
    settings = {former(name): values[name] for name in affecting("windows", "weights")
                if not (SETTINGS[name].is_later and getattr(experiment, name)
                        == SETTINGS[name].since)}
    settings["precision"] = precision_of(experiment.precision)
    if experiment.decay:
        settings["steps"] = experiment.steps  # the learning rate falls towards their end
    shards = [] if data.shards is None else [data.shards.digest]
    facts = json.dumps([settings, data.provenance["sha256"], data.split, *shards], sort_keys=True)
    images = data.codec.encode(data.windows["train"].take(slice(0, 16)))
    if experiment.subject_mixing > 1:
        mix = beat_mixer(data.codec, experiment.subject_mixing)
        images = mix(tf.constant(images), tf.zeros(2, tf.int64)).numpy().round(4)
    return hashlib.sha256(facts.encode() + images.tobytes()).hexdigest()[:16]


def _identity_network(experiment: Experiment, data: Data, progress: bool):
    """The network of an `identity_weight`, kept in the run's folder or trained now; None for 0.

    It sees everybody's own images: mixed ones are of nobody whom it could name.
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
    right = train_identity_network(network, batches)
    if progress:
        print(f"The identity network names the persons of {right:.0%} of its last images rightly; "
              f"guessing would give {1 / len(persons):.0%}.", flush=True)
    kept.set_model(network)
    kept.on_epoch_end(0)
    return network


class Checkpoint(keras.callbacks.Callback):
    """Keeps the newest state of a GAN (weights, averages, optimizers, random state) and the one
    before, which serves if the newest turns out to be damaged.

    Args:
        path: the `.keras` file; beside it lie `previous.keras` and `<stem>.key`, which says what
            both belong to.
        key: str, of `training_key`.
    """

    def __init__(self, path, key: str):
        super().__init__()
        self.path, self.key = Path(path), key
        self.previous = self.path.with_name("previous.keras")
        self.key_path = self.path.with_suffix(".key")
        self._damaged = False  # what lies at `path`

    def load(self) -> GAN | None:
        """The GAN as it was kept, or None if nothing of this experiment is there.

        Raises:
            InputError: there is something, but nothing that can be read.
        """
        if not self._of_this_experiment():
            return None
        problem = None
        for path in (one for one in (self.path, self.previous) if one.exists()):
            try:
                gan = keras.saving.load_model(path, safe_mode=True)  # the archive is checked (CRC)
            except Exception as error:
                problem, self._damaged = error, True
                continue
            if problem is not None:
                warnings.warn(f"The checkpoint '{self.path}' is damaged ({str(problem)[:100]}). "
                              f"The training goes on from the one before it, of step "
                              f"{int(gan.step.value):,}.", stacklevel=3)
            return gan
        if problem is None:
            return None
        raise InputError(
            f"No checkpoint in '{self.path.parent}' can be read.",
            expected="a checkpoint of this experiment", got=str(problem)[:200],
            fix=f"delete the folder '{self.path.parent}' to train from the beginning",
        ) from problem

    def on_epoch_end(self, epoch, logs=None):
        with whole_file(self.path) as part:
            self.model.save(part)
            if not self._of_this_experiment():
                # An old checkpoint must never be found beside the key of a new one, whenever the
                # process is killed.
                self.path.unlink(missing_ok=True)
                self.previous.unlink(missing_ok=True)
                write_whole(self.key_path, self.key)
            elif self.path.exists() and not self._damaged:
                os.replace(self.path, self.previous)
        self._damaged = False

    def _of_this_experiment(self) -> bool:
        kept = self.key_path.read_bytes() if self.key_path.exists() else b""
        if kept and not re.fullmatch(rb"[0-9a-f]{16}", kept) and self.path.exists():
            raise InputError(
                f"'{self.key_path}' is damaged: nobody knows which experiment made the checkpoints "
                "beside it.", expected="16 hexadecimal digits", got=repr(kept[:40]),
                fix=f"restore it, or delete the folder '{self.path.parent}' to train from the "
                "beginning",
            )
        return kept == self.key.encode()


def _tensorboard(folder: Path):
    try:
        import tensorboard  # noqa: F401  TensorFlow no longer brings it
    except ImportError as error:
        raise InputError("TensorBoard is not installed.", expected="the package tensorboard",
                         got="tensorboard: true", fix="pip install tensorboard, or set "
                         "tensorboard to false") from error
    return keras.callbacks.TensorBoard(folder / "tensorboard")
