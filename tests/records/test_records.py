"""Records: what is read of WFDB files and folders, and what is refused."""

import math

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.records import DATABASES, Record, load, read_record
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.person import about
from tests.wfdb_writing import FS, change, wave, write


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["212", "16", "80", "24", "32", "61", "160"])
def test_signal_comes_back_in_every_format(tmp_path, fmt):
    signal = np.clip(wave(999), -0.6, 0.6)
    path = write(tmp_path, fmt="16" if fmt in ("61", "160") else fmt, signal=signal)
    if fmt in ("61", "160"):  # formats that wfdb reads only: big-endian, offset binary
        data = np.fromfile(path.with_suffix(".dat"), "<i2")
        stored = data.astype(">i2") if fmt == "61" else (data + np.int32(32768)).astype("<u2")
        stored.tofile(path.with_suffix(".dat"))
        change(path, "r1.dat 16", f"r1.dat {fmt}")
    record = read_record(path)
    assert record.signal.dtype == np.float32 and record.signal.shape == (999, 2)
    np.testing.assert_allclose(record.signal, signal, atol=0.5 / 200)
    assert (record.fs, record.leads, record.name) == (FS, ("MLII", "V1"), "r1")
    assert record.database == tmp_path.name and record.subject == "r1"


def test_only_beats_are_kept_of_the_annotations(tmp_path):
    record = read_record(write(tmp_path))
    assert record.beats.tolist() == [10, 500, 700] and record.beats.dtype == np.int64
    assert record.symbols.tolist() == ["N", "V", "A"]
    assert record.aami().tolist() == ["N", "V", "S"]


def test_record_without_annotations_has_no_beats(tmp_path):
    record = read_record(write(tmp_path, beats=False))
    assert len(record.beats) == len(record.symbols) == len(record.aami()) == 0


def test_leads_are_chosen_by_name_never_by_column(tmp_path):
    signal = wave()
    path = write(tmp_path, leads=("V5", "MLII"), signal=signal)
    np.testing.assert_allclose(read_record(path, "MLII").signal[:, 0], signal[:, 1], atol=1e-3)
    turned = read_record(path, ["MLII", "V5"])
    assert turned.leads == ("MLII", "V5")
    np.testing.assert_allclose(turned.signal, signal[:, ::-1], atol=1e-3)


def test_invalid_samples_are_nan(tmp_path):
    signal = wave()
    signal[100:110, 0] = np.nan
    found = read_record(write(tmp_path, signal=signal)).signal
    assert np.isnan(found[100:110, 0]).all() and np.isnan(found).sum() == 10


def test_lead_sampled_faster_than_the_frame_keeps_its_rate(tmp_path):
    fast, slow = wave(800, leads=1)[:, 0], wave(200, seed=1, leads=1)[:, 0]
    wfdb.wrsamp(
        "multi", fs=FS, units=["mV"] * 2, sig_name=["II", "RESP"], fmt=["16"] * 2,
        e_p_signal=[fast, slow], samps_per_frame=[4, 1], adc_gain=[200.0] * 2, baseline=[0] * 2,
        write_dir=str(tmp_path),
    )
    record = read_record(tmp_path / "multi", "II")
    assert record.fs == 4 * FS
    np.testing.assert_allclose(record.signal[:, 0], fast, atol=0.5 / 200)
    with pytest.raises(InputError, match="different sampling rates"):
        read_record(tmp_path / "multi")


def test_segments_are_joined_with_gaps_as_nan(tmp_path):
    write(tmp_path, "s1", signal=wave(300), beats=False)
    write(tmp_path, "s2", signal=wave(200, leads=1), leads=("MLII",), beats=False)
    (tmp_path / "all.hea").write_text(f"all/3 2 {FS} 600\ns1 300\n~ 100\ns2 200\n")
    [record] = load(tmp_path)  # the segments are no records of their own
    assert record.name == "all" and record.signal.shape == (600, 2)
    np.testing.assert_allclose(record.signal[:300], wave(300), atol=1e-3)
    assert np.isnan(record.signal[300:400]).all() and np.isnan(record.signal[400:, 1]).all()
    assert set(record.source["files"]) == {"all.hea", "s1.hea", "s1.dat", "s2.hea", "s2.dat"}


def test_person_is_read_from_comments(tmp_path):
    record = read_record(write(tmp_path, comments=["subject: P 7", "Age: 25", "Sex: male",
                                                   "ECG date: 07.12.2004"]))
    assert (record.subject, record.age, record.sex) == ("P 7", 25.0, "male")
    assert record.session == "2004-12-07"
    known = about(["<age>: 81 <sex>: F <diagnoses>: none"])
    assert (known["age"], known["sex"]) == (81.0, "female")
    assert math.isnan(about(["-1 M 742 654 x1"], first_line=True)["age"])
    assert about(["-1 M 742 654 x1"], first_line=True)["sex"] == "male"


def test_folders_may_nest_and_rates_may_differ(tmp_path):
    root = tmp_path / "own"
    write(root / "p2", "r1")
    path = write(root / "p1", "r1", wave(seed=5))
    change(path, f"r1 2 {FS}", "r1 2 360")
    found = load(root)
    assert [r.name for r in found] == ["p1/r1", "p2/r1"]
    assert [r.fs for r in found] == [360, FS] and {r.database for r in found} == {"own"}
    (root / "RECORDS").write_text("p2/r1\n")
    assert [r.name for r in load(root)] == ["p2/r1"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("NLRBejnAaJSVErF/fQ?"), max_size=20))
def test_every_beat_has_one_aami_class(symbols):
    record = Record("r", "d", "s", np.zeros((9, 1), np.float32), 360.0, ("II",),
                    np.arange(len(symbols)), np.array(symbols, "<U1"))
    groups = {"N": "NLRBejn", "S": "AaJS", "V": "VEr", "F": "F", "Q": "/fQ?"}
    for symbol, name in zip(symbols, record.aami(), strict=True):
        assert symbol in groups[name]


# --- what is refused -----------------------------------------------------------------------------


def test_unknown_lead_says_which_exist(tmp_path):
    path = write(tmp_path)
    with pytest.raises(InputError, match="(?s)no lead 'MLI'.*'MLII', 'V1'.*Did you mean 'MLII'"):
        read_record(path, "MLI")
    with pytest.raises(InputError, match="(?s)No record.*'aVR'.*'MLII'"):
        load(tmp_path, leads="aVR")


@pytest.mark.parametrize("records", [None, ["r2"]])
def test_records_without_the_lead_are_left_out_unless_named(tmp_path, records):
    root = tmp_path / "own"
    write(root)
    write(root, "r2", leads=("V5",), signal=wave(leads=1))
    if records:
        with pytest.raises(InputError, match="(?s)r2.*no lead 'MLII'"):
            load(root, leads="MLII", records=records)
        return
    for _ in range(2):  # the second from the cache
        with pytest.warns(UserWarning, match="1 of 2 recordings.*left out.*'r2'.*MLII"):
            assert [r.name for r in load(root, leads="MLII")] == ["r1"]


def test_header_and_list_cannot_point_outside(tmp_path):
    write(tmp_path, "outside")
    path = write(tmp_path / "own")
    change(path, "r1.dat", "../outside.dat")
    with pytest.raises(InputError, match="outside its own folder|malformed"):
        read_record(path)
    write(tmp_path / "own", "all", beats=False)
    (tmp_path / "own" / "all.hea").write_text(f"all/1 2 {FS} 1000\n../outside 1000\n")
    with pytest.raises(InputError, match="outside its own folder|malformed"):
        read_record(tmp_path / "own" / "all")
    (tmp_path / "own" / "RECORDS").write_text("../outside\n")
    with pytest.raises(InputError, match="outside its own folder"):
        load(tmp_path / "own")
    (tmp_path / "own" / "RECORDS").write_text(f"{tmp_path}/outside\n")
    with pytest.raises(InputError, match="outside its own folder"):
        load(tmp_path / "own")


def test_missing_and_truncated_signals_are_named(tmp_path):
    path = write(tmp_path)
    data = path.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"(?s)r1\.dat'.*length.*3000 bytes.*2970"):
        read_record(path)
    data.unlink()
    with pytest.raises(InputError, match=r"r1\.dat' is no file"):
        read_record(path)
    path.with_suffix(".hea").unlink()
    with pytest.raises(InputError, match=r"r1\.hea' is no file"):
        read_record(path)


def test_header_that_disagrees_with_its_signal_is_refused(tmp_path):
    path = write(tmp_path)
    data = bytearray(path.with_suffix(".dat").read_bytes())
    data[600] ^= 1
    path.with_suffix(".dat").write_bytes(data)
    with pytest.raises(InputError, match="(?s)disagree.*checksum"):
        read_record(path)
    path = write(tmp_path, "short")
    change(path, f"short 2 {FS} 1000", f"short 2 {FS} 900")
    with pytest.raises(InputError, match="(?s)disagree.*over 900 samples"):
        read_record(path)


@pytest.mark.parametrize(
    "text",
    ["", "# only a comment", "r1", "r1 2 0 1000\nr1.dat 16 200 12 0 0 0 0 I\nr1.dat 16 200",
     "r1 2 250 1000\nr1.dat 16 200/mV 12 0 0 0 0 I\n", "r1 0 250 1000\n", "\x00\xff garbage \x01",
     "r1 1 250 1000\nr1.dat 999 200/mV 12 0 0 0 0 I\n", "r1/2 1 250 1000\nr1 10\nr1 20\n",
     "r1/1 1 250 1000\nr1 1000\n", "r1 1 nan 1000\nr1.dat 16 200 12 0 0 0 0 I\n"],
)
def test_malformed_headers_are_input_errors(tmp_path, text):
    path = write(tmp_path)
    path.with_suffix(".hea").write_text(text)
    with pytest.raises(InputError, match="r1"):
        read_record(path)


def test_malformed_annotations_are_input_errors(tmp_path):
    path = write(tmp_path)
    path.with_suffix(".atr").write_bytes(b"\xff" * 7)
    with pytest.raises(InputError, match=r"r1\.atr"):
        read_record(path)


def test_missing_things_say_how_to_get_them(tmp_path):
    with pytest.raises(InputError, match="(?s)ecg-tf data mitdb.*ECG_TF_DATA"):
        load("mitdb", tmp_path)
    with pytest.raises(InputError, match="Did you mean 'mitdb'"):
        load("midb", tmp_path)
    with pytest.raises(InputError, match="no database or folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no ECGs"):
        load(tmp_path / "empty")
    write(tmp_path / "own")
    with pytest.raises(InputError, match="no record 'r9'"):
        load(tmp_path / "own", records=["r9"])
    with pytest.raises(InputError, match="leads are not usable"):
        load(tmp_path / "own", leads=["V1", "V1"])


def test_damaged_file_of_a_known_database_is_named(tmp_path):
    path = write(tmp_path / "mitdb", "100")
    sums = tmp_path / "mitdb" / "SHA256SUMS.txt"
    files = [path.with_suffix(suffix) for suffix in (".hea", ".dat", ".atr")]
    sums.write_text("".join(f"{sha256_of(file)}  {file.name}\n" for file in files))
    assert load("mitdb", tmp_path)[0].subject == "mitdb-100"
    change(path, "100 2", "100  2")  # still a good header, but not the published one
    with pytest.raises(InputError, match=r"(?s)MIT-BIH.*damaged.*100\.hea.*published.*data mit"):
        load("mitdb", tmp_path)
    path.with_suffix(".dat").unlink()
    with pytest.raises(InputError, match=r"(?s)MIT-BIH.*damaged.*100\.dat"):
        load("mitdb", tmp_path)


def test_damaged_start_is_cut_off_and_beats_move_along(tmp_path):
    name, cut = "Person_15/rec_1", DATABASES["ecgiddb"].damaged_starts["Person_15/rec_1"]
    good = wave(2000)
    leads = ("ECG I", "ECG I filtered")
    path = write(tmp_path / "ecgiddb" / "Person_15", "rec_1", good, leads, "16", beats=False)
    wfdb.wrann("rec_1", "atr", np.array([100, cut + 7]), ["N", "N"], write_dir=str(path.parent))
    whole = load("ecgiddb", tmp_path, leads="all")[0]
    assert whole.signal.shape == (2000, 2)  # the checksum is right: nothing to repair
    data = np.fromfile(path.with_suffix(".dat"), "<i2")
    data[: 2 * cut] = -1
    data.tofile(path.with_suffix(".dat"))
    [record] = load("ecgiddb", tmp_path, leads="all")
    assert record.name == name and record.subject == "ecgiddb-Person_15"
    np.testing.assert_allclose(record.signal, good[cut:], atol=0.5 / 200)
    assert record.beats.tolist() == [7]
    data[2 * cut + 5] += 1  # another damage: not the known one
    data[:3] = 9
    data.tofile(path.with_suffix(".dat"))
    with pytest.raises(InputError, match="disagree"):
        load("ecgiddb", tmp_path, leads="all")
