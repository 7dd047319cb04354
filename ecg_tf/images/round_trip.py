"""Signals beside what came back of them from their images."""

import numpy as np


def compare(signals, lengths, back, back_lengths, first) -> dict:
    """Signals beside what came back of them, over every sample both have.

    Args:
        signals, lengths: (window, time, lead) mV, and (window,) valid samples.
        back, back_lengths: the same of what came back.
        first: (window,) int, sample of `signals` at which `back` starts.

    Returns:
        dict: `max_mv`, `rmse_mv`, `prd_percent` (100 RMSE / RMS of the signal), `samples`
        compared, and `samples_not_covered`: those that lie in no row of the image.
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
