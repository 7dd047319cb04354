"""One training step on several devices or machines: each computes its share of the batch.

Every replica sees the whole batch and takes its own rows; latents are drawn for the whole batch,
by the same numbers as on one device, and shared out alike. Gradients are summed over the shares,
and what looks at a batch as a whole (`layers.MinibatchStd`) asks the other replicas. So a step is
the one that a single device would make; only the order of the sums, and with it last digits,
differ. Outside of a strategy, everything here leaves its argument alone.

Keras' own loop is not used for it: with several workers `fit` averages the scalar logs over an axis
that they do not have (keras issue 20585), predictions of a whole batch come once a replica, and a
replica may not ask others inside of `tf.cond`, where the lazy penalties are.
"""

import tensorflow as tf

from ecg_tf.base.errors import InputError


def replicas() -> int:
    """How many replicas work on this step; 1 outside of a strategy's `run`."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def share(rows):
    """This replica's rows of a whole batch (batch, ...), all of them where it is alone."""
    n = replicas()
    if n == 1:
        return rows
    size = tf.shape(rows)[0] // n
    start = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32) * size
    return rows[start : start + size]


def draw_share(draw, size):
    """This replica's rows of what `draw(number of rows)` gives for the whole batch.

    Args:
        draw: function, number of rows -> tensor (rows, ...); the same in all replicas.
        size: rows of a share.
    """
    n = replicas()
    return draw(size) if n == 1 else share(draw(size * n))


def mean_over_all(values):
    """The mean over all replicas, differentiable; `values` may be a list of tensors."""
    if replicas() == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, values)


def to_be_summed(gradients: list) -> list:
    """Gradients of a share's mean loss, so that their sum is that of the whole batch's mean loss.

    Keras' optimizers sum over the replicas.
    """
    n = replicas()
    return gradients if n == 1 else [gradient / n for gradient in gradients]


def train_function(gan, strategy):
    """What `fit` calls for each step of a GAN that was made in a strategy's scope.

    Args:
        gan: compiled `GAN`.
        strategy: `tf.distribute.Strategy` in whose scope it was made.

    Returns:
        function, iterator over whole batches -> logs (those of this process' first share; what
        `fit` reports of an epoch are the metrics of all).

    Raises:
        InputError: several steps in one call were asked for.
    """
    if gan.steps_per_execution != 1:
        raise InputError("Several devices make one step at a time.",
                         expected="steps_per_execution=1", got=gan.steps_per_execution,
                         fix="compile without it")

    def run(images, penalty):
        gan.penalty_now = penalty
        try:
            logs = strategy.run(gan.train_step, args=(images,))
        finally:
            gan.penalty_now = None
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    def step(images):
        if gan.penalty_every < 2:
            return run(images, None)
        # Decided out here, once for all replicas: see above.
        due = tf.equal(gan.step.value % gan.penalty_every, 0)
        return tf.cond(due, lambda: run(images, True), lambda: run(images, False))

    if not gan.run_eagerly:
        step = tf.function(step)
    return lambda iterator: step(next(iterator))
