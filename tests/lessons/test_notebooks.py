"""Every notebook: clean in the repository, and a smoke run with papermill at a tiny size."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbstripout import strip_output

from ecg_tf.base.errors import InputError
from ecg_tf.lessons.image_folders import write_images
from ecg_tf.study.execution import run_notebook
from ecg_tf.study.pages import to_html
from ecg_tf.tables.table_codec import TableCodec
from tests.lessons import in_process
from tests.study.test_run import TINY

SMALL = {"subjects": 6, "minutes": 1.5, "base_filters": 4, "latent_dim": 8, "batch_size": 8,
         "train_steps": 3, "synthetic": 40}
ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def here(monkeypatch, tmp_path, stepwise, hasty):
    """Runs the cells in this process: a kernel would start TensorFlow again."""
    in_process.use(monkeypatch)
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_sources_carry_no_outputs_and_define_no_functions(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
            assert not any(line.startswith(("def ", "class ")) for line in cell.source.split("\n"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_opened_lesson_is_no_change_for_git(path):
    extra = re.search(r"--keep-id --extra-keys '(.*?)'", (ROOT / "Makefile").read_text())[1]
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["language_info"] = {"name": "python", "version": "3.12.1"}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.execution_count, cell.metadata["execution"] = number, {"iopub.status.idle": "now"}
            cell.outputs = [nbformat.v4.new_output("stream", text="3")]
    stripped = strip_output(notebook, keep_output=False, keep_count=False, keep_id=True,
                            extra_keys=extra.split())
    assert nbformat.writes(stripped) + "\n" == path.read_text(encoding="utf-8")


def texts(executed) -> str:
    """All that the cells of an executed notebook say in text and Markdown."""
    data = [output.get("data", {}) for cell in nbformat.read(executed, as_version=4).cells
            for output in cell.get("outputs", [])]
    return "\n".join(d.get("text/markdown", d.get("text/plain", "")) for d in data)


def test_01_records(tmp_path):
    settings = {"subjects": 3, "sessions": 2, "minutes": 1.5, "shown": 2}
    executed = run_notebook("notebooks/01_records.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)
    seen = texts(executed)
    assert "The quality check found 3 of 3 planted flaws and dropped 3 of 12 windows." in seen
    assert "6 records of 3 persons, 9 minutes" in seen
    assert "widget" not in executed.read_text()  # a still stands for the explorer
    assert "A still of the explorer" in seen and to_html(executed).read_text().count("<figure") >= 8
    with pytest.raises(InputError, match="subjects"):
        run_notebook("notebooks/01_records.ipynb", tmp_path / "x.ipynb", {"subjets": 3})


@pytest.mark.slow
def test_02_hypothesis_with_a_folder_and_a_table_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    write_images(rng.uniform(-1, 1, (40, 8, 10, 3)), tmp_path / "png")
    mass = np.where(rng.random(90) < 0.3, np.nan, rng.random(90))
    table = pd.DataFrame({"id": range(90), "age": rng.integers(20, 90, 90),
                          "stage": list("abc") * 30, "mass": mass})
    table.to_csv(tmp_path / "own_table.csv", index=False)
    settings = {"image_folder": str(tmp_path / "png"), "csv": str(tmp_path / "own_table.csv"),
                "drop": ["id"], "steps": 2, "base_filters": 4, "batch_size": 8, "synthetic": 40,
                "image_side": 8, "runs_dir": str(tmp_path / "runs")}
    executed = run_notebook("notebooks/02_hypothesis.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)
    home = tmp_path / "runs" / "hypothesis"
    measures = pd.read_csv(home / "measures.csv", index_col=[0, 1, 2])["value"]
    measures = measures.sort_index()
    assert set(measures.index.droplevel("name")) == {
        *[("pictures", way) for way in ("image", "permuted image", "dense", "shuffled", "normal")],
        *[("own table", way) for way in ("image", "dense", "shuffled", "normal")],
    }
    assert np.isfinite(measures).all() and ("own table", "image", "missing values") in measures
    assert 0 < measures["own table", "dense", "valid categories"] < 1
    untrained, real_columns = measures["own table", "image"], measures["own table", "shuffled"]
    assert untrained["KS, mean column"] > 0.3 > real_columns["KS, mean column"]
    codec = TableCodec.load(home / "own_table_codec.json")
    assert [c.kind for c in codec.columns] == ["numeric", "categorical", "numeric"]
    assert codec.image_shape == (8, 10, 1) and codec.columns[2].missing
    assert "**Neighbours**" in texts(executed) and "**Own table** as images" in texts(executed)
    assert to_html(executed).read_text().count("<figure") >= 6


def test_03_standardization(tmp_path, here):
    settings = SMALL | {"trained": ["window"], "height": 8, "width": 32, "strip_seconds": 3.0}
    executed = run_notebook("notebooks/03_standardization.ipynb", tmp_path / "smoke.ipynb",
                            settings | {"runs_dir": str(tmp_path / "runs")},
                            progress=False)
    seen = texts(executed)
    assert "Measured errors stayed within the stated bound in 12 of 12 cases" in seen
    assert "`quantile` clips most R peaks" in seen and "finest with" in seen
    assert "After 3 steps the ECGs of `window` are nearest" in seen
    assert (tmp_path / "runs" / "lesson-03-window-0" / "results.json").exists()
    assert to_html(executed).read_text().count("<figure") >= 6


def test_04_arrangement(tmp_path, here):
    settings = SMALL | {"trained": ["rgb_planar"], "seeds": [0, 1], "side": 16,
                        "strip_seconds": 2.0}
    executed = run_notebook("notebooks/04_arrangement.ipynb", tmp_path / "smoke.ipynb",
                            settings | {"runs_dir": str(tmp_path / "runs")},
                            progress=False)
    seen = texts(executed)
    assert "Most alike in both directions are the pixels of `beat_rows`" in seen
    assert "8 of 9 arrangements come back within 0.00001 mV; `beat_rows` loses" in seen
    assert "After 3 steps the ECGs of `rgb_planar` are nearest" in seen
    assert "0 of 63 steps jump" in seen
    assert "The 2 trainings of `rgb_planar` lie between" in seen
    assert re.search(r"rgb_planar +\d+\.\d\d \(\d+\.\d\d to \d", seen)  # the spread in the table
    assert (tmp_path / "runs" / "lesson-04-rgb_planar-1" / "results.json").exists()
    assert to_html(executed).read_text().count("<figure") >= 12
    with pytest.raises(InputError, match="steps"):
        run_notebook("notebooks/04_arrangement.ipynb", tmp_path / "x.ipynb", {"train_step": 3})


def test_05_experiment(tmp_path, here):
    settings = TINY | {"experiment": "smoke", "runs_dir": str(tmp_path / "runs"), "attacks": True}
    executed = run_notebook("notebooks/05_experiment.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)
    assert (tmp_path / "runs" / "smoke" / "results.json").exists()
    page = to_html(executed).read_text()
    assert "MMD²" in page and page.count("<figure") >= 11 and "alt=" in page
    assert "The same latent vector along the training" in page and "on an arc through" in page
    assert "measures are within the real-vs-real baseline" in texts(executed)
    assert "Fidelity (MMD² in baselines) against" in page
    assert "✗ fail" in page and "Not passed" in page
    assert "data sha256" in page and "import numpy" not in page


def test_10_comparison_makes_its_own_runs_where_there_are_none(tmp_path, here):
    contenders = ["beat_rows r1gan", "row_major wavegan"]
    settings = {name: value for name, value in TINY.items() if name != "check_every"}
    settings |= {"runs_dir": str(tmp_path / "runs"), "contenders": contenders, "seconds_shown": 3.0}
    executed = run_notebook("notebooks/10_comparison.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)
    seen = texts(executed)
    made = sorted(path.parent.name for path in tmp_path.glob("runs/*/results.json"))
    assert len(made) == 4 and "comparison-row_major-wavegan-1" in made
    assert "4 runs, evaluated on 1 set of test persons:" in seen and "2 seeds each" in seen
    assert "`wavegan · signal`: MMD²" in seen and "Of all images `r1gan · beat_rows`" in seen
    assert "over 2 seeds" in seen and "Over 4 runs the measures agree" in seen
    assert "they were not attacked" in seen
    assert to_html(executed).read_text().count("<figure") >= 5
    with pytest.raises(InputError, match="contender"):
        run_notebook("notebooks/10_comparison.ipynb", tmp_path / "x.ipynb", {"contender": []})


def test_07_classifier_gan(tmp_path, here):
    settings = {"subjects": 5, "minutes": 1.5, "ectopy": 5.0, "train_steps": 4, "base_filters": 4,
                "latent_dim": 8, "batch_size": 8, "checks": 2, "per_class": 40, "repeats": 2,
                "classifiers": ["forest"]}
    executed = run_notebook("notebooks/07_classifier_gan.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)
    seen = texts(executed)
    # A GAN of four steps knows nothing, and the gate notices.
    assert "Criterion: 0.90, not reached." in seen and "fail" in seen
    assert "Its own class head finds the requested class in" in seen
    assert "guessing would give 0.33" in seen  # simulated hearts have N, S and V
    assert to_html(executed).read_text().count("<figure") >= 10
    with pytest.raises(InputError, match="train_step"):
        run_notebook("notebooks/07_classifier_gan.ipynb", tmp_path / "x.ipynb", {"train_step": 3})


def test_06_training_concerns(tmp_path, here):
    settings = SMALL | {"height": 16, "width": 32, "strip_seconds": 4.0, "ring_steps": 20,
                        "train_steps": 8, "recipes": ["saturating"]}
    executed = run_notebook("notebooks/06_training_concerns.ipynb", tmp_path / "smoke.ipynb",
                            settings, progress=False)
    seen = texts(executed)
    assert re.search(r"\*\*Mode collapse.\*\* After 20 steps on the ring \(1 seed\)", seen)
    assert "**Averaged weights** have more good points than raw ones in" in seen
    fall = re.search(r"the gradient of the saturating loss is down to (\S+) of its", seen)
    assert 0 < float(fall[1]) <= 1
    assert re.search(r"\*\*The alarm\*\* was raised for .*constant generator, and not for", seen)
    assert re.search(r"saturating \(MMD² -?\d+\.\d times the baseline\)", seen)
    assert to_html(executed).read_text().count("<figure") >= 7
    with pytest.raises(InputError, match="recipes"):
        run_notebook("notebooks/06_training_concerns.ipynb", tmp_path / "x.ipynb", {"recipe": []})


def test_09_anonymity(tmp_path, here):
    settings = {"subjects": 14, "minutes": 2.5, "steps": 3, "long_steps": 3, "base_filters": 4,
                "latent_dim": 8, "batch_size": 8, "few_windows": 3, "plain_strips": 20,
                "synthetic": 24, "strip_seconds": 4.0, "max_strips": 110}
    executed = run_notebook("notebooks/09_anonymity.ipynb", tmp_path / "smoke.ipynb",
                            settings | {"runs_dir": str(tmp_path / "runs")},
                            progress=False)
    seen = texts(executed)
    page = to_html(executed).read_text()
    assert page.count("<figure") >= 6 and "Matrix of true against named persons" in page
    copies = seen.split("- **planted copies**")[1].split("\n")[0]
    assert "caught by" in copies and "copies" in copies.split("caught by")[1]
    learned = seen[seen.index("- **trained GAN**"):]
    assert "no privacy test failed" in learned or "caught by" in learned
    assert "anonymous" not in page.lower()


def test_08_stopping(tmp_path, here):
    settings = {"subjects": 16, "minutes": 1.5, "model": "dcgan", "base_filters": 4,
                "latent_dim": 8, "batch_size": 8, "steps": 8, "check_every": 2, "images": 30,
                "strip_seconds": 4.0, "patience": 2, "runs_dir": str(tmp_path)}
    executed = run_notebook("notebooks/08_stopping.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)
    measures = pd.read_csv(tmp_path / "lesson-08" / "measures.csv")
    assert measures["step"].unique().tolist() == [2, 4, 6, 8]
    assert set(measures["against"]) == {"validation", "training"}  # nothing of the test persons
    mmd2 = measures[(measures["name"] == "MMD²") & (measures["against"] == "validation")]
    kept = mmd2.set_index("step")["value"].loc[: 2 + 2 * 2]  # patience may end it at step 6
    seen = texts(executed)
    assert f"kept step {kept.idxmin()}" in seen or f"kept step {mmd2['step'].iloc[-1]}" in seen
    assert "By g_loss it would have kept step" in seen and "The worst choice is that of" in seen
    assert to_html(executed).read_text().count("<figure") >= 7


def test_11_population(tmp_path, here):
    settings = {"subjects": 10, "minutes": 1.0, "model": "dcgan", "base_filters": 4,
                "latent_dim": 8, "batch_size": 8, "steps": 2, "check_every": 2, "synthetic": 40,
                "height": 8, "width": 16, "strip_seconds": 4.0, "sizes": [2, 0], "repeats": 1,
                "max_strips": 100, "attackers": ["descriptors"], "half_samples": 2,
                "runs_dir": str(tmp_path / "runs")}
    executed = run_notebook("notebooks/11_population.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)
    rows = sorted(path.parent.name for path in tmp_path.glob("runs/lesson-11/*/row.json"))
    assert rows == ["persons-2-0", "persons-6-0"]
    seen = texts(executed)
    assert "In 2 steps each image was seen" in seen and "with 2 persons" in seen
    assert "Members were found (corrected for the number of attackers) in" in seen
    assert "Against the number of training persons. MMD² (less is better)" in seen
    assert to_html(executed).read_text().count("<figure") == 2
    with pytest.raises(InputError, match="sizes"):
        run_notebook("notebooks/11_population.ipynb", tmp_path / "x.ipynb", {"size": [2]})
