"""Where a training step spends its time: `python tests/benchmarks/profile_step.py`."""

import argparse
import collections
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ecg_tf.base.tf_startup import quiet_startup  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=[64, 64])
    parser.add_argument("--base", type=int, default=32)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    with quiet_startup():
        import tensorflow as tf

        from tests.benchmarks import steps as s
    gan, codec = s.small_gan(*options.size, options.base)
    images = s.images_of(codec)
    traces = []
    step = tf.function(lambda x: traces.append(1) or gan.train_step(x))
    for _ in range(4):
        step(images)
    root = tempfile.mkdtemp(prefix="ecg_tf-profile-")
    tf.profiler.experimental.start(root)
    start = time.perf_counter()
    for _ in range(options.steps):
        step(images)["d_loss"].numpy()
    wall = (time.perf_counter() - start) / options.steps
    tf.profiler.experimental.stop()
    spent = collections.Counter()
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    newest = max(Path(root).rglob("*.xplane.pb"), key=lambda path: path.stat().st_mtime)
    space = xplane_pb2.XSpace.FromString(newest.read_bytes())
    shutil.rmtree(root)
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if ":" in name and not name.startswith("$"):
                    spent[name.rsplit(":", 1)[1]] += event.duration_ps / 1e9
    print(f"{1000 * wall:.0f} ms a step, traced {len(traces)} time(s)")
    total = sum(spent.values())
    for kind, value in spent.most_common(25):
        print(f"{kind:<40}{value / options.steps:>9.1f} ms a step{value / total:>8.1%}")


if __name__ == "__main__":
    main()
