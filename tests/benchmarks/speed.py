"""Speed as ratios measured in one run: `make bench`, or `python tests/benchmarks/speed.py`.

Every figure compares two things that are timed in turns, several times, and takes the best of
each, so that what else the machine does hurts both alike. Writes runs/bench/speed.md and .json.
`--time-to-quality` trains two small GANs until MMD² is at most twice its baseline: minutes.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from ecg_tf.base.tf_startup import quiet_startup  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=sorted(PARTS), default=[])
    parser.add_argument("--time-to-quality", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="of TensorFlow; 0: all cores")
    parser.add_argument("--output", default="runs/bench")
    options = parser.parse_args()
    with quiet_startup():
        from tests.benchmarks import steps
    steps.set_threads(options.threads)
    rows, load = [], os.getloadavg()[0]
    names = ["time to quality"] if options.time_to_quality else options.only or [
        name for name in PARTS if name != "time to quality"]
    print(f"{os.cpu_count()} cores, load before {load:.1f}: "
          f"{'nothing else runs' if load < 0.5 else 'OTHER PROGRAMS RUN, see the ratios only'}\n")
    print("| what | against | ratio | wanted | times |\n|---|---|---:|---|---|", flush=True)
    for name in names:
        for row in PARTS[name](options.repeats):
            rows.append(row)
            print("| " + " | ".join(row[:2] + (f"{row[2]:.3g}",) + row[3:]) + " |", flush=True)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    keys = ("what", "against", "ratio", "wanted", "times")
    (folder / "speed.json").write_text(json.dumps({
        "cores": os.cpu_count(), "load": load,
        "rows": [dict(zip(keys, row, strict=True)) for row in rows]}, indent=1))
    (folder / "speed.md").write_text("\n".join(
        ["| what | against | ratio | wanted | times |", "|---|---|---:|---|---|"]
        + ["| " + " | ".join(row[:2] + (f"{row[2]:.3g}",) + row[3:]) + " |" for row in rows]
        + ["", f"{os.cpu_count()} cores, load {load:.1f} before it began."]) + "\n")


def in_turns(repeats: int, *calls, clock=time.perf_counter) -> list[float]:
    """The best time of each call, s; they are called in turns. A call may give its own time.

    What works in one thread is timed by the processor's clock, which others do not stop.
    """
    best = [math.inf] * len(calls)
    for _ in range(repeats):
        for number, call in enumerate(calls):
            start = clock()
            value = call()
            best[number] = min(best[number], value if isinstance(value, float) else clock() - start)
    return best


def silently(call) -> None:
    """Calls what would tell its own time."""
    call()


def ms(*seconds: float) -> str:
    return ", ".join(f"{1000 * s:.1f} ms" if s < 10 else f"{s:.1f} s" for s in seconds)


def training_step(repeats: int):
    from tests.benchmarks import steps as s

    for filters in (16, 32):
        gan, codec = s.small_gan(32, 64, filters)
        images, hand = s.images_of(codec), s.by_hand(gan)
        calls = partial(s.fit_steps, gan, images, 8), partial(s.hand_steps, hand, images, 8)
        in_turns(1, *calls)
        ours, theirs = in_turns(repeats, *calls)
        spent = [seconds / 8 for seconds in in_turns(
            repeats, *(partial(silently, call) for call in calls), clock=time.process_time)]
        yield (f"training step, 32 x 64, base {filters}", "tf.function by hand",
               theirs / ours, "≥ 0.97", ms(ours, theirs))
        yield ("its processor time", "tf.function by hand", spent[1] / spent[0], "", ms(*spent))


def roofline(repeats: int):
    from tests.benchmarks import steps as s

    gan, codec = s.small_gan(64, 64, 32)
    images = s.images_of(codec)
    work = s.step_work(gan, images)
    flops = sum(one[1] for one in work)
    kinds = {kind: sum(one[1] for one in work if one[0] == kind) / flops for kind, *_ in work}
    s.fit_steps(gan, images, 4)
    step, rate, memory = math.inf, 0.0, 0.0
    for _ in range(repeats):
        rate, memory = max(rate, s.matmul_rate()), max(memory, s.memory_rate())
        step = min(step, s.fit_steps(gan, images, 4))
    wide = ", ".join(f"{kind} {share:.0%}" for kind, share in kinds.items() if share > 0.005)
    yield (f"training step, 64 x 64, base 32, {flops / 1e9:.0f} GFLOP ({wide})",
           "float32 matrix product", flops / step / rate, "≥ 0.8",
           f"{ms(step)}, {flops / step / 1e9:.0f} of {rate / 1e9:.0f} GFLOP/s")
    # Williams 2009: an operation cannot be faster than its arithmetic, nor than its memory.
    bound = sum(max(one / rate, moved / memory) for _, one, moved in work)
    yield ("the same step", "roofline: each operation at the rate of the product or of memory",
           bound / step, "≥ 0.8", f"{ms(step, bound)}, memory {memory / 1e9:.0f} GB/s")


def precision(repeats: int):
    from ecg_tf.training.precision import precision_of
    from tests.benchmarks import steps as s

    auto = precision_of("auto")
    for filters in (16, 32):
        gans = [s.small_gan(32, 64, filters, kind) for kind in ("float32", "mixed_bfloat16")]
        images = s.images_of(gans[0][1])
        calls = [partial(s.fit_steps, gan, images, 4) for gan, _ in gans]
        in_turns(1, *calls)
        plain, mixed = in_turns(repeats, *calls)
        yield (f"mixed_bfloat16 step, 32 x 64, base {filters} (auto: {auto})", "float32",
               mixed / plain, "< 1 where auto takes it", ms(mixed, plain))


def codec(repeats: int):
    from ecg_tf.images.codec import Codec
    from tests.bounds import smooth_beats, windows_of

    rows = smooth_beats(64, rows=32)
    strips = windows_of(np.random.default_rng(0).normal(0, 0.5, (64, 2048, 1)))
    for name, windows in (("beat_rows", rows), ("row_major", strips), ("hilbert", strips)):
        size = {"height": 32, "width": 64} if name != "hilbert" else {"height": 64, "width": 64,
                                                                      "fit": "tile"}
        made = Codec(name, scaling="companded", **size).fit(windows)
        images = made.encode(windows)
        there, back, copy = in_turns(3 * repeats, partial(made.encode, windows),
                                     partial(made.decode, images), windows.signals.copy,
                                     clock=time.process_time)
        each = 1e6 / len(windows)
        yield (f"encode, {name}", "memory copy of the signals", there / copy, "",
               f"{there * each:.0f} µs a window")
        yield (f"decode, {name}", "memory copy of the signals", back / copy, "",
               f"{back * each:.0f} µs a window")


def reading(repeats: int):
    import wfdb

    from ecg_tf.records import load

    folder = Path(os.environ.get("ECG_TF_DATA", "data")) / "mitdb"
    if not (folder / "RECORDS").is_file():
        print(f"(reading: there is no MIT-BIH in '{folder}'; set ECG_TF_DATA)")
        return
    names = (folder / "RECORDS").read_text().split()

    def bare(beats=False):
        for name in names:
            wfdb.rdrecord(str(folder / name))
            if beats:
                wfdb.rdann(str(folder / name), "atr")

    with tempfile.TemporaryDirectory() as cache:
        os.environ["ECG_TF_CACHE"] = cache
        load(folder, leads=("MLII",))  # files in the page cache, ours in the cache
        fresh, cached, theirs, both = in_turns(
            repeats, lambda: load(folder, leads=("MLII",), cache=False),
            lambda: load(folder, leads=("MLII",)), bare, partial(bare, beats=True),
            clock=time.process_time)
    yield ("reading MIT-BIH, checked, with beats", "bare wfdb.rdrecord", fresh / theirs, "≤ 1.1",
           ms(fresh, theirs))
    yield ("the same", "bare wfdb.rdrecord and rdann", fresh / both, "≤ 1.1", ms(fresh, both))
    yield ("bare wfdb.rdrecord", "reading MIT-BIH from the cache", theirs / cached, "≥ 20",
           ms(theirs, cached))


def generation(repeats: int):
    from ecg_tf.models.sampling import sample_images
    from ecg_tf.release.export import export
    from tests.benchmarks import steps as s
    from tests.small_run import PASS, make_run

    gan, made = s.small_gan(32, 64, 32)
    n = 256
    images = sample_images(gan.ema_generator, n, 0)
    windows = made.decode(images)
    hours = float(windows.lengths.sum()) / windows.fs / 3600
    generated, decoded = in_turns(repeats, lambda: sample_images(gan.ema_generator, n, 0) is None,
                              lambda: made.decode(images) is None)
    for what, seconds in (("generated", generated), ("generated and decoded", generated + decoded)):
        yield (f"hours of ECG {what} in a minute, base 32", "one minute", 60 * hours / seconds,
               "", ms(seconds) + f" for {hours:.1f} h")
    with tempfile.TemporaryDirectory() as root:
        run = make_run(Path(root), {"recall": PASS}, rows=32)
        gan, _ = s.small_gan(32, 32, 32)
        gan.ema_generator.set_weights([0.3 * w for w in gan.ema_generator.get_weights()])
        gan.ema_generator.save(run / "generator.keras")  # untrained: whispering, within +-32 V
        seconds, total = math.inf, 0.0
        for number in range(repeats):
            start = time.perf_counter()
            done = export(run, n, "wfdb", Path(root) / f"out{number}", force=True, progress=False)
            seconds, total = min(seconds, time.perf_counter() - start), done.total.seconds / 3600
    yield ("hours of ECG exported as WFDB in a minute, base 32", "one minute",
           60 * total / seconds, "", ms(seconds) + f" for {total:.1f} h")


def time_to_quality(repeats: int):
    import pandas as pd

    from ecg_tf.config.experiment import Experiment
    from ecg_tf.training.data import prepare_data
    from ecg_tf.training.fit import train

    minutes, words = {}, []
    for arrangement in ("beat_rows", "row_major"):
        with tempfile.TemporaryDirectory() as root:
            e = Experiment(experiment=arrangement, arrangement=arrangement, subjects=40,
                           minutes=5.0, steps=1000, stop="baseline", measure_every=50,
                           check_every=50, patience=20, attacks=False, runs_dir=root)
            train(e, prepare_data(e))
            rows = pd.read_csv(e.folder / "measures.csv")
            baselines = pd.read_csv(e.folder / "baselines.csv")
            history = pd.read_csv(e.folder / "history.csv")
        rows = rows.merge(baselines[["against", "name", "baseline"]], on=["against", "name"])
        rows = rows[(rows["name"] == "MMD²") & (rows["against"] == "validation")]
        good = rows[rows["value"] <= 2 * rows["baseline"]]
        step = good["step"].min() if len(good) else np.nan
        taken = history.loc[history["step"] == step, "seconds"]
        minutes[arrangement] = float(taken.iloc[0]) / 60 if len(taken) else math.inf
        words.append(f"{arrangement} {minutes[arrangement]:.1f} min, {step:.0f} steps" if len(taken)
                     else f"{arrangement} not within {history['step'].max():,} steps, "
                     f"{history['seconds'].max() / 60:.1f} min")
    yield ("time until MMD² ≤ 2 x baseline, beat_rows", "row_major",
           minutes["beat_rows"] / minutes["row_major"], "", "; ".join(words))


PARTS = {"step": training_step, "roofline": roofline, "precision": precision, "codec": codec,
         "reading": reading, "generation": generation, "time to quality": time_to_quality}

if __name__ == "__main__":
    main()
