"""From an experiment to its windows and codec: all that happens before a GAN is built."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ecg_tf.config.experiment import AUTOMATIC, Experiment
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.codec import Codec
from ecg_tf.images.fitting import fit_to_records
from ecg_tf.records import ECGs, LeftOut, Record, database_names, load, provenance
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.common_leads import same_leads
from ecg_tf.records.persons import unknown_persons
from ecg_tf.records.splits import split_records
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.plausibility import in_words, look_at
from ecg_tf.signals.preparation import Preparation, by_part
from ecg_tf.signals.quality import Prepared, Quality
from ecg_tf.signals.rpeaks import rpeaks_of
from ecg_tf.signals.selection import balance
from ecg_tf.signals.windows import Windows
from ecg_tf.training.conditions import Conditions


@dataclass(frozen=True)
class Data:
    """What an experiment works on.

    Args:
        split: "train", "validation", "test" -> names of subjects; no person is in two of them.
        windows: part -> `Windows` as the codec takes them; the GAN sees those of "train" only.
        strips: part -> `Windows` of `strip_seconds`, cut from the records whatever the
            arrangement is, so that all experiments are evaluated on the same real ECGs.
        codec: fitted on windows["train"].
        provenance: database, license, citation, numbers and checksum.
        quality: kind of window -> what the quality gate kept and dropped.
        attributes: "sex", "age" -> subject -> what is known of them, where they differ.
        stored: all training windows, memory-mapped, if they do not lie in memory: then windows
            and strips are samples. Default None.
        fitted: setting -> value, of `experiment.AUTOMATIC`: what was left to the records.
        warnings: sentences about who is who and what was left out, for terminal, report and card.
        left_out: records that were found and not read, each with kind and reason.
        source: `source_digest` of what was read.
        conditions: fitted on the training windows, if the experiment has `labels`. Default None.
    """

    split: dict[str, list[str]]
    windows: dict[str, Windows]
    strips: dict[str, Windows]
    codec: Codec
    provenance: dict
    quality: dict[str, Quality] = field(default_factory=dict)
    attributes: dict[str, dict] = field(default_factory=dict)
    stored: Windows | None = None
    fitted: dict = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    source: str = ""
    conditions: Conditions | None = None

    @property
    def training(self) -> Windows:
        """All training windows, in memory or in files."""
        return self.windows["train"] if self.stored is None else self.stored

    @property
    def unknown_persons(self) -> tuple[str, ...]:
        """Those of the warnings that say that persons are unknown."""
        return unknown_persons(self.warnings)

    def settled(self, experiment: Experiment) -> Experiment:
        """The experiment with what it left to the records (`arrangement: auto`) as it came out."""
        return experiment.settled(self.fitted)


def prepare_data(experiment: Experiment) -> Data:
    """Reads, filters, cuts and splits by subject, and fits the codec on the training subjects.

    Raises:
        InputError: no such data, nothing usable in them, or a setting that cannot fit them.

    Example:
        >>> data = prepare_data(Experiment(subjects=6, minutes=2))
        >>> images = data.codec.encode(data.windows["train"])
    """
    if experiment.stored:
        from ecg_tf.training.stored import read_stored

        return read_stored(experiment)
    ecgs = read_records(experiment)
    split = split_of(ecgs, experiment)
    raw = in_split(ecgs, split)
    e = fit_to_records(experiment, raw)
    prepared = Preparation.of(e).clean(raw, Quality())
    quality = {"training windows": Quality(), f"{e.strip_seconds:g} s strips": Quality()}
    odd = look_at(raw, rpeaks_in(raw, prepared), quality["training windows"])
    windows, cut = (by_part(made, split) for made in (
        cut_windows(prepared, e, quality["training windows"]),
        strips(prepared, round(e.strip_seconds * e.fs), quality=list(quality.values())[1]),
    ))
    conditions = conditions_of(windows["train"], e)
    return Data(split, windows, cut, codec_of(windows["train"], e, Preparation.of(e)),
                provenance(ecgs), quality,
                attributes_of(ecgs), fitted=fitted_of(e),
                warnings=(*ecgs.warnings, *in_words(odd, len(raw)),
                          *(conditions.warnings if conditions else ())),
                left_out=ecgs.left_out, source=source_digest(experiment, ecgs),
                conditions=conditions)


def read_records(experiment: Experiment, **simulation) -> ECGs:
    """The experiment's records, all with the same leads; warnings are for the caller to show.

    Where the leads are not named and records differ in them, those that all have; InputError where
    there is none, and as `load`. `simulation`: further options of `simulate.simulate_cohort`.
    """
    e, own = experiment, {}
    if "simulated" in database_names(e.database):
        own = {"subjects": e.subjects, "minutes": e.minutes, "seed": e.seed, **simulation}
    ecgs = load(e.database, e.data_dir, list(e.leads) or None, list(e.records) or None,
                exclude=e.exclude, metadata=e.metadata, columns=e.metadata_columns, rate=e.rate,
                strict=e.strict, warn=False, **own)
    return ecgs if e.leads else same_leads(ecgs)


def source_digest(experiment: Experiment, records: Sequence[Record] | None = None) -> str:
    """Identifies an experiment's records (read now unless given) and their persons, or its stored
    windows; "" for simulated records, which settings and code make."""
    if experiment.stored:
        facts = [sha256_of(file) for file in sorted(Path(experiment.stored).glob("*.json"))]
    elif experiment.database == "simulated":
        return ""
    else:
        records = read_records(experiment) if records is None else records
        facts = [provenance(records)["sha256"], *(
            [record.name, record.subject, record.session, record.sex, str(record.age),
             *([dict(record.labels)] if experiment.labels else [])] for record in records)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def rpeaks_in(raw: Sequence[Record], prepared: Sequence[Prepared]) -> dict[str, np.ndarray]:
    """Name of a record -> R peaks, found in the prepared one, as samples of the raw one."""
    return {record.name: np.rint(rpeaks_of(ready)[0] * (record.fs / ready.fs)).astype(np.int64)
            for record, ready in zip(raw, prepared, strict=True)}


def in_split(ecgs: Iterable[Record], split: Mapping[str, Sequence[str]]) -> list[Record]:
    """The records of subjects who are in a part."""
    taken = {name for names in split.values() for name in names}
    return [record for record in ecgs if record.subject in taken]


def fitted_of(experiment: Experiment) -> dict:
    """The settings that may be left to the records, as they came out."""
    return {name: getattr(experiment, name) for name in AUTOMATIC}


def attributes_of(records: Iterable[Record]) -> dict[str, dict]:
    """"sex", "age" -> subject -> value, where not all say the same."""
    records = list(records)
    values: dict[str, dict] = {"sex": {r.subject: r.sex for r in records if r.sex},
                               "age": {r.subject: r.age for r in records if np.isfinite(r.age)}}
    return {name: of for name, of in values.items() if len(set(of.values())) > 1}


def conditions_of(windows: Windows, experiment: Experiment) -> Conditions | None:
    """The experiment's labels, fitted on windows of the training subjects; None without any."""
    return Conditions.of(windows, experiment.labels) if experiment.labels else None


def codec_of(windows: Windows, experiment: Experiment, preparation=None) -> Codec:
    """The experiment's codec, fitted on windows of the training subjects that were prepared so."""
    e = experiment
    fit: dict = {"fit": e.fit} if "fit" in ARRANGEMENTS[e.arrangement].options else {}
    return Codec(e.arrangement, scaling=e.scaling, height=e.height, width=e.width,
                 quantiles=e.quantiles, limits_mv=e.limits_mv, knee_mv=e.knee_mv,
                 quantization=e.quantization, preparation=preparation, **fit).fit(windows)


def split_of(records: Iterable[Record], experiment: Experiment, **options) -> dict[str, list[str]]:
    """The experiment's split by subject; `options` as of `splits.split_records`."""
    e = experiment
    return split_records(records, e.split, e.folds, e.seed, **options)


def cut_windows(records: list[Prepared], experiment: Experiment, quality: Quality) -> Windows:
    """Windows that fill one image each: sequences of beats, whole strips, or any fixed length, as
    an experiment of `fit_to_records` has them; `quality` logs what is kept and dropped."""
    e = experiment
    return ARRANGEMENTS[e.arrangement].cut(records, e.height, e.width, e.window_seconds, e.overlap,
                                           quality)


def evaluation_strips(strips: Windows, experiment: Experiment) -> Windows:
    """The strips that measures compare: all, or with `even_subjects` about as many of each person,
    lest the long records of a few be mistaken for what people are like."""
    return balance(strips) if experiment.even_subjects else strips


def seams_of(codec: Codec, windows: Windows):
    """Where the arrangement breaks in decoded windows, for `evaluation.waveform.seam_ratio`."""
    return codec.arrangement.seams(windows.rpeaks)
