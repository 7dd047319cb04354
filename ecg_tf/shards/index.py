"""What a folder of shards holds: index.json, checked before anything in it is believed."""

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from ecg_tf.base.checks import count, known_keys, names, number, printable
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.records import About, database_names
from ecg_tf.records.splits import PARTS, assert_disjoint

NAME, FORMAT, VERSION = "index.json", "ecg_tf shards", 1
LARGEST_INDEX = 2**27  # bytes; a file of 64 MB takes 300
KINDS = ("windows", "strips")  # as the codec takes them, and as the measures do
#: Settings that decide about the windows and who is in which part, beside their form.
DECIDE = ("database", "leads", "records", "exclude", "metadata", "metadata_columns", "rate",
          "split", "folds", "seed", "fs", "band_low", "band_high", "notch",
          "strip_seconds")
_FILE = re.compile(r"\d{5,8}-(train|validation|test)-(windows|strips)\.tfrecord")


@dataclass
class Index:
    """State of a folder of shards.

    Args:
        settings: of the experiment, those that decide about the windows, see `settings_of`.
        fs: Hz. leads: names.
        n_rpeaks: R peaks of a window, 0 for strips.
        split: part -> subjects.
        provenance: of `records.provenance`.
        attributes: "sex", "age" -> subject -> value.
        fitted: settings that the experiment left to the records, as they came out.
        warnings: about who is who and what was left out.
        about: record -> what is known of it, see `records.About`.
        quality: kind of window -> {"kept": windows, reason: windows dropped}.
        longest: "part-kind" -> samples of its longest window.
        files: name, windows, bytes and SHA-256 (of the file, of its places) of each, in order.
        records: how many of the experiment's records are in the files.
        complete: all of them are.
    """

    settings: dict
    fs: float
    leads: tuple[str, ...]
    n_rpeaks: int
    split: dict[str, list[str]]
    provenance: dict
    attributes: dict = field(default_factory=dict)
    fitted: dict = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    about: dict = field(default_factory=dict)
    quality: dict = field(default_factory=dict)
    longest: dict = field(default_factory=dict)
    files: list[dict] = field(default_factory=list)
    records: int = 0
    complete: bool = False

    def save(self, folder) -> str:
        """Writes index.json, whole or not at all; returns its digest."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self), "leads": list(self.leads)}
        digest = _digest(content)
        write_whole(Path(folder) / NAME, json.dumps({"sha256": digest, **content}, indent=1))
        return digest

    def of(self, part: str, kind: str) -> list[dict]:
        """The files of one part and kind, in order."""
        return [file for file in self.files if file["name"][:-9].split("-")[1:] == [part, kind]]


def read_index(folder) -> tuple[Index, str]:
    """Reads and checks index.json.

    Args:
        folder: of the shards.

    Returns:
        Index and its digest.

    Raises:
        InputError: there is none, it is damaged, or it speaks of impossible things.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        raise InputError(f"There are no shards in '{printable(folder, 300)}'.",
                         expected=f"a folder with {NAME}", got="none",
                         fix="write them by `python -m ecg_tf shard FILE.yaml`")
    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise ValueError(f"more than {LARGEST_INDEX} bytes")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}")
        digest = content.pop("sha256", None)
        if (content.pop("format", None), content.pop("version", None)) != (FORMAT, VERSION):
            raise ValueError(f"not of the format '{FORMAT}', {VERSION}")
        known_keys(content, [one.name for one in fields(Index)], NAME)
        index = Index(**content)
        if digest != _digest({"format": FORMAT, "version": VERSION, **content}):
            raise ValueError("its checksum is another one")
        _check(index)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"'{path}' is damaged, or was not written by `python -m ecg_tf shard`.",
                         expected="the file as it was written",
                         got=f"{type(error).__name__}: {printable(error, 300)}",
                         fix="delete the folder and give `python -m ecg_tf shard` again"
                         ) from error
    return index, digest


def settings_of(experiment: Experiment) -> dict:
    """What decides about the windows of an experiment, as JSON gives it back."""
    e, values = experiment, experiment.to_dict()
    own = ("subjects", "minutes") if "simulated" in database_names(e.database) else ()
    kind = ARRANGEMENTS[e.arrangement]
    form = {"rows": e.height, "window_seconds": e.window_seconds} if kind.by_beats else {
        "samples": kind.samples(e.height, e.width)}
    return {name: values[name] for name in (*DECIDE, *own)} | form | {"overlap": e.overlap}


def check_settings(index: Index, experiment: Experiment, folder) -> None:
    """Refuses shards that were cut for another experiment, and says which settings differ."""
    wanted = settings_of(experiment.settled(index.fitted))
    keys = sorted({*wanted, *index.settings})
    other = [key for key in keys if wanted.get(key) != index.settings.get(key)]
    if other:
        raise InputError(
            f"The shards in '{folder}' are of other windows than the experiment's.",
            expected=", ".join(f"{key}: {printable(wanted.get(key))}" for key in other[:5]),
            got=", ".join(f"{key}: {printable(index.settings.get(key))}" for key in other[:5]),
            fix="give `python -m ecg_tf shard` another --output and name it in `shards:`, or take "
            "the settings of the shards",
        )


def _check(index: Index) -> None:
    index.leads = names(index.leads, "leads")
    index.fs = number(index.fs, "fs", 1e-3, 1e6)
    count(index.n_rpeaks, "n_rpeaks", 0, 10_002)
    count(index.records, "records", 0, 2**40)
    for name in ("settings", "provenance", "attributes", "quality", "longest", "split", "fitted",
                 "about"):
        if not isinstance(getattr(index, name), dict):
            raise ValueError(f"'{name}' is no mapping")
    if not isinstance(index.complete, bool) or not isinstance(index.files, list):
        raise ValueError("'complete' or 'files' is of another kind")
    known_keys(index.split, PARTS, "split")
    for who in index.split.values():
        if not isinstance(who, list) or not all(isinstance(name, str) for name in who):
            raise ValueError("'split' names no subjects")
    assert_disjoint(index.split)
    for kind, counts in index.quality.items():
        if not isinstance(counts, dict):
            raise ValueError(f"no counts of {printable(kind)}")
        for value in counts.values():
            count(value, "quality", 0, 2**60)
    if not isinstance(index.warnings, list) or not all(isinstance(w, str) for w in index.warnings):
        raise ValueError("'warnings' are no sentences")
    for one in index.about.values():
        about_of(one)
    for of in index.attributes.values():
        if not isinstance(of, dict):
            raise ValueError("no attributes of subjects")
    if not isinstance(index.provenance.get("sha256"), str):
        raise ValueError("'provenance' has no checksum")
    seen = set()
    for file in index.files:
        known_keys(file, ("name", "windows", "bytes", "sha256", "places_sha256"), "a file")
        name = file["name"]
        if not isinstance(name, str) or not _FILE.fullmatch(name) or name in seen:
            raise ValueError(f"'{printable(name)}' is no name of a shard, or stands twice")
        seen.add(name)
        count(file["windows"], "windows", 1, 2**40)
        count(file["bytes"], "bytes", 1, 2**60)
        count(index.longest.get("-".join(name[:-9].split("-")[1:])), "longest", 1, 2**31)


def plain_about(about: About) -> dict:
    """What is known of a record, for JSON, which knows no NaN."""
    return {**asdict(about), "age": None if math.isnan(about.age) else about.age}


def about_of(plain: dict) -> About:
    """Undoes `plain_about`; raises ValueError for what is none."""
    known_keys(plain, ("sex", "age", "session", "labels", "metadata"), "what is known of a record")
    labels, metadata, age = plain["labels"], plain["metadata"], plain["age"]
    if not isinstance(labels, dict) or not isinstance(metadata, dict) \
            or not all(isinstance(said, list) for said in labels.values()):
        raise ValueError("no statements about a record")
    age = math.nan if age is None else number(age, "age", 0, 150)
    return About(str(plain["sex"]), age, str(plain["session"]),
                 {str(kind): tuple(map(str, said)) for kind, said in labels.items()}, metadata)


def _digest(content: dict) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
