"""Parts of a database: by rate, fold and name, and layouts other than MIT-BIH's."""

import warnings

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.checksums import parse_sums, sha256_of
from ecg_tf.records.databases import DATABASES
from ecg_tf.records.download import download
from ecg_tf.records.tables.metadata import read_metadata
from tests.download_server import SUMS, Server

LOW = [f"records100/00000/0000{k}_lr" for k in (1, 2, 3)]
HIGH = [f"records500/00000/0000{k}_hr" for k in (1, 2, 3)]
COLUMNS = "ecg_id,patient_id,age,sex,recording_date,scp_codes,strat_fold,filename_lr,filename_hr"
TABLE = "\n".join([COLUMNS, *(
    f"{k},{patient}.0,56.0,1,1984-11-09 09:17:34,{{'NORM': 100.0}},{fold},{lr},{hr}"
    for k, patient, fold, lr, hr in zip((1, 2, 3), (7, 8, 7), (1, 2, 3), LOW, HIGH, strict=True))])
STATEMENTS = ",description,diagnostic,form,rhythm,diagnostic_class\nNORM,normal,1.0,,,NORM\n"
BESIDE = {"LICENSE.txt", "ptbxl_database.csv", "scp_statements.csv"}


@pytest.fixture
def ptbxl():
    rng = np.random.default_rng(0)
    files = {f"{record}.{extension}": rng.bytes(size) for record in LOW + HIGH
             for extension, size in (("hea", 60), ("dat", 100_000))}
    files |= {"RECORDS": "".join(f"{record}\n" for record in LOW + HIGH).encode(),
              "LICENSE.txt": b"CC BY 4.0", "ptbxl_database.csv": TABLE.encode(),
              "scp_statements.csv": STATEMENTS.encode(), "example_physionet.py": b"import os"}
    server = Server(files, "ptb-xl/1.0.3")
    yield server
    server.close()


def fetch(server, tmp_path, name="ptbxl", **options):
    return download(name, tmp_path, progress=False, base_url=server.url, **options)


def assert_there(server, folder, records, beside=BESIDE, extensions=("hea", "dat")):
    """Exactly these files, as published, and lists that name them and no others."""
    files = {f"{record}.{one}" for record in records for one in extensions} | beside
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == files | {"RECORDS", SUMS}
    assert all((folder / file).read_bytes() == server.files[file] for file in files)
    assert (folder / "RECORDS").read_text().split() == list(records)
    listed = parse_sums((folder / SUMS).read_text())
    assert files <= set(listed) and all(sha256_of(folder / file) == listed[file] for file in files)


@pytest.mark.parametrize("rate, records", [(0, LOW), (100, LOW), ("500", HIGH)])
def test_one_rate_is_fetched_with_its_tables(ptbxl, tmp_path, rate, records):
    folder = fetch(ptbxl, tmp_path, rate=rate)
    assert_there(ptbxl, folder, records)
    assert read_metadata(folder, database=DATABASES["ptbxl"]).of(records[2]).subject == "7"
    ptbxl.requested.clear()
    fetch(ptbxl, tmp_path, rate=rate)
    assert set(ptbxl.requested) == {SUMS, "RECORDS"}


def test_all_rates_are_the_published_database(ptbxl, tmp_path):
    folder = fetch(ptbxl, tmp_path, rate="all")
    assert_there(ptbxl, folder, LOW + HIGH)
    assert (folder / SUMS).read_bytes() == ptbxl.files[SUMS]


def test_a_fold_and_then_another(ptbxl, tmp_path):
    folder = fetch(ptbxl, tmp_path, folds=[2])
    assert_there(ptbxl, folder, LOW[1:2])
    ptbxl.requested.clear()
    fetch(ptbxl, tmp_path, folds=["3", 1])
    assert_there(ptbxl, folder, LOW)
    assert f"{LOW[1]}.dat" not in ptbxl.requested
    fetch(ptbxl, tmp_path, folds=[2], rate=500)
    assert_there(ptbxl, folder, LOW + HIGH[1:2])


def test_records_by_name_end_pattern_and_file(ptbxl, tmp_path):
    wishes = tmp_path / "wanted.txt"
    wishes.write_text("00002_lr\n")
    for k, (records, expected) in enumerate([
        (LOW[0], LOW[:1]), (["00003_lr", str(wishes)], LOW[1:]), ("*/0000[12]_*", LOW[:2]),
        ("00001_hr", HIGH[:1]), ([LOW[0], HIGH[0]], [LOW[0], HIGH[0]]),
    ]):
        assert_there(ptbxl, fetch(ptbxl, tmp_path / str(k), records=records), expected)


@pytest.mark.parametrize("options, message", [
    ({"records": ["00004_lr"]}, "no record '00004_lr'.*Did you mean"),
    ({"records": ["nothing*"]}, r"no record 'nothing\*'"), ({"records": []}, "No records"),
    ({"folds": [11]}, "no fold '11'.*one of 1, 2, 3"),
    ({"folds": [1], "records": LOW[1:]}, "no fold '1'"),
    ({"rate": 250}, "not published at 250 Hz.*100 Hz or 500 Hz"), ({"rate": "fast"}, "rate is wro"),
])
def test_what_cannot_be_fetched_is_named(ptbxl, tmp_path, options, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        fetch(ptbxl, tmp_path, **options)
    assert not list(tmp_path.rglob("*.dat"))


def test_databases_without_rates_or_folds_say_so(ptbxl, tmp_path):
    with pytest.raises(InputError, match="(?s)no published folds.*ptbxl"):
        fetch(ptbxl, tmp_path, "mitdb", folds=[1])
    with pytest.raises(InputError, match="(?s)MIT-BIH.*not published at 100 Hz"):
        fetch(ptbxl, tmp_path, "mitdb", rate=100)


def test_damaged_files_and_a_busy_server_are_asked_again(ptbxl, tmp_path):
    ptbxl.wrong = {f"{LOW[0]}.hea": 1, "ptbxl_database.csv": 1}
    ptbxl.busy = {f"{LOW[2]}.dat": 2}
    assert_there(ptbxl, fetch(ptbxl, tmp_path), LOW)
    (tmp_path / "ptbxl" / f"{LOW[0]}.dat").write_bytes(b"damaged")
    assert_there(ptbxl, fetch(ptbxl, tmp_path), LOW)
    ptbxl.wrong = {"scp_statements.csv": 99}
    (tmp_path / "ptbxl/scp_statements.csv").unlink()
    with pytest.raises(InputError, match="(?s)scp_statements.csv.*SHA256"):
        fetch(ptbxl, tmp_path, attempts=2)


def test_a_license_that_cannot_be_verified_does_not_withhold_the_ecgs(ptbxl, tmp_path):
    ptbxl.files["LICENSE.txt"] = b"with other line ends"
    with pytest.warns(UserWarning, match="LICENSE.txt.*without it"):
        folder = fetch(ptbxl, tmp_path, attempts=1)
    assert_there(ptbxl, folder, LOW, BESIDE - {"LICENSE.txt"})


def test_without_a_network_a_part_is_not_taken_for_the_whole(ptbxl, tmp_path):
    nowhere = {"base_url": "http://127.0.0.1:1/files", "attempts": 1, "progress": False}
    fetch(ptbxl, tmp_path, folds=[1])
    for options in ({}, {"folds": [1]}):
        with pytest.raises(InputError, match="check the network"):
            download("ptbxl", tmp_path, **options, **nowhere)
    folder = fetch(ptbxl, tmp_path, rate="all")
    assert download("ptbxl", tmp_path, **nowhere) == folder


@pytest.mark.parametrize("listed", [True, False])
def test_cinc2017_lies_in_folders_of_the_training_set(tmp_path, listed):
    names = ["A00/A00001", "A01/A01001"]
    files = {f"{root}/{name}.{one}": f"{name}{one}".encode() for root in ("training", "validation")
             for name in names for one in ("hea", "mat")}
    files |= {"REFERENCE-v3.csv": b"A00001,N\nA01001,~\n", "training/REFERENCE.csv": b"A00001,O\n"}
    if listed:
        files["training/RECORDS"] = "\n".join(names).encode()
    server = Server(files, "challenge-2017/1.0.0")
    try:
        folder = fetch(server, tmp_path, "cinc2017")
        records = [f"training/{name}" for name in names]
        assert_there(server, folder, records, {"REFERENCE-v3.csv", "training/REFERENCE.csv"},
                     ("hea", "mat"))
        metadata = read_metadata(folder, database=DATABASES["cinc2017"])
        assert [metadata.of(name).labels["rhythm"] for name in records] == [("N",), ("~",)]
    finally:
        server.close()


def test_ludb_comes_with_an_annotation_file_a_lead_and_nstdb_with_its_noise(tmp_path):
    leads = DATABASES["ludb"].annotators
    files = {f"data/1.{one}": one.encode() for one in ("hea", "dat", "pdf", *leads)}
    server = Server(files | {"RECORDS": b"data/1\n", "ludb.csv": b"ID,Sex\n1,F\n"}, "ludb/1.0.1")
    assert_there(server, fetch(server, tmp_path, "ludb"), ["data/1"], {"ludb.csv"},
                 ("hea", "dat", *leads))
    server.close()
    files = {f"{name}.{one}": name.encode() for name in ("118e24", "bw", "em", "ma")
             for one in ("hea", "dat")}
    server = Server(files | {"RECORDS": b"118e24\nbw\nem\nma\n"}, "nstdb/1.0.0")
    assert_there(server, fetch(server, tmp_path, "nstdb"), ["bw", "em", "ma"], set())
    server.close()


def test_progress_is_shown_on_request_only(ptbxl, tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fetch(ptbxl, tmp_path)
    assert capsys.readouterr().err == ""
    (tmp_path / "ptbxl" / f"{LOW[0]}.dat").unlink()
    download("ptbxl", tmp_path, base_url=ptbxl.url)
    assert "6/6" in capsys.readouterr().err
