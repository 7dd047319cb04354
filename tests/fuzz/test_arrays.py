"""Hostile NumPy files: read, or refused in one sentence, in bounded memory; nothing is run."""

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecg_tf.records.formats.arrays import read_array_file
from tests.fuzz.guard import fuzz, guarded
from tests.fuzz.hostile import NAMES, NUMBERS, damaged

SIGNALS = np.random.default_rng(0).normal(0, 0.3, (5, 200, 2)).astype(np.float32)
TYPES = ["<f4", ">f8", "<i2", "|b1", "<c8", "|O", "<U5", "|S0", "<M8[s]", "|V4", "<f2"]


def npy(array) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def npz(**arrays) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


GOOD_NPY = npy(SIGNALS)
GOOD_NPZ = npz(signals=SIGNALS, fs=100, leads=["I", "II"], subjects=list("abcde"))
words = st.sampled_from(NUMBERS + NAMES).map(lambda text: text.encode(errors="replace").decode())
values = st.one_of(
    st.sampled_from([SIGNALS, SIGNALS[0], SIGNALS[..., 0], SIGNALS.astype(np.int16),
                     SIGNALS.transpose(0, 2, 1), np.zeros((0, 3)), np.zeros((2, 2, 2, 2)),
                     np.full((3, 100, 1), np.nan), np.float64("inf"), np.int64(250)]),
    words.map(np.array), st.lists(words, max_size=6).map(lambda w: np.array(w, str)),
    st.lists(st.floats(), max_size=6).map(np.array), st.floats().map(np.array))
keys = st.sampled_from(["signals", "ecg", "X", "fs", "leads", "subjects", "sex", "age", "names",
                        "unit", "labels", "labels_scp", "other"])


def read(name: str, content: bytes):
    with tempfile.TemporaryDirectory() as root:
        path = Path(root, name)
        path.write_bytes(content)

        def call():
            found = read_array_file(path, Path(root), fs=0.0 if name.endswith("z") else 100.0)
            for record in found:
                assert record.signal.dtype == np.float32 and 1 <= record.fs <= 1e6
                assert not np.isinf(record.signal).any() and ".." not in Path(record.name).parts
            return True

        return guarded("NumPy file", call, len(content), factor=200, spare=2**25)


def test_good_files_pass():
    assert read("a.npy", GOOD_NPY) and read("a.npz", GOOD_NPZ)


@fuzz
@given(content=st.one_of(damaged(GOOD_NPY[:128]).map(lambda head: head + GOOD_NPY[128:]),
                         st.binary(max_size=300)))
def test_npy_files(content):
    read("a.npy", content)


@fuzz
@given(descr=st.sampled_from(TYPES), order=st.booleans(),
       shape=st.lists(st.one_of(st.integers(-2, 300), st.just(10**9), st.just(2**63)), max_size=4))
def test_npy_headers(descr, order, shape):
    text = repr({"descr": descr, "fortran_order": order, "shape": tuple(shape)}).encode() + b"\n"
    read("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(8000))


@fuzz
@given(content=st.one_of(damaged(GOOD_NPZ), st.dictionaries(keys, values, max_size=5).map(
    lambda arrays: npz(**{"signals": SIGNALS, "fs": 100, **arrays}))))
def test_npz_files(content):
    read("a.npz", content)


@fuzz
@given(head=damaged(GOOD_NPY[:128]), packed=st.booleans())
def test_members_of_npz_files(head, packed):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
        file.writestr("signals.npy", head + GOOD_NPY[128:])
        file.writestr("fs.npy", npy(np.float64(100)))
    read("a.npz", out.getvalue())
