"""Hostile stored windows and EDF files: read, or refused in one sentence; nothing from outside."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.records import load
from ecg_tf.signals.filtering import prepare
from ecg_tf.training.data import prepare_data
from ecg_tf.training.stored import store_windows
from tests.fuzz.guard import fuzz, guarded
from tests.fuzz.hostile import NAMES, NUMBERS, changed, damaged, trees
from tests.records.test_edf_files import write as write_edf

SMALL = {"subjects": 4, "minutes": 0.5, "height": 8, "width": 16, "strip_seconds": 4.0}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The files of good stored windows."""
    folder = tmp_path_factory.mktemp("stored") / "good"
    store_windows(Experiment(**SMALL), folder, progress=False)
    prepare_data(Experiment(**SMALL, stored=str(folder)))  # what is imported is no file's fault
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def read(target: str, files: dict[str, bytes]):
    with tempfile.TemporaryDirectory() as root:
        for name, content in files.items():
            Path(root, name).write_bytes(content)

        def call():
            data = prepare_data(Experiment(**SMALL, stored=root))
            data.codec.encode(data.training.take([0]))
            return data

        return guarded(target, call, sum(map(len, files.values())))


def test_good_windows_pass(good):
    assert read("stored windows", good) is not None


@fuzz
@given(data=st.data())
def test_any_file_of_stored_windows_damaged(good, data):
    name = data.draw(st.sampled_from(sorted(good)))
    content = data.draw(st.one_of(damaged(good[name], NUMBERS + NAMES),
                                  damaged(good[name][:200]), st.binary(max_size=200)))
    read("stored windows", good | {name: content})


@fuzz
@given(data=st.data())
def test_any_index(good, data):
    content = data.draw(st.one_of(changed(json.loads(good["index.json"])), trees))
    try:
        text = json.dumps(content).encode()
    except (ValueError, RecursionError):
        text = b"{"
    read("stored index", good | {"index.json": text})


def test_links_are_not_followed(tmp_path, good):
    for name, content in good.items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "train-windows-signals.npy"
    path.rename(tmp_path / "other.npy")
    path.symlink_to(tmp_path / "other.npy")
    with pytest.raises(InputError, match="is damaged"):
        prepare_data(Experiment(**SMALL, stored=str(tmp_path)))


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
