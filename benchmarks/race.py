"""Two programs in turn in one process: medians, spread, ratio, and a JSON file with the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from residua.training.run_folder import machine, versions

REST_SECONDS = 0.05  # threads of the other side spin on for a while after their call


class Clock:
    """Wall time; or this process's processor time, which others on the machine disturb less (one thread)."""

    now: Callable[[], float] = time.perf_counter


def seconds(function: Callable[[], object], repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        begun = Clock.now()
        function()
        found.append(Clock.now() - begun)
    return found


@dataclass
class Result:
    name: str
    flops: float
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def row(self, peak: float) -> dict[str, float | str]:
        def times(name: str, found: list[float]) -> dict[str, float | str]:
            low, middle, high = (round(1e3 * float(q), 2) for q in np.quantile(found, (0.1, 0.5, 0.9)))
            return {f"{name}_ms": middle, f"{name}_ms_10_to_90": f"{low} to {high}"}

        row: dict[str, float | str] = {"name": self.name} | times("ours", self.ours)
        row["share_of_sgemm_peak"] = round(self.flops / min(self.ours) / peak, 2)
        if self.theirs:
            row |= times("pytorch", self.theirs)
            row["ratio_of_medians"] = round(median(self.theirs) / median(self.ours), 2)
            row["ratio_of_best"] = round(min(self.theirs) / min(self.ours), 2)
            row["median_ratio_of_rounds"] = round(median(self.ratios), 2)
        return row


def race(
    name: str,
    flops: float,
    ours: Callable[[], object],
    theirs: Callable[[], object] | None,
    rounds: int,
    repeats: int = 3,
) -> Result:
    """Both in turn, each once to warm up and then `repeats` times a round; without a peer ours alone."""
    result = Result(name, flops)
    runners = [(ours, result.ours)] + ([(theirs, result.theirs)] if theirs is not None else [])
    for function, _ in runners:
        function()
        function()
    for number in range(rounds):
        for function, found in runners[:: 1 if number % 2 else -1]:
            time.sleep(REST_SECONDS)
            function()
            found += seconds(function, repeats)
        if theirs is not None:
            result.ratios.append(min(result.theirs[-repeats:]) / min(result.ours[-repeats:]))
    return result


_PEAK = """
import sys, time
import numpy as np
size = 1024
a = np.ones((size, size), np.float32)
best = float("inf")
for _ in range(40):
    begun = time.perf_counter()
    a @ a
    best = min(best, time.perf_counter() - begun)
print(2 * size**3 / best)
"""


def sgemm_peak(threads: int) -> float:
    """Floating-point operations a second of a square matrix product: the best of many, with NumPy's BLAS.

    In a process of its own: here BLAS is held to one thread, so that its threads do not disturb the race.
    """
    counts = {f"{name}_NUM_THREADS": str(threads) for name in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM")}
    done = subprocess.run(
        [sys.executable, "-c", _PEAK], env=os.environ | counts, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def line(row: dict[str, float | str]) -> str:
    """A result for people. The share counts a convolution's plain sum, which Winograd's way undercuts."""
    text = f"{row['name']}: residua {row['ours_ms']} ms ({row['ours_ms_10_to_90']})"
    if "pytorch_ms" in row:
        text += f", PyTorch {row['pytorch_ms']} ms ({row['pytorch_ms_10_to_90']})"
        text += f", ratio {row['ratio_of_medians']} (of the best {row['ratio_of_best']})"
    return text + f"; {row['share_of_sgemm_peak']} of the sgemm peak"


def report(results: list[Result], threads: int, path: Path | None) -> None:
    """Lines for people, and JSON with the machine and the versions."""
    peak = sgemm_peak(threads)
    rows = [result.row(peak) for result in results]
    for row in rows:
        print(line(row))
    if path is not None:
        load = Path("/proc/loadavg")
        about = machine() | {
            "threads": threads,
            "clock": "processor time" if Clock.now is time.process_time else "wall time",
            "sgemm_peak_gflops": round(peak / 1e9),
            "versions": versions(("numpy", "numba", "llvmlite", "torch")),
            "load": load.read_text().split()[0] if load.exists() else "unknown",
        }
        path.write_text(json.dumps({"machine": about, "results": rows}, indent=2) + "\n")
