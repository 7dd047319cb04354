"""One column of a health table to numbers in [-1, 1] and back: numbers, yes or no, categories."""

import math
import numbers
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from ecg_tf.base.checks import choice, known_keys, number
from ecg_tf.base.errors import InputError
from ecg_tf.images.quantize import HALF_STEP

KINDS = {
    "numeric": "smallest to largest training value as -1 to 1",
    "binary": "two levels, at -1 and 1; decoded by the nearer one",
    "categorical": "equally spaced levels from -1 to 1; decoded by the nearest one",
}
MOST_LEVELS = 256  # as many as an 8-bit image can distinguish
LARGEST = 1e100  # of a number in a table


@dataclass(frozen=True)
class Column:
    """What has to be remembered of a column to write it as pixels and to read it back.

    Args:
        name: str.
        kind: str, one of `KINDS`.
        low, high: float, range of the training values, for "numeric".
        whole: bool, all training values were whole numbers: decoded by rounding.
        levels: tuple of str, bool or numbers, for "binary" and "categorical", in their order.
        missing: bool, training values were missing; the column then has a mark of its own.

    Raises:
        InputError: values that do not go together.
    """

    name: str
    kind: str
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    levels: tuple = ()
    missing: bool = False

    def __post_init__(self):
        choice(self.kind, f"kind of column '{self.name}'", KINDS)
        number(self.low, f"low of column '{self.name}'", -LARGEST, LARGEST)
        number(self.high, f"high of column '{self.name}'", self.low, LARGEST)
        n = len(self.levels)
        right = {"numeric": n == 0, "binary": n == 2, "categorical": 1 <= n <= MOST_LEVELS}
        families = {_family(level) for level in self.levels}
        if not right[self.kind] or len(set(self.levels)) < n or len(families) > 1:
            raise InputError(f"The levels of column '{self.name}' do not fit its kind.",
                             expected=f"{self.kind}: no levels for numeric, 2 different ones for "
                             f"binary, 1 to {MOST_LEVELS} of one type for categorical",
                             got=f"{n} levels", fix="choose another kind for this column")

    def standardize(self, series) -> np.ndarray:
        """Values to [-1, 1]; numbers outside the training range are clipped.

        Args:
            series: (n,) pandas Series or sequence.

        Returns:
            (n,) float64, NaN where a value is missing.

        Raises:
            InputError: a level never seen, text among numbers, a gap where training had none.
        """
        values, family = plain_values(series, self.name)
        gaps = pd.isna(values)
        if gaps.any() and not self.missing:
            raise InputError(f"Column '{self.name}' has {int(gaps.sum())} missing values.",
                             expected="none, as in the rows the codec was fitted on", got="gaps",
                             fix="fit on rows that have gaps too, or drop these rows")
        out = np.full(len(values), np.nan)
        if self.kind == "numeric":
            if family not in ("number", "nothing"):
                raise InputError(f"Column '{self.name}' holds {family}.", expected="numbers",
                                 got=str(values[~gaps][0])[:40], fix="clean this column")
            centre, half = self._scale()
            out[~gaps] = np.clip((values[~gaps].astype(float) - centre) / (half or 1.0), -1, 1)
            return out
        known = {level: k for k, level in enumerate(self.levels)}
        unknown = [value for value in values[~gaps] if value not in known]
        if unknown:
            raise InputError(f"Column '{self.name}' has a level that training did not have.",
                             expected=", ".join(map(str, self.levels[:8])), got=unknown[0],
                             fix="fit on rows that show all levels, or leave these rows out")
        index = np.array([known[value] for value in values[~gaps]], float)
        out[~gaps] = self.positions[index.astype(int)]
        return out

    def restore(self, numbers_, missing=None) -> pd.Series:
        """Numbers (n,), clipped to [-1, 1], to values: undoes `standardize`; a category is the
        nearest level. Float64 or int64, or the levels' own type; NaN where `missing`."""
        numbers_ = np.clip(np.asarray(numbers_, np.float64), -1, 1)
        gaps = np.zeros(len(numbers_), bool) if missing is None else np.asarray(missing, bool)
        if self.kind == "numeric":
            centre, half = self._scale()
            values = np.clip(centre + numbers_ * half, self.low, self.high)
            values = np.rint(values) if self.whole else values
            if self.whole and not gaps.any():
                return pd.Series(values.astype(np.int64), name=self.name)
            return pd.Series(np.where(gaps, np.nan, values), name=self.name)
        levels = np.empty(len(self.levels), object)
        levels[:] = self.levels
        values = levels[self.nearest(numbers_)]
        values[gaps] = np.nan
        return pd.Series(values, name=self.name, dtype=object).infer_objects()

    def nearest(self, numbers_) -> np.ndarray:
        """Index of the nearest level of each number, (n,) int."""
        top = len(self.levels) - 1
        return np.clip(np.rint((np.asarray(numbers_) + 1) / 2 * top), 0, top).astype(int)

    @property
    def positions(self) -> np.ndarray:
        """Where the levels lie: (level,) float64, equally spaced; a single one lies at 0."""
        return np.linspace(-1, 1, len(self.levels)) if len(self.levels) > 1 else np.zeros(1)

    def error_bound(self, quantization: str = "float32") -> float:
        """Largest error of the round trip through pixels within the training range, in the column's
        unit: (high - low) / 2 times half a grid step. 0 for levels, and for whole numbers as long
        as the grid tells them apart."""
        if self.kind != "numeric":
            return 0.0
        step = HALF_STEP[quantization] + (0 if quantization == "float32" else 2.0**-24)
        ulp = 4 * np.finfo(float).eps * max(abs(self.low), abs(self.high))
        bound = self._scale()[1] * step + ulp
        if self.whole:
            return 0.0 if bound < 0.5 else math.ceil(bound + 0.5)
        return bound

    def to_dict(self) -> dict:
        """State as plain numbers, lists and text, for JSON."""
        return asdict(self) | {"levels": list(self.levels)}

    @classmethod
    def from_dict(cls, state: dict) -> "Column":
        """Undoes `to_dict`; whatever is wrong in the state is refused with an InputError."""
        known_keys(state, [field.name for field in fields(cls)], "a column's state")
        typed = isinstance(state["name"], str) and isinstance(state["levels"], list)
        typed = typed and len(state["levels"]) <= MOST_LEVELS and all(
            isinstance(state[key], bool) for key in ("whole", "missing"))
        if not typed or not all(_family(level) for level in state["levels"]):
            raise InputError("A column's state is of the wrong type.", got=str(state)[:80],
                             expected="a name, true or false, levels of text or numbers",
                             fix="load the file that TableCodec.save wrote")
        return cls(**state | {"levels": tuple(state["levels"])})

    def _scale(self) -> tuple[float, float]:
        return self.low / 2 + self.high / 2, self.high / 2 - self.low / 2


def fit_column(series: pd.Series, kind: str | None = None) -> Column:
    """The column of training values.

    Args:
        series: (n,) training values, named.
        kind: str, one of `KINDS`; default: numbers with more than two values are "numeric", two
            different values of any type are "binary", everything else is "categorical".

    Returns:
        Column. Levels are sorted; those of a pandas Categorical keep their own order.

    Raises:
        InputError: nothing but gaps, dates or mixed types, infinite numbers, or text that is
            different in most rows (a name or an identifier, which does not belong into a GAN).
    """
    name = series.name
    values, family = plain_values(series, name)
    gaps = pd.isna(values)
    if gaps.all():
        raise InputError(f"Column '{name}' has no values.", expected="one or more",
                         got=f"{len(values)} gaps", fix="drop this column")
    if isinstance(series.dtype, pd.CategoricalDtype):
        levels = list(plain_values(pd.Series(list(series.cat.categories)), name)[0])
    else:
        levels = sorted(set(values[~gaps]))
    if kind is None:
        kind = "binary" if len(levels) == 2 else "categorical"
        kind = "numeric" if family == "number" and len(levels) > 2 else kind
    choice(kind, f"kind of column '{name}'", KINDS)
    if kind == "numeric":
        if family != "number":
            raise InputError(f"Column '{name}' holds {family}.", expected="numbers",
                             got=str(levels[0])[:40], fix="take the kind 'categorical'")
        known = values[~gaps].astype(float)
        whole = bool((known == np.rint(known)).all() and np.abs(known).max() < 2**53)
        return Column(name, kind, float(known.min()), float(known.max()), whole,
                      missing=bool(gaps.any()))
    n = int((~gaps).sum())
    if len(levels) > MOST_LEVELS or (family == "text" and n >= 20 and len(levels) > n / 2):
        raise InputError(f"Column '{name}' has {len(levels)} different values in {n} rows.",
                         expected=f"a few levels, {MOST_LEVELS} at most", got=str(levels[0])[:40],
                         fix="drop it if it is a name, a date or an identifier; else group levels")
    return Column(name, kind, levels=tuple(levels), missing=bool(gaps.any()))


def plain_values(series, name: str) -> tuple[np.ndarray, str]:
    """A column's values as plain Python, (n,) of dtype object: float or int, bool, str; NaN where
    missing. And what they are: "number", "truth", "text" or "nothing". InputError: mixed types,
    dates or other objects, infinite or huge numbers."""
    series = pd.Series(series)
    values = series.astype(object).to_numpy(copy=True)
    gaps = pd.isna(values)
    values[gaps] = np.nan
    values[~gaps] = [v.item() if isinstance(v, np.generic) else v for v in values[~gaps]]
    families = {_family(value) for value in values[~gaps]}
    if len(families) > 1 or not all(families):
        some = sorted({type(value).__name__ for value in values[~gaps]})
        raise InputError(f"Column '{name}' cannot be encoded.", got=" and ".join(some),
                         expected="only numbers, only text, or only true and false",
                         fix="make it one type, dates into numbers of days for instance")
    family = families.pop() if families else "nothing"
    if family == "number":
        # Compared before float(): a whole number of 400 digits cannot become one.
        huge = [v for v in values[~gaps] if not -LARGEST <= v <= LARGEST]
        if huge:
            raise InputError(f"Column '{name}' has infinite or huge numbers.",
                             expected=f"numbers within {LARGEST:g}",
                             got=f"{len(huge)} others",
                             fix="replace them, by a gap for instance")
    return values, family


def _family(value) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, numbers.Real) else ""
