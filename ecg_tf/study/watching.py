"""What a notebook that runs elsewhere is doing, in one line of the terminal."""

import sys
import threading
import time
from collections.abc import Callable
from shutil import get_terminal_size

SECONDS = (1.0, 8.0)  # between two lines at least: in a terminal, and where lines are kept


class Watch:
    """Shows the time since the start, the cell, its section, and the last line that it printed.

    In a terminal the line is written over every second. Anywhere else a new one follows after
    eight, also if nothing has changed: the time goes on, so nobody has to wonder.

    Args:
        progress: bool, False: shows nothing. Default True.
        stream: where to. Default: standard error.
        clock: function that gives seconds, default `time.monotonic`.

    Attributes:
        cells: int, of the notebook; 0 until somebody says so.

    Example:
        >>> with Watch() as watch:
        ...     execute_notebook(..., stdout_file=watch, on_cell_start=watch.on_cell)
    """

    def __init__(self, progress: bool = True, stream=None,
                 clock: Callable[[], float] = time.monotonic):
        self.cells, self.progress, self.clock = 0, progress, clock
        self._out = sys.stderr if stream is None else stream
        self._terminal = getattr(self._out, "isatty", bool)()
        self._cell, self._section, self._said, self._width = 0, "starting Python", "", 0
        self._start = clock()
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Watch":
        if self.progress:
            self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._ended.set()
        if self.progress:
            self._thread.join()
            self._section = f"stopped in: {self._section}" if error[0] else "the notebook is done"
            self._said = ""
            self.show(end="\n")

    def on_cell(self, cell, cell_index: int) -> None:
        """A cell of the notebook begins (of nbclient: also one of text)."""
        if cell.cell_type == "markdown":
            headings = [line for line in cell.source.splitlines() if line.startswith("#")]
            self._section = headings[-1].lstrip("# ") if headings else self._section
        self._cell, self._said = cell_index + 1, ""

    def write(self, text: str) -> None:
        """What the cell printed."""
        lines = [part.strip() for part in text.replace("\r", "\n").split("\n") if part.strip()]
        self._said = lines[-1] if lines else self._said

    def flush(self) -> None:
        """Of a stream; nothing is held back."""

    def show(self, end: str = "") -> None:
        """Writes the line now."""
        with self._lock:
            minutes, seconds = divmod(int(self.clock() - self._start), 60)
            where = f"  cell {self._cell} of {self.cells}" if self.cells else ""
            line = f"{minutes}:{seconds:02d}{where}  {self._said or self._section}"
            if self._terminal:
                line = line[:get_terminal_size().columns - 1]
                self._out.write("\r" + line.ljust(self._width) + end)
                self._width = 0 if end else len(line)
            else:
                self._out.write(line + "\n")
            self._out.flush()

    def _tick(self) -> None:
        every = SECONDS[0 if self._terminal else 1]
        while True:
            self.show()
            if self._ended.wait(every):
                return
