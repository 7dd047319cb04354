"""Full disks, folders that cannot be written to, damaged checkpoints: the last good state stays."""

import contextlib
import os
import resource
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.records import load
from tests.durability.killing import QUICK, differences, write_experiment
from tests.wfdb_writing import write

LONGER = {**QUICK, "steps": 8, "decay": 0.0}  # of one training with those of 4 steps

pytestmark = pytest.mark.usefixtures("stepwise")


@contextlib.contextmanager
def largest_file(size: int):
    """Files cannot grow beyond a size: what a full disk or a quota does, without being root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def mounted(folder: Path, options: str):
    """A small or read-only file system, for those who may mount one (root)."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root may mount a file system")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
                      capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def run(folder: Path, name: str, **settings) -> int:
    file = write_experiment(folder, name, runs_dir=str(folder / "runs"), **settings)
    return main(["run", str(file), "--quiet"])


@pytest.fixture
def half(tmp_path):
    """A training of 4 steps, which 8 steps are to follow."""
    assert run(tmp_path, "a", **LONGER | {"steps": 4}) == 0
    return tmp_path / "runs" / "a"


def test_a_disk_that_is_full_at_a_checkpoint_keeps_the_one_before(half, tmp_path, capsys):
    last = half / "checkpoints" / "last.keras"
    kept = last.read_bytes()
    with largest_file(len(kept) // 2):
        assert run(tmp_path, "a", **LONGER) == 2
    printed = capsys.readouterr().err.strip()
    assert printed.startswith("Error: Cannot write") and "make space" in printed
    assert printed.count("\n") == 3
    assert last.read_bytes() == kept and not list(half.rglob(".*part*"))
    assert run(tmp_path, "a", **LONGER) == 0  # there is space again
    assert run(tmp_path, "b", **LONGER) == 0
    shutil.move(tmp_path / "runs/a/experiment.yaml", tmp_path / "runs/b/experiment.yaml")
    shutil.copy(tmp_path / "runs/b/experiment.yaml", tmp_path / "runs/a/experiment.yaml")
    found = set(differences(half, tmp_path / "runs/b"))
    assert found <= {"results.json"}  # which tells the name
    # The checkpoint is damaged on the disk: the one before it serves, and the end is the same.
    last.write_bytes(kept[: len(kept) // 2])
    (half / "results.json").unlink()  # else the finished run is read
    with pytest.warns(UserWarning, match="is damaged .* from the one before it, of step 4"):
        assert run(tmp_path, "a", **LONGER) == 0
    assert set(differences(half, tmp_path / "runs/b")) <= {"results.json", "experiment.yaml"}


def test_a_full_file_system_is_said(tmp_path, capsys):
    with mounted(tmp_path / "runs", "size=1500k"):  # room for one checkpoint
        assert run(tmp_path, "a", **LONGER | {"check_every": 2, "base_filters": 8}) == 2
        printed = capsys.readouterr().err
        assert "No space left on device" in printed and printed.count("\n") == 4
        assert not list((tmp_path / "runs").rglob(".*part*"))
    with mounted(tmp_path / "runs", "ro"):
        assert run(tmp_path, "a", **LONGER) == 2
        assert "Read-only file system" in capsys.readouterr().err


def test_checkpoints_that_are_all_damaged_are_named(half, tmp_path, capsys):
    folder = half / "checkpoints"
    (folder / "last.keras").write_bytes(b"PK\x03\x04 no archive")
    before = (folder / "last.keras").read_bytes()
    assert run(tmp_path, "a", **LONGER) == 2
    printed = capsys.readouterr().err
    assert f"delete the folder '{folder}' to train from the beginning" in printed
    assert printed.count("\n") == 4 and (folder / "last.keras").read_bytes() == before
    (folder / "last.key").write_bytes(b"\xff\x00")
    assert run(tmp_path, "a", **LONGER) == 2
    assert "last.key' is damaged" in capsys.readouterr().err
    shutil.rmtree(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert run(tmp_path, "a", **LONGER) == 0  # the advice is right


@pytest.mark.parametrize("text", ["step,seconds\nx,1\n", "step,seconds\n4\n", "\0", "a,b\n1,2\n",
                                  "step,seconds\n4,1,9\n"])
def test_a_damaged_history_says_what_to_delete(tmp_path, text):
    from ecg_tf.training.callbacks import HistoryCSV

    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(InputError, match="history.csv': the training continues"):
        HistoryCSV(tmp_path / "history.csv")._read(8)


def test_best_weights_are_written_whole_or_not_at_all(tmp_path):
    from types import SimpleNamespace

    import keras
    import numpy as np

    from ecg_tf.evaluation.stopping_callbacks import load_averages, save_averages

    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((50,)), keras.layers.Dense(400)])
    gan, path = SimpleNamespace(ema_generator=network), tmp_path / "best.weights.h5"
    save_averages(gan, path)
    wanted = [np.array(one) for one in network.get_weights()]
    network.set_weights([one + 1 for one in wanted])
    with largest_file(20_000), pytest.raises(InputError, match="Cannot write"):
        save_averages(gan, path)
    load_averages(gan, path)
    for one, other in zip(network.get_weights(), wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="delete the run's checkpoints"):
        load_averages(gan, path)


def test_a_file_is_whole_or_as_it_was(tmp_path):
    write_whole(tmp_path / "a", "x" * 100)
    with largest_file(500), pytest.raises(InputError, match="(?s)File too large.*make space"):
        write_whole(tmp_path / "a", "y" * 2000)
    assert (tmp_path / "a").read_text() == "x" * 100
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_costs_the_cache_only(tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "own")
    with largest_file(1000), pytest.warns(UserWarning, match="without a cache"):
        assert len(load(tmp_path / "own")) == 1
    assert {p.name for p in (tmp_path / "cache").rglob("*") if p.is_file()} <= {".lock"}
