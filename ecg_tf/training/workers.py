"""Which of several machines this is: what the environment variable TF_CONFIG says."""

import contextlib
import dataclasses
import json
import os
import tempfile

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment


def worker() -> int:
    """The number of this machine, 0 for the first one, and where there is only one."""
    return _config()[0]


def workers() -> int:
    """How many machines there are, 1 without TF_CONFIG.

    Raises:
        InputError: TF_CONFIG is not what TensorFlow wants.
    """
    return _config()[1]


@contextlib.contextmanager
def own_folder(experiment: Experiment):
    """The experiment with a folder to write to: on all machines but the first, one for the moment.

    What they write is what the first one writes: it is thrown away.
    """
    if worker() == 0:
        yield experiment
        return
    with tempfile.TemporaryDirectory(prefix="ecg_tf-") as folder:
        yield dataclasses.replace(experiment, runs_dir=folder)


def _config() -> tuple[int, int]:
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return 0, 1
    try:
        config = json.loads(text)
        names = config.get("cluster", {}).get("worker", [])
        index = config.get("task", {}).get("index", 0)
        right = isinstance(names, list) and set(config.get("cluster", {})) <= {"worker"} and (
            0 <= int(index) < max(len(names), 1)
        ) and config.get("task", {}).get("type", "worker") == "worker"
    except (ValueError, AttributeError, TypeError, RecursionError):
        right = False
    if not right:
        raise InputError(
            "The environment variable TF_CONFIG cannot be used.",
            expected='{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", '
            '"index": 0}}', got=text[:200], fix="correct it, or unset it for one machine",
        )
    return int(index), max(len(names), 1)
