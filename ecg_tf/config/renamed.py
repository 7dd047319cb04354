"""Names that settings had in the release before: understood in this one, with a note."""

import warnings
from collections.abc import Mapping

from ecg_tf.base.errors import InputError

#: Old -> new: settings, values ("setting: value") and rules of the release gate.
RENAMED = {
    "range": "scaling",
    "mix_persons": "subject_mixing",
    "even_persons": "even_subjects",
    "redraw_rough": "rejection_roughness",
    "shards": "stored",
    "stop: floor": "stop: baseline",
    "at_most_floors": "at_most_baselines",
    "at_least_floors": "at_least_baselines",
}


def current(name: str, note: bool = True) -> str:
    """The name as it is now; an old one is noted in a FutureWarning, unless `note` is False."""
    if name not in RENAMED:
        return name
    if note:
        warnings.warn(f"'{name}' is called '{RENAMED[name]}' now; the next release will not know "
                      "the old name.", FutureWarning, stacklevel=3)
    return RENAMED[name]


def current_settings(values: Mapping, note: bool = True) -> dict:
    """Settings (name -> value, as in a YAML file) under their present names; `note`: warn of old
    ones. InputError: one is given under both names."""
    found: dict = {}
    for name, value in values.items():
        name = current(name, note) if isinstance(name, str) else name
        if name in found:
            raise InputError(f"The setting '{name}' is given twice.", expected="one value",
                             got="its old and its new name", fix="leave the old one out")
        if isinstance(value, str):
            value = current(f"{name}: {value}", note).removeprefix(f"{name}: ")
        found[name] = value
    return found
