"""Which engine answers: that which is through first, by an estimate of seconds.

What an answer is made of may depend on the machine, within rounding. What training gives may not: a command
repeats its bytes, so `choose_for_training` looks at the job alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from residua.cores import available_cores
from residua.engines.estimate import TINY, Machine, Work, compile_seconds, measured_machine, seconds
from residua.engines.kernel_needs import any_kernels, missing_kernels
from residua.engines.table import installed, require_engine

# Multiply-adds of all passes, forward and back, from which the fast engine trains, on any machine and with
# any cache. On the machine of `estimate` NumPy takes 8 s for as many; Numba 4 s with its kernels in the
# cache, and 15 s where it must first compile the 40 of a small residual network. So either choice loses at
# worst a factor of two here; for larger jobs NumPy would lose more, for smaller ones Numba.
TRAINING = 1.0e11

FEWEST = 8  # kernels that any network needs: how many must be compiled at least where there are none


class EngineLine(str):
    """The line that says which engine answers: it goes before all others."""

    goes_first = True


@dataclass(frozen=True)
class Choice:
    """An engine, and how many kernels it compiles first, in about so many seconds."""

    engine: str
    missing: int = 0
    compiling: float = 0.0

    @property
    def line(self) -> EngineLine:
        """What people are told."""
        if not self.missing:
            return EngineLine(f"Engine: {self.engine}")
        kernels = "1 kernel" if self.missing == 1 else f"{self.missing} kernels"
        about = max(1, round(self.compiling))
        return EngineLine(
            f"Engine: {self.engine}, which first compiles {kernels} for this machine, about {about} s; "
            "this happens once"
        )


def decide(work: Work, machine: Machine, missing: int | None = 0) -> Choice:
    """The engine that is through first on this machine.

    missing: kernels to compile; None where that is not known, and not worth knowing.
    """
    if missing is None or seconds("numpy", work, machine) <= seconds("numba", work, machine, missing):
        return Choice("numpy")
    return Choice("numba", missing, compile_seconds(missing, machine))


def choose(name: str, work: Work, threads: int | None = None) -> Choice:
    """`name` itself, or for "auto" the engine that `decide` says, with the kernels that are in the cache.

    Kernels that are there are always used, for jobs longer than it takes to load them. Raises EngineError for
    an unknown name or a missing engine.
    """
    cores = available_cores()
    threads = threads or cores
    if name != "auto":
        require_engine(name)
        if name != "numba" or work.rehearsal is None:
            return Choice(name)
        missing = missing_kernels(work.rehearsal, threads, patient=True) or 0
        return Choice(name, missing, compile_seconds(missing, measured_machine()) if missing else 0.0)
    if work.total < TINY or not installed("numba"):
        return Choice("numpy")
    machine = measured_machine()
    # Of a product, each thread does its share.
    machine = replace(machine, multiply_adds=machine.multiply_adds * min(threads, cores) / cores)
    best = decide(work, machine)
    if best.engine == "numpy":
        return best
    if work.rehearsal is None:
        return decide(work, machine, 0 if any_kernels() else FEWEST)
    # To look for kernels takes Numba, which takes its time: not where some must be compiled, and even few
    # would take too long.
    patient = any_kernels() or decide(work, machine, FEWEST).engine == "numba"
    return decide(work, machine, missing_kernels(work.rehearsal, threads, patient))


def choose_for_training(name: str, multiply_adds: float) -> str:
    """`name` itself, or for "auto" what a job of so many multiply-adds, all passes, is always trained on.

    Raises EngineError as `choose`.
    """
    if name == "auto":
        return "numba" if multiply_adds >= TRAINING and installed("numba") else "numpy"
    require_engine(name)
    return name
