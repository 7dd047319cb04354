"""Sources by name, provenance, and what is known of the public databases."""

import json
import time

import numpy as np
import pytest
import wfdb

from ecg_tf.base.errors import InputError
from ecg_tf.records import DATABASES, DS1, DS2, PACED, load, provenance
from tests.wfdb_writing import FS, wave, write


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def own(tmp_path):
    root = tmp_path / "own"
    write(root, "r1", comments=["Age: 40"])
    write(root, "r2", signal=wave(700, 3), beats=False)
    return root


def test_the_sample_is_record_208():
    [record] = load("sample")
    assert record.signal.shape == (108000, 1) and record.fs == 360 and record.leads == ("MLII",)
    assert (record.database, record.subject, record.name) == ("sample", "mitdb-208", "208")
    facts = provenance([record])
    assert "ODC-By" in facts["license"] and "Moody" in facts["citation"]
    assert len(facts["sha256"]) == 64
    with pytest.raises(InputError, match="no lead 'V1'"):
        load("sample", leads="V1")


def test_the_simulation_tells_its_options():
    found = load("simulated", subjects=2, minutes=0.5, seed=3)
    facts = json.loads(json.dumps(provenance(found)))
    assert facts["options"]["seed"] == 3 and facts["options"]["minutes"] == 0.5
    assert facts["records"] == facts["subjects"] == 2
    assert facts["fs"] == 360 and facts["seconds"] == 60
    again = provenance(load("simulated", subjects=2, minutes=0.5, seed=3))
    other = provenance(load("simulated", subjects=2, minutes=0.5, seed=4))
    assert again["sha256"] == facts["sha256"] != other["sha256"]
    [one] = load("simulated", records=[found[1].name], subjects=2, minutes=0.5, seed=3)
    np.testing.assert_array_equal(one.signal, found[1].signal)
    with pytest.raises(InputError, match="(?s)no option 'subject'.*Did you mean 'subjects'"):
        load("simulated", subject=2)


def test_leads_are_found_whatever_their_case(own):
    """PTB-XL says AVR, others aVR: a record has the names that were asked for."""
    asked = load(str(own), leads=["v1", "mlii"])
    plain = load(str(own), leads=["V1", "MLII"])
    assert asked[0].leads == ("v1", "mlii")
    np.testing.assert_array_equal(asked[0].signal, plain[0].signal)
    with pytest.raises(InputError, match="no lead|has the leads"):
        load(str(own), leads=["v1", "V1"])
    with pytest.raises(InputError, match="V11"):
        load(str(own), leads="V11")


def test_a_folder_is_a_database_too_and_provenance_follows_its_files(own):
    first = provenance(load(str(own), minutes=3))
    assert first["database"] == "own" and first["records"] == 2 and "not stated" in first["license"]
    assert first["leads"] == ["MLII", "V1"] and first["seconds"] == 1700 / FS
    write(own, "r2", signal=wave(700, 4), beats=False)
    assert provenance(load(str(own)))["sha256"] != first["sha256"]
    with pytest.raises(InputError, match="no records"):
        provenance([])


def test_the_split_of_de_chazal_leaves_out_paced_records():
    assert len(DS1) == len(DS2) == 22 and len({*DS1, *DS2, *PACED}) == 48
    assert DATABASES["mitdb"].subject("202") == DATABASES["mitdb"].subject("201") == "mitdb-201"


# Real data


def test_mitdb_is_what_is_published_and_cached(mitdb):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = load("mitdb", mitdb.parent)
        facts = provenance(found)
        times.append(time.perf_counter() - start)
    assert times[0] > 20 * min(times[1:]), times
    by_name = {record.name: record for record in found}
    assert len(found) == 46 and not {"102", "104"} & set(by_name)  # they have no MLII
    assert facts["subjects"] == 45 and facts["leads"] == ["MLII"]
    assert {r.name for r in found if r.paced} == {"107", "217"}
    assert by_name["202"].subject == by_name["201"].subject
    assert (by_name["100"].age, by_name["100"].sex) == (69.0, "male")
    raw = wfdb.rdrecord(str(mitdb / "114"))
    column = raw.sig_name.index("MLII")
    assert column == 1
    np.testing.assert_array_equal(
        by_name["114"].signal[:, 0], raw.p_signal[:, column].astype(np.float32)
    )
    assert sum(len(by_name[name].beats) for name in DS1 + DS2) == 100733
    with pytest.raises(InputError, match="(?s)102.*no lead 'MLII'.*'V5', 'V2'"):
        load("mitdb", mitdb.parent, records=["102"])
    np.testing.assert_array_equal(
        load("sample")[0].signal, by_name["208"].signal[422820:530820]
    )


def test_ecgiddb_persons_dates_and_damage(ecgiddb):
    found = load("ecgiddb", ecgiddb.parent, leads="all")
    assert len(found) == 310 and len({r.subject for r in found}) == 90
    assert all(r.sex and r.age > 0 and len(r.session) == 10 for r in found)
    short = {r.name: 10000 - len(r.signal) for r in found if len(r.signal) != 10000}
    assert short == dict(DATABASES["ecgiddb"].damaged_starts)
    assert all(np.ptp(r.signal[:200], axis=0).min() > 0 for r in found)
    assert all((r.beats >= 0).all() and (r.beats < len(r.signal)).all() for r in found)
