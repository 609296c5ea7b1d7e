"""Other processes that compile while the first one does: backward kernels during the forward pass.

LLVM compiles one kernel at a time in a process. The helpers are started at the first kernel that is missing
on this machine, one for each further core, and are `compile_worker`s; here is what the first process knows
of them. What is asked for waits in one queue: a helper is given the next when it is done with the last, and
the first process takes from it too where it would have to wait.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import deque

from residua.cores import available_cores
from residua.engines.numba.runtime import worker_process
from residua.engines.numba.runtime.kernel_names import Key, as_line, from_line
from residua.engines.numba.runtime.worker_process import Process, pipe

WORKER = "residua.engines.numba.runtime.compile_worker"
MOST = 7  # helpers: a network has few kernels more

# What every training needs beside its convolutions: made while the first of these are compiled.
USUAL = (
    "linear.product forward",
    "linear.product weight_gradient",
    "linear.product input_gradient",
    "linear.softmax cross_entropy",
    "linear.softmax count_correct",
    "updates.optimizers update 4 1 1 0",
    "updates.optimizers update 3 2 1 0",
    "updates.optimizers update 0 3 2 0",
    "updates.reductions reduce_pieces 0 0 0 0",
    "updates.reductions reduce_pieces 1 0 0 0",
    "weights.winograd transform_transposed",
    "normalization.passes mask_gradient",
    "normalization.passes normalize",
)


class CompileHelpers:
    """The other processes, as the first one sees them."""

    def __init__(self, count: int | None = None) -> None:
        """count: of processes, as many as there are cores beside this one by default."""
        self._requested = set(USUAL)
        self._asked: deque[str] = deque()
        self._usual = deque(USUAL)
        self._making: dict[Process, str] = {}
        self._idle: list[Process] = []
        self._changed = threading.Condition()
        self._processes: list[Process] = []
        count = min(available_cores() - 1, MOST) if count is None else count
        # Where no process can be started, everything is compiled here, later.
        with contextlib.suppress(OSError, ValueError):
            for _ in range(count):
                self._start()
        self._ending = weakref.finalize(self, worker_process.end, self._processes)

    def _start(self) -> None:
        process = worker_process.start("-m", WORKER)
        self._processes.append(process)
        threading.Thread(target=_listen, args=(weakref.ref(self), process), daemon=True).start()

    def request(self, key: Key) -> None:
        """Have this kernel compiled."""
        line = as_line(key)
        with self._changed:
            if line not in self._requested:
                self._requested.add(line)
                self._asked.append(line)
                self._hand_out()

    def _next(self) -> str | None:
        for queue in (self._asked, self._usual):
            if queue:
                return queue.popleft()
        return None

    def _hand_out(self) -> None:
        while self._idle and (line := self._next()) is not None:
            process = self._idle.pop()
            self._making[process] = line
            try:
                pipe(process.stdin).write(f"{line}\n".encode())
            except OSError:
                del self._making[process]
                self._changed.notify_all()

    def receive(self, process: Process, message: str) -> None:
        """What a process says: that it is ready for the next kernel; nothing once it is gone."""
        with self._changed:
            self._making.pop(process, None)
            if message:
                self._idle.append(process)
            self._hand_out()
            self._changed.notify_all()

    def making(self, key: Key) -> bool:
        """Whether another process makes this kernel now; one that waits is taken out of the queue."""
        line = as_line(key)
        with self._changed:
            self._requested.add(line)
            for queue in (self._asked, self._usual):
                if line in queue:
                    queue.remove(line)
            return line in self._making.values()

    def take(self) -> Key | None:
        """A kernel that nobody has begun, for the asker to make."""
        with self._changed:
            line = self._next()
        return None if line is None else from_line(line)

    def wait(self, key: Key) -> None:
        """Until no other process makes this kernel, or one has become free."""
        line = as_line(key)
        with self._changed:
            if line in self._making.values():
                self._changed.wait()

    def leave(self) -> None:
        """In a forked child: let go of the parent's processes without ending them."""
        self._ending.detach()
        worker_process.leave(self._processes)
        self._processes = []


def _listen(helpers: weakref.ref[CompileHelpers], process: Process) -> None:
    with contextlib.suppress(OSError, ValueError):
        for message in pipe(process.stdout):
            listener = helpers()
            if listener is None:
                return
            listener.receive(process, message.decode().strip())
            del listener
    if listener := helpers():
        listener.receive(process, "")
