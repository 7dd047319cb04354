"""The end of a generator: it can only make images that the codec could have made.

`Codec.project` as layers, with gradients: one RR value between two beats, one range a window,
nothing beside a strip. (What a strip's RR intervals add up to is left to the codec.)
"""

import keras
import numpy as np
from keras import ops

from ecg_tf.base.errors import InputError


def projection_of(codec):
    """What has to be put after the output of a generator of this codec's images.

    Args:
        codec: `Codec`.

    Returns:
        function, images -> images of the same shape, made of Keras layers; None where every image
        is valid already.

    Example:
        >>> build_generator(codec.image_shape, projection=projection_of(codec))
    """
    channels, parts = codec.channels, []
    if "rr" in channels:
        parts.append(IntervalMean(codec.arrangement.r_column, channels.index("rr")))
    if "presence" in channels:
        parts.append(OnlyPresent(channels.count("signal"), channels.index("presence")))
    if "range" in channels:
        parts.append(HalfMean(channels.index("range")))

    def project(images):
        for layer in parts:
            images = layer(images)
        return images

    return project if parts else None


def fading(presence):
    """1 within a strip; pixels of which it has less than a sixteenth fade to 0."""
    return ops.clip(8.0 * (1.0 + presence), 0.0, 1.0)


class _Projection(keras.layers.Layer):
    """Images to images of the same shape, float32."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="ecg_tf")
class IntervalMean(_Projection):
    """Makes one channel constant over every interval between two R peaks, as in encoded beat rows.

    The R peak of each row stands in column `split_column`. Interval k is made of the columns from
    there on in row k-1 and the columns before it in row k; the first interval has only the head of
    row 0, the last only the tail of the last row. Each is replaced by its mean, so the generator
    can only make images that have one RR interval between two beats, as the codec's images do.

    Args:
        split_column: int, column of the R peak, 0 < split_column < width.
        channel: int, the channel that holds the RR interval, default -1 (the last).
    """

    def __init__(self, split_column, channel=-1, **kwargs):
        super().__init__(**kwargs)
        self.split_column, self.channel = int(split_column), int(channel)

    def build(self, input_shape):
        _, _, width, channels = input_shape
        if not 0 < self.split_column < width:
            raise InputError("IntervalMean has no such column to split rows at.",
                             expected=f"0 < split_column < {width}, the image's width",
                             got=self.split_column, fix="pass the column of the R peak")
        if not -channels <= self.channel < channels:
            raise InputError("IntervalMean has no such channel.",
                             expected=f"a channel of {channels}", got=self.channel,
                             fix="pass the channel that holds the RR interval")

    def call(self, images):
        _, height, width, channels = images.shape
        channel, split = self.channel % channels, self.split_column
        plane = ops.reshape(images[..., channel], (-1, height * width))
        # Read row after row, every interval but the first and the last is `width` pixels long.
        inner = split + (height - 1) * width
        pieces = (
            ops.reshape(plane[:, :split], (-1, 1, split)),
            ops.reshape(plane[:, split:inner], (-1, height - 1, width)),
            ops.reshape(plane[:, inner:], (-1, 1, width - split)),
        )
        means = [
            ops.reshape(ops.broadcast_to(ops.mean(piece, axis=2, keepdims=True), ops.shape(piece)),
                        (-1, piece.shape[1] * piece.shape[2]))
            for piece in pieces
            if piece.shape[1]
        ]
        mean = ops.reshape(ops.concatenate(means, axis=1), (-1, height, width, 1))
        return ops.concatenate([images[..., :channel], mean, images[..., channel + 1 :]], axis=-1)

    def get_config(self):
        own = {"split_column": self.split_column, "channel": self.channel}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="ecg_tf")
class OnlyPresent(_Projection):
    """Makes signals 0 where a channel says that nothing is, as in encoded beat strips.

    signal' = signal clip(8 (1 + presence), 0, 1), so that only pixels of which the strip has less
    than a sixteenth fade. A generator may then make its beat in every row alike, and says in one
    place where the strip ends. Without it, 1,200 steps of R1GAN on 306 strips of PTB-XL let the
    beats fade towards the last rows, which are empty more often than not.

    Args:
        leads: int, channels that hold signals, the first ones.
        channel: int, the channel that holds the presence, 1 for all to -1 for nothing.
    """

    def __init__(self, leads, channel, **kwargs):
        super().__init__(**kwargs)
        self.leads, self.channel = int(leads), int(channel)

    def call(self, images):
        presence = images[..., self.channel : self.channel + 1]
        share = fading(presence)
        return ops.concatenate([images[..., : self.leads] * share, images[..., self.leads :]],
                               axis=-1)

    def get_config(self):
        return {**super().get_config(), "leads": self.leads, "channel": self.channel}


@keras.saving.register_keras_serializable(package="ecg_tf")
class JoinRows(_Projection):
    """Makes signals go on smoothly from a row's end to the next row's start, as time does.

    The step from the last pixel of a row to the first of the next is made the mean of the steps
    beside it. What it was more than that is taken off in halves, along ramps over a quarter of the
    row on either side. For networks that make each row's noise and drift for itself.

    Args:
        leads: int, channels that hold signals, the first ones.
        strips: bool, the last channel says what is present: only present rows are joined.
    """

    def __init__(self, leads, strips, **kwargs):
        super().__init__(**kwargs)
        self.leads, self.strips = int(leads), bool(strips)

    def call(self, images):
        signals, rest = images[..., : self.leads], images[..., self.leads :]
        upper, lower = signals[:, :-1], signals[:, 1:]
        beside = upper[:, :, -1] - upper[:, :, -2] + lower[:, :, 1] - lower[:, :, 0]
        excess = lower[:, :, 0] - upper[:, :, -1] - beside / 2
        if self.strips:
            both = ops.minimum(images[:, :-1, -1, -1:], images[:, 1:, 0, -1:])
            excess = excess * ops.stop_gradient(ops.clip(both, 0, 1))
        half = excess[:, :, None] / 2
        change = self._ramp(images, True) * ops.pad(half, self._rows(0, 1))
        change = change - self._ramp(images, False) * ops.pad(half, self._rows(1, 0))
        if self.strips:
            change = ops.where(images[..., -1:] > -1, change, 0.0)
        return ops.concatenate([signals + change, rest], axis=-1)

    @staticmethod
    def _rows(above, below):
        return ((0, 0), (above, below), (0, 0), (0, 0))

    @staticmethod
    def _ramp(images, rising):
        width = images.shape[2]
        ramp = np.clip(1 - np.arange(width, dtype=np.float32) / (width // 4), 0, 1)
        return (ramp[::-1] if rising else ramp)[None, None, :, None]

    def get_config(self):
        return {**super().get_config(), "leads": self.leads, "strips": self.strips}


@keras.saving.register_keras_serializable(package="ecg_tf")
class HalfMean(_Projection):
    """Makes channels constant over the upper and over the lower half of the rows.

    There the codec puts the centre and the half-range of a window, one number each.

    Args:
        first: int, the first of the channels that hold a range; all behind it do too.
    """

    def __init__(self, first, **kwargs):
        super().__init__(**kwargs)
        self.first = int(first)

    def call(self, images):
        height, width = images.shape[1:3]
        parts = []
        for rows in (images[:, : height // 2, :, self.first :],
                     images[:, height // 2 :, :, self.first :]):
            mean = ops.mean(rows, axis=(1, 2), keepdims=True)
            parts.append(ops.broadcast_to(mean, ops.shape(rows)))
        return ops.concatenate([images[..., : self.first], ops.concatenate(parts, axis=1)], axis=-1)

    def get_config(self):
        return {**super().get_config(), "first": self.first}
