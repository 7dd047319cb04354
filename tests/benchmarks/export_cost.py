"""What an export costs and how exactly it reads back: `python tests/benchmarks/export_cost.py RUN`.

Each format and size in a process of its own, for its wall time and peak memory; then every record
is generated again and compared with what wfdb, pyedflib or pandas read of its files.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="folder of a run")
    parser.add_argument("--n", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--formats", nargs="+", default=["wfdb", "edf", "csv"])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)  # format, n, folder
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.run, options.one[0], int(options.one[1]), options.one[2])))
        return
    print("| format | records | hours of ECG | wall time | processor time | hours a minute of it | "
          "peak memory | on disk | largest error |\n| --- " + "| ---: " * 8 + "|")
    for kind in options.formats:
        for n in options.n:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, options.run, "--one", kind, str(n), folder]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                row = json.loads(done.stdout.splitlines()[-1])
                error = compare(options.run, kind, n, Path(folder) / "out")
                disk = sum(path.stat().st_size for path in Path(folder).rglob("*.*"))
            print(f"| {kind} | {n:,} | {row['hours']:.2f} | {row['wall']:.1f} s | "
                  f"{row['processor']:.1f} s | {60 * row['hours'] / row['processor']:.1f} | "
                  f"{row['peak'] / 1024:.0f} MB | {disk / 1e6:.1f} MB | "
                  f"{1000 * error:.4g} µV |", flush=True)


def one(run, kind, n, folder) -> dict:
    """Exports into folder/out: hours of ECG, wall and processor time in s, peak memory in kB."""
    from ecg_tf.release.export import export

    start = time.perf_counter()
    made = export(run, n, kind, Path(folder) / "out", force=True, progress=False)
    used = resource.getrusage(resource.RUSAGE_SELF)  # the start of Python and TensorFlow included
    return {"hours": made.total.seconds / 3600, "wall": time.perf_counter() - start,
            "processor": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss}


def compare(run, kind, n, folder) -> float:
    """Largest difference of all samples read back to those generated again, mV."""
    from ecg_tf.release.sampling import BLOCK, Sampler
    from ecg_tf.study.results import read_result

    sampler, worst = Sampler(read_result(run), seed=0), 0.0
    for index in range(-(-n // BLOCK)):
        for record in sampler.block(index).records[: n - index * BLOCK]:
            signal = read(folder / record.name, kind)
            wrong = signal - record.signal[: len(signal)].astype(float)
            worst = max(worst, float(np.abs(wrong).max()))
    return worst


def read(path, kind) -> np.ndarray:
    """(time, lead) mV."""
    if kind == "wfdb":
        import wfdb

        return wfdb.rdrecord(str(path)).p_signal
    if kind == "csv":
        import pandas as pd

        return pd.read_csv(f"{path}.csv", comment="#").iloc[:, 1:].to_numpy()
    import pyedflib

    with pyedflib.EdfReader(f"{path}.edf") as file:
        return np.stack([file.readSignal(k) for k in range(file.signals_in_file)], 1)


if __name__ == "__main__":
    main()
