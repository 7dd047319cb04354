"""Several databases as one: names joined by "+", and their records side by side."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ecg_tf.base.errors import InputError
from ecg_tf.records.ecgs import KNOWN_BY, ECGs


def database_names(database: str) -> list[str]:
    """The databases that a name such as "mitdb + ecgiddb" stands for, in the order given.

    A folder whose own name has a "+" in it is read as one folder. InputError: a name is missing, or
    a database is named twice.

    Example:
        >>> database_names("mitdb + ecgiddb")
        ['mitdb', 'ecgiddb']
    """
    if "+" not in database or is_folder(database):
        return [database]
    names = [name.strip() for name in database.split("+")]
    last = [Path(name).name for name in names]  # records know a folder by its last part
    twice = [name for name in last if last.count(name) > 1]
    if not all(names) or twice:
        raise InputError(
            f"The databases '{database}' cannot be joined.",
            expected="different names or folders, such as mitdb+ecgiddb",
            got=f"'{twice[0]}' twice" if twice and all(names) else "nothing beside a '+'",
            fix="name each database once",
        )
    return names


def is_folder(name: str) -> bool:
    """Whether there is such a folder; False for what can be no path at all."""
    try:
        return Path(name).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):  # too long, a home of no user, no name at all
        return False


def join(parts: Sequence[ECGs], usual_leads: bool) -> ECGs:
    """Records of several databases side by side.

    A record whose name is found in two databases is named "database/name" in both. Persons of one
    name are counted as one person, who then is in one part of a split.

    Args:
        parts: the ECGs of each database.
        usual_leads: bool, each part has its database's usual leads: where these differ, all records
            name both, such as "MLII/I" for MLII of MIT-BIH and ECG I of ECG-ID.

    Returns:
        ECGs, part after part; persons are known as they are in the part that knows least.

    Raises:
        InputError: the databases have different numbers of leads.
    """
    names = [{record.name for record in part} for part in parts]
    joined = [replace(record, name=f"{record.database}/{record.name}")
              if sum(record.name in own for own in names) > 1 else record
              for part in parts for record in part]
    return ECGs.of_records(tuple(_common_leads(parts, joined) if usual_leads else joined),
                           max((part.subjects_known_by for part in parts), key=KNOWN_BY.index),
                           tuple(item for part in parts for item in part.left_out),
                           tuple(text for part in parts for text in part.warnings))


def _common_leads(parts, joined: list) -> list:
    """The records under lead names that all share, if each part has one set of leads."""
    sets = [{record.leads for record in part} for part in parts]
    if any(len(own) > 1 for own in sets):
        return joined  # whoever puts them into one array says which record has other leads
    leads = [next(iter(own)) for own in sets if own]
    if len({len(own) for own in leads}) > 1:
        raise InputError(
            "The databases have different numbers of leads.",
            expected="one usual lead each, or leads that all of them have",
            got="; ".join(f"{part[0].database}: {', '.join(own)}"
                          for part, own in zip(parts, leads, strict=True)),
            fix="name the leads, such as leads: [MLII]",
        )
    if len(set(leads)) == 1:
        return joined
    both = tuple("/".join(dict.fromkeys(map(_short, column)))
                 for column in zip(*leads, strict=True))
    return [replace(record, leads=both) for record in joined]


def _short(lead: str) -> str:
    """A lead without what ECG-ID writes around it: "ECG I filtered" is "I"."""
    return re.sub(r"^ECG (\S+)( filtered)?$", r"\1", lead)
