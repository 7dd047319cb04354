"""Signals beside what came back of them from their images."""

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.signals.limb_leads import limb_lead_residual


def round_trip_error(codec, windows) -> dict:
    """Measured error of encode and decode, clipping and grid included, over every sample.

    Args:
        codec: fitted `Codec`.
        windows: `Windows` of all its leads.

    Returns:
        dict: what `compare` gives, and `clipped_samples_percent`. Where limb leads are computed
        also `limb_lead_residual_mv`: how far they are from their sums in the windows themselves
        (median), an error that does not come from the images.

    Raises:
        InputError: as `Codec.encode`; or windows that lack leads of the codec.
    """
    same("leads", tuple(windows.leads), codec.leads)
    back, first = codec.decode(codec.encode(windows)), np.zeros(len(windows), np.int64)
    # The same R peak tells where a decoded window starts, if it does not start as it did.
    if codec.window_length is None:
        first = np.rint(windows.rpeaks[:, 1] - back.rpeaks[:, 1]).astype(int)
    error = compare(windows.signals, windows.lengths, back.signals, back.lengths, first)
    error["clipped_samples_percent"] = codec.report(windows)["clipped_samples_percent"]
    if codec.image_leads != codec.leads:
        left = limb_lead_residual(windows.signals, codec.leads)
        error["limb_lead_residual_mv"] = float(np.median(left))
    return error


def compare(signals, lengths, back, back_lengths, first) -> dict:
    """Signals (window, time, lead) mV beside what came back of them, over every sample both have;
    `back` starts at their samples `first` (window,).

    Returns:
        dict: `max_mv`, `rmse_mv`, `prd_percent` (100 RMSE / RMS of the signal), `samples` compared,
            and `samples_not_covered`: those that lie in no row of the image.
    """
    error = power = largest = samples = 0.0
    for k, start in enumerate(first):
        wanted = signals[k, : lengths[k]].astype(np.float64)
        begin, end = max(start, 0), min(start + back_lengths[k], len(wanted))
        difference = back[k, begin - start : end - start] - wanted[begin:end]
        error += (difference**2).sum()
        power += (wanted[begin:end] ** 2).sum()
        samples += difference.size
        largest = max(largest, np.abs(difference).max(initial=0))
    return {
        "max_mv": float(largest),
        "rmse_mv": float(np.sqrt(error / max(samples, 1))),
        "prd_percent": float(100 * np.sqrt(error / power)) if power else float("nan"),
        "samples": int(samples),
        "samples_not_covered": int(np.sum(lengths)) * signals.shape[2] - int(samples),
    }


def same(what: str, got, expected) -> None:
    if got != expected:
        raise InputError(f"These windows and this codec do not belong together: {what} differ.",
                         expected=expected, got=got,
                         fix="resample or pick leads so that both agree, or fit a new codec")
