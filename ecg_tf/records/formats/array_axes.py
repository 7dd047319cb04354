"""Which axis of an array is which: recordings, time, leads; what stands another way is refused."""

from collections.abc import Sequence

import numpy as np

from ecg_tf.base.errors import InputError

MOST_LEADS = 16  # of an array whose leads have no names; a longer axis is time
SIGNALS = "signals of numbers, (record, time, lead) or (record, time), in mV"


def recordings(signals, leads: Sequence[str], records: int = 0,
               file: str = "") -> tuple[list[np.ndarray], list[str]]:
    """Recordings of an array, of which often nothing says what its axes are.

    Args:
        signals: (record, time, lead) or (record, time) of floats. In memory also a sequence of
            (time, lead) or (time,); in a file also (time, lead) or (time,).
        leads: names of the leads, empty if there are none.
        records: int, number of recordings by the file, 0 if it does not say.
        file: str, the file. Default "", the array is in memory.

    Returns:
        list of (time, lead), views where that is possible; sentences that say how the axes of a
        file's array were taken.

    Raises:
        InputError: axes in another order, an array that may be two things, whole numbers, or no
            numbers.
    """
    if not file and (not isinstance(signals, np.ndarray) or signals.dtype == object):
        found = [np.asarray(values) for values in signals] if np.iterable(signals) else []
        return _in_sequence(found, len(leads)), []
    what = f"The array in '{file}'" if file else "The array"
    shape, count = np.shape(signals), len(leads)
    if not file:
        check_numbers(signals, "The signals", "write signals * 1e-3 for values in microvolt")
    if len(shape) not in (1, 2, 3) or 0 in shape or len(shape) == 1 and not file:
        raise InputError(f"{what} has another shape.", expected=SIGNALS, got=f"shape {shape}",
                         fix="write signals[None] for one recording (time, lead)")
    if signals.ndim == 1:
        return [signals[:, None]], ["The array was taken as one recording of one lead."]
    if signals.ndim == 3:
        _check_axes(shape, count, "signals.transpose(0, 2, 1)")
        return list(signals), []
    if file and (shape[1] == count or shape[1] <= MOST_LEADS < shape[0] and records in (0, 1)):
        _check_axes((1, *shape), count, "array.T")
        return [signals], [f"The array of shape {shape} was taken as (time, lead): one recording "
                           f"of {shape[1]} leads."]
    if shape[1] <= MOST_LEADS or not file and count > 1:
        fix = "signals.T[None]" if shape[0] == count else "signals[None]"
        raise _turned(shape, "(record, time, lead)", f"{fix} for one recording of these leads")
    if file and shape[0] <= MOST_LEADS and not (count == 1 or records == shape[0] > 1):
        raise InputError(
            f"{what} may be one recording or {shape[0]}.", got=f"shape {shape}",
            expected=f"(record, time, lead), or (time, lead) of up to {MOST_LEADS} leads",
            fix="write array.T for one recording of these leads, array[:, :, None] for several "
            "of one lead")
    return list(signals[..., None]), [f"The array of shape {shape} was taken as (record, time): "
                                      f"{shape[0]} recordings of one lead."]


def check_numbers(array: np.ndarray, what: str, fix: str) -> None:
    """Refuses arrays of anything but floats: whole numbers have an unknown unit."""
    if array.dtype.kind == "f":
        return
    whole = array.dtype.kind in "iu"
    raise InputError(f"{what} hold whole numbers without a unit." if whole else
                     f"{what} hold no numbers.", expected=SIGNALS, got=str(array.dtype)[:100],
                     fix=fix if whole else "give arrays of float32")


def _in_sequence(found: list[np.ndarray], count: int) -> list[np.ndarray]:
    if not found:
        raise InputError("There are no signals.", expected=SIGNALS, got="none")
    for i, values in enumerate(found):
        check_numbers(values, f"Values of record {i}", "write values * 1e-3 for microvolt")
        if values.ndim not in (1, 2) or 0 in values.shape:
            raise InputError(f"Record {i} has another shape.", expected="(time, lead)",
                             got=f"shape {values.shape}")
        if values.ndim == 2:
            _check_axes((1, *values.shape), count, "signals = [values.T for values in signals]")
    return [values[:, None] if values.ndim == 1 else values for values in found]


def _check_axes(shape, count: int, fix: str) -> None:
    """Refuses (record, lead, time)."""
    _, time, lead = shape
    if count and lead != count:
        raise InputError("Leads and signals do not fit.", expected=f"{count} leads on the last "
                         "axis", got=f"shape {tuple(shape)}", fix=f"write {fix}" if time == count
                         else "name as many leads as there are")
    if time <= MOST_LEADS and time < lead or not count and lead > MOST_LEADS:
        raise _turned(shape, "(record, time, lead)", fix if time < lead else "")
    if time <= MOST_LEADS:
        raise InputError("The recordings are too short.", expected=f"more than {MOST_LEADS} "
                         "samples", got=f"shape {tuple(shape)}: {time}", fix="check the axes: "
                         "(record, time, lead)")


def _turned(shape, expected: str, fix: str) -> InputError:
    return InputError("The axes of the signals are in another order.", expected=expected,
                      got=f"shape {tuple(shape)}", fix=f"write {fix}" if fix else
                      f"name the leads: without names there are {MOST_LEADS} at most")
