"""What a run measured, read from its metrics.json: nothing in the file is believed unchecked."""

import json
import math
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import SETTINGS
from ecg_tf.config.renamed import current_settings
from ecg_tf.config.yaml_files import typed

LARGEST_FILE = 2**22  # bytes; the measures of a run take ten thousand
MOST = 10_000  # measures
_PARTS = {"experiment": dict, "measures": list, "data": dict, "privacy": dict, "versions": dict,
          "split": dict, "quality": dict}


def read_metrics(path) -> dict:
    """Reads a metrics.json; its parts have the form that `run.metrics` gives them.

    Args:
        path: of the file.

    Returns:
        dict; parts may be missing. Measures have a name, and numbers or None; settings have the
        types of an `Experiment`'s.

    Raises:
        InputError: it is damaged, or was never such a file.
        OSError: it cannot be read.

    Example:
        >>> read_metrics("runs/quickstart/metrics.json")["measures"][0]["name"]
        'MMD²'
    """
    path = Path(path)
    size = path.stat().st_size
    try:
        if size > LARGEST_FILE:
            raise ValueError(f"{size} bytes, more than {LARGEST_FILE}")
        if not path.is_file():
            raise ValueError("no plain file")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}")
        for part, kind in _PARTS.items():
            if content.get(part) is not None and not isinstance(content[part], kind):
                raise ValueError(f"'{part}' is a {type(content[part]).__name__}")
        _check_measures(content.get("measures") or [])
        content |= _checked_settings(content)
    except (ValueError, RecursionError) as error:  # InputError is a ValueError
        raise InputError(
            f"'{path}' cannot be read.", expected="the measures of one run, as JSON",
            got=f"{type(error).__name__}: {printable(error, 200)}",
            fix="run this experiment again, or remove its folder",
        ) from error
    return content


def _check_measures(rows: list) -> None:
    if len(rows) > MOST:
        raise ValueError(f"{len(rows)} measures")
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str) or "value" not in row:
            raise ValueError(f"no measure: {printable(row)}")
        for key, value in row.items():
            # A whole number of 400 digits is none a measure can have.
            number = isinstance(value, float) or isinstance(value, int) and abs(value) < 2**63
            if not (number or value is None or isinstance(value, str) and len(value) <= 1000) \
                    or key not in ("name", "unit", "better") and isinstance(value, str):
                raise ValueError(f"'{printable(key)}' of '{printable(row['name'])}' is "
                                 f"{printable(value)}")


def _checked_settings(content: dict) -> dict:
    if content.get("experiment") is None:
        return {}
    settings = current_settings(content["experiment"], note=False)
    for name in SETTINGS.keys() & settings.keys():  # others are of an older state
        value = typed(name, settings[name], SETTINGS[name].kind)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"'{name}' is {value}")
    return {"experiment": settings}
