"""The networks whose answers are raced beside the runtimes, and what each is to reach."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from residua.bench import networks
from residua.bench.harness import Harness
from residua.bench.networks import Network
from residua.bench.results import Goal, Result
from residua.bench.runtimes.race import race
from residua.bench.runtimes.sides import Job

# The network, how many pictures a batch has, and how many times the faster runtime for a batch and for one.
LINES: tuple[tuple[Network, int, float, float], ...] = (
    (networks.RESNET20, 128, 2.5, 1.3),
    (networks.RESNET18, 8, 1.7, 1.2),
    (networks.RESNET50, 8, 1.0, 1.05),
    (networks.VGG16_LARGE, 8, 1.7, 1.2),
    (networks.ALEXNET, 8, 1.0, 1.05),
    (networks.SQUEEZENET, 8, 1.0, 1.05),
)


def measure(harness: Harness) -> Iterator[Result]:
    """Every network with a batch and with one picture, on all sides that are installed."""
    for network, batch, most, one in LINES:
        for count, least in ((batch, most), (1, one)):
            yield measure_line(harness, network, count, Goal(">=", least))


def measure_line(harness: Harness, network: Network, count: int, goal: Goal | None) -> Result:
    """One network's answers for so many pictures."""
    with tempfile.TemporaryDirectory(prefix="residua-bench-") as folder:
        job = Job(network.title, count, harness.threads, harness.engine.name, folder)
        return race(job, harness.installed, harness.limits, goal)
