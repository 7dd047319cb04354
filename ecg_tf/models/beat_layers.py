"""Two layers: images of beats to what they say (`ToBeats`), and back (`FromBeats`)."""

import keras
import numpy as np
from keras import ops

from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.beats_tf import pixel_times_tf, rr_samples_tf
from ecg_tf.models.beat_basis import (
    PHASES,
    BeatBasis,
    between_phases,
    inverse,
    local_squares,
    mean_and_differences,
    presence_of,
)
from ecg_tf.models.projection import fading

LIMIT = 4.0  # of logarithms of strengths
# How loud things are read: rhythm, two numbers of some hundred; what persons differ in most, by
# this power of its variance.
RHYTHM, LOUDNESS = 3.0, 0.125
FAINT = 0.01  # added to a mean square, as a share of its usual size, before its logarithm is taken


class _Basis(keras.layers.Layer):
    """Holds a basis as weights that are not trained, so that it is saved with the network.

    Args:
        arrangement: of `arrangement_of`.
        sizes: (k, m), numbers of components.
    """

    def __init__(self, arrangement, sizes, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.arrangement = ARRANGEMENTS[arrangement["name"]].from_dict(dict(arrangement))
        self.sizes, self.basis = tuple(sizes), None
        self.strips = "presence" in self.arrangement.side_channels
        self.pixels = self.arrangement.columns * self.arrangement.leads

    @classmethod
    def of(cls, basis: BeatBasis, **kwargs):
        """The layer of a basis."""
        made = cls(basis.arrangement, (len(basis.beats), len(basis.rows)), **kwargs)
        made.basis = basis
        return made

    def build(self, input_shape):
        (beats, rows), pixels, leads = self.sizes, self.pixels, self.arrangement.leads
        for name, *shape in (("mean", pixels), ("beats", beats, pixels), ("rows", rows, pixels),
                             ("rest", pixels - rows, pixels), ("rhythm", 3),
                             ("usual", leads, PHASES), ("loudest", 2, leads)):
            start = "zeros" if self.basis is None else _constant(getattr(self.basis, name))
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=start,
                                                trainable=False))
        self.built = True

    def get_config(self):
        return {**super().get_config(), "arrangement": self.arrangement.to_dict(),
                "sizes": self.sizes}


def _constant(values):
    return lambda shape, dtype=None: ops.convert_to_tensor(np.reshape(values, shape), dtype)


@keras.saving.register_keras_serializable(package="ecg_tf")
class ToBeats(_Basis):
    """Images to what they say, in units of the training images' scales.

    Gives [whole (batch, k + m + 2 + leads (PHASES + 1)), rows (batch, rows, m + 2 + leads), share
    (batch, rows, 1)]. The first: k components of the mean beat, the mean RR interval, and
    strengths, which are logarithms of how much rows differ: in each component, in RR intervals,
    beyond the components in each lead, and in each lead at each phase of a beat. Of each row: its
    components and its RR interval as shares of the strip's strengths, its RR interval as it is,
    and how loud it is beyond the components; all 0 where it is empty. The share is how much of it
    lies within the strip.
    """

    def call(self, images):
        leads, height = self.arrangement.leads, self.arrangement.rows
        present = presence_of(images, self.strips)
        share = ops.mean(present, axis=2)
        number = ops.maximum(ops.sum(share, axis=1), 1.0)
        mean, differences = mean_and_differences(images[..., :leads], present)
        mean = ops.matmul(ops.reshape(mean, (-1, self.pixels)) - self.mean, inverse(self.beats))
        local = ops.reshape(_logarithm(local_squares(differences, present) / self.usual),
                            (-1, leads * PHASES))
        differences = ops.reshape(differences, (-1, height, self.pixels))
        rows = ops.matmul(differences, inverse(self.rows))
        beyond = self._beyond(differences - ops.matmul(rows, self.rows))
        noise = _logarithm(ops.sum(beyond, axis=1) / number)
        beyond = _logarithm(beyond / ops.maximum(share, FAINT)) - noise[:, None]
        strength, rows = _of_strength(rows, number)
        usual, irregular, rr = self._rhythm(images[:, :, : self.arrangement.r_column, leads],
                                            self._known(present))
        # Outliers are compressed; faint components are many, and as loud as others they drown them.
        mean, rows = ops.arcsinh(mean) * loudness(self.beats), rows * loudness(self.rows)
        return (ops.concatenate([mean, usual, strength, irregular, noise, local], -1),
                ops.concatenate([rows, rr, beyond * share], -1), share)

    def _beyond(self, rest):
        """Mean square of what no component says, (batch, rows, leads), as a share of the usual."""
        rest = ops.square(ops.reshape(rest, (-1, self.arrangement.rows, self.arrangement.columns,
                                             self.arrangement.leads)))
        usual = ops.square(ops.reshape(self.rest, (-1, *rest.shape[2:])))
        usual = ops.sum(ops.mean(usual, axis=1), axis=0)
        return ops.mean(rest, axis=2) / ops.maximum(usual, 1e-12)

    def _known(self, present):
        """Which rows' RR intervals lie between two R peaks within the strip: (batch, rows, 1).

        Of those at its ends only the half is known, and the codec's guess tells that it is one.
        """
        inside = ops.stop_gradient(present[:, :, self.arrangement.r_column])
        first = inside[:, :1] * (0.0 if self.strips else 1.0)
        return inside * ops.concatenate([first, inside[:, :-1]], axis=1)

    def _rhythm(self, code, known):
        """The mean RR interval (batch, 1), the strength of their differences (batch, 1), and each
        row's less the mean one, as a share of that, and as it is (batch, rows, 2)."""
        center, within, between = self.rhythm[0], self.rhythm[1], self.rhythm[2]
        rr, number = ops.mean(code, axis=2)[..., None] - center, ops.sum(known, axis=1)
        number = ops.maximum(number, 1.0)
        usual = ops.sum(rr * known, axis=1) / number
        strength, own = _of_strength((rr - usual[:, None]) * known / within, number)
        return (RHYTHM * usual / between, RHYTHM * strength,
                ops.concatenate([own, rr * known / between], axis=-1))

    def compute_output_shape(self, input_shape):
        (n, height), (k, m), leads = input_shape[:2], self.sizes, self.arrangement.leads
        return ((n, k + m + 2 + leads * (PHASES + 1)), (n, height, m + 2 + leads), (n, height, 1))


@keras.saving.register_keras_serializable(package="ecg_tf")
class FromBeats(_Basis):
    """What `ToBeats` reads, made into images that the codec could have made.

    Takes [components of the mean beat (batch, k), of each row's difference (batch, rows, m), noise
    beyond those (batch, rows, columns * leads - m), logarithms of what the noise is multiplied by
    in each lead (batch, leads), and all differences at each phase (batch, leads, PHASES), RR
    intervals in standard deviations between images (batch, rows + 1), where in its first row a
    strip begins (batch, 1), 0 to 1]. Where it ends follows from its RR intervals and its length.
    """

    def build(self, input_shapes):
        super().build(input_shapes)
        self.pixel_times = pixel_times_tf(self.arrangement)
        self.rr_samples = rr_samples_tf(self.arrangement)

    def call(self, inputs):
        mean, *differences, rr, begin = inputs
        a = self.arrangement
        code = ops.clip(rr * self.rhythm[2] + self.rhythm[0], -1.0, 1.0)
        mean = ops.reshape(self.mean + ops.matmul(mean, self.beats), (-1, 1, a.columns, a.leads))
        signals = ops.clip(mean + self._differences(*differences), -1.0, 1.0)
        if not self.strips:
            return ops.concatenate([signals, self._spread(code)], axis=-1)
        presence = self._presence(code, begin)
        # Without gradients: seen through the fading pixel, a strip's end would jump.
        signals = signals * fading(ops.stop_gradient(presence))
        used = ops.cast(ops.max(presence, axis=(2, 3)) > -1.0, "float32")
        # The interval behind the last used row is known, too: its R peak ends the row.
        known = ops.concatenate([ops.ones_like(used[:, :1]), used], axis=1)
        return ops.concatenate([signals, self._spread(code * known), presence], axis=-1)

    def _differences(self, rows, noise, noise_gains, gains):
        """What each row differs from the mean beat: (batch, rows, columns, leads)."""
        shape = (-1, self.arrangement.rows, self.arrangement.columns, self.arrangement.leads)
        rows = ops.reshape(ops.matmul(rows, self.rows), shape)
        noise = ops.reshape(ops.matmul(noise, self.rest), shape)
        gains = ops.matmul(strong(gains), between_phases(shape[2]).T)
        rows = (rows + noise * strong(noise_gains)[:, None, None]) * ops.transpose(
            gains, (0, 2, 1))[:, None]
        # Strengths multiply: without a bound for all together, one strip in twenty-four was noise.
        return _at_most(_at_most(rows, self.loudest[0], 2), self.loudest[1], (1, 2))

    def _spread(self, code):
        """RR intervals (batch, rows + 1) at every pixel that lies in them."""
        return ops.take(code, self.arrangement.interval_columns, axis=1)[..., None]

    def _presence(self, code, begin):
        """As `BeatStrips.presence`, with gradients."""
        a = self.arrangement
        rr = self.rr_samples(code)
        peaks = ops.cumsum(ops.concatenate([ops.zeros_like(rr[:, :1]), rr], axis=1), axis=1)
        times = ops.cast(self.pixel_times(ops.cast(peaks, "float64")), "float32")
        steps = times[:, 1:] - times[:, :-1]
        first = times[:, :1] + begin * (times[:, a.columns : a.columns + 1] - times[:, :1])
        last = first + (a.length - 1.0)
        # In pixels: before the begin towards the next one, behind the end from the one before.
        outside = ops.maximum((first - times) / ops.concatenate([steps, steps[:, -1:]], axis=1),
                              (times - last) / ops.concatenate([steps[:, :1], steps], axis=1))
        inside = 2 * ops.clip(1 - outside, 0.0, 1.0) - 1
        return ops.reshape(inside, (-1, a.rows, a.columns, 1))

    def compute_output_shape(self, input_shapes):
        return (input_shapes[0][0], *self.arrangement.image_shape)


@keras.saving.register_keras_serializable(package="ecg_tf")
class AtMost(keras.layers.Layer):
    """Scales down the numbers (batch, n) of those whose root mean square is above `most`."""

    def __init__(self, most, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.most = float(most)

    def call(self, inputs):
        return _at_most(inputs, self.most, 1)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "most": self.most}


def _at_most(values, most, axis):
    loud = ops.sqrt(ops.mean(ops.square(values), axis=axis, keepdims=True) + 1e-12)
    return values * ops.minimum(1.0, most / loud)


@keras.saving.register_keras_serializable(package="ecg_tf")
def strong(logarithms):
    """Strengths of their logarithms, from a fiftieth to fifty times as strong as at first."""
    return ops.exp(ops.clip(logarithms, -LIMIT, LIMIT))


def loudness(components, of=ops):
    """How loud components (k, d) are read: (k,), of mean square 1."""
    loud = of.sum(of.square(components), axis=1) ** LOUDNESS
    return loud / of.sqrt(of.mean(of.square(loud)))


def _logarithm(squares):
    return 0.5 * ops.log(squares + FAINT)


def _of_strength(rows, number):
    """The strength (batch, k) of rows (batch, rows, k), and rows of that strength 0."""
    strength = _logarithm(ops.sum(ops.square(rows), axis=1) / number)
    return strength, rows * ops.exp(-strength)[:, None]
