"""How well are real persons recognized, on the same date and on another, and their attributes?

No synthetic set here: this is what the attacker of `reidentification` can do on real strips, and so
the most it can find in synthetic ones. Needs records that name their date (`Record.session`), as
those of ECG-ID do.
"""

import numpy as np
import pandas as pd
from scipy.special import gammaln

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.attack_data import enrolment_and_probe
from ecg_tf.evaluation.descriptors import describe
from ecg_tf.evaluation.embedding import train_identifier
from ecg_tf.evaluation.person_statistics import mean_interval
from ecg_tf.evaluation.reidentification import GALLERIES
from ecg_tf.signals.windows import Windows

SAME, OTHER = "same date", "another date"
COLUMNS = ["value", "low", "high", "baseline", "persons", "n"]
NEIGHBOURS = 5  # neighbours whose majority or median predicts an attribute


def session_table(records, fs: float = 128.0, seconds: float = 5.0, galleries=GALLERIES,
                  seed: int = 0, cache: bool = True) -> pd.DataFrame:
    """Recognition over dates, and attributes of persons, each beside its baseline.

    Persons enrol with the first part of their first date. The network is probed with the later part
    of that date (its validity, 0.95 are required), and with all strips of other dates. In a gallery
    of g persons, the right one among them, the most alike is named.

    Args:
        records: list of Record; persons of several dates say it in `session`.
        fs: Hz.
        seconds: s, of a strip; records of ECG-ID last 20 s. Default 5.
        galleries: sizes g, default (10, 45, 89); those with too few persons are left out.
        cache: bool, keep the network.

    Returns:
        DataFrame; index "rank-1, same date", "rank-1, another date" (all known persons are the
        gallery), "gallery of g, ..." for each date and size, "sex" (share named rightly) and "age"
        (mean absolute error, years). Columns: value, its 95 % interval over persons, `baseline`
        (chance; the commoner sex or the median age of the others), `persons`, `n` strips.

    Raises:
        InputError: fewer than two persons.

    Example:
        >>> session_table(session_records("ecgiddb"))
    """
    from ecg_tf.signals.cutting import strips
    from ecg_tf.signals.preparation import Preparation

    windows = strips(Preparation(fs).clean(records), round(seconds * fs))
    date = first_dates(records)
    first = np.array([date[name] for name in windows.records])
    enrolment, probe = np.zeros((2, len(windows)), bool)
    rows = np.flatnonzero(first)
    enrolment[rows], probe[rows] = enrolment_and_probe(windows.take(rows))
    other = ~first & np.isin(windows.subjects, windows.subjects[enrolment])
    known = train_identifier(windows.take(enrolment), windows.take(probe), seed=seed, cache=cache)
    table, total = {}, len(known.persons)
    for name, part in ((SAME, probe), (OTHER, other)):
        if not part.any():
            continue
        who = windows.subjects[part]
        likeness = known.likeness(windows.signals[part], fs)
        own = likeness[np.arange(len(who)), np.searchsorted(known.persons, who)]
        better = (likeness >= own[:, None]).sum(1) - 1
        table[f"rank-1, {name}"] = _row(better == 0, who, 1 / total, seed)
        for size in galleries:
            if size <= total:
                table[f"gallery of {size}, {name}"] = _row(
                    success_in_gallery(better, total, size), who, 1 / size, seed)
    for name in ("sex", "age"):
        values = {record.subject: getattr(record, name) for record in records}
        if (row := attribute_of_persons(windows.take(enrolment), values, seed)) is not None:
            table[name] = row
    return pd.DataFrame.from_dict(table, orient="index", columns=COLUMNS).rename_axis("attack")


def session_records(database: str, data_dir: str = "", seed: int = 0):
    """Records of a database; simulated: 24 persons on two dates, 0.7 minutes each."""
    from ecg_tf.records import load

    return load(database, data_dir, subjects=24, sessions=2, minutes=0.7, seed=seed)


def first_dates(records) -> dict[str, bool]:
    """Record name -> whether it was made on its person's first date, the one of the first record
    (a date itself need not sort; numbers in names do)."""
    date: dict[str, str] = {}
    for record in sorted(records, key=lambda record: (len(record.name), record.name)):
        date.setdefault(record.subject, record.session)
    return {record.name: record.session == date[record.subject] for record in records}


def success_in_gallery(better, known: int, size: int) -> np.ndarray:
    """Chance that the right person is the most alike of a random gallery of `size`, the right one
    among them: (n,), C(known - 1 - better, size - 1) / C(known - 1, size - 1).

    `better`: (n,) int, how many of the other known persons are more alike than the right one.
    """
    left, rivals = known - 1 - np.asarray(better, float), size - 1
    if size < 2 or size > known:
        raise InputError("There is no such gallery.", expected=f"2 to {known} persons", got=size,
                         fix="take a smaller gallery, or more persons")
    out = np.zeros(len(left))
    there = left >= rivals
    out[there] = np.exp(_choose(left[there], rivals) - _choose(known - 1.0, rivals))
    return out


def attribute_of_persons(windows: Windows, values, seed: int = 0):
    """Is an attribute predicted by the nearest *other* persons, by description?

    `values`: subject -> text ("" unknown) or number (NaN unknown). A row of `session_table`, or
    None where fewer than ten persons have the attribute or all have the same.
    """
    persons = np.unique(windows.subjects)
    text = any(isinstance(value, str) for value in values.values())
    truth = np.array([values[str(who)] for who in persons], str if text else float)
    given = truth != "" if text else np.isfinite(truth)
    persons, truth = persons[given], truth[given]
    if len(persons) < 10 or len(np.unique(truth)) < 2:
        return None
    raw = describe(windows.signals, windows.fs)
    mean = np.stack([raw[windows.subjects == who].mean(0) for who in persons])
    mean = (mean - mean.mean(0)) / np.maximum(mean.std(0), 1e-6)
    distance = ((mean[:, None] - mean) ** 2).sum(2)
    np.fill_diagonal(distance, np.inf)
    near = truth[np.argsort(distance, axis=1)[:, :NEIGHBOURS]]
    others = [np.delete(truth, i) for i in range(len(truth))]
    guess, plain = (np.array([_common(some, text) for some in sets]) for sets in (near, others))
    score, chance = ((answer == truth).astype(float) if text else np.abs(answer - truth)
                     for answer in (guess, plain))
    return _row(score, persons, float(chance.mean()), seed)


def session_text(table: pd.DataFrame) -> pd.DataFrame:
    """`session_table` as text."""
    out = {}
    for name, row in table.iterrows():
        form = "{:.1f} years" if name == "age" else "{:.1%}"
        value, low, high, base = (form.format(row[column]) for column in COLUMNS[:4])
        out[name] = [value, f"{low} to {high}", base, int(row.persons), int(row.n)]
    return pd.DataFrame.from_dict(out, orient="index", columns=[
        "value", "95 % interval", "baseline", "persons", "n"]).rename_axis("attack")


def _common(values, text):
    if not text:
        return float(np.median(values))
    kinds, count = np.unique(values, return_counts=True)
    return kinds[count.argmax()]


def _row(values, subjects, baseline, seed):
    return (float(np.mean(values)), *mean_interval(values, subjects, seed), baseline,
            len(np.unique(subjects)), len(subjects))


def _choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
