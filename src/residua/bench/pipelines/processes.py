"""A program run to its end: its seconds, what it says of itself, and the memory of all its processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from residua.bench.environment import program_environment
from residua.bench.failures import failure

LOOK_SECONDS = 0.05  # between two looks at the memory
INSIDE = "inside"  # the line of a program that says how long its work took, without its start


@dataclass(frozen=True)
class Finished:
    """seconds: from launching to its end. inside: of its work, as it says itself. memory: MiB, if watched."""

    seconds: float
    inside: float
    memory: float


def run_program(
    module: str,
    arguments: Sequence[object],
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
    watch: bool = False,
) -> Finished:
    """Run `python -m module` with these arguments; its output goes into a file, where one is named.

    watch: look at the memory of the process and all below it. Raises RunError with its last words where it
    fails.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        said = Path(folder, "said") if output is None else output
        with said.open("w") as out:
            began = time.perf_counter()
            with subprocess.Popen(
                command, stdout=out, stderr=errors, env=program_environment(environment)
            ) as process:
                peak = _watch(process) if watch else float("nan")
                code = process.wait()
            seconds = time.perf_counter() - began
            if code:
                raise failure(module, code, errors)
            errors.seek(0)
            words = errors.read().split("\n")
            if output is None:
                words += said.read_text().split("\n")
    inside = [float(line.split()[1]) for line in words if line.startswith(f"{INSIDE} ")]
    return Finished(seconds, inside[-1] if inside else float("nan"), peak)


def _watch(process: subprocess.Popen[bytes]) -> float:
    """The most memory of the tree of processes until its end, in MiB."""
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid))
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
    return peak


def tree_memory(root: int) -> float:
    """MiB of a process and all below it, pages that several share counted once; Linux alone tells."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(
                int(stat.parent.name)
            )
    total, waiting = 0.0, [root]
    while waiting:
        process = waiting.pop()
        waiting += parents.get(process, [])
        with suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) / 1024
    return total
