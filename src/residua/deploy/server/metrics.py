"""What a server has done, counted, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence

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
        self.seconds, self.batches, self.pictures = Histogram(SECONDS), Histogram(BATCHES), 0

    def request(self, status: int, seconds: float, *, picture: bool) -> None:
        """A request was answered with this status; the time counts where it was about a picture."""
        with self._lock:
            self.requests[status] += 1
            if picture:
                self.seconds.add(seconds)
                self.pictures += status == 200

    def batch(self, size: int) -> None:
        """So many pictures were answered at once."""
        with self._lock:
            self.batches.add(size)

    def text(self, waiting: int, versions: Mapping[str, str]) -> str:
        """All of it. waiting: requests in the queue. versions: of the models, by name."""
        with self._lock:
            codes = [
                f'residua_requests_total{{code="{code}"}} {n}' for code, n in sorted(self.requests.items())
            ]
            lines = [
                "# TYPE residua_requests_total counter",
                *codes,
                "# TYPE residua_pictures_total counter",
                f"residua_pictures_total {self.pictures}",
                "# TYPE residua_waiting gauge",
                f"residua_waiting {waiting}",
                "# TYPE residua_model_info gauge",
                *(
                    f'residua_model_info{{model="{_escaped(name)}",version="{version}"}} 1'
                    for name, version in versions.items()
                ),
                *self.seconds.lines("residua_request_seconds"),
                *self.batches.lines("residua_batch_size"),
            ]
        return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
