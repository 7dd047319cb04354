"""Which axis of an array is which: recordings, time, leads; what stands another way is refused."""

from collections.abc import Sequence

import numpy as np

from ecg_tf.base.errors import InputError

MOST_LEADS = 16  # of an array whose leads have no names; a longer axis is time
SIGNALS = "signals of numbers, (record, time, lead) or (record, time), in mV"
_TURN = "signals = signals.transpose(0, 2, 1)"


def signals_in_memory(signals, leads: Sequence[str]) -> list[np.ndarray]:
    """Recordings of arrays that somebody gives to a function.

    Args:
        signals: (record, time, lead) or (record, time) of floats; or a sequence of (time, lead)
            or (time,).
        leads: names of the leads, empty if there are none.

    Returns:
        list of (time, lead), views where that is possible.

    Raises:
        InputError: other axes, whole numbers, or no numbers.
    """
    if isinstance(signals, np.ndarray) and signals.dtype != object:
        check_numbers(signals, "The signals", "write signals * 1e-3 for values in microvolt")
        if signals.ndim not in (2, 3) or 0 in signals.shape:
            raise InputError("The signals have another shape.", expected=SIGNALS,
                             got=f"shape {signals.shape}",
                             fix="write signals[None] for one recording (time, lead)")
        if signals.ndim == 2 and len(leads) > 1:
            one = "signals.T[None]" if len(signals) == len(leads) else "signals[None]"
            raise InputError("The signals have no axis of leads.", expected=f"(record, time, lead) "
                             f"for {len(leads)} leads", got=f"shape {signals.shape}",
                             fix=f"write {one} for one recording of these leads")
        if signals.ndim == 2 and signals.shape[1] <= MOST_LEADS:
            raise _turned(signals.shape, "(record, time)", "signals[None]")
        signals = signals[..., None] if signals.ndim == 2 else signals
        _check_axes(signals.shape, len(leads))
        return list(signals)
    found = [np.asarray(one) for one in signals]
    if not found:
        raise InputError("There are no signals.", expected=SIGNALS, got="none")
    for i, one in enumerate(found):
        check_numbers(one, f"Record {i}", "write values * 1e-3 for values in microvolt")
        if one.ndim not in (1, 2) or 0 in one.shape:
            raise InputError(f"Record {i} has another shape.", expected="(time, lead)",
                             got=f"shape {one.shape}")
        if one.ndim == 2:
            _check_axes((1, *one.shape), len(leads), "signals = [one.T for one in signals]")
    return [one[:, None] if one.ndim == 1 else one for one in found]


def signals_of_file(signals: np.ndarray, leads: Sequence[str], records: int,
                    what: str) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Recordings of the array in a file, of which often nothing says what its axes are.

    Args:
        signals: (record, time, lead), (record, time), (time, lead) or (time,).
        leads: names of the leads by the file, empty if it has none.
        records: int, number of recordings by the file, 0 if it does not say.
        what: str, the file.

    Returns:
        list of (time, lead), views; sentences that say how the axes were taken.

    Raises:
        InputError: axes in another order, or an array that may be two things.
    """
    shape, count = signals.shape, len(leads)
    if signals.ndim not in (1, 2, 3) or 0 in shape:
        raise InputError(f"'{what}' holds an array of another shape.", expected=SIGNALS,
                         got=f"shape {shape}", fix="write (record, time, lead)")
    if signals.ndim == 1:
        return [signals[:, None]], ("The array was taken as one recording of one lead.",)
    if signals.ndim == 3:
        _check_axes(shape, count)
        return list(signals), ()
    said = f"The array of shape {shape} was taken as"
    if shape[1] == count or shape[1] <= MOST_LEADS < shape[0] and records in (0, 1):
        _check_axes((1, *shape), count, "array.T")
        return [signals], (f"{said} (time, lead): one recording of {shape[1]} leads.",)
    if shape[1] <= MOST_LEADS:
        raise _turned(shape, "(record, time)", "(record, time, lead)")
    if shape[0] <= MOST_LEADS and not (count == 1 or records == shape[0] > 1):
        raise InputError(
            f"'{what}' may be one recording or {shape[0]}.", got=f"shape {shape}",
            expected=f"(record, time, lead), or (time, lead) of up to {MOST_LEADS} leads",
            fix="write array.T for one recording of these leads, array[:, :, None] for several "
            "of one lead")
    return list(signals[..., None]), (f"{said} (record, time): {shape[0]} recordings of one lead.",)


def check_numbers(array: np.ndarray, what: str, fix: str) -> None:
    """Refuses arrays of anything but floats: whole numbers have a unit that nobody knows.

    Args:
        array: any.
        what: str, how the message begins.
        fix: str, what to do with whole numbers.

    Raises:
        InputError: it holds whole numbers, or no numbers.
    """
    if array.dtype.kind == "f":
        return
    whole = array.dtype.kind in "iu"
    raise InputError(f"{what} hold whole numbers without a unit." if whole else
                     f"{what} hold no numbers.", expected=SIGNALS, got=str(array.dtype)[:100],
                     fix=fix if whole else "give arrays of float32")


def _check_axes(shape, count: int, fix: str = _TURN) -> None:
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
