"""One way from raw records to windows: of training, evaluation, codec, files and figures alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from ecg_tf.base.checks import known_keys, number
from ecg_tf.base.errors import InputError
from ecg_tf.records import Record
from ecg_tf.records.splits import PARTS
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.quality import Prepared, Quality
from ecg_tf.signals.windows import Windows, select_part


@dataclass(frozen=True)
class Preparation:
    """How raw records become windows.

    Args:
        fs: float, Hz, after resampling. Default 128.
        band_low, band_high: float, Hz, edges of the band-pass; 0 for none. Default 0.5 and 40.
        notch: float, Hz, mains frequency to take out; 0 for none. Default 0.
        window_seconds: float, s, of a window, where neither beats nor the size of an image decide
            about its length; 0: as the records allow. Default 0.
        overlap: float, share of a window that it has in common with the next. Default 0.75.

    Example:
        >>> prepared = Preparation(fs=100.0).clean(load("simulated"))
    """

    fs: float = 128.0
    band_low: float = 0.5
    band_high: float = 40.0
    notch: float = 0.0
    window_seconds: float = 0.0
    overlap: float = 0.75

    @classmethod
    def of(cls, settings) -> "Preparation":
        """The preparation of an experiment, or of whatever has settings of these names."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(Preparation)})

    @classmethod
    def from_dict(cls, state) -> "Preparation":
        """Undoes `vars`; whatever is wrong in the state is refused with an InputError."""
        known_keys(state, [field.name for field in fields(cls)], "the preparation")
        largest = {"fs": 1e6, "overlap": 0.99}
        return cls(**{name: number(value, name, 0.0, largest.get(name, 1e5))
                      for name, value in state.items()})

    def clean(self, records: Iterable[Record], quality: Quality | None = None) -> list[Prepared]:
        """Records ready for cutting, see `filtering.prepare`."""
        return [prepare(record, self.fs, self.band_low, self.band_high, self.notch, quality)
                for record in records]


def by_part(windows: Windows, split: Mapping[str, Sequence[str]]) -> dict[str, Windows]:
    """Part -> the windows of its subjects, of parts that have some. InputError: none are left to
    train, or to test."""
    present = set(np.unique(windows.subjects))
    check_parts([part for part in PARTS if present.intersection(split[part])])
    return {part: select_part(windows, split, part) for part in PARTS
            if present.intersection(split[part])}


def check_parts(found: Sequence[str], what: str = "windows") -> None:
    """Refuses a set without windows of the training or the test subjects."""
    missing = [part for part in ("train", "test") if part not in found]
    if missing:
        raise InputError(
            f"The quality gate left no {what} of the {' and '.join(missing)} subjects.",
            expected="at least one window", got="none",
            fix="look at the records, or relax the window length and the filters",
        )
