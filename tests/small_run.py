"""A run's folder without any training: an untrained generator is enough for what comes after."""

import json
from contextlib import contextmanager

import numpy as np
import pytest

from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.records import provenance
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import beat_sequences, beat_strips, strips
from ecg_tf.signals.filtering import prepare

PASS = {"verdict": "pass", "criterion": "at most 1", "result": "0.5", "note": ""}
FAIL = {**PASS, "verdict": "fail"}
MEASURE = {
    "name": "MMD²",
    "value": 0.1,
    "baseline": 0.2,
    "low": None,
    "high": None,
    "p_value": 0.01,
    "unit": "",
    "n": 40,
}


@contextmanager
def stepwise():
    """Trains without a graph: to trace one takes longer than the few steps of a test.

    For tests of what comes before and behind a training; those of `tests/models` trace.
    """
    import keras

    from ecg_tf.models import GAN

    def fit(gan, *arguments, **options):
        gan.run_eagerly = True
        return keras.Model.fit(gan, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GAN, "fit", fit, raising=False)
        yield


def make_run(folder, gate=None, arrangement="beat_rows", name="small", rows=8,
             leads=("MLII",), loudness=0.25):
    """Writes a finished run; gives its folder. `gate`: the verdict's table, None for none."""
    from ecg_tf.models import build_generator

    experiment = Experiment(experiment=name, subjects=3, minutes=0.5, height=rows, width=32,
                            arrangement=arrangement, runs_dir=str(folder), leads=leads)
    records = simulate_cohort(subjects=3, minutes=0.5, seed=1, leads=leads)
    ready = [prepare(record, 128.0) for record in records]
    if arrangement == "beat_rows":
        windows = beat_sequences(ready, rows=rows)
    elif arrangement == "beat_strips":
        windows = beat_strips(ready, 640, rows)
    else:
        windows = strips(ready, rows * 32)
    codec = Codec(arrangement, scaling="companded", height=rows, width=32).fit(windows)
    experiment.save(experiment.folder / "experiment.yaml")
    codec.save(experiment.folder / "codec.json")
    generator = build_generator(codec.image_shape, latent_dim=8, base_filters=4)
    rng = np.random.default_rng(0)  # louder than fresh weights: the ECGs must differ
    generator.set_weights([rng.normal(0, loudness, w.shape) for w in generator.get_weights()])
    generator.save(experiment.folder / "generator.keras")
    content = {"experiment": experiment.to_dict(), "data": provenance(records),
               "measures": [MEASURE, {**MEASURE, "name": "linkability"}],
               "split": {"train": 2, "test": 1}, "synthetic_windows": 40,
               "versions": {"keras": "3"}, "git": "abc",
               "round_trip": {"rmse_mv": 0.001, "max_mv": 0.01},
               "privacy": {"gate": gate or {}, "words": "Words of the gate.", "notes": ["A note."],
                           "warnings": [], "landmarks": {},
                           "power": "9 of 10 copies found"}}
    (experiment.folder / "results.json").write_text(json.dumps(content))
    np.savez(experiment.folder / "results.npz")
    return experiment.folder
