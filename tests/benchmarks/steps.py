"""Training steps: ours, one written by hand, and the multiplications that one step has to do."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.training.families import build_gan
from tests.bounds import smooth_beats


def small_gan(height: int, width: int, filters: int, precision: str = "float32"):
    """(GAN of the defaults, its codec) for images of a size."""
    codec = Codec(scaling="companded", height=height,
                  width=width).fit(smooth_beats(4, rows=height))
    experiment = Experiment(height=height, width=width, base_filters=filters, precision=precision)
    return build_gan(experiment, codec), codec


def images_of(codec, batch: int = 64):
    """(batch, height, width, channel) float32 of no meaning."""
    rng = np.random.default_rng(0)
    return tf.constant(rng.uniform(-1, 1, (batch, *codec.image_shape)).astype(np.float32))


def fit_steps(gan, images, steps: int) -> float:
    """Seconds a step, by `fit` as `train` calls it."""
    batches = tf.data.Dataset.from_tensors(images).repeat()
    start = time.perf_counter()
    gan.fit(batches, epochs=1, steps_per_epoch=steps, verbose=0, shuffle=False)
    return (time.perf_counter() - start) / steps


def by_hand(gan):
    """A step of the same networks, losses and optimizers as one `tf.function`, without Keras' fit.

    Relativistic logistic losses, R1 and R2 every `penalty_every`-th step, Adam, averaged weights.
    """
    generator, critic, average = gan.generator, gan.discriminator, gan.ema_generator
    every, weight = gan.penalty_every, gan.r1
    random = tf.random.Generator.from_seed(1)
    step = tf.Variable(0, dtype=tf.int64)

    def slope(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            scores = critic(images, training=True)
        return tf.reduce_mean(tf.reduce_sum(tape.gradient(scores, images) ** 2, [1, 2, 3]))

    def penalty(real, fake):
        values = [one.value for one in critic.trainable_variables]
        with tf.GradientTape() as tape:
            value = every * 0.5 * weight * (slope(real) + slope(fake))
        return tape.gradient(value, values,
                             unconnected_gradients=tf.UnconnectedGradients.ZERO)

    @tf.function
    def train(real):
        latents = random.normal((real.shape[0], gan.latent_dim))
        with tf.GradientTape() as drawing:
            fake = generator(latents, training=True)
        with tf.GradientTape() as tape:
            scores = critic(fake, training=True) - critic(real, training=True)
            d_loss = tf.reduce_mean(tf.nn.softplus(scores))
        gradients = tape.gradient(d_loss, critic.trainable_variables)
        more = tf.cond(step % every == 0, lambda: penalty(real, fake),
                       lambda: [tf.zeros(one.shape) for one in critic.trainable_variables])
        gan.d_optimizer.apply([a + b for a, b in zip(gradients, more, strict=True)],
                              critic.trainable_variables)
        with tf.GradientTape() as tape:
            tape.watch(fake)
            scores = critic(real, training=True) - critic(fake, training=True)
            g_loss = tf.reduce_mean(tf.nn.softplus(scores))
        pixels = tape.gradient(g_loss, fake)
        weights = generator.trainable_variables
        gan.g_optimizer.apply(drawing.gradient(fake, weights, output_gradients=pixels), weights)
        step.assign_add(1)
        for mean, own in zip(average.weights, generator.weights, strict=True):
            mean.assign(mean + (1 - gan.ema_decay) * (own - mean))
        return d_loss, g_loss

    return train


def hand_steps(step, images, steps: int) -> float:
    """Seconds a step of a loop over `by_hand`."""
    start = time.perf_counter()
    for batch in tf.data.Dataset.from_tensors(images).repeat().take(steps):
        loss = step(batch)
    loss[0].numpy()
    return (time.perf_counter() - start) / steps


def step_work(gan, images) -> list[tuple[str, float, float]]:
    """(kind, floating-point operations, bytes) of each operation of a mean step.

    Read off the graph of the step itself; what stands in the branch of the penalty counts once in
    `penalty_every` steps. Adding, activating and moving numbers count no operations; bytes are
    those of all that an operation reads and writes.
    """
    graph = tf.function(gan.train_step).get_concrete_function(
        tf.TensorSpec(images.shape, images.dtype)).graph
    batch, found = images.shape[0], []

    def size(tensor):
        return [batch if side is None else side for side in tensor.shape]

    def moved(op):
        if op.type in _FREE or any(one.shape.rank is None or one.dtype.size is None
                                   for one in (*op.inputs, *op.outputs)):
            return 0.0
        return float(sum(math.prod(size(one)) * one.dtype.size
                         for one in (*op.inputs, *op.outputs)))

    def add(of, share):
        for op in of.get_operations():
            if op.type in ("If", "StatelessIf"):
                branch = of._get_function(op.get_attr("then_branch").name)  # noqa: SLF001
                add(branch.graph, share / gan.penalty_every)
            elif op.type in ("PartitionedCall", "StatefulPartitionedCall"):
                add(of._get_function(op.get_attr("f").name).graph, share)  # noqa: SLF001
            else:
                found.append((op.type, share * _flops(op, size), share * moved(op)))

    add(graph, 1.0)
    return found


#: What moves nothing: names of values, shapes, and reshaping.
_FREE = {"Const", "Placeholder", "Identity", "IdentityN", "NoOp", "Reshape", "Shape",
         "ReadVariableOp", "ExpandDims", "Squeeze", "StopGradient", "PreventGradient",
         "BroadcastGradientArgs"}


def _flops(op, size) -> float:
    if op.type == "Conv2D":
        return 2.0 * math.prod(size(op.outputs[0])) * math.prod(size(op.inputs[1])[:3])
    if op.type == "Conv2DBackpropFilter":
        kernel = size(op.outputs[0])
        return 2.0 * math.prod(size(op.inputs[2])) * math.prod(kernel[:3])
    if op.type == "Conv2DBackpropInput":
        return 2.0 * math.prod(size(op.inputs[2])) * math.prod(size(op.inputs[1])[:3])
    if op.type in ("MatMul", "BatchMatMulV2"):
        rows = size(op.inputs[0])
        inner = rows[-2] if op.type == "MatMul" and op.get_attr("transpose_a") else rows[-1]
        return 2.0 * math.prod(size(op.outputs[0])) * inner
    return 0.0


def matmul_rate(side: int = 2048, repeats: int = 3) -> float:
    """Floating-point operations a second of this machine's float32 matrix product, at its best."""
    one = tf.random.normal((side, side))
    product = tf.function(tf.matmul)
    product(one, one)
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        product(one, one).numpy()
        best = min(best, time.perf_counter() - start)
    return 2.0 * side**3 / best


def memory_rate(numbers: int = 2**23, repeats: int = 5) -> float:
    """Bytes a second that adding 1 to each of so many float32 reads and writes, at its best."""
    one = tf.zeros(numbers)
    add = tf.function(lambda x: x + 1.0)
    best = math.inf
    for turn in range(repeats + 1):
        start = time.perf_counter()
        add(one)[0].numpy()
        if turn:
            best = min(best, time.perf_counter() - start)
    return 8.0 * numbers / best


def set_threads(threads: int) -> None:
    """How many threads an operation may take; 0: as many as there are cores."""
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    keras.utils.set_random_seed(0)
