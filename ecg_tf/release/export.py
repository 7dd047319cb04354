"""The command `export`: a synthetic set in files that others can read, with its cards.

Blocks of records are sampled, written and forgotten, so that memory does not grow. Every file is
written under another name and renamed, the one that makes a record whole last. A killed export
continues when it is called again, and gives the files it would have given.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import ecg_tf
from ecg_tf.base.checks import choice, count
from ecg_tf.base.code import versions
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.records.checksums import sha256_of
from ecg_tf.release.decision import Decision, decide
from ecg_tf.release.formats import FORMATS, Format, Stamp, write_record
from ecg_tf.release.progress import Progress, Tally, open_folder
from ecg_tf.study.results import RESULTS, Result, read_result
from ecg_tf.training.conditions import LABELS

CARDS = ("DATASET_CARD.md", "MODEL_CARD.md")
LARGEST = 999_999  # names have six digits


class NotReleased(RuntimeError):
    """The release gate was not passed: nothing was written."""


@dataclass(frozen=True)
class Release:
    """What an export gave.

    Args:
        folder: of the release.
        total: `Tally` of all records in it.
        written: records written by this call; the others were there.
        gate: `Decision`.
    """

    folder: Path
    total: Tally
    written: int
    gate: Decision


def export(run_folder, n: int = 1000, format: str = "wfdb", output="", seed: int = 0,
           seconds: float = 0.0, force: bool = False, progress: bool = True,
           labels: Mapping[str, str] | None = None) -> Release:
    """Samples n records from a run's generator and writes them with cards and checksums.

    Args:
        run_folder: of a finished run, such as "runs/quickstart".
        n: records; default 1000. A larger n later adds to the same folder.
        format: "wfdb", "edf" or "csv"; default "wfdb".
        output: folder; default "" is <run_folder>/export-<format>.
        seed: int, default 0. Record i depends on seed and i, and on nothing else of this call.
        seconds: s, length of every record; default 0, whole windows of the run.
        force: write although the gate was not passed; the cards say so first. Default False.
        progress: bool, show how far it is. Default True.
        labels: kind -> statement that every record is to have, such as {"superclass": "MI"}, of a
            run with labels. Default: as frequent as among the training persons.

    Raises:
        NotReleased: the run's gate was not passed, or tests nothing about persons.
        InputError: the run, a number or the folder cannot be used.

    Example:
        >>> export("runs/quickstart", n=100, format="edf", force=True).total.records
        100
    """
    kind = FORMATS[choice(format, "format", tuple(FORMATS))]
    n, seed = count(n, "n", 1, LARGEST), count(seed, "seed", 0, 2**31 - 1)
    run = read_result(run_folder)
    gate = decide(run.content)
    if not gate.passed and not force:
        raise NotReleased(
            f"The release gate of '{run.folder}' was not passed: {gate.reason}. Nothing was "
            "written. With --force it is, and the cards say so in their first line.")
    stamp = stamp_of(run, gate, seed)
    state = open_folder(output or run.folder / f"export-{kind.name}",
                        identity_of(run, kind, seed, seconds, labels), n)
    from ecg_tf.release.sampling import BLOCK, Sampler, name_of

    sampler = Sampler(run, seed, seconds, labels)
    # What cannot be sampled is found before anything is written.
    ready = {} if state.blocks else {0: sampler.block(0)}
    state.complete = False
    state.save()
    write_cards(state, run, gate, kind)
    written = 0
    for index in _blocks(n, BLOCK, progress):
        names = [name_of(i) for i in range(index * BLOCK, min(n, (index + 1) * BLOCK))]
        missing = {name for name in names if not _is_there(state.folder, name, kind)}
        if not missing and state.blocks.get(index, Tally()).records == len(names):
            continue
        block, tally = ready.pop(index, None) or sampler.block(index), Tally()
        for record, retried in zip(block.records, block.retried, strict=True):
            if record.name in names:
                tally = tally.plus(_tally(record, retried))
            if record.name in missing:
                write_record(state.folder, record.name, kind, kind.files(record, stamp))
        state.blocks[index] = tally
        written += len(missing)
        state.save()
    _finish(state, run, gate, kind, [name_of(i) for i in range(n)])
    return Release(state.folder, state.total(), written, gate)


def stamp_of(run: Result, gate: Decision, seed: int) -> Stamp:
    """What every record says of itself."""
    e = run.experiment
    edges = [f"{name}:{edge:g}Hz" for name, edge in (("HP", e.band_low), ("LP", e.band_high))
             if edge]
    known = run.codec.rows is not None
    return Stamp(e.experiment, seed, "passed" if gate.passed else "NOT PASSED, export was forced",
                 "R peaks where the generated image has its rhythm" if known else
                 "R peaks found by a detector", " ".join(edges))


def identity_of(run: Result, kind: Format, seed: int, seconds: float,
                labels: Mapping[str, str] | None = None) -> dict:
    """Everything that decides the bytes of every record, as plain values."""
    return {"run": run.experiment.experiment, "format": kind.name, "seed": seed,
            **({"labels": dict(labels)} if labels else {}),
            "seconds": float(seconds), "sha256": sums_of(run), "ecg_tf": ecg_tf.__version__,
            "versions": versions()}


def labels_of(texts: Iterable[str]) -> dict[str, str]:
    """Kind -> statement, from the command line.

    Raises:
        InputError: a text that is not KIND=STATEMENT, or a kind twice.

    Example:
        >>> labels_of(["superclass=MI", "sex=female"])
        {'superclass': 'MI', 'sex': 'female'}
    """
    pairs = [text.partition("=")[::2] for text in texts]
    found = dict(pairs)
    if not all(kind and name for kind, name in pairs) or len(found) < len(pairs):
        raise InputError("The labels cannot be read.", expected="KIND=STATEMENT, each kind once",
                         got=" ".join(texts), fix="write --labels superclass=MI sex=female")
    return found


def sums_of(run: Result) -> dict[str, str]:
    """Checksums of the files whose bytes decide what is sampled and what the cards say."""
    return {name: sha256_of(run.folder / name)
            for name in ("experiment.yaml", "codec.json", "generator.keras", RESULTS,
                         *([LABELS] if run.conditions else []))}


def write_cards(state: Progress, run: Result, gate: Decision, kind: Format) -> None:
    """Writes both cards for what the folder holds now."""
    from ecg_tf.release.dataset_card import dataset_card
    from ecg_tf.release.model_card import model_card

    write_whole(state.folder / CARDS[0], dataset_card(run, gate, kind, state))
    write_whole(state.folder / CARDS[1], model_card(run, gate, state.identity["sha256"]))


def _finish(state: Progress, run, gate, kind, names) -> None:
    for part in state.folder.glob("*.part"):  # of an export that was killed
        part.unlink(missing_ok=True)
    if kind.name == "wfdb":
        write_whole(state.folder / "RECORDS", "".join(f"{name}\n" for name in names))
    state.complete = True
    write_cards(state, run, gate, kind)
    files = [name + ending for name in names for ending in kind.endings]
    lines = [f"{sha256_of(state.folder / file)}  {file}\n" for file in (*CARDS, *files)]
    write_whole(state.folder / "SHA256SUMS.txt", "".join(lines))
    state.save()


def _tally(record, retried: int) -> Tally:
    return Tally(1, int(retried > 0), len(record.signal) / record.fs, len(record.beats))


def _is_there(folder: Path, name: str, kind: Format) -> bool:
    return all((folder / f"{name}{ending}").is_file() for ending in kind.endings)


def _blocks(n: int, size: int, progress: bool) -> Iterator[int]:
    blocks = range(-(-n // size))
    if not progress:
        return iter(blocks)
    from tqdm import tqdm

    return iter(tqdm(blocks, desc="records", unit=f"x{size}"))
