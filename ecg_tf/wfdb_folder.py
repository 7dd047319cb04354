"""A folder of WFDB records: which records it holds, what their comments say, their SHA-256."""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ecg_tf.errors import InputError, closest
from ecg_tf.wfdb_headers import check_inside

_COMMENT = re.compile(
    r"\b(subject|age|sex|gender|session|date)\b>?[ \t]*[:=][ \t]*([^<\n]*?)[ \t]*(?=<|$)", re.I
)


def record_names(folder: Path, records: Iterable[str] | None = None) -> list[str]:
    """Names of the records of a folder: what RECORDS lists, else every header in it, nested too.

    Args:
        folder: Path.
        records: the names wanted, default all.

    Returns:
        list of str, names relative to the folder, without extension.

    Raises:
        InputError: there is no such folder, it holds no records, or not those wanted.
    """
    if not folder.is_dir():
        raise InputError(
            f"There is no folder '{folder}'.",
            expected="a folder of WFDB records",
            got="a file" if folder.exists() else "no such folder",
            fix="check the path; `python -m ecg_tf data mitdb` downloads MIT-BIH",
        )
    listed = folder / "RECORDS"
    if listed.is_file():
        lines = listed.read_text(encoding="utf-8", errors="replace").split("\n")
        names = [check_inside(line.strip(), listed) for line in lines if line.strip()]
    else:
        headers = sorted(folder.rglob("*.hea"))
        segments = {segment for header in headers for segment in _segments(header)}
        found = (path.with_suffix("") for path in headers)
        names = [path.relative_to(folder).as_posix() for path in found if path not in segments]
    if not names:
        raise InputError(
            f"The folder '{folder}' holds no WFDB records.",
            expected="a file RECORDS, or headers (*.hea)",
            got="neither",
            fix="check the path; `python -m ecg_tf data mitdb` downloads MIT-BIH",
        )
    if records is None:
        return list(dict.fromkeys(names))
    wanted = [records] if isinstance(records, str) else [str(record) for record in records]
    if not wanted:
        raise InputError("No records are asked for.", expected="names, or None for all", got="[]")
    for name in wanted:
        if name not in names:
            raise InputError(
                f"There is no record '{name}' in '{folder}'.",
                expected=f"one of its {len(names)} records ({names[0]} ... {names[-1]})",
                got=repr(name),
                fix=closest(name, names) or "check the name",
            )
    return list(dict.fromkeys(wanted))


def published_sums(folder: Path) -> dict[str, str]:
    """Checksums the folder came with.

    Args:
        folder: Path.

    Returns:
        name of file -> SHA-256, from SHA256SUMS.txt; empty without one.
    """
    try:
        text = (folder / "SHA256SUMS.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return parse_sums(text)


def parse_sums(text: str) -> dict[str, str]:
    """Reads the lines of a sha256sum list.

    Args:
        text: str, lines of "<64 hex digits> [*]<name>".

    Returns:
        name of file -> SHA-256 in lower case.
    """
    found = re.findall(r"^([0-9a-fA-F]{64})[ \t]+\*?(.+?)[ \t\r]*$", text, re.M)
    return {name.removeprefix("./"): digest.lower() for digest, name in found}


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digests(folder: Path, files: Sequence[str], sums: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of files, compared with the published ones.

    Args:
        folder: Path.
        files: names relative to it.
        sums: name -> published SHA-256; files it does not list are not compared.

    Returns:
        name -> SHA-256.

    Raises:
        InputError: a file is not the published one.
    """
    found = {}
    for name in files:
        found[name] = sha256_of(folder / name)
        if sums.get(name, found[name]) != found[name]:
            raise InputError(
                f"The file '{folder / name}' is not the published one.",
                expected=f"SHA-256 {sums[name]}, as SHA256SUMS.txt there says",
                got=found[name],
                fix="fetch the file again; if you changed it on purpose, take its line out of "
                "SHA256SUMS.txt",
            )
    return found


def about(comments: Sequence[str], first_line: bool = False) -> dict:
    """What the comments of a header say of the person.

    Args:
        comments: its comment lines, "Age: 25", "Sex: male", "ECG date: 07.12.2004",
            "subject: ID", "session: ID", or several as "<age>: 25 <sex>: M" in one.
        first_line: bool, the first is "69 M 1085 1629 x1" as in MIT-BIH (age, sex, tape).

    Returns:
        {"subject": str, "session": str, "sex": str, "age": float}, "" or NaN where not said.

    Example:
        >>> about(["Age: 25", "Sex: male", "ECG date: 07.12.2004"])["session"]
        '2004-12-07'
    """
    said: dict[str, str] = {}
    for line in comments:
        for key, value in _COMMENT.findall(line):
            said.setdefault(key.lower(), value)
    sex, age = said.get("sex") or said.get("gender") or "", said.get("age", "")
    if first_line and comments and (match := re.match(r"(-?\d+)\s+([MF])\b", comments[0])):
        age, sex = match.groups()
    number = re.match(r"-?\d+(\.\d+)?", age)
    years = float(number[0]) if number else math.nan
    date = said.get("session") or said.get("date") or ""
    if day := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4})", date):
        date = f"{day[3]}-{day[2]}-{day[1]}"
    return {
        "subject": said.get("subject", ""),
        "session": date,
        "sex": {"m": "male", "f": "female"}.get(sex[:1].lower(), ""),
        "age": years if 0 <= years < 130 else math.nan,  # MIT-BIH writes -1 for "not known"
    }


def _segments(header: Path) -> list[Path]:
    """Segments of a multi-segment record, which are read as part of it and never on their own."""
    lines = header.read_text(encoding="ascii", errors="ignore").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if not lines or not re.match(r"\S+/\d+\s", lines[0]):
        return []
    return [header.parent / line.split()[0] for line in lines[1:]]
