"""A whole strip an image: a row for each of its beats, and a channel that says where it lies.

The rows are those of `BeatRows`. A strip of given seconds has more beats in one person than in
another, so it begins somewhere in the first row, ends somewhere in a later one, and leaves the
rest of the image empty; the channel "presence" marks what is not.
"""

from functools import cached_property

import numpy as np

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangement import ROWS, step_of
from ecg_tf.images.beat_rows import BATCH, ON_SAMPLE, STEADY_RR_S, BeatRows
from ecg_tf.images.strip_time import GRID, edges_of, lasting, possible_ends, times_at
from ecg_tf.signals import cutting
from ecg_tf.signals.interpolation import interpolate, reflected

# Up to here R peaks count as within the strip, in samples beyond its first and last one. Peaks
# between samples reach 0.5 beyond, the beats outside of a strip are 1 sample away at least.
BEYOND = 0.75
LONGEST = 2**24  # samples
# Neighbours in interpolation. At 100 Hz QRS complexes reach nearly half the sampling rate, where
# the eight of beat rows lose more: 10 s of PTB-XL, 96 columns, came back within 2.4 % and 1.5 %.
POINTS = 12
CORE_S = 0.24


class BeatStrips(BeatRows):
    """One strip an image, one beat a row, R peaks below each other; loses a little.

    Rows and columns are those of `BeatRows`. The first row is the one that holds the strip's first
    sample, the last used one holds its last sample; both may be rows of beats whose R peaks lie
    outside (`cutting.outer_intervals` says where). Channels: the leads, "rr" as in `BeatRows`, and
    "presence": 1 where a pixel's time lies within the strip, falling to -1 one pixel outside.
    Empty pixels are 0 in the leads, as are RR intervals of empty rows.

    Any image decodes to exactly `length` samples. Where its RR intervals do not add up to that,
    all are multiplied by one factor.

    Args:
        rows: int, rows of the image; strips of up to `rows` - 2 beats fit. Default 24.
        columns: int, pixels a beat. Default 64.
        leads: int, signal channels. Default 1.
        fs: float, Hz. Default 128.
        length: int, samples of a strip. Default: 10 s.
        core_s: float, s either side of R kept in real time, as far as columns suffice (0.17 s of
            64 columns at 100 Hz). Default 0.24: where rhythm is irregular, more of what follows R
            stands in the same columns from row to row.
        before, rr_min_s, rr_max_s: as of `BeatRows`.

    Raises:
        InputError: an impossible number; a strip too short for two beats, or too long for the rows.

    Example:
        >>> arrangement = BeatStrips(rows=24, columns=64, fs=100.0, length=1000)
        >>> arrangement.image_shape
        (24, 64, 3)
    """

    name = "beat_strips"
    text = "one beat a row, a whole strip of fixed length; the other rows are empty"
    cut_by = "beat_strips"
    side_channels = ("rr", "presence")
    options = (*BeatRows.options, "length")

    def __init__(self, rows=24, columns=64, leads=1, fs=128.0, *, length=None, core_s=CORE_S,
                 **options):
        super().__init__(rows, columns, leads, fs, core_s=core_s, **options)
        length = round(10 * self.fs) if length is None else length
        self.length = self.window_length = count(length, "length", POINTS, LONGEST)
        longest_rr = self.rr_max_s * self.fs
        # At least two R peaks lie in any strip this long, whatever a generator gives.
        if self.length < 2 * longest_rr:
            raise InputError("A strip is too short for two beats at the slowest rhythm.",
                             expected=f"length of {int(np.ceil(2 * longest_rr))} samples or more, "
                             f"twice rr_max_s = {self.rr_max_s:g} s at {self.fs:g} Hz",
                             got=f"{self.length}", fix="take longer strips or a smaller rr_max_s")
        needed = int(np.ceil(self.length / longest_rr)) + 1
        if self.rows < needed:
            raise InputError("A strip does not fit into the image at any rhythm.",
                             expected=f"{needed} rows or more for {self.length} samples",
                             got=f"{self.rows} rows", fix="take more rows, as "
                             "rows_needed says, or shorter strips")

    def encode(self, signals, rpeaks=None, lengths=None) -> np.ndarray:
        """See `Arrangement.encode`.

        Args:
            signals: (window, length, lead) in [-1, 1].
            rpeaks: (window, n) within the strip, rising, then NaN; see `fits`.
            lengths: (window,); all must be `length`.
        """
        signals, rpeaks = np.asarray(signals), np.asarray(rpeaks, np.float64)
        self.check(signals, rpeaks, lengths)
        images = np.empty((len(signals), *self.image_shape), np.float32)
        for start in range(0, len(signals), BATCH):
            part = slice(start, start + BATCH)
            peaks, ends = self.placed(rpeaks[part])
            margin = self.margin
            wide = reflected(signals[part], *self._whole(len(peaks)), margin)
            times = self.pixel_times(peaks)[:, :-1] + margin
            values = interpolate(wide, times, points=POINTS)
            values = values.reshape(-1, *self.image_shape[:2], self.leads)
            presence = self.presence(ends)
            images[part, ..., : self.leads] = np.where(
                presence[..., None] > -1, np.clip(values, -1, 1), 0)
            code = self.rr_code(np.diff(peaks) / self.fs).astype(np.float32)
            images[part, ..., -2] = self._used_only(code, ends)
            images[part, ..., -1] = presence
        return images

    def decode(self, images) -> np.ndarray:
        """(window, length, lead) float32; see `Arrangement.decode`."""
        images = np.asarray(images)
        code, ends = self.read(images)
        signals = np.empty((len(images), self.length, self.leads), np.float32)
        wanted, pixels = np.arange(self.length), np.arange(self.rows * self.columns + 1)
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            times = self.pixel_times(self._peaks(code[part], ends[part]))
            places = np.stack([np.interp(wanted, each, pixels) for each in times])
            flat = images[part, ..., : self.leads].reshape(len(places), -1, self.leads)
            first, last = np.floor(ends[part, 0]), np.ceil(ends[part, 1])
            wide = reflected(flat, first.astype(int), last.astype(int), POINTS)
            signals[part] = interpolate(wide, places + POINTS, points=POINTS)
        return signals

    @classmethod
    def cut(cls, records, height, width, seconds=0.0, overlap=0.0, quality=None):
        """See `Arrangement.cut`: strips of so many seconds, with at most `height` - 2 beats."""
        records = list(records)
        length = round(seconds * records[0].fs) if records else 0
        return cutting.beat_strips(records, length, height, step_of(length, overlap), quality)

    @classmethod
    def height_of(cls, windows):
        """As many rows as the windows were cut for."""
        return ROWS if windows.rpeaks is None else windows.rpeaks.shape[1]

    def encode_tf(self):
        """See `Arrangement.encode_tf`."""
        from ecg_tf.images.beats_tf import strips_tf

        return strips_tf(self)

    def rpeaks(self, images) -> np.ndarray:
        """R peaks of images within their strips: (window, rows) samples, rising, then NaN."""
        peaks = self._peaks(*self.read(images))[:, 1:-1]
        inside = (peaks > -BEYOND) & (peaks < self.length - 1 + BEYOND)
        found = np.full(peaks.shape, np.nan)
        place = np.cumsum(inside, axis=1)[inside] - 1
        found[np.nonzero(inside)[0], place] = peaks[inside]
        return found

    def lengths(self, rpeaks) -> np.ndarray:
        """See `Arrangement.lengths`."""
        return np.full(len(rpeaks), self.length)

    def placed(self, rpeaks) -> tuple[np.ndarray, np.ndarray]:
        """Where strips lie in the image, by R peaks (window, n) within them, two or more each, then
        NaN.

        Returns:
            peaks: (window, rows + 2) R peaks, samples: the one before the first row, those of the
                rows, the one after; beyond the strip at even distances.
            ends: (window, 2) first and last sample in pixels along the helix, on `GRID`.
        """
        rpeaks = np.asarray(rpeaks, np.float64)
        before, behind = (side[:, None] for side in cutting.outer_intervals(rpeaks, self.length))
        last = np.isfinite(rpeaks).sum(axis=1, keepdims=True) - 1
        # Where the first beat's row begins after the first sample, there is a row before it.
        one_more = rpeaks[:, :1] - self.before * before > ON_SAMPLE
        beat = np.arange(self.rows + 2) - 1 - one_more
        peaks = np.take_along_axis(rpeaks, np.clip(beat, 0, last), 1)
        peaks = peaks + np.minimum(beat, 0) * before + np.maximum(beat - last, 0) * behind
        samples, pixels = [0.0, self.length - 1.0], np.arange(self.rows * self.columns + 1)
        ends = [np.interp(samples, times, pixels) for times in self.pixel_times(peaks)]
        return peaks, np.rint(np.reshape(ends, (-1, 2)) / GRID) * GRID

    def presence(self, ends) -> np.ndarray:
        """The channel that says which pixels lie within the strip: (window, rows, columns) float32,
        1 from the first to the last sample (`ends`, in pixels along the helix), falling to -1 one
        pixel outside."""
        pixel = np.arange(self.rows * self.columns)
        outside = np.maximum(ends[:, :1] - pixel, pixel - ends[:, 1:])
        share = np.clip(1 - outside, 0, 1)
        return (2 * share - 1).astype(np.float32).reshape(-1, self.rows, self.columns)

    def read(self, images) -> tuple[np.ndarray, np.ndarray]:
        """What images (window, rows, columns, lead + 2) say of their time, made valid.

        Returns:
            code: (window, rows + 1) float32, RR intervals as `rr_code` gives them, so long that the
                strip has its length; 0 where no pixel of the strip lies.
            ends: (window, 2) first and last sample in pixels along the helix, on `GRID`.
        """
        code = np.clip(self._interval_means(images), -1, 1).astype(np.float32)
        ends = possible_ends(self, edges_of(np.asarray(images)[..., -1]))
        code = lasting(self, code, ends)
        return np.where(np.arange(self.rows + 1) <= self._used(ends), code, np.float32(0)), ends

    def project(self, images) -> np.ndarray:
        """The nearest valid images: one RR value an interval, all adding up to the strip's length;
        nothing but the strip itself. They decode to the same strips, bit by bit."""
        images = np.array(images)
        code, ends = self.read(images)
        presence = self.presence(ends)
        images[..., : self.leads] *= presence[..., None] > -1
        images[..., -2], images[..., -1] = self._used_only(code, ends), presence
        return images

    def geometry(self, rpeaks, lengths) -> dict[str, np.ndarray]:
        """See `Arrangement.geometry`."""
        peaks, ends = np.empty((len(rpeaks), self.rows + 2)), np.empty((len(rpeaks), 2))
        for start in range(0, len(rpeaks), BATCH):
            part = slice(start, start + BATCH)
            peaks[part], ends[part] = self.placed(rpeaks[part])
        return {"rpeaks": peaks, "ends": ends}

    def fits(self, rpeaks) -> np.ndarray:
        """Which strips can be encoded: (window,) bool. Two R peaks or more, all within the strip,
        RR intervals from `rr_min_s` to `rr_max_s`, the outer ones included, and enough rows."""
        rpeaks = np.asarray(rpeaks, np.float64)
        if rpeaks.shape[1] < 2:
            return np.zeros(len(rpeaks), bool)
        n = np.isfinite(rpeaks).sum(axis=1)
        good = (n >= 2) & (np.isfinite(rpeaks) == (np.arange(rpeaks.shape[1]) < n[:, None])).all(1)
        outer = cutting.outer_intervals(rpeaks, self.length)
        rr = np.column_stack([*outer, np.diff(rpeaks)]) / self.fs  # NaN behind the last R peak
        good &= ~((rr < self.rr_min_s - 1e-9) | (rr > self.rr_max_s + 1e-9)).any(axis=1)
        good &= ~((rpeaks <= -BEYOND) | (rpeaks >= self.length - 1 + BEYOND)).any(axis=1)
        ends = self.geometry(rpeaks[good], None)["ends"]
        good[good] = (n[good] <= self.rows) & (ends[:, 1] <= self.rows * self.columns - 1)
        return good

    def seams(self, rpeaks=None) -> np.ndarray:
        """First sample of every used row but the first: there the path jumps to the next row.

        Args:
            rpeaks: (window, n) as for `encode`. Default: one strip at a steady 75 bpm.

        Returns:
            (window, rows - 1) int; -1 for rows without a sample.
        """
        peaks, _ = self.placed(self._steady() if rpeaks is None else rpeaks)
        cuts = np.ceil(self.pixel_times(peaks)[:, self.columns : -1 : self.columns] - ON_SAMPLE)
        return np.where((cuts > 0) & (cuts < self.length), cuts, -1).astype(int)

    def path(self, rpeaks=None) -> np.ndarray:
        """Where each sample of one strip lies: (time, 3) row, column (a fraction), channel.

        Args:
            rpeaks: (n,) as for `encode`. Default: a steady 75 bpm.
        """
        peaks, _ = self.placed(self._steady() if rpeaks is None else np.asarray(rpeaks)[None])
        times = self.pixel_times(peaks)[0]
        index = np.interp(np.arange(self.length), times, np.arange(len(times)))
        row, column = np.divmod(np.clip(index, 0, len(times) - 2), self.columns)
        return np.stack([row, column, np.zeros_like(row)], -1)

    def check(self, signals, rpeaks=None, lengths=None) -> None:
        """See `Arrangement.check`."""
        whole = lengths is None or np.all(np.asarray(lengths) == self.length)
        shape = (len(signals), self.length, self.leads)
        if signals.shape != shape or rpeaks.shape[:1] != shape[:1] or rpeaks.ndim != 2 \
                or rpeaks.shape[1] < 2 or not whole:
            raise InputError(
                "The windows do not fit the arrangement 'beat_strips'.",
                expected=f"(window, {self.length}, {self.leads}), (window, 2 R peaks or more)",
                got=f"signals {signals.shape}, R peaks {rpeaks.shape}",
                fix=f"cut strips of {self.length} samples with cutting.beat_strips",
            )
        fits = self.fits(rpeaks)
        if not fits.all():
            peaks = np.asarray(rpeaks, np.float64)[int(np.argmin(fits))]
            peaks = peaks[np.isfinite(peaks)]
            shown = f"{np.diff(peaks).min() / self.fs:.3g} to {np.diff(peaks).max() / self.fs:.3g}"
            raise InputError(
                f"{int((~fits).sum())} strips cannot be encoded with a beat a row.",
                expected=f"2 to {self.rows - 2} R peaks within the strip, {self.rr_min_s:g} to "
                f"{self.rr_max_s:g} s from one to the next and from the strip's ends",
                got=f"window {int(np.argmin(fits))}: {len(peaks)} R peaks"
                + (f", {shown} s apart" if len(peaks) > 1 else ""),
                fix="keep windows.take(arrangement.fits(windows.rpeaks)), or take more rows",
            )

    # Below: places along the helix, in pixels, and what they are in samples.

    @cached_property
    def margin(self) -> int:
        """Samples beyond either end that the pixels beside it need."""
        rr = self.rr_max_s * self.fs
        steps = self.column_steps(self.before * rr, (1 - self.before) * rr, np.minimum)
        return min(int(np.ceil(max(steps))) + POINTS, self.length - 1)

    @cached_property
    def fastest_and_slowest(self) -> list[np.ndarray]:
        """Time of every pixel, and of what is behind, at the shortest and at the longest RR."""
        beat = np.arange(self.rows + 2.0)[None]
        return [self.pixel_times(beat * rr * self.fs)[0] for rr in (self.rr_min_s, self.rr_max_s)]

    def _whole(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(n, int), np.full(n, self.length - 1)

    def _used(self, ends) -> np.ndarray:
        """The last interval in which a pixel of the strip lies: (window, 1) int."""
        return np.ceil(ends[:, 1:]).astype(int) // self.columns + 1

    def _used_only(self, code, ends) -> np.ndarray:
        used = np.arange(self.rows + 1) <= self._used(ends)
        return np.where(used, code, np.float32(0))[:, self.interval_columns]

    def _peaks(self, code, ends) -> np.ndarray:
        """R peaks of rows from what was read, in samples of the strip: (window, rows + 2)."""
        rr = self.rr_seconds(code.astype(np.float64)) * self.fs
        peaks = np.cumsum(rr, axis=1) - rr[:, :1]
        return np.column_stack([-rr[:, 0], peaks]) - times_at(self, rr, ends[:, 0])[:, None]

    def _steady(self) -> np.ndarray:
        rr = max(STEADY_RR_S * self.fs, self.length / (self.rows - 2))
        rr = min(max(rr, self.rr_min_s * self.fs), self.rr_max_s * self.fs)
        return np.arange(rr / 2, self.length, rr)[None]
