"""One thread against two: how much faster a second core makes each side."""

from __future__ import annotations

from collections.abc import Iterator

from residua.bench import networks
from residua.bench.networks import Network, random_batch
from residua.bench.race import Turn, better
from residua.bench.results import OURS, THEIRS, Goal, Result, threads_in_words
from residua.bench.setup import Setup, against_itself
from residua.engines import open_engine

LEAST = 1.7  # times as fast


def measure(setup: Setup, network: Network = networks.RESNET20, count: int = 128) -> Iterator[Result]:
    """A train step with one thread and with those asked for, at least two, on both sides in turn."""
    pictures, labels = random_batch(network, count)
    most = max(2, setup.threads)
    numbers = {threads_in_words(threads): threads for threads in (1, most)}
    turns: dict[tuple[str, str], Turn] = {}
    for label, threads in numbers.items():
        engine = open_engine(setup.engine.name, threads=threads)
        turns[OURS, label] = networks.train_step(engine, network, pictures, labels)
    mode = ""
    if setup.peer is not None:
        setup.peer.use_threads(most)
        modes = setup.modes(lambda peer, layout: peer.train_step(network, pictures, labels, layout))
        mode, step = better(modes, setup.limits)
        for label, threads in numbers.items():
            turns[THEIRS, label] = setup.peer.with_threads(threads, step)
    one, several = numbers
    work = f"{network.title} train step, batch {count}"
    yield from against_itself(setup, "scaling", work, turns, (one, several), Goal(">=", LEAST), mode)
    if setup.peer is not None:
        setup.peer.use_threads(setup.threads)
