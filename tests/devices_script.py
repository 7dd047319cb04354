"""Trains every loss family on one device and on two, and prints how far apart they end.

Run in a process of its own: devices are divided before TensorFlow starts.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.models import ACGAN, DCGAN, R1GAN, WGANGP, build_discriminator, build_generator
from ecg_tf.models.devices import state_of, strategy_for
from ecg_tf.training.fit import fit_gan

SHAPE, BATCH, STEPS = (8, 16, 1), 8, 4
FAMILIES = {
    "DCGAN": lambda *nets: DCGAN(*nets),
    "R1GAN": lambda *nets: R1GAN(*nets, penalty_every=2, r1=1.0, r2=1.0),
    "WGANGP": lambda *nets: WGANGP(*nets, n_critic=2),
    "R1GAN of labels": lambda *nets: R1GAN(*nets, penalty_every=2),
    "ACGAN": lambda *nets: ACGAN(*nets, penalty_every=2),
}


def make(family: str):
    """A small GAN with seeded weights and an optimizer whose steps are in proportion to gradients,
    so that a gradient that is wrong by a factor shows."""
    keras.utils.set_random_seed(0)
    classes = 2 if family == "ACGAN" else 0
    conditions = 2 if family in ("ACGAN", "R1GAN of labels") else 0
    networks = (build_generator(SHAPE, 8, 4, padding="zero", conditions=conditions),
                build_discriminator(SHAPE, 4, padding="zero", conditions=conditions,
                                    classes=classes, minibatch_std=not classes))
    gan = FAMILIES[family](*networks)
    gan.compile(keras.optimizers.SGD(0.01, momentum=0.5), keras.optimizers.SGD(0.01, momentum=0.5))
    return gan


def fit(gan, strategy=None) -> dict:
    images = np.random.default_rng(0).uniform(-1, 1, (BATCH * STEPS, *SHAPE)).astype(np.float32)
    labels = np.eye(2, dtype=np.float32)[np.arange(len(images)) % 2]
    data = (images, labels) if gan.conditions else images
    batches = tf.data.Dataset.from_tensor_slices(data).batch(BATCH)
    history = fit_gan(gan, batches, STEPS, strategy=strategy)
    return {name: float(value[0]) for name, value in history.items()}


def arrays(gan) -> list[np.ndarray]:
    return [np.asarray(variable, np.float64) for variable in state_of(gan)]


def apart(one: list, other: list) -> float:
    """The largest difference of two states, over all numbers."""
    return max(float(np.max(np.abs(a - b))) for a, b in zip(one, other, strict=True))


def compare(family: str, strategy) -> dict:
    one, other = make(family), make(family)
    begun = [np.asarray(weight) for weight in one.generator.weights + one.discriminator.weights]
    alone, together = fit(one), fit(other, strategy)
    ended = one.generator.weights + one.discriminator.weights
    return {"logs": {name: [alone[name], together[name]] for name in alone},
            "apart": apart(arrays(one), arrays(other)),
            "moved": apart(begun, [np.asarray(weight) for weight in ended]),
            "generated": apart([one.generate(4, 1)], [other.generate(4, 1)]),
            "step": int(other.step.numpy())}


if __name__ == "__main__":
    chosen = strategy_for(2, BATCH)
    for name in sys.argv[1:]:
        print(json.dumps({"family": name, "replicas": chosen.num_replicas_in_sync,
                          **compare(name, chosen)}), flush=True)
