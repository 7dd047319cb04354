"""The contract tests pass for what is built in, and fail for what breaks the contract."""

import keras
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ecg_tf.config.experiment import Experiment
from ecg_tf.config.together import READ_BEATS
from ecg_tf.evaluation.attacks import ATTACKS
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.fixed_paths import RowMajor
from ecg_tf.models import R1GAN, build_discriminator, build_generator
from ecg_tf.testing import check_arrangement, check_attack, check_gan, check_measure
from ecg_tf.training.families import FAMILIES


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_every_arrangement_keeps_its_contract(name):
    check_arrangement(name)


def test_an_arrangement_that_loses_samples_is_found():
    class Lossy(RowMajor):
        def encode(self, *arguments):
            return np.round(super().encode(*arguments), 1)

    with pytest.raises(AssertionError, match="differs from the encoded"):
        check_arrangement(Lossy)


def small(kind, classes=0, conditions=0, **options):
    keras.utils.set_random_seed(0)
    conditions = conditions or classes
    gan = kind(build_generator((8, 8, 1), 4, 4, padding="zero", conditions=conditions),
               build_discriminator((8, 8, 1), 4, "zero", conditions=conditions, classes=classes,
                                   minibatch_std=not classes), **options)
    gan.compile()
    return gan


@pytest.mark.parametrize("name", [name for name in FAMILIES if not FAMILIES[name].fitted])
def test_every_family_keeps_its_contract(name):
    """Those fitted to images of beats: tests/models/test_beat_networks.py, test_diffusion.py."""
    family = FAMILIES[name]
    check_gan(lambda: small(family.kind, 2 if name == "acgan" else 0,
                            **family.options(Experiment())))


def test_settings_know_which_families_read_beats():
    """Without TensorFlow they cannot ask."""
    assert {name for name in FAMILIES if FAMILIES[name].fitted} == set(READ_BEATS)


def test_a_family_without_a_class_head_takes_labels():
    family = FAMILIES["wgan_gp"]  # its penalty has a score of its own
    check_gan(lambda: small(family.kind, conditions=2, **family.options(Experiment())))


def test_a_gan_that_learns_nothing_is_found():
    class Idle(R1GAN):
        def generator_loss(self, real_scores, generated_scores):
            return 0.0 * super().generator_loss(real_scores, generated_scores)

    with pytest.raises(AssertionError, match="learned nothing"):
        check_gan(lambda: small(Idle))


def test_measures_and_what_is_none():
    check_measure(lambda real, other, fs: abs(real.std() - other.std()))
    with pytest.raises(AssertionError, match="no nearer than noise"):
        check_measure(lambda real, other, fs: 1.0 - float(real is other))
    with pytest.raises(AssertionError, match="not finite"):
        check_measure(lambda real, other, fs: float("nan") if real is other else 1.0)


def test_attacks_and_what_is_none():
    check_attack(ATTACKS["strips"].scores)
    check_attack(lambda data: -cdist(data.candidates.signals[..., 0],
                                     data.synthetic[..., 0]).min(1))
    with pytest.raises(AssertionError, match="copies are not found"):
        check_attack(lambda data: data.candidates.signals.std(axis=(1, 2)))
    with pytest.raises(AssertionError, match="other persons"):
        check_attack(lambda data: -np.arange(len(data.candidates)))
