"""Formats and cards of a release: any signal within its error, and cards that say what is so."""

from dataclasses import replace

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.gate import DEFAULTS
from ecg_tf.records import Record, load, read_record
from ecg_tf.records.formats.common import labels_of
from ecg_tf.records.formats.csv_files import read_csv
from ecg_tf.records.formats.edf_files import read_edf
from ecg_tf.records.provenance import facts_of
from ecg_tf.release.dataset_card import dataset_card
from ecg_tf.release.decision import Decision, decide
from ecg_tf.release.export import sums_of
from ecg_tf.release.formats import FORMATS, Stamp, error_bound_mv, save_ecgs, scale_of
from ecg_tf.release.model_card import model_card
from ecg_tf.release.progress import Progress, Tally
from ecg_tf.study.results import read_result
from tests.small_run import FAIL, PASS, make_run

STAMP = Stamp("run", 2**31 - 1, "passed", "R peaks", "HP:0.5Hz LP:40Hz")


def record(top=1.0, leads=("I", "lead #2"), seconds=2.5, fs=100.0, beats=(10, 90, 230), seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.uniform(-top, top, (round(seconds * fs), len(leads))).astype(np.float32)
    return Record("synthetic-000001", "synthetic", "synthetic-000001", signal, fs, leads,
                  np.array(beats, np.int64), np.full(len(beats), "Q"))


def written(one, kind, folder):
    for ending, content in zip(FORMATS[kind].endings, FORMATS[kind].files(one, STAMP), strict=True):
        (folder / (one.name + ending)).write_bytes(content)
    return folder / one.name


def back(one, kind, folder):
    """A record, written and read again by our own readers."""
    if kind == "edf":
        pytest.importorskip("pyedflib")
    path = written(one, kind, folder)
    if kind == "wfdb":
        return read_record(path)
    return {"csv": read_csv, "edf": read_edf}[kind](path.with_suffix(f".{kind}"), folder)


@pytest.mark.parametrize("kind", ["wfdb", "edf", "csv"])
@settings(max_examples=12, deadline=None)
@given(top=st.floats(0.01, 20_000), seed=st.integers(0, 99))
def test_any_signal_comes_back_within_the_stated_error(kind, tmp_path_factory, top, seed):
    one = record(top, seed=seed)
    found = back(one, kind, tmp_path_factory.mktemp("one"))
    samples = 200 if kind == "edf" else 250  # whole seconds
    assert found.signal.shape == (samples, 2) and found.leads == one.leads
    wrong = np.abs(found.signal - one.signal[:samples].astype(float)).max()
    assert wrong <= error_bound_mv(one, kind)
    assert list(found.beats) == [b for b in (10, 90, 230) if b < samples]


LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LABELS = {"superclass": ("MI", "CD"), "scp": ("IMI", "a statement that is longer than EDF+ holds")}


@pytest.mark.parametrize("kind", ["wfdb", "edf", "csv"])
@pytest.mark.parametrize(("sex", "age", "session"), [("female", 63.25, "day 2"),
                                                     ("male", 0.75, ""), ("", np.nan, "")])
def test_twelve_leads_come_back_with_all_that_is_known(kind, sex, age, session, tmp_path):
    symbols = np.array(list("NVQAN"))
    one = replace(record(leads=LEADS, seconds=10, fs=500, beats=(40, 900, 1700, 2600, 4999)),
                  sex=sex, age=age, session=session, labels=LABELS, symbols=symbols)
    found = back(one, kind, tmp_path)
    assert found.leads == LEADS and found.fs == 500 and found.subject == "synthetic-000001"
    assert np.abs(found.signal - one.signal.astype(float)).max() <= error_bound_mv(one, kind)
    assert list(found.beats) == list(one.beats) and list(found.symbols) == list(symbols)
    assert (found.sex, found.session) == (sex, session)
    np.testing.assert_equal(found.age, age)
    if kind == "wfdb":
        comments = wfdb.rdheader(str(tmp_path / one.name)).comments
        assert labels_of(comments) == LABELS
    else:
        assert found.labels == LABELS


def test_missing_samples_come_back_as_missing_or_are_refused(tmp_path):
    one = record()
    one.signal[20:30, 0] = np.nan
    for kind in ("wfdb", "csv"):
        np.testing.assert_array_equal(np.isnan(back(one, kind, tmp_path).signal),
                                      np.isnan(one.signal))
    pytest.importorskip("pyedflib")
    with pytest.raises(InputError, match="10 missing samples"):
        FORMATS["edf"].files(one, STAMP)


def test_edf_says_whom_it_cannot_name():
    pytest.importorskip("pyedflib")
    for subject in ("x" * 37, "M\u00fcller"):
        with pytest.raises(InputError, match="36 letters of ASCII"):
            FORMATS["edf"].files(replace(record(), subject=subject), STAMP)


def test_scales_are_the_finest_that_hold_the_signal():
    assert [scale_of(record(top)) for top in (0.1, 16.3, 17, 1000, 20_000)] == \
        [2000, 2000, 1000, 10, 1]
    with pytest.raises(InputError, match="32 V"):
        scale_of(record(40_000))


def test_a_fast_heart_without_and_with_beats(tmp_path):
    for folder, beats in ((tmp_path / "none", ()), (tmp_path / "many", range(0, 240, 20))):
        for kind in ("wfdb", "edf"):
            (folder / kind).mkdir(parents=True)
            found = back(record(beats=tuple(beats)), kind, folder / kind).beats
            assert len(found) == len([b for b in beats if b < (200 if kind == "edf" else 250)])


def test_edf_says_what_it_cannot_hold():
    pytest.importorskip("pyedflib")
    for one in (record(fs=100.5), record(seconds=0.5, beats=())):
        with pytest.raises(InputError, match="whole seconds"):
            FORMATS["edf"].files(one, STAMP)


def test_edf_without_its_package_is_a_paragraph(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyedflib", None)
    with pytest.raises(InputError, match="pip install pyedflib"):
        FORMATS["edf"].files(record(), STAMP)


def test_files_are_the_same_again():
    for kind in ("wfdb", "csv"):
        assert FORMATS[kind].files(record(), STAMP) == FORMATS[kind].files(record(), STAMP)


def test_a_gate_that_asks_nothing_of_persons_lets_nothing_go():
    assert Decision({"MMD²": PASS, "copies": PASS}).passed
    assert not Decision({"MMD²": PASS}).passed and not Decision({}).passed
    assert "no row about persons" in Decision({"MMD²": PASS}).reason
    found = decide({"privacy": {"gate": {"copies": FAIL, "membership AUC, beats": PASS}}})
    assert found.reason == "failed: copies" and not found.passed
    assert set(found.dropped) == set(DEFAULTS) - {"copies", "membership AUC"}
    for gate in ([1], {"copies": "pass"}, {"copies": {"verdict": "PASS"}}):
        with pytest.raises(InputError, match="cannot be read"):
            decide({"privacy": {"gate": gate}})


def cards(folder, gate):
    run = read_result(make_run(folder, gate))
    decision, sums = decide(run.content), sums_of(run)
    identity = {"run": "small", "seed": 3, "seconds": 4.0, "versions": {"numpy": "2"},
                "sha256": sums}
    state = Progress(folder, identity, {0: Tally(64, 5, 256.0, 500)}, 64, True)
    return (dataset_card(run, decision, FORMATS["wfdb"], state), model_card(run, decision, sums),
            run)


def test_cards_of_a_set_that_passed(tmp_path):
    data, model, run = cards(tmp_path, {"MMD²": PASS, "copies": PASS})
    for card in (data, model):
        assert card.startswith("# ") and "FORCED" not in card
        for words in ("Not for diagnosis", "Simulated ECGs", "no person's data", "train 2, test 1",
                      "9 of 10 copies found", "Words of the gate.", "A note.", "| copies | persons",
                      "| linkability | 0.1 | 0.2 |", "p < 0.05, each alone): linkability",
                      "took these rows of the default gate out", "What was not tested",
                      "Diagnosis, triage", *sums_of(run).values()):
            assert words in card, words
        claim = card.lower().replace("not\nclaimed to be anonymous", "")
        assert "anonymous" not in claim.replace("nothing here says that its ecgs, or its weights,\n"
                                               "are anonymous", "")
    assert "--seed 3 --seconds 4\n" in data and "5 of 64 records came out shorter" in data
    assert "64, synthetic-000001 to synthetic-000064" in data and "0.25 µV" in data
    assert "abc" in model and "steps | 1000" in model and "RMSE 1 µV" in model


def test_cards_name_license_and_citation_of_a_known_database(tmp_path):
    _, _, run = cards(tmp_path, {"copies": PASS})
    known = replace(run, content={"data": facts_of("mitdb")})
    card = model_card(known, decide({}), {})
    assert card.startswith("**FORCED") and "Moody GB, Mark RG" in card and "ODC-By" in card
    assert "made available under the ODC Attribution License" in card
    own = replace(known, experiment=replace(run.experiment, database="/home/me/ward 7"),
                  content={"data": facts_of("ward 7")})
    card = model_card(own, decide({}), {})
    assert "ask whoever made the data" in card and "/home/me" not in card


def test_wfdb_tools_need_no_help(tmp_path):
    written(record(leads=("I", "II")), "wfdb", tmp_path)
    header = wfdb.rdheader(str(tmp_path / "synthetic-000001"))
    assert header.adc_gain == [2000.0, 2000.0] and header.fmt == ["16", "16"]


@pytest.mark.parametrize("kind", ["wfdb", "edf", "csv"])
def test_ecgs_are_saved_and_loaded_again(tmp_path, monkeypatch, kind):
    if kind == "edf":
        pytest.importorskip("pyedflib")
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    ecgs = load("simulated", subjects=2, minutes=0.5)
    folder = save_ecgs(ecgs, tmp_path / "out", format=kind)
    for record, again in zip(ecgs, load(tmp_path / "out"), strict=True):
        assert again.subject == record.subject and np.array_equal(again.beats, record.beats)
        assert np.abs(again.signal - record.signal).max() <= error_bound_mv(record, kind)
    text = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"SYNTHETIC" not in text  # only what a GAN made is called so
    with pytest.raises(InputError, match="holds something"):
        save_ecgs(ecgs, tmp_path / "out")
