"""The diffusion model: it reads and makes images as the beat networks do, and learns to denoise."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.models.beat_basis import BeatBasis
from ecg_tf.models.beat_layers import ToBeats
from ecg_tf.models.diffusion import Diffusion, FromReading, build_diffusion_generator
from ecg_tf.testing import check_gan
from ecg_tf.training.data import prepare_data
from ecg_tf.training.families import build_gan
from ecg_tf.training.fit import fit_gan, fitted_to


@pytest.fixture(scope="module", params=["beat_strips", "beat_rows"])
def made(request):
    """(experiment, data, images, basis) of six simulated persons."""
    fits = {"beat_strips": {"height": 24, "window_seconds": 10.0}, "beat_rows": {"height": 8}}
    experiment = Experiment(arrangement=request.param, width=32, subjects=6, minutes=1.0,
                            model="diffusion", base_filters=2, overlap=0.5, **fits[request.param])
    data = prepare_data(experiment)
    images = data.codec.encode(data.windows["train"])
    return experiment, data, images, BeatBasis.fit(data.codec, images)


def test_a_reading_made_into_an_image_is_read_again(made):
    """But for noise beyond the components, which is random."""
    _, _, images, basis = made
    read, make = ToBeats.of(basis), FromReading.of(basis)
    whole, rows, _ = map(np.asarray, read(images))
    (k, m), n = make.sizes, len(images)
    rest = np.random.default_rng(0).standard_normal(
        (n, make.arrangement.rows, make.pixels - m)).astype(np.float32)
    again, their_rows, _ = map(np.asarray, read(
        make([whole, rows[..., : m + 1], rest, np.zeros((n, 1), np.float32)])))
    assert np.corrcoef(whole[:, :k].ravel(), again[:, :k].ravel())[0, 1] > 0.95
    # Strips begin elsewhere, so the first and last intervals that count are others.
    assert np.corrcoef(whole[:, k], again[:, k])[0, 1] > 0.98
    local = slice(-16 * make.arrangement.leads, None)
    assert np.corrcoef(whole[:, local].ravel(), again[:, local].ravel())[0, 1] > 0.9
    assert np.corrcoef(rows[..., :m].ravel(), their_rows[..., :m].ravel())[0, 1] > 0.7


def test_it_keeps_the_contract_of_a_gan(made, monkeypatch):
    experiment, _, images, basis = made
    conditions = 3 if experiment.arrangement == "beat_strips" else 0
    monkeypatch.setattr("ecg_tf.models.diffusion.STEPS", 4)  # the contract does not ask how good

    def factory():
        keras.utils.set_random_seed(0)
        generator = build_diffusion_generator(basis, images, 2, conditions)
        gan = Diffusion(generator, ema_decay=0.9)
        gan.compile()
        return gan

    check_gan(factory)


def test_the_error_falls_and_the_score_is_of_the_same_weights(made):
    experiment, data, images, _ = made
    gan = build_gan(experiment, data.codec, **fitted_to(experiment, data.windows["train"],
                                                        data.codec))
    start = np.asarray(gan.discriminator(images)).mean()
    batches = tf.data.Dataset.from_tensor_slices(images).repeat().shuffle(64, seed=0).batch(16)
    losses = fit_gan(gan, batches, 120, check_every=40)["g_loss"]
    assert losses[-1] < 0.9 * losses[0]
    trained = np.asarray(gan.discriminator(images))
    assert trained.shape == (len(images), 1) and trained.mean() > start + 0.05
    shuffled = np.random.default_rng(0).permuted(images, axis=2)
    assert np.asarray(gan.discriminator(shuffled)).mean() < trained.mean()


def test_settings_that_it_has_not_are_refused():
    with pytest.raises(InputError, match="no identity-adversarial loss"):
        Experiment(model="diffusion", identity_weight=0.5)
    with pytest.raises(InputError, match="'diffusion' reads rows of beats"):
        Experiment(arrangement="row_major", model="diffusion")
