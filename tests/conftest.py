"""Shared fixtures. Real data are used where ECG_TF_DATA points to them, and never needed."""

import os
from pathlib import Path

# One thread each: two workers with two threads on two cores wait for one another, and gradient
# boosting waits by computing, three times the cost. Libraries read these when they are imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
              "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_name, "1")

import pytest  # noqa: E402

from tests import small_run  # noqa: E402


def _database(name: str) -> Path:
    folder = Path(os.environ.get("ECG_TF_DATA", "data")) / name
    if not (folder / "RECORDS").exists():
        pytest.skip(f"the {name} database is not at hand (set ECG_TF_DATA)")
    return folder


@pytest.fixture
def mitdb() -> Path:
    """Folder of the MIT-BIH Arrhythmia Database, or a skip."""
    return _database("mitdb")


@pytest.fixture
def ecgiddb() -> Path:
    """Folder of the ECG-ID Database, or a skip."""
    return _database("ecgiddb")


@pytest.fixture
def hasty(monkeypatch):
    """Identification networks learn little, for tests of the way around them.

    What they find is the matter of `test_attacks` and `test_privacy_evaluation`.
    """
    from functools import partial

    from ecg_tf.evaluation import reidentification

    monkeypatch.setattr(reidentification, "train_identifier", partial(
        reidentification.train_identifier, epochs=1, beats_per_person=60))


@pytest.fixture
def stepwise():
    """Trainings of this test make no graph, see `small_run.stepwise`."""
    with small_run.stepwise():
        yield
