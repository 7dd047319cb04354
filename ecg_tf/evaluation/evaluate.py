"""Evaluates synthetic ECGs that are in memory: `ecg_tf.evaluate`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.baselines import measured_table
from ecg_tf.evaluation.evaluation_data import EvaluationData, evaluate_data
from ecg_tf.evaluation.fidelity_measures import fidelity_measures
from ecg_tf.evaluation.privacy_evaluation import PrivacyEvaluation, unattacked
from ecg_tf.records import ECGs
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.preparation import Preparation

STRIP_SECONDS = 10.0


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Args:
        verdict: `PrivacyEvaluation`, with all measures, the gate and notes.
    """

    verdict: PrivacyEvaluation

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
        synthetic: `ECGs`.
        train: of the persons the generator was trained on.
        test: of other persons of the same population.
        fs: float, Hz, all are resampled to it. Default 128.
        seconds: float, s, of the strips that are compared. Default 0: 10, or what the shortest
            tenth of the records allows.
        attacks: bool; False measures fidelity alone. Default True.
        seed: int.
        progress: bool, show how far it is. Default False.

    Returns:
        Evaluation.

    Raises:
        InputError: other leads, records too short, or a person on both sides.
    """
    if both := set(train.subjects) & set(test.subjects):
        raise InputError("A person is in train and test.", expected="disjoint persons",
                         got=", ".join(sorted(both)[:5]), fix="split by person: ecgs.split()")
    sides = {"synthetic": synthetic, "train": train, "test": test}
    usual = min(np.quantile([len(r.signal) / r.fs for r in side], 0.1) for side in sides.values())
    seconds = seconds or float(min(STRIP_SECONDS, np.floor(usual)))
    cut = {name: strips(Preparation(fs).clean(
        [record for record in side if len(record.signal) / record.fs >= seconds]),
        round(seconds * fs)) for name, side in sides.items()}
    if attacks:
        data = EvaluationData(cut["train"], cut["synthetic"], cut["test"])
        return Evaluation(evaluate_data(data, seed=seed, progress=progress))
    measures = fidelity_measures(cut["test"], cut["synthetic"], cut["train"], seed=seed)
    return Evaluation(unattacked(measures))
