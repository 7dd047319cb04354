"""Checks of values: each names the one at fault, what it should be and what came."""

import math
import numbers
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError, closest


def number(value, name: str, low: float, high: float) -> float:
    """A finite number between two bounds (both included), as float.

    Args:
        value: what came; text, booleans and numpy arrays are refused.
        name: str, what the value is called, for the message.
        low: float, smallest value allowed.
        high: float, largest value allowed.

    Returns:
        float.

    Raises:
        InputError: no number, not finite, or out of bounds.
    """
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
        raise InputError(
            f"Unknown {name}.",
            expected=f"one of {', '.join(options)}",
            got=_short(value),
            fix=closest(_short(value), options) or "choose one of the names above",
        )
    return value


def known_keys(mapping, keys, what: str) -> dict:
    """A dictionary with exactly these keys: no stranger passes, nothing is missing."""
    if not isinstance(mapping, dict):
        _refuse(what, f"a dictionary with the keys {', '.join(keys)}", mapping)
    strangers = [key for key in mapping if key not in keys]
    missing = [key for key in keys if key not in mapping]
    if strangers or missing:
        raise InputError(
            f"{what} has the wrong keys.",
            expected=", ".join(keys),
            got=f"unknown {[_short(key) for key in strangers[:5]]}, missing {missing}",
            fix=closest(_short(strangers[0]), keys) if strangers else "add the missing keys",
        )
    return mapping


def finite_signals(windows) -> np.ndarray:
    """The windows' signals, all finite within their lengths and NaN behind them.

    Args:
        windows: `Windows`.

    Returns:
        (window, time, lead) array.

    Raises:
        InputError: no windows at all, or NaN or inf within one.
    """
    signals = np.asarray(windows.signals)
    if signals.ndim != 3 or not len(signals):
        raise InputError(
            "There are no windows to standardize.",
            expected="signals of shape (window, time, lead) with at least one window",
            got=f"shape {signals.shape}",
            fix="look at the report of what the quality gate dropped",
        )
    inside = np.arange(signals.shape[1]) < np.asarray(windows.lengths)[:, None]
    if not np.isfinite(signals[inside]).all():
        bad = ~(np.isfinite(signals).all(axis=2) | ~inside).all(axis=1)
        raise InputError(
            f"{int(bad.sum())} of {len(bad)} windows hold NaN or inf.",
            expected="finite mV in every valid sample",
            got=f"window {int(np.argmax(bad))} is the first with a gap",
            fix="turn the quality gate on when cutting windows, or drop these windows",
        )
    # What lies behind a window's end must not count, whatever it is.
    return signals if inside.all() else np.where(inside[..., None], signals, np.nan)


def same_rate_and_leads(records) -> None:
    """Refuses records that cannot lie side by side in one array.

    Args:
        records: sequence of `Record`.

    Raises:
        InputError: there are none, or two differ in sampling rate or leads: both are named.
    """
    if not records:
        raise InputError(
            "There are no records.",
            expected="one or more",
            got="none",
            fix="look at what the folder holds, or at what was left out before",
        )
    first = records[0]
    for other in records:
        both = f"'{first.name}' ({first.database}) has {{}}, '{other.name}' ({other.database}) {{}}"
        if other.fs != first.fs:
            raise InputError(
                "The records have different sampling rates.",
                expected="one rate for all",
                got=both.format(f"{first.fs:g} Hz", f"{other.fs:g} Hz"),
                fix="resample all to one rate, for instance prepare(record, fs=128.0)",
            )
        if tuple(other.leads) != tuple(first.leads):
            shared = [n for n in first.leads if all(n in record.leads for record in records)]
            raise InputError(
                "The records have different leads.",
                expected="the same leads in the same order",
                got=both.format(" + ".join(first.leads), " + ".join(other.leads)),
                fix=f"choose leads that all have, leads={shared}, when reading them"
                if shared
                else "choose leads when reading, or leave out the records without them",
            )


def expanded(path) -> Path:
    """A path whose "~" stands for the home it names.

    Raises:
        InputError: there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"The path '{printable(path)}' cannot be followed.",
                         expected="a path, or ~ for your own home", got=str(error),
                         fix="write the whole path") from error


def printable(value, longest: int = 60) -> str:
    """The beginning of what came, as text for a message: on one line, whatever it was.

    Args:
        value: anything that JSON or YAML can hold.
        longest: int, characters. Default 60.
    """
    try:
        text = str(value)[:longest]
    except ValueError:  # a whole number of more digits than Python writes
        return f"a {type(value).__name__} too long to show"
    return "".join(one if one.isprintable() else "?" for one in text)


def _refuse(name: str, expected: str, value) -> None:
    raise InputError(
        f"{name} is wrong.", expected=expected, got=_short(value), fix=f"give {name} as {expected}"
    )


def _short(value) -> str:
    # repr of a hostile value may be huge, and of a whole number of 5,000 digits it raises.
    try:
        return repr(value)[:60]
    except ValueError:
        return f"a {type(value).__name__} too long to show"
