"""Several databases in one experiment: one array, no person on two sides, everything cited."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.records import DS1, DS2, ECGs, database_names, load, provenance
from ecg_tf.records.several import join
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.records.splits import assert_disjoint, split_by_subject
from ecg_tf.training.data import prepare_data
from tests.study.test_run import beating, folder_of_records
from tests.wfdb_writing import wave, write


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))


def test_names_are_parted_and_a_folder_may_have_a_plus_in_its_name(tmp_path):
    assert database_names("mitdb + ecgiddb") == ["mitdb", "ecgiddb"]
    assert database_names("mitdb") == ["mitdb"]
    (tmp_path / "a+b").mkdir()
    assert database_names(f"{tmp_path}/a+b") == [f"{tmp_path}/a+b"]


@pytest.mark.parametrize(("name", "words"), [
    ("simulated+simulated", "'simulated' twice"), ("mitdb+/data/mitdb", "'mitdb' twice"),
    ("mitdb+", "nothing beside"), ("simulated+mitdbb", "Did you mean 'mitdb'"),
])
def test_wrong_names_are_said_before_anything_is_read(name, words):
    with pytest.raises(InputError, match=f"(?s){words}"):
        load(name)


def test_records_of_one_name_are_told_apart_and_can_be_chosen(tmp_path):
    own = [str(write(tmp_path / name, "r1", comments=["subject: p"]).parent) for name in "ab"]
    write(tmp_path / "b", "r2", wave(seed=2))
    found = load("+".join(own))
    assert [record.name for record in found] == ["a/r1", "b/r1", "r2"]
    assert [record.subject for record in found] == ["p", "p", "r2"]  # the headers say: one person
    [one] = load("+".join(own), records=["b/r1"])
    assert one.database == "b" and one.leads == ("MLII", "V1")
    with pytest.raises(InputError, match="no record 'r1'"):
        load("+".join(own), records=["r1"])


def test_usual_leads_get_one_name_and_others_stay(tmp_path):
    one, two = (ECGs.of_records(simulate_cohort(subjects=1, minutes=0.5, seed=seed))
                for seed in (1, 2))
    two = ECGs.of_records((replace(two[0], leads=("ECG I filtered",), database="b"),))
    assert {record.leads for record in join([one, two], True)} == {("MLII/I",)}
    assert [record.leads for record in join([one, two], False)] == [("MLII",), ("ECG I filtered",)]
    assert {record.leads for record in join([one, one], True)} == {("MLII",)}
    folder = str(write(tmp_path / "own").parent)
    with pytest.raises(InputError, match="(?s)different numbers.*own: MLII, V1.*leads:"):
        load(f"simulated+{folder}", subjects=1, minutes=0.5)
    both = load(f"simulated+{folder}", leads=["MLII"], subjects=1, minutes=0.5)
    assert [record.leads for record in both] == [("MLII",)] * 2


def test_an_experiment_on_a_folder_and_a_simulation(tmp_path):
    (tmp_path / "own").mkdir()
    folder = folder_of_records(tmp_path / "own", a=beating(), other=beating(fs=250, seed=1))
    data = prepare_data(Experiment(
        database=f"simulated+{folder}", subjects=4, minutes=1, height=16, width=32))
    assert_disjoint(data.split)
    everyone = sum(data.split.values(), [])
    assert {"a", "other"} < set(everyone) and len(everyone) == 6
    assert all(windows.leads == ("MLII/II",) for windows in data.windows.values())
    facts = json.loads(json.dumps(data.provenance))
    assert facts["database"] == "simulated; own" and facts["options"]["subjects"] == 4
    assert set(facts["sha256_by_database"]) == {"simulated", "own"}
    assert len({facts["sha256"], *facts["sha256_by_database"].values()}) == 3
    assert "sha256_by_database" not in provenance(simulate_cohort(subjects=1, minutes=0.5))


def test_only_mitbih_validates_and_tests():
    names = [f"mitdb-{'201' if name == '202' else name}" for name in DS1 + DS2]
    alone = split_by_subject(names, "ds1ds2", seed=3)
    both = split_by_subject([*names, "ecgiddb-Person_01", "p"], "ds1ds2", seed=3)
    assert_disjoint(both)
    assert (both["validation"], both["test"]) == (alone["validation"], alone["test"])
    assert both["train"] == sorted([*alone["train"], "ecgiddb-Person_01", "p"])
    with pytest.raises(InputError, match="Too few"):
        split_by_subject(["p", "q", "mitdb-101", "mitdb-100"], "ds1ds2")


def test_mitbih_and_ecgid(mitdb, ecgiddb, monkeypatch):
    monkeypatch.delenv("ECG_TF_CACHE")
    names = ["101", "106", "108", "109", "112", "114", "100", "103", "Person_01/rec_1",
             "Person_02/rec_1"]
    data = prepare_data(Experiment(database="mitdb+ecgiddb", data_dir=str(mitdb.parent),
                                   split="ds1ds2", records=names, height=16, width=32))
    assert data.windows["train"].leads == ("MLII/I",)
    assert {"ecgiddb-Person_01", "ecgiddb-Person_02"} < set(data.split["train"])
    assert {who for part in ("validation", "test") for who in data.split[part]} <= {
        f"mitdb-{name}" for name in names[:8]}
    assert "Moody" in data.provenance["citation"] and "Lugovaya" in data.provenance["citation"]
    assert np.isin(["ecgiddb-Person_01", "mitdb-100"], list(data.attributes["sex"])).all()
