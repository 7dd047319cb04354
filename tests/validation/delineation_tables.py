"""Delineation of P, QRS and T against cardiologists' marks: the 200 records of LUDB, each lead.

The numbers of `delineation` were chosen on the records with odd numbers; what is reported is
measured on those with even ones.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import signal as dsp

from ecg_tf.evaluation.delineation import POINTS, delineate
from ecg_tf.evaluation.descriptors import strip_rpeaks
from ecg_tf.records import data_folder
from tests.validation.detector_tables import annotations, read_record, record_names

LEADS = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
ENDS = tuple(point for point in POINTS if not point.endswith("peak"))
TOLERANCES_S = (0.15, 0.04)
NEUROKIT = {"P_Onsets": "p_onset", "P_Peaks": "p_peak", "P_Offsets": "p_offset",
            "R_Onsets": "qrs_onset", "R_Offsets": "qrs_offset", "T_Onsets": "t_onset",
            "T_Peaks": "t_peak", "T_Offsets": "t_offset"}


def _neurokit(method):
    def find(ecg, rpeaks, fs):
        import neurokit2 as nk

        peaks, rate = np.round(rpeaks).astype(int), int(round(fs))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                waves = nk.ecg_delineate(ecg, peaks, sampling_rate=rate, method=method)[1]
            except Exception:  # whatever it raises where it finds no wave
                return {}
        return {ours: np.array(waves[f"ECG_{theirs}"], float) for theirs, ours in NEUROKIT.items()}

    return find


Delineator = Callable[[np.ndarray, np.ndarray, float], Mapping[str, np.ndarray]]
#: name -> function of one lead (time,) mV, its R peaks and rate, which returns positions by point.
DELINEATORS: Mapping[str, Delineator] = {
    "ecg_tf": delineate,
    **{f"neurokit2 {method}": _neurokit(method) for method in ("dwt", "cwt", "prominence")},
}


def delineation_tables(data_dir: str = "", rates: Sequence[float] = (500.0, 100.0),
                       methods: Sequence[str] = ("ecg_tf", "neurokit2 dwt", "neurokit2 prominence")
                       ) -> dict[str, pd.DataFrame]:
    """What `python -m tests.validation delineation` prints: title -> table.

    Args:
        data_dir: folder of the databases; "ludb" has to be there.
        rates: Hz, of the tables of lead II.
        methods: names out of `DELINEATORS`.

    Returns:
        a table of lead II for each rate, and `delineation_summary` of all leads.

    Raises:
        InputError: the database is not there.
    """
    title = "Delineation of LUDB, {}"
    return {title.format(f"lead II, {fs:g} Hz"): delineation_table(data_dir, methods, fs=fs)
            for fs in rates} | {
        title.format("twelve leads, means over onsets and offsets"):
            delineation_summary(data_dir, methods)}


def delineation_table(
    data_dir: str = "", methods: Sequence[str] = ("ecg_tf", "neurokit2 dwt"),
    leads: Sequence[str] = ("ii",), fs: float = 500.0, even: bool = True,
    tolerance: float = TOLERANCES_S[0],
) -> pd.DataFrame:
    """Errors of each point of each method against the marks in LUDB.

    Only what lies between a record's first and last mark counts, for LUDB leaves beats at the ends
    unmarked. Points are paired one to one, the nearest first. R peaks are found in the same lead.

    Args:
        data_dir: folder of the databases; "ludb" has to be there.
        methods: names out of `DELINEATORS`.
        leads: out of `LEADS`.
        fs: float, Hz; the signals are resampled to it, default 500, as they are.
        even: bool, records with even numbers, default True; False: the odd ones.
        tolerance: float, s, how far apart a pair may be, default 0.15.

    Returns:
        DataFrame, index = (method, point): `sensitivity`, `ppv`, `mean_ms` (positive: found later
        than marked), `sd_ms`, `marks` (number).

    Raises:
        InputError: the database is not there.

    Example:
        >>> delineation_table().loc[("ecg_tf", "t_offset"), "sd_ms"]
    """
    rows = {(method, point): _row(*_errors(points[point], tolerance))
            for method, points in _found(data_dir, methods, leads, fs, even).items()
            for point in POINTS}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["method", "point"])
    return table


def delineation_summary(
    data_dir: str = "", methods: Sequence[str] = ("ecg_tf", "neurokit2 dwt"),
    leads: Sequence[str] | None = None, fs: float = 500.0,
) -> pd.DataFrame:
    """Means over the six onsets and offsets, at both tolerances; even records.

    Arguments as in `delineation_table`; default all twelve leads.

    Returns:
        DataFrame, index = method; `sensitivity` and `ppv` at 150 and 40 ms.
    """
    out = {}
    for method, points in _found(data_dir, methods, leads or LEADS, fs, True).items():
        out[method] = {f"{what} {1000 * tolerance:g} ms": np.mean(
            [_row(*_errors(points[point], tolerance))[what] for point in ENDS])
            for tolerance in TOLERANCES_S for what in ("sensitivity", "ppv")}
    return pd.DataFrame.from_dict(out, orient="index").rename_axis("method")


def _found(data_dir, methods, leads, fs, even) -> dict:
    """method -> point -> [(seconds found, seconds marked) of each record and lead]."""
    folder = data_folder(data_dir) / "ludb"
    out: dict = {method: {point: [] for point in POINTS} for method in methods}
    for name in record_names(folder):
        if int(name.split("/")[-1]) % 2 == even:
            continue
        record = read_record(folder, name)
        for lead in leads:
            marks = annotations(folder, name, lead)
            known = marked_points(marks.sample, marks.symbol, record.fs)
            first, last = marks.sample[[0, -1]] / record.fs
            ecg = _resampled(record.p_signal[:, record.sig_name.index(lead)], record.fs, fs)
            rpeaks = strip_rpeaks(ecg[None, :, None].astype(np.float32), fs)[0]
            for method in methods:
                points = DELINEATORS[method](ecg, rpeaks, fs) if len(rpeaks) > 2 else {}
                for point in POINTS:
                    seconds = np.asarray(points.get(point, []), float) / fs
                    near = (seconds >= first - 0.02) & (seconds <= last + 0.02)
                    out[method][point].append((seconds[near], known[point]))
    return out


def marked_points(samples, symbols, fs: float) -> dict[str, np.ndarray]:
    """Seconds of each of `POINTS` from LUDB's marks: "(", "p" or "N" or "t", ")"."""
    waves = {"p": "p", "N": "qrs", "t": "t"}
    out: dict[str, list] = {point: [] for point in POINTS}
    for i, symbol in enumerate(symbols):
        if symbol not in waves:
            continue
        wave = waves[symbol]
        if wave != "qrs":
            out[f"{wave}_peak"].append(samples[i] / fs)
        if i and symbols[i - 1] == "(":
            out[f"{wave}_onset"].append(samples[i - 1] / fs)
        if i + 1 < len(symbols) and symbols[i + 1] == ")":
            out[f"{wave}_offset"].append(samples[i + 1] / fs)
    return {point: np.array(seconds) for point, seconds in out.items()}


def _errors(pairs, tolerance: float) -> tuple[np.ndarray, int, int]:
    """(errors in s of what was paired one to one, the nearest first; number found; marked)."""
    errors = []
    for found, known in pairs:
        apart = found[:, None] - known
        near = np.argwhere(np.abs(apart) <= tolerance)
        rows, columns = set(), set()
        for i, j in near[np.argsort(np.abs(apart[tuple(near.T)]), kind="stable")]:
            if i not in rows and j not in columns:
                rows.add(i)
                columns.add(j)
                errors.append(apart[i, j])
    counts = [sum(len(pair[side]) for pair in pairs) for side in (0, 1)]
    return np.array(errors), counts[0], counts[1]


def _row(errors, found: int, marks: int) -> dict:
    ms = 1000 * errors if len(errors) else np.array([np.nan])
    return {"sensitivity": len(errors) / max(marks, 1), "ppv": len(errors) / max(found, 1),
            "mean_ms": ms.mean(), "sd_ms": ms.std(), "marks": marks}


def _resampled(lead, old, new):
    if old == new:
        return lead
    ratio = Fraction(new / old).limit_denominator(1000)
    return dsp.resample_poly(lead, ratio.numerator, ratio.denominator, padtype="line")
