"""ECGs that this software did not make: folders of WFDB, EDF or CSV, all sides prepared alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from ecg_tf.errors import InputError
from ecg_tf.evaluation.floor import Measured, first_measures
from ecg_tf.evaluation.inter_lead import inter_lead_measures
from ecg_tf.evaluation.judge import Verdict, judge
from ecg_tf.evaluation.use_of_sides import labelled_beats, use_of_sides
from ecg_tf.evaluation.utility import RATIO
from ecg_tf.records import Record, provenance
from ecg_tf.records.csv_files import read_csv_folder, subjects_of
from ecg_tf.records.databases import known_database
from ecg_tf.records.edf_files import read_edf_folder
from ecg_tf.records.folder import read_folder
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.windows import Windows, strips

#: What the gate does not ask of a set whose beats carry no classes.
NO_USE = {RATIO: None}


@dataclass(frozen=True)
class Sides:
    """The sets of an evaluation, cut into strips of one length, rate and leads.

    Args:
        real: strips of the persons the synthetic set was made from.
        synthetic: strips of the synthetic set.
        holdout: strips of other persons, or None.
        provenance: side -> `records.provenance`.
        quality: side -> `Quality`, what was kept and dropped.
        notes: what had to be assumed or left out.
        beats: side -> beats with their classes, of `use_of_sides.labelled_beats`, or None; empty
            without a holdout.
    """

    real: Windows
    synthetic: Windows
    holdout: Windows | None
    provenance: dict = field(default_factory=dict)
    quality: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    beats: dict = field(default_factory=dict)


def read_side(folder, fs: float = 0.0) -> list[Record]:
    """All records of a folder: WFDB (headers or RECORDS), EDF, or CSV (`records.csv_files`).

    Args:
        folder: its path.
        fs: Hz, for CSV files that do not say it; default 0.

    Returns:
        list of Record. The subject is what subjects.csv (columns record,subject) in the folder
        says, else the header's comment `subject: ID` (EDF: the patient's code), else what is known
        of the database (by the folder's name), else the record's name.

    Raises:
        InputError: no such folder, no format or several in it, damaged files, or subjects.csv
            names other records.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.", expected="a folder of ECGs, WFDB, EDF "
                         "or CSV", got="a file" if folder.exists() else "no such folder",
                         fix="check the path")
    kinds = _kinds(folder)
    if len(kinds) != 1:
        raise InputError(f"The folder '{folder}' " + ("holds several kinds of records." if kinds
                                                      else "holds no ECGs."),
                         expected="WFDB records (*.hea), EDF files or CSV files, one a record",
                         got=" and ".join(f"{kind}, as {file.name}" for kind, file in kinds.items())
                         or "none of these",
                         fix="put them into folders of their own" if kinds else "check the path")
    readers: dict[str, Callable[..., list[Record]]] = {
        "WFDB": read_folder, "EDF": read_edf_folder, "CSV": partial(read_csv_folder, fs=fs)}
    records = readers[next(iter(kinds))](folder)
    told = subjects_of(folder)
    if told:
        lost = [record.name for record in records if record.name not in told]
        if lost:
            raise InputError(f"'{folder}/subjects.csv' does not name all records.",
                             expected=f"the subject of each of the {len(records)} records",
                             got=f"none for {', '.join(lost[:3])}",
                             fix="write names as files are called, without extension")
        records = [replace(record, subject=told[record.name]) for record in records]
    return records


def _kinds(folder: Path) -> dict[str, Path]:
    """Formats in a folder -> a file of each."""
    found = {}
    if (folder / "RECORDS").is_file():
        found["WFDB"] = folder / "RECORDS"
    kinds = {".hea": "WFDB", ".edf": "EDF", ".csv": "CSV"}
    for path in sorted(folder.rglob("*")):
        kind = kinds.get(path.suffix.lower())
        if kind and path.name != "subjects.csv":
            found.setdefault(kind, path)
    return found


def read_sides(real, synthetic, holdout="", leads: Sequence[str] = (), fs: float = 128.0,
               strip_seconds: float = 10.0, csv_fs: float = 0.0, band_low: float = 0.5,
               band_high: float = 40.0, notch: float = 0.0) -> Sides:
    """Reads, resamples, filters and cuts all sides in the same way.

    Args:
        real: folder of the ECGs the synthetic set was made from.
        synthetic: folder of the synthetic set.
        holdout: folder of ECGs of other persons; "" for none.
        leads: names; default (), those that all records of all sides have.
        fs: Hz, all sides are resampled to it; default 128.
        strip_seconds: s, default 10.
        csv_fs: Hz, for CSV files that do not say it.
        band_low: Hz, default 0.5.
        band_high: Hz, default 40.
        notch: Hz, default 0, none.

    Returns:
        Sides.

    Raises:
        InputError: what `read_side` raises; no common lead; records shorter than a strip, or
            flawed throughout; persons both in real and holdout; one real person only.

    Example:
        >>> sides = read_sides("mine/real", "mine/synthetic", "mine/others")
        >>> len(sides.synthetic), sides.notes
    """
    folders = {"real": real, "synthetic": synthetic, **({"holdout": holdout} if holdout else {})}
    records = {side: read_side(folder, csv_fs) for side, folder in folders.items()}
    _disjoint(records)
    notes, common = [], _common_leads(records, leads)
    cut, book, beats = {}, {}, {}
    for side, found in records.items():
        found = [_only(record, common) for record in found]
        least = strip_seconds * (1 - 1e-6)
        long = [one for one in found if len(one.signal) / one.fs >= least]
        if not long:
            raise InputError(f"The {side} records are too short.",
                             expected=f"strips of {strip_seconds:g} s", got="records of up to "
                             f"{max(len(one.signal) / one.fs for one in found):.2f} s",
                             fix="give a smaller --strip-seconds, the same for all sides")
        if len(long) < len(found):
            notes.append(f"{len(found) - len(long)} of {len(found)} {side} records are shorter "
                         f"than {strip_seconds:g} s and are left out.")
        book[side] = Quality()
        ready = [prepare(one, fs, band_low, band_high, notch) for one in long]
        try:
            cut[side] = strips(ready, round(strip_seconds * fs), quality=book[side])
        except InputError as error:
            raise InputError(f"The {side} records in '{folders[side]}' cannot be used. {error}") \
                from error
        notes += _told(side, folders[side], found, book[side])
        if holdout:  # without anybody to test on, no classifier is asked
            beats[side] = labelled_beats(ready)
    persons = len(np.unique(cut["real"].subjects))
    if persons < 2 and not holdout:
        raise InputError("The real ECGs are of one person.", expected="two persons or more, or a "
                         "holdout", got=f"{persons}, {cut['real'].subjects[0]}",
                         fix="name persons by a header comment `subject: ID` or subjects.csv")
    return Sides(cut["real"], cut["synthetic"], cut.get("holdout"),
                 {side: provenance(found) for side, found in records.items()}, book, tuple(notes),
                 beats)


def judge_sides(sides: Sides, gate=None, max_strips: int = 1000, seed: int = 0,
                progress: bool = False) -> Verdict:
    """Fidelity, attacks and release gate of a synthetic set from outside.

    Args:
        sides: `Sides`.
        gate: thresholds over the gate's defaults; default None. Where the beats carry no classes
            the gate does not ask for their use.
        max_strips: of each set, default 1000.
        seed: int.
        progress: bool. Default False.

    Returns:
        Verdict; its notes begin with those of the sides, and say which measures have no null.
    """
    real, holdout, fs = sides.real, sides.holdout, sides.real.fs
    made, notes = sides.synthetic.signals, [*sides.notes]
    test, train = (real, None) if holdout is None else (holdout, real)
    theirs, who = (None, None) if train is None else (train.signals, train.subjects)
    rows = first_measures(test.signals, test.subjects, made, fs, theirs, who, max_strips,
                          seed=seed)
    rows += inter_lead_measures(test.signals, test.subjects, made, real.leads, fs, theirs, who,
                                max_strips, seed=seed)
    if holdout is None:
        notes.append("There is no holdout: fidelity is compared with the real persons themselves, "
                     "so copies look better than anything new could; floors are halves of them.")
    use, why = use_of_sides(sides.beats, seed=seed)
    if use and why:
        notes.append(why[:1].upper() + why[1:] + ".")
    elif why:
        notes.append(f"Not measured: {RATIO}, whether a classifier can be trained on the synthetic "
                     f"ECGs: {why}. The gate does not ask for it.")
    verdict = judge(made, real, holdout, fs, fidelity=rows, utility=use,
                    thresholds={**({} if use else NO_USE), **(gate or {})}, max_strips=max_strips,
                    seed=seed, progress=progress)
    return replace(verdict, notes=(*notes, *verdict.notes))


def lost_nulls(verdict: Verdict) -> list[Measured]:
    """The measures that could not be made, most often for want of a holdout."""
    return [one for one in verdict.measures if not np.isfinite(one.value)]


def _disjoint(records):
    real, other = ({one.subject for one in records.get(side, ())} for side in ("real", "holdout"))
    if both := sorted(real & other):
        raise InputError("Persons are in real and holdout.", expected="disjoint persons",
                         got=", ".join(both[:5]) + (", ..." if len(both) > 5 else ""),
                         fix="name persons alike in both folders only if they are the same; split "
                         "by person, not by record")


def _common_leads(records, wanted) -> tuple[str, ...]:
    wanted = tuple(wanted)
    sides = {side: set.intersection(*(set(one.leads) for one in found))
             for side, found in records.items()}
    first = records["real"][0].leads
    common = wanted or tuple(lead for lead in first if all(lead in has for has in sides.values()))
    lacking = [side for side, has in sides.items() if not set(common) <= has]
    if not common or lacking:
        raise InputError(
            "The sides have no lead in common." if not common else
            f"Not all records of the {lacking[0]} side have {' + '.join(common)}.",
            expected="the same leads, named alike, in all records",
            got="; ".join(f"{side}: {', '.join(sorted(has)) or 'no lead that all records have'}"
                          for side, has in sides.items()),
            fix="rename leads in the headers, or choose some by --leads")
    return common


def _only(record: Record, leads) -> Record:
    columns = [record.leads.index(lead) for lead in leads]
    return replace(record, signal=record.signal[:, columns], leads=tuple(leads))


def _told(side, folder, records, quality):
    out = []
    if side != "synthetic" and known_database(Path(folder)) is None and len(records) > 1 \
            and all(one.subject == one.name for one in records):
        out.append(f"Nothing says who the {side} persons are: each of the {len(records)} records "
                   "counts as one. If a person has several, intervals are too narrow and privacy "
                   "is judged wrongly.")
    flawed = {why: n for why, n in quality.dropped.items() if n and why != "short"}
    if flawed:
        out.append(f"{sum(flawed.values())} of {quality.kept + sum(flawed.values())} {side} strips "
                   f"are left out: {', '.join(f'{n} {why}' for why, n in flawed.items())}."
                   + (" What was judged is better than what was given." * (side == "synthetic")))
    return out
