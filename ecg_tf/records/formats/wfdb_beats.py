"""Annotated beats of one WFDB record."""

import math
import re
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records.formats.headers import check_links, read_header
from ecg_tf.records.record import BEAT_SYMBOLS

#: Annotation files looked for, best first: "atr" holds reference annotations by convention.
ANNOTATORS = ("atr", "ecg", "qrs")
_NOTE = 22  # WFDB's code of an annotation that is a comment


def read_beats(path: Path, fs: float, n_samples: int, root: Path | None = None,
               frames_fs: float = 0.0) -> tuple[np.ndarray, np.ndarray, str]:
    """Reads the annotated beats of a WFDB record.

    Args:
        path: Path of the record without extension.
        fs: float, Hz, sampling rate of the signal they belong to.
        n_samples: int, samples of the signal; annotations outside it are dropped.
        root: Path of the folder that no file may lie outside of. Default: the record's own.
        frames_fs: float, Hz, rate of the header's frames, in which annotations count whose file
            states no rate. Default: the header is read for it.

    Returns:
        (beat,) int64 positions in time order, (beat,) str symbols, name of the file read
        ("" and empty arrays if there is none).

    Raises:
        InputError: the file is malformed.
    """
    files = (path.with_name(f"{path.name}.{extension}") for extension in ANNOTATORS)
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return np.zeros(0, np.int64), np.zeros(0, "<U1"), ""
    check_links(file, root or path.parent)
    try:
        samples, symbols, own_fs = _annotations(path, file.suffix[1:])
        counted_in = own_fs or frames_fs or read_header(path, root).fs
        if not math.isclose(counted_in, fs):
            samples = np.rint(samples * (fs / counted_in))
        is_beat = np.isin(symbols, list(BEAT_SYMBOLS)) & (samples >= 0) & (samples < n_samples)
        samples, symbols = samples[is_beat].astype(np.int64), symbols[is_beat].astype("<U1")
    except Exception as error:  # wfdb has no exception of its own: any of them means a bad file
        raise InputError(
            f"Annotation file '{file}' cannot be read.",
            expected="a WFDB annotation file",
            got=f"{type(error).__name__}: {error}",
            fix="fetch the file again, or move it away to read the signal without beats",
        ) from error
    order = np.argsort(samples, kind="stable")
    return samples[order], symbols[order], file.name


def _annotations(path: Path, extension: str) -> tuple[np.ndarray, np.ndarray, float]:
    """(annotation,) int64 positions, (annotation,) str symbols, and the rate that the file states.

    As `wfdb.rdann`, but that reads the header too, whose bytes it would drop, and calls codes
    without a meaning "nan", of which "n" would be a beat. 0 Hz if the file states no rate.
    """
    from wfdb.io import annotation as wfdb

    data = wfdb.load_byte_pairs(str(path.absolute()), extension, None)
    sample, codes, _, _, _, notes = wfdb.proc_ann_bytes(data, None)
    fs, meaning = 0.0, {label.label_store: label.symbol for label in wfdb.ann_labels}
    for position, code, note in zip(sample, codes, notes, strict=True):
        if position != 0 or code != _NOTE:  # definitions stand first
            break
        if not fs and (match := re.match(r"## time resolution: (\d{1,9}(?:\.\d{1,9})?)", note)):
            fs = float(match[1])
        elif match := re.fullmatch(r"(\d{1,2}) (\S+) .+", note):
            meaning[int(match[1])] = match[2]
    symbols = [meaning.get(code, "") for code in codes]
    return np.asarray(sample, np.int64), np.asarray(symbols, str), fs
