"""`import ecg_tf as et`: light, lazy, and a dozen lines from records to synthetic ones."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ecg_tf as et
from ecg_tf.base.errors import InputError
from ecg_tf.records.simulate import simulate_cohort
from tests import small_run

SMALL = {"base_filters": 2, "latent_dim": 4, "batch_size": 4, "padding": "zero"}
DATA = Path(os.environ.get("ECG_TF_DATA", "data"))


def test_importing_is_quick_and_brings_no_tensorflow():
    code = ("import sys, time; start = time.perf_counter(); import ecg_tf; "
            "took = time.perf_counter() - start; heavy = {'tensorflow', 'keras', 'pandas'}; "
            "print(took < 0.3, sorted(heavy & set(sys.modules)), hasattr(ecg_tf, 'nothing'))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True [] False", done.stderr


def test_every_public_name_is_there_and_documented():
    for name in et.__all__:
        assert getattr(et, name).__doc__ and name in dir(et)


@pytest.fixture(scope="module")
def trained():
    ecgs = et.load("simulated", subjects=8, minutes=1)
    train, valid, test = ecgs.split()
    codec = et.Codec("beat_rows", height=8, width=16).fit(train)
    images = codec.encode(train)
    assert images.shape[1:] == codec.image_shape and np.abs(images).max() <= 1
    with small_run.stepwise():
        gan = et.GAN("r1gan", codec, seed=0, **SMALL).fit(train, steps=3, progress=False)
    return train, test, gan


def test_a_dozen_lines_from_records_to_synthetic_ones(trained, tmp_path):
    train, test, gan = trained
    synthetic = gan.sample(20)
    assert synthetic[0].fs == gan.codec.fs and synthetic[0].leads == gan.codec.leads
    assert np.isfinite(synthetic[0].signal).all() and synthetic.subjects[0].startswith("synth")
    report = et.evaluate(synthetic, train, test, seconds=4, attacks=False)
    printed = str(report)
    assert "..." not in printed and "baseline_high" in printed and "not measured" in printed
    assert {"value", "baseline", "low", "high"} <= set(report.table)
    assert np.isfinite(report.table.loc["MMD²", ["value", "baseline"]].astype(float)).all()
    assert "MMD²" in report.gate.index and not report.passed

    folder = synthetic.save(tmp_path / "synthetic", format="wfdb")
    header = (folder / "synthetic-000001.hea").read_text()
    assert "SYNTHETIC ECG" in header and "NOT FOR DIAGNOSIS" in header
    again = et.load(str(folder))
    assert len(again) == 20 and np.allclose(again[0].signal, synthetic[0].signal, atol=1e-3)

    gan.save(tmp_path / "ecg_gan.keras")
    loaded = et.GAN.load(tmp_path / "ecg_gan.keras")
    assert loaded.experiment == gan.experiment
    assert np.array_equal(loaded.sample(2)[1].signal, gan.sample(2)[1].signal)


def test_the_classes_give_the_gan_of_an_experiment(trained, tmp_path, stepwise):
    from ecg_tf.training.data import prepare_data
    from ecg_tf.training.fit import train

    _, _, gan = trained
    experiment = et.Experiment(subjects=8, minutes=1, height=8, width=16, steps=3, strip_seconds=4,
                               arrangement="beat_rows", runs_dir=str(tmp_path), **SMALL)
    same = train(experiment, prepare_data(experiment), progress=False)
    for one, other in zip(same.get_weights(), gan.network.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_arrays_of_ones_own():
    records = simulate_cohort(6, minutes=0.5)
    who = [record.subject for record in records]
    ecgs = et.ECGs(np.stack([record.signal for record in records]), fs=360, subjects=who)
    assert ecgs[:2].subjects == tuple(sorted(who[:2])) and type(ecgs[:2]) is et.ECGs
    parts = ecgs.split(seed=1)
    assert sorted(name for part in parts for name in part.subjects) == sorted(who)
    codec = et.Codec("row_major", height=8, width=32).fit(parts[0])
    decoded = codec.decode(codec.encode(parts[2]))
    assert decoded.fs == 128 and np.abs(decoded.signals).max() < 10


@pytest.mark.parametrize("name, by", [("ptbxl", "strat_fold"), ("mitdb", "ds1ds2")])
def test_databases_by_name(name, by):
    if not (DATA / name).is_dir():
        pytest.skip(f"no {name} in $ECG_TF_DATA")
    train, valid, test = et.load(name, records=None if name == "mitdb" else ["records100/00*"]
                                 ).split(by)
    assert len(train) and len(test) and not set(train.subjects) & set(test.subjects)


def test_what_cannot_be_done_is_said(trained, tmp_path):
    train, _, gan = trained
    with pytest.raises(InputError, match="needs a codec"):
        et.GAN("r1gan")
    with pytest.raises(InputError, match="not trained"):
        et.GAN("r1gan", gan.codec).sample(1)
    with pytest.raises(InputError, match="is in train and test"):
        et.evaluate(train, train, train)
    renamed = et.ECGs([record.signal for record in train], train[0].fs, train[0].leads,
                      [f"other {k}" for k in range(len(train))])
    with pytest.raises(InputError, match="recordings are in real and in holdout"):
        et.evaluate(train, train, renamed)
    with pytest.raises(InputError, match="no ECGs in test"):
        et.evaluate(train, train, train[:0])
    (tmp_path / "other.keras").write_bytes(b"PK")
    with pytest.raises(InputError, match="holds no GAN"):
        et.GAN.load(tmp_path / "other.keras")
