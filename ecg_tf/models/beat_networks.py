"""Generator and discriminator for images of beats, of dense layers: they see what `ToBeats` reads.

Convolutions have to find out at every pixel that all rows show one heart. Here it is built in: a
generator makes one mean beat, and each row's difference from it, in principal components, where
noise of a person's own strength is a sum of independent numbers; a discriminator reads the same
from real and generated images. On PTB-XL, in twelve leads, 1,000 steps came nearer to real strips
than 1,000 steps of convolutions that took twice the time (docs/population.md).
"""

import keras
from keras import layers, ops

from ecg_tf.base.checks import count
from ecg_tf.models.beat_basis import PHASES, BeatBasis
from ecg_tf.models.beat_layers import AtMost, FromBeats, ToBeats, strong
from ecg_tf.models.layers import MinibatchStd, number_layers
from ecg_tf.models.networks import activated, heard
from ecg_tf.models.projection import JoinRows

WIDTH = 6  # features of a row for each of the `base_filters`
STYLE_DIM = 256
ROW_LATENTS = 16  # random numbers of each RR interval
# Of what a discriminator reads of the mean beat. Without it, the discriminator knew its training
# persons after 2,000 steps.
DROPOUT = 0.2
LESS = 0.1  # at first what differs from row to row does so less than persons do
MODES = 8  # directions of its own in which a strip's rows differ
BLOCKS = 3  # of the generator; the discriminator has one less


def build_beat_generator(basis: BeatBasis, latent_dim=128, base_filters=16, conditions=0,
                         dtype=None):
    """A network that makes images of latent vectors, beat by beat.

    Of each latent vector the first `latent_dim` numbers are the person: its mean beat, and a style
    (Karras 2019) that all rows hear. The others are random numbers: 16 of each RR interval; one
    for each component of the mean beat and of a row's difference, and for each number beyond
    those, whose strength the network decides; and one for where in a beat the strip begins.

    Args:
        basis: of the training images.
        latent_dim: int, numbers of the person, default 128.
        base_filters: int, a sixth of a row's features, default 16.
        conditions: int, as for `build_generator`.
        dtype: dtype policy; images are float32 always.

    Returns:
        keras.Model, latents (batch, l) -> images (batch, rows, columns, channels) float32 in
        [-1, 1]; l follows from the basis.
    """
    count(latent_dim, "latent_dim", 1, 2**20)
    width = WIDTH * count(base_filters, "base_filters", 1, 2**12)
    make = FromBeats.of(basis, name="from_beats")
    height, (beats, components) = make.arrangement.rows, make.sizes
    sizes = {"person": latent_dim, "beat": beats, "interval": (height + 1) * ROW_LATENTS,
             "row": height * components, "rest": height * (make.pixels - components), "begin": 1}

    inputs = latents = keras.Input((sum(sizes.values()),), name="latents")
    person, beat, interval, row, rest, begin = Parts(list(sizes.values()), name="parts")(latents)
    if conditions:
        inputs = [latents, keras.Input((conditions,), name="conditions")]
        # Three or four conditions hold at once: together they are as loud as the latents.
        person = heard(person, inputs[1], dtype, loudness=0.5)
    style = person
    for _ in range(3):
        style = layers.RMSNormalization(dtype=dtype)(beat_dense(style, STYLE_DIM, dtype))
    x = layers.Dense(width, dtype=dtype)(layers.Reshape((height + 1, ROW_LATENTS))(interval))
    for _ in range(BLOCKS):
        x = beat_block(x, width, dtype, style)
    x = activated(x, dtype, style)
    made = make([_mean_beat(person, style, beat, dtype), _rows(x, style, row, components, dtype),
                 layers.Reshape((height, make.pixels - components))(rest),
                 *_gains(style, make.arrangement.leads), _rhythm(x, style, basis.irregular),
                 Uniform(name="begin")(begin)])
    images = JoinRows(make.arrangement.leads, make.strips, name="joined")(made)
    return keras.Model(inputs, images, name="generator")


def build_beat_discriminator(basis: BeatBasis, base_filters=16, conditions=0, dtype=None):
    """A network that scores how real images look, from what `ToBeats` reads of them.

    The mean beat and how much rows differ go through dense layers; so do the rows, each beside its
    neighbours, of which mean and spread over the strip are kept. Conditions are read beside the
    mean beat: with a projection as in `build_discriminator`, 800 steps came nowhere (MMD² 0.11).

    Args:
        basis: of the training images.
        base_filters, dtype: as for `build_beat_generator`.
        conditions: as for `build_discriminator`.

    Returns:
        keras.Model, images (batch, rows, columns, channels), or [images, conditions], -> scores
        (batch, 1) float32.
    """
    width = WIDTH * count(base_filters, "base_filters", 1, 2**12)
    read = ToBeats.of(basis, name="read")
    images = keras.Input(read.arrangement.image_shape, name="images")
    labels = [keras.Input((conditions,), name="conditions")] if conditions else []
    seen = read(images)
    # A model of its own: penalties are on its slopes (`BeatGAN`).
    judge = _judge([part.shape[1:] for part in seen], width, conditions, dtype)
    scores = judge([*seen, *labels])
    return keras.Model([images, *labels] if labels else images, scores, name="discriminator")


def _judge(shapes, width, conditions, dtype):
    """What `ToBeats` reads, and conditions -> scores."""
    whole, rows, share = inputs = [keras.Input(shape) for shape in shapes]
    whole = layers.Dropout(DROPOUT, dtype="float32")(whole)
    if conditions:
        inputs.append(keras.Input((conditions,)))
        whole = layers.Concatenate(dtype="float32")([whole, inputs[-1]])
    whole = beat_dense(whole, STYLE_DIM, dtype)
    for _ in range(2):
        whole = layers.Add(dtype=dtype)([whole, beat_dense(whole, STYLE_DIM, dtype)])
        whole = layers.Dropout(DROPOUT, dtype=dtype)(whole)
    x = layers.Dense(width, kernel_initializer="he_normal", dtype=dtype)(rows)
    seen = layers.Dense(width, kernel_initializer="he_normal", dtype=dtype)(whole)
    x = layers.Add(dtype=dtype)([x, layers.Reshape((1, width))(seen)])
    for _ in range(BLOCKS - 1):
        x = beat_block(x, width, dtype)
    x = layers.LeakyReLU(0.2, dtype=dtype)(x)
    x = layers.Concatenate(dtype="float32")([OverRows(name="over_rows")([x, share]), whole])
    x = layers.Dense(STYLE_DIM, kernel_initializer="he_normal", dtype="float32")(x)
    x = MinibatchStd(dtype="float32")(layers.LeakyReLU(0.2, dtype="float32")(x))
    score = layers.Dense(1, dtype="float32", name="score")(x)
    judge = keras.Model(inputs, score, name="judge")
    number_layers(judge)
    return judge


# What a generator makes


def _mean_beat(person, style, noise, dtype):
    """Components of the mean beat (batch, k)."""
    x = layers.Concatenate(dtype=dtype)([style, person])
    for _ in range(2):
        x = beat_dense(x, 2 * STYLE_DIM, dtype)
    # The least components of a mean beat are mostly noise that did not average out.
    return Noisy(0.05, name="noisy_mean")([
        _numbers(x, noise.shape[1], "mean_beat"), noise,
        _numbers(style, noise.shape[1], "mean_strength", LESS)])


def _rows(x, style, noise, components, dtype):
    """Components of each row's difference from the mean beat (batch, rows, components).

    Most of what a strip's rows differ in goes along few directions that are its own: breathing
    turns the heart's axis, intervals stretch the T wave.
    """
    x = layers.Cropping1D((0, 1))(x)
    strength = layers.Add(dtype="float32")([
        _numbers(x, components, "row_strength", LESS),
        layers.Reshape((1, components))(_numbers(style, components, "strength", LESS))])
    modes = _numbers(beat_dense(style, STYLE_DIM, dtype), MODES * components, "modes", 0.3)
    modes = layers.Reshape((MODES, components))(modes)
    along = layers.Dot((2, 1), dtype="float32")([_numbers(x, MODES, "along_modes"), modes])
    values = layers.Add(dtype="float32")([_numbers(x, components, "row"), along])
    noise = layers.Reshape((x.shape[1], components))(noise)
    return Noisy(both=True, name="noisy_rows")([values, noise, strength])


def _gains(style, leads):
    """Components mix leads and phases of a beat: that one electrode is worse than the others, or
    T waves change and P waves do not, is said apart: (batch, leads), (batch, leads, PHASES)."""
    return (_numbers(style, leads, "noise_gains", LESS), layers.Reshape((leads, PHASES))(
        _numbers(style, leads * PHASES, "gains", LESS)))


def _rhythm(x, style, most):
    """RR intervals (batch, rows + 1): a usual one, and what each differs from it.

    Of 500 strips 4 % had RR intervals such as no real strip has, before they were bounded.
    """
    each = layers.Reshape((x.shape[1],))(_numbers(x, 1, "interval", LESS))
    irregular = layers.Activation(strong, dtype="float32")(_numbers(style, 1, "irregular", LESS))
    each = AtMost(most, name="bounded")(layers.Multiply(dtype="float32")([each, irregular]))
    return layers.Add(dtype="float32")([each, _numbers(style, 1, "usual")])


def _numbers(x, count, name, scale=1.0):
    start = keras.initializers.VarianceScaling(scale)
    return layers.Dense(count, kernel_initializer=start, dtype="float32", name=name)(x)


# Parts


def beat_dense(x, width, dtype):
    x = layers.Dense(width, kernel_initializer="he_normal", dtype=dtype)(x)
    return layers.LeakyReLU(0.2, dtype=dtype)(x)


def beat_block(x, width, dtype, style=None):
    """Two residual steps: each row beside its neighbours, then each for itself."""
    own = {"kernel_initializer": "he_normal", "dtype": dtype}
    y = layers.Conv1D(width, 3, padding="same", **own)(activated(x, dtype, style))
    x = layers.Add(dtype=dtype)([x, y])
    y = layers.Dense(2 * width, **own)(activated(x, dtype, style))
    y = layers.Dense(width, **own)(layers.LeakyReLU(0.2, dtype=dtype)(y))
    return layers.Add(dtype=dtype)([x, y])


@keras.saving.register_keras_serializable(package="ecg_tf")
class Parts(keras.layers.Layer):
    """Splits vectors (batch, sum of sizes) into parts (batch, size)."""

    def __init__(self, sizes, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.sizes = [int(size) for size in sizes]

    def call(self, inputs):
        cuts = [sum(self.sizes[:number]) for number in range(len(self.sizes) + 1)]
        return [inputs[:, a:b] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]

    def compute_output_shape(self, input_shape):
        return [(input_shape[0], size) for size in self.sizes]

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes}


@keras.saving.register_keras_serializable(package="ecg_tf")
class Uniform(keras.layers.Layer):
    """Standard normal numbers to uniform ones from 0 to 1, by the normal distribution function."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return 0.5 * (1 + ops.erf(inputs / 2**0.5))


@keras.saving.register_keras_serializable(package="ecg_tf")
class Noisy(keras.layers.Layer):
    """Adds noise to values, as strong as its logarithm says.

    Takes [values, standard normal noise, logarithms], all (batch, ..., k). In principal components,
    noise of one strength each is noise as ECGs have it.

    Args:
        share: of the variance that noise has at first, while values and logarithms are near those
            of standard normal numbers and of 0.
        both: bool, the strength is that of values and noise, default False: of the noise.
    """

    def __init__(self, share=0.5, both=False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.share, self.both = float(share), bool(both)

    def call(self, inputs):
        values, noise, logarithm = inputs
        strength = strong(logarithm)
        values, noise = (1 - self.share) ** 0.5 * values, self.share**0.5 * noise
        return strength * (values + noise) if self.both else values + strength * noise

    def compute_output_shape(self, input_shapes):
        return tuple(input_shapes[0])

    def get_config(self):
        return {**super().get_config(), "share": self.share, "both": self.both}


@keras.saving.register_keras_serializable(package="ecg_tf")
class OverRows(keras.layers.Layer):
    """Mean and standard deviation over the rows that are not empty.

    Takes [features (batch, rows, k), weights (batch, rows, 1)], gives (batch, 2 k).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        features, weight = inputs
        features = ops.cast(features, "float32")
        number = ops.maximum(ops.sum(weight, axis=1), 1.0)
        mean = ops.sum(features * weight, axis=1) / number
        squares = ops.sum(ops.square(features - mean[:, None]) * weight, axis=1) / number
        return ops.concatenate([mean, ops.sqrt(squares + 1e-4)], axis=-1)

    def compute_output_shape(self, input_shapes):
        return (input_shapes[0][0], 2 * input_shapes[0][-1])
