"""Each part of a split: persons, records, sex, age and labels, as one table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ecg_tf.records.record import About
from ecg_tf.signals.windows import Windows

MOST_LABELS = 8  # rows of a kind of statement, the most frequent ones


def people_table(strips: Mapping[str, Windows]) -> pd.DataFrame:
    """Persons, records, sex, age and statements of each part, so that a skewed split is seen.

    Of part -> `Windows`: a DataFrame of text, a row each for persons, records, share of women, age
    and the most frequent statements (records of which they hold), a column a part. Rows of which
    nothing is known are left out.

    Example:
        >>> people_table(data.strips).loc["persons", "train"]
        '1,360'
    """
    of = {part: _records(windows) for part, windows in strips.items()}
    rows = {
        "persons": {part: f"{len(np.unique(windows.subjects)):,}"
                    for part, windows in strips.items()},
        "records": {part: f"{len(abouts):,}" for part, abouts in of.items()},
        "women": {part: _women(abouts) for part, abouts in of.items()},
        "age, median (5 to 95 %)": {part: _ages(abouts) for part, abouts in of.items()},
    }
    for kind, names in _frequent(of).items():
        for name in names:
            rows[f"{kind}: {name}"] = {
                part: f"{sum(name in person.labels.get(kind, ()) for person in abouts):,}"
                for part, abouts in of.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("")
    return table[(table != "").any(axis=1)]


def _records(windows: Windows) -> list[About]:
    unknown = About()
    return [windows.about.get(str(name), unknown) for name in np.unique(windows.records)]


def _women(abouts: list[About]) -> str:
    known = [person.sex for person in abouts if person.sex]
    return f"{100 * np.mean([sex == 'female' for sex in known]):.0f} %" if known else ""


def _ages(abouts: list[About]) -> str:
    ages = np.array([person.age for person in abouts], float)
    ages = ages[np.isfinite(ages)]
    if not len(ages):
        return ""
    low, middle, high = np.quantile(ages, (0.05, 0.5, 0.95))
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


def _frequent(of: Mapping[str, list[About]]) -> dict[str, list[str]]:
    """Kind -> its most frequent statements over all parts."""
    counts: dict[str, dict[str, int]] = {}
    for abouts in of.values():
        for person in abouts:
            for kind, names in person.labels.items():
                for name in names:
                    of_kind = counts.setdefault(kind, {})
                    of_kind[name] = of_kind.get(name, 0) + 1
    return {kind: sorted(names, key=lambda n: (-names[n], n))[:MOST_LABELS]
            for kind, names in sorted(counts.items())}
