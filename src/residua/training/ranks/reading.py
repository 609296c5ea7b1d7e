"""Data that the processes of a job open together: each reads a part, and fetches pictures of the others."""

from __future__ import annotations

import contextlib
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from residua.data.opening import reads_files
from residua.data.pictures.readers import ALONE, Readers
from residua.data.sources.object_stores import fetch_data, is_address
from residua.files.user_cache import user_cache
from residua.training.ranks.agreement import in_turn
from residua.training.ranks.world import World

T = TypeVar("T")
_ASK, _ANSWER = 1, 2  # tags: what is asked for; answers have this and all above it
_TAGS = 1000
_REST_SECONDS = 0.0005  # between looks for messages
_LEAVE_SECONDS = 2.0
_MESSAGE = 2**19  # bytes of pictures in a message, or a picture that is larger
_AT_ONCE = 32  # messages


def open_together(
    world: World | None, data: str, work: Callable[[Readers], T], held: contextlib.ExitStack
) -> T:
    """What `work` opens; where there is a world each process reads its part of files until `held` ends.

    Raises what a process raises, under its name, in all of them.
    """
    if world is None:
        return work(ALONE)
    if not reads_files(data):
        return in_turn(world, lambda: work(ALONE))
    if is_address(data):
        in_turn(world, lambda: fetch_data(data, lambda line: None))
    readers = SharedReading(world)
    if not readers.can_fetch:  # as everywhere before MPI let threads send
        return in_turn(world, lambda: work(ALONE))
    held.enter_context(_until_all_end(readers, world))
    with world.all_or_none():
        done = work(readers)
    return done


@contextlib.contextmanager
def _until_all_end(readers: SharedReading, world: World) -> Iterator[None]:
    try:
        yield
    except BaseException:
        readers.close(_LEAVE_SECONDS)
        raise
    readers.close(world.stall_seconds)


class SharedReading:
    """The processes of a job as `data.pictures.readers` sees them."""

    def __init__(self, world: World) -> None:
        self._world, self.rank, self.size = world, world.rank, world.size
        caches = world.gather_texts(f"{platform.node()}:{user_cache()}")
        self.disks: Sequence[int] = [caches.index(cache) for cache in caches]
        self._comm: Any = world.another()
        self.can_fetch = self._comm is not None
        self._served: list[NDArray[np.uint8]] = []
        self._thread: threading.Thread | None = None
        self._left = threading.Event()
        self._tag, self._tagging = 0, threading.Lock()

    def tell(self, own: bytes) -> list[bytes]:
        """What each process tells all."""
        return self._world.tell(own)

    def serve(self, images: NDArray[np.uint8]) -> int:
        """Let the others fetch these pictures, in a thread, until the end."""
        self._served.append(images)
        if self._thread is None:
            self._thread = threading.Thread(target=self._answer, name="residua-pictures", daemon=True)
            self._thread.start()
        return len(self._served) - 1

    def fetch(self, rank: int, number: int, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures of another process, by messages of bounded size."""
        shape = self._served[number].shape[1:]
        result = np.empty((len(rows), *shape), np.uint8)
        each = max(1, _MESSAGE // max(1, int(np.prod(shape))))
        for start in range(0, len(rows), each * _AT_ONCE):
            # Several at once: a message's beginning is agreed on, while others keep the network busy.
            places = range(start, min(start + each * _AT_ONCE, len(rows)), each)
            requests = [
                self._ask(rank, number, rows[place : place + each], result[place : place + each])
                for place in places
            ]
            for answer, question in requests:
                self._wait(answer, rank)
                question.Wait()
        return result

    def _ask(self, rank: int, number: int, rows: NDArray[np.int64], into: NDArray[np.uint8]) -> Any:
        with self._tagging:
            self._tag = (self._tag + 1) % _TAGS
            tag = _ANSWER + self._tag
        answer = self._comm.Irecv(into, source=rank, tag=tag)
        return answer, self._comm.Isend(np.concatenate([[number, tag], rows]), dest=rank, tag=_ASK)

    def close(self, seconds: float) -> None:
        """Answer until nobody asks any more, at most so long."""
        if self._thread is None:
            return
        everybody, end = self._comm.Ibarrier(), time.monotonic() + seconds
        while not everybody.Test() and time.monotonic() < end:
            time.sleep(_REST_SECONDS)
        self._left.set()
        self._thread.join()
        self._served.clear()

    def _wait(self, request: Any, rank: int) -> None:
        began = time.monotonic()
        while not request.Test():
            time.sleep(_REST_SECONDS / 5)
            seconds = time.monotonic() - began
            if seconds > self._world.stall_seconds:
                name = self._world.name(rank)
                self._world.abort(
                    f"{name} has given no pictures for {seconds:.0f} s; the job ends. {self._world.where}"
                )

    def _answer(self) -> None:
        """The thread that sends what others ask for."""
        from mpi4py import MPI

        comm = self._comm
        under_way: list[tuple[Any, Any]] = []  # answers, whose pictures are kept until they have left
        while not self._left.is_set():
            status = MPI.Status()
            if not comm.Iprobe(source=MPI.ANY_SOURCE, tag=_ASK, status=status):
                under_way = [(request, images) for request, images in under_way if not request.Test()]
                time.sleep(_REST_SECONDS)
                continue
            question = np.empty(status.Get_count(MPI.INT64_T), np.int64)
            comm.Recv(question, source=status.Get_source(), tag=_ASK)
            while len(self._served) <= question[0] and not self._left.is_set():
                time.sleep(_REST_SECONDS)  # whoever asks is a little ahead
            images = np.ascontiguousarray(self._served[question[0]][question[2:]])
            request = comm.Isend(images, dest=status.Get_source(), tag=int(question[1]))
            under_way.append((request, images))
