"""Networks for the signal itself, without the detour through an image's second dimension.

The baseline every arrangement has to beat: one-dimensional convolutions along time, as in WaveGAN
(Donahue 2019), built from the same blocks as `networks` and of the same size, so that nothing but
the way of looking differs. A k x k kernel becomes one of k² samples in a row, a stride of s x s one
of s² samples: kernels of 9 and 16 taps, strides of 4, as many weights and as much arithmetic. (The
`RowGate` alone, 194 of 1,085,062 weights, has no counterpart: a strip has no rows.)

A row-major image *is* the signal, read line after line, so both networks take and give such images
and only reshape them.
"""

import math

from keras import Input, Model, layers

from ecg_tf.models.layers import MinibatchStd
from ecg_tf.models.networks import (
    check_image_shape,
    check_positive,
    norm_activation,
    residual,
    style_network,
)

PATCH = 4  # samples seen as one at the finest level, like the 2 x 2 pixels of `networks`
FACTOR = 4  # from one level to the next, like halving both sides of an image
SHORTEST = 64  # positions at the coarsest level at most, like a grid of 8 x 8


def build_wave_generator(
    image_shape, latent_dim=128, base_filters=32, depth=2, widest=4, projection=None, dtype=None
):
    """A network that draws signals from latent vectors, laid out as row-major images.

    A dense layer fills the coarsest level (`strip_lengths`); each longer one is reached by a
    convolution with a single tap, nearest upsampling and `depth` residual convolutions of 9 taps.
    A style speaks to every layer and moment at once, as in `networks.build_generator`.

    Args:
        image_shape: (height, width, channels); channels are leads, and the range's if it has one.
        latent_dim: int, length of a latent vector, default 128.
        base_filters: int, filters of the finest level, doubled at every coarser one, default 32.
        depth: int, residual convolutions at each level, default 2.
        widest: int, at most this many times `base_filters` at the coarse levels, default 4.
        projection: put after the output, from `projection_of(codec)`, default None.
        dtype: dtype policy such as "mixed_bfloat16"; None takes Keras' global policy. Images are
            float32 always.

    Returns:
        keras.Model, latents (batch, latent_dim) -> images (batch, height, width, channels) float32
        in [-1, 1].

    Raises:
        InputError: an argument cannot be used.

    Example:
        >>> build_wave_generator((32, 64, 1), base_filters=8).output_shape
        (None, 32, 64, 1)
    """
    image_shape, patch, lengths, widths = _plan(image_shape, base_filters, widest)
    check_positive(latent_dim=latent_dim)
    conv = _convolution(dtype)

    latents = Input((latent_dim,), name="latents")
    style = style_network(latents, dtype)
    x = layers.Dense(lengths[-1] * widths[-1], dtype=dtype, name="dense")(latents)
    x = layers.Reshape((1, lengths[-1], widths[-1]), dtype=dtype)(x)
    for level in reversed(range(len(lengths))):
        if x.shape[2] != lengths[level]:
            x = conv(widths[level], 1)(x)
            x = layers.UpSampling2D((1, FACTOR), interpolation="nearest", dtype=dtype)(x)
            if extra := x.shape[2] - lengths[level]:  # it was rounded up on the way down
                x = layers.Cropping2D(((0, 0), (0, extra)), dtype=dtype)(x)
        x = residual(x, widths[level], depth, "style", conv, dtype, style)
    x = norm_activation(x, "style", dtype, style)
    x = conv(image_shape[2] * patch, 3, kernel_initializer="glorot_uniform")(x)
    x = layers.Reshape(image_shape, dtype=dtype)(x)
    # Half precision would leave some 256 levels of voltage: the last step is float32.
    x = layers.Activation("tanh", dtype="float32", name="images")(x)
    if projection is not None:
        x = projection(x)
    return Model(latents, x, name="wave_generator")


def build_wave_discriminator(image_shape, base_filters=32, depth=1, widest=4, dtype=None):
    """A network that scores how real a signal looks, given as a row-major image.

    Each level is `depth` residual convolutions of 9 taps, then one of 16 taps that keeps every
    fourth position, beside an averaged shortcut. The score is a logit, unbounded.

    Args:
        image_shape: (height, width, channels), as for `build_wave_generator`.
        base_filters: int, filters of the finest level, doubled at every coarser one, default 32.
        depth: int, residual convolutions at each level, default 1.
        widest: int, at most this many times `base_filters` at the coarse levels, default 4.
        dtype: dtype policy such as "mixed_bfloat16"; None takes Keras' global policy.

    Returns:
        keras.Model, images (batch, height, width, channels) -> scores (batch, 1) float32.

    Raises:
        InputError: an argument cannot be used.

    Example:
        >>> build_wave_discriminator((32, 64, 1), base_filters=8).output_shape
        (None, 1)
    """
    image_shape, patch, lengths, widths = _plan(image_shape, base_filters, widest)
    conv = _convolution(dtype)

    images = Input(image_shape, name="images")
    x = layers.Reshape((1, lengths[0], patch * image_shape[2]), dtype=dtype)(images)
    x = conv(base_filters, 3)(x)
    for level, filters in enumerate(widths[1:]):
        x = residual(x, widths[level], depth, "none", conv, dtype)
        shortcut = layers.AveragePooling2D((1, FACTOR), padding="same", dtype=dtype)(x)
        shortcut = conv(filters, 1, use_bias=False)(shortcut)
        x = layers.LeakyReLU(0.2, dtype=dtype)(x)
        x = layers.Add(dtype=dtype)([conv(filters, 4, 2)(x), shortcut])
    x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    x = MinibatchStd(dtype=dtype)(x)
    x = conv(widths[-1], 3)(x)
    x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    x = layers.Flatten(dtype="float32")(x)
    score = layers.Dense(1, dtype="float32", name="score")(x)
    return Model(images, score, name="wave_discriminator")


def strip_lengths(length):
    """The lengths a signal passes through, from full to coarsest, in positions.

    Args:
        length: int, positions at the finest level.

    Returns:
        list of int, each a quarter of the one before (rounded up), `SHORTEST` or less at its end.

    Example:
        >>> strip_lengths(512)
        [512, 128, 32]
    """
    lengths = [int(length)]
    while lengths[-1] > SHORTEST:
        lengths.append(math.ceil(lengths[-1] / FACTOR))
    return lengths


def _plan(image_shape, base_filters, widest):
    image_shape = check_image_shape(image_shape)
    check_positive(base_filters=base_filters, widest=widest)
    samples = image_shape[0] * image_shape[1]
    patch = PATCH if samples % PATCH == 0 else 1
    lengths = strip_lengths(samples // patch)
    widths = [base_filters * min(2**level, widest) for level in range(len(lengths))]
    return image_shape, patch, lengths, widths


def _convolution(dtype):
    # Along time only: height is 1 throughout, so that the blocks of `networks` serve here too.
    def conv(filters, side, stride=1, **kwargs):
        kwargs = {"kernel_initializer": "he_normal", "padding": "same", "dtype": dtype, **kwargs}
        return layers.Conv2D(filters, (1, side**2), (1, stride**2), **kwargs)

    return conv
