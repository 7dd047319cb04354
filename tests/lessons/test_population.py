"""Lesson 11: subsets of persons, a study that reads what it has, and what its table says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.baselines import Measured, plain_measures
from ecg_tf.lessons import population
from ecg_tf.lessons.population import (
    FIDELITY,
    Measuring,
    of_subset,
    population_study,
    subsets_of,
    table_of,
    trainable,
)
from ecg_tf.lessons.population_words import learned, strongest
from ecg_tf.training.data import prepare_data
from ecg_tf.training.families import build_gan
from tests.study.test_run import PLAIN, TINY

PERSONS = [f"p{k:02d}" for k in range(20)]
EXPERIMENT = Experiment(**TINY | PLAIN | {"subjects": 10, "minutes": 1.0, "steps": 2})
QUICK = Measuring(("descriptors",), max_strips=100, repeats=2)


@pytest.fixture(scope="module")
def data():
    return prepare_data(EXPERIMENT)


def row(persons, number=0, mmd2=0.1, auc=0.6, p=0.5, steps=100):
    """A row of the study, as its file has it."""
    rows = [Measured("MMD²", mmd2, 0.02, 0.8 * mmd2, 1.2 * mmd2, baseline_low=0.01,
                     baseline_high=0.03), Measured("recall", 0.4, 0.7),
            *(Measured(f"membership AUC of persons, {name}", value, 0.5, p_value=chance)
              for name, value, chance in (("strips", auc, p), ("beats", 0.5, 0.5)))]
    measures = {one["name"]: one for one in plain_measures(rows)}
    measures["MMD²"]["memorized"] = 0.4 / persons
    facts = {"images": 10 * persons, "views": steps / persons, "members": persons,
             "non_members": 9, "seconds": 1.0, "notes": ""}
    return {"persons": persons, "subset": number, "seed": number, "steps": steps,
            "measures": measures, "training": facts}


ROWS = [row(4, 0, 0.3, 0.9, 0.001), row(4, 1, 0.2, 0.8, 0.04), row(16, 0, 0.1)]


# Subsets -----------------------------------------------------------------------------------------

def test_subsets_have_the_wanted_sizes_and_are_nested_within_an_order():
    subsets = subsets_of(PERSONS, [8, 4, 0], [2, 3, 1], seed=3)
    assert [(len(one.persons), one.number) for one in subsets] == [
        (4, 0), (4, 1), (4, 2), (8, 0), (8, 1), (20, 0)]
    by = {(len(one.persons), one.number): set(one.persons) for one in subsets}
    assert all(len(persons) == size for (size, _), persons in by.items())
    assert by[4, 0] < by[8, 0] < by[20, 0] == set(PERSONS) and by[4, 1] < by[8, 1]
    assert by[4, 0] != by[4, 1] and subsets == subsets_of(PERSONS[::-1], [4, 8, 0], [3, 2, 1], 3)
    assert subsets != subsets_of(PERSONS, [8, 4, 0], [2, 3, 1], seed=4)


@pytest.mark.parametrize(("sizes", "repeats", "words"), [
    ([], 1, ["no numbers of persons", "Fix: name one or more"]),
    (4, 1, ["no numbers of persons"]),
    ([4, 40], 1, ["not so many", "from 2 to 20", "40"]),
    ([1], 1, ["size", "from 2"]),
    ([2.5], 1, ["size", "whole number"]),
    ([4, 4], 1, ["given twice", "each size once"]),
    ([20, 0], 1, ["given twice", "0 stands for 20"]),
    ([4, 8], [1], ["do not go together", "or 2", "1 numbers"]),
    ([4], 0, ["repeats", "from 1"]),
])
def test_sizes_that_cannot_be_are_refused_in_words(sizes, repeats, words):
    with pytest.raises(InputError) as refused:
        subsets_of(PERSONS, sizes, repeats)
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_a_subset_leaves_the_held_out_persons_and_fits_its_own_codec(data):
    subset = subsets_of(trainable(data), [3])[0]
    e = data.settled(EXPERIMENT)
    own = of_subset(data, replace(e, scaling="global"), subset)
    assert set(own.windows["train"].subjects) == set(own.strips["train"].subjects) \
        == set(own.split["train"]) == set(subset.persons)
    for part in ("validation", "test"):
        assert not set(own.split[part]) & set(subset.persons)
        assert own.split[part] == data.split[part] and own.strips[part] is data.strips[part]
    assert own.codec.image_shape == data.codec.image_shape
    assert own.codec.to_dict() != of_subset(data, replace(e, scaling="global"), replace(
        subset, persons=tuple(data.split["train"]))).codec.to_dict()


def test_stored_windows_and_a_stopping_rule_are_refused(data):
    subset = subsets_of(trainable(data), [3])[0]
    with pytest.raises(InputError, match="(?s)stored windows.*Fix"):
        of_subset(replace(data, stored=data.windows["train"]), EXPERIMENT, subset)
    with pytest.raises(InputError, match="(?s)different steps.*stop: baseline"):
        population_study(replace(EXPERIMENT, stop="baseline"), [3], data=data)
    with pytest.raises(InputError, match="Did you mean 'beats'"):
        Measuring(("beat",))


# The study ---------------------------------------------------------------------------------------

def test_a_training_is_measured_read_again_and_resumed(tmp_path, data, stepwise, monkeypatch,
                                                       capsys):
    settings = replace(EXPERIMENT, runs_dir=str(tmp_path))
    first = population_study(settings, [3], measuring=QUICK, data=data)
    assert "3 persons, subset 0: 2 steps, MMD²" in capsys.readouterr().out
    folder = settings.folder / "persons-3-0"
    assert list(first.index) == [(3, 0, 0, 2)] and (settings.folder / "population.csv").exists()
    assert np.isfinite(first["MMD²"][["value", "baseline", "memorized"]].to_numpy()).all()
    auc = first["membership AUC of persons, descriptors"]
    assert 0 <= auc["value"].item() <= 1 and auc["baseline"].item() == 0.5
    held_out = {who for part in ("validation", "test") for who in data.split[part]}
    assert first["training"]["members"].item() == 3
    assert first["training"]["non_members"].item() == len(held_out)
    assert not held_out & set(json.loads((folder / "row.json").read_text())["names"])

    with monkeypatch.context() as patch:
        patch.setattr(population, "_trained", lambda *a: pytest.fail("trained again"))
        assert population_study(settings, [3], measuring=QUICK, data=data).equals(first)

    kept = json.loads((folder / "row.json").read_text())
    (folder / "row.json").unlink()  # as if killed while it was measured
    facts = kept["training"]
    sides = {name: facts[name] for name in ("members", "non_members")}
    monkeypatch.setattr(population, "measure", lambda *a: (kept["measures"], sides, []))
    monkeypatch.setattr(type(build_gan(settings, data.codec)), "fit",
                        lambda *a, **k: pytest.fail("trained again"))
    again = population_study(settings, [3], measuring=QUICK, data=data, progress=False)
    assert again[list(FIDELITY)].equals(first[list(FIDELITY)])


def test_what_changes_a_training_makes_it_anew(tmp_path, data, monkeypatch):
    made = []

    def trained(e, own, everyone, measuring):
        made.append((e.folder.name, e.seed, tuple(own.split["train"])))
        return {key: row(3)[key] for key in ("measures", "training")}

    monkeypatch.setattr(population, "_trained", trained)
    settings = replace(EXPERIMENT, runs_dir=str(tmp_path))

    def study(settings=settings, sizes=(3,), repeats=1, measuring=QUICK):
        made.clear()
        population_study(settings, list(sizes), repeats, measuring=measuring, data=data,
                         progress=False)
        return [name for name, *_ in made]

    assert study() == ["persons-3-0"] and study() == []
    assert study(repeats=2) == ["persons-3-1"] and made[0][1] == settings.seed + 1
    assert study(sizes=(3, 0)) == [f"persons-{len(trainable(data))}-0"]
    assert study(replace(settings, steps=3)) == ["persons-3-0"]
    assert study(replace(settings, steps=3), measuring=replace(QUICK, outsiders=True)) \
        == ["persons-3-0"]
    (settings.folder / "persons-3-0" / "row.json").write_text("{half a")
    assert study(replace(settings, steps=3)) == ["persons-3-0"]


def test_outsiders_are_further_non_members_and_too_few_strips_are_said(data):
    e = data.settled(EXPERIMENT)
    own = of_subset(data, e, subsets_of(trainable(data), [3])[0])
    everyone = data.strips["train"]
    counts = {outsiders: len(np.unique(population._non_members(
        own, everyone, Measuring(outsiders=outsiders)).subjects)) for outsiders in (False, True)}
    assert counts[True] - counts[False] == len(trainable(data)) - 3
    measures, sides, notes = population.measure(everyone.signals[:5], e, own, everyone, QUICK)
    assert measures == {} and sides["members"] == 0 and "Only 5 strips" in notes[0]


# The table ---------------------------------------------------------------------------------------

def test_the_table_has_a_row_a_training_and_every_measure_with_its_baseline():
    table = table_of(ROWS)
    assert table.index.names == ["persons", "subset", "seed", "steps"] and len(table) == 3
    for name in FIDELITY:
        assert {"value", "low", "high", "baseline", "memorized"} <= set(table[name].columns)
    assert {"copies", "near-matches", "membership AUC of persons, strips", "training"} <= set(
        table.columns.get_level_values(0))
    assert table["MMD²"]["value"].tolist() == [0.3, 0.2, 0.1]
    assert np.isnan(table["copies"]["value"]).all()  # not measured stays a gap
    assert table["training"]["views"].tolist() == [25, 25, 6.25]


def test_the_strongest_attacker_pays_for_the_others():
    found = strongest(table_of(ROWS))
    assert found["attacker"].tolist() == ["strips"] * 3
    assert found["p"].tolist() == pytest.approx([0.002, 0.08, 1.0])


def test_sentences_say_few_and_many():
    fidelity, recall, copied, found, auc, views = learned(table_of(ROWS))
    assert "0.2 to 0.3 with 4 persons, 0.1 with 16; other real persons reach 0.02" in fidelity
    assert recall.startswith("recall") and "MMD² of 0.1:" in copied
    assert "1 of 2 trainings on 4 persons, 0 of 1 training on 16 persons" in found
    assert "AUC is 0.8 to 0.9 with 4 persons, 0.6 with 16." in auc
    assert "25 times with 4 persons, 6 times with 16" in views
