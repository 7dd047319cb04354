"""One recording that is there twice is read once, so that no person is on two sides."""

from dataclasses import replace

import numpy as np
from scipy.signal import resample_poly

from ecg_tf.records.duplicates import without_duplicates
from ecg_tf.records.simulate import simulate_cohort
from tests.small_records import make_record, noise


def ecgs(count=4):
    """Ten-second recordings of as many persons, 360 Hz."""
    found = simulate_cohort(subjects=count, minutes=0.5, seed=5)
    return [replace(one, signal=one.signal[:3600], beats=one.beats[:0], symbols=one.symbols[:0])
            for one in found]


def slower(record, fs=120.0, name="slow"):
    signal = resample_poly(record.signal, 1, 3, axis=0).astype(np.float32)
    return replace(record, signal=signal, fs=fs, name=f"{record.name}-{name}")


def test_two_rates_of_one_recording_are_found_and_the_lower_one_stays():
    fast = ecgs()
    slow = [slower(record) for record in fast]
    kept, out, warnings = without_duplicates([*fast, *slow])
    assert [one.name for one in kept] == [one.name for one in slow] and not warnings
    assert [one.name for one in out] == [one.name for one in fast]
    assert all(one.kind == "duplicate" and "120 Hz" in one.reason for one in out)
    kept, out, _ = without_duplicates([*fast, *slow], rate=360)
    assert [one.name for one in kept] == [one.name for one in fast]


def test_below_100_hz_the_faster_reading_stays():
    [fast] = ecgs(1)
    slow = replace(slower(fast), fs=60.0, signal=resample_poly(fast.signal, 1, 6, axis=0))
    assert without_duplicates([slow, fast])[0] == [fast]


def test_other_persons_of_two_rates_all_stay():
    found = ecgs(6)
    mixed = [slower(one) if k % 2 else one for k, one in enumerate(found)]
    assert without_duplicates(mixed) == (mixed, [], [])


def test_equal_samples_stay_once_whatever_they_are_called():
    one = make_record(noise(500), name="a")
    kept, out, _ = without_duplicates([one, replace(one, name="b"), make_record(noise(500, 1))])
    assert [record.name for record in kept] == ["a", "r"]
    assert out[0].name == "b" and "'a'" in out[0].reason


def test_persons_of_one_recording_become_one_person():
    one = make_record(noise(500), name="a", subject="Ann")
    other = make_record(noise(500), name="b", subject="Bea")
    third = make_record(noise(500, 1), name="c", subject="Bea")
    kept, _, warnings = without_duplicates([one, other, third])
    assert {record.subject for record in kept} == {"Ann"} and "'Bea'" in warnings[0]
    # A record of an unknown person names no person.
    unnamed = make_record(noise(500), name="b", subject="b")
    assert without_duplicates([one, unnamed])[2] == []


def test_flat_and_constant_recordings_are_not_taken_for_one_another():
    flat = make_record(np.zeros(1000), fs=100, name="flat")
    other = make_record(np.r_[0.1, np.zeros(1999)], fs=200, name="other")
    assert len(without_duplicates([flat, other])[0]) == 2
