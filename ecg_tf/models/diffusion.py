"""A denoising diffusion model over what `ToBeats` reads: what a GAN is held against.

No second network judges it: it learns to take noise away (Ho 2020, arXiv:2006.11239), and makes an
image by taking pure noise away bit by bit (DDIM: Song 2021, arXiv:2010.02502). It stands in a
GAN's place, so that codec, budget, measures and attacks are the same. Its "discriminator" is how
well it denoises an image: the usual score of those who look for members of a diffusion model.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from ecg_tf.base.checks import count
from ecg_tf.models.beat_basis import PHASES, BeatBasis, local_squares
from ecg_tf.models.beat_layers import RHYTHM, FromBeats, ToBeats, loudness
from ecg_tf.models.beat_networks import OverRows, Parts, Uniform, beat_block, beat_dense
from ecg_tf.models.devices import mean_over_all, random_share, to_be_summed
from ecg_tf.models.gan import GAN
from ecg_tf.models.layers import number_layers
from ecg_tf.models.projection import JoinRows

WIDTH, STYLE_DIM, BLOCKS = 8, 512, 3  # features of a row for each of the `base_filters`; others
STEPS = 40  # from noise to an image
#: Shares of the way to pure noise at which the score asks; at most this much is ever added.
ASKED, MOST = (0.15, 0.3, 0.5), 0.995
FREQUENCIES = 16  # of the features that say how much noise there is


def build_diffusion_generator(basis: BeatBasis, images, base_filters=16, conditions=0, dtype=None):
    """A network that makes images of latents by denoising them.

    Args:
        basis: of the training images.
        images: (n, rows, columns, channels), training images that fix the units of what is read.
        base_filters: int, an eighth of a row's features, default 16.
        conditions: int, as for `build_generator`.
        dtype: dtype policy of the denoiser; images are float32 always.

    Returns:
        keras.Model, latents (batch, l) -> images (batch, rows, columns, channels) float32; l
        follows from the basis.
    """
    width = WIDTH * count(base_filters, "base_filters", 1, 2**12)
    make = FromReading.of(basis, name="from_beats")
    height, components = make.arrangement.rows, make.sizes[1]
    whole, row = reading_sizes(make)
    diffused = Diffused(whole, height, row, width, conditions, denoiser_dtype=dtype,
                        name="diffused")
    diffused.adapt(*read_in_parts(ToBeats.of(basis), images))
    sizes = {"whole": whole, "rows": height * row, "rest": height * (make.pixels - components),
             "begin": 1}
    inputs = latents = keras.Input((sum(sizes.values()),), name="latents")
    labels = [keras.Input((conditions,), name="conditions")] if conditions else []
    if conditions:
        inputs = [latents, *labels]
    whole, rows, rest, begin = Parts(list(sizes.values()), name="parts")(latents)
    reading = diffused([whole, layers.Reshape((height, row))(rows), *labels])
    made = make([*reading, layers.Reshape((height, make.pixels - components))(rest),
                 Uniform(name="begin")(begin)])
    images = JoinRows(make.arrangement.leads, make.strips, name="joined")(made)
    return keras.Model(inputs, images, name="generator")


def build_denoising_score(generator):
    """A network in a discriminator's place: how well a generator's denoiser knows an image.

    Args:
        generator: of `build_diffusion_generator`; the score shares its weights.

    Returns:
        keras.Model, images (batch, rows, columns, channels), or [images, conditions], -> scores
        (batch, 1) float32, minus the mean squared error at fixed noise.
    """
    make, diffused = (generator.get_layer(name) for name in ("from_beats", "diffused"))
    images = keras.Input(make.arrangement.image_shape, name="images")
    labels = [keras.Input((diffused.conditions,), name="conditions")] if diffused.conditions else []
    read = ToBeats(make.arrangement.to_dict(), make.sizes, name="read")
    whole, rows, _ = read(images)
    read.set_weights(make.get_weights())  # of both, the basis alone
    score = DenoisingScore(diffused, name="score")([whole, rows, *labels])
    return keras.Model([images, *labels] if labels else images, score, name="discriminator")


def reading_sizes(layer) -> tuple[int, int]:
    """How many numbers of an image, and of each of its rows, are noised and denoised."""
    (beats, components), leads = layer.sizes, layer.arrangement.leads
    return beats + components + 2 + leads * (PHASES + 1), components + 1


def read_in_parts(read: ToBeats, images, batch=128):
    """What a layer reads of many images, as NumPy arrays: whole, rows, share."""
    parts = [read(ops.convert_to_tensor(np.asarray(images[start : start + batch], np.float32)))
             for start in range(0, len(images), batch)]
    return [np.concatenate([ops.convert_to_numpy(part[k]) for part in parts]) for k in range(3)]


@keras.saving.register_keras_serializable(package="ecg_tf")
class Diffusion(GAN):
    """Trains the denoiser of a generator; all else is as of a `GAN`.

    Args:
        generator: of `build_diffusion_generator`.
        **kwargs: further arguments of `GAN`. A discriminator is made of the generator.
    """

    beta_1 = 0.9

    def __init__(self, generator, discriminator=None, **kwargs):
        super().__init__(generator, build_denoising_score(generator), **kwargs)
        self.diffused = generator.get_layer("diffused")
        self.read = self.discriminator.get_layer("read")

    def train_step(self, data):
        images, labels = self.unpack(data)
        whole, rows, _ = self.read(images)
        clean = self.diffused.standard(whole, rows)
        n, weights = tf.shape(images)[0], self.diffused.trainable_variables
        noise = [random_share(lambda n, part=part: keras.random.normal(
            (n, *part.shape[1:]), seed=self.seed_generator), n) for part in clean]
        much = random_share(lambda n: keras.random.uniform(
            (n, 1), 0.0, MOST, seed=self.seed_generator), n)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.diffused.errors(clean, noise, much, labels))
        gradients = tape.gradient(loss, weights)
        self.g_optimizer.apply(to_be_summed(gradients), weights)
        self.step.assign(self.step + 1)
        self.update_ema()
        return self.track(g_loss=loss, d_loss=loss, real_score=-loss, generated_score=-loss,
                          g_grad_norm=tf.linalg.global_norm(mean_over_all(gradients)))

    def get_config(self):
        return {name: value for name, value in super().get_config().items()
                if name != "discriminator"}


@keras.saving.register_keras_serializable(package="ecg_tf")
class Diffused(keras.layers.Layer):
    """Pure noise to what `ToBeats` reads, by a denoiser that is asked `STEPS` times.

    Takes [(batch, whole), (batch, height, row)] standard normal numbers, and conditions if any;
    gives the same shapes in the units of `ToBeats`.

    Args:
        whole: int, numbers of an image.
        height: int, rows.
        row: int, numbers of a row.
        width: int, features of a row in the denoiser.
        conditions: int, default 0.
        denoiser_dtype: its dtype policy.
    """

    def __init__(self, whole, height, row, width, conditions=0, denoiser_dtype=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.own = {"whole": int(whole), "height": int(height), "row": int(row),
                    "width": int(width), "conditions": int(conditions),
                    "denoiser_dtype": denoiser_dtype}
        self.conditions = int(conditions)
        self.denoiser = _denoiser(**self.own)
        names = (("center", whole, "zeros"), ("scale", whole, "ones"), ("row_scale", row, "ones"))
        for name, size, start in names:
            setattr(self, name, self.add_weight(name=name, shape=(size,), initializer=start,
                                                trainable=False))
        self.built = True

    def adapt(self, whole, rows, share):
        """Takes the units from what was read of the training images."""
        self.center.assign(whole.mean(axis=0))
        self.scale.assign(np.maximum(whole.std(axis=0), 1e-3))
        rows = rows[..., : self.own["row"]]
        squares = (rows**2).sum(axis=(0, 1)) / max(share.sum(), 1.0)
        self.row_scale.assign(np.maximum(np.sqrt(squares), 1e-3))

    def standard(self, whole, rows):
        """What was read, in units of the training images."""
        return ((whole - self.center) / self.scale,
                rows[..., : self.own["row"]] / self.row_scale)

    def call(self, inputs):
        angles = ops.convert_to_tensor(
            np.linspace(MOST, 0.0, STEPS + 1).astype(np.float32) * (math.pi / 2))
        labels = list(inputs[2:])

        def less_noise(step, state):
            now, then = angles[step], angles[step + 1]
            much = ops.ones_like(state[0][:, :1]) * (now * 2 / math.pi)
            out = []
            for z, speed in zip(state, self.denoiser([*state, much, *labels]), strict=True):
                clean = ops.cos(now) * z - ops.sin(now) * speed
                noise = ops.sin(now) * z + ops.cos(now) * speed
                out.append(ops.cos(then) * clean + ops.sin(then) * noise)
            return tuple(out)

        whole, rows = ops.fori_loop(0, STEPS, less_noise, tuple(inputs[:2]))
        return [whole * self.scale + self.center, rows * self.row_scale]

    def errors(self, clean, noise, much, labels=None):
        """(batch,) mean squared errors of the denoiser, of noised readings in these units.

        It is asked for cos(a) noise - sin(a) clean (Salimans & Ho 2022, arXiv:2202.00512), where a
        is a quarter of a turn times `much` (batch, 1).
        """
        angle = much * (math.pi / 2)
        turns = [(ops.cos(angle), ops.sin(angle)),
                 (ops.cos(angle)[..., None], ops.sin(angle)[..., None])]
        state = [c * x + s * e for (c, s), x, e in zip(turns, clean, noise, strict=True)]
        speeds = self.denoiser([*state, much, *([] if labels is None else [labels])])
        squares = [ops.square(v - (c * e - s * x)) for v, (c, s), x, e in zip(
            speeds, turns, clean, noise, strict=True)]
        # As many numbers as rows have, those of the whole image would hardly count.
        return 0.5 * sum(ops.mean(ops.reshape(part, (ops.shape(part)[0], -1)), axis=1)
                         for part in squares)

    def compute_output_shape(self, input_shapes):
        return [tuple(shape) for shape in input_shapes[:2]]

    def get_config(self):
        return {**super().get_config(), **self.own}


@keras.saving.register_keras_serializable(package="ecg_tf")
class DenoisingScore(keras.layers.Layer):
    """Minus the error with which readings (see `Diffused`) are denoised, (batch, 1), of the same
    noise for all images."""

    def __init__(self, diffused, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.diffused = diffused
        rng, own = np.random.default_rng(0), diffused.own
        self.noise = [[rng.standard_normal((1, own["whole"]), np.float32),
                       rng.standard_normal((1, own["height"], own["row"]), np.float32)]
                      for _ in ASKED]

    def call(self, inputs):
        clean = self.diffused.standard(*inputs[:2])
        labels = inputs[2] if len(inputs) > 2 else None
        n = ops.shape(inputs[0])[0]
        errors = [self.diffused.errors(clean, [ops.repeat(part, n, axis=0) for part in noise],
                                       ops.full((n, 1), much), labels)
                  for noise, much in zip(self.noise, ASKED, strict=True)]
        return -ops.mean(ops.stack(errors, axis=1), axis=1, keepdims=True)

    def compute_output_shape(self, input_shapes):
        return (input_shapes[0][0], 1)

    def get_config(self):
        return {**super().get_config(),
                "diffused": keras.saving.serialize_keras_object(self.diffused)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("diffused")), **config)


@keras.saving.register_keras_serializable(package="ecg_tf")
class FromReading(FromBeats):
    """The inverse of `ToBeats`: what it reads (whole, rows), random numbers beyond the components
    and where a strip begins, as for `FromBeats`, to images that say so."""

    def call(self, inputs):
        whole, rows, noise, begin = inputs
        (beats, components), leads = self.sizes, self.arrangement.leads
        parts = np.cumsum([beats, 1, components, 1, leads])
        mean, usual, strength, irregular, beyond, local = ops.split(
            ops.clip(whole, -20.0, 20.0), [int(cut) for cut in parts], axis=1)
        mean = ops.sinh(ops.clip(mean / loudness(self.beats), -5.0, 5.0))
        own = rows[..., :components] / loudness(self.rows) * ops.exp(strength)[:, None]
        each = rows[..., components] * ops.exp(irregular / RHYTHM) * self.rhythm[1] / self.rhythm[2]
        rr = usual / RHYTHM + ops.concatenate([each, ops.zeros_like(each[:, :1])], axis=1)
        gains = self._gains(own, noise, beyond, ops.reshape(local, (-1, leads, PHASES)), rr, begin)
        return super().call([mean, own, noise, beyond, gains, rr, begin])

    def _gains(self, rows, noise, beyond, local, rr, begin):
        """What differences have to be multiplied by at each phase to be as strong as was read."""
        flat = ops.zeros_like(local)
        differences = self._differences(rows, noise, beyond, flat)
        code = ops.clip(rr * self.rhythm[2] + self.rhythm[0], -1.0, 1.0)
        present = (1 + self._presence(code, begin)) / 2 if self.strips \
            else ops.ones_like(differences[..., :1])
        squares = local_squares(differences * present, present) / self.usual
        return local - 0.5 * ops.log(squares + 1e-4)


def _denoiser(whole, height, row, width, conditions, denoiser_dtype):
    """[noised whole, noised rows, how much noise (batch, 1), conditions] -> the same two shapes."""
    dtype = denoiser_dtype
    inputs = [keras.Input((whole,)), keras.Input((height, row)), keras.Input((1,))]
    if conditions:
        inputs.append(keras.Input((conditions,)))
    known = layers.Concatenate(dtype="float32")([inputs[0], Sinusoids(name="much")(inputs[2]),
                                                 *inputs[3:]])
    style = beat_dense(known, STYLE_DIM, dtype)
    for _ in range(2):
        style = layers.Add(dtype=dtype)([style, beat_dense(style, STYLE_DIM, dtype)])
    x = layers.Dense(width, dtype=dtype)(inputs[1])
    for _ in range(BLOCKS):
        x = beat_block(x, width, dtype, style)
    seen = OverRows(name="over_rows")([x, ops.ones_like(x[..., :1])])
    head = layers.Concatenate(dtype="float32")([style, seen])
    for _ in range(2):
        head = beat_dense(head, STYLE_DIM, dtype)
    zero = {"kernel_initializer": "zeros", "dtype": "float32"}
    out = [layers.Dense(whole, name="whole", **zero)(head),
           layers.Dense(row, name="rows", **zero)(x)]
    network = keras.Model(inputs, out, name="denoiser")
    number_layers(network)
    return network


@keras.saving.register_keras_serializable(package="ecg_tf")
class Sinusoids(keras.layers.Layer):
    """A number from 0 to 1 (batch, 1) as sines and cosines of it, (batch, 2 FREQUENCIES)."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        angles = inputs * ops.convert_to_tensor(
            np.geomspace(1.0, 50.0, FREQUENCIES, dtype=np.float32)[None] * math.pi)
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * FREQUENCIES)
