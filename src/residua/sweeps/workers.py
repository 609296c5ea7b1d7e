"""Several workers side by side: begun, watched, replaced where they die, stopped together."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from residua.cores import available_cores
from residua.errors import RunError
from residua.sweeps.folder import Folder, continue_command
from residua.sweeps.study import Study
from residua.training.interruption import stop_requests

POLL_SECONDS = 0.5
MOST_DEATHS = 20  # of workers in a row, while nothing was trained
PATIENCE_SECONDS = 60.0  # for workers that were asked to stop: the step that they are in


@dataclass
class Worker:
    """A process, and where it writes what went wrong."""

    process: subprocess.Popen[bytes]
    errors: IO[str]


def work_side_by_side(
    folder: Folder, count: int, on_change: Callable[[Study], object], say: Callable[[str], object]
) -> Study:
    """Have `count` processes train until every trial is done; a dead one is replaced.

    on_change: called now and then with the trials as they stand. say: hears of deaths. Raises RunError with
    the words of a worker that could not go on; KeyboardInterrupt after Ctrl-C or SIGTERM. Either way all
    workers have stopped, with checkpoints.
    """
    study = Study(folder)
    threads = max(1, available_cores() // count)
    stop = threading.Event()
    workers: list[Worker] = []
    deaths, state = 0, _state(study)
    with stop_requests(stop):
        try:
            while not study.done():
                for worker in [worker for worker in workers if worker.process.poll() is not None]:
                    workers.remove(worker)
                    if worker.process.returncode:
                        say(_epitaph(worker))
                        deaths += 1
                if (now := _state(study)) != state:
                    state, deaths = now, 0
                if deaths > MOST_DEATHS:
                    raise RunError(
                        f"{deaths} workers of {folder.path} died in a row, without an epoch between: "
                        "there may be too little memory; go on with fewer: "
                        f"{continue_command(folder.path)} --workers 1"
                    )
                while len(workers) < min(count, _left(study)):
                    workers.append(_begin(folder, threads))
                on_change(study)
                if stop.wait(POLL_SECONDS):
                    raise KeyboardInterrupt
            on_change(study)
        finally:
            _stop(workers)
    return study


def _left(study: Study) -> int:
    """How many workers have something to do: one for each trial that is not done."""
    plan = study.folder.plan
    ended: int = sum(bool(trial.state.is_finished()) for trial in study.trials())
    return plan.trials - ended


def _state(study: Study) -> int:
    """A number that changes with each epoch and each trial that ends."""
    trials = study.trials()
    epochs: int = sum(len(trial.intermediate_values) for trial in trials)
    return epochs + sum(bool(trial.state.is_finished()) for trial in trials)


def _begin(folder: Folder, threads: int) -> Worker:
    errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
    command = [sys.executable, "-m", "residua.sweeps.worker", str(folder.path), str(threads)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    return Worker(process, errors)


def _epitaph(worker: Worker) -> str:
    """How a worker died. Raises RunError where it says that it could not go on."""
    code, number = worker.process.returncode, worker.process.pid
    worker.errors.seek(0)
    words = worker.errors.read().strip().splitlines()
    worker.errors.close()
    if code == 2 and words:
        raise RunError(words[-1])
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    if code > 0 and words:
        how += f" ({words[-1]})"
    return f"A worker (process {number}) {how}; its trial goes on from its last checkpoint"


def _stop(workers: list[Worker]) -> None:
    """Ask them to stop, with a checkpoint, and wait."""
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.send_signal(signal.SIGTERM)
    end = time.monotonic() + PATIENCE_SECONDS
    for worker in workers:
        try:
            worker.process.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        worker.errors.close()
