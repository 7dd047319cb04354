"""Labels as rows of numbers: there and back, as frequent as they were, never the rare ones."""

import dataclasses
import json
import math

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.images.tfdata import make_dataset
from ecg_tf.records import About
from ecg_tf.training.conditions import LARGEST_WEIGHT, SHARED_BY, Conditions
from tests.small_records import windows_of

KINDS = ("superclass", "sex", "age")


def cohort(rare=3):
    """60 persons, two windows each: 40 NORM, 17 MI of whom `rare` are men, 3 ODD."""
    about = {}
    for k in range(60):
        name = "NORM" if k < 40 else "MI" if k < 57 else "ODD"
        sex = "male" if (k % 2 if k < 40 else k < 40 + rare) else "female"
        about[f"p{k}"] = About(sex, 40.0 + k % 7 if k else math.nan, labels={"superclass": (name,)})
    names = np.repeat(list(about), 2)
    return dataclasses.replace(windows_of(np.zeros((120, 256, 1)), names), about=about)


@pytest.fixture(scope="module")
def conditions():
    return Conditions.of(cohort(), KINDS)


def test_statements_and_ages_become_rows_and_come_back(conditions):
    windows = cohort()
    rows = conditions.encode(windows)
    assert rows.shape == (120, len(conditions)) == (120, 5) and rows.dtype == np.float32
    assert conditions.columns == (("superclass", "MI"), ("superclass", "NORM"),
                                  ("sex", "female"), ("sex", "male"))
    assert rows[:80, 1].all() and not rows[:80, 0].any() and rows[0, -1] == 0  # age unknown
    again = conditions.describe(rows)
    assert again[4].labels == {"superclass": ("NORM",)} and again[4].sex == "female"
    assert again[4].age == 42.0 and again[-1].labels == {}  # ODD is too rare to be learned
    assert np.allclose(conditions.rows(again)[2:], rows[2:])
    assert "superclass ODD" in conditions.warnings[0]


def test_rare_combinations_are_never_generated_and_the_others_as_often_as_they_were(conditions):
    rows = conditions.draw(600, seed=1)
    told = [(about.labels.get("superclass"), about.sex) for about in conditions.describe(rows)]
    assert set(told) == {(("NORM",), "male"), (("NORM",), "female"), (("MI",), "female")}
    assert abs(told.count((("MI",), "female")) / 600 - 14 / 54) < 0.06
    assert f"fewer than {SHARED_BY}" in conditions.warnings[1]
    ages = [about.age for about in conditions.describe(rows)]
    assert 40 <= min(ages) and max(ages) <= 46 and len(set(ages)) > 3
    assert {each.persons for each in conditions.combinations} == {20, 14}
    assert not any(len(each.holds) < 2 for each in conditions.combinations)  # not the three ODD


def test_row_i_depends_on_the_seed_and_on_i_alone(conditions):
    rows = conditions.draw(9, seed=4)
    assert np.array_equal(rows[5:], conditions.draw(4, seed=4, start=5))
    assert not np.array_equal(rows, conditions.draw(9, seed=5))


def test_what_is_wanted_is_all_that_is_generated(conditions):
    only = conditions.only({"superclass": "MI"})
    assert only.draw(20, 0)[:, 0].all() and len(only) == len(conditions)
    with pytest.raises(InputError, match="Did you mean 'superclass=MI'"):
        conditions.only({"superclass": "M"})
    with pytest.raises(InputError, match="share"):
        conditions.only({"superclass": "MI", "sex": "male"})


def test_they_are_kept_as_json_without_a_row_of_a_person(conditions, tmp_path):
    path = conditions.save(tmp_path / "labels.json")
    assert Conditions.load(path) == conditions and "NaN" not in path.read_text()
    assert "p1" not in path.read_text()
    values = json.loads(path.read_text())
    for key, wrong in (("columns", 3), ("combinations", []), ("ages", [1]), ("persons", [1])):
        path.write_text(json.dumps({**values, key: wrong}))
        with pytest.raises(InputError, match="cannot be read"):
            Conditions.load(path)
    with pytest.raises(InputError, match="cannot be read"):
        Conditions.load(tmp_path / "none.json")


def test_ages_or_statements_alone_are_enough():
    assert len(Conditions.of(cohort(), ["age"])) == 1
    plain = Conditions.of(cohort(), ["superclass"])
    assert not plain.ages and math.isnan(plain.describe(plain.draw(1, 0))[0].age)


def test_what_the_records_do_not_say_is_refused():
    with pytest.raises(InputError, match="no statement|No record has") as error:
        Conditions.of(cohort(), ["rhythm"])
    assert "superclass" in str(error.value)
    few = cohort().take(slice(0, 16))
    with pytest.raises(InputError, match="frequent enough"):
        Conditions.of(few, ["superclass"])
    with pytest.raises(InputError, match="Too few ages"):
        Conditions.of(few, ["age"])
    with pytest.raises(InputError, match="needs|classifies"):
        Experiment(model="acgan")
    with pytest.raises(InputError, match="mixed of several"):
        Experiment(labels=("sex",), subject_mixing=2)
    with pytest.raises(InputError, match="twice"):
        Experiment(labels=("sex", "sex"))


def test_rare_statements_are_practised_more_often_in_an_order_known_from_the_step(conditions):
    windows = cohort()
    windows = dataclasses.replace(windows, signals=np.random.default_rng(0).normal(
        0, 0.2, windows.signals.shape).astype(np.float32))
    weights = conditions.weights(windows)
    assert weights.max() <= LARGEST_WEIGHT and weights[90] > weights[0] >= 1
    assert math.isclose(weights[0], math.sqrt(60 / 37), rel_tol=1e-6)  # women are the rarer ones

    codec = Codec("row_major", height=16, width=16).fit(windows)
    number = np.arange(120)

    def order(start, n, **more):
        batches = make_dataset(windows, codec, 16, 3, labels=number, start_step=start,
                               weights=weights, **more)
        return np.concatenate([labels.numpy() for _, labels in batches.take(n)])

    whole = order(0, 60)
    assert np.array_equal(whole[16 * 41:], order(41, 19))
    often = np.bincount(whole, minlength=120) / len(whole) * weights.sum() / weights
    assert np.abs(often - 1).max() < 0.9 and abs(often[80:114].mean() - 1) < 0.05
    epoch = np.bincount(whole[:120], minlength=120)
    assert (epoch <= 1 + np.ceil(120 * weights / weights.sum())).all()  # evenly, not by chance
    with pytest.raises(InputError, match="by these weights"):
        order(0, 1, shuffle=False)
