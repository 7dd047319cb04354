"""Downloads a database from PhysioNet, or a part of it: every file verified by its SHA-256."""

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest, write_whole
from ecg_tf.records.checksums import parse_sums, sha256_of
from ecg_tf.records.database import Database
from ecg_tf.records.databases import DATABASES, data_folder
from ecg_tf.records.formats.common import check_inside
from ecg_tf.records.selection import chosen_records

_SUMS, _LIST, _LICENSE = "SHA256SUMS.txt", "RECORDS", "LICENSE.txt"


class NotFetched(InputError):
    """A file cannot be had: no network, no such file, or damaged at every attempt."""


def download(name: str, data_dir: str | Path = "", records: str | Iterable[str] | None = None,
             folds: Iterable[int | str] | None = None, rate: float | str = 0, progress: bool = True,
             base_url: str = "https://physionet.org/files", attempts: int = 4,
             timeout: float = 30.0, connections: int = 4) -> Path:
    """Downloads a known database, or what of it is missing or damaged.

    Files that are there are verified too, and fetched again if they are not the published ones. A
    file gets its name only when it is whole and verified: after an interruption the same call
    fetches what is missing. Of a part, RECORDS and SHA256SUMS.txt list what is there: a second
    part adds to the first.

    Args:
        name: "mitdb" (about 90 MB), "ecgiddb" (15 MB), "ptbxl" (0.5 GB at 100 Hz, 2.6 GB at 500
            Hz), "cinc2017" (170 MB), "ludb" (30 MB) or "nstdb" (6 MB).
        data_dir: folder that holds the databases, default $ECG_TF_DATA, else "data".
        records: only these: names, ends of names ("00001_lr"), patterns ("records100/000*"), or a
            file with one a line. Default all.
        folds: only these of the database's published folds, by its table. Default all.
        rate: Hz, or "all", of a database that has every recording at several rates. Default: the
            rate that is read when none is given.
        progress: bool, show a progress bar, default True.
        base_url: str, where the databases are served, default PhysioNet.
        attempts: int, for each file, default 4.
        timeout: float, s without an answer before an attempt is given up, default 30.
        connections: int, files at once, default 4.

    Returns:
        Path of the database's folder.

    Raises:
        InputError: unknown database, record, fold or rate; no network, a file that stays damaged,
            or no place to write.

    Example:
        >>> download("ptbxl", "data", folds=[1, 2])
        PosixPath('data/ptbxl')
    """
    database = _known(name)
    rates = _rates(database, rate)
    wanted_folds = _folds(database, folds)
    folder = data_folder(data_dir) / name
    base = f"{base_url.rstrip('/')}/{database.path or name}/{database.version}"
    server = _Server(base, database.title, folder, attempts, timeout)
    try:
        text = server.read(_SUMS)
    except NotFetched:
        # Without a network a database that is whole can still be verified.
        if records is not None or folds is not None or not _is_whole(folder, database, rates):
            raise
        return folder
    published = _published(server, database, text)
    beside = _fetch_tables(server, database, published)
    wanted = chosen_records(database, folder, published.records, records, wanted_folds, rates)
    files = [file for record in wanted for file in _files(database, record, published.sums)]
    server.fetch_all(files, published.sums, connections, progress)
    _write_lists(database, folder, published, wanted, beside)
    return folder


class _Server:
    """The files of one database, fetched with pooch.

    Args:
        base: address of the database's folder.
        title: of the database, for messages.
        folder: where the files go.
        attempts, timeout: of `download`.
    """

    def __init__(self, base: str, title: str, folder: Path, attempts: int, timeout: float):
        self.base, self.title, self.folder = base, title, folder
        self.attempts, self.timeout = max(1, attempts), timeout

    def read(self, file: str) -> bytes:
        """A small file, in memory."""
        import requests
        from urllib3.util import Retry

        retry = Retry(self.attempts - 1, backoff_factor=0.1, status_forcelist=[429, 500, 503],
                      raise_on_status=False)
        with self._errors(file), requests.Session() as session:
            session.mount("http", requests.adapters.HTTPAdapter(max_retries=retry))
            response = session.get(f"{self.base}/{quote(file)}", timeout=self.timeout)
            response.raise_for_status()
            return response.content

    def fetch(self, file: str, digest: str) -> None:
        """A file to disk, unless it is there: under its name only when its SHA-256 is right."""
        import pooch

        pooch.get_logger().setLevel("ERROR")
        files = pooch.create(self.folder, f"{self.base}/", registry={file: f"sha256:{digest}"},
                             urls={file: f"{self.base}/{quote(file)}"},
                             retry_if_failed=self.attempts - 1)
        with self._errors(file):
            # pooch makes folders too, but two threads at once fail.
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            files.fetch(file, downloader=pooch.HTTPDownloader(timeout=self.timeout))

    def fetch_all(self, files: Sequence[str], sums: dict[str, str], connections: int,
                  progress: bool) -> None:
        """Files to disk, several at once; the first that fails ends all."""
        from tqdm import tqdm

        pool = ThreadPoolExecutor(max(1, connections))
        tasks = [pool.submit(self.fetch, file, sums[file]) for file in files]
        try:
            for task in tqdm(tasks, self.folder.name, unit="file", disable=not progress):
                task.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def failed(self, file: str, reason) -> NotFetched:
        """The error for a file that cannot be had, to be raised."""
        return NotFetched(
            f"The {self.title} cannot be downloaded.", expected=f"{self.base}/{file}",
            got=str(reason),
            fix="check the network and call again: what is there is kept. Without a network, copy "
            'the database into the folder data/ by hand, or use database="simulated"',
        )

    @contextmanager
    def _errors(self, file: str) -> Iterator[None]:
        """What goes wrong, as errors that name the file."""
        import requests

        try:
            yield
        except (requests.RequestException, ValueError) as error:
            response = getattr(error, "response", None)
            reason = f"{type(error).__name__}: {error}" if response is None else \
                f"HTTP status {response.status_code} {response.reason}"
            raise self.failed(file, reason) from error
        except OSError as error:
            raise InputError(f"Cannot write '{self.folder / file}'.",
                             expected="a folder that can be written to, with space left",
                             got=f"{type(error).__name__}: {error.strerror or error}",
                             fix="choose another folder for the data (ECG_TF_DATA)") from error


@dataclass(frozen=True)
class _Published:
    """What the server says there is: checksums, records, and both lists as they came."""

    sums: dict[str, str]
    records: list[str]
    sums_text: bytes
    list_text: bytes


def _known(name: str) -> Database:
    if name not in DATABASES:
        raise InputError(f"There is no known database '{name}'.",
                         expected=f"one of {', '.join(DATABASES)}", got=repr(name),
                         fix=closest(name, DATABASES) or "choose one of these")
    return DATABASES[name]


def _rates(database: Database, rate: float | str) -> tuple[int, ...]:
    if rate == "all":
        return tuple(database.rates)
    try:
        wanted = float(rate)
    except (TypeError, ValueError) as error:
        raise InputError("The rate is wrong.", expected='Hz, or "all"', got=printable(rate),
                         fix="leave it out for the usual one") from error
    chosen = database.check_rate(wanted)
    return (chosen,) if database.rates else ()


def _folds(database: Database, folds: Iterable[int | str] | None) -> list[str] | None:
    if folds is None:
        return None
    wanted = [str(fold) for fold in ([folds] if isinstance(folds, str) else folds)]
    if not database.fold_column:
        known = ", ".join(d.name for d in DATABASES.values() if d.fold_column)
        raise InputError(f"The {database.title} has no published folds.",
                         expected=f"folds only with {known}", got=", ".join(wanted),
                         fix="choose records instead")
    return wanted


def _published(server: _Server, database: Database, text: bytes) -> _Published:
    sums = parse_sums(text.decode("utf-8", "replace"))
    listed, records = b"", []
    if database.records_list in sums:
        listed = server.read(database.records_list)
        if hashlib.sha256(listed).hexdigest() != sums[database.records_list]:
            raise server.failed(database.records_list,
                                f"a list of records that {_SUMS} does not confirm")
        inside = PurePosixPath(database.records_list).parent
        records = [(inside / line).as_posix() for line in listed.decode("utf-8", "replace").split()
                   if not line.endswith("/")]
    # Without a list, or with one of folders only, the headers are the records.
    records = records or [file[:-4] for file in sums if file.endswith(".hea")]
    for record in records:
        check_inside(record, Path(database.records_list))
    return _Published(sums, list(dict.fromkeys(records)), text, listed)


def _files(database: Database, record: str, sums: dict[str, str]) -> list[str]:
    """Published files of a record; drawings, web pages and other annotators are left."""
    files = (f"{record}.{ending}" for ending in (*database.extensions, *database.annotators))
    return [file for file in files if file in sums]


def _fetch_tables(server: _Server, database: Database, published: _Published) -> list[str]:
    """License and tables, which come with every part."""
    found = []
    for file in (_LICENSE, *database.tables):
        if file not in published.sums:
            continue
        try:
            server.fetch(file, published.sums[file])
            found.append(file)
        except NotFetched as error:
            if file != _LICENSE:
                raise
            # No reason to be without the ECGs; the license's name is known anyway.
            warnings.warn(f"{error.one_line} The records are fetched without it.", stacklevel=3)
    return found


def _write_lists(database: Database, folder: Path, published: _Published, wanted: Sequence[str],
                 beside: Sequence[str]) -> None:
    """RECORDS last but one, so that a folder with it has all its records; then the checksums."""
    wanted = {*wanted, *_there_before(database, folder, published)}
    records = [record for record in published.records if record in wanted]
    if database.records_list == _LIST and len(records) == len(published.records):
        listed, sums = published.list_text, published.sums_text
    else:
        files = [*beside, *(file for record in records
                            for file in _files(database, record, published.sums))]
        listed = "".join(f"{record}\n" for record in records).encode()
        sums = "".join(f"{published.sums[file]}  {file}\n" for file in sorted(files)).encode()
    for name, content in ((_LIST, listed), (_SUMS, sums)):
        if content:
            write_whole(folder / name, content)


def _there_before(database: Database, folder: Path, published: _Published) -> list[str]:
    """Records of an earlier part whose files are all there."""
    try:
        before = (folder / _LIST).read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return []
    known = set(published.records)
    return [record for record in before if record in known and all(
        (folder / file).is_file() for file in _files(database, record, published.sums))]


def _is_whole(folder: Path, database: Database, rates: Sequence[int]) -> bool:
    """Whether all is there that was published (at these rates), by the folder's own lists."""
    try:
        sums = parse_sums((folder / _SUMS).read_text(encoding="utf-8"))
        records = (folder / _LIST).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return False
    chosen = [database.choose(records, rate) for rate in rates or (0,)]
    # Of a part, RECORDS is not the published one and its checksum stands in no list.
    complete = _LIST in sums and _is_right(folder / _LIST, sums[_LIST])
    if not complete and any(len(part) != database.n_records for part in chosen):
        return False
    files = [file for part in chosen for record in part for file in _files(database, record, sums)]
    return bool(files) and all(_is_right(folder / file, sums[file]) for file in files)


def _is_right(path: Path, digest: str) -> bool:
    try:
        return path.is_file() and sha256_of(path) == digest
    except OSError:
        return False
