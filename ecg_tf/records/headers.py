"""WFDB headers, checked before anything in them is believed.

Everything in a header comes from somebody else, so nothing in it is trusted: file names stay inside
the record's folder, and sizes are compared with the files before memory is taken (WFDB header
format: physionet.org/physiotools/wag/header-5.htm).
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ecg_tf.errors import InputError

_BITS = {
    "8": 8, "80": 8, "16": 16, "61": 16, "160": 16, "24": 24, "32": 32, "212": 12,
    "310": 32 / 3, "311": 32 / 3,
}  # fmt: skip
_FLAC = ("508", "516", "524")
_COMMENT = re.compile(
    r"\b(subject|age|sex|gender|session|date)\b>?[ \t]*[:=][ \t]*([^<\n]*?)[ \t]*(?=<|$)", re.I
)


LARGEST_HEADER = 2**22  # bytes
LONGEST_LINE = 2000  # characters; the parser's time grows with their square
MOST_SIGNALS, MOST_SEGMENTS = 1024, 100_000
SLOWEST_FS, FASTEST_FS = 10.0, 1e6  # Hz; resampling a slower one would need any amount of memory
#: Largest numbers believed: beyond any file, and small enough for all arithmetic.
_MOST = {"sig_len": 2**56, "samps_per_frame": 10_000, "skew": 2**31, "byte_offset": 2**40}


def read_header(path: Path, root: Path | None = None):
    """Reads a header and checks everything that can be checked without the signal.

    Args:
        path: Path of the record without extension.
        root: Path of the folder that no file may lie outside of. Default: the record's own.

    Returns:
        wfdb.Record or wfdb.MultiRecord without signals.

    Raises:
        InputError: it is missing or malformed, or names a file outside the record's folder.
    """
    import wfdb

    file = path.with_name(f"{path.name}.hea")
    if not file.is_file():
        raise InputError(
            f"Record '{path}' has no header.",
            expected=f"the file '{file}'",
            got="no such file",
            fix="check the path (without extension), or fetch the file again",
        )
    check_links(file, root or path.parent)
    _check_text(path, file)
    try:
        header = wfdb.rdheader(str(path.absolute()))
    except Exception as error:  # wfdb has no exception of its own
        raise malformed(path, f"{type(error).__name__}: {error}") from error
    if not header.fs or not SLOWEST_FS <= header.fs <= FASTEST_FS:
        raise malformed(path, f"a sampling rate of {header.fs:g} Hz" if header.fs else "no rate")
    for field, most in _MOST.items():
        values = getattr(header, field, None)
        if any((value or 0) > most for value in (values if isinstance(values, list) else [values])):
            raise malformed(path, f"a number in '{field}' beyond {most}")
    if hasattr(header, "seg_name"):
        names = [name for name in header.seg_name or () if name != "~"]
        if len(header.seg_name) != header.n_seg or sum(header.seg_len) != header.sig_len:
            raise malformed(path, "segments that do not add up to the record's length")
    else:
        names = header.file_name or []
        if not header.n_sig or len(names) != header.n_sig:
            raise malformed(path, f"{header.n_sig} signals announced, {len(names)} described")
    for name in names:
        check_inside(name, file)
    return header


def check_inside(name: str, where: Path) -> str:
    """Refuses a file name that would lead out of the folder of the file that gave it.

    Args:
        name: str, relative name as written in a header or a list of records.
        where: Path of the file that gave it, for the message.

    Returns:
        str, the same name.

    Raises:
        InputError: it is absolute, climbs up with "..", or is not a plain file name.
    """
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", name):
        raise InputError(
            f"'{where}' names a file outside its own folder.",
            expected="plain file names relative to that folder",
            got=repr(name),
            fix="do not use these files unless you trust whoever made them; else correct the name",
        )
    return name


def check_links(file: Path, root: Path) -> None:
    """Refuses a file that a symbolic link has led out of a folder.

    Args:
        file: Path.
        root: Path of the folder.

    Raises:
        InputError: it really lies elsewhere.
    """
    try:
        real, home = file.resolve(), root.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise InputError(f"'{file}' cannot be found.", expected="a file",
                         got=str(error)[:200], fix="correct the link") from error
    if not real.is_relative_to(home):
        raise InputError(f"'{file}' is a link to a file outside '{root}'.",
                         expected="files of that folder, or links within it", got=str(real)[:300],
                         fix="copy the file there, or read the folder where it lies")


def check_sizes(path: Path, header, root: Path | None = None) -> None:
    """Compares the signal files' sizes with the header, before memory is taken for them.

    Args:
        path: Path of the record without extension.
        header: its wfdb.Record.
        root: Path of the folder that no file may lie outside of. Default: the record's own.

    Raises:
        InputError: a file is missing, shorter than the header says, or longer with no checksum
            to tell whether the header is right.
    """
    for name in dict.fromkeys(header.file_name):
        file = path.parent / name
        if not file.is_file():
            raise InputError(
                f"Record '{path}' has no signal file.",
                expected=f"the file '{file}', which its header names",
                got="no such file",
                fix="fetch the file again",
            )
        check_links(file, root or path.parent)
        signals = [i for i, other in enumerate(header.file_name) if other == name]
        formats = {header.fmt[i] for i in signals}
        if len(formats) > 1 or not formats <= {*_BITS, *_FLAC}:
            raise malformed(path, f"signal format {sorted(formats)}")
        form = formats.pop()
        per_frame = sum(header.samps_per_frame[i] or 1 for i in signals)
        if form in _FLAC:
            import soundfile

            try:
                sound = soundfile.info(str(file))
            except RuntimeError as error:
                raise malformed(path, f"no FLAC file ({error})") from error
            size, needed = sound.frames, header.sig_len
            if size * sound.channels > 100 * file.stat().st_size + 10**6:
                raise malformed(path, f"a FLAC file of {file.stat().st_size} bytes that claims "
                                f"{size} samples")
            if not header.sig_len:
                continue
        elif not header.sig_len:
            continue  # the length is then the file's
        else:
            size = file.stat().st_size
            needed = (header.byte_offset[signals[0]] or 0) + math.ceil(
                header.sig_len * per_frame * _BITS[form] / 8 - 1e-6
            )
        # Without a checksum only the length can tell a header that was cut down by mistake.
        unsure = size > needed + 4 and any(header.checksum[i] is None for i in signals)
        if size < needed or unsure:
            raise InputError(
                f"Signal file '{file}' does not have the length its header says.",
                expected=f"{needed} {'frames' if form in _FLAC else 'bytes'} "
                f"({header.sig_len} samples of {len(signals)} signals in format {form})",
                got=str(size),
                fix="fetch the file again: it was cut off, or header and signals do not belong "
                "together",
            )


def lead_names(names) -> list[str]:
    """Lead names made unique, for leads are chosen by name and never by column.

    Args:
        names: list of str or None, as in a header.

    Returns:
        list of str: "lead 2" where a name is missing, "V1 (3)" where it came before.
    """
    unique: list[str] = []
    for i, name in enumerate(names):
        name = name or f"lead {i}"
        unique.append(name if name not in unique else f"{name} ({i})")
    return unique


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
    for line in (line[:1000] for line in comments[:1000]):
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


def malformed(path: Path, got: str) -> InputError:
    """The error for a header that breaks the format, to be raised.

    Args:
        path: Path of the record without extension.
        got: str, what is wrong.
    """
    return InputError(
        f"WFDB header '{path}.hea' is malformed.",
        expected="a header as in physionet.org/physiotools/wag/header-5.htm",
        got=got,
        fix="fetch the file again, or correct it",
    )


def _check_text(path: Path, file: Path) -> None:
    """Bounds of a header's text, before a parser whose time grows with their square sees it."""
    if file.stat().st_size > LARGEST_HEADER:
        raise malformed(path, f"{file.stat().st_size} bytes, more than {LARGEST_HEADER}")
    lines = file.read_text(encoding="ascii", errors="ignore").splitlines()
    longest = max(map(len, lines), default=0)
    if longest > LONGEST_LINE:
        raise malformed(path, f"a line of {longest} characters, more than {LONGEST_LINE}")
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    segments = bool(lines) and re.match(r"\s*[-\w]+/\d+\s", lines[0])
    most = MOST_SEGMENTS if segments else MOST_SIGNALS
    if len(lines) - 1 > most:
        raise malformed(path, f"{len(lines) - 1} {'segments' if segments else 'signals'}, more "
                        f"than {most}")
