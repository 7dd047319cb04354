"""Signals in mV to values in [-1, 1] and back: ranges from global to adapted, and grey levels.

A generator ends in tanh and an image viewer shows 256 grey levels, so an ECG has to be squeezed
into a range [a, b]. The loss by that is known beforehand (`Standardizer.error_bound_mv`) and
reported afterwards (`Standardizer.report`).
"""

from typing import Any

import numpy as np

from ecg_tf.base.checks import choice, known_keys, names, number, numbers_list, pair
from ecg_tf.base.errors import InputError
from ecg_tf.images.quantize import HALF_STEP, on_grid, quantize
from ecg_tf.signals.windows import finite_signals

SCALINGS = {
    "global": "smallest to largest sample of the training windows",
    "record": "each record's own smallest to largest sample; kept in an extra image channel",
    "window": "each window's own smallest to largest sample; kept in an extra image channel",
    "quantile": "low to high quantile of the training windows",
    "physical": "fixed limits in mV, the same for every data set",
    "companded": "fixed limits in mV, asinh-shaped: more grey levels for P and T waves",
}
PER_WINDOW = ("record", "window")
FIXED = ("physical", "companded")
SMALLEST_HALF_MV = 0.005  # a flat window still gets a range: one step of a usual A/D converter
_STATE = ("scaling", "quantiles", "limits_mv", "knee_mv", "quantization", "fs", "leads")
_FITTED = ("centre", "half", "code_low", "code_high")


class Standardizer:
    """mV to [-1, 1] over a range [a, b] a lead, fitted on training windows only.

    Args:
        scaling: str, one of `SCALINGS`. Default "companded".
        quantiles: (low, high) in 0-1, for "quantile". Default (0.001, 0.999).
        limits_mv: (low, high) in mV, for "physical" and "companded". Default (-4, 4).
        knee_mv: float, mV, for "companded": below it the curve is nearly straight. Default 0.5.
        quantization: str, grid of the values: "uint8", "uint16", "float16", "float32" (default).

    Raises:
        InputError: an unknown name or an impossible number.

    Example:
        >>> standardizer = Standardizer("physical", limits_mv=(-2, 2), quantization="uint8")
        >>> values = standardizer.transform(np.zeros((1, 5, 1)))
        >>> standardizer.inverse_transform(values).shape
        (1, 5, 1)
    """

    options = ("quantiles", "limits_mv", "knee_mv", "quantization")

    def __init__(self, scaling: str = "companded", *, quantiles=(0.001, 0.999),
                 limits_mv=(-4.0, 4.0), knee_mv: float = 0.5, quantization: str = "float32"):
        self.scaling = choice(scaling, "scaling", SCALINGS)
        self.quantiles = pair(quantiles, "quantiles", 0.0, 1.0)
        self.limits_mv = pair(limits_mv, "limits_mv", -1e4, 1e4)
        self.knee_mv = number(knee_mv, "knee_mv", 1e-4, 1e4)
        self.quantization = choice(quantization, "quantization", HALF_STEP)
        self.fs: float | None = None
        self.leads: tuple[str, ...] | None = None
        self.centre: Any = None  # these four are arrays once fitted
        self.half: Any = None
        self.code_low: Any = None
        self.code_high: Any = None
        if self.scaling in FIXED:
            self._set_range(*(self._bend(np.array([limit])) for limit in self.limits_mv))

    def fit(self, windows) -> "Standardizer":
        """Learns the range of each lead, and remembers fs and leads.

        Args:
            windows: `Windows` of the training subjects only, else the range leaks the others.

        Returns:
            itself.

        Raises:
            InputError: no windows, NaN or inf within them, or a lead that is flat throughout.
        """
        signals = finite_signals(windows)
        if self.scaling in PER_WINDOW:
            low, high = self._extremes(windows)
            half = np.maximum((high - low) / 2, SMALLEST_HALF_MV)
            self._set_code(np.stack([(low + high) / 2, np.log(half)], -1))
        elif self.scaling in ("global", "quantile"):
            wanted = (0.0, 1.0) if self.scaling == "global" else self.quantiles
            leads = np.moveaxis(signals, 2, 0).astype(np.float64)
            self._set_range(*np.array([np.quantile(x[np.isfinite(x)], wanted) for x in leads]).T)
        self.fs, self.leads = float(windows.fs), tuple(windows.leads)
        return self

    def transform(self, signals: np.ndarray, code: np.ndarray | None = None) -> np.ndarray:
        """mV (window, time, lead) to float32 in [-1, 1], clipped at the range's ends and rounded to
        the grid; NaN (padding) stays NaN. `code` as of `range_code`."""
        return on_grid(np.clip(self._unclipped(signals, code), -1, 1), self.quantization)

    def inverse_transform(self, values: np.ndarray, code: np.ndarray | None = None) -> np.ndarray:
        """[-1, 1] to float64 mV: undoes `transform`, up to clipping and grid."""
        centre, half = self.centre_and_half(code)
        straight = centre + np.asarray(values, np.float64) * half
        return self.knee_mv * np.sinh(straight) if self.scaling == "companded" else straight

    def scale(self, signals: np.ndarray, code: np.ndarray | None = None) -> np.ndarray:
        """`transform` without the grid."""
        return np.clip(self._unclipped(signals, code), -1.0, 1.0).astype(np.float32)

    def range_code(self, windows) -> np.ndarray | None:
        """The range of each window as numbers a generator can learn: centre and log half-range.

        The half-range is measured from the centre *as decoded* and enlarged by half a step, so no
        sample of a window is clipped through rounding. "record" takes the range over all windows
        of that record among those given.

        Args:
            windows: `Windows`.

        Returns:
            (window, lead, 2) float32 in [-1, 1], or None for ranges that are the same everywhere.
        """
        if self.scaling not in PER_WINDOW:
            return None
        self._need_fit()
        width = self.code_high - self.code_low  # (lead, 2)
        low, high = self._extremes(windows)

        def to_code(value, which):
            code = 2 * (value - self.code_low[:, which]) / width[:, which] - 1
            return np.clip(code, -1, 1).astype(np.float32)

        centre_code = to_code((low + high) / 2, 0)
        centre = self.code_low[:, 0] + (centre_code.astype(float) + 1) / 2 * width[:, 0]
        half = np.maximum(np.maximum(high - centre, centre - low), SMALLEST_HALF_MV)
        half_code = to_code(np.log(half) + 2.0**-24 * width[:, 1], 1)
        return np.stack([centre_code, half_code], -1)

    def centre_and_half(self, code: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Centre and half width of the range (mV; "companded": asinh of mV / knee), float64.

        Both (1, 1, lead); with a code (window, lead, 2) in [-1, 1], for "record" and "window" only,
        (window, 1, lead).
        """
        self._need_fit()
        if self.scaling not in PER_WINDOW:
            return self.centre[None, None], self.half[None, None]
        if code is None:
            raise InputError(
                f"The range '{self.scaling}' differs from window to window.",
                expected="the code of each window's range", got="none",
                fix="pass code=standardizer.range_code(windows), or use a Codec, which does",
            )
        width = self.code_high - self.code_low
        code = np.clip(np.asarray(code, np.float64), -1, 1)
        parameters = self.code_low + (code + 1) / 2 * width
        return parameters[:, None, :, 0], np.exp(parameters[:, None, :, 1])

    def error_bound_mv(self, code: np.ndarray | None = None) -> np.ndarray:
        """Largest error of `inverse_transform(transform(x))` for x within the range.

        Outside the range the error is the distance to it. Straight ranges: (b - a) / 510 at 8
        bit, (b - a) / 131070 at 16 bit, (b - a) 2^-13 in float16, (b - a) 2^-26 in float32; the
        first three and (b - a) 2^-25 more, as pixels travel as float32. "companded": the bound
        at the far end; it is finer near 0 mV.

        Args:
            code: (window, lead, 2): bounds of these windows; None: of the widest possible range.

        Returns:
            (lead,) float64 mV, or (window, lead) with a code.
        """
        self._need_fit()
        step = HALF_STEP[self.quantization]
        step += 0 if self.quantization == "float32" else 2.0**-24
        if self.scaling in PER_WINDOW and code is None:
            return np.exp(self.code_high[:, 1]) * step
        centre, half = self.centre_and_half(code)
        bound = half[:, 0] * step
        if self.scaling == "companded":  # mean value theorem: the slope is largest at the far end
            bound = bound * self.knee_mv * np.cosh(np.abs(centre[:, 0]) + half[:, 0])
        return bound if self.scaling in PER_WINDOW else bound[0]

    def largest_mv(self, leads: int) -> np.ndarray:
        """Largest |mV| that `inverse_transform` can give: (lead,)."""
        ends = [np.full((1, 1, leads), end) for end in (-1.0, 1.0)]
        codes: list = [None]
        if self.scaling in PER_WINDOW:  # the widest range, lowest and highest
            codes = [np.tile([[[c, 1.0]]], (1, leads, 1)) for c in (-1.0, 1.0)]
        return np.max([np.abs(self.inverse_transform(e, c))[0, 0] for e in ends for c in codes], 0)

    def report(self, windows) -> dict:
        """Losses by this scaling on these windows.

        Args:
            windows: `Windows`; clipped R peaks are counted where `rpeaks` are known.

        Returns:
            dict: `range`, `quantization`, `clipped_samples_percent`, `rpeaks`, `clipped_rpeaks`,
            `clipped_rpeaks_percent` (None without R peaks), `grey_levels_used` (of 256),
            `pixel_std`, `error_bound_mv` (largest over leads).
        """
        signals = finite_signals(windows)
        code = self.range_code(windows)
        free = self._unclipped(signals, code)
        valid = np.isfinite(free)
        outside = np.abs(np.where(valid, free, 0)) > 1 + 1e-9
        values = on_grid(np.clip(free, -1, 1).astype(np.float32), self.quantization)[valid]
        peaks, clipped = _count_rpeaks(windows, outside.any(axis=2))
        return {
            "scaling": self.scaling,
            "quantization": self.quantization,
            "clipped_samples_percent": float(100 * outside.sum() / valid.sum()),
            "rpeaks": peaks,
            "clipped_rpeaks": clipped,
            "clipped_rpeaks_percent": 100 * clipped / peaks if peaks else None,
            "grey_levels_used": int(np.unique(quantize(values, "uint8")).size),
            "pixel_std": float(values.std(dtype=np.float64)),
            "error_bound_mv": float(self.error_bound_mv(code).max()),
        }

    def to_dict(self) -> dict:
        """State as plain numbers, lists and text, for JSON."""
        state = {key: getattr(self, key) for key in _STATE + _FITTED}
        arrays = (tuple, np.ndarray)
        return {k: np.asarray(v).tolist() if isinstance(v, arrays) else v for k, v in state.items()}

    @classmethod
    def from_dict(cls, state: dict) -> "Standardizer":
        """Undoes `to_dict`; whatever is wrong in the state is refused with an InputError."""
        known_keys(state, _STATE + _FITTED, "the standardizer's state")
        made = cls(**{key: state[key] for key in _STATE if key not in ("fs", "leads")})
        if state["fs"] is not None:
            made.fs = number(state["fs"], "fs", 1e-3, 1e6)
        if state["leads"] is not None:
            made.leads = names(state["leads"], "leads")
        if made.scaling in FIXED:  # the limits say it all
            return made
        if made.scaling in PER_WINDOW and state["code_low"] is not None:
            low, high = (_pairs(state[key], key) for key in ("code_low", "code_high"))
            _ordered(low, high)
            made.code_low, made.code_high = low, high
        elif made.scaling not in PER_WINDOW and state["centre"] is not None:
            centre = np.array(numbers_list(state["centre"], "centre", -1e5, 1e5))
            half = np.array(numbers_list(state["half"], "half", 1e-9, 1e5, len(centre)))
            made.centre, made.half = centre, half
        return made

    def _unclipped(self, signals, code) -> np.ndarray:
        centre, half = self.centre_and_half(code)
        signals = np.asarray(signals)
        leads_agree = self.scaling in FIXED or signals.shape[-1:] == centre.shape[2:]
        if signals.ndim != 3 or not leads_agree:
            raise InputError(
                "The signals do not fit the standardizer.",
                expected=f"(window, time, lead) with {centre.shape[2]} lead(s)",
                got=f"shape {signals.shape}",
                fix="use the leads the standardizer was fitted on, one window: signals[None]",
            )
        return (self._bend(signals.astype(np.float64)) - centre) * (1.0 / half)

    def _bend(self, signals: np.ndarray) -> np.ndarray:
        return np.arcsinh(signals / self.knee_mv) if self.scaling == "companded" else signals

    def _set_range(self, low, high) -> None:
        _ordered(low, high)
        self.centre = (np.asarray(low, float) + high) / 2
        self.half = (np.asarray(high, float) - low) / 2

    def _set_code(self, parameters: np.ndarray) -> None:
        # A tenth of the width to spare at either end: persons of another split differ a little.
        low, high = parameters.min(axis=0), parameters.max(axis=0)
        margin = np.maximum((high - low) / 10, 0.05)
        self.code_low, self.code_high = low - margin, high + margin

    def _extremes(self, windows) -> tuple[np.ndarray, np.ndarray]:
        signals = finite_signals(windows)
        low = np.nanmin(signals, axis=1).astype(float)
        high = np.nanmax(signals, axis=1).astype(float)
        if self.scaling == "record":
            names = [f"{s}/{r}" for s, r in zip(windows.subjects, windows.records, strict=True)]
            group = np.unique(names, return_inverse=True)[1]
            for k in np.unique(group):
                low[group == k] = low[group == k].min(axis=0)
                high[group == k] = high[group == k].max(axis=0)
        return low, high

    def _need_fit(self) -> None:
        if (self.code_low if self.scaling in PER_WINDOW else self.centre) is None:
            raise InputError(f"The standardizer '{self.scaling}' has no range yet.",
                             expected="a fitted standardizer",
                             got="one that never saw training windows",
                             fix="call standardizer.fit(training_windows) first")


def _count_rpeaks(windows, outside) -> tuple[int, int]:
    if windows.rpeaks is None:
        return 0, 0
    at = np.rint(np.nan_to_num(windows.rpeaks, nan=-1.0)).astype(int)  # NaN: fewer R peaks
    inside = (at >= 0) & (at < np.asarray(windows.lengths)[:, None])
    rows = np.nonzero(inside)[0]
    return int(inside.sum()), int(outside[rows, at[inside]].sum())


def _ordered(low, high) -> None:
    width = np.asarray(high, float) - low
    if not (np.isfinite(width).all() and (width > 1e-9).all()):
        raise InputError("The range of a lead has no width.",
                         expected="a highest value above the lowest one",
                         got=f"widths {np.ravel(width)[:5].tolist()} mV",
                         fix="drop flat leads or records, or take the range 'physical'")


def _pairs(value, name: str) -> np.ndarray:
    """(lead, 2) of centre in mV and log half-range; bounded, so that exp never overflows."""
    rows = value if isinstance(value, list) and 0 < len(value) <= 64 else [None]
    pairs = [numbers_list(row, name, -1e5, 1e5, 2) for row in rows]
    return np.array([[number(c, name, -1e5, 1e5), number(h, name, -20, 20)] for c, h in pairs])
