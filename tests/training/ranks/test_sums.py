"""Sums over processes by pieces, beside those of MPI."""

from __future__ import annotations

import subprocess
import sys

import pytest
from documents import load_tool
from mpi_jobs import NEEDS, PROGRAM

PARTS = """
import numpy
from mpi4py import MPI
from residua.training.ranks.sums import sum_in_pieces

comm = MPI.COMM_WORLD
for count in (1, 7, 100_001):
    own = numpy.random.default_rng(comm.rank).integers(0, 1000, count).astype(numpy.float32)
    wanted = numpy.array(own)
    comm.Allreduce(MPI.IN_PLACE, wanted)
    sum_in_pieces(comm, lambda request: request.Wait(), own)
    assert (own == wanted).all()
print("equal")
"""


@NEEDS
def test_pieces_add_up_to_the_whole():
    pytest.importorskip("mpi4py")
    program = str(PROGRAM if PROGRAM.exists() else "mpiexec")
    words = [program, "--oversubscribe", "-n", "3", sys.executable, "-c", PARTS]
    done = subprocess.run(
        words, env=load_tool("kill_ranks").environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["equal"] * 3, done.stderr
