"""One training step on several devices: each computes its share of the batch.

Every replica sees the whole batch and takes its own rows. Latents are sampled for the whole batch,
by the same numbers as on one device. Gradients are summed over the shares, and what looks at a
batch as a whole (`MinibatchStd`) asks the other replicas. So a step is the one that a single device
would make, but for the order of the sums. Outside of a strategy all this changes nothing.

Keras' own loop is not used: it gives each replica other latents, and a replica may not ask others
inside of `tf.cond`, where the lazy penalties are.
"""

import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError

# Inside of a step


def replicas() -> int:
    """How many replicas work on this step; 1 outside of a strategy's `run`."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def share(rows):
    """This replica's rows of a whole batch, a tensor (batch, ...) or several of them."""
    if (n := replicas()) == 1:
        return rows
    number = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32)

    def own(tensor):
        size = tf.shape(tensor)[0] // n
        return tensor[number * size : (number + 1) * size]

    return tf.nest.map_structure(own, rows)


def random_share(random, size):
    """This replica's rows of `random(n)`, n rows for the whole batch; `size` is that of a share."""
    return share(random(size * replicas()))


def mean_over_all(values):
    """The mean over all replicas, differentiable; `values` may be a list of tensors."""
    if replicas() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, values)


def to_be_summed(gradients: list) -> list:
    """A share's gradients, such that their sum (Keras' optimizers) is the whole batch's."""
    n = replicas()
    return gradients if n == 1 else [gradient / n for gradient in gradients]


def next_rows(rows):
    """Each row's neighbour in the whole batch, the first one's for the last."""
    if replicas() == 1:
        return tf.roll(rows, -1, axis=0)
    return share(tf.roll(tf.distribute.get_replica_context().all_gather(rows, 0), -1, axis=0))


# Around it


def train_function(gan, strategy):
    """What `fit` calls for each step of a GAN that was made in a strategy's scope."""
    def run(data, penalty):
        gan.penalty_now = penalty
        try:
            logs = strategy.run(lambda data: gan.train_step(share(data)), args=(data,))
        finally:
            gan.penalty_now = None
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    def step(data):
        if gan.penalty_every < 2:
            return run(data, None)
        due = tf.equal(gan.step.value % gan.penalty_every, 0)  # once for all replicas
        return tf.cond(due, lambda: run(data, True), lambda: run(data, False))

    if not gan.run_eagerly:
        step = tf.function(step)
    return lambda iterator: step(next(iterator))


def strategy_for(devices: int, batch_size: int):
    """How a training is spread over devices: a `tf.distribute.Strategy`, or None for one device.

    They are GPUs if there are any, else shares of the processor (slower than one). InputError:
    there are not so many, they do not divide the batch, or TensorFlow is at work already with
    fewer.
    """
    if devices < 1:
        raise InputError("Nothing to train on.", expected="1 device or more", got=devices,
                         fix="leave it out for one")
    if devices == 1:
        return None
    if batch_size % devices:
        raise InputError("The batch cannot be divided equally.",
                         expected=f"a batch_size that {devices} divides, for {devices} devices",
                         got=batch_size, fix="set batch_size to "
                         f"{batch_size // devices * devices or devices}, or take another number "
                         "of devices")
    return tf.distribute.MirroredStrategy(_names(devices))


def spread(gan, strategy):
    """A copy of a compiled GAN in a strategy's scope, in the same state."""
    with strategy.scope():
        copy = type(gan).from_config(gan.get_config())
        copy.compile_from_config(gan.get_compile_config())
    copy_state(gan, copy)
    return copy


def copy_state(source, target) -> None:
    """Gives one GAN the weights, optimizers and random state of another with the same networks."""
    for to, value in zip(state_of(target), state_of(source), strict=True):
        to.assign(np.asarray(value))


def state_of(gan) -> list:
    """All variables that decide what a GAN becomes."""
    networks = [gan.generator, gan.discriminator, gan.ema_generator, gan.identity]
    return [*(v for network in networks if network is not None for v in network.variables),
            *gan.g_optimizer.variables, *gan.d_optimizer.variables, gan.step,
            gan.seed_generator.state]


def _names(devices: int) -> list[str]:
    if gpus := tf.config.list_physical_devices("GPU"):
        if len(gpus) < devices:
            raise InputError("There are not so many devices.", expected=f"at most {len(gpus)} GPUs",
                             got=devices, fix=f"ask for {len(gpus)}")
        return [f"GPU:{i}" for i in range(devices)]
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        if len(tf.config.get_logical_device_configuration(cpu) or [0]) < devices:
            tf.config.set_logical_device_configuration(
                cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    except RuntimeError as error:
        raise InputError("TensorFlow is at work already, with one device.",
                         expected=f"{devices} devices requested before anything else",
                         got=str(error)[:200], fix="restart Python (a notebook: restart the "
                         "kernel) and train first") from error
    return [f"CPU:{i}" for i in range(devices)]
