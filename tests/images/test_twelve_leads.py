"""Twelve leads through images and back: eight channels, exact sums, the leads' timing kept."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.images.codec import Codec
from ecg_tf.images.quantize import HALF_STEP
from ecg_tf.images.scaling import PER_WINDOW, SCALINGS
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import beat_sequences, strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.limb_leads import all_leads
from ecg_tf.signals.windows import Windows
from tests.images.test_arrangements import FIXED

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
IN_IMAGE = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def ready():
    return [prepare(one, 128.0) for one in simulate_cohort(3, minutes=0.4, leads=TWELVE, seed=2)]


@pytest.fixture(scope="module")
def beats(ready):
    return beat_sequences(ready, rows=8)


def renamed(windows, leads):
    return replace(windows, leads=tuple(leads))


def picked(windows, leads):
    places = [windows.leads.index(lead) for lead in leads]
    return replace(windows, signals=windows.signals[..., places], leads=tuple(leads))


def residuals(windows):
    """Largest residual of each sum, relative to the lead that is computed."""
    lead = {name: windows.signals[..., k].astype(float) for k, name in enumerate(TWELVE)}
    i, ii = lead["I"], lead["II"]
    sums = {"III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    return [np.nanmax(np.abs(lead[name] - exact) / np.maximum(np.abs(exact), 1e-30))
            for name, exact in sums.items()]


@pytest.mark.parametrize("name", SCALINGS)
def test_eight_leads_are_drawn_and_twelve_come_back(beats, name):
    codec = Codec(scaling=name, height=8, quantiles=(0, 1)).fit(beats)
    assert codec.leads == TWELVE and codec.image_leads == IN_IMAGE
    assert codec.channels == ("signal",) * 8 + ("rr",) + ("range",) * 8 * (name in PER_WINDOW)
    images = codec.encode(beats)
    decoded = codec.decode(images)
    assert decoded.leads == TWELVE and max(residuals(decoded)) <= 2.0**-24
    eight = Codec(scaling=name, height=8, quantiles=(0, 1)).fit(picked(beats, IN_IMAGE))
    assert np.array_equal(images, eight.encode(picked(beats, IN_IMAGE)))
    assert np.array_equal(picked(decoded, IN_IMAGE).signals, eight.decode(images).signals,
                          equal_nan=True)
    error = codec.round_trip_error(beats)
    assert error["prd_percent"] < 5 and error["clipped_samples_percent"] == 0
    assert error["limb_lead_residual_mv"] < 1e-6
    assert error["samples"] % 12 == 0


def test_generated_images_give_leads_that_add_up(beats):
    codec = Codec(scaling="window", height=8).fit(beats)
    wild = np.random.default_rng(0).uniform(-1, 1, (4, *codec.image_shape)).astype(np.float32)
    assert max(residuals(codec.decode(wild))) <= 2.0**-24


@pytest.mark.parametrize("arrangement", [name for name in FIXED if name != "rgb_leads"])
@pytest.mark.parametrize("name", SCALINGS)
def test_computed_leads_keep_the_bound_of_their_sum(ready, arrangement, name):
    windows = strips(ready, 256)
    # Filters leave sums that are off by their own rounding: these are right to the last bit.
    in_image = picked(windows, IN_IMAGE).signals
    windows = replace(windows, signals=all_leads(in_image, IN_IMAGE, TWELVE))
    for grid in HALF_STEP:
        codec = Codec(arrangement, scaling=name, height=16, width=16, quantization=grid,
                      quantiles=(0, 1), limits_mv=(-3, 3), knee_mv=0.1).fit(windows)
        back = codec.decode(codec.encode(windows)).signals
        error = np.abs(back - windows.signals.astype(float)).max(axis=(0, 1))
        bound = codec.error_bound_mv()
        assert bound.shape == (12,) and (error <= bound * 1.001).all(), (arrangement, name, grid)
        assert (error > bound / 300).all()  # a bound far off says nothing
        i, ii, iii = bound[:3]
        assert i + ii <= iii <= i + ii + 2e-6


@pytest.mark.parametrize("leads, in_image", [
    (("i", "ii", "avr", "v1"), ("i", "ii", "v1")),
    (("ECG III", "V2", "ECG I", "ECG AVF"), ("ECG III", "V2", "ECG I")),
    (("V6", "III", "II", "I"), ("V6", "II", "I")),
    (("II", "III", "aVL"), ("II", "III")),
    (("MLII", "V1", "III", "aVF"), ("MLII", "V1", "III", "aVF")),
])
def test_pairs_and_names(beats, leads, in_image):
    usual = {"ECG I": "I", "MLII": "II", "i": "I", "ii": "II", "v1": "V1", "avr": "aVR",
             "ECG III": "III", "ECG AVF": "aVF"}
    windows = renamed(picked(beats, [usual.get(lead, lead) for lead in leads]), leads)
    codec = Codec(scaling="physical", height=8).fit(windows)
    assert codec.leads == leads and codec.image_leads == in_image
    decoded = codec.decode(codec.encode(windows))
    assert decoded.leads == leads
    assert codec.round_trip_error(windows)["prd_percent"] < 5


def test_windows_of_the_image_leads_alone_are_encoded_too(beats):
    codec = Codec(scaling="quantile", height=8).fit(beats)
    few = codec.image_windows(beats)
    assert few.leads == IN_IMAGE and codec.image_windows(few) is few
    assert np.array_equal(codec.encode(few), codec.encode(beats))
    assert codec.report(beats) == codec.standardizer.report(few)
    for wrong in (picked(beats, TWELVE[::-1]), picked(beats, IN_IMAGE[:7])):
        with pytest.raises(InputError, match="leads differ"):
            codec.encode(wrong)
    with pytest.raises(InputError, match="leads differ"):
        codec.round_trip_error(few)


def test_a_gap_in_a_lead_that_is_computed_is_no_hindrance(beats):
    codec = Codec(scaling="physical", height=8).fit(beats)
    holed = replace(beats, signals=beats.signals.copy())
    holed.signals[0, 50:60, TWELVE.index("aVL")] = np.nan
    assert np.array_equal(codec.encode(holed), codec.encode(beats))
    holed.signals[0, 50:60, TWELVE.index("V3")] = np.nan
    with pytest.raises(InputError, match="NaN"):
        codec.encode(holed)


def test_leads_that_do_not_agree_are_told_by_the_round_trip(beats):
    signals = beats.signals.copy()
    signals[..., 2] *= 2
    wrong = replace(beats, signals=signals)
    codec = Codec(scaling="physical", height=8, derive=True).fit(wrong)
    good, bad = (codec.round_trip_error(one) for one in (beats, wrong))
    assert bad["limb_lead_residual_mv"] > 0.05 > good["limb_lead_residual_mv"]
    assert bad["rmse_mv"] > 2 * good["rmse_mv"]
    every = Codec(scaling="physical", height=8).fit(wrong)  # seen by itself
    assert every.image_leads == TWELVE and every.image_shape[2] == 13
    whole = every.round_trip_error(wrong)
    assert whole["rmse_mv"] < 1.5 * good["rmse_mv"] and "limb_lead_residual_mv" not in whole


def test_three_limb_leads_stay_three_colours(ready):
    windows = picked(strips(ready, 256), ("I", "II", "III"))
    codec = Codec("rgb_leads", scaling="physical", height=16, width=16).fit(windows)
    assert codec.image_leads == codec.leads and codec.image_shape == (16, 16, 3)


def test_the_file_says_which_leads_are_drawn_and_old_files_load(beats, tmp_path):
    codec = Codec(scaling="window", height=8).fit(beats)
    path = codec.save(tmp_path / "codec.json")
    state = json.loads(path.read_text())
    assert state["leads"] == list(TWELVE) and state["image_leads"] == list(IN_IMAGE)
    again = Codec.load(path)
    assert again.image_leads == IN_IMAGE and again.to_dict() == codec.to_dict()
    images = codec.encode(beats)
    assert np.array_equal(again.decode(images).signals, codec.decode(images).signals,
                          equal_nan=True)
    old = json.loads(path.read_text()) | {"version": 1}
    old["standardizer"]["range"] = old["standardizer"].pop("scaling")
    assert Codec.from_json(json.dumps(old)).to_dict() == codec.to_dict()
    del old["image_leads"]  # as version 1 had it where all leads have channels
    old |= {"leads": list(IN_IMAGE)}
    assert Codec.from_json(json.dumps(old)).image_leads == IN_IMAGE
    for wrong in (["II", "I", *IN_IMAGE[2:]], [*IN_IMAGE, "V7"], IN_IMAGE[1:], [*IN_IMAGE[:7]], [],
                  "I", 8,
                  [*IN_IMAGE, *IN_IMAGE], [None] * 8):
        with pytest.raises(InputError):
            Codec.from_json(json.dumps(state | {"image_leads": wrong}))


def lag_of(signal, other):
    """Samples by which `other` comes later: slope of the phase between them, 1 to 30 Hz."""
    n = len(signal)
    cross = np.conj(np.fft.rfft(signal * np.hanning(n))) * np.fft.rfft(other * np.hanning(n))
    f = np.arange(len(cross)) / n  # cycles a sample
    band = (f > 1 / 128) & (f < 30 / 128)
    weight, phase = np.abs(cross[band]), np.angle(cross[band])
    return -(weight * phase * f[band]).sum() / (weight * f[band] ** 2).sum() / (2 * np.pi)


def test_the_lag_that_is_planted_is_found():
    t = np.arange(600)
    bumps = sum(np.exp(-0.5 * ((t - at) / 3) ** 2) for at in (100, 240, 390, 500))
    later = sum(np.exp(-0.5 * ((t - at - 0.3) / 3) ** 2) for at in (100, 240, 390, 500))
    assert lag_of(bumps, later) == pytest.approx(0.3, abs=0.02)


def test_leads_keep_their_timing(beats):
    codec = Codec(scaling="companded", height=8, limits_mv=(-5, 5), knee_mv=0.5).fit(beats)
    back = codec.decode(codec.encode(beats))
    first = np.rint(beats.rpeaks[:, 1] - back.rpeaks[:, 1]).astype(int)
    lags = []
    for k, start in enumerate(first):
        length = min(back.lengths[k], beats.lengths[k] - start)
        lags.append([lag_of(beats.signals[k, start : start + length, lead],
                            back.signals[k, :length, lead]) for lead in range(12)])
    lags = np.array(lags)
    assert np.abs(lags).max() < 0.1  # of a sample, 0.8 ms
    assert np.ptp(lags, axis=1).max() < 0.1  # and so do the leads to each other


def test_tf_data_gives_the_same_images(beats):
    tf = pytest.importorskip("tensorflow")
    from ecg_tf.images.tfdata import encode_tf, make_dataset, tf_inputs

    for name in ("companded", "window"):
        codec = Codec(scaling=name, height=8).fit(beats)
        wanted = codec.encode(beats)
        dataset = make_dataset(beats, codec, len(beats), shuffle=False, repeat=False)
        assert np.abs(next(iter(dataset)).numpy() - wanted).max() <= 1e-6
        inputs = tf_inputs(beats, codec)
        assert inputs["signals"].shape[2] == 8
        images = encode_tf(codec)({key: tf.constant(value) for key, value in inputs.items()})
        assert np.abs(images.numpy() - wanted).max() <= 1e-6


def test_decoded_windows_are_windows(beats):
    codec = Codec(scaling="physical", height=8).fit(beats)
    decoded = codec.decode(codec.encode(beats))
    assert isinstance(decoded, Windows) and decoded.signals.shape[2] == len(decoded.leads) == 12
    assert np.abs(codec.encode(decoded) - codec.encode(beats)).max() < 0.1
