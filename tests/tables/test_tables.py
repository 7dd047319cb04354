"""Health tables and image folders: there and back, and every bad input named."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ecg_tf.base.errors import InputError
from ecg_tf.images.quantize import HALF_STEP
from ecg_tf.lessons import image_folders
from ecg_tf.tables.table_codec import ARRANGEMENTS, TableCodec
from ecg_tf.tables.table_files import load_table

MIXED = pd.DataFrame({
    "age": [20, 41, 63, 77], "weight": [51.5, np.nan, 80.25, 99.0], "smoker": [True, False] * 2,
    "sex": ["f", "m", None, "f"], "stage": [1, 2, 3, 2], "site": ["ear", "arm", "leg", "arm"],
})
finite = st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)


@st.composite
def tables(draw):
    rows = draw(st.integers(3, 12))

    def column(values):
        return draw(st.lists(values, min_size=rows, max_size=rows))

    gaps = st.one_of(st.just(np.nan), finite)
    table = {
        "number": column(finite), "gappy": [0.5, *column(gaps)[1:]],
        "whole": column(st.integers(-1000, 1000)), "truth": column(st.booleans()),
        "text": ["a", *column(st.sampled_from(["a", "b", "ü, c", None]))[1:]],
    }
    return pd.DataFrame(table)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(ARRANGEMENTS), st.sampled_from(["pad", "tile", "replicate"]),
       st.sampled_from(list(HALF_STEP)))
def test_every_table_comes_back_within_its_stated_bound(table, arrangement, fill, grid):
    codec = TableCodec(8, 8, arrangement=arrangement, fill=fill, quantization=grid).fit(table)
    codec = TableCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    images = codec.encode(table)
    assert images.shape == (len(table), 8, 8, 1) and images.dtype == np.float32
    assert np.abs(images).max() <= 1 and codec.tile_variance(images) == 0
    back, bounds = codec.decode(images), codec.error_bound()
    for name in table:
        assert (back[name].isna() == table[name].isna()).all(), name
        old, new = (frame[name].dropna().to_numpy() for frame in (table, back))
        if bounds[name] == 0:
            assert old.tolist() == new.tolist(), name
        else:
            assert np.abs(old.astype(float) - new.astype(float)).max(initial=0) <= bounds[name]
    again = codec.encode(back)
    assert np.abs(again - images).max() <= 3 * HALF_STEP[grid]


def test_the_bound_is_tight():
    table = pd.DataFrame({"x": np.random.default_rng(0).uniform(-3, 90, 20000)})
    for grid in HALF_STEP:
        codec = TableCodec(8, 8, quantization=grid).fit(table)
        row = codec.round_trip(table).loc["x"]
        assert 0.5 * row["bound"] < row["largest_error"] <= row["bound"]


def test_kinds_are_seen_or_told_and_missing_values_get_a_mark_of_their_own(tmp_path):
    codec = TableCodec(8, 8, fill="pad", kinds={"stage": "categorical"}).fit(MIXED)
    kinds = {c.name: c.kind for c in codec.columns}
    assert kinds == {"age": "numeric", "weight": "numeric", "smoker": "binary", "sex": "binary",
                     "stage": "categorical", "site": "categorical"}
    pixels = codec.encode(MIXED)[..., 0].reshape(4, -1)
    assert pixels[:, 4].tolist() == [-1, 0, 1, 0]  # stages 1, 2, 3 equally spaced
    assert pixels[:, 6].tolist() == [-1, 1, -1, -1]  # weight missing
    assert pixels[:, 7].tolist() == [-1, -1, 1, -1]  # sex missing
    assert not pixels[:, 8:].any() and pixels[1, 1] == 0
    codec.save(tmp_path / "codec.json")
    back = TableCodec.load(tmp_path / "codec.json").decode(codec.encode(MIXED))
    pd.testing.assert_frame_equal(back.astype(object).where(back.notna(), None),
                                  MIXED.astype(object).where(MIXED.notna(), None), atol=1e-5)
    assert back["smoker"].dtype == bool and back["age"].dtype == np.int64
    report = codec.round_trip(MIXED)
    assert report["missing_percent"].tolist() == [0, 25, 0, 25, 0, 0]
    assert (report["largest_error"] <= report["bound"]).all()
    at, levels = codec.categories()
    assert at.tolist() == [2, 3, 4, 5, 6, 7] and levels.tolist() == [2, 2, 3, 3, 2, 2]


def test_generated_images_decode_to_valid_rows_and_report_their_tiles():
    codec = TableCodec(16, 16, fill="tile").fit(MIXED)
    noise = np.random.default_rng(0).uniform(-1.5, 1.5, (300, 16, 16, 1)).astype(np.float32)
    rows = codec.decode(noise)
    assert set(rows["site"]) <= {"ear", "arm", "leg"} and rows["age"].between(20, 77).all()
    assert 0.6 < codec.tile_variance(noise) < 0.75  # 1.5² / 3 = 0.75, less the mean of the copies
    assert 0.3 < rows["weight"].isna().mean() < 0.7


def test_values_beyond_the_training_rows_are_clipped_and_counted():
    codec = TableCodec(8, 8).fit(MIXED[["age"]])
    later = pd.DataFrame({"age": [10, 30, 50, 200]})
    assert codec.decode(codec.encode(later))["age"].tolist() == [20, 30, 50, 77]
    assert codec.round_trip(later).loc["age", "clipped_percent"] == 50


def test_a_categorical_keeps_its_own_order_and_levels():
    grade = pd.Categorical(["low", "high", "low"], ["low", "middle", "high"])
    codec = TableCodec(8, 8).fit(pd.DataFrame({"grade": grade}))
    assert codec.columns[0].levels == ("low", "middle", "high")
    assert codec.standardize(pd.DataFrame({"grade": ["middle"]})).tolist() == [[0.0]]


@pytest.mark.parametrize("change, says", [
    ({"age": ["x", 41, 63, 77]}, "only numbers"), ({"age": [np.inf, 1, 2, 3]}, "infinite"),
    ({"age": pd.Series([10**400, 1, 2, 3], dtype=object)}, "huge"),
    ({"age": [None] * 4}, "no values"),
    ({"age": pd.date_range("2020", periods=4)}, "dates into numbers"),
])
def test_columns_that_cannot_be_drawn_are_named(change, says):
    with pytest.raises(InputError, match=says) as caught:
        TableCodec().fit(MIXED.assign(**change))
    assert "'age'" in str(caught.value)


def test_bad_tables_and_codecs_are_refused(tmp_path):
    codec = TableCodec(8, 8).fit(MIXED)
    for table, says in (
        (MIXED.drop(columns="age"), "missing .'age'."), (MIXED.assign(more=1), "unknown .'more'."),
        (MIXED.assign(site="nose"), "training did not have"), (MIXED.iloc[:0], "no table"),
        (MIXED.assign(smoker=None), "missing values"), (MIXED.to_numpy(), "no table"),
    ):
        with pytest.raises(InputError, match=says):
            codec.encode(table)
    identifiers = pd.DataFrame({"name": [f"p{k}" for k in range(40)]})
    for function, says in (
        (lambda: TableCodec(2, 2).fit(MIXED), "height and width of 3"),
        (lambda: TableCodec(arrangement="hilberd"), "hilbert"),
        (lambda: TableCodec(kinds={"agee": "numeric"}).fit(MIXED), "'age'"),
        (lambda: TableCodec(kinds={"site": "numeric"}).fit(MIXED), "categorical"),
        (lambda: TableCodec().fit(identifiers), "identifier"),
        (lambda: TableCodec().encode(MIXED), "fit"),
        (lambda: codec.decode(np.zeros((2, 8, 9, 1))), "shape"),
        (lambda: codec.decode(np.full((2, 8, 8, 1), np.nan)), "NaN"),
        (lambda: TableCodec.load(tmp_path / "none.json"), "Cannot read"),
    ):
        with pytest.raises(InputError, match=says):
            function()


def test_a_damaged_codec_file_never_raises_anything_but_input_error(tmp_path):
    good = TableCodec(8, 8).fit(MIXED).to_dict()
    damaged = [[], {}, good | {"version": 2}, good | {"columns": []}, good | {"height": "8"}]
    for key, value in (("name", 3), ("kind", "numerical"), ("low", 1e400), ("levels", [[1], [2]]),
                       ("levels", ["a", 1]), ("whole", "yes"), ("high", -1e9)):
        damaged.append(good | {"columns": [good["columns"][0] | {key: value}]})
    damaged.append(good | {"columns": [good["columns"][0]] * 2})
    for state in damaged:
        (tmp_path / "codec.json").write_text(json.dumps(state))
        with pytest.raises(InputError):
            TableCodec.load(tmp_path / "codec.json")


@pytest.mark.parametrize("text, rows", [
    ("a,b\n1,x\n2,y\n", [[1, "x"], [2, "y"]]), ("a;b\n1,5;x\n2;y\n", [[1.5, "x"], [2.0, "y"]]),
    ("\ufeffa\tb\n1\tx\n2\t\n", [[1, "x"], [2, None]]), ("a\n1\n2\n", [[1], [2]]),
])
def test_csv_files_of_usual_kinds_are_read(tmp_path, text, rows):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    table = load_table(str(tmp_path / "t.csv"))
    assert table.astype(object).where(table.notna(), None).to_numpy().tolist() == rows
    assert list(table)[0] == "a"


@pytest.mark.parametrize("content, says", [
    (b"", "cannot be read"), (b"a,b\n1,2,3\n4,5,6\n", "equally long"),
    (b"\xff\xfe\x00a", "UTF-8"), (b"a,a\n1,2\n3,4\n", "'a' twice"), (b"a,\n1,2\n3,4\n", "header"),
    (b"a,b\n1,2\n", "1 rows"), (b'a,b\n"1,2\n', "table"),
])
def test_broken_csv_files_are_explained(tmp_path, content, says):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        load_table(tmp_path / "t.csv")


def test_tables_that_come_with_scikit_learn():
    cancer, diabetes = load_table("breast_cancer"), load_table("diabetes", drop=["s6"])
    assert cancer.shape == (569, 31) and diabetes.shape == (442, 10)
    assert set(cancer["diagnosis"]) == {"malignant", "benign"}
    codec = TableCodec().fit(cancer)
    assert (codec.round_trip(cancer)["largest_error"] <= codec.round_trip(cancer)["bound"]).all()
    with pytest.raises(InputError, match="Did you mean 'diabetes'"):
        load_table("diabetis")
    with pytest.raises(InputError, match="Did you mean 's6'"):
        load_table("diabetes", drop=["S6"])


def test_digits_as_a_folder_and_back(tmp_path):
    from sklearn.datasets import load_digits

    folder = image_folders.write_digits(tmp_path / "digits")
    images = image_folders.read_image_folder(folder)
    assert images.shape == (1797, 8, 8, 1) and images.dtype == np.float32
    levels = np.rint((images[..., 0] + 1) * 8)
    assert np.array_equal(levels, load_digits().images)
    assert len(image_folders.read_image_folder(folder, most=10)) == 10


@pytest.mark.parametrize("channels", [1, 3])
def test_written_images_are_read_with_the_same_pixels(tmp_path, channels):
    images = np.random.default_rng(0).uniform(-1, 1, (5, 9, 11, channels))
    read = image_folders.read_image_folder(image_folders.write_images(images, tmp_path / "a"))
    assert read.shape == images.shape and np.abs(read - images).max() <= 1 / 255 + 1e-6
    again = image_folders.read_image_folder(image_folders.write_images(read, tmp_path / "b"))
    assert np.array_equal(again, read)


def test_image_folders_that_cannot_be_read_name_the_file(tmp_path):
    read, grey = image_folders.read_image_folder, Image.new("L", (8, 8), 3)
    with pytest.raises(InputError, match="no folder"):
        read(tmp_path / "none")
    (tmp_path / "a.jpg").touch()
    grey.save(tmp_path / "a.png")
    with pytest.raises(InputError, match="1 PNG files, endings .jpg, .png"):
        read(tmp_path)
    for image, says in (
        (Image.new("L", (8, 9)), "9 x 8 pixels, grey"), (Image.new("RGB", (8, 8)), "RGB"),
        (Image.new("RGBA", (8, 8)), "transparent"), (Image.new("I;16", (8, 8)), "I;16"),
        (Image.new("L", (2000, 8)), "8 x 2000"),
    ):
        image.save(tmp_path / "b.png")
        with pytest.raises(InputError, match=says) as caught:
            read(tmp_path)
        assert "'b.png'" in str(caught.value)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:-30])
    with pytest.raises(InputError, match="'b.png'"):
        read(tmp_path)
    Image.new("RGBA", (8, 8), (9, 9, 9, 255)).save(tmp_path / "a.png")
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "b.png")
    images = read(tmp_path)  # opaque RGBA is RGB
    assert images.shape == (2, 8, 8, 3) and np.array_equal(images[0], images[1])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_permutation_and_enlarging_have_exact_inverses(height, width, factor, seed):
    images = np.random.default_rng(0).standard_normal((3, height, width, 2)).astype(np.float32)
    permutation = image_folders.PixelPermutation(height, width, seed)
    moved = permutation.encode(images)
    assert np.array_equal(permutation.decode(moved), images)
    assert np.array_equal(np.sort(moved.ravel()), np.sort(images.ravel()))
    same = image_folders.PixelPermutation(height, width, seed).encode(images)
    assert np.array_equal(same, moved)
    large = image_folders.enlarge(images, factor)
    assert large.shape == (3, height * factor, width * factor, 2)
    assert np.array_equal(image_folders.reduce(large, factor), images)


def test_generated_pixels_go_to_the_levels_a_folder_uses():
    like = np.array([-1, 0.5, 1], np.float32)
    got = image_folders.nearest_levels(np.array([[-1.2, -0.998], [-0.2, 0.8]]), like)
    assert got.tolist() == [[-1, -1], [0.5, 1]] and got.dtype == np.float32


def test_the_permutation_takes_the_neighbourhoods_away(tmp_path):
    from ecg_tf.images.image_losses import neighbour_correlation

    images = image_folders.read_image_folder(image_folders.write_digits(tmp_path))
    moved = image_folders.PixelPermutation(8, 8, 0).encode(images)
    assert not np.array_equal(moved, image_folders.PixelPermutation(8, 8, 1).encode(images))
    assert neighbour_correlation(moved)["vertical"] < neighbour_correlation(images)["vertical"] - .2
    for function in (lambda: image_folders.PixelPermutation(8, 7).encode(images),
                     lambda: image_folders.reduce(images, 3),
                     lambda: image_folders.write_images(images[..., [0, 0]], tmp_path)):
        with pytest.raises(InputError):
            function()
