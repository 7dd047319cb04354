"""What a training step of twelve leads takes: `python tests/benchmarks/twelve_leads.py`.

The default network, batches of 64, images of 24 and 32 beats of 64 pixels: of one lead (2
channels), of twelve (8 in the image, and RR), and of twelve that all have a channel.
Timed in turns, as the range over the rounds; processor time is what other programs lengthen least.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from ecg_tf.base.tf_startup import quiet_startup  # noqa: E402

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def codec_of_leads(height: int, width: int, count: int, derive: bool):
    """A codec of the first leads of `LEADS`; what its windows hold does not matter here."""
    from ecg_tf.images.codec import Codec
    from tests.bounds import smooth_beats

    beats = smooth_beats(4, rows=height)
    windows = replace(beats, signals=np.repeat(beats.signals, count, 2), leads=LEADS[:count])
    return Codec(scaling="companded", height=height, width=width, derive=derive).fit(windows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="of a round")
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    with quiet_startup():
        from ecg_tf.config.experiment import Experiment
        from ecg_tf.training.families import build_gan
        from tests.benchmarks import steps
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.precision}")
    print("| image | channels | weights | ms a step | of a core |\n|---|---:|---:|---|---|")
    for height in (24, 32):
        trained = []
        for count, derive in ((1, True), (12, True), (12, False)):
            codec = codec_of_leads(height, 64, count, derive)
            experiment = Experiment(height=height, precision=options.precision)
            gan, images = build_gan(experiment, codec), steps.images_of(codec)
            trained.append((gan, images, codec.image_shape[2], []))
        for gan, images, _, _ in trained:  # once all are built, for building one drops traces
            steps.fit_steps(gan, images, 8)
        for _ in range(options.rounds):
            for gan, images, _, times in trained:
                spent = time.process_time()
                wall = steps.fit_steps(gan, images, options.steps)
                times.append((wall, (time.process_time() - spent) / options.steps))
        for gan, _, channels, times in trained:
            low, high = 1000 * np.min(times, axis=0), 1000 * np.max(times, axis=0)
            weights = gan.generator.count_params() + gan.discriminator.count_params()
            print(f"| {height} x 64 | {channels} | {weights:,} | {low[0]:.0f} to {high[0]:.0f} | "
                  f"{low[1]:.0f} to {high[1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
