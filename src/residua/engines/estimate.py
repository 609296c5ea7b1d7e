"""How many seconds a job will take on each engine: a function of the job, the machine and the kernels.

Everything measured stands here, each figure with its source, so that one that has changed is changed once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua.cores import available_cores

if TYPE_CHECKING:
    from residua.engines.vocabulary.core import Engine

# Shares of the speed of a matrix product of 512x512 (float32, NumPy) that passes through networks reach:
# (forward alone, forward and back by the picture), the way back counted as two forward. Medians of SqueezeNet
# and ResNet-18 at 224 and 64 pixels, ResNet-20 at 32 and 8, ResNet-8 at 8, VGG-11 and AlexNet at 224, least
# times on a loaded AMD EPYC (Zen 4, two threads). Networks are up to twice as fast or as slow.
SHARES = {"numpy": (0.16, 0.19), "numba": (0.41, 0.24)}
BACK = 2.0  # forward passes that a pass back counts as

# Seconds that an engine's first answer takes longer, where nothing is compiled: machine code is loaded. The
# difference in processor time of `residua predict` by both: 0.25 s with ResNet-20, 0.9 s with SqueezeNet.
START = {"numpy": 0.0, "numba": 0.6}

# Processor seconds for each kernel that has to be compiled: where the package carries them in LLVM's language
# (0.5 to 0.8 in three jobs), and where Numba has to make that first.
CARRIED_SECONDS, WHOLE_SECONDS = 0.65, 1.7
MOST_PROCESSES = 4  # that share them, as many as there are cores

# Loop turns of the interpreter a second on the machine of these figures: what starting and compiling, which
# are scalar code, are scaled by. And its multiply-adds a second in the matrix product.
TURNS = 3.0e7
MULTIPLY_ADDS = 1.0e11

TINY = 2e8  # multiply-adds: less than a second on any machine, so nothing is measured for them


@dataclass(frozen=True)
class Rehearsal:
    """How to find out which kernels a job needs: `run` does its passes on an engine, with nobody reading.

    name: gives what is the same for all jobs that need the same kernels.
    """

    name: Callable[[], str]
    run: Callable[[Engine], Any]


@dataclass(frozen=True)
class Work:
    """What a job computes, in multiply-adds of a pass forward through the network.

    forward: of pictures that go forward alone. gradients: of those that go forward and back. rehearsal:
    None where nobody knows.
    """

    forward: float = 0.0
    gradients: float = 0.0
    rehearsal: Rehearsal | None = None

    @property
    def total(self) -> float:
        """All multiply-adds."""
        return self.forward + (1 + BACK) * self.gradients


@dataclass(frozen=True)
class Machine:
    """What a machine does in a second: multiply-adds of a matrix product, and turns of a Python loop.

    cores: that compile. carried: whether kernels have been compiled half.
    """

    multiply_adds: float = MULTIPLY_ADDS
    turns: float = TURNS
    cores: int = 2
    carried: bool = True


def seconds(engine: str, work: Work, machine: Machine, missing: int = 0) -> float:
    """What the job takes on that engine, its start included, where so many kernels must be compiled."""
    forward, both = SHARES[engine]
    computing = (work.forward / forward + (1 + BACK) * work.gradients / both) / machine.multiply_adds
    return computing + START[engine] * TURNS / machine.turns + compile_seconds(missing, machine)


def compile_seconds(missing: int, machine: Machine) -> float:
    """What it takes to compile so many kernels."""
    each = CARRIED_SECONDS if machine.carried else WHOLE_SECONDS
    return missing * each / min(machine.cores, MOST_PROCESSES) * TURNS / machine.turns


@cache
def measured_machine() -> Machine:
    """This machine, measured in some ten milliseconds, once in a process."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    side, cores = 512, available_cores()
    one = np.full((side, side), 0.5, np.float32)
    # By one thread: where others keep the cores busy, several wait for each other, and it seemed up to twenty
    # times slower than it is.
    with threadpool_limits(1, user_api="blas"):
        product = _least_seconds(lambda: one @ one, 6)
    loop = _least_seconds(_loop, 3)
    carried = any(Path(__file__).with_name("numba").joinpath("carried").glob("*.zip"))
    return Machine(cores * side**3 / product, _TURNS_MEASURED / loop, cores, carried)


_TURNS_MEASURED = 20_000


def _loop() -> int:
    total = 0
    for number in range(_TURNS_MEASURED):
        total += number & 7
    return total


def _least_seconds(work: Callable[[], Any], times: int) -> float:
    # The first is slower, of whatever is at rest: threads, caches, clocks.
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return max(best, 1e-9)
