"""Reports: run whole or not at all, free of their machine, readable without a network."""

import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ecg_tf.base.errors import InputError
from ecg_tf.study.execution import NotebookError, run_notebook, strip_progress
from ecg_tf.study.pages import to_html

PARAMETERS = "seed = 1  # of everything = all\nname: str = 'a'\nratio = 0.5\nfolder = '.'"


def write(path, *cells, **metadata):
    parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[parameters, *cells], metadata=metadata)
    nbformat.write(notebook, path)
    return path


def test_a_notebook_runs_with_its_parameters_and_forgets_its_machine(tmp_path):
    source = write(
        tmp_path / "lesson.ipynb",
        new_markdown_cell("# A title"),
        new_code_cell(
            "import os, warnings, ecg_tf\n"
            "print(seed, name, ratio, os.getcwd())\n"
            "print(f'half\\rdone', '\\x1b[31mred\\x1b[0m')\n"
            "warnings.warn('look out')"
        ),
    )
    output = run_notebook(
        source,
        tmp_path / "reports" / "run.ipynb",
        {"seed": np.int64(7), "ratio": np.float32(0.25), "folder": Path("x")},
        progress=False,
        cwd=tmp_path,
    )
    text = output.read_text()
    printed = nbformat.read(output, 4).cells[-1].outputs[0].text
    assert printed == "7 a 0.25 .\ndone red\n"
    assert str(tmp_path) not in text and "ipykernel_" not in text and "look out" in text
    ran = nbformat.read(output, 4).metadata.papermill
    assert ran.output_path == "run.ipynb"
    assert ran.parameters == {"seed": 7, "ratio": 0.25, "folder": "x"}
    assert sorted(p.name for p in output.parent.iterdir()) == ["run.ipynb"]
    assert "PYTHONPATH" not in os.environ or "ecg_tf" not in os.environ["PYTHONPATH"]


@pytest.mark.parametrize("error", ["errors import InputError", "locks import InUse"])
def test_an_input_error_in_a_cell_comes_as_its_message_only(tmp_path, error):
    source = write(
        tmp_path / "n.ipynb",
        new_code_cell(
            f"from ecg_tf.base.{error} as Error\n"
            "raise Error('No lead X.', expected='MLII', got='X', fix='use MLII')"
        ),
    )
    output = tmp_path / "n_run.ipynb"
    output.write_text("the report of last time")
    with pytest.raises(InputError) as caught:
        run_notebook(source, output, progress=False)
    assert str(caught.value) == "No lead X.\nExpected: MLII.\nGot: X.\nFix: use MLII."
    assert output.read_text() == "the report of last time"
    failed = nbformat.read(tmp_path / "n_run.failed.ipynb", 4)
    assert any(o.output_type == "error" for c in failed.cells for o in c.get("outputs", []))
    assert not list(tmp_path.glob(".*part*"))


def test_another_error_names_the_notebook_that_was_kept(tmp_path):
    source = write(tmp_path / "n.ipynb", new_code_cell("1 / 0"))
    with pytest.raises(NotebookError, match="ZeroDivisionError.*out.failed.ipynb"):
        run_notebook(source, tmp_path / "out.ipynb", progress=False)


@pytest.mark.parametrize(
    ("parameters", "hint"), [({"sead": 2}, "Did you mean 'seed'"), ({"zzzzz": 2}, "folder, name")]
)
def test_unknown_parameters_fail_before_anything_runs(tmp_path, parameters, hint):
    source = write(tmp_path / "n.ipynb")
    with pytest.raises(InputError, match=f"(?s){hint}"):
        run_notebook(source, tmp_path / "o.ipynb", parameters)
    assert not (tmp_path / "o.ipynb").exists()


def test_a_notebook_that_is_not_there_has_a_likely_name(tmp_path):
    write(tmp_path / "n.ipynb")
    with pytest.raises(InputError, match="Did you mean 'n.ipynb'"):
        run_notebook(tmp_path / "m.ipynb", tmp_path / "o.ipynb")
    assert [p.name for p in tmp_path.iterdir()] == ["n.ipynb"]


def streamed(*pieces, name="stderr"):
    outputs = [new_output("stream", name=name, text=piece) for piece in pieces]
    notebook = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    return "".join(o.text for o in strip_progress(notebook).cells[0].outputs)


def test_progress_bars_end_as_their_last_state_and_start_up_lines_vanish():
    bar = ("a:   0%|  |", "\ra:  50%|# |", "\ra: 100%|##|\nnext\n")
    assert streamed(*bar) == "a: 100%|##|\nnext\n"
    assert streamed("1/2\b\b\b2/2\n") == "2/2\n"
    assert streamed("longer\rshort\n") == "shortr\n"  # as a terminal shows it
    noise = (
        "2026-01-01 10:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom\n"
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1764000000.1 77 cpu.cc:1] hm\n"
        "To enable the following instructions: AVX2 FMA, rebuild TensorFlow.\n"
    )
    assert streamed(noise) == "" and streamed(noise + "my own line\n") == "my own line\n"


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x1b")))
def test_text_without_control_characters_is_kept(text):
    kept = "".join(c for c in text if c in "\t\n" or (c >= " " and c != "\x7f"))
    if kept == text:
        assert streamed(text) == (text if text.strip() else "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", streamed(text))


def test_widget_states_are_dropped():
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "bar"}
    cell = new_code_cell("x", outputs=[new_output("display_data", data=widget)])
    notebook = strip_progress(new_notebook(cells=[cell], metadata={"widgets": {"a": 1}}))
    assert not notebook.cells[0].outputs and "widgets" not in notebook.metadata


@pytest.fixture
def page(tmp_path):
    png = "iVBORw0KGgo="
    figure = '<figure><img alt="Two ECGs" src="data:image/png;base64,AAAA">'
    figure += "<figcaption>C</figcaption>"
    outputs = [
        new_output("display_data", data={"text/html": figure + "</figure>", "text/plain": "t"}),
        new_output("display_data", data={"image/png": png, "text/plain": "<Figure of <x>>"}),
        new_output("display_data", data={"text/html": "<script src='https://a.b/c.js'></script>"}),
        new_output("stream", name="stdout", text="plain & simple"),
    ]
    path = write(
        tmp_path / "report.ipynb",
        new_markdown_cell("# Beat rows & more\n\nInline $a < b$, and $5.\n\n$$\\frac{x-a}{b-a}$$"),
        new_code_cell("secret_code = 1", outputs=outputs),
        new_markdown_cell("## Results\n\n### Results\n\n$\\unknown{$ stays"),
    )
    return to_html(path).read_text()


def test_html_keeps_alt_text_caption_and_title_and_hides_code(page):
    assert 'alt="Two ECGs"' in page and "<figcaption>C</figcaption>" in page
    assert 'alt="Figure of &lt;x"' in page or 'alt="Figure of <x"' in page
    assert "<title>Beat rows &amp; more</title>" in page
    assert "secret_code" not in page and "plain &amp; simple" in page


def test_html_has_formulas_as_mathml_and_no_dollar_left(page):
    assert page.count("<math") >= 2 and "<mfrac>" in page and 'display="block"' in page
    assert "$$" not in page and "and $5." in page


def test_html_loads_nothing_from_outside(page):
    assert "<script" not in page and "<link" not in page and "@import" not in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert "default-src 'none'" in page and "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_table_of_contents_points_at_every_heading_once(page):
    links = re.findall(r'<a href="#([^"]+)">', page)
    assert links == ["beat-rows-more", "results", "results-2"]
    assert all(page.count(f'id="{link}"') == 1 for link in links)


def test_html_of_nothing_is_explained(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        to_html(tmp_path / "none.ipynb")
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(InputError, match="run the notebook first"):
        to_html(tmp_path / "bad.ipynb")
