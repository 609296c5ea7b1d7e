"""One thread against two: how much faster a second core makes each side."""

from __future__ import annotations

from collections.abc import Iterator

from residua.bench import networks
from residua.bench.harness import Harness, compare_conditions
from residua.bench.networks import Network, random_batch
from residua.bench.results import OURS, THEIRS, Goal, Result, format_threads
from residua.bench.timing import Workload, choose_fastest
from residua.engines import open_engine

LEAST = 1.7  # times as fast


def measure(harness: Harness, network: Network = networks.RESNET20, count: int = 128) -> Iterator[Result]:
    """A train step with one thread and with those asked for, at least two, on both sides in turn."""
    pictures, labels = random_batch(network, count)
    most = max(2, harness.threads)
    numbers = {format_threads(threads): threads for threads in (1, most)}
    workloads: dict[tuple[str, str], Workload] = {}
    for label, threads in numbers.items():
        engine = open_engine(harness.engine.name, threads=threads)
        workloads[OURS, label] = networks.train_step(engine, network, pictures, labels)
    mode = ""
    if harness.peer is not None:
        harness.peer.use_threads(most)
        modes = harness.modes(lambda peer, layout: peer.train_step(network, pictures, labels, layout))
        mode, step = choose_fastest(modes, harness.limits)
        for label, threads in numbers.items():
            workloads[THEIRS, label] = harness.peer.with_threads(threads, step)
    one, several = numbers
    work = f"{network.title} train step, batch {count}"
    yield from compare_conditions(
        harness, "scaling", work, workloads, (one, several), Goal(">=", LEAST), mode
    )
    if harness.peer is not None:
        harness.peer.use_threads(harness.threads)
