"""Writes the windows of an experiment into files, one record in memory at a time."""

import contextlib
import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from ecg_tf.base.checks import expanded
from ecg_tf.base.errors import InputError
from ecg_tf.base.locks import holding
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.fitting import fit_to_records
from ecg_tf.records import ECGs, provenance
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.record import same_rate_and_leads
from ecg_tf.shards.index import (
    KINDS,
    NAME,
    Index,
    check_settings,
    plain_about,
    read_index,
    settings_of,
)
from ecg_tf.shards.tfrecords import forget_files, places_of, writing
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.quality import NoWindow, Prepared, Quality
from ecg_tf.signals.windows import Windows
from ecg_tf.training.data import (
    attributes_of,
    cut_windows,
    fitted_of,
    in_split,
    read_records,
    split_of,
)

SHARD_BYTES = 2**26  # after so many, files are closed and a killed command goes on behind them


def write_shards(
    experiment: Experiment,
    output="",
    progress: bool = True,
    ecgs: ECGs | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> Index:
    """Cuts all windows that `prepare_data` would cut and writes them as TFRecord files.

    Records that were read from files lie memory-mapped in the cache, so that only those being cut
    take memory. A command that was killed resumes behind the last files that are whole.

    Args:
        experiment: `Experiment`.
        output: folder; default: the experiment's `shards`, else shards/NAME.
        progress: bool, say how far it is. Default True.
        ecgs: of `preparation.read_records`. Default: it is called.
        shard_bytes: int, bytes of files that are written together. Default 64 MB.

    Returns:
        Index, complete.

    Raises:
        InputError: no such data, nothing usable in them, or the folder holds something else or
            cannot be written to.

    Example:
        >>> write_shards(Experiment(subjects=6, minutes=2), "shards/small").complete
        True
    """
    folder = folder_of(experiment, output)
    with holding(folder):
        return _write(experiment, folder, _Teller(progress), ecgs, shard_bytes)


def folder_of(experiment: Experiment, output="") -> Path:
    """Where the shards of an experiment are written."""
    return expanded(output or experiment.shards or Path("shards") / experiment.experiment)


def _write(asked: Experiment, folder: Path, teller: "_Teller", ecgs, shard_bytes: int) -> Index:
    kept = _kept(asked, folder)
    if kept is not None and kept.complete:
        teller.say(f"All shards are there: {_summary(kept)}.")
        return kept
    ecgs = read_records(asked) if ecgs is None else ecgs
    for text in ecgs.warnings:
        teller.say(f"Warning: {text}")
    same_rate_and_leads([replace(record, fs=asked.fs) for record in ecgs])
    split = split_of(ecgs, asked)
    part_of = {subject: part for part, subjects in split.items() for subject in subjects}
    entries = in_split(ecgs, split)
    e = fit_to_records(asked, entries)
    n_rpeaks = {"beat_sequences": e.height + 2, "beat_strips": e.height}.get(
        ARRANGEMENTS[e.arrangement].cut_by, 0)
    index = Index(settings_of(e), e.fs, ecgs[0].leads, n_rpeaks, split, provenance(ecgs),
                  attributes_of(ecgs), fitted_of(e), list(ecgs.warnings),
                  {record.name: plain_about(record.about) for record in entries})
    if kept is not None:
        if kept.provenance["sha256"] != index.provenance["sha256"] or kept.split != split:
            raise InputError(f"The records changed since the shards in '{folder}' were begun.",
                             expected="the same files", got="others",
                             fix="delete that folder, or give another --output")
        index = kept
        teller.say(f"Resuming behind {index.records:,} of {len(entries):,} records.")
    forget_files()
    while index.records < len(entries):
        _write_group(e, folder, index, entries, part_of, shard_bytes, teller)
        index.save(folder)
    _check_parts(index)
    index.complete = True
    index.save(folder)
    teller.say(f"{_summary(index)}.")
    return index


def _write_group(e, folder: Path, index: Index, entries, part_of, shard_bytes: int, teller):
    """Writes the windows of the next records until the files are large enough."""
    number = len({file["name"].split("-")[0] for file in index.files})
    quality = {kind: Quality.of_counts(of) for kind, of in index.quality.items()}
    done = index.records
    with contextlib.ExitStack() as stack:
        files: dict[str, tuple] = {}
        while done < len(entries) and sum(file.bytes for _, file in files.values()) < shard_bytes:
            record = prepare(entries[done], e.fs, e.band_low, e.band_high, e.notch, Quality())
            for kind, windows in _cut(record, e, quality).items():
                name = f"{part_of[record.subject]}-{kind}"
                if name not in files:
                    path = folder / f"{number:05d}-{name}.tfrecord"
                    files[name] = path, stack.enter_context(writing(path))
                files[name][1].add(windows)
                longest = int(windows.lengths.max())
                index.longest[name] = max(index.longest.get(name, 0), longest)
            done += 1
            teller.now(f"{done:,} of {len(entries):,} records", done / len(entries))
    index.quality = {kind: of.counts() for kind, of in quality.items()}
    index.records = done
    index.files += [
        {"name": path.name, "windows": file.windows, "bytes": file.bytes,
         "sha256": sha256_of(path),
         "places_sha256": hashlib.sha256(places_of(path).read_bytes()).hexdigest()}
        for path, file in files.values()]


def _cut(record: Prepared, e: Experiment, quality: dict[str, Quality]) -> dict[str, Windows]:
    """The windows and strips of one record, which may have none."""
    length = round(e.strip_seconds * e.fs)
    cuts: dict[str, tuple[str, Callable]] = {
        "windows": ("training windows", lambda gate: cut_windows([record], e, gate)),
        "strips": (f"{e.strip_seconds:g} s strips",
                   lambda gate: strips(record, length, quality=gate)),
    }
    found = {}
    for kind, (name, cut) in cuts.items():
        gate = quality.setdefault(name, Quality())
        before = asdict(gate)
        try:
            found[kind] = cut(gate)
        except NoWindow:
            gate.dropped["short"] += before == asdict(gate)  # too short to be looked at
    return found


def _kept(e: Experiment, folder: Path) -> Index | None:
    """What is there of an earlier call."""
    if not (folder / NAME).exists():
        strangers = [one.name for one in folder.iterdir() if not one.name.startswith(".")
                     and one.suffix not in (".tfrecord", ".places")]
        if strangers:
            raise InputError(f"'{folder}' holds something else than shards.",
                             expected="a new or empty folder, or one of a command that was stopped",
                             got=", ".join(sorted(strangers)[:5]), fix="give another --output")
        return None
    index, _ = read_index(folder)
    check_settings(index, e, folder)
    for file in index.files:
        path = folder / file["name"]
        for one in (path, places_of(path)):
            if not one.is_file() or one == path and one.stat().st_size != file["bytes"]:
                raise InputError(f"'{one}' is missing or cut.", expected=f"{file['bytes']} bytes",
                                 got="fewer, or no file",
                                 fix=f"delete the folder '{folder}' and give the command again")
    return index


def _check_parts(index: Index) -> None:
    missing = [f"{kind} of the {part} subjects" for kind in KINDS for part in ("train", "test")
               if not index.of(part, kind)]
    if missing:
        raise InputError(f"The quality gate left no {' and no '.join(missing)}.",
                         expected="at least one window", got="none",
                         fix="look at the records, or relax the window length and the filters")


def _summary(index: Index) -> str:
    counts = {part: sum(file["windows"] for file in index.of(part, "windows"))
              for part in index.split}
    size = sum(file["bytes"] for file in index.files) / 1e6
    windows = ", ".join(f"{n:,} {part}" for part, n in counts.items())
    return f"{index.records:,} records, windows: {windows}; {size:,.1f} MB"


class _Teller:
    """Progress: a line that is written over in a terminal, a line every 15 s anywhere else."""

    def __init__(self, on: bool):
        self.on, self.over = on, sys.stdout.isatty()
        self._start = self._last = time.monotonic()

    def say(self, text: str) -> None:
        if self.on:
            print("\r\033[K" * self.over + text, flush=True)

    def now(self, text: str, share: float = 0.0) -> None:
        now = time.monotonic()
        if not self.on or now - self._last < (0.2 if self.over else 15.0):
            return
        self._last = now
        left = (now - self._start) * (1 / share - 1) / 60 if share else 0
        text += f", {left:.1f} min left" if share else ""
        print(f"\r\033[K{text}" if self.over else text, end="" if self.over else "\n", flush=True)
