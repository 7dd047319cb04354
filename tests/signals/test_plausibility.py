"""What is implausible is found, named and counted; what is only unusual is not."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.records.simulate import sample_identity, simulate_record
from ecg_tf.signals.limb_leads import lead_residuals
from ecg_tf.signals.plausibility import (
    KINDS,
    implausible,
    look_at,
    plausibility,
)
from ecg_tf.signals.quality import Quality, inspect_record
from ecg_tf.signals.record_measures import heart_rate
from ecg_tf.signals.steps import find_steps
from tests.small_records import make_record

LIMBS = ("I", "II", "III", "aVR", "aVL", "aVF")


def person(number=1, fs=250.0, minutes=0.5, leads=("II",), **options):
    options = {"noise": 0.3, "ectopy": 0} | options
    return simulate_record(sample_identity(0, number), minutes=minutes, fs=fs, leads=leads,
                           **options)


def with_signal(record, signal):
    return replace(record, signal=np.asarray(signal, np.float32))


def kinds(record, rpeaks=None):
    return [concern.kind for concern in implausible(record, rpeaks)]


def text(record, rpeaks=None):
    (concern,) = implausible(record, rpeaks)
    return concern.text


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("fs", [100.0, 500.0])
def test_simulated_persons_are_plausible_and_measured_right(number, fs):
    with_ectopic = person(number, fs, ectopy=1, noise=1)
    assert kinds(with_ectopic, with_ectopic.beats) == []
    record = person(number, fs)
    found = plausibility(record, record.beats)
    assert found.heart_rate_bpm == pytest.approx(
        60 * fs / np.median(np.diff(record.beats)), abs=1e-9)
    assert found.amplitude_mv == pytest.approx(np.ptp(record.signal), rel=0.1)


@pytest.mark.parametrize(("factor", "words"), [
    (1e3, "looks like microvolt (or raw ADC values) read as millivolt"),
    (1e6, "looks like nanovolt read as millivolt"),
    (1e-3, "looks like volt read as millivolt"),
])
def test_a_wrong_unit_is_seen_by_the_amplitude(factor, words):
    record = person()
    assert words in text(with_signal(record, record.signal * factor))


def test_an_artefact_is_no_other_unit():
    record = person(minutes=1, leads=("I", "II"))
    y = record.signal.copy()
    y[4000:4300, 1] += np.hanning(300) * 60
    (concern,) = implausible(with_signal(record, y))
    assert concern.kind == "amplitude" and "lead II spans 60 mV" in concern.text


def test_one_lead_in_another_unit_is_seen_and_a_small_one_is_none():
    record = person(leads=("I", "II", "V1"))
    assert "in lead V1" in text(with_signal(record, record.signal * [1, 1, 1000]))
    assert kinds(with_signal(record, record.signal * [0.02, 1, 1])) == []


def test_leads_that_were_scaled_are_not_in_mv():
    record = person(leads=("I", "II", "V1"))
    heights = np.ptp(record.signal, axis=0)
    scaled = with_signal(record, 2 * record.signal / heights)
    assert text(scaled) == "each lead is 2 mV high in all: scaled, not measured"
    assert kinds(with_signal(record, 2 * record.signal / (heights + [0, 0.1, 0]))) == []


@pytest.mark.parametrize(("rr_s", "found"), [
    (2.45, ["heart rate"]), (2.3, []), (0.25, []), (0.235, ["heart rate"]),
])
def test_a_heart_rate_out_of_bounds(rr_s, found):
    record = person()
    assert kinds(record, np.arange(0, 7000, rr_s * record.fs)) == found


def test_no_beats_are_said_only_where_somebody_looked():
    record = person()
    assert text(record, np.zeros(0, int)) == "no beats in 30 s"
    assert kinds(record) == [] and np.isnan(plausibility(record).heart_rate_bpm)
    assert heart_rate([5, 5], 100) != heart_rate([5, 5], 100)  # NaN: no time between them


def test_shares_that_are_flat_lost_or_clipped():
    record = person(leads=("I", "II"))
    y = record.signal.copy()
    y[1000:4000, 1] = y[1000, 1]
    assert text(with_signal(record, y)) == "lead II is constant for 40% of the record"
    y = record.signal.copy()
    y[:1500] = np.nan
    assert text(with_signal(record, y)) == "lead I (and 1 more) is missing for 20% of the record"
    top = np.quantile(record.signal[:, 1], 0.97)
    clipped = plausibility(with_signal(record, np.minimum(record.signal, [9, top])))
    assert clipped.clipped[0] == 0 and clipped.clipped[1] == pytest.approx(0.03, abs=0.01)
    assert [one.kind for one in clipped.concerns()] == ["clipped"]


@pytest.mark.parametrize("fs", [100.0, 128.0, 250.0, 500.0, 1000.0])
@pytest.mark.parametrize("size", [2.0, 5.0])
def test_a_step_at_the_first_or_last_sample(fs, size):
    record = person(fs=fs)
    y = record.signal.copy()
    y[0] += size
    assert text(with_signal(record, y)) == "a step at the first sample"
    y[-1] -= size
    assert text(with_signal(record, y)) == "a step at the first and the last sample"
    assert plausibility(with_signal(record, y)).amplitude_mv < np.ptp(record.signal) + 0.01
    bridged = inspect_record(with_signal(record, y))
    assert np.array_equal(bridged.signal[1:-1], record.signal[1:-1]) and not bridged.flaws.any()
    assert bridged.signal[0] == record.signal[1] and bridged.signal[-1] == record.signal[-2]


@pytest.mark.parametrize("fs", [100.0, 128.0, 360.0, 1000.0])
@pytest.mark.parametrize("width_s", [0.0, 0.002])
@pytest.mark.parametrize("every", [1, 3])  # each beat, or on demand
def test_a_pacing_spike_is_no_step(fs, width_s, every):
    record = person(fs=fs, minutes=1)
    spikes = record.beats[::every] - round(0.05 * fs)
    y = record.signal.copy()
    for k in range(max(1, round(width_s * fs))):
        y[spikes[spikes > 0] + k] += 4
    assert find_steps(y, fs) == []
    first = y[spikes[2] :]  # a record may begin at a spike
    assert find_steps(first, fs) == []


@pytest.mark.parametrize("fs", [100.0, 360.0])
def test_a_record_that_begins_or_ends_within_a_beat_has_no_step(fs):
    record = person(2, fs=fs)
    for beat in record.beats[2:8]:
        for shift in range(-round(0.06 * fs), round(0.06 * fs) + 1):
            start, stop = beat + shift, beat + shift + round(10 * fs)
            assert find_steps(record.signal[start:stop], fs) == []
            assert find_steps(record.signal[: start + 1], fs) == []
            assert find_steps(np.diff(record.signal[start:stop], axis=0), fs) == []  # narrow beats


def test_one_spike_is_found_where_it_is():
    record = person()
    y = record.signal.copy()
    y[4000] += 9
    (step,) = find_steps(y, record.fs)
    assert step[:3] == (0, 3999, 4002) and not step.at_end
    assert text(with_signal(record, y)) == "1 spike of one sample"
    assert find_steps(y, record.fs, paced=True) == []
    marked = np.flatnonzero(inspect_record(with_signal(record, y)).flaws & 8)
    assert marked.tolist() == [3999, 4000, 4001]


def test_limb_leads_that_do_not_follow():
    record = person(leads=LIMBS)
    y = record.signal.copy()
    assert max(lead_residuals(y, record.leads).values()) < 1e-3
    y[:, 2:] += 3  # an offset is no swap
    assert kinds(with_signal(record, y)) == []
    y[:, [0, 1]] = y[:, [1, 0]]  # two electrodes' cables mistaken for each other in the file
    (concern,) = implausible(with_signal(record, y))
    assert concern.kind == "limb leads" and "rms" in concern.text
    assert lead_residuals(y[:, 1:], record.leads[1:]).keys() == set(LIMBS[3:])
    assert lead_residuals(y[:, 2:], record.leads[2:]) == {}


def test_upside_down():
    record = person(3)
    assert kinds(record, record.beats) == []
    turned = with_signal(record, -record.signal)
    assert kinds(turned, record.beats) == ["inverted"]
    assert kinds(replace(turned, leads=("ECG",)), record.beats) == ["inverted"]  # read as I
    assert kinds(replace(turned, leads=("V1",)), record.beats) == []  # usual there


def test_many_are_looked_at_and_counted_by_kind():
    good, other = person(1), person(2)
    records = [replace(one, name=name) for one, name in [
        (good, "good"), (with_signal(good, 1000 * good.signal), "uV"),
        (with_signal(other, np.zeros_like(other.signal)), "dead"), (other, "slow")]]
    quality = Quality(concerns={"unit": 1})
    found = look_at(records, {"slow": np.array([0, 900, 1800])}, quality)
    assert {kind: list(names) for kind, names in found.items()} == {
        "unit": ["uV"], "heart rate": ["slow"], "flat": ["dead"]}
    assert quality.concerns == {"unit": 2, "heart rate": 1, "flat": 1}
    assert set(found) <= set(KINDS)


@pytest.mark.parametrize("signal", [
    np.zeros((0, 1)), np.zeros((1, 1)), np.ones((3, 2)), np.full((900, 1), np.nan),
    np.full((900, 2), np.inf), np.array([[np.nan], [1.0], [np.nan]])])
def test_degenerate_records_are_looked_at_without_an_error(signal):
    with np.errstate(all="raise"):
        concerns = implausible(make_record(signal) if len(signal) else
                               replace(make_record([0.0]), signal=signal), np.zeros(0, int))
    assert all(isinstance(concern.text, str) for concern in concerns)
