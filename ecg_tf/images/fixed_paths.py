"""Arrangements along a fixed path: sample t of a lead always lies in the same pixel.

Encoding and decoding move numbers and change none. The order decides which samples are neighbours
in the image, and neighbours are what a convolution sees.
"""

from abc import abstractmethod
from functools import cached_property

import numpy as np

from ecg_tf.base.checks import choice, count
from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangement import Arrangement

FITS = {
    "pad": "the rest of the image is 0",
    "tile": "the signal starts over until the image is full; decoded by the mean",
    "replicate": "each sample fills a block of pixels; decoded by the mean",
}
LARGEST_IMAGE = 2**24  # values in one image


class FixedArrangement(Arrangement):
    """A fixed path through the image; leads lie in channels of their own.

    Subclasses have `name`, `text` and `route`.

    Args:
        height, width: int, pixels.
        leads: int. Default 1.
        length: int, samples a window; default: as many as the image holds.
        fit: str, what fills the image when the window is shorter, one of `FITS`. Default "pad".

    Raises:
        InputError: a shape the path cannot take, a window that is too long.

    Example:
        >>> Serpentine(2, 3).encode(np.arange(6.0).reshape(1, 6, 1))[0, :, :, 0].tolist()
        [[0.0, 1.0, 2.0], [5.0, 4.0, 3.0]]
    """

    options = ("height", "width", "leads", "length", "fit")

    def __init__(self, height, width, leads=1, length=None, fit="pad"):
        self.height = count(height, "height", 1, 4096)
        self.width = count(width, "width", 1, 4096)
        self.leads = count(leads, "leads", 1, 64)
        if self.lead_count not in (None, leads):
            raise InputError(f"The arrangement '{self.name}' is for {self.lead_count} leads.",
                             expected=f"{self.lead_count} leads", got=str(leads),
                             fix=f"use {self.lead_count} leads or row_major")
        self.fit = choice(fit, "fit", FITS)
        self.image_shape = (self.height, self.width, self.leads * self.lead_channels)
        self.capacity = self.samples(self.height, self.width)
        if self.capacity * self.leads > LARGEST_IMAGE:
            raise InputError("The image is too large.", expected=f"{LARGEST_IMAGE} values at most",
                             got=f"{self.capacity * self.leads}", fix="take a smaller image")
        if isinstance(length, int) and length > self.capacity:
            raise InputError(
                f"The window does not fit into a {height} x {width} '{self.name}' image.",
                expected=f"{self.capacity} samples at most", got=f"{length}",
                fix="take a larger image, a shorter window or a lower fs")
        self.length = self.window_length = (
            self.capacity if length is None else count(length, "length", 1, self.capacity)
        )

    @staticmethod
    @abstractmethod
    def route(height: int, width: int) -> np.ndarray:
        """The path: (sample, 3) int row, column, channel, every pixel once."""

    def encode(self, signals, rpeaks=None, lengths=None) -> np.ndarray:
        """See `Arrangement.encode`; in the signals' dtype."""
        signals = np.asarray(signals)
        self.check(signals, rpeaks, lengths)
        signals = np.pad(signals, ((0, 0), (0, 1), (0, 0)))  # sample `length` is the padding
        images = signals[:, self.pixel_sample].reshape(len(signals), self.height, self.width, -1,
                                                       self.leads)
        return np.swapaxes(images, 3, 4).reshape(len(signals), *self.image_shape)

    def decode(self, images) -> np.ndarray:
        """Undoes `encode`, bit by bit; copies of a sample are averaged."""
        signals = self._along_path(images)
        if self.fit == "pad":
            return signals[:, : self.length]
        # A mean of equal numbers is exact in float64, so these too come back bit by bit.
        return self._means(signals.astype(np.float64)).astype(signals.dtype)

    def encode_tf(self):
        """See `Arrangement.encode_tf`."""
        import tensorflow as tf

        pixel_sample, (height, width, channels) = tf.constant(self.pixel_sample), self.image_shape

        def arrange(values, inputs):
            values = tf.pad(values, [[0, 0], [0, 1], [0, 0]])  # sample `length` is the padding
            images = tf.gather(values, pixel_sample, axis=1)
            images = tf.reshape(images, [-1, height, width, channels // self.leads, self.leads])
            images = tf.transpose(images, [0, 1, 2, 4, 3])
            return [tf.reshape(images, [-1, height, width, channels])]

        return arrange

    def tile_variance(self, images) -> float:
        """Mean variance among the copies of a sample: 0 for encoded images, more for generated.

        Args:
            images: (window, height, width, channel).

        Returns:
            float; 0 where no sample has a copy ("pad").
        """
        if self.fit == "pad":
            return 0.0
        signals = self._along_path(images).astype(np.float64)
        return float(((signals - self._means(signals)[:, self._source]) ** 2).mean())

    def seams(self, rpeaks=None) -> np.ndarray:
        """(seam,) int, rising; with copies, a break in any copy counts."""
        jump = np.abs(np.diff(self._path[:, :2], axis=0)).sum(axis=1) > 1
        follows = (np.diff(self._source) == 1) & (self._source[1:] < self.length)
        return np.unique(self._source[1:][jump & follows])

    def path(self, rpeaks=None) -> np.ndarray:
        """(time, 3) int row, column, channel of the first lead; the first copy of several."""
        first_round = self._source[: self.length if self.fit == "tile" else self.capacity]
        return self._path[np.searchsorted(first_round, np.arange(self.length))]

    def check(self, signals, rpeaks=None, lengths=None) -> None:
        """See `Arrangement.check`."""
        whole = lengths is None or np.all(np.asarray(lengths) == self.length)
        if signals.ndim != 3 or signals.shape[1:] != (self.length, self.leads) or not whole:
            raise InputError(
                f"The windows do not fit the arrangement '{self.name}'.",
                expected=f"(window, {self.length}, {self.leads}), none of them shorter",
                got=f"shape {signals.shape}" + ("" if whole else f", shortest {min(lengths)}"),
                fix=f"cut strips of {self.length} samples, or give length= to the arrangement",
            )

    # Made when they are needed: a codec.json of a few bytes may speak of an immense image.

    @cached_property
    def _path(self) -> np.ndarray:
        return self.route(self.height, self.width)

    @cached_property
    def _source(self) -> np.ndarray:
        """Sample at each position of the path; `length` stands for "none"."""
        position = np.arange(self.capacity)
        if self.fit == "pad":
            return np.minimum(position, self.length)
        if self.fit == "tile":
            return position % self.length
        return position * self.length // self.capacity

    @cached_property
    def _pixel(self) -> np.ndarray:
        shape = (self.height, self.width, self.lead_channels)
        return np.ravel_multi_index(tuple(self._path.T), shape)

    @cached_property
    def pixel_sample(self) -> np.ndarray:
        """Which sample lies in each pixel: the path seen from the image."""
        samples = np.empty(self.capacity, np.int64)
        samples[self._pixel] = self._source
        return samples

    def _along_path(self, images) -> np.ndarray:
        images = self._checked(images)
        images = images.reshape(len(images), self.height, self.width, self.leads, -1)
        return np.swapaxes(images, 3, 4).reshape(len(images), -1, self.leads)[:, self._pixel]

    def _means(self, signals) -> np.ndarray:
        order = np.argsort(self._source, kind="stable")
        starts = np.searchsorted(self._source[order], np.arange(self.length))
        sums = np.add.reduceat(signals[:, order], starts, axis=1)
        return sums / np.bincount(self._source)[None, :, None]


# The paths


class RowMajor(FixedArrangement):
    name, text = "row_major", "row after row"

    @staticmethod
    def route(height, width):
        row, column = np.divmod(np.arange(height * width), width)
        return np.stack([row, column, 0 * row], -1)


class ColumnMajor(FixedArrangement):
    name, text = "column_major", "column after column"

    @staticmethod
    def route(height, width):
        return RowMajor.route(width, height)[:, [1, 0, 2]]


class Serpentine(FixedArrangement):
    name = "serpentine"
    text = "row after row, every other one from right to left: no jumps"

    @staticmethod
    def route(height, width):
        path = RowMajor.route(height, width)
        back = path[:, 0] % 2 == 1
        path[back, 1] = width - 1 - path[back, 1]
        return path


class Hilbert(FixedArrangement):
    name = "hilbert"
    text = "a Hilbert curve: neighbours in time stay near in both directions"

    def __init__(self, height, width, *options, **named):
        super().__init__(height, width, *options, **named)
        if height != width or height & (height - 1):
            raise InputError("A Hilbert curve needs a square image.", got=f"{height} x {width}",
                             expected="height = width = a power of two",
                             fix="take 32 x 32 or 64 x 64")

    @staticmethod
    def route(height, width):
        # Each round joins four copies of the curve so far, the outer two mirrored at a diagonal.
        x = y = np.zeros(1, np.int64)
        size = 1
        while size < height:
            x, y = (np.concatenate([y, x, x + size, 2 * size - 1 - y]),
                    np.concatenate([x, y + size, y + size, size - 1 - x]))
            size *= 2
        return np.stack([y, x, 0 * x], -1)


class RgbInterleaved(FixedArrangement):
    name, text = "rgb_interleaved", "three consecutive samples in the colours of one pixel"
    lead_channels = 3

    @staticmethod
    def route(height, width):
        path = np.repeat(RowMajor.route(height, width), 3, axis=0)
        path[:, 2] = np.tile(np.arange(3), height * width)
        return path


class RgbLeads(RowMajor):
    name, text = "rgb_leads", "three leads as red, green and blue"
    lead_count = 3

    @classmethod
    def image_leads(cls, leads):
        """Three leads stay three, whether one follows from the others or not."""
        return leads if len(leads) == cls.lead_count else super().image_leads(leads)


class RgbPlanar(FixedArrangement):
    name, text = "rgb_planar", "three consecutive stretches as red, green and blue"
    lead_channels = 3

    @staticmethod
    def route(height, width):
        path = np.tile(RowMajor.route(height, width), (3, 1))
        path[:, 2] = np.repeat(np.arange(3), height * width)
        return path


class RgbTiles(FixedArrangement):
    name = "rgb_tiles"
    text = "three RGB images side by side, one stretch each, interleaved within"
    lead_channels = 3

    @staticmethod
    def route(height, width):
        borders = np.linspace(0, width, 4).round().astype(int)  # widths differ by a pixel at most
        tiles = [RgbInterleaved.route(height, b - a) + [0, a, 0]
                 for a, b in zip(borders, borders[1:], strict=False)]
        return np.concatenate(tiles)
