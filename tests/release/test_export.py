"""Releases: records within the stated error, the same again, whole after a kill, gated."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import wfdb

import ecg_tf as et
from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.evaluation_data import read_evaluation_data
from ecg_tf.records import load
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.release import export as module
from ecg_tf.release.export import NotReleased, export
from ecg_tf.release.formats import error_bound_mv, scale_of
from ecg_tf.release.sampling import BLOCK, Sampler
from ecg_tf.signals.limb_leads import limb_lead_residual
from ecg_tf.study.results import read_result
from tests.small_run import FAIL, PASS, make_run

GOOD = {"MMD²": PASS, "copies": PASS}
N = BLOCK + 3  # two blocks


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs"), GOOD)


@pytest.fixture(scope="module")
def sampled(run):
    sampler = Sampler(read_result(run), seed=5)
    return [record for index in (0, 1) for record in sampler.block(index).records][:N]


@pytest.fixture(autouse=True)
def no_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if path.name.startswith("synthetic")}


def test_the_interface_samples_the_records_that_are_exported(run, sampled, tmp_path):
    found = et.sample(run, N, seed=5)
    assert len(found) == N and all(
        np.array_equal(record.signal, ours.signal) and np.array_equal(record.beats, ours.beats)
        and record.name == ours.name for record, ours in zip(sampled, found, strict=True))
    header = (found[:1].save(tmp_path / "passed") / "synthetic-000001.hea").read_text()
    assert "gate: passed" in header and "run small, seed 5" in header
    failed = make_run(tmp_path, {"copies": FAIL})
    folder = et.sample(failed, 1).save(tmp_path / "failed")
    assert "gate: NOT PASSED\n" in (folder / "synthetic-000001.hea").read_text()


def test_wfdb_is_read_by_wfdb_and_by_our_own_reader(sampled, whole):
    made = whole
    assert made.written == made.total.records == N and made.folder.name == "out"
    found = load(made.folder)  # compares with SHA256SUMS.txt, too
    assert len(found) == N and not list(made.folder.glob("*.part"))
    for record, ours in zip(sampled, found, strict=True):
        path = str(made.folder / record.name)
        read = wfdb.rdrecord(path)
        assert read.fs == 128 and read.units == ["mV"] and read.sig_name == ["MLII"]
        assert np.abs(read.p_signal - record.signal).max() <= error_bound_mv(record, "wfdb")
        assert error_bound_mv(record, "wfdb") < 0.000251
        beats = wfdb.rdann(path, "atr")
        assert np.array_equal(beats.sample, record.beats) and set(beats.symbol) == {"Q"}
        assert np.array_equal(ours.beats, record.beats) and ours.subject == record.name
        assert np.abs(ours.signal - record.signal).max() <= error_bound_mv(record, "wfdb")
    stamp = " ".join(wfdb.rdheader(path).comments)
    for words in ("SYNTHETIC", "NOT FOR DIAGNOSIS", "ecg_tf 0.1.0", "seed 5", "gate: passed",
                  f"subject: {record.name}"):
        assert words in stamp


def test_the_beats_are_those_of_the_image(sampled):
    for record in sampled:
        assert len(record.beats) == 8  # a row each
        assert (np.diff(record.beats) > 0.19 * 128).all()  # the shortest RR interval of the image
        assert 0 <= record.beats.min() and record.beats.max() < len(record.signal)
    assert len({tuple(record.beats) for record in sampled}) > 1
    assert len({record.signal.tobytes() for record in sampled}) == N


def test_edf_is_read_by_pyedflib(run, sampled, tmp_path):
    pyedflib = pytest.importorskip("pyedflib")
    made = export(run, 5, "edf", tmp_path / "out", seed=5, progress=False)
    for record in sampled[:5]:
        file = pyedflib.EdfReader(str(made.folder / f"{record.name}.edf"))
        signal, (onsets, _, words) = file.readSignal(0), file.readAnnotations()
        header, facts = file.getHeader(), file.getSignalHeaders()[0]
        file.close()
        seconds = len(record.signal) // 128
        assert len(signal) == seconds * 128 and facts["sample_frequency"] == 128
        wrong = np.abs(signal - record.signal[: seconds * 128, 0]).max()
        assert wrong <= error_bound_mv(record, "edf") and facts["dimension"] == "mV"
        beats = record.beats[record.beats < seconds * 128]
        assert np.array_equal(np.rint(onsets * 128), beats) and set(words) == {"beat"}
        assert header["patientcode"] == record.name
        assert header["patient_additional"] == "SYNTHETIC, not for diagnosis"
        assert header["admincode"] == "SYNTHETIC" and header["recording_additional"] == "seed 5"
        assert header["equipment"] == "ecg tf 0.1.0"  # EDF+ has no spaces, its reader no _
        assert "not for diagnosis" in facts["transducer"]
    for record, ours in zip(sampled, load(made.folder), strict=False):
        assert ours.subject == record.name and np.isin(ours.beats, record.beats).all()
        wrong = np.abs(ours.signal - record.signal[: len(ours.signal)]).max()
        assert wrong <= error_bound_mv(record, "edf")


def test_csv_is_read_by_pandas_and_by_the_evaluation(run, sampled, tmp_path):
    made = export(run, 5, "csv", tmp_path / "out", seed=5, progress=False)
    sides = load(made.folder)
    for record, side in zip(sampled, sides, strict=False):
        path = made.folder / f"{record.name}.csv"
        table = pd.read_csv(path, comment="#")
        assert list(table) == ["time", "MLII"] and len(table) == len(record.signal)
        assert np.abs(table.time - np.arange(len(table)) / 128).max() <= 0.5e-6 * (1 + 1e-6)
        assert np.abs(table.MLII - record.signal[:, 0]).max() <= error_bound_mv(record, "csv")
        assert side.fs == 128 and side.subject == record.name and side.leads == ("MLII",)
        assert np.abs(side.signal - record.signal).max() <= error_bound_mv(record, "csv")
        head = path.read_text()[:900]
        assert "# NOT FOR DIAGNOSIS" in head and f"# subject: {record.name}" in head


def test_an_exported_set_can_be_evaluated(run, tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    for k, record in enumerate(simulate_cohort(subjects=2, minutes=0.4, fs=128.0, seed=3)):
        wfdb.wrsamp(f"p{k}", record.fs, ["mV"], list(record.leads), record.signal.astype(float),
                    fmt=["16"], comments=[f"subject: p{k}"], write_dir=str(real))
    for kind in ("wfdb", "csv"):
        made = export(run, 8, kind, tmp_path / kind, seed=5, seconds=4.0, progress=False)
        sides = read_evaluation_data(real, made.folder, strip_seconds=4.0)
        assert len(sides.synthetic) and sides.synthetic.leads == ("MLII",)
        assert sides.provenance["synthetic"]["records"] == 8


def test_a_longer_export_adds_and_changes_nothing(run, whole, tmp_path):
    export(run, 3, "wfdb", tmp_path / "a", seed=5, progress=False)
    few = contents(tmp_path / "a")
    more = export(run, N, "wfdb", tmp_path / "a", seed=5, progress=False)
    assert more.written == N - 3 and more.total.records == N
    both = contents(tmp_path / "a"), contents(whole.folder)
    assert both[0] == both[1] and {name: both[0][name] for name in few} == few
    sums = [(folder / "SHA256SUMS.txt").read_text().splitlines()[2:]  # cards tell the code's state
            for folder in (tmp_path / "a", whole.folder)]
    assert sums[0] == sums[1] and len(sums[0]) == 3 * N
    again = export(run, N, "wfdb", tmp_path / "a", seed=5, progress=False)
    assert again.written == 0 and again.total == more.total
    other = export(run, 3, "wfdb", tmp_path / "c", seed=6, progress=False)
    assert contents(other.folder)["synthetic-000001.dat"] != few["synthetic-000001.dat"]


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "out"
    return export(run, N, "wfdb", folder, seed=5, progress=False)


@pytest.mark.parametrize("stop_at", [2, 3, 100])
def test_a_killed_export_leaves_no_half_record_and_goes_on(run, whole, tmp_path, monkeypatch,
                                                           stop_at):
    renames, real = [], os.replace

    def dying(part, path):
        renames.extend([path] * path.name.startswith("synthetic"))
        if len(renames) == stop_at:
            raise KeyboardInterrupt
        real(part, path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            export(run, N, "wfdb", tmp_path / "cut", seed=5, progress=False)
    there = list((tmp_path / "cut").glob("*.hea"))
    assert len(there) == (stop_at - 1) // 3  # three files a record, its header last
    for header in there:  # what counts as a record is one
        assert len(wfdb.rdrecord(str(header.with_suffix(""))).p_signal) > 100
    assert "not finished" in (tmp_path / "cut/DATASET_CARD.md").read_text()
    made = export(run, N, "wfdb", tmp_path / "cut", seed=5, progress=False)
    assert made.written == N - len(there) and made.total == whole.total
    names = {path.name for path in whole.folder.iterdir()}
    assert {path.name for path in made.folder.iterdir()} == names  # no parts, nothing lost
    assert contents(made.folder) == contents(whole.folder)


def test_records_of_one_length_and_those_that_are_too_long(run, tmp_path, capsys):
    made = export(run, 9, "wfdb", tmp_path / "out", seed=1, seconds=4.0, progress=False)
    lengths = {len(record.signal) for record in load(made.folder)}
    assert lengths == {512} and made.total.seconds == pytest.approx(4.0 * 9)
    assert main(["export", str(run), "--seconds", "600", "--output", str(tmp_path / "no")]) == 2
    assert "--seconds" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_images_of_fixed_length_have_detected_beats(tmp_path, capsys):
    run = make_run(tmp_path, GOOD, "row_major", rows=16)
    made = export(run, 4, "wfdb", seconds=3.0, progress=False)
    assert made.folder == run / "export-wfdb"
    assert {len(record.signal) for record in load(made.folder)} == {384}
    assert "found by a detector" in (made.folder / "DATASET_CARD.md").read_text()
    assert main(["export", str(run), "--seconds", "4.5", "--format", "csv", "--quiet"]) == 2
    assert "at most 4 s" in capsys.readouterr().err


def test_beat_strips_all_last_as_long_and_know_their_beats(tmp_path):
    run = make_run(tmp_path, GOOD, "beat_strips", rows=16)
    records = Sampler(read_result(run), seed=5).block(0).records
    assert {len(record.signal) for record in records} == {640}
    assert min(len(record.beats) for record in records) >= 2
    for record in records:
        assert 0 <= record.beats[0] and record.beats[-1] < 640 and (np.diff(record.beats) > 0).all()
    assert export(run, 4, "wfdb", progress=False).total.seconds == pytest.approx(20.0)


def test_a_failed_gate_stops_it_and_force_is_said_first(tmp_path, capsys):
    run = make_run(tmp_path, {**GOOD, "recall": FAIL, "membership AUC, beats": FAIL,
                              "near-matches": {**PASS, "verdict": "not measured"}})
    out = tmp_path / "out"
    command = ["export", str(run), "--n", "2", "--output", str(out), "--quiet"]
    assert main(command) == 3
    error = capsys.readouterr().err
    assert "recall; membership AUC, beats. Not measured: near-matches" in error
    assert not out.exists()
    assert main([*command, "--force"]) == 0
    assert "FORCED" in capsys.readouterr().out
    for card in module.CARDS:
        first = (out / card).read_text().split("\n")[0]
        assert first.startswith("**FORCED: the release gate was not passed.**")
        assert "recall" in first and "membership AUC, beats" in first and "near-matches" in first
    assert "NOT PASSED" in " ".join(wfdb.rdheader(str(out / "synthetic-000002")).comments)


def test_a_run_without_measures_is_not_released(tmp_path):
    run = make_run(tmp_path)
    with pytest.raises(NotReleased, match="nothing was evaluated"):
        export(run, 2, output=tmp_path / "out", progress=False)
    made = export(run, 2, output=tmp_path / "out", force=True, progress=False)
    text = (made.folder / "MODEL_CARD.md").read_text()
    assert text.startswith("**FORCED") and "has not been evaluated" in text


def test_what_does_not_belong_together_is_refused(run, tmp_path, capsys):
    out = tmp_path / "out"
    export(run, 3, "csv", out, progress=False)
    for changes, word in (({"seed": 1}, "other seed"), ({"format": "wfdb"}, "other format"),
                          ({"seconds": 2.0}, "other seconds"), ({"n": 2}, "more records")):
        with pytest.raises(InputError, match=f"(?s){word}"):
            export(run, **{"n": 3, "format": "csv", "output": out, "progress": False, **changes})
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        export(run, 3, output=tmp_path / "full", progress=False)
    other = shutil.copytree(run, tmp_path / "other")
    content = json.loads((other / "results.json").read_text())
    content["experiment"]["seed"] = 7
    (other / "results.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="do not agree"):
        export(other, 3, output=tmp_path / "x", progress=False)
    (other / "generator.keras").unlink()
    assert main(["export", str(other)]) == 2
    assert "no generator.keras" in capsys.readouterr().err
    assert main(["export", str(run), "--format", "wdfb"]) == 2
    assert "Did you mean 'wfdb'" in capsys.readouterr().err


TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs"), GOOD, leads=TWELVE, name="twelve")


def sums_in_steps(signals, step):
    """Largest residual of the limb leads' sums, in steps of the format."""
    i, ii, iii, avr, avl, avf = np.rint(signals[:, :6] / step).T
    return max(np.abs(left).max() for left in (
        ii - i - iii, (i + ii) / 2 + avr, i - ii / 2 - avl, ii - i / 2 - avf, avr + avl + avf))


@pytest.mark.parametrize("format", ["wfdb", "edf", "csv"])
def test_twelve_leads_have_their_names_and_add_up_within_a_step(twelve, tmp_path, format):
    made = export(twelve, 4, format, tmp_path / "out", seed=2, progress=False)
    records = Sampler(read_result(twelve), seed=2).block(0).records[:4]
    for record in records:
        assert record.leads == TWELVE
        assert limb_lead_residual([record.signal], TWELVE)[0] < 1e-6
        path = made.folder / record.name
        if format == "wfdb":
            read = wfdb.rdrecord(str(path))
            found, names = read.p_signal, read.sig_name
            assert set(read.adc_gain) == {scale_of(record)} and set(read.units) == {"mV"}
        elif format == "edf":
            pyedflib = pytest.importorskip("pyedflib")
            file = pyedflib.EdfReader(f"{path}.edf")
            names, found = file.getSignalLabels(), np.stack(
                [file.readSignal(k) for k in range(12)], -1)
            file.close()
        else:
            table = pd.read_csv(f"{path}.csv", comment="#")
            names, found = list(table)[1:], table.to_numpy()[:, 1:]
        step = 1e-6 if format == "csv" else 1 / scale_of(record)
        assert tuple(names) == TWELVE and found.shape[1] == 12
        assert np.abs(found - record.signal[: len(found)]).max() <= error_bound_mv(record, format)
        assert sums_in_steps(found, step) <= (1.5 if format == "csv" else 1)
    for card in module.CARDS:
        text = (made.folder / card).read_text()
        assert ", ".join(TWELVE) in text and "III, aVR, aVL, aVF computed from the other" in text
