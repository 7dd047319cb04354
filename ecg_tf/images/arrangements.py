"""Where each sample goes in the image: arrangements by name, all of them exact but those by beats.

A fixed arrangement is a permutation: sample t of a lead always lies in the same pixel, so
encoding and decoding move numbers and change none. The order decides which samples are
neighbours in the image, and neighbours are what a convolution sees.
"""

from functools import cached_property

import numpy as np

from ecg_tf.base.checks import choice, count, known_keys
from ecg_tf.base.errors import InputError
from ecg_tf.images.beat_rows import BeatRows
from ecg_tf.images.beat_strips import BeatStrips

BEATS: dict[str, type[BeatRows]] = {kind.name: kind for kind in (BeatRows, BeatStrips)}
FITS = {
    "pad": "the rest of the image is 0",
    "tile": "the signal starts over until the image is full; decoded by the mean",
    "replicate": "each sample fills a block of pixels; decoded by the mean",
}
LARGEST_IMAGE = 2**24  # values in one image


class FixedArrangement:
    """A fixed path through the image; leads lie in channels of their own.

    Args:
        name: str, one of `PATHS`.
        height, width: int, pixels.
        leads: int. Default 1.
        length: int, samples a window; default: as many as the image holds.
        fit: str, what fills the image when the window is shorter, one of `FITS`. Default "pad".

    Raises:
        InputError: an unknown name, a shape the path cannot take, a window that is too long.

    Example:
        >>> arrangement = FixedArrangement("serpentine", 2, 3)
        >>> arrangement.encode(np.arange(6.0).reshape(1, 6, 1))[0, :, :, 0].tolist()
        [[0.0, 1.0, 2.0], [5.0, 4.0, 3.0]]
    """

    adaptive = False  # where a sample goes does not depend on the signal
    side_channels: tuple[str, ...] = ()  # every channel holds a signal
    cut_by = "strips"  # the function of `signals.windows` that cuts its windows
    options = ("height", "width", "leads", "length", "fit")

    def __init__(self, name, height, width, leads=1, length=None, fit="pad"):
        self.name = choice(name, "arrangement", PATHS)
        self.height = count(height, "height", 1, 4096)
        self.width = count(width, "width", 1, 4096)
        self.leads = count(leads, "leads", 1, 64)
        self.fit = choice(fit, "fit", FITS)
        if name == "rgb_leads" and leads != 3:
            raise InputError("The arrangement 'rgb_leads' draws three leads in colour.",
                             expected="3 leads", got=str(leads), fix="use three leads or row_major")
        lead_channels = channels_of_lead(name)
        self.image_shape = (self.height, self.width, self.leads * lead_channels)
        self.capacity = self.height * self.width * lead_channels
        if self.capacity * self.leads > LARGEST_IMAGE:
            raise InputError("The image is too large.", expected=f"{LARGEST_IMAGE} values at most",
                             got=f"{self.capacity * self.leads}", fix="take a smaller image")
        if isinstance(length, int) and length > self.capacity:
            raise InputError(f"The window does not fit into a {height} x {width} '{name}' image.",
                             expected=f"{self.capacity} samples at most", got=f"{length}",
                             fix="take a larger image, a shorter window or a lower fs")
        self.length = self.window_length = (
            self.capacity if length is None else count(length, "length", 1, self.capacity)
        )
        if name == "hilbert":
            _check_square(self.height, self.width)

    # Made when they are needed: a codec.json of a few bytes may speak of an immense image.

    @cached_property
    def _path(self) -> np.ndarray:
        return PATHS[self.name](self.height, self.width)

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
        channels = self.image_shape[2] // self.leads
        return np.ravel_multi_index(tuple(self._path.T), (self.height, self.width, channels))

    @cached_property
    def pixel_sample(self) -> np.ndarray:
        """Which sample lies in each pixel: the path seen from the image."""
        samples = np.empty(self.capacity, np.int64)
        samples[self._pixel] = self._source
        return samples

    def encode(self, signals, rpeaks=None, lengths=None) -> np.ndarray:
        """Signals to images.

        Args:
            signals: (window, time, lead) in [-1, 1], `window_length` samples.
            rpeaks: not needed here; taken so that all arrangements are called alike.
            lengths: (window,) valid samples; all must be whole.

        Returns:
            (window, height, width, channel) in the signals' dtype.
        """
        signals = np.asarray(signals)
        self.check(signals, rpeaks, lengths)
        signals = np.pad(signals, ((0, 0), (0, 1), (0, 0)))  # sample `length` is the padding
        images = signals[:, self.pixel_sample].reshape(
            len(signals), self.height, self.width, -1, self.leads
        )
        return np.swapaxes(images, 3, 4).reshape(len(signals), *self.image_shape)

    def decode(self, images) -> np.ndarray:
        """Images to signals: undoes `encode`, bit by bit.

        Args:
            images: (window, height, width, channel).

        Returns:
            (window, time, lead) in the images' dtype; copies of a sample are averaged.
        """
        signals = self._along_path(images)
        if self.fit == "pad":
            return signals[:, : self.length]
        # A mean of equal numbers is exact in float64, so these too come back bit by bit.
        return (self._sums(signals.astype(np.float64)) / self._copies).astype(signals.dtype)

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
        mean = self._sums(signals) / self._copies
        return float(((signals - mean[:, self._source]) ** 2).mean())

    def seams(self, rpeaks=None) -> np.ndarray:
        """Samples whose predecessor lies more than one pixel away (rows + columns).

        Args:
            rpeaks: not needed here; taken so that all arrangements are called alike.

        Returns:
            (seam,) int, rising; with copies, a break in any copy counts.
        """
        jump = np.abs(np.diff(self._path[:, :2], axis=0)).sum(axis=1) > 1
        follows = (np.diff(self._source) == 1) & (self._source[1:] < self.length)
        return np.unique(self._source[1:][jump & follows])

    def path(self, rpeaks=None) -> np.ndarray:
        """Where each sample lies, the first copy if there are several: (time, 3) int row,
        column, channel (of the first lead)."""
        first_round = self._source[: self.length if self.fit == "tile" else self.capacity]
        return self._path[np.searchsorted(first_round, np.arange(self.length))]

    def project(self, images) -> np.ndarray:
        """The nearest valid images: here every image is one."""
        return images

    def geometry(self, rpeaks=None, lengths=None) -> dict[str, np.ndarray]:
        """What the same arrangement in TensorFlow needs of windows: here nothing."""
        return {}

    def check(self, signals, rpeaks=None, lengths=None) -> None:
        """Refuses windows that do not fit; see `encode`."""
        whole = lengths is None or np.all(np.asarray(lengths) == self.length)
        if signals.ndim != 3 or signals.shape[1:] != (self.length, self.leads) or not whole:
            raise InputError(
                f"The windows do not fit the arrangement '{self.name}'.",
                expected=f"(window, {self.length}, {self.leads}), none of them shorter",
                got=f"shape {signals.shape}" + ("" if whole else f", shortest {min(lengths)}"),
                fix=f"cut strips of {self.length} samples, or give length= to the arrangement",
            )

    def to_dict(self) -> dict:
        """State as plain numbers and text, for JSON."""
        return {"name": self.name} | {key: getattr(self, key) for key in self.options}

    @classmethod
    def from_dict(cls, state: dict) -> "FixedArrangement":
        """Undoes `to_dict`; whatever is wrong in the state is refused with an InputError."""
        known_keys(state, ("name", *cls.options), "the arrangement's state")
        return cls(**state)

    def _along_path(self, images) -> np.ndarray:
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise InputError(
                f"The images do not fit the arrangement '{self.name}'.",
                expected=f"(window, {', '.join(map(str, self.image_shape))})",
                got=f"shape {images.shape}",
                fix="decode with the codec.json that was saved beside these images",
            )
        images = images.reshape(len(images), self.height, self.width, self.leads, -1)
        return np.swapaxes(images, 3, 4).reshape(len(images), -1, self.leads)[:, self._pixel]

    @property
    def _copies(self) -> np.ndarray:
        return np.bincount(self._source)[None, :, None]

    def _sums(self, signals) -> np.ndarray:
        order = np.argsort(self._source, kind="stable")
        starts = np.searchsorted(self._source[order], np.arange(self.length))
        return np.add.reduceat(signals[:, order], starts, axis=1)


def make_arrangement(name: str, height: int, width: int, leads: int = 1, **options):
    """An arrangement by name.

    Args:
        name: str, one of `ARRANGEMENTS`.
        height, width: int, pixels; for "beat_rows" and "beat_strips" beats and pixels a beat.
        leads: int. Default 1.
        options: `length`, `fit` for fixed ones; `fs`, `before`, `core_s`, `rr_min_s`, `rr_max_s`
            for those by beats, and `length` for "beat_strips".

    Returns:
        FixedArrangement, BeatRows or BeatStrips.

    Raises:
        InputError: unknown name or option.

    Example:
        >>> make_arrangement("rgb_planar", 32, 32).window_length
        3072
    """
    choice(name, "arrangement", ARRANGEMENTS)
    known = BEATS[name].options if name in BEATS else FixedArrangement.options
    for option in options:
        choice(option, f"option of '{name}'", known)
    if name in BEATS:
        return BEATS[name](height, width, leads, **options)
    return FixedArrangement(name, height, width, leads, **options)


def arrangement_from_dict(state: dict):
    """Undoes `to_dict` of any arrangement."""
    name = state.get("name") if isinstance(state, dict) else None
    choice(name, "arrangement", ARRANGEMENTS)
    return BEATS[name].from_dict(state) if name in BEATS else FixedArrangement.from_dict(state)


def channels_of_lead(name: str) -> int:
    """How many channels an arrangement gives each lead: 3 where it writes time into colours."""
    return 3 if name in ("rgb_interleaved", "rgb_planar", "rgb_tiles") else 1


def neighbour_correlation(images: np.ndarray) -> dict[str, float]:
    """How alike neighbouring pixels are: what an arrangement offers a convolution.

    Args:
        images: (window, height, width, channel); leave out channels that are no signal.

    Returns:
        dict: `vertical`, `horizontal` Pearson correlation, mean over channels; NaN for images
        that do not vary.
    """
    images = np.asarray(images, np.float64)

    def correlation(first, second):
        first = first.reshape(-1, first.shape[-1]) - first.mean(axis=(0, 1, 2))
        second = second.reshape(-1, second.shape[-1]) - second.mean(axis=(0, 1, 2))
        norm = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
        with np.errstate(invalid="ignore"):
            return float(((first * second).sum(axis=0) / norm).mean())

    return {
        "vertical": correlation(images[:, :-1], images[:, 1:]),
        "horizontal": correlation(images[:, :, :-1], images[:, :, 1:]),
    }


def _rows(height: int, width: int) -> np.ndarray:
    row, column = np.divmod(np.arange(height * width), width)
    return np.stack([row, column, 0 * row], -1)


def _columns(height: int, width: int) -> np.ndarray:
    return _rows(width, height)[:, [1, 0, 2]]


def _serpentine(height: int, width: int) -> np.ndarray:
    path = _rows(height, width)
    back = path[:, 0] % 2 == 1
    path[back, 1] = width - 1 - path[back, 1]
    return path


def _check_square(height: int, width: int) -> None:
    if height != width or height & (height - 1):
        raise InputError("A Hilbert curve needs a square image.", got=f"{height} x {width}",
                         expected="height = width = a power of two", fix="take 32 x 32 or 64 x 64")


def _hilbert(height: int, width: int) -> np.ndarray:
    # Each round draws four copies of the curve so far, the outer two mirrored at a diagonal.
    x = y = np.zeros(1, np.int64)
    size = 1
    while size < height:
        x, y = (np.concatenate([y, x, x + size, 2 * size - 1 - y]),
                np.concatenate([x, y + size, y + size, size - 1 - x]))
        size *= 2
    return np.stack([y, x, 0 * x], -1)


def _interleaved(height: int, width: int) -> np.ndarray:
    path = np.repeat(_rows(height, width), 3, axis=0)
    path[:, 2] = np.tile(np.arange(3), height * width)
    return path


def _planar(height: int, width: int) -> np.ndarray:
    path = np.tile(_rows(height, width), (3, 1))
    path[:, 2] = np.repeat(np.arange(3), height * width)
    return path


def _tiles(height: int, width: int) -> np.ndarray:
    # Three small RGB images side by side, one stretch each; widths differ by a pixel at most.
    borders = np.linspace(0, width, 4).round().astype(int)
    tiles = [_interleaved(height, b - a) + [0, a, 0] for a, b in zip(borders, borders[1:],
                                                                     strict=False)]
    return np.concatenate(tiles)


PATHS = {
    "row_major": _rows,
    "column_major": _columns,
    "serpentine": _serpentine,
    "hilbert": _hilbert,
    "rgb_interleaved": _interleaved,
    "rgb_leads": _rows,
    "rgb_planar": _planar,
    "rgb_tiles": _tiles,
}
ARRANGEMENTS = {
    "row_major": "row after row",
    "column_major": "column after column",
    "serpentine": "row after row, every other one from right to left: no jumps",
    "hilbert": "a Hilbert curve: neighbours in time stay near in both directions",
    "rgb_interleaved": "three consecutive samples in the colours of one pixel",
    "rgb_leads": "three leads as red, green and blue",
    "rgb_planar": "three consecutive stretches as red, green and blue",
    "rgb_tiles": "three RGB images side by side, one stretch each, interleaved within",
    "beat_rows": "one beat a row, R peaks below each other; needs R peaks, loses a little",
    "beat_strips": "one beat a row, a whole strip of fixed length; the other rows are empty",
}
