"""Nobody who waits for a report has to wonder: stage, step, time left, and a clock that goes on."""

import io
import re
import sys

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ecg_tf.base.stages import Stages
from ecg_tf.study import watching
from ecg_tf.study.execution import run_notebook
from ecg_tf.study.watching import Watch


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_report_says_what_its_cell_says_and_never_stops_saying_something(
        tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "SECONDS", (0.05, 0.05))
    monkeypatch.setattr(sys, "stderr", out := io.StringIO())
    cells = [new_markdown_cell("words\n\n## 3. Training\nmore"),
             new_code_cell("import time\ntime.sleep(0.6)\nprint('step 1 of 2  0.1 min left')\n"
                           "time.sleep(0.6)\nprint('attack 3 of 9: beats')\ntime.sleep(0.6)")]
    nbformat.write(new_notebook(cells=cells), source := tmp_path / "lesson.ipynb")
    run_notebook(source, tmp_path / "report.ipynb")
    lines = out.getvalue().splitlines()
    order = [next(i for i, line in enumerate(lines) if text in line) for text in (
        "starting Python", "cell 2 of 2  3. Training", "step 1 of 2  0.1 min left",
        "attack 3 of 9", "the notebook is done")]
    assert order == sorted(order) and order[-1] == len(lines) - 1
    assert all(re.match(r"\d+:\d\d  ", line) for line in lines)
    assert sum("attack 3 of 9" in line for line in lines) > 3  # the clock goes on


def test_in_a_terminal_one_line_is_written_over():
    out, now = Terminal(), [0.0]
    watch = Watch(stream=out, clock=lambda: now[0])
    watch.write("a long line\n")
    watch.show()
    now[0] = 75.0
    watch.write("step 1\r\n\n")
    watch.show()
    assert out.getvalue() == "\r0:00  a long line\r1:15  step 1     " and "\n" not in out.getvalue()
    watch.write("x" * 500)
    watch.show()
    assert len(out.getvalue().split("\r")[-1]) < 500  # a line that wraps cannot be written over


def test_stages_count_and_tell_the_time_left(capsys):
    now = [0.0]
    begin = Stages("attack", 3, clock=lambda: now[0])
    for name in ("copies", "strips", "beats"):
        begin(name)
        now[0] += 60
    assert capsys.readouterr().out.splitlines() == [
        "attack 1 of 3: copies", "attack 2 of 3: strips  2.0 min left",
        "attack 3 of 3: beats  1.0 min left"]
    Stages("attack", 1, progress=False)("copies")
    assert not capsys.readouterr().out
