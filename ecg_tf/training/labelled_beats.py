"""Single beats with their class and rhythm, as small images: what a class-conditional GAN learns.

A beat alone does not tell a premature beat from one in time, nor an odd one from a person whose
beats all look so. So the person's usual beat and rhythm are further leads of the window. They go
with it through codec, image, GAN and back.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ecg_tf.base.checks import choice, count
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.records import provenance
from ecg_tf.signals.cutting import beats
from ecg_tf.signals.preparation import Preparation, by_part
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.rpeaks import rpeaks_of
from ecg_tf.signals.windows import Windows
from ecg_tf.training.data import codec_of, in_split, read_records, split_of

CLASSES = {
    "N": "normal, or conducted like a normal beat",
    "S": "supraventricular: premature, from above the ventricles",
    "V": "ventricular: wide, from a ventricle",
    "F": "fusion of a normal and a ventricular beat",
    "Q": "paced or not classifiable",
}
#: Names of the lead that carries the person's usual beat, and of the two that carry the rhythm.
DEVIATION = "beat - usual beat"
EARLINESS, USUAL = "log2 (RR / usual RR)", "log2 (usual RR / 0.8 s)"
STEADY_RR_S = 0.8
SHORTEST_RR_S, LONGEST_RR_S = 0.15, 4.0
ARRANGEMENTS = ("row_major", "serpentine")  # those whose upper half is the time before R


@dataclass(frozen=True)
class BeatData:
    """Labelled beats of an experiment.

    Args:
        split: "train", "validation" (empty), "test" -> names of subjects.
        windows: "train", "test" -> `Windows` of one beat each: the ECG, its deviation from
            the usual beat, and the two rhythm leads.
        codec: fitted on windows["train"].
        classes: those that occur in training, in the order of `CLASSES`.
        provenance: database, license, citation, numbers and checksum.
        quality: what the quality gate kept and dropped.
    """

    split: dict[str, list[str]]
    windows: dict[str, Windows]
    codec: Codec
    classes: tuple[str, ...]
    provenance: dict
    quality: Quality = field(default_factory=Quality)

    def table(self):
        """Beats and persons of each class and part, as a DataFrame."""
        import pandas as pd

        rows = {}
        for name in CLASSES:
            rows[name] = {"what": CLASSES[name]}
            for part, windows in self.windows.items():
                who = windows.subjects[windows.labels == name]
                rows[name] |= {f"{part} beats": len(who), f"{part} persons": len(np.unique(who))}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def prepare_beats(experiment: Experiment, ectopy: float = 1.0) -> BeatData:
    """Reads, filters, splits by subject, cuts beats, adds their rhythm, fits the codec.

    There are no validation persons: rare classes live in very few persons, and all that are not
    tested are needed for training.

    Args:
        experiment: `Experiment`; height x width samples make a window, R in its middle.
        ectopy: float, rate of premature beats in simulated records. Default 1.

    Raises:
        InputError: an arrangement that does not fit, or no usable labelled beats.

    Example:
        >>> data = prepare_beats(Experiment(arrangement="row_major", height=8, width=16))
        >>> data.codec.image_shape
        (8, 16, 4)
    """
    e = experiment.settled({"arrangement": ARRANGEMENTS[0], "height": 8})
    choice(e.arrangement, "arrangement of single beats", ARRANGEMENTS)
    if e.height % 2:
        raise InputError("The image has no middle row.", expected="an even height", got=e.height,
                         fix="take a height such as 8")
    records = read_records(e, ectopy=ectopy)
    split = split_of(records, e, fractions=(0.6, 0.0, 0.4), validation=0)
    split |= {"train": sorted(split["train"] + split["validation"]), "validation": []}
    prepared, quality = Preparation.of(e).clean(in_split(records, split), Quality()), Quality()
    windows = beats_with_rhythm(prepared, e.height * e.width, quality)
    parts = by_part(windows, split)
    known = np.unique(parts["train"].labels)  # type: ignore[arg-type]  # beats have labels
    return BeatData(split, parts, codec_of(parts["train"], e),
                    tuple(name for name in CLASSES if name in known),
                    provenance(records), quality)


def beats_with_rhythm(records, length: int, quality: Quality | None = None) -> Windows:
    """One window a beat, the R peak at sample `length // 2`, with three leads of what is usual.

    The lead `DEVIATION` is the ECG minus the median beat of its record. `EARLINESS` holds log2 (RR
    / usual RR), of the interval before the beat up to R, of the one after it from R on; the usual
    RR is the mean of the record, as one nearby would follow a run of premature beats. `USUAL` holds
    log2 (usual RR / 0.8 s) throughout. No label is looked at for any of them.

    Signals (beat, length, 4), labels N, S, V, F or Q, of prepared, annotated records of one lead.
    Beats without a class, or without a neighbour on one side, are left out. InputError: more than
    one lead, or no labelled beat.
    """
    records = list(records)
    length = count(length, "length", 16, 2**20)
    middle = length // 2
    fs = records[0].fs if records else 1.0
    windows = beats(records, middle / fs, (length - 1 - middle) / fs, quality)
    if len(windows.leads) != 1:
        raise InputError("Beats with rhythm are of one lead.", expected="1 lead",
                         got=", ".join(windows.leads), fix="name one in leads=")
    rhythm, usual = np.full((len(windows), 3), np.nan), np.zeros_like(windows.signals)
    for record in records:
        positions, _ = rpeaks_of(record)
        own = np.flatnonzero((windows.records == record.name)
                             & (windows.subjects == record.subject))
        if len(positions) < 3 or not len(own):
            continue
        usual[own] = np.median(windows.signals[own], axis=0)
        at = np.searchsorted(positions, windows.starts[own] + middle)
        inner = (at > 0) & (at < len(positions) - 1)
        intervals = np.diff(positions) / record.fs
        before = intervals[np.maximum(at - 1, 0)]
        after = intervals[np.minimum(at, len(intervals) - 1)]
        steady = np.full(len(own), np.minimum(intervals, LONGEST_RR_S).mean())
        rhythm[own] = np.where(inner[:, None], np.stack([before, after, steady], -1), np.nan)
    labels: np.ndarray = windows.labels  # type: ignore[assignment]  # beats have labels
    kept = np.isin(labels, list(CLASSES)) & np.isfinite(rhythm).all(axis=1)
    kept &= (np.nan_to_num(rhythm) > SHORTEST_RR_S).all(axis=1)
    if not kept.any():
        raise InputError("There are no labelled beats.", got="none of a class N, S, V, F or Q",
                         expected="records with beat annotations",
                         fix="take a database with annotations, such as mitdb or simulated")
    windows, usual = windows.take(kept), usual[kept]
    signals = np.concatenate([windows.signals, windows.signals - usual,
                              rhythm_leads(rhythm[kept], length)], -1)
    return replace(windows, signals=signals, leads=(*windows.leads, DEVIATION, EARLINESS, USUAL))


def rhythm_leads(rhythm, length: int) -> np.ndarray:
    """RR intervals (beat, 3) s (the one before, the one after, the usual one) as two leads (beat,
    length, 2) float32; undone by `rhythm_of`."""
    before, after, usual = np.clip(np.asarray(rhythm, float), SHORTEST_RR_S, LONGEST_RR_S).T
    leads = np.empty((len(usual), length, 2), np.float32)
    leads[:, : length // 2, 0] = np.log2(before / usual)[:, None]
    leads[:, length // 2 :, 0] = np.log2(after / usual)[:, None]
    leads[..., 1] = np.log2(usual / STEADY_RR_S)[:, None]
    return leads


def rhythm_of(windows: Windows) -> np.ndarray:
    """The RR intervals of beats, real or decoded: (beat, 3) s, before, after and usual."""
    _check_leads(windows)
    middle = windows.signals.shape[1] // 2
    signals = windows.signals.astype(np.float64)
    usual = STEADY_RR_S * 2 ** signals[..., -1].mean(axis=1)
    before, after = (2 ** part.mean(axis=1) * usual
                     for part in (signals[:, :middle, -2], signals[:, middle:, -2]))
    return np.stack([before, after, usual], -1)


def usual_beat_of(windows: Windows) -> np.ndarray:
    """The usual beat of each beat's person, real or decoded: (beat, time) mV."""
    _check_leads(windows)
    return windows.signals[..., 0] - windows.signals[..., 1]


def class_numbers(labels, classes) -> np.ndarray:
    """Names of classes as numbers, their places in `classes`: (n,) int32.

    Raises:
        InputError: a label that is no class.
    """
    labels, classes = np.asarray(labels, str), list(classes)
    unknown = sorted(set(np.unique(labels)) - set(classes))
    if unknown:
        raise InputError("A label is no class.", expected=", ".join(classes),
                         got=", ".join(unknown[:5]), fix="leave those beats out")
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[name] for name in labels], np.int32)


def balanced_sample(labels, subjects, size: int, seed: int, rare: int = 100,
                    power: float = 0.5) -> np.ndarray:
    """Samples beats so that classes are even, and no person fills a class.

    A class with fewer than `rare` beats is sampled less often in proportion, lest the network
    memorizes those few. Within a class a person with n beats counts n ** power.

    Args:
        labels: (n,) class of each beat.
        subjects: (n,) person of each.
        size: int, beats to sample, with repetition.
        power: float, 0 for even persons, 1 for even beats. Default 0.5.

    Returns:
        (size,) int64, places in `labels`.
    """
    labels, subjects = np.asarray(labels), np.asarray(subjects)
    _, of_class = np.unique(labels, return_inverse=True)
    share = np.minimum(np.bincount(of_class), rare).astype(float)
    _, of_group, sizes = np.unique(of_class * (len(np.unique(subjects)) + 1)
                                   + np.unique(subjects, return_inverse=True)[1],
                                   return_inverse=True, return_counts=True)
    weight = sizes[of_group] ** (power - 1.0)
    weight *= (share / np.bincount(of_class, weight))[of_class]
    return np.random.default_rng(seed).choice(len(labels), size, p=weight / weight.sum())


def _check_leads(windows: Windows) -> None:
    wanted = (DEVIATION, EARLINESS, USUAL)
    if windows.leads[1:] != wanted:
        raise InputError("These windows carry no rhythm.", got=", ".join(windows.leads),
                         expected=f"an ECG and {', '.join(wanted)}",
                         fix="cut them with beats_with_rhythm")
