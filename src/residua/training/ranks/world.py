"""The processes of a job, over MPI: sums, exchanges, and what happens where one of them does not answer."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import ConfigError, ResiduaError, one_line
from residua.training.ranks.launcher import end_with_launcher
from residua.training.ranks.sums import IN_PIECES, sum_in_pieces

Array = NDArray[Any]
# What mpiexec of Open MPI, of MPICH and Intel, and Slurm tell each process of how many there are.
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "SLURM_STEP_NUM_TASKS")
_ASK, _ANSWER = 71, 72  # tags of messages
_SPIN_SECONDS, _LOOK_SECONDS, _ANSWER_SECONDS = 0.005, 0.02, 2.0
NO_LIMIT = float("inf")
_GOES_ON = b"\0"  # before what is told by a process that has not failed
_PIECE = 2**24  # bytes of each process that are exchanged at once


@cache
def find_world() -> World | None:
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
    return World(MPI.COMM_WORLD)


class AgreedError(ConfigError):
    """What ends all processes of a job at once: each of them raises it."""


class World:
    """This process among the others: `rank` of `size`.

    stall_seconds: how long the others are waited for; whoever does not answer then is named, and the job
    ends. where: what to say of how to go on.
    """

    def __init__(self, comm: Any) -> None:
        self.rank, self.size = int(comm.Get_rank()), int(comm.Get_size())
        self._comm, self._watch = comm, comm.Dup()
        self.stall_seconds, self.where = NO_LIMIT, "start it again"
        here = f"{platform.node()}, process {os.getpid()}"
        self.places = [here] * self.size
        self.places = self.gather_texts(here)

    @property
    def first(self) -> bool:
        """Whether this is the process that says and writes what all have to say and write."""
        return self.rank == 0

    @property
    def hosts(self) -> list[str]:
        """The machine of each process."""
        return [place.split(",")[0] for place in self.places]

    # ------------------------------------------------------------------ numbers
    def sum(self, array: Array) -> Array:
        """The sum over all processes, of the same bytes in each."""
        total = np.array(array, order="C")
        if total.nbytes < IN_PIECES or len(set(self.hosts)) == 1:
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
    def gather_texts(self, text: str) -> list[str]:
        """What each process says."""
        every = self._gather_bytes(text.encode(errors="surrogateescape"))
        return [own.decode(errors="surrogateescape") for own in every]

    def tell(self, own: bytes) -> list[bytes]:
        """What each process tells, within `all_or_none`.

        Raises AgreedError where one has failed meanwhile, or has nothing more to tell.
        """
        every = self._gather_bytes(_GOES_ON + own)
        for rank, text in enumerate(every):
            if not text.startswith(_GOES_ON):
                reason = text.decode(errors="surrogateescape")
                raise AgreedError(f"{self.name(rank)}: {reason}" if text else self._finds_others(rank))
        return [text[1:] for text in every]

    def _finds_others(self, rank: int) -> str:
        return (
            f"{self.name(rank)} finds other data than rank {self.rank} where they should be the same: name "
            "the same for every process"
        )

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

    def share_text(self, text: str) -> str:
        """What the first process says."""
        return self.gather_texts(text if self.first else "")[0]

    def any(self, flag: bool) -> bool:
        """Whether any process says yes."""
        return bool(self.sum(np.array(int(flag), np.int64)))

    # ------------------------------------------------------------------ agreement
    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        """What all do each by itself: where one cannot, all end with what it says, under its name.

        Nobody is limited in time here: decoding pictures may take hours.
        """
        before, self.stall_seconds = self.stall_seconds, NO_LIMIT
        problem: ResiduaError | None = None
        try:
            yield
        except ResiduaError as error:
            problem = error
            if isinstance(error, AgreedError):  # all have heard of it
                self.stall_seconds = before
                raise
        words = self.gather_texts("" if problem is None else f"{problem}")
        self.stall_seconds = before
        # Others may still read while this one has come to the end: they have other data.
        late = [rank for rank, text in enumerate(words) if text.startswith("\0")]
        failed = [rank for rank, text in enumerate(words) if text and rank not in late]
        if not failed and not late:
            return
        if not failed:
            raise AgreedError(self._finds_others(late[0]))
        alike = len(failed) == self.size and len(set(words)) == 1
        raise AgreedError(words[0] if alike else f"{self.name(failed[0])}: {words[failed[0]]}")

    def compare(self, what: str, own: dict[str, Any]) -> None:
        """Raise AgreedError, in all processes, where one was given something else than the first."""
        texts = self.gather_texts(json.dumps(own, sort_keys=True, default=str))
        if len(set(texts)) == 1:
            return
        rank = next(rank for rank, text in enumerate(texts) if text != texts[0])
        first, other = json.loads(texts[0]), json.loads(texts[rank])
        key = next(key for key in first | other if first.get(key) != other.get(key))
        raise AgreedError(
            f"{self.name(rank)} has {what} other than rank 0: {key} is {_short(other.get(key))} there and "
            f"{_short(first.get(key))} on rank 0; start all of them alike"
        )

    def another(self) -> Any:
        """The same processes, for messages that nobody else sees; None where threads may not send any."""
        from mpi4py import MPI

        return self._comm.Dup() if MPI.Query_thread() == MPI.THREAD_MULTIPLE else None

    def name(self, rank: int) -> str:
        """A process as people find it."""
        return f"rank {rank} ({self.places[rank]})"

    # ------------------------------------------------------------------ ends
    @contextlib.contextmanager
    def taking_part(self, *expected: type[Exception] | type[KeyboardInterrupt]) -> Iterator[None]:
        """End the whole job where this process alone fails.

        expected: what all meet at once, beside AgreedError; of that the first process alone speaks.
        """
        try:
            yield
        except SystemExit:
            raise
        except (AgreedError, *expected) as error:
            if self.first:
                raise
            sys.exit(getattr(error, "exit_code", 130))
        except ResiduaError as error:
            self.abort(f"{self.name(self.rank)}: {error}", error.exit_code)
        except BaseException:
            import traceback

            traceback.print_exc()
            self.abort(f"{self.name(self.rank)} has failed", 1)

    def abort(self, line: str, code: int = 2) -> None:
        """Say why, and end every process of the job."""
        print(f"residua: {line}", file=sys.stderr, flush=True)
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
        who = ", ".join(map(self.name, sorted(silent))) or "every process waits, and none"
        verb = "have" if len(silent) > 1 else "has"
        self.abort(f"{who} {verb} not answered for {seconds:.0f} s; the job ends. {self.where}")


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _IN_PLACE() -> Any:
    from mpi4py import MPI

    return MPI.IN_PLACE


def _ANY() -> int:
    from mpi4py import MPI

    return int(MPI.ANY_SOURCE)


def _status() -> Any:
    from mpi4py import MPI

    return MPI.Status()
