"""EDF files of others and of our own are read in mV, and what is wrong with one is named."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records import load, provenance
from ecg_tf.records.formats.columns import is_ecg, is_no_ecg
from ecg_tf.records.formats.common import MissingLead
from ecg_tf.records.formats.edf_files import read_edf

PLUS = "mrn-7 F 02-MAY-1951 Somebody"


def write(path, units=("uV",), labels=("II",), rates=(100,), code="p7", beats=(0.5, 1.25)):
    """A file by pyedflib, 3 s."""
    pyedflib = pytest.importorskip("pyedflib")
    path.parent.mkdir(parents=True, exist_ok=True)
    with pyedflib.EdfWriter(str(path), len(labels)) as file:
        file.setPatientCode(code)
        file.setSignalHeaders([
            {"label": label, "dimension": unit, "sample_frequency": rate, "physical_min": -3276.8,
             "physical_max": 3276.7, "digital_min": -32768, "digital_max": 32767,
             "transducer": "", "prefilter": ""}
            for label, unit, rate in zip(labels, units, rates, strict=True)])
        file.writeSamples([np.linspace(-900, 900, 3 * rate) for rate in rates])
        for beat in beats:
            file.writeAnnotation(beat, -1, "beat")
        file.writeAnnotation(2.0, -1, "Sleep stage W")
    return path


def ecg(n=1000, fs=100, height=1.0):
    t = np.arange(n) / fs
    return height * np.exp(-0.5 * (((t % 0.8) - 0.3) / 0.03) ** 2)


def build(path, signals=None, labels=("ECG II",), units=("mV",), rates=(100,), announced=None,
          patient="X X X X", recording="Startdate 01-JAN-2020 X X X", kind="", notes=None,
          starts=None, record=1.0, limit=5.0, more=b""):
    """A file byte by byte, for writers refuse what is odd.

    Args:
        path: where to write it.
        signals: one (time,) array a signal, in its unit.
        labels, units, rates: of each signal; a unit may be bytes.
        announced: data records that the header says there are; None: as many as there are.
        patient, recording, kind: fields of the header.
        notes: annotations [(onset, text)], all in the first data record.
        starts: s, of each data record, for EDF+; None: one after the other.
        record: s, of a data record.
        limit: largest physical value.
        more: bytes behind the data.
    """
    signals = [ecg()] if signals is None else signals
    sizes = [round(rate * record) for rate in rates]
    count = len(signals[0]) // sizes[0]
    parts = [np.rint(np.asarray(one)[: count * size] / limit * 32767).astype("<i2")
             .reshape(count, size) for one, size in zip(signals, sizes, strict=True)]
    fields = [list(labels), [""] * len(parts), list(units), [f"{-limit:g}"] * len(parts),
              [f"{limit:g}"] * len(parts), ["-32767"] * len(parts), ["32767"] * len(parts),
              [""] * len(parts), sizes, [""] * len(parts)]
    if kind:
        starts = np.arange(count) * record if starts is None else starts
        texts = [f"+{start:g}\x14\x14\0".encode() for start in starts]
        texts[0] += b"".join(f"+{onset:g}\x14{text}\x14\0".encode() for onset, text in notes or ())
        width = 2 * -(-max(map(len, texts)) // 2)
        parts.append(np.frombuffer(b"".join(text.ljust(width, b"\0") for text in texts), "<i2")
                     .reshape(count, -1))
        for field, value in zip(fields, ("EDF Annotations", "", "", "-1", "1", "-32768", "32767",
                                         "", width // 2, ""), strict=True):
            field.append(value)
    head = [("0", 8), (patient, 80), (recording, 80), ("01.01.20", 8), ("00.00.00", 8),
            (256 * (len(parts) + 1), 8), (kind, 44), (count if announced is None else announced, 8),
            (f"{record:g}", 8), (len(parts), 4)]
    for values, width in zip(fields, (16, 80, 8, 8, 8, 8, 8, 80, 8, 32), strict=True):
        head += [(value, width) for value in values]
    data = b"".join((value if isinstance(value, bytes) else str(value).encode()).ljust(width)
                    for value, width in head)
    data += b"".join(part[k].tobytes() for k in range(count) for part in parts)
    path.write_bytes(data + more)
    return path


def read(folder, leads=None, **how):
    return read_edf(build(folder / "a.edf", **how), folder, leads)


def test_units_subject_beats_and_nested_files(tmp_path):
    write(tmp_path / "a.edf")
    write(tmp_path / "deep" / "b.EDF", units=("mV", "%"), labels=("V1", "SpO2"), rates=(50, 1),
          code="", beats=())
    one, two = load(tmp_path)
    assert one.subject == "p7" and one.leads == ("II",) and one.fs == 100
    # pyedflib does not round to its steps of 0.1, it cuts.
    np.testing.assert_allclose(one.signal[:, 0], np.linspace(-0.9, 0.9, 300), atol=1.1e-4)
    assert one.beats.tolist() == [50, 125] and set(one.symbols) == {"Q"}
    assert two.name == two.subject == "deep/b" and two.leads == ("V1",) and two.fs == 50
    assert not len(two.beats) and abs(two.signal[0, 0] + 900) < 0.11 and "SpO2" in two.notes[0]
    assert provenance([one, two])["records"] == 2
    assert load(tmp_path / "deep", leads=["V1"])[0].leads == ("V1",)


def test_the_same_numbers_as_the_library(tmp_path):
    pyedflib = pytest.importorskip("pyedflib")
    path = write(tmp_path / "a.edf", ("uV", "mV"), ("II", "V1"), (100, 100))
    record = read_edf(path, tmp_path)
    with pyedflib.EdfReader(str(path)) as file:
        for k, factor in enumerate((1e-3, 1)):
            theirs = file.readSignal(k) * factor
            np.testing.assert_allclose(record.signal[:, k], theirs, atol=1e-4 * factor, rtol=1e-6)
        onsets, _, words = file.readAnnotations()
    beats = np.rint(onsets[np.asarray(words) == "beat"] * 100)
    np.testing.assert_array_equal(record.beats, beats)


def test_a_side_of_an_evaluation_may_be_edf(tmp_path):
    build(tmp_path / "a.edf")
    (tmp_path / "subjects.csv").write_text("record,subject\na,she\n")
    (record,) = load(tmp_path)
    assert record.subject == "she" and record.leads == ("ECG II",)
    np.testing.assert_array_equal(record.signal, read_edf(tmp_path / "a.edf", tmp_path).signal)


# Signals


def test_signals_of_one_label_are_both_kept(tmp_path):
    record = read(tmp_path, signals=[ecg(), 0.5 * ecg()], labels=("ECG", "ECG"),
                  units=("mV", "mV"), rates=(100, 100))
    assert record.leads == ("ECG", "ECG (1)")
    np.testing.assert_allclose(record.signal[:, 1], 0.5 * ecg(), atol=1e-4)


@pytest.mark.parametrize(("unit", "factor"), [
    ("uV", 1e-3), (b"\xb5V", 1e-3), ("µV", 1e-3), ("μV", 1e-3), ("V", 1e3), ("mV", 1), ("nV", 1e-6),
])
def test_units_in_ascii_latin_1_and_utf_8(tmp_path, unit, factor):
    record = read(tmp_path, signals=[ecg() / factor], units=(unit,), limit=5 / factor)
    np.testing.assert_allclose(record.signal[:, 0], ecg(), atol=1e-4)


def test_other_signals_at_other_rates_refuse_nothing(tmp_path):
    how = {"signals": [ecg(), ecg(500, 50), ecg(10, 1)], "labels": ("ECG II", "EEG C3", "SpO2"),
           "units": ("mV", "uV", "%"), "rates": (100, 50, 1)}
    record = read(tmp_path, **how)
    assert record.leads == ("ECG II",) and record.fs == 100
    assert "EEG C3, SpO2" in record.notes[0]
    for lead, name in (("ECG II", "ECG II"), ("II", "II")):  # EDF+ puts the kind before it
        assert read(tmp_path, [lead], **how).leads == (name,)
    assert "'ECG II'" in read(tmp_path, ["II"], **how).notes[0]
    assert read(tmp_path, ["EEG C3"], **how).fs == 50
    with pytest.raises(InputError, match="different sampling rates"):
        read(tmp_path, ["ECG II", "EEG C3"], **how)
    for lead in ("SpO2", "V9"):
        with pytest.raises(MissingLead, match=f"no lead '{lead}'") as caught:
            read(tmp_path, [lead], **how)
        assert caught.value.leads == ("ECG II", "EEG C3")


def test_of_ecgs_at_several_rates_most_are_taken(tmp_path):
    record = read(tmp_path, signals=[ecg(500, 50), ecg(), ecg()], labels=("ECG", "V1", "V2"),
                  units=("mV",) * 3, rates=(50, 100, 100))
    assert record.leads == ("V1", "V2") and "ECG" in record.notes[0]


def test_signals_without_an_ecgs_label(tmp_path):
    assert read(tmp_path, labels=("channel 1",)).leads == ("channel 1",)
    for label, unit in (("EEG C3", "mV"), ("channel 1", "%"), ("channel 1", "")):
        with pytest.raises(MissingLead, match="no ECG lead"):
            read(tmp_path, labels=(label,), units=(unit,))
    record = read(tmp_path, units=("",))
    assert record.notes == ("No unit is given for ECG II: read as mV.",)
    record = read(tmp_path, signals=[900 * ecg()], units=("",), limit=1000)
    assert "microvolt" in record.notes[1]


def test_labels():
    ecgs = ("ECG", "EKG1", "ECG II", "ii", "aVR", "-aVR", "V1", "V3R", "MLII", "Lead I", "D2", "VX",
            "ECG1-ECG2", "MCL1")
    others = ("EEG C3", "EOG-L", "LEOG", "EMG chin", "Resp nasal", "SpO2", "C3-A2", "Fp1-F3",
              "Flow", "HR", "Thorax")
    neither = ("channel 1", "C3", "lead", "signal", "Event")
    assert all(map(is_ecg, ecgs)) and not any(map(is_ecg, (*others, *neither)))
    assert all(map(is_no_ecg, others)) and not any(map(is_no_ecg, (*ecgs, *neither)))


# Length and time


def test_records_that_the_header_does_not_announce_are_read(tmp_path):
    record = read(tmp_path, announced=4)
    assert len(record.signal) == 1000 and "announces 4 data records" in record.notes[0]
    assert "does not say" in read(tmp_path, announced=-1).notes[0]
    assert "last 7 bytes" in read(tmp_path, more=b"\0" * 7).notes[0]
    with pytest.raises(InputError, match="cut off"):
        read(tmp_path, announced=11)


def test_gaps_of_a_discontinuous_file_are_missing_samples(tmp_path):
    starts = [0.5, 1.5, 2.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 20.25]
    record = read(tmp_path, kind="EDF+D", starts=starts, notes=[(7.0, "QRS"), (4.0, "beat V")])
    assert len(record.signal) == round((20.25 - 0.5 + 1) * 100)
    missing = np.isnan(record.signal[:, 0])
    assert missing.sum() == 2075 - 1000 and missing[300:600].all() and not missing[600:1200].any()
    np.testing.assert_allclose(record.signal[600:700, 0], ecg()[300:400], atol=1e-4)
    assert record.beats.tolist() == [350, 650] and record.symbols.tolist() == ["V", "Q"]
    assert "gaps of 10.75 s" in record.notes[0]
    for starts in ([0, 0.5, *range(2, 10)], [0] * 10, [*range(9), 9e8]):
        with pytest.raises(InputError, match="overlap|there"):
            read(tmp_path, kind="EDF+D", starts=starts)


def test_data_records_of_any_length_give_the_rate(tmp_path):
    assert read(tmp_path, record=0.1).fs == 100 and read(tmp_path, record=2.0).fs == 100
    with pytest.raises(InputError, match="5 Hz"):
        read(tmp_path, signals=[ecg(50, 5)], rates=(5,))


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no ECGs"):
        load(tmp_path)
    path = build(tmp_path / "a.edf")
    good = path.read_bytes()
    for bad in (good[:700], good[:100], b"", b"\xffBIOSEMI" + good[8:], good[:252] + b"9999",
                good[:184] + b"300     " + good[192:], good[:236] + b"x" + good[237:],
                good[: 256 + 16 + 80 + 8] + b"5       5       " + good[256 + 16 + 80 + 8 + 16:]):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="cannot be read"):
            read_edf(path, tmp_path)
    with pytest.raises(InputError, match="holds no ECG"):
        read(tmp_path, signals=[np.zeros(1000)])


# Persons and annotations


def test_the_patients_field_says_who_it_is_but_never_the_name(tmp_path):
    record = read(tmp_path, kind="EDF+C", patient=PLUS, recording="Startdate 02-MAY-2011 X X X")
    assert (record.subject, record.sex, record.session) == ("mrn-7", "female", "2011-05-02")
    assert record.age == pytest.approx(60, abs=0.01) and "Somebody" not in repr(record)
    assert read(tmp_path, patient=PLUS).subject == "mrn-7"  # EDF written in EDF+'s form
    free = read(tmp_path, patient="John Q Public, male")
    assert not free.subject and not free.sex and "John" not in repr(free)
    assert read(tmp_path, patient="patient_id: 12 sex: M").subject == "12"


@pytest.mark.parametrize("recording", ["Startdate X X X X", "Startdate 01-JAN-1985 X X X"])
def test_dates_that_mean_nothing_are_none(tmp_path, recording):
    record = read(tmp_path, kind="EDF+C", patient=PLUS, recording=recording)
    assert not record.session and np.isnan(record.age)
    assert not read(tmp_path, patient="X X X X").subject


def test_annotations_that_mark_beats_and_tell_facts(tmp_path):
    notes = [(0, "age: 60.5"), (0, "session: second"), (0, "label scp: NORM"), (0, "label scp: a"),
             (0, "+ nd so on"), (1, "beat"), (0.5, "R-peak"), (2, "QRS"), (3, "beat V"),
             (4, "Sleep stage W"), (9, "age: 3"), (99, "beat"), (5, "beats per minute")]
    record = read(tmp_path, kind="EDF+C", notes=notes, recording="Startdate X X X X")
    assert record.beats.tolist() == [50, 100, 200, 300]
    assert record.symbols.tolist() == ["Q", "Q", "Q", "V"]
    assert record.age == 60.5 and record.session == "second"
    assert record.labels == {"scp": ("NORM", "and so on")}
    assert not read(tmp_path, kind="EDF+C", notes=[(0, "subject: talking")]).subject
