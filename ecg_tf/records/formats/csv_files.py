"""CSV files, one a recording: for ECGs that no WFDB tool wrote."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.columns import Column, is_ecg
from ecg_tf.records.formats.common import (
    amplitude_note,
    beats_of,
    check_file,
    check_rate,
    missing_lead,
    record_of,
)
from ecg_tf.records.formats.csv_head import FORMAT, Head, is_number, read_head
from ecg_tf.records.formats.sample_times import rate_of_times, seconds_of_texts
from ecg_tf.records.record import Record

#: The lines of comment that carry the beats of a recording.
PEAKS, SYMBOLS = "R peaks (s)", "beat symbols"
_PEAKS = re.compile(r"R[ -]?peaks? \(s\):(.*)", re.I | re.S)
_SYMBOLS = re.compile(r"beat symbols:(.*)", re.I | re.S)
_RATE = re.compile(r"(?:fs|sampling (?:rate|frequency)|sample rate)(?: \(hz\))?\s{0,9}[:=]\s{0,9}"
                   r"(\d{1,9}(?:\.\d{1,9})?)\s{0,9}(?:hz)?", re.I)
_COUNTED = 50  # lines from which on a column 0, 1, 2, ... is a counter whatever its name


def read_csv(path: Path, root: Path, leads: Sequence[str] | None = None, fs: float = 0.0) -> Record:
    """Reads one recording from a CSV file.

    The file has a header line and a column `time` (s, or its unit in the name: `time_ms`; evenly
    spaced) or `fs` (Hz, the same in each line); every other column is a lead, in mV or in the
    unit that its name or a second line gives, `II (uV)`. Without time and rate, `fs` has to be
    given. Counters such as pandas' index, labels, and signals that are no ECG by their names are
    no leads. Lines of comment before the header begin with # and may say `subject: ID`, `sex`,
    `age`, `label KIND: STATEMENT`, `fs: 250` and `R peaks (s): 0.31, 1.1`.

        # subject: 7
        time,II,V1 0.000,0.12,-0.05 0.004,0.13,-0.06

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
    check_file(path, root)
    head = read_head(path)
    table = _table(path, head)
    chosen, notes = _choose(path, head.columns, table, leads)
    rate = _rate(path, head, table) or float(fs)
    if rate <= 0:
        raise InputError(f"'{path}' does not say its sampling rate.", expected=FORMAT,
                         got=f"columns {_listed(head.columns)}",
                         fix="add a column `time` or `fs`, or give the rate by --fs")
    check_rate(rate, path)
    signal = _signal(path, table, head.columns, chosen)
    notes += _notes_on_units(signal, rate, {name: head.columns[i] for name, i in chosen.items()})
    beats = _beats(head.comments, rate, len(signal))
    return record_of(path, root, signal, rate, tuple(chosen), beats, head.comments, notes)


def _table(path: Path, head: Head):
    """The numbers; columns are numbered, for names are not always different."""
    import pandas as pd

    try:
        with path.open("rb") as file:
            file.seek(head.start)
            # pandas' other ways to read numbers crash on exponents of many digits.
            table = pd.read_csv(file, header=None, names=range(len(head.columns)),
                                sep=head.delimiter, decimal=head.decimal, skipinitialspace=True,
                                encoding="utf-8", encoding_errors="replace", low_memory=False,
                                float_precision="round_trip")
    except (ValueError, OverflowError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(f"'{path}' cannot be read.", expected=FORMAT,
                         got=printable(error, 200), fix="write it as CSV in UTF-8") from error
    if not isinstance(table.index, pd.RangeIndex):  # a field too many: all would shift
        raise _unfit(path, _listed(head.columns), "give each line as many fields as the header "
                     "has, and write decimal points")
    if len(table) < 2:
        raise InputError(f"'{path}' holds something else than numbers.", expected=FORMAT,
                         got=f"{len(table)} lines", fix="write one line for each sample")
    return table


# Which columns are leads.


def _choose(path: Path, columns: Sequence[Column], table, leads
            ) -> tuple[dict[str, int], list[str]]:
    """Lead -> number of its column, in the order wanted; sentences on what was left out."""
    timed = any(column.kind == "time" for column in columns)
    counters = {i for i, column in enumerate(columns) if _is_counter(column, table[i], path, timed)}
    usable = {i: column for i, column in enumerate(columns) if i not in counters and column.name
              and column.factor and column.kind in ("lead", "other", "counter")}
    names = [column.name for column in usable.values()]
    by_name = {column.raw: i for i, column in usable.items()}
    by_name |= {column.name: i for i, column in usable.items()}
    for lead in leads or ():
        if lead not in by_name:
            raise missing_lead(path, lead, names)
    if twice := [name for name in leads or names if names.count(name) > 1]:
        raise _unfit(path, f"several columns '{printable(twice[0])}'",
                     "give each column a name of its own")
    if leads:
        return {lead: by_name[lead] for lead in leads}, []
    for i, column in enumerate(columns):
        if not column.name and i not in counters and table[i].notna().any():
            raise InputError(f"Column {i + 1} of '{path}' has no name.", expected=FORMAT,
                             got=_listed(columns), fix="name it: time, or the lead")
    chosen = {column.name: i for i, column in usable.items() if column.kind != "other"
              and _may_be_ecg(column, table[i])}
    left = [column for i, column in enumerate(columns) if column.kind in ("note", "other")
            or column.kind == "lead" and i not in chosen.values()]
    if not chosen:
        raise missing_lead(path, "", names, f"columns that are none: {_listed(left)}" if left
                           else "no column but time, rate or counters")
    return chosen, [f"Columns that are no leads were left out: {_listed(left)}."] if left else []


def _is_counter(column: Column, values, path: Path, timed: bool) -> bool:
    """Whether a column counts the samples; refused where it shows that samples are lost."""
    named = column.kind == "counter"
    if not np.issubdtype(values.dtype, np.number) or values.isna().any() or \
            not (named or len(values) >= _COUNTED and not is_ecg(column.name)):
        return False
    steps = np.diff(values.to_numpy(float))
    if (steps == steps[0]).all() and (steps[0] == 1 or named and steps[0] > 0):
        return True
    if named and not timed and (steps > 0).all() and (steps == np.rint(steps)).all():
        raise InputError(f"The column '{printable(column.raw)}' of '{path}' counts with gaps.",
                         expected="each sample, none lost", got=f"steps from {steps.min():g} to "
                         f"{steps.max():g}", fix="write missing samples as empty fields")
    return False


def _may_be_ecg(column: Column, values) -> bool:
    """Whether what a column holds may be an ECG: not empty, no words, no flags 0 and 1."""
    if values.isna().all() or is_ecg(column.name):
        return values.notna().any()
    if np.issubdtype(values.dtype, np.number):
        return not values.dropna().isin((0, 1)).all()
    numbers = sum(map(is_number, values.dropna().astype(str).head(1000)))
    return numbers * 2 > min(1000, values.notna().sum())


def _signal(path: Path, table, columns: Sequence[Column], chosen: dict[str, int]) -> np.ndarray:
    """(time, lead) float32, mV."""
    signal = np.empty((len(table), len(chosen)), np.float32)
    for k, i in enumerate(chosen.values()):
        values = table[i]
        if not np.issubdtype(values.dtype, np.number):
            cells = values.dropna().astype(str)
            text = next((cell for cell in cells if not is_number(cell)), "text")
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
    names = [list(chosen)[k] for k in unsaid]
    return [*notes, amplitude_note(signal[:, unsaid], rate, names)] if unsaid else notes


# When the samples are, and what the comments say.


def _rate(path: Path, head: Head, table) -> float:
    """Hz by the columns of times and rates and the comments; 0 if there is none."""
    found: dict[str, float] = {}
    for i, column in enumerate(head.columns):
        if column.kind in ("time", "rate") and column.kind not in found:
            found[column.kind] = _rate_of_column(path, column, table[i])
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
        check_rate(numbers[0], path)
        return float(numbers[0])
    first, *_, last = values.astype(str)
    raise InputError(f"The column '{printable(column.raw)}' of '{path}' gives no sampling rate.",
                     expected="evenly spaced times" if column.kind == "time" else "the same rate "
                     "in Hz above 0 in each line", got=printable(f"{first} ... {last}", 100),
                     fix="write times in s, with decimal points")


def _beats(comments: Sequence[str], rate: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Beats that lines of comment give; classes only where there is one for each."""
    found = {form: match[1] for line in comments for form in (_PEAKS, _SYMBOLS)
             if (match := form.fullmatch(line))}
    texts = [text for text in re.split(r"[,;\s]+", found.get(_PEAKS, "")) if text]
    seconds = np.array([float(text) if is_number(text) else np.nan for text in texts])
    symbols = found.get(_SYMBOLS, "").split()
    return beats_of(seconds * rate, symbols if len(symbols) == len(seconds) else "Q" * len(seconds),
                    count)


def _listed(columns: Sequence[Column]) -> str:
    return printable(", ".join(column.raw for column in columns), 200)


def _unfit(path: Path, got: str, fix: str) -> InputError:
    return InputError(f"The header of '{path}' does not fit.", expected=FORMAT, got=got, fix=fix)
