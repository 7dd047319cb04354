"""One beat a row: every R peak in the same column, so that neighbours in the image are alike.

The time axis is wound up like a helix: column `columns` of a row is column 0 of the next, so no
sample is lost between beats. Rows are as long as their beat; the last channel says how long.
"""

from functools import cached_property

import numpy as np

from ecg_tf.base.checks import count, number
from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangement import ROWS, Arrangement, step_of
from ecg_tf.signals import cutting
from ecg_tf.signals.interpolation import POINTS, interpolate

# A cut this close (in samples) behind a sample counts as on it: RR intervals that went through
# float32 pixels move the cuts by less than a thousandth of a sample.
ON_SAMPLE = 0.01
BATCH = 64  # windows at once: their arrays stay in the processor's cache
STEADY_RR_S = 0.8  # rhythm where no window is given


class BeatRows(Arrangement):
    """One beat a row, the R peak in column `before * columns`; loses a little.

    Row i starts at the cut c_i = p_i - before (p_i - p_{i-1}), p the R peaks, and ends at the
    next cut. Within `core_s` of R the columns are one sample apart (closer where that would take
    more than two thirds of a side), the rest of a side is stretched evenly. Signal to pixel is a
    Lagrange interpolation over eight samples; pixel to signal the same over eight pixels.
    The last channel holds the RR interval each pixel lies in: its logarithm, from `rr_min_s`
    (-1) to `rr_max_s` (1).

    Args:
        rows: int, beats a window. Default 32.
        columns: int, pixels a beat. Default 64.
        leads: int, signal channels. Default 1.
        fs: float, Hz. Default 128.
        before: float, share of an RR interval that lies before its R peak. Default 0.4.
        core_s: float, s either side of R kept in real time. Default 0.08.
        rr_min_s, rr_max_s: float, s, shortest and longest RR interval. Default 0.2 and 2.5.

    Raises:
        InputError: an impossible number.

    Example:
        >>> arrangement = BeatRows(rows=8, columns=64)
        >>> arrangement.image_shape
        (8, 64, 2)
    """

    name = "beat_rows"
    text = "one beat a row, R peaks below each other; needs R peaks, loses a little"
    cut_by = "beat_sequences"
    by_beats = True
    window_length = None
    side_channels: tuple[str, ...] = ("rr",)
    options: tuple[str, ...] = (
        "rows", "columns", "leads", "fs", "before", "core_s", "rr_min_s", "rr_max_s")

    def __init__(self, rows=32, columns=64, leads=1, fs=128.0, *, before=0.4, core_s=0.08,
                 rr_min_s=0.2, rr_max_s=2.5):
        self.rows = count(rows, "rows", 1, 4096)
        self.columns = count(columns, "columns", 8, 4096)
        self.leads = count(leads, "leads", 1, 64)
        self.fs = number(fs, "fs", 1.0, 1e5)
        self.before = number(before, "before", 0.1, 0.9)
        self.core_s = number(core_s, "core_s", 0.0, 10.0)
        self.rr_min_s = number(rr_min_s, "rr_min_s", 0.05, 100.0)
        self.rr_max_s = number(rr_max_s, "rr_max_s", self.rr_min_s * 1.01, 100.0)
        self.image_shape = (self.rows, self.columns, self.leads + len(self.side_channels))
        self.r_column = min(max(round(self.before * self.columns), 2), self.columns - 2)
        # A third of the narrower side stays for what is stretched.
        widest = int(2 / 3 * min(self.r_column, self.columns - self.r_column))
        self.core_columns = max(1, min(round(self.core_s * self.fs), widest))

    @cached_property
    def interval_columns(self) -> np.ndarray:
        """Interval in which each pixel lies, (rows, columns): interval k ends at R peak k."""
        # Made when it is needed: a codec.json of a few bytes may speak of an immense image.
        row, column = np.mgrid[: self.rows, : self.columns]
        return row + (column >= self.r_column)

    def encode(self, signals, rpeaks=None, lengths=None) -> np.ndarray:
        """See `Arrangement.encode`.

        Args:
            signals: (window, time, lead) in [-1, 1], at least eight samples each.
            rpeaks: (window, rows + 2); all RR intervals as `fits` has them.
            lengths: (window,) valid samples. Default: all.
        """
        signals, rpeaks = np.asarray(signals), np.asarray(rpeaks, np.float64)
        lengths = np.full(len(signals), signals.shape[1]) if lengths is None else lengths
        lengths = np.asarray(lengths)
        self.check(signals, rpeaks, lengths)
        images = np.empty((len(signals), *self.image_shape), np.float32)
        for start in range(0, len(signals), BATCH):
            part = slice(start, start + BATCH)
            times = self.pixel_times(rpeaks[part])[:, :-1]
            values = interpolate(signals[part], times, lengths[part, None] - 1.0).clip(-1, 1)
            images[part, ..., : self.leads] = values.reshape(-1, *self.image_shape[:2], self.leads)
        code = self.rr_code(np.diff(rpeaks) / self.fs)
        images[..., -1] = code.astype(np.float32)[:, self.interval_columns]
        return images

    def decode(self, images) -> np.ndarray:
        """Every sample from the first cut to the last one; see `Arrangement.decode`."""
        images = np.asarray(images)
        rpeaks = self.rpeaks(images)
        lengths = self.lengths(rpeaks)
        signals = np.full((len(images), lengths.max(initial=0), self.leads), np.nan, np.float32)
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            times = self.pixel_times(rpeaks[part])
            inside = np.arange(signals.shape[1]) < lengths[part, None]
            # Which samples lie between a pixel and the next: consecutive ones, so counting is all.
            borders = np.ceil(times - ON_SAMPLE).astype(int)
            borders[:, 0], borders[:, -1] = 0, lengths[part]
            counts = np.diff(np.clip(borders, 0, lengths[part, None])).ravel()
            window, pixel = np.divmod(np.repeat(np.arange(len(counts)), counts), times.shape[1] - 1)
            left = times[window, pixel]
            share = (np.nonzero(inside)[1] - left) / (times[window, pixel + 1] - left)
            values = images[part, ..., : self.leads].reshape(len(times), -1, self.leads)
            signals[part][inside] = interpolate(values, pixel + share, window=window)
        return signals

    @classmethod
    def cut(cls, records, height, width, seconds=0.0, overlap=0.0, quality=None):
        """See `Arrangement.cut`: `height` beats a window."""
        return cutting.beat_sequences(records, height, step_of(height, overlap), quality)

    @classmethod
    def height_of(cls, windows):
        """As many rows as the windows have beats."""
        return ROWS if windows.rpeaks is None else windows.rpeaks.shape[1] - 2

    def encode_tf(self):
        """See `Arrangement.encode_tf`."""
        from ecg_tf.images.beats_tf import rows_tf

        return rows_tf(self)

    def rpeaks(self, images) -> np.ndarray:
        """R peaks of images: (window, rows + 2) samples relative to the decoded window's start."""
        rr = self.rr_seconds(self._interval_means(images)) * self.fs
        peaks = np.concatenate([-rr[:, :1], np.zeros((len(rr), 1)), np.cumsum(rr[:, 1:], 1)], 1)
        first_cut = -self.before * rr[:, :1]
        return peaks - np.ceil(first_cut - ON_SAMPLE)

    def lengths(self, rpeaks) -> np.ndarray:
        """Samples from a window's start to its last cut: (window,) int."""
        return np.ceil(self._last_cut(rpeaks) - ON_SAMPLE).astype(int)

    def pixel_times(self, rpeaks) -> np.ndarray:
        """Sample position of every pixel along the helix, and of the last cut behind them.

        Args:
            rpeaks: (window, rows + 2) samples.

        Returns:
            (window, rows * columns + 1) float64, rising.
        """
        rr = np.diff(rpeaks)
        left, right = self.before * rr[:, :-1], (1 - self.before) * rr[:, 1:]
        steps = self.column_steps(left, right, np.minimum)
        times = rpeaks[:, 1:-1, None] + np.stack(steps, -1) @ self.column_basis()
        return np.column_stack([times.reshape(len(times), -1), self._last_cut(rpeaks)])

    def column_steps(self, left, right, minimum) -> tuple:
        """Samples a column in the four parts of a row: stretched, core, core, stretched.

        Args:
            left, right: samples before and after R, arrays (or tensors) of one shape.
            minimum: np.minimum or its like.
        """
        k, r, c = self.core_columns, self.r_column, self.columns
        core_left, core_right = minimum(left * (2 / 3), k * 1.0), minimum(right * (2 / 3), k * 1.0)
        return ((left - core_left) / (r - k), core_left / k,
                core_right / k, (right - core_right) / (c - r - k))

    def column_basis(self, columns=None) -> np.ndarray:
        """Columns from R (all of a row, or an array of any shape, fractions as well) that lie in
        each of the four parts: (4, *shape) float64; times steps = time."""
        columns = np.arange(self.columns) if columns is None else columns
        k, offset = self.core_columns, columns - float(self.r_column)
        return np.stack([np.minimum(offset + k, 0), np.clip(offset, -k, 0),
                         np.clip(offset, 0, k), np.maximum(offset - k, 0)])

    def rr_code(self, rr_s):
        """RR intervals in s to [-1, 1], logarithmic."""
        span = np.log(self.rr_max_s / self.rr_min_s)
        return np.clip(2 * np.log(np.asarray(rr_s) / self.rr_min_s) / span - 1, -1, 1)

    def rr_seconds(self, code):
        """Undoes `rr_code`; a code outside [-1, 1] is the shortest or longest interval."""
        span = np.log(self.rr_max_s / self.rr_min_s)
        return self.rr_min_s * np.exp((np.clip(code, -1, 1) + 1) / 2 * span)

    def project(self, images) -> np.ndarray:
        """See `Arrangement.project`: the RR channel gets one value an interval, its mean."""
        images = np.array(images)
        means = self._interval_means(images)
        images[..., -1] = np.clip(means, -1, 1).astype(images.dtype)[:, self.interval_columns]
        return images

    def geometry(self, rpeaks, lengths) -> dict[str, np.ndarray]:
        """See `Arrangement.geometry`."""
        return {"rpeaks": np.asarray(rpeaks, np.float64), "lengths": np.asarray(lengths, np.int64)}

    def fits(self, rpeaks) -> np.ndarray:
        """Which windows can be encoded, with RR from `rr_min_s` to `rr_max_s`: (window,)."""
        rr = np.diff(rpeaks) / self.fs
        return ((rr >= self.rr_min_s) & (rr <= self.rr_max_s)).all(axis=1)

    def seams(self, rpeaks=None) -> np.ndarray:
        """First sample of every row but the first: there the path jumps to the next row.

        Args:
            rpeaks: (window, rows + 2) samples. Default: one window at a steady 75 bpm.

        Returns:
            (window, rows - 1) int.
        """
        times = self.pixel_times(self._steady() if rpeaks is None else np.asarray(rpeaks))
        return np.ceil(times[:, self.columns : -1 : self.columns] - ON_SAMPLE).astype(int)

    def path(self, rpeaks=None) -> np.ndarray:
        """Where each sample of one window lies: (time, 3) row, column (a fraction), channel.

        Args:
            rpeaks: (rows + 2,) samples. Default: a steady 75 bpm.
        """
        peaks = self._steady() if rpeaks is None else np.asarray(rpeaks, np.float64)[None]
        times = self.pixel_times(peaks)[0]
        index = np.interp(np.arange(self.lengths(peaks)[0]), times, np.arange(len(times)))
        row, column = np.divmod(np.clip(index, 0, len(times) - 2), self.columns)
        return np.stack([row, column, np.zeros_like(row)], -1)

    def _last_cut(self, rpeaks) -> np.ndarray:
        return rpeaks[:, -1] - self.before * (rpeaks[:, -1] - rpeaks[:, -2])

    def _steady(self) -> np.ndarray:
        return np.round(np.arange(-1, self.rows + 1)[None] * STEADY_RR_S * self.fs)

    def _interval_means(self, images) -> np.ndarray:
        images = self._checked(images)
        rr = images[..., self.leads]
        before = rr[:, :, : self.r_column].sum(axis=2, dtype=np.float64)
        after = rr[:, :, self.r_column :].sum(axis=2, dtype=np.float64)
        sums = np.zeros((len(images), self.rows + 1))
        sums[:, :-1] += before
        sums[:, 1:] += after
        return sums / np.bincount(self.interval_columns.ravel())

    def check(self, signals, rpeaks=None, lengths=None) -> None:
        """See `Arrangement.check`."""
        good = signals.ndim == 3 and signals.shape[2] == self.leads
        good = good and min(lengths, default=POINTS) >= POINTS
        if not good or rpeaks.shape != (len(signals), self.rows + 2):
            raise InputError("The windows do not fit the arrangement 'beat_rows'.",
                             expected=f"(window, {POINTS} samples or more, {self.leads}), "
                             f"(window, {self.rows + 2})",
                             got=f"signals {signals.shape}, R peaks {rpeaks.shape}",
                             fix=f"cut windows of {self.rows} beats with cutting.beat_sequences")
        if not self.fits(rpeaks).all():
            rr = np.diff(rpeaks) / self.fs
            raise InputError(
                f"{int((~self.fits(rpeaks)).sum())} windows hold RR intervals outside the range.",
                expected=f"R peaks {self.rr_min_s:g} to {self.rr_max_s:g} s apart",
                got=f"{np.nanmin(rr):.3g} to {np.nanmax(rr):.3g} s",
                fix="keep windows.take(arrangement.fits(windows.rpeaks)), or widen the range",
            )
        first, last = rpeaks[:, 1] - self.before * np.diff(rpeaks)[:, 0], self._last_cut(rpeaks)
        outside = (first < -1 - ON_SAMPLE) | (last > lengths + 1 + ON_SAMPLE)
        if outside.any():
            k = int(np.argmax(outside))
            raise InputError(
                f"{int(outside.sum())} windows do not hold the whole of their beats.",
                expected="samples from the first cut to the last one",
                got=f"window {k}: {lengths[k]} samples, cuts at {first[k]:.1f} and {last[k]:.1f}",
                fix="cut windows with cutting.beat_sequences, from the first cut to the last",
            )
