"""Arrangements: permutations are bit-exact, seams are where they must be, beat rows lose little."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangements import ARRANGEMENTS, arrangement_from_dict, make_arrangement
from ecg_tf.images.beat_rows import BeatRows
from ecg_tf.images.fixed_paths import FITS
from ecg_tf.images.image_losses import neighbour_correlation
from ecg_tf.images.round_trip import compare
from tests.bounds import smooth_beats

quick = settings(max_examples=60, deadline=None)
FIXED = [name for name, kind in ARRANGEMENTS.items() if not kind.by_beats]


def image_of(name, samples, height, width):
    """Image of one window 0, 1, 2, ..."""
    leads = ARRANGEMENTS[name].lead_count or 1
    signals = np.arange(float(samples * leads)).reshape(1, samples, -1)
    return make_arrangement(name, height, width, leads).encode(signals)[0]


def round_trip(arrangement, windows):
    """What going to the image and back costs, of windows within [-1.2, 1.2] mV."""
    images = arrangement.encode(windows.signals / 1.2, windows.rpeaks, windows.lengths)
    rpeaks = arrangement.rpeaks(images)
    first = np.zeros(len(windows), int)
    if arrangement.window_length is None:  # the decoded window begins at the first cut
        first = np.rint(windows.rpeaks[:, 1] - rpeaks[:, 1]).astype(int)
    return compare(windows.signals, windows.lengths, arrangement.decode(images) * 1.2,
                   arrangement.lengths(rpeaks), first)


@quick
@given(st.sampled_from(FIXED), st.integers(1, 9), st.integers(1, 9),
       st.sampled_from(list(FITS)), st.floats(0.05, 1), st.integers(1, 2), st.integers(0, 99))
def test_every_fixed_arrangement_is_undone_bit_by_bit(name, height, width, fit, share, leads, seed):
    if name == "hilbert":
        height = width = 2 ** (height % 4)
    leads = ARRANGEMENTS[name].lead_count or leads
    capacity = make_arrangement(name, height, width, leads).capacity
    length = max(1, int(share * capacity))
    arrangement = make_arrangement(name, height, width, leads, length=length, fit=fit)
    signals = np.random.default_rng(seed).normal(size=(2, length, leads)).astype(np.float32)
    images = arrangement.encode(signals)
    assert images.shape == (2, *arrangement.image_shape) and images.dtype == np.float32
    assert np.array_equal(arrangement.decode(images), signals)
    assert arrangement.tile_variance(images) == 0
    again = arrangement_from_dict(json.loads(json.dumps(arrangement.to_dict())))
    assert np.array_equal(again.encode(signals), images)
    row, column, channel = arrangement.path().T
    channels = images.shape[3] // leads  # lead 0 has the first channels
    assert channel.max() < channels
    assert np.array_equal(images[0, row, column, channel], signals[0, :, 0])


def test_pixels_are_where_the_definitions_say():
    n = 4
    y = np.arange(3 * n * n)
    r, c, k = np.mgrid[:n, :n, :3]
    assert np.array_equal(image_of("row_major", n * n, n, n)[..., 0], y[: n * n].reshape(n, n))
    assert np.array_equal(image_of("column_major", n * n, n, n)[..., 0], y[: n * n].reshape(n, n).T)
    assert np.array_equal(image_of("rgb_interleaved", 48, n, n), y[3 * (r * n + c) + k])
    assert np.array_equal(image_of("rgb_planar", 48, n, n), y[k * n * n + r * n + c])
    assert np.array_equal(image_of("rgb_leads", n * n, n, n), y.reshape(n, n, 3))
    assert image_of("serpentine", 6, 2, 3)[..., 0].tolist() == [[0, 1, 2], [5, 4, 3]]
    tiles = image_of("rgb_tiles", 36, 2, 6)  # three tiles of 2 x 2 pixels, 12 samples each
    assert tiles[0, 0].tolist() == [0, 1, 2] and tiles[1, 1].tolist() == [9, 10, 11]
    assert tiles[0, 2].tolist() == [12, 13, 14] and tiles[1, 5].tolist() == [33, 34, 35]


def test_seams_are_where_the_path_breaks():
    assert make_arrangement("row_major", 3, 4).seams().tolist() == [4, 8]
    assert make_arrangement("column_major", 3, 4).seams().tolist() == [3, 6, 9]
    assert make_arrangement("serpentine", 3, 4).seams().size == 0
    assert make_arrangement("hilbert", 8, 8).seams().size == 0
    assert make_arrangement("rgb_interleaved", 2, 4).seams().tolist() == [12]
    assert make_arrangement("rgb_planar", 2, 4).seams().tolist() == [4, 8, 12, 16, 20]
    assert make_arrangement("row_major", 3, 4, length=6).seams().tolist() == [4]
    assert make_arrangement("row_major", 2, 4, length=4, fit="replicate").seams().tolist() == [2]


def test_hilbert_visits_every_pixel_step_by_step():
    path = make_arrangement("hilbert", 16, 16).path()
    assert len(np.unique(path, axis=0)) == 256
    assert (np.abs(np.diff(path[:, :2], axis=0)).sum(axis=1) == 1).all()


def test_copies_are_averaged_and_their_variance_told():
    arrangement = make_arrangement("row_major", 2, 4, length=4, fit="tile")
    images = arrangement.encode(np.zeros((1, 4, 1), np.float32))
    images[0, 1] = 1.0
    assert arrangement.decode(images).ravel().tolist() == [0.5] * 4
    assert arrangement.tile_variance(images) == pytest.approx(0.25)
    padded = make_arrangement("row_major", 2, 4, length=3).encode(np.ones((1, 3, 1), np.float32))
    assert padded.ravel().tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


def test_beat_rows_make_neighbours_alike():
    windows = smooth_beats(4)
    beats = BeatRows().encode(windows.signals, windows.rpeaks, windows.lengths)[..., :1]
    strips = make_arrangement("row_major", 32, 64).encode(windows.signals[:, :2048])
    assert neighbour_correlation(beats)["vertical"] > 0.9
    assert neighbour_correlation(strips)["vertical"] < 0.5
    assert neighbour_correlation(strips)["horizontal"] > 0.5


def test_r_peaks_stand_in_one_column_and_rr_in_the_last_channel():
    windows = smooth_beats(3)
    arrangement = BeatRows()
    images = arrangement.encode(windows.signals, windows.rpeaks, windows.lengths)
    assert arrangement.r_column == 26 and arrangement.core_columns == 10
    assert (images[..., 0].argmax(axis=2) == 26).all()
    at_r = np.take_along_axis(windows.signals[..., 0], windows.rpeaks[:, 1:-1].astype(int), 1)
    assert np.allclose(images[:, :, 26, 0], np.clip(at_r, -1, 1), atol=1e-6)
    rr = np.diff(windows.rpeaks) / 128
    assert np.allclose(arrangement.rr_seconds(images[:, :, 0, 1]), rr[:, :-1], rtol=1e-6)
    assert np.allclose(arrangement.rr_seconds(images[:, :, 63, 1]), rr[:, 1:], rtol=1e-6)


def test_columns_near_r_are_one_sample_apart_and_time_runs_on_across_rows():
    windows = smooth_beats(2)
    times = BeatRows().pixel_times(windows.rpeaks)
    assert (np.diff(times) > 0).all()
    rows = times[:, :-1].reshape(2, 32, 64)
    assert np.allclose(np.diff(rows[:, :, 16:37]), 1)
    peaks, rr = windows.rpeaks[:, 1:-1], np.diff(windows.rpeaks)
    assert np.allclose(rows[:, :, 0], peaks - 0.4 * rr[:, :-1])
    stretch = (0.6 * rr[:, 1:] - 10) / 28  # samples a column behind the core, up to the next cut
    assert np.allclose(np.append(rows[:, 1:, 0], times[:, -1:], 1) - rows[:, :, 63], stretch)


@pytest.mark.parametrize("leads", [1, 2])
def test_beat_rows_come_back_within_their_stated_error(leads):
    windows = smooth_beats(6, leads=leads)
    error = round_trip(BeatRows(leads=leads), windows)
    assert error["prd_percent"] < 2 and error["max_mv"] < 0.1
    covered = error["samples"] + error["samples_not_covered"]
    assert covered == windows.lengths.sum() * leads
    # What lies before the first cut and behind the last, 60 % and 40 % of a beat, is in no row.
    assert error["samples_not_covered"] < 2 * 140 * len(windows) * leads


@quick
@given(st.integers(0, 999), st.integers(1, 12), st.integers(8, 80), st.floats(0.1, 0.9),
       st.floats(0, 0.5), st.floats(30, 400))
def test_any_rhythm_goes_there_and_back(seed, rows, columns, before, core_s, fs):
    arrangement = BeatRows(rows, columns, fs=fs, before=before, core_s=core_s)
    rng = np.random.default_rng(seed)
    rr = rng.uniform(0.21, 2.49, (2, rows + 1)) * fs
    start = np.ceil(rr[:, :1]) - rr[:, :1]  # so that the first R peak is on a sample
    rpeaks = np.concatenate([start, start + np.cumsum(rr, 1)], 1)
    lengths = np.ceil(rpeaks[:, -1]).astype(int) + 1
    signals = np.full((2, lengths.max(), 1), 0.25, np.float32)
    images = arrangement.encode(signals, rpeaks, lengths)
    back = arrangement.decode(images)
    again = arrangement.rpeaks(images)
    assert np.allclose(np.diff(again), np.diff(rpeaks), rtol=1e-6)
    assert np.array_equal(np.isfinite(back[..., 0]).sum(axis=1), arrangement.lengths(again))
    assert np.nanmax(np.abs(back - 0.25)) < 1e-5  # a constant stays one: the weights sum to 1


@quick
@given(st.integers(0, 999), st.floats(0.1, 1e6))
def test_whatever_is_generated_can_be_decoded(seed, scale):
    arrangement = BeatRows(4, 16)
    images = scale * np.random.default_rng(seed).standard_normal((3, 4, 16, 2))
    signals = arrangement.decode(images)
    rr = np.diff(arrangement.rpeaks(images)) / 128
    assert rr.min() >= 0.2 - 1e-9 and rr.max() <= 2.5 + 1e-9
    lengths = arrangement.lengths(arrangement.rpeaks(images))
    assert np.array_equal(np.isfinite(signals[..., 0]).sum(axis=1), lengths)
    assert np.array_equal(arrangement.decode(arrangement.project(images)), signals, equal_nan=True)


def test_project_makes_the_rr_channel_valid_and_is_idempotent():
    arrangement = BeatRows()
    windows = smooth_beats(2)
    valid = arrangement.encode(windows.signals, windows.rpeaks, windows.lengths)
    assert np.allclose(arrangement.project(valid), valid, atol=1e-6)
    wild = np.random.default_rng(0).uniform(-1, 1, valid.shape).astype(np.float32)
    once = arrangement.project(wild)
    assert np.array_equal(once[..., 0], wild[..., 0])
    assert np.allclose(arrangement.project(once), once, atol=1e-6)
    assert (once[:, 1:, 0, 1] == once[:, :-1, 63, 1]).all()  # one interval, two rows
    fixed = make_arrangement("row_major", 32, 64)
    assert np.array_equal(fixed.project(wild[..., :1]), wild[..., :1])


def test_beat_rows_seams_and_path_follow_the_cuts():
    arrangement, windows = BeatRows(), smooth_beats(2)
    seams = arrangement.seams(windows.rpeaks)
    cuts = windows.rpeaks[:, 2:-1] - 0.4 * np.diff(windows.rpeaks)[:, 1:-1]
    assert seams.shape == (2, 31) and (np.abs(seams - cuts - 0.5) <= 0.52).all()
    row, column, _ = arrangement.path().T
    assert row.max() == 31 and 0 <= column.min() and column.max() < 64
    assert arrangement.seams().shape == (1, 31)


def test_a_thousand_images_take_little_time():
    windows = smooth_beats(10)
    windows = windows.take(np.arange(1000) % 10)
    arrangement, start = BeatRows(), time.process_time()
    arrangement.decode(arrangement.encode(windows.signals, windows.rpeaks, windows.lengths))
    assert time.process_time() - start < 3  # 0.5 s on one idle core


@pytest.mark.parametrize("make, hint", [
    (lambda: make_arrangement("row_mayor", 4, 4), "row_major"),
    (lambda: make_arrangement("hilbert", 4, 8), "square"),
    (lambda: make_arrangement("row_major", 4, 4, length=17), "16 samples at most"),
    (lambda: make_arrangement("row_major", 4, 4, core_s=1), "option"),
    (lambda: make_arrangement("rgb_leads", 4, 4, 2), "3 leads"),
    (lambda: make_arrangement("rgb_planar", 4096, 4096, 4), "too large"),
    (lambda: BeatRows(32, 4), "columns"),
    (lambda: make_arrangement("row_major", 4, 4).encode(np.zeros((1, 15, 1))), "16"),
    (lambda: make_arrangement("row_major", 4, 4).decode(np.zeros((1, 4, 5, 1))), "codec.json"),
    (lambda: BeatRows(2).encode(np.zeros((1, 300, 1)), [[0, 100, 80, 200]]), "RR intervals"),
    (lambda: BeatRows(2).encode(np.zeros((1, 150, 1)), [[0, 100, 180, 280]]), "whole of"),
    (lambda: BeatRows(2).encode(np.zeros((1, 150, 1)), [[0, 100, 180]]), "beat_sequences"),
])
def test_wrong_input_is_refused_with_a_hint(make, hint):
    with pytest.raises(InputError, match=hint):
        make()


def test_every_arrangement_says_what_it_is():
    for name, kind in ARRANGEMENTS.items():
        assert kind.name == name and kind.text and kind.by_beats == (kind.cut_by != "strips")
