"""An image of beats as a mean beat, what each row differs from it, and a rhythm; and back.

All rows of such an image show the same heart, so most of what it says is its mean row. Principal
components of the mean rows, and of the rows' differences from them, say it in some hundred numbers
that hardly depend on each other: networks of plain dense layers learn them in a tenth of the time
that convolutions need for the pixels. The components are those of the training images.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.beats_tf import pixel_times_tf
from ecg_tf.images.codec import Codec
from ecg_tf.models.projection import fading

MEAN_SHARE, ROW_SHARE = 0.995, 0.985  # of the variance that the components explain
MOST = 256  # components
FAINT = 0.01  # added to a variance, as a share of its mean, before its logarithm is taken


@dataclass(frozen=True)
class BeatBasis:
    """Principal components of images of beats, and the geometry of their arrangement.

    Args:
        arrangement: `Arrangement.to_dict`, see `arrangement_of`.
        mean: (columns * leads,), the mean of all mean beats.
        beats: (k, columns * leads), components of mean beats, each times its scale.
        rows: (m, columns * leads), components of the rows' differences, each times its scale.
        rhythm: (3,) mean, standard deviation within and between images of the coded RR intervals.

    Example:
        >>> basis = BeatBasis.fit(codec, images)
        >>> whole, rows, presence = ToBeats.of(basis)(images)
    """

    arrangement: dict
    mean: np.ndarray
    beats: np.ndarray
    rows: np.ndarray
    rhythm: np.ndarray

    @classmethod
    def fit(cls, codec: Codec, images) -> "BeatBasis":
        """The components of images that a codec made.

        Args:
            codec: of beats ("beat_rows", "beat_strips"), with one scaling for all windows.
            images: (n, rows, columns, channels), of the training windows; two or more.

        Raises:
            InputError: another codec, or fewer than two images.
        """
        arrangement, images = arrangement_of(codec), np.asarray(images, np.float32)
        if len(images) < 2:
            raise InputError("Too few images for principal components.", expected="2 or more",
                             got=len(images), fix="give all training images")
        leads = codec.channels.count("signal")
        r_column = ARRANGEMENTS[arrangement["name"]].from_dict(arrangement).r_column
        present = presence_of(images, "presence" in codec.channels, np)
        counts = np.maximum(present.sum(axis=1, keepdims=True), 1)
        means = (images[..., :leads] * present).sum(axis=1, keepdims=True) / counts
        differences = (images[..., :leads] - means) * present
        whole = present.min(axis=(2, 3)) == 1
        code, used = images[:, :, :r_column, leads].mean(axis=2), whole
        center = (code * used).sum(1) / np.maximum(used.sum(1), 1)
        within = np.sqrt((((code - center[:, None]) * used) ** 2).sum() / max(used.sum(), 1))
        flat = means.reshape(len(means), -1)
        return cls(arrangement, flat.mean(axis=0),
                   _components(flat - flat.mean(axis=0), MEAN_SHARE),
                   _components(differences[whole].reshape(-1, flat.shape[1]), ROW_SHARE),
                   np.array([center.mean(), max(within, 1e-3), max(center.std(), 1e-3)],
                            np.float32))


def arrangement_of(codec: Codec) -> dict:
    """A codec's arrangement by beats, as plain values.

    Raises:
        InputError: no arrangement by beats, or a scaling of each window for itself.
    """
    a, channels = codec.arrangement, codec.channels
    if "rr" not in channels or "range" in channels:
        raise InputError("The beat networks do not fit these images.",
                         expected="beat_rows or beat_strips, with one scaling for all windows",
                         got=f"{a.name}, channels {', '.join(dict.fromkeys(channels))}",
                         fix="set arrangement to beat_strips and scaling to companded, or take "
                         "the model r1gan")
    return a.to_dict()


def presence_of(images, strips: bool, of=ops):
    """How much of each pixel lies within the strip: (n, rows, columns, 1); 1 in beat rows.

    `of`: `keras.ops`, or numpy for arrays.
    """
    if not strips:
        return of.ones_like(images[..., :1])
    return of.clip((1 + images[..., -1:]) / 2, 0, 1)


def _components(centred, share):
    """Principal components that explain a share of the variance, times their scales: (k, d)."""
    variances, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred / len(centred))
    variances, axes = np.maximum(variances[::-1], 0), axes[:, ::-1].T
    explained = np.cumsum(variances) / max(variances.sum(), 1e-12)
    k = min(int(np.searchsorted(explained, share)) + 1, MOST, len(axes))
    # Eigenvectors have no sign of their own: the largest entry is positive.
    axes = axes[:k] * np.sign(axes[np.arange(k), np.abs(axes[:k]).argmax(1)])[:, None]
    return (axes * np.sqrt(np.maximum(variances[:k], 1e-12))[:, None]).astype(np.float32)


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
        beats, rows = self.sizes
        for name, shape in (("mean", (self.pixels,)), ("beats", (beats, self.pixels)),
                            ("rows", (rows, self.pixels)), ("rhythm", (3,))):
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
    """Images to what they say, in units of the training images' standard deviations.

    Gives [image (batch, k + m + 2), rows (batch, rows, m + 2), presence (batch, rows, 1)]. The
    first: k components of the mean beat, the mean RR interval, and logarithms of how much the m
    components and the RR intervals differ from row to row. Of each row: its m components, its RR
    interval less the mean one, and as it is; all 0 where the row is empty.
    """

    def call(self, images):
        leads, height = self.arrangement.leads, self.arrangement.rows
        present = presence_of(images, self.strips)
        share = ops.mean(present, axis=2)
        count = ops.maximum(ops.sum(present, axis=1, keepdims=True), 1.0)
        mean = ops.sum(images[..., :leads] * present, axis=1, keepdims=True) / count
        rows = ops.reshape((images[..., :leads] - mean) * present, (-1, height, self.pixels))
        rows = ops.matmul(rows, _inverse(self.rows))
        mean = ops.reshape(mean, (-1, self.pixels)) - self.mean
        mean = ops.matmul(mean, _inverse(self.beats))
        number = ops.maximum(ops.sum(share, axis=1), 1.0)
        usual, spread, own = self._rhythm(images[:, :, : self.arrangement.r_column, leads],
                                          self._known(present))
        spreads = 0.5 * ops.log(ops.sum(ops.square(rows), axis=1) / number + FAINT)
        return (ops.concatenate([mean, usual, spreads, spread], axis=-1),
                ops.concatenate([rows, own], axis=-1), share)

    def _known(self, present):
        """Which rows' RR intervals lie between two R peaks within the strip: (batch, rows, 1).

        Of those at its ends only the half is known, and the codec's guess tells that it is one.
        """
        inside = ops.stop_gradient(present[:, :, self.arrangement.r_column])
        first = inside[:, :1] * (0.0 if self.strips else 1.0)
        return inside * ops.concatenate([first, inside[:, :-1]], axis=1)

    def _rhythm(self, code, known):
        """The mean RR interval (batch, 1), the logarithm of their spread (batch, 1), and each
        row's less the mean one, and as it is (batch, rows, 2)."""
        center, within, between = self.rhythm[0], self.rhythm[1], self.rhythm[2]
        rr, number = ops.mean(code, axis=2)[..., None] - center, ops.sum(known, axis=1)
        number = ops.maximum(number, 1.0)
        usual = ops.sum(rr * known, axis=1) / number
        own = (rr - usual[:, None]) * known / within
        spread = 0.5 * ops.log(ops.sum(ops.square(own), axis=1) / number + FAINT)
        return usual / between, spread, ops.concatenate([own, rr * known / between], axis=-1)

    def compute_output_shape(self, input_shape):
        (n, height), (beats, rows) = input_shape[:2], self.sizes
        return (n, beats + rows + 2), (n, height, rows + 2), (n, height, 1)


@keras.saving.register_keras_serializable(package="ecg_tf")
class FromBeats(_Basis):
    """What `ToBeats` reads, made into images that the codec could have made.

    Takes [components of the mean beat (batch, k), of each row's difference (batch, rows, m), the
    logarithm of what each lead's differences are multiplied by (batch, leads), RR intervals in
    standard deviations between images (batch, rows + 1), where in its first row a strip begins
    (batch, 1), 0 to 1]. Where it ends follows from its RR intervals and its length.
    """

    def build(self, input_shapes):
        super().build(input_shapes)
        self.pixel_times = pixel_times_tf(self.arrangement)

    def call(self, inputs):
        mean, rows, gains, rr, begin = inputs
        a = self.arrangement
        code = ops.clip(rr * self.rhythm[2] + self.rhythm[0], -1.0, 1.0)
        mean = ops.reshape(self.mean + ops.matmul(mean, self.beats), (-1, 1, a.columns, a.leads))
        rows = ops.reshape(ops.matmul(rows, self.rows), (-1, a.rows, a.columns, a.leads))
        gains = ops.exp(ops.clip(gains, -3.0, 2.0))[:, None, None]
        signals = ops.clip(mean + gains * rows, -1.0, 1.0)
        if not self.strips:
            return ops.concatenate([signals, self._spread(code)], axis=-1)
        presence = self._presence(code, begin)
        # Without gradients: seen through the fading pixel, a strip's end would jump.
        signals = signals * fading(ops.stop_gradient(presence))
        used = ops.cast(ops.max(presence, axis=(2, 3)) > -1.0, "float32")
        # The interval behind the last used row is known, too: its R peak ends the row.
        known = ops.concatenate([ops.ones_like(used[:, :1]), used], axis=1)
        return ops.concatenate([signals, self._spread(code * known), presence], axis=-1)

    def _spread(self, code):
        """RR intervals (batch, rows + 1) at every pixel that lies in them."""
        return ops.take(code, self.arrangement.interval_columns, axis=1)[..., None]

    def _presence(self, code, begin):
        """As `BeatStrips.presence`, with gradients."""
        a = self.arrangement
        span = np.log(a.rr_max_s / a.rr_min_s)
        rr = a.fs * a.rr_min_s * ops.exp((code + 1) / 2 * span)
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


def _inverse(components):
    """(d, k): what gives the numbers whose sum of components is nearest; they are orthogonal."""
    return ops.transpose(components / ops.sum(ops.square(components), axis=1, keepdims=True))
