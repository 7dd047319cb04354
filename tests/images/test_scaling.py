"""Ranges and grids: every stated bound is proved, clipping is counted, state survives JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.images.quantize import HALF_STEP, dequantize, on_grid, quantize
from ecg_tf.images.scaling import PER_WINDOW, SCALINGS, Standardizer
from tests.bounds import smooth_beats, windows_of

quick = settings(max_examples=60, deadline=None)
grids = st.sampled_from(list(HALF_STEP))
# The bounds of the study, per width (b - a) of the range.
BOUNDS = {"uint8": 1 / 510, "uint16": 1 / 131070, "float16": 2.0**-13, "float32": 2.0**-26}


def line(low, high, samples=501):
    return np.linspace(low, high, samples)[None, :, None]


@quick
@given(grids, st.floats(-20, 20), st.floats(0.01, 30))
def test_error_inside_the_range_is_at_most_the_bound(grid, a, width):
    b = a + width
    standardizer = Standardizer("physical", limits_mv=(a, b), quantization=grid)
    x = line(a, b)
    error = np.abs(standardizer.inverse_transform(standardizer.transform(x)) - x).max()
    few_ulp = 4 * np.spacing(max(abs(a), abs(b))) + (0 if grid == "float32" else width * 2.0**-26)
    assert error <= BOUNDS[grid] * width + few_ulp
    stated = standardizer.error_bound_mv()[0]
    assert BOUNDS[grid] * width <= stated * (1 + 1e-9) <= (BOUNDS[grid] + 2.0**-25) * width * 1.001


@pytest.mark.parametrize("grid", HALF_STEP)
def test_the_bound_is_tight(grid):
    standardizer = Standardizer("physical", limits_mv=(-1, 3), quantization=grid)
    x = np.random.default_rng(0).uniform(-1, 3, (1, 100_000, 1))
    levels = quantize((x - 1) / 2, grid)  # as stored in a file: no float32 between
    error = np.abs(standardizer.inverse_transform(dequantize(levels)) - x).max()
    assert 0.9 * BOUNDS[grid] * 4 < error <= (1 + 1e-9) * BOUNDS[grid] * 4


@quick
@given(st.sampled_from(["physical", "companded"]), grids, st.floats(-50, 50))
def test_outside_the_range_the_error_is_the_distance_to_it(name, grid, x):
    standardizer = Standardizer(name, limits_mv=(-2.0, 3.0), quantization=grid)
    back = standardizer.inverse_transform(standardizer.transform(np.full((1, 1, 1), x))).item()
    distance = max(-2.0 - x, x - 3.0, 0.0)
    bound = standardizer.error_bound_mv()[0] * (1 + 1e-4) + 1e-12
    assert abs(abs(back - x) - distance) <= (bound if distance == 0 else 1e-12)


@quick
@given(grids, st.floats(0.01, 1.0))
def test_companded_is_exactly_undone_and_finer_near_zero(grid, knee):
    standardizer = Standardizer("companded", knee_mv=knee, quantization=grid)
    x = line(-3, 3)
    error = np.abs(standardizer.inverse_transform(standardizer.transform(x)) - x)[0, :, 0]
    assert error.max() <= standardizer.error_bound_mv()[0] * (1 + 1e-4)
    straight = Standardizer("physical", quantization=grid).error_bound_mv()[0]
    assert error[np.abs(x[0, :, 0]) < knee / 2].max() < straight


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("grid", HALF_STEP)
def test_each_range_keeps_its_stated_bound_on_training_windows(name, grid):
    windows = windows_of(np.random.default_rng(1).normal(0.3, 0.4, (12, 200, 2)).clip(-2.9, 2.9))
    standardizer = Standardizer(name, quantiles=(0, 1), quantization=grid).fit(windows)
    code = standardizer.range_code(windows)
    back = standardizer.inverse_transform(standardizer.transform(windows.signals, code), code)
    error = np.abs(back - windows.signals).max(axis=1)
    assert (error <= standardizer.error_bound_mv(code) * (1 + 1e-4) + 1e-12).all()
    assert (standardizer.error_bound_mv(code) <= standardizer.error_bound_mv() * (1 + 1e-12)).all()
    assert standardizer.report(windows)["clipped_samples_percent"] == 0


@pytest.mark.parametrize("name", PER_WINDOW)
def test_own_range_of_an_unseen_window_is_clipped_to_what_can_be_coded(name):
    windows = windows_of(np.random.default_rng(1).normal(0, 0.5, (12, 200, 1)))
    standardizer = Standardizer(name).fit(windows)
    loud = replace(windows, signals=10 * windows.signals)
    code = standardizer.range_code(loud)
    back = standardizer.inverse_transform(standardizer.transform(loud.signals, code), code)
    centre, half = standardizer.centre_and_half(code)
    distance = np.maximum(np.abs(loud.signals - centre) - half, 0)
    assert distance.max() > 1
    assert np.abs(np.abs(back - loud.signals) - distance).max() < 1e-5
    assert standardizer.report(loud)["clipped_samples_percent"] > 1


def test_a_window_range_fills_the_whole_of_minus_one_to_one():
    windows = windows_of(np.random.default_rng(1).normal(0, 0.5, (12, 200, 1)))
    for name, axis in (("window", 1), ("record", 1), ("global", (0, 1))):
        standardizer = Standardizer(name).fit(windows)
        values = standardizer.transform(windows.signals, standardizer.range_code(windows))
        assert np.allclose(values.max(axis=axis), 1, atol=1e-5), name
        assert np.allclose(values.min(axis=axis), -1, atol=1e-5), name


def test_windows_of_one_record_share_its_range():
    windows = windows_of(np.random.default_rng(1).normal(0, 0.5, (4, 50, 1)))
    windows = replace(windows, records=np.array(["a", "a", "b", "b"]),
                      subjects=np.array(["s"] * 4))
    code = Standardizer("record").fit(windows).range_code(windows)
    assert (code[0] == code[1]).all() and (code[2] == code[3]).all() and (code[0] != code[2]).any()


def test_quantiles_are_learned_from_the_windows_given_and_nothing_else():
    x = np.random.default_rng(2).normal(0, 1, (4, 500, 1)).astype(np.float32)
    standardizer = Standardizer("quantile", quantiles=(0.1, 0.9)).fit(windows_of(x))
    low, high = np.quantile(x.astype(float), [0.1, 0.9])
    assert standardizer.centre[0] - standardizer.half[0] == pytest.approx(low)
    assert standardizer.centre[0] + standardizer.half[0] == pytest.approx(high)
    assert standardizer.report(windows_of(x))["clipped_samples_percent"] == pytest.approx(20, .01)


def test_what_lies_behind_a_windows_end_does_not_count():
    x = np.zeros((1, 100, 1))
    x[0, :60, 0] = np.linspace(-1, 1, 60)
    x[0, 60:] = 99
    standardizer = Standardizer("global").fit(windows_of(x, lengths=[60]))
    assert standardizer.half[0] == pytest.approx(1)


def test_report_counts_clipped_r_peaks_and_grey_levels():
    windows = smooth_beats(3, rows=8)  # R is 1.1 mV and the rest below 0.5
    report = Standardizer("physical", limits_mv=(-0.6, 0.6)).fit(windows).report(windows)
    assert report["rpeaks"] == report["clipped_rpeaks"] == 30
    assert report["clipped_rpeaks_percent"] == 100
    wide = Standardizer("physical", limits_mv=(-30, 30)).fit(windows).report(windows)
    assert wide["clipped_rpeaks"] == 0 and wide["clipped_samples_percent"] == 0
    assert wide["grey_levels_used"] <= 8 < report["grey_levels_used"] <= 256
    assert wide["pixel_std"] < report["pixel_std"]


def test_companding_gives_small_waves_more_grey_levels():
    windows = smooth_beats(3, rows=8)
    used = {name: Standardizer(name).fit(windows).report(windows)["grey_levels_used"]
            for name in ("physical", "companded")}
    assert used["companded"] > 1.5 * used["physical"]


def test_the_quantile_range_clips_r_peaks_of_record_100(mitdb):
    wfdb = pytest.importorskip("wfdb")
    signal = wfdb.rdrecord(str(mitdb / "100")).p_signal[None, :, :1]
    marks = wfdb.rdann(str(mitdb / "100"), "atr")
    marked = marks.sample[np.isin(marks.symbol, list("NAV"))]
    marked = marked[(marked > 20) & (marked < signal.shape[1] - 20)]
    tops = [at - 18 + signal[0, at - 18 : at + 19, 0].argmax() for at in marked]
    windows = windows_of(signal, np.array([tops], float), fs=360.0)
    clipped = {n: Standardizer(n).fit(windows).report(windows) for n in ("quantile", "physical")}
    assert clipped["quantile"]["clipped_rpeaks"] == 303
    assert clipped["physical"]["clipped_rpeaks"] == 0


@pytest.mark.parametrize("name", SCALINGS)
def test_state_survives_json(name):
    windows = windows_of(np.random.default_rng(1).normal(0, 0.5, (5, 60, 2)))
    standardizer = Standardizer(name, quantization="uint16", knee_mv=0.2).fit(windows)
    again = Standardizer.from_dict(json.loads(json.dumps(standardizer.to_dict())))
    code = standardizer.range_code(windows)
    assert again.to_dict() == standardizer.to_dict()
    assert np.array_equal(again.transform(windows.signals, code),
                          standardizer.transform(windows.signals, code))


@quick
@given(grids, st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20))
def test_quantize_rounds_and_comes_back(grid, values):
    values = np.array(values, np.float32)
    levels = quantize(values, grid)
    assert levels.dtype == np.dtype(grid)
    assert np.abs(dequantize(levels) - values).max() <= HALF_STEP[grid] + 2.0**-24
    assert np.array_equal(quantize(dequantize(levels), grid), levels)


def test_grid_keeps_padding():
    assert np.isnan(on_grid(np.array([0.5, np.nan], np.float32), "uint8")).tolist() == [False, True]


@pytest.mark.parametrize("wrong", [
    {"scaling": "quantil"}, {"scaling": "quantile", "quantiles": (0.9, 0.1)}, {"limits_mv": (1,)},
    {"limits_mv": (0, float("nan"))}, {"knee_mv": 0}, {"quantization": "int8"}, {"knee_mv": True},
])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(InputError):
        Standardizer(**wrong)


def test_errors_name_what_is_wrong():
    x = np.random.default_rng(1).normal(0, 0.5, (3, 60, 1))
    with pytest.raises(InputError, match="fit"):
        Standardizer("global").transform(x)
    with pytest.raises(InputError, match="range_code"):
        Standardizer("window").fit(windows_of(x)).transform(x)
    with pytest.raises(InputError, match="flat"):
        Standardizer("global").fit(windows_of(np.ones((2, 10, 1))))
    with pytest.raises(InputError, match=r"lead\(s\)"):
        Standardizer("global").fit(windows_of(x)).transform(np.zeros((1, 9, 2)))
    with pytest.raises(InputError, match="signals"):
        Standardizer("physical").transform(np.zeros((9, 2)))
    with pytest.raises(InputError, match="no windows"):
        Standardizer("global").fit(windows_of(x[:0]))
    x[1, 5] = np.nan
    with pytest.raises(InputError, match="1 of 3 windows hold NaN"):
        Standardizer("global").fit(windows_of(x))
