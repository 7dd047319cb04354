"""Records of NumPy arrays: in memory, or in files `.npy` and `.npz`."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.formats.array_axes import check_numbers, recordings
from ecg_tf.records.formats.common import (
    amplitude_note,
    check_file,
    check_rate,
    lead_names,
    missing_lead,
    to_millivolts,
)
from ecg_tf.records.formats.npy_files import read_npy, read_npz
from ecg_tf.records.person import age_years, is_blank_name, sex_of
from ecg_tf.records.record import Record

_UNIT = "give the unit in the file: np.savez(file, signals=..., unit='uV', ...)"


def records_of_arrays(signals, fs: float, leads: Sequence[str] = (), subjects=None, sex=None,
                      age=None, labels=None, name: str = "arrays") -> list[Record]:
    """Records of arrays that are in memory, named by their number; see `ECGs`.

    Example:
        >>> records_of_arrays(np.zeros((3, 1000, 2)), 100, ("I", "II"))[2].name
        'arrays-2'
    """
    leads = (leads,) if isinstance(leads, str) else tuple(map(str, leads))
    labels = labels if isinstance(labels, Mapping) else {} if labels is None else {"label": labels}
    found, _ = recordings(signals, leads)
    known = {"subjects": subjects, "sex": sex, "age": age}
    leads = leads or lead_names([None] * found[0].shape[1])
    records = _records(found, known, labels, _numbered(name, len(found), "-"), name,
                       _rate(fs, name), leads, "write signals * 1e-3")
    return [record if record.subject else replace(record, subject=record.name)
            for record in records]


def read_array_file(path: Path, root: Path, leads: Sequence[str] | None = None,
                    fs: float = 0.0) -> list[Record]:
    """Reads the records of a NumPy file.

    A `.npy` file holds (record, time, lead) or (record, time), or one recording: (time, lead) or
    (time,); mV, and `fs` has to be given. It is memory-mapped where it holds float32. A `.npz`
    file holds `signals` (or `ecg`, `X`, `x`, `data`, where that is the only such array), `fs`,
    and if known `leads`, `subjects`, `sex`, `age`, `labels` (or `labels_KIND`), `names` and
    `unit`; it is read into memory.

    Args:
        path: Path of the file.
        root: Path of the folder that it may not lie outside of.
        leads: names of the leads, in the order wanted; default None, all. Where the file names
            none and has as many, these are their names.
        fs: float, Hz, for a file that does not say it; default 0, it must.

    Returns:
        list of Record, in mV, named by the file and their number or the file's `names`; the
        subject is what the file says, "" if nothing.

    Raises:
        MissingLead: it has not the leads.
        InputError: no numbers, another shape, no rate, whole numbers without a unit, or a size
            that the file cannot have.

    Example:
        >>> read_array_file(Path("mine/ecgs.npz"), Path("mine"))[0].leads
        ('I', 'II')
    """
    check_file(path, root)
    with np.errstate(all="ignore"):
        content = read_npy(path) if path.suffix.lower() == ".npy" else read_npz(path)
    factor, named = _factor(content, str(path)), tuple(_texts(content.get("leads"), "leads"))
    rate = _rate(content.get("fs", fs), str(path))
    listed = next((content[key] for key in ("subjects", "names") if key in content), ())
    found, notes = recordings(content["signals"], named, np.size(listed), str(path))
    names, columns, note = _leads(named, found[0].shape[1], leads, str(path))
    labels = {"label" if key == "labels" else key.removeprefix("labels_"): content[key]
              for key in content if key.startswith("labels")}
    notes += [note] if note else []
    notes += [f"Read as {_single(content['unit'])}, as the file says."] if factor != 1 else []
    file = path.relative_to(root)
    found = [signal[:, columns] if factor == 1 else signal[:, columns] * np.float64(factor)
             for signal in found]
    return _records(found, content, labels,
                    _names(file.with_suffix("").as_posix(), len(found), content.get("names")),
                    root.absolute().name, rate, names, "" if "unit" in content else _UNIT, notes,
                    {"files": {file.as_posix(): sha256_of(path)}})


def _records(found: Sequence[np.ndarray], known: Mapping, labels: Mapping, names: Sequence[str],
             database: str, fs: float, leads: Sequence[str], fix: str, notes: Sequence[str] = (),
             source: Mapping | None = None) -> list[Record]:
    """Records without beats; `fix` says how their unit is given, "" where it is."""
    count, records = len(found), []
    subjects, sexes, ages = (_texts(known.get(what), what, count)
                             for what in ("subjects", "sex", "age"))
    of_kind = {kind: _statements(values, kind, count) for kind, values in labels.items()}
    for i, signal in enumerate(found):
        with np.errstate(over="ignore"):
            signal = np.asarray(signal, np.float32)
        if np.isinf(signal).any():
            signal = np.where(np.isinf(signal), np.float32(np.nan), signal)
        doubt = amplitude_note(signal, fs, leads, fix) if fix else ""
        records.append(Record(
            name=names[i], database=database,
            subject="" if is_blank_name(subjects[i]) else subjects[i],
            signal=signal, fs=fs, leads=tuple(leads), beats=np.zeros(0, np.int64),
            symbols=np.zeros(0, "<U1"), sex=sex_of(sexes[i]), age=age_years(ages[i]),
            labels={kind: values[i] for kind, values in of_kind.items() if values[i]},
            notes=(*notes, doubt) if doubt else tuple(notes), source=source or {}))
    return records


def _factor(content: Mapping, what: str) -> float:
    """mV per unit of the signals."""
    signals, unit = content["signals"], content.get("unit")
    if unit is None or signals.dtype.kind not in "iu":
        check_numbers(signals, f"The signals of '{what}'", _UNIT)
    text = "mV" if unit is None else _single(unit)
    factor = to_millivolts(text) if text else None
    if factor is None:
        raise InputError(f"The unit in '{what}' is not known.", expected="mV, uV or V",
                         got=printable(text), fix=_UNIT)
    return factor


def _single(value) -> str:
    """The one text of an array."""
    return _text(np.ravel(value)[0]) if np.size(value) == 1 else ""


def _rate(fs, what: str) -> float:
    try:
        rate = float(np.ravel(fs)[0]) if np.size(fs) == 1 else math.nan
    except (TypeError, ValueError):
        rate = math.nan
    if not rate:
        raise InputError(f"'{printable(what, 200)}' does not say its sampling rate.", got="none",
                         expected="fs, Hz", fix="give the rate by --fs, or as `fs` in an .npz file")
    check_rate(rate, what)
    return rate


def _leads(named: tuple[str, ...], count: int, wanted, what: str):
    """Names, columns, and what was assumed."""
    if named and len(named) != count:
        raise InputError(f"'{what}' names {len(named)} leads.", expected=f"{count}, as the signals "
                         "have", got=printable(", ".join(named), 200), fix="correct `leads`")
    names = tuple(lead_names(named or [None] * count))
    if not wanted:
        return names, slice(None), ""
    wanted = tuple(wanted)
    if not named and len(wanted) == count and not {*wanted} & {*names}:
        return wanted, slice(None), f"The file names no leads: taken as {', '.join(wanted)}."
    for lead in wanted:
        if lead not in names:
            raise missing_lead(what, lead, names)
    return wanted, [names.index(lead) for lead in wanted], ""


def _texts(values, what: str, count: int = -1) -> list[str]:
    """Values as text, one a record; blank ones where there are none."""
    if values is None:
        return [""] * max(count, 0)
    values = np.atleast_1d(values)
    if values.ndim != 1 or count >= 0 and len(values) != count:
        raise InputError(f"There must be one of {what} a record." if count >= 0 else
                         f"The {what} are no list of names.", got=f"shape {values.shape}",
                         expected=f"{count} values" if count >= 0 else "names",
                         fix=f"give {what} in the records' order")
    return [_text(value) for value in values]


def _statements(values, kind: str, count: int) -> list[tuple[str, ...]]:
    """For each record its statements; a table of flags is refused, as it does not name them."""
    values = [values] if isinstance(values, str) or not np.iterable(values) else list(values)
    flags = any(np.size(value) and np.asarray(value).dtype.kind in "biuf"
                for value in values if np.ndim(value))
    if len(values) != count or flags:
        raise InputError(f"The labels '{printable(kind)}' do not fit.", expected=f"{count} "
                         "statements, or lists of statements", got="rows of numbers" if flags else
                         f"{len(values)}", fix="write the statements themselves, as text")
    lists = [value if np.ndim(value) else [value] for value in values]
    return [tuple(dict.fromkeys(text for value in some if (text := _text(value)) and text != "nan"))
            for some in lists]


def _text(value) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)):
        # 7.0 is person 7 of a column that pandas made float for its blanks.
        value = int(value) if float(value).is_integer() else f"{value:.6f}"
    return " ".join(str(value)[:1000].split())


def _names(stem: str, count: int, names) -> list[str]:
    if names is None:
        return [stem] if count == 1 else _numbered(stem, count, "/")
    found = [re.sub(r"[\\/:\0]+|^\.+", "_", name) for name in _texts(names, "names", count)]
    if len(set(found)) < count or not all(found):
        raise InputError(f"The names in '{stem}' are not different.", expected="a name of its own "
                         "for each record", got=f"{len(set(found))} for {count} records",
                         fix="correct `names`")
    return [f"{stem}/{name}" for name in found]


def _numbered(stem: str, count: int, between: str) -> list[str]:
    digits = len(str(count - 1))
    return [f"{stem}{between}{i:0{digits}d}" for i in range(count)]
