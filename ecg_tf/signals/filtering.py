"""Raw records to clean ones of one rate: flaws bridged, resampled, band-passed."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy import signal as dsp

from ecg_tf.base.checks import number
from ecg_tf.base.errors import InputError
from ecg_tf.records import Record
from ecg_tf.signals.quality import Prepared, Quality, inspect_record
from ecg_tf.signals.windows import Windows

LARGEST = 20_000  # samples of either rate in the ratio of two rates: the filter grows with it


def prepare(record: Record, fs: float = 128.0, low: float = 0.5, high: float = 40.0,
            notch: float = 0.0, quality: Quality | None = None) -> Prepared:
    """Makes a raw record ready for cutting: `inspect_record`, `resample`, `filter_record`.

    Args:
        record: the raw record.
        fs: float, Hz, the new sampling rate, default 128.
        low: float, Hz, lower edge of the pass band, default 0.5; 0 for none.
        high: float, Hz, upper edge of the pass band, default 40; 0 for none.
        notch: float, Hz, the mains frequency to take out, default 0 for none.
        quality: what counts as a flaw; None takes the defaults of `Quality`.

    Returns:
        Prepared, its signal (ceil(time * fs / record.fs), lead) float32 in mV.

    Raises:
        InputError: a rate or a frequency is out of range.

    Example:
        >>> prepared = [prepare(record, fs=128.0) for record in load("simulated")]
        >>> windows = beat_sequences(prepared, rows=32, step=4)
    """
    inspected = inspect_record(record, quality)
    return filter_record(resample(inspected, fs), low, high, notch)


def resample(record: Record, fs: float) -> Prepared:
    """Polyphase resampling by a rational ratio; beats move along, none is lost.

    The ratio is exact where both rates allow (360 to 128 Hz: 16/45). Else, as from 249.89 Hz, it is
    one so close that the last sample lies less than half a new sample from its true place.

    Args:
        record: the record; it is inspected first unless it was already.
        fs: float, Hz, the new sampling rate, 1 to 100,000.

    Returns:
        Prepared, its signal (ceil(time * fs / record.fs), lead) float32 in mV, with an inexact
        ratio perhaps one sample more or less. Samples that came from flawed ones are flawed.

    Raises:
        InputError: fs is out of range, or more than 20,000 times as high or low as the record's.

    Example:
        >>> resample(record, 128.0).signal.shape  # 60 s at 360 Hz
        (7680, 1)
    """
    record = inspect_record(record)
    fs = number(fs, "fs", 1.0, 100_000.0)
    ratio = _ratio(record, fs)
    up, down = ratio.numerator, ratio.denominator  # 1 to 1 leaves all as it was
    signal = dsp.resample_poly(record.signal, up, down, axis=0, padtype="line")
    flaws = np.bitwise_or.reduceat(record.flaws, np.arange(len(signal)) * down // up)
    beats = np.minimum(np.round(record.beats * (up / down)), len(signal) - 1)
    return replace(record, signal=signal.astype(np.float32, copy=False), fs=fs, flaws=flaws,
                   beats=beats.astype(np.int64))


def filter_record(record: Record, low: float = 0.5, high: float = 40.0,
                  notch: float = 0.0) -> Prepared:
    """Zero-phase band-pass (Butterworth of order 2, run both ways) and notch (quality 30).

    A record that was not is inspected first; R peaks stay where they are. `low`, `high`, `notch`:
    Hz, 0 for none. InputError: an edge is negative or not below half the sampling rate, or low is
    not below high.
    """
    record = inspect_record(record)
    for name, edge in {"low": low, "high": high, "notch": notch}.items():
        number(edge, name, 0.0, np.nextafter(record.fs / 2, 0))
    if low and high and low >= high:
        raise InputError("The pass band is empty.", expected="low < high",
                         got=f"{low:g} to {high:g} Hz",
                         fix="give the lower edge as low and the upper one as high")
    sections = []
    if low and high:
        sections.append(dsp.butter(2, [low, high], "bandpass", fs=record.fs, output="sos"))
    elif low:
        sections.append(dsp.butter(2, low, "highpass", fs=record.fs, output="sos"))
    elif high:
        sections.append(dsp.butter(2, high, "lowpass", fs=record.fs, output="sos"))
    if notch:
        sections.append(dsp.tf2sos(*dsp.iirnotch(notch, 30, fs=record.fs)))
    signal = record.signal
    # Two periods of the lower edge settle the filter before the record begins.
    padding = min(len(signal) - 1, int(record.fs * (2 / low if low else 1)))
    for section in sections:
        signal = dsp.sosfiltfilt(section, signal, axis=0, padlen=padding)
    return replace(record, signal=np.asarray(signal, np.float32))


def low_pass(windows: Windows, high: float) -> Windows:
    """The upper edge of `filter_record` (Hz; 0: none) for windows: decoded ECGs pass what real
    records passed. Only valid samples are filtered. InputError: an edge that is negative or not
    below half the sampling rate.

    Generated signals are not band-limited: beyond 40 Hz they had noise of -50 dB where filtered
    records have next to nothing, and a classifier found them by that.
    """
    if not number(high, "high", 0.0, np.nextafter(windows.fs / 2, 0)):
        return windows
    section = dsp.butter(2, high, "lowpass", fs=windows.fs, output="sos")
    signals = windows.signals.copy()
    for signal, length in zip(signals, windows.lengths, strict=True):
        padding = min(length - 1, int(windows.fs))
        signal[:length] = dsp.sosfiltfilt(section, signal[:length], axis=0, padlen=padding)
    return replace(windows, signals=signals)


def _ratio(record: Record, fs: float) -> Fraction:
    """New samples for each old one: the exact ratio, or one with a drift below half a sample."""
    exact = Fraction(fs).limit_denominator(1000) / Fraction(record.fs).limit_denominator(1000)
    if max(exact.numerator, exact.denominator) <= LARGEST and _drift(exact, record, fs) < 1e-9:
        return exact
    for largest in (50, 100, 200, 500, 1000, 2000, 5000, 10_000, LARGEST):
        ratio = Fraction(fs / record.fs).limit_denominator(largest)
        few = max(ratio.numerator, ratio.denominator) <= LARGEST
        if ratio and few and _drift(ratio, record, fs) * len(record.signal) * fs / record.fs < 0.5:
            return ratio
    raise InputError(
        f"The sampling rate of record '{record.name}' cannot be changed to {fs:.9g} Hz.",
        expected=f"rates of which one is at most {LARGEST:,} times the other",
        got=f"{record.fs:.9g} to {fs:.9g} Hz",
        fix="choose an fs nearer to the record's, or correct the rate in the record's header",
    )


def _drift(ratio: Fraction, record: Record, fs: float) -> float:
    """How far off a ratio is, as a part of the true one."""
    return float(abs(ratio * Fraction(record.fs) / Fraction(fs) - 1))
