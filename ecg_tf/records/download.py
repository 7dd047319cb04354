"""Downloads a database from PhysioNet: resumed where it broke off, every file verified."""

import hashlib
import os
import time
from pathlib import Path
from urllib.parse import quote

from ecg_tf.errors import InputError, closest, write_whole
from ecg_tf.records.checksums import parse_sums, sha256_of
from ecg_tf.records.databases import DATABASES, data_folder
from ecg_tf.records.headers import check_inside

#: What is read of a database; drawings, web pages and other annotators are left where they are.
EXTENSIONS = ("hea", "dat", "atr")
_SUMS = "SHA256SUMS.txt"


def download(
    name: str,
    data_dir: str | Path = "",
    progress: bool = True,
    base_url: str = "https://physionet.org/files",
    attempts: int = 4,
    timeout: float = 30.0,
) -> Path:
    """Downloads a known database, or what of it is missing or damaged.

    Files that are there are verified too, and fetched again if they are not the published ones. A
    file gets its name only when it is whole and verified; a transfer that broke off is continued,
    now or at the next call.

    Args:
        name: "mitdb" (about 90 MB) or "ecgiddb" (about 15 MB).
        data_dir: folder that holds the databases, default $ECG_TF_DATA, else "data".
        progress: bool, show a progress bar, default True.
        base_url: str, where the databases are served, default PhysioNet.
        attempts: int, tries for each file, default 4.
        timeout: float, s without an answer before a try is given up, default 30.

    Returns:
        Path of the database's folder.

    Raises:
        InputError: unknown database, no network, a file that stays damaged, or no place to write.

    Example:
        >>> download("mitdb", "data")
        PosixPath('data/mitdb')
    """
    if name not in DATABASES:
        raise InputError(
            f"There is no known database '{name}'.",
            expected=f"one of {', '.join(DATABASES)}",
            got=repr(name),
            fix=closest(name, DATABASES) or "choose one of these",
        )
    import requests
    from tqdm import tqdm

    database = DATABASES[name]
    folder = data_folder(data_dir) / name
    base = f"{base_url.rstrip('/')}/{name}/{database.version}"
    with requests.Session() as session:
        # Compressed transfers would have other lengths than the files, and could not be resumed.
        session.headers["Accept-Encoding"] = "identity"
        client = _Client(session, base, database.title, attempts, timeout)
        try:
            text = client.text(_SUMS)
        except InputError:
            # Without a network a database that is whole can still be verified.
            if not _is_whole(folder):
                raise
            return folder
        sums = parse_sums(text)
        records = client.text("RECORDS")
        if hashlib.sha256(records.encode()).hexdigest() != sums.get("RECORDS"):
            raise client.failed("RECORDS", f"a list of records that {_SUMS} does not confirm")
        wanted = [check_inside(file, folder / _SUMS) for file in _wanted(sums, records.split())]
        with tqdm(wanted, desc=name, unit="file", disable=not progress) as bar:
            for file in bar:
                bar.set_postfix_str(file)
                client.fetch(file, folder / file, sums[file])
    write_whole(folder / _SUMS, text)
    return folder


class _Client:
    """Fetches the files of one database, patiently."""

    def __init__(self, session, base: str, title: str, attempts: int, timeout: float):
        self.session, self.base, self.title = session, base, title
        self.attempts, self.timeout = max(1, attempts), timeout

    def text(self, file: str) -> str:
        """A small text file, in memory."""
        return self._try(file, lambda: self._get(file).content.decode("utf-8", "replace"))

    def fetch(self, file: str, path: Path, digest: str) -> None:
        """A file to disk, unless the right one is there already."""
        part = path.with_name(f".{path.name}.part")
        try:
            if path.is_file() and sha256_of(path) == digest:
                return
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

    def failed(self, file: str, reason) -> InputError:
        """The error for a file that cannot be had, to be raised."""
        return InputError(
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
            except (requests.RequestException, _Damaged) as error:
                response = getattr(error, "response", None)
                # The server answered and will not think otherwise the next time.
                final = response is not None and 400 <= response.status_code < 500
                if final or attempt + 1 == self.attempts:
                    raise self.failed(file, _reason(error)) from error
                time.sleep(min(0.1 * 4**attempt, 5.0))

    def _get(self, file: str, start: int = 0):
        headers = {"Range": f"bytes={start}-"} if start else {}
        response = self.session.get(
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
                raise _Damaged("a partial file that is no part of it")
            # A server that knows no ranges, or another range, sends the whole: start anew.
            resumed = response.status_code == 206 and response.headers.get(
                "Content-Range", ""
            ).startswith(f"bytes {start}-")
            with part.open("ab" if resumed else "wb") as stream:
                for chunk in response.iter_content(1 << 16):
                    stream.write(chunk)
            length = response.headers.get("Content-Length")
            received = part.stat().st_size - (start if resumed else 0)
            if length is not None and received < int(length):
                raise _Damaged(f"{received} of {length} bytes, then the transfer stopped")
        found = sha256_of(part)
        if found != digest:
            part.unlink()
            raise _Damaged(f"a file with SHA-256 {found} instead of {digest}")


class _Damaged(Exception):
    """What came is not the file; worth another try."""


def _wanted(sums: dict[str, str], records: list[str]) -> list[str]:
    """Files to fetch; RECORDS last, so that a folder with it has all its records."""
    files = {f"{record}.{extension}" for record in records for extension in EXTENSIONS}
    return [*sorted(file for file in sums if file in files), "RECORDS"]


def _is_whole(folder: Path) -> bool:
    try:
        sums = parse_sums((folder / _SUMS).read_text(encoding="utf-8"))
        wanted = _wanted(sums, (folder / "RECORDS").read_text(encoding="utf-8").split())
        return len(wanted) > 1 and all(sha256_of(folder / file) == sums[file] for file in wanted)
    except (OSError, KeyError, UnicodeDecodeError):
        return False


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code} {response.reason}"
    return f"{error}" if isinstance(error, _Damaged) else f"{type(error).__name__}: {error}"
