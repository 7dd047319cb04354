"""EDF and EDF+ files, one a recording: what hospitals' devices and `export` write."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.records.formats.columns import is_ecg, is_no_ecg
from ecg_tf.records.formats.common import (
    MOST_GAP,
    amplitude_note,
    beats_of,
    check_file,
    check_rate,
    lead_names,
    missing_lead,
    one_rate,
    record_of,
    to_millivolts,
)
from ecg_tf.records.formats.edf_header import (
    Header,
    broken,
    person_of,
    read_annotations,
    read_header,
)
from ecg_tf.records.person import about
from ecg_tf.records.record import Record

BEAT = "beat"  # the annotation that `export` writes at each R peak; "beat V" of a known class
#: An annotation continues in the next one, of the same time, that begins so.
GOES_ON = "+ "
_BEAT = re.compile(r"beat(?: (\S))?|qrs(?: complex)?|r[ -]?(?:peak|wave)s?|heart ?beat", re.I)
_FACT = re.compile(r"(?:age|session): .*", re.I)


def read_edf(path: Path, root: Path, leads: Sequence[str] | None = None) -> Record:
    """Reads one recording from an EDF or EDF+ file.

    Args:
        path: Path of the file.
        root: Path of the folder that it may not lie outside of.
        leads: labels of the signals, in the order wanted; "II" finds "ECG II" too. Default None:
            all signals that are ECGs by their labels; if none is, all measured in V, mV or uV
            that are not something else by their labels (EEG, ...). Of several sampling rates the
            one that most of them have is taken.

    Returns:
        Record in mV; of two equal labels the second is "ECG (1)". The subject is the patient's
        code, the session the date. Beats are the annotations "beat" (class Q: unknown, or
        "beat V") and such as "QRS". Gaps of a discontinuous file are NaN.

    Raises:
        MissingLead: it has not the leads, or no ECG at all.
        InputError: the file is damaged, or the leads have different rates.

    Example:
        >>> read_edf(Path("export-edf/a.edf"), Path("export-edf")).subject
        'synthetic-000001'
    """
    check_file(path, root)
    header = read_header(path)
    chosen, notes = _choose(path, header, leads)
    rate = one_rate({name: header.signals[i].samples / header.seconds if header.seconds else 0.0
                     for name, i in chosen.items()}, path)
    check_rate(rate, path)
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-9 * rate else rate
    data = header.data(path)
    starts, texts = read_annotations(header, data)
    first = float(starts[0]) if np.isfinite(starts[0]) else 0.0
    signal = _signal(path, header, data, chosen, rate, starts - first)
    notes += _notes(header, chosen, signal, rate)
    beats = [(onset, match[1] or "Q") for onset, text in texts if (match := _BEAT.fullmatch(text))]
    comments = _joined([text for onset, text in texts if onset <= first])
    person, also = person_of(header), about([text for text in comments if _FACT.fullmatch(text)])
    person["session"] = person["session"] or also["session"]
    person["age"] = also["age"] if math.isnan(person["age"]) else person["age"]
    return record_of(path, root, signal, rate, tuple(chosen),
                     beats_of([(onset - first) * rate for onset, _ in beats],
                              [symbol for _, symbol in beats], len(signal)),
                     comments, notes, **person)


# Which signals are the leads.


def _choose(path: Path, header: Header, leads) -> tuple[dict[str, int], list[str]]:
    """Lead -> its number in the file, and sentences on what was assumed or left out."""
    names = lead_names([signal.label for signal in header.signals])
    volts = {names[i]: i for i, signal in enumerate(header.signals) if not signal.is_text
             and to_millivolts(signal.unit) is not None}
    if leads:
        return _wanted(path, volts, leads)
    usable = {name: i for name, i in volts.items() if header.signals[i].unit or is_ecg(name)}
    chosen = {name: i for name, i in usable.items() if is_ecg(name)} or \
        {name: i for name, i in usable.items() if not is_no_ecg(name)}
    if not chosen:
        raise missing_lead(path, "", list(usable), ", ".join(names))
    sizes = Counter(header.signals[i].samples for i in chosen.values())
    most = max(sizes, key=lambda size: (sizes[size], size))
    chosen = {name: i for name, i in chosen.items() if header.signals[i].samples == most}
    left = [name for i, name in enumerate(names) if i not in chosen.values()
            and not header.signals[i].is_text]
    note = "Signals that are no ECG, or of another sampling rate, were left out: "
    return chosen, [note + printable(", ".join(left), 200) + "."] if left else []


def _wanted(path: Path, volts: dict[str, int], leads) -> tuple[dict[str, int], list[str]]:
    chosen, notes = {}, []
    for lead in leads:
        alike = [name for name in volts if _bare(name) == _bare(lead)]
        if lead not in volts and len(alike) != 1:
            raise missing_lead(path, lead, list(volts))
        name = lead if lead in volts else alike[0]
        chosen[lead] = volts[name]
        notes += [] if name == lead else [f"Lead {lead} is the signal '{name}'."]
    return chosen, notes


def _bare(label: str) -> str:
    """A lead's name without what EDF+ puts before it: "ECG II" is II."""
    return re.sub(r"^(?:ecg|ekg|lead)[\s_:-]+", "", label.casefold().strip())


# What the leads hold.


def _signal(path: Path, header: Header, data, chosen, rate: float, starts) -> np.ndarray:
    """(time, lead) float32 in mV; `starts` are those of the data records from the first, s."""
    per_record = header.signals[next(iter(chosen.values()))].samples
    there = length = header.records * per_record
    where = np.s_[:]
    if header.kind == "EDF+D":
        places = np.rint(starts * rate)
        if not np.isfinite(places).all() or (np.diff(places) < per_record).any():
            raise broken(path, "data records that overlap or do not say their time")
        length = int(places[-1]) + per_record
        if length * len(chosen) > MOST_GAP + 20 * there * len(chosen):
            raise broken(path, f"{length} samples, of which only {there} are there",
                         "cut it into one file for each stretch")
        where = (places.astype(np.int64)[:, None] + np.arange(per_record)).ravel()
    signal = np.full((length, len(chosen)), np.nan, np.float32)
    for column, (name, i) in enumerate(chosen.items()):
        signal_header = header.signals[i]
        try:
            gain, offset = signal_header.scale()
        except ValueError as error:
            raise broken(path, f"signal '{name}': {error}") from error
        factor = to_millivolts(signal_header.unit) or 1.0
        digital = data[:, signal_header.at : signal_header.at + signal_header.samples]
        values = digital * (gain * factor) + offset * factor
        signal[where, column] = values.ravel()
    return signal


def _notes(header: Header, chosen, signal: np.ndarray, rate: float) -> list[str]:
    notes = []
    if header.announced < 0:
        notes.append("The header does not say how many data records there are; all were read.")
    elif header.announced < header.records:
        notes.append(f"The header announces {header.announced} data records, the file holds "
                     f"{header.records}: all were read.")
    if header.left_over:
        notes.append(f"The file's last {header.left_over} bytes are no whole data record.")
    if header.kind == "EDF+D" and (gap := len(signal) / rate - header.records * header.seconds) > 0:
        notes.append(f"The recording has gaps of {gap:.4g} s in all: NaN.")
    if unsaid := [k for k, i in enumerate(chosen.values()) if not header.signals[i].unit]:
        names = [list(chosen)[k] for k in unsaid]
        notes.append(f"No unit is given for {', '.join(names)}: read as mV.")
        notes.append(amplitude_note(signal[:, unsaid], rate, names, "write the unit into the file"))
    return notes


def _joined(texts: Sequence[str]) -> list[str]:
    """Annotations that continue in the next one, as one."""
    lines: list[str] = []
    for text in texts:
        if text.startswith(GOES_ON) and lines:
            lines[-1] += text.removeprefix(GOES_ON)
        else:
            lines.append(text)
    return lines
