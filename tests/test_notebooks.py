"""Every notebook: clean in the repository, and a smoke run with papermill at a tiny size."""

from pathlib import Path

import nbformat
import pytest

from ecg_tf.report_html import to_html
from ecg_tf.reports import run_notebook
from tests.test_run import TINY

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_sources_carry_no_outputs_and_define_no_functions(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
            assert not any(line.startswith(("def ", "class ")) for line in cell.source.split("\n"))


def test_05_experiment(tmp_path):
    settings = TINY | {"experiment": "smoke", "runs_dir": str(tmp_path / "runs")}
    executed = run_notebook("notebooks/05_experiment.ipynb", tmp_path / "smoke.ipynb", settings,
                            progress=False)  # fmt: skip
    assert (tmp_path / "runs" / "smoke" / "metrics.json").exists()
    page = to_html(executed).read_text()
    assert "MMD²" in page and page.count("<figure") >= 8 and "alt=" in page
    assert "data sha256" in page and "import numpy" not in page
