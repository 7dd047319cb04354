"""The codec: images and codec.json decode alone, within the stated bound."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangements import make_arrangement
from ecg_tf.images.codec import Codec
from ecg_tf.images.scaling import PER_WINDOW, SCALINGS, Standardizer
from ecg_tf.records import ECGs
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.preparation import Preparation
from tests.bounds import bounds_table, smooth_beats, windows_of


@pytest.fixture(scope="module")
def beats():
    return smooth_beats(5, rows=8)


def test_every_fixed_codec_keeps_its_stated_bound():
    table = bounds_table()
    assert len(table) == 8 * 6 * 4
    for row in table:
        assert row["measured_mv"] <= row["stated_mv"] * 1.001, row
        assert row["measured_mv"] > row["stated_mv"] / 100, row  # a bound far off says nothing


@pytest.mark.parametrize("name", SCALINGS)
def test_beat_rows_come_back_with_every_range(beats, name):
    codec = Codec(scaling=name, height=8, quantiles=(0, 1)).fit(beats)
    images = codec.encode(beats)
    assert images.shape == (5, *codec.image_shape) and images.dtype == np.float32
    assert np.abs(images).max() <= 1
    assert codec.channels == ("signal", "rr") + ("range",) * (name in PER_WINDOW)
    error = codec.round_trip_error(beats)
    assert error["prd_percent"] < 2.5 and error["clipped_samples_percent"] == 0
    decoded = codec.decode(images)
    assert np.allclose(np.diff(decoded.rpeaks), np.diff(beats.rpeaks), atol=1e-3)
    assert np.array_equal(np.isfinite(decoded.signals[..., 0]).sum(axis=1), decoded.lengths)
    assert decoded.fs == beats.fs and decoded.leads == beats.leads
    assert codec.rows == 8 and codec.window_length is None


def test_decoded_windows_can_be_encoded_again(beats):
    codec = Codec(scaling="physical", height=8).fit(beats)
    images = codec.encode(beats)
    assert np.abs(codec.encode(codec.decode(images)) - images).max() < 0.05


@pytest.mark.parametrize("name, arrangement", [
    ("window", "beat_rows"), ("record", "rgb_planar"), ("companded", "hilbert"),
])
def test_images_and_json_decode_in_another_process(tmp_path, beats, name, arrangement):
    windows = beats if arrangement == "beat_rows" else windows_of(beats.signals[:, :256])
    size = {"beat_rows": (8, 64), "rgb_planar": (16, 16), "hilbert": (16, 16)}[arrangement]
    codec = Codec(arrangement, scaling=name, height=size[0], width=size[1]).fit(windows)
    images = codec.encode(windows)
    codec.save(tmp_path / "codec.json")
    np.save(tmp_path / "images.npy", images)
    script = (
        "import sys, numpy as np; from ecg_tf.images.codec import Codec; f = sys.argv[1];"
        "w = Codec.load(f + '/codec.json').decode(np.load(f + '/images.npy'));"
        "np.save(f + '/signals.npy', w.signals);"
        "assert not any(m in sys.modules for m in ('tensorflow', 'keras'))"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    wanted = codec.decode(images).signals
    assert np.array_equal(np.load(tmp_path / "signals.npy"), wanted, equal_nan=True)


def test_project_is_the_nearest_valid_image_and_decodes_alike(beats):
    for name in ("physical", "window"):
        codec = Codec(scaling=name, height=8).fit(beats)
        wild = np.random.default_rng(0).uniform(-1, 1, (3, *codec.image_shape)).astype(np.float32)
        projected = codec.project(wild)
        assert not np.array_equal(projected, wild)
        assert np.allclose(codec.project(projected), projected, atol=1e-6)
        first, second = codec.decode(wild).signals, codec.decode(projected).signals
        assert np.allclose(first, second, atol=1e-4, equal_nan=True)
        valid = codec.encode(beats)
        assert np.allclose(codec.project(valid), valid, atol=1e-6)


def test_grey_images_are_on_their_grid(beats):
    strips = windows_of(beats.signals[:, :256])
    codec = Codec("serpentine", scaling="physical", height=16, width=16,
                  quantization="uint8").fit(strips)
    levels = (codec.encode(strips).astype(float) + 1) * 127.5
    assert np.abs(levels - np.rint(levels)).max() < 1e-4
    assert codec.error_bound_mv()[0] == pytest.approx(8 / 510, rel=1e-4)


def good_state():
    return Codec.of(Standardizer("physical"), _small(), fs=128.0, leads=("MLII",)).to_dict()


def _small():
    return make_arrangement("row_major", 4, 4)


HOSTILE = ["", "[]", "null", "{}", "NaN", "[" * 100_000, '{"format": 1}', "1e999", "\x00", '"x"']


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_codec_is_refused(tmp_path, text):
    path = tmp_path / "codec.json"
    path.write_text(text)
    with pytest.raises(InputError):
        Codec.load(path)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.just(10**400) | st.just("__import__('os')"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["physical", "quantile", "window"]),
       st.sampled_from(["row_major", "beat_rows", "beat_strips"]), st.data())
def test_any_changed_value_loads_as_a_codec_or_is_refused(name, arrangement, data):
    state = _states()[name, arrangement]
    state = json.loads(json.dumps(state))
    part = data.draw(st.sampled_from([state, state["standardizer"], state["arrangement"]]))
    key = data.draw(st.sampled_from(list(part)))
    part[key] = data.draw(anything)
    try:
        codec = Codec.from_json(json.dumps(state))
    except InputError:
        return
    assert np.prod(codec.image_shape) <= 2**26
    assert Codec.from_json(json.dumps(codec.to_dict())).to_dict() == codec.to_dict()


def _states(made={}):  # noqa: B006 (made once for all examples)
    if not made:
        beats = smooth_beats(2, rows=4)
        for name in ("physical", "quantile", "window"):
            made[name, "beat_rows"] = Codec(scaling=name, height=4).fit(beats).to_dict()
            strips = windows_of(beats.signals[:, :256])
            made[name, "beat_strips"] = dict(made[name, "beat_rows"], arrangement=make_arrangement(
                "beat_strips", 12, 16, fs=128.0, length=1000).to_dict())
            made[name, "row_major"] = Codec("row_major", scaling=name, height=16,
                                            width=16).fit(strips).to_dict()
    return made


def test_huge_numbers_foreign_files_and_other_versions_are_refused():
    def changed(**change):
        return json.dumps(good_state() | change)

    assert Codec.from_json(json.dumps(good_state())).image_shape == (4, 4, 1)
    shape = good_state()["arrangement"]
    for text in (
        changed(version=3), changed(format="other"), changed(extra=1), changed(leads=["a"] * 65),
        changed(fs="128"), changed(arrangement=shape | {"height": 10**9}),
        changed(arrangement=shape | {"height": 4096, "width": 4096, "leads": 64}),
        changed(arrangement=shape | {"name": "eval"}), changed(arrangement=shape | {"leads": 2}),
        changed().replace("128.0", "NaN"), changed().replace("128.0", "9" * 5000),
    ):
        with pytest.raises(InputError):
            Codec.from_json(text)


def test_files_that_are_missing_or_huge_are_refused(tmp_path):
    with pytest.raises(InputError, match="Cannot read"):
        Codec.load(tmp_path / "none.json")
    (tmp_path / "huge.json").write_bytes(b" " * 3_000_000)
    with pytest.raises(InputError, match="more than"):
        Codec.load(tmp_path / "huge.json")


def test_wrong_windows_and_images_are_refused(beats):
    codec = Codec(scaling="physical", height=8).fit(beats)
    images = codec.encode(beats)
    for wrong, hint in ((images[..., :1], "shape"), (images * np.nan, "NaN"), (images[0], "shape")):
        with pytest.raises(InputError, match=hint):
            codec.decode(wrong)
    with pytest.raises(InputError, match="Hz"):
        codec.encode(windows_of(beats.signals, beats.rpeaks, beats.lengths, fs=250.0))
    with pytest.raises(InputError, match="R peaks"):
        codec.encode(windows_of(beats.signals, None, beats.lengths))
    with pytest.raises(InputError, match="leads"):
        codec.encode(windows_of(np.repeat(beats.signals, 2, 2), beats.rpeaks, beats.lengths))
    with pytest.raises(InputError, match="NaN"):
        codec.encode(windows_of(beats.signals * np.nan, beats.rpeaks, beats.lengths))
    with pytest.raises(InputError, match="fs and leads"):
        Codec.of(Standardizer("physical"), _small())
    with pytest.raises(InputError, match="no range yet"):
        Codec.of(Standardizer("global"), _small(), fs=128, leads=("MLII",))


def test_real_beats_come_back_within_three_percent(mitdb):
    from ecg_tf.records import read_record
    from ecg_tf.signals.cutting import beat_sequences
    from ecg_tf.signals.filtering import filter_record, resample

    record = filter_record(resample(read_record(mitdb / "100", leads=["MLII"]), 128.0))
    windows = beat_sequences(record)
    codec = Codec(scaling="physical").fit(windows)
    assert codec.round_trip_error(windows)["prd_percent"] < 4


@pytest.mark.parametrize("arrangement", ["beat_rows", "beat_strips", "serpentine"])
def test_records_go_in_as_windows_do_also_after_loading(tmp_path, arrangement):
    train, _, test = ECGs.of_records(tuple(simulate_cohort(6, minutes=0.5))).split(seed=1)
    codec = Codec(arrangement, width=32, preparation=Preparation(fs=100.0)).fit(train)
    assert codec.fs == 100 and codec.image_shape[0] % 8 == 0
    windows = codec.windows_of(test)
    assert set(windows.subjects) == set(test.subjects)
    images = codec.encode(test)
    assert np.array_equal(images, codec.encode(windows))
    again = Codec.load(codec.save(tmp_path / "codec.json"))
    assert np.array_equal(again.encode(test), images) and again.to_dict() == codec.to_dict()
    decoded = again.decode(images)
    if arrangement == "serpentine":
        clipped = np.clip(windows.signals, -4, 4)
        assert np.abs(decoded.signals - clipped).max() <= codec.error_bound_mv().max() * 1.001
    with pytest.raises(InputError, match="how its windows were prepared"):
        Codec(arrangement, width=32).fit(windows).encode(test)


def test_a_codec_that_was_not_fitted_says_so():
    for use in (lambda codec: codec.encode(smooth_beats(1)), lambda codec: codec.image_shape):
        with pytest.raises(InputError, match="not fitted"):
            use(Codec())
    for wrong in ({"arrangement": "beat_row"}, {"scaling": "x"}, {"kne_mv": 1}, {"height": -1}):
        with pytest.raises(InputError):
            Codec(**wrong)
