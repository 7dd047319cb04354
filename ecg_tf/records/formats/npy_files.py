"""Files `.npy` and `.npz`, of which nothing is believed: no pickles, and sizes checked first."""

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
_FIX = "write it anew with np.savez or np.save; columns of text as values.astype(str)"


def read_npy(path: Path) -> dict[str, np.ndarray]:
    """The array of a `.npy` file, memory-mapped; changing it changes memory only.

    Args:
        path: Path.

    Returns:
        {"signals": array}.

    Raises:
        InputError: it is no such file, holds objects, or is shorter than it says.
    """
    with path.open("rb") as file:
        shape, fortran, dtype = _header(file, path)
        start = file.tell()
    _check_size(path, "its array", shape, dtype, path.stat().st_size - start)
    if 0 in shape or not shape:
        raise _broken(path, f"no signals: an array of shape {printable(shape)}")
    return {"signals": np.memmap(path, dtype, "c", start, shape, "F" if fortran else "C")}


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file that say something of ECGs.

    Args:
        path: Path.

    Returns:
        name -> array: "signals" and what else is there of fs, leads, subjects, sex, age, names,
        unit, labels and labels_KIND.

    Raises:
        InputError: it is no such file, has no signals, holds objects, or unpacks to more than a
            file of its size should.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {one.filename.removesuffix(".npy"): one for one in archive.infolist()}
            heads = {name: _member_header(archive, one, path) for name, one in members.items()
                     if name in ("signals", *OTHERS, *_FACTS) or name.startswith("labels")}
            key = _signals_key(path, heads, list(members))
            wanted = [key, *(name for name in heads if name not in ("signals", *OTHERS))]
            _check_unpacked(path, [members[name] for name in wanted])
            found = {name: _member(archive, members[name]) for name in wanted}
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError,
            OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise _broken(path, f"{type(error).__name__}: {printable(error, 200)}") from error
    return {"signals" if name == key else name: values for name, values in found.items()}


def _signals_key(path: Path, heads, names) -> str:
    """The name of the signals: `signals`, else the only array of numbers of 2 or 3 axes."""
    if "signals" in heads:
        return "signals"
    usable = [name for name, (shape, _, dtype) in heads.items()
              if name in OTHERS and len(shape) in (2, 3) and dtype.kind in "fiu"]
    if len(usable) != 1:
        raise InputError(f"'{path}' does not say which array holds the signals.",
                         expected="an array `signals`, (record, time, lead)",
                         got=printable(", ".join(names), 200) or "no arrays",
                         fix="name it so: np.savez(file, signals=..., fs=..., leads=...)")
    return usable[0]


def _member_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path):
    with archive.open(member) as file:
        shape, fortran, dtype = _header(file, path)
        _check_size(path, f"'{printable(member.filename)}'", shape, dtype,
                    member.file_size - file.tell())
    return shape, fortran, dtype


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        values = np.lib.format.read_array(file, allow_pickle=False)
    return values[()] if values.ndim == 0 else values


def _header(file, path: Path) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type; the text of it is read as a literal, never run."""
    read = {(1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(file)
        if version not in read:
            raise ValueError(f"version {version} of the format")
        shape, fortran, dtype = read[version](file)
    except Exception as error:  # numpy reads the header as Python's text: tokens, types, ...
        raise _broken(path, printable(error, 200)) from error
    if dtype.hasobject or dtype.names or not dtype.itemsize:
        raise _broken(path, f"values of the type {printable(dtype)}")
    return shape, fortran, dtype


def _check_size(path: Path, what: str, shape, dtype: np.dtype, there: int) -> None:
    needed = math.prod(shape) * dtype.itemsize
    if min(shape, default=1) < 0 or max(shape, default=0) > _LONGEST or needed > there:
        raise _broken(path, f"{what} of shape {printable(shape)} needs {printable(needed)} bytes, "
                      f"{there} are there")


def _check_unpacked(path: Path, members) -> None:
    size, most = sum(one.file_size for one in members), _PACKED * path.stat().st_size + _SPARE
    if size > most:
        raise InputError(f"'{path}' unpacks to more than is believed of a file of its size.",
                         expected=f"{most} bytes at most", got=str(size),
                         fix="write it without compression, by np.savez")


def _broken(path: Path, got: str) -> InputError:
    return InputError(f"'{path}' cannot be read.", expected="a NumPy file without objects",
                      got=got, fix=_FIX)
