"""One thread that answers all requests, as many at once as wait, out of a queue with an end."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from residua.deploy.server.answering import Answer, Picture, Served
from residua.deploy.server.explaining import Explainer, Explanation, Wish
from residua.deploy.server.metrics import Metrics
from residua.errors import ResiduaError

IDLE_SECONDS = 1.0  # between looks at the models' files where nobody asks


class Full(ResiduaError):
    """As many requests wait as may."""


@dataclass(eq=False)
class Request:
    """One picture for one model, and who waits for its answer in an event loop."""

    served: Served
    picture: Picture
    answer: asyncio.Future[Answer]

    def settle(self, found: Answer | Exception) -> None:
        """Tell who waits, in their own thread."""
        if self.answer.done():
            return
        if isinstance(found, Exception):
            self.answer.set_exception(found)
        else:
            self.answer.set_result(found)


@dataclass(eq=False)
class ExplanationRequest:
    """One picture whose answer is to be explained."""

    served: Served
    picture: Picture
    wish: Wish
    answer: Future[Explanation] = field(default_factory=Future)


class Worker:
    """The queue and its thread. A request that was taken is answered, also while the worker is ending.

    Explanations come after the answers that wait, and let answers through while they are computed.
    """

    def __init__(self, models: list[Served], most: int, batch: int, metrics: Metrics) -> None:
        self.models, self.batch, self.metrics = models, batch, metrics
        self.waiting: queue.Queue[Request | ExplanationRequest | None] = queue.Queue(most)
        self.said: Callable[[str], None] = lambda line: None
        self.beat = time.monotonic()
        self._ending = False
        self._explainers: dict[Served, Explainer] = {}
        self._explanations: deque[ExplanationRequest] = deque()
        self._thread = threading.Thread(target=self._run, name="answers", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def submit(self, served: Served, picture: Picture) -> asyncio.Future[Answer]:
        """Where the answer will be; it raises PictureError for what is no picture. Raises Full.

        For the thread of an event loop, which hears of all answers of a batch at once.
        """
        request = Request(served, picture, asyncio.get_running_loop().create_future())
        self._queue(request)
        return request.answer

    def explain(self, served: Served, picture: Picture, wish: Wish) -> Future[Explanation]:
        """Where the explanation will be; it raises as `Explainer.explain`. Raises Full."""
        if len(self._explanations) >= self.waiting.maxsize:
            raise _full()
        request = ExplanationRequest(served, picture, wish)
        self._queue(request)
        return request.answer

    def _queue(self, request: Request | ExplanationRequest) -> None:
        try:
            self.waiting.put_nowait(request)
        except queue.Full:
            raise _full() from None

    @property
    def length(self) -> int:
        """Requests that wait."""
        return self.waiting.qsize() + len(self._explanations)

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
        while not self._ending or self._explanations:
            self._serve(IDLE_SECONDS)
            if self._explanations:
                self._explain(self._explanations.popleft())

    def _serve(self, seconds: float) -> None:
        """Answer what waits, up to a batch; with patience for the first."""
        self.beat = time.monotonic()
        requests = self._take(seconds)
        for served in self.models:
            served.look(self.said)
            self._answer(served, [request for request in requests if request.served is served])

    def _take(self, seconds: float) -> list[Request]:
        """What waits to be answered, up to a batch; explanations are put aside."""
        requests: list[Request] = []
        with contextlib.suppress(queue.Empty):
            while len(requests) < self.batch and not self._ending:
                # What comes while a batch is computed is the next: nobody waits for company, nor does
                # what is to be explained.
                patient = seconds and not requests and not self._explanations
                request = self.waiting.get(timeout=seconds) if patient else self.waiting.get_nowait()
                if request is None:
                    self._ending = True
                elif isinstance(request, ExplanationRequest):
                    self._explanations.append(request)
                elif not request.answer.cancelled():
                    requests.append(request)
        return requests

    def _answer(self, served: Served, requests: list[Request]) -> None:
        if not requests:
            return
        answers: Sequence[Answer | Exception]
        try:
            answers = served.answer([request.picture for request in requests])
        except Exception as error:  # whatever it is, those who wait hear of it, and the next are answered
            answers = [error] * len(requests)
        self.metrics.batch(len(requests), sum(isinstance(answer, Answer) for answer in answers))

        def settle() -> None:
            for request, answer in zip(requests, answers, strict=True):
                request.settle(answer)

        with contextlib.suppress(RuntimeError):  # a loop that was ended with force
            requests[0].answer.get_loop().call_soon_threadsafe(settle)

    def _explain(self, request: ExplanationRequest) -> None:
        if not request.answer.set_running_or_notify_cancel():
            return
        served, wish = request.served, request.wish
        try:
            explainer = self._explainers.get(served)
            if explainer is None or explainer.loaded is not served.loaded:
                explainer = self._explainers[served] = Explainer(served, self.batch)
            found = explainer.explain(request.picture, wish, lambda: self._serve(0.0))
        except Exception as error:
            request.answer.set_exception(error)
        else:
            self.metrics.explanation()
            request.answer.set_result(found)


def _full() -> Full:
    return Full("too many requests wait: come again in a second")
