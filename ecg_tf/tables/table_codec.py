"""Health tables to images and back: one record, one image.

A table has no neighbourhoods, so an image of it is no picture. Whether a GAN learns it all the same
is the question of 02_hypothesis.ipynb.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_tf.base.checks import choice, count, known_keys
from ecg_tf.base.errors import InputError, closest, write_whole
from ecg_tf.images.arrangements import make_arrangement
from ecg_tf.images.fixed_paths import FITS, FixedArrangement
from ecg_tf.images.quantize import HALF_STEP, on_grid
from ecg_tf.tables.table_columns import KINDS, Column, fit_column

FORMAT, VERSION = "ecg_tf table codec", 1
LARGEST_FILE = 2**24  # bytes
MOST_COLUMNS = 4096
ARRANGEMENTS = ("row_major", "column_major", "serpentine", "hilbert")


class TableCodec:
    """Rows of a table to images in [-1, 1] and back, fitted on training rows.

    A record becomes a list of cells: one for each column, then a mark for each column with missing
    values (1 missing, -1 there; a missing value's own cell is 0). The cells fill the image along a
    path, one pixel each ("pad"), over and over ("tile") or a block of pixels each ("replicate");
    copies are decoded by their mean.

    Args:
        height, width: int, pixels. Default 16 x 16.
        arrangement: str, path of the cells: "row_major" (default), "column_major", "serpentine"
            or "hilbert" (square blocks, for sides that are a power of two).
        fill: str, "replicate" (default), "tile" or "pad".
        quantization: str, grid of the pixels: "uint8", "uint16", "float16", "float32" (default).
        kinds: mapping column -> "numeric", "binary" or "categorical", for columns whose kind
            cannot be seen (a category written as 1, 2, 3). Default none.

    Raises:
        InputError: an unknown name or an impossible size.

    Example:
        >>> codec = TableCodec(8, 8).fit(pd.DataFrame({"age": [20, 40, 60], "sex": list("fmf")}))
        >>> codec.decode(codec.encode(pd.DataFrame({"age": [30], "sex": ["m"]}))).iloc[0].tolist()
        [30, 'm']
    """

    def __init__(self, height: int = 16, width: int = 16, *, arrangement: str = "row_major",
                 fill: str = "replicate", quantization: str = "float32",
                 kinds: Mapping[str, str] | None = None):
        self.height = count(height, "height", 1, 1024)
        self.width = count(width, "width", 1, 1024)
        self.arrangement_name = choice(arrangement, "arrangement of a table", ARRANGEMENTS)
        self.fill = choice(fill, "fill", FITS)
        self.quantization = choice(quantization, "quantization", HALF_STEP)
        self.kinds = dict(kinds or {})
        for name, kind in self.kinds.items():
            choice(kind, f"kind of column '{name}'", KINDS)
        self.columns: tuple[Column, ...] = ()
        self.arrangement: FixedArrangement = None  # type: ignore[assignment]  # set by fit

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, 1)."""
        return (self.height, self.width, 1)

    def fit(self, table: pd.DataFrame) -> "TableCodec":
        """Learns kind, range and levels of each column.

        Args:
            table: DataFrame of the training rows only, else the ranges leak the others.

        Returns:
            itself.

        Raises:
            InputError: no rows, unusable columns (see `fit_column`), more cells than pixels.
        """
        _check_frame(table)
        for name in self.kinds:
            if name not in table.columns:
                raise InputError(f"'kinds' names a column that is not there: '{name}'.",
                                 expected="one of " + ", ".join(table.columns[:20]), got=name,
                                 fix=closest(name, table.columns) or "leave it out")
        return self._set([fit_column(table[c], self.kinds.get(c)) for c in table.columns])

    def standardize(self, table: pd.DataFrame) -> np.ndarray:
        """All columns as numbers, as the measures take them.

        Args:
            table: DataFrame with the columns the codec was fitted on, in any order.

        Returns:
            (row, column) float64 in [-1, 1], NaN where a value is missing.

        Raises:
            InputError: missing columns, new levels, gaps where training had none.
        """
        self._need_fit()
        _check_frame(table)
        wanted = [column.name for column in self.columns]
        absent = [name for name in wanted if name not in table.columns]
        strange = [name for name in table.columns if name not in wanted]
        if absent or strange:
            raise InputError("The table has other columns than the codec.",
                             expected=", ".join(wanted[:20]),
                             got=f"missing {absent[:5]}, unknown {strange[:5]}",
                             fix="encode the columns that fit() saw")
        return np.stack([c.standardize(table[c.name]) for c in self.columns], 1)

    def encode(self, table: pd.DataFrame) -> np.ndarray:
        """Rows to images; see `standardize` for what can be wrong.

        Returns:
            (row, height, width, 1) float32 in [-1, 1].
        """
        values = self.standardize(table)
        marks = np.where(np.isnan(values[:, self._gappy]), 1.0, -1.0)
        cells = np.concatenate([np.nan_to_num(values), marks], 1)
        return self.arrangement.encode(on_grid(cells, self.quantization)[..., None])

    def decode(self, images) -> pd.DataFrame:
        """Images to rows: undoes `encode`, within `error_bound`; also of generated images.

        Args:
            images: (row, height, width, 1).

        Returns:
            DataFrame, a value in each column or NaN where it is missing.

        Raises:
            InputError: another shape, or NaN or inf (a generator that diverged).
        """
        cells = self.cells(images)
        missing = np.zeros((len(cells), len(self.columns)), bool)
        missing[:, self._gappy] = cells[:, len(self.columns):] > 0
        return pd.DataFrame({column.name: column.restore(cells[:, k], missing[:, k])
                             for k, column in enumerate(self.columns)})

    def cells(self, images) -> np.ndarray:
        """The images' values before decoding: (row, cell) float64, columns then marks."""
        self._need_fit()
        images = np.asarray(images)
        images = images if images.dtype.kind == "f" else images.astype(np.float32)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise InputError("The images do not fit the table's codec.",
                             expected=f"(row, {self.height}, {self.width}, 1)",
                             got=f"shape {images.shape}",
                             fix="decode with the codec that made them")
        if not np.isfinite(images).all():
            raise InputError("The images hold NaN or inf.", expected="finite values in [-1, 1]",
                             got=f"{int((~np.isfinite(images)).sum())} others",
                             fix="the generator diverged: train it with a smaller learning rate")
        return self.arrangement.decode(images)[..., 0].astype(np.float64)

    def tile_variance(self, images) -> float:
        """Mean variance among the pixels of a cell: 0 for encoded images, more for generated."""
        self._need_fit()
        return self.arrangement.tile_variance(images)

    def categories(self) -> tuple[np.ndarray, np.ndarray]:
        """Which cells hold levels (marks are two levels too), and how many: two (k,) int."""
        n = len(self.columns)
        at = [k for k, c in enumerate(self.columns) if c.kind != "numeric"]
        levels = [len(self.columns[k].levels) for k in at] + [2] * len(self._gappy)
        return np.array(at + list(range(n, n + len(self._gappy))), int), np.array(levels, int)

    def error_bound(self) -> dict[str, float]:
        """Largest error of `decode(encode(row))` within the training range, column by column."""
        return {column.name: column.error_bound(self.quantization) for column in self.columns}

    def round_trip(self, table: pd.DataFrame) -> pd.DataFrame:
        """Errors of encoding and decoding these rows, no GAN involved.

        Args:
            table: DataFrame.

        Returns:
            DataFrame, one row a column: `kind`, `levels`, `missing_percent`, `clipped_percent`
            (beyond the training range), `largest_error` of the others and its stated `bound`; for
            levels the error is the share decoded to another one.
        """
        back, rows = self.decode(self.encode(table)), []
        for column in self.columns:
            old = table[column.name].reset_index(drop=True)
            new, there = back[column.name], table[column.name].notna().to_numpy()
            clipped = np.zeros(len(old), bool)
            if column.kind == "numeric":
                old, new = old.to_numpy(float, na_value=np.nan), new.to_numpy(float)
                clipped[there] = (old[there] < column.low) | (old[there] > column.high)
                error = np.abs(old - new)[there & ~clipped]
            else:
                error = (old[there].astype(object) != new[there].astype(object)).to_numpy()
            rows.append({"column": column.name, "kind": column.kind,
                         "levels": len(column.levels) or "",
                         "missing_percent": 100 * float((~there).mean()),
                         "clipped_percent": 100 * float(clipped.mean()),
                         "largest_error": float(error.max(initial=0)),
                         "bound": column.error_bound(self.quantization)})
        return pd.DataFrame(rows).set_index("column")

    def save(self, path) -> Path:
        """Writes the codec as JSON, whole or not at all."""
        self._need_fit()
        return write_whole(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path) -> "TableCodec":
        """Undoes `save`.

        Raises:
            InputError: no file, no JSON, too large, or a value that is not as it must be.
        """
        try:
            with open(path, "rb") as file:
                text = file.read(LARGEST_FILE + 1)
            if len(text) > LARGEST_FILE:
                raise ValueError(f"more than {LARGEST_FILE} bytes")
            state = json.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"Cannot read the table codec '{path}'.",
                             expected="a file written by TableCodec.save",
                             got=f"{type(error).__name__}: {str(error)[:80]}",
                             fix="give the file that was saved beside the images") from error
        return cls.from_dict(state)

    def to_dict(self) -> dict:
        """State as plain numbers, lists and text, for JSON."""
        return {"format": FORMAT, "version": VERSION, "height": self.height, "width": self.width,
                "arrangement": self.arrangement_name, "fill": self.fill,
                "quantization": self.quantization,
                "columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, state: dict) -> "TableCodec":
        """Undoes `to_dict`; whatever is wrong in the state is refused with an InputError."""
        options = ("height", "width", "arrangement", "fill", "quantization")
        known_keys(state, ("format", "version", *options, "columns"), "the table codec")
        if state["format"] != FORMAT or state["version"] != VERSION:
            raise InputError("This table codec is of another format.",
                             expected=f"{FORMAT}, {VERSION}", got=str(state["format"])[:40],
                             fix="load it with the version of ecg_tf that wrote it")
        if not isinstance(state["columns"], list) or not 0 < len(state["columns"]) <= MOST_COLUMNS:
            raise InputError("The table codec has no columns.", got=str(state["columns"])[:40],
                             expected=f"a list of 1 to {MOST_COLUMNS}", fix="save a fitted codec")
        columns = [Column.from_dict(column) for column in state["columns"]]
        if len({column.name for column in columns}) < len(columns):
            raise InputError("Two columns of the table codec have one name.",
                             expected="different names", fix="save a fitted codec")
        made = cls(**{key: state[key] for key in options})
        made.kinds = {column.name: column.kind for column in columns}
        return made._set(columns)

    def _set(self, columns) -> "TableCodec":
        gappy = np.array([k for k, c in enumerate(columns) if c.missing], int)
        cells = len(columns) + len(gappy)
        if cells > self.height * self.width:
            side = math.ceil(math.sqrt(cells))
            raise InputError(f"The record does not fit into a {self.height} x {self.width} image.",
                             expected=f"{self.height * self.width} cells at most", got=f"{cells} "
                             f"({len(columns)} columns, {len(gappy)} marks of missing values)",
                             fix=f"take height and width of {side} or more")
        self.arrangement = make_arrangement(  # type: ignore[assignment]  # all four are fixed
            self.arrangement_name, self.height, self.width, length=cells, fit=self.fill)
        self.columns, self._gappy = tuple(columns), gappy
        return self

    def _need_fit(self) -> None:
        if not self.columns:
            raise InputError("The table codec is not fitted.", expected="a fitted codec",
                             got="one without columns", fix="call codec.fit(table)")


def _check_frame(table) -> None:
    frame = isinstance(table, pd.DataFrame)
    if not frame or not len(table) or not 0 < table.shape[1] <= MOST_COLUMNS:
        raise InputError("This is no table that can be encoded.",
                         expected=f"a DataFrame with rows and 1 to {MOST_COLUMNS} columns",
                         got=f"shape {table.shape}" if frame else type(table).__name__,
                         fix="read one with table_files.load_table")
    names = list(table.columns)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), names[0])
        raise InputError("Columns need different names.", expected="text, each once",
                         got=repr(twice)[:60], fix="rename the columns")
