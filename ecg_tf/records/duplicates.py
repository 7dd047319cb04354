"""The same recording twice: equal samples, or one recording at two sampling rates."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

from ecg_tf.records.ecgs import LeftOut
from ecg_tf.records.record import Record

BLOCKS = 64  # means over so many equal parts of a recording tell it from others
#: Correlation of two readings of one recording: of the means (candidates), then of the samples.
#: Among 2.6 million pairs of different PTB-XL recordings the largest were 0.95 and 0.87.
CANDIDATE, ALIKE = 0.95, 0.98
SIMPLE = 20  # rates of one recording have a ratio of whole numbers up to this
LONGEST_S = 60.0  # s that are compared sample by sample
USUAL_HZ = 100.0  # of several rates the lowest from here on is taken
CHUNK = 2048  # recordings compared with all others at once


def samples_digest(signal: np.ndarray) -> str:
    """Checksum of a signal's samples, (time, lead) float32."""
    data = np.ascontiguousarray(signal, np.float32)
    return hashlib.blake2b(data.data, digest_size=16, person=b"%d" % data.shape[1]).hexdigest()


def digest_of(record: Record) -> str:
    """`samples_digest` of a record, as it was taken when the record was read."""
    return record.source.get("samples") or samples_digest(record.signal)


def without_duplicates(records: Sequence[Record],
                       rate: float = 0.0) -> tuple[list[Record], list[LeftOut], list[str]]:
    """Keeps one reading of every recording: records kept, in their order; those left out; warnings.

    Equal samples are found by their checksum, one recording at two rates by its shape: the means
    over 64 equal parts, then the samples themselves, correlate. Of several rates the nearest to
    `rate` (Hz) is kept; 0: the lowest of at least 100 Hz, else the highest. Persons whom one
    recording belongs to are counted as one person, who then is on one side of a split.
    """
    preferred = sorted(range(len(records)), key=lambda k: (_rank(records[k].fs, rate), k))
    same: dict[int, int] = {}  # a reading -> the one that is kept
    _equal_samples(records, preferred, same)
    _two_rates(records, [k for k in preferred if k not in same], same)
    left_out = [LeftOut(records[k].name, "duplicate",
                        f"the same recording as '{records[same[k]].name}' "
                        f"({records[same[k]].fs:g} Hz)") for k in sorted(same)]
    kept = [record for k, record in enumerate(records) if k not in same]
    return *_one_person(records, same, kept, left_out),


def _rank(fs: float, rate: float) -> float:
    if rate:
        return abs(fs - rate)
    return fs if fs >= USUAL_HZ else 1e6 - fs


def _equal_samples(records, preferred, same) -> None:
    first: dict[str, int] = {}
    for k in preferred:
        if (kept := first.setdefault(digest_of(records[k]), k)) != k:
            same[k] = kept


def _two_rates(records, preferred, same) -> None:
    by_length: dict[float, list[int]] = {}
    for k in preferred:
        by_length.setdefault(round(len(records[k].signal) / records[k].fs, 1), []).append(k)
    for group in by_length.values():
        if len({records[k].fs for k in group}) > 1:
            _match(records, group, same)


def _match(records, group, same) -> None:
    """Of each pair of alike recordings of two rates the later in `group` is the duplicate."""
    shapes = np.stack([_shape(records[k].signal[:, 0]) for k in group])
    rates = np.array([records[k].fs for k in group])
    for start in range(0, len(group), CHUNK):
        part = slice(start, start + CHUNK)
        alike = shapes[part] @ shapes.T > CANDIDATE
        alike &= rates[part, None] != rates[None]
        for row, column in zip(*np.nonzero(alike), strict=True):
            kept, other = group[start + row], group[column]
            if start + row < column and kept not in same and other not in same \
                    and _agree(records[kept], records[other]):
                same[other] = kept


def _shape(values: np.ndarray) -> np.ndarray:
    """(BLOCKS,) means over equal parts, of mean 0 and length 1: alike at any sampling rate."""
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values), dtype=np.float64)])
    edges = np.interp(np.linspace(0, len(values), BLOCKS + 1), np.arange(len(total)), total)
    means = np.diff(edges)
    means -= means.mean()
    return (means / (np.linalg.norm(means) or 1.0)).astype(np.float32)


def _agree(one: Record, other: Record) -> bool:
    """Whether the samples of two readings agree, the first lead of both at the lower rate."""
    slow, fast = sorted((one, other), key=lambda record: record.fs)
    ratio = Fraction(fast.fs / slow.fs).limit_denominator(SIMPLE)
    if abs(ratio * slow.fs / fast.fs - 1) > 1e-6:
        return False  # no one resamples from 249.89 to 499.31 Hz: two devices, or two clocks
    count = min(len(slow.signal), int(LONGEST_S * slow.fs))
    low = np.nan_to_num(slow.signal[:count, 0])
    high = np.nan_to_num(fast.signal[: int(count * fast.fs / slow.fs), 0])
    high = resample_poly(high, ratio.denominator, ratio.numerator, padtype="line")[:count]
    low = low[: len(high)]
    spread = np.std(low), np.std(high)
    if not min(spread) > 0.8 * max(spread) > 0:
        return False  # flat, or of another height
    return bool(np.corrcoef(low, high)[0, 1] > ALIKE)


def _one_person(records, same, kept, left_out):
    """Persons of one recording become one; whoever is named by the record only is no person."""
    other_name: dict[str, str] = {}
    for k, first in same.items():
        mine, theirs = records[k].subject, records[first].subject
        if mine != theirs and mine != records[k].name:
            other_name[mine] = theirs
    warnings = [f"The same recording stands under '{mine}' and '{theirs}': they are counted as one "
                "person." for mine, theirs in sorted(other_name.items())]
    if other_name:
        kept = [replace(r, subject=_last(r.subject, other_name)) for r in kept]
    return kept, left_out, warnings[:5]


def _last(name: str, other_name: dict[str, str]) -> str:
    seen = set()
    while name in other_name and name not in seen:
        seen.add(name)
        name = other_name[name]
    return name
