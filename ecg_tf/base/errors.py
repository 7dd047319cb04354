"""Errors that teach, and files that are written whole or not at all."""

import contextlib
import difflib
import errno
import os
from collections.abc import Iterable
from pathlib import Path


class InputError(ValueError):
    """What a user gave cannot be used: says what was expected, what came and how to mend it.

    Args:
        what: str, one sentence that names the thing at fault.
        expected: what would have been right.
        got: what came instead.
        fix: str, what the user can do about it.

    Example:
        >>> raise InputError("Unknown lead.", expected="MLII or V5", got="MLI", fix="use MLII")
    """

    def __init__(self, what: str, *, expected="", got="", fix: str = ""):
        parts = [what]
        if expected != "":
            parts.append(f"Expected: {_as_sentence(expected)}")
        if got != "":
            parts.append(f"Got: {_as_sentence(got)}")
        if fix:
            parts.append(f"Fix: {_as_sentence(fix)}")
        super().__init__(" ".join(parts))

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for this: a notebook then shows the paragraph, not our frames.
        return [f"{type(self).__name__}: {self}"]


class TooFew(InputError):
    """There are too few persons or strips for a measure: it has no value, others may have one."""


def closest(name: str, names: Iterable[str]) -> str:
    """The valid name most like a misspelled one, as a hint.

    Args:
        name: str, what came.
        names: the valid names.

    Returns:
        str, "Did you mean 'x'?" or "" when nothing is near.
    """
    near = difflib.get_close_matches(str(name), list(names), n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else ""


def write_whole(path, content: str | bytes) -> Path:
    """Writes a file under a temporary name, then renames it: a reader never sees half of it.

    Args:
        path: where to write; its folder is made if missing.
        content: str (written as UTF-8) or bytes.

    Returns:
        Path of the file.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    with whole_file(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(path)


@contextlib.contextmanager
def whole_file(path):
    """A temporary name beside `path` to write to; renamed at the end, removed if that fails.

    For what writes files itself, such as `model.save`: the suffix stays the same.

    Args:
        path: the file to be; its folder is made if missing.

    Yields:
        Path to write to.

    Raises:
        InputError: the folder cannot be made or written to.

    Example:
        >>> with whole_file("runs/a/generator.keras") as part:
        ...     generator.save(part)
    """
    path = Path(path)
    part = path.with_name(f".part-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _to_disk(part)
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def cannot_write(path, error: OSError) -> InputError:
    """The error for a file or folder that cannot be written, to be raised: full, or not allowed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        fix = "make space and give the same command again; what was whole before is as it was"
    else:
        fix = "choose another folder, or give yourself write permission to this one"
    return InputError(
        f"Cannot write '{path}'.",
        expected="a folder that can be written to, with space left",
        got=f"{type(error).__name__}: {error.strerror or error}",
        fix=fix,
    )


def _to_disk(path: Path) -> None:
    # Else a power cut may leave the new name with nothing behind it.
    with contextlib.suppress(OSError):  # some file systems cannot, such as those of other machines
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _as_sentence(text) -> str:
    text = str(text)
    return text if text.endswith((".", "!", "?")) else f"{text}."
