"""The records of a database one at a time, for those that do not fit into memory together."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ecg_tf.checks import expanded
from ecg_tf.errors import InputError, closest
from ecg_tf.records.checksums import published_sums
from ecg_tf.records.databases import DATABASES, data_folder
from ecg_tf.records.folder import lead_tuple, read_one, record_names
from ecg_tf.records.load import (
    check_known,
    check_options,
    load_records,
    pick,
    simulation_options,
)
from ecg_tf.records.record import Record
from ecg_tf.records.several import database_names, join
from ecg_tf.records.wfdb_files import MissingLead


@dataclass(frozen=True)
class Entry:
    """A record that is read when it is asked for.

    Args:
        about: all of the record but beats and samples, which are zeros that take no memory.
        load: function that reads it.
    """

    about: Record
    load: Callable[[], Record]

    def read(self) -> Record:
        """The record itself, under the name and leads that it has among the others."""
        return replace(self.load(), name=self.about.name, leads=self.about.leads)


def list_records(
    database: str,
    data_dir: str | Path = "",
    leads: str | Sequence[str] | None = None,
    records: Iterable[str] | None = None,
    *,
    seen: Callable[[int], None] = lambda number: None,
    **options,
) -> list[Entry]:
    """What `load_records` would read, in that order; each is read once now, and forgotten.

    Args:
        database, data_dir, leads, records, options: as in `load_records`.
        seen: called with the number of records looked at so far.

    Returns:
        list of Entry.

    Raises:
        InputError: as in `load_records`.

    Example:
        >>> [entry.about.subject for entry in list_records("mitdb")][:2]
        ['mitdb-100', 'mitdb-101']
    """
    check_options(options)
    names = database_names(str(database))
    for name in names:
        check_known(name)
    several = len(names) > 1
    parts: list[list[Entry]] = []
    for name in names:
        parts.append([])
        for entry in _entries(name, data_dir, leads, None if several else records, options):
            parts[-1].append(entry)
            seen(sum(map(len, parts)))
    if not several:
        return parts[0]
    found = join([[entry.about for entry in part] for part in parts], usual_leads=leads is None)
    entries = {about.name: replace(entry, about=about) for about, entry in
               zip(found, (entry for part in parts for entry in part), strict=True)}
    return [entries[about.name] for about in pick(found, records, None)]


def _entries(database: str, data_dir, leads, records, options) -> Iterator[Entry]:
    wanted = None if leads == "all" else lead_tuple(leads)
    if database == "simulated":
        yield from _simulated(wanted, records, options)
    elif database == "sample":
        for record in load_records("sample", leads=leads, records=records):
            yield Entry(_without_samples(record), partial(_same, record))
    else:
        folder = expanded(database)
        if database in DATABASES:
            folder = data_folder(data_dir) / database
            if not folder.is_dir():
                load_records(database, data_dir)  # it says what to do
            wanted = wanted or ((DATABASES[database].lead,) if leads is None else None)
        yield from _of_folder(folder, wanted, records)


def _of_folder(folder: Path, leads, records) -> Iterator[Entry]:
    sums, lacking, found = published_sums(folder), set(), False
    for name in record_names(folder, records):
        load = partial(read_one, folder, name, leads, sums)
        try:
            about = _without_samples(load())
        except MissingLead as error:
            if records is not None:
                raise
            lacking.update(error.leads)
            continue
        found = True
        yield Entry(about, load)
    if not found:
        raise InputError(f"No record in '{folder}' has the leads {', '.join(leads or ())}.",
                         expected=f"leads out of {', '.join(map(repr, sorted(lacking)))}",
                         got=", ".join(leads or ()),
                         fix=" ".join(closest(lead, lacking) for lead in leads or ())
                         or "choose one of these")


def _simulated(leads, records, options) -> Iterator[Entry]:
    from ecg_tf.records.simulate import draw_identity, simulate_record

    used = simulation_options(leads, options)
    persons = range(1, used["subjects"] + 1)
    others = {k: v for k, v in used.items() if k not in ("subjects", "sessions", "seed")}

    def load(number, session):
        made = simulate_record(draw_identity(used["seed"], number), session, **others)
        return replace(made, source={"options": used})

    loads = [partial(load, number, session) for number in persons
             for session in range(1, used["sessions"] + 1)]
    entries = (Entry(_without_samples(one()), one) for one in loads)
    if records is None:
        yield from entries
        return
    found = {entry.about.name: entry for entry in entries}
    abouts = [entry.about for entry in found.values()]
    yield from (found[about.name] for about in pick(abouts, records, None))


def _without_samples(record: Record) -> Record:
    source = dict(record.source)
    if not source.get("files"):  # what `provenance` would take of the samples
        signal = np.ascontiguousarray(record.signal, "<f4")
        source["files"] = {record.name: hashlib.sha256(signal.data).hexdigest()}
    return replace(record, signal=np.broadcast_to(np.float32(0), record.signal.shape),
                   beats=record.beats[:0], symbols=record.symbols[:0], source=source)


def _same(record: Record) -> Record:
    return record
