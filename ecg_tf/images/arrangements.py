"""The registry of arrangements, by name."""

from ecg_tf.base.checks import choice
from ecg_tf.images.arrangement import Arrangement
from ecg_tf.images.beat_rows import BeatRows
from ecg_tf.images.beat_strips import BeatStrips
from ecg_tf.images.fixed_paths import (
    ColumnMajor,
    Hilbert,
    RgbInterleaved,
    RgbLeads,
    RgbPlanar,
    RgbTiles,
    RowMajor,
    Serpentine,
)

ARRANGEMENTS: dict[str, type[Arrangement]] = {kind.name: kind for kind in (
    RowMajor, ColumnMajor, Serpentine, Hilbert, RgbInterleaved, RgbLeads, RgbPlanar, RgbTiles,
    BeatRows, BeatStrips)}


def make_arrangement(name: str, height: int, width: int, leads: int = 1, **options) -> Arrangement:
    """An arrangement by name.

    Args:
        name: str, one of `ARRANGEMENTS`.
        height, width: int, pixels; for "beat_rows" and "beat_strips" beats and pixels a beat.
        options: `length`, `fit` for fixed ones; `fs`, `before`, `core_s`, `rr_min_s`, `rr_max_s`
            for those by beats, and `length` for "beat_strips".

    Raises:
        InputError: unknown name or option.

    Example:
        >>> make_arrangement("rgb_planar", 32, 32).window_length
        3072
    """
    kind = ARRANGEMENTS[choice(name, "arrangement", ARRANGEMENTS)]
    for option in options:
        choice(option, f"option of '{name}'", kind.options)
    return kind(height, width, leads, **options)  # type: ignore[call-arg]


def arrangement_from_dict(state: dict) -> Arrangement:
    """Undoes `to_dict` of any arrangement; a wrong state is refused with an InputError."""
    name = state.get("name") if isinstance(state, dict) else None
    return ARRANGEMENTS[choice(name, "arrangement", ARRANGEMENTS)].from_dict(state)
