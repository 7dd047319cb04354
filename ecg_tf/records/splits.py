"""Splits into training, validation and test by subject: no subject is in two parts."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ecg_tf.base.checks import choice, number
from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.databases import DS1, DS2
from ecg_tf.records.record import Record

#: The parts of a split, in this order.
PARTS = ("train", "validation", "test")
#: Splits that need no column.
SCHEMES = ("random", "ds1ds2")
FRACTIONS = (0.6, 0.15, 0.25)


def split_records(records: Iterable[Record], by: str = "random", folds: Mapping | None = None,
                  seed: int = 0, fractions: Sequence[float] = FRACTIONS,
                  validation: int = 4) -> dict[str, list[str]]:
    """Assigns every person to one part, by a scheme or by a column of the table beside the records.

    `by`: one of `SCHEMES` (see `split_by_subject`; under "ds1ds2" paced records take no part), or a
    column (see `split_by_column`), of which `folds` are the values of each part. Gives part ->
    names of subjects, sorted; disjoint. InputError: an unknown column, too few subjects, or folds
    that do not fit.

    Example:
        >>> split_records(load("mitdb"), "ds1ds2")["test"]
    """
    if by in SCHEMES:
        chosen = [record for record in records if not (by == "ds1ds2" and record.paced)]
        split = split_by_subject(chosen, by, fractions, seed, validation)
    else:
        split = split_by_column(records, by, folds)
    assert_disjoint(split)
    return split


def split_by_subject(records_or_subjects: Iterable, scheme: str = "random",
                     fractions: Sequence[float] = FRACTIONS, seed: int = 0,
                     validation: int = 4) -> dict[str, list[str]]:
    """Assigns every person, with all records, to one part only.

    "ds1ds2" is the split of MIT-BIH by de Chazal et al. (2004), doi:10.1109/TBME.2004.827359: DS2
    tests, DS1 without the validation subjects trains, paced records take no part. The records 201
    (DS1) and 202 (DS2) are one person, who is kept for the test. Persons of other databases read
    beside MIT-BIH join the training: validation and test stay what they are without them.

    Args:
        records_or_subjects: records, or names of subjects; repetitions do not matter.
        scheme: "random" or "ds1ds2".
        fractions: shares of "random" for train, validation and test, with sum 1. A share above 0
            gets at least one subject.
        seed: the same subjects and seed give the same split.
        validation: subjects of DS1 that validate under "ds1ds2".

    Returns:
        {"train": [...], "validation": [...], "test": [...]}, names of subjects, sorted.

    Raises:
        InputError: unknown scheme, fractions that are no shares, or too few subjects.

    Example:
        >>> split_by_subject(["a", "b", "c", "d", "e"], fractions=(0.6, 0.2, 0.2), seed=1)
        {'train': ['a', 'b', 'e'], 'validation': ['c'], 'test': ['d']}
    """
    choice(scheme, "scheme", SCHEMES)
    names = sorted({str(getattr(item, "subject", item)) for item in records_or_subjects})
    rng = np.random.default_rng(seed)
    if scheme == "ds1ds2":
        parts = _ds1ds2_parts(names, validation, rng)
    else:
        parts = _random_parts(names, fractions, rng)
    return {part: sorted(map(str, who)) for part, who in zip(PARTS, parts, strict=True)}


def split_by_column(records: Iterable[Record], column: str,
                    folds: Mapping[str, Sequence[str]] | None = None) -> dict[str, list[str]]:
    """Assigns every person to the part that a column of the table beside the records says.

    Args:
        records: with `metadata`; those without a value in the column take no part.
        column: such as "strat_fold" of PTB-XL.
        folds: part -> values of the column. Default: the last value (numbers by size) is for the
            test, the one before it for validation, all others for training.

    Raises:
        InputError: no record has the column (those it has are named), a value that no record has,
            or a person whose records are in several parts.
    """
    records = list(records)
    value = {id(record): record.metadata.get(column, "") for record in records}
    values = sorted({cell for cell in value.values() if cell}, key=_by_size)
    if not values:
        have = sorted({name for record in records for name in record.metadata})
        raise InputError(f"No record has the column '{column}' to be split by.",
                         expected=f"one of {', '.join(have)}" if have else
                         "a table beside the records, such as ptbxl_database.csv", got=column,
                         fix=closest(column, have) or "set split: random")
    part_of = _part_of(values, folds, column)
    parts: dict[str, set[str]] = {part: set() for part in PARTS}
    for record in records:
        if (part := part_of.get(value[id(record)])) is not None:
            parts[part].add(record.subject)
    shared = (parts["train"] & parts["test"]) | (parts["train"] & parts["validation"]) | (
        parts["validation"] & parts["test"])
    if shared:
        raise InputError(f"{len(shared)} persons have records in several parts by '{column}'.",
                         expected="all records of a person in one part",
                         got=", ".join(sorted(shared)[:5]),
                         fix="split by another column, or set split: random")
    if not parts["train"] or not parts["test"]:
        raise InputError(f"The split by '{column}' leaves no person to train or to test.",
                         expected="persons on both sides",
                         got=f"{len(parts['train'])} and {len(parts['test'])}",
                         fix=f"give folds of these values: {', '.join(values[:12])}")
    return {part: sorted(who) for part, who in parts.items()}


def _part_of(values: list[str], folds, column: str) -> dict[str, str]:
    """Value of the column -> part."""
    if not folds:
        last = {values[-1]: "test"} | ({values[-2]: "validation"} if len(values) > 2 else {})
        return dict.fromkeys(values, "train") | last
    part_of: dict[str, str] = {}
    for part, wanted in folds.items():
        for value in map(_plain, wanted):
            if value not in values or value in part_of:
                raise InputError(f"The folds of '{column}' do not fit.",
                                 expected=f"each value once, out of {', '.join(values[:12])}",
                                 got=f"{value} in {part}", fix=closest(value, values)
                                 or "correct folds")
            part_of[value] = part
    return part_of


def _by_size(text: str) -> tuple:
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text)


def _plain(value) -> str:
    """A value as a table writes it: 8.0 is "8"."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def assert_disjoint(split: Mapping[str, Sequence[str]]) -> None:
    """Makes sure that no subject is in two parts (part -> names); an InputError names those who
    are."""
    everyone = [name for subjects in split.values() for name in set(subjects)]
    names, parts = np.unique(everyone, return_counts=True)
    shared = names[parts > 1].tolist()
    if shared:
        raise InputError(
            "The split leaks.",
            expected="each subject in one part",
            got=f"{shared} in several",
            fix="make the split with split_by_subject, by person and not by record or window",
        )


def _ds1ds2_parts(names: list[str], validation: int, rng) -> list:
    test = {f"mitdb-{'201' if name == '202' else name}" for name in DS2}
    train = {f"mitdb-{name}" for name in DS1} - test
    first = rng.permutation(sorted(train.intersection(names)))
    others = [name for name in names if not name.startswith("mitdb-")]
    parts = [[*first[validation:], *others], first[:validation], test.intersection(names)]
    if len(first) <= validation or not parts[2]:
        raise _too_few(names, f"subjects of MIT-BIH: more than {validation} of DS1 and some of DS2",
                       "use scheme='random' for other records, or a smaller validation")
    return parts


def _random_parts(names: list[str], fractions: Sequence[float], rng) -> list:
    shares = [number(share, "fraction", 0.0, 1.0) for share in fractions]
    if len(shares) != len(PARTS) or abs(sum(shares) - 1) > 1e-6:
        raise InputError("The fractions are wrong.",
                         expected=f"three, for {', '.join(PARTS)}, with sum 1",
                         got=f"{tuple(shares)}", fix="for instance fractions=(0.6, 0.15, 0.25)")
    sizes = [max(round(share * len(names)), 1) if share else 0 for share in shares]
    largest = int(np.argmax(shares))  # takes what rounding left over
    sizes[largest] += len(names) - sum(sizes)
    if sizes[largest] < 1:
        raise _too_few(names, f"at least {sum(share > 0 for share in shares)}, one for each part",
                       "read more records, or give a part the fraction 0")
    return np.split(rng.permutation(names), np.cumsum(sizes)[:2])


def _too_few(names: list[str], expected: str, fix: str) -> InputError:
    return InputError(
        "Too few subjects for the split.",
        expected=expected,
        got=f"{len(names)}: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}",
        fix=fix,
    )
