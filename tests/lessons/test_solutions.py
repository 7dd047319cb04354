"""The exercises' solutions: one for each exercise, and what they say is to be seen is seen."""

import re
import runpy
from pathlib import Path

import nbformat
import numpy as np
import pytest

from ecg_tf.lessons.population import Measuring
from tests.study.test_run import TINY

FOLDER = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(path.stem for path in FOLDER.glob("[0-9]*.ipynb"))
SMALL = {name: TINY[name] for name in ("subjects", "minutes", "base_filters", "latent_dim",
                                       "batch_size", "synthetic", "strip_seconds")}


def solution(name):
    return runpy.run_path(str(FOLDER / "solutions" / f"{name}.py"))


@pytest.mark.parametrize("name", LESSONS)
def test_every_exercise_has_a_solution_that_says_what_is_to_be_seen(name):
    cells = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
    exercises = re.findall(r"^(\d+)\. ", cells[-1].source.split("## Exercises")[1], re.M)
    assert 3 <= len(exercises) <= 5 and f"notebooks/solutions/{name}.py" in cells[-1].source
    text = (FOLDER / "solutions" / f"{name}.py").read_text()
    found = re.findall(r"^def exercise_(\d+)\(.*?\):\n +\"\"\"(.+?)\"\"\"", text, re.M | re.S)
    assert [number for number, _ in found] == exercises
    assert all(len(seen) > 60 for _, seen in found)


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_asks_explains_shows_and_concludes(name):
    cells = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert text.startswith("# ") and "**Question" in text and "?" in cells[0].source
    assert "$$" in text and "What we learned" in text
    for call in re.findall(r"plots\.show\(\S+\)$", code, re.M):  # a figure without a caption
        raise AssertionError(call)
    assert "plots.show(" in code or "show_row(" in code


def test_01_records():
    do = solution("01_records")
    by_boxes, by_rr = do["exercise_1"](0.5)
    assert by_boxes == pytest.approx(by_rr)
    kept = do["exercise_2"](persons=2)
    assert min(kept, key=kept.get) == "QRS" and kept["T"] > 0.9
    found = do["exercise_3"]()
    assert [seen for _, seen in found.items()] == [False, True, False, True]
    by_beat, by_rate = do["exercise_4"](4, minutes=0.5)
    assert by_beat == 4 > by_rate
    assert do["exercise_5"]() == ("102", "104")


def test_03_and_04_without_training():
    do = solution("03_standardization")
    by_hand, package, measured = do["exercise_1"](persons=2)
    assert by_hand == pytest.approx(package, rel=1e-3) and measured < package
    assert do["exercise_2"](persons=2)["clipped_rpeaks_percent"] > 50
    end, largest = do["exercise_3"](persons=2)
    assert end == pytest.approx(largest)
    levels, physical = do["exercise_4"]()
    assert list(levels.values()) == sorted(levels.values()) and levels[50.0] < physical
    do = solution("04_arrangement")
    assert do["exercise_1"]()
    for vertical, lagged, horizontal in do["exercise_2"](minutes=0.5).values():
        assert vertical == pytest.approx(lagged, abs=0.02) and horizontal > 0.8
    steady, two, ten = do["exercise_3"]().values()
    assert steady[1] > 0.99 > two[1] > 0.5 > ten[1]
    errors = do["exercise_4"](minutes=0.5, height=8)
    assert len(errors) >= 2 and all(0 < error < 20 for error, _ in errors.values())


def test_05_06_and_07_without_training():
    do = solution("05_experiment")
    levels = do["exercise_3"](subjects=4, minutes=0.5)
    assert levels["companded"] > 1.5 * levels["physical"] > 0
    upper = do["exercise_5"]()
    assert upper[60] > 0.6 and upper[600] < 0.55
    do = solution("06_training_concerns")
    assert do["exercise_1"]()[0.5] == (0.5, 0.5)
    slopes = do["exercise_4"](steps=40, recipes=("non-saturating", "+ spectral norm"))
    assert slopes["non-saturating"][1] > 2 * slopes["+ spectral norm"][1]
    do = solution("07_classifier_gan")
    by_hand, package = do["exercise_3"]()
    assert by_hand == pytest.approx(package)
    found = do["exercise_4"](subjects=6, minutes=1.0, per_class=40)
    assert found["TRTS"] > 0.95 and found["TSTR"] < found["TRTR"]
    table = do["exercise_5"]("simulated", subjects=4, minutes=0.5)
    assert (table["persons"] <= 4).all()


def test_08_09_and_10_without_training(tmp_path):
    do = solution("08_stopping")
    kept = do["exercise_1"]()
    assert kept["noisy", 1] < kept["noisy", 20] and kept["smooth", 1] == kept["smooth", 20]
    found = do["exercise_4"](subjects=8, minutes=0.5)
    assert found["training"] < found["test persons to training"]
    found = do["exercise_5"](subjects=6, minutes=0.5)
    assert found["one strip"][0] > 0.95 and found["one strip"][1] < 0.05
    assert found["noise"][0] < 0.05 and found["noise"][1] > 0.3
    do = solution("09_anonymity")
    widths = do["exercise_4"](repeats=200)
    assert widths[20] / widths[40] == pytest.approx(np.sqrt(2), rel=0.2)
    do["exercise_5"]()
    do = solution("10_comparison")
    widths = do["exercise_3"]()
    assert widths[2] > 5 * widths[3] > 5 * widths[4]
    seen = do["exercise_4"](repeats=10)
    assert seen[1.1] < 0.5 < seen[3.0]


@pytest.mark.slow
def test_02_hypothesis():
    do, size = solution("02_hypothesis"), {"steps": 2, "synthetic": 40, "base_filters": 4}
    assert list(do["exercise_4"]()) == [True, False, False]
    assert do["exercise_1"](**size).shape == (3, 3) and do["exercise_2"](**size).notna().all(None)
    assert do["exercise_3"](1, **size).columns.tolist() == ["short", "long"]
    shares = do["exercise_5"](steps=2, synthetic=40, base_filters=4)
    assert 0 < shares["real"] < 0.1


@pytest.mark.slow
def test_trainings_of_03_04_and_05(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = {**SMALL, "steps": 2, "height": 16, "width": 32}
    baselines = solution("03_standardization")["exercise_5"](("global",), (0,), **tiny)
    assert baselines["global", 0] > 1
    del tiny["height"], tiny["width"]
    baselines = solution("04_arrangement")["exercise_5"](("row_major",), (0,), 32, **tiny)
    assert baselines["row_major"][0] > 1
    do = solution("05_experiment")
    assert set(do["exercise_1"](**tiny)) == {"beat-rows", "row-major"}
    more = {name: value for name, value in tiny.items() if name != "steps"}
    assert set(do["exercise_2"](1, 2, **more)) == {1, 2}
    del tiny["subjects"]
    assert set(do["exercise_4"](4, 6, **tiny)) == {4, 6}


def test_11_without_training():
    do = solution("11_population")
    for observed, formula in do["exercise_2"](members=(4, 64), resamples=300).values():
        assert observed == pytest.approx(formula, rel=0.2)
    nested, independent = do["exercise_3"](repeats=500)
    assert nested < 0.6 * independent
    level, found = do["exercise_4"](sizes=(2, 0), repeats=4, subjects=12, minutes=0.5)
    assert found[2] > found[max(found)] and level > 0


@pytest.mark.slow
def test_trainings_of_11(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = solution("11_population")["exercise_1"](
        2, 4, 2, Measuring(("descriptors",), 100, 2), subjects=10, minutes=1.0, base_filters=4,
        latent_dim=8, batch_size=8, synthetic=40, strip_seconds=4.0, model="dcgan")
    assert set(found) == {"hours", "persons"} and 0 <= found["hours"]["recall"] <= 1


@pytest.mark.slow
def test_trainings_of_06_to_09(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    do = solution("06_training_concerns")
    assert len(do["exercise_2"](recipes=("saturating",), steps=4)) == 3
    low, high = do["exercise_3"]((0, 1), recipes=("saturating",), steps=4)["saturating"]
    assert 0 <= low <= high <= 8
    more = {"subjects": 6, "minutes": 1.0}
    assert do["exercise_5"]((30.0,), 8, **more)[30.0][1] > 1
    do, size = solution("07_classifier_gan"), {"subjects": 6, "minutes": 1.0, "ectopy": 6.0}
    size |= {"steps": 2, "per_class": 20, "base_filters": 4, "latent_dim": 8}
    assert set(do["exercise_1"](**size)) == {0.2, 5.0}
    assert set(do["exercise_2"](**size)) == {0.0, 0.2}
    do = solution("08_stopping")
    assert do["exercise_2"](4, subjects=6, minutes=1.5, check_every=2) in (2, 4)
    found = do["exercise_3"](8, 12)
    assert found[8][0] == 1 and found[8][3] - found[8][2] > 0
    do = solution("09_anonymity")
    caught = do["exercise_1"]((2,), steps=2, persons=2, generated=12, subjects=18, minutes=2.0,
                              height=16, seconds=4.0, base_filters=4, latent_dim=8)
    assert "near-matches" in caught[2]
    first, share = do["exercise_3"]()
    assert first > 0.7 and share < 0.1
