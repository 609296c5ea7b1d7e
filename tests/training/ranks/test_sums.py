"""Sums over processes by pieces and by doubling, beside those of MPI."""

from __future__ import annotations

import subprocess
import sys

import pytest
from documents import load_tool
from mpi_jobs import NEEDS, PROGRAM

PARTS = """
import numpy
from mpi4py import MPI
from residua.training.ranks.sums import sum_by_doubling, sum_in_pieces

comm = MPI.COMM_WORLD
for count in (1, 7, 100_001):
    own = numpy.random.default_rng(comm.rank).integers(0, 1000, count).astype(numpy.float32)
    wanted = numpy.array(own)
    comm.Allreduce(MPI.IN_PLACE, wanted)
    sum_in_pieces(comm, lambda request: request.Wait(), own)
    assert (own == wanted).all()
for count in (1, 130):
    own = numpy.random.default_rng(comm.rank).random(count)
    wanted = numpy.array(own)
    comm.Allreduce(MPI.IN_PLACE, wanted)
    for _ in range(50):
        total = sum_by_doubling(comm, lambda request: request.Wait(), own)
        assert numpy.allclose(total, wanted, rtol=1e-14)
    assert len({every.tobytes() for every in comm.allgather(total)}) == 1
print("equal")
"""


@NEEDS
@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_pieces_add_up_to_the_whole(size):
    pytest.importorskip("mpi4py")
    program = str(PROGRAM if PROGRAM.exists() else "mpiexec")
    words = [program, "--oversubscribe", "-n", str(size), sys.executable, "-c", PARTS]
    done = subprocess.run(
        words, env=load_tool("kill_ranks").environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["equal"] * size, done.stderr
