"""One writer at a time in a folder: locks that end with the process that holds them.

The operating system keeps the lock (`flock`), so that of a killed process is gone at once and
nobody has to delete a file. What stands in the file only says who is there. Windows has no such
locks: there nothing is refused.
"""

import atexit
import contextlib
import json
import os
import platform
import time
import warnings
from pathlib import Path

from ecg_tf.base.errors import InputError, cannot_write

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
ORPHAN_S = 10.0  # longest wait for a notebook's kernel to notice that its report was killed
_held: dict[Path, tuple[int, int]] = {}  # lock file -> (file descriptor, process)


class InUse(InputError):
    """Another process writes there."""


def hold(folder, name: str = LOCK) -> None:
    """Takes a folder for this process, until `release` or its end, however it comes.

    Args:
        folder: it is made if missing.
        name: of the lock file; several locks may lie in one folder. Default ".lock".

    Raises:
        InUse: another process holds it; names host and process.
        InputError: the folder cannot be written to.

    Example:
        >>> hold("runs/a")
        >>> hold("runs/a")  # the same process may ask again
    """
    path = Path(folder).absolute() / name
    if fcntl is None or _ours(path):
        return
    if not _held:
        atexit.register(_release_all)
    descriptor = _take(path)
    if descriptor is not None:
        _held[path] = (descriptor, os.getpid())


def release(folder, name: str = LOCK) -> None:
    """Gives a folder back; nothing happens if this process does not hold it."""
    path = Path(folder).absolute() / name
    if not _ours(path):
        return
    descriptor, _ = _held.pop(path)
    with contextlib.suppress(OSError):
        if _same_file(descriptor, path):
            path.unlink()  # while it is still locked: `_take` notices
    os.close(descriptor)


@contextlib.contextmanager
def holding(folder, name: str = LOCK):
    """`hold` for the time of a block; who held it before goes on holding it.

    Example:
        >>> with holding("runs/a"):
        ...     train(experiment, data)
    """
    before = _ours(Path(folder).absolute() / name)
    hold(folder, name)
    try:
        yield
    finally:
        if not before:
            release(folder, name)


def _take(path: Path) -> int | None:
    """The descriptor of the locked file; None on a file system without locks."""
    last = time.monotonic() + ORPHAN_S
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise cannot_write(path.parent, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note = _note(descriptor)
            os.close(descriptor)
            if _orphaned(note) and time.monotonic() < last:
                time.sleep(0.1)
                continue
            raise _in_use(path, note) from None
        except OSError as error:
            os.close(descriptor)
            warnings.warn(f"'{path.parent}' is on a file system without locks ({error.strerror}): "
                          "make sure that only one process writes there.", stacklevel=4)
            return None
        if _same_file(descriptor, path):  # else it was released and removed just now
            break
        os.close(descriptor)
    note = {"host": platform.node(), "process": os.getpid(),
            "parent": int(os.environ.get("JPY_PARENT_PID") or 0),
            "since": time.strftime("%Y-%m-%d %H:%M:%S %Z")}
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a word in it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
    return descriptor


def _in_use(path: Path, note: dict) -> InUse:
    process, host = note.get("process", "of unknown number"), note.get("host", "unknown")
    return InUse(
        f"Another process is at work in '{path.parent}'.",
        expected="one at a time, so that none destroys what the other one writes",
        got=f"process {process} on host '{host}', since {note.get('since', 'just now')}",
        fix="wait for its end, or end it (a notebook: shut down its kernel); it then goes on from "
        "its last checkpoint. Other experiments, under other names, may run beside it",
    )


def _note(descriptor: int) -> dict:
    try:
        note = json.loads(os.pread(descriptor, 1000, 0))
    except (OSError, ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def _orphaned(note: dict) -> bool:
    """Whether the holder is a kernel here whose parent is dead: it will end by itself."""
    parent = note.get("parent")
    if note.get("host") != platform.node() or not isinstance(parent, int) or parent <= 0:
        return False
    try:
        os.kill(parent, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _ours(path: Path) -> bool:
    # A forked child inherits this dictionary, but is another process.
    return _held.get(path, (0, 0))[1] == os.getpid()


def _release_all() -> None:
    for path in list(_held):
        release(path.parent, path.name)
