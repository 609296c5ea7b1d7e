"""Processes of mpiexec killed at random, and the run begun again, held against one that was left in peace.

    python tools/kill_ranks.py --kills 20
    python tools/kill_ranks.py --kills 20 --ranks 4 --exact     resumed by another number of processes
    python tools/kill_ranks.py --kills 10 --hosts               two hosts on JAX instead of mpiexec

A tiny network is trained on scikit-learn's digits. Every second or so one of the processes is killed
(SIGKILL); the job must end within 15 seconds, and is resumed. In the end the model, the logs and the last
checkpoint must hold the same bytes as those of the run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from residua.files.checksums import file_sha256

MOST_SECONDS = 15.0  # until a job must have ended after one of its processes did
KEPT = ("best.safetensors", "last.safetensors", "log.jsonl", "statistics.jsonl")


def command(ranks: int, *arguments: str) -> list[str]:
    """residua with these arguments, in so many processes."""
    program = [sys.executable, "-m", "residua", *arguments]
    if ranks == 1:
        return program
    mpiexec = Path(sys.executable).with_name("mpiexec")
    return [str(mpiexec if mpiexec.exists() else "mpiexec"), "--oversubscribe", "-n", str(ranks), *program]


def two_hosts(*arguments: str) -> list[str]:
    """The same by two hosts on JAX, and processes that look after them: any of the four may be killed."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]
    each = [sys.executable, "-m", "residua", *arguments, "--hosts", "2", "--coordinator", f"localhost:{port}"]
    first, second = (shlex.join([*each, "--host-id", number]) for number in "01")
    return ["bash", "-c", f"{first} & first=$!; {second}; second=$?; wait $first && exit $second"]


def environment() -> dict[str, str]:
    """What the processes find: one thread each, and leave to run Open MPI as root in a container."""
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return os.environ | allowed | {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}


def members(run: Path) -> list[int]:
    """The processes that train in this folder, mpiexec apart."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().split(b"\0")
        except OSError:
            continue
        launcher = any(word.endswith((b"mpiexec", b"prterun")) for word in words[:2])
        if str(run).encode() in words and not launcher:
            found.append(int(line.parent.name))
    return found


@dataclass(frozen=True)
class Trouble:
    """How a run is disturbed.

    kills: how many. ranks: processes at the start. exact: begun again with other numbers of them. pause: at
    most so many seconds of training before a kill. early: share of kills at any moment of the start. hosts:
    two, on JAX.
    """

    kills: int
    ranks: int
    exact: bool
    pause: float = 0.6
    early: float = 0.3
    hosts: bool = False


def disturb(run: Path, begin: list[str], rng: random.Random, trouble: Trouble) -> tuple[int, float]:
    """Train in `run`, killed and resumed: how many kills, and the longest seconds to the end of a job."""
    done, longest, number = 0, 0.0, trouble.ranks
    while True:
        known = set(run.glob("checkpoint-*.safetensors"))
        arguments = ["train", "--resume", str(run)] if known else [*begin, "--run", str(run)]
        if not known:
            shutil.rmtree(run, ignore_errors=True)  # killed before it began: nothing was lost
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        words = two_hosts(*arguments) if trouble.hosts else command(number, *arguments)
        job = subprocess.Popen(words, env=environment(), **quiet)
        if done < trouble.kills:
            early = rng.random() < trouble.early
            limit = time.monotonic() + (rng.uniform(0.0, 5.0) if early else 60.0)
            while time.monotonic() < limit and job.poll() is None:
                if not early and set(run.glob("checkpoint-*.safetensors")) - known:
                    time.sleep(rng.uniform(0.0, trouble.pause))
                    break
                time.sleep(0.02)
            victims = members(run)
            if job.poll() is None and victims:
                os.kill(rng.choice(victims), signal.SIGKILL)
                done, killed = done + 1, time.monotonic()
                job.wait(MOST_SECONDS)
                longest = max(longest, time.monotonic() - killed)
        if job.wait() == 0:
            return done, longest
        if trouble.exact:
            number = rng.choice([1, 2, 4])


def digests(run: Path) -> dict[str, str]:
    """What must be the same bytes."""
    return {name: file_sha256(run / name) for name in KEPT}


def main() -> int:
    """Parse, train twice, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--hosts", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin = ["train", "digits", "--model", "resnet8", "--width", "4", "--batch", "64"]
    begin += ["--epochs", str(options.epochs), "--checkpoint-steps", "5", "--no-final-test"]
    begin += ["--engine", "jax" if options.hosts else "numpy"]
    begin += ["--exact-ranks"] if options.exact else []
    with tempfile.TemporaryDirectory() as folder:
        peaceful, disturbed = Path(folder) / "peaceful", Path(folder) / "disturbed"
        first = 1 if options.exact else options.ranks
        whole = [*begin, "--run", str(peaceful)]
        job = two_hosts(*whole) if options.hosts else command(first, *whole)
        subprocess.run(job, env=environment(), check=True, stdout=subprocess.DEVNULL)
        rng = random.Random(options.seed)
        trouble = Trouble(options.kills, options.ranks, options.exact, early=0.0 if options.hosts else 0.3)
        trouble = replace(trouble, hosts=options.hosts)
        kills, longest = disturb(disturbed, begin, rng, trouble)
        same = digests(peaceful) == digests(disturbed)
    print(f"{kills} kills, the job ended within {longest:.1f} s of each; the same bytes: {same}")
    return 0 if same and kills == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
