"""EDF files of others and of our own are read in mV, and what is wrong with one is said."""

import numpy as np
import pytest

from ecg_tf.errors import InputError
from ecg_tf.records import load, provenance

pyedflib = pytest.importorskip("pyedflib")


def write(path, units=("uV",), labels=("II",), rates=(100,), code="p7", beats=(0.5, 1.25)):
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
    assert not len(two.beats) and abs(two.signal[0, 0] + 900) < 0.11
    assert provenance([one, two])["records"] == 2
    assert load(tmp_path / "deep", leads=["V1"])[0].leads == ("V1",)


def test_a_side_of_an_evaluation_may_be_edf(tmp_path):
    from ecg_tf.records import load

    write(tmp_path / "a.edf")
    (tmp_path / "subjects.csv").write_text("record,subject\na,she\n")
    (record,) = load(tmp_path)
    assert record.subject == "she" and record.leads == ("II",)
    np.testing.assert_array_equal(record.signal, load(tmp_path)[0].signal)
    (tmp_path / "b.csv").write_text("fs,II\n100,1\n")
    with pytest.raises(InputError, match="several kinds.*EDF, as a.edf and CSV, as b.csv"):
        load(tmp_path)


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(InputError, match="no EDF files"):
        load(tmp_path)
    path = write(tmp_path / "a" / "a.edf", ("uV", "mV"), ("II", "V1"), (100, 50))
    with pytest.raises(InputError, match="different sampling rates"):
        load(path.parent)
    with pytest.raises(InputError, match="no lead 'V9'"):
        load(path.parent, leads=["V9"])
    write(tmp_path / "b" / "b.edf", ("%",), ("SpO2",), (1,))
    with pytest.raises(InputError, match="no ECG lead"):
        load(tmp_path / "b")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(InputError, match="cannot be read"):
        load(path.parent)
