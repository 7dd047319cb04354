"""Records read once are kept as memory-mapped arrays, so that reading them again costs nothing.

A cache is a folder: `signals.f32` (all signals end to end, float32), `beats.npy`, `symbols.npy` and
`index.json`, which is written last and says which state of the records' folder it was made from
(names, sizes and times of change of its files), which arrays belong to it, and a checksum of
itself. Whatever does not fit is read anew. Signals are written one record at a time: memory does
not grow with the number of records.
"""

import contextlib
import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ecg_tf.records.ecgs import LeftOut
from ecg_tf.records.record import Record

_FORMAT = 2  # raise it whenever what is kept, or how it is read, changes
_ARRAYS = ("signals.f32", "beats.npy", "symbols.npy")
_FIELDS = ("name", "database", "subject", "session", "sex", "paced", "fs", "leads", "labels",
           "metadata", "notes", "source")  # fmt: skip


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


def state_of(files: Mapping[str, tuple[int, int]]) -> str:
    """Checksum of names, sizes and times of change of a folder's files."""
    text = "\n".join(f"{name}\0{size}\0{changed}" for name, (size, changed) in files.items())
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def load(folder: Path, state: str) -> tuple[list[Record], list[LeftOut]] | None:
    """Reads a cache, if it is whole and made from this state of the records' folder.

    Args:
        folder: Path, from `cache_folder`.
        state: of `state_of`.

    Returns:
        records, whose signals are memory-mapped (changing one changes the copy in memory only),
        and what was left out; None if there is no usable cache.
    """
    try:
        digest, text = (folder / "index.json").read_text(encoding="utf-8").split("\n", 1)
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        index = json.loads(text)
        if index["state"] != state:
            return None
        if any(_stamp(folder / name) != index["arrays"][name] for name in _ARRAYS):
            return None
        beats = np.load(folder / "beats.npy", allow_pickle=False)
        symbols = np.load(folder / "symbols.npy", allow_pickle=False)
        records = _mapped(folder / "signals.f32", index["records"], beats, symbols)
        return records, [LeftOut(**one) for one in index["left_out"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(folder: Path, state: str,
         read: Iterable[Record | LeftOut]) -> tuple[list[Record], list[LeftOut]]:
    """Keeps what is being read; where that is impossible, says so in one line and does without.

    Args:
        folder: Path, from `cache_folder`.
        state: of `state_of`, from before the reading began.
        read: records, and what could not be read, one after the other.

    Returns:
        as `load`.
    """
    keeper, left_out = _Keeper(folder), []
    try:
        for one in read:
            left_out.append(one) if isinstance(one, LeftOut) else keeper.add(one)
        return keeper.finish(state, left_out), left_out
    finally:
        keeper.close()


class _Keeper:
    """Writes records into a cache as they come; once that fails, they stay in memory."""

    def __init__(self, folder: Path):
        self.folder, self.file, self.failed = folder, None, False
        self.part = folder / f".signals.{os.getpid()}.part"
        self.described: list[dict] = []  # of the records that were written
        self.beats: list[np.ndarray] = []
        self.symbols: list[np.ndarray] = []
        self.in_memory: list[Record] = []  # those that could not be

    def add(self, record: Record) -> None:
        """Writes one record."""
        if not self.failed:
            try:
                if self.file is None:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    self.file = self.part.open("wb", buffering=0)
                self._write(np.ascontiguousarray(record.signal, np.float32).reshape(-1))
                self.described.append(_describe(record))
                self.beats.append(record.beats)
                self.symbols.append(record.symbols)
                return
            except (OSError, ValueError) as error:
                self._fail(error)
        self.in_memory.append(record)

    def finish(self, state: str, left_out: Sequence[LeftOut]) -> list[Record]:
        """Puts everything into its place, index.json last; gives all records."""
        if self.file is None or not self.described:
            return self.in_memory
        self.file.close()
        beats, symbols = np.concatenate(self.beats), np.concatenate(self.symbols)
        try:
            if not self.failed:
                self._settle(state, beats, symbols, left_out)
        except (OSError, ValueError) as error:
            self._fail(error)
        file = self.part if self.part.exists() else self.folder / "signals.f32"
        return _mapped(file, self.described, beats, symbols) + self.in_memory

    def close(self) -> None:
        """Removes what did not find its place; what is mapped stays readable."""
        if self.file is not None:
            self.file.close()
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)

    def _write(self, values: np.ndarray) -> None:
        before, data = self.file.tell(), memoryview(values).cast("B")  # type: ignore[union-attr]
        try:
            while data:  # an unbuffered file may take a part only
                data = data[self.file.write(data) :]  # type: ignore[union-attr]
        except OSError:
            self.file.truncate(before)  # type: ignore[union-attr]  # whole records only
            raise

    def _settle(self, state: str, beats, symbols, left_out: Sequence[LeftOut]) -> None:
        (self.folder / "index.json").unlink(missing_ok=True)
        for name, array in (("beats.npy", beats), ("symbols.npy", symbols)):
            with _renamed(self.folder / name) as part, part.open("wb") as file:
                np.save(file, array, allow_pickle=False)
        os.replace(self.part, self.folder / "signals.f32")
        index = {"state": state, "arrays": {n: _stamp(self.folder / n) for n in _ARRAYS},
                 "records": self.described, "left_out": [asdict(one) for one in left_out]}
        text = json.dumps(index)
        digest = hashlib.sha256(text.encode()).hexdigest()
        with _renamed(self.folder / "index.json") as part:
            part.write_text(f"{digest}\n{text}", encoding="utf-8")

    def _fail(self, error: Exception) -> None:
        self.failed = True
        reason = getattr(error, "strerror", None) or error
        warnings.warn(f"Reading without a cache: '{self.folder}' ({reason}).", stacklevel=6)


@contextlib.contextmanager
def _renamed(path: Path):
    """A name of its own for each process: several may read the same folder at once."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _map(file: Path, shape, offset: int) -> np.ndarray:
    mapped = np.memmap(file, np.float32, "c", offset, tuple(shape))
    # A plain ndarray view: slicing np.memmap objects is slow and they leak into users' code.
    return mapped.view(np.ndarray)


def _mapped(file: Path, described: Sequence[dict], beats, symbols) -> list[Record]:
    total = sum(math.prod(one["shape"]) for one in described)
    if 4 * total != file.stat().st_size:
        raise ValueError("signals of another size")
    signals = _map(file, (total,), 0)
    found, sample, beat = [], 0, 0
    for one in described:
        (length, leads), count = one["shape"], one["n_beats"]
        signal = signals[sample : sample + length * leads].reshape(length, leads)
        of_record = slice(beat, beat + count)
        found.append(_undescribe(one, signal, beats[of_record], symbols[of_record]))
        sample, beat = sample + length * leads, beat + count
    return found


def _stamp(file: Path) -> list[int]:
    status = os.stat(file)
    return [status.st_size, status.st_mtime_ns]


def _describe(record: Record) -> dict:
    """All of a record but its arrays, JSON-able, and how much of the arrays is its own."""
    described = {name: getattr(record, name) for name in _FIELDS}
    described["source"], described["labels"] = dict(record.source), dict(record.labels)
    described["metadata"] = dict(record.metadata)
    described["age"] = None if math.isnan(record.age) else record.age  # JSON knows no NaN
    return described | {"shape": list(record.signal.shape), "n_beats": len(record.beats)}


def _undescribe(described: dict, signal, beats, symbols) -> Record:
    fields = {name: described[name] for name in _FIELDS}
    fields["leads"], fields["notes"] = tuple(fields["leads"]), tuple(fields["notes"])
    fields["labels"] = {kind: tuple(said) for kind, said in fields["labels"].items()}
    age = math.nan if described["age"] is None else described["age"]
    return Record(**fields, age=age, signal=signal, beats=beats, symbols=symbols)
