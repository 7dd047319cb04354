"""What is known about a public database beyond what its files say: persons, rates, quirks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ecg_tf.base.errors import InputError, closest

#: How a database identifies persons, see `Database.persons`.
PERSONS = ("record", "folder", "table", "unknown", "none")


@dataclass(frozen=True)
class Database:
    """What is known about a public database beyond what its files say.

    Args:
        name: str, its name here and of its folder.
        title: str.
        version: str, the published version meant.
        url: str, page that describes it.
        doi: str.
        license: str.
        citation: str, the authors' paper and PhysioNet's.
        n_records: int, number of published recordings.
        n_subjects: int, number of persons; 0 where it is not published.
        fs: float, Hz, that is read when no rate is given.
        lead: str, lead that is read when none is named; "" for all leads.
        persons: str, how persons are identified. "record": each record is a person, but for
            `same_subject`. "folder": each person has a folder. "table": a column of the first of
            `tables` says it. "unknown": a record is at best a person. "none": noise,
            no ECG of a person.
        paced: records with paced beats.
        leave_out_paced: bool, records with paced beats are left out and counted, default False.
        same_subject: record -> earlier record of the same person.
        lacking: lead -> records known not to have it; they are left out without a warning.
        damaged_starts: record -> number of samples at its start that carry no ECG.
        gain: float, counts a mV of all leads, where the headers' own gains are no calibration;
            0: the headers are right.
        tables: names of the tables beside the records, as `metadata.read_metadata` reads them.
        fold_column: str, column of the table with the published folds; "" without any.
        rates: Hz -> folder, where every recording is there at several rates.
        apart: beginnings of the names of records that are published with it and not meant.
        annotators: extensions of the annotation files, if they are not WFDB's usual ones.
        extensions: of the files of a record that are downloaded beside its annotations.
        path: str, its name on PhysioNet, default `name`.
        records_list: str, published file that lists the records, relative to its own folder.

    Example:
        >>> DATABASES["cinc2017"].persons_known
        False
    """

    name: str
    title: str
    version: str
    url: str
    doi: str
    license: str
    citation: str
    n_records: int
    n_subjects: int
    fs: float
    lead: str = ""
    persons: str = "record"
    paced: tuple[str, ...] = ()
    leave_out_paced: bool = False
    same_subject: Mapping[str, str] = field(default_factory=dict)
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    damaged_starts: Mapping[str, int] = field(default_factory=dict)
    gain: float = 0.0
    tables: tuple[str, ...] = ()
    fold_column: str = ""
    rates: Mapping[int, str] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ("atr",)
    extensions: tuple[str, ...] = ("hea", "dat")
    path: str = ""
    records_list: str = "RECORDS"

    def __post_init__(self):
        if self.persons not in PERSONS:
            raise InputError(f"The database '{self.name}' does not say how persons are identified.",
                             expected=f"persons: one of {', '.join(PERSONS)}",
                             got=repr(self.persons),
                             fix=closest(self.persons, PERSONS) or "choose one of these")

    @property
    def persons_known(self) -> bool:
        """Whether it is known which records are of one person."""
        return self.persons not in ("unknown", "none")

    @property
    def noise(self) -> bool:
        """Whether it holds noise and no ECG of a person."""
        return self.persons == "none"

    @property
    def persons_in_names(self) -> bool:
        """Whether a record's name says whose it is."""
        return self.persons in ("record", "folder")

    @property
    def leads(self) -> tuple[str, ...] | None:
        """Leads that are read when none is named, None for all."""
        return (self.lead,) if self.lead else None

    def subject(self, record: str) -> str:
        """Person a record belongs to, if its name says it.

        Args:
            record: str, name of the record, for instance "202" or "Person_01/rec_1".

        Returns:
            str, the person's name, unique over databases; "" where a name says nothing: a table
            knows it (`metadata.Info.subject`), or it is unknown.

        Example:
            >>> DATABASES["mitdb"].subject("202"), DATABASES["ludb"].subject("data/7")
            ('mitdb-201', 'ludb-7')
            >>> DATABASES["cinc2017"].subject("A00001")
            ''
        """
        if not self.persons_in_names:
            return ""
        parts = record.split("/")
        person = parts[0] if self.persons == "folder" else parts[-1]
        return f"{self.name}-{self.same_subject.get(person, person)}"

    def choose(self, records: Sequence[str], rate: float = 0.0) -> list[str]:
        """Of the records that are there, those that are meant, in their order, each recording at
        one rate (Hz; default `fs`); empty if there is none. InputError: the database has no such
        rate.

        Example:
            >>> DATABASES["ptbxl"].choose(["records100/00001_lr", "records500/00001_hr"], 500)
            ['records500/00001_hr']
        """
        records = [name for name in records if not name.startswith(self.apart)]
        if not self.rates:
            return records
        folder = self.rates[self.check_rate(rate)]
        others = tuple(other for other in self.rates.values() if other != folder)
        return [name for name in records if not name.startswith(others)]

    def check_rate(self, rate: float) -> int:
        """The published rate that is meant: `fs` for 0.

        Raises:
            InputError: it has not been published at this rate.
        """
        rate = rate or self.fs
        if rate not in (self.rates or (self.fs,)):
            raise InputError(
                f"The {self.title} is not published at {rate:g} Hz.",
                expected=" or ".join(f"{known:g} Hz" for known in self.rates or (self.fs,)),
                got=f"{rate:g} Hz",
                fix="choose one of these; records can be resampled after reading",
            )
        return int(rate)
