"""From an experiment to its windows and codec: all that happens before a GAN is built."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecg_tf.errors import InputError
from ecg_tf.evaluation.roles import even
from ecg_tf.experiment import Experiment
from ecg_tf.images.arrange import channels_of_lead
from ecg_tf.images.codec import Codec, make_codec
from ecg_tf.records import Record, database_names, load_records, provenance
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.quality import NoWindow, Prepared, Quality
from ecg_tf.signals.splits import PARTS, assert_disjoint, select_part, split_by_subject
from ecg_tf.signals.windows import Windows, beat_sequences, strips


@dataclass(frozen=True)
class Data:
    """What an experiment works on.

    Args:
        split: "train", "validation", "test" -> names of subjects; nobody is in two of them.
        windows: part -> `Windows` as the codec takes them; the GAN sees those of "train" only.
        strips: part -> `Windows` of `strip_seconds`, cut from the records whatever the
            arrangement is, so that all experiments are judged by the same real ECGs.
        codec: fitted on windows["train"].
        provenance: database, license, citation, numbers and checksum.
        quality: kind of window -> what the quality gate kept and dropped.
        attributes: "sex", "age" -> subject -> what the headers say, where they do.
        shards: `shards.sharded_windows.ShardedWindows`, all training windows, if they do not lie
            in memory: then windows and strips are samples. Default None.
    """

    split: dict[str, list[str]]
    windows: dict[str, Windows]
    strips: dict[str, Windows]
    codec: Codec
    provenance: dict
    quality: dict[str, Quality] = field(default_factory=dict)
    attributes: dict[str, dict] = field(default_factory=dict)
    shards: Any = None

    @property
    def training(self):
        """All training windows, in memory or in files."""
        return self.windows["train"] if self.shards is None else self.shards


def prepare_data(experiment: Experiment) -> Data:
    """Reads, filters, cuts and splits by subject, and fits the codec on the training subjects.

    Args:
        experiment: `Experiment`.

    Returns:
        Data.

    Raises:
        InputError: no such data, or nothing usable in them.

    Example:
        >>> data = prepare_data(Experiment(subjects=6, minutes=2))
        >>> images = data.codec.encode(data.windows["train"])
    """
    e = experiment
    if e.shards:
        from ecg_tf.shards.sharded_windows import read_data

        return read_data(e)
    where, options = source_of(e)
    records = load_records(*where, **options)
    usable = [record for record in records if takes_part(record, e)]
    gate = Quality()
    prepared = [prepare(r, e.fs, e.band_low, e.band_high, e.notch, gate) for r in usable]
    split = split_of(prepared, e)
    taken = {name for names in split.values() for name in names}
    prepared = [record for record in prepared if record.subject in taken]
    quality = {"training windows": Quality(), f"{e.strip_seconds:g} s strips": Quality()}
    windows, cut = (_by_part(made, split) for made in (
        cut_windows(prepared, e, quality["training windows"]),
        strips(prepared, round(e.strip_seconds * e.fs), quality=list(quality.values())[1]),
    ))
    codec = codec_of(windows["train"], e)
    attributes = attributes_of(records)
    return Data(split, windows, cut, codec, provenance(records), quality, attributes)


def source_of(experiment: Experiment) -> tuple[tuple, dict]:
    """What `load_records` is called with: (database, folder, leads, records), and its options."""
    e, own = experiment, {}
    if "simulated" in database_names(e.database):
        own = {"subjects": e.subjects, "minutes": e.minutes, "seed": e.seed}
    return (e.database, e.data_dir, list(e.leads) or None, list(e.records) or None), own


def takes_part(record: Record, experiment: Experiment) -> bool:
    """False for paced records under the split of the field."""
    return not (experiment.split == "ds1ds2" and record.paced)


def attributes_of(records: list[Record]) -> dict[str, dict]:
    """"sex", "age" -> subject -> value, where not all say the same."""
    told: dict[str, dict] = {"sex": {r.subject: r.sex for r in records if r.sex},
            "age": {r.subject: r.age for r in records if np.isfinite(r.age)}}
    return {name: of for name, of in told.items() if len(set(of.values())) > 1}


def codec_of(windows: Windows, experiment: Experiment) -> Codec:
    """The experiment's codec, fitted on windows of the training subjects."""
    e = experiment
    fixed = {} if e.arrangement == "beat_rows" else {"fit": e.fit}
    return make_codec(
        windows, range=e.range, arrangement=e.arrangement, height=e.height, width=e.width,
        **fixed,
        standardizer={"quantiles": e.quantiles, "limits_mv": e.limits_mv, "knee_mv": e.knee_mv,
                      "quantization": e.quantization},
    )  # fmt: skip


def split_of(records: Sequence[Record], experiment: Experiment) -> dict[str, list[str]]:
    """The experiment's split by subject, asserted to be disjoint."""
    split = split_by_subject(records, experiment.split, seed=experiment.seed)
    assert_disjoint(split)
    return split


def cut_windows(records: list[Prepared], experiment: Experiment, quality: Quality) -> Windows:
    """Windows that fill one image each: sequences of beats, or strips of a fixed length."""
    e = experiment
    if e.arrangement == "beat_rows":
        return beat_sequences(records, e.height, max(1, round(e.height * (1 - e.overlap))), quality)
    length = e.height * e.width * channels_of_lead(e.arrangement)
    longest = max(len(record.signal) for record in records)
    if length > longest:
        raise NoWindow(
            f"A window is longer than any record: an image of {e.image_shape_text} with "
            f"'{e.arrangement}' takes {length} samples.",
            expected=f"at most {longest} samples, {longest / e.fs:.1f} s at {e.fs:g} Hz",
            got=f"{length} samples, {length / e.fs:.1f} s",
            fix="take a smaller image, a higher fs or longer records",
        )
    return strips(records, length, max(1, round(length * (1 - e.overlap))), quality)


def compared(strips: Windows, experiment: Experiment) -> Windows:
    """The strips that measures compare: all, or with `even_persons` about as many of each person,
    lest the long records of a few be taken for what people are like."""
    return even(strips) if experiment.even_persons else strips


def seams_of(codec: Codec, windows: Windows):
    """Where the arrangement breaks in decoded windows, for `evaluation.waveform.seam_ratio`."""
    return codec.arrangement.seams(windows.rpeaks)


def _by_part(windows: Windows, split) -> dict[str, Windows]:
    present = set(np.unique(windows.subjects))
    missing = [part for part in ("train", "test") if not present.intersection(split[part])]
    if missing:
        raise InputError(
            f"The quality gate left no windows of the {' and '.join(missing)} subjects.",
            expected="at least one window", got="none",
            fix="look at the records, or relax the window length and the filters",
        )  # fmt: skip
    return {part: select_part(windows, split, part) for part in PARTS
            if present.intersection(split[part])}
