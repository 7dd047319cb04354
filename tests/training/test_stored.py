"""Windows in files are the windows in memory; what is wrong with a file is named."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.records import ECGs
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.training import stored
from ecg_tf.training.data import prepare_data
from ecg_tf.training.stored import store_windows

tf = pytest.importorskip("tensorflow")

from ecg_tf.images.tfdata import make_dataset  # noqa: E402

SMALL = {"subjects": 5, "minutes": 1.0, "height": 8, "width": 16, "strip_seconds": 4.0}


def small(**changes):
    return Experiment(**{**SMALL, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return store_windows(small(), tmp_path_factory.mktemp("stored") / "small", progress=False)


def same(one, other):
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, getattr(other, name),
                                  equal_nan=value.dtype.kind == "f"), name
        else:
            assert value == getattr(other, name), name


@pytest.mark.parametrize("changes", [
    {"subject_mixing": 2, "even_subjects": True}, {"arrangement": "row_major", "width": 64},
    {"arrangement": "beat_strips", "height": 16, "window_seconds": 6.0}])
def test_from_files_everything_is_as_from_memory(tmp_path, changes):
    folder = store_windows(small(**changes), tmp_path / "s", progress=False)
    memory = prepare_data(small(**changes))
    files = prepare_data(small(**changes, stored=str(folder)))
    assert files.split == memory.split and files.provenance == json.loads(
        json.dumps(memory.provenance))
    assert files.attributes == memory.attributes and files.quality == memory.quality
    assert files.codec.to_dict() == memory.codec.to_dict()
    for part in memory.split:
        same(memory.windows[part], files.windows[part])
        same(memory.strips[part], files.strips[part])
    assert isinstance(files.training.signals, np.memmap)
    same(memory.training, files.training)
    options = {"batch_size": 5, "seed": 3, "start_step": 4}
    options |= {key: changes[key] for key in ("subject_mixing", "even_subjects") if key in changes}
    one, other = (make_dataset(data.training, data.codec, **options).take(12)
                  for data in (memory, files))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)


def test_the_sample_is_bounded_and_spread(folder, monkeypatch):
    monkeypatch.setattr(stored, "SAMPLE", 10)
    data = prepare_data(small(stored=str(folder)))
    assert len(data.windows["train"]) == 10 < len(data.training)
    assert len(set(data.windows["train"].subjects)) == len(data.split["train"])


def test_a_killed_command_goes_on_and_ends_with_the_same_files(tmp_path, folder, monkeypatch):
    real, calls = stored._cut, []

    def dying(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(stored, "_cut", dying)
    with pytest.raises(KeyboardInterrupt):
        store_windows(small(), tmp_path / "s", progress=False)
    with pytest.raises(InputError, match="not finished"):
        prepare_data(small(stored=str(tmp_path / "s")))
    with pytest.raises(InputError, match="changed since"):
        store_windows(small(seed=1), tmp_path / "s", progress=False)
    store_windows(small(), tmp_path / "s", progress=False)
    assert len(calls) == 4 + 2  # three of the five records were there
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "s").iterdir())
    assert all((folder / name).read_bytes() == (tmp_path / "s" / name).read_bytes()
               for name in names if (folder / name).is_file() and name[0] != ".")
    store_windows(small(), tmp_path / "s", progress=False)  # nothing is left to be done
    assert len(calls) == 6
    with pytest.raises(InputError, match=r"(?s)seed: 1.*seed: 0"):
        store_windows(small(seed=1), tmp_path / "s", progress=False)


def test_settings_that_do_not_fit_are_named(folder):
    with pytest.raises(InputError, match=r"(?s)fs: 100.0.*fs: 128.0"):
        prepare_data(small(stored=str(folder), fs=100.0))
    with pytest.raises(InputError, match="samples: 512"):
        prepare_data(small(stored=str(folder), arrangement="row_major", width=64))
    with pytest.raises(InputError, match="some of its windows"):
        prepare_data(small(stored=str(folder), scaling="record"))
    assert prepare_data(small(stored=str(folder), base_filters=8, scaling="window")).stored
    with pytest.warns(FutureWarning, match="'stored' now"):
        assert Experiment.from_dict({"shards": "x"}).stored == "x"


@pytest.mark.parametrize("name", ["index.json", "train-windows-signals.npy",
                                  "train-windows-rpeaks.npy", "test-strips-subjects.npy"])
def test_damaged_files_are_named(tmp_path, folder, name):
    copy = tmp_path / "s"
    shutil.copytree(folder, copy)
    whole = (copy / name).read_bytes()
    for content in (whole[:-7], whole[:50], b"", whole.replace(b"<f4", b"|O8")[:500],
                    b'{"fs": 1}' if name == "index.json" else whole[::-1],
                    whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]):  # one bit
        (copy / name).write_bytes(content)
        with pytest.raises(InputError, match="is damaged"):
            prepare_data(small(stored=str(copy)))
    (copy / name).unlink()
    with pytest.raises(InputError):
        prepare_data(small(stored=str(copy)))


def test_what_is_known_of_a_record_comes_along(tmp_path, monkeypatch):
    known = ECGs.of_records(tuple(replace(one, age=50.0 + k,
                               labels={"rhythm": ("SR",)})
                       for k, one in enumerate(simulate_cohort(5, minutes=1.0))))
    monkeypatch.setattr(stored, "read_records", lambda experiment: known)
    folder = store_windows(small(), tmp_path / "s", progress=False)
    windows = prepare_data(small(stored=str(folder))).windows["train"]
    ages = {one.name: one.age for one in known}
    assert windows.ages().tolist() == [ages[name] for name in windows.records]
    assert windows.statements("rhythm")[1].all()


def anonymous() -> int:
    """Bytes of this process that are no pages of files."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("only Linux says it")
    return 1024 * int(status.read_text().split("RssAnon:")[1].split()[0])


def test_memory_does_not_grow_with_the_windows(folder, tmp_path, monkeypatch):
    copy, name, times = tmp_path / "s", "train-windows", 300
    shutil.copytree(folder, copy)
    monkeypatch.setattr(stored, "SAMPLE", 20)
    index = json.loads((copy / "index.json").read_text())
    index["sizes"][name] *= times
    for path in copy.glob(f"{name}-*.npy"):
        np.save(path, np.concatenate([np.load(path)] * times))
        index["files"][path.name] = sha256_of(path)
    (copy / "index.json").write_text(json.dumps(index))

    def use(source):
        data = prepare_data(small(stored=str(source)))
        for _ in make_dataset(data.training, data.codec, 16).take(30):
            pass
        return data

    use(folder)
    before = anonymous()
    data = use(copy)
    assert data.training.signals.nbytes > 1e8
    assert anonymous() - before < 0.25 * data.training.signals.nbytes


def test_the_command_says_what_it_wrote_and_how_to_use_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small(experiment="e", subjects=4).save("e.yaml")
    assert main(["store", "e.yaml"]) == 0
    assert "stored: stored/e" in capsys.readouterr().out
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("x")
    assert main(["store", "e.yaml", "--output", "other"]) == 2
    assert "something else" in capsys.readouterr().err
    long = small(experiment="e", subjects=4, arrangement="row_major", height=128, width=128)
    with pytest.raises(InputError, match="longer than the records"):
        store_windows(long, "long", progress=False)
