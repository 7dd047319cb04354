"""Data larger than memory: an experiment's windows written into files, and trained on from them."""

import json
import math
import shutil
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import count, expanded, known_keys, names, number, printable
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.base.locks import holding
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.fitting import fit_to_records
from ecg_tf.records import About, Record, database_names, provenance
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.record import same_rate_and_leads
from ecg_tf.records.splits import PARTS, assert_disjoint
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.preparation import Preparation, check_parts
from ecg_tf.signals.quality import NoWindow, Quality
from ecg_tf.signals.stored import damaged, join_parts, open_windows, write_part
from ecg_tf.signals.windows import Windows
from ecg_tf.training.data import (
    Data,
    attributes_of,
    codec_of,
    conditions_of,
    cut_windows,
    fitted_of,
    in_split,
    read_records,
    source_digest,
    split_of,
)

INDEX, PLAN, PARTS_FOLDER = "index.json", "plan.json", "parts"
KINDS = ("windows", "strips")  # as the codec takes them, and as the measures do
SAMPLE = 2048  # windows of one part and kind that fit the codec and are measured
LARGEST_INDEX = 2**27  # bytes
_KEYS = ("settings", "fs", "leads", "split", "provenance", "attributes", "fitted", "warnings",
         "about", "quality", "sizes", "files")
#: Settings that decide about windows and who is in which part, beside the image's form.
_DECIDE = ("database", "leads", "records", "exclude", "metadata", "metadata_columns", "rate",
           "split", "folds", "seed", "fs", "band_low", "band_high", "notch", "strip_seconds",
           "overlap")


def store_windows(experiment: Experiment, output="", progress: bool = True) -> Path:
    """Cuts all windows that `prepare_data` would cut and writes them into files of a folder, by
    default the experiment's `stored`, else stored/NAME; gives its path.

    Records that were read from files lie memory-mapped in the cache, so that only the one being cut
    takes memory. A command that was killed resumes behind the last record. InputError: no such
    data, nothing usable in them, or the folder holds something else or cannot be written to.
    """
    folder = expanded(output or experiment.stored or Path("stored") / experiment.experiment)
    with holding(folder):
        if (folder / INDEX).exists():
            check_settings(_index(folder), experiment, folder)
        else:
            _write(experiment, folder, progress)
    return folder


def read_stored(experiment: Experiment) -> Data:
    """What `prepare_data` gives, from the experiment's folder of stored windows.

    `stored` are all training windows, memory-mapped; `windows` and `strips` are at most `SAMPLE` of
    each part. InputError: the files are damaged, not finished, or of another experiment.
    """
    folder = expanded(experiment.stored)
    index = _index(folder)
    check_settings(index, experiment, folder)
    _check_files(folder, index["files"])
    e = experiment.settled(index["fitted"])
    if e.scaling == "record":
        raise InputError("The range of a record is not known from some of its windows.",
                         expected="another scaling, such as window, with stored", got="record",
                         fix="set scaling to window, or stored to ''")
    sets = {kind: {part: open_windows(folder, f"{part}-{kind}", size, index["fs"],
                                      index["leads"], index["about"])
                   for part in PARTS if (size := index["sizes"].get(f"{part}-{kind}"))}
            for kind in KINDS}
    for kind, found in sets.items():
        check_parts(list(found), kind)
    windows, few = ({part: _sample(whole) for part, whole in sets[kind].items()} for kind in KINDS)
    codec = codec_of(windows["train"], e, Preparation.of(e))
    conditions = conditions_of(sets["windows"]["train"], e)
    return Data(index["split"], windows, few, codec, index["provenance"], index["quality"],
                index["attributes"], sets["windows"]["train"], index["fitted"],
                (*index["warnings"], *(conditions.warnings if conditions else ())),
                source=source_digest(experiment), conditions=conditions)


def check_settings(index: dict, experiment: Experiment, folder) -> None:
    """Refuses windows that were cut for another experiment, and says which settings differ."""
    wanted = _settings_of(experiment.settled(index["fitted"]))
    found = index["settings"]
    other = [key for key in sorted({*wanted, *found}) if wanted.get(key) != found.get(key)]
    if other:
        raise InputError(
            f"The windows in '{folder}' are others than the experiment's.",
            expected=", ".join(f"{key}: {printable(wanted.get(key))}" for key in other[:5]),
            got=", ".join(f"{key}: {printable(found.get(key))}" for key in other[:5]),
            fix="give `ecg-tf store` another --output and name it in `stored:`, or take "
            "the settings of these windows",
        )


def _write(experiment: Experiment, folder: Path, progress: bool) -> None:
    ecgs = read_records(experiment)
    if progress:
        print("".join(f"Warning: {text}\n" for text in ecgs.warnings), end="", flush=True)
    split = split_of(ecgs, experiment)
    entries = in_split(ecgs, split)
    same_rate_and_leads([replace(record, fs=experiment.fs) for record in ecgs])
    e = fit_to_records(experiment, entries)
    plan = {"settings": _settings_of(e), "fs": e.fs, "leads": list(ecgs[0].leads), "split": split,
            "provenance": provenance(ecgs), "attributes": attributes_of(ecgs),
            "fitted": fitted_of(e), "warnings": list(ecgs.warnings),
            "about": {record.name: _plain(record.about) for record in entries}}
    _resume(folder, plan)
    paths = [folder / PARTS_FOLDER / f"{k:07d}.npz" for k in range(len(entries))]
    begin = printed = time.monotonic()
    for k, (record, path) in enumerate(zip(entries, paths, strict=True)):
        if path.exists():
            continue
        write_part(path, *_cut(record, e))
        if progress and time.monotonic() - printed > 5:
            printed = time.monotonic()
            left = (printed - begin) / (k + 1) * (len(entries) - k - 1) / 60
            print(f"{k + 1:,} of {len(entries):,} records, {left:.1f} min left", file=sys.stderr,
                  flush=True)
    _join(folder, plan, entries, paths)


def _resume(folder: Path, plan: dict) -> None:
    """Parts of an earlier call stay if they are of the same windows of the same records."""
    kept, text = folder / PLAN, json.dumps(plan, sort_keys=True)
    if kept.exists():
        if kept.read_text() != text:
            raise InputError(f"The records or settings changed since '{folder}' was begun.",
                             expected="the same as then", got="others",
                             fix="delete that folder, or give another --output")
        return
    others = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if others:
        raise InputError(f"'{folder}' holds something else than stored windows.",
                         expected="a new or empty folder, or one of a command that was stopped",
                         got=", ".join(sorted(others)[:5]), fix="give another --output")
    write_whole(kept, text)


def _cut(record: Record, e: Experiment) -> tuple[dict[str, Windows], dict[str, dict]]:
    """The windows and strips of one record, which may have none, and what was dropped."""
    prepared = Preparation.of(e).clean([record])
    cuts = {"windows": lambda gate: cut_windows(prepared, e, gate),
            "strips": lambda gate: strips(prepared, round(e.strip_seconds * e.fs), quality=gate)}
    found, counts = {}, {}
    for kind, cut in cuts.items():
        gate = Quality()
        try:
            found[kind] = cut(gate)
        except NoWindow:
            gate.dropped["short"] += gate == Quality()  # too short to be looked at
        counts[kind] = gate.counts()
    return found, counts


def _join(folder: Path, plan: dict, entries: list[Record], paths: list[Path]) -> None:
    """Makes the final files of all parts; what was written is there once index.json is."""
    totals: dict[str, dict] = {kind: {} for kind in KINDS}
    width = dict.fromkeys(KINDS, 0)
    for path in paths:
        with np.load(path, allow_pickle=False) as part:
            for kind, counts in json.loads(str(part["counts"])).items():
                for name, n in counts.items():
                    totals[kind][name] = totals[kind].get(name, 0) + n
                if f"{kind}-lengths" in part:
                    width[kind] = max(width[kind], int(part[f"{kind}-lengths"].max()))
    part_of = {who: part for part, names in plan["split"].items() for who in names}
    sizes = {f"{part}-{kind}": join_parts(
        folder, f"{part}-{kind}", kind, [path for record, path in zip(entries, paths, strict=True)
                                         if part_of[record.subject] == part], width[kind])
             for part in PARTS for kind in KINDS}
    for kind in KINDS:
        check_parts([part for part in PARTS if sizes[f"{part}-{kind}"]], kind)
    names_of = {"windows": "training windows", "strips": f"{plan['fitted']['strip_seconds']:g} s "
                "strips"}
    quality = {names_of[kind]: totals[kind] for kind in KINDS}
    files = {path.name: sha256_of(path) for path in sorted(folder.glob("*.npy"))}
    write_whole(folder / INDEX, json.dumps({**plan, "quality": quality, "sizes": sizes,
                                            "files": files}))
    shutil.rmtree(folder / PARTS_FOLDER)


def _check_files(folder: Path, files: dict) -> None:
    """Refuses a file that was changed since it was written: a wrong sample would go unnoticed."""
    for name, digest in files.items():
        path = folder / Path(str(name)).name
        if path.is_symlink() or not path.is_file() or sha256_of(path) != digest:
            raise damaged(folder, ValueError(f"{path.name} is missing or has another SHA-256"))


def _index(folder: Path) -> dict:
    path = folder / INDEX
    if not path.is_file():
        begun = (folder / PLAN).exists()
        raise InputError(f"The windows in '{printable(folder, 300)}' are not finished." if begun
                         else f"There are no stored windows in '{printable(folder, 300)}'.",
                         expected=f"a folder with {INDEX}", got="none",
                         fix="write them by `ecg-tf store FILE.yaml`")
    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise ValueError(f"more than {LARGEST_INDEX} bytes")
        index = known_keys(json.loads(path.read_bytes()), _KEYS, INDEX)
        index["fs"] = number(index["fs"], "fs", 1e-3, 1e6)
        index["leads"] = names(index["leads"], "leads")
        known_keys(index["split"], PARTS, "split")
        assert_disjoint(index["split"])
        for key in ("settings", "attributes", "fitted", "about", "quality", "sizes", "files"):
            if not isinstance(index[key], dict):
                raise ValueError(f"'{key}' is no mapping")
        if not isinstance(index["provenance"]["sha256"], str):
            raise ValueError("'provenance' has no checksum")
        index["about"] = {name: _about(entry) for name, entry in index["about"].items()}
        index["quality"] = {kind: Quality.of_counts({str(why): count(n, "quality", 0, 2**60)
                                                     for why, n in counts.items()})
                            for kind, counts in index["quality"].items()}
        index["sizes"] = {name: count(n, "sizes", 0, 2**40) for name, n in index["sizes"].items()}
        if not all(isinstance(values, dict) for values in index["attributes"].values()) or not all(
                isinstance(text, str) for text in (*index["warnings"], *sum(
                    index["split"].values(), []))):
            raise ValueError("attributes, warnings or subjects of another kind")
    except (OSError, ValueError, TypeError, LookupError, AttributeError,
            RecursionError) as error:
        raise damaged(path, error) from error
    return index


def _settings_of(experiment: Experiment) -> dict:
    """What decides about the windows of an experiment, as JSON gives it back."""
    e, values, kind = experiment, experiment.to_dict(), ARRANGEMENTS[experiment.arrangement]
    own = ("subjects", "minutes") if "simulated" in database_names(e.database) else ()
    form = {"rows": e.height, "window_seconds": e.window_seconds} if kind.by_beats else {
        "samples": kind.samples(e.height, e.width)}
    return {name: values[name] for name in (*_DECIDE, *own)} | form


def _sample(windows: Windows) -> Windows:
    """At most `SAMPLE` windows, evenly spread, in memory."""
    size = len(windows)
    return windows.take(np.arange(min(size, SAMPLE)) * size // min(size, SAMPLE))


def _plain(about: About) -> dict:
    return {**asdict(about), "age": None if math.isnan(about.age) else about.age}


def _about(plain: dict) -> About:
    age = math.nan if plain["age"] is None else number(plain["age"], "age", 0, 150)
    labels = {str(kind): tuple(map(str, found)) for kind, found in plain["labels"].items()}
    return About(str(plain["sex"]), age, str(plain["session"]), labels, plain["metadata"])
