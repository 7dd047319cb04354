"""Says what a long work is doing, in plain lines on standard output."""

import time
from collections.abc import Callable


class Stages:
    """Before each part of a long work: which one it is, of how many, and the time that is left.

    Args:
        what: what a part is called, such as "attack".
        total: int, how many there are.
        progress: bool, False: says nothing. Default True.
        clock: function that gives seconds, default `time.monotonic`.

    Example:
        >>> begin = Stages("attack", 2)
        >>> begin("copies")
        attack 1 of 2: copies
    """

    def __init__(self, what: str, total: int, progress: bool = True,
                 clock: Callable[[], float] = time.monotonic):
        self.what, self.total, self.progress = what, total, progress
        self._done, self._clock, self._start = 0, clock, clock()

    def __call__(self, name: str) -> None:
        """Says that a part begins."""
        left = ""
        if self._done:
            seconds = (self._clock() - self._start) / self._done * (self.total - self._done)
            left = f"  {seconds / 60:.1f} min left"
        self._done += 1
        say(f"{self.what} {self._done} of {self.total}: {name}{left}", self.progress)


def say(text: str, progress: bool = True) -> None:
    """Prints a line at once, where progress is wanted."""
    if progress:
        print(text, flush=True)
