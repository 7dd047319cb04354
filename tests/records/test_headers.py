"""WFDB headers: bytes and grammar are understood or refused; nothing is dropped."""

from dataclasses import replace

import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.common import lead_names
from ecg_tf.records.formats.wfdb_header import Signal, decoded, read_header

MICRO = "\N{MICRO SIGN}"
LINE = "r1.dat 16 200/mV 12 0 -7 55 0 II"


def header_of(tmp_path, text, name="r1"):
    (tmp_path / f"{name}.hea").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_header(tmp_path / f"{name}.hea", tmp_path)


def signal_of(tmp_path, line):
    return header_of(tmp_path, f"r1 1 250 1000\n{line}\n").signals[0]


def test_every_field_of_a_signal_line(tmp_path):
    found = signal_of(tmp_path, f"r1.dat 212x4:3+24 -2.5e1(1024)/{MICRO}V 11 9 -7 -55 0 ECG  I")
    assert found == Signal("r1.dat", "212", 4, 3, 24, "ECG  I", -25.0, 1024.0, f"{MICRO}V", -7, -55)
    assert signal_of(tmp_path, "r1.dat 16") == Signal("r1.dat", "16")
    assert signal_of(tmp_path, "r1.dat 16 100") == Signal("r1.dat", "16", gain=100.0)
    # Without a baseline the ADC's zero is it.
    assert signal_of(tmp_path, "r1.dat 16 200/mV 12 1024").baseline == 1024.0
    assert signal_of(tmp_path, "r1.dat 16 200(3.0)/mV 12 1024").baseline == 3.0
    assert signal_of(tmp_path, "r1.dat 16 200 12 0 0 0 0 2").name == "2"
    assert signal_of(tmp_path, "r1.dat 16 200/mV aVR").name == "aVR"  # numbers may be left out
    assert signal_of(tmp_path, "sub/r.1.dat 16 200/mV").file == "sub/r.1.dat"


numbers = st.integers(-2000, 2000)
LINES = st.builds(
    "r1.dat {}{}{}{} {}{}/{} 12 {} {} {} 0 {}".format,
    st.sampled_from(["16", "212", "80", "61"]), st.sampled_from(["", "x1", "x4"]),
    st.sampled_from(["", ":3"]), st.sampled_from(["", "+24"]),
    st.sampled_from(["200", "1000.0", "0.5", "1e3", "2.5e-1"]),
    st.one_of(st.just(""), numbers.map("({})".format)), st.sampled_from(["mV", "uV", "mmHg", "%"]),
    numbers, numbers, numbers, st.sampled_from(["II", "ECG I filtered", "aVR", "lead 3"]),
)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=4),
       fs=st.sampled_from(["250", "249.89", "360.0", "333.3333", "500/1000", "500/1000(5)"]),
       rest=st.sampled_from(["", " 12:00:00", " 12:00:00 01/02/2000"]))
def test_what_wfdb_understands_is_understood_alike(tmp_path_factory, lines, fs, rest):
    path = tmp_path_factory.mktemp("h") / "r1"
    text = f"r1 {len(lines)} {fs} 1000{rest}\n" + "\n".join(lines) + "\n# age: 30\n#sex: M\n"
    path.with_suffix(".hea").write_text(text)
    theirs, ours = wfdb.rdheader(str(path)), read_header(path.with_suffix(".hea"), path.parent)
    assert (ours.fs, ours.frames) == (theirs.fs, theirs.sig_len)
    assert list(ours.comments) == theirs.comments
    fields = {"file": "file_name", "format": "fmt", "per_frame": "samps_per_frame",
              "skew": "skew", "byte_offset": "byte_offset", "name": "sig_name", "gain": "adc_gain",
              "baseline": "baseline", "unit": "units", "initial": "init_value",
              "checksum": "checksum"}
    for field, name in fields.items():
        found = [getattr(signal, field) for signal in ours.signals]
        assert found == [value or type(value or 0)() if field in ("skew", "byte_offset") else value
                         for value in getattr(theirs, name)], field


@pytest.mark.parametrize("line", [
    "r1.dat 16 200 /mV 12 0 0 0 0 II", f"r1.dat 16 1/{MICRO} V 12 0 0 0 0 II",
    "r1.dat 16 200/mV 12.0 0 0 0 0 II", "r1.dat 16 200/mV 0x12 0 0 0 0 II",
    "r1.dat 16 200/mV II 12 0 0 0 0", "r1.dat 16 /mV 12 0 0 0 0 II", "r1.dat 16 (0)/mV 12 0 0 0",
    "r1.dat 16 200,5/mV 12 0 0 0 0 II", "r1.dat 16 200(0/mV 12 0 0 0 0 II",
    "r1.dat 16 nan/mV 12 0 0 0 0 II", "r1.dat 16 1e999/mV 12 0 0 0 0 II",
    "r1.dat 16 200/mV 12 0 - 0 0 II", "r1.dat 16 200/mV 12 0 0 0 2nd",
    "r1.dat 16 200/mV \u0661\u0662 0 0 0 0 II",
])
def test_what_would_slip_into_the_leads_name_is_a_fault(tmp_path, line):
    found = signal_of(tmp_path, line)
    assert found.fault and found == replace(Signal("r1.dat", "16"), fault=found.fault)


@pytest.mark.parametrize("line", [
    "r1.dat", "r1.dat 16y", "r1.dat x16", "r1.dat 16:-3 200", "r1.dat 16x99999 200",
    "r1.dat \u0661", "r1.dat 16+1.5", "r1.dat 16\x00 200/mV", "r1\xa0.dat\x85 16",
])
def test_a_layout_that_is_not_understood_is_refused(tmp_path, line):
    with pytest.raises(InputError, match="malformed"):
        signal_of(tmp_path, line)


@pytest.mark.parametrize("first", [
    "r1", "r1 one 250 10", "r1 1 fast 10", "r1 1 0 10", "r1 1 -250 10", "r1 1 nan 10",
    "r1 1 1e9 10", "r1 1 250 many", "r1 1 250 10.5", "r1 1 250 05:05:15 1000", "r1 1 250 10 junk",
    "r1/x 1 250 10", "r1 2 250 10", "r1 1 250 99999999999999999", "r1 1 250 10 1 2 3 4 5",
    "r1 1 250Hz 10",
])
def test_a_record_line_that_is_not_understood_is_refused(tmp_path, first):
    with pytest.raises(InputError, match="malformed"):
        header_of(tmp_path, f"{first}\n{LINE}\n")


@pytest.mark.parametrize("when", [
    "", "05:05:15", "05:05:15 1/05/2000", "2014-05-08 05:05:15", "05:05:15 2014-05-08",
    "2013-05-12", "2013-05-12T11:04:33Z", "11:04:33.123 12.05.2013", "11:04:33 PM 12/05/2013",
    "[11:04:33]", "8-May-2014 5:05", "05:05:15 31/02/2000",
])
def test_time_and_date_in_any_order(tmp_path, when):
    found = header_of(tmp_path, f"r1 1 300 9000 {when}\n{LINE}\n")
    assert (found.fs, found.frames, found.signals[0].name) == (300.0, 9000, "II")


def test_missing_rate_is_said(tmp_path):
    found = header_of(tmp_path, f"r1 1\n{LINE}\n")
    assert found.fs == 250 and found.frames == 0 and "no sampling rate" in found.notes[0]
    assert header_of(tmp_path, f"r1 1 250\n{LINE}\n").notes == ()


def test_line_ends_marks_and_encodings(tmp_path):
    text = f"\ufeff# f\u00fcr M\u00fcller\r\nr1 1 250 10\r\n\r\n{LINE} \u00c4\r\n"
    name = "II \u00c4"
    assert header_of(tmp_path, text).signals[0].name == name
    assert header_of(tmp_path, text.replace("\r\n", "\r")).signals[0].name == name
    assert header_of(tmp_path, text[1:].encode("latin-1")).comments == ("f\u00fcr M\u00fcller",)
    # A Latin-1 line beside a UTF-8 one; a letter and its accent apart are the letter.
    assert decoded(b"\xb5V\n\xc2\xb5V\nA\xcc\x88") == ["\u00b5V", "\u00b5V", "\u00c4"]
    # In Latin-1 0x85 is no end of line: what follows stays a comment.
    found = header_of(tmp_path, f"r1 1 250 10\n{LINE}\n".encode() + b"# and so on\x85r2.dat 16\n")
    assert len(found.signals) == 1
    with pytest.raises(InputError, match="control characters"):
        header_of(tmp_path, f"r1 1 250 10\n{LINE}\n".encode("utf-16"))


def test_long_comments_are_no_fault(tmp_path):
    found = header_of(tmp_path, f"r1 1 250 10\n{LINE}\n# {'x' * 5000}\n")
    assert len(found.comments[0]) == 5000
    with pytest.raises(InputError, match="a line of 50"):
        header_of(tmp_path, f"r1 1 250 10\n{LINE}{'x' * 5000}\n")


def test_lead_names_are_unique():
    assert lead_names(["V1", None, "V1", ""]) == ["V1", "lead 1", "V1 (2)", "lead 3"]
    names = ["a (2)", "a", "a", "a (2)", "a"]
    assert len(set(lead_names(names))) == 5 and lead_names(names)[:2] == names[:2]
