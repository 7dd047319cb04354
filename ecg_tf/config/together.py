"""Settings of an experiment that must fit each other, whatever the records are."""

import math

from ecg_tf.base.checks import choice, printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.config.yaml_files import typed
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.records.splits import PARTS, SCHEMES

READ_BEATS = ("beatgan", "diffusion")  # models over rows of beats
COLUMNS = ("record", "subject", "age", "sex", "session", "labels")


def check_together(e) -> None:
    """Refuses settings of an `Experiment` that cannot go together, with the nearest that do."""
    _check_split(e)
    _check_band(e)
    _check_image(e)
    _check_labels(e)
    _check_beats(e)
    if e.model == "wavegan" and e.arrangement != "row_major":
        raise InputError("The model 'wavegan' sees the signal itself, sample after sample.",
                         expected="arrangement: row_major, which is the signal line by line",
                         got=e.arrangement, fix="set arrangement to row_major, or take "
                         "another model")


def _check_beats(e) -> None:
    """The networks of beats read rows of beats, in mV of one scale."""
    if e.model not in READ_BEATS:
        return
    by_beats = e.arrangement == "auto" or ARRANGEMENTS[e.arrangement].by_beats
    if not by_beats:
        raise InputError(f"The model '{e.model}' reads rows of beats.",
                         expected="arrangement: beat_strips, beat_rows or auto",
                         got=e.arrangement, fix="set arrangement to auto, or take r1gan")
    if e.scaling in ("window", "record"):
        raise InputError(f"The model '{e.model}' compares beats on one scale.",
                         expected="a scaling of all windows, such as companded", got=e.scaling,
                         fix="set scaling to companded, or take r1gan")
    if e.model == "diffusion" and e.identity_weight:
        raise InputError("The model 'diffusion' has no identity-adversarial loss.",
                         expected="identity_weight: 0", got=f"{e.identity_weight:g}",
                         fix="leave identity_weight out, or take beatgan")


def checked_columns(columns: dict) -> dict:
    """What -> column of the metadata file, as text."""
    for what, column in columns.items():
        choice(what, "metadata_columns", COLUMNS)
        typed(f"metadata_columns: {what}", column, str)
    return dict(columns)


def checked_folds(folds: dict) -> dict:
    """Part -> values of the split's column, as text."""
    if not folds:
        return {}
    for part, values in folds.items():
        choice(part, "part of folds", PARTS)
        if not isinstance(values, (list, tuple)) or not values or len(values) > 1000 or not all(
                isinstance(value, (str, int, float)) and not isinstance(value, bool)
                for value in values):
            raise InputError(f"folds of '{part}' are no list.", expected="values such as [1, 2]",
                             got=printable(values), fix=f"write {part}: [...]")
    if missing := [part for part in ("train", "test") if part not in folds]:
        raise InputError("folds lack a part.", expected="train and test, perhaps validation",
                         got=", ".join(folds), fix=f"add {missing[0]}: [...]")
    return {part: [printable(value) for value in values] for part, values in folds.items()}


def checked_labels(kinds: tuple) -> tuple:
    """Kinds of statements, each once."""
    if len(set(kinds)) < len(kinds) or not all(kinds):
        raise InputError("labels name a kind twice, or none.", expected="kinds such as superclass, "
                         "rhythm, sex, age", got=", ".join(kinds), fix="name each once")
    return kinds


def _check_labels(e) -> None:
    """A class head needs classes; mixed persons and named ones have none."""
    if e.model == "acgan" and (not e.labels or e.labels == ("age",)):
        raise InputError("The model 'acgan' classifies what it sees.",
                         expected="labels such as [superclass, sex]", got=list(e.labels),
                         fix="name labels that the records have, or take r1gan")
    if e.model == "acgan" and e.identity_weight:
        raise InputError("An ACGAN has no identity-adversarial loss.", got=e.identity_weight,
                         expected="identity_weight: 0", fix="take r1gan, which takes labels too")
    if e.labels and e.subject_mixing > 1:
        raise InputError("An image mixed of several persons has no labels.",
                         expected="subject_mixing: 1 with labels", got=e.subject_mixing,
                         fix="set labels to [], or subject_mixing to 1")


def _check_split(e) -> None:
    """A split that is no known scheme is a column of a table, or a misspelt name."""
    near = closest(e.split, SCHEMES)
    if e.split in SCHEMES and e.folds:
        raise InputError(f"folds belong to a column, not to split: {e.split}.",
                         expected="split: COLUMN, such as strat_fold", got=e.split,
                         fix="name the column as split, or leave folds out")
    if not e.split or (e.split not in SCHEMES and near and not e.folds):
        raise InputError("Unknown split.", expected=f"one of {', '.join(SCHEMES)}, or a column "
                         "of the table beside the records", got=repr(e.split),
                         fix=near or "choose one of these")


def _check_band(e) -> None:
    """The filters must lie below half the sampling rate."""
    most = e.fs / 2
    for name in ("band_low", "band_high", "notch"):
        if getattr(e, name) >= most:
            raise InputError(f"{name} is not below half the sampling rate.",
                             expected=f"less than {most:g} Hz at fs: {e.fs:g}",
                             got=f"{getattr(e, name):g}",
                             fix=f"set {name}: {math.floor(0.9 * most):g}, or a higher fs")
    if e.band_low and e.band_high and e.band_low >= e.band_high:
        raise InputError("band_low is not below band_high.", expected="band_low < band_high",
                         got=f"{e.band_low:g} and {e.band_high:g}",
                         fix="exchange the two")


def _check_image(e) -> None:
    """What can be known of an image before any record is read."""
    if 0 < e.height < 8:
        raise InputError("height is too small for the networks.", expected="8 to 1024, or 0",
                         got=e.height, fix="set height: 8")
    for name in ("strip_seconds", "window_seconds"):
        if 0 < getattr(e, name) < 1:
            raise InputError(f"{name} is too short.", expected="1 s or more, or 0",
                             got=getattr(e, name), fix=f"leave {name} out")
    kind = ARRANGEMENTS.get(e.arrangement)
    if kind is None or kind.by_beats or not e.height:
        return
    seconds = kind.samples(e.height, e.width) / e.fs
    if seconds < e.strip_seconds:
        wide = math.ceil(e.strip_seconds * e.fs / kind.samples(e.height, 8)) * 8
        raise InputError(
            f"An image of {e.image_shape_text} with '{e.arrangement}' holds "
            f"{seconds:.1f} s, less than strip_seconds.",
            expected=f"{e.strip_seconds:g} s or more", got=f"{seconds:.1f} s",
            fix=f"set width: {wide}, or strip_seconds: {max(1, math.floor(seconds)):g}")
