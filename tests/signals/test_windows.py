"""Windows: cut where they should be, whole, and each knows where it is from."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from ecg_tf.base.errors import InputError
from ecg_tf.images.beat_rows import BeatRows
from ecg_tf.records import read_record
from ecg_tf.records.simulate import sample_identity, simulate_cohort, simulate_record
from ecg_tf.signals.cutting import beat_sequences, beats, strips
from ecg_tf.signals.filtering import prepare, resample
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.rpeaks import between_samples, find_rpeaks, rpeaks_of
from ecg_tf.signals.windows import Windows, cut_strips
from tests.small_records import make_record, noise


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(subjects=4, minutes=1, seed=5)


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


def test_concatenation_pads_with_nan_and_refuses_other_kinds(cohort):
    short, long = beats(cohort, 0.1, 0.1), beats(cohort, 0.2, 0.3)
    both = Windows.concatenate([short, long])
    assert both.signals.shape[1] == long.signals.shape[1]
    assert np.isnan(both.signals[0, short.signals.shape[1] :]).all()
    assert np.isfinite(both.signals[0, : both.lengths[0]]).all()
    for other in (strips(cohort, 100), beats(resample(cohort[0], 128), 0.2, 0.3)):
        with pytest.raises(InputError):
            Windows.concatenate([long, other])
    with pytest.raises(InputError):
        Windows.concatenate([])


def test_a_window_longer_than_the_record_is_counted_or_refused():
    short, long = make_record(noise(50)), make_record(noise(500))
    quality = Quality()
    assert len(strips([short, long], 100, quality=quality)) == 5
    assert quality.dropped["short"] == 1
    with pytest.raises(InputError, match="short"):
        strips(short, 100)
    with pytest.raises(InputError):
        strips([], 100)
    with pytest.raises(InputError):
        strips([long, make_record(noise(500), 128.0)], 100)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 40), step=st.integers(1, 50))
def test_sequences_hold_their_beats_with_room_to_spare(rows, step):
    record = prepare(simulate_record(sample_identity(3, 2), minutes=1))
    windows = beat_sequences(record, rows, step)
    assert windows.rpeaks.shape[1] == rows + 2 and windows.rpeaks.dtype == np.float64
    p = windows.rpeaks
    assert (p[:, 0] >= 0).all() and (p[:, 0] < 1).all() and (np.diff(p, axis=1) > 0).all()
    assert np.allclose(p[:, 1] % 1, 0) and np.array_equal(np.ceil(p[:, -1]) + 1, windows.lengths)
    positions, _ = rpeaks_of(record)
    exact = positions + between_samples(record.signal, positions)
    fine = resample_poly(record.signal[:, 0].astype(float), 16, 1)
    first = p[:, 1] - 0.4 * (p[:, 1] - p[:, 0])
    last = p[:, -1] - 0.4 * (p[:, -1] - p[:, -2])
    assert (first - 3 >= 0).all() and (last + 3 <= windows.lengths - 1).all()
    for row in (0, len(windows) - 1):
        valid = windows.signals[row, : windows.lengths[row]]
        assert np.isfinite(valid).all() and np.isnan(windows.signals[row, len(valid) :]).all()
        shift = exact[row * step + 1] % 1
        at = windows.starts[row] + shift + np.arange(len(valid))
        assert np.abs(valid[:, 0] - np.interp(16 * at, np.arange(len(fine)), fine)).max() < 0.03
        assert np.allclose(windows.starts[row] + shift + p[row], exact[row * step :][: rows + 2])
    assert np.array_equal(windows.starts, np.sort(windows.starts))


def test_rows_do_not_differ_by_the_place_of_the_samples():
    # The same narrow beat again and again, between the samples: one row like the other.
    at = 100 + 100.37 * np.arange(30)
    y = np.exp(-0.5 * ((np.arange(3300)[:, None] - at) / 1.6) ** 2).sum(1)
    y += 0.003 * noise(len(y))  # without any, the gate takes the ends for saturated
    record = make_record(y, beats=np.rint(at).astype(int))
    windows = beat_sequences(record, rows=8, step=8)
    assert np.abs(np.diff(windows.rpeaks, axis=1) - 100.37).max() < 0.08
    rows = BeatRows(rows=8).encode(windows.signals, windows.rpeaks, windows.lengths)[..., 0]
    on_samples = np.rint(windows.rpeaks)
    coarse = BeatRows(rows=8).encode(windows.signals, on_samples, windows.lengths)[..., 0]
    assert 3 * rows.std(1).max() < coarse.std(1).max()


def test_sequences_with_implausible_rr_are_dropped():
    peaks = np.concatenate([np.arange(100, 1000, 80), np.arange(1400, 2300, 80)])
    y = 0.01 * noise(2400)
    y[peaks] = 1
    quality = Quality()
    windows = beat_sequences(make_record(y, beats=peaks), rows=4, step=1, quality=quality)
    rr = np.diff(windows.rpeaks, axis=1)
    assert np.allclose(rr, 80, atol=0.02)
    assert quality.dropped["rr"] == 5 and quality.kept == len(windows) == len(peaks) - 10


def test_rhythm_marks_are_no_beats_and_classes_are_named():
    y = 0.01 * noise(550)
    y[[50, 200, 300, 400, 500]] = 1
    record = make_record(y, beats=[50, 150, 200, 300, 400, 500], symbols=list("N+AVNF"))
    windows = beats(record, 0.2, 0.3)
    assert windows.labels.tolist() == ["N", "S", "V", "N", "F"]
    assert np.array_equal(windows.starts, [30, 180, 280, 380, 480])
    assert (windows.signals[:, 20, 0] == 1).all() and windows.signals.shape[1] == 51


def test_records_without_annotations_are_cut_at_detected_beats():
    known = prepare(simulate_record(sample_identity(0, 3), minutes=1))
    unknown = replace(known, beats=np.zeros(0, np.int64), symbols=np.zeros(0, "<U1"))
    a, b = beat_sequences(known, 8, 1), beat_sequences(unknown, 8, 1)
    found = {int(s) for s in b.starts}
    assert sum(int(s) in found for s in a.starts) > 0.9 * len(a)
    assert set(beats(unknown).labels) == {""}
    # The first ten of many beats annotated, as in ECG-ID: the rest has to be detected too.
    partly = replace(unknown, beats=known.beats[:25], symbols=known.symbols[:25])
    assert np.array_equal(beat_sequences(partly, 8, 1).starts, b.starts)


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


def test_records_that_do_not_fit_together_are_both_named(cohort):
    y = noise(500)
    one, faster = make_record(y, name="one"), make_record(y, 128.0, name="two")
    with pytest.raises(InputError, match=r"(?s)'one'.* 100 Hz, 'two'.* 128 Hz.*resample"):
        strips([one, one, faster], 100)
    both = make_record(np.stack([y, y], axis=1), name="two", leads=("V1", "L0"))
    with pytest.raises(InputError, match=r"(?s)'one'.* L0, 'two'.* V1 \+ L0.*leads=\['L0'\]"):
        beats([one, both])
    other = make_record(y, name="two", leads=("V1",))
    with pytest.raises(InputError, match="(?s)'two'.* V1.*leave out the records"):
        beat_sequences([one, other], 2)
    with pytest.raises(InputError, match="no records"):
        beats([])
    with pytest.raises(InputError, match="(?s)Set 1 and set 3.*360 Hz.*128 Hz"):
        slow = strips(resample(cohort[0], 128), 100)
        Windows.concatenate([strips(cohort, 100), strips(cohort, 100), slow])


def test_a_window_longer_than_every_record_says_how_long_they_are():
    short = make_record(noise(300), name="a", beats=[10, 150, 290])
    long = make_record(noise(400), name="b", beats=[10, 130, 260, 390])
    with pytest.raises(InputError, match=r"(?s)4\.00 s.*'b'.*450 samples \(4\.50 s at 100 Hz\)"):
        strips([short, long], 450)
    with pytest.raises(InputError, match=r"(?s)at most 400 samples.*9\.01 s"):
        beats([short, long], 4.0, 5.0)
    with pytest.raises(InputError, match=r"(?s)at most 2 rows.*more than 4.*'b'.*4\.00 s"):
        beat_sequences([short, long], 3)
    assert len(beat_sequences([short, long], 2)) == 1


def test_strips_of_equal_windows_take_no_second_copy(cohort):
    windows = strips(cohort, 3600)
    assert cut_strips(windows, 10.0).flags.owndata
    assert np.array_equal(cut_strips(windows, 10.0), windows.signals)
    assert np.shares_memory(windows.take(slice(2, 5)).signals, windows.signals)


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
