"""Two at once in one folder: the second is refused, and no lock outlives its process."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecg_tf.__main__ import main
from ecg_tf.base import locks
from ecg_tf.base.errors import InputError
from ecg_tf.base.locks import InUse, hold, holding, release
from ecg_tf.study.execution import run_notebook
from ecg_tf.study.study import run_study
from tests.durability.killing import HOME, write_experiment
from tests.study.test_study import notebook

HOLD = """import sys, time
from ecg_tf.base.locks import hold
hold(sys.argv[1], sys.argv[2])
print("held", flush=True)
time.sleep(float(sys.argv[3]))"""


@pytest.fixture
def other():
    """Starts another process that holds a folder."""
    started = []

    def take(folder, name=".lock", seconds=60.0, **environment):
        running = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder), name, str(seconds)], text=True,
            stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": HOME} | environment,
        )
        started.append(running)
        assert running.stdout.readline() == "held\n"
        return running

    yield take
    for running in started:
        running.kill()
        running.wait()
        running.stdout.close()


def test_a_second_run_is_refused_at_once_and_told_by_whom(tmp_path, other, capsys):
    file, run = write_experiment(tmp_path, runs_dir=str(tmp_path / "runs")), tmp_path / "runs/tiny"
    holder, began = other(run), time.monotonic()
    assert main(["run", str(file)]) == 2
    assert time.monotonic() - began < 5
    printed = capsys.readouterr().err
    assert printed.startswith("Error: Another process is at work in") and printed.count("\n") == 4
    assert str(holder.pid) in printed and os.uname().nodename in printed and "kernel" in printed
    assert {path.name for path in run.iterdir()} == {".lock"}  # nothing was written

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (run / ".lock").exists()
    with holding(run):  # what a killed process left is no obstacle
        pass
    assert not (run / ".lock").exists()


def test_a_second_study_and_a_second_report_are_refused(tmp_path, other, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other("reports", ".study.lock")
    with pytest.raises(InUse, match="(?s)at work in '.*reports'"):
        run_study([])
    notebook(Path("a.ipynb"), "x = 1", "x")
    other("reports", ".a.lock")
    with pytest.raises(InUse, match="reports"):
        run_notebook("a.ipynb", "reports/a.ipynb", progress=False)
    assert run_notebook("a.ipynb", "reports/b.ipynb", progress=False).exists()
    assert sorted(p.name for p in Path("reports").iterdir()) == [".a.lock", ".study.lock",
                                                                "b.ipynb"]


def test_the_same_process_may_ask_again_and_keeps_what_it_held(tmp_path):
    hold(tmp_path)
    hold(tmp_path)
    with holding(tmp_path):
        pass
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([sys.executable, "-c", HOLD, tmp_path, ".lock", "0"], check=True,
                       stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": HOME})
    release(tmp_path)
    release(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_notebook_whose_report_was_killed_is_waited_for(tmp_path, other):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    other(tmp_path, seconds=1.0, JPY_PARENT_PID=str(gone.pid))
    began = time.monotonic()
    with holding(tmp_path):
        assert 0.2 < time.monotonic() - began < locks.ORPHAN_S
    other(tmp_path, JPY_PARENT_PID=str(os.getpid()))  # its report is alive: no waiting
    began = time.monotonic()
    with pytest.raises(InUse):
        hold(tmp_path)
    assert time.monotonic() - began < 1


def test_of_many_that_take_turns_never_two_are_inside(tmp_path):
    turns = """import os, sys, time
from ecg_tf.base.locks import InUse, holding
done = 0
while done < 25:
    try:
        with holding(sys.argv[1]):
            os.close(os.open(sys.argv[1] + "/inside", os.O_CREAT | os.O_EXCL))
            os.unlink(sys.argv[1] + "/inside")
            done += 1
    except InUse:
        time.sleep(0.001)"""
    running = [subprocess.Popen([sys.executable, "-c", turns, str(tmp_path)],
                                env=os.environ | {"PYTHONPATH": HOME}) for _ in range(3)]
    assert [one.wait(timeout=120) for one in running] == [0, 0, 0]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("note", [b"", b"\xff{", b"[1]", b'{"parent": "x", "host": 3}',
                                  b'{"parent": 1e400}', b"[" * 1000])
def test_whatever_stands_in_the_file_the_lock_decides(tmp_path, note, other):
    other(tmp_path)
    (tmp_path / ".lock").write_bytes(note)
    with pytest.raises(InUse, match="Another process"):
        hold(tmp_path)


def test_no_lock_can_be_had_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="Cannot write"):
        hold(tmp_path / "file")
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="Cannot write"):
        hold(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_without_locks_costs_one_warning(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", none)
    with pytest.warns(UserWarning, match="without locks"), holding(tmp_path):
        pass
