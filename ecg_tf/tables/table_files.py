"""Health tables from CSV files, and the two that come with scikit-learn."""

import csv
import re
import warnings
from pathlib import Path

import pandas as pd

from ecg_tf.base.errors import InputError, closest

TABLES = {
    "breast_cancer": "30 measures of cell nuclei in 569 fine-needle aspirates, and the diagnosis",
    "diabetes": "10 measures of 442 diabetes patients, and the progression a year later",
}


def load_table(table, drop=()) -> pd.DataFrame:
    """A health table by name, or any CSV file.

    Args:
        table: str, one of `TABLES` (both come with scikit-learn: nothing is downloaded), or the
            path of a CSV file, see `read_csv`.
        drop: names of columns to leave out, such as identifiers. Default none.

    Raises:
        InputError: neither a known name nor a readable file, or no such column to drop.

    Example:
        >>> load_table("diabetes").shape
        (442, 11)
    """
    if table == "breast_cancer":
        from sklearn.datasets import load_breast_cancer

        loaded = load_breast_cancer(as_frame=True)
        names = pd.Series(loaded.target_names)
        frame = loaded.data.assign(diagnosis=names[loaded.target].to_numpy(object))
    elif table == "diabetes":
        from sklearn.datasets import load_diabetes

        loaded = load_diabetes(as_frame=True, scaled=False)
        frame = loaded.data.assign(progression=loaded.target)
    else:
        frame = read_csv(table)
    for name in drop:
        if name not in frame.columns:
            raise InputError(f"There is no column '{name}' to drop.",
                             expected="one of " + ", ".join(map(str, frame.columns[:40])), got=name,
                             fix=closest(name, map(str, frame.columns)) or "name another column")
    return frame.drop(columns=list(drop))


def read_csv(path) -> pd.DataFrame:
    """A table from a CSV file with a header line: commas, semicolons or tabs, UTF-8.

    Decimal commas are understood where semicolons part the values. Empty cells, NA, NaN and
    what a row lacks at its end are missing values.

    Args:
        path: the file.

    Returns:
        DataFrame, two rows or more.

    Raises:
        InputError: no such file, not readable as a table, a column without a name or named twice.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no table '{path}'.",
                         expected=f"one of {', '.join(TABLES)}, or the path of a CSV file",
                         got="a folder" if path.is_dir() else "no such file",
                         fix=closest(str(path), TABLES) or "check the path")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = [file.readline(2**20) for _ in range(20)]
        separator = max(",;\t", key=head[0].count)
        decimal = "," if separator == ";" and re.search(r"\d,\d", "".join(head[1:])) else "."
        names = next(csv.reader([head[0]], delimiter=separator), [])
        with warnings.catch_warnings():
            # Rows longer than the header would else lose their last value with a warning only.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, sep=separator, decimal=decimal, encoding="utf-8-sig",
                                skipinitialspace=True, low_memory=False, index_col=False,
                                float_precision="round_trip")  # others may crash
    # Errors of pandas and of Unicode are ValueErrors.
    except (OSError, ValueError, csv.Error, pd.errors.ParserWarning) as error:
        raise InputError(f"'{path}' cannot be read as a table.",
                         expected="a CSV file in UTF-8 with one header line and equally long rows",
                         got=f"{type(error).__name__}: {' '.join(str(error).split())[:120]}",
                         fix="save it again as CSV UTF-8, values parted by commas") from error
    names = [name.strip() for name in names]
    twice = next((name for name in names if not name or names.count(name) > 1), None)
    if twice is not None:  # pandas would invent names such as "Unnamed: 0" and "age.1"
        raise InputError(f"A column of '{path}' has no name of its own.",
                         expected="a header line with a different name for each column",
                         got=f"'{twice}'" + (" twice" if twice else ""),
                         fix="add the header line, or rename the column")
    if len(table) < 2:
        raise InputError(f"'{path}' has too few rows.", expected="a header line and 2 rows or more",
                         got=f"{len(table)} rows", fix="check what the file holds")
    return table
