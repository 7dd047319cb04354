"""Arrays as records: axes, units, names and sizes that are believed only where they must be so."""

import io
import zipfile

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.ecgs import ECGs
from ecg_tf.records.formats.arrays import read_array_file, records_of_arrays
from ecg_tf.records.formats.common import MissingLead


def ecgs(records=20, n=500, leads=2, dtype=np.float32):
    values = np.random.default_rng(0).normal(0, 0.3, (records, n, leads))
    return (np.round(1000 * values) if np.dtype(dtype).kind == "i" else values).astype(dtype)


def saved(folder, signals=None, name="a", **arrays):
    """A `.npy` file, or a `.npz` file where there is more than signals."""
    if not arrays:
        np.save(folder / f"{name}.npy", signals)
        return folder / f"{name}.npy"
    if signals is not None:
        arrays["signals"] = signals
    np.savez(folder / f"{name}.npz", **arrays)
    return folder / f"{name}.npz"


def read(folder, signals=None, wanted=None, rate=0.0, **arrays):
    return read_array_file(saved(folder, signals, **arrays), folder, wanted, rate)


# In memory


def test_arrays_in_memory_are_records_with_what_is_known():
    labels = {"superclass": [("NORM",), ["MI", "CD"], ()], "rhythm": ["SR", "AF", ""]}
    found = ECGs(ecgs(3), 100, ("I", "II"), ["a", "a", "nan"], sex=["M", "f", 0],
                             age=[60, 0.75, 300], labels=labels, name="mine")
    assert found.subjects_known_by == "metadata table" and found.subjects == ("a", "mine-2")
    one, two, three = found
    assert one.leads == ("I", "II") and one.fs == 100 and one.name == "mine-0"
    assert [record.sex for record in found] == ["male", "female", ""]
    assert (one.age, two.age) == (60, 0.75) and np.isnan(three.age)
    assert two.labels == {"superclass": ("MI", "CD"), "rhythm": ("AF",)} and three.labels == {}
    np.testing.assert_array_equal(two.signal, ecgs(3)[1])
    assert ECGs(ecgs(3)[..., 0], 100).subjects_known_by == "nothing"


def test_recordings_of_different_length_and_without_leads():
    found = records_of_arrays([ecgs()[0], ecgs()[1, :300], ecgs()[2]], 250)
    assert [len(one.signal) for one in found] == [500, 300, 500]
    assert found[0].leads == ("lead 0", "lead 1") and found[0].subject == found[0].name
    assert records_of_arrays([ecgs()[0, :, 0]], 250)[0].signal.shape == (500, 1)
    assert records_of_arrays(ecgs()[..., 0], 250, "II")[3].leads == ("II",)


def test_float32_is_not_copied_and_infinity_is_missing():
    signals = ecgs()
    assert np.shares_memory(records_of_arrays(signals, 100)[0].signal, signals)
    signals[0, 7, 1] = np.inf
    record = records_of_arrays(signals, 100)[0]
    assert np.isnan(record.signal[7, 1]) and np.isinf(signals[0, 7, 1])
    assert records_of_arrays(ecgs(dtype=np.float64), 100)[0].signal.dtype == np.float32


@pytest.mark.parametrize(("signals", "more", "match"), [
    (ecgs().transpose(0, 2, 1), {}, r"signals.transpose\(0, 2, 1\)"),
    (ecgs().transpose(0, 2, 1), {"leads": ("I", "II")}, r"signals.transpose\(0, 2, 1\)"),
    (ecgs(20, 500, 12).transpose(0, 2, 1), {}, r"signals.transpose\(0, 2, 1\)"),
    ([one.T for one in ecgs()], {}, "values.T for values in signals"),
    (ecgs(2, 500, 12)[0].T, {"leads": list("abcdefghijkl")}, r"signals.T\[None\]"),
    (ecgs()[0], {"leads": ("I", "II")}, r"signals\[None\]"),
    (ecgs()[0], {}, r"signals\[None\]"), (ecgs()[0, :, 0], {}, r"signals\[None\]|shape"),
    (ecgs(2, 10, 2), {}, "too short"), (ecgs(0), {}, "another shape"), ([], {}, "no signals"),
    (ecgs(2, 500, 20), {}, "name the leads"), (ecgs(), {"leads": ("I",)}, "do not fit"),
    (ecgs(dtype=np.int16), {}, "whole numbers without a unit.*1e-3"),
    (ecgs() > 0, {}, "no numbers"), (ecgs().astype(complex), {}, "no numbers"),
    (ecgs(), {"fs": 0}, "sampling rate"), (ecgs(), {"fs": "fast"}, "sampling rate"),
    (ecgs(), {"subjects": ["a"]}, "one of subjects a record"), (ecgs(), {"age": 7}, "age"),
    (ecgs(), {"labels": {"scp": ["NORM"]}}, "'scp' do not fit"),
    (ecgs(), {"labels": {"scp": np.eye(20)}}, "statements themselves"),
])
def test_arrays_that_are_something_else_are_refused(signals, more, match):
    with pytest.raises(InputError, match=f"(?s){match}"):
        records_of_arrays(signals, **{"fs": 100, **more})


def test_amplitudes_that_are_no_millivolt_are_said():
    assert "signals * 1e-3" in records_of_arrays(1000 * ecgs(), 100)[0].notes[0]
    assert not records_of_arrays(ecgs(), 100)[0].notes


# Files


def test_an_npy_file_says_how_it_was_taken(tmp_path):
    cases = [((20, 500, 2), 20, 2, ""), ((20, 500), 20, 1, "20 recordings of one lead"),
             ((500, 12), 1, 12, "one recording of 12 leads"), ((500,), 1, 1, "one recording")]
    for shape, records, leads, note in cases:
        found = read(tmp_path, np.ones(shape, np.float32), rate=100)
        assert len(found) == records and found[0].signal.shape == (500, leads), shape
        assert note in " ".join(found[0].notes) and found[0].fs == 100
        assert found[0].name == ("a" if records == 1 else "a/00")
        assert not found[0].subject and found[0].database == tmp_path.name
    with pytest.raises(InputError, match=r"(?s)array.T .*array\[:, :, None\]"):
        read(tmp_path, np.ones((12, 500), np.float32), rate=100)
    with pytest.raises(InputError, match="give the rate by --fs"):
        read(tmp_path, ecgs())
    with pytest.raises(InputError, match="whole numbers without a unit"):
        read(tmp_path, ecgs(dtype=np.int16), rate=100)


def test_an_npy_file_is_mapped_and_never_written_to(tmp_path):
    path = saved(tmp_path, ecgs())
    found = read_array_file(path, tmp_path, fs=100)
    assert isinstance(found[3].signal.base, np.memmap)
    found[3].signal[:] = 0
    np.testing.assert_array_equal(np.load(path), ecgs())
    np.testing.assert_array_equal(found[4].signal, ecgs()[4])
    fortran = read(tmp_path, np.asfortranarray(ecgs()), rate=100)
    np.testing.assert_array_equal(fortran[4].signal, ecgs()[4])
    big_endian = read(tmp_path, ecgs().astype(">f8"), rate=100)
    np.testing.assert_array_equal(big_endian[4].signal, ecgs()[4])


def test_the_names_of_an_npy_files_leads_may_be_given(tmp_path):
    found = read(tmp_path, ecgs(), ("I", "II"), rate=100)
    assert found[0].leads == ("I", "II") and "names no leads" in found[0].notes[0]
    one = read(tmp_path, ecgs(), ("lead 1",), rate=100)[0]
    np.testing.assert_array_equal(one.signal[:, 0], ecgs()[0, :, 1])
    with pytest.raises(MissingLead, match="no lead 'V9'"):
        read(tmp_path, ecgs(), ("V9",), rate=100)


def test_an_npz_file_says_all_that_is_known(tmp_path):
    found = read(tmp_path, ecgs(3, dtype=np.int16), fs=250, leads=["I", "II"], unit="uV",
                 subjects=[7.0, np.nan, 8.0], sex=["m", "f", ""], age=[60.5, 0.75, 70],
                 labels=["N", "A", ""], labels_scp=[["NORM", ""], ["MI", "CD"], ["", ""]],
                 names=["x", "y", "z/1"])
    assert [one.name for one in found] == ["a/x", "a/y", "a/z_1"]
    assert [one.subject for one in found] == ["7", "", "8"]
    assert [one.sex for one in found] == ["male", "female", ""]
    assert [one.age for one in found] == [60.5, 0.75, 70]
    assert found[1].labels == {"label": ("A",), "scp": ("MI", "CD")} and not found[2].labels
    assert found[0].fs == 250 and found[0].notes == ("Read as uV, as the file says.",)
    np.testing.assert_allclose(found[0].signal, ecgs(3, dtype=np.int16)[0] / 1000, rtol=1e-6)
    path = tmp_path / "a.npz"
    (second, *_) = read_array_file(path, tmp_path, ("II",))
    np.testing.assert_array_equal(second.signal[:, 0], found[0].signal[:, 1])
    assert list(second.source["files"]) == ["a.npz"]


@pytest.mark.parametrize("key", ["ecg", "X", "x", "data"])
def test_the_only_array_of_signals_may_have_another_name(tmp_path, key):
    assert len(read(tmp_path, **{key: ecgs()}, fs=100, y=np.arange(20))) == 20
    with pytest.raises(InputError, match="which array holds the signals"):
        read(tmp_path, **{key: ecgs(), "data" if key != "data" else "X": ecgs()}, fs=100)


def test_an_npz_file_needs_no_second_guess(tmp_path):
    # 12 rows are 12 persons where the file names 12, or one lead.
    assert len(read(tmp_path, ecgs(12)[..., 0], fs=100, subjects=list("abcdefghijkl"))) == 12
    assert len(read(tmp_path, ecgs(12)[..., 0], fs=100, leads="II")) == 12
    assert len(read(tmp_path, ecgs()[0], fs=100, leads=["I", "II"])) == 1
    with pytest.raises(InputError, match=r"array.T"):
        read(tmp_path, ecgs(2, 500, 12)[0].T, fs=100, leads=list("abcdefghijkl"))


@pytest.mark.parametrize(("arrays", "match"), [
    ({"fs": 100, "unit": "mmHg"}, "unit in .* is not known"), ({"fs": 100, "unit": ""}, "unit"),
    ({"fs": [100, 200]}, "sampling rate"), ({"fs": "x"}, "sampling rate"), ({"unit": "mV"}, "--fs"),
    ({"fs": 100, "leads": ["I"]}, "do not fit"), ({"fs": 100, "names": ["x"] * 20}, "different"),
    ({"fs": 100, "subjects": ["x"]}, "one of subjects"),
    ({"fs": 100, "subjects": np.array(["a"] * 20, object)}, r"astype\(str\)"),
])
def test_npz_files_that_do_not_fit_are_refused(tmp_path, arrays, match):
    with pytest.raises(InputError, match=f"(?s){match}"):
        read(tmp_path, ecgs(), **arrays)


# Sizes


def header(shape, descr="<f4"):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": descr, "fortran_order": False,
                                               "shape": shape})
    return out.getvalue()


@pytest.mark.parametrize("shape", [(10**6, 10**6, 12), (2**62, 4), (10**30,), (-1, 500), (20, 501)])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_shapes_that_the_file_cannot_hold_are_refused(tmp_path, shape, kind):
    content = header(shape) + bytes(20 * 500 * 4)
    path = tmp_path / f"a.{kind}"
    if kind == "npy":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("signals.npy", content)
            archive.writestr("fs.npy", header((), "<f8") + np.float64(100).tobytes())
    with pytest.raises(InputError, match="are there"):
        read_array_file(path, tmp_path, fs=100)


def test_files_that_unpack_to_far_more_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("signals.npy", "w") as member:
            member.write(header((30, 10**6, 1)))
            for _ in range(30):
                member.write(bytes(4 * 10**6))
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match="unpacks to more"):
        read_array_file(path, tmp_path, fs=100)
    np.savez_compressed(path, signals=ecgs(), fs=100)
    assert len(read_array_file(path, tmp_path)) == 20


def test_what_is_no_array_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    np.save(tmp_path / "b.npy", np.zeros(20, [("x", "f4"), ("y", "f4")]))
    (tmp_path / "c.npy").write_bytes(b"\x93NUMPY\x01\x00\x05\x00{'a'(")
    (tmp_path / "d.npz").write_bytes(b"PK\3\4 no archive")
    (tmp_path / "e.npy").write_bytes(b"")
    np.savez(tmp_path / "f.npz", other=np.zeros(3))
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(InputError, match="cannot be read|which array"):
            read_array_file(path, tmp_path, fs=100)
    with pytest.raises(InputError, match="is no file"):
        read_array_file(tmp_path / "none.npy", tmp_path)
