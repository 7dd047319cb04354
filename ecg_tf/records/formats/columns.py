"""What the name of a column or signal says: time, rate, a lead with its unit, or no ECG at all."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.units import to_millivolts

#: Peak to peak, mV, that no surface ECG has: its largest QRS complexes have less than 10.
IMPLAUSIBLE_MV = 50.0
_SECONDS = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3,
            "msec": 1e-3, "millis": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3, "us": 1e-6,
            "usec": 1e-6, "microsecond": 1e-6, "microseconds": 1e-6, "ns": 1e-9,
            "nanoseconds": 1e-9}
_TIMES = {"time", "times", "t", "timestamp", "timestamps", "datetime", "date time", "elapsed",
          "elapsed time", "time elapsed"}
_RATES = {"fs", "sfreq", "samplerate", "samplingrate", "sample rate", "sampling rate",
          "sampling frequency", "sample frequency", "sampling freq"}
_COUNTERS = {"", "#", "index", "idx", "row", "sample", "samples", "sample #", "sample number",
             "sample no", "sample index", "sample id", "counter", "frame"}
_NOTES = {"label", "labels", "class", "classes", "target", "targets", "annotation", "annotations",
          "ann", "anno", "event", "events", "marker", "markers", "trigger", "beat", "beats",
          "beat type", "symbol", "symbols", "rpeak", "rpeaks", "r peak", "r peaks", "qrs",
          "rhythm", "diagnosis", "quality", "flag", "comment", "comments", "note", "notes"}
_PERSON = {"subject", "subject id", "patient", "patient id", "participant", "age", "sex", "gender",
           "record", "record id", "recording", "filename", "file", "fold", "ecg id", "study id"}
_OTHER_UNITS = {"%", "bpm", "/min", "1/min", "mmhg", "kpa", "cmh2o", "°c", "degc", "ml",
                "l/min", "l/s", "g", "mg", "m/s2", "m/s^2", "s", "ms", "hz", "ohm", "ω", "a.u.",
                "au", "adu", "adc", "count", "counts", "lsb", "raw", "digits", "nu", "deg"}
_LEAD = re.compile(
    r"(?:mod(?:ified)? )?(?:i{1,3}|av[rlf]|-avr|v|v[1-9]r?|v[xyz]|m?l(?:i{1,3}|[123])|d(?:i{1,3}|"
    r"[123])|mv[1-6]|mcl ?[1-6]|c[mcrs] ?[1-6]|[ea]s|ai)", re.I)
_ECG = re.compile(r"(?:ecg|ekg|electrocardio|elektrokardio|(?:lead|ableitung|derivation) )", re.I)
_NO_ECG = re.compile(
    r"(?:eeg|[lir ]{0,2}eog|emg|meg|resp\w*|spo2|sao2|osat|ppg|pleth\w*|n?ibp|abp|cvp|pap|icp|hr|"
    r"heart ?rate|pulse\w*|bpm|temp\w*|acc\w*|gyro\w*|(?:et ?)?co2|(?:air ?)?flow|nasal|"
    r"thora\w*|abdo\w*|snor\w*|body|position|leg|tib\w*|chin|gsr|eda|battery|sound|mic|"
    # An EEG electrode against its reference; C3 alone may be a chest lead.
    r"(?:fp|[fcpot])[\dz] (?:[am][12]|ref|avg|(?:fp|[fcpot])[\dz]))(?![a-z])", re.I)


@dataclass(frozen=True)
class Column:
    """What a column's name says.

    Args:
        raw: str, the name as the file has it.
        name: str, the lead, without the unit: "II" of "II (uV)".
        kind: "time", "rate", "counter", "note" (labels, events, persons), "other" (measured, but
            no voltage, or no ECG by its name) or "lead".
        unit: str, the unit in the name, "" if there is none.
        factor: float, to mV of a lead; to s of a time, 0 where the name has no unit.
    """

    raw: str
    name: str
    kind: str
    unit: str = ""
    factor: float = 1.0


def column_of(raw: str, unit: str = "") -> Column:
    """Reads the name of a column.

    Args:
        raw: str, such as "II", "V1 [mV]", "II_uV", "ecg/mV", "time (ms)", "fs", "label".
        unit: str, its unit where the file says it elsewhere. Default "".

    Returns:
        Column.

    Example:
        >>> column_of("II (uV)").name, column_of("II (uV)").factor, column_of("time_ms").factor
        ('II', 0.001, 0.001)
    """
    raw = str(raw).strip()
    clean = raw.strip("'\"").strip()
    name, within = (clean, unit.strip("'\" ")) if unit else _split(clean)
    words = _words(name)
    if words in _SECONDS and len(words) > 1:  # "seconds", "ms"
        return Column(raw, clean, "time", words, _SECONDS[words])
    base, _, last = words.rpartition(" ")
    if base in _TIMES and last in _SECONDS:  # "time_ms"
        return Column(raw, clean, "time", last, _SECONDS[last])
    if words in _TIMES:
        return Column(raw, clean, "time", within, _SECONDS.get(_words(within), 0.0))
    if words.removesuffix(" hz") in _RATES:
        return Column(raw, clean, "rate", within or "Hz")
    if words in _COUNTERS or re.fullmatch(r"unnamed: ?\d+", name.lower()):
        return Column(raw, clean, "counter")
    if words in _NOTES or words in _PERSON:
        return Column(raw, clean, "note")
    factor = to_millivolts(within)
    if factor is None and (unit or within.casefold() in _OTHER_UNITS):
        return Column(raw, name, "other", within, 0.0)
    if factor is None:  # "II (filtered)": these parentheses hold no unit
        name, within, factor = clean, "", 1.0
    return Column(raw, name, "other" if is_no_ecg(name) else "lead", within, factor)


def is_ecg(label: str) -> bool:
    """Whether a signal is an ECG by its label: "ECG II", "EKG", "V1", "MLII", "aVR", "lead 2".

    Example:
        >>> is_ecg("ECG II"), is_ecg("ii"), is_ecg("EEG C3"), is_ecg("channel 1")
        (True, True, False, False)
    """
    words = _words(label)
    return bool(_ECG.match(words) or _LEAD.fullmatch(words))


def is_no_ecg(label: str) -> bool:
    """Whether a signal is something else by its label: "EEG C3", "SpO2", "Resp", "HR".

    Example:
        >>> is_no_ecg("EEG C3"), is_no_ecg("ECG II"), is_no_ecg("channel 1")
        (True, False, False)
    """
    return bool(_NO_ECG.match(_words(label))) and not is_ecg(label)


def check_varies(signal: np.ndarray, leads: Sequence[str], what: str) -> None:
    """Refuses leads that hold nothing but one value.

    Args:
        signal: (time, lead) mV.
        leads: their names.
        what: str, the file, for the message.

    Raises:
        InputError: a lead is constant or NaN throughout.
    """
    for lead, values in zip(leads, signal.T, strict=True):
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        if not high > low:
            raise InputError(
                f"Lead '{lead}' of '{what}' holds no ECG.", expected="a signal that varies",
                got="only NaN" if np.isnan(low) else f"the constant {low:g} mV",
                fix="choose other leads with leads=..., or leave the record out with exclude=...")


def amplitude_note(signal: np.ndarray, fs: float, leads: Sequence[str], fix: str = "") -> str:
    """A sentence where values cannot be mV, though nothing says that they are anything else.

    Args:
        signal: (time, lead), as read.
        fs: float, Hz.
        leads: names.
        fix: str, how the unit is given. Default: by the name of the column.

    Returns:
        str, "" where the median peak-to-peak amplitude of 2 s is below `IMPLAUSIBLE_MV`.
    """
    spans = np.fmax.reduce(signal) - np.fmin.reduce(signal)
    if not (spans > IMPLAUSIBLE_MV).any():  # as nearly always
        return ""
    size = max(2, min(len(signal), round(2 * fs)))
    # A hundred pieces tell the amplitude of a day's recording as well as all of them.
    starts = np.linspace(0, max(0, len(signal) - size), min(100, len(signal) // size)).astype(int)
    pieces = [np.asarray(signal[start : start + size]) for start in starts]
    spans = np.array([np.fmax.reduce(piece) - np.fmin.reduce(piece) for piece in pieces])
    found = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else 0.0
             for column in spans.T]
    top = int(np.argmax(found))
    if found[top] <= IMPLAUSIBLE_MV:
        return ""
    fix = fix or f"name the column '{leads[top]} (uV)'"
    return (f"Lead {leads[top]} was read as mV, for nothing gives its unit; its amplitude is then "
            f"{found[top]:.4g} mV. If these are microvolt, {fix}.")


def _split(name: str) -> tuple[str, str]:
    """Name and unit: "II (uV)", "V1 [mV]", "II_uV", "ecg/mV"."""
    if match := re.fullmatch(r"(.*?)[\s_]*[(\[{<]\s*([^()\[\]{}<>]*?)\s*[)\]}>]", name):
        return match[1], match[2]
    if match := re.fullmatch(r"(.+?)\s*/\s*([^\s/]+)", name):
        return (match[1], match[2]) if to_millivolts(match[2]) else (name, "")
    match = re.fullmatch(r"(.+?)[\s_-]+(\w+)", name)
    # A single "V" behind a blank is more often a lead than a unit.
    if match and len(match[2]) > 1 and to_millivolts(match[2]):
        return match[1], match[2]
    return name, ""


def _words(name: str) -> str:
    """Small letters with one blank between words."""
    name = unicodedata.normalize("NFKC", name[:200]).casefold()
    name = re.sub(r"^[\s'\"]+|[\s'\"]+$", "", name)
    return " ".join(re.split(r"[\s_./-]+", name)).strip()
