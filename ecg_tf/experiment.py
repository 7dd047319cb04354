"""One experiment: every setting of the way from records to report, flat, typed and checked.

The same keys stand in the YAML files of `notebooks/experiments/` and in the parameters cell of
`notebooks/05_experiment.ipynb`. A misspelled or impossible one fails before anything is read.
"""

import dataclasses
import math
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ecg_tf.checks import choice, count, number, pair, printable
from ecg_tf.errors import InputError, closest, write_whole
from ecg_tf.images.arrange import ARRANGEMENTS, FITS
from ecg_tf.images.quantize import HALF_STEP
from ecg_tf.images.standardize import RANGES

#: What `training.train.FAMILIES` trains, in words: known here without TensorFlow.
MODELS = {
    "dcgan": "DCGAN, plain cross-entropy",
    "r1gan": "relativistic GAN with R1/R2 penalties",
    "wgan_gp": "Wasserstein GAN with gradient penalty",
    "wavegan": "relativistic GAN with convolutions along time",
}
PADDINGS = ("zero", "helical")
PRECISIONS = ("auto", "float32", "mixed_bfloat16")
SPLITS = ("random", "ds1ds2")
STOPS = ("steps", "floor")
LARGEST_FILE = 2**14  # bytes; an experiment takes two thousand
DEEPEST = 20  # lists and mappings in one another; an experiment has three
LONGEST_TEXT = 1000  # characters of a value


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings; each has a default, so a file names only what it changes.

    Args:
        experiment: name of the run's folder and report: letters, digits, ".", "_", "-".
        database: "simulated", "sample", "mitdb", "ecgiddb", or a folder of WFDB records; several
            joined by "+", such as "mitdb+ecgiddb". With "ds1ds2" only MIT-BIH validates and tests.
        data_dir: folder that holds the databases; "" takes $ECG_TF_DATA, else "data".
        leads: names of the leads; [] takes the database's usual one.
        records: names of the records; [] takes all that have the leads.
        shards: folder of `python -m ecg_tf shard` that the windows are read from; "" cuts them from
            the records and keeps them in memory.
        subjects, minutes: size of the simulated cohort (persons, minutes each).
        split: "random" by person, or "ds1ds2", the field's split of MIT-BIH.
        fs: Hz, after resampling. band_low, band_high, notch: filter edges in Hz, 0 for none.
        overlap: share of a training window that it has in common with the next one, 0 to 0.99.
        mix_persons: persons whose average beats are mixed in each training image (beat rows); 1
            for none, see `images.pipeline.beat_mixer`.
        even_persons: draw each training person as often as every other, and compare about as many
            strips of each: for databases whose records differ much in length.
        identity_weight: what the generator pays for images in which a network names a training
            person, as a weight of `models.identity.confusion_loss`; 0 for nothing.
        range, quantiles, limits_mv, knee_mv, quantization: of the `Standardizer`.
        arrangement, height, width, fit: of the arrangement; for beat rows beats x pixels a beat.
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
        redraw_rough: draw an image anew that is more than so many times as rough as the roughest
            training image, see `models.redraw`; 0 for none. 1 takes out all noise, and with it
            some irregular rhythms.
        strip_seconds: length of the strips that are shown and measured, s.
        check_every: steps between a history line, a diversity check and a checkpoint.
        stop: "steps", after all of them; or "floor", when the decoded ECGs are as near to the
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
        >>> Experiment(database="simulated", steps=100).image_shape_text
        '32 x 64'
    """

    experiment: str = "quickstart"
    database: str = "simulated"
    data_dir: str = ""
    leads: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    shards: str = ""
    subjects: int = 20
    minutes: float = 5.0
    split: str = "random"
    fs: float = 128.0
    band_low: float = 0.5
    band_high: float = 40.0
    notch: float = 0.0
    overlap: float = 0.75
    mix_persons: int = 1
    even_persons: bool = False
    identity_weight: float = 0.0
    range: str = "companded"
    quantiles: tuple[float, float] = (0.001, 0.999)
    limits_mv: tuple[float, float] = (-4.0, 4.0)
    knee_mv: float = 0.5
    quantization: str = "float32"
    arrangement: str = "beat_rows"
    height: int = 32
    width: int = 64
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
    redraw_rough: float = 0.0
    strip_seconds: float = 10.0
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
            ("split", SPLITS), ("range", RANGES), ("quantization", HALF_STEP), ("fit", FITS),
            ("arrangement", ARRANGEMENTS), ("model", MODELS), ("padding", PADDINGS),
            ("precision", PRECISIONS), ("stop", STOPS),
        ):  # fmt: skip
            choice(getattr(self, name), name, tuple(options))
        for name, low, high in (
            ("subjects", 3, 10_000), ("height", 8, 1024), ("width", 8, 1024),
            ("latent_dim", 1, 4096), ("base_filters", 1, 1024), ("batch_size", 2, 4096),
            ("steps", 1, 10_000_000), ("penalty_every", 1, 1000), ("synthetic", 20, 1_000_000),
            ("check_every", 1, 1_000_000), ("mix_persons", 1, 16), ("measure_every", 1, 1_000_000),
            ("patience", 1, 1_000_000), ("seed", 0, 2**31 - 1),
        ):  # fmt: skip
            count(getattr(self, name), name, low, high)
        for name, low, high in (
            ("minutes", 0.5, 10_000), ("fs", 20, 10_000), ("band_low", 0, 5_000),
            ("band_high", 0, 5_000), ("notch", 0, 5_000), ("overlap", 0, 0.99),
            ("learning_rate", 1e-8, 1), ("decay", 0, 1), ("ema_decay", 0, 0.999999),
            ("penalty", 0, 1e6), ("identity_weight", 0, 1e3), ("redraw_rough", 0, 1e3),
            ("strip_seconds", 1, 3600),
        ):  # fmt: skip
            number(getattr(self, name), name, low, high)
        pair(self.quantiles, "quantiles", 0, 1)
        pair(self.limits_mv, "limits_mv", -1e4, 1e4)
        object.__setattr__(self, "gate", _gate(self.gate))
        if self.even_persons and self.shards:
            raise InputError("Persons cannot be drawn evenly from shards.",
                             expected='shards: "" or even_persons: false',
                             got=f"shards: {self.shards[:60]!r} and even_persons: true",
                             fix="leave one of the two out")
        if self.model == "wavegan" and self.arrangement != "row_major":
            raise InputError("The model 'wavegan' sees the signal itself, sample after sample.",
                             expected="arrangement: row_major, which is the signal line by line",
                             got=self.arrangement, fix="set arrangement to row_major, or take "
                             "another model")  # fmt: skip

    @property
    def folder(self) -> Path:
        """Where the run writes: runs_dir/experiment."""
        return Path(self.runs_dir) / self.experiment

    @property
    def image_shape_text(self) -> str:
        """Height and width for people, such as "32 x 64"."""
        return f"{self.height} x {self.width}"

    def to_dict(self) -> dict:
        """Plain values for YAML and JSON."""
        values = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping) -> "Experiment":
        """An experiment from the keys of a YAML file.

        Args:
            values: name -> value; what is missing keeps its default.

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
                    fix=closest(printable(name), known) or "choose one of the names above, or "
                    "leave it out",
                )
        return cls(**values)

    @classmethod
    def from_namespace(cls, namespace: Mapping, also: Iterable[str] = ()) -> "Experiment":
        """An experiment from a notebook's variables, `globals()` after the parameters cell.

        papermill only warns of a parameter that the notebook does not have; here it fails: every
        variable with a plain value has to be one of the experiment's keys.

        Args:
            namespace: name -> value.
            also: names of parameters that a lesson has beside the experiment's.
        """
        ignored = {"exit", "quit", "open", *also}
        plain = (str, int, float, bool, list, tuple, dict, types.NoneType)
        return cls.from_dict({
            name: value for name, value in namespace.items()
            if isinstance(value, plain) and not name.startswith("_") and name not in ignored
            and not name.isupper()  # a constant that was imported
            and name not in ("In", "Out")
        })  # fmt: skip

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


def read_yaml(path) -> dict:
    """The mapping in a YAML file of parameters, read safely; see `Experiment.from_yaml`."""
    path = Path(path)
    hint = "name an existing file, such as notebooks/experiments/quickstart.yaml"
    if not path.is_file():
        raise InputError(f"There is no experiment file '{path}'.", expected="a YAML file",
                         got="no such file", fix=hint)
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(f"'{path}' is too large for an experiment file.",
                         expected=f"{LARGEST_FILE} bytes at most",
                         got=f"{path.stat().st_size}", fix=hint)
    try:
        text = path.read_text(encoding="utf-8")
        _check_yaml(text)
        values = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"'{path}' is no YAML file.", expected="lines such as `steps: 400`",
                         got=printable(" ".join(str(error).split()), 300),
                         fix="correct the line named above") from error
    if not isinstance(values, dict):
        raise InputError(f"'{path}' holds no parameters.", expected="lines such as `steps: 400`",
                         got=type(values).__name__, fix=hint)
    return values


def _check_yaml(text: str) -> None:
    """Refuses YAML that is small on the disk and immense in memory: aliases, and deep nests."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"an alias, *{event.anchor}: write out what it stands for")
        depth += isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent))
        depth -= isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent))
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} lists or mappings in one another")


def _gate(rules: dict) -> dict:
    """The thresholds of the release gate as plain values, or an error that names the wrong one."""
    if not rules:
        return {}
    from ecg_tf.evaluation.gate import checked_rule

    if len(rules) > 100 or not all(isinstance(name, str) for name in rules):
        raise InputError("The thresholds of the gate have no names.",
                         expected="at most 100, such as {recall: [at_least_floors, 0.8]}",
                         got=", ".join(map(str, rules))[:60], fix="name the measures as the "
                         "report's table does")
    for rule in rules.values():  # a whole number of 400 digits is no threshold
        given = rule.values() if isinstance(rule, Mapping) else rule
        for value in given if isinstance(given, Iterable) else ():
            if isinstance(value, int):
                number(value, "a threshold of the gate", -1e300, 1e300)
    return {printable(name): None if rule is None else list(checked_rule(printable(name), rule))
            for name, rule in rules.items()}


def typed(name: str, value, kind):
    """The value in the field's own type, or an error that says what YAML made of it.

    Args:
        name: of the field, for the message.
        value: what came.
        kind: annotation of the field.
    """
    origin = getattr(kind, "__origin__", kind)
    if origin is tuple:
        fine = isinstance(value, (list, tuple)) and len(value) <= 10_000
        inner = kind.__args__[0]
        if fine:
            return tuple(typed(name, item, inner) for item in value)
        wanted = "a list such as [0.1, 0.9]" if inner is float else "a list such as [MLII]"
    elif origin is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            # A whole number of 400 digits is none that fits.
            return float(value) if abs(value) < 1e300 or value != value else math.inf
        wanted = "a number"
    elif origin is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        wanted = "a whole number"
    elif isinstance(value, origin):
        if origin is str and not (len(value) <= LONGEST_TEXT and value.isprintable()):
            raise InputError(f"The text of '{name}' cannot be used.",
                             expected=f"at most {LONGEST_TEXT} characters that can be printed",
                             got=repr(printable(value)), fix=f"correct {name}")
        return value
    else:
        wanted = {str: "text", bool: "true or false",
                  dict: "a mapping such as {recall: [at_least_floors, 0.8]}"}[origin]
    fix = f"give {name} as {wanted}"
    short = value.strip() if isinstance(value, str) and len(value) < 30 else ""
    if re.fullmatch(r"[+-]?\d+e[+-]?\d+", short, re.I):
        fix = (f"YAML takes {value} for text: write it with a point, "
               f"{value.lower().replace('e', '.0e')}")
    raise InputError(f"The parameter '{name}' has a wrong type.", expected=wanted,
                     got=f"{printable(value)!r} ({type(value).__name__})", fix=fix)
