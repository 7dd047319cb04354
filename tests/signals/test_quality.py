"""Flaws: found where they are, bridged, and the windows that touch one dropped and counted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.records.simulate import sample_identity, simulate_record
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.quality import Quality, inspect_record
from tests.small_records import make_record, noise


def test_flaws_are_found_where_they_are():
    y = noise(3000)
    y[100:104] = np.nan  # 40 ms: bridged
    y[500:510] = np.nan  # 100 ms: a flaw
    y[1000:1101] = 0.123  # constant for more than a second
    y[1500:1600] = 0.321  # for a second, not more
    y[2000:2006] = y[np.isfinite(y)].max() + 1  # stuck at the top
    y[2500:2504] = y[np.isfinite(y)].min() - 1  # touches the bottom for 40 ms only
    out = inspect_record(make_record(y))
    assert np.flatnonzero(out.flaws & 1).tolist() == list(range(500, 510))
    assert np.flatnonzero(out.flaws & 2).tolist() == list(range(1000, 1101))
    assert np.flatnonzero(out.flaws & 4).tolist() == list(range(2000, 2006))
    assert np.isfinite(out.signal).all()
    assert np.allclose(out.signal[99:105, 0], np.linspace(y[99], y[104], 6), atol=1e-5)
    assert inspect_record(out) is out


def test_windows_that_touch_a_flaw_are_dropped_and_counted():
    y = noise(1000)
    y[250:260] = np.nan
    y[500:601] = 1.0
    quality = Quality()
    windows = strips(make_record(y), 100, quality=quality)
    assert windows.starts.tolist() == [0, 100, 300, 400, 700, 800, 900]
    assert quality.kept == 7 and quality.dropped["nan"] == 1 and quality.dropped["flat"] == 2
    assert np.isfinite(windows.signals).all()


@pytest.mark.parametrize("fs", [128.0, 64.0, 250.0])
def test_flaws_survive_resampling_and_filtering(fs):
    y = noise(3600) * 0.1
    y[1000:1030] = np.nan
    out = prepare(make_record(y, 360.0), fs=fs, low=0.5, high=25)
    bad = np.flatnonzero(out.flaws)
    assert abs(bad[0] / fs - 1000 / 360) <= 1 / fs and abs(bad[-1] / fs - 1029 / 360) <= 1 / fs
    assert np.isfinite(out.signal).all()


def test_a_flat_start_does_not_ring_into_the_ecg():
    """ECG-ID has records that start with seconds of constant -1 mV."""
    whole = simulate_record(sample_identity(0, 1), minutes=0.5, noise=0.2)
    broken = whole.signal.copy()
    broken[:1000] = -1
    good = prepare(whole).signal[:, 0]
    out = prepare(replace(whole, signal=broken))
    after = slice(int(1000 / 360 * 128) + 64, None)
    assert np.abs(out.signal[after, 0] - good[after]).max() < 0.15


def test_one_bad_lead_spoils_a_window_and_a_dead_record_gives_none():
    y = np.stack([noise(400), noise(400, 1)], axis=1)
    y[:60, 1] = np.nan
    assert strips(make_record(y), 100).starts.tolist() == [100, 200, 300]
    with pytest.raises(InputError, match="nan"):
        strips(make_record(np.full(400, np.nan)), 100)


def test_a_limit_is_one_where_the_signal_is_cut_off_and_not_where_it_is_held_or_level():
    t = np.arange(1000) / 100
    beats = np.exp(-0.5 * ((t % 1 - 0.5) / 0.02) ** 2)  # R peaks 1 mV high
    y = beats + 0.002 * noise(1000) - 0.3 * np.clip(t - 8, 0, None)  # the baseline falls
    held = y.copy()
    held[-12:] = y.min() - 0.01  # the last samples repeated, as in records of PTB-XL
    level = 0.002 * noise(1000) - beats
    level[110:116] = level.max() + 0.001  # a flat top of the baseline
    cut_off = np.minimum(y, 0.3)
    for signal, flaws in ((held, 0), (level, 0), (cut_off, 4)):
        assert inspect_record(make_record(signal)).flaws.max() == flaws


def test_a_step_at_an_end_costs_nothing_and_a_spike_its_windows():
    y = 0.2 * noise(1000)
    stepped = y.copy()
    stepped[0], stepped[-1] = 5, -4
    quality = Quality()
    windows = strips(make_record(stepped), 100, quality=quality)
    assert quality.kept == 10 and np.abs(windows.signals).max() < 1.5
    spiked = y.copy()
    spiked[455] = 30
    quality = Quality()
    windows = strips(make_record(spiked), 100, quality=quality)
    assert 400 not in windows.starts and quality.dropped["step"] == 1 and quality.kept == 9
    assert np.abs(inspect_record(make_record(spiked)).signal).max() < 1.5


def test_the_log_is_the_same_after_json_and_older_ones_are_read():
    quality = Quality(kept=7, concerns={"unit": 2, "step": 1})
    quality.dropped["nan"] = 3
    again = Quality.of_counts(json.loads(json.dumps(quality.counts())))
    assert again == quality
    old = Quality.of_counts({"kept": 1, "nan": 2, "flat": 0, "saturated": 0, "rr": 0, "short": 5})
    assert old.dropped["short"] == 5 and old.dropped["step"] == 0 and old.concerns == {}
