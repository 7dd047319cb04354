"""A study's reports made by several processes or machines, by way of `dask.distributed`.

Each experiment is one task: a worker runs its notebook. What a study writes lies in the study's own
folder, so workers on other machines have to see it under the same path. A worker that dies is
replaced, if a nanny watches over it (as in the cluster that is started here), and its experiment
given to the next one, which resumes from the checkpoint in the run's folder.
"""

import contextlib
import logging
import platform
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecg_tf.base.errors import InputError
from ecg_tf.base.locks import InUse
from ecg_tf.config.experiment import Experiment
from ecg_tf.study.execution import NotebookError
from ecg_tf.study.making import make_report
from ecg_tf.study.plans import Plan
from ecg_tf.study.study import Outcome

CONNECT_S = 10  # longest wait for a scheduler to answer
REPORT_S = 60.0  # between two lines of progress
TAKEN_S = 60.0  # longest wait for the process of a dead worker to let go of a run's folder
MEMORY = 3e9  # bytes that an experiment may need
LOCK = ".study.lock"  # the study holds it, in the folder of reports


def make_reports(plans: Sequence[Plan], output="reports", scheduler: str = "",
                 workers: int = 0) -> list[Outcome]:
    """Makes the reports of plans not done yet, as many at once as there are workers.

    `scheduler`: address such as "tcp://host:8786"; "" starts a cluster of `workers` processes on
    this machine, 0 for one a core, fewer if memory is short. Gives outcomes in the order in which
    they ended. InputError: the scheduler cannot be reached, or was lost. KeyboardInterrupt: Ctrl-C,
    after the notebooks at work were ended.
    """
    with _client(scheduler, workers, len(plans)) as client:
        return _hand_out(client, list(plans), Path(output))


def make(plan: Plan, output: str, folder: str) -> tuple[str, float, str]:
    """Makes a report in a worker; a failure is returned as text, which can travel.

    Args:
        plan: `Plan` with an absolute path of its notebook.
        output: absolute folder of the reports.
        folder: absolute folder in which the notebook runs.

    Returns:
        (state, minutes, reason), see `Outcome`.
    """
    begun = time.monotonic()
    if not Path(output, LOCK).exists():
        return "failed", 0.0, (f"The worker on '{platform.node()}' does not see '{output}' of "
                               "this study: put it where all machines see it under this path.")
    with _ended_when_given_up():
        while True:
            try:
                make_report(plan, output, progress=False, cwd=folder)
                return "made", (time.monotonic() - begun) / 60, ""
            except (InputError, NotebookError) as error:
                # A worker died, and its notebook lives for another moment, perhaps elsewhere.
                if not isinstance(error, InUse) or time.monotonic() - begun > TAKEN_S:
                    reason = " ".join(str(error).split())
                    return "failed", (time.monotonic() - begun) / 60, reason
                time.sleep(1)


def _hand_out(client, plans: list[Plan], output: Path) -> list[Outcome]:
    folder, token = str(Path.cwd()), uuid.uuid4().hex[:8]
    waiting, running, outcomes = list(enumerate(plans, 1)), {}, []
    known, reported = _workers(client), time.monotonic()
    if not known:
        print("The scheduler has no worker yet: waiting for the first one.", flush=True)
    try:
        while waiting or running:
            # One task a worker: if it dies, no other experiment is under suspicion.
            while waiting and len(running) < max(1, len(known)):
                number, plan = waiting.pop(0)
                print(f"[{number} of {len(plans)}] {plan.name}: {plan.notebook.stem} with "
                      f"{len(plan.parameters)} parameters", flush=True)
                there = Plan(plan.name, plan.notebook.absolute(), plan.parameters)
                running[client.submit(make, there, str(output.absolute()), folder, pure=False,
                                      key=f"{plan.name}-{token}")] = plan
            time.sleep(0.2)
            for future in [future for future in running if future.done()]:
                outcomes.append(_outcome(future, running.pop(future), output))
            now = _workers(client)
            if running and known - now:
                print(f"    a worker was lost ({', '.join(sorted(known - now))}); its experiment "
                      "resumes elsewhere from its checkpoint", flush=True)
            known = now
            if running and time.monotonic() - reported > REPORT_S:
                reported = time.monotonic()
                print(f"    at work: {', '.join(map(_how_far, running.values()))}", flush=True)
    except KeyboardInterrupt:
        kept = sum(outcome.state == "made" for outcome in outcomes)
        print(f"\nStopped while making {', '.join(p.name for p in running.values())}. Kept: {kept} "
              f"reports made now in '{output}', and the checkpoints of what was being trained.",
              flush=True)
        with contextlib.suppress(Exception):
            client.cancel(list(running), force=True)
        raise
    return outcomes


def _outcome(future, plan: Plan, output: Path) -> Outcome:
    from distributed.scheduler import KilledWorker

    error = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker):
        state, minutes, reason = "failed", 0.0, (
            "The processes that made it were ended again and again, most often because memory ran "
            "out. Fewer workers, or smaller values of batch_size, need less.")
    elif error is not None:
        text = " ".join(str(error).split())
        state, minutes, reason = "failed", 0.0, f"{type(error).__name__}: {text}"
    elif future.status == "finished":
        state, minutes, reason = future.result()
    else:
        raise _lost(future.client)
    if state == "made":
        print(f"    {plan.name}: made in {minutes:.1f} min: {plan.report(output)}", flush=True)
    else:
        print(f"    {plan.name}: failed: {reason}", flush=True)
    return Outcome(plan, state, minutes, reason)


def _how_far(plan: Plan) -> str:
    """A plan's name, and the step that its training has reached."""
    if not plan.is_experiment:
        return plan.name
    experiment = Experiment.from_dict(plan.parameters)
    try:
        history = (experiment.folder / "history.csv").read_text(encoding="utf-8")
        step = int(history.rstrip().rsplit("\n", 1)[-1].split(",")[0])
    except (OSError, ValueError):
        return plan.name
    return f"{plan.name} (step {step:,} of {experiment.steps:,})"


def _workers(client) -> set[str]:
    try:
        return set(client.nthreads())
    except Exception as error:  # whatever a broken connection raises
        raise _lost(client) from error


def _lost(client) -> InputError:
    return InputError("The connection to the scheduler was lost.", expected="one that lives until "
                      "all is done", got=f"{client.scheduler.address if client.scheduler else ''}",
                      fix="see that it runs, and give the same command again: it resumes from what "
                      "was made")


@contextlib.contextmanager
def _client(scheduler: str, workers: int, tasks: int) -> Iterator:
    try:
        from dask.system import CPU_COUNT
        from distributed import Client, LocalCluster
        from distributed.system import MEMORY_LIMIT
    except ImportError as error:
        raise InputError("Dask is not installed.", expected="the package distributed",
                         got=str(error), fix="pip install -r requirements.txt") from error
    if scheduler:
        if workers:
            raise InputError("A scheduler has its own workers.", expected="--scheduler or "
                             "--workers", got="both", fix="leave one out")
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(f"No Dask scheduler answers at '{scheduler}'.",
                             expected="an address such as tcp://host:8786",
                             got=" ".join(str(error).split())[:200] or type(error).__name__,
                             fix="start `dask scheduler` there, or leave --scheduler out for a "
                             "cluster on this machine") from error
        with client:
            yield client
        return
    if workers < 0:
        raise InputError("The number of workers must not be negative.",
                         expected="1 or more", got=workers,
                         fix="leave --workers out")
    n = workers or max(1, min(CPU_COUNT, tasks, int(MEMORY_LIMIT // MEMORY)))
    threads = str(max(1, CPU_COUNT // n))
    environment = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                 "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), threads)
    print(f"{n} workers on this machine, {threads} threads each.", flush=True)
    with LocalCluster(n_workers=n, threads_per_worker=1, processes=True, dashboard_address=None,
                      memory_limit=0, silence_logs=logging.CRITICAL,
                      env=environment) as cluster, Client(cluster, set_as_default=False) as client:
        client.register_plugin(_plugin())
        yield client


def _plugin():
    from distributed import WorkerPlugin

    class LetStudyStop(WorkerPlugin):
        """Ctrl-C reaches all processes of a terminal: the study alone handles it."""

        name = "let-study-stop"

        def setup(self, worker):
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, signal.SIG_IGN)

    return LetStudyStop()


@contextlib.contextmanager
def _ended_when_given_up() -> Iterator[None]:
    """Ends this worker's notebook when no study waits for it any more: Ctrl-C, or a study's death.

    A running task cannot be cancelled; its notebook would hold the run's folder until its end.
    """
    import psutil
    from distributed import get_worker

    worker = get_worker()
    key, over = worker.get_current_task(), threading.Event()

    def watch():
        while not over.wait(1.0):
            task = worker.state.tasks.get(key)
            if task is not None and task.state not in ("cancelled", "released", "forgotten"):
                continue
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if "ipykernel_launcher" in child.cmdline():
                        child.kill()
            return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
