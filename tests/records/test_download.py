"""Downloading, against a server on this machine that breaks off, damages files or is not there."""

import hashlib
import re

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.download import download
from tests.download_server import SUMS, Server


@pytest.fixture
def server():
    rng = np.random.default_rng(0)
    files = {
        f"{record}.{extension}": rng.bytes(size)
        for record in ("100", "101")
        for extension, size in (("hea", 90), ("dat", 300_000), ("atr", 500), ("xws", 40))
    }
    server = Server(files | {"RECORDS": b"100\n101\n"}, "mitdb/1.0.0")
    yield server
    server.close()


def fetch(server, tmp_path, **options):
    return download("mitdb", tmp_path, progress=False, base_url=server.url, **options)


def assert_whole(server, folder):
    wanted = {name for name in server.files if not name.endswith(".xws")}
    assert {path.name for path in folder.iterdir()} == wanted  # and no partial file
    assert all((folder / name).read_bytes() == server.files[name] for name in wanted)


def test_download_is_whole_and_what_is_there_is_not_fetched_again(server, tmp_path):
    folder = fetch(server, tmp_path)
    assert folder == tmp_path / "mitdb"
    assert_whole(server, folder)
    server.requested.clear()
    fetch(server, tmp_path)
    assert server.requested == [SUMS, "RECORDS"]


def test_damaged_and_missing_files_are_fetched_again(server, tmp_path):
    folder = fetch(server, tmp_path)
    (folder / "100.dat").write_bytes(b"x" + server.files["100.dat"][1:])
    (folder / "101.atr").unlink()
    server.requested.clear()
    fetch(server, tmp_path)
    assert set(server.requested) == {SUMS, "RECORDS", "100.dat", "101.atr"}
    assert_whole(server, folder)


def test_broken_transfer_is_tried_again(server, tmp_path):
    server.cut = {"100.dat": 200_000}
    folder = fetch(server, tmp_path)
    assert server.requested.count("100.dat") == 2
    assert_whole(server, folder)


def test_interrupted_download_resumes_at_the_next_call(server, tmp_path):
    server.cut = {"101.dat": 200_000}
    with pytest.raises(InputError, match="(?s)cannot be downloaded.*101.dat"):
        fetch(server, tmp_path, attempts=1, connections=1)
    folder = tmp_path / "mitdb"
    assert not (folder / "101.dat").exists() and not (folder / "RECORDS").exists()
    server.requested.clear()
    fetch(server, tmp_path)
    assert "101.dat" in server.requested and "100.dat" not in server.requested
    assert_whole(server, folder)


def test_file_damaged_on_the_way_is_asked_for_again(server, tmp_path):
    server.wrong = {"100.hea": 1, "101.dat": 1}
    assert_whole(server, fetch(server, tmp_path))


def test_file_that_stays_damaged_is_named_and_not_kept(server, tmp_path):
    server.wrong = {"100.hea": 99}
    with pytest.raises(InputError, match=r"(?s)100\.hea.*SHA256 hash"):
        fetch(server, tmp_path, attempts=2)
    assert not [path for path in (tmp_path / "mitdb").iterdir() if "100.hea" in path.name]


def test_list_of_records_is_verified(server, tmp_path):
    server.wrong = {"RECORDS": 99}
    with pytest.raises(InputError, match="RECORDS"):
        fetch(server, tmp_path)
    server.wrong = {}
    server.files[SUMS] += b"0" * 64 + b" ../../evil.dat\n"
    assert_whole(server, fetch(server, tmp_path))  # no record's file: not even requested
    server.files["RECORDS"] += b"../../evil\n"
    digest = hashlib.sha256(server.files["RECORDS"]).hexdigest().encode()
    server.files[SUMS] = re.sub(rb"\w+ RECORDS", digest + b" RECORDS", server.files[SUMS])
    with pytest.raises(InputError, match="outside its own folder"):
        fetch(server, tmp_path)


def test_missing_file_and_missing_network_are_clear(server, tmp_path):
    atr = server.files.pop("100.atr")
    with pytest.raises(InputError, match=r"(?s)100\.atr.*HTTP status 404"):
        fetch(server, tmp_path, attempts=1)
    server.files["100.atr"] = atr
    folder = fetch(server, tmp_path)
    nowhere = "http://127.0.0.1:1/files"
    again = download("mitdb", tmp_path, progress=False, base_url=nowhere, attempts=1)
    assert again == folder  # whole, verified by its own list
    (folder / "100.dat").write_bytes(b"damaged")
    with pytest.raises(InputError, match="(?s)cannot be downloaded.*check the network"):
        download("mitdb", tmp_path, progress=False, base_url=nowhere, attempts=1)


def test_unknown_database_and_unusable_folder(server, tmp_path):
    with pytest.raises(InputError, match="Did you mean 'mitdb'"):
        download("mitbd", tmp_path, progress=False, base_url=server.url)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="Cannot write"):
        fetch(server, tmp_path / "file")
