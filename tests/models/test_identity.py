"""The generator pays for images in which a frozen network names a training person."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.models import DCGAN
from ecg_tf.models.privacy import (
    build_identity_network,
    confusion_loss,
    train_identity_network,
)
from ecg_tf.study.comparison import read_runs
from ecg_tf.training import fit as training
from tests.models.test_models import SHAPE, bumps, fit, make, same
from tests.study.test_run import PLAIN, train_only, write


def persons(n=96):
    """Images (n, 16, 16, 1) of two persons, who are bright on one side each, and who is who."""
    who = np.arange(n) % 2
    images = np.clip(bumps(n, seed=0) * 0.3, -1, 1)
    images[:, :, :8] += 0.4 * (who == 0)[:, None, None, None]
    images[:, :, 8:] += 0.4 * (who == 1)[:, None, None, None]
    return images, who


def learned(steps=40):
    keras.utils.set_random_seed(0)
    network = build_identity_network(SHAPE, 2, base_filters=4)
    batches = tf.data.Dataset.from_tensor_slices(persons()).batch(16).repeat()
    return network, train_identity_network(network, batches, steps)


@pytest.fixture(scope="module")
def network():
    return learned()[0]


def test_the_loss_is_the_cross_entropy_with_a_uniform_distribution():
    logits = np.random.default_rng(0).normal(0, 3, (5, 7)).astype(np.float32)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert np.isclose(confusion_loss(logits), -np.log(p).mean(), rtol=1e-5)
    assert np.isclose(confusion_loss(np.full((3, 7), 4.0, np.float32)), np.log(7))
    assert confusion_loss(logits) > np.log(7)


def test_its_layers_have_the_same_names_whatever_was_built_before():
    names = []
    for before in (0, 40):
        for _ in range(before):
            keras.layers.Add(), keras.layers.LeakyReLU(), keras.layers.Conv2D(1, 1)
        network = build_identity_network(SHAPE, 2, base_filters=4)
        names.append([one.name for one in (*network.layers, *network.get_layer("naming").layers)])
    assert names[0] == names[1]


def test_it_learns_to_name_persons_is_frozen_and_the_same_again():
    (one, right), (two, again) = learned(), learned()
    assert right == again > 0.95 and not one.trainable_variables
    same(one.get_weights(), two.get_weights())
    images, who = persons()
    assert (one.predict(images, verbose=0).argmax(1) == who).mean() > 0.95
    with pytest.raises(InputError, match="2 or more training persons"):
        build_identity_network(SHAPE, 1)


def test_saved_and_loaded_it_goes_on_to_the_same_weights(network, tmp_path):
    images, _ = persons(24)
    straight = make(DCGAN, identity=network, identity_weight=0.5)
    straight.compile()
    fit(straight, images[:12], batch_size=4)
    straight.save(tmp_path / "gan.keras")
    fit(straight, images[12:], batch_size=4)
    keras.utils.set_random_seed(99)
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.identity_weight == 0.5 and not loaded.identity.trainable_variables
    same(loaded.identity.get_weights(), network.get_weights())
    fit(loaded, images[12:], batch_size=4)
    same(loaded.get_weights(), straight.get_weights())
    same(loaded.identity.get_weights(), network.get_weights())  # nothing has moved it


def test_the_generator_listens_to_its_weight_alone(network):
    images, _ = persons()

    def trained(**options):
        gan = make(DCGAN, **options)
        gan.compile(*(keras.optimizers.Adam(0.002, 0.5) for _ in range(2)))
        fit(gan, np.tile(images, (8, 1, 1, 1)), batch_size=16)
        return gan

    watched, paying = (trained(identity=network, identity_weight=weight) for weight in (0.0, 20.0))
    assert "identity_loss" in watched.trackers and "identity_loss" not in make(DCGAN).trackers
    over = [float(confusion_loss(network(gan.generate(64, seed=1)))) - np.log(2)
            for gan in (watched, paying)]
    assert -1e-4 < over[1] < 0.2 * over[0]  # 0.003 and 0.117


def test_a_run_resumes_bit_by_bit_and_learns_the_persons_once(tmp_path, monkeypatch, stepwise):
    monkeypatch.setattr(training, "train_identity_network",
                        lambda network, batches: train_identity_network(network, batches, 4))
    settings = {**PLAIN, "decay": 0.0, "identity_weight": 0.5}
    for name, steps in (("once", 4), ("twice", 2), ("twice", 4)):
        train_only(write(tmp_path, name, steps=steps, **settings))
    runs = tmp_path / "runs"
    assert "identity_loss" in pd.read_csv(runs / "once" / "history.csv")
    one, two = (keras.saving.load_model(runs / name / "checkpoints" / "last.keras").get_weights()
                for name in ("once", "twice"))
    same(one, two)
    # Killed before the first checkpoint: the network that was kept is taken.
    for file in (runs / "once" / "checkpoints").iterdir():
        file.unlink()
    monkeypatch.setattr(training, "train_identity_network", None)
    assert main(["run", write(tmp_path, "once", steps=4, **settings), "--quiet"]) == 0
    again = keras.saving.load_model(runs / "once" / "checkpoints" / "last.keras").get_weights()
    same(one, again)
    assert {run.settings["identity_weight"] for run in read_runs(runs)} == {0.5}
