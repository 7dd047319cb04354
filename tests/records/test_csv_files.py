"""CSV recordings of others: what is a lead, in which unit, at which rate, and what is none."""

import io

import numpy as np
import pandas as pd
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records import load
from ecg_tf.records.formats.columns import column_of
from ecg_tf.records.formats.common import MissingLead, amplitude_note
from ecg_tf.records.formats.csv_files import read_csv
from ecg_tf.records.formats.csv_head import is_table
from ecg_tf.records.formats.sample_times import rate_of_times


def ecg(n=1000, height=1.2, seed=0):
    t = np.arange(n) / 250
    beats = height * np.exp(-0.5 * (((t % 0.8) - 0.3) / 0.02) ** 2)
    return beats + 0.01 * np.random.default_rng(seed).standard_normal(n)


def written(folder, text, name="a.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return folder / name


def csv(columns, fs=250.0, time="time", **how):
    """The text of a table of columns, with times."""
    table = pd.DataFrame(columns)
    if time:
        table.insert(0, time, np.arange(len(table)) / fs)
    out = io.StringIO()
    table.to_csv(out, **{"index": False, "float_format": "%.6f", **how})
    return out.getvalue()


def read(folder, text, leads=None, fs=0.0, **how):
    return read_csv(written(folder, text, **how), folder, leads, fs)


# Columns


@pytest.mark.parametrize("label", ["", "Unnamed: 0", "index", "sample"])
@pytest.mark.parametrize("start", [0, 1])
def test_a_counter_in_front_is_no_lead(tmp_path, label, start):
    text = csv({"II": ecg()})
    table = pd.read_csv(io.StringIO(text))
    table.index += start
    record = read(tmp_path, table.to_csv(index_label=label or None))
    assert record.leads == ("II",) and record.fs == 250 and not record.notes
    np.testing.assert_allclose(record.signal[:, 0], ecg(), atol=1e-6)


@pytest.mark.parametrize(("column", "factor"), [
    ("II (uV)", 1e-3), ("II [µV]", 1e-3), ("II (μV)", 1e-3), ("II_uV", 1e-3), ("II/mV", 1),
    ("II (mV)", 1), ("II_mv", 1), ("II (V)", 1e3), ("II / microvolt", 1e-3), ("II nV", 1e-6),
])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_the_unit_in_a_name_is_applied(tmp_path, column, factor, encoding):
    if "μ" in column and encoding == "latin-1":
        pytest.skip("Latin-1 has no Greek letter")
    record = read(tmp_path, csv({column: ecg() / factor}, float_format="%.9f"), encoding=encoding)
    assert record.leads == ("II",)
    np.testing.assert_allclose(record.signal[:, 0], ecg(), atol=1e-6 * max(1, factor))
    assert ("uV" in " ".join(record.notes)) == (column in ("II (uV)", "II_uV"))
    assert bool(record.notes) == (factor != 1)


def test_parentheses_that_hold_no_unit_belong_to_the_name(tmp_path):
    record = read(tmp_path, csv({"ECG (1)": ecg(), "V1 (filtered)": ecg(), "lead V": ecg()}))
    assert record.leads == ("ECG (1)", "V1 (filtered)", "lead V") and not record.notes


def test_what_is_no_ecg_is_left_out_and_said(tmp_path):
    n = 1000
    columns = {"II": ecg(), "label": np.arange(n) // 500, "SpO2 (%)": 97.0 + ecg(),
               "count": np.arange(n), "EEG C3": ecg(), "switch": np.arange(n) % 2,
               "V1": np.nan, "annotation": [""] * 500 + ["N"] * 500, "remark": ["x"] * n}
    record = read(tmp_path, csv(columns))
    assert record.leads == ("II",)
    for name in ("label", "SpO2", "count", "EEG C3", "switch", "V1", "annotation",
                 "remark"):
        assert name in record.notes[0]
    # Asked for by name, others may hold what they like.
    assert read(tmp_path, csv(columns), ["EEG C3", "II"]).leads == ("EEG C3", "II")
    with pytest.raises(MissingLead, match="SpO2") as caught:
        read(tmp_path, csv(columns), ["SpO2 (%)"])
    assert "II" in caught.value.leads


def test_leads_are_chosen_by_name_with_or_without_the_unit(tmp_path):
    text = csv({"II (uV)": 1000 * ecg(), "V1": ecg(seed=1)})
    assert read(tmp_path, text, ["V1", "II"]).leads == ("V1", "II")
    record = read(tmp_path, text, ["II (uV)"])
    assert record.leads == ("II (uV)",) and np.ptp(record.signal) < 2
    with pytest.raises(MissingLead, match="no lead 'V9'"):
        read(tmp_path, text, ["V9"])
    with pytest.raises(MissingLead, match="(?s)no ECG lead.*columns that are none: label"):
        read(tmp_path, csv({"label": np.arange(100) % 2}))


def test_a_damaged_lead_that_is_not_wanted_refuses_nothing(tmp_path):
    text = csv({"II": ecg(), "V1": ["#N/A", *map(str, ecg(999))], "V2": 0.0})
    assert read(tmp_path, text, ["II"]).leads == ("II",)
    with pytest.raises(InputError, match="something else than numbers"):
        read(tmp_path, csv({"II": ["x1", *map(str, ecg(999))]}))
    with pytest.raises(InputError, match="(?s)'V2' .*holds no ECG"):
        read(tmp_path, text, ["II", "V2"])


def test_amplitudes_that_are_no_millivolt_are_said_and_not_changed(tmp_path):
    record = read(tmp_path, csv({"I": 0.5 * ecg(), "II": 1000 * ecg()}))
    assert "'II (uV)'" in record.notes[0] and "II was read as mV" in record.notes[0]
    assert 1000 < np.ptp(record.signal[:, 1]) < 1400
    assert not read(tmp_path, csv({"II": 3 * ecg()})).notes
    one_artefact = ecg(20_000)
    one_artefact[77] = 900.0
    assert not amplitude_note(one_artefact[:, None], 250, ["II"])


def test_a_line_of_units_behind_the_header(tmp_path):
    lines = ["'Elapsed time','MLII','V5'", "'hh:mm:ss.mmm','uV','mV'"]
    lines += [f"'{k // 15000}:{k / 250 % 60:06.3f}',{1000 * one:.3f},{one:.6f}"
              for k, one in enumerate(ecg(16_000))]
    record = read(tmp_path, "\n".join(lines))
    assert record.leads == ("MLII", "V5") and record.fs == 250
    np.testing.assert_allclose(record.signal[:, 0], record.signal[:, 1], atol=1e-5)


@pytest.mark.parametrize("text", [csv({"II": ecg(), "II (mV)": ecg()}), "time,II,II\n0,1,2\n"])
def test_two_columns_of_one_name_are_refused(tmp_path, text):
    with pytest.raises(InputError):
        read(tmp_path, text)


# Header, separators


@pytest.mark.parametrize("columns", [2, 12, 188])
def test_a_file_without_a_header_line_says_so(tmp_path, columns):
    beats = np.random.default_rng(0).random((20, columns)).round(6)
    text = pd.DataFrame(beats).to_csv(index=False, header=False)
    with pytest.raises(InputError, match="no header line") as caught:
        read(tmp_path, text)
    assert ("beats" in str(caught.value)) == (columns == 188)
    assert not is_table(tmp_path / "a.csv")


def test_columns_numbered_by_pandas_are_leads(tmp_path):
    text = pd.DataFrame(np.stack([ecg(), ecg(seed=1)], 1)).to_csv()
    record = read(tmp_path, text, fs=250)
    assert record.leads == ("0", "1") and len(record.signal) == 1000


def test_separators_and_decimal_commas(tmp_path):
    for how in ({"sep": ";"}, {"sep": "\t"}, {"sep": ";", "decimal": ","}):
        record = read(tmp_path, csv({"II": ecg(), "V1": ecg(seed=1)}, **how))
        np.testing.assert_allclose(record.signal[:, 1], ecg(seed=1), atol=1e-6)
        assert record.fs == 250
    with pytest.raises(InputError, match="decimal points and commas"):
        read(tmp_path, "time;II\n0.000;1,5\n0.004;1,6\n")
    with pytest.raises(InputError, match="does not fit"):
        read(tmp_path, "time,II\n0,000,1,5\n0,004,1,6\n")


def test_words_that_break_parsers_are_read_or_refused(tmp_path):
    text = csv({"II": ecg()})
    assert len(read(tmp_path, f'# say "hello\n#\n{text}').signal) == 1000
    assert len(read(tmp_path, f"\n\n{text}").signal) == 1000
    # On exponents of many digits pandas' usual ways to read numbers crash the process.
    rows = text.split("\n")[2:]
    with pytest.raises(InputError, match="something else than numbers"):
        read(tmp_path, "\n".join(["time,II", "0,1e40083961438826", *rows]))
    for broken in (b"\xff\xfet\0i\0m\0e\0", b"", b"#\n", b"time,II\n"):
        with pytest.raises(InputError):
            read(tmp_path, broken)


# Time


def times_of(fs, n=5000, digits=9, lost=()):
    return np.delete(np.round(np.arange(n) / fs, digits), lost)


@pytest.mark.parametrize("fs", [128, 250, 257, 333.3333, 360, 499.31, 500, 512, 1000, 2000])
@pytest.mark.parametrize("digits", [3, 4, 6, 9])
def test_rounded_times_are_fine_and_lost_samples_are_not(fs, digits):
    if 10.0**-digits > 1 / fs:
        pytest.skip("two samples have one time")
    assert rate_of_times(times_of(fs, digits=digits), 1.0, "time", "a") == pytest.approx(fs, 2e-4)
    for lost in ([2500], [3], [4990], range(49, 5000, 50)):
        with pytest.raises(InputError, match="no sample lost"):
            rate_of_times(times_of(fs, digits=digits, lost=lost), 1.0, "time", "a")


@pytest.mark.parametrize("fs", [250, 500, 1000])
@pytest.mark.parametrize("keep", [np.s_[1:], np.s_[:]])
def test_every_50th_sample_lost_is_refused_in_a_file(tmp_path, fs, keep):
    table = pd.read_csv(io.StringIO(csv({"II": ecg()}, fs)))
    table = table[np.arange(1000) % 50 != 49][keep]
    with pytest.raises(InputError, match="gives no sampling rate"):
        read(tmp_path, table.to_csv(index=False))
    # Without times, the counter tells it.
    with pytest.raises(InputError, match="counts with gaps"):
        read(tmp_path, table[["II"]].to_csv(), fs=fs)


def test_float32_times_far_from_zero(tmp_path):
    times = (np.arange(100_000) / 250).astype(np.float32).astype(float)
    assert rate_of_times(times, 1.0, "time", "a") == 250
    with pytest.raises(InputError):
        rate_of_times(np.delete(times, 50_000), 1.0, "time", "a")
    assert rate_of_times(1.7e9 + np.arange(1000) / 250, 1.0, "time", "a") == 250


@pytest.mark.parametrize(("column", "factor"), [
    ("time_ms", 1e3), ("time (ms)", 1e3), ("Time [ms]", 1e3), ("t_us", 1e6), ("time (s)", 1),
    ("seconds", 1), ("timestamp (ms)", 1e3), ("Elapsed Time", 1), ("ms", 1e3),
])
def test_times_in_the_unit_of_their_name(tmp_path, column, factor):
    table = pd.DataFrame({column: factor * np.arange(1000) / 250, "II": ecg()})
    record = read(tmp_path, table.to_csv(index=False))
    assert record.fs == 250 and record.leads == ("II",)


def test_timestamps_are_times(tmp_path):
    for times in (pd.date_range("2024-02-03 10:00", periods=1000, freq="4ms"),
                  pd.Series(pd.timedelta_range("0s", periods=1000, freq="4ms")).map(
                      lambda t: f"0:{t.total_seconds():06.3f}")):
        record = read(tmp_path, pd.DataFrame({"time": times, "II": ecg()}).to_csv(index=False))
        assert record.fs == 250


@pytest.mark.parametrize(("step", "column"), [(4, "time"), (4e3, "time"), (1, "time"),
                                              (4e-3 / 60, "time"), (4e-3 / 86400, "time"),
                                              (4e-3, "time (min)"), (4e-6, "time (ms)")])
def test_times_of_an_impossible_rate_say_what_to_write(tmp_path, step, column):
    table = pd.DataFrame({column: step * np.arange(1000), "II": ecg()})
    with pytest.raises(InputError, match="impossible|is not known") as caught:
        read(tmp_path, table.to_csv(index=False))
    assert "time" in str(caught.value) and "s" in str(caught.value)


def test_rates_by_column_comment_and_argument(tmp_path):
    text = csv({"II": ecg()}, time="")
    assert read(tmp_path, text, fs=200).fs == 200
    assert read(tmp_path, csv({"fs (Hz)": 300, "II": ecg()}, time="")).fs == 300
    assert read(tmp_path, "# sampling rate: 500 Hz\n" + text).fs == 500
    with pytest.raises(InputError, match="several sampling rates"):
        read(tmp_path, "# fs: 500\n" + csv({"II": ecg()}))
    with pytest.raises(InputError, match="does not say"):
        read(tmp_path, text)
    with pytest.raises(InputError, match="impossible"):
        read(tmp_path, text, fs=1)


# Comments, tables, folders


def test_comments_say_who_it_is_and_where_the_beats_are(tmp_path):
    comments = ["# subject: p 7", "# Age: 9 months", "# sex: F", "# label superclass: MI",
                "# label superclass: CD", "# R peaks (s): 0.3, 1.1, 99", "# beat symbols: N V N"]
    record = read(tmp_path, "\n".join([*comments, csv({"II": ecg()})]))
    assert (record.subject, record.age, record.sex) == ("p 7", 0.75, "female")
    assert record.labels == {"superclass": ("MI", "CD")}
    assert record.beats.tolist() == [75, 275] and record.symbols.tolist() == ["N", "V"]
    assert record.name == "a" and record.database == tmp_path.name
    assert not read(tmp_path, csv({"II": ecg()})).subject


TABLES = {
    "subjects.csv": "record,subject\nr1,A\nr2,B\n",
    "REFERENCE.csv": "A00001,N\nA00002,A\n",
    "numbers.csv": "1001,N\n1002,A\n1003,N\n",
    "ptbxl_database.csv": "ecg_id,patient_id,age,sex,filename_lr\n1,15709.0,56.0,1,a\n",
    "scp_statements.csv": ",description,diagnostic\nNDT,non-diagnostic T,1.0\nNST_,changes,1.0\n",
    "ludb.csv": 'ID,Sex,Age\n1,"F\n","51\n"\n2,"F\n","64\n"\n',
    "labels.csv": "record,label,seconds\nA1,N,30.0\nA2,A,30.0\n",
    "patients.csv": "age,sex\n60,1\n61,0\n",
    "semicolon.csv": "Patient;Alter\n1;60\n2;61\n",
    "files.csv": "file,time\na.csv,10\nb.csv,20\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_told_from_recordings(tmp_path, name):
    assert is_table(written(tmp_path, TABLES[name], name))


@pytest.mark.parametrize("text", [
    csv({"II": ecg()}), csv({"II": ecg()}, time="fs"), csv({"II": ecg()}, time=""),
    csv({"II": ecg(), "label": 0}, time=""), csv({"0": ecg(), "1": ecg()}, time="", index=True),
    csv({"II": ecg(), "subject": "p7"}), csv({"id": range(1000), "II": ecg()}, time=""),
    "# subject: 7\n" + csv({"II": ecg()}), csv({"V1": ecg(), "V2": ecg()}, sep=";", decimal=","),
    "'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n'0:00.000',1\n", "", "\0", "a\n",
])
def test_recordings_are_no_tables(tmp_path, text):
    assert not is_table(written(tmp_path, text))
    assert not is_table(tmp_path / "none.csv") and not is_table(tmp_path)


def test_a_folder_of_csv_files_beside_a_table(tmp_path):
    written(tmp_path, csv({"II": ecg()}), "one.csv")
    written(tmp_path, "# subject: she\n" + csv({"II": ecg(seed=1)}), "two.csv")
    written(tmp_path, TABLES["REFERENCE.csv"], "REFERENCE.csv")
    assert [one.subject for one in load(tmp_path)] == ["one", "she"]


def test_names_of_columns():
    kinds = {"t": "time", "Fs": "rate", "sample #": "counter", "age": "note", "resp": "other",
             "HR (bpm)": "other", "C3": "lead", "C3-A2": "other", "aVR": "lead", "ch1": "lead"}
    assert {name: column_of(name).kind for name in kinds} == kinds
