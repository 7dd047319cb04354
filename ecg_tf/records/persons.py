"""Who is who: the person of each record, and how that is known."""

from collections.abc import Sequence
from dataclasses import replace

from ecg_tf.records.databases import Database
from ecg_tf.records.ecgs import KNOWN_BY
from ecg_tf.records.person import is_blank_name
from ecg_tf.records.record import Record
from ecg_tf.records.tables.described_rows import Info
from ecg_tf.records.tables.metadata import Metadata

HOW_TO_NAME = ("Name the persons in a file subjects.csv (columns record,subject) in the folder, by "
               "metadata: FILE, or in header comments 'subject: ID'.")


def identify(records: Sequence[Record], metadata: Metadata | None = None,
             database: Database | None = None) -> tuple[list[Record], str, list[str]]:
    """Gives every record its person, and what a table says of it.

    What a database itself knows comes first, then the table, then what the file says (`subject`, ""
    for nothing). A record of unknown origin counts as a person of its own.

    Returns:
        records; how the persons are known, one of `ecgs.KNOWN_BY` (the weakest source that decided
            for any record); warnings.
    """
    known = metadata.match([record.name for record in records]) if metadata is not None else {}
    found, sources = [], []
    for record in records:
        info = known.get(record.name)
        subject, source = _subject(record, info, database)
        sources.append(source)
        found.append(replace(_with_table(record, info), subject=subject))
    known_by = max(sources, key=KNOWN_BY.index, default="nothing")
    remarks = list(metadata.remarks([record.name for record in records])) if metadata else []
    return found, known_by, remarks + _warnings(found, sources, database)


def unknown_persons(warnings: Sequence[str]) -> tuple[str, ...]:
    """Those of the warnings of `identify` that say that persons are unknown."""
    return tuple(text for text in warnings if "who is who" in text or "Nothing says whose" in text)


def _subject(record: Record, info: Info | None, database: Database | None) -> tuple[str, str]:
    if database is not None and database.persons_in_names:
        return database.subject(record.name), "database"
    if info is not None and not is_blank_name(info.subject):
        subject = f"{database.name}-{info.subject}" if database else info.subject
        return subject, "metadata table"
    if not is_blank_name(record.subject):
        return record.subject, "header comments"
    return record.name, "nothing"


def _with_table(record: Record, info: Info | None) -> Record:
    """The record with what the table says; the table wins over the file where it says something."""
    if info is None:
        return record
    return replace(record, session=info.session or record.session, sex=info.sex or record.sex,
                   age=info.age if info.age == info.age else record.age,
                   labels={**record.labels, **info.labels},
                   metadata={**record.metadata, **info.columns}, paced=record.paced or info.paced)


def _warnings(records, sources, database: Database | None) -> list[str]:
    unknown = [record.name for record, by in zip(records, sources, strict=True) if by == "nothing"]
    if not unknown or len(records) < 2:
        return []
    if database is not None and database.noise:
        return [f"{database.title}: these are recordings of noise, to be added to ECGs, not ECGs."]
    if database is not None:
        return [f"{database.title} does not say who is who: {len(unknown)} records, each at best "
                "one person, and a person may have several. Say records, not persons."]
    if len(unknown) == len(records):
        return [f"Nothing says who is who: each of the {len(records)} records counts as a person. "
                "If a person has several, the split, the intervals and the privacy tests are void. "
                + HOW_TO_NAME]
    few = ", ".join(f"'{name}'" for name in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    return [f"Nothing says whose {len(unknown)} of {len(records)} records are: {few}. Each counts "
            f"as a person of its own. {HOW_TO_NAME}"]
