"""The benchmarks compare like with like: the step by hand is the step, operations are counted."""

import math

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from tests.benchmarks import steps  # noqa: E402
from tests.benchmarks.speed import in_turns  # noqa: E402


def test_multiplications_of_a_step_are_counted_as_the_layers_have_them():
    gan, codec = steps.small_gan(16, 32, 4)
    work = steps.step_work(gan, steps.images_of(codec, 2))
    flops = sum(one[1] for one in work)
    forward, back = (sum(one[1] for one in work if one[0] == kind)
                     for kind in ("Conv2D", "Conv2DBackpropInput"))
    layers = gan.discriminator.layers
    critic = sum(2 * 2 * math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:-1])
                 for layer in layers if hasattr(layer, "kernel"))  # one pass over two images
    made = sum(2 * 2 * math.prod(layer.output.shape[1:]) * math.prod(layer.kernel.shape[:-1])
               for layer in gan.generator.layers if hasattr(layer, "kernel"))
    # Forward 1, backward 2: the discriminator sees real and generated images, then the generated
    # ones and the real ones of the relativistic loss again; the generator works forward and back.
    least, most = 2 * 3 * critic + 3 * made, 2 * 3 * critic + 5 * critic + 4 * made + 8 * critic
    assert least < flops < most and forward < 3 * back


def test_an_operation_moves_what_it_reads_and_writes():
    gan, codec = steps.small_gan(16, 32, 4)
    work = steps.step_work(gan, steps.images_of(codec, 2))
    finest = 4 * 2 * math.prod(gan.discriminator.layers[2].output.shape[1:])  # bytes
    largest = max(moved for kind, _, moved in work if kind == "LeakyRelu")
    assert finest < largest < 4 * finest
    assert all(moved == 0 for kind, _, moved in work if kind == "Reshape")


def test_a_step_by_hand_trains():
    gan, codec = steps.small_gan(16, 32, 4)
    images, before = steps.images_of(codec, 4), gan.generator.get_weights()
    step = steps.by_hand(gan)
    assert steps.hand_steps(step, images, 2) > 0 and steps.fit_steps(gan, images, 1) > 0
    assert all(np.isfinite(loss) for loss in step(images))
    assert any(not np.array_equal(a, b) for a, b in zip(before, gan.generator.get_weights(),
                                                        strict=True))


def test_the_best_time_counts_and_a_call_may_give_its_own():
    ticks = iter([0.0, 3.0, 10.0, 11.0])
    own = iter([5.0, 4.0])
    assert in_turns(2, lambda: next(own), clock=lambda: 0.0) == [4.0]
    assert in_turns(2, lambda: None, clock=lambda: next(ticks)) == [1.0]
