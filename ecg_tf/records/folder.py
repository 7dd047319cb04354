"""The recordings of a folder, file by file: what cannot be read is left out and says why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ecg_tf.base.checks import expanded
from ecg_tf.base.errors import InputError
from ecg_tf.records import cache as record_cache
from ecg_tf.records.checksums import published_sums
from ecg_tf.records.databases import Database, known_database
from ecg_tf.records.duplicates import samples_digest
from ecg_tf.records.ecgs import LeftOut
from ecg_tf.records.formats.arrays import read_array_file
from ecg_tf.records.formats.csv_files import read_csv
from ecg_tf.records.formats.edf_files import read_edf
from ecg_tf.records.formats.wfdb_files import MissingLead, read_wfdb
from ecg_tf.records.listing import Item, Listing
from ecg_tf.records.record import Record


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
    root = next((folder for folder in parents[:3] if known_database(folder)), parents[0])
    return _named(read_wfdb(path.absolute(), root, lead_tuple(leads), published_sums(root),
                            known_database(root)))


def read_items(
    listing: Listing,
    leads: tuple[str, ...] | None = None,
    fs: float = 0.0,
    *,
    strict: bool = False,
    cache: bool = True,
    progress: bool | None = None,
) -> tuple[list[Record], list[LeftOut]]:
    """Reads the recordings of a listing; the subject of each is what its file says, "" if nothing.

    The second reading of an unchanged folder (names, sizes and times of change of its files)
    comes from a cache in $ECG_TF_CACHE or the user's cache folder. WFDB files that the folder's
    SHA256SUMS.txt lists are checked against it.

    Args:
        listing: of `list_folder`.
        leads: names of the leads, in the order wanted; None for all leads measured in volts.
        fs: float, Hz, of files that do not say it; 0: they must.
        strict: bool, refuse what cannot be read instead of leaving it out. Default False.
        cache: bool, use the cache. Default True.
        progress: bool, show a progress bar; None: in a terminal, after 3 s.

    Returns:
        records in the listing's order, their sampling rates may differ; what was left out.

    Raises:
        InputError: strict, and a file is damaged or has not the leads.
    """
    read = _reading(listing, leads, fs, strict, progress)
    if not cache or not listing.items:
        read = list(read)
        return [r for r in read if isinstance(r, Record)], \
            [r for r in read if isinstance(r, LeftOut)]
    names = [item.file for item in listing.items]
    place = record_cache.cache_folder([str(listing.folder.absolute()), leads, fs, strict, names])
    state = record_cache.state_of(listing.files)
    return record_cache.load(place, state) or record_cache.keep(place, state, read)


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


def _reading(listing: Listing, leads, fs, strict, progress) -> Iterator[Record | LeftOut]:
    from tqdm import tqdm

    database = known_database(listing.folder)
    sums = published_sums(listing.folder)
    off = None if progress is None else not progress
    items = tqdm(listing.items, desc=f"reading {listing.folder.name}", unit="record", disable=off,
                 delay=0 if progress else 3, mininterval=0.5, leave=False)
    for item in items:
        try:
            for record in _read(item, listing.folder, leads, fs, sums, database):
                digest = samples_digest(record.signal)
                yield replace(record, source={**record.source, "samples": digest})
        except MissingLead as error:
            if strict:
                raise
            yield LeftOut(item.name, "lead" if leads else "no ECG", str(error))
        except InputError as error:
            if strict:
                raise
            yield LeftOut(item.name, "damaged", _mended(str(error), listing.folder, database))


def _read(item: Item, folder: Path, leads, fs: float, sums: Mapping,
          database: Database | None) -> Iterable[Record]:
    path = folder / item.file
    if item.format == "WFDB":
        return [read_wfdb(folder / item.name, folder, leads, sums, database)]
    if item.format == "EDF":
        return [read_edf(path, folder, leads)]
    if item.format == "CSV":
        return [read_csv(path, folder, leads, fs)]
    return read_array_file(path, folder, leads, fs)


def _mended(reason: str, folder: Path, database: Database | None) -> str:
    """The reason; of a known database with what helps."""
    if database is None:
        return reason
    return (f"The {database.title} in '{folder}' is damaged. {reason} `python -m ecg_tf data "
            f"{database.name}` fetches missing and damaged files again.")


def _named(record: Record) -> Record:
    """A record alone: without a person of its own, it counts as one."""
    return record if record.subject else replace(record, subject=record.name)
