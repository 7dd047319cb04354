"""What a folder holds: recordings of every format, and the tables that lie beside them."""

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.ecgs import LeftOut
from ecg_tf.records.formats.common import check_inside
from ecg_tf.records.formats.csv_head import is_table
from ecg_tf.records.formats.wfdb_header import LARGEST_HEADER, decoded

LARGEST_LIST = 2**24  # bytes of a RECORDS file
SUFFIXES = (".hea", ".edf", ".csv", ".npy", ".npz")
Files = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Listing:
    """The recordings of a folder, in reading order.

    Args:
        folder: Path.
        items: name of a recording, without extension -> its file (a record's header), both
            relative to the folder.
        files: every file's name relative to the folder -> (bytes, time of change in ns).
        left_out: what the list of records names and the folder does not hold, or was excluded.
    """

    folder: Path
    items: Mapping[str, str]
    files: Files = field(repr=False, default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    def only(self, records: Iterable[str] | None, exclude: Iterable[str] = ()) -> "Listing":
        """Chooses recordings by name; "records500/*" takes all that fit.

        Args:
            records: names or patterns, None for all.
            exclude: names or patterns of those to leave out.

        Raises:
            InputError: a name fits no recording: the nearest one is given.
        """
        wanted = list(self.items) if records is None else chosen(self.items, records, self.folder)
        unwanted = set(chosen(self.items, exclude, self.folder)) if exclude else set()
        out = tuple(LeftOut(name, "excluded", "excluded by name") for name in self.items
                    if name in unwanted)
        return Listing(self.folder, {name: self.items[name] for name in wanted
                                     if name not in unwanted}, self.files,
                       (*self.left_out, *out) if records is None else out)


def list_folder(folder: Path, skip: Iterable[str] = (), files: Files | None = None) -> Listing:
    """Lists the recordings of a folder, nested ones too; perhaps there is none.

    WFDB records are those that a file RECORDS lists, else every header found; segments of a
    multi-segment record are no records of their own. CSV files that are tables of records
    (patients, labels) are no recordings, nor are files named in `skip`. `files`: of `scan`, if that
    has been done. InputError: there is no such folder, or its list of records leads out of it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.",
                         expected="a folder of WFDB, EDF, CSV or NumPy recordings",
                         got="a file" if folder.exists() else "no such folder",
                         fix="check the path; `ecg-tf data mitdb` downloads MIT-BIH")
    files = scan(folder) if files is None else files
    names = list(dict.fromkeys(_names_in(folder, "RECORDS", files))) if "RECORDS" in files else \
        _headers(folder, files)
    items = {name: f"{name}.hea" for name in names if f"{name}.hea" in files}
    missing = tuple(LeftOut(name, "missing", "RECORDS lists it, the folder does not hold it")
                    for name in names if name not in items)
    skip = set(skip)
    for file in files:
        name, dot, suffix = file.rpartition(".")
        suffix = dot + suffix.lower()
        if suffix not in SUFFIXES[1:] or file in skip or _hidden(file) or \
                suffix == ".csv" and is_table(folder / file):
            continue
        items[file if name in items else name] = file  # a.csv and a.edf are "a" and "a.edf"
    return Listing(folder, items, files, missing)


def chosen(names: Iterable[str], wanted: Iterable[str], where) -> list[str]:
    """The names that are wanted, exactly or by a pattern such as "records500/*"."""
    wanted = [wanted] if isinstance(wanted, str) else [str(name) for name in wanted]
    if not wanted:
        raise InputError("No records are named.", expected="names, or None for all", got="[]")
    known, found = list(names), []
    exact = set(known)
    for name in wanted:
        fits = [name] if name in exact else fnmatch.filter(known, name)
        if not fits:
            raise InputError(
                f"There is no record '{name}' in '{where}'.", got=repr(name),
                expected=f"one of its {len(known)} records ({known[0]} ... {known[-1]})"
                if known else "a record it holds", fix=closest(name, known) or "check the name")
        found += fits
    return list(dict.fromkeys(found))


def scan(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder: name relative to it -> (bytes, time of change in ns), sorted.

    One pass over the directories: a folder of 43,000 files takes a fraction of a second. Links to
    folders outside are not followed.
    """
    found: dict[str, tuple[int, int]] = {}
    home, todo, seen = folder.resolve(), [""], set()
    while todo:
        below = todo.pop()
        try:
            entries = list(os.scandir(folder / below))
        except OSError:
            continue  # not ours to read
        for entry in entries:
            name = f"{below}{entry.name}"
            try:
                if entry.is_dir():
                    real = Path(entry.path).resolve()
                    if real.is_relative_to(home) and real not in seen:
                        seen.add(real)
                        todo.append(f"{name}/")
                elif entry.is_file():
                    status = entry.stat()
                    found[name] = (status.st_size, status.st_mtime_ns)
            except (OSError, RuntimeError):  # a link in a circle
                continue
    return dict(sorted(found.items()))


def _names_in(folder: Path, listed: str, files: Files) -> Iterator[str]:
    """Names in a list of records; an entry "training/" stands for the list of that folder."""
    if files[listed][0] > LARGEST_LIST:
        raise InputError(f"'{folder / listed}' is too large.",
                         expected=f"{LARGEST_LIST} bytes at most", got=str(files[listed][0]),
                         fix="fetch it again")
    below = listed.removesuffix("RECORDS")
    for line in (folder / listed).read_text(encoding="utf-8", errors="replace").split("\n"):
        if not (name := line.strip()):
            continue
        name = below + check_inside(name, folder / listed)
        if not name.endswith("/"):
            yield name
        elif (inner := f"{name}RECORDS") in files and inner != listed:
            yield from _names_in(folder, inner, files)
        else:
            yield from (file[:-4] for file in files
                        if file.startswith(name) and file.endswith(".hea"))


def _headers(folder: Path, files: Files) -> Sequence[str]:
    """Names of all headers but those of segments, which are read as part of their record."""
    headers = [file for file in files if file.endswith(".hea") and not _hidden(file)]
    segments = {segment for file in headers for segment in _segments(folder, file)}
    return [file[:-4] for file in headers if file[:-4] not in segments]


def _segments(folder: Path, file: str) -> list[str]:
    header = folder / file
    if header.stat().st_size > LARGEST_HEADER:
        return []  # it is refused when it is read
    lines = [line for line in decoded(header.read_bytes()) if line and not line.startswith("#")]
    if not lines or not re.match(r"\S+/\d+\s", lines[0]):
        return []
    below = PurePosixPath(file).parent
    return [(below / line.split()[0]).as_posix() for line in lines[1:]]


def _hidden(file: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(file).parts)
