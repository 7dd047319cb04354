"""One writer at a time in a folder: locks that end with the process that holds them.

The operating system keeps the lock, by way of `filelock`: that of a killed process is gone at once
and no file has to be deleted by hand. Its content only says who holds the lock.
"""

import atexit
import contextlib
import errno
import json
import os
import platform
import time
import warnings
from pathlib import Path

import filelock

from ecg_tf.base.errors import InputError, cannot_write

LOCK = ".lock"
ORPHAN_S = 10.0  # longest wait for a notebook's kernel to notice that its report was killed
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_held: dict[Path, tuple[filelock.BaseFileLock, int]] = {}  # lock file -> (lock, process)


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
    if _ours(path):
        return
    if not _held:
        atexit.register(_release_all)
    lock = filelock.FileLock(path, timeout=0, thread_local=False, fallback_to_soft=False)
    if _take(lock, path):
        _held[path] = (lock, os.getpid())


def release(folder, name: str = LOCK) -> None:
    """Gives a folder back; nothing happens if this process does not hold it."""
    path = Path(folder).absolute() / name
    if not _ours(path):
        return
    lock, _ = _held.pop(path)
    with contextlib.suppress(OSError):
        path.unlink()  # while it is still locked: who waits for it notices
    lock.release(force=True)


@contextlib.contextmanager
def holding(folder, name: str = LOCK):
    """`hold` for the time of a block; a lock held before stays held.

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


def _take(lock: filelock.BaseFileLock, path: Path) -> bool:
    """Takes the lock and writes down by whom; False on a file system without locks."""
    last = time.monotonic() + ORPHAN_S
    while not lock.is_locked:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except filelock.Timeout:
            note = _note(path)
            if not _orphaned(note) or time.monotonic() > last:
                raise _in_use(path, note) from None
            time.sleep(0.1)
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise cannot_write(path.parent, error) from error
            warnings.warn(f"'{path.parent}' is on a file system without locks ({error.strerror}): "
                          "make sure that only one process writes there.", stacklevel=4)
            return False
    note = {"host": platform.node(), "process": os.getpid(),
            "parent": int(os.environ.get("JPY_PARENT_PID") or 0),
            "since": time.strftime("%Y-%m-%d %H:%M:%S %Z")}
    with contextlib.suppress(OSError):  # a full disk, or Windows: the lock holds without a word
        path.write_text(json.dumps(note))
    return True


def _in_use(path: Path, note: dict) -> InUse:
    process, host = note.get("process", "of unknown number"), note.get("host", "unknown")
    return InUse(
        f"Another process is at work in '{path.parent}'.", expected="one at a time",
        got=f"process {process} on host '{host}', since {note.get('since', 'just now')}",
        fix="wait for its end, or end it (a notebook: shut down its kernel). Other experiments, "
        "under other names, may run beside it",
    )


def _note(path: Path) -> dict:
    try:
        with open(path, "rb") as file:
            note = json.loads(file.read(1000))
    except (OSError, ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def _orphaned(note: dict) -> bool:
    """Whether the holder is a kernel here whose parent is dead: it will end by itself."""
    parent = note.get("parent")
    if os.name != "posix" or note.get("host") != platform.node() \
            or not isinstance(parent, int) or parent <= 0:
        return False
    try:
        os.kill(parent, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass
    return False


def _ours(path: Path) -> bool:
    # A forked child inherits this dictionary, but is another process.
    return _held.get(path, (None, 0))[1] == os.getpid()


def _release_all() -> None:
    for path in list(_held):
        release(path.parent, path.name)
