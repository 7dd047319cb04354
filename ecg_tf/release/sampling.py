"""Record i of a seed: sampled from a run's generator in blocks, the same however many are wanted.

The latent vector of record i comes from (seed, i) alone. Blocks are always computed whole, also
where fewer records of one are wanted, so that a record has the same neighbours in every batch and
comes out the same to the last bit; a longer export continues where a shorter one ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecg_tf.base.checks import number
from ecg_tf.base.errors import InputError
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.records import About, Record
from ecg_tf.signals.filtering import low_pass
from ecg_tf.signals.rpeaks import find_rpeaks
from ecg_tf.signals.windows import Windows
from ecg_tf.study.results import Result
from ecg_tf.training.conditions import Conditions

BLOCK = 64  # records at once
_ATTEMPTS = 20  # samples of a record that came out too short
#: A beat of unknown class: it was not classified, so it is not called normal.
SYMBOL = "Q"


@dataclass(frozen=True)
class Block:
    """Consecutive records."""

    records: list[Record]  # named synthetic-000001, ...
    retried: np.ndarray  # (record,) int, how often each was regenerated because it was too short


class Sampler:
    """Samples the records of one seed.

    Args:
        run: `Result`.
        seed: int.
        seconds: s, all records are cut to the middle of their window, this long; those whose
            window is shorter are regenerated. Default 0: whole windows.
        labels: kind -> statement that all records are to have, such as {"sex": "female"}, of a
            generator that was trained with labels. Default: as frequent as in training.

    Raises:
        InputError: a length that no window has, labels that the generator does not know, or a
            generator that does not fit the codec.

    Example:
        >>> Sampler(read_result("runs/quickstart"), seed=1).block(0).records[0].name
        'synthetic-000001'
    """

    def __init__(self, run: Result, seed: int, seconds: float = 0.0,
                 labels: Mapping[str, str] | None = None):
        with quiet_startup():
            import keras

            import ecg_tf.models  # noqa: F401 - its layers have to be known to keras

            generator = keras.saving.load_model(run.folder / "generator.keras", compile=False)
        self.run, self.seed, self.seconds = run, seed, number(seconds, "seconds", 0.0, 1e6)
        self.conditions = wanted_of(run.conditions, labels)
        given = [tuple(each.shape[1:]) for each in generator.inputs]
        expected = [(given[0][0],), *([(len(self.conditions),)] if self.conditions else [])]
        shape = tuple(generator.output_shape[1:])
        if given != expected or shape != run.codec.image_shape:
            raise InputError("The run's generator and codec do not fit.", expected=f"{expected} to "
                             f"images {run.codec.image_shape}", got=f"{given} to {shape}",
                             fix="run the experiment again")
        longest = (run.codec.window_length or 0) / run.codec.fs  # 0: it varies with the rhythm
        if longest and seconds > longest:
            raise InputError("The records cannot be so long.", got=f"{seconds:g} s",
                             expected=f"at most {longest:.4g} s, as long as the run's windows",
                             fix="give a smaller --seconds")
        self.generator, self.latent_dim = generator, given[0][0]

    def block(self, index: int) -> Block:
        """Block `index` of the records, BLOCK of them from number index * BLOCK on.

        Raises:
            InputError: windows stay too short for `seconds`.
        """
        length = round(self.seconds * self.run.codec.fs)
        records: list[Record | None] = [None] * BLOCK
        retried, longest = np.zeros(BLOCK, int), 0
        for attempt in range(_ATTEMPTS):
            windows = self._windows(index, attempt)
            longest = max(longest, int(windows.lengths.max()))
            for place in range(BLOCK):
                if records[place] is None and windows.lengths[place] >= length:
                    records[place] = record_of(windows, place,
                                               name_of(index * BLOCK + place), length)
                    retried[place] = attempt
            if all(record is not None for record in records):
                return Block([record for record in records if record is not None], retried)
        raise InputError(
            f"{records.count(None)} of {BLOCK} records stayed shorter than {self.seconds:g} s.",
            expected="windows as long as --seconds", got=f"windows of up to "
            f"{longest / self.run.codec.fs:.1f} s, most of them shorter",
            fix="give a smaller --seconds")

    def _windows(self, index: int, attempt: int) -> Windows:
        latents = np.stack([
            np.random.default_rng([self.seed, number, attempt]).standard_normal(self.latent_dim)
            for number in range(index * BLOCK, (index + 1) * BLOCK)])
        inputs, about = latents.astype(np.float32), {}
        names = [name_of(index * BLOCK + place) for place in range(BLOCK)]
        if self.conditions is not None:  # also of record i, whatever the attempt
            rows = self.conditions.draw(BLOCK, self.seed, start=index * BLOCK)
            inputs = [inputs, rows]
            about = dict(zip(names, self.conditions.describe(rows), strict=True))
        images = self.generator.predict_on_batch(inputs)
        windows = self.run.codec.decode(np.asarray(images, np.float32))
        windows = replace(windows, records=np.array(names), about=about)
        # Decoded ECGs pass the low-pass of the real ones, as those that were evaluated did.
        return low_pass(windows, self.run.experiment.band_high)


def record_of(windows: Windows, place: int, name: str, length: int = 0) -> Record:
    """One decoded window as a record, or its middle of `length` samples; beats at its R peaks."""
    whole = int(windows.lengths[place])
    first = (whole - length) // 2 if length else 0
    last = first + (length or whole)
    if windows.rpeaks is None:
        rpeaks = find_rpeaks(windows.signals[place, :whole], windows.fs)
    else:  # the rhythm is in the image itself
        rpeaks = windows.rpeaks[place]
        rpeaks = np.rint(rpeaks[np.isfinite(rpeaks)]).astype(np.int64)
    rpeaks = rpeaks[(rpeaks >= first) & (rpeaks < last)] - first
    known = windows.about.get(str(windows.records[place]), About())
    return Record(name, "synthetic", name, windows.signals[place, first:last].copy(),
                  windows.fs, windows.leads, rpeaks, np.full(len(rpeaks), SYMBOL),
                  sex=known.sex, age=known.age, labels=known.labels)


def wanted_of(conditions: Conditions | None, labels: Mapping[str, str] | None):
    """Conditions that generate only records with these statements, all if there are none.

    Raises:
        InputError: the generator was trained without labels, or knows no such ones.
    """
    if not labels:
        return conditions
    if conditions is None:
        raise InputError("The generator was trained without labels.", expected="no labels",
                         got=dict(labels), fix="train an experiment that names labels")
    return conditions.only(labels)


def name_of(index: int) -> str:
    """Name of record `index`, counted from 0: "synthetic-000001" is the first."""
    return f"synthetic-{index + 1:06d}"
