"""What every reader of files shares: units, lead names, checks, beats and labels."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.person import about
from ecg_tf.records.record import BEAT_SYMBOLS, Record

SLOWEST_FS, FASTEST_FS = 10.0, 1e6  # Hz; resampling a slower one would need any amount of memory
#: Peak to peak, mV, that no surface ECG has: its largest QRS complexes have less than 10.
IMPLAUSIBLE_MV = 50.0
#: The samples of gaps that a file may claim, beside 20 for each sample that is there.
MOST_GAP = 10**7

_FACTORS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_PREFIXES = {"milli": "m", "micro": "u", "nano": "n", "\N{GREEK SMALL LETTER MU}": "u"}
_LABEL = re.compile(r"\s*#?\s*label ([^:\n]{1,60}):[ \t]*(\S.{0,1000}?)\s*")


class MissingLead(InputError):
    """A record does not have a wanted lead; `leads` are those it has."""

    leads: tuple[str, ...] = ()


@lru_cache(256)  # a folder has thousands of headers, and one unit or two
def to_millivolts(unit: str | None) -> float | None:
    """Factor that turns values of a unit into mV, None for what is no known voltage.

    Both letters mu (U+00B5 and U+03BC) and words such as "microvolts" are understood; case and
    blanks do not matter. No unit means mV, as in WFDB headers.

    Example:
        >>> to_millivolts("\N{MICRO SIGN}V"), to_millivolts("Volt"), to_millivolts("mmHg")
        (0.001, 1000.0, None)
    """
    # NFKC makes one letter of the two; it also narrows full-width letters.
    text = unicodedata.normalize("NFKC", (unit or "")[:100]).casefold()
    text = re.sub(r"volts?$", "v", re.sub(r"[\s_-]", "", text).rstrip("."))
    for prefix, letter in _PREFIXES.items():
        if text.startswith(prefix):
            text = letter + text.removeprefix(prefix)
    return _FACTORS.get(text) if text else 1.0


def lead_names(names: Sequence[str | None]) -> list[str]:
    """Lead names made unique: "lead 2" where one is missing, "V1 (3)" where it came before."""
    unique: dict[str, None] = {}
    for i, name in enumerate(names):
        name = name or f"lead {i}"
        while name in unique:
            name = f"{name} ({i})"
        unique[name] = None
    return list(unique)


def missing_lead(path, lead: str, usable: Sequence[str], got: str = "") -> MissingLead:
    """The error for a lead that a file does not have, to be raised; "" for no ECG at all.

    `usable` are the leads it has, `got` is what there is instead.
    """
    have = "one of " + ", ".join(f"'{printable(name)}'" for name in usable)
    error = MissingLead(
        f"'{path}' has no lead '{printable(lead)}'." if lead else f"'{path}' has no ECG lead.",
        expected=have if usable else f"a signal measured in V, mV or uV, at {SLOWEST_FS:g} Hz or "
        "faster, that is no other kind by its name",
        got=printable(got or repr(lead) if lead else got or "none", 200),
        fix=closest(lead, usable) or "choose leads it has, or leave this file out")
    error.leads = tuple(usable)
    return error


# Checks


def check_file(path: Path, root: Path) -> None:
    """Refuses what is no plain file, or what a symbolic link has led out of a folder."""
    try:
        real, home = path.resolve(), root.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise InputError(f"'{path}' cannot be found.", expected="a file",
                         got=str(error)[:200], fix="correct the link") from error
    if not real.is_relative_to(home):
        raise InputError(f"'{path}' is a link to a file outside '{root}'.",
                         expected="files of that folder, or links within it", got=str(real)[:300],
                         fix="copy the file there, or read the folder where it lies")
    if not path.is_file():
        raise InputError(f"'{path}' is no file.", expected="a file", got="no such file, or "
                         "something else of that name", fix="check the path, or fetch it again")


def check_inside(name: str, where: Path) -> str:
    """Refuses a file name that would lead out of the folder of the file that gave it, `where`."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", name):
        raise InputError(
            f"'{where}' names a file outside its own folder.", got=repr(name),
            expected="plain file names relative to that folder",
            fix="do not use these files unless you trust whoever made them; else correct the name")
    return name


def check_rate(fs: float, what) -> None:
    """Refuses a sampling rate that no ECG has."""
    if not SLOWEST_FS <= fs <= FASTEST_FS:
        raise InputError(f"'{what}' gives an impossible sampling rate.", got=f"{fs:g} Hz",
                         expected=f"{SLOWEST_FS:g} to {FASTEST_FS:g} Hz",
                         fix="correct the rate; times are in s unless their name says otherwise")


def one_rate(rates: Mapping[str, float], what) -> float:
    """The rate of leads, by name; refused where they differ."""
    if len(set(rates.values())) > 1:
        raise InputError(f"The leads of '{what}' have different sampling rates.",
                         expected="leads of one rate",
                         got=", ".join(f"{lead} {fs:g} Hz" for lead, fs in rates.items()),
                         fix="choose leads of one rate with leads=...")
    return next(iter(rates.values()))


def check_varies(signal: np.ndarray, leads: Sequence[str], what) -> None:
    """Refuses leads of a (time, lead) signal that are constant or NaN throughout."""
    for lead, values in zip(leads, signal.T, strict=True):
        if _varies(values[:1000]) or _varies(values):  # the first seconds mostly decide
            continue
        low = np.fmin.reduce(values)
        raise InputError(
            f"Lead '{lead}' of '{what}' holds no ECG.", expected="a signal that varies",
            got="only NaN" if np.isnan(low) else f"the constant {low:g} mV",
            fix="choose other leads with leads=..., or leave the record out with exclude=...")


def amplitude_note(signal: np.ndarray, fs: float, leads: Sequence[str], fix: str = "") -> str:
    """A sentence where values cannot be mV, though nothing says that they are anything else.

    Of a signal (time, lead) as read; `fix` says how the unit is given, by default by the column's
    name. "" where the median peak-to-peak amplitude of 2 s is below `IMPLAUSIBLE_MV`.
    """
    if not (np.fmax.reduce(signal) - np.fmin.reduce(signal) > IMPLAUSIBLE_MV).any():
        return ""  # as nearly always
    size = max(2, min(len(signal), round(2 * fs)))
    # A hundred pieces tell the amplitude of a day's recording as well as all of them.
    starts = np.linspace(0, max(0, len(signal) - size), min(100, len(signal) // size)).astype(int)
    pieces = np.stack([signal[start : start + size] for start in starts])
    spans = np.fmax.reduce(pieces, axis=1) - np.fmin.reduce(pieces, axis=1)
    found = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else 0.0
             for column in spans.T]
    top = int(np.argmax(found))
    if found[top] <= IMPLAUSIBLE_MV:
        return ""
    fix = fix or f"name the column '{leads[top]} (uV)'"
    return (f"Lead {leads[top]} was read as mV, for nothing gives its unit; its amplitude is then "
            f"{found[top]:.4g} mV. If these are microvolt, {fix}.")


def _varies(values: np.ndarray) -> bool:
    return bool(np.fmax.reduce(values) > np.fmin.reduce(values))  # these ignore NaN, without a copy


# What becomes of a file


def text_of(content: bytes) -> str:
    """Text whose encoding is not stated: UTF-8, else Latin-1 as devices and spreadsheets write."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def record_of(path: Path, root: Path, signal: np.ndarray, fs: float, leads: Sequence[str], beats,
              comments: Sequence[str], notes: Sequence[str], files: Sequence[Path] = (),
              **known) -> Record:
    """The record of a file with one recording; refused where a lead is constant.

    Args:
        path, root: of the file and of the folder it belongs to.
        signal: (time, lead) float32, mV.
        beats: positions and symbols, of `beats_of`.
        comments: lines that may say who it is and state labels.
        notes: sentences on how it was read.
        files: that were read. Default: `path`.
        **known: fields of `Record` that are better known than by the comments.
    """
    check_varies(signal, leads, path)
    return Record(**{
        "name": path.relative_to(root).with_suffix("").as_posix(), "database": root.absolute().name,
        "signal": signal, "fs": fs, "leads": tuple(leads), "beats": beats[0], "symbols": beats[1],
        "notes": tuple(note for note in notes if note), "labels": labels_of(comments),
        "source": {"files": {file.relative_to(root).as_posix(): sha256_of(file)
                             for file in files or [path]}}, **about(comments), **known})


def beats_of(positions, symbols: Iterable[str], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Beats as `Record` has them, (beat,) int64 positions and (beat,) str symbols.

    Positions, perhaps NaN or outside, are kept within the `length` of the signal and sorted; an
    unknown symbol is "Q".
    """
    positions = np.rint(np.asarray(positions, float))
    symbols = np.array([symbol if symbol in BEAT_SYMBOLS else "Q" for symbol in symbols], "<U1")
    inside = (positions >= 0) & (positions < length)
    order = np.argsort(positions[inside], kind="stable")
    return positions[inside].astype(np.int64)[order], symbols[inside][order]


def label_lines(labels: Mapping[str, Sequence[str]]) -> list[str]:
    """One line for each statement, for the comments of a file; read back by `labels_of`.

    Example:
        >>> label_lines({"superclass": ("MI", "CD")})
        ['label superclass: MI', 'label superclass: CD']
    """
    return [f"label {' '.join(str(kind).split()).replace(':', ' ')}: {text}"
            for kind, statements in labels.items() for statement in statements
            if (text := " ".join(str(statement).split()))]


def labels_of(comments: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The statements among lines of comment: kind -> statements in their order, each once.

    Example:
        >>> labels_of(["label superclass: MI", "age: 60", "label superclass: CD"])
        {'superclass': ('MI', 'CD')}
    """
    found: dict[str, dict[str, None]] = {}
    for line in comments:
        if match := _LABEL.fullmatch(line):
            found.setdefault(match[1].strip(), {})[match[2]] = None
    return {kind: tuple(statements) for kind, statements in found.items()}
