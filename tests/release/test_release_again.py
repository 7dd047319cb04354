"""What `export` writes can be read, described and trained on like any other folder."""

import pytest

from ecg_tf.config.experiment import Experiment
from ecg_tf.records import load
from ecg_tf.release.export import export
from ecg_tf.study.describe import describe
from ecg_tf.training.data import prepare_data
from tests.small_run import make_run


@pytest.mark.parametrize("kind", ["wfdb", "edf", "csv"])
def test_a_release_is_a_folder_of_records_like_any_other(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    # 48 x 32 samples are 12 s at 128 Hz
    run = make_run(tmp_path, arrangement="row_major", rows=48, loudness=0.35)
    folder = export(run, 12, kind, str(tmp_path / "release"), 0, 10.0, True, False).folder
    ecgs = load(folder)
    assert len(ecgs) == len(ecgs.subjects) == 12 and not ecgs.left_out
    assert ecgs.subjects_known_by == "header comments" and not ecgs.warnings
    described = describe(folder)
    assert described["windows"]["arrangement"] == "beat_strips" and described["seconds"] == 10
    data = prepare_data(Experiment(database=str(folder)))
    assert data.fitted["window_seconds"] == 10 and data.codec.leads == ecgs[0].leads
    assert len(data.windows["train"]) + len(data.windows["test"]) <= 12
