"""The whole way on a tiny simulated cohort, from the command line and from Python."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import wfdb
import yaml

from ecg_tf.__main__ import main
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.release.card_text import sources
from ecg_tf.study.run import kept_result
from ecg_tf.training import data

TINY = {
    "subjects": 6, "minutes": 1.5, "height": 16, "width": 32, "base_filters": 4, "latent_dim": 8,
    "batch_size": 8, "steps": 6, "check_every": 4, "synthetic": 40, "strip_seconds": 4.0,
    "attacks": False,
}

#: Of trainings that nothing is asked but how they go on: their steps are quick.
PLAIN = {"model": "dcgan", "padding": "zero", "height": 8, "width": 16, "strip_seconds": 2.0,
         "check_every": 2}

pytestmark = pytest.mark.usefixtures("stepwise")


def write(folder, name="tiny", **changes):
    path = folder / f"{name}.yaml"
    settings = {"experiment": name, **TINY, "runs_dir": str(folder / "runs"), **changes}
    path.write_text(yaml.safe_dump(settings))
    return str(path)


def train_only(path):
    """Trains an experiment in its folder as `run` does, and evaluates nothing."""
    from ecg_tf.training import fit

    chosen = Experiment.from_yaml(path)
    chosen.save(chosen.folder / "experiment.yaml")
    prepared = data.prepare_data(chosen)
    return fit.train(prepared.settled(chosen), prepared, progress=False)


def test_run_writes_everything_and_the_same_again(tmp_path, capsys, monkeypatch, hasty):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    assert main(["run", write(tmp_path, "first", attacks=True)]) == 0
    printed = capsys.readouterr().out
    assert "MMD²" in printed and "Release gate" in printed and "not measured" in printed
    assert main(["run", write(tmp_path, "second", attacks=True), "--quiet"]) == 0
    first, second = tmp_path / "runs" / "first", tmp_path / "runs" / "second"
    for name in ("experiment.yaml", "split.json", "codec.json", "history.csv", "generator.keras",
                 "results.json", "checkpoints/last.keras"):
        assert (first / name).stat().st_size
    assert not list(first.rglob(".*part*"))
    assert pd.read_csv(first / "history.csv")["step"].tolist() == [4, 6]
    metrics = [json.loads((f / "results.json").read_text()) for f in (first, second)]
    assert metrics[0]["measures"] == metrics[1]["measures"]
    assert metrics[0]["privacy"] == metrics[1]["privacy"]
    assert not metrics[0]["privacy"]["passed"]  # six steps are no training
    assert "copies" in metrics[0]["privacy"]["landmarks"]
    values = {m["name"]: m for m in metrics[0]["measures"]}
    assert values["MMD²"]["baseline"] < values["MMD²"]["value"]  # six steps are no training
    assert metrics[0]["data"]["sha256"] and metrics[0]["versions"]["tensorflow"]
    assert len(Codec.load(first / "codec.json").decode(np.zeros((1, 16, 32, 2)))) == 1


def test_without_attacks_the_gate_says_that_nothing_about_persons_was_measured(tmp_path):
    more = {"gate": {"recall": None}, "leads": ["I", "II", "III"]}
    assert main(["run", write(tmp_path, "a", steps=1, **more), "--quiet"]) == 0
    metrics = json.loads((tmp_path / "runs/a/results.json").read_text())
    found = metrics["privacy"]
    assert found["gate"]["copies"]["verdict"] == "not measured" and "recall" not in found["gate"]
    assert "switched off" in found["notes"][0] and not found["landmarks"]
    assert Codec.load(tmp_path / "runs/a/codec.json").image_shape == (16, 32, 3)  # I, II and RR
    values = {m["name"]: m for m in metrics["measures"]}
    assert values["Einthoven residual of signal"]["value"] < 1e-6  # III is computed
    assert "inter-lead correlation W1" in values


def test_a_longer_run_goes_on_from_the_checkpoint_and_ends_like_one_never_stopped(tmp_path):
    import keras

    # With a falling learning rate another number of steps is another training.
    for name, steps in (("once", 4), ("twice", 2), ("twice", 4)):
        train_only(write(tmp_path, name, steps=steps, decay=0.0, **PLAIN))
    runs = tmp_path / "runs"
    assert pd.read_csv(runs / "twice" / "history.csv")["step"].tolist() == [2, 4]
    one, two = (keras.saving.load_model(runs / n / "checkpoints" / "last.keras").get_weights()
                for n in ("once", "twice"))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_fewer_steps_than_the_checkpoint_has_are_trained_again(tmp_path):
    for steps, make in ((4, train_only), (2, lambda path: main(["run", path, "--quiet"]))):
        make(write(tmp_path, "a", steps=steps, **PLAIN))
        assert pd.read_csv(tmp_path / "runs/a/history.csv")["step"].iloc[-1] == steps


def test_other_settings_do_not_continue_an_old_checkpoint(tmp_path):
    first = train_only(write(tmp_path, "a", **PLAIN)).get_weights()
    again = train_only(write(tmp_path, "a", seed=1, **PLAIN)).get_weights()
    assert not all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert pd.read_csv(tmp_path / "runs/a/history.csv")["step"].tolist() == [2, 4, 6]


@pytest.mark.parametrize(
    ("model", "arrangement", "scaling"),
    [("dcgan", "rgb_planar", "window"), ("wgan_gp", "row_major", "quantile")],
)
def test_other_models_arrangements_and_scalings_run(tmp_path, model, arrangement, scaling):
    path = write(tmp_path, "m", model=model, arrangement=arrangement, scaling=scaling, steps=2)
    assert main(["run", path, "--quiet"]) == 0
    values = json.loads((tmp_path / "runs/m/results.json").read_text())["measures"]
    assert "seam ratio" in [m["name"] for m in values]


def folder_of_records(folder, **signals):
    for name, signal in signals.items():
        fs = 250 if name.startswith("other") else 125
        wfdb.wrsamp(name, fs, ["mV"], ["II"], signal[:, None], fmt=["16"], write_dir=str(folder))
    return str(folder)


def beating(minutes=1.0, fs=125, seed=0):
    from ecg_tf.records.simulate import simulate_cohort

    [record] = simulate_cohort(subjects=1, minutes=minutes, fs=fs, seed=seed)
    return record.signal[:, 0].astype(float)


def bad_inputs(tmp_path):
    data = tmp_path / "own"
    data.mkdir()
    folder_of_records(data, a=beating(), b=beating(seed=1), c=beating(seed=2))
    own = {"database": str(data), "arrangement": "row_major", "strict": True}
    yield "misspelled", {"stepz": 3}, "Did you mean 'steps'?"
    yield "unknown lead", own | {"leads": ["V9"]}, "V9"
    yield "window longer", own | {"height": 256, "width": 256}, "longer than the records"
    yield "no database", {"database": "mitdb", "data_dir": str(tmp_path / "no")}, "ecg-tf data"
    (data / "c.dat").write_bytes((data / "c.dat").read_bytes()[:1000])
    yield "truncated", own, "c.dat"
    (data / "c.dat").unlink()
    yield "missing dat", own, "c.dat"
    folder_of_records(data, c=np.full(7500, 0.3))
    yield "constant", own, "c"
    nothing = np.full((7500, 1), -32768)  # what format 16 writes where a value is missing
    wfdb.wrsamp("c", 125, ["mV"], ["II"], d_signal=nothing, adc_gain=[200], baseline=[0],
                fmt=["16"], write_dir=str(data))
    yield "all NaN", own, "c"


def test_bad_input_is_shown_line_by_line_exit_status_2_and_nothing_half_written(tmp_path, capsys):
    for name, changes, word in bad_inputs(tmp_path):
        path = write(tmp_path, "bad", **changes)
        assert main(["run", path, "--quiet"]) == 2, name
        error = capsys.readouterr().err.strip()
        assert error.startswith("Error: ") and error.count("\n") <= 3, (name, error)
        assert word in error, (name, error)
        left = {p.name for p in (tmp_path / "runs").rglob("*") if p.is_file()}
        assert left <= {"experiment.yaml"}, name


def test_mixed_sampling_rates_are_resampled_to_one(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    signals = {"a": beating(), "b": beating(seed=1), "other": beating(fs=250, seed=2)}
    folder = folder_of_records(tmp_path / "own", **signals)
    path = write(tmp_path, "mixed", database=folder, steps=2)
    reads, load = [], data.load
    monkeypatch.setattr(data, "load", lambda *a, **k: reads.append(a) or load(*a, **k))
    assert main(["run", path, "--quiet"]) == 0
    assert len(reads) == 1  # the key of the results is that of the records that were used
    metrics = json.loads((tmp_path / "runs/mixed/results.json").read_text())
    assert metrics["privacy"]["words"].startswith("Warning: Nothing says who is who: each of the 3")
    run = SimpleNamespace(content=metrics)
    assert "**Warning:** Nothing says who is who" in sources(run) and not metrics["left_out"]
    chosen = Experiment.from_yaml(path)
    assert kept_result(chosen).content["key"] == metrics["key"]
    assert kept_result(replace(chosen, steps=1)) is None
    folder_of_records(tmp_path / "own", b=beating(seed=3))
    assert kept_result(chosen) is None  # one record is another one


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_said_first(tmp_path, capsys):
    (tmp_path / "runs").mkdir(mode=0o500)
    assert main(["run", write(tmp_path)]) == 2
    assert "Cannot write" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_folder_is_said_first(tmp_path, capsys):
    (tmp_path / "runs").write_text("not a folder")
    assert main(["run", write(tmp_path)]) == 2
    assert "Cannot write" in capsys.readouterr().err


def test_help_of_every_command_is_quick_and_without_tensorflow():
    for command in ([], ["run"], ["data"], ["report"], ["study"]):
        code = "import sys; from ecg_tf.__main__ import main\ntry: main(sys.argv[1:])\n" \
               "except SystemExit as e: assert 'tensorflow' not in sys.modules; sys.exit(e.code)"
        done = subprocess.run([sys.executable, "-c", code, *command, "--help"],
                              capture_output=True, text=True)
        assert done.returncode == 0 and "usage: ecg-tf" in done.stdout


def test_defaults_make_an_experiment():
    assert Experiment().folder.name == "quickstart"
