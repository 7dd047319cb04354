"""How far can real persons be recognized, on the same date and on another, and what tells an ECG?

No synthetic set here: this is what the attacker of `reidentification` can do on real strips, and so
the most it can find in synthetic ones. Needs records that name their date (`Record.session`), as
those of ECG-ID do.
"""

import numpy as np
import pandas as pd
from scipy.special import gammaln

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.descriptors import describe
from ecg_tf.evaluation.embedding import train_identifier
from ecg_tf.evaluation.reidentification import GALLERIES
from ecg_tf.evaluation.resampling import bootstrap, percentiles
from ecg_tf.evaluation.roles import in_time

SAME, OTHER = "same date", "another date"
COLUMNS = ["value", "low", "high", "baseline", "persons", "n"]


def session_table(records, fs: float = 128.0, seconds: float = 5.0, galleries=GALLERIES,
                  beats_per_person: int = 250, seed: int = 0, cache: bool = True) -> pd.DataFrame:
    """Recognition over dates, and attributes of persons, each beside its baseline.

    The network learns the early part of everybody's first date. It is asked for the later part of
    that date (its validity, 0.95 are required), and for all strips of other dates. The intruder
    knows g persons, the right one among them, and names the most alike.

    Args:
        records: list of Record; persons of several dates say it in `session`.
        fs: Hz.
        seconds: s, of a strip; records of ECG-ID last 20 s. Default 5.
        galleries: sizes g, default (10, 45, 89); those with too few persons are left out.
        beats_per_person: see `train_identifier`.
        seed: int.
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
    early, late = np.zeros((2, len(windows)), bool)
    rows = np.flatnonzero(first)
    early[rows], late[rows] = in_time(windows.take(rows))
    other = ~first & np.isin(windows.subjects, windows.subjects[early])
    known = train_identifier(windows.signals[early], windows.subjects[early],
                             windows.signals[late], windows.subjects[late], fs,
                             beats_per_person=beats_per_person, seed=seed, cache=cache)
    table, total = {}, len(known.persons)
    for name, part in ((SAME, late), (OTHER, other)):
        if not part.any():
            continue
        who = windows.subjects[part]
        better = _rivals(known.embed(windows.signals[part], fs) @ known.templates.T,
                         np.searchsorted(known.persons, who))
        table[f"rank-1, {name}"] = _row(better == 0, who, 1 / total, seed)
        for size in galleries:
            if size <= total:
                table[f"gallery of {size}, {name}"] = _row(
                    success_in_gallery(better, total, size), who, 1 / size, seed)
    for name in ("sex", "age"):
        values = {one.subject: getattr(one, name) for one in records}
        if (row := attribute_of_persons(windows.signals[early], windows.subjects[early], values,
                                        fs, seed)) is not None:
            table[name] = row
    return pd.DataFrame.from_dict(table, orient="index", columns=COLUMNS).rename_axis("attack")


def session_records(database: str, data_dir: str = "", seed: int = 0):
    """Records of a database; simulated: 24 persons on two dates, 0.7 minutes each."""
    from ecg_tf.records import load

    return load(database, data_dir, subjects=24, sessions=2, minutes=0.7, seed=seed)


def first_dates(records) -> dict[str, bool]:
    """Record name -> whether it was made on its person's first date, the one of the first record
    (a date itself need not sort; numbers in names do)."""
    by = sorted(records, key=lambda one: (len(one.name), one.name))
    date = {}
    for one in by:
        date.setdefault(one.subject, one.session)
    return {one.name: one.session == date[one.subject] for one in records}


def success_in_gallery(better, known: int, size: int) -> np.ndarray:
    """Chance that the right person is the most alike of a gallery drawn by chance.

    Args:
        better: (n,) int, how many of the other known persons are more alike than the right one.
        known: persons, the right one among them.
        size: persons in the gallery, the right one among them.

    Returns:
        (n,), C(known - 1 - better, size - 1) / C(known - 1, size - 1).
    """
    left, rivals = known - 1 - np.asarray(better, float), size - 1
    if size < 2 or size > known:
        raise InputError("There is no such gallery.", expected=f"2 to {known} persons", got=size,
                         fix="take a smaller gallery, or more persons")
    out = np.zeros(len(left))
    there = left >= rivals
    out[there] = np.exp(_choose(left[there], rivals) - _choose(known - 1.0, rivals))
    return out


def attribute_of_persons(strips, subjects, values, fs: float, seed: int = 0, neighbours: int = 5):
    """Is an attribute read off the nearest *other* persons, by description?

    Args:
        strips: (n, time, lead) mV.
        subjects: (n,).
        values: subject -> text ("" unknown) or number (NaN unknown).
        fs: Hz.
        seed: int.
        neighbours: persons whose majority or median is taken, default 5.

    Returns:
        A row of `session_table`, or None where fewer than ten persons have the attribute or all
        have the same.
    """
    persons = np.unique(subjects)
    text = any(isinstance(one, str) for one in values.values())
    truth = np.array([values[str(who)] for who in persons], str if text else float)
    given = truth != "" if text else np.isfinite(truth)
    persons, truth = persons[given], truth[given]
    if len(persons) < 10 or len(np.unique(truth)) < 2:
        return None
    raw = describe(strips, fs)
    mean = np.stack([raw[subjects == who].mean(0) for who in persons])
    mean = (mean - mean.mean(0)) / np.maximum(mean.std(0), 1e-6)
    distance = ((mean[:, None] - mean) ** 2).sum(2)
    np.fill_diagonal(distance, np.inf)
    near = np.argsort(distance, axis=1)[:, :neighbours]
    others = [np.delete(truth, one) for one in range(len(truth))]
    guess, plain = ([_common(some, text) for some in sets] for sets in (truth[near], others))
    gain = [(np.array(told) == truth).astype(float) if text else np.abs(np.array(told) - truth)
            for told in (guess, plain)]
    return _row(gain[0], persons, float(gain[1].mean()), seed)


def session_text(table: pd.DataFrame) -> pd.DataFrame:
    """`session_table` as text."""
    out = {}
    for name, row in table.iterrows():
        form = "{:.1f} years" if name == "age" else "{:.1%}"
        value, low, high, base = (form.format(row[one]) for one in COLUMNS[:4])
        out[name] = [value, f"{low} to {high}", base, int(row.persons), int(row.n)]
    return pd.DataFrame.from_dict(out, orient="index", columns=[
        "value", "95 % interval", "baseline", "persons", "n"]).rename_axis("attack")


def _rivals(likeness, right):
    """(n,) how many other persons are at least as alike as the right one."""
    own = np.take_along_axis(likeness, right[:, None], axis=1)
    return (likeness >= own).sum(1) - 1


def _common(values, text):
    if not text:
        return float(np.median(values))
    kinds, count = np.unique(values, return_counts=True)
    return kinds[count.argmax()]


def _row(values, subjects, baseline, seed, draws=500):
    """Mean over strips, with its bootstrap interval over persons."""
    persons, who = np.unique(subjects, return_inverse=True)
    total, count = np.bincount(who, np.asarray(values, float)), np.bincount(who)
    low, high = percentiles(bootstrap(lambda rows: total[rows].sum() / count[rows].sum(),
                                      [len(persons)], draws, seed))
    return (float(np.mean(values)), low, high, baseline, len(persons), len(who))


def _choose(n, k):
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
