"""Windows in TFRecord files: written in order, read at any place.

A file holds one `tf.train.Example` a window, readable by anybody's `tf.data.TFRecordDataset`:
`signal` (bytes, float32, time x lead, mV), `length`, `start` (int64), `subject`, `record` (bytes,
UTF-8) and, for sequences of beats, `rpeaks` (bytes, float64). Beside it lies `NAME.places`, 16
bytes a window, little-endian: where its record ends in the file, and the CRC-32 of it. With these a
window is read from its place without those before it, and a changed byte is noticed.
"""

import contextlib
import errno
import os
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError, whole_file, write_whole
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.signals.windows import Windows

AROUND = 16  # bytes of a TFRecord beside its content: length and two checksums
LONGEST_NAME = 1000  # bytes of a subject or record
_PLACE = np.dtype([("end", "<u8"), ("crc", "<u8")])


@contextlib.contextmanager
def writing(path):
    """Writes windows into one file and its places, both whole or not at all.

    Args:
        path: of the file, NAME.tfrecord.

    Yields:
        an object with `add(windows)`, `windows` (how many there are) and `bytes`.

    Raises:
        InputError: the folder cannot be written to.

    Example:
        >>> with writing("shards/00000-train-windows.tfrecord") as file:
        ...     file.add(windows)
    """
    path = Path(path)
    with whole_file(path) as part:
        made = _Writer(part)
        try:
            yield made
        finally:
            made.close()
        if part.stat().st_size != made.bytes:
            raise OSError(errno.ENOSPC, f"{part.stat().st_size} bytes written of {made.bytes}")
        places = np.empty(made.windows, _PLACE)
        places["end"], places["crc"] = made.ends, made.crcs
        write_whole(places_of(path), places.tobytes())


class _Writer:
    """Appends windows to a TFRecord file and keeps their places."""

    def __init__(self, path: Path):
        self._tf = _tensorflow()
        self._file = self._tf.io.TFRecordWriter(str(path))
        self.ends: list[int] = []
        self.crcs: list[int] = []
        self.bytes = 0

    @property
    def windows(self) -> int:
        return len(self.ends)

    def add(self, windows: Windows) -> None:
        for row in range(len(windows)):
            content = _example(self._tf, windows, row)
            try:
                self._file.write(content)
            except self._tf.errors.OpError as error:
                raise OSError(errno.ENOSPC, "the file cannot be written") from error
            self.bytes += AROUND + len(content)
            self.ends.append(self.bytes)
            self.crcs.append(zlib.crc32(content))

    def close(self) -> None:
        with contextlib.suppress(self._tf.errors.OpError):  # its size is looked at afterwards
            self._file.close()


def places_of(path: Path) -> Path:
    """The file that says where the windows lie in another one."""
    return path.with_suffix(".places")


def read_places(path: Path, windows: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the windows of a file lie.

    Args:
        path: Path of the TFRecord file.
        windows: how many are expected.
        size: bytes of the TFRecord file.

    Returns:
        ends (window,) uint64, bytes; CRC-32 (window,) uint32.

    Raises:
        InputError: the places are missing, or are none of this file.
    """
    places = places_of(path)
    try:
        if not places.is_file() or places.stat().st_size != windows * _PLACE.itemsize:
            raise ValueError(f"no file of {windows * _PLACE.itemsize} bytes")
        read = np.frombuffer(places.read_bytes(), _PLACE)
        sizes = np.diff(read["end"].astype(np.int64), prepend=0)
        if len(read) != windows or (sizes <= AROUND).any() or read["end"][-1] != size:
            raise ValueError(f"not the places of {windows} windows in {size} bytes")
    except (OSError, ValueError) as error:
        raise damaged(places, error) from error
    return read["end"], read["crc"].astype(np.uint32)


def read_window(path: Path, start: int, end: int, crc: int, leads: int, longest: int,
                n_rpeaks: int = 0) -> tuple:
    """One window from its place in a file.

    Args:
        path: Path of the TFRecord file.
        start, end: bytes.
        crc: CRC-32 of the content.
        leads: how many.
        longest: samples that a window has at most.
        n_rpeaks: R peaks of a window; 0 for none.

    Returns:
        signal (time, lead) float32 mV, start, subject, record, rpeaks (n_rpeaks,) float64 or None.

    Raises:
        InputError: the file is damaged, cut or another one.
    """
    try:
        file = _opened(str(path))
        block = os.pread(file.descriptor, end - start, start)
        content = memoryview(block)[12:-4]
        told = int.from_bytes(block[:8], "little")
        if len(block) != end - start or told != len(content) or zlib.crc32(content) != crc:
            raise ValueError(f"at byte {start} is not the window that was written there")
        return _parsed(bytes(content), leads, longest, n_rpeaks)
    except (OSError, ValueError, LookupError, TypeError, OverflowError) as error:
        raise damaged(path, error) from error


def damaged(path, error) -> InputError:
    """The error for a file of shards that cannot be used, to be raised."""
    text = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
    text = "".join(one if one.isprintable() else "?" for one in text)
    return InputError(f"'{path}' is damaged, or was not written by `python -m ecg_tf shard`.",
                      expected="the file as it was written", got=text,
                      fix="delete the folder of shards and give `python -m ecg_tf shard` again")


class _Opened:
    """A file that is closed when nobody needs it any more, whichever thread that is."""

    def __init__(self, path: str):
        self.descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def __del__(self):
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


@lru_cache(maxsize=128)  # fewer than a process may have open
def _opened(path: str) -> _Opened:
    return _Opened(path)


def forget_files() -> None:
    """Closes the files that were read: they may be written anew."""
    _opened.cache_clear()


def _tensorflow():
    with quiet_startup():
        import tensorflow as tf
    return tf


@lru_cache(maxsize=1)
def _example_type():
    return _tensorflow().train.Example


def _example(tf, windows: Windows, row: int) -> bytes:
    length = int(windows.lengths[row])
    signal = np.ascontiguousarray(windows.signals[row, :length], "<f4")
    texts = {"signal": signal.tobytes(), "subject": str(windows.subjects[row]).encode(),
             "record": str(windows.records[row]).encode()}
    if windows.rpeaks is not None:
        texts["rpeaks"] = np.ascontiguousarray(windows.rpeaks[row], "<f8").tobytes()
    numbers = {"length": length, "start": int(windows.starts[row])}
    feature = {name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
               for name, text in texts.items()}
    feature |= {name: tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
                for name, number in numbers.items()}
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def _parsed(content: bytes, leads: int, longest: int, n_rpeaks: int) -> tuple:
    example = _example_type()()
    try:
        example.ParseFromString(content)
    except Exception as error:  # its own kind of error, which has moved between versions
        raise ValueError("no tf.train.Example") from error
    feature = example.features.feature
    signal = np.frombuffer(feature["signal"].bytes_list.value[0], "<f4").reshape(-1, leads)
    length, start = (feature[name].int64_list.value[0] for name in ("length", "start"))
    names = [feature[name].bytes_list.value[0] for name in ("subject", "record")]
    if len(signal) != length or not 0 < length <= longest or max(map(len, names)) > LONGEST_NAME:
        raise ValueError(f"a window of {len(signal)} samples, said to have {length}")
    if not np.isfinite(signal).all():
        raise ValueError("NaN or inf in a window")
    rpeaks = None
    if n_rpeaks:
        rpeaks = np.frombuffer(feature["rpeaks"].bytes_list.value[0], "<f8")
        known = np.isfinite(rpeaks)  # a strip has fewer beats than rows: NaN stands behind them
        if rpeaks.shape != (n_rpeaks,) or not known[: max(2, known.sum())].all() \
                or np.isinf(rpeaks).any():
            raise ValueError(f"{len(rpeaks)} R peaks, or some that are no numbers")
    subject, record = (name.decode() for name in names)
    return signal, start, subject, record, rpeaks


def join_windows(rows: list, like: Windows, longest: int) -> Windows:
    """What `read_window` gave of several windows as `Windows` of one width.

    Args:
        rows: list of what `read_window` returns.
        like: `Windows` whose fs and leads they have.
        longest: samples, the width.
    """
    signals = np.full((len(rows), longest, len(like.leads)), np.nan, np.float32)
    for row, (signal, *_) in enumerate(rows):
        signals[row, : len(signal)] = signal
    lengths = np.array([len(row[0]) for row in rows], np.int64)
    starts = np.array([row[1] for row in rows], np.int64)
    subjects, records = (np.array([row[k] for row in rows], dtype=str) for k in (2, 3))
    rpeaks = None if like.rpeaks is None else np.array(
        [row[4] for row in rows], np.float64).reshape(len(rows), like.rpeaks.shape[1])
    return replace(like, signals=signals, lengths=lengths, starts=starts, subjects=subjects,
                   records=records, rpeaks=rpeaks)
