"""Where a training runs: one device, several of one machine, or several machines.

Neither is a setting of the experiment: the numbers are the same but for last digits. `TF_CONFIG`,
an environment variable, tells TensorFlow of several machines; the same command is given on each:

    TF_CONFIG='{"cluster": {"worker": ["a:12345", "b:12345"]},
                "task": {"type": "worker", "index": 0}}' python -m ecg_tf run my.yaml

The first machine keeps checkpoints, measures and writes the run; the others need the data and the
experiment file, no folder of the first one.
"""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.training.workers import worker, workers

_strategies: dict = {}  # of several machines there can be one only in a process


def strategy_for(devices: int = 1):
    """How a training is spread.

    Args:
        devices: int, devices of this machine: GPUs if there are any, else shares of the processor
            (slower than one; to try it). With TF_CONFIG every machine uses all GPUs it has, or its
            processor, and this is to be 1.

    Returns:
        `tf.distribute.Strategy`, or None for one device.

    Raises:
        InputError: there are not so many devices, TensorFlow is at work already with fewer, or
            both were asked for.
    """
    if workers() > 1:
        if devices > 1:
            raise InputError("TF_CONFIG names several machines: each takes all devices it has.",
                             expected="devices: 1", got=devices, fix="leave it out, or unset "
                             "TF_CONFIG")
        if "workers" not in _strategies:
            _strategies["workers"] = _machines()
        return _strategies["workers"]
    if devices < 1:
        raise InputError("Nothing to train on.", expected="1 device or more", got=devices,
                         fix="leave it out for one")
    return None if devices == 1 else tf.distribute.MirroredStrategy(_names(devices))


def spread(gan, strategy):
    """A copy of a GAN in a strategy's scope, in the same state; on all machines, the first one's.

    Args:
        gan: compiled `GAN`, made outside of it.
        strategy: of `strategy_for`.

    Returns:
        GAN; train it, then `gather` what it has learned.
    """
    with strategy.scope():
        copy = type(gan).from_config(gan.get_config())
        copy.compile_from_config(gan.get_compile_config())
    gather(gan, copy)
    if workers() > 1:
        _follow_first(strategy, state_of(copy))
    return copy


def gather(source, target) -> None:
    """Gives one GAN the state of another with the same networks."""
    for to, value in zip(state_of(target), state_of(source), strict=True):
        to.assign(np.asarray(value))


def state_of(gan) -> list:
    """All variables that decide about what comes of a GAN."""
    networks = [gan.generator, gan.discriminator, gan.ema_generator, gan.identity]
    return [*(v for network in networks if network is not None for v in network.variables),
            *gan.g_optimizer.variables, *gan.d_optimizer.variables, gan.step,
            gan.seed_generator.state]


def check_shares(strategy, batch_size: int, key: str) -> None:
    """Makes sure that a training can be shared out, and that all machines train the same.

    Args:
        strategy: of `strategy_for`.
        batch_size: int, images of a whole batch.
        key: of `training_key`.

    Raises:
        InputError: a batch cannot be shared out in equal parts; or, on every machine, one has
            another experiment or other data.
    """
    n = strategy.num_replicas_in_sync
    if batch_size % n:
        raise InputError("The batch cannot be shared out equally.",
                         expected=f"a batch_size that {n} divides, for {n} devices",
                         got=batch_size, fix=f"set batch_size to {batch_size // n * n or n}, or "
                         "take another number of devices")
    if workers() == 1:
        return
    mine = np.zeros(workers(), np.int64)
    mine[worker()] = int(key[:12], 16)
    keys = _summed(strategy, mine)
    if other := [str(i) for i, k in enumerate(keys) if k != keys[0]]:
        raise InputError("The machines do not train the same.", expected="the same experiment, "
                         "precision, data and versions on all", got=f"other ones on machine "
                         f"{', '.join(other)} than on machine 0", fix="copy experiment file and "
                         "data from machine 0, and name the precision instead of auto")


def agreed(strategy, flag) -> bool:
    """What the first machine says; all others follow. Every machine has to ask."""
    if strategy is None or workers() == 1:
        return bool(flag)
    return bool(_summed(strategy, np.array([bool(flag) and worker() == 0], np.int64))[0])


class StopTogether(keras.callbacks.Callback):
    """Ends the training where the first machine ends it; behind what stops it."""

    def __init__(self, strategy):
        super().__init__()
        self.strategy = strategy

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = agreed(self.strategy, self.model.stop_training)


@contextlib.contextmanager
def telling_who_is_missing():
    """Says in plain words what TensorFlow says at length when another machine is gone."""
    errors = (tf.errors.UnavailableError, tf.errors.InternalError, tf.errors.AbortedError,
              tf.errors.CancelledError, tf.errors.DeadlineExceededError)
    try:
        yield
    except errors as error:
        if workers() == 1:
            raise
        raise InputError("Another machine was lost while training.", expected="all machines of "
                         "TF_CONFIG until the end", got=" ".join(str(error).split())[:150],
                         fix="give the same commands again, on all machines: the training goes on "
                         "from the checkpoint") from error


def wait_for_all(devices: int = 1) -> None:
    """Returns when all machines are here: who leaves early would be missed by the others."""
    if workers() > 1:
        agreed(strategy_for(devices), True)


def _summed(strategy, values: np.ndarray) -> np.ndarray:
    @tf.function
    def total(values):
        return strategy.reduce("SUM", strategy.run(_first_on_machine, args=(values,)), axis=None)

    return total(tf.constant(values)).numpy()


def _first_on_machine(values):
    """The values on a machine's first device, zeros on its others: each machine counts once."""
    context = tf.distribute.get_replica_context()
    here = context.num_replicas_in_sync // workers()
    return tf.where(context.replica_id_in_sync_group % here == 0, values, tf.zeros_like(values))


def _follow_first(strategy, variables) -> None:
    """Gives all machines the values of the first one's variables."""
    whole = {"uint32": tf.int64}  # of which collective sums know nothing

    @tf.function
    def follow():
        def replica():
            context = tf.distribute.get_replica_context()
            first = tf.equal(context.replica_id_in_sync_group, 0)
            for variable in variables:
                value = tf.convert_to_tensor(variable.value)
                value = tf.cast(value, whole.get(value.dtype.name, value.dtype))
                value = context.all_reduce("SUM", tf.where(first, value, tf.zeros_like(value)))
                variable.assign(tf.cast(value, variable.dtype))

        strategy.run(replica)

    follow()


def _machines():
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise InputError("TensorFlow was at work before it was told of the other machines.",
                         expected="TF_CONFIG set before Python starts, and the training first",
                         got=str(error)[:200], fix="start anew with `python -m ecg_tf run`"
                         ) from error


def _names(devices: int) -> list[str]:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if len(gpus) < devices:
            raise InputError("There are not so many devices.", expected=f"at most {len(gpus)} GPUs",
                             got=devices, fix=f"ask for {len(gpus)}")
        return [f"GPU:{i}" for i in range(devices)]
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        if len(tf.config.get_logical_device_configuration(cpu) or [0]) < devices:
            shares = [tf.config.LogicalDeviceConfiguration()] * devices
            tf.config.set_logical_device_configuration(cpu, shares)
    except RuntimeError as error:
        raise InputError("TensorFlow is at work already, with one device.",
                         expected=f"{devices} devices asked for before anything else",
                         got=str(error)[:200], fix="start Python anew (a notebook: restart the "
                         "kernel) and train first") from error
    return [f"CPU:{i}" for i in range(devices)]
