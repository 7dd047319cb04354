"""`ecg_tf.GAN` and `ecg_tf.sample`: GANs that take ECGs and give ECGs, with their codec inside.

Networks, training loop and decoding are those of `models` and `training`.
"""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError, whole_file
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.records.ecgs import ECGs
from ecg_tf.signals.windows import Windows
from ecg_tf.training.conditions import LABELS, Conditions
from ecg_tf.training.data import conditions_of

_CODEC = "codec.json"  # beside the network in a GAN's file
_SETTINGS = "experiment.json"


def windows_of(ecgs, codec) -> Windows:
    """The windows of records that a codec encodes; `Windows` as they are."""
    return ecgs if isinstance(ecgs, Windows) else codec.windows_of(ecgs)


def settings_of(codec, **settings) -> Experiment:
    """The experiment whose images a codec makes."""
    fitted = "arrangement" in vars(codec)
    made = {"height": codec.height, "width": codec.width}
    if fitted:
        made = {"height": codec.image_shape[0], "width": codec.image_shape[1], "fs": codec.fs}
        if codec.kind.by_beats and codec.window_length:
            made["window_seconds"] = codec.window_length / codec.fs
    return Experiment(**{"arrangement": codec.kind.name, **made, **settings})


class GAN:
    """A GAN of ECGs: its networks, and the codec between their images and mV.

    Args:
        model: str, one of `experiment.MODELS`. Default "r1gan".
        codec: fitted `Codec`.
        seed: int, of weights, batches and latents. Default 0.
        **settings: of an `Experiment`, such as batch_size, base_filters or labels.

    Attributes:
        network: `models.GAN`, once trained.
        conditions: `Conditions` of its labels, once trained with labels; else None.

    Example:
        >>> gan = GAN("r1gan", codec).fit(train, steps=1200)
        >>> gan.sample(500).save("synthetic/", format="wfdb")
    """

    def __init__(self, model: str = "r1gan", codec=None, *, seed: int = 0, **settings):
        if codec is None:
            raise InputError("A GAN needs a codec.", expected="a fitted codec", got="none",
                             fix='pass Codec("beat_rows").fit(train)')
        self.codec = codec
        self.network: Any = None
        self.conditions: Conditions | None = None
        self.experiment = settings_of(codec, model=model, seed=seed, **settings)

    def fit(self, train, steps: int = 1200, *, callbacks=(), progress: bool = True) -> "GAN":
        """Trains it from the start on records of the training persons.

        Args:
            train: `ECGs`, or `Windows` that the codec fits.
            steps: int, updates of the generator. Default 1200.
            callbacks: of Keras. Default none.
            progress: bool, show a bar or lines with the time left. Default True.

        Returns:
            itself.
        """
        with quiet_startup():
            from ecg_tf.training.callbacks import ProgressLine
            from ecg_tf.training.families import build_gan
            from ecg_tf.training.fit import batches_of, fit_gan, fitted_to

        e = self.experiment = replace(self.experiment, steps=steps)
        windows = windows_of(train, self.codec)
        self.conditions = conditions_of(windows, e)
        known = fitted_to(e, windows, self.codec, self.conditions)
        self.network = build_gan(e, self.codec, **known)
        fit_gan(self.network, batches_of(e, windows, self.codec, conditions=self.conditions),
                e.steps,
                check_every=min(e.check_every, e.steps),
                callbacks=[*callbacks, *([ProgressLine(e.steps)] if progress else [])])
        return self

    def sample(self, n: int, seed: int = 1, labels=None) -> "SyntheticECGs":
        """Synthetic ECGs in mV, with the codec's leads and rate; the same ones for the same seed.

        Args:
            n: int, records.
            seed: int. Default 1.
            labels: kind -> statement that all are to have, such as {"sex": "female"}. Default: as
                frequent as in training.
        """
        from ecg_tf.release.formats import Stamp
        from ecg_tf.release.sampling import name_of, record_of, wanted_of
        from ecg_tf.training.synthesis import synthesize

        count(n, "n", 1, 999_999)
        windows = synthesize(self._trained().ema_generator, self.codec, n, seed,
                             self.experiment.band_high, wanted_of(self.conditions, labels))
        made = SyntheticECGs.of_records(
            (record_of(windows, place, name_of(place)) for place in range(n)), "database")
        made.stamp = Stamp(seed=seed, gate="NOT EVALUATED: made outside of a run",
                           beats="R peaks of the image" if self.codec.rows is not None else
                           "R peaks found by a detector")
        return made

    def save(self, path) -> Path:
        """Writes network, optimizers, codec and settings into one `.keras` file."""
        with whole_file(path) as part:
            archive = part.with_name(f"{part.name}.keras")
            self._trained().save(archive)
            with zipfile.ZipFile(archive, "a") as file:
                file.writestr(_CODEC, json.dumps(self.codec.to_dict()))
                file.writestr(_SETTINGS, json.dumps(self.experiment.to_dict()))
                if self.conditions is not None:
                    file.writestr(LABELS, json.dumps(self.conditions.to_dict()))
            archive.replace(part)
        return Path(path)

    @classmethod
    def load(cls, path) -> "GAN":
        """Reads what `save` wrote.

        Raises:
            InputError: no such file, or a network without a codec.
        """
        try:
            with zipfile.ZipFile(path) as file:
                codec = Codec.from_json(file.read(_CODEC))
                settings = json.loads(file.read(_SETTINGS))
                labels = json.loads(file.read(LABELS)) if settings.get("labels") else None
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"'{path}' holds no GAN.", expected="a file of GAN.save",
                             got=str(error)[:200], fix="check the path") from error
        with quiet_startup():
            import keras

            import ecg_tf.models  # noqa: F401  its layers have to be known to keras

        made = cls(codec=codec)
        made.experiment = Experiment.from_dict(settings)
        made.conditions = None if labels is None else Conditions.from_dict(labels)
        made.network = keras.saving.load_model(path, safe_mode=True)
        return made

    def _trained(self):
        if self.network is None:
            raise InputError("The GAN is not trained.", expected="a trained GAN", got="a new one",
                             fix="call gan.fit(train) first")
        return self.network


class SyntheticECGs(ECGs):
    """Generated records in mV, marked as synthetic wherever they are written.

    Attributes:
        stamp: `release.formats.Stamp`, what every file says of itself.
    """

    stamp: Any = None

    def save(self, folder, format: str = "wfdb") -> Path:
        """Writes each record, with "SYNTHETIC ... NOT FOR DIAGNOSIS" in it.

        Args:
            folder: where to, new or empty.
            format: "wfdb", "edf" or "csv". Default "wfdb".

        Returns:
            the folder. `load` reads it back.
        """
        from ecg_tf.release.formats import save_ecgs

        return save_ecgs(self, folder, format, self.stamp)


def sample(run_folder, n: int, seed: int = 0, labels=None) -> SyntheticECGs:
    """The first n records of a finished run and a seed, those that `export` writes.

    Args:
        run_folder: of the run, such as "runs/quickstart".
        n: int, records.
        seed: int. Default 0.
        labels: kind -> statement, as of `export`. Default None.

    Returns:
        SyntheticECGs; what `save` writes says whether the run passed the release gate.

    Raises:
        InputError: no finished run.
    """
    from ecg_tf.release.decision import decide
    from ecg_tf.release.export import stamp_of
    from ecg_tf.release.sampling import BLOCK, Sampler
    from ecg_tf.study.results import read_result

    count(n, "n", 1, 999_999)
    run = read_result(run_folder)
    sampler, gate = Sampler(run, seed, labels=labels), decide(run.content)
    records = [record for block in range(-(-n // BLOCK)) for record in sampler.block(block).records]
    made = SyntheticECGs.of_records(records[:n], "database")
    made.stamp = stamp_of(run, gate, seed)
    if not gate.passed:
        made.stamp = replace(made.stamp, gate="NOT PASSED")
    return made
