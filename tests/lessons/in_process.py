"""Executes notebooks in the process of the tests, where TensorFlow has started already.

`run_notebook` is the product's, with its checks and its report; what is another one is where the
cells run. `test_01_records` and the tests of commands run them in a kernel.
"""

import sys
from functools import partial

import papermill
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat.v4 import new_output
from papermill.engines import Engine, papermill_engines
from traitlets.config import Config


class InProcess(Engine):
    """An engine of papermill: every cell through one IPython shell of this process."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
        # As in a kernel: a shell would ask objects for plain text alone.
        shell.display_formatter.active_types = shell.display_formatter.format_types
        try:
            for number, cell in enumerate(nb_man.nb.cells):
                nb_man.cell_start(cell, number)
                if cell.cell_type == "code":
                    cell.outputs, error = outputs_of(shell, cell.source)
                    cell.execution_count = shell.execution_count - 1
                    if error is not None:
                        nb_man.cell_exception(cell, number)
                        break
                nb_man.cell_complete(cell, number)
        finally:
            InteractiveShell.clear_instance()


def outputs_of(shell: InteractiveShell, source: str):
    """What a cell shows and prints, as a notebook keeps it, and the error that ended it."""
    with capture_output() as seen:
        shell.display_trap.hook = sys.displayhook  # else the cell's last value is printed
        done = shell.run_cell(source, store_history=True)
    found = [new_output("stream", name=name, text=text)
             for name, text in (("stdout", seen.stdout), ("stderr", seen.stderr)) if text]
    found += [new_output("display_data", data=one.data, metadata=one.metadata or {})
              for one in seen.outputs]
    error = done.error_before_exec or done.error_in_exec
    if error is not None:
        found.append(new_output("error", ename=type(error).__name__, evalue=str(error),
                                traceback=[seen.stdout[-2000:]]))
    return found, error


def use(monkeypatch) -> None:
    """Lets `run_notebook` execute notebooks here."""
    papermill_engines.register("in process", InProcess)
    monkeypatch.setattr(papermill, "execute_notebook", partial(papermill.execute_notebook,
                                                               engine_name="in process"))
