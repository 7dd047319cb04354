"""Layers that know how signals lie in an image, and other parts of the networks."""

import functools
import itertools
import math
import re
from collections import Counter

import keras
import tensorflow as tf
from keras import ops

from ecg_tf.base.errors import InputError
from ecg_tf.models.devices import mean_over_all


def helical_pad(images, rows=(1, 1), columns=(1, 1)):
    """Pads images in which a row's right end continues at the next row's left start.

    Left of row i stand the last columns of row i-1, right of it the first columns of row i+1, so
    that a convolution sees the signal go on across the row border. The first row has nothing before
    it and the last nothing after it: their own edge pixel is repeated. Above and below come zeros.
    Of (batch, height, width, channel): (batch, height + sum(rows), width + sum(columns), channel);
    the columns are together at most the width.
    """
    wide = _widening(*columns)(images) if any(columns) else images
    return ops.pad(wide, ((0, 0), tuple(rows), (0, 0), (0, 0))) if any(rows) else wide


@functools.cache
def _widening(left, right):
    """The function that adds columns of the neighbouring rows; the transpose is its gradient.

    Each of the two is the other's gradient, to any order, as penalties need. TensorFlow's own
    gradients of the same slices copy a feature map more often: a twentieth of a training step.
    """

    @tf.custom_gradient
    def widen(images):
        parts = [images]
        if left:
            first = tf.repeat(images[:, :1, :1], left, axis=2)
            parts.insert(0, tf.concat([first, images[:, :-1, -left:]], axis=1))
        if right:
            last = tf.repeat(images[:, -1:, -1:], right, axis=2)
            parts.append(tf.concat([images[:, 1:, :right], last], axis=1))
        return tf.concat(parts, axis=2), fold

    @tf.custom_gradient
    def fold(wide):
        height, width = wide.shape[1], wide.shape[2] - left - right
        heads, tails = max(right, 1), max(left, 1)
        cuts = [left, left + heads, left + width - tails, left + width]
        parts = [wide[:, :, start:stop] for start, stop in itertools.pairwise(cuts)]
        if left:
            parts[0] += _at(tf.reduce_sum(wide[:, :1, :left], 2, keepdims=True),
                            (0, height - 1), (0, heads - 1))
            parts[2] += _at(wide[:, 1:, :left], (0, 1), (0, 0))
        if right:
            parts[0] += _at(wide[:, :-1, -right:], (1, 0), (0, 0))
            parts[2] += _at(tf.reduce_sum(wide[:, -1:, -right:], 2, keepdims=True),
                            (height - 1, 0), (tails - 1, 0))
        return tf.concat(parts, axis=2), widen

    return widen


def _at(edge, rows, columns):
    """An edge among zeros, so that it can be added to a larger one."""
    return tf.pad(edge, ((0, 0), rows, columns, (0, 0)))


@keras.saving.register_keras_serializable(package="ecg_tf")
class HelicalConv2D(keras.layers.Conv2D):
    """Convolution over a helix of rows: like `padding="same"`, but rows continue into each other.

    Args:
        filters: int, output channels.
        kernel_size: int or (int, int).
        strides: int or (int, int), default 1; output sides are ceil(side / stride).
        **kwargs: further arguments of `keras.layers.Conv2D`.
    """

    def __init__(self, filters, kernel_size, strides=1, **kwargs):
        kwargs |= {"padding": "valid", "data_format": "channels_last"}
        super().__init__(filters, kernel_size, strides=strides, **kwargs)

    def build(self, input_shape):
        self._pads = tuple(
            _same_pads(side, kernel, stride)
            for side, kernel, stride in zip(input_shape[1:3], self.kernel_size, self.strides,
                                            strict=True)
        )
        _check_width(input_shape, self._pads[1])
        super().build(input_shape)

    def call(self, inputs):
        return super().call(helical_pad(inputs, *self._pads))

    def compute_output_shape(self, input_shape):
        sides = zip(input_shape[1:3], self.strides, strict=True)
        return (input_shape[0], *(math.ceil(side / stride) for side, stride in sides), self.filters)


@keras.saving.register_keras_serializable(package="ecg_tf")
class StyleNorm(keras.layers.Layer):
    """Normalizes the features of each pixel (or row), then scales and shifts them as a style says.

    The style is one vector an image, the same for every pixel: what all beats of a person have in
    common need not be agreed upon from row to row (Karras 2019, with the root mean square instead
    of the instance norm, which would take away how strong a wave is).

    Example:
        >>> StyleNorm()([features, style])  # (batch, ..., channel), (batch, style)
    """

    def build(self, input_shapes):
        features, style = input_shapes
        self.to_scale_and_shift = keras.layers.Dense(
            2 * features[-1], dtype=self.dtype_policy, name="scale_and_shift",
            # Small at first: the network starts as one without style.
            kernel_initializer=keras.initializers.VarianceScaling(0.3),
        )
        self.to_scale_and_shift.build(style)
        self.normalize = keras.layers.RMSNormalization(dtype=self.dtype_policy, name="rms")
        self.normalize.build(features)

    def call(self, inputs):
        features, style = inputs
        said = self.to_scale_and_shift(style)
        said = ops.expand_dims(said, tuple(range(1, len(features.shape) - 1)))
        scale, shift = ops.split(said, 2, axis=-1)
        return self.normalize(features) * (1 + scale) + shift

    def compute_output_shape(self, input_shapes):
        return tuple(input_shapes[0])


@keras.saving.register_keras_serializable(package="ecg_tf")
class RowGate(keras.layers.Layer):
    """Scales, column by column, how much the rows of one image differ.

    image' = mean + exp(g) (image - mean), mean over the rows; g, a number for each column and
    channel, is read off the features' own mean over the rows. In beat rows the mean row is the
    average beat of a person: most persons' beats are alike to a hundredth of the range, which a
    network learns slowly when it has to make each row alike, and at once from one number.

    Takes [images (batch, height, width, channel), features (batch, h, w, f)], width a multiple
    of w. Computed in float32.

    Raises:
        InputError: widths that do not fit.

    Example:
        >>> RowGate()([images, features]).shape == images.shape
        True
    """

    def __init__(self, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, input_shapes):
        images, features = input_shapes
        if images[2] % features[2]:
            raise InputError("RowGate's features do not fit its images.",
                             expected="an image as wide as the features, or a multiple of it",
                             got=f"widths {images[2]} and {features[2]}",
                             fix="take features of the finest grid")
        filters = images[2] // features[2] * images[3]
        self.to_gate = keras.layers.Conv1D(
            filters, 3, padding="same", dtype=self.dtype_policy, name="gate",
            # Small at first: the network starts as one without a gate.
            kernel_initializer=keras.initializers.VarianceScaling(0.1),
        )
        self.to_gate.build((None, features[2], features[3]))

    def call(self, inputs):
        images, features = inputs
        gate = self.to_gate(ops.mean(features, axis=1))
        gate = ops.reshape(gate, (-1, 1, images.shape[2], images.shape[3]))
        mean = ops.mean(images, axis=1, keepdims=True)
        # Bounds that no image needs: from a four-hundredth to seven times the difference.
        return mean + ops.exp(ops.clip(gate, -6.0, 2.0)) * (images - mean)

    def compute_output_shape(self, input_shapes):
        return tuple(input_shapes[0])


@keras.saving.register_keras_serializable(package="ecg_tf")
class ToPatches(keras.layers.Layer):
    """Blocks of pixels become one pixel with more channels (space to depth).

    Args:
        block: int, pixels a side of a block; has to divide height and width.
    """

    def __init__(self, block, **kwargs):
        super().__init__(**kwargs)
        self.block = int(block)

    def call(self, images):
        return tf.nn.space_to_depth(images, self.block)

    def get_config(self):
        return {**super().get_config(), "block": self.block}


@keras.saving.register_keras_serializable(package="ecg_tf")
class FromPatches(ToPatches):
    """Undoes `ToPatches`: a pixel's channels become a block of pixels (Shi 2016)."""

    def call(self, patches):
        return tf.nn.depth_to_space(patches, self.block)


@keras.saving.register_keras_serializable(package="ecg_tf")
class MinibatchStd(keras.layers.Layer):
    """Appends a channel that says how much the images of a batch differ from each other.

    A discriminator that sees it recognizes a batch of like images at once, which penalizes
    mode collapse (Karras 2018, Progressive growing of GANs, section 3). Always computed in float32.

    Returns:
        tensor (batch, height, width, channel + 1).
    """

    def call(self, features):
        x = ops.cast(features, "float32")
        mean = mean_over_all(ops.mean(x, axis=0, keepdims=True))
        variance = mean_over_all(ops.mean(ops.square(x - mean), axis=0))
        # The 1e-8 keeps the root's gradient finite where all images agree.
        std = ops.mean(ops.sqrt(variance + 1e-8))
        plane = ops.zeros_like(features[..., :1]) + ops.cast(std, features.dtype)
        return ops.concatenate([features, plane], axis=-1)


@keras.saving.register_keras_serializable(package="ecg_tf")
class SpectralNorm(keras.constraints.Constraint):
    """Keeps the largest singular value of a kernel at 1 or below, after every optimizer step.

    The kernel is read as a matrix (inputs x outputs), as in Miyato 2018. Being a constraint it
    takes one short power iteration a step, instead of one in every forward pass and penalty, and
    has no state to save.

    Args:
        iterations: int, power iterations, default 8.
    """

    def __init__(self, iterations=8):
        self.iterations = int(iterations)

    def __call__(self, kernel):
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        # A fixed start that is orthogonal to no common pattern (a plain vector of ones would be).
        v = ops.reshape(ops.sin(ops.arange(1, kernel.shape[-1] + 1, dtype="float32")), (-1, 1))
        for _ in range(self.iterations):
            u = ops.matmul(matrix, v)
            u = u / (ops.norm(u) + 1e-12)
            v = ops.matmul(ops.transpose(matrix), u)
            v = v / (ops.norm(v) + 1e-12)
        sigma = ops.norm(ops.matmul(matrix, v))
        return kernel / ops.maximum(sigma, 1.0)

    def get_config(self):
        return {"iterations": self.iterations}


def _same_pads(side, kernel, stride):
    total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def _check_width(input_shape, columns):
    needed = sum(max(count, 1) for count in columns)
    if needed > input_shape[2]:
        raise InputError("The image is narrower than what is taken from its neighbouring rows.",
                         expected=f"a width of at least {needed} columns", got=input_shape[2],
                         fix="use a smaller kernel or wider images")


def number_layers(model) -> None:
    """Counts a model's layers of one kind from 1, in their order, instead of through the process;
    the names of its layers and its own are changed in place.

    Keras names a layer that was given no name after all those before it: `add_12` in a notebook
    that built another network first is `add` in a fresh process. TensorFlow's graph optimizer goes
    by names: with some of them its fusing of operations fails, and sums then differ in their last
    bits. So the same training ended with other weights.
    """
    kinds = [_kind(layer.name) for layer in model.layers]
    several = {kind for kind, number in Counter(kinds).items() if number > 1}
    seen: Counter[str] = Counter()
    for layer, kind in zip(model.layers, kinds, strict=True):
        seen[kind] += 1
        layer.name = f"{kind}_{seen[kind]}" if kind in several else kind
    model.name = _kind(model.name)


def _kind(name: str) -> str:
    return re.sub(r"_\d+$", "", name)
