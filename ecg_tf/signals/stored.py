"""Windows in `.npy` files: written record by record, read memory-mapped, as `Windows` like any.

Of a set NAME there are `NAME-signals.npy` and one file for each small array beside it. Until all
records are cut, each has a part file of its own, which is there whole or not at all; so a command
that was killed resumes behind the last one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError, whole_file
from ecg_tf.signals.windows import Windows

SMALL = {"lengths": "i", "starts": "i", "subjects": "U", "records": "U", "rpeaks": "f"}


def write_part(path, sets: Mapping[str, Windows], counts: Mapping[str, dict]) -> None:
    """Writes the windows of one record into an .npz file: kind -> `Windows`, of which some may be
    missing, and kind -> what its quality gate kept and dropped."""
    arrays = {f"{kind}-{name}": value for kind, windows in sets.items()
              for name, value in vars(windows).items() if name in ("signals", *SMALL)
              and value is not None}
    with whole_file(path) as part, open(part, "wb") as file:
        np.savez(file, counts=json.dumps(counts), **arrays)


def join_parts(folder, name: str, kind: str, parts: Sequence[Path], width: int) -> int:
    """Makes one set of the windows of several records, which are in memory one at a time.

    Of the windows of a `kind` in the part files, in order; `width`: samples of the longest, shorter
    ones end in NaN. Gives the number of windows; without any there are no files.
    """
    small: dict[str, list] = {key: [] for key in SMALL}
    for path in parts:
        with np.load(path, allow_pickle=False) as part:
            for key in SMALL:
                if f"{kind}-{key}" in part:
                    small[key].append(part[f"{kind}-{key}"])
    if not small["lengths"]:
        return 0
    joined = {key: np.concatenate(found) for key, found in small.items() if found}
    folder, size, stop = Path(folder), len(joined["lengths"]), 0
    with whole_file(folder / f"{name}-signals.npy") as file:
        signals = None
        for path in parts:
            with np.load(path, allow_pickle=False) as part:
                if f"{kind}-signals" not in part:
                    continue
                own = part[f"{kind}-signals"]
            if signals is None:
                signals = np.lib.format.open_memmap(file, "w+", np.float32,
                                                    (size, width, own.shape[2]))
            start, stop = stop, stop + len(own)
            signals[start:stop, : own.shape[1]] = own
            signals[start:stop, own.shape[1] :] = np.nan
        signals.flush()  # type: ignore[union-attr]  # one part at least has windows
        del signals
    for key, value in joined.items():
        with whole_file(folder / f"{name}-{key}.npy") as part, open(part, "wb") as file:
            np.save(file, value)
    return size


def open_windows(folder, name: str, size: int, fs: float, leads: tuple[str, ...],
                 about: Mapping) -> Windows:
    """A set of `join_parts` as Windows, whose `signals` are a `np.memmap`: they stay in their file
    until they are read. InputError: a file is missing, cut, or another one."""
    folder, arrays = Path(folder), {}
    try:
        signals = np.load(_file(folder, name, "signals"), mmap_mode="r", allow_pickle=False)
        if signals.dtype != np.float32 or signals.ndim != 3 or signals.shape[::2] != (
                size, len(leads)):
            raise ValueError(f"signals {signals.shape} of {size} windows, {len(leads)} leads")
        for key, kind in SMALL.items():
            path = folder / f"{name}-{key}.npy"
            if key == "rpeaks" and not path.exists():
                continue
            value = arrays[key] = np.load(_file(folder, name, key), allow_pickle=False)
            if value.dtype.kind != kind or len(value) != size:
                raise ValueError(f"{len(value)} {key} of {size} windows")
        lengths = arrays["lengths"]
        if any(value.ndim != 1 + (key == "rpeaks") for key, value in arrays.items()):
            raise ValueError("an array of another shape")
        if lengths.min() < 1 or lengths.max() > signals.shape[1]:
            raise ValueError("windows longer than their file says")
    except Exception as error:  # what numpy raises for a broken header is of many kinds
        raise damaged(folder, error) from error
    return Windows(signals, fs, leads, about=about, **arrays)


def damaged(path, error) -> InputError:
    """The error for stored windows that cannot be used, to be raised."""
    text = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
    return InputError(f"'{path}' is damaged, or was not written by `ecg-tf store`.",
                      expected="the files as they were written",
                      got="".join(char if char.isprintable() else "?" for char in text),
                      fix="delete the folder and give `ecg-tf store` again")


def _file(folder: Path, name: str, key: str) -> Path:
    path = folder / f"{name}-{key}.npy"
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"there is no file {path.name}")
    return path
