"""Whole strips as beat rows: exact length, beats where they were, whatever a generator makes."""

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangements import arrangement_from_dict, make_arrangement
from ecg_tf.images.beat_strips import BeatStrips
from ecg_tf.images.codec import Codec
from ecg_tf.images.rows_needed import beats_in_strips, rows_needed
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import beat_strips, outer_intervals, strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.rpeaks import between_samples, rpeaks_of
from ecg_tf.signals.windows import Windows
from tests.images.test_arrangements import round_trip
from tests.small_records import make_record, noise

quick = settings(max_examples=60, deadline=None)


def smooth_strips(count=12, length=1000, fs=100.0, rows=24, seed=0, leads=1) -> Windows:
    """Sum-of-Gaussians ECGs of 40 to 120 bpm, cut without regard to the beats."""
    rng = np.random.default_rng(seed)
    time = np.arange(length)
    signals, rpeaks = np.zeros((count, length, leads)), np.full((count, rows), np.nan)
    for k in range(count):
        rr = rng.uniform(0.5, 1.5) * fs * (1 + 0.1 * rng.standard_normal(rows))
        peaks = np.cumsum(rr) - rr[0] * rng.uniform(0, 1) - 2 * rr[0]
        signal = 0.0
        for at, interval in zip(peaks, rr, strict=True):
            for mv, where, width in ((0.15, -0.18, 0.025), (-0.1, -0.028, 0.01), (1.1, 0, 0.012),
                                     (-0.25, 0.028, 0.012), (0.3, 0.003 * interval, 0.05)):
                signal = signal + mv * np.exp(-(((time - at) / fs - where) / width) ** 2 / 2)
        signals[k] = np.stack([signal * (1 - 0.3 * lead) for lead in range(leads)], -1)
        inside = peaks[(peaks > -0.5) & (peaks < length - 0.5)]
        rpeaks[k, : len(inside)] = inside
    names = np.array([f"r{k}" for k in range(count)])
    return Windows(signals.astype(np.float32), fs, ("II", "V1")[:leads], np.full(count, length),
                   names, names, np.zeros(count, int), rpeaks)


@st.composite
def any_strips(draw):
    """An arrangement and R peaks that fit it: pauses, extremes, peaks on the ends."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    fs, columns = draw(st.sampled_from([30.0, 100.0, 128.0, 500.0])), draw(st.integers(8, 100))
    slowest = draw(st.floats(0.6, 2.5))
    rows = draw(st.integers(6, 40))
    n = draw(st.integers(2, rows - 2))
    kind = draw(st.sampled_from(["any", "pauses", "fastest", "slowest", "even"]))
    rr = {"any": rng.uniform(0.2, slowest, n - 1), "fastest": np.full(n - 1, 0.2),
          "slowest": np.full(n - 1, slowest), "even": np.full(n - 1, rng.uniform(0.2, slowest)),
          "pauses": rng.choice([0.21, slowest], n - 1)}[kind] * fs
    most = slowest * fs - 1
    first = draw(st.sampled_from([0.0, -0.5, 0.25])) if draw(st.booleans()) else \
        rng.uniform(-0.5, most)
    peaks = first + np.concatenate([[0.0], np.cumsum(rr)])
    behind = draw(st.sampled_from([1.0, 0.51])) if draw(st.booleans()) else rng.uniform(0.51, most)
    length = int(np.ceil(peaks[-1] + behind - 1e-9))
    assume(length >= 2 * slowest * fs and length - peaks[-1] <= slowest * fs)
    made = BeatStrips(rows, columns, fs=fs, length=length, rr_max_s=slowest,
                      before=draw(st.floats(0.1, 0.9)), core_s=draw(st.floats(0, 0.3)))
    return made, np.append(peaks, [np.nan] * (rows - n))[None], rng


@quick
@given(any_strips())
def test_any_strip_comes_back_whole_with_its_beats(strip):
    made, rpeaks, rng = strip
    assert made.fits(rpeaks).all()
    constant = np.full((1, made.length, 1), 0.25, np.float32)
    images = made.encode(constant, rpeaks)
    assert images.shape == (1, *made.image_shape) and images.dtype == np.float32
    back = made.decode(images)
    assert back.shape == constant.shape
    assert np.abs(back - 0.25).max() < 1e-5  # a constant stays one: the weights sum to 1
    found = made.rpeaks(images)
    assert np.array_equal(np.isfinite(found), np.isfinite(rpeaks))
    assert np.nanmax(np.abs(found - rpeaks)) < 0.05
    assert np.array_equal(made.project(images), images)  # what is valid is left alone, bit by bit
    empty = images[..., 2] == -1
    assert (images[empty][:, 0] == 0).all()
    wild = rng.uniform(-1, 1, constant.shape).astype(np.float32)
    again = made.decode(made.encode(wild, rpeaks))
    assert again.shape == wild.shape and np.isfinite(again).all()


@quick
@given(any_strips())
def test_decoded_strips_can_be_encoded_again(strip):
    made, rpeaks, rng = strip
    steps = rng.normal(0, 1, (1, made.length // 8 + 2))
    smooth = np.interp(np.arange(made.length), np.arange(steps.size) * 8, steps[0])
    smooth = (0.9 * smooth / np.abs(smooth).max()).astype(np.float32)[None, :, None]
    images = made.encode(smooth, rpeaks)
    once, peaks = made.decode(images), made.rpeaks(images)
    assume(made.fits(peaks).all())  # a limit of RR may be passed by a thousandth of a sample
    images = made.encode(np.clip(once, -1, 1), peaks)
    assert np.nanmax(np.abs(made.rpeaks(images) - rpeaks)) < 0.05
    assert made.decode(images).shape == smooth.shape


@quick
@given(st.integers(0, 9999), st.floats(0.1, 1e6), st.sampled_from(["noise", "none", "all", "last"]))
def test_whatever_is_generated_decodes_to_the_strip_s_length(seed, scale, kind):
    made = BeatStrips(10, 16, fs=100.0, length=500)
    rng = np.random.default_rng(seed)
    images = (scale * rng.standard_normal((4, *made.image_shape))).astype(np.float32)
    if kind == "last":
        images[..., 2] = -1
        images[:, -1, :, 2] = 1
    elif kind != "noise":
        images[..., 2] = -1 if kind == "none" else 1
    signals, rpeaks = made.decode(images), made.rpeaks(images)
    assert signals.shape == (4, 500, 1) and np.isfinite(signals).all()
    n = np.isfinite(rpeaks).sum(1)
    assert (n >= 2).all() and np.array_equal(np.isfinite(rpeaks), np.arange(10) < n[:, None])
    rr = np.diff(rpeaks)
    assert np.nanmin(rr) >= 20 - 1e-4 and np.nanmax(rr) <= 250 + 1e-4
    assert np.nanmin(rpeaks) > -1 and np.nanmax(rpeaks) < 500
    valid = made.project(images)
    assert np.array_equal(made.project(valid), valid)
    assert np.array_equal(made.decode(valid), signals)
    assert np.array_equal(made.rpeaks(valid), rpeaks, equal_nan=True)


def test_intervals_that_add_up_to_more_or_less_are_scaled_by_one_factor():
    windows, made = smooth_strips(), BeatStrips(24, 64, fs=100.0, length=1000)
    images = made.encode(windows.signals, windows.rpeaks)
    slower = images.copy()
    span = np.log(made.rr_max_s / made.rr_min_s)
    present = slower[..., 1] != 0
    slower[..., 1] += present * np.float32(2 * np.log(1.1) / span)  # all intervals 10 % longer
    peaks = made.rpeaks(slower)
    assert np.nanmax(np.abs(peaks - windows.rpeaks)) < 0.05


def test_noise_in_the_presence_moves_the_ends_by_less_than_a_pixel():
    windows, made = smooth_strips(), BeatStrips(24, 64, fs=100.0, length=1000)
    images = made.encode(windows.signals, windows.rpeaks)
    noisy = images.copy()
    rng = np.random.default_rng(0)
    noisy[..., 2] = 0.8 * noisy[..., 2] + rng.uniform(-0.2, 0.2, noisy.shape[:3])
    assert np.abs(made.read(noisy)[1] - made.read(images)[1]).max() < 1


def test_real_shapes_come_back_within_two_percent_at_every_sample():
    for leads in (1, 2):
        windows = smooth_strips(leads=leads)
        made = BeatStrips(24, 96, leads, fs=100.0, length=1000)
        error = round_trip(made, windows)
        assert error["prd_percent"] < 2 and error["max_mv"] < 0.06
        assert error["samples"] == windows.signals.size and error["samples_not_covered"] == 0


def test_r_peaks_stand_in_one_column_and_what_is_empty_is_marked():
    windows, made = smooth_strips(), BeatStrips(24, 64, fs=100.0, length=1000)
    images = made.encode(windows.signals, windows.rpeaks)
    peaks, ends = made.placed(windows.rpeaks)
    for image, (begin, end), own in zip(images, ends, windows.rpeaks, strict=True):
        signal, rr, presence = np.moveaxis(image, 2, 0)
        pixel = np.arange(24 * 64)
        inside = ((pixel >= begin) & (pixel <= end)).reshape(24, 64)
        assert (presence[inside] == 1).all() and 0 <= begin < 64
        assert ((presence > -1) & ~inside).sum() <= 2  # one pixel beside either end
        assert (signal[presence == -1] == 0).all()
        # The first row says by its sum where in it the strip begins.
        assert 64 - (presence[0] + 1).sum() / 2 == pytest.approx(begin, abs=1e-3)
        beats = np.isfinite(own).sum()
        held = presence[:, made.r_column] == 1
        assert held.sum() == beats  # an R peak for each beat of the strip, in its column
        assert (signal[held].argmax(axis=1) == made.r_column).mean() > 0.7
        used = int(np.ceil(end)) // 64 + 1
        assert (rr[used + 1 :] == 0).all() and (rr[used, made.r_column :] == 0).all()


def test_what_follows_r_soon_stands_in_one_column_whatever_the_rhythm():
    """Columns around R are in real time: 0.15 s behind it, irregular beats lie below each other."""
    arrangement = BeatStrips(rows=24, columns=64, fs=100.0, length=1000)
    peaks = np.r_[0, np.cumsum(np.tile([60.0, 100.0], 13)[:25])]
    times = arrangement.pixel_times(peaks[None])[0, :-1].reshape(24, 64)
    places = [np.interp(peak + 15, row, np.arange(64))
              for peak, row in zip(peaks[1:-1], times, strict=True)]
    np.testing.assert_allclose(places, arrangement.r_column + 15, atol=1e-6)


def test_tail_of_presence_is_a_constant_for_a_steady_heart():
    made = BeatStrips(12, 32, fs=100.0, length=800)
    rpeaks = np.append(np.arange(40, 800, 80.0), [np.nan, np.nan])[None]
    images = made.encode(np.zeros((1, 800, 1)), rpeaks)
    rr = images[0, :, :, 1]
    assert np.allclose(made.rr_seconds(rr[:9]), 0.8)
    assert made.rpeaks(images)[0, :10] == pytest.approx(rpeaks[0, :10], abs=0.01)


def test_seams_and_path_follow_the_cuts():
    made, windows = BeatStrips(24, 64, fs=100.0, length=1000), smooth_strips()
    seams = made.seams(windows.rpeaks)
    assert seams.shape == (12, 23)
    for own, places in zip(windows.rpeaks, seams, strict=True):
        own, places = own[np.isfinite(own)], places[places >= 0]
        cuts = own[1:] - 0.4 * np.diff(own)
        between = places[(places > own[0]) & (places <= np.ceil(cuts[-1]))]
        assert np.array_equal(between, np.ceil(cuts - 0.01))
    row, column, channel = made.path(windows.rpeaks[0]).T
    assert len(row) == 1000 and (np.diff(row * 64 + column) > 0).all() and not channel.any()
    steady = made.seams()
    assert steady.shape == (1, 23) and np.diff(steady[steady >= 0]) == pytest.approx(80, abs=1)
    assert len(made.path()) == 1000


def test_state_goes_through_json_and_impossible_numbers_are_refused():
    made = make_arrangement("beat_strips", 16, 32, 2, fs=100.0, length=800, rr_max_s=2.0)
    again = arrangement_from_dict(json.loads(json.dumps(made.to_dict())))
    assert isinstance(again, BeatStrips) and again.to_dict() == made.to_dict()
    assert made.image_shape == (16, 32, 4) and made.window_length == 800
    assert BeatStrips().length == 1280
    for make, hint in (
        (lambda: BeatStrips(24, 64, fs=100.0, length=499), "rr_max_s"),
        (lambda: BeatStrips(12, 64, fs=100.0, length=3000), "13 rows or more"),
        (lambda: BeatStrips(24, 64, length=10**9), "length"),
        (lambda: made.encode(np.zeros((1, 799, 2)), [[100.0, 200.0]]), "strips of 800"),
        (lambda: made.encode(np.zeros((1, 800, 2)), [[100.0]]), "2 R peaks"),
        (lambda: made.encode(np.zeros((1, 800, 2)), [[100.0, 200.0]]), "2 R peaks"),  # then 6 s
        (lambda: made.encode(np.zeros((1, 800, 2)), np.arange(0, 800, 30.0)[None]), "more rows"),
        (lambda: made.encode(np.zeros((1, 800, 2)), [[0.0, 200, 190, 300, 500, 700]]), "apart"),
        (lambda: made.encode(np.zeros((1, 800, 2)), [[0.0, 150, np.nan, 300, 450, 600, 750]]),
         "R peaks"),
        (lambda: made.encode(np.zeros((1, 800, 2)), [[100.0, 250, 400, 550, 700, 801]]), "within"),
        (lambda: made.decode(np.zeros((1, 16, 32, 3))), "codec.json"),
    ):
        with pytest.raises(InputError, match=hint):
            make()


@pytest.mark.parametrize("name", ["physical", "quantile", "window", "companded"])
def test_codecs_of_strips_decode_from_their_json_alone(name):
    windows = smooth_strips(leads=2)
    codec = Codec("beat_strips", scaling=name, height=24, width=96, quantiles=(0, 1),
                  knee_mv=0.5).fit(windows)
    images = codec.encode(windows)
    ranges = ("range",) * 2 if name == "window" else ()
    assert codec.channels == ("signal", "signal", "rr", "presence", *ranges)
    assert images.shape == (12, *codec.image_shape) and np.abs(images).max() <= 1
    again = Codec.from_json(json.dumps(codec.to_dict())).decode(images)
    assert again.signals.shape == windows.signals.shape and (again.lengths == 1000).all()
    assert np.nanmax(np.abs(again.rpeaks - windows.rpeaks)) < 0.05
    error = codec.round_trip_error(windows)
    assert error["samples_not_covered"] == 0 and error["prd_percent"] < 3
    assert codec.rows == 24 and codec.window_length == 1000
    assert codec.standardizer.report(windows)["rpeaks"] == np.isfinite(windows.rpeaks).sum()
    assert np.allclose(codec.project(images), images, atol=1e-6)


def test_strips_are_cut_as_strips_and_know_their_r_peaks():
    records = [prepare(record, 100.0) for record in simulate_cohort(3, minutes=1)]
    windows, plain = beat_strips(records, 1000, rows=24), strips(records, 1000)
    assert np.array_equal(windows.signals, plain.signals)
    assert np.array_equal(windows.starts, plain.starts)
    assert windows.rpeaks.shape == (18, 24)
    positions, _ = rpeaks_of(records[0])
    exact = positions + between_samples(records[0].signal, positions)
    own = windows.rpeaks[windows.records == records[0].name]
    start = windows.starts[windows.records == records[0].name]
    found = (own + start[:, None])[np.isfinite(own)]
    inside = (positions >= 0) & (positions < 6000)
    assert np.allclose(found, exact[inside])
    assert BeatStrips(24, 64, fs=100.0, length=1000).fits(windows.rpeaks).all()
    assert beat_strips(records, 1000, 24, step=500).signals.shape == (33, 1000, 1)


def test_strips_that_do_not_fit_are_dropped_and_counted():
    peaks = np.concatenate([np.arange(30, 1000, 80), np.arange(1330, 2000, 80),
                            [2100], np.arange(3010, 4000, 45)])
    y = 0.01 * noise(4000)
    y[peaks] = 1
    quality = Quality()
    windows = beat_strips(make_record(y, beats=peaks), 1000, rows=16, quality=quality)
    assert windows.starts.tolist() == [0]  # a pause of 3.3 s, one beat alone, 22 beats
    assert quality.dropped["rr"] == 2 and quality.dropped["rows"] == 1 and quality.kept == 1
    with pytest.raises(InputError, match="more rows"):
        beat_strips(make_record(y[3000:], beats=peaks[peaks >= 3000] - 3000), 1000, rows=16)
    with pytest.raises(InputError, match="longer than every record"):
        beat_strips(make_record(y, beats=peaks), 4001)


def test_a_strip_begins_and_ends_in_intervals_it_cannot_see():
    rpeaks = [[20.0, 100, 180], [90, 160, np.nan], [5, np.nan, np.nan]]
    before, behind = outer_intervals(rpeaks, 200)
    assert before[:2].tolist() == [80, 91] and behind[:2].tolist() == [80, 70]
    assert np.isnan(before[2]) and np.isnan(behind[2])


def test_rows_needed_hold_the_share_of_strips_that_was_asked_for():
    y = 0.01 * noise(6000)
    beats = np.concatenate([np.arange(10, 5000, 100), np.arange(5010, 6000, 55)])
    y[beats] = 1
    record = make_record(y, beats=beats)
    assert beats_in_strips(record, 10.0).tolist() == [10, 10, 10, 10, 10, 18]
    assert rows_needed(record, 10.0, share=5 / 6) == 16
    assert rows_needed([record, record], 10.0) == 24
    kept = beat_strips(record, 1000, rows_needed(record, 10.0))
    assert len(kept) == 6
    with pytest.raises(InputError, match="60 s"):
        rows_needed(record, 61.0)
    with pytest.raises(InputError, match="share"):
        rows_needed(record, 10.0, share=99)
