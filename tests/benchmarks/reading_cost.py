"""What reading a folder costs: time and memory at 200, 2,000 and 20,000 records of 10 s.

    python tests/benchmarks/reading_cost.py --records 200 2000 20000

Writes records of twelve leads at 500 Hz (WFDB, format 16) into a temporary folder, then reads them
in processes of their own: each file by bare wfdb, the folder for the first time, and again from the
cache. Prints a Markdown table.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FS, SECONDS, GAIN = 500, 10, 1000
READ = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, wfdb
folder, how = sys.argv[1:3]
names = open(f"{folder}/RECORDS").read().split()
if how == "wfdb":
    wfdb.rdrecord(f"{folder}/{names[0]}")
    start = time.perf_counter()
    for name in names[:2000]:
        wfdb.rdrecord(f"{folder}/{name}", return_res=32)
    each = (time.perf_counter() - start) / len(names[:2000])
    seconds = each * len(names)
else:
    from ecg_tf.records import load
    import ecg_tf.records.formats.wfdb_files
    start = time.perf_counter()
    found = load(folder)
    seconds = time.perf_counter() - start
    assert len(found) == len(names), len(found)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([seconds, memory]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--folder", default="", help="where to write (default: a temporary one)")
    options = parser.parse_args()
    print("| records | bare wfdb, s | first reading, s | ratio | from the cache, s | times faster "
          "| memory, MB | memory from the cache, MB |")
    print("|" + " --- |" * 8)
    for count in options.records:
        with tempfile.TemporaryDirectory(dir=options.folder or None) as place:
            folder, cache = Path(place) / "records", Path(place) / "cache"
            write(folder, count)
            environment = os.environ | {"ECG_TF_CACHE": str(cache)}
            bare, _ = measure(folder, "wfdb", environment)
            first, memory = measure(folder, "first", environment)
            again, mapped = measure(folder, "again", environment)
            print(f"| {count:,} | {bare:.1f} | {first:.1f} | {first / bare:.2f} | {again:.2f} "
                  f"| {first / again:.0f} | {memory:,.0f} | {mapped:,.0f} |", flush=True)
            shutil.rmtree(cache, ignore_errors=True)


def write(folder: Path, count: int) -> None:
    """Records with a signal of their own each; written by hand, for wfdb would take minutes."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    time = np.arange(FS * SECONDS) / FS
    names = [f"r{k:06d}" for k in range(count)]
    for name in names:
        rate, gains = rng.uniform(0.8, 2.0), rng.uniform(0.3, 1.5, len(LEADS))
        shape = np.exp(-(((time * rate) % 1 - 0.4) ** 2) / 0.001)
        noise = rng.standard_normal((FS * SECONDS, len(LEADS))) * 0.02
        values = np.round((shape[:, None] * gains + noise) * GAIN).astype("<i2")
        values.tofile(folder / f"{name}.dat")
        lines = [f"{name} {len(LEADS)} {FS} {len(time)}"]
        for k, lead in enumerate(LEADS):
            total = int(values[:, k].astype(np.int64).sum()) & 0xFFFF
            signed = total - 0x10000 if total >= 0x8000 else total
            lines.append(f"{name}.dat 16 {GAIN}.0(0)/mV 16 0 {values[0, k]} {signed} 0 {lead}")
        (folder / f"{name}.hea").write_text("\n".join([*lines, f"# subject: p{name}", ""]))
    (folder / "RECORDS").write_text("\n".join(names) + "\n")


def measure(folder: Path, how: str, environment: dict) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a process that reads."""
    printed = subprocess.run([sys.executable, "-c", READ, str(folder), how], env=environment,
                          check=True, capture_output=True, text=True).stdout
    seconds, memory = json.loads(printed.splitlines()[-1])
    return seconds, memory


if __name__ == "__main__":
    main()
