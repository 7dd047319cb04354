"""One experiment: every setting of the way from records to report, flat, typed and checked.

The same keys stand in the YAML files of `notebooks/experiments/` and in the parameters cell of
`notebooks/05_experiment.ipynb`; docs/settings.md lists them. A setting is declared here and nowhere
else: what it affects decides what is trained again, compared and written on cards.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest, write_whole
from ecg_tf.config.gate_rules import checked_gate
from ecg_tf.config.notebook import parameters_of
from ecg_tf.config.renamed import current_settings
from ecg_tf.config.setting import setting, settings_of
from ecg_tf.config.together import (
    check_together,
    checked_columns,
    checked_folds,
    checked_labels,
)
from ecg_tf.config.yaml_files import read_yaml
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.fixed_paths import FITS
from ecg_tf.images.quantize import HALF_STEP
from ecg_tf.images.scaling import SCALINGS

#: What `training.families.FAMILIES` trains, in words: known here without TensorFlow.
MODELS = {
    "dcgan": "DCGAN, plain cross-entropy",
    "r1gan": "relativistic GAN with R1/R2 penalties",
    "wgan_gp": "Wasserstein GAN with gradient penalty",
    "wavegan": "relativistic GAN with convolutions along time",
    "beatgan": "relativistic GAN of dense layers over the mean beat and each row's difference",
    "diffusion": "denoising diffusion over what the networks of beatgan read; no GAN",
    "acgan": "relativistic GAN whose discriminator also names the labels",
}
PADDINGS = ("zero", "helical")
PRECISIONS = ("auto", "float32", "mixed_bfloat16")
STOPS = ("steps", "baseline")


def _checked_name(name: str) -> str:
    if re.fullmatch(r"\w[\w.-]{0,99}", name, re.ASCII):
        return name
    raise InputError("The experiment's name cannot name a folder.",
                     expected="letters, digits, '.', '_' and '-', at most 100", got=repr(name[:60]),
                     fix=f"call it {re.sub(r'[^A-Za-z0-9_-]+', '-', name)[:40]!r}")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings; each has a default, so a file names only what it changes.

    Args:
        **settings: see docs/settings.md, or the declarations below.

    Raises:
        InputError: a value of a wrong type, or out of range.

    Example:
        >>> Experiment(database="simulated", height=32).image_shape_text
        '32 x 64'
    """

    experiment: str = setting("quickstart", "result", affects="nothing", check=_checked_name,
        help="name of the run's folder and report: letters, digits, '.', '_', '-'")
    # Data
    database: str = setting("simulated", "data", affects="windows",
        help="'simulated', 'sample', a known database such as 'ptbxl', or a folder of WFDB, "
             "EDF, CSV or NumPy recordings; several joined by '+'")
    data_dir: str = setting("", "data", affects="nothing", private=True,
        help="folder that holds the databases; '' takes $ECG_TF_DATA, else data")
    leads: tuple[str, ...] = setting((), "data", affects="windows",
        help="names of the leads; [] takes the database's usual ones")
    records: tuple[str, ...] = setting((), "data", affects="windows", private=True,
        help="names or patterns such as 'records100/*'; [] takes all that have the leads")
    exclude: tuple[str, ...] = setting((), "data", affects="windows", private=True,
        help="names or patterns of records to leave out")
    metadata: str = setting("", "data", affects="windows", private=True,
        help="table that says who is who; one in the folder is found without it")
    metadata_columns: dict = setting({}, "data", affects="windows", check=checked_columns,
        private=True, help="columns of that table: record, subject, age, sex, session, labels")
    rate: float = setting(0.0, "data", affects="windows", low=0, high=100_000, unit="Hz",
        help="of recordings stored at several rates the one to read; 0: the lowest of at least "
             "100 Hz")
    strict: bool = setting(False, "data", affects="windows",
        help="refuse a folder with a damaged record, instead of leaving it out by name and reason")
    stored: str = setting("", "data", affects="nothing", private=True,
        help="folder of `ecg-tf store` to read the windows from; '' keeps them in memory")
    subjects: int = setting(20, "data", affects="windows", low=3, high=10_000,
        help="simulated persons")
    minutes: float = setting(5.0, "data", affects="windows", low=0.5, high=10_000, unit="min",
        help="length of each simulated recording")
    split: str = setting("random", "data", affects="windows",
        help="'random' by person; 'ds1ds2', the field's split of MIT-BIH; or a column such as "
             "'strat_fold'")
    folds: dict = setting({}, "data", affects="windows", check=checked_folds,
        private=True,
        help="part -> values of that column, such as {train: [1, 2], validation: [7], test: "
             "[8]}; {}: the last value tests, the one before validates")
    # Windows
    fs: float = setting(128.0, "windows", affects="windows", low=20, high=10_000, unit="Hz",
        help="sampling rate after resampling")
    band_low: float = setting(0.5, "windows", affects="windows", low=0, high=5_000, unit="Hz",
        help="lower edge of the band-pass; 0 for none")
    band_high: float = setting(40.0, "windows", affects="windows", low=0, high=5_000, unit="Hz",
        help="upper edge of the band-pass; 0 for none")
    notch: float = setting(0.0, "windows", affects="windows", low=0, high=5_000, unit="Hz",
        help="mains frequency to be filtered out; 0 for none")
    overlap: float = setting(0.75, "windows", affects="weights", low=0, high=0.99,
        help="share of a training window that the next one has too")
    subject_mixing: int = setting(1, "windows", affects="weights", low=1, high=16,
        help="persons whose average beats are mixed in each training image (beat rows); 1 for none")
    even_subjects: bool = setting(False, "windows", affects="windows",
        help="train on and compare each person as often as every other, however long the record")
    # Image
    scaling: str = setting("companded", "image", affects="weights", choices=SCALINGS,
        help="how mV become [-1, 1]")
    quantiles: tuple[float, float] = setting((0.001, 0.999), "image", affects="weights", low=0,
        high=1, part_of="scaling", help="ends of the scaling 'quantile'")
    limits_mv: tuple[float, float] = setting((-4.0, 4.0), "image", affects="weights", low=-1e4,
        high=1e4, unit="mV", part_of="scaling",
        help="ends of the scalings 'physical' and 'companded'")
    knee_mv: float = setting(0.5, "image", affects="weights", low=1e-4, high=1e4, unit="mV",
        part_of="scaling", help="amplitude from which 'companded' compresses")
    quantization: str = setting("float32", "image", affects="weights", choices=HALF_STEP,
        help="grey levels of the images")
    arrangement: str = setting("auto", "image", affects="weights",
        choices=lambda: ("auto", *ARRANGEMENTS), automatic=True, since="beat_rows",
        help="path of the samples through the image; 'auto': beat rows for records of a minute "
             "or more, else beat strips")
    height: int = setting(0, "image", affects="weights", low=0, high=1024, unit="pixels",
        part_of="arrangement", automatic=True, since=32,
        help="rows of the image (beat rows: beats); 0: 32, for beat strips as many as 99 % of "
             "the strips need")
    width: int = setting(64, "image", affects="weights", low=8, high=1024, unit="pixels",
        part_of="arrangement", help="columns of the image (beat rows: pixels a beat)")
    window_seconds: float = setting(0.0, "image", affects="weights", low=0, high=3600, unit="s",
        part_of="arrangement", automatic=True,
        help="length of a strip that one image holds (beat strips); 0: as long as the records "
             "are, up to 30 s")
    fit: str = setting("pad", "image", affects="weights", choices=FITS, part_of="arrangement",
        help="how a window fills an image of another size")
    # GAN
    model: str = setting("r1gan", "gan", affects="weights", choices=MODELS,
        help="'wavegan' is r1gan with convolutions along time, for the arrangement row_major; "
             "'beatgan' r1gan with dense layers over beats, for many persons; 'acgan' needs "
             "labels; 'diffusion' is no GAN but what one is held against")
    labels: tuple[str, ...] = setting((), "gan", affects="weights", check=checked_labels,
        help="kinds of statements that the GAN generates on request, such as [superclass, rhythm, "
             "sex, age]; [] for none")
    latent_dim: int = setting(128, "gan", affects="weights", low=1, high=4096,
        help="random numbers that the generator starts from")
    base_filters: int = setting(16, "gan", affects="weights", low=1, high=1024,
        help="filters of the finest grid of both networks, more at the coarser ones")
    padding: str = setting("helical", "gan", affects="weights", choices=PADDINGS,
        part_of="arrangement", help="what convolutions see beyond the edge of an image")
    identity_weight: float = setting(0.0, "gan", affects="weights", low=0, high=1e3,
        help="weight of the identity-adversarial loss; 0 for none")
    batch_size: int = setting(64, "gan", affects="weights", low=2, high=4096,
        help="images of a training step")
    steps: int = setting(1000, "gan", affects="length", low=1, high=10_000_000,
        help="training steps")
    learning_rate: float = setting(0.001, "gan", affects="weights", low=1e-8, high=1,
        part_of="model", help="of Adam, for both networks")
    decay: float = setting(0.7, "gan", affects="weights", low=0, high=1, since=0.0, part_of="model",
        help="share of the steps, the last ones, over which the learning rate falls to 2 %")
    ema_decay: float = setting(0.999, "gan", affects="weights", low=0, high=0.999999,
        help="memory of the averaged generator")
    penalty: float = setting(1.0, "gan", affects="weights", low=0, high=1e6, part_of="model",
        help="weight of the gradient penalty (all but dcgan)")
    penalty_every: int = setting(4, "gan", affects="weights", low=1, high=1000, part_of="model",
        help="steps between penalties (all but dcgan and wgan_gp)")
    precision: str = setting("float32", "gan", affects="weights", choices=PRECISIONS,
        help="'auto': mixed_bfloat16 on a GPU or with AMX, else float32")
    check_every: int = setting(100, "gan", affects="nothing", low=1, high=1_000_000,
        help="steps between two lines of the history, diversity checks and checkpoints")
    stop: str = setting("steps", "gan", affects="length", choices=STOPS,
        help="'steps': after all of them; 'baseline': when the generated ECGs are as near to "
             "the validation persons as the training persons are (MMD²), or come no nearer")
    measure_every: int = setting(200, "gan", affects="length", low=1, high=1_000_000,
        part_of="stop", help="steps between two checks of stop 'baseline'")
    patience: int = setting(10, "gan", affects="length", low=1, high=1_000_000, part_of="stop",
        help="checks without a better one, for stop 'baseline'")
    # Result
    synthetic: int = setting(500, "result", affects="synthesis", low=20, high=1_000_000,
        help="images that are generated and decoded at the end")
    rejection_roughness: float = setting(0.0, "result", affects="synthesis", low=0, high=1e3,
        help="reject images more than so many times as rough as the roughest training image; "
             "0: none. 1 removes all noise, and some irregular rhythms")
    strip_seconds: float = setting(0.0, "result", affects="measures", low=0, high=3600, unit="s",
        automatic=True, since=10.0,
        help="length of the strips that are shown and measured; 0: 10, or as long as the "
             "records are")
    attacks: bool = setting(True, "result", affects="verdict",
        help="attack the synthetic ECGs: who could be found in them? False for quick looks")
    gate: dict = setting({}, "result", affects="verdict", check=checked_gate,
        help="measure -> [rule, number], over the release gate's defaults; null takes a "
             "measure out")
    tensorboard: bool = setting(False, "result", affects="nothing",
        help="also write TensorBoard logs (needs the package tensorboard)")
    seed: int = setting(0, "result", affects="windows", low=0, high=2**31 - 1,
        help="of everything that is random")
    runs_dir: str = setting("runs", "result", affects="nothing", private=True,
        help="folder for what a run writes")

    def __post_init__(self):
        for name, declared in SETTINGS.items():
            object.__setattr__(self, name, declared.checked(getattr(self, name)))
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
        values = current_settings(values)
        known = list(SETTINGS)
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
        return cls.from_dict(parameters_of(namespace, SETTINGS, also), also)

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


#: Name -> how it is declared, in the order above.
SETTINGS = settings_of(Experiment)
#: Settings that may be left to the records, and the value that does so; see `fitting`.
AUTOMATIC = {name: s.default for name, s in SETTINGS.items() if s.automatic}


def before() -> dict:
    """Name -> value that runs had before the setting, or its present default, existed."""
    return {name: s.since for name, s in SETTINGS.items() if s.since is not None}


def affecting(*what: str) -> tuple[str, ...]:
    """Names of the settings that affect one of these first; see `setting.AFFECTS`."""
    return tuple(name for name, s in SETTINGS.items() if s.affects in what)


def parts_of(*names: str) -> tuple[str, ...]:
    """Names of the settings that mean nothing, or another thing, without one of these."""
    return tuple(name for name, s in SETTINGS.items() if s.part_of in names)
