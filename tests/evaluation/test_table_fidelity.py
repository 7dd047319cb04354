"""Measures of tables: planted faults are found, by the measure that should find them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import table_fidelity as tf
from ecg_tf.evaluation.baselines import measured_table

N = 300


def draw(rows, seed, columns=6):
    """Correlated columns, the last one a category with three levels."""
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((rows, 1))
    table = 0.8 * factor + 0.6 * rng.standard_normal((rows, columns))
    table[:, -1] = np.clip(np.rint(table[:, -1]), -1, 1)
    table[:, 1] = np.exp(table[:, 1])
    return table


TRAIN, TEST, GOOD = draw(2 * N, 0), draw(N, 1), draw(N, 2)


def table(synthetic, **options):
    rows = tf.table_measures(TRAIN, TEST, synthetic, **{"classifier": False, **options})
    return measured_table(rows)


def test_new_real_rows_are_at_every_baseline_nearly_always():
    # One time in twenty a measure of good rows lies past the baseline's 95 % interval.
    at_baseline = [measured_table(tf.table_measures(
        draw(2 * N, 10 * k), draw(N, 10 * k + 1), draw(N, 10 * k + 2), valid=1.0, repeats=15,
        classifier=k < 1))["at_baseline"] for k in range(6)]
    common = at_baseline[1].index
    assert (np.mean([one[common] for one in at_baseline], axis=0) >= 0.65).all()


@pytest.fixture(scope="module")
def good():
    return table(GOOD, classifier=True, valid=1.0)


def test_values_have_intervals_and_baselines(good):
    got = good
    assert (
        got["baseline_low"].dropna() <= got["baseline"][got["baseline_low"].notna()] + 0.05
    ).all()
    assert (got["low"].dropna() <= got["high"].dropna()).all()
    assert got.loc["MMD²", "p_value"] > 0.05
    assert got.loc["discriminative AUC", "value"] < 0.6


def test_a_shuffled_column_breaks_the_correlations_and_no_column(good):
    bad = GOOD.copy()
    bad[:, 0] = np.random.default_rng(5).permutation(bad[:, 0])
    got = table(bad)
    assert not got.loc["correlation matrix", "at_baseline"] and not got.loc["MMD²", "at_baseline"]
    columns = ["KS, mean column", "KS, worst column", "W1, mean column"]
    assert got.loc[columns, "value"].equals(good.loc[columns, "value"])
    assert got.loc["correlation matrix", "low"] > got.loc["correlation matrix", "baseline_high"]


def test_noise_and_collapse_fail_everywhere():
    noise = np.random.default_rng(0).uniform(-4, 4, (N, 6))
    for bad, classifier in ((noise, True), (np.repeat(GOOD[:1], N, axis=0), False)):
        got = table(bad, classifier=classifier)
        wanted = got.index.drop("nearer to training")
        assert not got.loc[wanted, "at_baseline"].any(), got
        assert not classifier or got.loc["discriminative AUC", "value"] > 0.9


def test_copies_are_seen_by_the_last_measure_only(good):
    copies = TRAIN[np.random.default_rng(0).permutation(2 * N)[:N]]
    got = table(copies, classifier=True)
    assert got.loc["nearer to training", ["value", "low"]].tolist() == [1, 1]
    assert not got.loc["nearer to training", "at_baseline"]
    assert got["at_baseline"].drop("nearer to training").all()
    near = good.loc["nearer to training"]
    assert near["value"] == pytest.approx(2 / 3, abs=0.08)
    assert near["baseline"] == pytest.approx(2 / 3, abs=0.04)


def test_one_wrong_column_is_named_first():
    bad = GOOD.copy()
    bad[:, 3] += 0.7
    columns = tf.column_table(TRAIN, TEST, bad, list("abcdef"))
    assert columns.index[0] == "d" and columns.loc["d", "ks"] > 2 * columns.loc["d", "ks_baseline"]
    assert columns.loc["d", "w1"] == pytest.approx(0.7, abs=0.2)
    assert (columns.drop(index="d")["ks"] < 2 * columns["ks_baseline"].max()).all()
    assert not table(bad).loc["KS, worst column", "at_baseline"]


def test_missing_values_are_compared_and_cost_nothing_else():
    def gaps(rows, seed, share=0.3):
        rows = rows.copy()
        rows[np.random.default_rng(seed).random(len(rows)) < share, 2] = np.nan
        return rows

    train, test = gaps(TRAIN, 1), gaps(TEST, 2)
    good = measured_table(tf.table_measures(train, test, gaps(GOOD, 3), classifier=False))
    assert good.loc["missing values", "value"] < 0.09
    assert (good["value"] < 2 * good["baseline_high"]).all()
    for share in (0.0, 0.9):
        bad = gaps(GOOD, 3, share)
        got = measured_table(tf.table_measures(train, test, bad, classifier=False))
        assert not got.loc["missing values", "at_baseline"]
        assert got.loc["missing values", "value"] == pytest.approx(abs(share - 0.3), abs=0.08)
    all_gone = GOOD.copy()
    all_gone[:, 2] = np.nan
    got = measured_table(tf.table_measures(train, test, all_gone, classifier=False))
    assert np.isfinite(got["value"]).all() and not got.loc["missing values", "at_baseline"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30),
       st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.floats(0.1, 10))
def test_ks_is_scipys_and_w1_is_a_distance(a, b, scale):
    a, b = (np.array(side, float)[:, None] for side in (a, b))
    assert tf.ks(a, b)[0] == pytest.approx(ks_2samp(a[:, 0], b[:, 0]).statistic)
    assert tf.ks(a, a)[0] == 0 == tf.w1(a, a)[0]
    assert tf.ks(a * scale + 1, b * scale + 1)[0] == pytest.approx(tf.ks(a, b)[0])
    assert tf.w1(a, b, scale)[0] == pytest.approx(tf.w1(b, a)[0] / scale)
    assert tf.w1(a, b)[0] == pytest.approx(wasserstein_distance(a[:, 0], b[:, 0]))
    both = np.resize(b, a.shape)
    assert tf.w1(a, both)[0] == pytest.approx(wasserstein_distance(a[:, 0], both[:, 0]))


def test_correlations_by_hand():
    x = np.array([[0.0, 0, 5], [1, 2, 5], [2, 4, 5]])
    y = x * [1, -1, 1]
    assert tf.correlation_distance(x, x) == 0
    assert tf.correlation_distance(x, y) == pytest.approx(2)  # one pair, from 1 to -1
    flat = x * [1, 0, 1]
    assert tf.correlation_distance(x, flat) == pytest.approx(1)  # a flat column has none
    assert tf.correlation_distance(x[:, 2:], x[:, 2:]) == 0
    gappy = np.vstack([x, [np.nan, 9, 5]])
    assert tf.correlation_distance(gappy, x) == pytest.approx(0)


def test_valid_share_by_hand():
    cells = np.array([[-1.0, -1], [0.9, 0.2], [0.0, 0.5], [-1.4, 0.0]])
    # Two levels at -1, 1: 0 lies between, -1.4 within a quarter. Three at -1, 0, 1: 0.5 between.
    assert tf.valid_share(cells, [2, 3]) == 6 / 8
    assert tf.valid_share(np.clip(np.rint(cells), -1, 1), [3, 3]) == 1
    noise = np.random.default_rng(0).uniform(-1, 1, (4000, 1))
    assert tf.valid_share(noise, [2]) == pytest.approx(0.5, abs=0.03)
    assert np.isnan(tf.valid_share(cells, [1, 1]))


def test_bad_tables_are_refused():
    for arguments, says in (
        ((TRAIN, TEST, GOOD[:, :5]), "same columns"), ((TRAIN, TEST, GOOD[:3]), "10 rows"),
        ((TRAIN, TEST, GOOD[0]), "row, column"),
        ((TRAIN, TEST, np.full((N, 6), np.inf)), "infinite"),
    ):
        with pytest.raises(InputError, match=says):
            tf.table_measures(*arguments)
    with pytest.raises(InputError, match="tolerance"):
        tf.valid_share(GOOD, [2] * 6, tolerance=0.9)
    with pytest.raises(InputError, match="cells"):
        tf.valid_share(GOOD, [2] * 5)
