"""The sets of an evaluation, from folders or from memory: all sides checked and prepared alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.privacy_evaluation import (
    AttackSettings,
    PrivacyEvaluation,
    evaluate_privacy,
    unattacked,
)
from ecg_tf.evaluation.strip_measures import strip_measures
from ecg_tf.evaluation.utility import RATIO
from ecg_tf.evaluation.utility_of_sets import labelled_beats, use_of_sides
from ecg_tf.records import ECGs, load, provenance
from ecg_tf.records.common_leads import only_leads
from ecg_tf.records.duplicates import digest_of
from ecg_tf.records.persons import unknown_persons
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.preparation import Preparation
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.windows import Windows

#: The gate has no such row for a set whose beats carry no classes.
NO_USE = {RATIO: None}


@dataclass(frozen=True)
class EvaluationData:
    """The sets of an evaluation, cut into strips of one length, rate and leads.

    Args:
        real: strips of the persons the synthetic set was made from.
        synthetic: strips of the synthetic set.
        holdout: strips of other persons, or None.
        provenance: side -> `records.provenance`.
        quality: side -> `Quality`, what was kept and dropped.
        notes: what had to be assumed or left out.
        unknown: why persons are not known, a sentence for each side where they are not.
        beats: side -> beats with their classes, of `utility_of_sets.labelled_beats`, or None; empty
            without a holdout.
    """

    real: Windows
    synthetic: Windows
    holdout: Windows | None
    provenance: dict = field(default_factory=dict)
    quality: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    beats: dict = field(default_factory=dict)


def read_evaluation_data(real, synthetic, holdout="", preparation: Preparation | None = None,
                         leads: Sequence[str] = (), strip_seconds: float = 10.0,
                         csv_fs: float = 0.0) -> EvaluationData:
    """Reads, resamples, filters and cuts all sides in the same way.

    Args:
        real: folder of the ECGs the synthetic set was made from.
        synthetic: folder of the synthetic set.
        holdout: folder of ECGs of other persons; "" for none.
        preparation: `Preparation`, rate and filters of all sides; default None, its defaults.
        leads: names; default (), those that all records of all sides have.
        strip_seconds: s, default 10.
        csv_fs: Hz, for CSV files that do not say it.

    Raises:
        InputError: what `load` and `evaluation_data_of` raise.

    Example:
        >>> data = read_evaluation_data("mine/real", "mine/synthetic", "mine/others")
        >>> len(data.synthetic), data.notes
    """
    folders = {"real": real, "synthetic": synthetic, **({"holdout": holdout} if holdout else {})}
    records = {side: load(folder, leads=tuple(leads) or None, fs=csv_fs, warn=False)
               for side, folder in folders.items()}
    return evaluation_data_of(records, preparation, leads, strip_seconds)


def evaluation_data_of(records: Mapping[str, ECGs], preparation: Preparation | None = None,
                       leads: Sequence[str] = (), strip_seconds: float = 10.0) -> EvaluationData:
    """Checks, resamples, filters and cuts all sides in the same way.

    `records`: "real", "synthetic" and perhaps "holdout" -> ECGs; the rest as of
    `read_evaluation_data`. InputError: no common lead; records shorter than a strip, or flawed
    throughout; persons or recordings both in real and holdout; one real person only.
    """
    preparation, records = preparation or Preparation(), _spelled_alike(records)
    if holdout := "holdout" in records:
        _disjoint(records["real"], records["holdout"])
        records["holdout"] = _renamed(records["holdout"], set(records["real"].subjects))
    leads, sets, books, beats = _common_leads(records, leads), {}, {}, {}
    notes: list[str] = []
    for side, ecgs in records.items():
        long = _long_enough(side, ecgs, leads, strip_seconds, notes)
        ready = preparation.clean(long)
        books[side] = Quality()
        try:
            sets[side] = strips(ready, round(strip_seconds * preparation.fs), quality=books[side])
        except InputError as error:
            raise InputError(f"The {side} records cannot be used. {error}") from error
        notes += _notes(side, ecgs, books[side])
        if holdout:  # without test persons no classifier is trained
            beats[side] = labelled_beats(ready)
    persons = np.unique(sets["real"].subjects)
    if len(persons) < 2 and not holdout:
        raise InputError("The real ECGs are of one person.", expected="two persons or more, or a "
                         "holdout", got=f"{len(persons)}, {persons[0]}",
                         fix="name persons by a header comment `subject: ID` or subjects.csv")
    unknown = tuple(f"The {side} records: {text}" for side, ecgs in records.items()
                    if side != "synthetic" for text in unknown_persons(ecgs.warnings))
    return EvaluationData(sets["real"], sets["synthetic"], sets.get("holdout"),
                          {side: provenance(ecgs) for side, ecgs in records.items()}, books,
                          tuple(notes), unknown, beats)


def evaluate_data(data: EvaluationData, gate=None, max_strips: int = 1000, seed: int = 0,
                  progress: bool = False, attacks: bool = True) -> PrivacyEvaluation:
    """Fidelity, utility, attacks and release gate of a synthetic set from outside.

    Args:
        gate: thresholds over the gate's defaults; default None. Where the beats carry no classes
            the gate has no row about their utility.
        max_strips: of each set, default 1000.
        attacks: bool; False measures fidelity and utility alone. Default True.

    Returns:
        PrivacyEvaluation; its notes begin with those of the data, and say which measures have no
        null.
    """
    real, holdout = data.real, data.holdout
    made, notes = data.synthetic.signals, [*data.notes]
    test, train = (real, None) if holdout is None else (holdout, real)
    rows = strip_measures(test, made, train, max_strips, seed)
    if holdout is None:
        notes.append("There is no holdout: fidelity is compared with the real persons themselves, "
                     "so copies look better than anything new could; baselines are halves of them.")
    use, why = use_of_sides(data.beats, seed=seed)
    if use and why:
        notes.append(why[:1].upper() + why[1:] + ".")
    elif why:
        notes.append(f"Not measured: {RATIO}, whether a classifier can be trained on the synthetic "
                     f"ECGs: {why}. The gate has no row for it.")
    gate = {**({} if use else NO_USE), **(gate or {})}
    if attacks:
        found = evaluate_privacy(made, real, holdout, settings=AttackSettings(
            max_strips, seed, progress=progress)).gated([*rows, *use], gate, data.unknown)
    else:
        found = unattacked([*rows, *use], gate, data.unknown)
    return replace(found, notes=(*notes, *found.notes))


def lost_nulls(found: PrivacyEvaluation) -> list[Measured]:
    """The measures that could not be made, most often for want of a holdout."""
    return [row for row in found.measures if not np.isfinite(row.value)]


def _long_enough(side: str, ecgs: ECGs, leads, strip_seconds: float, notes: list[str]) -> list:
    """The records that have the leads and last a strip or more."""
    kept = [only_leads(record, leads) for record in ecgs if set(leads) <= set(record.leads)]
    seconds = [len(record.signal) / record.fs for record in kept]
    long = [record for record, length in zip(kept, seconds, strict=True)
            if length >= strip_seconds * (1 - 1e-6)]
    if not long:
        raise InputError(f"The {side} records are too short.",
                         expected=f"strips of {strip_seconds:g} s",
                         got=f"records of up to {max(seconds):.2f} s",
                         fix="give a smaller --strip-seconds, the same for all sides")
    if len(long) < len(kept):
        notes.append(f"{len(kept) - len(long)} of {len(kept)} {side} records are shorter "
                     f"than {strip_seconds:g} s and are left out.")
    return long


def _disjoint(real: ECGs, holdout: ECGs) -> None:
    """Refuses a person, or one and the same recording, on both sides."""
    both = sorted(set(real.subjects) & set(holdout.subjects))
    if both and "nothing" not in (real.subjects_known_by, holdout.subjects_known_by):
        raise InputError("Persons are in real and holdout.", expected="disjoint persons",
                         got=", ".join(both[:5]) + (", ..." if len(both) > 5 else ""),
                         fix="name persons alike in both folders only if they are the same; split "
                         "by person, not by record")
    seen = {digest_of(record): record.name for record in real}
    twice = [(seen[digest], record.name) for record in holdout
             if (digest := digest_of(record)) in seen]
    if twice:
        raise InputError(f"{len(twice)} recordings are in real and in holdout.",
                         expected="recordings of other persons in the holdout",
                         got=f"'{twice[0][0]}' of real is '{twice[0][1]}' of holdout",
                         fix="take them out of one of the two folders")


def _renamed(holdout: ECGs, real: set[str]) -> ECGs:
    """The holdout under other names, where records of unknown persons are called as in real."""
    return holdout.replaced(records=tuple(
        replace(record, subject=f"holdout/{record.subject}") if record.subject in real else record
        for record in holdout))


def _spelled_alike(records: Mapping[str, ECGs]) -> dict[str, ECGs]:
    """All sides with their leads as the real ones spell them: aVR and AVR are one lead."""
    names = {lead.lower(): lead for record in records["real"] for lead in record.leads}

    def spelled(record):
        leads = tuple(names.get(lead.lower(), lead) for lead in record.leads)
        return replace(record, leads=leads) if len(set(leads)) == len(leads) else record

    return {side: ecgs.replaced(records=tuple(map(spelled, ecgs)))
            for side, ecgs in records.items()}


def _common_leads(records: dict[str, ECGs], wanted) -> tuple[str, ...]:
    """The leads wanted, which the readers found, else those that all records have."""
    sides = {side: set.intersection(*(set(record.leads) for record in ecgs))
             for side, ecgs in records.items()}
    if wanted:
        return tuple(wanted)
    common = tuple(lead for lead in records["real"][0].leads
                   if all(lead in has for has in sides.values()))
    if not common:
        raise InputError(
            "The sides have no lead in common.",
            expected="the same leads, named alike, in all records",
            got="; ".join(f"{side}: {', '.join(sorted(has)) or 'no lead that all records have'}"
                          for side, has in sides.items()),
            fix="rename leads in the headers, or choose some by --leads")
    return common


def _notes(side: str, ecgs: ECGs, quality: Quality) -> list[str]:
    """Notes on a side: how its persons are known, what was left out."""
    # Persons do not matter in a synthetic set.
    of_persons = unknown_persons(ecgs.warnings) if side == "synthetic" else ()
    notes = [f"The {side} records: {text}" for text in ecgs.warnings if text not in of_persons]
    flawed = {why: n for why, n in quality.dropped.items() if n and why != "short"}
    if flawed:
        notes.append(
            f"{sum(flawed.values())} of {quality.kept + sum(flawed.values())} {side} strips are "
            f"left out: {', '.join(f'{n} {why}' for why, n in flawed.items())}."
            + " What was evaluated is better than what was given." * (side == "synthetic"))
    return notes
