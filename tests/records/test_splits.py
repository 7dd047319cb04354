"""Splits: no person leaks."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.records import DS1, DS2, PACED, ECGs
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.records.splits import assert_disjoint, split_by_subject
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.windows import select_part


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(subjects=4, minutes=1, seed=5)


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 60), st.integers(0, 99), st.sampled_from([(0.6, 0.15, 0.25), (0.5, 0, 0.5)]))
def test_every_subject_is_in_one_part(subjects, seed, fractions):
    names = [f"p{k}" for k in range(subjects)]
    split = split_by_subject(names * 2, fractions=fractions, seed=seed)
    assert sorted(sum(split.values(), [])) == sorted(names)
    assert_disjoint(split)
    assert list(split) == ["train", "validation", "test"]
    for part, fraction in zip(split.values(), fractions, strict=True):
        assert part == sorted(part) and bool(part) == bool(fraction)
        assert abs(len(part) - fraction * subjects) <= 1.5
    assert split == split_by_subject(names[::-1], fractions=fractions, seed=seed)


def test_ds1_trains_and_ds2_tests_without_sharing_a_person():
    names = [f"mitdb-{'201' if n == '202' else n}" for n in DS1 + DS2 + PACED]
    split = split_by_subject(names, "ds1ds2", seed=1)
    assert [len(part) for part in split.values()] == [17, 4, 22]
    assert "mitdb-201" in split["test"]
    everyone = set(sum(split.values(), []))
    assert not {f"mitdb-{n}" for n in PACED} & everyone and len(everyone) == 43
    assert split["validation"] != split_by_subject(names, "ds1ds2", seed=2)["validation"]
    few = split_by_subject(names, "ds1ds2", validation=0)
    assert [len(part) for part in few.values()] == [21, 0, 22]


def test_bad_splits_are_refused(cohort):
    for wrong in ({"scheme": "ds1"}, {"scheme": "ds1ds2"}, {"fractions": (0.5, 0.6, 0.1)},
                  {"fractions": (1.0,)}):
        with pytest.raises(InputError):
            split_by_subject(cohort, **wrong)
    with pytest.raises(InputError, match="Too few"):
        split_by_subject(["a", "b"])
    with pytest.raises(InputError, match="'b'"):
        assert_disjoint({"train": ["a", "b"], "test": ["b"]})


def test_parts_of_windows(cohort):
    windows, split = strips(cohort, 1000), split_by_subject(cohort)
    parts = {name: select_part(windows, split, name) for name in split}
    assert sum(map(len, parts.values())) == len(windows)
    assert {s for s in parts["test"].subjects} == set(split["test"])
    with pytest.raises(InputError):
        select_part(windows, {"train": [cohort[0].subject], "test": [cohort[0].subject]}, "train")
    with pytest.raises(InputError):
        select_part(windows, {"train": ["none"]}, "train")
    with pytest.raises(InputError, match="train"):
        select_part(windows, split, "tran")


def test_records_are_split_by_person_scheme_or_column(cohort):
    ecgs = ECGs.of_records(tuple(cohort), warnings=("a",))
    parts = ecgs.split(seed=3)
    assert [set(part.subjects) for part in parts] == [
        set(names) for names in split_by_subject(cohort, seed=3).values()]
    assert sum(map(len, parts)) == len(ecgs) and parts[0].warnings == ("a",)
    folds = {one.subject: str(k) for k, one in enumerate(cohort)}
    dated = ECGs.of_records(replace(one, metadata={"fold": folds[one.subject]})
                            for one in cohort)
    train, validation, test = dated.split("fold", {"train": [0, 1], "test": [3]})
    assert (len(train), len(validation), len(test)) == (2, 0, 1)
    with pytest.raises(InputError, match="column"):
        ecgs.split("strat_fold")
