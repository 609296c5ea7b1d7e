"""What the addresses of a server share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from residua.config import ServeConfig
from residua.deploy.server.answering import Served
from residua.deploy.server.metrics import Metrics
from residua.deploy.server.refusals import Refused
from residua.deploy.server.worker import IDLE_SECONDS, Worker

STUCK_SECONDS = 60.0  # of one batch, after which it does not count as alive
BODIES = 16  # of the largest picture file, whose bytes may be held at once


@dataclass
class State:
    """What the addresses share. draining: told to end, and not ready for more. held: bytes of bodies."""

    config: ServeConfig
    models: Sequence[Served]
    worker: Worker
    metrics: Metrics
    draining: bool = False
    held: int = 0

    @property
    def live(self) -> bool:
        """Whether the worker gets on."""
        return self.worker.alive and time.monotonic() - self.worker.beat < STUCK_SECONDS + IDLE_SECONDS

    @property
    def ready(self) -> bool:
        """Whether requests are taken."""
        return self.live and not self.draining

    @property
    def names(self) -> list[str]:
        """The models' names, each once."""
        return list(dict.fromkeys(served.name for served in self.models))

    @property
    def most_held(self) -> int:
        """Bytes of bodies that may be held at once."""
        return int(max(BODIES * self.config.megabytes, 2 * self.config.many_megabytes) * 1e6)

    def versions(self, name: str) -> list[str]:
        """Of one model, in the order in which they were given."""
        return [served.version for served in self.models if served.name == name]

    def find(self, name: str | None = None, version: str | None = None) -> Served:
        """The model of that name and version, or the first of either. Raises Refused."""
        if name is None:
            return self.models[0]
        named = [served for served in self.models if served.name == name]
        if not named:
            raise Refused(404, f"there is no model {name[:60]!r}; there are {', '.join(self.names)}")
        if version is None:
            return named[0]
        for served in named:
            if served.version == version:
                return served
        raise Refused(
            404, f"{name} has no version {version[:60]!r}; there are {', '.join(self.versions(name))}"
        )
