"""A folder of CSV files, one a record: for ECGs that no WFDB tool wrote."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecg_tf.checks import expanded, printable
from ecg_tf.errors import InputError, closest
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.headers import FASTEST_FS, SLOWEST_FS, check_links
from ecg_tf.records.record import Record

TIME, RATE = ("time", "time_s", "t"), ("fs", "fs_hz", "sampling_rate")
SUBJECTS = "subjects.csv"
MOST_COLUMNS = 1024
FORMAT = ("a header line, then numbers separated by commas: a column `time` (s) or `fs` (Hz), all "
          "other columns leads in mV, an empty field for a missing sample")


def read_csv_folder(folder, leads: Sequence[str] | None = None, fs: float = 0.0) -> list[Record]:
    """Reads a folder of CSV files, nested ones too; one file is one record.

    A file has a header line, and a column `time` (s, evenly spaced) or `fs` (Hz, the same in each
    line); every other column is a lead in mV. Lines of comment before the header begin with #.
    Without time and rate, `fs` has to be given:

        time,II,V1
        0.000,0.12,-0.05
        0.004,0.13,-0.06

    Args:
        folder: the folder; its subjects.csv is no record, see `subjects_of`.
        leads: names of leads, in the order wanted; default None, all columns.
        fs: Hz, for files that do not say it; default 0, they must.

    Returns:
        list of Record without beats, by name; the subject of each is its name.

    Raises:
        InputError: no such folder, no CSV files, or a file of another form.

    Example:
        >>> read_csv_folder("synthetic", fs=250)[0].leads
        ('II', 'V1')
    """
    folder = expanded(folder)
    files = sorted(path for path in folder.rglob("*.csv")
                   if path.name != SUBJECTS and path.is_file())
    if not files:
        raise InputError(f"The folder '{folder}' holds no CSV files.", expected="*.csv, one a "
                         "record", got="none" if folder.is_dir() else "no such folder",
                         fix="check the path")
    return [_read(path, folder, leads, fs) for path in files]


def subjects_of(folder) -> dict[str, str]:
    """Record -> subject, as the folder's subjects.csv says; empty if there is none.

    Raises:
        InputError: it has no columns `record` and `subject`, or a record twice.
    """
    import pandas as pd

    path = expanded(folder) / SUBJECTS
    if not path.is_file():
        return {}
    check_links(path, path.parent)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False).reset_index(drop=True)
    except (ValueError, OverflowError) as error:
        raise InputError(f"'{path}' cannot be read.", expected="columns record,subject",
                         got=printable(error, 200), fix="write it as CSV in UTF-8") from error
    if not {"record", "subject"} <= set(table.columns):
        raise InputError(f"'{path}' does not say who is who.", expected="columns record,subject",
                         got=printable(", ".join(table.columns), 200),
                         fix="give it this header line")
    if (twice := table.record[table.record.duplicated()]).size:
        raise InputError(f"'{path}' names a record twice.", expected="each record once",
                         got=printable(", ".join(twice[:3]), 200),
                         fix="give each record one subject")
    return dict(zip(table.record.str.strip(), table.subject.str.strip(), strict=True))


def _read(path: Path, folder: Path, leads, fs: float) -> Record:
    import pandas as pd

    check_links(path, folder)
    try:
        table = pd.read_csv(path, skiprows=_comment_lines(path))
    except (ValueError, OverflowError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(f"'{path}' cannot be read.", expected=FORMAT,
                         got=printable(error, 200), fix="write it as CSV in UTF-8") from error
    table.columns = [str(name).strip() for name in table.columns]
    if table.columns.has_duplicates or not 0 < len(table.columns) <= MOST_COLUMNS \
            or not isinstance(table.index, pd.RangeIndex):  # a field too many: all would shift
        raise InputError(f"The header of '{path}' does not fit.", expected=FORMAT,
                         got=printable(", ".join(table.columns), 200), fix="give each field a name "
                         f"of its own, to {MOST_COLUMNS} of them, and each line as many fields")
    words = [name for name in table if not np.issubdtype(table[name].dtype, np.number)
             and not table[name].isna().all()]
    if words or len(table) < 2:
        raise InputError(f"'{path}' holds something else than numbers.", expected=FORMAT,
                         got=f"text in the column '{words[0]}'" if words else
                         f"{len(table)} lines", fix="write decimal points, and commas between "
                         "fields")
    rate = _rate(table, path) or float(fs)
    if rate and not SLOWEST_FS <= rate <= FASTEST_FS:
        raise InputError(f"'{path}' gives an impossible sampling rate.", got=f"{rate:g} Hz",
                         expected=f"{SLOWEST_FS:g} to {FASTEST_FS:g} Hz", fix="write times in s")
    if rate <= 0:
        raise InputError(f"'{path}' does not say its sampling rate.", expected=FORMAT,
                         got=printable(f"columns {', '.join(table)}", 200),
                         fix="add a column `time` or `fs`, or give the rate by --fs")
    names = [name for name in table if name.lower() not in (*TIME, *RATE)]
    for name in leads or ():
        if name not in names:
            raise InputError(f"'{path}' has no lead '{name}'.", expected=f"one of "
                             f"{', '.join(names)}", got=name,
                             fix=closest(name, names) or "choose one of these")
    names = list(leads or names)
    if not names:
        raise InputError(f"'{path}' has no lead.", expected=FORMAT, got=", ".join(table),
                         fix="add a column for each lead")
    signal = table[names].to_numpy(np.float32)
    signal[~np.isfinite(signal)] = np.nan
    name = path.relative_to(folder).with_suffix("").as_posix()
    return Record(
        name=name, database=folder.absolute().name, subject=name, signal=signal, fs=rate,
        leads=tuple(names), beats=np.zeros(0, np.int64), symbols=np.zeros(0, "<U1"),
        source={"files": {path.relative_to(folder).as_posix(): sha256_of(path)}},
    )  # fmt: skip


def _comment_lines(path: Path) -> int:
    """Lines at the top that begin with #; later ones may belong to a lead's name."""
    with path.open("rb") as file:
        return sum(1 for _ in itertools.takewhile(lambda line: line.startswith(b"#"), file))


def _rate(table, path: Path) -> float:
    """Hz by the column of times or of rates; 0 if there is neither."""
    for name in table:
        values = table[name].to_numpy(float) if name.lower() in (*TIME, *RATE) else None
        if values is None:
            continue
        steps = np.diff(values) if name.lower() in TIME else values
        usual = np.median(steps)
        # Times that were rounded to milliseconds are fine, a lost sample is not.
        loose = 1.5e-3 if name.lower() in TIME else 1e-9
        if not np.isfinite(steps).all() or usual <= 0 or np.ptp(steps) > loose + 1e-6 * usual:
            raise InputError(f"The column '{name}' of '{path}' gives no sampling rate.",
                             expected="times in s, evenly spaced" if name.lower() in TIME else
                             "the same rate above 0 in each line",
                             got=f"{'steps' if name.lower() in TIME else 'rates'} from "
                             f"{np.nanmin(steps):g} to {np.nanmax(steps):g}",
                             fix="write missing samples as empty fields, with their time")
        if name.lower() in RATE:
            return float(usual)
        rate = (len(values) - 1) / (values[-1] - values[0])
        return float(round(rate)) if abs(rate - round(rate)) < 0.01 * max(1, rate / 100) else rate
    return 0.0
