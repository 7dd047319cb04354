"""The recordings of a folder, file by file: what cannot be read is left out and says why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ecg_tf.base.checks import expanded
from ecg_tf.base.errors import InputError
from ecg_tf.records.checksums import check_published, published_sums
from ecg_tf.records.database import Database
from ecg_tf.records.databases import known_database
from ecg_tf.records.duplicates import samples_digest
from ecg_tf.records.ecgs import LeftOut
from ecg_tf.records.formats.arrays import read_array_file
from ecg_tf.records.formats.common import MissingLead
from ecg_tf.records.formats.csv_files import read_csv
from ecg_tf.records.formats.edf_files import read_edf
from ecg_tf.records.formats.wfdb_files import read_wfdb
from ecg_tf.records.listing import Listing
from ecg_tf.records.record import Record


def read_record(path: str | Path, leads: str | Sequence[str] | None = None) -> Record:
    """Reads one WFDB record (".hea" or ".dat" is taken off) with its annotated beats.

    `leads`: in the order wanted; None for all measured in volts. InputError: the files are missing
    or damaged, or it has no such lead (says which it has).

    Example:
        >>> read_record("data/mitdb/100", leads="MLII").signal.shape
        (650000, 1)
    """
    path = expanded(path).absolute()
    if path.suffix in (".hea", ".dat"):
        path = path.with_suffix("")
    # A record of a known database may lie one folder deeper (Person_01/rec_1).
    root = next((folder for folder in path.parents[:3] if known_database(folder)), path.parent)
    [record] = _read_file(path.with_name(f"{path.name}.hea"), root, lead_tuple(leads), 0.0,
                          published_sums(root), known_database(root))
    return record if record.subject else replace(record, subject=record.name)


def read_items(listing: Listing, leads: tuple[str, ...] | None = None, fs: float = 0.0,
               strict: bool = False) -> Iterator[Record | LeftOut]:
    """Reads the recordings of a listing; the subject of each is what its file says, "" if nothing.

    Files that the folder's SHA256SUMS.txt lists are checked against it. A terminal shows a progress
    bar after 3 s.

    Args:
        listing: of `list_folder`.
        leads: names of the leads, in the order wanted; None for all leads measured in volts.
        fs: Hz, of files that do not say it; 0: they must.
        strict: refuse what cannot be read by an InputError, instead of leaving it out.

    Yields Record (sampling rates may differ) or LeftOut, in the listing's order.
    """
    from tqdm import tqdm

    folder, database = listing.folder, known_database(listing.folder)
    sums = published_sums(folder)
    items = tqdm(listing.items.items(), desc=f"reading {folder.name}", unit="record", leave=False,
                 disable=None, delay=3, mininterval=0.5)
    for name, file in items:
        try:
            for record in _read_file(folder / file, folder, leads, fs, sums, database):
                digest = samples_digest(record.signal)
                yield replace(record, source={**record.source, "samples": digest})
        except InputError as error:
            if strict:
                raise
            if isinstance(error, MissingLead):
                yield LeftOut(name, "lead" if leads else "no ECG", error.one_line)
                continue
            reason = error.one_line if database is None else (
                f"The {database.title} in '{folder}' is damaged. {error.one_line} "
                f"`ecg-tf data {database.name}` fetches missing and damaged files again.")
            yield LeftOut(name, "damaged", reason)


def lead_tuple(leads: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Names of leads as a tuple, None for all; refuses no name at all, or one twice."""
    if leads is None:
        return None
    leads = (leads,) if isinstance(leads, str) else tuple(leads)
    if not leads or len(set(leads)) < len(leads) or not all(isinstance(n, str) for n in leads):
        raise InputError("The leads are not usable.", got=repr(leads),
                         expected="different names of leads, or None for all")
    return leads


def _read_file(path: Path, root: Path, leads, fs: float, sums: Mapping,
               database: Database | None) -> list[Record]:
    """The records of a file, checked against the published checksums."""
    try:
        found = _parsed(path, root, leads, fs, database)
    except MissingLead as error:
        spelled = _as_spelled(leads or (), error.leads)
        # "v1" and "V1" are one lead: asked for both, a record lacks one.
        if spelled == (leads or ()) or len(set(spelled)) < len(spelled):
            raise
        found = [replace(record, leads=leads)
                 for record in _parsed(path, root, spelled, fs, database)]
    check_published(root, found[0].source["files"], sums)
    return found


def _parsed(path: Path, root: Path, leads, fs: float, database: Database | None) -> list[Record]:
    match path.suffix.lower():
        case ".hea":
            return [read_wfdb(path, root, leads, database)]
        case ".edf":
            return [read_edf(path, root, leads)]
        case ".csv":
            return [read_csv(path, root, leads, fs)]
        case _:
            return read_array_file(path, root, leads, fs)


def _as_spelled(leads: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    """Leads as a file names them: aVR is the lead that PTB-XL calls AVR."""
    alike = {lead: [name for name in names if name.lower() == lead.lower()] for lead in leads}
    return tuple(lead if lead in names or len(alike[lead]) != 1 else alike[lead][0]
                 for lead in leads)
