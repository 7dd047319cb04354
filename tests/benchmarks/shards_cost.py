"""Memory and speed of data in files against data in memory: `python tests/benchmarks/...`.

Simulated windows, 1, 10 and 100 times (the files are linked under other numbers), each in a process
of its own: peak memory after some hundred batches, the batches a second without a network, and,
at base 32, the share of a training step that waits for its batch.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

SETTINGS = {"subjects": 20, "minutes": 8.0, "overlap": 0.9, "precision": "float32"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--base", default="", help="where the windows are, or are to be, kept")
    parser.add_argument("--most", type=int, default=10,
                        help="times the data that memory is tried with (default: 10)")
    parser.add_argument("--batches", type=int, default=150)
    parser.add_argument("--steps", type=int, default=12, help="0: no training")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)  # folder, "files" or "memory"
    parser.add_argument("--share", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(*options.one, options.batches)))
        return
    if options.share:
        print(json.dumps(share(options.share, options.steps)))
        return
    with tempfile.TemporaryDirectory() as root:
        base = write(Path(options.base or Path(root) / "x1"))
        print("| data | windows | files | peak memory, from files | from memory | batches a second "
              "of the processor, from files | from memory | ratio |\n" + "|---" * 8 + "|")
        for times in options.times:
            folder = base if times == 1 else multiply(base, Path(root) / f"x{times}", times)
            size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
            found = {}
            for kind in ("files", "memory")[:1 + (times <= options.most)]:
                found[kind] = call("--one", folder, kind, "--batches", options.batches)
            ours, theirs = found["files"], found.get("memory")
            other = ("not tried", "", "") if theirs is None else (
                f"{theirs['peak']:,.0f} MB", f"{theirs['rate']:.1f}",
                f"{ours['rate'] / theirs['rate']:.2f}")
            print(f"| x {times} | {ours['windows']:,} | {size:,.0f} MB | {ours['peak']:,.0f} MB | "
                  f"{other[0]} | {ours['rate']:.1f} | {other[1]} | {other[2]} |", flush=True)
            if folder != base:
                shutil.rmtree(folder)
        if not options.steps:
            return
        row = call("--share", base, "--steps", options.steps)
        print(f"\nBase 32, 64 images of 32 x 64: a step takes {1000 * row['files']:.0f} ms from "
              f"files, {1000 * row['memory']:.0f} ms from memory; {row['share']:.2%} of it is "
              "waiting for the batch from files.")


def call(*arguments) -> dict:
    done = subprocess.run([sys.executable, __file__, *map(str, arguments)], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def write(folder: Path) -> Path:
    """The shards themselves, once."""
    from ecg_tf.config.experiment import Experiment
    from ecg_tf.shards.writing import write_shards

    write_shards(Experiment(**SETTINGS), folder, progress=False)
    return folder


def multiply(base: Path, folder: Path, times: int) -> Path:
    """The training files of `base` so many times, under other numbers, with an index of them."""
    from ecg_tf.shards.index import read_index

    index, _ = read_index(base)
    shutil.copytree(base, folder)
    groups, files = len({file["name"][:5] for file in index.files}), index.of("train", "windows")
    for turn in range(1, times):
        for file in files:
            name = f"{int(file['name'][:5]) + turn * groups:05d}{file['name'][5:]}"
            for suffix in (".tfrecord", ".places"):
                os.link((base / file["name"]).with_suffix(suffix),
                        (folder / name).with_suffix(suffix))
            index.files.append({**file, "name": name})
    index.save(folder)
    return folder


def one(folder, kind: str, batches: int) -> dict:
    """Windows, batches a second of the processor, and peak memory in MB."""
    batches_of, data = dataset(folder, kind)
    found = iter(batches_of)
    for _ in range(20):
        next(found)
    start = time.process_time()
    for _ in range(batches):
        next(found)
    spent = time.process_time() - start
    return {"windows": len(data.training), "rate": batches / spent,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def dataset(folder, kind: str):
    """(batches of 64 images, `Data`); kind "memory" takes all windows into memory first."""
    from ecg_tf.base.tf_startup import quiet_startup
    from ecg_tf.config.experiment import Experiment
    from ecg_tf.training.data import prepare_data

    with quiet_startup():
        from ecg_tf.images.tfdata import make_dataset

    data = prepare_data(Experiment(**SETTINGS, shards=str(folder)))
    if kind == "memory":
        everything = data.training.take(slice(None))
        data = replace(data, windows={**data.windows, "train": everything}, shards=None)
    return make_dataset(data.training, data.codec, 64, 0), data


def share(folder, steps: int, rounds: int = 3) -> dict:
    """Seconds of a step from files and from memory, and the share of it in `next`."""
    import tensorflow as tf

    from ecg_tf.config.experiment import Experiment
    from ecg_tf.training.families import build_gan

    sources = {kind: dataset(folder, kind) for kind in ("files", "memory")}
    gan = build_gan(Experiment(**SETTINGS, base_filters=32), sources["files"][1].codec)
    step = tf.function(gan.train_step)
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):  # in turns: what else the machine does hurts both
        for kind, (batches, _) in sources.items():
            found, waited, start = iter(batches), 0.0, 0.0
            for number in range(steps + 4):  # a multiple of 4, as penalties come every 4 steps
                if number == 4:
                    waited, start = 0.0, time.perf_counter()
                before = time.perf_counter()
                batch = next(found)
                waited += time.perf_counter() - before
                step(batch)["d_loss"].numpy()
            seconds = (time.perf_counter() - start) / steps
            best[kind] = min(best.get(kind, (9e9, 0)), (seconds, waited / steps / seconds))
    (files, waited), (memory, _) = best["files"], best["memory"]
    return {"files": files, "memory": memory, "share": waited}


if __name__ == "__main__":
    main()
