"""R peak detectors compared: simulated cases, MIT-BIH, ECG-ID and the MIT-BIH Noise Stress Test."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.records import BEAT_SYMBOLS, DATABASES, data_folder
from ecg_tf.records.simulate import sample_identity
from tests.validation.beat_scores import Scores, scores
from tests.validation.detectors import DETECTORS
from tests.validation.rhythm_cases import ecg_of_beats, regular, rhythm_cases

GOOD = 0.97  # sensitivity and PPV required of every simulated case
NOISES = {"bw": "baseline wander", "em": "electrode motion", "ma": "muscle"}
DECIBELS = (24, 18, 12, 6, 0)
NOISY = ("118", "119")  # records of the Noise Stress Test


def detector_tables(data_dir: str = "", progress: bool = False) -> dict[str, pd.DataFrame]:
    """What `python -m tests.validation detectors` prints: title -> table.

    Args:
        data_dir: folder of the databases; missing ones are left out.
        progress: bool, prints each detector's row.
    """
    table = detector_table(data_dir, progress=progress)
    out = {"R-peak detectors": table,
           "Share of simulated cases with sensitivity and PPV of 0.97": table.attrs["kinds"].T}
    if all((data_folder(data_dir) / name).is_dir() for name in ("mitdb", "nstdb")):
        out["With noise, MIT-BIH 118 and 119"] = noise_table(data_dir)
    return out


def simulated_scores(
    detectors: Sequence[str] = tuple(DETECTORS), hearts: Sequence[int] = (1,), seed: int = 0
) -> pd.DataFrame:
    """Every detector on every simulated case.

    Args:
        detectors: names out of `DETECTORS`.
        hearts: numbers of simulated persons, default (1,).
        seed: int.

    Returns:
        DataFrame, a row for each detector and case: `detector`, `kind`, `case`, `sensitivity`,
        `ppv`, `good` (both at least 0.97).

    Example:
        >>> table = simulated_scores(["ecg_tf"])
        >>> table[~table.good]
    """
    rows = []
    for case in rhythm_cases(hearts=hearts, seed=seed):
        for name in detectors:
            found = DETECTORS[name](case.signal, case.fs)
            result = scores(found, case.beats * case.fs, case.fs, len(case.signal))
            rows.append({"detector": name, "kind": case.kind, "case": case.name,
                         "sensitivity": result.sensitivity, "ppv": result.ppv,
                         "good": min(result.sensitivity, result.ppv) >= GOOD})
    return pd.DataFrame(rows)


def kinds_table(simulated: pd.DataFrame) -> pd.DataFrame:
    """Share of good cases in a table of `simulated_scores`: index = kind, a column a detector."""
    table = simulated.pivot_table("good", "kind", "detector", sort=False)
    return table[list(dict.fromkeys(simulated.detector))]


def detector_table(
    data_dir: str = "", detectors: Sequence[str] = tuple(DETECTORS), leads: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Detectors on simulated cases, MIT-BIH and ECG-ID, and their run time.

    Args:
        data_dir: folder of the databases; missing ones are left out.
        detectors: names out of `DETECTORS`.
        leads: of MIT-BIH, default 1; only `ecg_tf` uses more.
        progress: bool, prints each detector's row.

    Returns:
        DataFrame, index = detector; `simulated` (share of good cases of one lead), and for "mitdb"
        and "ecgiddb" `<name> sensitivity`, `<name> ppv`, the same with "50 ms", and `<name>
        seconds` (all records); `ms` (a 10-s record of one lead at 360 Hz). `attrs["kinds"]`: the
        table of `kinds_table`.
    """
    folder = data_folder(data_dir)
    sources = {
        name: records(folder / name)
        for name, records in (("mitdb", mitdb_records), ("ecgiddb", ecgiddb_records))
        if (folder / name).is_dir()
    }
    rows, cases = {}, []
    for name in detectors:
        cases.append(simulated_scores([name]))
        one_lead = ~cases[-1].kind.str.contains("two leads")
        row = {"simulated": cases[-1].good[one_lead].mean()}
        for source, records in sources.items():
            row |= _on_records(DETECTORS[name], source, records, leads)
        row["ms"] = 1000 * _cost(DETECTORS[name])
        rows[name] = row
        if progress:
            print(f"{name}: {row}", flush=True)
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("detector")
    table.attrs["kinds"] = kinds_table(pd.concat(cases, ignore_index=True))
    return table


def noise_table(
    data_dir: str = "", detectors: Sequence[str] = ("ecg_tf", "sleepecg", "wfdb xqrs"),
    records: Sequence[str] = NOISY, decibels: Sequence[float] = DECIBELS, leads: int = 1,
) -> pd.DataFrame:
    """The MIT-BIH Noise Stress Test: sensitivity and PPV with noise, from its first noisy minute.

    Args:
        data_dir: folder of the databases; "mitdb" and "nstdb" have to be there.
        detectors: names out of `DETECTORS`.
        records: of MIT-BIH.
        decibels: signal-to-noise ratios, dB.
        leads: how many leads a detector gets, default 1.

    Returns:
        DataFrame, index = (noise, dB), columns (detector, "sensitivity" or "ppv").

    Raises:
        InputError: a database is not there.

    Source: Moody, Muldrow & Mark 1984, Computers in Cardiology 11:381-384; the program nst.
    """
    folder = data_folder(data_dir)
    clean = mitdb_records(folder / "mitdb", records)
    rows = {}
    for kind, title in NOISES.items():
        noise = read_record(folder / "nstdb", kind).p_signal
        for level in decibels:
            total = dict.fromkeys(detectors, Scores())
            for signal, fs, beats, without in clean:
                noisy = stressed(signal, beats, noise, fs, level)[:, :leads]
                for name in detectors:
                    found = DETECTORS[name](noisy, fs)
                    after = [(0, 300 * fs), *without]
                    total[name] += scores(found, beats, fs, len(noisy), without=after)
            rows[title, level] = {
                (name, what): getattr(total[name], what)
                for name in detectors for what in ("sensitivity", "ppv")
            }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.names, table.columns = ["noise", "dB"], pd.MultiIndex.from_tuples(table.columns)
    return table


def stressed(
    signal: np.ndarray, beats: np.ndarray, noise: np.ndarray, fs: float, decibels: float
) -> np.ndarray:
    """Adds noise as the Noise Stress Test does: from minute 5 on two minutes of every four.

    The signal's power is p²/8, p the height of a QRS complex from peak to peak within 50 ms of its
    beat; the noise's is its variance within 1 s. Both are means without the smallest and the
    largest 5 %.

    Args:
        signal: (time, lead) mV.
        beats: (beat,) samples.
        noise: (time, lead or more) mV, as long and of the same rate.
        fs: float, Hz.
        decibels: float, signal-to-noise ratio.

    Returns:
        (time, lead) float32 mV.

    Raises:
        InputError: the noise is shorter than the signal.
    """
    if len(noise) < len(signal) or noise.shape[1] < signal.shape[1]:
        raise InputError("The noise does not cover the signal.", expected=signal.shape,
                         got=noise.shape, fix="use noise of the same rate, as long")
    reach, second = round(0.05 * fs), round(fs)
    first = beats[(beats >= reach) & (beats < len(signal) - reach)][:300]
    time_s = np.arange(len(signal)) / fs
    on = (time_s >= 300) & ((time_s - 300) % 240 < 120)
    out = np.array(signal, np.float64)
    for lead in range(signal.shape[1]):
        height = np.ptp(signal[first[:, None] + np.arange(-reach, reach + 1), lead], axis=1)
        power = noise[: len(noise) // second * second, lead].reshape(-1, second).var(axis=1)
        gain = _trimmed(height) / np.sqrt(8 * _trimmed(power) * 10 ** (decibels / 10))
        out[:, lead] += gain * on * noise[: len(signal), lead]
    return out.astype(np.float32)


def mitdb_records(folder: Path, names: Sequence[str] = ()) -> list[tuple]:
    """MIT-BIH: (signal, fs, beats, stretches of ventricular flutter) of each record.

    Raises:
        InputError: the folder is not there.
    """
    out = []
    for _, record, marks in _annotated(folder, names):
        symbols = np.array(marks.symbol)
        flutter = zip(marks.sample[symbols == "["], marks.sample[symbols == "]"], strict=True)
        beats = marks.sample[np.isin(symbols, list(BEAT_SYMBOLS))]
        out.append((record.p_signal.astype(np.float32), float(record.fs), beats, list(flutter)))
    return out


def ecgiddb_records(folder: Path) -> list[tuple]:
    """ECG-ID, filtered: only the first ten beats are annotated, so only their time counts.

    Raises:
        InputError: the folder is not there.
    """
    out = []
    for name, record, marks in _annotated(folder):
        beats = np.sort(marks.sample[np.isin(marks.symbol, list(BEAT_SYMBOLS))])  # T waves, too
        beats = beats[beats >= DATABASES["ecgiddb"].damaged_starts.get(name, 0)]
        signal, fs = record.p_signal[:, ::-1].astype(np.float32), float(record.fs)
        around = [(-1.0, beats[0] - 0.15 * fs), (beats[-1] + 0.15 * fs, len(signal) + 1.0)]
        out.append((signal, fs, beats, around))
    return out


def _annotated(folder: Path, names: Sequence[str] = ()):
    return ((name, read_record(folder, name), annotations(folder, name, "atr"))
            for name in names or record_names(folder))


def _on_records(detector, source, records, leads):
    started = time.perf_counter()
    found = [detector(signal[:, :leads], fs) for signal, fs, _, _ in records]
    row = {f"{source} seconds": time.perf_counter() - started}
    for tolerance, name in ((0.15, source), (0.05, f"{source} 50 ms")):
        total = Scores()
        for peaks, (signal, fs, beats, without) in zip(found, records, strict=True):
            total += scores(peaks, beats, fs, len(signal), tolerance, without=without)
        row |= {f"{name} sensitivity": total.sensitivity, f"{name} ppv": total.ppv}
    return row


def _cost(detector, repeats=5):
    """Seconds for a record of 10 s, the best of `repeats`."""
    rng = np.random.default_rng(0)
    ecg = ecg_of_beats(regular(70, 10, rng), sample_identity(0, 1), 360.0, 10)
    ecg = (ecg + 0.02 * rng.standard_normal(len(ecg))).astype(np.float32)[:, None]
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        detector(ecg, 360.0)
        best = min(best, time.perf_counter() - started)
    return best


def _trimmed(values):
    from scipy.stats import trim_mean

    return trim_mean(values, 0.05)


def record_names(folder: Path) -> list[str]:
    """Names in a database's RECORDS; an InputError where the folder is not there."""
    if not (folder / "RECORDS").is_file():
        raise InputError(f"There is no database in {folder}.", expected="its files and RECORDS",
                         fix=f"download it: ecg-tf data {folder.name}")
    return (folder / "RECORDS").read_text().split()


def read_record(folder: Path, name: str):
    """A record as wfdb reads it; an InputError where it is not there."""
    import wfdb

    if not (folder / f"{name}.hea").is_file():
        raise InputError(f"There is no record {name} in {folder}.", expected="the whole database",
                         fix=f"download it: ecg-tf data {folder.name}")
    return wfdb.rdrecord(str(folder / name))


def annotations(folder: Path, name: str, extension: str):
    """A record's annotations as wfdb reads them."""
    import wfdb

    return wfdb.rdann(str(folder / name), extension)
