"""How often each client asks: a bucket of requests that fills with time (token bucket)."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

MOST_CLIENTS = 10_000  # that are remembered; of more, whoever was silent for longest is forgotten
BURST_SECONDS = 5.0  # of requests that may come at once


class Clients:
    """Requests a second of each client, on the average; as many as in five seconds may come at once."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.most = max(1.0, rate * BURST_SECONDS)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # requests left, when

    def ask(self, client: str) -> int:
        """0 where a client may be served now, or after how many whole seconds it may come again."""
        now = time.monotonic()
        left, then = self._buckets.pop(client, (self.most, now))
        left = min(self.most, left + (now - then) * self.rate)
        wait = 0 if left >= 1 else math.ceil((1 - left) / self.rate)
        self._buckets[client] = (left if wait else left - 1, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return wait
