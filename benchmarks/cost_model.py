"""What a step of divided training costs on 1 to 64 machines, computed; printed as a table and drawn.

    python benchmarks/cost_model.py                     the table
    python benchmarks/cost_model.py docs/scale.svg      and the picture

A step takes the time of its part of the batch, of one sum over all gradients, and of the small sums of every
normalisation. In a large sum each of R machines sends and receives 2 (R - 1) / R of its bytes; small ones are
exchanged in log2 R rounds. Nothing of it is hidden behind the computation, as it is not in residua either.
network_cost.py measures these sums between namespaces of one machine, beside what is computed here.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """A network's step on one machine.

    parameters: numbers of the gradient. norms: normalisations, each with a small sum forward and one back.
    seconds: of one machine for its part.
    """

    name: str
    parameters: int
    norms: int
    seconds: float


@dataclass(frozen=True)
class Network:
    """What lies between machines: bytes a second as they are reached, seconds a message."""

    name: str
    bandwidth: float
    latency: float


# Train step of batch 8 on two cores (docs/benchmarks.md): 0.716 s; in proportion for 32.
RESNET50 = Work("ResNet-50 at 224x224, 32 pictures a machine", 25_557_032, 53, 4 * 0.716)
# Batch 128 on two cores, 0.085 s; this is the hard case: little to compute, much to say.
RESNET20 = Work("ResNet-20 at 32x32, 128 pictures a machine", 272_474, 19, 0.085)
NETWORKS = (
    Network("1 GbE", 0.117e9, 50e-6),
    Network("10 GbE", 1.15e9, 30e-6),
    Network("100 GbE", 11e9, 10e-6),
)
# What a normalisation takes more where its batch is divided, before anything is sent: of a step of ResNet-20
# with 64 pictures 6 ms of a processor, beside the same step of a whole batch.
EACH_NORM = 0.006 / 19
EACH_SUM = 2048  # bytes of a normalisation's sums: two numbers of eight bytes a channel
IN_PIECES = 2**16  # bytes from which a sum goes by pieces
BLOCK = 2**19  # bytes of a sum's messages
WAITS = 0.8  # of a message's time, what passes until both ends agree on it, behind what is under way
ROUND = 60e-6  # seconds that a process takes to see a message, add it up and send the next
ADDED = 4e9  # bytes of others that a process adds up in a second
MACHINES = (1, 2, 4, 8, 16, 32, 64)


def sum_seconds(size: int, network: Network, machines: int) -> float:
    """A sum of `size` bytes over machines, as `residua.training.ranks` takes it."""
    if size < IN_PIECES:  # exchanged with one after the other, each twice as far away
        rounds = int(math.log2(machines)) + 2 * (not math.log2(machines).is_integer())
        return rounds * (network.latency + ROUND + size / network.bandwidth)
    share = (machines - 1) / machines
    waited = WAITS * min(size, BLOCK * machines)
    return share * ((2 * size + waited) / network.bandwidth + size / ADDED) + 2 * network.latency


def fetch_seconds(pictures: int, size: int, network: Network, machines: int) -> float:
    """Pictures of `size` bytes for a machine, of which it has its share itself."""
    share = (machines - 1) / machines
    return (1 + WAITS) * share * pictures * size / network.bandwidth + 2 * network.latency


def seconds(work: Work, network: Network, machines: int) -> float:
    """One step."""
    if machines == 1:
        return work.seconds
    sums = sum_seconds(4 * work.parameters, network, machines)
    sums += (2 * work.norms + 2) * sum_seconds(EACH_SUM, network, machines)
    return work.seconds + EACH_NORM * work.norms + sums


def efficiency(work: Work, network: Network, machines: int) -> float:
    """The share of so many machines' time in which they compute what one would."""
    return work.seconds / seconds(work, network, machines)


def main() -> None:
    """Print the table; draw it where a file is named."""
    for work in (RESNET50, RESNET20):
        print(f"\n| {work.name} | " + " | ".join(map(str, MACHINES)) + " |")
        print("|---|" + "---|" * len(MACHINES))
        for network in NETWORKS:
            cells = " | ".join(f"{efficiency(work, network, number):.2f}" for number in MACHINES)
            print(f"| {network.name} | {cells} |")
    if len(sys.argv) > 1:
        draw(sys.argv[1])


def draw(path: str) -> None:
    """Efficiency over machines, a line for each network."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scale"
    import matplotlib.pyplot as pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3), sharey=True)
    for axis, work in zip(axes, (RESNET50, RESNET20), strict=True):
        for network in NETWORKS:
            points = [efficiency(work, network, number) for number in MACHINES]
            axis.plot(MACHINES, points, marker="o", label=network.name)
        axis.set_xscale("log", base=2)
        axis.set_xticks(MACHINES, list(map(str, MACHINES)))
        axis.axhline(0.9, linewidth=0.8, linestyle=":", color="grey")
        axis.set_title(work.name, fontsize=9)
        axis.set_xlabel("machines")
    axes[0].set_ylim(0, 1.05)
    axes[0].set_ylabel("efficiency, computed")
    axes[1].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
