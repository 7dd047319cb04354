"""How many rows images of whole strips need, for the beats there are in them."""

import math
from collections.abc import Iterable

import numpy as np

from ecg_tf.base.checks import number
from ecg_tf.base.errors import InputError
from ecg_tf.records import Record
from ecg_tf.signals.quality import inspect_record
from ecg_tf.signals.rpeaks import rpeaks_of


def rows_needed(records: Record | Iterable[Record], seconds: float, share: float = 0.99) -> int:
    """Rows of the images that hold a share of all strips of given seconds, for "beat_strips".

    Two more than the beats of that share, as a strip may begin and end in the rows of two beats
    outside of it; rounded up to a multiple of 8, which networks halve evenly. R peaks are those of
    the first lead. InputError: no record is that long.

    Example:
        >>> rows_needed(prepared, seconds=10.0)
        24
    """
    share = number(share, "share", 0.0, 1.0)
    beats = np.sort(beats_in_strips(records, seconds))
    held = int(beats[max(0, math.ceil(share * len(beats)) - 1)])
    return 8 * math.ceil((held + 2) / 8)


def beats_in_strips(records: Record | Iterable[Record], seconds: float) -> np.ndarray:
    """R peaks in each strip of given seconds, strips side by side from each record's start:
    (strip,) int. InputError where no record is that long."""
    seconds = number(seconds, "seconds", 0.1, 1e6)
    records = [records] if isinstance(records, Record) else list(records)
    counts = [np.zeros(0, int)]
    for record in records:
        length = round(seconds * record.fs)
        strips = len(record.signal) // length
        if strips:
            rpeaks = np.unique(rpeaks_of(inspect_record(record))[0])
            counts.append(np.diff(np.searchsorted(rpeaks, np.arange(strips + 1) * length)))
    beats = np.concatenate(counts)
    if not len(beats):
        longest = max((len(record.signal) / record.fs for record in records), default=0.0)
        raise InputError(f"No record lasts {seconds:g} s.",
                         expected=f"at most {longest:.4g} s, the longest of {len(records)} records",
                         got=f"{seconds:g} s", fix="take shorter strips or longer records")
    return beats
