"""Values in [-1, 1] on a grid: grey levels and short floats, rounded and never truncated."""

import numpy as np

from ecg_tf.base.checks import choice

# Half the distance between neighbouring values of each grid on [-1, 1] (for floats: at 1).
HALF_STEP = {
    "uint8": 1 / 255,
    "uint16": 1 / 65535,
    "float16": 2.0**-12,
    "float32": 2.0**-25,
}


def quantize(values: np.ndarray, quantization: str) -> np.ndarray:
    """Values in [-1, 1] to whole grey levels or short floats: rounded, never truncated.

    An array of the dtype `quantization` ("uint8", "uint16", "float16", "float32"); -1 is level 0
    and 1 the highest level.

    Example:
        >>> quantize(np.array([-1.0, 0.0, 1.0]), "uint8").tolist()
        [0, 128, 255]
    """
    choice(quantization, "quantization", HALF_STEP)
    values = np.clip(values, -1, 1)
    if quantization.startswith("float"):
        return values.astype(quantization)
    top = np.iinfo(quantization).max
    return np.rint((np.asarray(values, np.float64) + 1) * (top / 2)).astype(quantization)


def dequantize(levels: np.ndarray) -> np.ndarray:
    """Undoes `quantize`: whole levels or floats to float64 in [-1, 1]."""
    if levels.dtype.kind == "f":
        return levels.astype(np.float64)
    return levels.astype(np.float64) * (2 / np.iinfo(levels.dtype).max) - 1


def on_grid(values: np.ndarray, quantization: str) -> np.ndarray:
    """Values moved to the nearest value of the grid; float32, NaN stays NaN."""
    if quantization == "float32":
        return np.asarray(values, np.float32)
    known = np.isfinite(values)
    levels = quantize(np.where(known, values, 0), quantization)
    return np.where(known, dequantize(levels), np.nan).astype(np.float32)
