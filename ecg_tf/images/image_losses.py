"""Losses of scalings and arrangements on given windows, before any GAN is trained."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ecg_tf.images.codec import Codec
from ecg_tf.images.scaling import Standardizer
from ecg_tf.signals.windows import Windows


def scaling_losses(standardizers: Mapping[str, Standardizer], windows: Windows) -> pd.DataFrame:
    """Every scaling on the same windows: clipping, use of the grey levels, error.

    Args:
        standardizers: name -> fitted `Standardizer`.
        windows: `Windows`; R peaks are counted where `rpeaks` are known.

    Returns:
        DataFrame, one row a name: clipped samples (%), clipped R peaks (%), grey levels used (of
        256), pixel spread (standard deviation of the pixels), bound (mV), stated beforehand, and
        largest error (mV), measured on the samples that are not clipped.

    Example:
        >>> scaling_losses({"physical": Standardizer("physical")}, windows).loc["physical"]
    """
    rows = {}
    for name, standardizer in standardizers.items():
        report, code = standardizer.report(windows), standardizer.range_code(windows)
        back = standardizer.inverse_transform(standardizer.transform(windows.signals, code), code)
        held = np.abs(standardizer.scale(windows.signals, code)) < 1  # False for padding (NaN) too
        error = np.abs(back - windows.signals)[held]
        rows[name] = {
            "clipped samples (%)": report["clipped_samples_percent"],
            "clipped R peaks (%)": report["clipped_rpeaks_percent"],
            "grey levels used": report["grey_levels_used"],
            "pixel spread": report["pixel_std"],
            "bound (mV)": report["error_bound_mv"],
            "largest error (mV)": float(error.max(initial=0.0)),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def arrangement_losses(codecs: Mapping[str, tuple[Codec, Windows]]) -> pd.DataFrame:
    """Every arrangement on its windows: how alike neighbours are, seams, error of the round trip.

    Args:
        codecs: name -> (`Codec`, `Windows` that it encodes).

    Returns:
        DataFrame, one row a name: image (its shape), ECG in it (s, median), correlation of vertical
        and of horizontal neighbours (signal channels), seams (a window, median), round-trip error
        (mV, largest) and round-trip error (%, root mean square over that of the signal).

    Example:
        >>> arrangement_losses({"row_major": (codec, windows)})["vertical"]
    """
    rows = {}
    for name, (codec, windows) in codecs.items():
        images = codec.encode(windows)
        alike = neighbour_correlation(images[..., : codec.channels.count("signal")])
        error = codec.round_trip_error(windows)
        seams = codec.arrangement.seams(windows.rpeaks)
        rows[name] = {
            "image": " x ".join(map(str, codec.image_shape)),
            "ECG in it (s)": float(np.median(windows.lengths) / windows.fs),
            "vertical": alike["vertical"],
            "horizontal": alike["horizontal"],
            "seams": int(np.median((np.asarray(seams) >= 0).sum(axis=-1))),  # -1: an empty row
            "largest error (mV)": error["max_mv"],
            "error (%)": error["prd_percent"],
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def neighbour_correlation(images: np.ndarray) -> dict[str, float]:
    """How alike neighbouring pixels are: what an arrangement offers a convolution.

    Args:
        images: (window, height, width, channel); leave out channels that are no signal.

    Returns:
        dict: `vertical`, `horizontal` Pearson correlation, mean over channels; NaN for images
        that do not vary.
    """
    images = np.asarray(images, np.float64)

    def correlation(first, second):
        first = first.reshape(-1, first.shape[-1]) - first.mean(axis=(0, 1, 2))
        second = second.reshape(-1, second.shape[-1]) - second.mean(axis=(0, 1, 2))
        norm = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
        with np.errstate(invalid="ignore"):
            return float(((first * second).sum(axis=0) / norm).mean())

    return {
        "vertical": correlation(images[:, :-1], images[:, 1:]),
        "horizontal": correlation(images[:, :, :-1], images[:, :, 1:]),
    }
