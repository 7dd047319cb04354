"""Real and synthetic strips of a run in random order, for a reader who does not know them apart.

python -m tests.validation.blind_reading runs/NAME --output blind       # pages and key.csv
python -m tests.validation.blind_reading --key blind/key.csv --answers answers.csv

A reader who cannot tell is right in half of the strips: of 40, in at most 26 with 97 % probability.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import ecg_paper
from ecg_tf.study.results import read_result

EACH = 20  # real strips, and as many synthetic ones


def write_pages(run, output, seed: int = 0) -> pd.DataFrame:
    """Writes `EACH` real and `EACH` synthetic strips of a run's folder, one a PNG, and key.csv.

    Real strips are of the test persons; none is selected.

    Returns:
        DataFrame, index "page", column "real".
    """
    result, output, rng = read_result(run), Path(output), np.random.default_rng(seed)
    fs, leads = result.experiment.fs, result.codec.leads
    strips = [result.arrays[side] for side in ("test", "synthetic")]
    if min(map(len, strips)) < EACH:
        raise InputError("The run keeps too few strips.", expected=f"{EACH} of each kind",
                         got=list(map(len, strips)), fix="generate more, or test on more persons")
    signals = np.concatenate([side[rng.permutation(len(side))[:EACH]] for side in strips])
    order = rng.permutation(2 * EACH)
    key = pd.DataFrame({"page": np.arange(1, 2 * EACH + 1), "real": order < EACH}).set_index("page")
    output.mkdir(parents=True, exist_ok=True)
    for page, number in enumerate(order, 1):
        figure = ecg_paper(signals[number][None], fs, real=None, leads=leads)
        figure.savefig(output / f"{page:02d}.png", dpi=70)
    key.to_csv(output / "key.csv")
    return key


def share_right(key: pd.DataFrame, answers: pd.DataFrame) -> str:
    """How many of the answers ("page", "real") are right, in words, with a binomial p-value."""
    from scipy.stats import binomtest

    both = key.join(answers.set_index("page"), rsuffix=" said", how="inner")
    right = both["real"].astype(bool) == both["real said"].astype(bool)
    test = binomtest(int(right.sum()), len(right), 0.5, alternative="greater")
    real = both["real"].astype(bool)
    return (f"{right.sum()} of {len(right)} right (p = {test.pvalue:.2g}): {right[real].sum()} of "
            f"{real.sum()} real and {right[~real].sum()} of {(~real).sum()} synthetic strips.")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tests.validation.blind_reading")
    parser.add_argument("run", nargs="?", help="folder of a run")
    parser.add_argument("--output", default="blind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--key", help="of the pages")
    parser.add_argument("--answers", help="CSV with the columns page and real")
    options = parser.parse_args(arguments)
    if options.key and options.answers:
        key = pd.read_csv(options.key).set_index("page")
        print(share_right(key, pd.read_csv(options.answers)))
    else:
        write_pages(options.run, options.output, options.seed)
        print(f"{2 * EACH} pages and key.csv are in {options.output}.")


if __name__ == "__main__":
    main()
