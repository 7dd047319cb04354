"""What `load` gives: records, how their persons are known, and what was left out and why."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ecg_tf.records.record import Record
from ecg_tf.records.splits import split_records

#: How persons may be known; of several sources the weakest that decided for any record is named.
KNOWN_BY = ("database", "metadata table", "header comments", "nothing")


@dataclass(frozen=True)
class LeftOut:
    """A record that was found and not read.

    Args:
        name: str, of the record.
        kind: str, "damaged", "no ECG", "lead", "paced", "duplicate", "excluded" or "missing".
        reason: str, one sentence.
    """

    name: str
    kind: str
    reason: str


@dataclass(frozen=True, eq=False)
class ECGs(Sequence[Record]):
    """Records in reading order, a sequence of `Record`.

    Args:
        records: the records.
        subjects_known_by: str, one of `KNOWN_BY`. "nothing": each record counts as a person, and
            it is not known whether that is so.
        left_out: the records that were found and not read.
        warnings: sentences for whoever uses these records, none where all is well.

    Example:
        >>> ecgs = load("ptbxl")
        >>> len(ecgs), ecgs.subjects_known_by, [item.name for item in ecgs.left_out][:2]
    """

    records: tuple[Record, ...]
    subjects_known_by: str = "nothing"
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, index):
        """A record, or for a slice `ECGs` with what is known of all."""
        if isinstance(index, slice):
            return replace(self, records=self.records[index])
        return self.records[index]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The persons, each once, sorted."""
        return tuple(sorted({record.subject for record in self.records}))

    def left_out_by_kind(self) -> dict[str, int]:
        """Kind -> number of records left out."""
        return dict(Counter(item.kind for item in self.left_out))

    def split(self, by: str = "random", folds: Mapping | None = None,
              seed: int = 0) -> "tuple[ECGs, ECGs, ECGs]":
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
        parts = split_records(self.records, by, folds, seed).values()
        return tuple(  # type: ignore[return-value]  # there are three parts
            replace(self, records=tuple(r for r in self.records if r.subject in names))
            for names in map(set, parts))

    @classmethod
    def from_arrays(cls, signals, fs: float, leads: Sequence[str] = (), subjects=None, *,
                    sex=None, age=None, labels=None, name: str = "arrays") -> "ECGs":
        """Records of arrays that are in memory.

        Args:
            signals: (record, time, lead) or (record, time), mV; or a sequence of (time, lead) or
                (time,), which may differ in length. float32 is not copied.
            fs: float, Hz, of all.
            leads: names of the leads. Default: "lead 0", "lead 1", ...
            subjects: (record,) names of the persons. Default: unknown, each record is one.
            sex: (record,) "male", "female" or "". Default: unknown.
            age: (record,) years. Default: unknown.
            labels: kind -> for each record a statement or several; or only the statements.
                Default: none.
            name: str, what the set is called; records are numbered: "arrays-2".

        Returns:
            ECGs, without beats.

        Raises:
            InputError: arrays of another shape or type, or not one value a record.

        Example:
            >>> ECGs.from_arrays(np.zeros((3, 1000, 2)), fs=100, leads=("I", "II"))[0].leads
            ('I', 'II')
        """
        from ecg_tf.records.formats.arrays import records_of_arrays

        records = records_of_arrays(signals, fs, leads, subjects, sex, age, labels, name)
        return cls(tuple(records), "nothing" if subjects is None else "metadata table")
