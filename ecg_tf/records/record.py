"""One ECG recording: signal in mV, sampling rate in Hz, person and beats."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ecg_tf.base.errors import InputError

_AAMI = {
    **dict.fromkeys("NLRBejn", "N"), **dict.fromkeys("AaJS", "S"), **dict.fromkeys("VEr", "V"),
    "F": "F", **dict.fromkeys("/fQ?", "Q"),
}
#: WFDB annotation codes that mark a beat; all others mark rhythm, noise, waves or comments.
BEAT_SYMBOLS = frozenset(_AAMI)


@dataclass(frozen=True)
class About:
    """What is known of a record beside its signal; travels with the windows cut from it.

    Args:
        sex: str, "male", "female" or "".
        age: float, years, NaN if not known.
        session: str, date or session id, "" if not known.
        labels: kind -> statements about the whole record, several may hold at once:
            {"superclass": ("NORM",), "rhythm": ("SR",), "scp": ("NORM", "SR")}.
        metadata: column -> text, what a table beside the records says of this one, such as
            {"strat_fold": "8"}: a split or an analysis may go by any column.
    """

    sex: str = ""
    age: float = math.nan
    session: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    def statements(self, kind: str) -> tuple[str, ...]:
        """Those of a kind such as "superclass", "rhythm" or "sex"; () where there is none."""
        if kind == "sex":
            return (self.sex,) if self.sex else ()
        return self.labels.get(kind, ())


@dataclass(frozen=True, eq=False)
class Record:
    """One ECG recording.

    Args:
        name: str, unique in its database, "100" or "Person_01/rec_1".
        database: str, "mitdb", "ecgiddb", "simulated", "sample", or the folder's name.
        subject: str, the person, "mitdb-201" for the records 201 and 202 alike.
        signal: (time, lead) float32, mV; invalid samples are NaN.
        fs: float, Hz.
        leads: names of the leads.
        beats: (beat,) int64, sample positions of the annotated beats; may be empty.
        symbols: (beat,) str, WFDB beat symbols ("N", "V", "A", ...).
        session, sex, age, labels, metadata: as in `About`.
        paced: bool, True if a pacemaker makes (some of) its beats.
        notes: what could not be verified or had to be assumed in reading it, sentences.
        source: what it was made from: name of file -> SHA-256, or the simulation's options.
    """

    name: str
    database: str
    subject: str
    signal: np.ndarray
    fs: float
    leads: tuple[str, ...]
    beats: np.ndarray
    symbols: np.ndarray
    session: str = ""
    sex: str = ""
    age: float = math.nan
    paced: bool = False
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    source: Mapping = field(default_factory=dict, repr=False)

    def __post_init__(self):
        if self.signal.ndim != 2 or self.signal.shape[1] != len(self.leads):
            raise InputError(f"Record '{self.name}' has a signal that does not fit its leads.",
                             expected=f"shape (time, {len(self.leads)})", got=self.signal.shape)
        if len(self.beats) != len(self.symbols):
            raise InputError(f"Record '{self.name}' has {len(self.beats)} beats.",
                             expected="as many symbols", got=len(self.symbols))

    @property
    def about(self) -> About:
        """What is known of it beside its signal."""
        return About(self.sex, self.age, self.session, self.labels, self.metadata)

    def aami(self) -> np.ndarray:
        """Classes of the beats after ANSI/AAMI EC57, (beat,) str, each N, S, V, F or Q.

        Escape beats (e, j, n) count as N, as in de Chazal et al. 2004,
        doi:10.1109/TBME.2004.827359.
        """
        return np.array([_AAMI.get(symbol, "Q") for symbol in self.symbols], "<U1")


def same_rate_and_leads(records) -> None:
    """Refuses, by an InputError, records that cannot lie side by side in one array: none, or two
    that differ in sampling rate or leads, which are named."""
    if not records:
        raise InputError("There are no records.", expected="one or more", got="none",
                         fix="look at what the folder holds, or at what was left out before")
    first = records[0]
    for other in records:
        both = f"'{first.name}' ({first.database}) has {{}}, '{other.name}' ({other.database}) {{}}"
        if other.fs != first.fs:
            raise InputError("The records have different sampling rates.", expected="one rate",
                             got=both.format(f"{first.fs:g} Hz", f"{other.fs:g} Hz"),
                             fix="resample all to one rate: prepare(record, fs=128.0)")
        if tuple(other.leads) != tuple(first.leads):
            shared = [n for n in first.leads if all(n in record.leads for record in records)]
            raise InputError(
                "The records have different leads.", expected="the same leads in the same order",
                got=both.format(" + ".join(first.leads), " + ".join(other.leads)),
                fix=f"choose leads that all have, leads={shared}, when reading them" if shared
                else "choose leads when reading, or leave out the records without them")
