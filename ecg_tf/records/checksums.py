"""SHA-256 of files: computed, read from published lists, and compared with them."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from ecg_tf.base.errors import InputError

LARGEST_LIST = 2**26  # bytes of a SHA256SUMS.txt


def published_sums(folder: Path) -> dict[str, str]:
    """Name of file -> SHA-256 by a folder's SHA256SUMS.txt, empty if it has none."""
    file = folder / "SHA256SUMS.txt"
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_LIST:
            return {}
        return parse_sums(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return {}


def parse_sums(text: str) -> dict[str, str]:
    """Name of file -> SHA-256, of the lines "<64 hex digits> [*]<name>" of a sha256sum list."""
    found = re.findall(r"^([0-9a-fA-F]{64})[ \t]+\*?(.+?)[ \t\r]*$", text, re.M)
    return {name.removeprefix("./"): digest.lower() for digest, name in found}


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_published(folder: Path, digests: Mapping[str, str], sums: Mapping[str, str]) -> None:
    """Refuses files of a folder that are not the published ones, by name -> SHA-256 of the files
    (`digests`) and as published (`sums`); files it does not list are not compared."""
    for name, digest in digests.items():
        if sums.get(name, digest) != digest:
            raise InputError(
                f"The file '{folder / name}' is not the published one.", got=digest,
                expected=f"SHA-256 {sums[name]}, as SHA256SUMS.txt there says",
                fix="fetch the file again; if you changed it on purpose, take its line out of "
                "SHA256SUMS.txt")
