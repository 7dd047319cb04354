"""The rule, its baselines on sets whose right answer is known, and the callbacks on a tiny GAN."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.stopping import (
    MEASURES,
    StripEvaluator,
    Verdict,
    compare_rules,
    decide,
    rank_agreement,
    usable_baselines,
)
from ecg_tf.figures.curve_plots import along_training, where_they_stop
from ecg_tf.figures.matrix_plots import agreement_figure
from ecg_tf.training.data import prepare_data
from tests.study.test_run import TINY


def test_the_rule_stops_at_the_baseline_or_after_patience():
    assert decide([5, 3, 4, 4, 2], patience=2) == Verdict(1, 3, "patience")
    assert decide([5, 3, 4, 4, 2], patience=3) == Verdict(4)
    assert decide([5, 3, 1.1, 9], baseline=1.0, patience=5) == Verdict(2)
    assert decide([5, 3, 1.1, 9], baseline=1.0, factor=1.2, patience=5) == Verdict(2, 2, "baseline")
    high = {"baseline": 0.8, "better": "high", "patience": 2}
    assert decide([0.1, 0.7, 0.9], **high) == Verdict(2, 2, "baseline")
    assert decide([0.1, 0.7, 0.6, 0.6], **high) == Verdict(1, 3, "patience")
    nan = float("nan")
    assert decide([nan] * 9, baseline=1.0, patience=2) == Verdict(None)
    assert decide([nan, nan, nan, 4, nan, nan], patience=2) == Verdict(3, 5, "patience")
    for wrong in ({"patience": 0}, {"better": "lower"}, {"factor": 0.0}):
        with pytest.raises(InputError):
            decide([1.0], **wrong)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(-5, 5) | st.just(float("nan")), max_size=25), st.floats(-5, 5),
       st.integers(1, 6))
def test_what_comes_after_the_stop_changes_nothing_and_both_directions_are_mirrored(
    values, baseline, patience
):
    verdict = decide(values, baseline, patience=patience)
    mirrored = decide([-v for v in values], -baseline, patience=patience, better="high")
    assert verdict == mirrored
    if verdict.stop is None:
        assert not any(v <= baseline for v in values)
        return
    assert verdict == decide(values[: verdict.stop + 1] + [-9.0], baseline, patience=patience)
    assert decide(values[: verdict.stop], baseline, patience=patience).stop is None
    seen = np.array(values[: verdict.stop + 1])
    assert seen[verdict.best] == np.nanmin(seen)


def test_agreement_turns_measures_of_which_high_is_better():
    table = pd.DataFrame({"far": [4.0, 3, 2, 1], "near": [1.0, 2, 4, 3], "same": 1.0})
    found = rank_agreement(table, {"far": "low", "near": "high", "same": "low"})
    assert found.loc["far", "near"] == pytest.approx(0.8)
    assert np.isnan(found.loc["far", "same"])
    kendall = rank_agreement(table, {"far": "low", "near": "high", "same": "low"}, "kendall")
    assert kendall.loc["far", "near"] == pytest.approx(2 / 3)


def training():
    """A training that is best at step 30, and a loss that was lowest at the start."""
    steps = pd.Index(range(10, 90, 10), name="step")
    true = pd.Series([9.0, 4, 1, 2, 3, 3, 3, 3], steps)
    criteria = pd.DataFrame({"distance": true + 0.1, "loss": [0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4, 0],
                             "alike": [0.1, 0.6, 0.8, 0.9, 0.7, 0.7, 0.7, 0.7]}, steps)
    return criteria, true, {"distance": "low", "loss": "low", "alike": "high"}


def test_rules_are_compared_by_what_was_no_criterion():
    criteria, true, better = training()
    rules = compare_rules(criteria, better, true, pd.Series({"alike": 0.6}), patience=3)
    assert rules.loc["distance"].tolist() == [60, "patience", 30, 1.0, 1.0]
    assert rules.loc["loss"].tolist() == [40, "patience", 10, 9.0, 9.0]
    assert rules.loc["alike"].tolist() == [20, "baseline", 20, 4.0, 4.0]
    late = compare_rules(criteria, better, true, patience=7)
    assert late.loc["loss", ["stops", "picks"]].tolist() == [80, 80]


def test_a_baseline_of_nothing_is_no_goal():
    baselines = pd.DataFrame({"baseline": [0.0, 0.0, 0.4, np.nan], "better": ["high", "low"] * 2},
                          index=["recall", "copies", "precision", "AUC"])
    assert usable_baselines(baselines) == {"copies": 0.0, "precision": 0.4}


def test_figures_say_where_each_rule_stopped():
    criteria, true, better = training()
    rules = compare_rules(criteria, better, true, patience=3)
    figure = where_they_stop(true, rules, "MMD²", baseline=0.5)
    assert "loss keeps step 10, 9.0 times the best" in figure.alt_text
    baselines = pd.DataFrame({"baseline": [0.5], "low": [0.2], "high": [0.9]}, index=["distance"])
    plotted = along_training(criteria, baselines, {"distance": true}, {"alike": "share"})
    assert len([ax for ax in plotted.axes if ax.get_visible()]) == 3
    assert "distance from 9.1 to 3.1, baseline 0.5" in plotted.alt_text
    ranks = [rank_agreement(criteria, better, method) for method in ("spearman", "kendall")]
    assert "distance and alike 0." in agreement_figure(*ranks).alt_text


EXPERIMENT = Experiment(**{**TINY, "minutes": 2.0, "subjects": 8, "check_every": 2, "steps": 8,
                           "model": "dcgan", "precision": "float32"})


@pytest.fixture(scope="module")
def data():
    return prepare_data(EXPERIMENT)


def evaluator_of(data):
    groups = {"validation": data.strips["validation"], "training": data.strips["train"]}
    return StripEvaluator(groups, data.strips["train"], 4.0, size=60, repeats=4)


@pytest.fixture(scope="module")
def evaluator(data):
    return evaluator_of(data)


def test_the_judge_orders_copies_other_persons_and_noise():
    data = prepare_data(replace(EXPERIMENT, subjects=40, minutes=1.5))
    rng, evaluator = np.random.default_rng(0), evaluator_of(data)
    train, test = (data.strips[part].take(rng.permutation(len(data.strips[part])))
                   for part in ("train", "test"))  # an evaluator looks at the first ones
    noise = replace(test, signals=rng.normal(0, 0.3, test.signals.shape).astype(np.float32))
    found = {name: evaluator.measure(one) for name, one in (
        ("copies", train), ("others", test), ("noise", noise))}
    for who in ("validation", "training"):
        mmd2 = {name: values[who, "MMD²"] for name, values in found.items()}
        assert mmd2["noise"] > 3 * max(
            mmd2["others"], evaluator.baselines.loc[(who, "MMD²"), "baseline"]
        )
    # Copies are nearer to the training persons than these are to each other: no baseline sees that
    # against validation persons, where copies are the baseline.
    baseline = evaluator.baselines.loc[("training", "MMD²"), "baseline"]
    assert found["copies"]["training", "MMD²"] < 0.4 * baseline
    baseline = evaluator.baselines.loc[("validation", "MMD²"), "baseline"]
    assert found["copies"]["validation", "MMD²"] == pytest.approx(baseline, rel=0.3)
    assert list(found["noise"]) == list(evaluator.baselines.index)
    assert evaluator.baselines["baseline"].drop("discriminative AUC", level=1).notna().all()


def test_the_evaluator_measures_the_auc_where_wanted_and_nothing_without_strips(data):
    one = StripEvaluator({"test": data.strips["test"]}, data.strips["train"], 4.0, size=30,
                         repeats=2, auc=True)
    values = one.measure(data.strips["test"])
    assert all(np.isfinite(v) for v in values.values()) and len(values) == len(MEASURES)
    short = data.strips["test"].take(slice(0, 9))
    assert all(np.isnan(v) for v in one.measure(short).values())
    with pytest.raises(InputError, match="strips of 'x'"):
        StripEvaluator({"x": short.take([0])}, data.strips["train"], 4.0)


@pytest.fixture
def quick(monkeypatch):
    """`stopping_rule` with few strips and images: the way, not the numbers, is tested."""
    import ecg_tf.evaluation.stopping_callbacks as callbacks

    along, evaluator = callbacks.MeasuresAlong, callbacks.StripEvaluator
    monkeypatch.setattr(callbacks, "MeasuresAlong", lambda *a, **k: along(*a, **k, n=20))
    monkeypatch.setattr(callbacks, "StripEvaluator",
                        lambda *a, **k: evaluator(*a, **k, size=30, repeats=2))


class Killed(Exception):
    pass


def test_a_stopped_training_keeps_its_best_and_goes_on_after_a_kill(tmp_path, data, quick,
                                                                    monkeypatch, stepwise):
    from ecg_tf.evaluation.stopping_callbacks import stopping_rule
    from ecg_tf.training.fit import train
    from ecg_tf.training.synthesis import synthesize

    # The measure of this test: worst at first, best at step 4, then flat, as if trained too long.
    values = {2: 3.0, 4: 1.0, 6: 2.0, 8: 2.0, 10: 2.0, 12: 2.0}
    generated = []

    def measure(self, synthetic):
        generated.append(synthetic.signals)
        return {key: values[2 * (len(generated))] for key in self.baselines.index}

    monkeypatch.setattr(StripEvaluator, "measure", measure)
    settings = replace(EXPERIMENT, stop="baseline", measure_every=2, patience=3, steps=12)

    whole = replace(settings, experiment="whole", runs_dir=str(tmp_path))
    gan = train(whole, data, progress=False, stop=stopping_rule(whole, data))
    assert int(gan.step.value) == 10  # three checks after the best one
    checks = pd.read_csv(whole.folder / "measures.csv")
    mmd2 = checks[(checks.against == "validation") & (checks.name == "MMD²")]
    assert mmd2["value"].tolist() == [3, 1, 2, 2, 2]
    assert not list(whole.folder.rglob(".part*"))
    best = [weight.copy() for weight in gan.ema_generator.get_weights()]
    assert not same(best, gan.generator.get_weights())

    now = synthesize(gan.ema_generator, data.codec, 20, whole.seed, high=whole.band_high).signals
    assert np.array_equal(now, generated[1], equal_nan=True)  # what was generated at step 4

    before = len(generated)
    again = train(whole, data, progress=False, stop=stopping_rule(whole, data))  # nothing to do
    assert len(generated) == before and int(again.step.value) == 10
    assert same(best, again.ema_generator.get_weights())

    killed = replace(settings, experiment="killed", runs_dir=str(tmp_path))
    generated.clear()
    with pytest.raises(Killed):
        train_killed(killed, data, 6)
    assert pd.read_csv(killed.folder / "measures.csv")["step"].max() == 6
    generated[2:] = []  # step 6 is measured again
    resumed = train(killed, data, progress=False, stop=stopping_rule(killed, data))
    assert int(resumed.step.value) == 10
    assert same(best, resumed.ema_generator.get_weights())
    assert same(again.generator.get_weights(), resumed.generator.get_weights())
    text = [(run.folder / "measures.csv").read_text() for run in (whole, killed)]
    assert text[0] == text[1]


def train_killed(experiment, data, step):
    import ecg_tf.training.fit as training
    from ecg_tf.evaluation.stopping_callbacks import stopping_rule

    class Dying(training.Checkpoint):
        def on_epoch_end(self, epoch, logs=None):
            if int(self.model.step.numpy()) >= step:
                raise Killed
            super().on_epoch_end(epoch, logs)

    kept = training.Checkpoint
    training.Checkpoint = Dying
    try:
        training.train(experiment, data, progress=False, stop=stopping_rule(experiment, data))
    finally:
        training.Checkpoint = kept


def same(ones, others):
    return all(np.array_equal(a, b) for a, b in zip(ones, others, strict=True))


def test_measuring_changes_no_weights_and_no_key(tmp_path, data, evaluator, stepwise):
    from ecg_tf.evaluation.stopping_callbacks import MeasuresAlong, StopAtBaseline, load_averages
    from ecg_tf.training.fit import train, training_key

    plain = replace(EXPERIMENT, experiment="plain", runs_dir=str(tmp_path), steps=4)
    watched = replace(plain, experiment="watched")
    along = MeasuresAlong(watched.folder, data.codec, evaluator, every=4, n=30, keep=True)
    one, two = train(plain, data, progress=False), train(watched, data, [along], progress=False)
    assert same(one.get_weights(), two.get_weights())
    assert along.table("validation").index.tolist() == [4]  # every 4 steps, with rounds of 2
    assert list(along.table("training").columns) == list(MEASURES)
    other = MeasuresAlong(watched.folder, data.codec, evaluator, every=4, n=20)
    assert len(along.load(4)) and not len(along.load(3)) and not len(other.load(4))

    averages = two.ema_generator.get_weights()
    load_averages(two, along.weights_of(4))
    assert same(averages, two.ema_generator.get_weights())
    with pytest.raises(InputError, match="cannot be read"):
        load_averages(two, along.weights_of(2))
    with pytest.raises(InputError, match="a loss is none"):
        StopAtBaseline(along, tmp_path / "b.weights.h5", measure="g_loss")

    with pytest.raises(InputError, match="when the training stops"):
        train(replace(plain, stop="baseline"), data, progress=False)

    for stop in ("steps", "baseline"):  # a stop at the baseline depends on the measures' code too
        keys = {training_key(replace(plain, stop=stop, **change), data)
                for change in ({}, {"patience": 3, "measure_every": 7})}
        assert len(keys) == 1  # how long is trained decides about no step


def test_an_experiment_without_validation_persons_cannot_stop_at_the_baseline(data):
    from ecg_tf.evaluation.stopping_callbacks import stopping_rule

    strips = {part: data.strips[part] for part in ("train", "test")}
    with pytest.raises(InputError, match="left to decide"):
        stopping_rule(replace(EXPERIMENT, stop="baseline"), replace(data, strips=strips))
    with pytest.raises(InputError, match="Did you mean 'baseline'"):
        replace(EXPERIMENT, stop="baselin")


def test_the_rule_does_without_tensorflow():
    modules = "ecg_tf.evaluation.stopping, ecg_tf.figures.curve_plots"
    code = f"import sys, {modules}; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
