"""Recognition over dates: right persons are named, and sizes of galleries count."""

import numpy as np
import pytest

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import sessions
from ecg_tf.evaluation.sessions import (
    attribute_of_persons,
    first_dates,
    session_table,
    session_text,
    success_in_gallery,
)
from ecg_tf.figures.curve_plots import validity_figure
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.windows import Windows


@pytest.fixture(scope="module")
def records():
    return simulate_cohort(subjects=12, sessions=2, minutes=0.5, fs=256.0, seed=3)


@pytest.fixture(scope="module")
def table(records):
    return session_table(records, galleries=(4, 10, 89), cache=False)


def test_simulated_persons_are_recognized_on_another_date_too(table):
    # On another date rate and gain differ: well above chance is all that is known beforehand.
    assert table.loc["rank-1, same date", "value"] >= 0.95
    for date in ("same date", "another date"):
        rank1 = table.loc[f"rank-1, {date}"]
        assert rank1.low > 3 / 12 and rank1.persons == 12, table
        assert rank1.low <= rank1.value <= rank1.high and rank1.baseline == pytest.approx(1 / 12)
        sizes = [table.loc[f"gallery of {size}, {date}", "value"] for size in (4, 10)]
        assert rank1.value <= sizes[1] <= sizes[0] <= 1  # the fewer persons, the easier
    assert not any("89" in name for name in table.index)
    text = session_text(table)
    assert text.loc["rank-1, same date", "value"].endswith("%")


def test_attributes_stand_beside_their_baseline(table):
    assert table.loc["sex", "persons"] == 12 and 0.3 < table.loc["sex", "baseline"] < 1
    assert table.loc["age", "value"] > 1 and table.loc["age", "baseline"] > 1


def test_an_attribute_that_shows_is_read_and_one_that_does_not_is_not():
    rng, who = np.random.default_rng(0), np.repeat([f"p{n:02d}" for n in range(40)], 2)
    size = {name: rng.choice(["large", "small"]) for name in np.unique(who)}
    time = np.arange(1280) / 128
    wave = np.maximum(np.sin(2 * np.pi * 1.2 * time), 0) ** 20
    height = np.array([1.5 if size[name] == "large" else 0.5 for name in who])
    strips = (height[:, None, None] * wave[None, :, None] + 0.02 * rng.standard_normal(
        (len(who), 1280, 1))).astype(np.float32)
    windows = Windows(strips, 128.0, ("II",), np.full(len(who), 1280), who, who, np.zeros(len(who)))
    seen = attribute_of_persons(windows, size)
    assert seen[0] > 0.9 > seen[3]
    coin = {name: rng.choice(["a", "b"]) for name in size}
    assert attribute_of_persons(windows, coin)[0] < 0.75
    assert attribute_of_persons(windows, dict.fromkeys(size, "")) is None


def test_success_in_a_gallery_is_what_drawing_gives():
    rng, better = np.random.default_rng(0), np.array([0, 1, 3, 9])
    sampled = [np.mean([rng.permutation(9)[:3].min() >= rank for _ in range(4000)])
               for rank in better]
    np.testing.assert_allclose(success_in_gallery(better, 10, 4), sampled, atol=0.03)
    assert success_in_gallery(better, 10, 10).tolist() == [1, 0, 0, 0]
    with pytest.raises(InputError, match="gallery"):
        success_in_gallery(better, 10, 11)


def test_the_first_date_is_that_of_the_first_record(records):
    first = first_dates(records)
    assert sum(first.values()) == 12 and all(
        first[one.name] == (one.session == "1") for one in records)


def test_validity_is_drawn(table):
    figure = validity_figure(table)
    assert "another date" in figure.alt_text and len(figure.axes[0].get_lines()) >= 4
    with pytest.raises(InputError, match="galleries"):
        validity_figure(table.loc[["sex"]])


def test_the_command_prints_the_table_and_draws_it(table, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sessions, "session_records", lambda *where: [])
    monkeypatch.setattr(sessions, "session_table", lambda records, seed: table)
    picture = tmp_path / "validity.png"
    assert main(["controls", "--tables", "sessions", "--figure", str(picture)]) == 0
    assert "rank-1, same date" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["controls", "--figure", str(picture)]) == 2
    assert "--tables sessions" in capsys.readouterr().err
