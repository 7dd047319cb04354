"""ECGs that this software did not make: any folders of recordings, all sides prepared alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.fidelity_measures import fidelity_measures
from ecg_tf.evaluation.inter_lead import inter_lead_measures
from ecg_tf.evaluation.privacy_evaluation import Verdict, evaluate_privacy
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

#: What the gate does not ask of a set whose beats carry no classes.
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
        unknown: why it is not known who is who, a sentence for each side of which it is not.
        beats: side -> beats with their classes, of `use_of_sides.labelled_beats`, or None; empty
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


def read_evaluation_data(real, synthetic, holdout="", leads: Sequence[str] = (), fs: float = 128.0,
               strip_seconds: float = 10.0, csv_fs: float = 0.0, band_low: float = 0.5,
               band_high: float = 40.0, notch: float = 0.0) -> EvaluationData:
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
        EvaluationData.

    Raises:
        InputError: what `load` raises; no common lead; records shorter than a strip, or flawed
            throughout; persons or recordings both in real and holdout; one real person only.

    Example:
        >>> sides = read_evaluation_data("mine/real", "mine/synthetic", "mine/others")
        >>> len(sides.synthetic), sides.notes
    """
    folders = {"real": real, "synthetic": synthetic, **({"holdout": holdout} if holdout else {})}
    wanted = tuple(leads) or None
    records = {side: load(folder, leads=wanted, fs=csv_fs, warn=False)
               for side, folder in folders.items()}
    _disjoint(records)
    if "holdout" in records:
        records["holdout"] = _apart(records["holdout"], set(records["real"].subjects))
    notes, common = [], _common_leads(records, leads)
    cut, book, beats = {}, {}, {}
    for side, found in records.items():
        kept = [only_leads(record, common) for record in found if set(common) <= set(record.leads)]
        least = strip_seconds * (1 - 1e-6)
        long = [one for one in kept if len(one.signal) / one.fs >= least]
        if not long:
            raise InputError(f"The {side} records are too short.",
                             expected=f"strips of {strip_seconds:g} s", got="records of up to "
                             f"{max(len(one.signal) / one.fs for one in kept):.2f} s",
                             fix="give a smaller --strip-seconds, the same for all sides")
        if len(long) < len(kept):
            notes.append(f"{len(kept) - len(long)} of {len(kept)} {side} records are shorter "
                         f"than {strip_seconds:g} s and are left out.")
        book[side] = Quality()
        ready = Preparation(fs, band_low, band_high, notch).clean(long)
        try:
            cut[side] = strips(ready, round(strip_seconds * fs), quality=book[side])
        except InputError as error:
            raise InputError(f"The {side} records in '{folders[side]}' cannot be used. {error}") \
                from error
        notes += _told(side, found, book[side])
        if holdout:  # without anybody to test on, no classifier is asked
            beats[side] = labelled_beats(ready)
    persons = len(np.unique(cut["real"].subjects))
    if persons < 2 and not holdout:
        raise InputError("The real ECGs are of one person.", expected="two persons or more, or a "
                         "holdout", got=f"{persons}, {cut['real'].subjects[0]}",
                         fix="name persons by a header comment `subject: ID` or subjects.csv")
    return EvaluationData(cut["real"], cut["synthetic"], cut.get("holdout"),
                 {side: provenance(found) for side, found in records.items()}, book, tuple(notes),
                 tuple(f"The {side} records: {text}" for side, found in records.items()
                       if side != "synthetic" for text in unknown_persons(found.warnings)), beats)


def evaluate_data(sides: EvaluationData, gate=None, max_strips: int = 1000, seed: int = 0,
                progress: bool = False) -> Verdict:
    """Fidelity, attacks and release gate of a synthetic set from outside.

    Args:
        sides: `EvaluationData`.
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
    rows = fidelity_measures(test, made, train, max_strips, seed=seed)
    rows += inter_lead_measures(test, made, train, max_strips, seed=seed)
    if holdout is None:
        notes.append("There is no holdout: fidelity is compared with the real persons themselves, "
                     "so copies look better than anything new could; baselines are halves of them.")
    use, why = use_of_sides(sides.beats, seed=seed)
    if use and why:
        notes.append(why[:1].upper() + why[1:] + ".")
    elif why:
        notes.append(f"Not measured: {RATIO}, whether a classifier can be trained on the synthetic "
                     f"ECGs: {why}. The gate does not ask for it.")
    verdict = evaluate_privacy(made, real, holdout, fs, fidelity=rows, utility=use,
                    thresholds={**({} if use else NO_USE), **(gate or {})}, max_strips=max_strips,
                    seed=seed, progress=progress, warnings=sides.unknown)
    return replace(verdict, notes=(*notes, *verdict.notes))


def lost_nulls(verdict: Verdict) -> list[Measured]:
    """The measures that could not be made, most often for want of a holdout."""
    return [one for one in verdict.measures if not np.isfinite(one.value)]


def _disjoint(records: dict[str, ECGs]) -> None:
    """Refuses a person, or one and the same recording, on both sides."""
    if "holdout" not in records:
        return
    real, other = (records[side] for side in ("real", "holdout"))
    both = sorted(set(real.subjects) & set(other.subjects))
    if both and "nothing" not in (real.subjects_known_by, other.subjects_known_by):
        raise InputError("Persons are in real and holdout.", expected="disjoint persons",
                         got=", ".join(both[:5]) + (", ..." if len(both) > 5 else ""),
                         fix="name persons alike in both folders only if they are the same; split "
                         "by person, not by record")
    seen = {digest_of(record): record.name for record in real}
    twice = [(seen[digest], record.name) for record in other
             if (digest := digest_of(record)) in seen]
    if twice:
        raise InputError(f"{len(twice)} recordings are in real and in holdout.",
                         expected="recordings of other persons in the holdout",
                         got=f"'{twice[0][0]}' of real is '{twice[0][1]}' of holdout",
                         fix="take them out of one of the two folders")


def _apart(holdout: ECGs, real: set[str]) -> ECGs:
    """The holdout under other names, where records of unknown persons are called as in real."""
    named = [replace(one, subject=f"holdout/{one.subject}") if one.subject in real else one
             for one in holdout]
    return replace(holdout, records=tuple(named))


def _common_leads(records: dict[str, ECGs], wanted) -> tuple[str, ...]:
    """The leads asked for, else those that all records have; of other records some may lack one."""
    sides = {side: set.intersection(*(set(one.leads) for one in found))
             for side, found in records.items()}
    if wanted:
        return tuple(wanted)  # the readers left out what has them not
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


def _told(side: str, ecgs: ECGs, quality: Quality) -> list[str]:
    """What must be known of a side: who its persons are, what was left out."""
    nobody = unknown_persons(ecgs.warnings) if side == "synthetic" else ()  # theirs are nobody's
    said = [text for text in ecgs.warnings if text not in nobody]
    out = [f"The {side} records: {text}" for text in said]
    flawed = {why: n for why, n in quality.dropped.items() if n and why != "short"}
    if flawed:
        out.append(f"{sum(flawed.values())} of {quality.kept + sum(flawed.values())} {side} strips "
                   f"are left out: {', '.join(f'{n} {why}' for why, n in flawed.items())}."
                   + (" What was judged is better than what was given." * (side == "synthetic")))
    return out
