"""A training shared by devices or machines is the training of one, to the last digits of floats."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.training.workers import own_folder, worker, workers
from tests.durability.killing import HOME, QUICK, kill_when, trained, weights, write_experiment

SCRIPT = [sys.executable, "-m", "tests.devices_script"]


def start(command, folder=HOME, **environment):
    return subprocess.Popen(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": HOME, "TF_CPP_MIN_LOG_LEVEL": "3"} | environment)


def ended(*running) -> list[str]:
    said = [one.communicate(timeout=900) for one in running]
    assert [one.returncode for one in running] == [0] * len(running), said
    return [out for out, _ in said]


def machines(n=2) -> list[dict]:
    """TF_CONFIG of so many machines that are this one."""
    free = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    names = [f"127.0.0.1:{one.getsockname()[1]}" for one in free]
    for one in free:
        one.close()
    return [{"TF_CONFIG": json.dumps({"cluster": {"worker": names},
                                      "task": {"type": "worker", "index": i}})} for i in range(n)]


def same_training(line: str, family: str):
    found = json.loads(line)
    assert found["family"] == family and found["replicas"] == 2 and found["step"] == 4
    assert found["moved"] > 1e-3  # else sameness would not say much
    assert found["apart"] < 1e-6 and found["drawn"] < 2e-5, found
    for name, (alone, together) in found["logs"].items():
        assert together == pytest.approx(alone, rel=1e-5, abs=1e-6), name


def test_two_devices_train_as_one():
    """Relativistic loss, penalties every second step, and a discriminator that sees the batch."""
    (said,) = ended(start([*SCRIPT, "2", "R1GAN"]))
    same_training(said, "R1GAN")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["devices", "machines"])
def test_every_loss_on_two_devices_and_on_two_machines(where, capsys):
    families = ("DCGAN", "R1GAN", "WGANGP")
    each = [{}] if where == "devices" else machines()
    said = ended(*[start([*SCRIPT, "2", *families], **one) for one in each])
    assert len(set(said)) == 1  # all machines have the same weights
    with capsys.disabled():
        print(f"\n{said[0]}")
    for line, family in zip(said[0].splitlines(), families, strict=True):
        same_training(line, family)


def history(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "runs/tiny/history.csv").drop(columns="seconds")


@pytest.mark.slow
def test_all_machines_end_where_the_first_one_stops(tmp_path):
    write_experiment(tmp_path, **QUICK, stop="baseline", measure_every=4, check_every=2, patience=1)
    run = [sys.executable, "-m", "ecg_tf", "run", "tiny.yaml"]
    first, second = ended(*[start(run, tmp_path, **one) for one in machines()])
    assert "Kept: the weights of step" in first and "machine 1 is done" in second
    assert history(tmp_path)["step"].iloc[-1] < 40


@pytest.mark.slow
def test_runs_on_devices_and_machines_are_those_of_one_also_after_a_kill(tmp_path, capsys):
    own = {**QUICK, "precision": "float32", "steps": 16}
    run, kept = [sys.executable, "-m", "ecg_tf", "run", "tiny.yaml"], {}
    for name in ("one", "two", "machines"):
        write_experiment(tmp_path / name, **own)
    environment = {"ECG_TF_CACHE": str(tmp_path / "cache")}
    ended(start(run, tmp_path / "one", **environment))
    assert kill_when(trained(tmp_path / "two/runs/tiny", 8), 0.0, "run", "tiny.yaml",
                     "--devices", "2", folder=tmp_path / "two")
    ended(start([*run, "--devices", "2"], tmp_path / "two", **environment))

    folder, first = tmp_path / "machines", machines()
    both = [start(run, folder, **environment, **one) for one in first]
    reached = trained(folder / "runs/tiny", 4)
    while not reached():
        assert both[0].poll() is None, both[0].communicate()
    both[1].kill()  # and the first one cannot go on without it
    _, error = both[0].communicate(timeout=300)
    both[1].communicate()
    assert both[0].returncode == 2 and "Another machine was lost" in error, error
    said = ended(*[start(run, folder, **environment, **one) for one in machines()])
    assert "Resuming from the checkpoint" in said[0] and "machine 1 is done" in said[1]
    assert not (folder / "runs/tiny/.lock").exists()

    for name in ("one", "two", "machines"):
        kept[name] = history(tmp_path / name), weights(tmp_path / name / "runs/tiny")
    for name in ("two", "machines"):
        # On one device too, the last digit of the first weights moves the history by 2e-6 in its
        # first line, 5e-4 in the second and up to 3e-2 in the last (five draws): Adam makes a whole
        # step of a gradient that is all but zero, whichever sign it has.
        for lines, part in ((1, 1e-5), (2, 2e-3), (4, 5e-2)):
            pd.testing.assert_frame_equal(kept[name][0][:lines], kept["one"][0][:lines], rtol=part,
                                          atol=part)
        assert kept[name][1].keys() == kept["one"][1].keys()
        apart = max(float(np.max(np.abs(np.subtract(kept[name][1][key], value, dtype=float))))
                    for key, value in kept["one"][1].items())
        with capsys.disabled():
            print(f"\n{name}: weights and optimizers at most {apart:.2g} from those of one device")
        assert apart < 0.05


def test_machines_are_told_by_the_environment(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    experiment = Experiment(experiment="a")
    assert (worker(), workers()) == (0, 1)
    monkeypatch.setenv("TF_CONFIG", machines(3)[2]["TF_CONFIG"])
    assert (worker(), workers()) == (2, 3)
    with own_folder(experiment) as other:
        folder = Path(other.runs_dir)
        assert folder.exists() and other.folder != experiment.folder
    assert not folder.exists()
    monkeypatch.setenv("TF_CONFIG", machines(3)[0]["TF_CONFIG"])
    with own_folder(experiment) as first:
        assert first == experiment
    for text in ("{", "[]", '{"cluster": {"worker": ["a"]}, "task": {"index": 1}}', "[" * 9999,
                 '{"cluster": {"ps": ["a"], "worker": ["b"]}}', '{"cluster": {"worker": "a"}}',
                 '{"task": {"type": "chief"}}', '{"task": {"index": "x"}}'):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(InputError, match="TF_CONFIG cannot be used"):
            workers()


def test_what_cannot_be_shared_out_is_said(monkeypatch):
    import tensorflow as tf

    from ecg_tf.training.devices import check_shares, strategy_for
    from tests.models.test_acgan import small

    tf.constant(0)  # at work already
    assert strategy_for(1) is None
    with pytest.raises(InputError, match="at work already"):
        strategy_for(2)
    with pytest.raises(InputError, match="Nothing to train on"):
        strategy_for(0)
    monkeypatch.setenv("TF_CONFIG", machines()[0]["TF_CONFIG"])
    with pytest.raises(InputError, match="each takes all devices"):
        strategy_for(2)
    with pytest.raises(InputError, match="before it was told"):
        strategy_for(1)

    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(InputError, match="a batch_size that 3 divides.*set batch_size to 63"):
        check_shares(Three, 64, "0" * 16)
    monkeypatch.delenv("TF_CONFIG")
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        gan = small()
        with pytest.raises(InputError, match="one device only"):
            gan.make_train_function()
