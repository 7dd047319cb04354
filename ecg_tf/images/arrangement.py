"""What every arrangement can do: one protocol for codec, tf.data, records and figures."""

from abc import ABC, abstractmethod

import numpy as np

from ecg_tf.base.checks import known_keys
from ecg_tf.base.errors import InputError
from ecg_tf.signals import cutting
from ecg_tf.signals.limb_leads import independent_leads
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.windows import Windows

ROWS = 32  # of an image whose height is not given


class Arrangement(ABC):
    """Which sample of a window goes into which pixel of its image, and back.

    A new one is a subclass, entered in `arrangements.ARRANGEMENTS` under its name; nothing else
    asks for it by name. It sets the class attributes and, in `__init__`, `leads`, `image_shape`
    (height, width, channel) and `window_length` (samples, or None where windows differ). It has
    `encode`, `decode`, `encode_tf`, `seams`, `path` and `check`.

    Class attributes:
        name: what experiment files call it.
        text: what it does, in a phrase.
        cut_by: function of `signals.cutting` that cuts its windows: "strips", "beat_sequences" or
            "beat_strips"; see `cut`.
        by_beats: whether places depend on R peaks; then the size may be left to the records.
        lead_channels: channels of the image that one lead takes.
        lead_count: the number of leads it is for; None for any.
        side_channels: what the channels behind those of the leads hold.
        options: arguments of `__init__`, which are the state in JSON.
    """

    name = ""
    text = ""
    cut_by = "strips"
    by_beats = False
    lead_channels = 1
    lead_count: int | None = None
    side_channels: tuple[str, ...] = ()
    options: tuple[str, ...] = ("height", "width", "leads")

    leads: int
    image_shape: tuple[int, int, int]
    window_length: int | None

    @abstractmethod
    def encode(self, signals, rpeaks=None, lengths=None) -> np.ndarray:
        """Signals to images.

        Args:
            signals: (window, time, lead) in [-1, 1].
            rpeaks: (window, n) R peaks, samples from the window's start; only where `by_beats`.
            lengths: (window,) valid samples. Default: all.

        Returns:
            (window, *image_shape) float32 in [-1, 1].

        Raises:
            InputError: windows that do not fit, see `check`.
        """

    @abstractmethod
    def decode(self, images) -> np.ndarray:
        """Images to signals: undoes `encode`. Any finite values are taken.

        Args:
            images: (window, *image_shape).

        Returns:
            (window, time, lead); windows shorter than the longest end in NaN.

        Raises:
            InputError: images of another shape.
        """

    @abstractmethod
    def encode_tf(self):
        """`encode` as TensorFlow operations: a function (values (batch, time, lead) float32 tensor,
        inputs: dict of tensors, among them `geometry`) -> list of tensors (batch, height, width,
        channel), the leads first; side by side they are the image."""

    @abstractmethod
    def seams(self, rpeaks=None) -> np.ndarray:
        """Samples whose predecessor lies more than one pixel away: (seam,) or (window, seam) int.
        -1 stands for none."""

    @abstractmethod
    def path(self, rpeaks=None) -> np.ndarray:
        """Where each sample of one window lies: (time, 3) row, column, channel."""

    @abstractmethod
    def check(self, signals, rpeaks=None, lengths=None) -> None:
        """Refuses windows that do not fit with an InputError; see `encode`."""

    # What follows holds for most.

    def project(self, images) -> np.ndarray:
        """The nearest images that `encode` can give; here every image is one."""
        return images

    def geometry(self, rpeaks, lengths) -> dict[str, np.ndarray]:
        """What `encode_tf` needs of windows beside their signals, one row a window."""
        return {}

    def rpeaks(self, images) -> np.ndarray | None:
        """R peaks that images hold: (window, n) samples from the decoded window's start."""
        return None

    def lengths(self, rpeaks) -> np.ndarray:
        """Samples of decoded windows with these R peaks: (window,) int."""
        return np.full(len(rpeaks), self.window_length)

    @classmethod
    def cut(cls, records, height: int, width: int, seconds: float = 0.0, overlap: float = 0.0,
            quality: Quality | None = None) -> Windows:
        """Cuts windows that fill one image each.

        Args:
            records: `Prepared` records of one rate.
            height, width: int, of the image.
            seconds: float, s, of a window, where the size of the image does not decide about it.
            overlap: float, share of a window that it has in common with the next, 0 to 0.99.
            quality: what is kept and dropped. None: a new one.
        """
        length = cls.samples(height, width)
        return cutting.strips(records, length, step_of(length, overlap), quality)

    @classmethod
    def image_leads(cls, leads: tuple[str, ...]) -> tuple[str, ...]:
        """The leads that get channels: all but the limb leads that follow from others."""
        return independent_leads(leads)

    @classmethod
    def samples(cls, height: int, width: int) -> int:
        """Samples of a lead that an image of this size holds."""
        return height * width * cls.lead_channels

    @classmethod
    def facts_of(cls, windows: Windows) -> dict:
        """Options that windows decide about."""
        facts = {"fs": float(windows.fs), "length": int(windows.signals.shape[1])}
        return {key: value for key, value in facts.items() if key in cls.options}

    @classmethod
    def height_of(cls, windows: Windows) -> int:
        """Height of an image that is left to the windows."""
        return ROWS

    def to_dict(self) -> dict:
        """State as plain numbers and text, for JSON."""
        return {"name": self.name} | {key: getattr(self, key) for key in self.options}

    @classmethod
    def from_dict(cls, state: dict):
        """Undoes `to_dict`; whatever is wrong in the state is refused with an InputError."""
        known_keys(state, ("name", *cls.options), "the arrangement's state")
        return cls(**{key: state[key] for key in cls.options})

    def _checked(self, images) -> np.ndarray:
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise InputError(f"The images do not fit the arrangement '{self.name}'.",
                             expected=f"(window, {', '.join(map(str, self.image_shape))})",
                             got=f"shape {images.shape}",
                             fix="decode with the codec.json that was saved beside these images")
        return images


def step_of(size: int, overlap: float) -> int:
    """From one window to the next, for windows of this size that overlap by a share."""
    return max(1, round(size * (1 - overlap)))
