"""Runs the command line as a process of its own, kills it at a moment, compares what it left."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import yaml

import ecg_tf
from tests.study.test_run import TINY

HOME = str(Path(ecg_tf.__file__).resolve().parents[1])
SETTINGS = {**TINY, "steps": 40, "check_every": 4, "runs_dir": "runs",
            "precision": "float32"}  # what "auto" takes is measured, in each folder again
#: Networks that are built quickly: three processes have to build them.
QUICK = {"model": "dcgan", "padding": "zero", "height": 8, "width": 16, "subjects": 4,
         "minutes": 1.0, "strip_seconds": 2.0}


def write_experiment(folder: Path, name: str = "tiny", **changes) -> Path:
    """An experiment file whose run folder is folder/runs/name, seen from the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"experiment": name, **SETTINGS, **changes}))
    return path


def command(*arguments, folder: Path, **streams) -> subprocess.Popen:
    """Starts `ecg-tf ...` in a folder."""
    environment = os.environ | {"PYTHONPATH": HOME, "ECG_TF_CACHE": str(folder / "cache")}
    # A shell's background job ignores Ctrl-C, and so would whatever it starts.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([sys.executable, "-m", "ecg_tf", *map(str, arguments)], cwd=folder,
                            env=environment, text=True, preexec_fn=heed, **streams)


def complete(*arguments, folder: Path) -> str:
    """Runs a command to its end; what it printed."""
    running = command(*arguments, folder=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = running.communicate(timeout=1800)
    assert running.returncode == 0, err
    return out


def kill_when(moment: Callable[[], bool], delay: float, *arguments, folder: Path) -> bool:
    """Starts a command and ends it by SIGKILL `delay` seconds after a moment has come.

    Returns:
        whether it was alive until then.
    """
    running = command(*arguments, folder=folder, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL)
    try:
        last = time.monotonic() + 1800
        while running.poll() is None and not moment():
            assert time.monotonic() < last, "the moment never came"
            time.sleep(0.0005)
        time.sleep(delay)
        return running.poll() is None
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()


def trained(run: Path, steps: int) -> Callable[[], bool]:
    """A moment: the history tells of so many steps. Next, their checkpoint is written."""
    history = run / "history.csv"

    def come():
        try:
            return int(history.read_text().rstrip().rsplit("\n", 1)[-1].split(",")[0]) >= steps
        except (OSError, ValueError):
            return False

    return come


def kept(run: Path, steps: int) -> Callable[[], bool]:
    """A moment: the checkpoint after so many steps is whole, and what follows has begun.

    `trained` is not that moment: writing a checkpoint of these small networks takes longer than
    the steps between two of them, so that a kill shortly after it always hits the writing.
    """
    reached, checkpoint = trained(run, steps), run / "checkpoints" / "last.keras"

    def come():
        try:
            newer = checkpoint.stat().st_mtime_ns > (run / "history.csv").stat().st_mtime_ns
        except OSError:
            return False
        return newer and reached()

    return come


def saving(run: Path, steps: int) -> Callable[[], bool]:
    """A moment: the checkpoint after so many steps is being written."""
    reached, part = trained(run, steps), run / "checkpoints" / ".part-last.keras"
    done = []

    def come():
        if not done and reached():
            done.append(True)
        return bool(done) and part.exists()

    return come


def weights(run: Path, name: str = "checkpoints/last.keras") -> dict[str, np.ndarray]:
    """Every array of a kept model: weights, averages, optimizers, random state, step."""
    found = {}
    with zipfile.ZipFile(run / name) as archive:
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(lambda key, item: found.update({key: item[()]})
                            if isinstance(item, h5py.Dataset) else None)
    return found


def differences(one: Path, other: Path) -> list[str]:
    """Names of what differs between two run folders, to the last bit; [] if nothing does."""
    out = []
    for name in ("checkpoints/last.keras", "generator.keras"):
        first, second = weights(one, name), weights(other, name)
        if first.keys() != second.keys():
            out.append(f"{name}: other arrays")
        out += [f"{name}: {key}" for key in first if key in second
                and (first[key].dtype != second[key].dtype
                     or first[key].tobytes() != second[key].tobytes())]
    tables = [pd.read_csv(run / "history.csv", dtype=str).drop(columns="seconds")
              for run in (one, other)]
    if not tables[0].equals(tables[1]):
        out.append("history.csv")
    found = [json.loads((run / "results.json").read_text()) for run in (one, other)]
    for content in found:
        for name in ("git", "key"):  # somebody may change the code while the tests run
            content.pop(name)
    if json.dumps(found[0]) != json.dumps(found[1]):
        out.append("results.json")
    same = ["codec.json", "split.json", "experiment.yaml"]
    same += [one_.relative_to(one).as_posix() for one_ in (one / "samples").iterdir()]
    same += [n for n in ("measures.csv", "baselines.csv") if (one / n).exists()]
    for name in same:
        if not (other / name).exists() or (one / name).read_bytes() != (other / name).read_bytes():
            out.append(name)
    if len(list((one / "samples").iterdir())) != len(list((other / "samples").iterdir())):
        out.append("samples/")
    return out
