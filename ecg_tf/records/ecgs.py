"""What `load` gives: records, how their persons are known, and what was left out and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Self

from ecg_tf.records.record import Record
from ecg_tf.records.splits import split_records

#: How persons may be known; of several sources the weakest that decided for any record is named.
KNOWN_BY = ("database", "metadata table", "header comments", "nothing")


@dataclass(frozen=True)
class LeftOut:
    """A record that was found and not read."""

    name: str  # of the record
    kind: str  # "damaged", "no ECG", "lead", "paced", "duplicate", "excluded" or "missing"
    reason: str  # one sentence


class ECGs(Sequence[Record]):
    """Records of persons in mV, in reading order: a sequence of `Record`.

    Args:
        signals: (record, time, lead) or (record, time), mV; or a sequence of (time, lead) or
            (time,), which may differ in length. float32 is not copied.
        fs: float, Hz, of all.
        leads: names of the leads. Default: "lead 0", "lead 1", ...
        subjects: (record,) names of the persons. Default: nobody knows, each record is one.
        sex: (record,) "male", "female" or "". Default: unknown.
        age: (record,) years. Default: unknown.
        labels: kind -> for each record a statement or several; or only the statements.
            Default: none.
        name: str, what the set is called; records are numbered: "arrays-2".

    Attributes:
        records: tuple of `Record`.
        subjects_known_by: str, one of `KNOWN_BY`. "nothing": each record counts as a person, and
            nobody knows whether that is so.
        left_out: `LeftOut`, records that were found and not read.
        warnings: sentences for whoever uses these records, none where all is well.

    Raises:
        InputError: arrays of another shape or type, or not one value a record.

    Example:
        >>> import numpy as np
        >>> ecgs = ECGs(np.zeros((3, 1000, 2)), fs=100, leads=("I", "II"), subjects=["a", "a", "b"])
        >>> len(ecgs), ecgs.subjects, ecgs[0].leads
        (3, ('a', 'b'), ('I', 'II'))
    """

    records: tuple[Record, ...]
    subjects_known_by: str
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]

    def __init__(self, signals, fs: float, leads: Sequence[str] = (), subjects=None, *, sex=None,
                 age=None, labels=None, name: str = "arrays"):
        from ecg_tf.records.formats.arrays import records_of_arrays

        self.records = tuple(
            records_of_arrays(signals, fs, leads, subjects, sex, age, labels, name))
        self.subjects_known_by = "nothing" if subjects is None else "metadata table"
        self.left_out = self.warnings = ()

    @classmethod
    def of_records(cls, records: Iterable[Record], subjects_known_by: str = "nothing",
                   left_out: Sequence[LeftOut] = (), warnings: Sequence[str] = ()) -> Self:
        """The ECGs of records; arguments as the attributes."""
        made = cls.__new__(cls)
        made.records, made.subjects_known_by = tuple(records), subjects_known_by
        made.left_out, made.warnings = tuple(left_out), tuple(warnings)
        return made

    def replaced(self, **changes) -> Self:
        """The same with other attributes, such as `records`."""
        made = copy(self)
        made.__dict__.update(changes)
        return made

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, index):
        """A record, or for a slice `ECGs` with what is known of all."""
        found = self.records[index]
        return self.replaced(records=found) if isinstance(index, slice) else found

    @property
    def subjects(self) -> tuple[str, ...]:
        """The persons, each once, sorted."""
        return tuple(sorted({record.subject for record in self.records}))

    def left_out_by_kind(self) -> dict[str, int]:
        """Kind -> number of records left out."""
        return dict(Counter(item.kind for item in self.left_out))

    def split(self, by: str = "random", folds: Mapping | None = None,
              seed: int = 0) -> tuple[Self, Self, Self]:
        """Training, validation and test records, each person in one of them only.

        Args:
            by: str, "random", "ds1ds2" (of MIT-BIH), or a column of the table beside the records,
                such as "strat_fold". Default "random".
            folds: part -> values of that column. Default: the last tests, the one before validates.
            seed: int, of "random". Default 0.

        Returns:
            train, validation, test.

        Raises:
            InputError: see `splits.split_records`.

        Example:
            >>> train, validation, test = load("ptbxl").split("strat_fold")
        """
        parts = split_records(self.records, by, folds, seed)
        train, validation, test = (
            self.replaced(records=tuple(record for record in self if record.subject in set(names)))
            for names in parts.values())
        return train, validation, test
