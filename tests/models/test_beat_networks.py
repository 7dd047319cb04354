"""The GAN of beats: its components, the two layers that read and make images, its networks."""

import keras
import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.models.beat_basis import PHASES, BeatBasis, presence_of
from ecg_tf.models.beat_layers import FromBeats, ToBeats, loudness
from ecg_tf.models.beat_networks import build_beat_discriminator, build_beat_generator
from ecg_tf.models.losses import BeatGAN
from ecg_tf.models.networks import build_discriminator
from ecg_tf.models.projection import JoinRows
from ecg_tf.testing import check_gan
from ecg_tf.training.data import prepare_data
from ecg_tf.training.families import build_gan
from ecg_tf.training.fit import fitted_to


@pytest.fixture(scope="module", params=["beat_strips", "beat_rows"])
def made(request):
    """(experiment, data, images, basis) of six simulated persons."""
    fits = {"beat_strips": {"height": 24, "window_seconds": 10.0}, "beat_rows": {"height": 8}}
    experiment = Experiment(arrangement=request.param, width=32, subjects=6,
                            minutes=1.0, model="beatgan", base_filters=2, latent_dim=8,
                            overlap=0.5, **fits[request.param])
    data = prepare_data(experiment)
    images = data.codec.encode(data.windows["train"])
    return experiment, data, images, BeatBasis.fit(data.codec, images)


def whole_basis(basis, monkeypatch, codec, images):
    monkeypatch.setattr("ecg_tf.models.beat_basis.MEAN_SHARE", 2.0)
    monkeypatch.setattr("ecg_tf.models.beat_basis.ROW_SHARE", 2.0)
    monkeypatch.setattr("ecg_tf.models.beat_basis.MOST", 10**6)
    monkeypatch.setattr("ecg_tf.models.beat_basis.LOUDEST", 1.0)
    monkeypatch.setattr("ecg_tf.models.beat_basis.WILDEST", 1.0)
    return BeatBasis.fit(codec, images)


def test_reading_and_making_undo_each_other(made, monkeypatch):
    """With all components an image comes back from what was read of it, pixel by pixel."""
    _, data, images, basis = made
    basis = whole_basis(basis, monkeypatch, data.codec, images)
    read, make = ToBeats.of(basis), FromBeats.of(basis)
    whole, rows, _ = map(np.asarray, read(images))
    k, m = len(basis.beats), len(basis.rows)
    mean = np.sinh(whole[:, :k] / loudness(basis.beats, np))
    rows = rows[..., :m] / loudness(basis.rows, np) * np.exp(whole[:, None, k + 1 : k + 1 + m])
    arrangement = data.codec.arrangement
    code = arrangement._interval_means(images)
    rr = (code - basis.rhythm[0]) / basis.rhythm[2]
    begin = np.zeros((len(images), 1))
    if "presence" in data.codec.channels:
        _, ends = arrangement.read(images)
        columns = arrangement.columns
        rr_samples = arrangement.rr_seconds(code) * arrangement.fs
        peaks = np.pad(np.cumsum(rr_samples, 1), ((0, 0), (1, 0)))
        times = arrangement.pixel_times(peaks)
        at = np.array([np.interp(end, np.arange(len(time)), time)
                       for end, time in zip(ends[:, 0], times, strict=True)])
        begin = ((at - times[:, 0]) / (times[:, columns] - times[:, 0]))[:, None]
    parts = making(basis, data, len(images))
    parts[0], parts[1], parts[5], parts[6] = mean, rows, rr, begin
    back = np.asarray(make([np.asarray(part, np.float32) for part in parts]))
    # The pixels at either end of a strip fade out.
    off = (np.abs(back - images) > 2e-3).any(axis=-1).sum(axis=(1, 2))
    assert off.max() <= (2 if "presence" in data.codec.channels else 0)


def test_components_are_orthogonal_and_scaled(made):
    """Mean beats have unit variance; rows have unit strength in half of the strips."""
    _, data, images, basis = made
    for components in (basis.beats, basis.rows):
        gram = components.astype(np.float64) @ components.T
        size = np.sqrt(np.diag(gram))
        np.testing.assert_allclose(gram / np.outer(size, size), np.eye(len(gram)), atol=1e-4)
    assert (np.diff(np.sqrt((basis.beats.astype(np.float64) ** 2).sum(1))) <= 1e-6).all()
    whole, rows, share = map(np.asarray, ToBeats.of(basis)(images))
    k, m = len(basis.beats), len(basis.rows)
    mean = np.sinh(whole[:, :k] / loudness(basis.beats, np))
    rows = rows[..., :m] / loudness(basis.rows, np)
    np.testing.assert_allclose(mean.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(mean.std(0), 1, atol=2e-3)
    squares = (rows**2).sum(axis=1) / share.sum(axis=1)
    assert squares.max() <= 1 and np.median(squares) > 0.95
    assert np.abs(np.median(whole[:, k + 1 : k + 1 + m], axis=0)).max() < 0.3
    local = whole[:, -PHASES * data.codec.arrangement.leads :]
    np.testing.assert_allclose(np.median(local, axis=0), 0, atol=0.02)


def making(basis, data, count, rng=None):
    """Inputs of `FromBeats` that say the mean beat and usual rhythm, with rows and noise of usual
    strength where random numbers are given."""
    height, leads = data.codec.arrangement.rows, data.codec.arrangement.leads
    shapes = ((len(basis.beats),), (height, len(basis.rows)), (height, len(basis.rest)), (leads,),
              (leads, PHASES), (height + 1,), (1,))
    parts = [np.zeros((count, *shape), np.float32) for shape in shapes]
    if rng is not None:
        parts[1:3] = [rng.normal(size=part.shape).astype(np.float32) for part in parts[1:3]]
    return parts


def test_no_row_and_no_strip_is_louder_than_those_it_was_fitted_to(made):
    """Strengths multiply; what they make has one bound for a row, and one for all of them."""
    _, data, _, basis = made
    leads, parts = data.codec.arrangement.leads, making(basis, data, 4, np.random.default_rng(0))
    parts[1] *= 20
    parts[3] += 3
    parts[4] += 3
    images = np.asarray(FromBeats.of(basis)(parts))
    used = presence_of(images, "presence" in data.codec.channels, np).min(axis=(2, 3)) == 1
    rows = images[..., :leads] - basis.mean.reshape(1, 1, -1, leads)
    loud = np.sqrt((rows[used] ** 2).mean(axis=1))
    assert used.any() and (loud <= 1.01 * basis.loudest[0]).all()
    everything = np.sqrt([(own[there] ** 2).mean(axis=(0, 1)) for own, there in
                          zip(rows, used, strict=True)])
    assert (everything <= 1.2 * basis.loudest[1]).all()  # of the rows that lie in the strip
    assert np.median(everything / basis.loudest[1]) > 0.6  # and they are that loud here


def test_no_rhythm_is_less_regular_than_those_it_was_fitted_to(made):
    _, data, images, basis = made
    code = data.codec.arrangement._interval_means(images)
    used = presence_of(images, "presence" in data.codec.channels, np).min(axis=(2, 3)) == 1
    spread = [own[:-1][there].std() for own, there in zip(code, used, strict=True)]
    assert (np.array(spread) > 1.01 * basis.irregular * basis.rhythm[2]).mean() < 0.05
    generator = build_beat_generator(basis, latent_dim=8, base_filters=2)
    irregular = generator.get_layer("irregular")
    irregular.set_weights([irregular.get_weights()[0], np.full(1, 4.0)])  # fifty times as much
    bounded = keras.Model(generator.inputs, generator.get_layer("bounded").output)
    latents = np.random.default_rng(0).normal(size=(32, generator.inputs[0].shape[1]))
    apart = np.sqrt((np.asarray(bounded(latents.astype(np.float32))) ** 2).mean(axis=1))
    np.testing.assert_allclose(apart, basis.irregular, rtol=1e-4)


@pytest.mark.parametrize("which", ["noise", "phase"])
def test_strengths_are_read_as_they_were_made(made, which):
    """In each lead of the noise beyond the components, and of all differences at a phase."""
    _, data, _, basis = made
    leads = data.codec.arrangement.leads
    parts = [np.stack([part[0]] * 2) for part in making(basis, data, 2, np.random.default_rng(0))]
    parts[1] *= 0.1
    if which == "noise":
        parts[3][1] = -1.0
    else:
        parts[4][1, :, 5] = -1.0
    whole = np.asarray(ToBeats.of(basis)(FromBeats.of(basis)(parts))[0])
    local = whole[:, -PHASES * leads :].reshape(2, leads, PHASES)
    noise = whole[:, -(PHASES + 1) * leads : -PHASES * leads]
    if which == "noise":
        np.testing.assert_allclose(noise[0] - noise[1], 1.0, atol=0.25)
    else:
        change = (local[0] - local[1])[0]
        assert change.argmax() == 5 and change[5] > 0.4
        assert np.abs(np.delete(change, [4, 5, 6])).max() < 0.1


def test_a_flat_lead_divides_nothing_by_zero(made):
    _, data, images, _ = made
    flat = images.copy()
    flat[..., : data.codec.arrangement.leads] = 0
    basis = BeatBasis.fit(data.codec, flat)
    for part in (*ToBeats.of(basis)(flat), *ToBeats.of(basis)(images)):
        assert np.isfinite(np.asarray(part)).all()
    parts = making(basis, data, 2, np.random.default_rng(0))
    assert np.isfinite(np.asarray(FromBeats.of(basis)(parts))).all()


def test_what_is_generated_is_valid(made):
    """Each image lasts as long as its strip, so that the codec has nothing to mend."""
    _, data, _, basis = made
    keras.utils.set_random_seed(0)
    generator = build_beat_generator(basis, latent_dim=8, base_filters=2)
    latents = np.random.default_rng(0).normal(size=(8, generator.input_shape[1]))
    images = np.asarray(generator(latents.astype(np.float32)))
    assert images.shape[1:] == data.codec.image_shape and np.abs(images).max() <= 1
    if "presence" in data.codec.channels:  # nothing was trained: some hearts are too fast
        images = images[images[:, -1, -1, -1] == -1]
        assert len(images) >= 4
    np.testing.assert_allclose(data.codec.project(images), images, atol=5e-3)
    assert np.isfinite(data.codec.decode(images).signals[:, :300]).all()  # some are longer


def test_rows_are_joined(made):
    """A step from row to row is the mean of its neighbours; the middle of rows stays as it is."""
    _, data, images, _ = made
    leads = data.codec.arrangement.leads
    strips = "presence" in data.codec.channels
    rng = np.random.default_rng(0)
    # Inside of the strip, and away from what is present: rows that drift apart.
    drift = rng.normal(size=(*images.shape[:2], 1, leads)).astype(np.float32) / 10
    off = images.copy()
    off[..., :leads] += drift
    joined = np.asarray(JoinRows(leads, strips)(off))
    quarter = images.shape[2] // 4
    np.testing.assert_array_equal(joined[:, :, quarter:-quarter], off[:, :, quarter:-quarter])
    np.testing.assert_array_equal(joined[..., leads:], off[..., leads:])
    for number in range(1, 4):  # these rows are present in all strips
        above, below = joined[:, number, :, :leads], joined[:, number + 1, :, :leads]
        step, before = below[:, 0] - above[:, -1], off[:, number + 1, 0] - off[:, number, -1]
        assert np.abs(step).mean() < 0.5 * np.abs(before[:, :leads]).mean()


def test_it_keeps_the_contract_of_gans(made):
    experiment, data, _, _ = made
    known = fitted_to(experiment, data.windows["train"], data.codec)
    check_gan(lambda: build_gan(experiment, data.codec, **known))


def test_it_keeps_the_contract_with_labels(made):
    """Saved and loaded, too: a network within the discriminator, and a second input."""
    *_, basis = made

    def factory():
        keras.utils.set_random_seed(0)
        gan = BeatGAN(build_beat_generator(basis, 8, 2, conditions=3),
                      build_beat_discriminator(basis, 2, conditions=3))
        gan.compile()
        return gan

    check_gan(factory)


def test_conditions_are_read(made):
    _, _, images, basis = made
    generator = build_beat_generator(basis, 8, 2, conditions=3)
    discriminator = build_beat_discriminator(basis, 2, conditions=3)
    assert [part.shape for part in generator.inputs] == [(None, generator.input_shape[0][1]),
                                                         (None, 3)]
    same = np.stack([images[0]] * 3)
    scores = np.asarray(discriminator([same, np.eye(3, dtype=np.float32)]))
    assert scores.shape == (3, 1) and len(np.unique(scores)) == 3


def test_other_images_are_refused(made):
    experiment, data, images, basis = made
    with pytest.raises(InputError, match="reads beats"):
        BeatGAN(build_beat_generator(basis, 8, 2), build_discriminator(data.codec.image_shape, 2))
    with pytest.raises(InputError, match="fitted to images"):
        build_gan(experiment, data.codec)
    with pytest.raises(InputError, match="Too few images"):
        BeatBasis.fit(data.codec, images[:1])


def test_other_arrangements_are_refused():
    with pytest.raises(InputError, match="reads rows of beats"):
        Experiment(arrangement="row_major", model="beatgan")
    with pytest.raises(InputError, match="on one scale"):
        Experiment(scaling="window", model="beatgan")
    data = prepare_data(Experiment(arrangement="row_major", subjects=3, minutes=0.5))
    with pytest.raises(InputError, match="beat networks do not fit"):
        BeatBasis.fit(data.codec, data.codec.encode(data.windows["train"]))
