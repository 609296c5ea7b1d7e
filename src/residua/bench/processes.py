"""Whole processes that train ResNet-20 at batch 128: their peak memory, and how long they take to start."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from residua.bench.environment import program_environment
from residua.bench.failures import failure
from residua.bench.harness import Harness
from residua.bench.results import OURS, THEIRS, Goal, Result
from residua.bench.timing import turns
from residua.errors import RunError

STEPS = 10  # until memory has processes its size
MOST_COLD = 3  # runs that compile everything anew
WORK = "process that trains ResNet-20, batch 128"


@dataclass(frozen=True)
class ProcessRun:
    """A process that has ended: seconds to the end of its first step, peak memory in MiB."""

    seconds: float
    memory: float


def run_process(
    harness: Harness, steps: int, engine_or_layout: str, environment: Mapping[str, str] | None = None
) -> ProcessRun:
    """Run `residua.bench.worker`. Raises RunError with its last words where it fails."""
    command = [
        sys.executable,
        "-m",
        "residua.bench.worker",
        str(harness.threads),
        str(steps),
        engine_or_layout,
    ]
    with tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=program_environment(environment),
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            seconds = time.perf_counter() - began
            rest = process.stdout.read().split()
        if process.returncode or not rest:
            raise failure("a process of the benchmark", process.returncode, errors)
    return ProcessRun(seconds, float(rest[-1]))


def measure_memory(harness: Harness) -> Iterator[Result]:
    """Peak memory after ten steps, PyTorch in the layout that needs less. Raises RunError."""
    sides = {OURS: harness.engine.name}
    if harness.peer is not None:
        needs = {layout: run_process(harness, STEPS, layout).memory for layout in harness.peer.LAYOUTS}
        sides[THEIRS] = min(needs, key=lambda layout: needs[layout])
    processes = _rounds(harness, sides, STEPS, harness.limits.rounds)
    samples = {side: [[run.memory] for run in runs] for side, runs in processes.items()}
    if any(run.memory != run.memory for run in processes[OURS]):
        raise RunError("this system does not say how much memory a process needed: leave out the case memory")
    yield Result(
        "memory",
        f"Peak memory of a {WORK}",
        harness.threads,
        "MiB",
        samples,
        over=(OURS, THEIRS),
        goal=Goal("<=", 1.0),
        modes={THEIRS: sides[THEIRS]} if THEIRS in sides else {},
    )


def measure_startup(harness: Harness) -> Iterator[Result]:
    """From a process's start to the end of its first step, with an empty cache of kernels and a full one."""
    ours = harness.engine.name
    with tempfile.TemporaryDirectory(prefix="residua-bench-") as folder:
        caches = [Path(folder, str(number)) for number in range(min(MOST_COLD, harness.limits.rounds))]
        full = {"RESIDUA_KERNEL_CACHE": str(caches[0])}
        cold, began = [], time.perf_counter()
        for cache in caches if ours == "numba" else []:
            cold.append(run_process(harness, 1, ours, {"RESIDUA_KERNEL_CACHE": str(cache)}))
            if time.perf_counter() - began > harness.limits.seconds:
                break
        if cold:
            yield _startup(harness, "no kernel compiled yet", {OURS: cold}, Goal("<=", 20.0, OURS))
        sides = {OURS: ours} | ({THEIRS: "channels_last"} if harness.peer is not None else {})
        processes = _rounds(harness, sides, 1, harness.limits.rounds, full)
    yield _startup(harness, "kernels in the cache", processes, Goal("<=", 1.5, OURS))


def _startup(harness: Harness, state: str, processes: Mapping[str, list[ProcessRun]], goal: Goal) -> Result:
    samples = {side: [[run.seconds] for run in runs] for side, runs in processes.items()}
    work = f"Start to the end of the first step, {WORK}, {state}"
    return Result("startup", work, harness.threads, "s", samples, goal=goal)


def _rounds(
    harness: Harness,
    sides: Mapping[str, str],
    steps: int,
    rounds: int,
    environment: Mapping[str, str] | None = None,
) -> dict[str, list[ProcessRun]]:
    """One process of each side after the other, round for round."""
    processes: dict[str, list[ProcessRun]] = {side: [] for side in sides}
    for side in turns(sides, rounds, harness.limits.seconds):
        processes[side].append(run_process(harness, steps, sides[side], environment))
    return processes
