"""What is made from the reports agrees with them: the README's table, the page over all."""

import re
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.study.index import index_page, key_figures
from ecg_tf.study.reading import read_report
from ecg_tf.study.results_table import BEGIN, END, results_table, update_readme

ROOT = Path(__file__).parents[2]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E" \
      "rkJggg=="
MEASURES = {"MMD²": ("0.0186", "0.0228"), "precision": ("0.565", "0.569"), "recall": ("0", "0.45"),
            "discriminative AUC": ("1", "0.5"), "heart rate W1": ("24", "3.34"),
            "detectable strips": ("0.91", "0.978"), "membership AUC, beats": ("0.641", "0.5"),
            "re-identification at 1 % FAR": ("0.046", "0.0225"),
            "membership AUC, strips": ("0.819", "0.5"), "membership AUC, adaptive": ("", "0.5"),
            "membership AUC of persons, strips": ("0.95", "0.5")}


def write(folder, name, measures=MEASURES, alt="Two synthetic strips &amp; more", learned=""):
    rows = "".join(f"<tr><th>{key}</th><td>{value}</td><td>0 to 1</td><td>{baseline}</td></tr>"
                   for key, (value, baseline) in measures.items())
    heads = "<th></th><th>value</th><th>95 % interval</th><th>real against real</th>"
    html = [f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>",
            "<table><tr><th>git commit</th><td>abc</td><th>seed</th><td>7</td></tr></table>",
            f'<figure><img alt="{alt}" width="1" src="data:image/png;base64,{PNG}"></figure>']
    outputs = [new_output("display_data", data={"text/html": one}) for one in html]
    said = [learned or "**Not passed.** A leak."]
    outputs += [new_output("display_data", data={"text/markdown": one}) for one in said]
    cells = [new_markdown_cell("# The *title*\n\n**Question: is `it` good?**"),
             new_code_cell("seed = 3\nsteps = 10", metadata={"tags": ["parameters"]}),
             new_code_cell("x", outputs=outputs)]
    ran = {"input_path": "04_arrangement.ipynb" if learned else "05_experiment.ipynb",
           "end_time": "2026-01-02T03:04", "duration": 90.0, "parameters": {"steps": 20}}
    nbformat.write(new_notebook(cells=cells, metadata={"papermill": ran}), folder / f"{name}.ipynb")


def test_a_report_says_what_stands_in_it(tmp_path):
    write(tmp_path, "a")
    report = read_report(tmp_path / "a.ipynb")
    assert (report.title, report.question, report.notebook) == ("The title", "is it good?",
                                                                "05_experiment")
    assert report.measures["MMD²"] == (0.0186, 0.0228) and report.gate == "not passed"
    assert (report.seed, report.date, report.minutes) == ("7", "2026-01-02", 1.5)
    assert report.parameters == {"seed": 3, "steps": 20} and report.facts["git commit"] == "abc"
    assert report.figures[0][0] == "Two synthetic strips & more"
    assert key_figures(report) == (
        "MMD² 0.82 × baseline · precision 0.56 (real: 0.57) · recall 0.00 (real: 0.45) · "
        "4.6\u00a0% of the strips taken for a training person (strangers: 2.2\u00a0%) · "
        "release gate: not passed")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "a")
    write(tmp_path, "b", MEASURES | {"MMD²": ("0.2", "0.0228"),
                                     "re-identification at 1 % FAR": ("0.5", "0.029")})
    (tmp_path / "columns.csv").write_text(
        "report,heading,passed,of,note\na,One,4,5,\nb,Two,,,not looked at\n")
    return tmp_path


def test_the_table_has_values_baselines_and_counts(folder):
    lines = results_table(folder).splitlines()
    assert lines[0] == "| | baseline | One | Two |"
    assert "| MMD² of shape, variation, rhythm and spectrum | 0.023 | 0.019 | 0.200 |" in lines
    assert "| precision | 0.57 | 0.565 | 0.565 |" in lines  # not rounded a second time
    assert lines[-3].endswith("| 2.25 to 2.9 % | 4.6 % | 50.0 % |")
    assert lines[-2] == "| membership AUC, best of two attackers | 0.50 | 0.82 | 0.82 |"
    assert lines[-1] == "| by eye, of 5 samples | | 4 | |"


def test_the_command_makes_pages_index_and_table(folder, capsys):
    readme = folder / "R.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    command = ["results", "--output", str(folder), "--readme", str(readme)]
    assert main(command) == 0 and "made anew" in capsys.readouterr().out
    text = readme.read_text()
    assert text == f"before\n{BEGIN}\n\n{results_table(folder)}\n\n{END}\nafter\n"
    assert not update_readme(readme, folder)
    assert (folder / "a.html").exists() and 'href="b.html"' in (folder / "index.html").read_text()


def test_what_cannot_be_made_is_explained(folder):
    (folder / "R.md").write_text("no marks")
    with pytest.raises(InputError, match="two lines"):
        update_readme(folder / "R.md", folder)
    write(folder, "b", {"MMD²": ("1", "1")})
    with pytest.raises(InputError, match="'b' has no measure 'precision'"):
        results_table(folder)
    (folder / "columns.csv").write_text("report,heading,passed,of,note\n../x,H,,,\n")
    with pytest.raises(InputError, match="which reports"):
        results_table(folder)
    assert main(["results", "--output", str(folder / "none")]) == 2


def test_the_page_over_all_escapes_and_shows_lessons(tmp_path):
    write(tmp_path, "c", {}, alt="&lt;script&gt;", learned="- It **helps**: 3 &lt; 4\n- more")
    page = index_page([read_report(tmp_path / "c.ipynb")])
    assert "<h2>Lessons</h2>" in page and "It helps: 3 &amp;lt; 4" in page
    assert "<script" not in page and 'alt="&lt;script&gt;"' in page and "seed 7" in page


# The reports of the repository

def committed():
    """The repository's own reports: whoever made others since, as by `make report`, has them beside
    these. Without git, all that are there."""
    there = sorted((ROOT / "reports").glob("*.ipynb"))
    try:
        said = subprocess.run(["git", "ls-files", "reports"], cwd=ROOT, capture_output=True,
                              text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return there
    return [path for path in there if path.relative_to(ROOT).as_posix() in said]


REPORTS = committed()


def test_the_readme_has_the_numbers_of_the_reports():
    assert f"{BEGIN}\n\n{results_table(ROOT / 'reports')}\n\n{END}" in (ROOT / "README.md") \
        .read_text(encoding="utf-8"), "The table in the README is stale: give `make reports`."


def test_the_page_over_all_is_of_these_reports():
    def words(page):  # the bytes of pictures depend on the version of Pillow
        return re.sub(r"base64,[^\"]*", "", page)

    page = (ROOT / "reports" / "index.html").read_text(encoding="utf-8")
    linked = [ROOT / "reports" / name for name in sorted(set(re.findall(
        r'href="([^"]+\.ipynb)"', page)))]
    assert REPORTS and set(REPORTS) <= set(linked), "reports/index.html lacks some: `make reports`."
    assert words(page) == words(index_page([read_report(path) for path in linked])), \
        "reports/index.html is stale: give `make reports`."


@pytest.mark.parametrize("path", [*REPORTS, ROOT / "reports" / "index.ipynb"],
                         ids=lambda path: path.stem)
def test_pages_are_for_everybody(path):
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    assert len(page) < 5e6 and "prefers-color-scheme: dark" in page and "@media print" in page
    assert "<script" not in page and not re.search(r"(src|@import)[=\s]*[\"']?(https?:)?//", page)
    pictures = re.findall(r"<img[^>]{0,4000}?>", re.sub(r"base64,[^\"]*", "", page))
    assert pictures and all(re.search(r'alt="[^"]{10,}"', one) for one in pictures)
    if path.stem != "index":
        assert '<nav aria-label="Contents">' in page


def test_what_starts_elsewhere_installs_the_same():
    assert "-r ../requirements.txt" in (ROOT / "binder" / "requirements.txt").read_text()
    notebook = nbformat.read(ROOT / "binder" / "colab.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert "-r requirements.txt" in code[0].source
