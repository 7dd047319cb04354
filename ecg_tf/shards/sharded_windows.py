"""Data larger than memory: windows stay in the TFRecord files of `python -m ecg_tf shard`.

`ShardedWindows` takes any windows from their places in the files, as `Windows.take` takes them from
memory. So the batches of a training are the same ones, bit by bit, wherever the windows lie, and
step k can be computed without the k - 1 before it. In memory there are 12 bytes a window (its
place), 8 for the order of an epoch, and at most `SAMPLE` windows of each part and kind, with which
the codec is fitted and the measures are taken.
"""

import contextlib
import hashlib
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import expanded
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.records.splits import PARTS
from ecg_tf.shards.index import KINDS, Index, about_of, check_settings, read_index
from ecg_tf.shards.tfrecords import (
    damaged,
    forget_files,
    join_windows,
    places_of,
    read_places,
    read_window,
)
from ecg_tf.signals.preparation import Preparation
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.windows import Windows
from ecg_tf.training.data import Data, codec_of

SAMPLE = 2048  # windows of one part and kind in memory at once


class ShardedWindows:
    """Windows of one part and kind in a folder of shards.

    Args:
        folder: of the shards.
        part: "train", "validation" or "test".
        kind: "windows", as the codec takes them, or "strips", as the measures do.

    Raises:
        InputError: no such folder, or its files are missing, damaged or others.

    Example:
        >>> windows = ShardedWindows("shards/mitdb")
        >>> windows.take([5, 123_456]).signals.shape
        (2, 3105, 1)
    """

    def __init__(self, folder, part: str = "train", kind: str = "windows"):
        self.folder = expanded(folder)
        index, self.digest = read_index(self.folder)
        if not index.complete:
            raise InputError(f"The shards in '{self.folder}' are not finished.",
                             expected="all records", got=f"{index.records} of them",
                             fix="give `python -m ecg_tf shard` again: it goes on")
        forget_files()  # they may have been written anew
        self._open(index, part, kind)
        self.problem: InputError | None = None  # what went wrong while others were reading

    def _open(self, index: Index, part: str, kind: str) -> None:
        self.index, self.longest = index, 0
        for one in PARTS:
            files = index.of(one, kind)
            paths = [self.folder / file["name"] for file in files]
            places = [_checked_places(path, file) for path, file in zip(paths, files, strict=True)]
            if files:
                longest = index.longest[f"{one}-{kind}"]
                largest = max(int(np.diff(ends, prepend=np.uint64(0)).max()) for ends, _ in places)
                if longest * len(index.leads) * 4 > largest:
                    raise damaged(self.folder, ValueError(
                        f"windows of {longest} samples in at most {largest} bytes each"))
                self.longest = max(self.longest, longest)  # as wide as if all were in memory
            if one == part:
                self._paths = paths
                self._first = np.cumsum([0] + [len(ends) for ends, _ in places])
                self._ends = np.concatenate([np.zeros(0, np.uint64), *(p[0] for p in places)])
                self._crcs = np.concatenate([np.zeros(0, np.uint32), *(p[1] for p in places)])
        self._who = frozenset(index.split[part])
        self._n_rpeaks = index.n_rpeaks if kind == "windows" else 0
        none = np.zeros(0, np.int64)
        self._like = Windows(
            np.zeros((0, self.longest, len(index.leads)), np.float32), index.fs, index.leads, none,
            none.astype(str), none.astype(str), none,
            np.zeros((0, self._n_rpeaks)) if self._n_rpeaks else None,
            about={name: about_of(one) for name, one in index.about.items()})

    def __len__(self) -> int:
        return len(self._ends)

    def take(self, index) -> Windows:
        """Reads windows.

        Args:
            index: whole numbers, or a slice.

        Returns:
            Windows, as wide as the longest of all.

        Raises:
            InputError: a file is damaged, cut or another one.
        """
        index = np.arange(len(self))[index] if isinstance(index, slice) else np.asarray(index)
        files = np.searchsorted(self._first, index, "right") - 1
        rows = []
        for row, file in zip(index.tolist(), files.tolist(), strict=True):
            start = 0 if row == self._first[file] else int(self._ends[row - 1])
            path = self._paths[file]
            read = read_window(path, start, int(self._ends[row]), int(self._crcs[row]),
                               len(self._like.leads), self.longest, self._n_rpeaks)
            if read[2] not in self._who:
                raise damaged(path, ValueError("a window of somebody who is in another part"))
            rows.append(read)
        return join_windows(rows, self._like, self.longest)

    def sample(self, most: int = SAMPLE) -> Windows:
        """At most so many windows, evenly spread; all of them if there are no more."""
        if len(self) <= most:
            return self.take(slice(None))
        return self.take(np.arange(most) * len(self) // most)


@contextlib.contextmanager
def telling(windows):
    """Turns TensorFlow's words for what went wrong while it read shards into our own.

    Example:
        >>> with telling(windows):
        ...     gan.fit(batches)
    """
    try:
        yield
    except Exception as error:
        if (problem := getattr(windows, "problem", None)) is not None:
            raise problem from error
        raise


def read_data(experiment: Experiment) -> Data:
    """What `prepare_data` gives, from the experiment's folder of shards; nothing is cut anew.

    Args:
        experiment: `Experiment` with `shards`.

    Returns:
        Data whose `shards` are the training windows; its `windows` and `strips` are at most
        `SAMPLE` of each part.

    Raises:
        InputError: the shards are damaged, not finished, or of another experiment.
    """
    folder = expanded(experiment.shards)
    index, _ = read_index(folder)
    check_settings(index, experiment, folder)
    e = experiment.settled(index.fitted)
    if e.scaling == "record":
        raise InputError("The range of a record is not known from some of its windows.",
                         expected="another range, such as window, with shards", got="record",
                         fix="set range to window, or shards to ''")
    train = ShardedWindows(folder)
    samples: dict[str, dict[str, Windows]] = {}
    for kind in KINDS:
        parts = {part: train if (part, kind) == ("train", "windows")
                 else ShardedWindows(folder, part, kind) for part in PARTS}
        samples[kind] = {part: of.sample() for part, of in parts.items() if len(of)}
        for part in ("train", "test"):
            if part not in samples[kind]:
                raise damaged(folder, ValueError(f"no {kind} of the part '{part}'"))
    quality = {kind: Quality.of_counts(counts) for kind, counts in index.quality.items()
               if "kept" in counts}
    codec = codec_of(samples["windows"]["train"], e, Preparation.of(e))
    return Data(index.split, samples["windows"], samples["strips"], codec, index.provenance,
                quality, index.attributes, train, index.fitted, tuple(index.warnings))


def _checked_places(path: Path, file: dict) -> tuple[np.ndarray, np.ndarray]:
    places = places_of(path)
    for one in (path, places):
        if one.is_symlink() or not one.is_file():
            raise damaged(one, ValueError("no such file"))
    if path.stat().st_size != file["bytes"]:
        raise damaged(path, ValueError(f"{path.stat().st_size} bytes instead of {file['bytes']}"))
    found = read_places(path, file["windows"], file["bytes"])
    if hashlib.sha256(places.read_bytes()).hexdigest() != file["places_sha256"]:
        raise damaged(places, ValueError("its checksum is another one"))
    return found


