"""One WFDB record: units, damage, checksums, rates, and signals that nobody asked for."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import wfdb
from wfdb.io import annotation

from ecg_tf.base.errors import InputError
from ecg_tf.records import read_record
from ecg_tf.records.databases import DATABASES
from ecg_tf.records.formats import wfdb_files, wfdb_header
from ecg_tf.records.formats.common import MissingLead
from ecg_tf.records.formats.wfdb_files import read_wfdb
from tests.wfdb_writing import FS, change, wave, write


def read(path, leads=None, **options):
    return read_wfdb(path.with_suffix(".hea"), path.parent, leads, **options)


def put(path, lines, fs=str(FS), frames=None):
    """Writes a header of signal lines; what is given as bytes goes in as it is."""
    first = f"{path.name} {len(lines)} {fs}{'' if frames is None else f' {frames}'}"
    lines = [line if isinstance(line, bytes) else line.encode() for line in (first, *lines)]
    path.with_suffix(".hea").write_bytes(b"\n".join(lines))


def digits(folder, name="r1.dat", n=1000, seed=0, signals=1, dtype="<i2"):
    """A signal file of random samples, which it returns (time, signal)."""
    values = np.random.default_rng(seed).integers(-500, 500, (n, signals))
    values.astype(dtype).tofile(folder / name)
    return values


def checksum(values):
    return int(values.sum()) & 0xFFFF


# --- units and bytes -----------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [
    "\N{MICRO SIGN}V".encode(), "\N{GREEK SMALL LETTER MU}V".encode(), b"\xb5V", b"uV", b"UV",
    b"microvolt"])
def test_every_spelling_of_microvolt_is_microvolt(tmp_path, unit):
    values = digits(tmp_path)
    put(tmp_path / "r1", [b"r1.dat 16 1/" + unit + b" 12 0 0 %d 0 II" % checksum(values)])
    record = read(tmp_path / "r1")
    np.testing.assert_allclose(record.signal, values / 1000, rtol=1e-6)
    assert record.notes == ()


def test_what_is_no_voltage_is_skipped_or_named(tmp_path):
    values = digits(tmp_path, signals=3)
    put(tmp_path / "r1", ["r1.dat 16 1/mmHg 12 0 0 0 0 ABP", "r1.dat 16 200 12 0 0 "
                          f"{checksum(values[:, 1])} 0 II", "r1.dat 16 1/?V 12 0 0 0 0 V1"])
    assert read(tmp_path / "r1").leads == ("II",)
    np.testing.assert_allclose(read(tmp_path / "r1").signal[:, 0], values[:, 1] / 200, rtol=1e-6)
    with pytest.raises(MissingLead, match=r"(?s)no lead 'V1'.*'II'.*'\?V', which is no known unit"):
        read(tmp_path / "r1", ("V1",))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_persons_and_leads_keep_their_letters(tmp_path, encoding):
    values = digits(tmp_path)
    for name, person in (("a", "M\u00fcller"), ("b", "M\u00f6ller")):
        line = f"r1.dat 16 200/mV 12 0 0 {checksum(values)} 0 H\u00f6he"
        put(tmp_path / name, [line.encode(encoding)])
        with (tmp_path / f"{name}.hea").open("ab") as file:
            file.write(f"\n# subject: {person}\n".encode(encoding))
    assert [read(tmp_path / name).subject for name in "ab"] == ["M\u00fcller", "M\u00f6ller"]
    assert read(tmp_path / "a", ("H\u00f6he",)).leads == ("H\u00f6he",)


def test_file_name_keeps_its_letters(tmp_path):
    values = digits(tmp_path, "M\u00fc.ller.dat")
    digits(tmp_path, "Mller.dat", seed=1)
    put(tmp_path / "r1", [f"M\u00fc.ller.dat 16 200/mV 12 0 0 {checksum(values)} 0 II"])
    np.testing.assert_allclose(read(tmp_path / "r1").signal, values / 200, rtol=1e-6)


# --- what cannot be verified, or is wrong --------------------------------------------------------


def test_checksum_zero_is_read_and_said(tmp_path):
    values = digits(tmp_path)
    put(tmp_path / "r1", ["r1.dat 16 200/mV 12 0 0 0 0 II"], frames=1000)
    record = read(tmp_path / "r1")
    assert len(record.notes) == 1 and "could not be verified" in record.notes[0]
    np.testing.assert_allclose(record.signal, values / 200, rtol=1e-6)
    put(tmp_path / "r1", ["r1.dat 16 200/mV"], frames=1000)
    assert "no checksum" in read(tmp_path / "r1").notes[0]
    for line in ("r1.dat 16 200/mV 12 0 0 0 0 II", "r1.dat 16 200/mV"):
        put(tmp_path / "r1", [line], frames=900)  # only the length could tell
        with pytest.raises(InputError, match="does not have the length"):
            read(tmp_path / "r1")
    put(tmp_path / "r1", [f"r1.dat 16 200/mV 12 0 0 {checksum(values[:900])} 0 II"], frames=900)
    assert len(read(tmp_path / "r1").signal) == 900 and read(tmp_path / "r1").notes == ()


def test_a_wrong_checksum_is_refused_and_zero_may_be_right(tmp_path):
    values = digits(tmp_path)
    put(tmp_path / "r1", [f"r1.dat 16 200/mV 12 0 0 {checksum(values) ^ 1} 0 II"], frames=1000)
    with pytest.raises(InputError, match="(?s)disagree.*lead 'II'"):
        read(tmp_path / "r1")
    values[0] -= values.sum()
    values.astype("<i4").tofile(tmp_path / "r1.dat")
    put(tmp_path / "r1", ["r1.dat 32 200/mV 12 0 0 0 0 II"], frames=1000)
    assert read(tmp_path / "r1").notes == ()


def test_missing_gain_is_said(tmp_path):
    values = digits(tmp_path)
    put(tmp_path / "r1", [f"r1.dat 16 0/mV 12 0 0 {checksum(values)} 0 II"])
    record = read(tmp_path / "r1")
    assert "no gain for II" in record.notes[0]
    np.testing.assert_allclose(record.signal, values / 200, rtol=1e-6)


@pytest.mark.parametrize("gain", ["1e-300", "1e-45"])
def test_gain_that_makes_no_finite_voltage_is_refused(tmp_path, gain):
    values = digits(tmp_path)
    put(tmp_path / "r1", [f"r1.dat 16 {gain}/mV 12 0 0 {checksum(values)} 0 II"])
    with pytest.raises(InputError, match="no finite voltage"):
        read(tmp_path / "r1")


# --- rates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fs", ["249.89", "499.31", "333.3333", "10"])
def test_any_rate_of_an_ecg_is_read(tmp_path, fs):
    values = digits(tmp_path)
    put(tmp_path / "r1", [f"r1.dat 16 200/mV 12 0 0 {checksum(values)} 0 II"], fs)
    assert read(tmp_path / "r1").fs == float(fs)


def test_numerics_are_no_ecg(tmp_path):
    values = digits(tmp_path)
    for unit in ("bpm", "mV"):
        put(tmp_path / "r1", [f"r1.dat 16 1/{unit} 12 0 0 {checksum(values)} 0 HR"], "0.0166667")
        with pytest.raises(MissingLead, match="no ECG lead"):
            read(tmp_path / "r1")
    with pytest.raises(MissingLead, match="(?s)no lead 'HR'.*sampled at 0.0166667 Hz"):
        read(tmp_path / "r1", ("HR",))
    put(tmp_path / "r1", [], frames=1000)
    with pytest.raises(MissingLead, match="no ECG lead"):
        read(tmp_path / "r1")


def test_frames_may_be_slow_if_the_samples_are_not(tmp_path):
    values = digits(tmp_path, n=1000)
    put(tmp_path / "r1", [f"r1.dat 16x250 200/mV 12 0 0 {checksum(values)} 0 II"], "1", 4)
    record = read(tmp_path / "r1")
    assert record.fs == 250 and record.signal.shape == (1000, 1)
    wfdb.wrann("r1", "atr", np.array([1, 3]), ["N", "N"], write_dir=str(tmp_path))
    assert read(tmp_path / "r1").beats.tolist() == [250, 750]  # annotations count frames
    wfdb.wrann("r1", "atr", np.array([5, 7]), ["N", "N"], fs=250, write_dir=str(tmp_path))
    assert read(tmp_path / "r1").beats.tolist() == [5, 7]


# --- signals that nobody asked for ---------------------------------------------------------------


@pytest.mark.parametrize("other", [
    "r1.dat 16 200/mV 12 0 0 {wrong} 0 V1", "r1.dat 16 200 /mV 12 0 0 0 0 V1",
    "r1.dat 16 1/mmHg 12 0 0 {wrong} 0 V1", "r1.dat 16 1e-300/mV 12 0 0 0 0 V1",
    "missing.dat 16 200/mV 12 0 0 0 0 V1", "short.dat 16 200/mV 12 0 0 0 0 V1",
    "short.dat 999 200/mV 12 0 0 0 0 V1", "short.dat 16x4 200/mV 12 0 0 0 0 V1",
    "flat.dat 16 200/mV 12 0 0 0 0 V1", "~ 0 200/mV 12 0 0 0 0 V1",
])
def test_only_what_is_asked_for_counts(tmp_path, other):
    one_file = other.startswith("r1.dat")
    values = digits(tmp_path, signals=1 + one_file)
    (tmp_path / "short.dat").write_bytes(b"x")
    np.zeros(1000, "<i2").tofile(tmp_path / "flat.dat")
    line = f"r1.dat 16 200/mV 12 0 0 {checksum(values[:, 0])} 0 II"
    put(tmp_path / "r1", [line, other.format(wrong=checksum(values[:, -1]) ^ 1)], frames=1000)
    record = read(tmp_path / "r1", ("II",))
    np.testing.assert_allclose(record.signal, values[:, :1] / 200, rtol=1e-6)
    assert list(record.source["files"]) == ["r1.hea", "r1.dat"]
    with pytest.raises(InputError):
        read(tmp_path / "r1", ("V1",))


def test_what_is_not_understood_may_be_the_lead_asked_for(tmp_path):
    values = digits(tmp_path, signals=2)
    put(tmp_path / "r1", [f"r1.dat 16 200/mV 12 0 0 {checksum(values[:, 0])} 0 II",
                          "r1.dat 16 200 /mV 12 0 0 0 0 V1"], frames=1000)
    for leads in (("V1",), None):
        with pytest.raises(InputError, match="(?s)malformed.*'/mV' where a number belongs"):
            read(tmp_path / "r1", leads)


@pytest.mark.parametrize(("value", "named"), [(0.25, "0.25 mV"), (np.nan, "only NaN")])
def test_flat_lead_is_named(tmp_path, value, named):
    signal = wave()
    signal[:, 1] = value
    path = write(tmp_path, signal=signal)
    for leads in (None, ("V1",)):
        with pytest.raises(InputError, match=f"(?s)'V1'.*holds no ECG.*{named}"):
            read(path, leads)
    assert read(path, ("MLII",)).leads == ("MLII",)
    signal[500:, 1] = np.linspace(0, 0.3, 500)  # what varies late varies
    assert read(write(tmp_path, signal=signal)).leads == ("MLII", "V1")


def test_signals_of_one_file_need_not_stand_together(tmp_path):
    first, second = digits(tmp_path, signals=2), digits(tmp_path, "r2.dat", seed=1)
    put(tmp_path / "r1", [f"r1.dat 16 200/mV 12 0 0 {checksum(first[:, 0])} 0 II",
                          f"r2.dat 16 200/mV 12 0 0 {checksum(second)} 0 V1",
                          f"r1.dat 16 200/mV 12 0 0 {checksum(first[:, 1])} 0 V5"])
    expected = np.stack([first[:, 0], second[:, 0], first[:, 1]], 1) / 200
    np.testing.assert_allclose(read(tmp_path / "r1").signal, expected, rtol=1e-6)


def test_segment_without_ecg_is_a_gap(tmp_path):
    values = digits(tmp_path, "s1.dat")
    put(tmp_path / "s1", [f"s1.dat 16 200/mV 12 0 0 {checksum(values)} 0 II"], frames=1000)
    digits(tmp_path, "s2.dat", n=500)
    put(tmp_path / "s2", ["s2.dat 16 1/mmHg 12 0 0 0 0 II"], frames=500)
    (tmp_path / "all.hea").write_text(f"all/2 1 {FS} 1500\ns1 1000\ns2 500\n")
    for leads in (None, ("II",)):
        signal = read(tmp_path / "all", leads).signal
        np.testing.assert_allclose(signal[:1000], values / 200, rtol=1e-6)
        assert signal.shape == (1500, 1) and np.isnan(signal[1000:]).all()
    (tmp_path / "all.hea").write_text(f"all/1 1 {FS} 500\ns2 500\n")
    with pytest.raises(MissingLead):
        read(tmp_path / "all")


# --- beats ---------------------------------------------------------------------------------------


def test_annotations_are_as_wfdb_reads_them(tmp_path):
    rng = np.random.default_rng(0)
    position = np.sort(rng.integers(1, 500_000, 300))
    symbols = rng.choice(list('NLRVAF/+~|"(ptx!fQ'), 300)
    notes = ["(AFIB" if symbol == "+" else "" for symbol in symbols]
    for fs in (None, 500):
        wfdb.wrann("r1", "atr", position, list(symbols), aux_note=notes, fs=fs,
                   subtype=rng.integers(0, 3, 300), chan=rng.integers(0, 2, 300),
                   num=rng.integers(0, 3, 300), write_dir=str(tmp_path))
        theirs = wfdb.rdann(str(tmp_path / "r1"), "atr")
        found, ours, stated = wfdb_files._annotations(tmp_path / "r1", "atr")
        kept = found > 0  # wfdb takes out the definitions, which stand at 0
        assert found[kept].tolist() == theirs.sample.tolist()
        assert ours[kept].tolist() == theirs.symbol
        assert stated == (fs or 0)


def test_codes_without_a_meaning_are_no_beats(tmp_path):
    path = write(tmp_path, beats=False)
    codes = [1, 41, 45, 5]
    wfdb.wrann("r1", "atr", np.array([10, 20, 30, 40]), label_store=np.array(codes),
               custom_labels=[(45, "Z", "N: no beat")], write_dir=str(tmp_path))
    file = tmp_path / "r1.atr"  # 42 has no meaning, of which wfdb makes "nan", and "n" is a beat
    file.write_bytes(file.read_bytes().replace(b"\x0a\xa4", b"\x0a\xa8")
                     .replace(b"45 Z N:", b"45 NN  "))  # its first letter would be a beat too
    assert math.isnan(wfdb.rdann(str(path), "atr").symbol[1])
    record = read(path)
    assert record.beats.tolist() == [10, 40] and record.symbols.tolist() == ["N", "V"]


def test_comment_at_the_start_is_no_trap(tmp_path):
    path = write(tmp_path, beats=False)
    wfdb.wrann("r1", "atr", np.array([0, 10]), ['"', "N"], aux_note=["## recorded at home", ""],
               write_dir=str(tmp_path))
    assert read(path).beats.tolist() == [10]  # wfdb.rdann would never return


# --- what it costs, and what it depends on -------------------------------------------------------


def test_the_header_is_read_once(tmp_path, monkeypatch):
    path = write(tmp_path)
    seen = []
    monkeypatch.setattr(wfdb_files, "read_header",
                        lambda *args: seen.append(args) or wfdb_header.read_header(*args))
    for module in (wfdb, wfdb.io.record, annotation.record):
        monkeypatch.setattr(module, "rdheader", None)
    assert read(path).beats.tolist() == [10, 500, 700] and len(seen) == 1


@pytest.mark.parametrize("fmt", ["8", "16", "24", "32", "61", "80", "160", "212", "310", "311",
                                 "516"])
def test_samples_are_as_wfdb_reads_them(tmp_path, fmt):
    if fmt == "516":
        import soundfile

        values = np.random.default_rng(0).integers(-500, 500, (4 * 999, 2)).astype(np.int16)
        soundfile.write(tmp_path / "r1.dat", values, 4 * FS, format="FLAC")
    else:
        bits = {"8": 8, "80": 8, "24": 24, "32": 32, "212": 12, "310": 32 / 3, "311": 32 / 3}
        n_bytes = math.ceil(8 * 999 * bits.get(fmt, 16) / 8)
        (tmp_path / "r1.dat").write_bytes(np.random.default_rng(0).bytes(n_bytes))
    put(tmp_path / "r1", [f"r1.dat {fmt}x4 20(3)/mV 12 0 5", f"r1.dat {fmt}x4 9/mV"], frames=999)
    big_endian = fmt == "61"  # which wfdb 4.3 reads only if it converts it itself
    theirs = wfdb.rdrecord(str(tmp_path / "r1"), smooth_frames=False, physical=big_endian)
    for column, (baseline, gain) in enumerate(((3, 20), (0, 9))):
        if big_endian:
            expected = theirs.e_p_signal[column]
        else:
            digital = theirs.e_d_signal[column]
            expected = (digital - float(baseline)) / gain
            resolution = {"80": 8, "24": 24, "32": 32, "212": 12, "310": 10, "311": 10}.get(fmt, 16)
            if fmt != "8":  # whose samples are all valid
                expected[digital == -(2 ** (resolution - 1))] = np.nan
        found = read(tmp_path / "r1").signal[:, column]
        np.testing.assert_array_equal(found, expected.astype(np.float32))


def test_skew_is_taken_back(tmp_path):
    values = digits(tmp_path, signals=2)
    put(tmp_path / "r1", [f"r1.dat 16 200/mV 12 0 0 {checksum(values[:, 0])} 0 II",
                          f"r1.dat 16:3 200/mV 12 0 0 {checksum(values[:, 1])} 0 V1"])
    found = read(tmp_path / "r1").signal
    np.testing.assert_allclose(found[:, 0], values[:, 0] / 200, rtol=1e-6)
    np.testing.assert_allclose(found[:-3, 1], values[3:, 1] / 200, rtol=1e-6)
    assert np.isnan(found[-3:, 1]).all()


# --- the record ----------------------------------------------------------------------------------


def test_record_of_a_folder_and_of_a_database(tmp_path):
    path = write(tmp_path / "mitdb" / "sub", "202", comments=["69 M 1085 x1", "subject: 7"])
    record = read_wfdb(path.with_suffix(".hea"), tmp_path / "mitdb", ("V1",))
    assert (record.name, record.database, record.subject) == ("sub/202", "mitdb", "7")
    assert record.sex == "" and list(record.source["files"]) == [
        "sub/202.hea", "sub/202.dat", "sub/202.atr"]
    path = write(tmp_path / "mitdb", "202", comments=["69 M 1085 x1"])
    record = read(path, database=DATABASES["mitdb"])
    assert (record.subject, record.sex, record.age) == ("mitdb-201", "male", 69.0)
    assert not record.paced
    path = write(tmp_path / "mitdb", "102")
    assert read(path, database=DATABASES["mitdb"]).paced
    assert read(write(tmp_path / "own")).subject == ""
    unknown_persons = SimpleNamespace(name="d", damaged_starts={}, paced=(), gain=0.0,
                                   subject=lambda name: "")
    path = write(tmp_path / "d", "r1", comments=["subject: 7"])
    assert read(path, database=unknown_persons).subject == "7"
    (path.parent / "SHA256SUMS.txt").write_text("0" * 64 + " r1.hea\n")
    with pytest.raises(InputError, match="not the published one"):
        read_record(path)


def test_links_within_the_folder_are_fine(tmp_path):
    root = tmp_path / "own"
    path = write(root / "a")
    (root / "b").mkdir()
    for file in path.parent.iterdir():
        (root / "b" / file.name).symlink_to(file)
    assert read_wfdb(root / "b" / "r1.hea", root).name == "b/r1"
    with pytest.raises(InputError, match="outside"):
        read_wfdb(root / "b" / "r1.hea", root / "b")
    change(path, "r1.dat", "../r1.dat")
    with pytest.raises(InputError, match="outside its own folder"):
        read_wfdb(path.with_suffix(".hea"), root)


def test_one_gain_for_all_leads_where_a_databases_headers_are_no_calibration(tmp_path):
    counts = np.random.default_rng(0).integers(-900, 900, (1000, 2))
    (tmp_path / "ludb" / "data").mkdir(parents=True)
    path = tmp_path / "ludb" / "data" / "1"
    wfdb.wrsamp("1", 500, ["mV"] * 2, ["i", "ii"], d_signal=counts, fmt=["16"] * 2,
                adc_gain=[1716.0, 1206.0], baseline=[0, 0], write_dir=str(path.parent))
    record = read_wfdb(path.with_suffix(".hea"), tmp_path / "ludb", database=DATABASES["ludb"])
    np.testing.assert_allclose(record.signal, counts / 1000, atol=1e-6)
    assert "1000 counts a mV are assumed" in " ".join(record.notes)
