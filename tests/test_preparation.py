"""What measures compare, and what may not be asked for together."""

import numpy as np
import pytest

from ecg_tf.errors import InputError
from ecg_tf.experiment import Experiment
from ecg_tf.preparation import MOST_STRIPS, compared
from ecg_tf.signals.windows import Windows


def strips(**count) -> Windows:
    who = np.repeat(list(count), list(count.values()))
    number = np.arange(len(who))
    return Windows(np.zeros((len(who), 8, 1), np.float32), 128.0, ("II",), np.full(len(who), 8),
                   who, who, number)


def test_with_even_persons_long_records_do_not_outvote_short_ones():
    own = strips(long=3000, short=40, other=900)
    assert compared(own, Experiment()) is own
    even = compared(own, Experiment(even_persons=True))
    assert len(even) == MOST_STRIPS
    who, number = np.unique(even.subjects, return_counts=True)
    assert dict(zip(who.tolist(), number.tolist(), strict=True)) == {
        "long": 480, "other": 480, "short": 40}
    kept = even.starts[even.subjects == "long"]
    assert kept.min() == 0 and kept.max() == 2999 and np.ptp(np.diff(kept)) <= 1  # spread over it


def test_persons_cannot_be_drawn_evenly_from_shards():
    with pytest.raises(InputError, match="leave one of the two out"):
        Experiment(even_persons=True, shards="shards/x")
