"""The one way in: every format, whoever is who, and what cannot be read is left out by name."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import wfdb

from ecg_tf.base.errors import InputError
from ecg_tf.records import ECGs, load
from ecg_tf.records.common_leads import same_leads
from tests.wfdb_writing import change, wave, write


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))


def quiet(*arguments, **options) -> ECGs:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(*arguments, **options)


def csv(folder, name, values=None, fs=100):
    folder.mkdir(parents=True, exist_ok=True)
    values = wave(leads=1)[:, 0] if values is None else values
    lines = [f"{k / fs:.4f},{one:.3f}" for k, one in enumerate(values)]
    (folder / f"{name}.csv").write_text("\n".join(["time,II", *lines, ""]))


def test_a_folder_of_several_formats_and_a_table_is_read_whole(tmp_path):
    folder = tmp_path / "own"
    write(folder, "a", leads=("II", "V1"))
    csv(folder / "deeper", "b")
    np.savez(folder / "c.npz", signals=wave(seed=3, leads=1)[None], fs=250.0, leads=["II"],
             subjects=["Carl"])
    (folder / "subjects.csv").write_text("record,subject\na,Ann\ndeeper/b,Bea\n")
    found = quiet(str(folder))
    assert {one.name.split("/")[-1][0]: one.subject for one in found} == {
        "a": "Ann", "b": "Bea", "c": "Carl"}
    assert not found.left_out


def test_what_cannot_be_read_is_left_out_by_name_and_reason(tmp_path):
    folder = tmp_path / "own"
    for k in range(4):
        write(folder, f"r{k}", wave(seed=k), comments=[f"subject: p{k}"])
    (folder / "r1.dat").write_bytes((folder / "r1.dat").read_bytes()[:100])
    change(folder / "r2", "/mV", "/mmHg")
    with pytest.warns(UserWarning, match="2 of 4 recordings.*1 damaged, 1 no ECG.*'r1'"):
        found = load(str(folder))
    assert [one.name for one in found] == ["r0", "r3"]
    assert [(one.name, one.kind) for one in found.left_out] == [("r1", "damaged"),
                                                                ("r2", "no ECG")]
    assert "length" in found.left_out[0].reason and found.subjects_known_by == "header comments"
    again = quiet(str(folder))  # from the cache
    assert again.left_out == found.left_out and again.warnings == found.warnings
    with pytest.raises(InputError, match="length"):
        load(str(folder), strict=True)
    with pytest.raises(InputError, match="(?s)'r1' is named.*length"):
        load(str(folder), records=["r0", "r1"])
    assert [one.name for one in quiet(str(folder), exclude=["r[12]"])] == ["r0", "r3"]
    assert quiet(str(folder), exclude=["r1", "r2"]).warnings == ()


def test_where_nothing_can_be_read_the_first_reason_is_given(tmp_path):
    path = write(tmp_path / "own")
    path.with_suffix(".dat").write_bytes(b"1")
    with pytest.raises(InputError, match="(?s)No record.*can be read.*'r1'.*length"):
        load(str(tmp_path / "own"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="(?s)holds no ECGs.*empty folder"):
        load(str(tmp_path / "empty"))


def test_records_that_are_listed_and_missing_are_said(tmp_path):
    write(tmp_path / "own", comments=["subject: p"])
    (tmp_path / "own" / "RECORDS").write_text("r1\nr2\n")
    with pytest.warns(UserWarning, match="1 missing.*RECORDS lists it"):
        found = load(str(tmp_path / "own"))
    assert found.left_out_by_kind() == {"missing": 1}


def test_unknown_persons_are_a_warning(tmp_path):
    for k in range(3):
        write(tmp_path / "own", f"r{k}", wave(seed=k))
    with pytest.warns(UserWarning, match="Nothing says who is who: each of the 3 records"):
        found = load(str(tmp_path / "own"))
    assert found.subjects_known_by == "nothing" and len(found.subjects) == 3
    write(tmp_path / "own", "r0", wave(seed=0), comments=["patient_id: 7"])
    with pytest.warns(UserWarning, match="Nothing says whose 2 of 3 records are: 'r1', 'r2'"):
        found = load(str(tmp_path / "own"))
    assert found.subjects == ("7", "r1", "r2") and found.subjects_known_by == "nothing"


@pytest.mark.parametrize("blank", ["", "nan", "NA", "unknown", " "])
def test_a_blank_person_is_no_person(tmp_path, blank):
    for k in range(3):
        write(tmp_path / "own", f"r{k}", wave(seed=k))
    (tmp_path / "own" / "subjects.csv").write_text(
        f"record,subject\nr0,{blank}\nr1,{blank}\nr2,Ann\n")
    found = quiet(str(tmp_path / "own"))
    assert [one.subject for one in found] == ["r0", "r1", "Ann"]
    assert "'r0', 'r1'" in " ".join(found.warnings)


def test_persons_of_a_table_stay_on_one_side_though_their_records_are_many(tmp_path):
    from ecg_tf.records.splits import split_by_subject

    folder = tmp_path / "own"
    for k in range(12):
        write(folder, f"r{k:02d}", wave(seed=k))
    rows = [f"r{k:02d},p{k % 4},{40 + k % 4},{'MF'[k % 2]},{k % 4}" for k in range(12)]
    (folder / "people.csv").write_text("\n".join(["file,patient,age,sex,fold", *rows, ""]))
    found = quiet(str(folder), metadata=folder / "people.csv")
    assert len(found.subjects) == 4 and found.subjects_known_by == "metadata table"
    assert (found[1].age, found[1].sex, found[1].metadata["fold"]) == (41.0, "female", "1")
    split = split_by_subject(found, seed=1)
    sides = {one.name: [part for part, who in split.items() if one.subject in who]
             for one in found}
    assert all(len(parts) == 1 for parts in sides.values())
    other = quiet(str(folder), metadata=str(folder / "people.csv"),
                  columns={"record": "file", "subject": "fold"})
    assert other.subjects == ("0", "1", "2", "3")


def test_a_single_file_is_read(tmp_path):
    csv(tmp_path, "a")
    csv(tmp_path, "b", wave(seed=1, leads=1)[:, 0])
    [one] = load(str(tmp_path / "a.csv"))
    assert one.name == "a" and one.fs == 100
    np.save(tmp_path / "c.npy", wave(leads=1)[None])
    assert load(str(tmp_path / "c.npy"), fs=250)[0].fs == 250


def test_leads_that_differ_are_cut_to_those_that_nearly_all_have(tmp_path):
    for k in range(9):
        write(tmp_path / "own", f"r{k}", wave(seed=k), leads=("II", "V1"))
    write(tmp_path / "own", "r9", wave(seed=9), leads=("II", "V5"))
    found = same_leads(quiet(str(tmp_path / "own")))
    assert {one.leads for one in found} == {("II", "V1")} and len(found) == 9
    assert found.left_out[-1].name == "r9" and "II, V1 are used" in found.warnings[-1]
    one = found[0]
    assert same_leads(found.replaced(records=(one, one))).records == (one, one)
    other = replace(one, leads=("X", "Y"))
    with pytest.raises(InputError, match="no lead in common"):
        same_leads(found.replaced(records=(one, other)))


def test_arrays_of_ones_own(tmp_path):
    signals = np.stack([wave(seed=k, leads=2) for k in range(3)])
    found = ECGs(signals, fs=250, leads=("I", "II"), subjects=["a", "a", "b"],
                             sex=["female", "female", ""], labels={"rhythm": ["AF", "SR", "SR"]})
    assert found.subjects == ("a", "b") and found[0].labels == {"rhythm": ("AF",)}
    assert found.subjects_known_by == "metadata table"
    with pytest.raises(InputError, match="subject"):
        ECGs(signals, fs=250, subjects=["a"])


def published_ptbxl(folder, persons=6, each=2):
    """A few recordings as PTB-XL is published: two rates in RECORDS, persons in the table only."""
    from scipy.signal import resample_poly

    from ecg_tf.records.simulate import simulate_cohort

    cohort = simulate_cohort(subjects=persons, minutes=0.5, seed=2, fs=500, leads=["I", "II"],
                             sessions=each)
    rows, names = [], []
    for number, record in enumerate(cohort, 1):
        signal = record.signal[:5000]
        low, high = f"records100/00000/{number:05d}_lr", f"records500/00000/{number:05d}_hr"
        names += [low, high]
        for name, fs, values in ((low, 100, resample_poly(signal, 1, 5, axis=0)),
                                 (high, 500, signal)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            wfdb.wrsamp(name.split("/")[-1], fs, ["mV"] * 2, ["I", "II"], p_signal=values,
                        fmt=["16"] * 2, adc_gain=[1000] * 2, baseline=[0] * 2,
                        write_dir=str((folder / name).parent))
        person = (number - 1) // each
        rows.append(f'{number},{17000 + person}.0,{50 + person},{person % 2},'
                    f"\"{{'NORM': 100.0, 'SR': 0.0}}\",{person + 1},{low},{high},"
                    "1984-11-09 09:17:34")
    head = ("ecg_id,patient_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr,"
            "recording_date")
    (folder / "ptbxl_database.csv").write_text("\n".join([head, *rows, ""]))
    (folder / "scp_statements.csv").write_text(
        ",description,diagnostic,form,rhythm,diagnostic_class\nNORM,normal ECG,1.0,,,NORM\n"
        "SR,sinus rhythm,,,1.0,\n")
    (folder / "RECORDS").write_text("\n".join(sorted(names)) + "\n")
    return folder


@pytest.mark.parametrize("name", ["ptbxl", "mine"])
def test_ptbxl_as_it_is_published_gives_persons_and_no_recording_on_two_sides(tmp_path, name):
    from ecg_tf.records.splits import assert_disjoint, split_by_column, split_by_subject

    folder = published_ptbxl(tmp_path / name)
    source = "ptbxl" if name == "ptbxl" else str(folder)
    found = quiet(source, tmp_path)
    assert len(found) == 12 and len(found.subjects) == 6 and {one.fs for one in found} == {100}
    assert found.subjects_known_by == "metadata table"
    assert len(found.left_out) == 12 and found.left_out_by_kind() == {"duplicate": 12}
    one = found[2]
    assert (one.age, one.sex, one.metadata["strat_fold"]) == (51, "female", "2")
    assert one.labels["superclass"] == ("NORM",) and one.labels["rhythm"] == ("SR",)
    for split in (split_by_subject(found, seed=0), split_by_column(found, "strat_fold")):
        assert_disjoint(split)
        sides = [[part for part, who in split.items() if record.subject in who]
                 for record in found]
        assert all(len(parts) == 1 for parts in sides)
    assert split["test"] == [one.subject for one in found if one.metadata["strat_fold"] == "6"][:1]
    assert {one.fs for one in quiet(source, tmp_path, rate=500)} == {500}


def test_a_split_by_a_column_that_no_record_has_or_that_parts_a_person_is_refused(tmp_path):
    from ecg_tf.records.splits import split_by_column

    found = quiet(str(published_ptbxl(tmp_path / "mine", persons=3)))
    with pytest.raises(InputError, match="'strat_fol'"):
        split_by_column(found, "strat_fol")
    by_record = [replace(one, metadata={"half": str(k % 2)}) for k, one in enumerate(found)]
    with pytest.raises(InputError, match="3 persons have records in several parts"):
        split_by_column(by_record, "half")
    with pytest.raises(InputError, match="(?s)folds of 'strat_fold' do not fit.*9"):
        split_by_column(found, "strat_fold", {"train": [1], "test": [9]})
