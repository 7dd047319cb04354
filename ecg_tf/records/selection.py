"""Which of a database's published records are wanted: by name, pattern, list, fold and rate."""

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.database import Database
from ecg_tf.records.tables.metadata import read_metadata

LARGEST_LIST = 2**24  # bytes of a file with names


def chosen_records(database: Database, folder: Path, published: Sequence[str],
                   records: str | Iterable[str] | None = None, folds: Sequence[str] | None = None,
                   rates: Sequence[int] = ()) -> list[str]:
    """Chooses records of a database, in the published order.

    Args:
        folder: that holds its tables, where folds are given.
        published: names of all records.
        records: names, ends of names, patterns with * and ?, or files with one of these a line.
            None: all.
        folds: published folds. None: all.
        rates: Hz, of a database that has every recording at several rates.

    Raises:
        InputError: there is no such record or fold, or none is left.
    """
    at_rate = {name for rate in rates or (0,) for name in database.choose(published, rate)}
    names = [name for name in published if name in at_rate]
    if records is not None:
        # A record that is named in full is meant, whatever its rate.
        wanted = {name for pattern in _lines(records)
                  for name in _fitting(pattern, names, published)}
        names = [name for name in published if name in wanted]
    if folds is not None:
        names = _of_folds(database, folder, names, folds)
    if not names:
        raise InputError("No record is left to download.",
                         expected=f"some of the {len(published)} published ones", got="none",
                         fix="ask for other records, folds or another rate")
    return names


def _lines(records: str | Iterable[str]) -> list[str]:
    """The patterns; a file is read, one a line."""
    found: list[str] = []
    for pattern in [records] if isinstance(records, str) else map(str, records):
        path = Path(pattern)
        if pattern.endswith((".txt", "RECORDS")) and path.is_file():
            if path.stat().st_size > LARGEST_LIST:
                raise InputError(f"'{pattern}' is too large.",
                                 expected=f"{LARGEST_LIST} bytes at most",
                                 got=str(path.stat().st_size), fix="give a list of records")
            found += path.read_text(encoding="utf-8", errors="replace").split()
        else:
            found.append(pattern)
    if not found:
        raise InputError("No records are named.", expected="names, or None for all",
                         got="none", fix="leave --records out for all")
    return found


def _fitting(pattern: str, names: Sequence[str], published: Sequence[str]) -> list[str]:
    """Records that a pattern means."""
    if any(mark in pattern for mark in "*?["):
        fit = [name for name in names if fnmatch.fnmatchcase(name, pattern)
               or fnmatch.fnmatchcase(name.rsplit("/", 1)[-1], pattern)]
    elif pattern in published:
        fit = [pattern]
    else:
        fit = [name for name in names if name.endswith(f"/{pattern}")] or [
            name for name in published if name.endswith(f"/{pattern}")]
    if not fit:
        near = [name.rsplit("/", 1)[-1] for name in names[:30_000]]
        raise InputError(
            f"There is no record '{printable(pattern)}'.",
            expected=f"one of {len(names)} records ({names[0]} ... {names[-1]}), a pattern, or a "
            "file (*.txt) with one a line" if names else "a published record",
            got=printable(pattern),
            fix=closest(pattern.rsplit("/", 1)[-1], near) or "check the name",
        )
    return fit


def _of_folds(database: Database, folder: Path, names: Sequence[str],
              folds: Sequence[str]) -> list[str]:
    metadata = read_metadata(folder, database=database)
    known = metadata.match(names) if metadata else {}
    fold = {name: _fold(info.columns.get(database.fold_column, "")) for name, info in known.items()}
    there = sorted(filter(None, {*fold.values()}), key=lambda name: (len(name), name))
    for fold_name in folds:
        if fold_name not in there:
            raise InputError(f"There is no fold '{printable(fold_name)}'.",
                             expected=f"one of {', '.join(there)}", got=printable(fold_name),
                             fix=closest(fold_name, there) or "choose one of these")
    return [name for name in names if fold.get(name) in folds]


def _fold(cell: str) -> str:
    return cell.removesuffix(".0")
