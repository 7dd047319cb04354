"""Which precision trains faster on this machine: measured once, then remembered."""

import functools
import hashlib
import json
import math
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.records.cache import cache_root

#: "auto" takes half precision where it needs at most this share of float32's time.
PAYS = 0.9
_SHAPE, _LAYERS = (64, 16, 32, 64), 3  # images, and convolutions one behind the other


def precision_of(precision: str) -> str:
    """What "auto" means on this machine.

    Having the instructions is not enough: with AVX512-BF16 alone half precision took 0.6 to 1.5
    times the time of float32, depending on the processor, with AMX-BF16 half of it.

    Args:
        precision: "auto", "float32" or "mixed_bfloat16".

    Returns:
        "float32" or "mixed_bfloat16".
    """
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if half_precision_share() <= PAYS else "float32"


def why_precision() -> str:
    """A sentence on what "auto" takes here, and why."""
    share = half_precision_share()
    if math.isinf(share):
        return "Trained in float32: this processor has no instructions for half precision."
    taken = "half precision" if share <= PAYS else "float32"
    return f"Trained in {taken}: half precision takes {share:.2f} times the time of float32 here."


@functools.cache
def half_precision_share() -> float:
    """Time of half precision as a share of float32's, of convolutions forward and backward.

    Measured in a second or two and kept in $ECG_TF_CACHE (or the user's cache folder), so that the
    same machine decides alike tomorrow, whatever else it does then.

    Returns:
        float; infinite, without measuring, where a processor would have to emulate it.
    """
    words = _processor()
    devices = [d.name for d in tf.config.list_physical_devices()]
    if not any("GPU" in name for name in devices) and not _INSTRUCTIONS.intersection(words):
        return math.inf
    key = json.dumps([sorted(set(words)), devices, tf.__version__, _SHAPE, _LAYERS])
    path = cache_root() / "precision" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["share"]
        if isinstance(kept, float) and kept > 0:
            return kept
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not there, or not whole: measured anew
    share = measured_share()
    try:
        write_whole(path, json.dumps({"share": share}))
    except InputError:
        pass  # a cache that cannot be written only costs time
    return share


def measured_share(repeats: int = 5) -> float:
    """The same, measured now: the best of several, in turns.

    Args:
        repeats: int, default 5.
    """
    calls = [_work(kind) for kind in (tf.float32, tf.bfloat16)]
    best = [math.inf, math.inf]
    for turn in range(repeats + 1):
        for number, call in enumerate(calls):
            start = time.perf_counter()
            call().numpy()
            if turn:  # the first call traces
                best[number] = min(best[number], time.perf_counter() - start)
    return best[1] / best[0]


_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}


def _processor() -> list[str]:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    about = [line for line in lines if line.startswith(("model", "flags", "processor", "stepping"))]
    return " ".join(about).split()


def _work(kind):
    rng = np.random.default_rng(0)
    width = _SHAPE[-1]
    images = tf.cast(rng.standard_normal(_SHAPE), kind)
    kernels = [tf.cast(rng.standard_normal((3, 3, width, width)) / 24, kind)
               for _ in range(_LAYERS)]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch([images, *kernels])
            x = images
            for kernel in kernels:
                x = tf.nn.leaky_relu(tf.nn.conv2d(x, kernel, 1, "SAME"))
            loss = tf.reduce_mean(tf.cast(x, tf.float32) ** 2)
        found = tape.gradient(loss, [images, *kernels])
        return sum(tf.reduce_sum(tf.cast(one, tf.float32)) for one in found)

    return step
