"""Files from a server to disk: each whole and verified, resumed where a transfer broke off."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from urllib.parse import quote

from ecg_tf.base.errors import InputError
from ecg_tf.records.checksums import sha256_of

_BUSY = (408, 425, 429)  # the server asks to come again


class Client:
    """Fetches the files of one database, patiently, from several threads.

    Args:
        base: str, address of the database's folder.
        title: str, for messages.
        attempts: int, tries for each file.
        timeout: float, s without an answer before a try is given up.
    """

    def __init__(self, base: str, title: str, attempts: int, timeout: float):
        self.base, self.title = base, title
        self.attempts, self.timeout = max(1, attempts), timeout
        self.received = 0  # bytes of file contents so far
        self._stop = threading.Event()
        self._own = threading.local()

    def read(self, file: str) -> bytes:
        """A small file, in memory."""
        return self._try(file, lambda: self._get(file).content)

    def fetch(self, file: str, path: Path, digest: str) -> None:
        """A file to disk, under its name only when it is whole and has the right SHA-256."""
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._try(file, lambda: self._continue(file, part, digest))
            os.replace(part, path)
        except OSError as error:
            raise InputError(
                f"Cannot write '{path}'.",
                expected="a folder that can be written to, with space left",
                got=f"{type(error).__name__}: {error.strerror or error}",
                fix="choose another folder for the data (ECG_TF_DATA)",
            ) from error

    def fetch_all(self, files: Sequence[str], folder: Path, sums: Mapping[str, str],
                  connections: int, done: Callable[[], None]) -> None:
        """Files to disk, several at once; the first that fails ends all.

        Args:
            files: names relative to the database's folder.
            folder: Path that they go to.
            sums: name -> SHA-256.
            connections: int, transfers at once.
            done: called after each file, by one thread at a time.

        Raises:
            InputError: a file cannot be had or written.
        """
        pool = ThreadPoolExecutor(max(1, connections))
        lock = threading.Lock()

        def one(file: str) -> None:
            self.fetch(file, folder / file, sums[file])
            with lock:
                done()

        try:
            finished, _ = wait([pool.submit(one, file) for file in files],
                               return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
        finally:  # after a fault or Ctrl-C too: what runs stops, its beginning is kept
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def failed(self, file: str, reason) -> "NotFetched":
        """The error for a file that cannot be had, to be raised."""
        return NotFetched(
            f"The {self.title} cannot be downloaded.",
            expected=f"{self.base}/{file}",
            got=str(reason),
            fix="check the network and call again: what is there already is kept, and a broken "
            "transfer goes on where it stopped. Without a network, copy the database into the "
            'folder data/ by hand, or use database="simulated"',
        )

    def _try(self, file: str, action):
        import requests

        for attempt in range(self.attempts):
            try:
                return action()
            except (requests.RequestException, Damaged) as error:
                response = getattr(error, "response", None)
                status = response.status_code if response is not None else 0
                # The server answered and will not think otherwise the next time.
                final = 400 <= status < 500 and status not in _BUSY
                if final or attempt + 1 == self.attempts:
                    raise self.failed(file, _reason(error)) from error
                asked = response.headers.get("Retry-After", "") if response is not None else ""
                pause = min(float(asked), 60.0) if asked.isdigit() else min(0.1 * 4**attempt, 5.0)
                if self._stop.wait(pause):
                    raise self.failed(file, "stopped") from error

    def _get(self, file: str, start: int = 0):
        import requests

        if not hasattr(self._own, "session"):  # a session is not made for several threads
            self._own.session = requests.Session()
            # Compressed transfers would have other lengths than the files, and cannot be resumed.
            self._own.session.headers["Accept-Encoding"] = "identity"
        headers = {"Range": f"bytes={start}-"} if start else {}
        response = self._own.session.get(
            f"{self.base}/{quote(file)}", headers=headers, stream=True, timeout=self.timeout
        )
        if not (start and response.status_code == 416):
            response.raise_for_status()
        return response

    def _continue(self, file: str, part: Path, digest: str) -> None:
        """Brings the part of a file to its end and verifies it, or leaves what may be continued."""
        start = part.stat().st_size if part.exists() else 0
        if start and sha256_of(part) == digest:
            return
        with self._get(file, start) as response:
            if response.status_code == 416:  # the part is longer than the file
                part.unlink()
                raise Damaged("a partial file that is no part of it")
            # A server that knows no ranges, or another range, sends the whole: start anew.
            resumed = response.status_code == 206 and response.headers.get(
                "Content-Range", ""
            ).startswith(f"bytes {start}-")
            with part.open("ab" if resumed else "wb") as stream:
                for chunk in response.iter_content(1 << 16):
                    stream.write(chunk)
                    self.received += len(chunk)
                    if self._stop.is_set():
                        raise self.failed(file, "stopped")
            length = response.headers.get("Content-Length")
            received = part.stat().st_size - (start if resumed else 0)
            if length is not None and received < int(length):
                raise Damaged(f"{received} of {length} bytes, then the transfer stopped")
        found = sha256_of(part)
        if found != digest:
            part.unlink()
            raise Damaged(f"a file with SHA-256 {found} instead of {digest}")


class NotFetched(InputError):
    """A file cannot be had: no network, no such file, or damaged each time."""


class Damaged(Exception):
    """What came is not the file; worth another try."""


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code} {response.reason}"
    return f"{error}" if isinstance(error, Damaged) else f"{type(error).__name__}: {error}"
