"""Other processes that compile while the first one does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")
from residua.engines.numba.kernels.linear import softmax
from residua.engines.numba.kernels.updates import reductions
from residua.engines.numba.runtime.compile_helper import USUAL, CompileHelpers
from residua.engines.numba.runtime.kernel_names import as_line, from_line

FIRST, SECOND = (softmax.softmax, ()), (reductions.reduce_pieces, (0, 0, 0, 0))


def test_another_process_makes_what_it_is_asked_for(tmp_path):
    lines = "".join(f"{as_line(key)}\n" for key in (FIRST, SECOND))
    command = [sys.executable, "-W", "ignore", "-m", "residua.engines.numba.runtime.compile_worker"]
    environment = os.environ | {"RESIDUA_KERNEL_CACHE": str(tmp_path)}
    done = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["ready"] * 3
    assert {path.name for path in tmp_path.rglob("*.o")} == {
        "linear-softmax-softmax.o",
        "updates-reductions-reduce_pieces-0-0-0-0.o",
    }


def test_what_nobody_has_begun_is_taken_in_the_order_asked():
    helpers = CompileHelpers(0)
    helpers.request(FIRST)
    helpers.request(FIRST)
    assert not helpers.making(SECOND)
    taken = []
    while (key := helpers.take()) is not None:
        taken.append(as_line(key))
    assert taken[0] == as_line(FIRST)
    # What was taken out of the queue to be made here is not made twice.
    assert sorted(taken[1:]) == sorted(line for line in USUAL if from_line(line) != SECOND)


class Pipes:
    """A process of which only the pipe exists."""

    def __init__(self):
        self.stdin, self.lines = self, []

    def write(self, line):
        self.lines.append(line.decode().strip())


def test_a_free_process_is_given_the_next_kernel_and_is_waited_for():
    helpers, process = CompileHelpers(0), Pipes()
    helpers.request(FIRST)
    helpers.receive(process, "ready")
    assert process.lines == [as_line(FIRST)]
    assert helpers.making(FIRST)
    helpers.receive(process, "ready")
    assert process.lines[1:] == [USUAL[0]]
    assert not helpers.making(FIRST)


def test_a_process_that_dies_makes_nothing_any_more():
    helpers, process = CompileHelpers(0), Pipes()
    helpers.request(FIRST)
    helpers.receive(process, "ready")
    helpers.receive(process, "")
    assert not helpers.making(FIRST)
    helpers.wait(FIRST)
