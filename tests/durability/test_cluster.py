"""A study in several processes: at once, despite failures, and despite workers that are killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ecg_tf.__main__ import main
from ecg_tf.base.locks import holding
from tests.durability.killing import (
    HOME,
    SETTINGS,
    command,
    complete,
    differences,
    trained,
)
from tests.durability.test_studies import NAMES
from tests.study.test_study import notebook

# a and b wait for each other: one after another, neither would end. c fails.
TOGETHER = """import json, os, pathlib, time
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
chosen = Experiment(experiment=experiment, steps=steps, seed=seed, runs_dir=runs_dir)
chosen.folder.mkdir(parents=True)
if experiment == "c":
    raise InputError("c cannot be made.")
last = time.monotonic() + 60
while not all(pathlib.Path(runs_dir, name).exists() for name in "ab"):
    assert time.monotonic() < last, "alone"
    time.sleep(0.01)
print(os.environ["OMP_NUM_THREADS"], os.environ["TF_NUM_INTRAOP_THREADS"])
(chosen.folder / "results.json").write_text(json.dumps({"experiment": chosen.to_dict()}))"""
# The first time, it stays until somebody ends it; the second time, it ends.
TWICE = """import json, pathlib, time
from ecg_tf.config.experiment import Experiment
from ecg_tf.base.locks import hold
chosen = Experiment(experiment=experiment, steps=steps, seed=seed, runs_dir=runs_dir)
again = (chosen.folder / "begun").exists()
hold(chosen.folder)
chosen.save(chosen.folder / "experiment.yaml")
(chosen.folder / "begun").write_text("")
time.sleep(0 if again or experiment == "b" else 600)
(chosen.folder / "results.json").write_text(json.dumps({"experiment": chosen.to_dict()}))"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder like the project's; the notebook's code is still to be given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks/experiments").mkdir(parents=True)

    def with_code(code, *names):
        notebook(tmp_path / "notebooks/04_arrangement.ipynb", NAMES.rsplit("\n", 1)[0], code)
        for name in names:
            file = tmp_path / f"notebooks/experiments/{name}.yaml"
            file.write_text("notebook: 04_arrangement\nseed: 1")
        return tmp_path

    return with_code


def holder(run: Path) -> dict:
    """Who holds a run's folder: the notebook's process and, as its parent, the worker."""
    last = time.monotonic() + 600
    while True:
        try:
            note = json.loads((run / ".lock").read_text())
            os.kill(note["parent"], 0)
            return note
        except (OSError, ValueError):
            assert time.monotonic() < last, "no worker took it"
            time.sleep(0.01)


def wait_until(moment):
    last = time.monotonic() + 1800
    while not moment():
        assert time.monotonic() < last, "the moment never came"
        time.sleep(0.005)


def test_two_at_once_and_a_failure_stops_nobody(project, capfd):
    folder = project(TOGETHER, "a", "b", "c")
    assert main(["study", "--dask", "--workers", "2"]) == 1
    printed = capfd.readouterr()
    for words in ("2 workers on this machine", "[1 of 3] a", "[3 of 3] c", "b: made in",
                  "c: failed: c cannot be made.",
                  "2 reports made, 0 were done before, 1 failed."):
        assert words in printed.out, printed
    assert sorted(p.name for p in Path("reports").glob("*.html")) == ["a.html", "b.html"]
    assert not [p for p in Path("reports").iterdir() if p.name.startswith(".")]
    report = Path("reports/a.ipynb").read_text()
    assert str(folder) not in report  # no folder of this machine, as in any report
    threads = str(max(1, len(os.sched_getaffinity(0)) // 2))
    assert f"{threads} {threads}" in report


def test_a_worker_that_is_killed_is_replaced(project):
    folder = project(TWICE, "a", "b")
    running = command("study", "--dask", "--workers", "1", folder=folder, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
    try:
        os.kill(holder(Path("runs/a"))["parent"], signal.SIGKILL)
        out, err = running.communicate(timeout=600)
    finally:
        running.kill()
    assert running.returncode == 0, out + err
    assert "a worker was lost" in out and "2 reports made, 0 were done before, 0 failed" in out
    assert not err


@pytest.mark.slow
def test_ctrl_c_ends_the_notebooks_and_leaves_what_was_made(project):
    folder = project(TWICE, "b", "a")
    running = command("study", "--workers", "2", folder=folder, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, start_new_session=True)  # a terminal's group
    try:
        note = holder(Path("runs/a"))
        wait_until(Path("reports/b.html").exists)
        time.sleep(1)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 1
    assert "Stopped while making a. Kept: 1 reports made now" in out, out + err
    assert "The same command resumes" in err and "Traceback" not in err
    with holding("runs/a"):  # its notebook is gone, or just going
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(note["process"], 0)
    assert {p.name for p in Path("reports").iterdir()} == {"b.ipynb", "b.html", "b.json"}
    printed = complete("study", "--workers", "1", folder=folder)
    assert "done: b" in printed and "1 reports made, 1 were done before, 0 failed" in printed


def test_a_scheduler_that_is_not_there_is_said_at_once(project, capsys, monkeypatch):
    from ecg_tf.study import cluster

    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    project(TWICE, "b")
    for options, words in (
        (["--scheduler", "tcp://127.0.0.1:9"], "No Dask scheduler answers at 'tcp://127.0.0.1:9'"),
        (["--scheduler", "no address"], "No Dask scheduler answers"),
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "has its own workers"),
        (["--workers", "-1"], "The number of workers must not be negative"),
    ):
        assert main(["study", *options]) == 2
        error = capsys.readouterr().err
        assert error.startswith("Error: ") and words in error and error.count("\n") <= 4, error
    assert not list(Path("reports").iterdir())


@pytest.fixture
def scheduler(tmp_path):
    """A cluster of its own processes, as on other machines: a scheduler, and a worker's nanny."""
    def start(*arguments):
        return subprocess.Popen([sys.executable, "-m", "distributed.cli." + arguments[0],
                                 *arguments[1:]], cwd=tmp_path.parent, stderr=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                env=os.environ | {"PYTHONPATH": HOME})
    file = tmp_path / "scheduler.json"
    started = [start("dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file",
                     str(file), "--host", "127.0.0.1")]
    wait_until(file.exists)
    address = json.loads(file.read_text())["address"]
    started.append(start("dask_worker", address, "--nworkers", "1", "--nthreads", "1",
                         "--no-dashboard", "--local-directory", str(tmp_path / "scratch")))
    yield address
    for one in reversed(started):
        one.terminate()
        one.wait(30)


@pytest.mark.slow
def test_a_cluster_of_ones_own_goes_on_after_a_killed_study(project, scheduler):
    folder = project(TWICE, "a", "b")
    running = command("study", "--scheduler", scheduler, folder=folder, stdout=subprocess.DEVNULL)
    holder(Path("runs/a"))
    running.kill()  # no study waits any more: the worker ends the notebook by itself
    running.wait()
    printed = complete("study", "--scheduler", scheduler, folder=folder)
    assert "2 reports made, 0 were done before, 0 failed" in printed


@pytest.mark.slow
def test_a_worker_killed_in_a_training_gives_the_same_numbers(tmp_path, capsys):
    """The real notebook, two at once; the worker of one of them is killed twice."""
    for name in ("whole", "killed"):
        books = tmp_path / name / "notebooks"
        (books / "experiments").mkdir(parents=True)
        shutil.copy(Path(HOME) / "notebooks/05_experiment.ipynb", books)
        for seed in (1, 2):
            (books / f"experiments/e{seed}.yaml").write_text(
                yaml.safe_dump({**SETTINGS, "seed": seed}))
    complete("study", "--dask", "--workers", "2", folder=tmp_path / "whole")
    killed, steps = tmp_path / "killed", []
    running = command("study", "--dask", "--workers", "2", folder=killed, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
    for step in (8, 24):
        wait_until(trained(killed / "runs/e2", step))
        os.kill(holder(killed / "runs/e2")["parent"], signal.SIGKILL)
        steps.append(step)
    out, err = running.communicate(timeout=1800)
    assert running.returncode == 0, out + err
    found = {name: differences(tmp_path / "whole/runs" / name, killed / "runs" / name)
             for name in ("e1", "e2")}
    with capsys.disabled():
        print(f"\n{out}\nworkers killed after steps {steps} of e2; differences: {found}")
    assert found == {"e1": [], "e2": []} and out.count("a worker was lost") == 2
