"""Evaluates synthetic ECGs that are in memory: `ecg_tf.evaluate`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import measured_table
from ecg_tf.evaluation.evaluation_data import evaluate_data, evaluation_data_of
from ecg_tf.evaluation.privacy_evaluation import PrivacyEvaluation
from ecg_tf.records import ECGs
from ecg_tf.signals.preparation import Preparation

STRIP_SECONDS = 10.0


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Args:
        verdict: `PrivacyEvaluation`, with all measures, the gate and notes.
    """

    verdict: PrivacyEvaluation

    def __str__(self) -> str:
        """For a terminal: each value, what is better, baseline and its interval; then the gate."""
        columns = ["value", "better", "baseline", "baseline_low", "baseline_high", "unit"]
        measures = self.table[columns].to_string(float_format="{:.4g}".format, na_rep="")
        gate = self.verdict.gate
        return "\n\n".join([measures, gate.table.to_string(), gate.words, *self.verdict.notes])

    @property
    def table(self) -> pd.DataFrame:
        """DataFrame, a row a measure: value, interval (low, high), baseline and its interval."""
        return measured_table(self.verdict.measures)

    @property
    def gate(self) -> pd.DataFrame:
        """DataFrame, a row a criterion of the release gate."""
        return self.verdict.gate.table

    @property
    def passed(self) -> bool:
        """Whether the synthetic set may be released."""
        return self.verdict.gate.passed


def evaluate(synthetic: ECGs, train: ECGs, test: ECGs, *, fs: float = 128.0, seconds: float = 0.0,
             attacks: bool = True, seed: int = 0, progress: bool = False) -> Evaluation:
    """Are synthetic ECGs like real ones of new persons, and who could be found in them?

    Args:
        train: of the persons the generator was trained on.
        test: of other persons of the same population.
        fs: float, Hz, all are resampled to it. Default 128.
        seconds: float, s, of the strips that are compared. Default 0: 10, or what the shortest
            tenth of the records allows.
        attacks: bool; False measures fidelity alone. Default True.
        progress: bool, show how far it is. Default False.

    Raises:
        InputError: no common lead, records too short, or a person or recording on both sides.
    """
    sides = {"synthetic": synthetic, "train": train, "test": test}
    for name, side in sides.items():
        if not len(side):
            raise InputError(f"There are no ECGs in {name}.", expected="one record or more",
                             got="none", fix="split more persons, or pass other ECGs")
    known = "nothing" not in (train.subjects_known_by, test.subjects_known_by)
    if known and (both := set(train.subjects) & set(test.subjects)):
        raise InputError("A person is in train and test.", expected="disjoint persons",
                         got=", ".join(sorted(both)[:5]), fix="split by person: ecgs.split()")
    usual = min(np.quantile([len(r.signal) / r.fs for r in side], 0.1) for side in sides.values())
    seconds = seconds or float(min(STRIP_SECONDS, np.floor(usual)))
    data = evaluation_data_of({"real": train, "synthetic": synthetic, "holdout": test},
                              Preparation(fs), strip_seconds=seconds)
    return Evaluation(evaluate_data(data, seed=seed, progress=progress, attacks=attacks))
