"""Callbacks that monitor a training: samples, diversity, collapse, progress, history file.

They act at the end of each round (Keras: epoch) of `fit_gan`. Order matters: `Diversity` first,
since `CollapseAlarm`, `ProgressLine` and `HistoryCSV` read what it adds to the logs.
"""

import csv
import io
import sys
import time
import warnings
from pathlib import Path

import keras
import numpy as np

from ecg_tf.base.errors import InputError, write_whole


class SampleGrid(keras.callbacks.Callback):
    """Images of the same latent vectors along the training.

    Args:
        folder: where to write `step_000100.npy` (images, float32) and `.png` (a grid), default None
            for nowhere.
        n: int, number of images, default 16.
        every: int, steps between two sets, default 0 for the end of every round.
        seed: int, seed of the latents, default 0.
        draw: function (n, seed) -> rows of conditions, for a GAN that has some. Default None.

    Attributes:
        images: dict, step -> images (n, height, width, channel) float32.

    Raises:
        InputError: `n` is below 1 or `every` below 0.
    """

    def __init__(self, folder=None, n=16, every=0, seed=0, draw=None):
        super().__init__()
        _check_least(1, n=n)
        _check_least(0, every=every)
        self.folder = Path(folder) if folder is not None else None
        self.n, self.every, self.seed, self.images = n, every, seed, {}
        self.draw = draw
        self._due = 0

    def on_train_begin(self, logs=None):
        # A resumed training samples at the steps at which it would have.
        step = _step(self.model)
        self._due = (step // self.every + 1) * self.every if step and self.every else 0

    def on_epoch_end(self, epoch, logs=None):
        step = _step(self.model)
        if step < self._due:
            return
        if self.every:
            self._due = (step // self.every + 1) * self.every
        images = _generated(self.model, self.n, self.seed, self.draw)
        self.images[step] = images
        if self.folder is not None:
            buffer = io.BytesIO()
            np.save(buffer, images)
            write_whole(self.folder / f"step_{step:06d}.npy", buffer.getvalue())
            write_whole(self.folder / f"step_{step:06d}.png", grid_png(images))


class Diversity(keras.callbacks.Callback):
    """Adds `diversity` to the logs: how much generated images differ, relative to real ones.

    It is the mean pairwise distance (root mean square over pixels) of generated images over that of
    real images: 1 where they differ as much as real ones do, 0 where all are the same.

    Args:
        real_images: (n, height, width, channel), at least 2; the first `n` are used.
        n: int, number of images on either side, default 64.
        seed: int, seed of the latents, default 0.
        draw: function (n, seed) -> rows of conditions, for a GAN that has some. Default None.

    Raises:
        InputError: fewer than 2 real images, or real images that are all the same.
    """

    def __init__(self, real_images, n=64, seed=0, draw=None):
        super().__init__()
        _check_least(2, n=n)
        real_images = np.asarray(real_images)[:n]
        if len(real_images) < 2:
            raise InputError("Diversity needs real images to compare with.", expected="2 or more",
                             got=len(real_images), fix="pass training images")
        self.real_distance = mean_pairwise_distance(real_images)
        if not self.real_distance > 0:
            raise InputError("The real images are all the same.", expected="images that differ",
                             got="a mean pairwise distance of 0, or NaN",
                             fix="check the codec and the windows")
        self.n, self.seed, self.draw = n, seed, draw

    def on_epoch_end(self, epoch, logs=None):
        images = _generated(self.model, self.n, self.seed, self.draw)
        if logs is not None:
            logs["diversity"] = mean_pairwise_distance(images) / self.real_distance


class CollapseAlarm(keras.callbacks.Callback):
    """Warns once the generated images have become too much alike for several rounds.

    Diversity sees a generator that makes one thing; one that makes two very different things out
    of eight may look diverse enough. Where modes can be counted, monitor their share instead, such
    as the "modes_reached" of `rings.RingWatch`.

    Args:
        fraction: float, alarm below this share of what real images have, default 0.3.
        patience: int, rounds in a row that must lie below it, default 3.
        warmup: int, steps at the start that are not monitored, default 0.
        monitor: str, the value in the logs, default "diversity".

    Attributes:
        alarms: list of str, one sentence a collapse; after a recovery the next one counts again.
    """

    def __init__(self, fraction=0.3, patience=3, warmup=0, monitor="diversity"):
        super().__init__()
        _check_least(1, patience=patience)
        _check_least(0, warmup=warmup)
        self.fraction, self.patience, self.warmup = fraction, patience, warmup
        self.monitor, self.alarms, self._low = monitor, [], 0

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is None:
            raise InputError(
                f"CollapseAlarm finds no '{self.monitor}' in the logs.", got=self.monitor,
                expected=f"one of {', '.join(logs or {}) or 'no values at all'}",
                fix="put Diversity(real_images) before CollapseAlarm in the list of callbacks")
        step = _step(self.model)
        if step <= self.warmup:
            return
        # NaN is no diversity either: `not >=` counts it as low.
        self._low = self._low + 1 if not value >= self.fraction else 0
        if self._low == self.patience:
            what = f"generated images differ by {value:.2f} of what real ones do" \
                if self.monitor == "diversity" else f"{self.monitor} is {value:.2f}"
            sentence = (f"Mode collapse at step {step}: {what}, below {self.fraction:g} for "
                        f"{self.patience} checks in a row. Try R1GAN, a smaller learning rate, or "
                        "a discriminator with minibatch_std.")
            self.alarms.append(sentence)
            warnings.warn(sentence, RuntimeWarning, stacklevel=2)


class ProgressLine(keras.callbacks.Callback):
    """How far the training is: a bar in a terminal, sparse plain lines anywhere else.

    Args:
        total_steps: int, steps of the whole training.
        every_seconds: float, at most one plain line in this time, default 8.
        names: values to show, default d_loss, g_loss and diversity.
        stream: where to write, default standard output.
        clock: function that gives seconds, default `time.monotonic`.
    """

    def __init__(self, total_steps, every_seconds=8.0, names=("d_loss", "g_loss", "diversity"),
                 stream=None, clock=time.monotonic):
        super().__init__()
        _check_least(1, total_steps=total_steps)
        self.total_steps, self.every_seconds, self.names = total_steps, every_seconds, names
        self.stream, self.clock, self._bar = stream, clock, None

    def on_train_begin(self, logs=None):
        # Looked up here, not at import: notebooks replace sys.stdout.
        self._out = self.stream or sys.stdout
        self._first_step, self._start = _step(self.model), self.clock()
        self._last_line, self._compiled = -float("inf"), False
        if getattr(self._out, "isatty", bool)():
            from tqdm import tqdm

            self._bar = tqdm(total=self.total_steps, initial=self._first_step, unit="step",
                             file=self._out)

    def on_epoch_begin(self, epoch, logs=None):
        self._round = _step(self.model)

    def on_train_batch_begin(self, batch, logs=None):
        # At a step's begin: Keras would wait for every single step for a callback at its end.
        step, now = self._round + batch, self.clock()
        if batch == 0:
            return
        if not self._compiled:  # that took as long as many steps, and is over
            self._first_step, self._start, self._compiled = step, now, True
        if self._bar is not None:
            self._bar.update(step - self._bar.n)
        elif now - self._last_line >= self.every_seconds:
            self._line(step, now)

    def on_epoch_end(self, epoch, logs=None):
        step, now = _step(self.model), self.clock()
        shown = {name: logs[name] for name in self.names if name in (logs or {})}
        if self._bar is not None:
            self._bar.set_postfix({name: f"{value:.3f}" for name, value in shown.items()}, False)
            self._bar.update(step - self._bar.n)
            return
        if now - self._last_line >= self.every_seconds or step >= self.total_steps:
            self._line(step, now, shown)

    def _line(self, step, now, shown=None):
        self._last_line = now
        parts = [f"step {step:,} of {self.total_steps:,}"]
        if shown:
            parts.append("  ".join(f"{name} {value:.3f}" for name, value in shown.items()))
        if done := step - self._first_step:
            left = (now - self._start) / done * max(self.total_steps - step, 0) / 60
            parts.append(f"{left:.1f} min left")
        print("  ".join(parts), file=self._out, flush=True)

    def on_train_end(self, logs=None):
        if self._bar is not None:
            self._bar.close()
            self._bar = None


_FIRST = ["step", "seconds"]  # columns that every history begins with


class HistoryCSV(keras.callbacks.Callback):
    """Keeps the logs in a CSV file with one line a round: step, seconds, then the values.

    The file is written whole each time, so a kill loses at most the current line. A resumed
    training continues the file, after dropping lines of steps the checkpoint does not know. A value
    that comes late gets a column of its own at the end.

    Args:
        path: the CSV file.

    Attributes:
        rows: list of dict, all lines so far.
    """

    def __init__(self, path):
        super().__init__()
        self.path, self.rows, self.columns = Path(path), [], list(_FIRST)

    def on_train_begin(self, logs=None):
        step = _step(self.model)
        if self.path.exists() and step:
            self.rows, self.columns = self._read(step)
        else:
            self.rows, self.columns = [], list(_FIRST)
        before = float(self.rows[-1]["seconds"]) if self.rows else 0.0
        self._start = time.monotonic() - before

    def _read(self, step):
        try:
            with self.path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                lines = list(reader)
            columns = list(reader.fieldnames or _FIRST)
            if columns[:2] != _FIRST:
                raise ValueError("the first line does not name step and seconds")
            rows = [row for row in lines if int(row["step"]) <= step and float(row["seconds"]) >= 0]
            if any(None in row or None in row.values() for row in lines):
                raise ValueError("a line with more or fewer values than the first")
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(
                f"The history '{self.path}' is damaged.", expected="one line a check, as written",
                got=f"{type(error).__name__}: {error}"[:200],
                fix=f"delete '{self.path}': the training continues, its history starts again"
            ) from error
        return rows, columns

    def on_epoch_end(self, epoch, logs=None):
        seconds = round(time.monotonic() - self._start, 2)
        row = {"step": _step(self.model), "seconds": seconds}
        row |= {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append(row)
        self.columns += [name for name in row if name not in self.columns]
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(self.path, text.getvalue())


def mean_pairwise_distance(images):
    """Mean distance between all pairs of two images or more (n, ...), each the root mean square
    over pixels; 0 where all are the same."""
    flat = np.asarray(images, dtype=np.float64).reshape(len(images), -1)
    # Distances do not change when all are moved; centred, close images lose no digits below.
    flat = flat - flat.mean(axis=0)
    squares = np.sum(flat**2, axis=1)
    squared = squares[:, None] + squares[None, :] - 2 * flat @ flat.T
    upper = squared[np.triu_indices(len(flat), k=1)]
    return float(np.mean(np.sqrt(np.maximum(upper, 0) / flat.shape[1])))


def grid_png(images, columns=4):
    """A PNG of images (n, height, width, channel) in [-1, 1], in rows of `columns`: grey, RGB, or
    the channels side by side in grey."""
    import tensorflow as tf

    images = np.clip(np.asarray(images, dtype=np.float32), -1, 1)
    if images.shape[-1] not in (1, 3):
        images = np.concatenate(np.split(images, images.shape[-1], axis=-1), axis=2)
    n, height, width, channels = images.shape
    rows = -(-n // columns)
    grid = np.ones((rows, columns, height + 2, width + 2, channels), dtype=np.float32)
    for i, image in enumerate(images):
        grid[i // columns, i % columns, 1:-1, 1:-1] = image
    grid = grid.transpose(0, 2, 1, 3, 4).reshape(rows * (height + 2), columns * (width + 2), -1)
    pixels = np.round((grid + 1) * 127.5).astype(np.uint8)
    return tf.io.encode_png(pixels).numpy()


def _generated(model, n, seed, draw):
    labels = {} if draw is None else {"labels": draw(n, seed)}
    return model.generate(n, seed, batch_size=min(n, 64), **labels)


def _step(model):
    return int(model.step.numpy())


def _check_least(least, **counts):
    for name, count in counts.items():
        if count < least:
            raise InputError(f"'{name}' is too small.", expected=f"{least} or more", got=count,
                             fix=f"pass a larger {name}")
