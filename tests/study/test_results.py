"""What is made from the reports agrees with them: the README's table, the page over all."""

import re
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.study.reports import index_page, keep_report, key_figures, read_report
from ecg_tf.study.results_table import BEGIN, END, results_table, update_readme

ROOT = Path(__file__).parents[2]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E" \
      "rkJggg=="
MEASURES = {"MMD²": (0.0186, 0.0228), "precision": (0.565, 0.569), "recall": (0.0, 0.45),
            "discriminative AUC": (1.0, 0.5), "heart rate W1": (24.0, 3.34),
            "detectable strips": (0.91, 0.978), "membership AUC, beats": (0.641, 0.5),
            "re-identification at 1 % FAR": (0.046, 0.0225),
            "membership AUC, strips": (0.819, 0.5), "membership AUC, adaptive": (None, 0.5),
            "membership AUC of persons, strips": (0.95, 0.5)}


def write(folder, name, measures=MEASURES, alt="Two synthetic strips &amp; more", learned=""):
    """A report's notebook and JSON file, as `make_report` leaves them."""
    figure = f'<figure><img alt="{alt}" width="1" src="data:image/png;base64,{PNG}"></figure>'
    outputs = [new_output("display_data", data={"text/html": figure}),
               new_output("display_data", data={"text/markdown": learned or "No list."})]
    first = new_markdown_cell("# The *title*\n\n**Question: is `it` good?**")
    notebook = new_notebook(cells=[first, new_code_cell("x", outputs=outputs)])
    notebook.metadata["papermill"] = {
        "input_path": "04_arrangement.ipynb" if learned else "05_experiment.ipynb",
        "end_time": "2026-01-02T03:04", "duration": 90.0}
    nbformat.write(notebook, folder / f"{name}.ipynb")
    rows = [{"name": key, "value": value, "baseline": baseline}
            for key, (value, baseline) in measures.items()]
    results = {"measures": rows, "privacy": {"passed": False}, "git": "abc"} if rows else {}
    keep_report(notebook, folder / f"{name}.json", results, parameters={"seed": 7})


def test_a_report_says_what_stands_in_it(tmp_path):
    write(tmp_path, "a")
    report = read_report(tmp_path / "a.json")
    assert (report.about["title"], report.about["question"], report.about["notebook"]) == (
        "The title", "is it good?", "05_experiment")
    assert report.measure("MMD²") == (0.0186, 0.0228)
    assert (report.about["date"], report.about["minutes"]) == ("2026-01-02", 1.5)
    assert report.about["alt"] == "Two synthetic strips & more" and report.about["thumbnail"]
    assert key_figures(report) == (
        "MMD² 0.82 × baseline · precision 0.56 (real: 0.57) · recall 0.00 (real: 0.45) · "
        "4.6\u00a0% of the strips accepted as a training person (new persons: 2.2\u00a0%) · "
        "release gate: not passed")


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "a")
    write(tmp_path, "b", MEASURES | {"MMD²": (0.2, 0.0228),
                                     "re-identification at 1 % FAR": (0.5, 0.029)})
    (tmp_path / "columns.csv").write_text(
        "report,heading,passed,of,note\na,One,4,5,\nb,Two,,,not looked at\n")
    return tmp_path


def test_the_table_has_values_baselines_and_counts(folder):
    lines = results_table(folder).splitlines()
    assert lines[0] == "| | baseline | One | Two |"
    assert lines[2].startswith("| MMD²") and lines[2].endswith("| 0.023 | 0.019 | 0.200 |")
    assert lines[3].startswith("| precision") and lines[3].endswith("| 0.57 | 0.565 | 0.565 |")
    assert lines[-3].endswith("| 2.25 to 2.9 % | 4.6 % | 50.0 % |")
    assert lines[-2] == "| membership AUC, best attacker (0.5 is best) | 0.50 | 0.82 | 0.82 |"
    assert lines[-1] == "| by eye, strips that pass for real, of 5 | | 4 | |"


def test_the_command_makes_pages_index_and_table(folder, capsys):
    readme = folder / "R.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    command = ["results", "--output", str(folder), "--readme", str(readme)]
    assert main(command) == 0 and "regenerated" in capsys.readouterr().out
    text = readme.read_text()
    assert text == f"before\n{BEGIN}\n\n{results_table(folder)}\n\n{END}\nafter\n"
    assert not update_readme(readme, folder)
    assert (folder / "a.html").exists() and 'href="b.html"' in (folder / "index.html").read_text()


def test_what_cannot_be_made_is_explained(folder):
    (folder / "R.md").write_text("no marks")
    with pytest.raises(InputError, match="two lines"):
        update_readme(folder / "R.md", folder)
    write(folder, "b", {"MMD²": (1, 1)})
    with pytest.raises(InputError, match="'b' has no measure 'precision'"):
        results_table(folder)
    (folder / "b.json").write_text('{"measures": []}')
    with pytest.raises(InputError, match="is of no report"):
        results_table(folder)
    (folder / "columns.csv").write_text("report,heading,passed,of,note\n../x,H,,,\n")
    with pytest.raises(InputError, match="which reports"):
        results_table(folder)
    assert main(["results", "--output", str(folder / "none")]) == 2


def test_the_page_over_all_escapes_and_shows_lessons(tmp_path):
    write(tmp_path, "c", {}, alt="&lt;script&gt;", learned="- It **helps**: 3 < 4\n- more")
    page = index_page([read_report(tmp_path / "c.json")])
    assert "<h2>Lessons</h2>" in page and "It helps: 3 &lt; 4" in page
    assert "<script" not in page and 'alt="&lt;script&gt;"' in page and "seed 7" in page


# The reports of the repository

def committed():
    """The repository's own reports: whoever made others since, as by `make report`, has them beside
    these. Without git, all that are there."""
    there = sorted((ROOT / "reports").glob("*.ipynb"))
    try:
        listed = subprocess.run(["git", "ls-files", "reports"], cwd=ROOT, capture_output=True,
                              text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return there
    return [path for path in there if path.relative_to(ROOT).as_posix() in listed]


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
    reports = [read_report(path.with_suffix(".json")) for path in linked]
    assert words(page) == words(index_page(reports)), \
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
