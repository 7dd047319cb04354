"""Parameters from outside: a YAML file read safely, and each value in the type it must have."""

import math
import re
from pathlib import Path

import yaml

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError

LARGEST_FILE = 2**14  # bytes; an experiment takes two thousand
DEEPEST = 20  # lists and mappings in one another; an experiment has three
LONGEST_TEXT = 1000  # characters of a value


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


def typed(name: str, value, kind):
    """The value in the field's own type (its annotation `kind`), or an error that says what YAML
    made of it."""
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
                  dict: "a mapping such as {recall: [at_least_baselines, 0.8]}"}[origin]
    fix = f"give {name} as {wanted}"
    short = value.strip() if isinstance(value, str) and len(value) < 30 else ""
    if re.fullmatch(r"[+-]?\d+e[+-]?\d+", short, re.I):
        fix = (f"YAML takes {value} for text: write it with a point, "
               f"{value.lower().replace('e', '.0e')}")
    raise InputError(f"The parameter '{name}' has a wrong type.", expected=wanted,
                     got=f"{printable(value)!r} ({type(value).__name__})", fix=fix)
