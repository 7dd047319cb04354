"""Windows to images inside tf.data: the codec's chain once more, as TensorFlow operations.

One chain, raw to image: standardize, arrange, grid, side channels. It gives what `Codec.encode`
gives, bit by bit for fixed arrangements, within 1e-6 for beat rows.
"""

import numpy as np
import tensorflow as tf

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError
from ecg_tf.images.codec import Codec
from ecg_tf.images.subject_mixing import beat_mixer
from ecg_tf.signals.windows import Windows


def make_dataset(windows: Windows, codec: Codec, batch_size: int = 64, seed: int = 0, *,
                 shuffle: bool = True, repeat: bool = True, labels=None, start_step: int = 0,
                 subject_mixing: int = 1, even_subjects: bool = False,
                 weights=None) -> tf.data.Dataset:
    """Batches of images, in an order that depends on the seed alone.

    Every epoch is a new permutation of all windows, from (seed, epoch); batches run on
    across epochs. So step k can be computed without the k - 1 before it, and a run that was
    killed continues with exactly the batches it would have seen.

    Args:
        windows: `Windows` that the codec fits. Memory-mapped ones stay in their files and give the
            same batches.
        codec: fitted `Codec`.
        seed: int, 0 or more. Default 0.
        shuffle: bool; False keeps the order of the windows.
        repeat: bool; True goes on for ever, all batches full; False is one epoch, whose last
            batch may be smaller.
        labels: (window, ...) numbers, given along with the images. Default: none.
        start_step: int, the first batch to give. Default 0.
        subject_mixing: int, persons whose average beats are mixed in each image, see `beat_mixer`.
            Default 1: no mixing.
        even_subjects: bool; True samples each person as often as every other, however many windows
            they have: position by position a person, then any of that person's windows. An epoch
            is as long, but holds some windows twice and others not. Default False.
        weights: (window,) positive; a window is sampled in proportion, as evenly as whole numbers
            allow. Default: alike.

    Returns:
        Dataset of images (batch, height, width, channel) float32, or of (images, labels).

    Raises:
        InputError: windows the codec refuses, no windows, labels of another length; even persons or
            weights of windows unshuffled.

    Example:
        >>> images = next(iter(make_dataset(windows, codec, batch_size=8, seed=1)))
    """
    batch_size = count(batch_size, "batch_size", 1, 2**20)
    seed = count(seed, "seed", 0, 2**31 - 1)
    position = count(start_step, "start_step", 0, 2**40) * batch_size
    size = len(windows)
    mapped = isinstance(windows.signals, np.memmap)
    gather = (_from_files if mapped else _from_memory)(windows, codec)
    if labels is not None:
        labels = tf.constant(labels)
        if labels.shape[:1] != (size,):
            raise InputError("There must be a label for each window.", expected=f"{size} labels",
                             got=f"shape {tuple(labels.shape)}", fix="take labels with windows")
    encode = encode_tf(codec)
    mix = beat_mixer(codec, subject_mixing)
    epoch = _epoch(windows, seed, shuffle, even_subjects, weights)

    def batch(step, index):
        images = encode(gather(index))
        images = mix(images, tf.stack([tf.constant(seed, tf.int64), step]))
        return images if labels is None else (images, tf.gather(labels, index))

    first_epoch = position // size
    last_epoch = tf.int64.max if repeat else 1
    epochs = tf.data.Dataset.range(first_epoch, last_epoch)
    order = epochs.flat_map(epoch).skip(position - first_epoch * size)
    batches = order.batch(batch_size, drop_remainder=repeat).enumerate(start_step)
    return batches.map(batch, tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def _epoch(windows: Windows, seed: int, shuffle: bool, even_subjects: bool, weights=None):
    """Function: number of an epoch -> Dataset of the numbers of its windows, in their order."""
    even = _evenly(windows, shuffle) if even_subjects else lambda order, seed: order
    if weights is not None:
        even = _weighted(np.asarray(weights, float), len(windows), shuffle)

    def epoch(number):
        order = tf.range(len(windows), dtype=tf.int64)
        if shuffle:
            order = tf.random.experimental.stateless_shuffle(order, seed=[seed, number])
        order = even(order, [seed, number])
        return tf.data.Dataset.from_tensor_slices(order)

    return epoch


def _evenly(windows, shuffle: bool):
    """Function: shuffled numbers 0, 1, ... (n,), seed -> numbers of windows, persons evenly."""
    if not shuffle:
        raise InputError("Persons are sampled evenly in random order alone.",
                         expected="shuffle=True", got="False", fix="set even_subjects to False")
    _, person, counts = np.unique(windows.subjects, return_inverse=True, return_counts=True)
    by_person = tf.constant(np.argsort(person, kind="stable"), tf.int64)
    first = tf.constant(np.cumsum(counts) - counts, tf.int64)
    sizes = tf.constant(counts, tf.float64)

    def sample(order, seed):
        who = order % len(counts)
        part = tf.random.stateless_uniform(tf.shape(who), seed, dtype=tf.float64)
        own = tf.cast(part * tf.gather(sizes, who), tf.int64)
        return tf.gather(by_person, tf.gather(first, who) + own)

    return sample


def _weighted(weights, size: int, shuffle: bool):
    """Function: shuffled numbers 0, 1, ... (n,), seed -> numbers of windows, by their weights.

    Position k of the n takes a random place in the k-th of n equal parts of the summed weights.
    """
    if weights.shape != (size,) or not shuffle or not (weights > 0).all():
        raise InputError("Windows cannot be sampled by these weights.", fix="leave weights out",
                         expected=f"a positive one for each of {size} windows, and shuffle=True",
                         got=f"shape {weights.shape}, shuffle={shuffle}")
    ends = tf.constant(np.cumsum(weights / weights.sum())[:-1], tf.float64)

    def sample(order, seed):
        part = tf.random.stateless_uniform(tf.shape(order), seed, dtype=tf.float64)
        places = (tf.cast(order, tf.float64) + part) / size
        return tf.cast(tf.searchsorted(ends, places, side="right"), tf.int64)

    return sample


def _from_memory(windows: Windows, codec: Codec):
    """Function: numbers of windows (batch,) -> what `encode_tf` needs of them."""
    inputs = {key: tf.constant(value) for key, value in tf_inputs(windows, codec).items()}
    return lambda index: {key: tf.gather(value, index) for key, value in inputs.items()}


def _from_files(windows: Windows, codec: Codec):
    """The same for windows that are read when they are needed."""
    like = tf_inputs(windows.take([0]), codec)

    def read(index):
        return list(tf_inputs(windows.take(index), codec).values())

    def gather(index):
        found = tf.numpy_function(read, [index], [v.dtype for v in like.values()], stateful=False)
        # With all shapes known TensorFlow adds in another order: the last bits are to be the same.
        return {key: tf.ensure_shape(value, [index.shape[0], *of.shape[1:]])
                for value, (key, of) in zip(found, like.items(), strict=True)}

    return gather


def tf_inputs(windows: Windows, codec: Codec) -> dict[str, np.ndarray]:
    """What `encode_tf` needs of windows, one row a window, checked as `Codec.encode` checks.

    Arrays by name: `signals` and, where the codec asks for them, `centre` and `slope` of the
    window's range, its `code`, and the arrangement's `geometry`.
    """
    windows = codec.image_windows(windows)
    codec.check(windows)
    inputs: dict[str, np.ndarray] = {"signals": np.asarray(windows.signals, np.float32)}
    code = codec.standardizer.range_code(windows)
    if code is not None:
        centre, half = codec.standardizer.centre_and_half(code)
        inputs |= {"centre": centre, "slope": 1.0 / half, "code": code}
    return inputs | codec.arrangement.geometry(windows.rpeaks, windows.lengths)


def encode_tf(codec: Codec):
    """`Codec.encode` as TensorFlow operations: a function from a batch of `tf_inputs` (a dict of
    tensors) to images (batch, height, width, channel) float32."""
    standardizer, arrangement = codec.standardizer, codec.arrangement
    arrange = arrangement.encode_tf()
    constant = {}
    if "range" not in codec.channels:
        centre, half = standardizer.centre_and_half()
        constant = {"centre": tf.constant(centre), "slope": tf.constant(1.0 / half)}
    lower = (np.arange(codec.image_shape[0]) >= codec.image_shape[0] // 2).astype(int)

    def encode(inputs):
        inputs = constant | inputs
        signals = tf.cast(inputs["signals"], tf.float64)
        if standardizer.scaling == "companded":
            signals = tf.asinh(signals / standardizer.knee_mv)
        values = (signals - inputs["centre"]) * inputs["slope"]
        values = tf.cast(tf.clip_by_value(values, -1.0, 1.0), tf.float32)
        channels = arrange(values, inputs)
        channels[0] = _on_grid(channels[0], standardizer.quantization)
        if "code" in inputs:
            code = tf.gather(tf.transpose(inputs["code"], [0, 2, 1]), lower, axis=1)
            channels.append(tf.repeat(code[:, :, None], codec.image_shape[1], axis=2))
        images = tf.concat(channels, -1) if len(channels) > 1 else channels[0]
        return tf.ensure_shape(images, [None, *codec.image_shape])

    return encode


def _on_grid(values, quantization: str):
    if quantization == "float32":
        return values
    if quantization == "float16":
        return tf.cast(tf.cast(values, tf.float16), tf.float32)
    top = float(np.iinfo(quantization).max)
    levels = tf.round((tf.cast(values, tf.float64) + 1.0) * (top / 2))  # half to even, as numpy
    return tf.cast(levels * (2 / top) - 1.0, tf.float32)
