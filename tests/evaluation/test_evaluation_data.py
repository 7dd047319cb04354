"""Sets from outside: WFDB and CSV folders read alike, and every bad input is named."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import evaluation_data as folders
from ecg_tf.evaluation.evaluation_data import (
    evaluate_data,
    lost_nulls,
    read_evaluation_data,
)
from ecg_tf.evaluation.gate import release_gate
from ecg_tf.evaluation.privacy_evaluation import PrivacyEvaluation
from ecg_tf.evaluation.utility_of_sets import USE, labelled_beats, use_of_sides
from ecg_tf.records import load
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.filtering import prepare
from ecg_tf.study.evaluate import gate_text
from tests.lessons import in_process


def write_wfdb(folder, records, subject=True, fs=None):
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        wfdb.wrsamp(record.name.replace("/", "_").replace("-", "_"), fs=fs or record.fs,
                    units=["mV"] * len(record.leads), sig_name=list(record.leads),
                    p_signal=record.signal.astype(float), fmt=["16"] * len(record.leads),
                    comments=[f"subject: {record.subject}"] if subject else [],
                    write_dir=str(folder))
    return folder


def write_csv(folder, records, time=True):
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        table = pd.DataFrame(record.signal, columns=record.leads)
        if time:
            table.insert(0, "time", np.arange(len(table)) / record.fs)
        table.to_csv(folder / f"{record.name.replace('/', '_')}.csv", index=False,
                     float_format="%.5f")
    return folder


def cohort(subjects=3, minutes=0.4, fs=128.0, **more):
    return simulate_cohort(subjects=subjects, minutes=minutes, fs=fs, **more)


def test_csv_and_wfdb_hold_the_same_ecgs(tmp_path):
    records = cohort(2)
    one = load(write_wfdb(tmp_path / "wfdb", records))
    two = load(write_csv(tmp_path / "csv", records))
    three = load(write_csv(tmp_path / "bare", records, time=False), fs=128)
    for a, b, c in zip(one, two, three, strict=True):
        np.testing.assert_allclose(a.signal, b.signal, atol=2e-3)
        np.testing.assert_array_equal(b.signal, c.signal)
        assert a.fs == b.fs == c.fs == 128 and a.leads == b.leads == ("MLII",)
    assert [record.subject for record in one] == [record.subject for record in records]
    assert [record.subject for record in two] == [record.name for record in two]


def test_a_rate_column_missing_samples_and_nested_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.csv").write_text("fs,V1,II\n100,1,\n100,2,5\n100,,6\n")
    record = load(tmp_path, leads=["II", "V1"])[0]
    assert record.name == "deep/a" and record.fs == 100 and record.leads == ("II", "V1")
    np.testing.assert_array_equal(record.signal, [[np.nan, 1], [5, 2], [6, np.nan]])


def test_subjects_csv_says_who_is_who(tmp_path):
    folder = write_csv(tmp_path / "real", cohort(3))
    names = sorted(path.stem for path in folder.glob("*.csv"))
    lines = [f"{name},person {number // 2}" for number, name in enumerate(names)]
    (folder / "subjects.csv").write_text("\n".join(["record,subject", *lines]))
    assert [record.subject for record in load(folder)] == ["person 0", "person 0", "person 1"]
    (folder / "subjects.csv").write_text("\n".join(["record,subject", *lines[:2]]))
    with pytest.warns(UserWarning, match="1 of 3 records have no row in 'subjects.csv'"):
        assert load(folder).subjects_known_by == "nothing"
    for table, message in (("record,subject\na,b\n", "has none of the 3 records"),
                        ("name,subject\na,b\n", "a column that names the records")):
        (folder / "subjects.csv").write_text(table)
        with pytest.raises(InputError, match=message):
            load(folder)


def test_sides_of_other_rates_are_resampled_and_cut_alike(tmp_path):
    real = write_wfdb(tmp_path / "real", cohort(3, fs=360.0))
    made = write_csv(tmp_path / "made", cohort(2, fs=250.0, seed=5))
    sides = read_evaluation_data(real, made, strip_seconds=4)
    assert sides.real.signals.shape[1:] == sides.synthetic.signals.shape[1:] == (512, 1)
    assert sides.real.fs == sides.synthetic.fs == 128 and sides.holdout is None
    assert len(np.unique(sides.real.subjects)) == 3 and not sides.notes
    assert sides.provenance["real"]["fs"] == 360


def test_leads_of_other_case_are_the_same_leads(tmp_path):
    real = write_wfdb(tmp_path / "real", cohort(2, leads=("II", "aVR")))
    made = write_csv(tmp_path / "made", cohort(2, seed=5, leads=("ii", "AVR")))
    sides = read_evaluation_data(real, made, strip_seconds=4)
    assert sides.real.leads == sides.synthetic.leads == ("II", "aVR")
    chosen = read_evaluation_data(real, made, strip_seconds=4, leads=["avr"])
    assert chosen.real.leads == chosen.synthetic.leads == ("avr",)
    np.testing.assert_array_equal(chosen.synthetic.signals[..., 0], sides.synthetic.signals[..., 1])


def test_what_is_assumed_or_left_out_is_said(tmp_path):
    records = cohort(3)
    real = write_wfdb(tmp_path / "real", records, subject=False)
    records[0].signal[200:400] = np.nan
    made = write_csv(tmp_path / "made", records)
    (made / "short.csv").write_text("time,MLII\n0,1\n0.0078125,2\n")
    notes = " ".join(read_evaluation_data(real, made, strip_seconds=4).notes)
    assert "The real records: Nothing says who is who: each of the 3 records" in notes
    assert "synthetic strips are left out" in notes and "nan" in notes
    assert "better than what was given" in notes and "shorter" in notes


@pytest.mark.parametrize(("text", "match"), [
    ("time,II\n0,1\n0.1,2\n0.3,3\n", "gives no sampling rate"),
    ("fs,II\n100,1\n200,2\n", "gives no sampling rate"),
    ("time,II\n0,a\n0.1,b\n", "something else than numbers"),
    ("time;II\n0.0;1,0\n0.1;2,0\n", "decimal points and commas"),
    ("time,II\n0,0,1\n0,1,2\n", "does not fit"),
    ("time,II\n0,1\n", "something else than numbers"),
    ("time\n0\n0.1\n", "no ECG lead"),
    ("II\n1\n2\n", "does not say its sampling rate"),
    ("", "cannot be read"),
])
def test_bad_csv_is_named(tmp_path, text, match):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=match):
        load(tmp_path)


def test_bad_folders_end_with_2(tmp_path, capsys):
    records = cohort(4)
    real, made = (write_wfdb(tmp_path / name, part) for name, part in
                  (("real", records[:2]), ("made", records[2:3])))
    (tmp_path / "empty").mkdir()
    flat = [type(records[0])(**{**vars(records[3]), "signal": 0 * records[3].signal})]
    cases = [  # (real, synthetic, holdout, message)
        (tmp_path / "none", made, "", "no database or folder"),
        (real, tmp_path / "empty", "", "holds no ECGs"),
        (real, made, write_wfdb(tmp_path / "other", records[1:2]), "in real and holdout"),
        (real, write_csv(tmp_path / "flat", flat), "", "holds no ECG"),
        (write_wfdb(tmp_path / "one", records[:1]), made, "", "of one person"),
        (real, write_wfdb(tmp_path / "lead", cohort(1, leads=("V5",))), "", "no lead in common"),
    ]
    for *sides, message in cases:
        with pytest.raises(InputError, match=message):
            read_evaluation_data(*sides, strip_seconds=4)
    with pytest.raises(InputError, match="too short"):
        read_evaluation_data(real, made, strip_seconds=40)
    with pytest.raises(InputError, match="no lead|not all|Not all"):
        read_evaluation_data(real, made, leads=["V9"])
    arguments = ["evaluate", "--real", str(real), "--synthetic"]
    assert main([*arguments, str(tmp_path / "nowhere")]) == 2
    assert main([*arguments, str(real)]) == 2
    assert main([*arguments, str(made), "--name", "a/b"]) == 2
    message = capsys.readouterr().err
    assert "no folder" in message and "one folder" in message and "--name" in message


def annotated(folder, records):
    write_wfdb(folder, records)
    for record in records:
        wfdb.wrann(record.name.replace("/", "_").replace("-", "_"), "atr", record.beats,
                   record.symbols.tolist(), fs=record.fs, write_dir=str(folder))
    return folder


def test_beats_that_carry_their_classes_are_asked_what_they_teach(tmp_path, monkeypatch):
    records = cohort(8, 2.0, ectopy=1.0)
    real, holdout = (annotated(tmp_path / name, some)
                     for name, some in (("real", records[:4]), ("holdout", records[4:])))
    made = annotated(tmp_path / "made", cohort(4, 2.0, ectopy=1.0, seed=9))
    sides = read_evaluation_data(real, made, holdout, strip_seconds=4)
    rows, why = use_of_sides(sides.beats, per_class=60, seeds=2)
    ratio = rows[0]
    assert ratio.name == "TSTR/TRTR macro-F1, forest" and ratio.value > 0.8 and not why
    assert all(row.name.startswith(USE) for row in rows)
    permuted = np.random.default_rng(0).permutation(sides.beats["synthetic"].labels)
    wrong = sides.beats | {"synthetic": replace(sides.beats["synthetic"], labels=permuted)}
    assert use_of_sides(wrong, per_class=60, seeds=2)[0][0].value < 0.7
    monkeypatch.setattr(folders, "evaluate_privacy", lambda *_, **__: PrivacyEvaluation(
        [], release_gate([])))
    few = replace(sides, synthetic=sides.synthetic.take(slice(0, 40)))
    assert ratio.name in evaluate_data(few, max_strips=40).gate.table.index


def test_beats_that_teach_nothing_by_their_labels_are_not_asked(tmp_path):
    records = cohort(4, 1.0, ectopy=1.0)
    sides = {side: labelled_beats([prepare(one, 128.0) for one in some])
             for side, some in (("real", records[:2]), ("holdout", records[2:]))}
    plain = replace(sides["real"], labels=np.full(len(sides["real"]), "N"))
    assert use_of_sides(sides) == ([], "no beat of the synthetic side carries a class")
    assert use_of_sides(sides | {"synthetic": plain})[1] == (
        "all beats of the synthetic side are of one class, N")
    bare = [replace(one, beats=one.beats[:0], symbols=one.symbols[:0]) for one in records]
    assert labelled_beats([prepare(one, 128.0) for one in bare]) is None


def test_without_a_holdout_it_says_what_has_no_null(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    records = cohort(6, 0.8)
    real, made = (write_wfdb(tmp_path / name, records) for name in ("real", "made"))
    verdict = evaluate_data(read_evaluation_data(real, made, strip_seconds=4))
    lost = {one.name for one in lost_nulls(verdict)}
    assert {"re-identification at 1 % FAR", "near-matches", "membership AUC, strips"} <= lost
    notes = " ".join(verdict.notes)
    assert "There is no holdout: fidelity is compared with the real persons" in notes
    assert "TSTR" in notes and "TSTR/TRTR macro-F1" not in verdict.gate.table.index
    assert not verdict.gate.passed


def test_the_command_writes_a_report_and_fails_copies(tmp_path, monkeypatch, capsys, hasty):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    in_process.use(monkeypatch)
    records = cohort(16, 0.95)
    real = write_wfdb(tmp_path / "real", records[:8])
    holdout = write_wfdb(tmp_path / "holdout", records[8:])
    made = write_csv(tmp_path / "made", records[:8])  # the real ECGs themselves
    status = main(["evaluate", "--real", str(real), "--synthetic", str(made), "--holdout",
                   str(holdout), "--output", str(tmp_path / "out"), "--name", "mine",
                   "--strip-seconds", "4", "--quiet"])
    message = capsys.readouterr().out
    assert status == 3 and "Release gate: failed." in message and "copies" in message
    metrics = json.loads((tmp_path / "out" / "mine.json").read_text())
    assert metrics["privacy"]["gate"]["copies"]["verdict"] == "fail"
    assert not metrics["privacy"]["passed"] and metrics["strips"]["holdout"] >= 100
    assert gate_text(metrics).splitlines()[0].split() == ["verdict", "criterion", "result"]
    page = (tmp_path / "out" / "mine.html").read_text()
    assert page.count("<figure") >= 4 and "Not passed" in page
    assert (tmp_path / "out" / "mine.ipynb").exists()
