"""How near to cardiologists' marks P, QRS and T are found: LUDB, its 200 records, each lead marked.

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
from ecg_tf.evaluation.validation.detector_tables import annotations, read_record, record_names
from ecg_tf.records import data_folder

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
    folder = data_folder(data_dir) / "ludb"
    names = [name for name in record_names(folder) if int(name.split("/")[-1]) % 2 == (not even)]
    errors = {(method, point): _Errors() for method in methods for point in POINTS}
    for name in names:
        record = read_record(folder, name)
        for lead in leads:
            marks = annotations(folder, name, lead)
            known = marked_points(marks.sample, marks.symbol, record.fs)
            span = marks.sample[[0, -1]] / record.fs
            ecg = _resampled(record.p_signal[:, record.sig_name.index(lead)], record.fs, fs)
            rpeaks = strip_rpeaks(ecg[None, :, None].astype(np.float32), fs)[0]
            for method in methods:
                found = DELINEATORS[method](ecg, rpeaks, fs) if len(rpeaks) > 2 else {}
                for point in POINTS:
                    seconds = np.asarray(found.get(point, []), float) / fs
                    errors[method, point].add(seconds, known[point], span, tolerance)
    table = pd.DataFrame.from_dict({key: one.row() for key, one in errors.items()}, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["method", "point"])
    return table


def lead_ii_tables(data_dir: str = "", rates: Sequence[float] = (500.0, 100.0)) -> dict:
    """What `python -m ecg_tf controls --tables delineation` prints: title -> table.

    Args:
        data_dir: folder of the databases; "ludb" has to be there.
        rates: Hz.

    Raises:
        InputError: the database is not there.
    """
    methods = ("ecg_tf", "neurokit2 dwt", "neurokit2 prominence")
    return {
        f"Delineation of LUDB, lead II, {fs:g} Hz": delineation_table(data_dir, methods, fs=fs)
        for fs in rates
    }


def delineation_summary(
    data_dir: str = "", methods: Sequence[str] = ("ecg_tf", "neurokit2 dwt"),
    leads: Sequence[str] = LEADS, fs: float = 500.0,
) -> pd.DataFrame:
    """Means over the six onsets and offsets, at both tolerances.

    Arguments as in `delineation_table`.

    Returns:
        DataFrame, index = method; `sensitivity` and `ppv` of 150 and 40 ms.
    """
    out = {}
    for tolerance in TOLERANCES_S:
        table = delineation_table(data_dir, methods, leads, fs, tolerance=tolerance)
        means = table[table.index.get_level_values("point").isin(ENDS)].groupby(
            level="method", sort=False)[["sensitivity", "ppv"]].mean()
        for what in means:
            out[f"{what} {1000 * tolerance:g} ms"] = means[what]
    return pd.DataFrame(out)


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


class _Errors:
    def __init__(self):
        self.errors, self.found, self.marks = [], 0, 0

    def add(self, found, known, span, tolerance):
        near = np.isfinite(found) & (found >= span[0] - 0.02) & (found <= span[1] + 0.02)
        found = found[near]
        self.found += len(found)
        self.marks += len(known)
        if not (len(found) and len(known)):
            return
        apart = found[:, None] - known
        pairs = np.argwhere(np.abs(apart) <= tolerance)
        taken: tuple[set, set] = (set(), set())
        for i, j in pairs[np.argsort(np.abs(apart[tuple(pairs.T)]), kind="stable")]:
            if i not in taken[0] and j not in taken[1]:
                taken[0].add(i)
                taken[1].add(j)
                self.errors.append(1000 * apart[i, j])

    def row(self):
        right, errors = len(self.errors), np.array(self.errors or [np.nan])
        return {"sensitivity": right / max(self.marks, 1), "ppv": right / max(self.found, 1),
                "mean_ms": errors.mean(), "sd_ms": errors.std(), "marks": self.marks}


def _resampled(lead, old, new):
    if old == new:
        return lead
    ratio = Fraction(new / old).limit_denominator(1000)
    return dsp.resample_poly(lead, ratio.numerator, ratio.denominator, padtype="line")
