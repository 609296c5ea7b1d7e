"""Two programs in turn in one process: medians, spread, ratio, and a JSON file with the machine."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch

REST_SECONDS = 0.05  # threads of the other side spin on for a while after their call


def seconds(function: Callable[[], object], repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        function()
        found.append(time.perf_counter() - begun)
    return found


@dataclass
class Result:
    name: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    flops: float = 0.0
    peak: float = 0.0

    def row(self) -> dict[str, float | str]:
        def spread(times: list[float]) -> tuple[float, float, float]:
            return tuple(round(1e3 * float(q), 3) for q in np.quantile(times, (0.1, 0.5, 0.9)))

        ours, theirs = spread(self.ours), spread(self.theirs)
        row: dict[str, float | str] = {
            "name": self.name,
            "ours_ms": ours[1], "ours_ms_10_90": f"{ours[0]} to {ours[2]}",
            "pytorch_ms": theirs[1], "pytorch_ms_10_90": f"{theirs[0]} to {theirs[2]}",
            "ratio_of_medians": round(theirs[1] / ours[1], 2),
            "ratio_of_best": round(min(self.theirs) / min(self.ours), 2),
            "median_ratio_per_round": round(median(self.ratios), 2),
        }  # fmt: skip
        if self.flops and self.peak:
            row["share_of_sgemm"] = round(self.flops / min(self.ours) / self.peak, 2)
        return row


def race(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    repeats: int = 3,
    flops: float = 0.0,
) -> Result:
    """Both in turn, each once to warm up and then `repeats` times a round."""
    result = Result(name, flops=flops, peak=sgemm_peak())
    for function in (ours, theirs):
        for _ in range(2):
            function()
    for number in range(rounds):
        order = [(ours, result.ours), (theirs, result.theirs)]
        best = {}
        for function, times in order[:: 1 if number % 2 else -1]:
            time.sleep(REST_SECONDS)
            function()
            found = seconds(function, repeats)
            times += found
            best[id(times)] = min(found)
        result.ratios.append(best[id(result.theirs)] / best[id(result.ours)])
    return result


def sgemm_peak(size: int = 1024) -> float:
    """Multiply-adds times two, a second, of a square matrix product with these threads."""
    a = torch.ones(size, size)
    torch.mm(a, a)
    return 2 * size**3 / min(seconds(lambda: torch.mm(a, a), 5))


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def report(results: list[Result], threads: int, path: Path | None) -> None:
    rows = [result.row() for result in results]
    for row in rows:
        print(
            f"{row['name']:42s} ours {row['ours_ms']:9.2f} ms ({row['ours_ms_10_90']}), "
            f"PyTorch {row['pytorch_ms']:9.2f} ms ({row['pytorch_ms_10_90']}): "
            f"{row['ratio_of_medians']:.2f}x by medians, {row['ratio_of_best']:.2f}x by the best, "
            f"{row['median_ratio_per_round']:.2f}x median of rounds"
            + (f", {row['share_of_sgemm']:.0%} of sgemm" if "share_of_sgemm" in row else "")
        )
    if path is not None:
        about = {
            "processor": processor(), "system": platform.platform(), "python": sys.version.split()[0],
            "threads": threads,
            "versions": {name: version(name) for name in ("numpy", "numba", "llvmlite", "torch")},
            "load": Path("/proc/loadavg").read_text().split()[0] if Path("/proc/loadavg").exists() else "",
        }  # fmt: skip
        path.write_text(json.dumps({"machine": about, "results": rows}, indent=2) + "\n")
