"""Errors that teach, and files that are written whole or not at all."""

import contextlib
import difflib
import errno
import os
from collections.abc import Iterable
from pathlib import Path


class InputError(ValueError):
    """What a user gave cannot be used: what is wrong, what was expected, what came, how to fix it.

    Args:
        what: str, one sentence that names the thing at fault.
        expected, got, fix: the message's further lines; "" leaves one out.

    Example:
        >>> raise InputError("Unknown lead.", expected="MLII or V5", got="MLI", fix="use MLII")
        Traceback (most recent call last):
        ecg_tf.base.errors.InputError: Unknown lead.
        Expected: MLII or V5.
        Got: MLI.
        Fix: use MLII.
    """

    def __init__(self, what: str, *, expected="", got="", fix: str = ""):
        further = {"Expected": expected, "Got": got, "Fix": fix}
        super().__init__("\n".join([what, *(f"{title}: {_as_sentence(text)}"
                                            for title, text in further.items() if text != "")]))

    @property
    def one_line(self) -> str:
        """The message on one line, for tables and lists."""
        return " ".join(str(self).split())

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for this: a notebook then shows the message, not our frames.
        return [f"{type(self).__name__}: {self}"]


class TooFew(InputError):
    """There are too few persons or strips for a measure: it has no value, others may have one."""


def closest(name: str, names: Iterable[str]) -> str:
    """A hint at the valid name most like a misspelt one: "Did you mean 'x'?", or "" if none is."""
    near = difflib.get_close_matches(str(name), list(names), n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else ""


def write_whole(path, content: str | bytes) -> Path:
    """Writes text (UTF-8) or bytes as `whole_file` does; returns the path."""
    with whole_file(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(path)


@contextlib.contextmanager
def whole_file(path):
    """A temporary name beside `path`, renamed at the end: a reader never sees half a file.

    Its folder is made if missing; its suffix stays the same, for what goes by it.

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
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return InputError(
        f"Cannot write '{path}'.", expected="a folder that can be written to, with space left",
        got=f"{type(error).__name__}: {error.strerror or error}",
        fix="make space and give the same command again; what was whole before is as it was"
        if full else "choose another folder, or give yourself write permission to this one")


def _to_disk(path: Path) -> None:
    # Else a power cut may leave the new name with nothing behind it.
    with contextlib.suppress(OSError):  # some file systems cannot, such as those of other machines
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _as_sentence(text) -> str:
    text = " ".join(str(text).split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
