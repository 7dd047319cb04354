"""Calls a reader with hostile input: it may accept or refuse it, and nothing else."""

import contextlib
import os
import signal
import time
import tracemalloc
import warnings
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings

from ecg_tf.base.errors import InputError

CASES = int(os.environ.get("ECG_TF_FUZZ_CASES", "60"))
SECONDS, WAIT = 10.0, 120.0  # of the processor; and by the clock, for what waits without working
fuzz = settings(
    max_examples=CASES, deadline=None, database=None, derandomize=CASES <= 60, print_blob=True,
    suppress_health_check=list(HealthCheck),
    # Minimizing a failure that allocates or hangs would take hours.
    phases=[Phase.explicit, Phase.generate] if CASES > 60 else list(Phase),
)


@dataclass
class Count:
    cases: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    bytes: int = 0


COUNTS: dict[str, Count] = {}


def guarded(target: str, call, size: int, factor: int = 200, spare: int = 2**24):
    """Runs `call`; an InputError on one line is fine, every other exception is not.

    Args:
        target: name under which the case is counted.
        call: function without arguments.
        size: bytes of the input.
        factor, spare: memory allowed, in multiples of the input, and beside them.

    Returns:
        what the call returned; None if it refused.
    """
    count = COUNTS.setdefault(target, Count())
    count.cases += 1
    result, began = None, time.process_time()
    tracemalloc.start()
    try:
        with warnings.catch_warnings(), _alarm():
            warnings.simplefilter("ignore")
            result = call()
        count.accepted += 1
    except InputError as error:
        text = str(error)
        assert text.count("\n") <= 3 and len(text) < 5000, text[:200]
        text.encode()  # it can be printed
        count.refused += 1
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        count.seconds = max(count.seconds, time.process_time() - began)
        count.bytes = max(count.bytes, peak)
    assert peak <= factor * size + spare, f"{peak} bytes for an input of {size}"
    return result


@contextlib.contextmanager
def _alarm():
    def ring(*_):
        raise TimeoutError(f"more than {SECONDS} s: a hang")

    clocks = ((signal.ITIMER_PROF, signal.SIGPROF, SECONDS),
              (signal.ITIMER_REAL, signal.SIGALRM, WAIT))
    before = [(clock, name, signal.signal(name, ring)) for clock, name, _ in clocks]
    for clock, _, seconds in clocks:
        signal.setitimer(clock, seconds)
    try:
        yield
    finally:
        for clock, name, handler in before:
            signal.setitimer(clock, 0)
            signal.signal(name, handler)
