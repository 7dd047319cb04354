"""Runs of known ranking, written by hand: who is compared with whom, and with what result."""

import json

import numpy as np
import pandas as pd
import pytest

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.figures.comparison_plots import board_table, fooled_table, strips_figures
from ecg_tf.figures.dot_plots import standings_figure
from ecg_tf.figures.fidelity_privacy_plots import REIDENTIFIED
from ecg_tf.figures.matrix_plots import agreement_figure, passes_figure
from ecg_tf.study.comparison import (
    families,
    fields,
    kept_strips,
    leaderboard,
    over_seeds,
    read_runs,
    standings_tables,
)
from ecg_tf.study.controlled_comparisons import (
    comparison_words,
    controlled_comparisons,
    detour_words,
    loner_words,
    question_words,
    standings,
    uneven_words,
)
from ecg_tf.study.measure_agreement import (
    BLIND,
    agreement,
    agreement_words,
    as_good_as_real,
    fooled,
    mean_agreement,
    panel_first,
    shortfalls,
)

FLOOR = 0.02


def distance(baselines, **changes):
    spread = {"low": 0.8 * baselines * FLOOR, "high": 1.3 * baselines * FLOOR}
    given = {
        "value": baselines * FLOOR,
        "baseline": FLOOR,
        "baseline_low": 0.01,
        "baseline_high": 0.04,
    }
    return Measured("MMD²", **{**given, **spread, **changes})


def write(root, name, measures, data=None, drop=(), **settings):
    """A results.json as a run writes it, NaN as null."""
    settings = {"database": "mitdb", "split": "ds1ds2", "experiment": name.rsplit("/", 1)[-1],
                **settings}
    rows = [{key: None if isinstance(value, float) and np.isnan(value) else value
             for key, value in {**vars(one), "at_baseline": bool(one.at_baseline)}.items()}
            for one in measures]
    fitted = {"arrangement": "beat_rows", "height": 32, "strip_seconds": 10.0}
    own = {k: v for k, v in Experiment(**{**fitted, **settings}).to_dict().items() if k not in drop}
    content = {"experiment": own, "measures": rows, "git": "abc1234",
               "data": {"title": "MIT-BIH", "sha256": "5" * 64, **(data or {})}}
    path = root / name / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def arrangements(tmp_path):
    """Beat rows nearest in every seed, row-major and Hilbert alike and ten times as far."""
    for seed, luck in enumerate((0.9, 1.0, 1.15)):
        for name, baselines in (("beat_rows", 1.0), ("row_major", 10.0), ("hilbert", 10.6)):
            wobble = 1 + 0.03 * ((seed + len(name)) % 3 - 1)
            write(tmp_path, f"lessons/{name}-{seed}", [distance(baselines * luck * wobble)],
                  arrangement=name, seed=seed)
    return tmp_path


def test_all_runs_are_found_also_one_folder_deeper_and_ranked_with_ties(arrangements):
    write(arrangements, "tie", [distance(0.5)], scaling="global")
    write(arrangements, "twin", [distance(0.5)], scaling="quantile")
    write(arrangements, "blind", [distance(1, value=np.nan)], steps=7)
    (arrangements / "unfinished").mkdir()
    board = leaderboard(str(arrangements))
    assert len(board) == 12 and list(board.index[:3]) == ["tie", "twin", "lessons/beat_rows-0"]
    assert list(board["place"].iloc[:3]) == [1, 1, 3] and np.isnan(board.loc["blind", "place"])
    assert board.index[-1] == "blind" and board["baselines"].dropna().is_monotonic_increasing
    assert (
        board.loc["tie", "baselines_low"] == pytest.approx(0.4) and board.loc["tie", "gate"] == ""
    )
    assert "not measured" in board_table(board).to_html()


def test_a_baseline_that_chance_made_negative_is_replaced_by_the_end_of_its_interval(tmp_path):
    write(tmp_path, "a", [distance(1, baseline=-0.001)])
    write(tmp_path, "b", [distance(1, baseline=np.nan, baseline_high=np.nan)], seed=1)
    runs = read_runs(tmp_path)
    assert runs[0].in_baselines() == pytest.approx(0.5)  # 0.02 over baseline_high 0.04
    assert np.isnan(runs[1].in_baselines()) and np.isnan(leaderboard(runs).loc["b", "place"])
    assert np.isnan(runs[0].number("no such measure"))


def test_databases_and_other_evaluations_are_never_in_one_ranking(tmp_path):
    simulated = {"title": "Simulated ECGs"}
    write(tmp_path, "real", [distance(5)])
    write(tmp_path, "real-6s", [distance(1)], strip_seconds=6.0)
    write(tmp_path, "other-files", [distance(1)], data={"sha256": "6" * 64})
    for seed in (0, 1):  # a seed gives other persons: other files, the same cohort
        write(tmp_path, f"sim-{seed}", [distance(1)], data={**simulated, "sha256": str(seed)},
              database="simulated", split="random", seed=seed)
    found = fields(read_runs(tmp_path))
    assert [len(group) for group in found.values()] == [1, 1, 1, 2]
    assert len(set(found)) == 4 and list(found)[-1].startswith("Simulated ECGs, 20 persons")
    board = leaderboard(tmp_path)
    assert list(board["place"]) == [1, 1, 1, 1, 1] and board["field"].nunique() == 4
    assert not controlled_comparisons(read_runs(tmp_path), "arrangement")


def test_runs_that_were_attacked_are_spoken_of_first_however_many_lessons_there_are(tmp_path):
    for name in ("lesson-1", "lesson-2"):
        write(tmp_path, name, [distance(1)], strip_seconds=6.0)
    write(tmp_path, "study", [distance(5), Measured(REIDENTIFIED, 0.04)])
    assert [group[0].name for group in fields(read_runs(tmp_path)).values()][0] == "study"


@pytest.mark.parametrize(
    "text", ["{", "[1]", "3", '{"experiment": 3, "measures": []}', '{"experiment": {}, "measures": '
             '[{"value": 1}]}', '{"experiment": {}, "measures": [{"name": "MMD²", "value": "x"}]}'])
def test_a_damaged_file_is_named(tmp_path, text, capsys):
    write(tmp_path, "fine", [distance(1)])
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="(?s)bad.*results.json.*cannot be read"):
        read_runs(tmp_path)


def test_no_runs_is_said_and_other_files_are_left_out(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_runs(tmp_path / "none")
    with pytest.raises(InputError, match="make report"):
        read_runs(tmp_path)
    write(tmp_path, "fine", [distance(1)])
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "results.json").write_text('{"KS": 0.1}')
    sentences = []
    assert [run.name for run in read_runs(tmp_path, sentences.append)] == ["fine"]
    assert "tables" in sentences[0]


def test_the_compare_command_wants_runs_where_a_folder_is_named(tmp_path, capsys):
    assert main(["compare", "--runs", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "There are no finished runs" in capsys.readouterr().err
    assert not (tmp_path / "out" / "comparison.ipynb").exists()


def test_runs_of_an_older_state_are_comparable_by_the_defaults(tmp_path):
    write(tmp_path, "old", [distance(2)], drop=("stop", "gate", "attacks", "records", "patience"))
    write(tmp_path, "new", [distance(3)], arrangement="row_major", padding="zero", patience=3,
          attacks=False, precision="float32", height=64, width=32)
    write(tmp_path, "older", [distance(2)], drop=("decay",), arrangement="hilbert")
    one, = controlled_comparisons(read_runs(tmp_path), "arrangement")
    assert set(one.contenders) == {"beat_rows", "row_major"}  # the oldest's rate did not fall


def test_a_run_made_twice_counts_once_and_names_tell_all_families_apart(tmp_path):
    for name in ("a", "b"):
        write(tmp_path, name, [distance(2)])
    write(tmp_path, "c", [distance(3)], seed=1)
    write(tmp_path, "d", [distance(3)], ema_decay=0.5)
    write(tmp_path, "e", [distance(3)], model="dcgan")
    found = families(read_runs(tmp_path))
    assert {name: [run.name for run in group] for name, group in found.items()} == {
        "beat_rows · r1gan, ema_decay 0.999": ["a", "c"],
        "beat_rows · r1gan, ema_decay 0.5": ["d"], "beat_rows · dcgan": ["e"]}
    assert len(leaderboard(tmp_path)) == 5  # in the table all stand


def test_contests_hold_everything_else_equal(arrangements):
    write(arrangements, "longer", [distance(0.5)], arrangement="serpentine", steps=2000)
    write(arrangements, "larger", [distance(0.5)], arrangement="serpentine", height=64)
    write(arrangements, "dcgan", [distance(4)], arrangement="row_major", model="dcgan",
          learning_rate=0.0002)
    runs = read_runs(arrangements)
    one, = controlled_comparisons(runs, "arrangement")
    assert {name: len(group) for name, group in one.contenders.items()} == {
        "beat_rows": 3, "hilbert": 3, "row_major": 3}
    assert one.values.shape == (3, 3) and "3 seeds each" in one.budget
    two, = controlled_comparisons(runs, "architecture")
    assert "dcgan · row_major" in two.contenders and len(two.contenders) == 4
    assert "0.0002 for `dcgan · row_major`" in uneven_words(two)[0] and not detour_words(two)
    assert not controlled_comparisons(runs, "scaling")
    alone = " ".join(loner_words(runs))
    assert "`longer` has no fair opponent" in alone and "`larger`" in alone
    assert "`dcgan`" not in alone and "steps" in alone
    with pytest.raises(InputError, match="arrangement"):
        controlled_comparisons(runs, "arangement")


def test_images_are_equal_that_hold_as_many_samples(tmp_path):
    for name, height in (("row_major", 24), ("rgb_planar", 24), ("rgb_interleaved", 8)):
        write(tmp_path, name, [distance(4)], arrangement=name, height=height, width=64)
    one, = controlled_comparisons(read_runs(tmp_path), "arrangement")
    assert set(one.contenders) == {"row_major", "rgb_interleaved"}
    assert "1,536 samples a lead" in one.budget


def test_the_verdict_names_the_winner_who_is_behind_and_who_is_level(arrangements):
    one, = controlled_comparisons(read_runs(arrangements), "arrangement")
    table, p = standings(one.values)
    assert table.index[0] == "beat_rows" and p < 0.001
    assert table.loc["row_major", "factor"] == pytest.approx(10, rel=0.1)
    assert table.loc["row_major", "factor_low"] > 8 and table.loc["beat_rows", "factor"] == 1
    verdict, *each = comparison_words(one)
    assert "the arrangement matters" in verdict and "`beat_rows` comes nearest" in verdict
    assert verdict.index("Behind it") < verdict.index("`row_major`")
    assert any(line.startswith("`row_major`: MMD² 10 × baseline [") and "3 seeds" in line
               for line in each)
    sentences = question_words([one])
    assert "`beat_rows` in 1 of 1" in sentences and "matters in 1 of the 1" in sentences
    # Without the winner, the two that are alike do not differ beyond chance.
    level, p = standings(one.values[["row_major", "hilbert"]])
    assert p > 0.05 and level["factor_low"].iloc[1] < 1 < level["factor_high"].iloc[1]


def test_chance_alone_is_called_chance_as_often_as_promised():
    rng = np.random.default_rng(0)
    chance = [standings(pd.DataFrame(np.exp(rng.normal(1, 0.3, (3, 4)) + rng.normal(0, 1, (3, 1))),
                                     columns=list("abcd")))[1] for _ in range(400)]
    assert 0.02 < np.mean(np.array(chance) < 0.05) < 0.09


def test_intervals_over_seeds_cover_and_one_seed_has_none():
    rng = np.random.default_rng(1)
    hits = []
    for _ in range(400):
        mean, low, high = over_seeds(3 * np.exp(rng.normal(0, 0.4, 3)))
        hits.append(low < 3 < high)
        assert low < mean < high
    assert 0.92 < np.mean(hits) < 0.98
    assert over_seeds([4.0])[0] == pytest.approx(4) and np.isnan(over_seeds([4.0])[1])
    assert np.isnan(over_seeds([np.nan])).all() and over_seeds([-3.0])[0] == pytest.approx(0.1)


def test_one_training_each_says_so_and_missing_seeds_are_borne(tmp_path, arrangements):
    values = pd.DataFrame({"a": [1.0, np.nan], "b": [3.0, np.nan]})
    table, p = standings(values)
    assert np.isnan(p) and table.loc["b", "factor"] == pytest.approx(3)
    assert np.isnan(table.loc["b", "factor_low"])
    (arrangements / "lessons/hilbert-0/results.json").unlink()
    (arrangements / "lessons/hilbert-1/results.json").unlink()
    one, = controlled_comparisons(read_runs(arrangements), "arrangement")
    table, p = standings(one.values)
    assert table.loc["hilbert", "n"] == 1 and p < 0.001 and table.loc["hilbert", "factor_low"] > 5
    apart = pd.DataFrame({"a": [1.0, 1.1, np.nan, np.nan], "b": [np.nan, np.nan, 4.0, 4.4]})
    table, p = standings(apart)  # no seed in common
    assert table.loc["b", "factor"] == pytest.approx(4, rel=0.01) and p < 0.05
    for seed in (1, 2):
        for name in ("beat_rows", "row_major"):
            (arrangements / f"lessons/{name}-{seed}/results.json").unlink()
    (arrangements / "lessons/hilbert-2/results.json").unlink()
    one, = controlled_comparisons(read_runs(arrangements), "arrangement")
    verdict, first, _ = comparison_words(one)
    assert "Each was trained once" in verdict and "over test persons] from one seed" in first


def test_exact_ties_and_equal_seeds_make_no_nonsense():
    table, p = standings(pd.DataFrame({"a": [2.0, 2.0], "b": [2.0, 2.0], "c": [4.0, 4.0]}))
    assert list(table.index) == ["a", "b", "c"] and p == 0.0
    assert standings(pd.DataFrame({"a": [2.0, 2.0], "b": [2.0, 2.0]}))[1] == 1.0
    assert len(standings(pd.DataFrame({"a": [2.0], "b": [np.nan]}))[0]) == 1


@pytest.mark.parametrize(("signal", "verdict"), [(5.0, "helps here"), (0.5, "harms here")])
def test_the_detour_is_tested_both_ways(tmp_path, signal, verdict):
    for seed in range(3):
        for arrangement, model, baselines in (
            ("beat_rows", "r1gan", 1.5),
            ("row_major", "r1gan", 10),
            ("row_major", "wavegan", signal),
        ):
            write(tmp_path, f"{arrangement}-{model}-{seed}", arrangement=arrangement, model=model,
                  measures=[distance(baselines * (1 + 0.05 * ((seed * len(model)) % 3)))],
                  seed=seed)
    one, = controlled_comparisons(read_runs(tmp_path), "architecture")
    best, same = detour_words(one)
    assert verdict in best and "`r1gan · beat_rows`" in best and "`wavegan · signal`" in best
    assert "harms" in same and "`r1gan · row_major` stands" in same


def panel(mmd, frechet, auc, **others):
    given = {"MMD²": (mmd, 1, 0.5, 2, "low"), "Fréchet distance": (frechet, 1, 0.5, 2, "low"),
             "discriminative AUC": (auc, 0.5, 0.5, 0.6, "low"), **others}
    return [Measured(name, value, baseline, baseline_low=low, baseline_high=high, better=better)
            for name, (value, baseline, low, high, better) in given.items()]


@pytest.fixture
def measured(tmp_path):
    """Four runs, worse and worse; one measure sees it, one is blind, one sees it upside down."""
    for k, name in enumerate("abcd"):
        others = {"detectable strips": (1 - 0.2 * k, 0.98, 0.95, 1.0, "high"),
                  "amplitude W1": (0.1 + 0.0001 * k, 0.1, 0.05, 0.2, "low"),
                  "diversity": (1 + k, 1.0, 0.8, 1.2, "high"),
                  "membership AUC, strips": (0.5, 0.5, 0.4, 0.6, "low"),
                  "near-duplicates": (0.0, 0.0, 0.0, 0.1, "low")}
        if name == "d":
            del others["amplitude W1"]
        write(tmp_path, name, panel(1 + 3 * k, 1 + 2 * k, 0.55 + 0.1 * k, **others), steps=10 + k)
    return read_runs(tmp_path)


def test_agreement_is_turned_so_that_better_is_better(measured):
    matrix = agreement(measured, fewest=3)
    assert matrix.loc["MMD²", "detectable strips"] == pytest.approx(1)
    assert matrix.loc["diversity", "MMD²"] == pytest.approx(-1)
    assert "near-duplicates" not in matrix and "membership AUC, strips" not in matrix
    assert matrix.index[-1] == "diversity" == mean_agreement(matrix).index[-1]
    assert len(agreement(measured[:2])) == 0  # too few
    assert shortfalls(measured).loc["a", "detectable strips"] == pytest.approx(-0.02)
    words = " ".join(agreement_words(measured, 3))
    assert "least `diversity` (-1.00)" in words and "`amplitude W1` 2 of 2" in words


def test_the_fooled_are_those_that_pass_what_the_panel_rejects(measured):
    table = fooled(measured)
    assert table.loc["amplitude W1"].tolist()[:3] == [2, 2, 1.0]  # "d" has none
    assert table.loc["detectable strips", "passed"] == 0
    assert table.loc["diversity", "passed"] == 3 and table.loc["MMD²", "passed"] == 0
    passes = as_good_as_real(measured)
    assert passes.loc["a", "MMD²"] == 1 and np.isnan(passes.loc["d", "amplitude W1"])
    assert "too few" in agreement_words(measured[:1])[0]
    assert "nothing could fool" in agreement_words(measured[:1])[1]


def test_figures_say_in_words_what_they_show(arrangements, measured):
    (one,) = controlled_comparisons(
        [run for run in read_runs(arrangements) if run.name.startswith("lessons/")]
    )
    alt = standings_figure(*standings_tables(one.contenders)).alt_text
    assert alt.index("beat_rows") < alt.index("row_major") and "over 3 seed(s)" in alt
    matrix = agreement(measured, fewest=3)
    assert "diversity" in agreement_figure(matrix).alt_text
    assert "amplitude W1 3 of 3" in passes_figure(*panel_first(measured)).alt_text
    html = fooled_table(fooled(measured), BLIND).to_html()
    assert "shuffled ones pass" in html and "2 of 2" in html and "only the seams" not in html
    with pytest.raises(InputError, match="nothing to compare"):
        standings_figure(*standings_tables({}))


def test_strips_are_those_that_a_run_keeps(tmp_path):
    path = write(tmp_path, "a", [distance(1)])
    assert len(kept_strips(read_runs(tmp_path)[0])) == 0
    strips = np.random.default_rng(0).normal(0, 0.1, (4, 1280, 1)).astype(np.float32)
    np.savez(path.with_name("results.npz"), synthetic=strips)
    kept, = read_runs(tmp_path)
    assert np.array_equal(kept_strips(kept, 2, 3.0), strips[:2, :384])
    figure, = strips_figures({"a": strips, "b": strips[:0]}, {"a": 1.0, "b": 1.0}, 128.0, 2)
    assert "a" in figure.alt_text
