"""Units of voltage: the one table that every reader of files goes by."""

import re
import unicodedata
from functools import lru_cache

_FACTORS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_PREFIXES = {"milli": "m", "micro": "u", "nano": "n", "\N{GREEK SMALL LETTER MU}": "u"}


@lru_cache(256)  # a folder has thousands of headers, and one unit or two
def to_millivolts(unit: str | None) -> float | None:
    """Factor that turns values of a unit into mV.

    Both letters mu are understood (U+00B5 and U+03BC), so are words such as "microvolts"; case and
    blanks do not matter.

    Args:
        unit: str as a file gives it; None or blank if it gives none, which means mV (WFDB header
            format, physionet.org/physiotools/wag/header-5.htm).

    Returns:
        float, mV per unit; None for what is no voltage or is not known.

    Example:
        >>> to_millivolts("\N{MICRO SIGN}V"), to_millivolts("Volt"), to_millivolts("mmHg")
        (0.001, 1000.0, None)
    """
    # NFKC makes one letter of the two; it also narrows full-width letters.
    text = unicodedata.normalize("NFKC", (unit or "")[:100]).casefold()
    text = re.sub(r"[\s_-]", "", text).rstrip(".")
    if not text:
        return 1.0
    text = re.sub(r"volts?$", "v", text)
    for prefix, letter in _PREFIXES.items():
        if text.startswith(prefix):
            text = letter + text.removeprefix(prefix)
    return _FACTORS.get(text)
