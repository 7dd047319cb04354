"""The cache of records: the same as reading, and read again whenever it does not fit."""

import errno
import math
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from ecg_tf.base.errors import cannot_write
from ecg_tf.records import cache, load, provenance
from ecg_tf.records.formats import wfdb_files
from tests.wfdb_writing import wave, write


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        for field in ("name", "database", "subject", "fs", "leads", "session", "sex", "paced"):
            assert getattr(x, field) == getattr(y, field)
        assert x.age == y.age or math.isnan(x.age) and math.isnan(y.age)
        assert dict(x.source) == dict(y.source)
        for field in ("signal", "beats", "symbols"):
            first, second = getattr(x, field), getattr(y, field)
            assert type(first) is type(second) is np.ndarray and first.dtype == second.dtype
            np.testing.assert_array_equal(first, second)


@pytest.fixture
def own(tmp_path):
    root = tmp_path / "own"
    write(root, "r1", comments=["Age: 40"])
    write(root, "r2", signal=wave(700, 3), beats=False)
    return root


@pytest.fixture
def readings(monkeypatch):
    """Paths of the headers read: none, when everything comes from the cache."""
    names, original = [], wfdb_files.read_header
    monkeypatch.setattr(wfdb_files, "read_header", lambda *a: names.append(a) or original(*a))
    return names


def test_second_reading_comes_from_the_cache_and_is_the_same(own, readings):
    first = load(own)
    assert len(readings) == 2
    second = load(own)
    assert len(readings) == 2
    same(first, second)
    second[0].signal[:] = 0  # changes the copy in memory, not the cache
    same(first, load(own))
    assert provenance(first) == provenance(second)
    load(own, leads="V1")
    load(own, cache=False)
    assert len(readings) == 6


def test_changed_files_are_read_again(own, readings):
    load(own)
    os.utime(own / "r1.dat", ns=(1, 1))
    load(own)
    assert len(readings) == 4
    (own / "r2.atr").write_bytes((own / "r1.atr").read_bytes())
    assert len(load(own)[1].beats) == 2 and len(readings) == 6  # the third is outside r2
    write(own, "r3", signal=wave(seed=4))
    assert len(load(own)) == 3
    (own / "RECORDS").write_text("r3\n")
    assert [r.name for r in load(own)] == ["r3"]


@pytest.mark.parametrize("file", ["index.json", "signals-*.f32"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_damaged_cache_is_rebuilt_without_a_word(own, readings, tmp_path, file, damage):
    first = load(own)
    [path] = (tmp_path / "cache").rglob(file)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.unlink()
    if damage != "gone":
        path.write_bytes(data if damage == "flip" else data[: len(data) // 2])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*cache")
        for _ in range(2):
            same(first, load(own))
            assert len(readings) == 4
    names = {p.name for p in (tmp_path / "cache").rglob("*") if p.is_file()}
    assert len(names) == 3 and {".lock", "index.json"} < names


def test_unwritable_cache_costs_one_warning(own, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="without a cache") as warned:
        assert len(load(own)) == 2
    warned = [str(one.message) for one in warned if "cache" in str(one.message)]
    assert len(warned) == 1 and "\n" not in warned[0]


@pytest.mark.parametrize("where", ["_written", "write_whole"])
def test_a_full_disk_costs_one_warning(own, tmp_path, monkeypatch, where):
    def full(*args):
        error = OSError(errno.ENOSPC, "No space left on device")
        raise (error if where == "_written" else cannot_write("index.json", error)) from error

    monkeypatch.setattr(cache, where, full)
    with pytest.warns(UserWarning, match="without a cache.*No space left"):
        assert len(load(own)) == 2
    assert not list((tmp_path / "cache").rglob("*.f32"))


def test_two_processes_read_a_folder_once(own, tmp_path):
    code = "import sys; from ecg_tf.records import load; print(len(load(sys.argv[1], warn=False)))"
    runs = [subprocess.Popen([sys.executable, "-c", code, str(own)], stdout=subprocess.PIPE)
            for _ in range(2)]
    assert [run.communicate()[0].split() for run in runs] == [[b"2"]] * 2
    assert len(list((tmp_path / "cache").rglob("*.f32"))) == 1
