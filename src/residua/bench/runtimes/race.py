"""Residua and the runtimes in turn, every one in a process that is stopped while it is not its turn."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from residua.bench import PEERS
from residua.bench.failures import failure
from residua.bench.results import OURS, Goal, Result
from residua.bench.runtimes.graph import write_graph
from residua.bench.runtimes.sides import GRAPH, Job, Logits
from residua.bench.timing import Limits, read_bandwidth, sgemm_peak

TURN_SECONDS = 0.25  # a turn lasts at least about that long
MOST_REPEATS = 60
LEAST_REPEATS = 3
RUNTIMES = (PEERS["onnxruntime"], PEERS["openvino"])  # what goals are set against


class Contestant:
    """A process that answers when it is told to, and is stopped otherwise: no thread of it spins."""

    def __init__(self, side: str, job: Job) -> None:
        self.side = side
        self._errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115
        command = [sys.executable, "-m", "residua.bench.runtimes.contestant", side, job.to_text()]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )

    def wait(self) -> str:
        """Until it is ready; how it runs. Raises RunError where it ends instead."""
        mode: str = self._reply()["mode"]
        self._stop()
        return mode

    def answer(self, file: Path) -> Logits:
        """Its logits."""
        self._ask(f"answer {file}")
        logits: Logits = np.load(file, allow_pickle=False)
        return logits

    def run(self, count: int) -> list[float]:
        """Milliseconds of so many answers."""
        times: list[float] = self._ask(f"run {count}")["milliseconds"]
        return times

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._signal("SIGCONT")
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        reply = self._reply()
        self._stop()
        return reply

    def _reply(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            reply: dict[str, Any] = json.loads(line)
            return reply
        raise failure(self.side, self._process.wait(), self._errors)

    def _stop(self) -> None:
        if hasattr(signal, "SIGSTOP"):
            self._signal("SIGSTOP")
        else:
            time.sleep(0.1)  # until its threads have gone to sleep

    def _signal(self, name: str) -> None:
        if hasattr(signal, name) and self._process.poll() is None:
            os.kill(self._process.pid, getattr(signal, name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()


def race(job: Job, peers: Sequence[str], limits: Limits, goal: Goal | None) -> Result:
    """One line: every side opened, their answers compared, then in turn in an order drawn for each turn.

    peers: names of `PEERS` that are installed. Raises RunError where a side ends.
    """
    titles = {"residua": OURS} | {peer: PEERS[peer] for peer in peers}
    write_graph(job.raced, Path(job.folder, GRAPH))
    with ExitStack() as stack:
        sides: dict[str, Contestant] = {}
        modes = {}
        for side, title in titles.items():
            sides[title] = stack.enter_context(Contestant(side, job))
            modes[title] = sides[title].wait()
        answers = {title: sides[title].answer(Path(job.folder, f"{title}.npy")) for title in sides}
        samples = _in_turn(sides, limits)
    network, count = job.raced, job.count
    return Result(
        "inference",
        f"{network.title} inference, {f'batch {count}' if count > 1 else 'one picture'}",
        job.threads,
        "ms",
        samples,
        modes=modes,
        goal=goal,
        flops=2.0 * count * network.multiply_adds(),
        peak=sgemm_peak(job.threads),
        reads=4.0 * network.parameters(),
        bandwidth=read_bandwidth(job.threads),
        against=RUNTIMES,
        differences=dict(_differences(answers)),
    )


def _differences(answers: Mapping[str, Logits]) -> Iterator[tuple[str, tuple[float, float]]]:
    """Of each peer's logits from residua's: the largest, and as a share of residua's largest logit."""
    ours = answers[OURS]
    for side, theirs in answers.items():
        if side != OURS:
            largest = float(np.abs(ours - theirs).max())
            yield side, (largest, largest / float(np.abs(ours).max()))


def _in_turn(sides: Mapping[str, Contestant], limits: Limits) -> dict[str, list[list[float]]]:
    slowest = max(min(contestant.run(2)) for contestant in sides.values()) / 1e3
    repeats = 1 if slowest > 1 else min(MOST_REPEATS, max(LEAST_REPEATS, ceil(TURN_SECONDS / slowest)))
    samples: dict[str, list[list[float]]] = {side: [] for side in sides}
    order, draw = list(sides), random.Random(0)
    began = time.perf_counter()
    for _ in range(limits.rounds):
        draw.shuffle(order)
        for side in order:
            samples[side].append(sides[side].run(repeats))
        if time.perf_counter() - began > limits.seconds:
            break
    return samples
