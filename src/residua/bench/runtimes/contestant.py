"""One side of the race, as a process: it opens, says that it is ready, and answers when it is told to.

    python -m residua.bench.runtimes.contestant SIDE JOB

A line comes in, a line goes out. `answer FILE` writes the logits as a .npy file. `run N` answers N times
after calls that are not counted, and gives the milliseconds of each.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TextIO

import numpy as np

from residua.bench.runtimes.sides import SIDES, Answer, Job

# Calls that are not counted, until so long has passed: caches hold what another process did, threads sleep.
FORGETTING_SECONDS = 0.03


def serve(side: str, job: Job, commands: TextIO, replies: TextIO) -> None:
    """Open the side and do what the lines say, until there are no more."""
    answer, mode = SIDES[side](job)
    for _ in range(3):  # the first may compile, the third record
        answer()
    _reply(replies, {"mode": mode})
    for line in commands:
        command, _, argument = line.strip().partition(" ")
        if command == "answer":
            np.save(argument, np.array(answer()))
            _reply(replies, {})
        else:
            _reply(replies, {"milliseconds": _time(answer, int(argument))})


def _time(answer: Answer, count: int) -> list[float]:
    began = time.perf_counter()
    answer()
    while time.perf_counter() - began < FORGETTING_SECONDS:
        answer()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        answer()
        times.append(1e3 * (time.perf_counter() - began))
    return times


def _reply(replies: TextIO, content: dict[str, object]) -> None:
    replies.write(json.dumps(content) + "\n")
    replies.flush()


if __name__ == "__main__":
    serve(sys.argv[1], Job.from_text(sys.argv[2]), sys.stdin, sys.stdout)
