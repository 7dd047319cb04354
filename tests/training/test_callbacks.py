import csv
import io
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models import R1GAN, build_discriminator, build_generator
from ecg_tf.training.callbacks import (
    CollapseAlarm,
    Diversity,
    HistoryCSV,
    ProgressLine,
    SampleGrid,
    grid_png,
    mean_pairwise_distance,
)

SHAPE = (16, 16, 2)


class StubGAN:
    """Stands in for a GAN whose diversity is set by hand."""

    def __init__(self, spread=1.0, step=0):
        self.spread, self.step = spread, keras.Variable(step, dtype="int64")

    def generate(self, n, seed, batch_size=64):
        noise = np.random.default_rng(seed).normal(size=(n, *SHAPE)).astype(np.float32)
        return self.spread * noise + 0.25


def attach(callback, gan):
    callback.set_model(gan)
    callback.on_train_begin()
    return callback


def advance(gan, callbacks, epoch=0, steps=10, **logs):
    gan.step.assign(gan.step + steps)
    for callback in callbacks:
        callback.on_epoch_end(epoch, logs)
    return logs


def real_images(n=64):
    return np.random.default_rng(5).normal(size=(n, *SHAPE)).astype(np.float32)


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_mean_pairwise_distance_equals_a_plain_loop():
    images = real_images(6) + 1000
    pairs = [
        np.sqrt(np.mean((images[i].astype(float) - images[j]) ** 2))
        for i in range(6)
        for j in range(i)
    ]
    assert mean_pairwise_distance(images) == pytest.approx(np.mean(pairs), rel=1e-6)
    assert mean_pairwise_distance(np.repeat(images[:1], 6, axis=0)) == 0


@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0, 2.0])
def test_diversity_is_relative_to_real_images(spread):
    gan = StubGAN(spread)
    logs = advance(gan, [attach(Diversity(real_images()), gan)])
    assert logs["diversity"] == pytest.approx(spread, rel=0.03, abs=1e-6)


def test_diversity_refuses_real_images_without_any():
    with pytest.raises(InputError, match="all the same"):
        Diversity(np.zeros((8, *SHAPE)))
    with pytest.raises(InputError, match="2 or more"):
        Diversity(real_images(1))


def test_the_alarm_warns_once_for_each_collapse():
    gan = StubGAN()
    alarm = CollapseAlarm(fraction=0.3, patience=2)
    callbacks = [attach(Diversity(real_images()), gan), attach(alarm, gan)]
    warned = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for spread in (1.0, 0.1, 1.0, 0.1, 0.0, 0.0, 1.0, float("nan"), float("nan"), 0.31):
            gan.spread = spread
            advance(gan, callbacks)
            warned.append(len(alarm.alarms))
    assert warned == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert "step 50" in alarm.alarms[0] and "0.00 of what real ones do" in alarm.alarms[0]
    assert len(caught) == 2 and issubclass(caught[0].category, RuntimeWarning)


def test_the_alarm_waits_for_the_warmup_and_needs_its_measure():
    gan = StubGAN(0.0)
    alarm = attach(CollapseAlarm(patience=1, warmup=20), gan)
    advance(gan, [alarm], diversity=0.0)
    advance(gan, [alarm], diversity=0.0)
    assert alarm.alarms == []
    with pytest.warns(RuntimeWarning, match="Mode collapse at step 30"):
        advance(gan, [alarm], diversity=0.0)
    with pytest.raises(InputError, match="before CollapseAlarm"):
        advance(gan, [alarm], d_loss=1.0)


def test_sample_grid_keeps_and_writes_the_same_latents(tmp_path):
    gan = StubGAN()
    grid = attach(SampleGrid(tmp_path, n=5, every=20, seed=3), gan)
    for _ in range(4):
        advance(gan, [grid])
    assert sorted(grid.images) == [10, 20, 40]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"step_{step:06d}.{kind}" for step in (10, 20, 40) for kind in ("npy", "png")
    ]
    np.testing.assert_array_equal(np.load(tmp_path / "step_000020.npy"), grid.images[10])
    png = tf.io.decode_png((tmp_path / "step_000020.png").read_bytes()).numpy()
    assert png.shape == (2 * 18, 4 * 34, 1)


@pytest.mark.parametrize("channels, shape", [(1, (18, 72, 1)), (3, (18, 72, 3)), (4, (18, 264, 1))])
def test_grid_png_shows_every_channel(channels, shape):
    images = np.stack([np.full((16, 16, channels), value) for value in (-1, 0, 1)])
    png = tf.io.decode_png(grid_png(images)).numpy()
    assert png.shape == shape
    width = shape[1] // 4
    assert [int(png[9, 9 + i * width, 0]) for i in range(3)] == [0, 128, 255]


def test_progress_is_sparse_where_there_is_no_terminal():
    gan, out, now = StubGAN(), io.StringIO(), [0.0]
    line = attach(ProgressLine(100, every_seconds=30, stream=out, clock=lambda: now[0]), gan)
    for _ in range(10):
        now[0] += 12
        advance(gan, [line], d_loss=1.25, g_loss=2.0, other=9.0)
    line.on_train_end()
    lines = out.getvalue().splitlines()
    assert lines[0] == "step 10 of 100  d_loss 1.250  g_loss 2.000  1.8 min left"
    assert len(lines) == 4 and lines[-1].startswith("step 100 of 100") and "0.0 min" in lines[-1]
    assert "\r" not in out.getvalue() and "other" not in out.getvalue()


def test_progress_is_told_within_a_round_and_the_first_step_counts_as_no_other():
    gan, out, now = StubGAN(), io.StringIO(), [0.0]
    line = attach(ProgressLine(100, every_seconds=5, stream=out, clock=lambda: now[0]), gan)
    line.on_epoch_begin(0)
    for batch in range(9):
        line.on_train_batch_begin(batch)
        now[0] += 1 if batch else 60  # the first one is compiled
    lines = out.getvalue().splitlines()
    assert lines == ["step 1 of 100", "step 6 of 100  1.6 min left"]


def test_progress_is_a_bar_in_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    gan, out = StubGAN(step=40), Terminal()
    line = attach(ProgressLine(100, stream=out), gan)
    advance(gan, [line], steps=60, d_loss=0.5)
    line.on_train_end()
    assert "100/100" in out.getvalue() and "d_loss=0.500" in out.getvalue()


def test_history_grows_by_whole_lines_and_late_values_get_a_column(tmp_path):
    gan, path = StubGAN(), tmp_path / "new" / "history.csv"
    history = attach(HistoryCSV(path), gan)
    advance(gan, [history], d_loss=1.0, g_loss=np.float32(0.5))
    assert [row["step"] for row in read(path)] == ["10"]
    advance(gan, [history], d_loss=2.0, g_loss=0.25, mmd=0.125)
    rows = read(path)
    assert list(rows[0]) == ["step", "seconds", "d_loss", "g_loss", "mmd"]
    assert [row["mmd"] for row in rows] == ["", "0.125"]
    assert [row["g_loss"] for row in rows] == ["0.5", "0.25"]
    assert [p.name for p in path.parent.iterdir()] == ["history.csv"]


def test_history_of_a_resumed_training_has_no_gap_and_no_double(tmp_path):
    path, gan = tmp_path / "history.csv", StubGAN()
    history = attach(HistoryCSV(path), gan)
    for value in (1.0, 2.0, 3.0):
        advance(gan, [history], d_loss=value)
    resumed = StubGAN(step=20)  # the checkpoint was written before the last line
    history = attach(HistoryCSV(path), resumed)
    advance(resumed, [history], d_loss=4.0)
    rows = read(path)
    assert [row["step"] for row in rows] == ["10", "20", "30"]
    assert [float(row["d_loss"]) for row in rows] == [1.0, 2.0, 4.0]
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    fresh = StubGAN()
    advance(fresh, [attach(HistoryCSV(path), fresh)], d_loss=5.0)
    assert [row["d_loss"] for row in read(path)] == ["5.0"]


def test_all_together_on_an_infinite_dataset(tmp_path):
    keras.utils.set_random_seed(0)
    gan = R1GAN(build_generator(SHAPE, 8, 4, 2, "zero"), build_discriminator(SHAPE, 4, "zero"))
    gan.compile()
    images = np.tanh(real_images())
    dataset = tf.data.Dataset.from_tensor_slices(images).repeat().batch(8)
    out = io.StringIO()
    grid, alarm = SampleGrid(n=2), CollapseAlarm(fraction=0.0)
    callbacks = [
        Diversity(images, n=16),
        alarm,
        grid,
        ProgressLine(4, every_seconds=0, stream=out),
        HistoryCSV(tmp_path / "history.csv"),
    ]
    logs = gan.fit(
        dataset, epochs=2, steps_per_epoch=2, callbacks=callbacks, verbose=0, shuffle=False
    ).history
    rows = read(tmp_path / "history.csv")
    assert [row["step"] for row in rows] == ["2", "4"] and sorted(grid.images) == [2, 4]
    names = {"d_loss", "g_loss", "real_score", "generated_score", "g_grad_norm", "diversity"}
    assert set(rows[0]) == names | {"step", "seconds"} and set(logs) == names
    assert [float(row["diversity"]) for row in rows] == logs["diversity"]
    lines = out.getvalue().splitlines()  # also within a round
    assert [line.split()[1] for line in lines] == ["1", "2", "3", "4"] and alarm.alarms == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: SampleGrid(n=0),
        lambda: SampleGrid(every=-1),
        lambda: Diversity(real_images(), n=1),
        lambda: CollapseAlarm(patience=0),
        lambda: ProgressLine(0),
    ],
)
def test_counts_that_are_too_small_are_refused(make):
    with pytest.raises(InputError, match="too small"):
        make()
