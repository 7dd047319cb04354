"""Generator and discriminator for images of any shape, small enough to train on a CPU."""

import math

import keras
from keras import layers

from ecg_tf.base.errors import InputError, closest
from ecg_tf.models.layers import (
    FromPatches,
    HelicalConv2D,
    MinibatchStd,
    RowGate,
    SpectralNorm,
    StyleNorm,
    ToPatches,
)

NORMS = ("style", "batch", "none")
PADDINGS = ("zero", "helical")
OUTPUTS = ("tanh", "linear")
STYLE_DIM = 128


def build_generator(
    image_shape,
    latent_dim=128,
    base_filters=32,
    depth=2,
    widest=4,
    norm="style",
    padding="zero",
    classes=0,
    projection=None,
    output="tanh",
    dtype=None,
):
    """A network that draws images from latent vectors.

    A dense layer fills the coarsest grid (`grid_sizes`); each further size is reached by a 1x1
    convolution, nearest upsampling and `depth` residual 3x3 convolutions. The finest grid is that
    of patches of 2 x 2 pixels: full size is where the time would go, and neighbouring pixels say
    much the same. No transposed convolution, so no checkerboard (Odena 2016).

    With norm "style" the latents also speak to every layer and pixel at once (`StyleNorm`): what
    all beats of an ECG have in common, they have in common from the start. How much its rows
    differ, it says by a `RowGate`.

    Args:
        image_shape: (height, width, channels), sides of 8 or more, of any proportion.
        latent_dim: int, length of a latent vector, default 128.
        base_filters: int, filters of the finest grid, doubled at every coarser one, default 32.
        depth: int, residual convolutions at each size, default 2.
        widest: int, at most this many times `base_filters` at the coarse sizes, default 4.
        norm: str, "style", "batch" (as in the first DCGAN) or "none", default "style".
        padding: str, "zero", or "helical" for rows that continue into each other, default "zero".
        classes: int, number of classes, 0 for none; else the network takes [latents, labels].
        projection: put after the output, from `projection_of(codec)`, default None.
        output: str, "tanh" for images in [-1, 1], or "linear", default "tanh".
        dtype: dtype policy such as "mixed_bfloat16"; None takes Keras' global policy. Images are
            float32 always.

    Returns:
        keras.Model, latents (batch, latent_dim) -> images (batch, height, width, channels) float32.

    Raises:
        InputError: an argument cannot be used.

    Example:
        >>> build_generator((32, 64, 2), base_filters=8).output_shape
        (None, 32, 64, 2)
    """
    height, width, channels = check_image_shape(image_shape)
    check_positive(latent_dim=latent_dim, base_filters=base_filters, widest=widest)
    _check_choice("output", output, OUTPUTS)
    _check_choice("norm", norm, NORMS)
    block = patch_side((height, width))
    sizes = grid_sizes((height // block, width // block))
    widths = [base_filters * min(2**level, widest) for level in range(len(sizes))]
    conv = _convolution(padding, dtype)

    inputs = latents = keras.Input((latent_dim,), name="latents")
    if classes:
        labels = keras.Input((), dtype="int32", name="labels")
        inputs = [latents, labels]
        code = layers.Embedding(classes, latent_dim, dtype=dtype, name="class_code")(labels)
        latents = layers.Concatenate(dtype=dtype)([latents, code])
    style = style_network(latents, dtype) if norm == "style" else None

    filters = widths[-1]
    x = layers.Dense(math.prod(sizes[-1]) * filters, dtype=dtype, name="dense")(latents)
    x = layers.Reshape((*sizes[-1], filters), dtype=dtype)(x)
    for level in reversed(range(len(sizes))):
        if x.shape[1:3] != sizes[level]:
            x = conv(widths[level], 1)(x)
            x = _upsample(x, sizes[level], dtype)
        x = residual(x, widths[level], depth, norm, conv, dtype, style)
    x = norm_activation(x, norm, dtype, style)
    features = x
    x = conv(channels * block**2, 3, kernel_initializer="glorot_uniform")(x)
    if block > 1:
        x = FromPatches(block, dtype=dtype)(x)
    x = RowGate(name="row_gate")([x, features])
    # Half precision would leave some 256 grey levels: the last step is float32.
    x = layers.Activation(output, dtype="float32", name="images")(x)
    if projection is not None:
        x = projection(x)
    return keras.Model(inputs, x, name="generator")


def build_discriminator(
    image_shape,
    base_filters=32,
    depth=1,
    widest=4,
    padding="zero",
    spectral_norm=False,
    classes=0,
    minibatch_std=True,
    dtype=None,
):
    """A network that scores how real images look; without batch normalization.

    It sees patches of 2 x 2 pixels, as the generator draws them. Each stage is `depth` residual
    3x3 convolutions, then a strided 4x4 convolution (every pixel counts equally often) beside an
    averaged shortcut. The score is a logit, unbounded.

    Args:
        image_shape: (height, width, channels), as for `build_generator`.
        base_filters: int, filters of the finest grid, doubled at every coarser one, default 32.
        depth: int, residual 3x3 convolutions before each halving, default 1.
        widest: int, at most this many times `base_filters` at the coarse sizes, default 4.
        padding: str, "zero" or "helical", default "zero".
        spectral_norm: bool, keep every kernel's spectral norm at 1 or below, default False.
        classes: int, number of classes, 0 for none; else class logits are a second output.
        minibatch_std: bool, let it see how much the images of a batch differ, default True.
        dtype: dtype policy such as "mixed_bfloat16"; None takes Keras' global policy.

    Returns:
        keras.Model, images (batch, height, width, channels) -> scores (batch, 1) float32, or
        [scores, class logits (batch, classes)].

    Raises:
        InputError: an argument cannot be used.

    Example:
        >>> build_discriminator((32, 64, 2), base_filters=8).output_shape
        (None, 1)
    """
    image_shape = check_image_shape(image_shape)
    check_positive(base_filters=base_filters, widest=widest)
    block = patch_side(image_shape[:2])
    sizes = grid_sizes((image_shape[0] // block, image_shape[1] // block))
    widths = [base_filters * min(2**level, widest) for level in range(len(sizes))]
    constraint = SpectralNorm() if spectral_norm else None
    conv = _convolution(padding, dtype, constraint)

    images = x = keras.Input(image_shape, name="images")
    if block > 1:
        x = ToPatches(block, dtype=dtype)(x)
    x = conv(base_filters, 3)(x)
    for level, (size, coarser) in enumerate(zip(sizes, sizes[1:], strict=False)):
        x = residual(x, widths[level], depth, "none", conv, dtype)
        strides = _strides(size, coarser)
        kernel = tuple(2 + stride for stride in strides)
        filters = widths[level + 1]
        shortcut = layers.AveragePooling2D(strides, padding="same", dtype=dtype)(x)
        shortcut = conv(filters, 1, use_bias=False)(shortcut)
        x = layers.LeakyReLU(0.2, dtype=dtype)(x)
        x = layers.Add(dtype=dtype)([conv(filters, kernel, strides)(x), shortcut])
    x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    if minibatch_std:
        x = MinibatchStd(dtype=dtype)(x)
    x = conv(widths[-1], 3)(x)
    x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    x = layers.Flatten(dtype="float32")(x)
    score = layers.Dense(1, kernel_constraint=constraint, dtype="float32", name="score")(x)
    if classes:
        logits = layers.Dense(classes, dtype="float32", name="class_logits")(x)
        return keras.Model(images, [score, logits], name="discriminator")
    return keras.Model(images, score, name="discriminator")


def patch_side(sides):
    """Side of the patches in which networks see an image: 2 where both sides are even, else 1."""
    return 2 if all(side % 2 == 0 and side >= 16 for side in sides) else 1


def grid_sizes(sides):
    """The sizes an image passes through, from full to coarsest.

    While the longer side exceeds 8, every side of 8 or more is halved (rounded up).

    Args:
        sides: (height, width).

    Returns:
        list of (height, width), at most 8 x 8 at its end.

    Example:
        >>> grid_sizes((32, 64))
        [(32, 64), (16, 32), (8, 16), (4, 8)]
    """
    sizes = [tuple(sides)]
    while max(sizes[-1]) > 8:
        sizes.append(tuple(math.ceil(side / 2) if side >= 8 else side for side in sizes[-1]))
    return sizes


def check_image_shape(image_shape):
    """Returns (height, width, channels) as ints, or raises an `InputError` saying what is wrong."""
    try:
        shape = tuple(int(side) for side in image_shape)
        right = len(shape) == 3 and min(shape[:2]) >= 8 and shape[2] >= 1
    except (TypeError, ValueError):
        right = False
    if not right:
        raise InputError(
            "The networks cannot be built for this image shape.",
            expected="(height, width, channels), sides of at least 8, at least 1 channel",
            got=image_shape,
            fix="pass codec.image_shape",
        )
    return shape


def _strides(size, coarser):
    return tuple(1 if a == b else 2 for a, b in zip(size, coarser, strict=True))


def _convolution(padding, dtype, constraint=None):
    _check_choice("padding", padding, PADDINGS)

    def conv(filters, kernel_size, strides=1, **kwargs):
        kwargs = {"kernel_initializer": "he_normal", **kwargs}
        kwargs |= {"kernel_constraint": constraint, "dtype": dtype}
        if padding == "helical" and kernel_size != 1:
            return HelicalConv2D(filters, kernel_size, strides, **kwargs)
        return layers.Conv2D(filters, kernel_size, strides, padding="same", **kwargs)

    return conv


def style_network(latents, dtype):
    style = layers.RMSNormalization(dtype=dtype)(latents)
    for number in (1, 2):
        style = layers.Dense(STYLE_DIM, kernel_initializer="he_normal", dtype=dtype,
                             name=f"style_{number}")(style)
        style = layers.LeakyReLU(0.2, dtype=dtype)(style)
    return style


def residual(x, filters, depth, norm, conv, dtype, style=None):
    for _ in range(depth):
        y = conv(filters, 3)(norm_activation(x, norm, dtype, style))
        x = layers.Add(dtype=dtype)([x, y])
    return x


def norm_activation(x, norm, dtype, style=None):
    if norm == "style":
        x = StyleNorm(dtype=dtype)([x, style])
    elif norm == "batch":
        # 0.9 instead of 0.99: training is short, and EMA weights average the statistics once more.
        x = layers.BatchNormalization(momentum=0.9, dtype=dtype)(x)
    return layers.LeakyReLU(0.2, dtype=dtype)(x)


def _upsample(x, size, dtype):
    strides = _strides(size, x.shape[1:3])
    x = layers.UpSampling2D(strides, interpolation="nearest", dtype=dtype)(x)
    extra = tuple(now - wanted for now, wanted in zip(x.shape[1:3], size, strict=True))
    if any(extra):
        # An odd side was rounded up on the way down: drop the last row or column.
        x = layers.Cropping2D(((0, extra[0]), (0, extra[1])), dtype=dtype)(x)
    return x


def _check_choice(what, value, choices):
    if value not in choices:
        raise InputError(
            f"Unknown {what} for a network.",
            expected=f"one of {', '.join(choices)}",
            got=value,
            fix=closest(value, choices) or f"choose a {what} from the list",
        )


def check_positive(**values):
    """Raises an `InputError` that names the first value that is no positive whole number."""
    for name, value in values.items():
        if int(value) != value or value < 1:
            raise InputError(
                f"'{name}' of a network is no positive whole number.",
                expected="1 or more",
                got=value,
                fix=f"pass for example {name}=32",
            )
