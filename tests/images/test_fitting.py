"""Windows that fit the records, and settings that cannot: reported before any training."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.fitting import fit_to_records
from ecg_tf.records.simulate import simulate_cohort


def records(seconds, count=8, minutes=2.0):
    """Records of a simulated cohort, cut to a length."""
    found = simulate_cohort(subjects=count, minutes=minutes, seed=3)
    return [cut(one, seconds) for one in found]


def cut(record, seconds):
    length = round(seconds * record.fs)
    inside = record.beats < length
    return replace(record, signal=record.signal[:length], beats=record.beats[inside],
                   symbols=record.symbols[inside])


@pytest.mark.parametrize(("seconds", "window"), [(10, 10), (30, 30), (9.998, 10), (45, 30)])
def test_short_records_become_whole_strips(seconds, window):
    found = fit_to_records(Experiment(), records(seconds))
    assert found.arrangement == "beat_strips" and found.window_seconds == window
    assert found.strip_seconds == 10 and found.height % 8 == 0
    assert found.height >= 2 + np.median([len(one.beats) for one in records(window)])


def test_long_records_become_beat_rows_as_before():
    found = fit_to_records(Experiment(), records(100))
    assert (found.arrangement, found.height, found.strip_seconds) == ("beat_rows", 32, 10)
    assert fit_to_records(found, records(100)) == found


def test_long_records_of_slow_hearts_become_strips():
    slow = [replace(one, fs=one.fs / 4, beats=one.beats) for one in records(20)]  # 80 s at 20/min
    assert fit_to_records(Experiment(), slow).arrangement == "beat_strips"


def test_a_height_that_was_asked_for_is_a_number_of_beats_where_there_are_so_many():
    found = fit_to_records(Experiment(height=8, strip_seconds=4), records(10))
    assert (found.arrangement, found.height) == ("beat_rows", 8)
    assert fit_to_records(Experiment(height=24), records(10)).arrangement == "beat_strips"


def test_strips_to_compare_are_no_longer_than_windows_unless_asked_for():
    found = fit_to_records(Experiment(arrangement="row_major", height=8, width=64), records(30))
    assert found.strip_seconds == 4
    found = fit_to_records(Experiment(arrangement="beat_rows", height=8), records(60))
    assert 4 <= found.strip_seconds <= 8


def test_records_shorter_than_ten_seconds_are_compared_whole():
    found = fit_to_records(Experiment(), records(8.5))
    assert found.strip_seconds == found.window_seconds == 8


@pytest.mark.parametrize(("settings", "seconds", "words"), [
    ({"strip_seconds": 20}, 10, ["strip_seconds", "at most 10 s", "set strip_seconds: 10"]),
    ({"window_seconds": 20}, 10, ["window_seconds", "at most 10 s", "set window_seconds: 10"]),
    ({"window_seconds": 8, "strip_seconds": 10}, 10, ["window_seconds", "set window_seconds: 10"]),
    ({"arrangement": "beat_rows", "height": 32}, 10, ["height", "set arrangement: beat_strips"]),
    ({"arrangement": "beat_rows", "height": 8, "strip_seconds": 10}, 60,
     ["height: 8 beats last", "set height: 16"]),
    ({"arrangement": "beat_strips", "height": 8}, 30, ["height: 8 rows", "set height: "]),
    ({"arrangement": "row_major", "height": 32}, 10, ["takes 2048 samples", "set width: 40"]),
])
def test_what_cannot_fit_is_named_with_the_nearest_that_works(settings, seconds, words):
    with pytest.raises(InputError) as caught:
        fit_to_records(Experiment(**settings), records(seconds))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("settings", "words"), [
    ({"arrangement": "row_major", "height": 8, "width": 16, "strip_seconds": 10},
     ["strip_seconds", "set width: 160"]),
    ({"fs": 64.0}, ["band_high", "less than 32 Hz", "set band_high: 28"]),
    ({"band_low": 50.0}, ["band_low", "exchange"]),
    ({"notch": 64.0}, ["notch", "less than 64 Hz"]),
    ({"strip_seconds": 0.5}, ["strip_seconds", "1 s or more"]),
    ({"height": 4}, ["height", "set height: 8"]),
    ({"folds": {"train": [1], "test": [2]}}, ["folds", "split: random"]),
    ({"split": "strat_fold", "folds": {"train": [1]}}, ["folds", "add test"]),
    ({"split": "ds1ds3"}, ["split", "Did you mean 'ds1ds2'"]),
    ({"metadata_columns": {"subjct": "id"}}, ["Did you mean 'subject'"]),
])
def test_what_no_record_could_mend_is_said_when_the_settings_are_read(settings, words):
    with pytest.raises(InputError) as caught:
        Experiment(**settings)
    for word in words:
        assert word in str(caught.value)


def test_what_the_nearest_setting_promises_works():
    found = records(60)
    assert fit_to_records(Experiment(arrangement="beat_rows", height=16), found).height == 16
    assert fit_to_records(Experiment(arrangement="row_major", height=32, width=40), records(10))
