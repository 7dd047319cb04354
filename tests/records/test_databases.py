"""What is known of the public databases, and what reports say of where records come from."""

import dataclasses
import re

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.databases import DATABASES, known_database
from ecg_tf.records.ecgs import ECGs, LeftOut
from ecg_tf.records.provenance import in_words, provenance
from ecg_tf.records.record import Record

LOW, HIGH = "records100/00000/00001_lr", "records500/00000/00001_hr"


def record(name, database, subject="", **about):
    return Record(name=name, database=database, subject=subject or name, fs=100.0, leads=("I",),
                  signal=np.zeros((10, 1), np.float32), beats=np.zeros(0, np.int64),
                  symbols=np.zeros(0, "<U1"), **about)


def test_every_database_says_whose_it_is():
    for name, one in DATABASES.items():
        assert one.name == name and one.license and "PhysioNet" in one.citation
        assert one.url == f"https://physionet.org/content/{one.path or name}/{one.version}/"
        assert re.fullmatch(r"10\.13026/[\w-]+", one.doi)
        assert one.n_records > 0 and (one.n_subjects > 0) == one.persons_known
        assert not one.rates or one.fs in one.rates


@pytest.mark.parametrize("name, record, subject", [
    ("mitdb", "202", "mitdb-201"), ("mitdb", "100", "mitdb-100"), ("ludb", "data/7", "ludb-7"),
    ("ecgiddb", "Person_01/rec_2", "ecgiddb-Person_01"), ("cinc2017", "A00001", ""),
    ("ptbxl", LOW, ""), ("nstdb", "bw", ""),
])
def test_persons_are_in_names_where_they_are(name, record, subject):
    database = DATABASES[name]
    assert database.subject(record) == subject
    assert database.persons_in_names == bool(subject)


def test_records_are_not_persons_and_noise_is_no_person():
    cinc, nstdb, ptbxl = (DATABASES[name] for name in ("cinc2017", "nstdb", "ptbxl"))
    assert not cinc.persons_known and not cinc.noise and "records" in cinc.title
    assert nstdb.noise and not nstdb.persons_known
    assert ptbxl.persons_known and ptbxl.leave_out_paced and ptbxl.fold_column == "strat_fold"
    assert ptbxl.leads is None and DATABASES["mitdb"].leads == ("MLII",)
    with pytest.raises(InputError, match="(?s)identified.*Did you mean 'record'"):
        dataclasses.replace(cinc, persons="records")


def test_each_recording_is_chosen_at_one_rate():
    ptbxl = DATABASES["ptbxl"]
    assert ptbxl.choose([LOW, HIGH]) == ptbxl.choose([LOW, HIGH], 100) == [LOW]
    assert ptbxl.choose([LOW, HIGH], 500) == [HIGH] and ptbxl.choose([LOW], 500) == []
    assert ptbxl.choose(["00001_lr"]) == ["00001_lr"]  # files that somebody put into one folder
    with pytest.raises(InputError, match="(?s)not published at 250 Hz.*100 Hz or 500 Hz"):
        ptbxl.choose([LOW], 250)
    assert DATABASES["mitdb"].choose(["100", "101"], 128) == ["100", "101"]


def test_what_is_published_beside_is_not_meant():
    assert DATABASES["nstdb"].choose(["118e24", "119e_6", "bw", "em", "ma"]) == ["bw", "em", "ma"]
    names = ["training/A00/A00001", "validation/A00001", "A00001"]
    assert DATABASES["cinc2017"].choose(names) == [names[0], names[2]]


@pytest.mark.parametrize("folder, name", [
    ("data/ptbxl", "ptbxl"), ("files/ptb-xl/1.0.3", "ptbxl"), ("ptb-xl", "ptbxl"),
    ("challenge-2017/1.0.0", "cinc2017"), ("data/mitdb", "mitdb"), ("mine", None),
    ("mine/1.0.0", None), ("ptb-xl/1.0.2", None),
])
def test_a_folder_is_known_by_either_name(tmp_path, folder, name):
    assert known_database(tmp_path / folder) is DATABASES.get(name)


# Provenance


def test_a_part_of_ptbxl_says_which_part_and_what_was_left_out():
    records = tuple(record(str(k), "ptbxl", f"ptbxl-{k // 2}", metadata={"strat_fold": fold})
                    for k, fold in enumerate(("10.0", "2", "2", "9")))
    left_out = tuple(LeftOut(name, kind, ".") for name, kind in
                     (("a", "paced"), ("b", "paced"), ("c", "damaged")))
    facts = provenance(ECGs.of_records(records, "metadata table", left_out))
    assert (facts["records"], facts["subjects"], facts["persons_known"]) == (4, 2, True)
    assert facts["published"] == {"records": 21_799, "subjects": 18_869}
    assert facts["folds"] == ["2", "9", "10"] and facts["left_out"] == {"paced": 2, "damaged": 1}
    assert "CC BY 4.0" in facts["license"] and facts["doi"] == "10.13026/kfzx-aw45"
    assert in_words(facts) == (
        "4 records of 2 persons (known by: metadata table), a part of the published 21,799 records "
        "of 18,869 persons: folds 2, 9, 10. Left out: 2 paced, 1 damaged.")
    assert provenance(ECGs.of_records(records, "metadata table")[:2])["records"] == 2


def test_records_of_cinc2017_are_no_persons_however_they_come():
    records = [record("A1", "cinc2017"), record("A2", "cinc2017")]
    for some in (records, ECGs.of_records(tuple(records))):
        facts = provenance(some)
        assert not facts["persons_known"] and "folds" not in facts
        assert in_words(facts) == ("2 records; of how many persons is not known, a part of the "
                                  "published 8,528 records.")


def test_noise_is_no_persons_ecg():
    facts = provenance([record("bw", "nstdb"), record("em", "nstdb"), record("ma", "nstdb")])
    assert facts["noise"] and not facts["persons_known"]
    assert in_words(facts) == "3 records, noise and no person's ECG among them."


def test_own_records_of_unknown_persons():
    own = (record("a", "own"), record("b", "own"))
    assert not provenance(ECGs.of_records(own, "nothing"))["persons_known"]
    facts = provenance(ECGs.of_records(own, "header comments"))
    assert facts["persons_known"] and "published" not in facts
    assert in_words(facts) == "2 records of 2 persons (known by: header comments)."
    assert in_words(provenance(own)) == "2 records of 2 persons."
    assert in_words({"records": 3, "subjects": 2}) == "3 records of 2 persons."  # an older report


def test_several_databases_say_so_for_all():
    records = [record("100", "mitdb", "mitdb-100"), record("A1", "cinc2017")]
    facts = provenance(records)
    assert not facts["persons_known"] and "published" not in facts
    assert set(facts["sha256_by_database"]) == {"mitdb", "cinc2017"} and "; " in facts["doi"]


def test_labels_are_counted_but_for_those_that_few_records_have():
    records = [record(f"r{k}", "own", labels={"rhythm": ("SR",) if k < 6 else ("AF",)})
               for k in range(8)]
    assert provenance(records)["labels"] == {"rhythm": {"SR": 6}}
    assert "labels" not in provenance(records[6:])
