"""CSV files, one a recording: for ECGs that no WFDB tool wrote."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.formats.columns import Column, amplitude_note, check_varies, column_of
from ecg_tf.records.formats.csv_head import FORMAT, Head, is_number, read_head
from ecg_tf.records.formats.csv_leads import choose
from ecg_tf.records.formats.headers import FASTEST_FS, SLOWEST_FS, check_links
from ecg_tf.records.formats.sample_times import rate_of_times, seconds_of_texts
from ecg_tf.records.formats.statements import labels_of
from ecg_tf.records.person import about
from ecg_tf.records.record import BEAT_SYMBOLS, Record

SUBJECTS = "subjects.csv"
#: The lines of comment that carry the beats of a recording.
PEAKS, SYMBOLS = "R peaks (s)", "beat symbols"
_PEAKS = re.compile(r"R[ -]?peaks? \(s\):(.*)", re.I | re.S)
_SYMBOLS = re.compile(r"beat symbols:(.*)", re.I | re.S)
_RATE = re.compile(r"(?:fs|sampling (?:rate|frequency)|sample rate)(?: \(hz\))?\s{0,9}[:=]\s{0,9}"
                   r"(\d{1,9}(?:\.\d{1,9})?)\s{0,9}(?:hz)?", re.I)


def read_csv(path: Path, root: Path, leads: Sequence[str] | None = None,
             fs: float = 0.0) -> Record:
    """Reads one recording from a CSV file.

    The file has a header line and a column `time` (s, or its unit in the name: `time_ms`; evenly
    spaced) or `fs` (Hz, the same in each line); every other column is a lead, in mV or in the
    unit that its name or a second line gives, `II (uV)`. Without time and rate, `fs` has to be
    given. Counters such as pandas' index, labels, and signals that are no ECG by their names are
    no leads. Lines of comment before the header begin with # and may say `subject: ID`, `sex`,
    `age`, `label KIND: STATEMENT`, `fs: 250` and `R peaks (s): 0.31, 1.1`.

        # subject: 7
        time,II,V1
        0.000,0.12,-0.05
        0.004,0.13,-0.06

    Args:
        path: Path of the file.
        root: Path of the folder that it may not lie outside of.
        leads: names of the leads, in the order wanted; default None, all columns that are leads.
        fs: float, Hz, for a file that does not say it; default 0, it must.

    Returns:
        Record in mV; its subject is what the comments say, "" if nothing.

    Raises:
        MissingLead: it has not the leads, or none at all.
        InputError: a file of another form, no rate, or lost samples.

    Example:
        >>> read_csv(Path("mine/a.csv"), Path("mine"), None).leads
        ('II', 'V1')
    """
    check_links(path, root)
    if not path.is_file():
        raise InputError(f"'{path}' is no file.", expected="a CSV file", got="something else",
                         fix="check the path")
    head = read_head(path)
    columns = [column_of(name, unit) for name, unit in zip(head.names, head.units, strict=True)]
    table = _table(path, head)
    chosen, notes = choose(path, columns, table, leads)
    rate = _rate(path, head, columns, table) or float(fs)
    if rate <= 0:
        raise InputError(f"'{path}' does not say its sampling rate.", expected=FORMAT,
                         got=printable(f"columns {', '.join(head.names)}", 200),
                         fix="add a column `time` or `fs`, or give the rate by --fs")
    _check_rate(path, rate)
    signal = _signal(path, table, columns, chosen)
    names = tuple(chosen)
    check_varies(signal, names, str(path))
    notes += _notes_on_units(signal, rate, {name: columns[i] for name, i in chosen.items()})
    beats, symbols = _beats(head.comments, rate, len(signal))
    return Record(
        name=path.relative_to(root).with_suffix("").as_posix(), database=root.absolute().name,
        signal=signal, fs=rate, leads=names, beats=beats, symbols=symbols, notes=tuple(notes),
        labels=labels_of(head.comments), **about(head.comments),
        source={"files": {path.relative_to(root).as_posix(): sha256_of(path)}},
    )


def _table(path: Path, head: Head):
    """The numbers; columns are numbered, for names are not always different."""
    import pandas as pd

    try:
        with path.open("rb") as file:
            file.seek(head.start)
            table = pd.read_csv(file, header=None, names=range(len(head.names)),
                                sep=head.delimiter, decimal=head.decimal, skipinitialspace=True,
                                encoding="utf-8", encoding_errors="replace", low_memory=False)
    except (ValueError, OverflowError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(f"'{path}' cannot be read.", expected=FORMAT,
                         got=printable(error, 200), fix="write it as CSV in UTF-8") from error
    if not isinstance(table.index, pd.RangeIndex):  # a field too many: all would shift
        raise InputError(f"The header of '{path}' does not fit.", expected=FORMAT,
                         got=printable(", ".join(head.names), 200),
                         fix="give each line as many fields as the header has, and write decimal "
                         "points")
    if len(table) < 2:
        raise InputError(f"'{path}' holds something else than numbers.", expected=FORMAT,
                         got=f"{len(table)} lines", fix="write one line for each sample")
    return table


def _signal(path: Path, table, columns, chosen: dict[str, int]) -> np.ndarray:
    """(time, lead) float32, mV."""
    signal = np.empty((len(table), len(chosen)), np.float32)
    for k, i in enumerate(chosen.values()):
        values = table[i]
        if not np.issubdtype(values.dtype, np.number):
            text = next((one for one in values.dropna().astype(str) if not is_number(one)), "text")
            raise InputError(f"'{path}' holds something else than numbers.", expected=FORMAT,
                             got=f"'{printable(text, 40)}' in the column "
                             f"'{printable(columns[i].raw)}'", fix="write decimal points, and "
                             "missing samples as empty fields")
        with np.errstate(over="ignore"):
            signal[:, k] = values.to_numpy(np.float64) * columns[i].factor
    signal[~np.isfinite(signal)] = np.nan
    return signal


def _notes_on_units(signal, rate: float, chosen: dict[str, Column]) -> list[str]:
    by_unit: dict[str, list[str]] = {}
    for lead, column in chosen.items():
        if column.unit and column.factor != 1:
            by_unit.setdefault(column.unit, []).append(lead)
    notes = [f"Read as {unit} by the file's own words: {', '.join(some)}."
             for unit, some in by_unit.items()]
    unsaid = [k for k, column in enumerate(chosen.values()) if not column.unit]
    names = tuple(chosen)
    doubt = amplitude_note(signal[:, unsaid], rate, [names[k] for k in unsaid]) if unsaid else ""
    return [*notes, doubt] if doubt else notes


# When the samples are, and what the comments say.


def _rate(path: Path, head: Head, columns: list[Column], table) -> float:
    """Hz by the columns of times and rates and the comments; 0 if there is none."""
    found: dict[str, float] = {}
    for i, one in enumerate(columns):
        if one.kind in found or one.kind not in ("time", "rate"):
            continue
        found[one.kind] = _rate_of_column(path, one, table[i])
    for comment in head.comments:
        if match := _RATE.fullmatch(comment):
            found.setdefault("comment", float(match[1]))
    rates = list(found.values())
    if rates and max(rates) > 1.001 * min(rates):
        raise InputError(f"'{path}' says several sampling rates.", expected="one",
                         got=", ".join(f"{rate:g} Hz by its {kind}" for kind, rate in
                                       found.items()), fix="correct the wrong one")
    return found.get("time") or (rates[0] if rates else 0.0)


def _rate_of_column(path: Path, column: Column, values) -> float:
    numbers = values.to_numpy(float) if np.issubdtype(values.dtype, np.number) else None
    if column.kind == "time":
        if numbers is not None and column.unit and not column.factor and ":" not in column.unit:
            raise InputError(f"The unit of '{printable(column.raw)}' in '{path}' is not known.",
                             expected="s, ms, us or ns", got=printable(column.unit),
                             fix="write times in s")
        factor = column.factor
        if numbers is None:
            numbers, factor = seconds_of_texts(values), 1.0
        if numbers is not None:
            return rate_of_times(numbers, factor, column.raw, str(path))
    elif numbers is not None and np.ptp(numbers) <= 1e-6 * numbers[0] and numbers[0] > 0 \
            and column.unit.casefold() == "hz":
        _check_rate(path, numbers[0])
        return float(numbers[0])
    texts = values.astype(str)
    raise InputError(f"The column '{printable(column.raw)}' of '{path}' gives no sampling rate.",
                     expected="evenly spaced times" if column.kind == "time" else "the same rate "
                     "in Hz above 0 in each line", got=printable(f"{texts.iloc[0]} ... "
                                                                 f"{texts.iloc[-1]}", 100),
                     fix="write times in s, with decimal points")


def _check_rate(path: Path, rate: float) -> None:
    if not SLOWEST_FS <= rate <= FASTEST_FS:
        raise InputError(f"'{path}' gives an impossible sampling rate.", got=f"{rate:g} Hz",
                         expected=f"{SLOWEST_FS:g} to {FASTEST_FS:g} Hz", fix="write times in s")


def _beats(comments: Sequence[str], rate: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and symbols of the beats that lines of comment give; none where they do not fit."""
    found = {name: match[1] for line in comments
             for name, form in ((PEAKS, _PEAKS), (SYMBOLS, _SYMBOLS))
             if (match := form.fullmatch(line))}
    texts = [text for text in re.split(r"[,;\s]+", found.get(PEAKS, "")) if text]
    seconds = np.array([float(text) if is_number(text) else np.nan for text in texts])
    symbols = np.array(found.get(SYMBOLS, "").split() or ["Q"] * len(seconds), "<U1")
    if len(symbols) != len(seconds):
        symbols = np.full(len(seconds), "Q")
    symbols = np.array([one if one in BEAT_SYMBOLS else "Q" for one in symbols], "<U1")
    with np.errstate(invalid="ignore"):
        positions = np.rint(seconds * rate)
        inside = (positions >= 0) & (positions < count)
    order = np.argsort(positions[inside], kind="stable")
    return positions[inside].astype(np.int64)[order], symbols[inside][order]
