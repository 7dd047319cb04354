"""Records read once are kept as memory-mapped arrays, so that reading them again costs nothing.

A cache is a folder: `signals.npy` (all signals end to end, float32), `beats.npy`, `symbols.npy` and
`index.json`, which is written last and says which files the records came from (size and time of
change), which arrays belong to it, and a checksum of itself. Whatever does not fit is read anew.
"""

import hashlib
import json
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.records.record import Record

_FORMAT = 1  # raise it whenever what is kept, or how it is read, changes
_ARRAYS = ("signals", "beats", "symbols")
_FIELDS = ("name", "database", "subject", "session", "sex", "paced", "fs", "leads")


def cache_root() -> Path:
    """$ECG_TF_CACHE, or the user's cache folder where that is not set."""
    root = os.environ.get("ECG_TF_CACHE")
    if not root:
        import platformdirs

        root = platformdirs.user_cache_dir("ecg_tf")
    return Path(root).expanduser()


def cache_folder(key: Sequence) -> Path:
    """Folder for what is read under a key.

    Args:
        key: JSON-able description of what is read: folder, leads, records.

    Returns:
        Path below `cache_root`.
    """
    digest = hashlib.sha256(json.dumps([_FORMAT, *key]).encode()).hexdigest()
    return cache_root() / "records" / digest[:24]


def load(folder: Path, root: Path, names: Sequence[str]) -> list[Record] | None:
    """Reads a cache, if it is whole and as young as the files it was made from.

    Args:
        folder: Path, from `cache_folder`.
        root: Path of the folder that the records were read from.
        names: names of the records in it now.

    Returns:
        list of Record: their signals are memory-mapped, and changing one changes the copy in
        memory only. None if there is no usable cache.
    """
    try:
        digest, text = (folder / "index.json").read_text(encoding="utf-8").split("\n", 1)
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        index = json.loads(text)
        if index["names"] != list(names):
            return None
        if any(stamp(root / name) != kept for name, kept in index["files"].items()):
            return None
        if any(stamp(folder / f"{name}.npy") != index["arrays"][name] for name in _ARRAYS):
            return None
        signals = np.load(folder / "signals.npy", mmap_mode="c", allow_pickle=False)
        # A plain ndarray view: slicing np.memmap objects is slow and they leak into users' code.
        signals = signals.view(np.ndarray)
        beats = np.load(folder / "beats.npy", allow_pickle=False)
        symbols = np.load(folder / "symbols.npy", allow_pickle=False)
        found, sample, beat = [], 0, 0
        for described in index["records"]:
            (length, leads), count = described["shape"], described["n_beats"]
            signal = signals[sample : sample + length * leads].reshape(length, leads)
            of_record = slice(beat, beat + count)
            found.append(_undescribe(described, signal, beats[of_record], symbols[of_record]))
            sample, beat = sample + length * leads, beat + count
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def save(
    folder: Path,
    root: Path,
    names: Sequence[str],
    stamps: dict[str, list[int] | None],
    records: Sequence[Record],
) -> None:
    """Keeps records; where that is impossible, says so in one line and does without.

    Args:
        folder: Path, from `cache_folder`.
        root: Path of the folder that the records were read from.
        names: names of the records in it, those left out included.
        stamps: name relative to `root` -> `stamp` of every file looked for, whether it exists or
            not.
        records: the records.
    """
    arrays = {
        "signals": [record.signal for record in records],
        "beats": [record.beats for record in records],
        "symbols": [record.symbols for record in records],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.json").unlink(missing_ok=True)
        kept = {}
        for name, parts in arrays.items():
            part = folder / f".{name}.{os.getpid()}.part"
            try:
                _write_array(part, parts)
                os.replace(part, folder / f"{name}.npy")
            finally:
                part.unlink(missing_ok=True)
            kept[name] = stamp(folder / f"{name}.npy")
        described = [_describe(record) for record in records]
        index = {"names": list(names), "files": stamps, "arrays": kept, "records": described}
        text = json.dumps(index)
        digest = hashlib.sha256(text.encode()).hexdigest()
        part = folder / f".index.{os.getpid()}.part"
        try:  # a name of its own each: several processes may read the same folder at once
            part.write_text(f"{digest}\n{text}", encoding="utf-8")
            os.replace(part, folder / "index.json")
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        warnings.warn(f"Reading without a cache: '{folder}' ({reason}).", stacklevel=4)


def stamp(file: Path) -> list[int] | None:
    """Size and time of change of a file, [bytes, ns]; None if it does not exist."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _write_array(path: Path, parts: list[np.ndarray]) -> None:
    """Writes 1-D or flattened arrays end to end as one .npy, without joining them in memory."""
    dtype = np.result_type(*parts)
    size = sum(part.size for part in parts)
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": (size,)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).data)


def _describe(record: Record) -> dict:
    """All of a record but its arrays, JSON-able, and how much of the arrays is its own."""
    age = None if math.isnan(record.age) else record.age  # JSON knows no NaN
    return {
        **{name: getattr(record, name) for name in _FIELDS},
        "age": age,
        "source": dict(record.source),
        "shape": list(record.signal.shape),
        "n_beats": len(record.beats),
    }


def _undescribe(described: dict, signal, beats, symbols) -> Record:
    fields = {name: described[name] for name in _FIELDS}
    fields["leads"] = tuple(fields["leads"])
    age = math.nan if described["age"] is None else described["age"]
    return Record(
        **fields, age=age, source=described["source"], signal=signal, beats=beats, symbols=symbols
    )
