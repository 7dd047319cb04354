"""Checks of values: each returns the value in its plain type, or raises an `InputError` that names
the one at fault, what it should be and what came. `name` is what the message calls the value."""

import math
import numbers
from pathlib import Path

from ecg_tf.base.errors import InputError, closest


def number(value, name: str, low: float, high: float) -> float:
    """A finite number between two bounds (both included), as float; no text, boolean or array."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool)
    # Compared before float(): a hostile whole number of 400 digits cannot become a float.
    if not good or not low <= value <= high or not math.isfinite(value):
        _refuse(name, f"a number from {low:g} to {high:g}", value)
    return float(value)


def count(value, name: str, low: int, high: int) -> int:
    """A whole number between two bounds (both included), as int; see `number`."""
    good = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not good or not low <= value <= high:
        _refuse(name, f"a whole number from {low} to {high}", value)
    return int(value)


def pair(value, name: str, low: float, high: float) -> tuple[float, float]:
    """Two numbers, the first below the second, both within bounds; see `number`."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        _refuse(name, "two numbers, the lower one first", value)
    first, second = (number(item, name, low, high) for item in value)
    if not first < second:
        _refuse(name, "two numbers, the lower one first", value)
    return first, second


def numbers_list(value, name: str, low: float, high: float, length: int = 0) -> list[float]:
    """A list of 1 to 64 numbers (or of exactly `length`), all within bounds; see `number`."""
    good = isinstance(value, list) and 0 < len(value) <= 64
    if not good or (length and len(value) != length):
        _refuse(name, f"a list of {length or '1 to 64'} numbers", value)
    return [number(item, name, low, high) for item in value]


def names(value, name: str) -> tuple[str, ...]:
    """A list of 1 to 64 short names."""
    good = isinstance(value, (list, tuple)) and 0 < len(value) <= 64
    if not good or not all(isinstance(item, str) and len(item) <= 64 for item in value):
        _refuse(name, "a list of 1 to 64 short names", value)
    return tuple(value)


def choice(value, name: str, options) -> str:
    """One of some names, with the nearest one as a hint when it is misspelled."""
    if not isinstance(value, str) or value not in options:
        raise InputError(f"Unknown {name}.", expected=f"one of {', '.join(options)}",
                         got=_short(value),
                         fix=closest(_short(value), options) or "choose one of the names above")
    return value


def known_keys(mapping, keys, what: str) -> dict:
    """A dictionary with exactly these keys: none is unknown, none is missing."""
    if not isinstance(mapping, dict):
        _refuse(what, f"a dictionary with the keys {', '.join(keys)}", mapping)
    unknown = [key for key in mapping if key not in keys]
    missing = [key for key in keys if key not in mapping]
    if unknown or missing:
        raise InputError(f"{what} has the wrong keys.", expected=", ".join(keys),
                         got=f"unknown {[_short(key) for key in unknown[:5]]}, missing {missing}",
                         fix=closest(_short(unknown[0]), keys) if unknown
                         else "add the missing keys")
    return mapping


def expanded(path) -> Path:
    """A path whose "~" stands for the home it names."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"The path '{printable(path)}' cannot be followed.",
                         expected="a path, or ~ for your own home", got=str(error),
                         fix="write the whole path") from error


def printable(value, longest: int = 60) -> str:
    """The beginning of what came, as text for a message: on one line, whatever it was."""
    try:
        text = (value.one_line if isinstance(value, InputError) else str(value))[:longest]
    except ValueError:  # a whole number of more digits than Python writes
        return f"a {type(value).__name__} too long to show"
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _refuse(name: str, expected: str, value) -> None:
    raise InputError(f"{name} is wrong.", expected=expected, got=_short(value),
                     fix=f"give {name} as {expected}")


def _short(value) -> str:
    # repr of a hostile value may be huge, and of a whole number of 5,000 digits it raises.
    try:
        return repr(value)[:60]
    except ValueError:
        return f"a {type(value).__name__} too long to show"
