"""Hostile WFDB records and CSV folders: read, or refused in one sentence; nothing from outside."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.records import load, read_record
from ecg_tf.records.person import about
from ecg_tf.records.tables.metadata import read_metadata
from ecg_tf.signals.filtering import prepare
from tests.fuzz.guard import fuzz, guarded
from tests.fuzz.hostile import NAMES, NUMBERS, damaged
from tests.wfdb_writing import wave, write

BAD_HEADERS = [
    "r1 1000000000000 360", "r1 2 360 1000000000000", "r1 1000000000000 360 1000000000000",
    "r1 2 0.000000001 1000", "r1 2 1e400 1000", "r1 2 " + "9" * 1900 + " 1000",
    "r1/1000000 2 360 10",
    "r1/2 2 360 1000000000000\n~ 999999999000\nr2 1000", "r1/1 2 360 1000\nr1 1000",
    "r1/2 1 250 100001000\n~ 100000000\nr2 1000", "r1 0 360 1000", "r1", "", "#", "\n\n",
    "r1 -1 360",
    "r1 2 360 1000\n" + "r1.dat 212x1000000000:1000000000+1000000000 200 11 0 0 0 0 I\n" * 2,
    "r1 1 360\nr1.dat 16x1000000 200 11 0 0 0 0 I",
    "r1 1 360\nr1.dat 16:999999999 200 11 0 0 0 0 I",
    "r1 1 360 1000\n../r1.dat 16", "r1 1 360 1000\n/etc/passwd 16", "r1 1 360 1000\nr1.hea 16",
    "r1 1 360 1000\nr1.dat 16 1e400(9999999999999999999)/mV 11 0 0 0 0 I",
    "r1 1 360 1000\nr1.dat 16 1e-300(0)/mV 11 0 0 0 0 I",
    "a" * 500_000, "a" * 1_500_000 + " 1 360", "1" * 500_000, "r1 1 360 1000\n" + "a" * 500_000,
    "r1 100000 360\n" + "a 16\n" * 100_000, "r1/100000 1 360 0\n" + "a 0\n" * 100_000,
    "r1 1 360 1000\nr1.dat 508", "r1 1 360 1000\nr1.dat 999",
    "r1 2 360 1000\nr1.dat 16\nr1.dat 212",
]
SECRET = "0123456789" * 400


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A folder of good records; its files, which are to be damaged."""
    folder = tmp_path_factory.mktemp("good")
    write(folder, "r1", comments=["age: 30", "subject: x"])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def read(target: str, files: dict[str, bytes], also=()):
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "own")
        folder.mkdir()
        (Path(root) / "r1.dat").write_bytes(SECRET.encode())  # outside: never to be read
        for name, content in {**files, **dict(also)}.items():
            (folder / name).write_bytes(content)
        size = sum(map(len, files.values()))

        def call():
            records = load(folder, cache=False)
            for record in records:
                assert all(
                    not Path(name).is_absolute() and ".." not in Path(name).parts
                    for name in record.source["files"]
                )
                assert np.isfinite(record.fs) and record.fs >= 1
                if len(record.signal) < 10**6:
                    prepare(record)
            return records

        # A sample of 12 bits is kept as float32, and as float64 in between; a gap costs 40 MB.
        return guarded(target, call, size, factor=1000, spare=2**27)


@pytest.mark.parametrize("header", BAD_HEADERS, ids=range(len(BAD_HEADERS)))
def test_headers_that_claim_what_is_not_there(good, header):
    read("WFDB header", good | {"r1.hea": header.encode()})


token = st.sampled_from(
    NUMBERS + NAMES + ["r1", "r1.dat", "212", "16", "250", "200(0)/mV", "I", "~"]
)
line = st.lists(token, max_size=10).map(" ".join)
header_texts = st.one_of(
    st.lists(line, max_size=5).map("\n".join),
    st.tuples(st.sampled_from(["r1 2 250 1000", "r1 1 250", "r1/2 2 250 2000"]),
              st.lists(line, max_size=4).map("\n".join)).map("\n".join),
)


@fuzz
@given(data=st.data())
def test_headers(good, data):
    header = data.draw(st.one_of(
        header_texts.map(lambda text: text.encode(errors="replace")),
        damaged(good["r1.hea"], NUMBERS + NAMES), st.binary(max_size=200)))
    read("WFDB header", good | {"r1.hea": header})


@fuzz
@given(data=st.data())
def test_signals_and_annotations(good, data):
    name = data.draw(st.sampled_from(["r1.dat", "r1.atr", "r1.hea"]))
    other = data.draw(st.sampled_from(["r1.dat", "r1.atr"]))
    form = data.draw(st.sampled_from([b"212", b"16", b"8", b"80", b"61", b"160", b"24", b"32",
        b"310",
                                      b"311", b"508", b"516", b"524"]))
    files = dict(good)
    files["r1.hea"] = b"\n".join(
        line if line.startswith(b"#") or i == 0 else line.replace(b" 212 ", b" " + form + b" ")
        for i, line in enumerate(good["r1.hea"].split(b"\n")))
    if data.draw(st.booleans()):  # no checksum and no length: the file alone says what it holds
        files["r1.hea"] = b"r1 1 250\nr1.dat %s 200/mV\n" % form
    files[name] = data.draw(damaged(files[name], NUMBERS))
    files[other] = data.draw(st.one_of(st.just(files[other]), damaged(files[other]),
                                       st.binary(max_size=300)))
    read("WFDB signals", files)


def test_comments_of_any_length_are_read_at_once():
    hostile = ["age: 3" + " " * 300_000 + "x", "age:" * 100_000, "<age>: " + "\t" * 200_000,
               "patient_" * 100_000, "id patient " * 100, "age (in " * 100_000, "\ufdfa" * 1000,
               "subject: " + "a " * 100_000, "age: " + "1 year " * 100_000]
    guarded("WFDB header", lambda: about(hostile * 500), 10**6)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "..", "a\\b", "a:b",
                                  "http://x/y", "a\0b"])
def test_names_in_lists_and_headers_do_not_leave_the_folder(tmp_path, name):
    folder = tmp_path / "own"
    write(folder)
    shutil.copy(folder / "r1.dat", tmp_path / "secret.dat")
    shutil.copy(folder / "r1.hea", tmp_path / "secret.hea")
    (folder / "RECORDS").write_text(f"{name}\n")
    with pytest.raises(InputError):
        load(folder, cache=False)
    (folder / "RECORDS").unlink()
    header = (folder / "r1.hea").read_text()
    (folder / "r1.hea").write_text(header.replace("r1.dat", name))
    with pytest.raises(InputError):
        load(folder, cache=False)
    (folder / "r1.hea").write_text(f"r1/1 2 250 1000\n{name} 1000\n")
    with pytest.raises(InputError):
        load(folder, cache=False)


@pytest.mark.parametrize("file", ["r1.hea", "r1.dat", "r1.atr"])
def test_links_lead_nowhere_outside(tmp_path, file):
    folder, outside = tmp_path / "own", tmp_path / "outside"
    write(folder)
    write(outside)
    kept = folder / file
    kept.unlink()
    kept.symlink_to(outside / file)
    for call in (lambda: load(folder, cache=False), lambda: read_record(folder / "r1")):
        with pytest.raises(InputError, match="outside"):
            call()
    kept.unlink()
    (folder / "elsewhere").mkdir()
    shutil.copy(outside / file, folder / "elsewhere" / "x")
    kept.symlink_to(folder / "elsewhere" / "x")  # within the folder is fine
    assert len(load(folder, cache=False)) == 1
    kept.unlink()
    kept.symlink_to(kept)
    if file != "r1.atr":  # without annotations it is a record too
        with pytest.raises(InputError):
            load(folder, cache=False)
    link = tmp_path / "linked"
    link.symlink_to(outside)  # the folder itself may be a link
    assert len(load(link, cache=False)) == 1


def test_files_that_never_end_are_no_files(tmp_path):
    write(tmp_path)
    for name in ("x.hea", "SHA256SUMS.txt", "RECORDS", "x.csv", "subjects.csv"):
        os.mkfifo(tmp_path / name)
    assert len(guarded("WFDB header", lambda: load(tmp_path, cache=False), 10**5)) == 1
    for name in ("r1.hea", "r1.dat"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
        assert guarded("WFDB header", lambda: load(tmp_path, cache=False), 10**5) is None
    assert guarded("CSV folder", lambda: load(tmp_path), 10**5) is None


def test_a_small_flac_file_cannot_claim_hours(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "r1.dat", np.zeros(40_000_000, np.int16), 250, format="FLAC")
    (tmp_path / "r1.hea").write_text("r1 1 250 40000000\nr1.dat 516 200/mV\n")
    with pytest.raises(InputError, match="claims 40000000 samples"):
        load(tmp_path, cache=False)


cell = st.one_of(st.sampled_from(NUMBERS + NAMES + ['"', '""', '"a', "NA", "True"]),
                 st.floats().map(str), st.integers(-1000, 1000).map(str))
rows = st.lists(st.lists(cell, max_size=5).map(",".join), max_size=8).map("\n".join)
heads = st.sampled_from(["time,II", "fs,II,V1", " time , II", "II", "II,II", "II, II",
    "time,time,II",
                         "fs,fs", ",", "time", "", "#a\ntime,II", "\ufefftime,II",
                         "t,fs,II", ",time,II", "time;II", "time_ms,II (uV)", "index,II", "1,2",
                         "# fs: 9\nII", "# R peaks (s): 1,x\nfs,II", "record,II"])
GOOD_CSV = "\n".join(["time,II,V1", *(f"{i / 250:.3f},{a},{b}" for i, (a, b) in
                                      enumerate(wave(100)))]).encode()


@fuzz
@given(content=st.one_of(
    st.tuples(heads, rows).map("\n".join).map(lambda t: t.encode(errors="replace")),
    st.tuples(heads, st.just(GOOD_CSV)).map(lambda t: t[0].encode() + b",V1" + t[1][10:]),
    damaged(GOOD_CSV, NUMBERS + NAMES + [",", "\n", '"']), st.binary(max_size=200)),
    subjects=st.one_of(st.none(), st.tuples(st.sampled_from(["record,subject", "record",
        "a,a"]), rows)
                       .map("\n".join).map(lambda t: t.encode(errors="replace"))))
def test_csv_folders(content, subjects):
    with tempfile.TemporaryDirectory() as root:
        Path(root, "a.csv").write_bytes(content)
        if subjects is not None:
            Path(root, "subjects.csv").write_bytes(subjects)

        def call():
            for record in load(root):
                assert record.signal.dtype == np.float32 and 1 <= record.fs <= 1e6
                prepare(record)

        guarded("CSV folder", call, len(content), factor=5000, spare=2**26)
        guarded("CSV subjects", lambda: read_metadata(Path(root)), len(subjects or b""),
                spare=2**24)


@pytest.mark.parametrize("text", ["II\n1\n2\n", "fs,II\n0.000001,1\n0.000001,2\n",
                                  "time,II\n0,1,5\n1,2,5\n", "II, II\n1,2\n3,4\n"])
def test_csv_that_would_be_misread_is_refused(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError):
        load(tmp_path)
    (tmp_path / "a.csv").unlink()
    outside = tmp_path.with_name(tmp_path.name + "-outside.csv")
    outside.write_bytes(GOOD_CSV)
    (tmp_path / "a.csv").symlink_to(outside)
    with pytest.raises(InputError, match="outside"):
        load(tmp_path)
