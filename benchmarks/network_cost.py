"""The sums of divided training over networks of known speed, measured beside what cost_model.py computes.

    sudo python benchmarks/network_cost.py                    2 and 4 machines, 0.1, 1 and 10 Gbit/s
    sudo python benchmarks/network_cost.py --machines 2 --rates 1

Machines are network namespaces of this one, joined by a bridge, each end held to a rate (tc's tbf) in both
directions; processes are started in them by mpiexec and talk TCP alone. It takes Linux, root, iproute2 and
residua[mpi]; all that it makes is taken away at the end. A line for each sum that training takes: seconds
measured (median), seconds computed from what two machines reach when both send, and from what a message of
eight bytes takes, and their ratio.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from cost_model import IN_PIECES, RESNET20, RESNET50, Network, fetch_seconds, sum_seconds

from residua.training.ranks.mpi import MpiWorld
from residua.training.ranks.reading import SharedReading

BRIDGE, PLACE = "rbridge", "10.213.7"
# What is summed: bytes, and how often it is measured at most.
SUMS = {
    "a normalisation of 64 channels": (130 * 8, 300),
    "a normalisation of 512 channels": (1026 * 8, 300),
    "the gradient of ResNet-20": (4 * RESNET20.parameters, 40),
    "the gradient of ResNet-50": (4 * RESNET50.parameters, 5),
}
PICTURES, PICTURE = 32, 224 * 224 * 3
BURST = 1e-3  # seconds of a rate that may pass at once: less, and a busy machine does not reach the rate
MOST_SECONDS = 25.0  # for one of them


def ip(*words: str) -> None:
    """`ip` with these words."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


def address(number: int) -> str:
    """Of a machine."""
    return f"{PLACE}.{number + 1}"


@contextlib.contextmanager
def machines(count: int) -> Iterator[None]:
    """So many namespaces, rm0, rm1 and on, on one bridge."""
    remove()
    try:
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("link", "set", BRIDGE, "up")
        for number in range(count):
            name, outer = f"rm{number}", f"rv{number}"
            ip("netns", "add", name)
            ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", outer, "master", BRIDGE, "up")
            ip("-n", name, "addr", "add", f"{address(number)}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        remove()


def remove() -> None:
    """Take away what an earlier run has left."""
    found = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    for line in found.splitlines():
        if line.startswith("rm"):
            ip("netns", "del", line.split()[0])
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    ours = [line.split(": ")[1].partition("@")[0] for line in links.splitlines()]
    for name in [BRIDGE, *(name for name in ours if name[:2] == "rv" and name[2:].isdigit())]:
        # A namespace's cables go some time after it.
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "del", name)


def limit(count: int, gigabits: float) -> None:
    """Hold both ends of every cable to a rate."""
    burst = max(16, int(gigabits * 1e9 / 8 * BURST / 1000))  # kB
    shape = f"root tbf rate {gigabits * 1000:.0f}mbit burst {burst}kb latency 100ms".split()
    for number in range(count):
        inside = ["tc", "-n", f"rm{number}", "qdisc", "replace", "dev", "eth0", *shape]
        subprocess.run(inside, check=True)
        subprocess.run(["tc", "qdisc", "replace", "dev", f"rv{number}", *shape], check=True)


def start(count: int, folder: Path) -> dict[str, Any]:
    """Measure with one process in each namespace: what the first of them says."""
    agent = folder / "agent"
    last = "${host##*.}"
    agent.write_text(
        f'#!/bin/sh\nhost="$1"; shift; number=$(({last} - 1))\n'
        'exec ip netns exec rm$number unshare --uts sh -c "hostname rm$number; $*"\n'
    )
    agent.chmod(agent.stat().st_mode | stat.S_IXUSR)
    mpiexec = Path(sys.executable).with_name("mpiexec")
    hosts = ",".join(f"{address(number)}:1" for number in range(count))
    options = f"--mca pml ob1 --mca btl tcp,self --mca btl_tcp_if_include {PLACE}.0/24".split()
    options += f"--prtemca plm_ssh_agent {agent} --prtemca prte_if_include {PLACE}.0/24".split()
    words = [str(mpiexec if mpiexec.exists() else "mpiexec"), "--host", hosts, "-n", str(count), *options]
    words += [sys.executable, __file__, "--measure"]
    first = ["ip", "netns", "exec", "rm0", "unshare", "--uts", "sh", "-c", 'hostname rm0; exec "$@"', "-"]
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    own = os.environ | allowed | {"TMPDIR": str(folder)}
    done = subprocess.run([*first, *words], env=own, capture_output=True, text=True, timeout=400)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise SystemExit(f"mpiexec failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def measure() -> None:
    """In each process: the sums as training takes them, and what a message takes."""
    from mpi4py import MPI

    comm, world = MPI.COMM_WORLD, MpiWorld(MPI.COMM_WORLD)
    assert len(set(world.hosts)) == world.size, world.places
    found: dict[str, Any] = {"message": there_and_back(world, comm) / 2, "reached": both_ways(world, comm)}
    for name, (size, most) in SUMS.items():
        array = np.ones(size // 4, np.float32) if size > 2**16 else np.ones(size // 8)
        found[name] = median(world, lambda array=array: world.sum(array), most)
    reading = SharedReading(world)
    number = reading.serve(np.zeros((PICTURES, 224, 224, 3), np.uint8))
    found["pictures"] = median(world, lambda: fetch(reading, number), 60)
    reading.close(10.0)
    if world.first:
        print(json.dumps(found), flush=True)


def there_and_back(world: Any, comm: Any) -> float:
    """Seconds of a message of eight bytes to the next machine and back, waited for as training does."""
    own, times = np.zeros(1), []
    for _ in range(500):
        began = time.perf_counter()
        for source, dest in ((0, 1), (1, 0)):
            if comm.rank == source:
                comm.Isend(own, dest=dest)
            elif comm.rank == dest:
                world._wait(comm.Irecv(own, source=source))
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def both_ways(world: MpiWorld, comm: Any) -> float:
    """Bytes a second that reach each machine while it sends as many, to the next in a ring.

    In messages that Open MPI sends without asking first.
    """
    size, count = 2**15, 256
    given, taken = np.zeros((count, size), np.uint8), np.empty((count, size), np.uint8)

    def shift() -> None:
        after, before = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
        received = [comm.Irecv(part, source=before) for part in taken]
        sent = [comm.Isend(part, dest=after) for part in given]
        for request in received + sent:
            world._wait(request)

    return size * count / median(world, shift, 12)


def fetch(reading: SharedReading, number: int) -> None:
    """A machine's part of a batch, of which it has its share itself."""
    count = PICTURES // reading.size
    for step in range(1, reading.size):
        reading.fetch((reading.rank + step) % reading.size, number, np.arange(count))


def median(world: Any, work: Any, most: int) -> float:
    """Seconds, by the slowest process of each turn."""
    times: list[float] = []
    while (len(times) < most and sum(times) < MOST_SECONDS) or len(times) < 2:
        world.gather(np.zeros(1))
        began = time.perf_counter()
        work()
        times.append(float(world.gather(np.array(time.perf_counter() - began)).max()))
    return float(np.median(times[1:]))


def main() -> None:
    """Parse, and measure at each rate; print measured beside computed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--machines", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.1, 1.0, 10.0], help="Gbit/s")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure()
        return
    print("| machines | Gbit/s | what is exchanged | measured | computed | measured / computed |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in options.machines:
            with machines(count):
                for rate in options.rates:
                    limit(count, rate)
                    report(count, rate, start(count, Path(folder)))


def report(count: int, rate: float, found: dict[str, Any]) -> None:
    """Lines of the table."""
    network = Network("", found["reached"], found["message"])
    at_once = Network("", 1e12, found["message"])  # what is small passes as fast as the bridge can
    computed = {
        name: sum_seconds(size, at_once if size < IN_PIECES else network, count)
        for name, (size, _) in SUMS.items()
    }
    computed["pictures"] = fetch_seconds(PICTURES, PICTURE, network, count)
    shown = {"pictures": f"{PICTURES} pictures of 224x224 fetched"}
    reached = f"{found['reached'] / 1e6:.1f} MB/s, {found['reached'] * 8e-9 / rate:.2f} of the rate"
    print(f"| {count} | {rate:g} | both ways at once | {reached} | | |")
    print(f"| {count} | {rate:g} | a message of 8 bytes | {1e6 * found['message']:.0f} us | | |")
    for name, seconds in computed.items():
        what, ratio = shown.get(name, name), f"{found[name] / seconds:.2f}"
        print(f"| {count} | {rate:g} | {what} | {told(found[name])} | {told(seconds)} | {ratio} |")
    sys.stdout.flush()


def told(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.2f} ms"


if __name__ == "__main__":
    main()
