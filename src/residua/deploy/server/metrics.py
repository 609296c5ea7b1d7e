"""What a server has done, counted, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Histogram:
    """How many numbers lie at or below each bound, how many there are, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.total, self.count = bounds, [0] * len(bounds), 0.0, 0

    def add(self, value: float) -> None:
        """One number more."""
        self.total += value
        self.count += 1
        for place, bound in enumerate(self.bounds):
            self.counts[place] += value <= bound

    def lines(self, name: str) -> list[str]:
        """The lines of a metric of type histogram."""
        rows = [
            f'{name}_bucket{{le="{bound:g}"}} {n}' for bound, n in zip(self.bounds, self.counts, strict=True)
        ]
        rows.append(f'{name}_bucket{{le="+Inf"}} {self.count}')
        return [f"# TYPE {name} histogram", *rows, f"{name}_sum {self.total:g}", f"{name}_count {self.count}"]


class Metrics:
    """Counts that any thread may add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[int] = Counter()
        self.seconds, self.batches = Histogram(SECONDS), Histogram(BATCHES)
        self.pictures = self.explanations = 0

    def request(self, status: int, seconds: float, *, picture: bool) -> None:
        """A request was answered with this status; the time counts where it was about a picture."""
        with self._lock:
            self.requests[status] += 1
            if picture:
                self.seconds.add(seconds)

    def batch(self, size: int, answered: int) -> None:
        """So many pictures were computed at once, of which so many could be read."""
        with self._lock:
            self.batches.add(size)
            self.pictures += answered

    def explanation(self) -> None:
        """An answer was explained."""
        with self._lock:
            self.explanations += 1

    def text(self, waiting: int, versions: Iterable[tuple[str, str]]) -> str:
        """All of it. waiting: requests in the queue. versions: names and versions of the models."""
        with self._lock:
            codes = [
                f'residua_requests_total{{code="{code}"}} {n}' for code, n in sorted(self.requests.items())
            ]
            lines = [
                "# TYPE residua_requests_total counter",
                *codes,
                "# TYPE residua_pictures_total counter",
                f"residua_pictures_total {self.pictures}",
                "# TYPE residua_explanations_total counter",
                f"residua_explanations_total {self.explanations}",
                "# TYPE residua_waiting gauge",
                f"residua_waiting {waiting}",
                "# TYPE residua_model_info gauge",
                *(
                    f'residua_model_info{{model="{_escaped(name)}",version="{_escaped(version)}"}} 1'
                    for name, version in versions
                ),
                *self.seconds.lines("residua_request_seconds"),
                *self.batches.lines("residua_batch_size"),
            ]
        return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
