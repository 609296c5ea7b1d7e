"""One thread that answers all requests, as many at once as wait, out of a queue with an end."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from residua.deploy.server.answering import Served
from residua.deploy.server.metrics import Metrics
from residua.errors import PictureError, ResiduaError
from residua.insight.prediction.numbers import Prediction

IDLE_SECONDS = 1.0  # between looks at the models' files where nobody asks


class Full(ResiduaError):
    """As many requests wait as may."""


@dataclass(eq=False)
class Request:
    """One picture file for one model."""

    served: Served
    content: bytes
    top: int
    answer: Future[Prediction] = field(default_factory=Future)


class Worker:
    """The queue and its thread. A request that was taken is answered, also while the worker is ending."""

    def __init__(self, models: list[Served], most: int, batch: int, metrics: Metrics) -> None:
        self.models, self.batch, self.metrics = models, batch, metrics
        self.waiting: queue.Queue[Request | None] = queue.Queue(most)
        self.said: Callable[[str], None] = lambda line: None
        self.beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def submit(self, served: Served, content: bytes, top: int) -> Future[Prediction]:
        """Where the answer will be; it raises PictureError for what is no picture. Raises Full."""
        request = Request(served, content, top)
        try:
            self.waiting.put_nowait(request)
        except queue.Full:
            raise Full("too many requests wait: come again in a second") from None
        return request.answer

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Answer what waits, and end."""
        self.waiting.put(None)
        self._thread.join()
        for served in self.models:
            served.close()

    def _run(self) -> None:
        last = False
        while not last:
            self.beat = time.monotonic()
            requests, last = self._take()
            for served in self.models:
                served.look(self.said)
                self._answer(served, [request for request in requests if request.served is served])

    def _take(self) -> tuple[list[Request], bool]:
        """What waits, up to a batch; whether that is the end."""
        requests: list[Request] = []
        with contextlib.suppress(queue.Empty):
            while len(requests) < self.batch:
                # What comes while a batch is computed is the next: nobody waits for company.
                request = self.waiting.get_nowait() if requests else self.waiting.get(timeout=IDLE_SECONDS)
                if request is None:
                    return requests, True
                if request.answer.set_running_or_notify_cancel():
                    requests.append(request)
        return requests, False

    def _answer(self, served: Served, requests: list[Request]) -> None:
        if not requests:
            return
        self.metrics.batch(len(requests))
        try:
            answers = served.answer([r.content for r in requests], [r.top for r in requests])
        except Exception as error:  # whatever it is, those who wait hear of it, and the next are answered
            for request in requests:
                request.answer.set_exception(error)
            return
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, PictureError):
                request.answer.set_exception(answer)
            else:
                request.answer.set_result(answer)
