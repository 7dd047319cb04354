"""What measures compare, and what may not be asked for together."""

import numpy as np

from ecg_tf.config.experiment import Experiment
from ecg_tf.signals.windows import Windows
from ecg_tf.training.data import evaluation_strips


def strips(**count) -> Windows:
    who = np.repeat(list(count), list(count.values()))
    number = np.arange(len(who))
    return Windows(np.zeros((len(who), 8, 1), np.float32), 128.0, ("II",), np.full(len(who), 8),
                   who, who, number)


def test_with_even_persons_long_records_do_not_outvote_short_ones():
    own = strips(long=3000, short=4, other=900, usual=40, one=1)
    assert evaluation_strips(own, Experiment()) is own
    fair = evaluation_strips(own, Experiment(even_subjects=True))
    who, number = np.unique(fair.subjects, return_counts=True)
    assert dict(zip(who.tolist(), number.tolist(), strict=True)) == {
        "long": 40, "other": 40, "usual": 40, "short": 4, "one": 1}
    kept = fair.starts[fair.subjects == "long"]
    assert kept.min() == 0 and kept.max() == 2999 and np.ptp(np.diff(kept)) <= 1  # spread over it
