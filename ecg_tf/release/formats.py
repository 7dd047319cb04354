"""A synthetic record as the bytes of its files: WFDB, EDF+ or CSV, each with a stated error.

WFDB and EDF+ hold 16-bit whole numbers, 2,000 a mV: steps of 0.5 µV, up to 16 mV. A record with
larger values takes the next coarser scale of `SCALES`. EDF's physical limits are numbers that
its 8 letters hold exactly. CSV holds six decimals. What is known of the record (subject, session,
sex, age, statements) goes along: in comments, in EDF+ in the patient's field and as annotations
of the first moment. `load` reads all of it back.
"""

import datetime
import io
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import ecg_tf
from ecg_tf.base.checks import choice, expanded
from ecg_tf.base.errors import InputError, cannot_write, write_whole
from ecg_tf.records import Record
from ecg_tf.records.formats.common import label_lines
from ecg_tf.records.formats.csv_files import PEAKS, SYMBOLS
from ecg_tf.records.formats.edf_files import BEAT, GOES_ON

#: Whole numbers a mV, finest first.
SCALES = (2000, 1000, 500, 200, 100, 10, 1)
_FLOAT32 = 2.0**-24  # a reader that keeps float32 rounds once more, by this share at most
_INVALID = -32768  # WFDB's mark of a missing sample in 16 bits
# EDF+: bytes of an annotation as the library writes it, of the patient's code beside the other
# fields, and channels of annotations.
_LONGEST_TEXT, _LONGEST_CODE, _MOST_CHANNELS = 40, 36, 64


@dataclass(frozen=True)
class Stamp:
    """What every record says of itself."""

    experiment: str = ""  # name of the run; "" for none
    seed: int = 0
    gate: str = ""  # result of the release gate, in few words; "" if it was not applied
    beats: str = ""  # where its R peaks come from; "" if that is not known
    prefilter: str = ""  # pass band of the signal, in words
    synthetic: bool = True  # whether the ECGs are synthetic

    def lines(self, record: Record) -> list[str]:
        """Lines of comment; `records` finds the subject in them."""
        run = f", run {self.experiment}, seed {self.seed}" if self.experiment else ""
        return [
            *(["SYNTHETIC ECG of a generative adversarial network: no person's heart",
               "NOT FOR DIAGNOSIS or any decision about a patient"] if self.synthetic else []),
            f"software: ecg_tf {ecg_tf.__version__}{run}",
            *([f"release gate: {self.gate}"] if self.gate else []),
            *([f"beats: {self.beats}; of no known class"] if self.beats else []),
            f"subject: {_one_line(record.subject)}",
            *([f"sex: {record.sex}"] if record.sex else []),
            *facts_of(record),
        ]


@dataclass(frozen=True)
class Format:
    """One way to write records.

    Args:
        name: "wfdb", "edf" or "csv".
        endings: of a record's files; the last is written last and makes the record whole.
        title: for people.
        error: largest error and what else the format changes, in words.
        files: function (Record, Stamp) -> bytes of each file, in the order of `endings`.
    """

    name: str
    endings: tuple[str, ...]
    title: str
    error: str
    files: Callable[[Record, Stamp], tuple[bytes, ...]]


def scale_of(record: Record) -> int:
    """Whole numbers a mV that a record is written with: the finest that holds all of it.

    Raises:
        InputError: values beyond 32 V.
    """
    top = _largest(record)
    for scale in SCALES:
        if round(top * scale) <= 32767:
            return scale
    raise InputError(f"Record '{record.name}' cannot be written.", expected="up to 32 V",
                     got=f"{top:g} mV", fix="write CSV, or look at what the generator makes")


def error_bound_mv(record: Record, format: str) -> float:
    """Largest difference of a record read back to the one written, in mV, float32 included."""
    step = 1e-6 if format == "csv" else 1 / scale_of(record)
    return 0.5 * step * (1 + 1e-9) + _largest(record) * _FLOAT32


def facts_of(record: Record) -> list[str]:
    """Lines that say age, session and statements of a record, where they are known."""
    age = f"{record.age:.6f}".rstrip("0").rstrip(".")
    return [*([] if math.isnan(record.age) else [f"age: {age}"]),
            *([f"session: {_one_line(record.session)}"] if record.session else []),
            *label_lines(record.labels)]


def save_ecgs(ecgs: Iterable[Record], folder, format: str = "wfdb",
              stamp: Stamp | None = None) -> Path:
    """Writes ECGs, or records, into a new or empty folder, which `load` reads back with all that is
    known of them; gives its path.

    `format`: "wfdb", "edf" or "csv", each with its largest error, see `FORMATS`; `stamp`: what
    every record says of itself, by default that a record of the database "synthetic" is synthetic.
    InputError: the folder holds something, or a record does not fit the format.

    Example:
        >>> save_ecgs(load("simulated", subjects=2), "mine", format="csv")
    """
    kind, folder = FORMATS[choice(format, "format", tuple(FORMATS))], expanded(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"'{folder}' holds something already.", expected="a new or empty folder",
                         got="other files", fix="give another folder")
    names = []
    for record in ecgs:
        names.append(record.name.replace("/", "_"))
        own = stamp or Stamp(synthetic=record.database == "synthetic")
        folder.mkdir(parents=True, exist_ok=True)
        write_record(folder, names[-1], kind, kind.files(replace(record, name=names[-1]), own))
    if kind.name == "wfdb":
        write_whole(folder / "RECORDS", "".join(f"{name}\n" for name in names))
    return folder


def write_record(folder: Path, name: str, kind: Format, contents: tuple[bytes, ...]) -> None:
    """Writes a record's files; it counts once the last one has its name.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        for ending, content in zip(kind.endings, contents, strict=True):
            # The part has an ending of its own: no reader takes it for a record.
            part = folder / f"{name}{ending}.part"
            part.write_bytes(content)
            os.replace(part, folder / f"{name}{ending}")
    except OSError as error:
        raise cannot_write(folder / name, error) from error


def wfdb_files(record: Record, stamp: Stamp) -> tuple[bytes, ...]:
    """(signals, beats, header) in PhysioNet's format."""
    import wfdb

    scale, n = scale_of(record), len(record.leads)
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrsamp(record.name, fs=record.fs, units=["mV"] * n, sig_name=list(record.leads),
                    d_signal=_digital(record, scale), fmt=["16"] * n, adc_gain=[float(scale)] * n,
                    baseline=[0] * n, comments=stamp.lines(record), write_dir=folder)
        if len(record.beats):
            wfdb.wrann(record.name, "atr", record.beats, symbol=list(record.symbols),
                       write_dir=folder)
        else:  # wfdb refuses to write no beats; this is the end of an annotation file
            Path(folder, f"{record.name}.atr").write_bytes(b"\0\0")
        return tuple(Path(folder, record.name + ending).read_bytes() for ending in _WFDB)


def edf_files(record: Record, stamp: Stamp) -> tuple[bytes, ...]:
    """(file,) in EDF+, beats as its annotations; whole seconds, the rest is cut off."""
    edf = import_pyedflib()
    samples = _check_edf(record)
    scale = scale_of(record)
    synthetic = "SYNTHETIC, not for diagnosis" if stamp.synthetic else ""
    fits = record.beats < samples
    beats, symbols = record.beats[fits], record.symbols[fits]
    signal = {"dimension": "mV", "sample_frequency": record.fs, "physical_min": -32768 / scale,
              "physical_max": 32767 / scale, "digital_min": -32768, "digital_max": 32767,
              "transducer": f"none: {synthetic}" if synthetic else "", "prefilter": stamp.prefilter}
    texts = [(0.0, part) for fact in facts_of(record) for part in _parts(fact)]
    texts += [(beat / record.fs, BEAT if symbol == "Q" else f"{BEAT} {symbol}")
              for beat, symbol in zip(beats, symbols, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "record.edf")
        with edf.EdfWriter(str(path), len(record.leads), edf.FILETYPE_EDFPLUS) as file:
            # Header fields are short: software, what it is, and the seed, within 80 letters.
            file.setHeader({
                "patientcode": record.subject, "patientname": "X",
                "sex": {"male": 1, "female": 0}.get(record.sex), "birthdate": "",
                "patient_additional": synthetic, "technician": "",
                "equipment": f"ecg_tf {ecg_tf.__version__}", "admincode": synthetic[:9],
                "recording_additional": f"seed {stamp.seed}" if stamp.experiment else "",
                "startdate": datetime.datetime(1985, 1, 1)})  # a date has to be there
            file.setSignalHeaders([{"label": lead[:16], **signal} for lead in record.leads])
            # A second holds as many annotations as there are channels for them.
            file.set_number_of_annotation_signals(
                max(1, -(-len(texts) * round(record.fs) // samples)))
            digital = _digital(record, scale)[:samples].astype(np.int32)
            file.writeSamples(list(np.ascontiguousarray(digital.T)), digital=True)
            for onset, text in texts:
                file.writeAnnotation(onset, -1, text)
        return (path.read_bytes(),)


def csv_files(record: Record, stamp: Stamp) -> tuple[bytes, ...]:
    """(file,): lines of comment (#), then time in s and each lead in mV; beats in a comment."""
    import pandas as pd

    text = io.StringIO()
    times = ", ".join(f"{beat / record.fs:.6f}" for beat in record.beats)
    symbols = [f"{SYMBOLS}: {' '.join(record.symbols)}"] if {*record.symbols} - {"Q"} else []
    for line in [*stamp.lines(record), f"{PEAKS}: {times}", *symbols]:
        text.write(f"# {line}\n")
    table = pd.DataFrame(record.signal.astype(np.float64), columns=list(record.leads))
    table.insert(0, "time", np.arange(len(table)) / record.fs)
    table.to_csv(text, index=False, float_format="%.6f", lineterminator="\n")
    return (text.getvalue().encode(),)


def import_pyedflib():
    """The module pyedflib, which writes EDF+.

    Raises:
        InputError: it is not installed.
    """
    try:
        import pyedflib
    except ImportError as error:
        raise InputError("Writing EDF files needs the package pyedflib.", expected="it is "
                         "installed", got="it is not: there is none ready-made for this Python",
                         fix="pip install pyedflib (needs a C compiler), or write WFDB") from error
    return pyedflib


def _check_edf(record: Record) -> int:
    """Samples of a record that EDF+ can hold.

    Raises:
        InputError: it cannot hold the record.
    """
    samples = len(record.signal) // round(record.fs) * round(record.fs)
    if record.fs != round(record.fs) or not samples:
        raise InputError("EDF+ files are made of whole seconds here.", expected="a whole number of "
                         "Hz, and records of 1 s or more", got=f"{record.fs:g} Hz, "
                         f"{len(record.signal) / record.fs:.3g} s", fix="write --format wfdb")
    texts = len(record.beats) + sum(len(_parts(fact)) for fact in facts_of(record))
    code = record.subject.encode()
    if texts > _MOST_CHANNELS * samples // round(record.fs) or len(code) > _LONGEST_CODE \
            or not record.subject.isascii() or np.isnan(record.signal).any():
        raise InputError(f"Record '{record.name}' does not fit into EDF+.",
                         expected=f"{_MOST_CHANNELS} beats and statements a second, a subject of "
                         f"{_LONGEST_CODE} letters of ASCII, and no missing samples",
                         got=f"{texts} beats and statements, the subject '{record.subject}', "
                         f"{np.isnan(record.signal).sum()} missing samples",
                         fix="write --format wfdb")
    return samples


def _parts(text: str) -> list[str]:
    """A text as annotations of 40 bytes at most, each continuing the one before."""
    parts, start = [], ""
    for letter in text:
        if len((start + letter).encode()) > _LONGEST_TEXT:
            parts.append(start)
            start = GOES_ON
        start += letter
    return [*parts, start]


def _digital(record: Record, scale: int) -> np.ndarray:
    values = np.rint(record.signal.astype(np.float64) * scale)
    return np.where(np.isnan(values), _INVALID, values).astype(np.int64)


def _largest(record: Record) -> float:
    """Largest value, mV, of those that are there."""
    return float(np.fmax.reduce(np.abs(record.signal), axis=None, initial=0))


def _one_line(text: str) -> str:
    return " ".join(text.split())


_WFDB = (".dat", ".atr", ".hea")  # the header last: without one a folder has no such record
FORMATS = {kind.name: kind for kind in (
    Format("wfdb", _WFDB, "WFDB (PhysioNet), 16 bit, beats in .atr",
           "at most 0.25 µV: whole numbers, 2,000 a mV (a record beyond 16 mV: the next coarser "
           f"of {', '.join(map(str, SCALES[1:]))} a mV, half a step)", wfdb_files),
    Format("edf", (".edf",), "EDF+, 16 bit, beats as annotations",
           "at most 0.25 µV, as in WFDB; beats to 0.1 ms; whole seconds, what is left at the end "
           "is cut off; blanks of a subject become _; the start date 1985-01-01 means nothing",
           edf_files),
    Format("csv", (".csv",), "CSV, comment lines, then time in s and leads in mV",
           "at most 0.5 nV: six decimals; beats in a comment line, to 1 µs", csv_files),
)}
