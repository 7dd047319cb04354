"""Time and memory of the whole suite, by the number of windows: `python tests/benchmarks/...`.

Simulated strips of 10 s. N synthetic and N real strips (half members, half others) go through
fidelity, copies and privacy; each size runs in a process of its own, so that its peak memory is
its own. Writes a Markdown table to the standard output.
"""

import argparse
import json
import os
import subprocess
import sys
import time

SIZES = (500, 1000, 2000, 4000)
FS, SECONDS, PERSONS = 128.0, 10, 40


def one(size: int) -> dict:
    """Seconds of each part, and peak memory in MB, for N synthetic and N real strips."""
    import resource

    import numpy as np

    from ecg_tf.evaluation.fidelity_measures import fidelity_measures
    from ecg_tf.evaluation.privacy_evaluation import evaluate_privacy

    train, holdout = _windows(size // 2, 1), _windows(size // 2, 2)
    synthetic = _windows(size, 3).signals
    from ecg_tf.base.tf_startup import quiet_startup

    with quiet_startup():  # a run has TensorFlow loaded long before it is evaluated
        import keras  # noqa: F401
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), time.process_time()
    rows = fidelity_measures(holdout, synthetic, train, max_strips=size)
    middle = time.perf_counter()
    verdict = evaluate_privacy(
        synthetic, train, holdout, FS, fidelity=rows, max_strips=size, cache=False
    )
    end, busy = time.perf_counter(), time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert np.isfinite([row.value for row in verdict.measures]).all(), verdict.notes
    return {"size": size, "fidelity": middle - start, "privacy": end - middle,
            "total": end - start, "processor": busy, "peak": peak / 1024, "before": before / 1024}


def _windows(strips: int, seed: int):
    """Strips in a row of 40 simulated persons."""
    from dataclasses import replace

    import numpy as np

    from ecg_tf.records.simulate import simulate_cohort
    from ecg_tf.signals.cutting import strips as cut
    from ecg_tf.signals.filtering import prepare
    from ecg_tf.signals.selection import thin

    each = -(-strips // PERSONS)
    minutes = ((each + 1) * SECONDS + 5) / 60
    records = simulate_cohort(subjects=PERSONS, minutes=minutes, fs=256.0, seed=seed)
    windows = cut([prepare(record) for record in records], int(SECONDS * FS))
    names = np.array([f"{seed}-{who}" for who in windows.subjects])
    return thin(replace(windows, subjects=names, records=names), strips)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--one", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one)))
        return
    print(f"{os.cpu_count()} cores\n")
    print("| synthetic + real strips | fidelity | copies and privacy | together | processor time "
          "| peak memory |")
    print("|---|---|---|---|---|---|")
    for size in options.sizes:
        done = subprocess.run([sys.executable, __file__, "--one", str(size)], check=True,
                              capture_output=True, text=True)
        row = json.loads(done.stdout.strip().splitlines()[-1])
        print(f"| {size:,} + {size:,} | {row['fidelity']:.0f} s | {row['privacy']:.0f} s | "
              f"{row['total']:.0f} s | {row['processor']:.0f} s | {row['peak']:,.0f} MB |",
              flush=True)


if __name__ == "__main__":
    main()
