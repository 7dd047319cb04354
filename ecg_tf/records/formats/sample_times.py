"""Sampling rate from the times of samples: rounded times are fine, lost samples are refused."""

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.common import FASTEST_FS, SLOWEST_FS

#: Hz that times of no stated unit may imply; beyond, they are rather minutes or days.
_FASTEST_UNSAID = 10_000.0
_CLOCK = r"\s*\[?(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d{1,9})?)\]?\s*"


def rate_of_times(times: np.ndarray, factor: float, column: str, what: str) -> float:
    """Sampling rate, Hz, of evenly spaced times; a whole number where they do not tell it from one.

    The times may be rounded to any decimal that still tells two samples apart: the steps then
    differ, and no time lies further from an even grid than the rounding. A lost sample moves all
    times behind it by one step, at every rate.

    Args:
        times: (time,) in the file's own unit.
        factor: s per unit; 0 where the file does not say it, which means s.
        column, what: name and file, for messages.

    Raises:
        InputError: the times are not evenly spaced, samples are lost, or the rate is impossible.

    Example:
        >>> rate_of_times(np.array([0, 0.003, 0.006, 0.008, 0.011]), 1.0, "time", "a.csv")
        364.0
    """
    fast = FASTEST_FS if factor else _FASTEST_UNSAID
    count = len(times) - 1
    step = (times[-1] - times[0]) / count if count > 0 else np.nan
    if not np.isfinite(times).all() or not step > 0:
        raise _uneven(times, column, what)
    elapsed = times - times[0]
    resolution = _resolution(elapsed, np.abs(times[[0, -1]]).max())
    index = np.arange(len(times))
    line = np.polyfit(index, elapsed, 1) if count > 1 else (step, 0.0)
    # Few times fit many grids, so the grids have to differ more clearly.
    clear = 1.25 * resolution if count > 50 else 1.6 * resolution
    allowed = 1.25 * resolution if clear < line[0] else line[0] / 2
    # Times that were float32 once are rough at the end of a long recording.
    allowed = max(allowed, min(2.5e-7 * np.abs(times).max(), line[0] / 2))
    away = elapsed - np.polyval(line, index) if count > 10 else np.diff(times)
    if np.ptp(away) > allowed:
        raise _uneven(times, column, what)
    rate = 1 / (step * (factor or 1.0))
    near, unsure = round(rate), rate * resolution / elapsed[-1]
    rate = float(near) if abs(rate - near) < max(0.01 * max(1, rate / 100), unsure) else rate
    if not SLOWEST_FS <= rate <= fast:
        unsaid = "" if factor else " if these are s"
        raise InputError(
            f"'{what}' gives an impossible sampling rate.", got=f"{rate:g} Hz by the column "
            f"'{column}'{unsaid}", expected=f"{SLOWEST_FS:g} to {fast:g} Hz",
            fix="write times in s, or their unit into the column's name: time_ms, time (us)")
    return rate


def seconds_of_texts(texts) -> np.ndarray | None:
    """Seconds of times written as a clock ("0:00.004", "10:00:00.25") or as dates with a time.

    Of a (time,) Series of str: (time,) float64 s, from any start; None if they are no times.
    """
    import pandas as pd

    texts = texts.astype(str).str.strip(" '\"[]")
    clock = texts.str.extract(f"^{_CLOCK}$")
    if clock[2].notna().all():
        hours, minutes = clock[0].astype(float).fillna(0), clock[1].astype(float)
        seconds = clock[2].str.replace(",", ".").astype(float)
        return (3600 * hours + 60 * minutes + seconds).to_numpy()
    try:
        dates = pd.to_datetime(texts, errors="coerce", utc=True)
    except (ValueError, OverflowError, TypeError):
        return None
    return None if dates.isna().any() else (dates - dates.iloc[0]).dt.total_seconds().to_numpy()


def _resolution(elapsed: np.ndarray, largest: float) -> float:
    """The decimal that times were rounded to; 0 where that is too fine to be found."""
    noise = 4 * np.spacing(largest)
    for digits in range(10):
        scaled = elapsed * 10.0**digits
        if noise * 10.0**digits > 0.01:
            break
        if np.abs(scaled - np.rint(scaled)).max() < 0.01:
            return 10.0**-digits
    return float(noise)


def _uneven(times: np.ndarray, column: str, what: str) -> InputError:
    steps = np.diff(times)
    low, high = (f"{np.nanmin(steps):g}", f"{np.nanmax(steps):g}") if np.isfinite(steps).any() \
        else ("none", "none")
    return InputError(
        f"The column '{printable(column)}' of '{what}' gives no sampling rate.",
        expected="evenly spaced times, no sample lost", got=f"steps from {low} to {high}",
        fix="write missing samples as empty fields, with their time; and times with all their "
        "decimals")
