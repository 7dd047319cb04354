"""A study or a report that was killed, or failed late, resumes from what is there."""

import re
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
import yaml

from ecg_tf.__main__ import main
from ecg_tf.base.locks import holding
from tests.durability.killing import (
    HOME,
    QUICK,
    SETTINGS,
    command,
    complete,
    differences,
    kept,
    kill_when,
    saving,
    write_experiment,
)
from tests.lessons import in_process
from tests.study.test_run import TINY
from tests.study.test_study import notebook

NAMES = "experiment = 'a'\nsteps = 1\nseed = 0\nruns_dir = 'runs'\nwait = 0"
WORK = """import json, pathlib, time
from ecg_tf.config.experiment import Experiment
from ecg_tf.base.locks import hold
chosen = Experiment(experiment=experiment, steps=steps, seed=seed, runs_dir=runs_dir)
hold(chosen.folder)
chosen.save(chosen.folder / "experiment.yaml")
time.sleep(60 if pathlib.Path("slow").exists() and experiment == "b" else 0)
(chosen.folder / "results.json").write_text(json.dumps({"experiment": chosen.to_dict()}))"""
TRAINING = """from ecg_tf.config.experiment import Experiment
from ecg_tf.training.data import prepare_data
from ecg_tf.base.locks import hold
from ecg_tf.training.fit import train
import pathlib
chosen = Experiment.from_namespace(globals())
hold(chosen.folder)
chosen.save(chosen.folder / "experiment.yaml")
data = prepare_data(chosen)
gan = train(chosen, data)
if pathlib.Path("broken").exists():
    raise RuntimeError("a later cell fails")"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder like the project's, with one notebook that takes no time."""
    monkeypatch.chdir(tmp_path)
    notebook(tmp_path / "notebooks/04_arrangement.ipynb", NAMES.rsplit("\n", 1)[0], WORK)
    (tmp_path / "notebooks/experiments").mkdir()
    for name in ("a", "b", "c"):
        file = tmp_path / f"notebooks/experiments/{name}.yaml"
        file.write_text("notebook: 04_arrangement\nseed: 1")
    return tmp_path


def test_a_killed_study_goes_on_where_it_was(project):
    Path("slow").write_text("")
    assert kill_when(Path("runs/b/experiment.yaml").exists, 0.1, "study", folder=project)
    assert sorted(p.name for p in Path("reports").glob("*.html")) == ["a.html"]
    before = Path("reports/a.ipynb").stat().st_mtime_ns
    Path("slow").unlink()
    # The notebook's kernel lives for another moment and holds runs/b: it is waited for.
    printed = complete("study", folder=project)
    assert "done: a" in printed and "2 reports made, 1 were done before, 0 failed" in printed
    assert Path("reports/a.ipynb").stat().st_mtime_ns == before
    assert sorted(p.name for p in Path("reports").glob("*.html")) == ["a.html", "b.html", "c.html"]
    assert not [p for p in Path("reports").iterdir() if p.name.startswith(".")]


def test_a_second_study_says_who_is_there(project):
    Path("slow").write_text("")
    first = command("study", folder=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        last = time.monotonic() + 600
        while not Path("runs/b/experiment.yaml").exists():
            assert time.monotonic() < last
            time.sleep(0.01)
        second = command("study", folder=project, stderr=subprocess.PIPE)
        assert f"process {first.pid} " in second.communicate(timeout=600)[1]
        assert second.returncode == 2
        # A single run of what the study is at is refused too, by the notebook's process.
        Path("b.yaml").write_text("experiment: b")
        assert main(["run", "b.yaml"]) == 2
    finally:
        first.kill()
        first.communicate()
    with holding("runs/b"):  # waits for the orphaned kernel, so that the folder can be removed
        pass


def test_a_report_that_failed_late_is_not_trained_again(tmp_path, monkeypatch, capsys, stepwise):
    monkeypatch.chdir(tmp_path)
    in_process.use(monkeypatch)
    settings = {**TINY, **QUICK, "experiment": "a", "runs_dir": "runs"}
    names = "\n".join(f"{name} = {value!r}" for name, value in settings.items())
    notebook(tmp_path / "notebooks/late.ipynb", names, TRAINING)
    (tmp_path / "late.yaml").write_text("notebook: late\nexperiment: a")
    Path("broken").write_text("")
    assert main(["report", "late.yaml"]) == 1
    assert "a later cell fails" in capsys.readouterr().err
    kept = {p: p.stat().st_mtime_ns for p in Path("runs/a").rglob("*") if p.is_file()
            and p.name not in ("experiment.yaml", ".lock")}
    assert any(p.name == "last.keras" for p in kept)
    Path("broken").unlink()
    assert main(["report", "late.yaml"]) == 0
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert "Resuming from the checkpoint of step 6" in Path("reports/a.ipynb").read_text()
    assert not Path("reports/a.failed.ipynb").exists()


@pytest.mark.slow
def test_what_was_stopped_gives_the_same_numbers(tmp_path, capsys):
    """The real notebook: a study killed twice, and a report with a later cell that fails."""
    own = {**SETTINGS, **QUICK}
    for name in ("whole", "killed"):
        books = tmp_path / name / "notebooks"
        (books / "experiments").mkdir(parents=True)
        with_a_cell_that_may_fail(books)
        for seed in (1, 2):
            (books / f"experiments/e{seed}.yaml").write_text(yaml.safe_dump({**own, "seed": seed}))
        write_experiment(tmp_path / name, "late", **QUICK)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    complete("study", folder=whole)
    complete("report", "late.yaml", folder=whole)

    assert kill_when(kept(killed / "runs/e1", 12), 0.02, "study", folder=killed)
    assert kill_when(saving(killed / "runs/e2", 24), 0.0, "study", folder=killed)
    assert "done: e1" in complete("study", folder=killed)
    (killed / "broken").write_text("")
    failed = command("report", "late.yaml", folder=killed, stderr=subprocess.PIPE)
    assert "a later cell fails" in failed.communicate()[1] and failed.returncode == 1
    (killed / "broken").unlink()
    complete("report", "late.yaml", folder=killed)

    rows = []
    for name, stopped in (("e1", "study, killed in a training, step 12"),
                          ("e2", "study, killed in a checkpoint, step 24"),
                          ("late", "report, a cell after the training failed")):
        printed = (killed / f"reports/{name}.ipynb").read_text()
        found = re.search(r"Resuming from the checkpoint of step (\d+)", printed)
        rows.append((stopped, int(found[1]) if found else 0,
                     differences(whole / "runs" / name, killed / "runs" / name)))
    with capsys.disabled():
        print("\n| stopped | went on from step | identical |\n|---|---|---|")
        for stopped, at, found in rows:
            print(f"| {stopped} | {at} | {'no: ' + ', '.join(found[:3]) if found else 'yes'} |")
    assert not any(found for *_, found in rows)
    assert all(at for _, at, _ in rows[:2])
    assert "its results are read" in (killed / "reports/late.ipynb").read_text()


def with_a_cell_that_may_fail(books: Path) -> None:
    """The notebook of experiments, with a cell behind the training that fails on demand."""
    book = nbformat.read(Path(HOME) / "notebooks/05_experiment.ipynb", as_version=4)
    code = "import pathlib\nassert not pathlib.Path('broken').exists(), 'a later cell fails'"
    book.cells.append(nbformat.v4.new_code_cell(code))
    nbformat.write(book, books / "05_experiment.ipynb")
