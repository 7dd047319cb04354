"""Inputs of other people that once failed or were read wrongly: each test stands for its kind."""

import csv
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records import load
from ecg_tf.study.describe import describe
from ecg_tf.study.describe_text import text_of
from tests.records.test_edf_files import build


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path_factory.mktemp("cache")))


def ecg(seconds=20.0, fs=250.0, bpm=72.0, seed=0, height=1.2):
    """(time,) mV: P, QRS and T at even distances; and the samples of the R peaks."""
    t = np.arange(round(seconds * fs)) / fs
    peaks = np.arange(0.4, seconds - 0.4, 60 / bpm)
    y = 0.01 * np.random.default_rng(seed).standard_normal(len(t))
    for at, high, wide in ((-0.17, 0.1, 0.025), (-0.03, -0.1, 0.01), (0, 1, 0.012),
                           (0.03, -0.15, 0.012), (0.25, 0.25, 0.05)):
        for peak in peaks:
            y += height / 1.15 * high * np.exp(-0.5 * ((t - peak - at) / wide) ** 2)
    return y, np.round(peaks * fs).astype(int)


def wfdb_record(folder, name, signals, fs="250", gain="200", leads=("II",), comments=(),
                checksum=True, after="", encoding="utf-8"):
    """Writes 16-bit samples and a header of which every part can be odd.

    Args:
        folder: Path. name: of the record.
        signals: (time,) or (time, lead), in the unit of the gain.
        fs: text of the sampling rate. gain: text after the format, "200" or "1/uV".
        leads: names. comments: lines after "# ".
        checksum: bool, the true one, else 0.
        after: text at the end of the first line (time and date).
        encoding: of the header.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signals = np.asarray(signals, float).reshape(len(signals), -1)
    per_unit = float(gain.split("/")[0].split("(")[0])
    samples = np.round(signals * per_unit).astype("<i2")
    (folder / f"{name}.dat").write_bytes(samples.tobytes())
    lines = [f"{name} {len(leads)} {fs} {len(samples)} {after}".strip()]
    for lead, column in zip(leads, samples.T, strict=True):
        total = (int(column.astype(np.int64).sum()) + 2**15) % 2**16 - 2**15 if checksum else 0
        lines.append(f"{name}.dat 16 {gain} 16 0 {column[0]} {total} 0 {lead}")
    text = "\n".join([*lines, *(f"# {line}" for line in comments), ""])
    (folder / f"{name}.hea").write_bytes(text.encode(encoding))


def csv_file(path, columns, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def described(folder, **how):
    """`describe`, which is JSON and text whatever it found."""
    found = json.loads(json.dumps(describe(folder, **how), allow_nan=False))
    assert text_of(found).startswith(str(folder))
    return found


def loaded(folder, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(folder, **how)


# Units


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("mu", ["µ", "μ", "u"])
def test_a_header_in_microvolt(tmp_path, mu, encoding):
    if (mu, encoding) == ("μ", "latin-1"):
        pytest.skip("Latin-1 has no Greek letter")
    wfdb_record(tmp_path, "r", 1000 * ecg()[0], gain=f"1/{mu}V", encoding=encoding)
    found = described(tmp_path)
    assert found["amplitude_mv"] == pytest.approx(1.3, abs=0.15)
    assert found["heart_rate_bpm"] == pytest.approx(72, abs=1) and not found["implausible"]


@pytest.mark.parametrize("column", ["II (uV)", "II (µV)", "II [uV]"])
def test_a_csv_column_in_microvolt(tmp_path, column):
    rows = [(f"{k / 250:.4f}", f"{1000 * one:.1f}") for k, one in enumerate(ecg()[0])]
    csv_file(tmp_path / "a.csv", ("time", column), rows)
    found = described(tmp_path)
    assert found["amplitude_mv"] == pytest.approx(1.3, abs=0.15) and found["leads"] == ["II"]


@pytest.mark.parametrize("unit", [b"\xb5V", "µV", "uV"])
def test_an_edf_in_microvolt(tmp_path, unit):
    build(tmp_path / "a.edf", [1000 * ecg()[0]], ["ECG II"], [unit], [250], limit=5000)
    found = described(tmp_path)
    assert found["records"] == 1 and found["amplitude_mv"] == pytest.approx(1.3, abs=0.15)


def test_what_was_read_in_a_wrong_unit_is_said_by_name(tmp_path):
    wfdb_record(tmp_path, "good", ecg()[0])
    wfdb_record(tmp_path, "odd", 100 * ecg()[0], gain="200")  # microvolt would say 1000 times
    found = described(tmp_path)
    assert list(found["implausible"]) == ["unit"] and list(found["implausible"]["unit"]) == ["odd"]
    assert "'odd'" in " ".join(found["warnings"])


# Who is who


def test_two_rates_of_a_recording_and_patients_in_a_table(tmp_path):
    rows = []
    for k in range(1, 7):
        for fs, suffix in ((100, "lr"), (500, "hr")):
            y = ecg(10, fs, 60 + 5 * k, seed=k)[0]
            wfdb_record(tmp_path / f"records{fs}/00000", f"{k:05d}_{suffix}", y, str(fs))
            rows.append((f"{k:05d}_{suffix}", f"P{(k - 1) // 2}"))
    names = [f"records{fs}/00000/{k:05d}_{suffix}"
             for k in range(1, 7) for fs, suffix in ((100, "lr"), (500, "hr"))]
    (tmp_path / "RECORDS").write_text("\n".join([*names, ""]))
    csv_file(tmp_path / "subjects.csv", ("record", "subject"), rows)
    found = described(tmp_path)
    assert found["records"] == 6 and found["subjects"] == 3 and found["fs_hz"] == 100
    assert found["subjects_known_by"] == "metadata table" and found["subjects_with_several"] == 3
    assert found["left_out_by_kind"] == {"duplicate": 6}
    assert sum(part["subjects"] for part in found["split"]["parts"].values()) == 3


@pytest.mark.parametrize("key", ["patient_id", "Patient ID", "subject", "Patient"])
def test_patients_in_header_comments(tmp_path, key):
    for k in range(6):
        wfdb_record(tmp_path, f"r{k}", ecg(seed=k)[0], comments=[f"{key}: {k // 2}"])
    found = described(tmp_path)
    assert found["subjects"] == 3 and found["subjects_known_by"] == "header comments"


def test_a_blank_subject_is_no_person(tmp_path):
    for k in range(5):
        wfdb_record(tmp_path, f"r{k}", ecg(seed=k)[0])
    csv_file(tmp_path / "subjects.csv", ("record", "subject"),
             [("r0", "A"), ("r1", ""), ("r2", "nan"), ("r3", "NA"), ("r4", "B")])
    found = described(tmp_path)
    assert found["subjects"] == 5 and "r1" in " ".join(found["warnings"])


def test_nobody_says_who_is_who(tmp_path):
    for k in range(3):
        wfdb_record(tmp_path, f"r{k}", ecg(seed=k)[0])
    found = described(tmp_path)
    assert found["subjects_known_by"] == "nothing" and "who is who" in found["warnings"][0]
    assert "unknown persons" in text_of(found)


def test_ages_and_sexes_as_people_write_them(tmp_path):
    for k, comments in enumerate((["Age: 9 months"], ["Sex: Mujer"], ["sex: 0"],
                                  ["subject: 7 age: 60 sex: M"])):
        wfdb_record(tmp_path, f"r{k}", ecg(seed=k)[0], comments=comments)
    baby, woman, unknown, man = loaded(tmp_path)
    assert baby.age == 0.75 and woman.sex in ("female", "") and unknown.sex == ""
    assert (man.subject, man.age, man.sex) == ("7", 60.0, "male")


# Damaged and odd


def test_one_damaged_record_does_not_stop_a_folder(tmp_path):
    for k in range(8):
        y = ecg(30, seed=k)[0]
        wfdb_record(tmp_path, f"r{k}", 0 * y if k == 5 else y, comments=[f"subject: {k}"])
    (tmp_path / "r3.dat").write_bytes((tmp_path / "r3.dat").read_bytes()[:5000])
    found = described(tmp_path)
    assert found["records"] in (6, 7)
    assert "r3" in {one["name"] for one in found["left_out"]}
    flat = set(found["implausible"].get("flat", ()))
    assert "r5" in flat | {one["name"] for one in found["left_out"]}
    assert "r3" in text_of(found) and "r5" in text_of(found)
    with pytest.raises(InputError, match="r3"):
        describe(tmp_path, strict=True)


@pytest.mark.parametrize("after", ["05:05:15 1/05/2000", "2014-05-08 05:05:15"])
def test_a_checksum_of_zero_and_a_date_of_another_form(tmp_path, after):
    wfdb_record(tmp_path, "A1", ecg(30, 300)[0], "300", "1000/mV", ("ECG",), checksum=False,
                after=after)
    found = described(tmp_path)
    assert found["records"] == 1 and found["heart_rate_bpm"] == pytest.approx(72, abs=1)
    assert any("checksum" in note for note in found["notes"])


@pytest.mark.parametrize("fs", ["249.89", "499.31", "333.3333"])
def test_odd_rates_are_read_and_resampled(tmp_path, fs):
    from ecg_tf.signals.filtering import prepare

    y, peaks = ecg(30, float(fs))
    wfdb_record(tmp_path, "r", y, fs)
    found = described(tmp_path)
    assert found["fs_hz"] == float(fs) and "refused" not in found["windows"]
    (record,) = loaded(tmp_path)
    ready = prepare(record, 128.0)
    assert len(ready.signal) == pytest.approx(30 * 128, abs=2)
    last = round(peaks[-1] / float(fs) * 128)
    assert abs(np.argmax(ready.signal[last - 20 : last + 20, 0]) - 20) <= 1


def test_numerics_beside_an_ecg_are_left_out(tmp_path):
    wfdb_record(tmp_path, "ecg", ecg()[0])
    wfdb_record(tmp_path, "n", np.full(30, 60.0), "0.0166667", "1/bpm", ("HR",))
    found = described(tmp_path)
    assert found["records"] == 1 and [one["name"] for one in found["left_out"]] == ["n"]


def test_a_table_of_labels_beside_the_records(tmp_path):
    for k in range(4):
        wfdb_record(tmp_path, f"A{k}", ecg(30, seed=k)[0])
    (tmp_path / "REFERENCE.csv").write_text("A0,N\nA1,A\nA2,O\nA3,N\n")
    found = described(tmp_path)
    assert found["records"] == 4 and not found["left_out"]


def test_a_lead_that_nobody_asked_for_refuses_no_file(tmp_path):
    build(tmp_path / "a.edf", [ecg()[0], 20 * ecg(fs=125)[0]], ["ECG II", "EEG C3"],
          ["mV", "uV"], [250, 125], limit=30)
    found = described(tmp_path, leads=["ECG II"])
    assert found["leads"] == ["ECG II"] and found["fs_hz"] == 250


def test_two_signals_of_one_name_are_both_kept(tmp_path):
    build(tmp_path / "a.edf", [ecg()[0], 0.5 * ecg(seed=1)[0]], ["ECG", "ECG"], ["mV", "mV"],
          [250, 250])
    found = described(tmp_path)
    high, low = found["amplitude_mv_by_lead"].values()
    assert len(set(found["leads"])) == 2 and low == pytest.approx(high / 2, abs=0.1)


def test_an_edf_that_is_longer_than_its_header_says_is_not_cut_silently(tmp_path):
    build(tmp_path / "a.edf", [ecg(20)[0]], ["ECG II"], ["mV"], [250], announced=10)
    try:
        found = described(tmp_path)
    except InputError as error:
        assert "a" in str(error)
    else:
        assert found["seconds"] == 20


# CSV


@pytest.mark.parametrize("index", ["", "Unnamed: 0"])
def test_the_index_of_pandas_is_no_lead(tmp_path, index):
    rows = [(k, f"{k / 250:.4f}", f"{one:.4f}") for k, one in enumerate(ecg()[0])]
    csv_file(tmp_path / "a.csv", (index, "time", "II"), rows)
    found = described(tmp_path)
    assert found["leads"] == ["II"] and found["heart_rate_bpm"] == pytest.approx(72, abs=1)


def test_a_csv_of_beats_without_a_header_is_refused(tmp_path):
    beats = np.random.default_rng(0).random((20, 188)).round(6)
    csv_file(tmp_path / "a.csv", beats[0], beats[1:])
    with pytest.raises(InputError, match="header"):
        describe(tmp_path)


@pytest.mark.parametrize("fs", [250, 500])
def test_a_csv_whose_time_jumps_is_refused(tmp_path, fs):
    rows = [(f"{k / fs:.4f}", f"{one:.4f}") for k, one in enumerate(ecg(fs=fs)[0]) if k % 50 != 49]
    csv_file(tmp_path / "a.csv", ("time", "II"), rows)
    with pytest.raises(InputError, match="time"):
        describe(tmp_path)


# Rhythm


@pytest.mark.parametrize("step", [2.0, 5.0])
@pytest.mark.parametrize("fs", [128, 250])
def test_a_step_at_the_first_sample_leaves_the_rate_and_the_peaks_alone(tmp_path, step, fs):
    from ecg_tf.signals.quality import inspect_record
    from ecg_tf.signals.rpeaks import find_rpeaks

    y, peaks = ecg(60, fs, 75)
    y[0] += step
    wfdb_record(tmp_path, "r", y, str(fs))
    found = described(tmp_path)
    assert found["heart_rate_bpm"] == pytest.approx(75, abs=1)
    assert found["implausible"] == {"step": {"r": "a step at the first sample"}}
    (record,) = loaded(tmp_path)
    for signal in (record.signal, inspect_record(record).signal):
        near = np.abs(find_rpeaks(signal, record.fs)[:, None] - peaks) <= 0.05 * fs
        assert near.any(axis=0).mean() >= 0.97 and near.any(axis=1).mean() >= 0.97


@pytest.mark.parametrize("bpm", [25, 28, 32, 200])
def test_slow_and_fast_hearts(tmp_path, bpm):
    wfdb_record(tmp_path, "r", ecg(60, bpm=bpm)[0])
    assert described(tmp_path)["heart_rate_bpm"] == pytest.approx(bpm, abs=1)


# Names and lengths


def test_names_that_are_code_stay_text(tmp_path):
    names = ("<img/src=x/onerror=alert(1)>", "$\\frac{$")
    wfdb_record(tmp_path, "r", np.stack([ecg()[0]] * 2, 1), leads=names)
    found = described(tmp_path)
    assert found["leads"] == list(names) and names[0] in text_of(found)


@pytest.mark.parametrize(("seconds", "rows_at_most"), [(10, 24), (30, 56)])
def test_short_records_have_windows_that_fit(tmp_path, seconds, rows_at_most):
    for k in range(24):
        y = ecg(seconds, 100, 55 + 2 * k, seed=k)[0]
        wfdb_record(tmp_path, f"r{k:02d}", np.stack([0.7 * y, y], 1), "100", "1000",
                    ("I", "II"), [f"subject: {k}"])
    found = described(tmp_path)
    assert found["windows"]["arrangement"] == "beat_strips"
    assert found["windows"]["seconds"] == seconds and found["windows"]["rows"] <= rows_at_most
    assert found["windows"]["windows"] == 24 and found["split"]["parts"]["train"]["subjects"] > 12


def test_a_folder_without_ecgs_says_so_by_its_exit_status(tmp_path, capsys):
    from ecg_tf.__main__ import main

    (Path(tmp_path) / "notes.txt").write_text("none here")
    assert main(["describe", str(tmp_path), "--json"]) == 2
    shown = capsys.readouterr()
    assert not shown.out and shown.err.startswith("Error:")
