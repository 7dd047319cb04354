"""Explorers of a GAN: sliders move what they say, quickly, and reports get a still picture."""

import time

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.figures.gan_explorers import LatentExplorer, Replay, explore_latents, explore_training
from ecg_tf.figures.plots import png_of
from ecg_tf.images.codec import Codec
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import beat_sequences
from ecg_tf.signals.filtering import prepare


@pytest.fixture(scope="module")
def codec():
    ready = [prepare(record, 128.0) for record in simulate_cohort(subjects=3, minutes=0.5, seed=1)]
    return Codec(scaling="companded", height=8, width=32).fit(beat_sequences(ready, rows=8))


@pytest.fixture(scope="module")
def run(tmp_path_factory, codec):
    folder = tmp_path_factory.mktemp("runs")
    codec.save(folder / "codec.json")
    (folder / "samples").mkdir()
    for step in (0, 50, 100):
        images = np.random.default_rng(step).uniform(-0.3, 0.3, (4, *codec.image_shape))
        np.save(folder / "samples" / f"step_{step:06d}.npy", images.astype(np.float32))
    (folder / "history.csv").write_text(
        "step,seconds,d_loss,g_loss,diversity\n50,1,0.5,0.6,\n100,2,0.4,0.7,0.9\n")
    return folder


class Generator:
    """A dense layer: enough to be walked through."""

    input_shape = (None, 8)

    def __init__(self, shape):
        self.shape = shape
        self.weights = np.random.default_rng(0).normal(0, 0.3, (8, int(np.prod(shape))))

    def __call__(self, latents, training):
        return np.tanh(latents @ self.weights).reshape(-1, *self.shape)


@pytest.fixture(scope="module")
def latents(codec):
    return LatentExplorer(Generator(codec.image_shape), codec, 40.0)


def test_the_arc_goes_from_one_ecg_to_the_other_and_keeps_its_distance_from_the_middle(latents):
    ends = latents.latent(3, 7), latents.latent(3, 7, 1.0)
    assert np.allclose(ends[0], latents.latent(3, 99)) and np.allclose(ends[1], latents.latent(7))
    norms = [np.linalg.norm(latents.latent(3, 7, mix)) for mix in np.linspace(0, 1, 9)]
    assert min(norms) > 0.9 * min(norms[0], norms[-1])
    assert np.allclose(latents.latent(3, 3, 0.5), latents.latent(3))
    moved = latents.latent(3, 7, 0.0, (0, 2.0))
    assert np.allclose(moved - ends[0], 2 * latents.directions[1])


def test_the_first_direction_changes_the_images_more_than_chance_does(latents):
    start = latents.latent(0)
    chance = np.random.default_rng(1).standard_normal((20, len(start)))
    chance /= np.linalg.norm(chance, axis=1, keepdims=True)
    places = np.stack([start, start + latents.directions[0], *(start + chance)])
    images, _ = latents.generate(places)
    change = np.abs(images[1:] - images[0]).mean(axis=(1, 2, 3))
    assert change[0] > np.median(change[1:])


def test_a_picture_follows_each_slider_in_time(run, latents):
    replay = Replay(run)
    for draw in (lambda k: latents.figure(0, 1, k / 9, (k / 3, 0, 1)),
                 lambda k: replay.figure(replay.steps[k % 3], k % 4)):
        draw(0)
        took = []
        for k in range(4):
            start = time.process_time()  # not what other programs do meanwhile
            png_of(draw(k))
            took.append(time.process_time() - start)
        assert min(took) < 0.2


def test_the_replay_shows_the_step_it_names(run, codec):
    replay = Replay(run)
    assert replay.steps == [0, 50, 100] and replay.samples == 4
    assert np.isnan(replay.history["diversity"][0]) and list(replay.history["g_loss"]) == [0.6, 0.7]
    plotted = replay.figure(50, 2).axes[0].lines[-1].get_ydata()
    wanted = codec.decode(replay.images[50][2:3]).signals[0, : len(plotted), 0]
    assert np.allclose(plotted, wanted, atol=1e-6)
    marks = [ax.lines[-1].get_xdata()[0] for ax in replay.picture(50).axes[1:]]
    assert marks == [50, 50]


def test_bad_runs_and_numbers_are_explained(tmp_path, run, latents):
    replay = Replay(run)
    for call in (lambda: Replay(tmp_path), lambda: replay.figure(51), lambda: replay.figure(50, 4),
                 lambda: latents.latent(-1), lambda: latents.latent(0, 1, 1.5)):
        with pytest.raises(InputError):
            call()
    (tmp_path / "samples").mkdir()
    np.save(tmp_path / "samples" / "step_000010.npy", np.zeros((2, 3, 3, 1)))
    with pytest.raises(InputError, match="cannot be replayed"):
        Replay(tmp_path, replay.codec)


def test_widgets_follow_and_reports_get_figures(monkeypatch, run, latents):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *data, **_: shown.append(data[0]))
    for explore in (lambda live: explore_latents(latents.generator, latents.codec, 40.0, live),
                    lambda live: explore_training(run, None, 0.0, live)):
        assert explore(False) is None and "<figure" in shown[-1]["text/html"]
        widget = explore(True)
        assert widget is shown[-1]
        sliders = [one for one in widget.children if hasattr(one, "step")][:2]
        sliders += [one for box in widget.children if hasattr(box, "children")
                    for one in box.children if one.description in ("check", "sample")]
        picture = next(one for one in widget.children if hasattr(one, "format"))
        for slider in sliders:
            before = picture.value
            slider.value = 1
            assert picture.value != before, slider.description
