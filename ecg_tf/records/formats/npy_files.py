"""Files `.npy` and `.npz`, read with distrust: no pickles, and sizes checked first."""

import math
import zipfile
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError

#: Names under which signals are looked for, after `signals`.
OTHERS = ("ecg", "X", "x", "data")
_FACTS = ("fs", "leads", "subjects", "sex", "age", "names", "unit")
#: Bytes that a compressed file may unpack to: a multiple of its own, and some beside.
_PACKED, _SPARE = 100, 2**26
_LONGEST = 2**40  # of an axis


def read_npy(path: Path) -> dict[str, np.ndarray]:
    """{"signals": array} of a `.npy` file, memory-mapped; changing it changes memory only.

    Raises:
        InputError: it is no such file, holds objects, or is shorter than it says.
    """
    try:
        with path.open("rb") as file:
            _check_array(file, path.stat().st_size)
        return {"signals": np.load(path, mmap_mode="c", allow_pickle=False)}
    except Exception as error:  # numpy reads the header as Python's text: tokens, types, ...
        raise _broken(path, error) from error


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file that say something of ECGs, by name: "signals" and what else is
    there of fs, leads, subjects, sex, age, names, unit, labels and labels_KIND. InputError: it is
    no such file, has no signals, holds objects, or unpacks to more than a file of its size
    should."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            found = [name for name in members if name in ("signals", *OTHERS, *_FACTS)
                     or name.startswith("labels")]
            axes = {name: _member(archive, members[name], _check_array) for name in found}
            key = _signals_key(path, axes, list(members))
            wanted = [key, *(name for name in found if name not in ("signals", *OTHERS))]
            size = sum(members[name].file_size for name in wanted)
            most = _PACKED * path.stat().st_size + _SPARE
            if size > most:
                raise InputError(f"'{path}' unpacks to more than is believed of a file of its "
                                 "size.", expected=f"{most} bytes at most", got=str(size),
                                 fix="write it without compression, by np.savez")
            return {"signals" if name == key else name:
                    _member(archive, members[name], _array) for name in wanted}
    except InputError:
        raise
    except Exception as error:
        raise _broken(path, error) from error


def _signals_key(path: Path, axes: dict[str, int], names: list[str]) -> str:
    """The name of the signals: `signals`, else the only array of numbers of 2 or 3 axes."""
    usable = [name for name in OTHERS if axes.get(name) in (2, 3)]
    if "signals" not in axes and len(usable) != 1:
        raise InputError(f"'{path}' does not say which array holds the signals.",
                         expected="an array `signals`, (record, time, lead)",
                         got=printable(", ".join(names), 200) or "no arrays",
                         fix="name it so: np.savez(file, signals=..., fs=..., leads=...)")
    return "signals" if "signals" in axes else usable[0]


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, read):
    with archive.open(member) as file:
        return read(file, member.file_size)


def _array(file, size: int) -> np.ndarray:
    return np.lib.format.read_array(file, allow_pickle=False)[()]


def _check_array(file, size: int) -> int:
    """Number of axes, 0 unless of numbers; a ValueError for what numpy may not be given to read."""
    read = {(1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in read:
        raise ValueError(f"version {version} of the format")
    shape, _, dtype = read[version](file)  # as a literal, never run
    if dtype.hasobject or dtype.names or not dtype.itemsize:
        raise ValueError(f"values of the type {dtype}")
    needed, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if min(shape, default=1) < 0 or max(shape, default=0) > _LONGEST or needed > there:
        raise ValueError(f"shape {shape} needs {printable(needed)} bytes, {there} are there")
    return len(shape) if dtype.kind in "fiu" else 0


def _broken(path: Path, error: Exception) -> InputError:
    return InputError(f"'{path}' cannot be read.", expected="a NumPy file without objects",
                      got=f"{type(error).__name__}: {printable(error, 200)}",
                      fix="rewrite it with np.savez or np.save; columns of text as "
                      "values.astype(str)")
