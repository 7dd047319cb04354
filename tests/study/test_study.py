"""The study: done is skipped, failures do not stop it, bad input is reported before it begins."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.study import making, run, study
from ecg_tf.study.making import is_done
from ecg_tf.study.plans import Plan, find_plans, read_plan
from ecg_tf.study.study import run_study

EXPERIMENT = "experiment = 'a'\nsteps = 1\nseed = 0\nruns_dir = 'runs'"
RUN = """import json, pathlib
folder = pathlib.Path(runs_dir, experiment)
folder.mkdir(parents=True, exist_ok=True)
used = {"experiment": experiment, "steps": steps, "seed": seed, "runs_dir": runs_dir}
measures = [{"name": "MMD²", "value": 0.03, "baseline": 0.02}]
content = {"experiment": used, "measures": measures, "key": f"{steps} {seed}"}
(folder / "results.json").write_text(json.dumps(content))
print("step 1 of 2")"""
LESSON = """from ecg_tf.base.errors import InputError
if wait < 0:
    raise InputError("The wait is negative.", expected="0 or more")
import time
time.sleep(wait)"""


def notebook(path, parameters, code, text="# A title"):
    path.parent.mkdir(parents=True, exist_ok=True)
    tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[new_markdown_cell(text), tagged, new_code_cell(code)]), path)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder like the project's, with notebooks that take no time."""
    monkeypatch.chdir(tmp_path)

    def kept_result(experiment):
        """The run of `RUN`, if it has these settings."""
        try:
            content = json.loads((experiment.folder / "results.json").read_text())
        except OSError:
            return None
        same = content["key"] == f"{experiment.steps} {experiment.seed}"
        return SimpleNamespace(content=content) if same else None

    monkeypatch.setattr(run, "kept_result", kept_result)
    books = tmp_path / "notebooks"
    notebook(books / "05_experiment.ipynb", EXPERIMENT, RUN)
    notebook(books / "04_arrangement.ipynb", "wait = 0\nseeds = [0]", LESSON)
    (books / "experiments").mkdir()
    return tmp_path


def write(name, text):
    path = Path("notebooks/experiments", f"{name}.yaml")
    path.write_text(text)
    return path


def test_a_study_goes_on_after_a_failure_and_skips_what_is_done(project, capsys):
    notebook(project / "notebooks/10_comparison.ipynb", "runs_dir = 'runs'", "1 + 1")
    write("quickstart", "seed: 3")
    write("b", "steps: 2")
    write("lesson", "notebook: 04_arrangement\nwait: -1")
    assert main(["study"]) == 1
    printed = capsys.readouterr().out
    for words in ("[1 of 4] quickstart", "[2 of 4] b", "[3 of 4] lesson", "[4 of 4] comparison",
                  "failed: The wait is negative. Expected: 0 or more.", "time left not known yet",
                  "less than a minute left", "3 reports made, 0 were done before, 1 failed."):
        assert words in printed, words
    assert "1.5" in printed  # MMD² over its baseline
    made = {path.name for path in Path("reports").iterdir()}
    assert made == {f"{name}.{kind}" for name in ("quickstart", "b", "comparison")
                    for kind in ("ipynb", "html", "json")} | {"lesson.failed.ipynb"}
    assert Path("runs/quickstart/results.json").exists()  # named after the file

    write("lesson", "notebook: 04_arrangement\nwait: 0")
    before = Path("reports/b.ipynb").stat().st_mtime_ns
    Path("reports/b.html").unlink()
    assert main(["study"]) == 0
    printed = capsys.readouterr().out
    assert "done: quickstart\ndone: b\n[1 of 2] lesson" in printed and "0 failed" in printed
    assert Path("reports/b.ipynb").stat().st_mtime_ns == before and Path("reports/b.html").exists()
    assert not Path("reports/lesson.failed.ipynb").exists()
    assert main(["study"]) == 0  # nothing left to do, not even the comparison
    assert "0 reports made, 4 were done" in capsys.readouterr().out


def test_done_means_the_same_parameters_code_and_run(project, monkeypatch):
    write("a", "steps: 2")
    plan = read_plan("notebooks/experiments/a.yaml")
    assert not is_done(plan)
    assert run_study([plan])[0].state == "made"
    assert is_done(plan) and not is_done(Plan("a", plan.notebook, plan.parameters | {"steps": 3}))
    notebook(plan.notebook, EXPERIMENT, RUN + "\nnew = 1")
    assert not is_done(plan)
    notebook(plan.notebook, EXPERIMENT.replace("seed = 0", "seed = 1"), RUN)
    assert not is_done(plan)  # a default is a parameter too
    notebook(plan.notebook, EXPERIMENT, RUN)
    assert is_done(plan)
    monkeypatch.setattr(making, "code_digest", lambda *parts: "figures were changed")
    assert not is_done(plan)
    monkeypatch.undo()
    monkeypatch.chdir(project)
    Path("runs/a/results.json").unlink()
    assert not is_done(plan)  # without its run
    Path("reports/a.json").write_text("{")
    assert not is_done(plan)


def test_changed_text_is_replaced_and_nothing_is_run(project):
    write("a", "steps: 2")
    plan = read_plan("notebooks/experiments/a.yaml")
    assert run_study([plan])[0].state == "made"
    executed = nbformat.read("reports/a.ipynb", 4)
    assert executed.cells[0].source == "# A title: a"  # titles differ
    assert not any(cell.get("outputs") for cell in executed.cells)  # how far it was, is no result
    notebook(plan.notebook, EXPERIMENT, "# a comment\n" + RUN, text="# Better words")
    assert is_done(plan)
    after = nbformat.read("reports/a.ipynb", 4)
    assert after.cells[0].source == "# Better words: a"
    assert after.cells[1:] == executed.cells[1:]
    assert "Better words" in Path("reports/a.html").read_text()
    assert json.loads(Path("reports/a.json").read_text())["report"]["title"] == "Better words: a"


def test_report_takes_the_notebook_that_the_file_names(project, capsys):
    path = write("x", "notebook: 04_arrangement\nexperiment: lesson-x\nseeds: [1, 2]")
    assert main(["report", str(path)]) == 0
    assert "reports/lesson-x.html" in capsys.readouterr().out.replace(os.sep, "/")
    given = nbformat.read("reports/lesson-x.ipynb", 4).metadata.papermill.parameters
    assert given == {"seeds": [1, 2]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stepz: 3", ["bad.yaml", "stepz", "Did you mean 'steps'"]),
        ("steps: many", ["bad.yaml", "whole number"]),
        ("notebook: 04_arrangement\nseedz: [1]", ["bad.yaml", "Did you mean 'seeds'"]),
        ("notebook: 04_arangement", ["bad.yaml", "Did you mean '04_arrangement.ipynb'"]),
        ("experiment: ../x", ["bad.yaml", "letters, digits"]),
        ("notebook: 04_arrangement\nexperiment: 3", ["bad.yaml", "text"]),
        ("experiment: good", ["'good'", "twice"]),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(project, capsys, text, words):
    write("good", "steps: 1")
    write("bad", text)
    assert main(["study"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and error.count("\n") <= 4
    assert all(word in error for word in words), error
    assert not Path("reports").exists()


def test_files_folders_patterns_and_order(project, tmp_path):
    for name in ("zz", "quickstart", "mitdb-b", "mitdb-a"):
        write(name, "steps: 1")
    write("a-lesson", "notebook: 04_arrangement")
    assert [p.name for p in find_plans()] == ["quickstart", "mitdb-a", "mitdb-b", "zz", "a-lesson"]
    assert [p.name for p in find_plans(only="mitdb-*")] == ["mitdb-a", "mitdb-b"]
    assert [p.name for p in find_plans(only="itdb-b")] == ["mitdb-b"]
    assert [p.name for p in find_plans(["notebooks/experiments/zz.yaml"])] == ["zz"]
    with pytest.raises(InputError, match="Did you mean 'quickstart'"):
        find_plans(only="quikstart")
    with pytest.raises(InputError, match="no experiment file in"):
        find_plans([tmp_path])
    with pytest.raises(InputError, match="no experiment file 'none.yaml'"):
        find_plans(["none.yaml"])


def test_time_left_is_that_of_the_nearest_kin(project):
    book, other = Path("05.ipynb"), Path("04.ipynb")
    old, kin = Plan("old", book, {"database": "m"}), Plan("kin", book, {"database": "m"})
    far = Plan("far", other, {})
    assert study._left([old], []) == "time left not known yet"
    times = [(old, 10.0), (far, 2.0)]
    assert study._left([kin], times) == "about 10 min left"
    assert study._left([kin, far, Plan("x", Path("9.ipynb"), {})], times) == "about 18 min left"
    assert study._left([kin], [*times, (kin, 4.0)]) == "about 4 min left"


def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(project):
    write("a", "notebook: 04_arrangement")
    write("lesson", "notebook: 04_arrangement\nwait: 60")
    home = str(Path(study.__file__).parents[2])
    command = [sys.executable, "-u", "-m", "ecg_tf", "study"]
    environment = os.environ | {"PYTHONPATH": home}
    # Jobs that a shell puts into the background ignore Ctrl-C, and so would what they start.
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=environment, preexec_fn=lambda: signal.signal(
                                   signal.SIGINT, signal.SIG_DFL))
    lines = []
    while "[2 of 2]" not in (lines or [""])[-1]:
        lines.append(running.stdout.readline())
        assert lines[-1], running.stderr.read()
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "Stopped while making 'lesson'. Kept: 1 finished reports" in out
    assert "The same command resumes" in err and "Traceback" not in err
    assert {p.name for p in Path("reports").iterdir()} == {"a.ipynb", "a.html", "a.json"}
    write("lesson", "notebook: 04_arrangement")
    again = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert again.returncode == 0 and "done: a" in again.stdout
