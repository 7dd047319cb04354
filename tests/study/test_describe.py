"""What a folder holds is described in numbers and in text, and agrees with what was put into it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.ecgs import ECGs, LeftOut
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.study.describe import describe_ecgs
from ecg_tf.study.describe_text import WIDTH, text_of
from tests.small_records import make_record, noise


def cohort(subjects=6, **options):
    options = {"minutes": 0.5, "fs": 250.0, "ectopy": 0, "noise": 0.3} | options
    return ECGs.of_records(tuple(simulate_cohort(subjects, **options)), "database")


def checked(ecgs, source="here"):
    found = describe_ecgs(ecgs, source)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert isinstance(text_of(found), str)
    return found


def test_numbers_agree_with_the_records():
    ecgs = cohort(sessions=2, leads=("I", "II"))
    found = checked(ecgs)
    rates = [60 * 250 / np.median(np.diff(one.beats)) for one in ecgs]
    heights = [np.ptp(one.signal, axis=0) for one in ecgs]
    assert (found["records"], found["subjects"], found["subjects_with_several"]) == (12, 6, 6)
    assert (found["fs_hz"], found["seconds"], found["seconds_range"]) == (250.0, 30.0, [30.0, 30.0])
    assert found["leads"] == found["leads_in_all"] == ["I", "II"]
    assert found["heart_rate_bpm"] == pytest.approx(np.median(rates), abs=1.5)
    assert found["heart_rate_records"] == 12
    assert found["amplitude_mv"] == pytest.approx(np.median(heights), rel=0.15)
    assert found["beats"] == {"N": sum(len(one.beats) for one in ecgs)}
    assert sum(found["sex"].values()) == 6 and found["age"]["known"] == 6
    assert found["warnings"] == [] and found["implausible"] == {} and found["left_out"] == []


def test_records_that_differ_are_said_to():
    one, two, three = cohort(3, leads=("I", "II"))
    two = replace(two, signal=two.signal[:2500, :1], leads=("I",), beats=two.beats[:0],
                  symbols=two.symbols[:0], fs=125.0)
    three = replace(three, signal=three.signal[:5000], beats=three.beats[:5],
                    symbols=three.symbols[:5])
    found = checked(ECGs.of_records((one, two, three), "database"))
    assert found["fs_hz"] == [125.0, 250.0] and found["seconds_range"] == [20.0, 30.0]
    assert found["leads"] == ["I", "II"] and found["leads_in_all"] == ["I"]
    text = text_of(found)
    assert "125, 250 Hz" in text and "in all: I)" in text and "20 to 30 s" in text


def test_labels_are_counted_by_record_and_the_most_frequent_come_first():
    records = [replace(one, labels={"rhythm": ("SR",), "scp": ("NORM", "SR") if k else ("AFIB",)},
                       notes=("no checksum in the header",)) for k, one in enumerate(cohort(4))]
    found = checked(ECGs.of_records(tuple(records), "metadata table"))
    assert found["labels"] == {"rhythm": {"SR": 4}, "scp": {"NORM": 3, "SR": 3, "AFIB": 1}}
    assert list(found["labels"]["scp"])[0] == "NORM"
    assert found["notes"] == {"no checksum in the header": 4}
    assert "scp: NORM 3, SR 3, AFIB 1" in text_of(found)


def test_what_was_left_out_is_named_and_counted():
    out = [LeftOut(f"d{k}", "duplicate", "the same") for k in range(30)]
    out += [LeftOut(f"m{k}", "missing", "no file") for k in range(12)]
    out.append(LeftOut("cut", "damaged", "its signal is shorter than its header says"))
    found = checked(cohort(3).replaced(left_out=tuple(out), warnings=("One is damaged.",)))
    assert len(found["left_out"]) == 43
    assert found["left_out"][-1] == {"name": "cut", "kind": "damaged",
                                     "reason": "its signal is shorter than its header says"}
    assert found["left_out_by_kind"] == {"duplicate": 30, "missing": 12, "damaged": 1}
    lines = text_of(found).splitlines()
    at = lines.index("Left out")
    assert lines[at + 1 : at + 3] == ["  30 duplicate, 12 missing, 1 damaged", "  m0: no file"]
    assert "  and 3 more (--json names all)" in lines and "  - One is damaged." in lines


def test_what_is_implausible_is_named_and_warned_of():
    records = list(cohort(5))
    records[2] = replace(records[2], signal=1000 * records[2].signal)
    found = checked(ECGs.of_records(tuple(records), "database"))
    name = records[2].name
    assert list(found["implausible"]["unit"]) == [name] and name in found["warnings"][0]
    assert "microvolt" in text_of(found)


def test_unknown_persons_are_records_and_nobody_calls_them_persons():
    found = checked(cohort(3).replaced(subjects_known_by="nothing"))
    assert "who is who" in found["warnings"][0]
    assert "persons (known" not in text_of(found) and "unknown persons" in text_of(found)


@pytest.mark.parametrize(("seconds", "arrangement", "length"), [
    (120, "beat_rows", None), (30, "beat_strips", 30), (10, "beat_strips", 10),
    (9.998, "beat_strips", 10), (7.5, "beat_strips", 7),
])
def test_windows_that_fit(seconds, arrangement, length):
    whole = [*cohort(11, minutes=2.0)]
    cut = [shortened(one, seconds) for one in whole[:10]] + [shortened(whole[10], 3)]
    found = checked(ECGs.of_records(tuple(cut), "database"))
    windows, rate = found["windows"], found["heart_rate_bpm"]
    assert (windows["arrangement"], windows["seconds"]) == (arrangement, length)
    assert windows["records_too_short"] == 1
    if arrangement == "beat_strips":
        assert windows["windows"] == 10 and windows["rows"] >= rate / 60 * length
    else:
        by_beats = [max(0, len(one.beats) - 2) // windows["rows"] for one in cut]
        assert windows["windows"] == pytest.approx(sum(by_beats), abs=6)


def shortened(record, seconds):
    length = round(seconds * record.fs)
    inside = record.beats < length
    return replace(record, signal=record.signal[:length], beats=record.beats[inside],
                   symbols=record.symbols[inside])


def test_what_cannot_be_split_or_cut_is_a_warning_and_no_error():
    found = checked(ECGs.of_records((make_record(noise(50)),)))
    assert "refused" in found["windows"] and "Too few" in found["split"]["refused"]
    assert len(found["warnings"]) >= 2 and found["heart_rate_bpm"] is None


def test_a_split_counts_everybody_once():
    found = checked(cohort(9, sessions=2))
    parts = found["split"]["parts"]
    assert sum(part["subjects"] for part in parts.values()) == 9
    assert sum(part["records"] for part in parts.values()) == 18
    assert parts["train"]["records"] == 2 * parts["train"]["subjects"]


@pytest.mark.parametrize("signal", [
    np.zeros((600, 2)), np.full((600, 1), np.nan), np.zeros((1, 1)), noise(600)[:, None] * 1e9])
def test_records_without_any_ecg_are_described_too(signal):
    found = checked(ECGs.of_records((make_record(signal), *cohort(2))))
    assert found["records"] == 3 and found["warnings"]


def test_a_terminal_gets_short_lines_and_no_control_characters():
    record = make_record(noise(900), leads=["a\x1b[31m\nb"], name="r\x07")
    found = checked(ECGs.of_records((record,), left_out=(LeftOut("x\ny", "damaged", "why\x1b"),)))
    text = text_of(found)
    assert all(one.isprintable() or one == "\n" for one in text)
    assert max(map(len, text_of(checked(cohort(4))).splitlines())) <= WIDTH


def test_there_must_be_a_record():
    with pytest.raises(InputError, match="no ECGs"):
        describe_ecgs(ECGs.of_records(()))


def test_many_records_are_looked_at_in_a_sample(monkeypatch):
    monkeypatch.setattr("ecg_tf.study.describe.BEATS_OF", 4)
    found = checked(cohort(10))
    assert found["heart_rate_records"] == 4 and "in 4 records" in text_of(found)
    upside_down = [replace(one, signal=-one.signal) for one in cohort(10)]
    found = checked(ECGs.of_records(tuple(upside_down), "database"))
    assert len(found["implausible"]["inverted"]) == 4 and "4 of 4 records" in found["warnings"][0]
