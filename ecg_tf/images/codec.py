"""Preparation, scaling and arrangement as one thing: ECGs to images and back, from one JSON file.

Images and codec.json decode alone: whatever differs from window to window (RR intervals, the
range of "record" and "window") lies in channels of the image. Limb leads that follow from others
have no channels: decoding computes them.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import choice, count, names, number
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.images import image_leads as channels_of
from ecg_tf.images.arrangement import Arrangement
from ecg_tf.images.arrangements import ARRANGEMENTS, arrangement_from_dict, make_arrangement
from ecg_tf.images.codec_file import FORMAT, VERSION, checked_state, parsed, read
from ecg_tf.images.fitting import ImageSettings, fit_to_records
from ecg_tf.images.quantize import on_grid
from ecg_tf.images.round_trip import round_trip_error, same
from ecg_tf.images.scaling import PER_WINDOW, Standardizer
from ecg_tf.records.record import Record
from ecg_tf.signals.limb_leads import all_leads
from ecg_tf.signals.preparation import Preparation
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.windows import Windows, finite_signals

_FITTED = ("standardizer", "arrangement", "fs", "leads", "image_leads")


class Codec:
    """ECGs in mV to images in [-1, 1] and back; fit it on those of the training subjects.

    Channels: the arrangement's (signal, then RR for beat rows, RR and presence for beat strips),
    then for the scalings "record" and "window" one a lead, whose upper half holds the centre of
    the range, the lower half its width.

    Args:
        arrangement: str, one of `ARRANGEMENTS`. Default "beat_rows".
        scaling: str, one of `scaling.SCALINGS`. Default "companded".
        height: int, pixels, for arrangements by beats a beat each; 0 (default): as many as the
            windows have beats, else 32; of records see `fitting.fit_to_records`.
        width: int, pixels. Default 64.
        derive: bool, compute limb leads from others instead of giving them channels, so that
            twelve leads have eight. Default None: where they agree in the windows.
        preparation: `Preparation` of records. Default: `Preparation()`.
        options: further options of `Standardizer` (`quantiles`, `limits_mv`, `knee_mv`,
            `quantization`) and of the arrangement (such as `fit`).

    Once fitted it has `standardizer`, `arrangement`, `fs` (Hz), `leads` (names of those that go in
    and come out) and `image_leads` (those of them that have channels).

    Raises:
        InputError: an unknown name or option, an impossible number.

    Example:
        >>> train, validation, test = load("simulated").split(seed=1)
        >>> codec = Codec("beat_rows").fit(train)
        >>> decoded = codec.decode(codec.encode(test))
    """

    standardizer: Standardizer
    arrangement: Arrangement
    fs: float
    leads: tuple[str, ...]
    image_leads: tuple[str, ...]  # these are set by `fit`

    def __init__(self, arrangement: str = "beat_rows", *, scaling: str = "companded",
                 height: int = 0, width: int = 64, derive: bool | None = None,
                 preparation: Preparation | None = None, **options):
        self.kind = ARRANGEMENTS[choice(arrangement, "arrangement", ARRANGEMENTS)]
        self.height, self.width = count(height, "height", 0, 4096), count(width, "width", 1, 4096)
        self.derive, self.preparation = derive, preparation
        for option in options:
            choice(option, "option of a codec", (*Standardizer.options, *self.kind.options))
        own = {key: options.pop(key) for key in Standardizer.options if key in options}
        self._unfitted, self._options = Standardizer(scaling, **own), options

    def fit(self, windows: Windows | Iterable[Record]) -> "Codec":
        """Learns fs, leads and the range of each lead.

        Args:
            windows: `Windows` of the training subjects only, else the range leaks the others; or
                their records, such as `ECGs`, which are prepared and cut first.

        Returns:
            itself. InputError if there are none, or the image cannot hold them.
        """
        height = self.height
        if not isinstance(windows, Windows):
            records = list(windows)
            settings = fit_to_records(ImageSettings(
                **vars(self.preparation or Preparation()), arrangement=self.kind.name,
                height=height, width=self.width), records)
            self.preparation, height = Preparation.of(settings), settings.height
            windows = self._cut(records, height, self.width)
        leads = tuple(windows.leads)
        derive = channels_of.agree(windows.signals, leads) if self.derive is None else self.derive
        image_leads = self.kind.image_leads(leads) if derive else leads
        windows = channels_of.pick_leads(windows, image_leads)
        options = {**self.kind.facts_of(windows), **self._options}
        height = height or self.kind.height_of(windows)
        made = make_arrangement(self.kind.name, height, self.width, len(image_leads), **options)
        return self._assemble(self._unfitted.fit(windows), made, None, leads, image_leads)

    @classmethod
    def of(cls, standardizer: Standardizer, arrangement: Arrangement, fs=None, leads=None,
           image_leads=None) -> "Codec":
        """A codec of parts that are fitted; InputError if they do not fit together.

        Args:
            standardizer, arrangement: fitted `Standardizer` and `Arrangement`.
            fs, leads: Hz and names. Default: as the standardizer was fitted.
            image_leads: those with channels; the others must follow from these, as III does from
                I and II. Default: all.
        """
        return cls(arrangement.name)._assemble(standardizer, arrangement, fs, leads, image_leads)

    def _assemble(self, standardizer, arrangement, fs, leads, image_leads) -> "Codec":
        fs = standardizer.fs if fs is None else fs
        leads = standardizer.leads if leads is None else leads
        if fs is None or leads is None:
            raise InputError("The codec does not know fs and leads.", got="neither",
                             expected="a standardizer fitted on windows",
                             fix="call standardizer.fit(windows), or give fs= and leads=")
        self.standardizer, self.arrangement = standardizer, arrangement
        self.fs, self.leads = number(fs, "fs", 1e-3, 1e6), names(leads, "leads")
        self.image_leads = channels_of.checked_image_leads(
            self.leads if image_leads is None else image_leads, self.leads)
        same("leads", len(self.image_leads), arrangement.leads)
        if arrangement.by_beats:
            same("Hz", self.fs, arrangement.fs)
        if standardizer.scaling in PER_WINDOW and arrangement.image_shape[0] < 2:
            raise InputError(f"The scaling '{standardizer.scaling}' needs two rows.",
                             expected="an image 2 pixels high or more", got="1",
                             fix="take a higher image or another scaling")
        standardizer.error_bound_mv()  # an unfitted one fails here, not at the first window
        return self

    def __getattr__(self, name):
        if name in _FITTED:
            raise InputError("The codec is not fitted yet.", expected="a fitted codec",
                             got="one that never saw training windows",
                             fix="call codec.fit(training_windows) first")
        raise AttributeError(name)

    @property
    def channels(self) -> tuple[str, ...]:
        """What each channel of an image holds: "signal", "rr", "presence" or "range"."""
        side = self.arrangement.side_channels
        signals = self.arrangement.image_shape[2] - len(side)
        ranges = len(self.image_leads) if self.standardizer.scaling in PER_WINDOW else 0
        return ("signal",) * signals + side + ("range",) * ranges

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channel)."""
        return (*self.arrangement.image_shape[:2], len(self.channels))

    @property
    def window_length(self) -> int | None:
        """Samples a window; None where windows vary."""
        return self.arrangement.window_length

    @property
    def rows(self) -> int | None:
        """Rows of beats, for arrangements by beats; else None."""
        return getattr(self.arrangement, "rows", None)

    def windows_of(self, records: Iterable[Record], quality: Quality | None = None) -> Windows:
        """Windows of raw records, prepared and cut as the codec knows it; see `Arrangement.cut`."""
        if self.preparation is None:
            raise InputError("The codec does not know how its windows were prepared.",
                             expected="a codec that was fitted on records", got="windows alone",
                             fix="give windows instead, or fit the codec on records")
        return self._cut(list(records), *self.image_shape[:2], quality)

    def encode(self, windows: Windows | Iterable[Record]) -> np.ndarray:
        """ECGs to images.

        Args:
            windows: `Windows` of the codec's fs and leads; or records, which go to `windows_of`.

        Returns:
            (window, height, width, channel) float32 in [-1, 1].
        """
        windows = windows if isinstance(windows, Windows) else self.windows_of(windows)
        windows = self.image_windows(windows)
        self.check(windows)
        code = self.standardizer.range_code(windows)
        values = self.standardizer.scale(windows.signals, code)
        images = self.arrangement.encode(values, windows.rpeaks, windows.lengths)
        signal = self.channels.count("signal")
        images[..., :signal] = on_grid(images[..., :signal], self.standardizer.quantization)
        if code is None:
            return images
        return np.concatenate([images, channels_of.range_image(code, *self.image_shape[:2])], -1)

    def decode(self, images: np.ndarray) -> Windows:
        """Images to windows: undoes `encode`, within `error_bound_mv` (beat rows: see there).

        Args:
            images: (window, height, width, channel); generated ones too.

        Returns:
            Windows in mV, all `leads`, without subjects and records; by beats with R peaks. Windows
            of beat rows start at the first cut. Limb leads that have no channel are sums of those
            that have, rounded to float32: exact within 1.2e-7 mV up to 2 mV.

        Raises:
            InputError: another shape, or NaN or inf (a generator that diverged).
        """
        images = self._checked(images)
        inner = self.arrangement.image_shape[2]
        values = self.arrangement.decode(images[..., :inner])
        code = channels_of.read_range(images[..., inner:]) if "range" in self.channels else None
        signals = self.standardizer.inverse_transform(values, code).astype(np.float32)
        signals = all_leads(signals, self.image_leads, self.leads)
        rpeaks = self.arrangement.rpeaks(images[..., :inner])
        lengths = self.arrangement.lengths(images if rpeaks is None else rpeaks)
        blank = np.full(len(images), "")
        return Windows(signals, self.fs, self.leads, lengths, blank, blank,
                       np.zeros(len(images), np.int64), rpeaks)

    def project(self, images: np.ndarray) -> np.ndarray:
        """The nearest valid images; they decode to the same windows."""
        images = self._checked(images)
        inner = self.arrangement.image_shape[2]
        projected = self.arrangement.project(images[..., :inner])
        if "range" not in self.channels:
            return projected
        code = channels_of.read_range(images[..., inner:])
        ranges = channels_of.range_image(code, *self.image_shape[:2])
        return np.concatenate([projected, ranges.astype(images.dtype)], -1)

    # Losses

    def round_trip_error(self, windows: Windows) -> dict:
        """Measured error of encode and decode, see `round_trip.round_trip_error`."""
        return round_trip_error(self, windows)

    def report(self, windows: Windows) -> dict:
        """Losses by scaling on these windows: `Standardizer.report` of the image's leads."""
        return self.standardizer.report(self.image_windows(windows))

    def error_bound_mv(self) -> np.ndarray | None:
        """Largest error within the range, the float32 of the decoded mV included: (lead,) mV.

        Computed limb leads have the sum of the bounds of those they are computed from. None by
        beats: there the error depends on the signal and is measured, not bounded.
        """
        if self.arrangement.by_beats:
            return None
        largest = self.standardizer.largest_mv(len(self.image_leads))
        bound = self.standardizer.error_bound_mv() + largest * 2.0**-24
        return channels_of.bound_of_all(bound, largest, self.image_leads, self.leads)

    # What fits

    def image_windows(self, windows: Windows) -> Windows:
        """The windows with the leads of the image alone; they have these, or all of the codec."""
        if tuple(windows.leads) != self.image_leads:
            same("leads", tuple(windows.leads), self.leads)
        return channels_of.pick_leads(windows, self.image_leads)

    def check(self, windows: Windows) -> None:
        """Refuses windows that cannot be encoded: another fs or lead, gaps, another length."""
        same("Hz", float(windows.fs), self.fs)
        windows = self.image_windows(windows)
        if self.arrangement.by_beats and windows.rpeaks is None:
            raise InputError("Beat rows need R peaks.", expected="windows with rpeaks", got="none",
                             fix=f"cut windows with cutting.{self.arrangement.cut_by}")
        signals = finite_signals(windows)
        self.arrangement.check(signals, windows.rpeaks, windows.lengths)

    # Files

    def to_dict(self) -> dict:
        """State as plain numbers, lists and text, for JSON."""
        return {"format": FORMAT, "version": VERSION, "fs": self.fs, "leads": list(self.leads),
                "image_leads": list(self.image_leads),
                "standardizer": self.standardizer.to_dict(),
                "arrangement": self.arrangement.to_dict(),
                "preparation": self.preparation and vars(self.preparation).copy()}

    @classmethod
    def from_dict(cls, state: dict) -> "Codec":
        """Undoes `to_dict`, of this version or the one before; InputError for a wrong state."""
        state = checked_state(state)
        made = cls.of(Standardizer.from_dict(state["standardizer"]),
                      arrangement_from_dict(state["arrangement"]), state["fs"], state["leads"],
                      state["image_leads"])
        if state["preparation"] is not None:
            made.preparation = Preparation.from_dict(state["preparation"])
        return made

    @classmethod
    def from_json(cls, text: str | bytes) -> "Codec":
        """A codec from the text of its codec.json; refused with an InputError if it is none."""
        return cls.from_dict(parsed(text))

    def save(self, path) -> Path:
        """Writes codec.json, whole or not at all."""
        return write_whole(path, json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path) -> "Codec":
        """Undoes `save`; InputError if the file is missing, too large or no codec."""
        return cls.from_json(read(path))

    def _cut(self, records, height: int, width: int, quality=None) -> Windows:
        how: Preparation = self.preparation  # type: ignore[assignment]  # who calls has one
        return self.kind.cut(how.clean(records), height, width, how.window_seconds, how.overlap,
                             quality)

    def _checked(self, images) -> np.ndarray:
        images = np.asarray(images)
        images = images if images.dtype.kind == "f" else images.astype(np.float32)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise InputError("The images do not fit the codec.",
                             expected=f"(window, {', '.join(map(str, self.image_shape))})",
                             got=f"shape {images.shape}",
                             fix="decode with the codec.json saved beside these images")
        if not np.isfinite(images).all():
            raise InputError("The images hold NaN or inf.", expected="finite values in [-1, 1]",
                             got=f"{int((~np.isfinite(images)).sum())} others",
                             fix="the generator diverged: take an earlier checkpoint")
        return images
