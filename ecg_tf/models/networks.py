"""Generator and discriminator for images of any shape, small enough to train on a CPU."""

import math

import keras
from keras import layers

from ecg_tf.base.checks import choice, count
from ecg_tf.base.errors import InputError
from ecg_tf.models.layers import (
    FromPatches,
    HelicalConv2D,
    MinibatchStd,
    RowGate,
    SpectralNorm,
    StyleNorm,
    ToPatches,
)

PADDINGS = ("zero", "helical")
STYLE_DIM = 128
WIDEST = 4  # times `base_filters`, at the coarse sizes
PATCH = 4  # samples seen as one along time, like the 2 x 2 pixels of an image
FACTOR = 4  # from one length to the next, like halving both sides of an image
SHORTEST = 64  # positions at the coarsest length at most, like a grid of 8 x 8


def build_generator(image_shape, latent_dim=128, base_filters=16, depth=2, padding="helical",
                    conditions=0, projection=None, along_time=False, dtype=None):
    """A network that makes images of latent vectors.

    A dense layer fills the coarsest grid (`grid_sizes`); each further size is reached by a 1x1
    convolution, nearest upsampling and `depth` residual 3x3 convolutions. The finest grid is that
    of patches of 2 x 2 pixels: full size is where the time would go, and neighbouring pixels say
    much the same. No transposed convolution, so no checkerboard (Odena 2016).

    The latents also speak to every layer and pixel at once (`StyleNorm`): what all beats of an ECG
    have in common, they have in common from the start. How much its rows differ, a `RowGate` says.

    Args:
        image_shape: (height, width, channels), sides of 8 or more, of any proportion.
        latent_dim: int, length of a latent vector, default 128.
        base_filters: int, filters of the finest grid, doubled at every coarser one up to four
            times as many, default 16.
        depth: int, residual convolutions at each size, default 2.
        padding: str, "helical" for rows that continue into each other (default), or "zero".
        conditions: int, numbers that say what to make (`training.conditions`); the network then
            takes [latents, conditions]. Default 0: none.
        projection: put after the output, from `projection_of(codec)`, default None.
        along_time: bool, convolve along time only, see `_AlongTime`; default False.
        dtype: dtype policy such as "mixed_bfloat16"; None takes Keras' global policy. Images are
            float32 always.

    Returns:
        keras.Model, latents (batch, latent_dim) -> images (batch, height, width, channels) float32
        in [-1, 1].

    Raises:
        InputError: an argument cannot be used.

    Example:
        >>> build_generator((32, 64, 2), base_filters=8).output_shape
        (None, 32, 64, 2)
    """
    view = _view(image_shape, padding, along_time, dtype)
    count(latent_dim, "latent_dim", 1, 2**20)
    widths = _widths(view, base_filters)

    inputs = latents = keras.Input((latent_dim,), name="latents")
    if conditions:
        inputs = [latents, keras.Input((conditions,), name="conditions")]
        latents = heard(latents, inputs[1], dtype)
    style = _style(latents, dtype)

    x = layers.Dense(math.prod(view.sizes[-1]) * widths[-1], dtype=dtype, name="dense")(latents)
    x = layers.Reshape((*view.sizes[-1], widths[-1]), dtype=dtype)(x)
    for size, filters in zip(reversed(view.sizes), reversed(widths), strict=True):
        if x.shape[1:3] != size:
            x = view.conv(filters, 1)(x)
            x = _upsample(x, size, view.strides(size, x.shape[1:3]), dtype)
        x = _residual(x, filters, depth, view, style)
    x = activated(x, dtype, style)
    x = view.to_image(x)
    # Half precision would leave some 256 grey levels: the last step is float32.
    x = layers.Activation("tanh", dtype="float32", name="images")(x)
    if projection is not None:
        x = projection(x)
    return keras.Model(inputs, x, name="generator")


def build_discriminator(image_shape, base_filters=16, padding="helical", spectral_norm=False,
                        conditions=0, classes=0, aligned=True, minibatch_std=True,
                        along_time=False, dtype=None):
    """A network that scores how real images look; without batch normalization.

    It sees patches of 2 x 2 pixels, as the generator makes them. Each stage is a residual 3x3
    convolution, then a strided 4x4 convolution (every pixel counts equally often) beside an
    averaged shortcut. The score is a logit, unbounded. With conditions c it is
    f(x) + <V c, phi(x)>, phi the last features (projection: Miyato & Koyama 2018): for statements
    that hold or do not, independent given x, this is the form of the best score.

    Args:
        image_shape, base_filters, padding, along_time, dtype: as for `build_generator`.
        spectral_norm: bool, keep every kernel's spectral norm at 1 or below, default False.
        conditions: int, numbers that say what an image should show. Default 0: none.
        classes: int, logits of a second output, 0 for none (default).
        aligned: bool, beats stand in known columns: what is said of labels may depend on the place;
            False: features are averaged over all places first. Default True.
        minibatch_std: bool, let it see how much the images of a batch differ, default True.

    Returns:
        keras.Model, images (batch, height, width, channels), or [images, conditions], -> scores
        (batch, 1) float32, or [scores, class logits (batch, classes)].

    Raises:
        InputError: an argument cannot be used.

    Example:
        >>> build_discriminator((32, 64, 2), base_filters=8).output_shape
        (None, 1)
    """
    constraint = SpectralNorm() if spectral_norm else None
    view = _view(image_shape, padding, along_time, dtype, constraint)
    widths = _widths(view, base_filters)

    inputs = images = keras.Input(view.image_shape, name="images")
    x = view.conv(base_filters, 3)(view.to_patches(images))
    for level, filters in enumerate(widths[1:]):
        x = _residual(x, widths[level], 1, view)
        strides = view.strides(*view.sizes[level : level + 2])
        shortcut = layers.AveragePooling2D(strides, padding="same", dtype=dtype)(x)
        shortcut = view.conv(filters, 1, use_bias=False)(shortcut)
        x = layers.LeakyReLU(0.2, dtype=dtype)(x)
        x = layers.Add(dtype=dtype)([view.shrink(filters, strides)(x), shortcut])
    x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    if minibatch_std:
        x = MinibatchStd(dtype=dtype)(x)
    x = view.conv(widths[-1], 3)(x)
    last = x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    x = layers.Flatten(dtype="float32")(x)
    score = layers.Dense(1, kernel_constraint=constraint, dtype="float32", name="score")(x)
    if not aligned:
        x = layers.GlobalAveragePooling2D(dtype="float32")(last)
    if conditions:
        inputs = [images, keras.Input((conditions,), name="conditions")]
        each = layers.Dense(conditions, kernel_constraint=constraint, dtype="float32",
                            name="projection")(x)
        score = layers.Add(dtype="float32")([score, layers.Dot(1, dtype="float32")(
            [each, inputs[1]])])
    if classes:
        score = [score, layers.Dense(classes, dtype="float32", name="class_logits")(x)]
    return keras.Model(inputs, score, name="discriminator")


# How networks look at an image


class _AsImage:
    """As a plane: patches of 2 x 2 pixels, 3 x 3 kernels, both sides halved from size to size."""

    def __init__(self, image_shape, padding, dtype, constraint):
        self.image_shape, self.dtype, self.constraint = image_shape, dtype, constraint
        self.helical = choice(padding, "padding", PADDINGS) == "helical"
        self.block = patch_side(image_shape[:2])
        self.sizes = grid_sizes(side // self.block for side in image_shape[:2])

    def conv(self, filters, kernel, strides=1, **options):
        options = {"kernel_initializer": "he_normal", "kernel_constraint": self.constraint,
                   "dtype": self.dtype, **options}
        if self.helical and kernel != 1:
            return HelicalConv2D(filters, kernel, strides, **options)
        return layers.Conv2D(filters, kernel, strides, padding="same", **options)

    def strides(self, size, coarser):
        return tuple(1 if a == b else 2 for a, b in zip(size, coarser, strict=True))

    def shrink(self, filters, strides):
        return self.conv(filters, tuple(2 + stride for stride in strides), strides)

    def to_patches(self, images):
        return ToPatches(self.block, dtype=self.dtype)(images) if self.block > 1 else images

    def to_image(self, features):
        channels = self.image_shape[2] * self.block**2
        x = self.conv(channels, 3, kernel_initializer="glorot_uniform")(features)
        x = FromPatches(self.block, dtype=self.dtype)(x) if self.block > 1 else x
        return RowGate(name="row_gate")([x, features])


class _AlongTime:
    """As a signal: convolutions along time only, as in WaveGAN (Donahue 2019).

    The baseline that every arrangement has to beat. A row-major image *is* the signal, read line
    after line. A k x k kernel becomes one of k² samples, a stride of s x s one of s² samples: as
    many weights and as much arithmetic. Only the `RowGate` has no counterpart: a strip has no rows.
    """

    def __init__(self, image_shape, dtype):
        self.image_shape, self.dtype = image_shape, dtype
        samples = image_shape[0] * image_shape[1]
        self.patch = PATCH if samples % PATCH == 0 else 1
        self.sizes = [(1, length) for length in strip_lengths(samples // self.patch)]

    def conv(self, filters, side, stride=1, **options):
        options = {"kernel_initializer": "he_normal", "padding": "same", "dtype": self.dtype,
                   **options}
        return layers.Conv2D(filters, (1, side**2), (1, stride**2), **options)

    def strides(self, size, coarser):
        return 1, FACTOR

    def shrink(self, filters, strides):
        return self.conv(filters, 4, 2)

    def to_patches(self, images):
        shape = (*self.sizes[0], self.patch * self.image_shape[2])
        return layers.Reshape(shape, dtype=self.dtype)(images)

    def to_image(self, features):
        channels = self.image_shape[2] * self.patch
        x = self.conv(channels, 3, kernel_initializer="glorot_uniform")(features)
        return layers.Reshape(self.image_shape, dtype=self.dtype)(x)


def _view(image_shape, padding, along_time, dtype, constraint=None):
    shape = _checked_shape(image_shape)
    return _AlongTime(shape, dtype) if along_time else _AsImage(shape, padding, dtype, constraint)


def _widths(view, base_filters):
    count(base_filters, "base_filters", 1, 2**16)
    return [base_filters * min(2**level, WIDEST) for level in range(len(view.sizes))]


def patch_side(sides):
    """Side of the patches in which networks see an image: 2 where both sides are even, else 1."""
    return 2 if all(side % 2 == 0 and side >= 16 for side in sides) else 1


def grid_sizes(sides):
    """The sizes an image passes through, from full to at most 8 x 8.

    While the longer side exceeds 8, every side of 8 or more is halved (rounded up).

    Example:
        >>> grid_sizes((32, 64))
        [(32, 64), (16, 32), (8, 16), (4, 8)]
    """
    sizes = [tuple(sides)]
    while max(sizes[-1]) > 8:
        sizes.append(tuple(math.ceil(side / 2) if side >= 8 else side for side in sizes[-1]))
    return sizes


def strip_lengths(length):
    """The lengths a signal passes through, each a quarter of the one before, `SHORTEST` at most.

    Example:
        >>> strip_lengths(512)
        [512, 128, 32]
    """
    lengths = [int(length)]
    while lengths[-1] > SHORTEST:
        lengths.append(math.ceil(lengths[-1] / FACTOR))
    return lengths


def _checked_shape(image_shape):
    """(height, width, channels) as ints, or an `InputError` that says what is wrong."""
    try:
        shape = tuple(int(side) for side in image_shape)
        right = len(shape) == 3 and min(shape[:2]) >= 8 and shape[2] >= 1
    except (TypeError, ValueError):
        right = False
    if not right:
        raise InputError(
            "The networks cannot be built for this image shape.",
            expected="(height, width, channels), sides of at least 8, at least 1 channel",
            got=image_shape, fix="pass codec.image_shape",
        )
    return shape


# Parts


def heard(latents, conditions, dtype, loudness=1.0):
    """Latents, and behind them a code of the conditions that is as loud as they are: a fainter one
    was not heard for hundreds of steps. `loudness`: of each condition."""
    loud = keras.initializers.RandomNormal(stddev=loudness)
    code = layers.Dense(latents.shape[-1], kernel_initializer=loud, dtype=dtype,
                        name="condition_code")(conditions)
    return layers.Concatenate(dtype=dtype)([latents, code])


def _style(latents, dtype):
    style = layers.RMSNormalization(dtype=dtype)(latents)
    for number in (1, 2):
        style = layers.Dense(STYLE_DIM, kernel_initializer="he_normal", dtype=dtype,
                             name=f"style_{number}")(style)
        style = layers.LeakyReLU(0.2, dtype=dtype)(style)
    return style


def _residual(x, filters, depth, view, style=None):
    for _ in range(depth):
        y = view.conv(filters, 3)(activated(x, view.dtype, style))
        x = layers.Add(dtype=view.dtype)([x, y])
    return x


def activated(x, dtype, style=None):
    if style is not None:
        x = StyleNorm(dtype=dtype)([x, style])
    return layers.LeakyReLU(0.2, dtype=dtype)(x)


def _upsample(x, size, strides, dtype):
    x = layers.UpSampling2D(strides, interpolation="nearest", dtype=dtype)(x)
    extra = tuple(now - wanted for now, wanted in zip(x.shape[1:3], size, strict=True))
    if any(extra):
        # An odd side was rounded up on the way down: drop the last row or column.
        x = layers.Cropping2D(((0, extra[0]), (0, extra[1])), dtype=dtype)(x)
    return x
