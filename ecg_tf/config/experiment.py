"""One experiment: every setting of the way from records to report, flat, typed and checked.

The same keys stand in the YAML files of `notebooks/experiments/` and in the parameters cell of
`notebooks/05_experiment.ipynb`. A misspelled or impossible one fails before anything is read.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ecg_tf.base.checks import choice, count, number, pair, printable
from ecg_tf.base.errors import InputError, closest, write_whole
from ecg_tf.config.notebook import parameters_of
from ecg_tf.config.together import (
    check_together,
    checked_columns,
    checked_folds,
    checked_gate,
)
from ecg_tf.config.yaml_files import read_yaml, typed
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.fixed_paths import FITS
from ecg_tf.images.quantize import HALF_STEP
from ecg_tf.images.scaling import SCALINGS

#: What `training.train.FAMILIES` trains, in words: known here without TensorFlow.
MODELS = {
    "dcgan": "DCGAN, plain cross-entropy",
    "r1gan": "relativistic GAN with R1/R2 penalties",
    "wgan_gp": "Wasserstein GAN with gradient penalty",
    "wavegan": "relativistic GAN with convolutions along time",
}
PADDINGS = ("zero", "helical")
PRECISIONS = ("auto", "float32", "mixed_bfloat16")
#: Settings that may be left to the records, and the value that does so; see `fitting`.
AUTOMATIC = {"arrangement": "auto", "height": 0, "window_seconds": 0.0, "strip_seconds": 0.0}
STOPS = ("steps", "baseline")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings; each has a default, so a file names only what it changes.

    Args:
        experiment: name of the run's folder and report: letters, digits, ".", "_", "-".
        database: "simulated", "sample", a known database such as "ptbxl" or "mitdb", or the path
            of a folder of WFDB, EDF, CSV or NumPy recordings; several joined by "+", such as
            "mitdb+ecgiddb". With "ds1ds2" only MIT-BIH validates and tests.
        data_dir: folder that holds the databases; "" takes $ECG_TF_DATA, else "data".
        leads: names of the leads; [] takes the database's usual one.
        records: names of the records, or patterns such as "records100/*"; [] takes all that have
            the leads. exclude: names or patterns of records to leave out.
        metadata: file that says who is who, beside what is found in the folder.
        metadata_columns: what -> column of that file (record, subject, age, sex, session, labels).
        rate: Hz, of recordings that are stored at several rates the one to read; 0: the lowest of
            at least 100 Hz.
        strict: refuse what cannot be read, instead of leaving it out by name and reason.
        shards: folder of `python -m ecg_tf shard` that the windows are read from; "" cuts them from
            the records and keeps them in memory.
        subjects, minutes: size of the simulated cohort (persons, minutes each).
        split: "random" by person; "ds1ds2", the field's split of MIT-BIH; or a column of the
            table beside the records, such as "strat_fold" of PTB-XL.
        folds: part -> values of that column, such as {train: [1, 2], validation: [7], test: [8]};
            {}: the last value tests, the one before validates, the others train.
        fs: Hz, after resampling. band_low, band_high, notch: filter edges in Hz, 0 for none.
        overlap: share of a training window that it has in common with the next one, 0 to 0.99.
        subject_mixing: persons whose average beats are mixed in each training image (beat rows); 1
            for none, see `images.pipeline.beat_mixer`.
        even_subjects: draw each training person as often as every other, and compare about as many
            strips of each: for databases whose records differ much in length.
        identity_weight: what the generator pays for images in which a network names a training
            person, as a weight of `models.identity.confusion_loss`; 0 for nothing.
        scaling, quantiles, limits_mv, knee_mv, quantization: of the `Standardizer`.
        arrangement, height, width, fit: of the arrangement; for beat rows beats x pixels a beat.
            "auto": beat rows for records of a minute or more, else beat strips, a whole strip an
            image. height 0: 32, for beat strips as many rows as 99 % of the strips need.
        window_seconds: s of a strip that one image holds (beat_strips); 0: as long as the records
            are, up to 30 s.
        model: "dcgan", "r1gan" or "wgan_gp"; "wavegan" is r1gan with convolutions along time
            only, for the arrangement row_major.
        latent_dim, base_filters, padding: of the networks; padding "zero" or "helical".
        batch_size, steps, learning_rate, ema_decay: of the training.
        decay: share of the steps over which the learning rate falls to 2 %, the last ones.
        penalty: weight of the gradient penalty (r1gan, wgan_gp).
        penalty_every: steps between penalties (r1gan).
        precision: "float32", "mixed_bfloat16", or "auto": the latter where it is faster, see
            `precision.half_precision_share`.
        synthetic: how many images are drawn and decoded at the end.
        rejection_roughness: draw an image anew that is more than so many times as rough as the
            roughest
            training image, see `models.redraw`; 0 for none. 1 takes out all noise, and with it
            some irregular rhythms.
        strip_seconds: length of the strips that are shown and measured, s; 0: 10, or as long as
            the records are.
        check_every: steps between a history line, a diversity check and a checkpoint.
        stop: "steps", after all of them; or "baseline", when the decoded ECGs are as near to the
            validation persons as the training persons are (MMD²), or no longer come nearer. The
            best weights are kept.
        measure_every: steps between two such checks. patience: checks without a better one.
        tensorboard: bool, also write TensorBoard logs (needs the package tensorboard).
        attacks: bool, attack the synthetic ECGs: who could be found in them? False for quick looks.
        gate: measure -> [rule, number], over the release gate's defaults; null takes a measure out.
        seed: of everything that is random.
        runs_dir: folder for what a run writes.

    Raises:
        InputError: a value of a wrong type, or out of range.

    Example:
        >>> Experiment(database="simulated", height=32).image_shape_text
        '32 x 64'
    """

    experiment: str = "quickstart"
    database: str = "simulated"
    data_dir: str = ""
    leads: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    metadata: str = ""
    metadata_columns: dict = dataclasses.field(default_factory=dict)
    rate: float = 0.0
    strict: bool = False
    shards: str = ""
    subjects: int = 20
    minutes: float = 5.0
    split: str = "random"
    folds: dict = dataclasses.field(default_factory=dict)
    fs: float = 128.0
    band_low: float = 0.5
    band_high: float = 40.0
    notch: float = 0.0
    overlap: float = 0.75
    subject_mixing: int = 1
    even_subjects: bool = False
    identity_weight: float = 0.0
    scaling: str = "companded"
    quantiles: tuple[float, float] = (0.001, 0.999)
    limits_mv: tuple[float, float] = (-4.0, 4.0)
    knee_mv: float = 0.5
    quantization: str = "float32"
    arrangement: str = "auto"
    height: int = 0
    width: int = 64
    window_seconds: float = 0.0
    fit: str = "pad"
    model: str = "r1gan"
    latent_dim: int = 128
    base_filters: int = 16
    padding: str = "helical"
    batch_size: int = 64
    steps: int = 1000
    learning_rate: float = 0.001
    decay: float = 0.7
    ema_decay: float = 0.999
    penalty: float = 1.0
    penalty_every: int = 4
    precision: str = "auto"
    synthetic: int = 500
    rejection_roughness: float = 0.0
    strip_seconds: float = 0.0
    check_every: int = 100
    stop: str = "steps"
    measure_every: int = 200
    patience: int = 10
    tensorboard: bool = False
    attacks: bool = True
    gate: dict = dataclasses.field(default_factory=dict)
    seed: int = 0
    runs_dir: str = "runs"

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = typed(field.name, getattr(self, field.name), field.type)
            object.__setattr__(self, field.name, value)
        if not re.fullmatch(r"\w[\w.-]{0,99}", self.experiment, re.ASCII):
            raise InputError(
                "The experiment's name cannot name a folder.",
                expected="letters, digits, '.', '_' and '-', at most 100",
                got=repr(self.experiment[:60]),
                fix=f"call it {re.sub(r'[^A-Za-z0-9_-]+', '-', self.experiment)[:40]!r}",
            )
        for name, options in (
            ("scaling", SCALINGS), ("quantization", HALF_STEP), ("fit", FITS),
            ("arrangement", ("auto", *ARRANGEMENTS)), ("model", MODELS), ("padding", PADDINGS),
            ("precision", PRECISIONS), ("stop", STOPS),
        ):
            choice(getattr(self, name), name, tuple(options))
        for name, low, high in (
            ("subjects", 3, 10_000),
            ("height", 0, 1024),
            ("width", 8, 1024),
            ("latent_dim", 1, 4096),
            ("base_filters", 1, 1024),
            ("batch_size", 2, 4096),
            ("steps", 1, 10_000_000),
            ("penalty_every", 1, 1000),
            ("synthetic", 20, 1_000_000),
            ("check_every", 1, 1_000_000),
            ("subject_mixing", 1, 16),
            ("measure_every", 1, 1_000_000),
            ("patience", 1, 1_000_000),
            ("seed", 0, 2**31 - 1),
        ):
            count(getattr(self, name), name, low, high)
        for name, low, high in (
            ("minutes", 0.5, 10_000), ("fs", 20, 10_000), ("band_low", 0, 5_000),
            ("band_high", 0, 5_000), ("notch", 0, 5_000), ("overlap", 0, 0.99),
            ("learning_rate", 1e-8, 1), ("decay", 0, 1), ("ema_decay", 0, 0.999999),
            ("penalty", 0, 1e6), ("identity_weight", 0, 1e3), ("rejection_roughness", 0, 1e3),
            ("strip_seconds", 0, 3600), ("window_seconds", 0, 3600), ("rate", 0, 100_000),
        ):
            number(getattr(self, name), name, low, high)
        pair(self.quantiles, "quantiles", 0, 1)
        pair(self.limits_mv, "limits_mv", -1e4, 1e4)
        for name, check in (("gate", checked_gate), ("folds", checked_folds),
                            ("metadata_columns", checked_columns)):
            object.__setattr__(self, name, check(getattr(self, name)))
        check_together(self)

    @property
    def folder(self) -> Path:
        """Where the run writes: runs_dir/experiment."""
        return Path(self.runs_dir) / self.experiment

    @property
    def image_shape_text(self) -> str:
        """Height and width for people, such as "32 x 64"."""
        return f"{self.height or 'auto'} x {self.width}"

    def settled(self, fitted: Mapping) -> "Experiment":
        """The experiment with what it leaves open (`AUTOMATIC`) as it came out for its records.

        Args:
            fitted: setting -> value. What the experiment says itself stays as it is.
        """
        return dataclasses.replace(self, **{
            name: fitted[name] for name, value in AUTOMATIC.items()
            if name in fitted and getattr(self, name) == value})

    def to_dict(self) -> dict:
        """Plain values for YAML and JSON."""
        values = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping, also: Iterable[str] = ()) -> "Experiment":
        """An experiment from the keys of a YAML file.

        Args:
            values: name -> value; what is missing keeps its default.
            also: further valid names, for the hint at a misspelt one.

        Raises:
            InputError: an unknown name (the nearest valid one is given) or a wrong value.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise InputError(
                    f"There is no parameter '{printable(name)}'.",
                    expected=f"one of {', '.join(known)}",
                    got=repr(printable(name)),
                    fix=closest(printable(name), [*known, *also])
                    or "choose one of the names above, or leave it out",
                )
        return cls(**values)

    @classmethod
    def from_namespace(cls, namespace: Mapping, also: Iterable[str] = ()) -> "Experiment":
        """An experiment from a notebook's variables, `globals()` after the parameters cell.

        Args:
            namespace: name -> value.
            also: names of parameters that a lesson has beside the experiment's.

        Raises:
            InputError: the parameters cell assigns a name that is none, or a wrong value.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        return cls.from_dict(parameters_of(namespace, known, also), also)

    @classmethod
    def from_yaml(cls, path) -> "Experiment":
        """Reads a YAML file of parameters.

        Raises:
            InputError: no such file, no YAML, no mapping, or a wrong parameter.
        """
        return cls.from_dict(read_yaml(path))

    def save(self, path) -> Path:
        """Writes all settings as YAML."""
        return write_whole(path, yaml.safe_dump(self.to_dict(), sort_keys=False))
