"""What a release folder holds so far: release.json, from which a killed export resumes.

It says from what and how the records are sampled. Records of another run, seed or format are never
mixed with them. For each block of records it keeps what the cards sum up, so that records that are
there already need not be read again.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole

NAME = "release.json"


@dataclass
class Tally:
    """Sums over some records."""

    records: int = 0  # how many
    retried: int = 0  # how many were regenerated because they came out too short
    seconds: float = 0.0  # of all together, s
    beats: int = 0  # R peaks in all

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(*(a + b for a, b in zip(self.row(), other.row(), strict=True)))

    def row(self) -> list:
        """Plain values, for JSON."""
        return [self.records, self.retried, round(self.seconds, 6), self.beats]


@dataclass
class Progress:
    """State of a release folder.

    Args:
        folder: of the release.
        identity: plain values that decide every byte of every record.
        blocks: number of a block -> `Tally` of its records that are written.
        n: records wanted.
        complete: all are there, cards and checksums too.
    """

    folder: Path
    identity: dict
    blocks: dict[int, Tally] = field(default_factory=dict)
    n: int = 0
    complete: bool = False

    def save(self) -> None:
        """Writes release.json, whole or not at all."""
        blocks = {str(block): tally.row() for block, tally in sorted(self.blocks.items())}
        write_whole(self.folder / NAME, json.dumps(
            {"complete": self.complete, "n": self.n, "identity": self.identity,
             "blocks (records, regenerated, seconds, beats)": blocks}, indent=1))

    def total(self) -> Tally:
        """Sums over all blocks."""
        found = Tally()
        for tally in self.blocks.values():
            found = found.plus(tally)
        return found


def open_folder(folder, identity: dict, n: int) -> Progress:
    """The state of a release folder, new (missing or empty) or to be continued up to n records.

    InputError: the folder holds something else, another release, or more records.
    """
    folder = Path(folder).expanduser()
    if not (folder / NAME).is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"'{folder}' holds something else than a release.",
                             expected="a new or empty folder, or one of an export that was stopped",
                             got="other files" if folder.is_dir() else "a file",
                             fix="give another --output")
        return Progress(folder, identity, {}, n)
    try:
        state = json.loads((folder / NAME).read_text(encoding="utf-8"))
        before, rows = state["identity"], state["blocks (records, regenerated, seconds, beats)"]
        blocks = {int(block): Tally(*row) for block, row in rows.items()}
        wanted = int(state["n"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"'{folder / NAME}' cannot be read.", expected="what an export writes",
                         got=f"{type(error).__name__}: {error}"[:100],
                         fix="give another --output") from error
    if other := [name for name in identity if before.get(name) != identity[name]]:
        raise InputError(f"'{folder}' holds another release.",
                         expected="the same run, seed, format, length and versions",
                         got=f"other {', '.join(other)}",
                         fix="give another --output, or delete that folder")
    if wanted > n:
        raise InputError(f"'{folder}' was made for more records.", expected=f"--n {wanted} or more",
                         got=n, fix="give another --output: the same seed gives the same records")
    return Progress(folder, identity, blocks, n)
