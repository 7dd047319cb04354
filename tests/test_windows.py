"""Windows: nothing moves that should not, flaws are dropped and counted, no person leaks."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.databases import DS1, DS2, PACED
from ecg_tf.errors import InputError
from ecg_tf.records import Record, read_record
from ecg_tf.simulate import draw_identity, simulate_cohort, simulate_record
from ecg_tf.windows import (
    Quality,
    Windows,
    assert_disjoint,
    beat_sequences,
    beats,
    cut_strips,
    filter_record,
    find_rpeaks,
    inspect_record,
    prepare,
    refine_rpeaks,
    resample,
    select_part,
    split_by_subject,
    strips,
)


def _record(signal, fs=100.0, beats=(), symbols=None, subject="s"):
    signal = np.asarray(signal, np.float32).reshape(len(signal), -1)
    symbols = ["N"] * len(beats) if symbols is None else symbols
    leads = tuple(f"L{k}" for k in range(signal.shape[1]))
    return Record("r", "simulated", subject, signal, fs, leads,
                  np.array(beats, np.int64), np.array(symbols, "<U1"))  # fmt: skip


def _noise(samples, seed=0):
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(subjects=4, minutes=1, seed=5)


# Resampling and filtering


@pytest.mark.parametrize(("old", "new"), [(360, 128), (500, 128), (128, 360), (250, 257.5)])
def test_resampling_keeps_a_sine_and_its_place(old, new):
    t = np.arange(int(20 * old)) / old
    record = _record(2 + np.sin(2 * np.pi * 3 * t), old, beats=[0, len(t) // 2, len(t) - 1])
    out = resample(record, new)
    assert out.fs == new and len(out.signal) == np.ceil(len(t) * new / old)
    truth = 2 + np.sin(2 * np.pi * 3 * np.arange(len(out.signal)) / new)
    middle = slice(int(new), -int(new))
    assert np.abs(out.signal[middle, 0] - truth[middle]).max() < 5e-3
    assert len(out.beats) == 3 and out.beats[-1] <= len(out.signal) - 1
    assert np.abs(out.beats / new - record.beats / old).max() <= 1.0 / new


@settings(max_examples=30, deadline=None)
@given(st.integers(300, 3000), st.sampled_from([64, 100, 128, 250, 360, 500, 1000]))
def test_no_beat_is_lost_at_the_end(samples, fs):
    record = _record(_noise(samples), 360.0, beats=np.arange(samples))
    out = resample(record, fs)
    assert len(out.beats) == samples
    assert out.beats.min() >= 0 and out.beats.max() < len(out.signal)


def test_the_same_rate_changes_nothing():
    record = _record(_noise(500), 128.0, beats=[3, 400])
    out = resample(record, 128.0)
    assert np.array_equal(out.signal, record.signal) and np.array_equal(out.beats, record.beats)


def test_the_band_pass_is_zero_phase_and_the_notch_takes_the_hum():
    fs, t = 360.0, np.arange(360 * 30) / 360
    heart, hum, drift = np.sin(2 * np.pi * 5 * t), np.sin(2 * np.pi * 50 * t), 3 + 0.1 * t
    middle = slice(3600, -3600)

    def through(y, **options):
        return filter_record(_record(y, fs), **options).signal[middle, 0]

    assert np.abs(through(heart + drift) - heart[middle]).max() < 0.05
    assert np.std(through(hum, low=0, high=0, notch=50)) < 0.01
    assert np.abs(through(heart, low=0, high=0, notch=50) - heart[middle]).max() < 0.01
    assert np.array_equal(through(heart, low=0, high=0), heart[middle].astype(np.float32))
    for wrong in ({"high": 180}, {"low": -1}, {"low": 50, "high": 40}, {"notch": 500}):
        with pytest.raises(InputError):
            through(heart, **wrong)


# Flaws


def test_flaws_are_found_where_they_are():
    y = _noise(3000)
    y[100:104] = np.nan  # 40 ms: bridged
    y[500:510] = np.nan  # 100 ms: a flaw
    y[1000:1101] = 0.123  # constant for more than a second
    y[1500:1600] = 0.321  # for a second, not more
    y[2000:2006] = y[np.isfinite(y)].max() + 1  # stuck at the top
    y[2500:2504] = y[np.isfinite(y)].min() - 1  # touches the bottom for 40 ms only
    out = inspect_record(_record(y))
    assert np.flatnonzero(out.flaws & 1).tolist() == list(range(500, 510))
    assert np.flatnonzero(out.flaws & 2).tolist() == list(range(1000, 1101))
    assert np.flatnonzero(out.flaws & 4).tolist() == list(range(2000, 2006))
    assert np.isfinite(out.signal).all()
    assert np.allclose(out.signal[99:105, 0], np.linspace(y[99], y[104], 6), atol=1e-5)
    assert inspect_record(out) is out


def test_windows_that_touch_a_flaw_are_dropped_and_counted():
    y = _noise(1000)
    y[250:260] = np.nan
    y[500:601] = 1.0
    quality = Quality()
    windows = strips(_record(y), 100, quality=quality)
    assert windows.starts.tolist() == [0, 100, 300, 400, 700, 800, 900]
    assert quality.kept == 7 and quality.dropped["nan"] == 1 and quality.dropped["flat"] == 2
    assert np.isfinite(windows.signals).all()


@pytest.mark.parametrize("fs", [128.0, 64.0, 250.0])
def test_flaws_survive_resampling_and_filtering(fs):
    y = _noise(3600) * 0.1
    y[1000:1030] = np.nan
    out = prepare(_record(y, 360.0), fs=fs, low=0.5, high=25)
    bad = np.flatnonzero(out.flaws)
    assert abs(bad[0] / fs - 1000 / 360) <= 1 / fs and abs(bad[-1] / fs - 1029 / 360) <= 1 / fs
    assert np.isfinite(out.signal).all()


def test_a_flat_start_does_not_ring_into_the_ecg():
    """ECG-ID has records that start with seconds of constant -1 mV."""
    whole = simulate_record(draw_identity(0, 1), minutes=0.5, noise=0.2)
    broken = whole.signal.copy()
    broken[:1000] = -1
    good = prepare(whole).signal[:, 0]
    out = prepare(replace(whole, signal=broken))
    after = slice(int(1000 / 360 * 128) + 64, None)
    assert np.abs(out.signal[after, 0] - good[after]).max() < 0.15


def test_one_bad_lead_spoils_a_window_and_a_dead_record_gives_none():
    y = np.stack([_noise(400), _noise(400, 1)], axis=1)
    y[:60, 1] = np.nan
    assert strips(_record(y), 100).starts.tolist() == [100, 200, 300]
    with pytest.raises(InputError, match="nan"):
        strips(_record(np.full(400, np.nan)), 100)


# Windows


def test_windows_stay_what_they_are(cohort):
    windows = strips(cohort, 1000, 700)
    row = 7
    record = next(r for r in cohort if r.name == windows.records[row])
    start = windows.starts[row]
    assert np.array_equal(windows.signals[row], record.signal[start : start + 1000])
    assert record.subject == windows.subjects[row]
    part = windows.take(windows.subjects == cohort[1].subject)
    assert set(part.records) == {cohort[1].name} and len(part) == len(windows) // 4
    again = Windows.concatenate([windows.take(slice(0, 5)), windows.take(np.arange(5, 20))])
    assert np.array_equal(again.signals, windows.signals[:20])


def test_concatenation_pads_with_nan_and_refuses_strangers(cohort):
    short, long = beats(cohort, 0.1, 0.1), beats(cohort, 0.2, 0.3)
    both = Windows.concatenate([short, long])
    assert both.signals.shape[1] == long.signals.shape[1]
    assert np.isnan(both.signals[0, short.signals.shape[1] :]).all()
    assert np.isfinite(both.signals[0, : both.lengths[0]]).all()
    for stranger in (strips(cohort, 100), beats(resample(cohort[0], 128), 0.2, 0.3)):
        with pytest.raises(InputError):
            Windows.concatenate([long, stranger])
    with pytest.raises(InputError):
        Windows.concatenate([])


def test_a_window_longer_than_the_record_is_counted_or_refused():
    short, long = _record(_noise(50)), _record(_noise(500))
    quality = Quality()
    assert len(strips([short, long], 100, quality=quality)) == 5
    assert quality.dropped["short"] == 1
    with pytest.raises(InputError, match="short"):
        strips(short, 100)
    with pytest.raises(InputError):
        strips([], 100)
    with pytest.raises(InputError):
        strips([long, _record(_noise(500), 128.0)], 100)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 40), step=st.integers(1, 50))
def test_sequences_hold_their_beats_with_room_to_spare(rows, step):
    record = prepare(simulate_record(draw_identity(3, 2), minutes=1))
    windows = beat_sequences(record, rows, step)
    assert windows.rpeaks.shape[1] == rows + 2 and windows.rpeaks.dtype == np.float64
    assert (windows.rpeaks[:, 0] == 0).all() and (np.diff(windows.rpeaks, axis=1) > 0).all()
    assert np.array_equal(windows.rpeaks[:, -1] + 1, windows.lengths)
    p = windows.rpeaks
    first = p[:, 1] - 0.4 * (p[:, 1] - p[:, 0])
    last = p[:, -1] - 0.4 * (p[:, -1] - p[:, -2])
    assert (first - 3 >= 0).all() and (last + 3 <= windows.lengths - 1).all()
    for row in (0, len(windows) - 1):
        valid = windows.signals[row, : windows.lengths[row]]
        assert np.isfinite(valid).all() and np.isnan(windows.signals[row, len(valid) :]).all()
        start = windows.starts[row]
        assert np.array_equal(valid, record.signal[start : start + len(valid)])
    assert np.array_equal(windows.starts, np.sort(windows.starts))


def test_sequences_with_implausible_rr_are_dropped():
    peaks = np.concatenate([np.arange(100, 1000, 80), np.arange(1400, 2300, 80)])
    y = 0.01 * _noise(2400)
    y[peaks] = 1
    quality = Quality()
    windows = beat_sequences(_record(y, beats=peaks), rows=4, step=1, quality=quality)
    rr = np.diff(windows.rpeaks, axis=1)
    assert (rr == 80).all()
    assert quality.dropped["rr"] == 5 and quality.kept == len(windows) == len(peaks) - 10


def test_rhythm_marks_are_no_beats_and_classes_are_named():
    y = 0.01 * _noise(550)
    y[[50, 200, 300, 400, 500]] = 1
    record = _record(y, beats=[50, 150, 200, 300, 400, 500], symbols=list("N+AVNF"))
    windows = beats(record, 0.2, 0.3)
    assert windows.labels.tolist() == ["N", "S", "V", "N", "F"]
    assert np.array_equal(windows.starts, [30, 180, 280, 380, 480])
    assert (windows.signals[:, 20, 0] == 1).all() and windows.signals.shape[1] == 51


def test_records_without_annotations_are_cut_at_detected_beats():
    known = prepare(simulate_record(draw_identity(0, 3), minutes=1))
    unknown = replace(known, beats=np.zeros(0, np.int64), symbols=np.zeros(0, "<U1"))
    a, b = beat_sequences(known, 8, 1), beat_sequences(unknown, 8, 1)
    found = {int(s) for s in b.starts}
    assert sum(int(s) in found for s in a.starts) > 0.9 * len(a)
    assert set(beats(unknown).labels) == {""}
    # The first ten of many beats annotated, as in ECG-ID: the rest has to be detected too.
    partly = replace(unknown, beats=known.beats[:25], symbols=known.symbols[:25])
    assert np.array_equal(beat_sequences(partly, 8, 1).starts, b.starts)


# R peaks


@pytest.mark.parametrize("polarity", [1, -1])
def test_refinement_finds_the_peak_again(polarity):
    record = simulate_record(draw_identity(0, 2), minutes=1, noise=0, ectopy=0)
    shaken = record.beats + np.random.default_rng(0).integers(-15, 16, len(record.beats))
    found = refine_rpeaks(polarity * record.signal, 360.0, shaken)
    assert np.abs(found - record.beats)[1:-1].max() <= 1


def test_one_record_one_polarity_but_ventricular_beats_choose():
    fs, peaks = 100.0, np.arange(100, 1900, 90)
    y = np.zeros(2000)
    for k, peak in enumerate(peaks):
        y[peak] = 1.0
        y[peak + 3] = -1.2 if k % 5 == 4 else -0.7  # sometimes S is larger than R
    symbols = np.full(len(peaks), "N")
    assert np.array_equal(refine_rpeaks(y, fs, peaks + 1, symbols), peaks)
    symbols[4] = "V"
    moved = refine_rpeaks(y, fs, peaks + 1, symbols) - peaks
    assert moved[4] == 3 and not np.delete(moved, 4).any()
    assert len(refine_rpeaks(y, fs, [])) == 0


def test_the_detector_finds_simulated_beats_also_fast_ones():
    hearts = [draw_identity(0, k) for k in range(1, 40)]
    fast = max(hearts, key=lambda h: h.heart_rate)
    for heart in (hearts[0], fast):
        record = prepare(simulate_record(heart, minutes=2, ectopy=0))
        found = find_rpeaks(record.signal, record.fs)
        distance = np.abs(found[None, :] - record.beats[2:-2, None]).min(axis=1)
        assert np.mean(distance <= 2) > 0.98 and abs(len(found) - len(record.beats)) < 5
    assert len(find_rpeaks(np.zeros(10), 128.0)) == 0


# Splits and strips


def test_middle_strips_of_sequences():
    signals = np.full((4, 100, 1), np.nan, np.float32)
    lengths = np.array([100, 61, 30, 90])
    for row, length in enumerate(lengths):
        signals[row, :length, 0] = np.arange(length)
    signals[3, 45] = np.nan
    name = np.array(["a"] * 4)
    windows = Windows(signals, 10.0, ("II",), lengths, name, name, np.zeros(4, int))
    strip, source = cut_strips(windows, 4.0, with_source=True)
    assert strip.shape == (2, 40, 1) and source.tolist() == [0, 1]
    assert strip[:, 0, 0].tolist() == [30, 10]
    several, source = cut_strips(windows, 3.0, per_window=3, with_source=True)
    assert source.tolist() == [0, 0, 0, 1, 1, 2, 3, 3]
    assert several[:3, 0, 0].tolist() == [5, 35, 65]
    assert cut_strips(windows, 20.0).shape == (0, 200, 1)
    assert strip.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 60), st.integers(0, 99), st.sampled_from([(0.6, 0.15, 0.25), (0.5, 0, 0.5)]))
def test_every_subject_is_in_one_part(subjects, seed, fractions):
    names = [f"p{k}" for k in range(subjects)]
    split = split_by_subject(names * 2, fractions=fractions, seed=seed)
    assert sorted(sum(split.values(), [])) == sorted(names)
    assert_disjoint(split)
    assert list(split) == ["train", "validation", "test"]
    for part, fraction in zip(split.values(), fractions, strict=True):
        assert part == sorted(part) and bool(part) == bool(fraction)
        assert abs(len(part) - fraction * subjects) <= 1.5
    assert split == split_by_subject(names[::-1], fractions=fractions, seed=seed)


def test_ds1_trains_and_ds2_tests_without_sharing_a_person():
    names = [f"mitdb-{'201' if n == '202' else n}" for n in DS1 + DS2 + PACED]
    split = split_by_subject(names, "ds1ds2", seed=1)
    assert [len(part) for part in split.values()] == [17, 4, 22]
    assert "mitdb-201" in split["test"]
    everyone = set(sum(split.values(), []))
    assert not {f"mitdb-{n}" for n in PACED} & everyone and len(everyone) == 43
    assert split["validation"] != split_by_subject(names, "ds1ds2", seed=2)["validation"]
    few = split_by_subject(names, "ds1ds2", validation=0)
    assert [len(part) for part in few.values()] == [21, 0, 22]


def test_bad_splits_are_refused(cohort):
    for wrong in ({"scheme": "ds1"}, {"scheme": "ds1ds2"}, {"fractions": (0.5, 0.6, 0.1)},
                  {"fractions": (1.0,)}):  # fmt: skip
        with pytest.raises(InputError):
            split_by_subject(cohort, **wrong)
    with pytest.raises(InputError, match="Too few"):
        split_by_subject(["a", "b"])
    with pytest.raises(InputError, match="'b'"):
        assert_disjoint({"train": ["a", "b"], "test": ["b"]})


def test_parts_of_windows(cohort):
    windows, split = strips(cohort, 1000), split_by_subject(cohort)
    parts = {name: select_part(windows, split, name) for name in split}
    assert sum(map(len, parts.values())) == len(windows)
    assert {s for s in parts["test"].subjects} == set(split["test"])
    with pytest.raises(InputError):
        select_part(windows, {"train": [cohort[0].subject], "test": [cohort[0].subject]}, "train")
    with pytest.raises(InputError):
        select_part(windows, {"train": ["nobody"]}, "train")
    with pytest.raises(InputError, match="train"):
        select_part(windows, split, "tran")


# Real data


def test_mitbih_gives_its_sequences(mitdb):
    records = [read_record(mitdb / name, leads="MLII") for name in ("100", "116", "208")]
    start = time.process_time()
    prepared, quality = [prepare(record) for record in records], Quality()
    assert time.process_time() - start < 3
    windows = beat_sequences(prepared, rows=32, step=4, quality=quality)
    # 2,273 + 2,412 + 2,955 annotated beats; record 116 is saturated in its first minutes.
    assert 1700 < len(windows) < 1910 and quality.dropped["saturated"] > 0
    rows = np.repeat(np.arange(len(windows)), 32)
    at = windows.signals[rows, windows.rpeaks[:, 1:-1].astype(int).ravel(), 0]
    upright = windows.records[rows] == "100"
    assert (at[upright] > 0.3).mean() > 0.99
    detected = find_rpeaks(prepared[0].signal, 128.0)
    assert abs(len(detected) - len(prepared[0].beats)) < 10
