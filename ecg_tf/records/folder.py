"""Folders of WFDB records: which records one holds, and reading them, files or cache to Records."""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from ecg_tf.checks import expanded
from ecg_tf.errors import InputError, closest
from ecg_tf.records import cache as record_cache
from ecg_tf.records.checksums import digests, published_sums
from ecg_tf.records.databases import Database, known_database
from ecg_tf.records.headers import LARGEST_HEADER, check_inside
from ecg_tf.records.person import about
from ecg_tf.records.record import Record
from ecg_tf.records.wfdb_beats import ANNOTATORS, read_beats
from ecg_tf.records.wfdb_files import MissingLead, read_contents

LARGEST_LIST = 2**24  # bytes of a RECORDS file


def read_record(path: str | Path, leads: str | Sequence[str] | None = None) -> Record:
    """Reads one WFDB record with its annotated beats.

    Args:
        path: the record without extension (".hea" or ".dat" is taken off).
        leads: names of the leads, in the order wanted; None for all leads measured in volts.

    Returns:
        Record.

    Raises:
        InputError: the files are missing or damaged, or it has no such lead (says which it has).

    Example:
        >>> read_record("data/mitdb/100", leads="MLII").signal.shape
        (650000, 1)
    """
    path = expanded(path)
    if path.suffix in (".hea", ".dat"):
        path = path.with_suffix("")
    # A record of a known database may lie one folder deeper (Person_01/rec_1).
    parents = path.absolute().parents
    root = next((folder for folder in parents[:2] if known_database(folder)), parents[0])
    name = path.absolute().relative_to(root).as_posix()
    return _read(root, name, lead_tuple(leads), published_sums(root))


def read_folder(
    folder: str | Path,
    leads: str | Sequence[str] | None = None,
    records: Iterable[str] | None = None,
    cache: bool = True,
    progress: bool = False,
) -> list[Record]:
    """Reads a folder of WFDB records, nested ones too.

    The records are those its RECORDS file lists, else every header found. The second reading of
    unchanged files (size and time of change) comes from a cache in $ECG_TF_CACHE or the user's
    cache folder. Files that the folder's SHA256SUMS.txt lists are checked against it.

    Args:
        folder: the folder.
        leads: names of the leads, in the order wanted; None for all leads measured in volts.
            Records without them are left out, with a warning unless that is known.
        records: names of the records to read, default all; these must have the leads.
        cache: bool, use the cache, default True.
        progress: bool, show a progress bar, default False.

    Returns:
        list of Record, in the order of RECORDS, of the names, or of `records`. Their sampling
        rates may differ (`filtering.resample`).

    Raises:
        InputError: a file is missing or damaged, or no record has the leads.
    """
    folder = expanded(folder)
    leads = lead_tuple(leads)
    names = record_names(folder, records)
    key = [str(folder.absolute()), leads, None if records is None else names]
    kept = record_cache.cache_folder(key) if cache else None
    found = record_cache.load(kept, folder, names) if kept else None
    if found is None:
        stamps = _stamps(folder, names) if cache else {}
        found, lacking = _read_all(folder, names, leads, records is None, progress)
        if not found:
            raise InputError(
                f"No record in '{folder}' has the leads {', '.join(map(repr, leads or ()))}.",
                expected=f"leads out of {', '.join(map(repr, sorted(lacking)))}",
                got=", ".join(map(repr, leads or ())),
                fix=" ".join(filter(None, (closest(lead, lacking) for lead in leads or ())))
                or "choose one of these",
            )
        if kept:
            for record in found:  # signal files are known by name only once the header was read
                for file in record.source["files"]:
                    stamps.setdefault(file, record_cache.stamp(folder / file))
            record_cache.save(kept, folder, names, stamps, found)
    _tell_left_out(folder, names, found, leads)
    return found


def record_names(folder: Path, records: Iterable[str] | None = None) -> list[str]:
    """Names of the records of a folder: what RECORDS lists, else every header in it, nested too.

    Args:
        folder: Path.
        records: the names wanted, default all.

    Returns:
        list of str, names relative to the folder, without extension.

    Raises:
        InputError: there is no such folder, it holds no records, or not those wanted.
    """
    if not folder.is_dir():
        raise InputError(
            f"There is no folder '{folder}'.",
            expected="a folder of WFDB records",
            got="a file" if folder.exists() else "no such folder",
            fix="check the path; `python -m ecg_tf data mitdb` downloads MIT-BIH",
        )
    listed = folder / "RECORDS"
    if listed.is_file():
        if listed.stat().st_size > LARGEST_LIST:
            raise InputError(f"'{listed}' is too large.", expected=f"{LARGEST_LIST} bytes at most",
                             got=str(listed.stat().st_size), fix="fetch it again")
        lines = listed.read_text(encoding="utf-8", errors="replace").split("\n")
        names = [check_inside(line.strip(), listed) for line in lines if line.strip()]
    else:
        headers = sorted(path for path in folder.rglob("*.hea") if path.is_file())
        segments = {segment for header in headers for segment in _segments(header)}
        found = (path.with_suffix("") for path in headers)
        names = [path.relative_to(folder).as_posix() for path in found if path not in segments]
    if not names:
        raise InputError(
            f"The folder '{folder}' holds no WFDB records.",
            expected="a file RECORDS, or headers (*.hea)",
            got="neither",
            fix="check the path; `python -m ecg_tf data mitdb` downloads MIT-BIH",
        )
    if records is None:
        return list(dict.fromkeys(names))
    wanted = [records] if isinstance(records, str) else [str(record) for record in records]
    if not wanted:
        raise InputError("No records are asked for.", expected="names, or None for all", got="[]")
    for name in wanted:
        if name not in names:
            raise InputError(
                f"There is no record '{name}' in '{folder}'.",
                expected=f"one of its {len(names)} records ({names[0]} ... {names[-1]})",
                got=repr(name),
                fix=closest(name, names) or "check the name",
            )
    return list(dict.fromkeys(wanted))


def lead_tuple(leads: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Names of leads as a tuple, checked.

    Args:
        leads: one name, several different names, or None for all leads.

    Returns:
        tuple of str, or None for all.

    Raises:
        InputError: no name at all, one twice, or something that is no name.
    """
    if leads is None:
        return None
    leads = (leads,) if isinstance(leads, str) else tuple(leads)
    if not leads or len(set(leads)) < len(leads) or not all(isinstance(n, str) for n in leads):
        raise InputError(
            "The leads are not usable.",
            expected="different names of leads, or None for all",
            got=repr(leads),
        )
    return leads


def _read_all(folder, names, leads, skip, progress) -> tuple[list[Record], set[str]]:
    """Reads the records; `skip` leaves out those without the leads, whose own leads it returns."""
    sums, found, lacking = published_sums(folder), [], set()
    if progress:
        from tqdm import tqdm

        names = tqdm(names, desc=folder.name, unit="record")
    for name in names:
        try:
            found.append(read_one(folder, name, leads, sums))
        except MissingLead as error:
            if not skip:
                raise
            lacking.update(error.leads)
    return found, lacking


def read_one(folder: Path, name: str, leads, sums: Mapping[str, str]) -> Record:
    """One record of a folder; of a known database the error says how to mend it.

    Args:
        folder: Path.
        name: of the record, relative to the folder.
        leads: tuple of names, None for all.
        sums: `checksums.published_sums` of the folder.

    Returns:
        Record.

    Raises:
        MissingLead: it has not all of the leads.
        InputError: its files are missing or damaged.
    """
    database = known_database(folder)
    try:
        return _read(folder, name, leads, sums)
    except MissingLead:
        raise
    except InputError as error:
        if database is None:
            raise
        raise InputError(
            f"The {database.title} in '{folder}' is damaged. {error}",
            fix=f"`python -m ecg_tf data {database.name}` fetches missing and damaged files "
            "again",
        ) from error


def _read(root: Path, name: str, leads, sums: Mapping[str, str]) -> Record:
    database = known_database(root)
    path = root / name
    damaged = database.damaged_starts.get(name, 0) if database else 0
    contents = read_contents(path, leads, damaged, root)
    beats, symbols, annotations = read_beats(
        path, contents.fs, len(contents.signal) + contents.damaged_start, root
    )
    beats = beats - contents.damaged_start
    beats, symbols = beats[beats >= 0], symbols[beats >= 0]
    files = [*contents.files, annotations] if annotations else contents.files
    folder = PurePosixPath(name).parent
    person = about(contents.comments, database is not None and database.name == "mitdb")
    subject = person.pop("subject") or name
    return Record(
        name=name,
        database=database.name if database else root.absolute().name,
        subject=database.subject(name) if database else subject,
        signal=contents.signal,
        fs=contents.fs,
        leads=contents.leads,
        beats=beats,
        symbols=symbols,
        paced=bool(database and name in database.paced or np.any(symbols == "/")),
        source={"files": digests(root, [str(folder / file) for file in files], sums)},
        **person,
    )


def _stamps(folder: Path, names: Sequence[str]) -> dict[str, list[int] | None]:
    """State of all files that decide what is read, those that are missing too."""
    extensions = ("hea", "dat", *ANNOTATORS)
    files = [f"{name}.{extension}" for name in names for extension in extensions]
    return {file: record_cache.stamp(folder / file) for file in ("SHA256SUMS.txt", *files)}


def _tell_left_out(folder: Path, names, found: list[Record], leads) -> None:
    database = known_database(folder)
    expected = {name for lead in leads or () for name in _lacking(database, lead)}
    left_out = sorted({*names} - {record.name for record in found} - expected)
    if left_out:
        few = ", ".join(left_out[:5]) + (", ..." if len(left_out) > 5 else "")
        warnings.warn(
            f"{len(left_out)} of {len(names)} records of '{folder.name}' have no "
            f"{' + '.join(leads or ('ECG lead',))} and are left out: {few}.",
            stacklevel=3,
        )


def _lacking(database: Database | None, lead: str) -> tuple[str, ...]:
    return database.lacking.get(lead, ()) if database else ()


def _segments(header: Path) -> list[Path]:
    """Segments of a multi-segment record, which are read as part of it and never on their own."""
    if header.stat().st_size > LARGEST_HEADER:
        return []  # it is refused when it is read
    lines = header.read_text(encoding="ascii", errors="ignore").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if not lines or not re.match(r"\S+/\d+\s", lines[0]):
        return []
    return [header.parent / line.split()[0] for line in lines[1:]]
