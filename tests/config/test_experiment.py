"""Experiment files: what is wrong is named before anything is read."""

import ast
from pathlib import Path

import nbformat
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import SETTINGS, Experiment
from ecg_tf.config.setting import AFFECTS, GROUPS
from ecg_tf.config.settings_page import settings_page
from ecg_tf.config.yaml_files import read_yaml
from ecg_tf.study.plans import read_plan

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "notebooks" / "experiments").glob("*.yaml"))


def test_every_experiment_file_is_valid_and_named_like_its_experiment():
    assert FILES
    for path in FILES:
        plan = read_plan(path, notebooks=ROOT / "notebooks")
        assert plan.name == path.stem


def test_the_notebooks_parameters_are_the_experiments_defaults():
    notebook = nbformat.read(ROOT / "notebooks" / "05_experiment.ipynb", as_version=4)
    source = next(c.source for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    given = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(source).body}
    assert given == Experiment().to_dict()


def test_the_page_of_settings_is_up_to_date():
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == settings_page(), "make docs"


def test_every_setting_is_declared_in_full():
    for name, one in SETTINGS.items():
        assert one.group in GROUPS and one.affects in AFFECTS and one.help, name
        assert one.checked(one.default) == one.default
        assert one.part_of in ("", *SETTINGS)


@pytest.mark.parametrize(("old", "new"), [
    ({"range": "window"}, {"scaling": "window"}),
    ({"mix_persons": 2, "even_persons": True}, {"subject_mixing": 2, "even_subjects": True}),
    ({"redraw_rough": 1.5}, {"rejection_roughness": 1.5}),
    ({"stop": "floor"}, {"stop": "baseline"}),
    ({"gate": {"recall": ["at_least_floors", 0.8], "MMD²": {"at_most_floors": 3}}},
     {"gate": {"recall": ["at_least_baselines", 0.8], "MMD²": ["at_most_baselines", 3]}}),
])
def test_names_of_the_release_before_are_understood_with_a_note(old, new):
    with pytest.warns(FutureWarning, match="is called '.*' now"):
        assert Experiment.from_dict(old) == Experiment.from_dict(new)


def test_a_setting_under_both_names_is_refused():
    with pytest.warns(FutureWarning), pytest.raises(InputError, match="'scaling' is given twice"):
        Experiment.from_dict({"scaling": "window", "range": "global"})


def test_saved_and_read_again_it_is_the_same(tmp_path):
    experiment = Experiment(experiment="a", leads=("MLII", "V5"), steps=7, learning_rate=1e-4)
    path = experiment.save(tmp_path / "a.yaml")
    assert Experiment.from_yaml(path) == experiment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stepz: 3", ["'stepz'", "Did you mean 'steps'?"]),
        ("learning_rate: 2e-4", ["learning_rate", "a number", "2.0e-4"]),
        ("steps: 1.5", ["steps", "whole number", "1.5"]),
        ("steps: true", ["steps", "whole number", "True"]),
        ("steps: 0", ["steps", "from 1 to"]),
        ("leads: MLII", ["leads", "a list such as [MLII]"]),
        ("tensorboard: 1", ["tensorboard", "true or false"]),
        ("arrangement: beatrows", ["arrangement", "beat_rows"]),
        ("model: vae", ["model", "dcgan, r1gan, wgan_gp"]),
        ("experiment: ../x", ["name", "letters, digits"]),
        ("quantiles: [0.9, 0.1]", ["quantiles", "lower one first"]),
        ("gate: {recall: 0.8}", ["'recall'", "[rule, number]"]),
        ("gate: {recall: [at_least_flors, 0.8]}", ["'recall'", "at_least_baselines"]),
        ("gate: {recall: [at_least, .nan]}", ["'recall'", "finite"]),
        ("gate: [recall]", ["gate", "a mapping such as"]),
        ("gate: {3: [at_least, 1]}", ["gate", "no names"]),
        ("attacks: 1", ["attacks", "true or false"]),
        ("limits_mv: [1]", ["limits_mv"]),
        ("- a list", ["holds no parameters", "list"]),
        ("a: [1", ["no YAML"]),
        ("a: !!python/object/apply:os.getcwd []", ["no YAML"]),
    ],
)
def test_what_is_wrong_is_said_line_by_line(tmp_path, text, words):
    (tmp_path / "e.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        Experiment.from_yaml(tmp_path / "e.yaml")
    message = str(caught.value)
    assert [line.split(":")[0] for line in message.split("\n")[1:]] == ["Expected", "Got", "Fix"]
    for word in words:
        assert word in message


def test_a_missing_or_huge_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no experiment file"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "huge.yaml").write_text("a" * 70_000)
    with pytest.raises(InputError, match="too large"):
        read_yaml(tmp_path / "huge.yaml")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(
    st.sampled_from(list(Experiment().to_dict())),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
              st.lists(st.one_of(st.integers(), st.text(max_size=3)), max_size=3),
              st.dictionaries(st.text(max_size=3), st.lists(st.one_of(st.integers(),
                              st.sampled_from(["at_most", "x"])), max_size=2), max_size=2)),
    max_size=4,
))
def test_any_values_give_an_experiment_or_an_input_error(values):
    try:
        experiment = Experiment.from_dict(values)
    except InputError:
        return
    assert yaml.safe_load(yaml.safe_dump(experiment.to_dict())) == experiment.to_dict()


def test_thresholds_of_the_gate_are_kept_as_they_were_given(tmp_path):
    given = Experiment(gate={"MMD²": {"at_most_baselines": 3}, "recall": None,
                             "copies": ["no_excess", 0.01]})
    assert given.gate == {"MMD²": ["at_most_baselines", 3.0], "recall": None,
                          "copies": ["no_excess", 0.01]}
    assert Experiment.from_yaml(given.save(tmp_path / "a.yaml")) == given


def test_only_the_parameters_cell_names_parameters():
    cells = ["", "# parameters\nsteps = 5\nshown = 2", "# Parameters\nseed = 3", "subjects = 40"]
    names = {"In": cells, "Out": {}, "_": 3, "yaml": yaml, "steps": 5, "shown": 2, "seed": 3,
             "subjects": 40, "own": [], "experiment": object()}
    chosen = Experiment.from_namespace(names, also=("shown",))
    assert (chosen.steps, chosen.seed) == (5, 3)
    assert chosen.subjects == Experiment().subjects and chosen.experiment == "quickstart"


@pytest.mark.parametrize(("wrong", "right"), [("stepz", "steps"), ("show", "shown")])
def test_a_misspelt_parameter_is_named_until_the_cell_is_mended(wrong, right):
    names = {"In": ["", f"# parameters\n{wrong} = 5"], wrong: 5}
    with pytest.raises(InputError, match=f"(?s)'{wrong}'.*Did you mean '{right}'"):
        Experiment.from_namespace(names, also=("shown",))
    names["In"].append("# parameters: corrected\nsteps = 6\n%matplotlib inline")
    assert Experiment.from_namespace(names | {"steps": 6}).steps == 6


def test_outside_ipython_the_known_names_count():
    assert Experiment.from_namespace({"steps": 5, "own": 3}).steps == 5


def test_a_parameters_cell_without_its_mark_loses_no_setting():
    cells = ["", "steps = 5\nseed = 3", "# Parameters\nseed = 4"]
    chosen = Experiment.from_namespace({"In": cells, "steps": 5, "seed": 4, "shown": [1]})
    assert (chosen.steps, chosen.seed) == (5, 4)
    with pytest.raises(InputError, match="sede"):  # what papermill gives is still checked
        Experiment.from_namespace({"In": ["", "# Parameters\nsede = 4"], "sede": 4})
