"""A training shared by devices is the training of one, to the last digits of floats."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ecg_tf.base.errors import InputError
from tests.durability.killing import HOME, QUICK, kill_when, trained, weights, write_experiment

SCRIPT = [sys.executable, "-m", "tests.devices_script"]


def output_of(command, folder=HOME, **environment) -> str:
    done = subprocess.run(
        command, cwd=folder, text=True, capture_output=True, timeout=900,
        env=os.environ | {"PYTHONPATH": HOME, "TF_CPP_MIN_LOG_LEVEL": "3"} | environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def same_training(line: str, family: str):
    found = json.loads(line)
    assert found["family"] == family and found["replicas"] == 2 and found["step"] == 4
    assert found["moved"] > 1e-3  # else sameness would not say much
    assert found["apart"] < 1e-6 and found["generated"] < 2e-5, found
    for name, (alone, together) in found["logs"].items():
        assert together == pytest.approx(alone, rel=1e-5, abs=1e-6), name


def test_two_devices_train_as_one():
    """Relativistic loss, penalties every second step, and a discriminator that sees the batch."""
    same_training(output_of([*SCRIPT, "R1GAN"]), "R1GAN")


@pytest.mark.slow
def test_every_loss_on_two_devices():
    families = ("DCGAN", "R1GAN", "WGANGP", "R1GAN of labels", "ACGAN")
    lines = output_of([*SCRIPT, *families]).splitlines()
    for line, family in zip(lines, families, strict=True):
        same_training(line, family)


@pytest.mark.slow
def test_a_run_on_two_devices_is_that_of_one_also_after_a_kill(tmp_path, capsys):
    own = {**QUICK, "precision": "float32", "steps": 16}
    run, kept = [sys.executable, "-m", "ecg_tf", "run", "tiny.yaml"], {}
    for name in ("one", "two"):
        write_experiment(tmp_path / name, **own)
    environment = {"ECG_TF_CACHE": str(tmp_path / "cache")}
    output_of(run, tmp_path / "one", **environment)
    assert kill_when(trained(tmp_path / "two/runs/tiny", 8), 0.0, "run", "tiny.yaml",
                     "--devices", "2", folder=tmp_path / "two")
    output_of([*run, "--devices", "2"], tmp_path / "two", **environment)
    for name in ("one", "two"):
        folder = tmp_path / name / "runs/tiny"
        history = pd.read_csv(folder / "history.csv").drop(columns="seconds")
        kept[name] = history, weights(folder)
    # On one device too, the last digit of the first weights moves the history by 2e-6 in its
    # first line, 5e-4 in the second and up to 3e-2 in the last (five trainings): Adam makes a whole
    # step of a gradient that is all but zero, whichever sign it has.
    for lines, part in ((1, 1e-5), (2, 2e-3), (4, 5e-2)):
        pd.testing.assert_frame_equal(kept["two"][0][:lines], kept["one"][0][:lines], rtol=part,
                                      atol=part)
    assert kept["two"][1].keys() == kept["one"][1].keys()
    apart = max(float(np.max(np.abs(np.subtract(kept["two"][1][key], value, dtype=float))))
                for key, value in kept["one"][1].items())
    with capsys.disabled():
        print(f"\nweights and optimizers at most {apart:.2g} from those of one device")
    assert apart < 0.05


def test_devices_that_cannot_be_had_are_named():
    import tensorflow as tf

    from ecg_tf.models.devices import strategy_for

    tf.constant(0)  # at work already
    assert strategy_for(1, 64) is None
    for devices, batch_size, words in ((2, 64, "at work already"), (0, 64, "Nothing to train on"),
                                       (3, 64, "a batch_size that 3 divides")):
        with pytest.raises(InputError, match=words):
            strategy_for(devices, batch_size)
