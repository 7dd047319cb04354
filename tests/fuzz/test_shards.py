"""Hostile shards and EDF files: read, or refused in one sentence; nothing from outside."""

import json
import os
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.records import load
from ecg_tf.shards.index import _digest
from ecg_tf.shards.sharded_windows import ShardedWindows
from ecg_tf.shards.writing import write_shards
from ecg_tf.signals.filtering import prepare
from ecg_tf.training.data import prepare_data
from tests.fuzz.guard import fuzz, guarded
from tests.fuzz.hostile import NAMES, NUMBERS, changed, damaged, trees
from tests.records.test_edf_files import write as write_edf

SMALL = {"subjects": 4, "minutes": 0.5, "height": 8, "width": 16, "strip_seconds": 4.0}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The files of good shards."""
    folder = tmp_path_factory.mktemp("shards") / "good"
    write_shards(Experiment(**SMALL), folder, progress=False)
    prepare_data(Experiment(**SMALL, shards=str(folder)))  # what is imported is no file's fault
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sealed(content) -> bytes:
    """An index whose own checksum is right, whatever stands in it."""
    if isinstance(content, dict):
        content.pop("sha256", None)
        try:
            content["sha256"] = _digest(content)
        except (ValueError, TypeError, RecursionError):
            pass
    try:
        return json.dumps(content).encode()
    except (ValueError, RecursionError):
        return b"{"


def read(target: str, files: dict[str, bytes], settings=None):
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "own")
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        size = sum(map(len, files.values()))

        def call():
            windows = ShardedWindows(folder)
            windows.take(slice(0, 100))
            data = prepare_data(Experiment(**{**SMALL, **(settings or {})}, shards=str(folder)))
            data.codec.encode(data.training.take([0]))
            return data

        return guarded(target, call, size)


def test_good_shards_pass(good):
    assert read("TFRecord", good) is not None


@fuzz
@given(data=st.data())
def test_any_file_of_shards_damaged(good, data):
    name = data.draw(st.sampled_from(sorted(good)))
    files = dict(good)
    files[name] = data.draw(st.one_of(damaged(good[name], NUMBERS + NAMES),
                                      st.binary(max_size=200)))
    read("TFRecord", files)


@fuzz
@given(data=st.data())
def test_indexes_whose_checksum_is_right(good, data):
    content = json.loads(good["index.json"])
    read("shard index", good | {"index.json": sealed(data.draw(st.one_of(
        changed(content), changed({k: content[k] for k in ("files", "longest", "n_rpeaks", "fs")})
        .map(lambda part: {**content, **part} if isinstance(part, dict) else part), trees)))})


@st.composite
def records(draw, example: bytes):
    """TFRecords of a few windows, their framing right or not."""
    out = []
    for _ in range(draw(st.integers(1, 4))):
        content = draw(st.one_of(st.just(example), damaged(example), st.binary(max_size=100)))
        length = draw(st.one_of(st.just(len(content)), st.integers(0, 2**64 - 1)))
        out.append((length.to_bytes(8, "little") + bytes(4) + content + bytes(4), content))
    return out


@fuzz
@given(data=st.data())
def test_windows_whose_checksums_are_right(good, data):
    name = sorted(n for n in good if n.endswith("train-windows.tfrecord"))[0]
    first = int.from_bytes(good[name][:8], "little")
    made = data.draw(records(good[name][12 : 12 + first]))
    places = np.array([[0, zlib.crc32(content)] for _, content in made], "<u8")
    places[:, 0] = np.cumsum([len(block) for block, _ in made])
    blocks = b"".join(block for block, _ in made)
    content = json.loads(good["index.json"])
    import hashlib

    for file in content["files"]:
        if file["name"] == name:
            file |= {"windows": len(made), "bytes": len(blocks),
                     "places_sha256": hashlib.sha256(places.tobytes()).hexdigest()}
    for key, most in (("train-windows", 2**31), ("train-strips", 10**6)):
        content["longest"][key] = data.draw(st.one_of(
            st.just(content["longest"][key]), st.integers(1, most)))
    read("TFRecord", good | {name: blocks, name.replace(".tfrecord", ".places"): places.tobytes(),
                             "index.json": sealed(content)})


@pytest.mark.parametrize("name", ["../00000-train-windows.tfrecord", "/etc/passwd", "a.tfrecord"])
def test_names_in_an_index_do_not_leave_the_folder(good, name):
    content = json.loads(good["index.json"])
    content["files"][0]["name"] = name
    assert read("shard index", good | {"index.json": sealed(content)}) is None


def test_shards_that_are_no_files(tmp_path, good):
    for name, content in good.items():
        (tmp_path / name).write_bytes(content)
    for name in sorted(good):
        kept = tmp_path / name
        kept.unlink()
        os.mkfifo(kept)
        with pytest.raises(InputError):
            prepare_data(Experiment(**SMALL, shards=str(tmp_path)))
        kept.unlink()
        kept.write_bytes(good[name])


@pytest.fixture(scope="module")
def edf(tmp_path_factory):
    pytest.importorskip("pyedflib")
    path = write_edf(tmp_path_factory.mktemp("edf") / "a.edf", ("uV", "mV"), ("II", "V1"),
                     (100, 100))
    return path.read_bytes()


def read_edf(content: bytes):
    with tempfile.TemporaryDirectory() as root:
        Path(root, "a.edf").write_bytes(content)

        def call():
            for record in load(root):
                assert record.signal.dtype == np.float32 and 1 <= record.fs <= 1e6
                if len(record.signal) < 10**6:
                    prepare(record)
            return True

        return guarded("EDF file", call, len(content), factor=1000, spare=2**26)


def test_good_edf_passes(edf):
    assert read_edf(edf)


@fuzz
@given(data=st.data())
def test_edf_files(edf, data):
    head = 256 * (1 + int(edf[252:256]))
    read_edf(data.draw(st.one_of(
        damaged(edf[:head], NUMBERS + NAMES).map(lambda header: header + edf[head:]),
        damaged(edf, NUMBERS), st.binary(max_size=600), fields(edf))))


@st.composite
def fields(draw, good: bytes):
    """A good file with other words in some fields of its header."""
    data = bytearray(good)
    count = int(good[252:256])
    places = [(0, 8), (8, 80), (88, 80), (168, 8), (176, 8), (184, 8), (192, 44), (236, 8),
              (244, 8), (252, 4)]
    at = 256
    for width in (16, 80, 8, 8, 8, 8, 8, 80, 8, 32):
        places += [(at + k * width, width) for k in range(count)]
        at += count * width
    for _ in range(draw(st.integers(1, 3))):
        at, width = draw(st.sampled_from(places))
        word = draw(st.one_of(st.sampled_from(NUMBERS + NAMES + ["EDF+C", "EDF+D", "mV"]),
                              st.integers(-(10**7), 10**8).map(str), st.floats().map(str)))
        data[at : at + width] = word.encode(errors="replace")[:width].ljust(width)
    return bytes(data)
