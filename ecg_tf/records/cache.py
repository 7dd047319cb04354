"""Records read once are kept as memory-mapped arrays, so that reading them again takes no time.

What `load` made of a folder is a folder here: a file of all signals end to end (float32) and
`index.json` with everything else. The index names the state of the records' folder (names, sizes
and times of change of its files) and holds a checksum of itself. What does not fit
is read again. Signals are written one record at a time: memory does not grow with their number.
"""

import contextlib
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np

from ecg_tf import __version__
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.records.ecgs import ECGs, LeftOut
from ecg_tf.records.record import Record

_FORMAT = 4  # raise it whenever what is kept, or how it is read, changes
_ARRAYS = ("signal", "beats", "symbols")
_LONGEST_WAIT = 3600.0  # s, for another process that reads the same folder


def cache_root() -> Path:
    """$ECG_TF_CACHE, or the user's cache folder where that is not set."""
    root = os.environ.get("ECG_TF_CACHE")
    if not root:
        import platformdirs

        root = platformdirs.user_cache_dir("ecg_tf")
    return Path(root).expanduser()


def cache_folder(key: Sequence) -> Path:
    """Folder below `cache_root` for what is made under a key, JSON-able."""
    text = json.dumps([_FORMAT, __version__, *key])
    return cache_root() / "records" / hashlib.sha256(text.encode()).hexdigest()[:24]


def state_of(files: Mapping[str, tuple[int, int]]) -> str:
    """Checksum of names, sizes and times of change of a folder's files."""
    text = "\n".join(f"{name}\0{size}\0{changed}" for name, (size, changed) in files.items())
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def cached(key: Sequence, state: str, make: Callable[[Callable], ECGs]) -> ECGs:
    """What was made of a folder, from the cache if nothing has changed since.

    Args:
        key: JSON-able description of what is read: folder, leads, records.
        state: of `state_of`.
        make: function that reads again. It gets a function that turns what is being read, records
            and what was left out, into a list whose signals do not lie in memory.

    Changing a signal of the ECGs changes the copy in memory only. Where nothing can be kept, a
    warning says so.
    """
    import filelock

    folder = cache_folder(key)
    if (found := _load(folder, state)) is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock", timeout=_LONGEST_WAIT):
            found = _load(folder, state)  # another process may have read it in the meantime
            return _keep(folder, state, make) if found is None else found
    except (OSError, _Unkept) as error:
        reason = getattr(error, "strerror", None) or error
        warnings.warn(f"Reading without a cache: '{folder}' ({reason}).", stacklevel=5)
    return make(list)


class _Unkept(Exception):
    """The disk is full, or a file cannot be written."""


def _load(folder: Path, state: str) -> ECGs | None:
    """What a cache holds; None if it is not whole or was made from another state."""
    try:
        digest, text = (folder / "index.json").read_text(encoding="utf-8").split("\n", 1)
        index = json.loads(text)
        signals = folder / index["signals"]
        if hashlib.sha256(text.encode()).hexdigest() != digest or index["state"] != state or \
                _stamp(signals) != index["stamp"]:
            return None
        values = _mapped(signals)
        left_out = [LeftOut(**row) for row in index["left_out"]]
        return ECGs.of_records((_record(row, values) for row in index["records"]),
                               index["known_by"], left_out, index["warnings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(folder: Path, state: str, make: Callable[[Callable], ECGs]) -> ECGs:
    """Makes the ECGs and keeps them."""
    signals = folder / f"signals-{os.getpid()}-{os.urandom(4).hex()}.f32"
    useless, values = [signals], np.zeros(0, np.float32)

    def keep(read: Iterable[Record | LeftOut]) -> list[Record | LeftOut]:
        nonlocal values
        found, values = _written(read, signals)
        return found

    try:
        ecgs = make(keep)
        index = {
            "state": state, "signals": signals.name, "stamp": _stamp(signals),
            "known_by": ecgs.subjects_known_by, "warnings": ecgs.warnings,
            "left_out": [asdict(out) for out in ecgs.left_out],
            "records": [_described(record, values) for record in ecgs]}
        text = json.dumps(index)
        write_whole(folder / "index.json", f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
        useless = [file for file in folder.glob("signals-*") if file != signals]
    except InputError as error:
        if isinstance(error.__cause__, OSError):
            raise _Unkept(error.__cause__.strerror) from error
        raise
    finally:
        for file in useless:  # what is mapped stays readable
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
    return ecgs


def _written(read: Iterable[Record | LeftOut],
             signals: Path) -> tuple[list[Record | LeftOut], np.ndarray]:
    """What is read, its signals in a file, and the samples of all."""
    found: list[Record | LeftOut] = []
    ends = [0]
    with signals.open("wb") as file:
        for item in read:
            if isinstance(item, Record):
                file.write(np.ascontiguousarray(item.signal, np.float32).data)
                ends.append(ends[-1] + item.signal.size)  # until then, a signal without memory:
                item = replace(item, signal=np.broadcast_to(np.float32(0), item.signal.shape))
            found.append(item)
    values = _mapped(signals)
    parts = iter(np.split(values, ends[1:]))
    return [replace(item, signal=next(parts).reshape(item.signal.shape))
            if isinstance(item, Record) else item for item in found], values


def _mapped(file: Path) -> np.ndarray:
    # A plain ndarray view: slicing np.memmap objects is slow and they leak into users' code.
    if not file.stat().st_size:
        return np.zeros(0, np.float32)
    return np.memmap(file, np.float32, "c").view(np.ndarray)


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


def _described(record: Record, values: np.ndarray) -> dict:
    """A record, JSON-able; of its signal the place in the file."""
    signal, place = record.signal, record.signal.ctypes.data - values.ctypes.data
    if not 0 <= place <= values.nbytes - signal.nbytes or not signal.flags.c_contiguous:
        raise _Unkept(f"the signal of '{record.name}' is another one than was read")
    described = {field.name: getattr(record, field.name) for field in fields(Record)
                 if field.name not in _ARRAYS}
    return described | {"signal": [place // 4, *signal.shape],
                        "beats": record.beats.tolist(), "symbols": "".join(record.symbols)}


def _record(described: dict, values: np.ndarray) -> Record:
    at, length, leads = described["signal"]
    return Record(**described | {
        "leads": tuple(described["leads"]), "notes": tuple(described["notes"]),
        "labels": {kind: tuple(texts) for kind, texts in described["labels"].items()},
        "signal": values[at : at + length * leads].reshape(length, leads),
        "beats": np.array(described["beats"], np.int64),
        "symbols": np.array(list(described["symbols"]), "<U1")})
