"""The processes that mpiexec has started, over MPI: sums, exchanges, and those that do not answer."""

from __future__ import annotations

import importlib.util
import os
import time
from functools import cache
from typing import Any

import numpy as np

from residua.errors import ConfigError, one_line
from residua.training.ranks.launcher import end_with_launcher
from residua.training.ranks.sums import IN_PIECES, sum_by_doubling, sum_in_pieces
from residua.training.ranks.supervisor import tell
from residua.training.ranks.world import Array, World, this_place

# What mpiexec of Open MPI, of MPICH and Intel, and Slurm tell each process of how many there are.
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "SLURM_STEP_NUM_TASKS")
_ASK, _ANSWER = 71, 72  # tags of messages
_PIECE = 2**24  # bytes of each process that are exchanged at once
_SPIN_SECONDS, _LOOK_SECONDS, _ANSWER_SECONDS = 0.005, 0.02, 2.0


@cache
def find_mpi() -> MpiWorld | None:
    """The job that this process is one of; None where it is alone. Raises ConfigError without MPI."""
    size = next((os.environ[name] for name in _SIZES if os.environ.get(name, "").isdecimal()), "1")
    if int(size) < 2:
        return None
    if importlib.util.find_spec("mpi4py") is None:
        raise ConfigError(
            f"this is one of {size} processes of mpiexec, and they talk through mpi4py, which is not "
            "installed: pip install 'residua[mpi]'"
        )
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as problem:
        reason = one_line(problem, 150)
        raise ConfigError(f"mpi4py finds no MPI ({reason}): pip install 'residua[mpi]'") from None
    if MPI.COMM_WORLD.Get_size() == 1:
        raise ConfigError(
            f"this is one of {size} processes, but mpi4py's MPI knows of one alone: start them with the "
            "mpiexec of the MPI that mpi4py found, or build it against yours "
            "(pip install --no-binary mpi4py mpi4py)"
        )
    end_with_launcher("Go on with: mpiexec -n ... residua train --resume RUN")
    return MpiWorld(MPI.COMM_WORLD)


class MpiWorld(World):
    """The processes of mpiexec."""

    def __init__(self, comm: Any) -> None:
        self.rank, self.size = int(comm.Get_rank()), int(comm.Get_size())
        self._comm, self._watch = comm, comm.Dup()
        here = this_place()
        self.places = [here] * self.size
        self.places = self.gather_texts(here)

    # ------------------------------------------------------------------ numbers
    def sum(self, array: Array) -> Array:
        """The sum over all processes, of the same bytes in each."""
        total = np.array(array, order="C")
        if total.nbytes < IN_PIECES:
            return sum_by_doubling(self._comm, self._wait, total.reshape(-1)).reshape(total.shape)
        if len(set(self.hosts)) == 1:
            self._wait(self._comm.Iallreduce(_IN_PLACE(), total))
        else:
            sum_in_pieces(self._comm, self._wait, total.reshape(-1))
        return total

    def gather(self, array: Array) -> Array:
        """(size, ...) what each process gives, all of one shape."""
        own = np.array(array, order="C")
        every = np.empty((self.size, *own.shape), own.dtype)
        self._wait(self._comm.Iallgather(own, every))
        return every

    def share(self, array: Array) -> Array:
        """The first process's array; what the others give says its shape."""
        shared = np.array(array)
        self._wait(self._comm.Ibcast(shared, root=0))
        return shared

    # ------------------------------------------------------------------ words
    def _gather_bytes(self, own: bytes) -> list[bytes]:
        """What each process gives, a piece at a time."""
        lengths = self.gather(np.array(len(own), np.int64))
        every = [b""] * self.size
        for start in range(0, max(1, int(lengths.max())), _PIECE):
            piece = np.zeros(min(_PIECE, int(lengths.max()) - start) + 1, np.uint8)
            part = np.frombuffer(own[start : start + _PIECE], np.uint8)
            piece[: len(part)] = part
            for rank, row in enumerate(self.gather(piece)):
                every[rank] += row[: max(0, min(_PIECE, int(lengths[rank]) - start))].tobytes()
        return every

    def another(self) -> Any:
        """The same processes, for messages that nobody else sees; None where threads may not send any."""
        from mpi4py import MPI

        return self._comm.Dup() if MPI.Query_thread() == MPI.THREAD_MULTIPLE else None

    def abort(self, line: str, code: int = 2) -> None:
        """Say why, and end every process of the job."""
        tell(line, code)
        self._comm.Abort(code)

    def _wait(self, request: Any) -> None:
        """Wait for the others, and answer those who ask whether this process lives."""
        began = time.monotonic()
        look = began + _LOOK_SECONDS
        while not request.Test():
            now = time.monotonic()
            if now < look:
                time.sleep(0 if now - began < _SPIN_SECONDS else 0.0001)
                continue
            look = now + _LOOK_SECONDS
            self._answer()
            if now - began > self.stall_seconds:
                self._tell_stalled(request, now - began)
                return

    def _answer(self) -> None:
        while self._watch.Iprobe(tag=_ASK):
            status = _status()
            self._watch.Recv(np.empty(1, np.uint8), source=_ANY(), tag=_ASK, status=status)
            self._watch.Isend(np.ones(1, np.uint8), dest=status.Get_source(), tag=_ANSWER)

    def _tell_stalled(self, request: Any, seconds: float) -> None:
        """Ask all others; end the job, naming those who give no answer."""
        silent = set(range(self.size)) - {self.rank}
        for rank in silent:
            self._watch.Isend(np.zeros(1, np.uint8), dest=rank, tag=_ASK)
        end = time.monotonic() + _ANSWER_SECONDS
        while silent and time.monotonic() < end:
            self._answer()
            if self._watch.Iprobe(tag=_ANSWER):
                status = _status()
                self._watch.Recv(np.empty(1, np.uint8), source=_ANY(), tag=_ANSWER, status=status)
                silent.discard(status.Get_source())
            if request.Test():  # it was only slow
                return
            time.sleep(0.001)
        who = f"{self.names_have(silent)} not answered"
        said = who if silent else "every process answers, and none has gone on"
        self.abort(f"{said} for {seconds:.0f} s; the job ends. {self.where}")


def _IN_PLACE() -> Any:
    from mpi4py import MPI

    return MPI.IN_PLACE


def _ANY() -> int:
    from mpi4py import MPI

    return int(MPI.ANY_SOURCE)


def _status() -> Any:
    from mpi4py import MPI

    return MPI.Status()
