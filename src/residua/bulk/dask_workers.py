"""Workers of a Dask cluster that answer parts: the scheduler gives them out, and anew where a worker is lost.

Messages hold the names of pictures, and the model's path and SHA-256, never the model; they are pickled on
their way, so a scheduler belongs into a network that is trusted, or behind Dask's own TLS.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

from residua.bulk.answering import Answered, Part, answer
from residua.bulk.manifest import Asked
from residua.errors import ConfigError, ResiduaError, RunError, one_line

CONNECT_SECONDS = 15.0
PATIENCE_SECONDS = 30.0  # for a scheduler that does not answer any more
AHEAD = 2  # parts given out for each worker, so that none waits for the next


class DaskWorkers:
    """The workers of a scheduler, as many as there are at the time."""

    def __init__(self, address: str, asked: Asked) -> None:
        """Raises ConfigError where nobody answers there, or Dask is not installed."""
        try:
            import distributed
        except ImportError:
            raise ConfigError("--scheduler takes Dask: pip install 'residua[cluster]'") from None
        self._dask: Any = distributed
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it would say is said here
        self.address, self._asked = address, asked
        try:
            self._client: Any = self._dask.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError) as problem:
            raise ConfigError(
                f"no Dask scheduler answers at {address} ({one_line(problem)}): start one with "
                "`dask scheduler`, or name its address with --scheduler"
            ) from None
        self._busy: dict[Any, Part] = {}
        self._workers: dict[str, Any] = {}
        self._seen = time.monotonic()
        self._look()

    @property
    def sharers(self) -> int:
        """The most workers on one machine."""
        hosts = Counter(str(worker.get("host")) for worker in self._workers.values())
        return max(hosts.values(), default=1)

    @property
    def free(self) -> int:
        """How many more parts can be given out."""
        return AHEAD * max(1, len(self._workers)) - len(self._busy)

    def give(self, part: Part) -> None:
        """Have a part answered."""
        try:
            future = self._client.submit(
                answer, self._asked, part, pure=False, key=f"residua-part-{part.number}-{time.time_ns()}"
            )
        except Exception as problem:
            # A client that has just lost its scheduler says so by whatever it was about.
            if self._client.status == "running":
                raise
            raise self._gone() from problem
        self._busy[future] = part

    def finished(self) -> Iterator[tuple[Part, Answered | None]]:
        """Parts that are answered, once there are some; None for one whose workers ended.

        Raises as `answer`, and RunError where the scheduler or residua on a worker is gone.
        """
        with contextlib.suppress(Exception):  # the time is over, or a connection is: seen below
            self._dask.wait(list(self._busy), timeout=2, return_when="FIRST_COMPLETED")
        self._look()
        for future, part in list(self._busy.items()):
            if future.status == "pending":
                continue
            del self._busy[future]
            try:
                answered = self._result(future)
            except (OSError, CancelledError):  # lost with its connection, perhaps while it was brought
                self._await_scheduler()
                self.give(part)
            else:
                yield part, answered

    def close(self) -> None:
        """Take back what is not answered, and leave."""
        with contextlib.suppress(Exception):  # a scheduler that is gone has nothing to be told
            self._client.cancel(list(self._busy))
            self._client.close(timeout=5)

    def _result(self, future: Any) -> Answered | None:
        if future.status == "finished":
            answered: Answered = future.result()
            return answered
        if future.status != "error":
            raise CancelledError
        problem = future.exception()
        if isinstance(problem, self._dask.KilledWorker):
            return None
        if isinstance(problem, ResiduaError):
            raise problem
        raise RunError(
            f"a worker of {self.address} cannot do its part ({type(problem).__name__}: {one_line(problem)}): "
            "it needs the same residua and Python as this machine"
        )

    def _look(self) -> None:
        """Who is there. Raises RunError where the scheduler has been silent for too long."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):  # told below, when it goes on
                self._workers = dict(self._client.scheduler_info(n_workers=-1)["workers"])
                self._seen = time.monotonic()
        if time.monotonic() - self._seen > PATIENCE_SECONDS or self._client.status in ("closed", "failed"):
            raise self._gone()

    def _gone(self) -> RunError:
        return RunError(
            f"the scheduler at {self.address} is gone: start it and its workers again, then give the same "
            "command; parts that are done are kept"
        )

    def _await_scheduler(self) -> None:
        """Wait until the scheduler is back. Raises RunError as `_look`."""
        while self._client.status != "running":
            time.sleep(0.5)
            self._look()
