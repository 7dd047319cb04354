"""A folder of EDF and EDF+ files, one a record: what hospitals' devices and `export` write."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.errors import InputError, closest
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.record import Record

_TO_MV = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "v": 1e3}
BEAT = "beat"  # the annotation that `export` writes at each R peak
_UNKNOWN = ("", "X")  # what EDF+ writes for a person who is not named


def read_edf_folder(folder, leads: Sequence[str] | None = None) -> list[Record]:
    """Reads a folder of EDF and EDF+ files, nested ones too; one file is one record.

    Args:
        folder: the folder.
        leads: labels of the signals, in the order wanted; default None, all measured in V, mV, uV.

    Returns:
        list of Record, by name, in mV. The subject is the patient's code, else the file's name;
        beats are the annotations "beat", of class Q: unknown.

    Raises:
        InputError: no such folder, no EDF files, a damaged one, no such lead, or leads of
            different rates; or the package pyedflib is not installed.

    Example:
        >>> read_edf_folder("export-edf")[0].subject
        'synthetic-000001'
    """
    folder = Path(folder).expanduser()
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".edf")
    if not files:
        raise InputError(f"The folder '{folder}' holds no EDF files.", expected="*.edf, one a "
                         "record", got="none" if folder.is_dir() else "no such folder",
                         fix="check the path")
    return [_read(path, folder, leads) for path in files]


def import_pyedflib():
    """The module pyedflib.

    Raises:
        InputError: it is not installed.
    """
    try:
        import pyedflib
    except ImportError as error:
        raise InputError("EDF files need the package pyedflib.", expected="it is installed",
                         got="it is not: there is none ready-made for this Python",
                         fix="pip install pyedflib (needs a C compiler), or use WFDB") from error
    return pyedflib


def _read(path: Path, folder: Path, leads) -> Record:
    edf = import_pyedflib()
    try:
        with edf.EdfReader(str(path)) as file:
            names = _chosen(path, [name.strip() for name in file.getSignalLabels()],
                            [file.getPhysicalDimension(k) for k in range(file.signals_in_file)],
                            leads)
            rates = {float(file.getSampleFrequency(k)) for k in names.values()}
            if len(rates) > 1:
                raise InputError(f"The leads of '{path}' have different sampling rates.",
                                 expected="one rate", got=f"{sorted(rates)} Hz",
                                 fix="choose leads of one rate with leads=...")
            signal = np.stack([file.readSignal(k) * _factor(file.getPhysicalDimension(k))
                               for k in names.values()], axis=1)
            onsets, _, words = file.readAnnotations()
            code = file.getPatientCode().strip()
    except OSError as error:  # what pyedflib says of a file that breaks the format
        raise InputError(f"'{path}' cannot be read.", expected="an EDF or EDF+ file",
                         got=str(error)[:200], fix="fetch the file again") from error
    fs, name = rates.pop(), path.relative_to(folder).with_suffix("").as_posix()
    beats = np.rint(np.asarray(onsets)[np.asarray(words) == BEAT] * fs).astype(np.int64)
    beats = np.sort(beats[(beats >= 0) & (beats < len(signal))])
    return Record(
        name=name, database=folder.absolute().name, subject=name if code in _UNKNOWN else code,
        signal=signal.astype(np.float32), fs=fs, leads=tuple(names), beats=beats,
        symbols=np.full(len(beats), "Q"),
        source={"files": {path.relative_to(folder).as_posix(): sha256_of(path)}},
    )  # fmt: skip


def _chosen(path: Path, labels, units, leads) -> dict[str, int]:
    """Lead -> its number in the file."""
    usable = {label: k for k, (label, unit) in enumerate(zip(labels, units, strict=True))
              if _factor(unit)}
    for lead in leads or usable:
        if lead not in usable:
            raise InputError(f"'{path}' has no lead '{lead}'.", got=lead,
                             expected=f"one of {', '.join(usable)}",
                             fix=closest(lead, usable) or "choose one of these")
    if not usable:
        raise InputError(f"'{path}' has no ECG lead.", expected="a signal in V, mV or uV",
                         got=", ".join(labels) or "no signals", fix="leave this file out")
    return {lead: usable[lead] for lead in leads or usable}


def _factor(unit: str) -> float:
    return _TO_MV.get(unit.strip().lower(), 0.0)
