"""Records read once are kept as memory-mapped arrays, so that reading them again costs nothing.

What the files hold is a folder: `signals.f32` (all signals end to end, float32), `beats.npy`,
`symbols.npy` and `index.json`, which is written last and says which state of the records' folder it
was made from (names, sizes and times of change of its files), which arrays belong to it, and a
checksum of itself. What `load` made of them (persons, duplicates, warnings) is one more such file,
`ecgs.json`, which points into the arrays. Whatever does not fit is read anew. Signals are written
one record at a time: memory does not grow with the number of records.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ecg_tf import __version__
from ecg_tf.records.ecgs import ECGs, LeftOut
from ecg_tf.records.record import Record

_FORMAT = 3  # raise it whenever what is kept, or how it is read, changes
_AT = "cache"  # in a record's source: where its arrays lie in which cache
_ARRAYS = ("signals.f32", "beats.npy", "symbols.npy")
_FIELDS = ("name", "database", "subject", "session", "sex", "paced", "fs", "leads", "labels",
           "metadata", "notes", "source")


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
    text = json.dumps([_FORMAT, __version__, *key])
    digest = hashlib.sha256(text.encode()).hexdigest()
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
        index = _read_index(folder / "index.json", state)
        return _mapped(folder, index), [LeftOut(**one) for one in index["left_out"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load_ecgs(folder: Path, state: str) -> ECGs | None:
    """Reads what `keep_ecgs` kept, if it and the arrays it points into are whole and up to date."""
    try:
        index = _read_index(folder / "ecgs.json", state)
        return ECGs(tuple(_mapped(Path(index["folder"]), index)), index["subjects_known_by"],
                    tuple(LeftOut(**one) for one in index["left_out"]), tuple(index["warnings"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_ecgs(folder: Path, state: str, read: Sequence[Record], ecgs: ECGs) -> None:
    """Keeps what became of records that `load` or `keep` gave; nothing, where these are in memory.

    Args:
        folder: Path, from `cache_folder`.
        state: of `state_of`.
        read: the records as their files were read.
        ecgs: what was made of them; the signals are the same arrays.
    """
    places = {id(one.signal): one.source.get(_AT) for one in read}
    at = [places.get(id(one.signal)) for one in ecgs]
    if not at or any(place is None for place in at):
        return
    raw = Path(at[0][0])  # type: ignore[index]  # none is None
    index = {"state": state, "folder": str(raw), "subjects_known_by": ecgs.subjects_known_by,
             "warnings": list(ecgs.warnings), "left_out": [asdict(one) for one in ecgs.left_out],
             "records": [_describe(one) | {"at": place[1]}  # type: ignore[index]
                         for one, place in zip(ecgs, at, strict=True)]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_index(folder / "ecgs.json", raw, index)
    except (OSError, ValueError) as error:
        _tell(folder, error)


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
        self.folder, self.failed = folder, False
        self.file: io.FileIO | None = None
        self.part = folder / f".signals.{os.getpid()}.part"
        self.described: list[dict] = []  # of the records that were written
        self.beats: list[np.ndarray] = []
        self.symbols: list[np.ndarray] = []
        self.in_memory: list[Record] = []  # those that could not be
        self.samples = self.n_beats = 0  # that were written

    def add(self, record: Record) -> None:
        """Writes one record."""
        if not self.failed:
            try:
                if self.file is None:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    self.file = io.FileIO(self.part, "wb")
                _write_whole(self.file, np.ascontiguousarray(record.signal, np.float32))
                self.described.append(_describe(record) | {"at": [self.samples, self.n_beats]})
                self.samples += record.signal.size
                self.n_beats += len(record.beats)
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
        if self.failed:
            file = self.part if self.part.exists() else self.folder / "signals.f32"
            return _records(_map(file, beats, symbols), self.described) + self.in_memory
        return _mapped(self.folder, {"records": self.described})

    def close(self) -> None:
        """Removes what did not find its place; what is mapped stays readable."""
        if self.file is not None:
            self.file.close()
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)

    def _settle(self, state: str, beats, symbols, left_out: Sequence[LeftOut]) -> None:
        (self.folder / "index.json").unlink(missing_ok=True)
        for name, array in (("beats.npy", beats), ("symbols.npy", symbols)):
            with _renamed(self.folder / name) as part, part.open("wb") as file:
                np.save(file, array, allow_pickle=False)
        _write_index(self.folder / "index.json", self.folder, {
            "state": state, "records": self.described,
            "left_out": [asdict(one) for one in left_out]}, self.part)

    def _fail(self, error: Exception) -> None:
        self.failed = True
        _tell(self.folder, error)


def _write_whole(file: io.FileIO, values: np.ndarray) -> None:
    """Writes an array to the end of a file, whole or not at all."""
    before, data = file.tell(), memoryview(values.data).cast("B")
    try:
        while data:  # an unbuffered file may take a part only
            data = data[file.write(data) :]
    except OSError:
        file.truncate(before)
        raise


@contextlib.contextmanager
def _renamed(path: Path):
    """A name of its own for each process: several may read the same folder at once."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _read_index(file: Path, state: str) -> dict:
    """The index, if its checksum, the state and the arrays it speaks of are right."""
    digest, text = file.read_text(encoding="utf-8").split("\n", 1)
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise ValueError("another checksum")
    index = json.loads(text)
    arrays = Path(index.get("folder", file.parent))
    if index["state"] != state or \
            any(_stamp(arrays / name) != index["arrays"][name] for name in _ARRAYS):
        raise ValueError("out of date")
    return index


def _write_index(file: Path, arrays: Path, index: dict, signals: Path | None = None) -> None:
    """Writes an index whole or not at all; `signals` first gets its name among the arrays."""
    if signals is not None:
        os.replace(signals, arrays / "signals.f32")
    text = json.dumps(index | {"arrays": {name: _stamp(arrays / name) for name in _ARRAYS}})
    digest = hashlib.sha256(text.encode()).hexdigest()
    with _renamed(file) as part:
        part.write_text(f"{digest}\n{text}", encoding="utf-8")


def _mapped(folder: Path, index: dict) -> list[Record]:
    """The records of an index, their signals memory-mapped."""
    beats, symbols = (np.load(folder / name, allow_pickle=False) for name in _ARRAYS[1:])
    arrays = _map(folder / "signals.f32", beats, symbols)
    return _records(arrays, index["records"], str(folder))


def _map(file: Path, beats, symbols) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # A plain ndarray view: slicing np.memmap objects is slow and they leak into users' code.
    return np.memmap(file, np.float32, "c").view(np.ndarray), beats, symbols


def _records(arrays, described: Sequence[dict], folder: str = "") -> list[Record]:
    signals, beats, symbols = arrays
    found = []
    for one in described:
        (length, leads), (sample, beat) = one["shape"], one["at"]
        signal = signals[sample : sample + length * leads].reshape(length, leads)
        of_record = slice(beat, beat + one["n_beats"])
        record = _undescribe(one, signal, beats[of_record], symbols[of_record])
        if folder:
            record.source[_AT] = (folder, one["at"])  # type: ignore[index]  # a dict of our own
        found.append(record)
    return found


def _tell(folder: Path, error: Exception) -> None:
    reason = getattr(error, "strerror", None) or error
    warnings.warn(f"Reading without a cache: '{folder}' ({reason}).", stacklevel=7)


def _stamp(file: Path) -> list[int]:
    status = os.stat(file)
    return [status.st_size, status.st_mtime_ns]


def _describe(record: Record) -> dict:
    """All of a record but its arrays, JSON-able, and how much of the arrays is its own."""
    described = {name: getattr(record, name) for name in _FIELDS}
    described["source"] = {key: of for key, of in record.source.items() if key != _AT}
    described["labels"] = dict(record.labels)
    described["metadata"] = dict(record.metadata)
    described["age"] = None if math.isnan(record.age) else record.age  # JSON knows no NaN
    return described | {"shape": list(record.signal.shape), "n_beats": len(record.beats)}


def _undescribe(described: dict, signal, beats, symbols) -> Record:
    fields = {name: described[name] for name in _FIELDS}
    fields["leads"], fields["notes"] = tuple(fields["leads"]), tuple(fields["notes"])
    fields["labels"] = {kind: tuple(said) for kind, said in fields["labels"].items()}
    age = math.nan if described["age"] is None else described["age"]
    return Record(**fields, age=age, signal=signal, beats=beats, symbols=symbols)
