"""The tables of docs/detectors.md and of clinical intervals, as Markdown.

python -m tests.validation detectors delineation intervals --data-dir FOLDER
"""

import argparse

import pandas as pd

from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.evaluation.validation.control_tables import as_markdown
from tests.validation.delineation_tables import delineation_tables
from tests.validation.detector_tables import detector_tables
from tests.validation.interval_check import interval_errors, interval_text

KINDS = {
    "detectors": lambda data_dir: _as_text(detector_tables(data_dir, progress=True)),
    "delineation": lambda data_dir: _as_text(delineation_tables(data_dir)),
    "intervals": lambda data_dir: {"Clinical intervals": interval_text(interval_errors())},
}


def main(arguments=None):
    """Prints the tables of the kinds that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.validation")
    parser.add_argument("kinds", nargs="+", choices=list(KINDS), metavar=" ".join(KINDS))
    parser.add_argument("--data-dir", default="", help="folder of the databases")
    options = parser.parse_args(arguments)
    with quiet_startup():
        for kind in options.kinds:
            for title, table in KINDS[kind](options.data_dir).items():
                print(title, as_markdown(table), sep="\n\n", end="\n\n", flush=True)


def _as_text(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Floats to four digits, all else as it is."""
    out = {}
    for title, table in tables.items():
        cells = table.map(lambda value: f"{value:.4g}" if isinstance(value, float) else str(value))
        cells.columns = [" ".join(map(str, name)) if isinstance(name, tuple) else name
                         for name in cells.columns]
        if isinstance(cells.index, pd.MultiIndex):
            cells = cells.reset_index().set_index(cells.index.names[0])
        out[title] = cells
    return out


if __name__ == "__main__":
    main()
