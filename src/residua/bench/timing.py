"""Programs in turn in one process, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil

Workload = Callable[[], object]
Clock = Callable[[], float]

REST_SECONDS = 0.05  # threads of the other side spin on for a while after their call
TURN_SECONDS = 0.2  # a turn lasts at least about that long
MOST_REPEATS = 50
WARMING = 4  # calls before the first round, fewer where those after the first take longer than that:
WARMING_SECONDS = 8.0
TRIALS = 3  # rounds in which modes are compared before the better one is measured


@dataclass(frozen=True)
class Limits:
    """How long to measure: so many rounds, or fewer where a line of the table would take more seconds.

    clock: wall time; or this process's processor time, which other programs disturb less (one thread).
    """

    rounds: int = 10
    seconds: float = 60.0
    clock: Clock = time.perf_counter


def time_in_turn(workloads: Mapping[str, Workload], limits: Limits) -> dict[str, list[list[float]]]:
    """{side: rounds of milliseconds}: each side warmed up, then one after the other, round for round.

    A turn is a rest, one call that is not counted and several that are, as many for every side.
    """
    slowest = max(_warm_up(workload, limits.clock) for workload in workloads.values())
    repeats = 1 if slowest > 1 else min(MOST_REPEATS, max(3, ceil(TURN_SECONDS / slowest)))
    samples: dict[str, list[list[float]]] = {side: [] for side in workloads}
    for side in turns(workloads, limits.rounds, limits.seconds):
        time.sleep(REST_SECONDS)
        workloads[side]()
        samples[side].append([1e3 * _seconds(workloads[side], limits.clock) for _ in range(repeats)])
    return samples


def turns(sides: Iterable[str], rounds: int, seconds: float) -> Iterator[str]:
    """Whose turn it is: each side once a round, the first changing each round, until so long has passed."""
    began = time.perf_counter()
    for number in range(rounds):
        yield from list(sides)[:: -1 if number % 2 else 1]
        if time.perf_counter() - began > seconds:
            break


def choose_fastest(modes: Mapping[str, Callable[[], Workload]], limits: Limits) -> tuple[str, Workload]:
    """Build and warm up every mode; the name and the workload of the one whose best time in turn was best."""
    workloads = {mode: build() for mode, build in modes.items()}
    samples = time_in_turn(workloads, Limits(TRIALS, limits.seconds / 4, limits.clock))
    fastest = min(samples, key=lambda mode: min(map(min, samples[mode])))
    return fastest, workloads[fastest]


def _seconds(workload: Workload, clock: Clock) -> float:
    began = clock()
    workload()
    return clock() - began


def _warm_up(workload: Workload, clock: Clock) -> float:
    """The best of some calls: the first may compile and the third record a step, which is rare in use."""
    best, began = _seconds(workload, clock), time.perf_counter()
    for _ in range(WARMING - 1):
        best = min(best, _seconds(workload, clock))
        if time.perf_counter() - began > WARMING_SECONDS:
            break
    return max(best, 1e-9)


_PEAK = """
import time
import numpy as np
size = 1024
a = np.ones((size, size), np.float32)
best = float("inf")
for _ in range(40):
    began = time.perf_counter()
    a @ a
    best = min(best, time.perf_counter() - began)
print(2 * size**3 / best)
"""


@cache
def sgemm_peak(threads: int) -> float:
    """Floating-point operations a second of a square matrix product: the best of 40, with NumPy's BLAS.

    In a process of its own, whose BLAS has that many threads, once for every number of threads.
    """
    return _measured_apart(_PEAK, threads)


_BANDWIDTH = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
threads = int(sys.argv[1])
parts = [np.ones(2**25, np.float32) for _ in range(threads)]
best = float("inf")
with ThreadPoolExecutor(threads) as pool:
    for _ in range(15):
        began = time.perf_counter()
        list(pool.map(np.ndarray.max, parts))
        best = min(best, time.perf_counter() - began)
print(sum(part.nbytes for part in parts) / best)
"""


@cache
def read_bandwidth(threads: int) -> float:
    """Bytes a second that so many threads read from memory, 128 MiB each: the best of 15."""
    return _measured_apart(_BANDWIDTH, threads)


def _measured_apart(program: str, threads: int) -> float:
    """What a program prints in a process of its own, whose libraries have so many threads."""
    counts = {f"{name}_NUM_THREADS": str(threads) for name in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM")}
    done = subprocess.run(
        [sys.executable, "-c", program, str(threads)],
        env=os.environ | counts,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
