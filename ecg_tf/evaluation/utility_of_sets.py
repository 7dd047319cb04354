"""Utility of a synthetic set from outside, where its beats carry their classes.

Real subjects are the training set of TRTR; the holdout is the test set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.beat_features import beat_features
from ecg_tf.evaluation.utility import RATIO, Beats, utility
from ecg_tf.signals.quality import Prepared
from ecg_tf.signals.windows import Windows
from ecg_tf.training.labelled_beats import CLASSES, beats_with_rhythm

SECONDS = 1.0  # of a beat's window
CLASSIFIER = "forest"
#: How the names of the rows begin.
USE = ("TSTR", "TRTS", "real + synthetic")


def labelled_beats(records: Sequence[Prepared]) -> Windows | None:
    """Beats of the first lead, with class and rhythm, of the records that are annotated, by
    `labelled_beats.beats_with_rhythm`; None where no beat carries a class."""
    length = 2 * round(SECONDS * records[0].fs / 2)
    first = [replace(record, signal=record.signal[:, :1], leads=record.leads[:1])
             for record in records if len(record.beats)]
    try:
        return beats_with_rhythm(first, length) if first else None
    except InputError:
        return None


def use_of_sides(sides: Mapping[str, Windows | None], per_class: int = 2000, seeds: int = 5,
                 seed: int = 0) -> tuple[list[Measured], str]:
    """TSTR beside TRTR: a random forest trained on synthetic or real beats, tested on the holdout.

    `sides`: "real", "synthetic", "holdout" -> Windows of `labelled_beats`, or None. Gives (rows of
    `Utility.measures`, note on missing classes), or ([], the reason).
    """
    given: dict[str, Windows] = {}
    for side in ("holdout", "real", "synthetic"):
        beats = sides.get(side)
        if beats is None or not len(beats):
            return [], f"no beat of the {side} side carries a class"
        if len(_classes(beats)) < 2:
            return [], f"all beats of the {side} side are of one class, {min(_classes(beats))}"
        given[side] = beats
    known, made = _classes(given["real"]), _classes(given["synthetic"])
    if len(known & made) < 2:
        return [], "real and synthetic beats have fewer than two classes in common"
    given["synthetic"] = given["synthetic"].take(  # others could not be compared
        np.isin(given["synthetic"].labels, sorted(known)))  # type: ignore[arg-type]
    sets = {side: Beats(beat_features(beats), np.asarray(beats.labels), beats.subjects)
            for side, beats in given.items()}
    found = utility(sets["real"], sets["synthetic"], sets["holdout"], classes=tuple(CLASSES),
                    per_class=per_class, seeds=seeds, classifiers=(CLASSIFIER,), seed=seed)
    lost = ", ".join(name for name in found.scored if name in known - made)
    return found.measures(len(given["synthetic"])), (
        f"no synthetic beat is of the class {lost}, which counts against {RATIO}" if lost else "")


def _classes(beats: Windows) -> set[str]:
    return set(map(str, np.unique(np.asarray(beats.labels, str))))
