"""Channels of leads in an image, and of the range of their windows; leads without channels."""

from dataclasses import replace

import numpy as np

from ecg_tf.base.checks import names
from ecg_tf.base.errors import InputError
from ecg_tf.signals.limb_leads import AGREEMENT_MV, lead_factors, limb_lead_residual
from ecg_tf.signals.windows import Windows


def agree(signals: np.ndarray, leads: tuple[str, ...]) -> bool:
    """Whether limb leads of (window, time, lead) mV are the sums that they should be, or none
    follows from others: only then others can give them."""
    apart = limb_lead_residual(signals, leads)
    apart = apart[np.isfinite(apart)]
    return not len(apart) or bool(np.median(apart) <= AGREEMENT_MV)


def checked_image_leads(value, leads: tuple[str, ...]) -> tuple[str, ...]:
    """Leads of an image as names, out of what came. InputError: no names of the codec's `leads` in
    their order, or some of those do not follow from them."""
    chosen = names(value, "image_leads")
    if chosen != tuple(lead for lead in leads if lead in chosen):
        raise InputError("The leads in the image are not leads of the codec.",
                         expected=f"some of {', '.join(leads)[:200]}, in this order",
                         got=", ".join(chosen)[:200], fix="name leads of the codec, each once")
    lead_factors(chosen, leads)
    return chosen


def pick_leads(windows: Windows, leads: tuple[str, ...]) -> Windows:
    """Windows (no name twice) with some of their leads; with all of them the windows themselves."""
    if tuple(windows.leads) == leads:
        return windows
    places = [windows.leads.index(lead) for lead in leads]
    return replace(windows, signals=windows.signals[..., places], leads=leads)


def bound_of_all(bound: np.ndarray, largest: np.ndarray, image_leads, leads) -> np.ndarray:
    """Error bounds of all leads, (lead,) mV, out of those of the leads in the image.

    A computed lead has the sum of the bounds of those it is computed from, and its own rounding to
    float32, once in the windows and once when it is decoded. `largest`: (image lead,) mV, largest
    value that can be decoded.
    """
    factors = np.abs(lead_factors(image_leads, leads))
    computed = np.array([lead not in image_leads for lead in leads])
    return bound @ factors + np.where(computed, largest @ factors * 2.0**-23, 0)


def range_image(code: np.ndarray, height: int, width: int) -> np.ndarray:
    """Ranges of windows as channels: the upper half holds the centre, the lower half the width.

    Of (window, lead, 2) as `Standardizer.range_code` gives it: (window, height, width, lead).
    """
    lower = (np.arange(height) >= height // 2).astype(int)
    return np.repeat(np.moveaxis(code, 1, 2)[:, lower, None], width, axis=2)


def read_range(channels: np.ndarray) -> np.ndarray:
    """Undoes `range_image`: the mean of each half, (window, lead, 2) float64."""
    half = channels.shape[1] // 2
    halves = channels[:, :half], channels[:, half:]
    return np.stack([h.mean(axis=(1, 2), dtype=np.float64) for h in halves], -1)
