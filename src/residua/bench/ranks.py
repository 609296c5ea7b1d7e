"""Several processes of mpiexec beside one with as many threads: what dividing a batch costs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from residua.bench.environment import program_environment
from residua.bench.failures import failure
from residua.bench.harness import Harness
from residua.bench.results import Goal, Result
from residua.bench.timing import turns
from residua.errors import RunError

PROCESSES = 2
STEPS, BATCH = 10, 128
ALONE, DIVIDED = "1 process", f"{PROCESSES} processes"
# Several processes on few cores, in a container as its administrator.
_ALLOWED = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def measure(harness: Harness, steps: int = STEPS, batch: int = BATCH) -> Iterator[Result]:
    """A train step of one process with two threads, and of two with one each, in turn; also --exact-ranks.

    Raises RunError where there is no mpiexec, or a process fails.
    """
    if mpiexec() is None:
        raise RunError("the case ranks takes mpiexec: pip install 'residua[mpi]', or leave it out")
    for exact in (False, True):
        samples: dict[str, list[list[float]]] = {ALONE: [], DIVIDED: []}
        for side in turns(samples, harness.limits.rounds, harness.limits.seconds):
            number = 1 if side == ALONE else PROCESSES
            samples[side].append(run_job(number, PROCESSES // number, steps, batch, exact=exact))
        work = f"ResNet-20 train step, batch {batch}{', --exact-ranks' if exact else ''}"
        yield Result("ranks", work, PROCESSES, "ms", samples, over=(ALONE, DIVIDED), goal=Goal(">=", 0.9))


def mpiexec() -> str | None:
    """The program that starts several processes: of this environment, or of the system."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def run_job(processes: int, threads: int, steps: int, batch: int, *, exact: bool) -> list[float]:
    """Milliseconds of every step of a job with so many processes of so many threads."""
    command = [sys.executable, "-m", "residua.bench.rank_worker", *map(str, (threads, steps, batch))]
    command += ["exact"] if exact else []
    if processes > 1:
        command = [str(mpiexec()), "--oversubscribe", "-n", str(processes), *command]
    with tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=program_environment(_ALLOWED),
            check=False,
        )
        words = done.stdout.split()
        if done.returncode or len(words) != steps:
            raise failure("a process of the benchmark", done.returncode, errors)
    return list(map(float, words))
