"""A job of predictions whose processes are killed at random, held against one that was left in peace.

    python tools/kill_prediction.py --kills 20
    python tools/kill_prediction.py --kills 20 --workers 1 2 8      begun again with another number each time

A network with random weights answers made-up pictures in small parts. At random moments a worker, or now and
then the job itself, is killed (SIGKILL); a killed job must leave no process behind, and is given again. In
the end the joined table, and every part, must hold the same bytes as those of the job that nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from residua.config import ModelOptions
from residua.data.preprocessing import Preprocessing
from residua.models import build_model
from residua.models.model_file import Model, save_model

MOST_SECONDS = 15.0  # until no process of a killed job is left


def prepare(place: Path, pictures: int) -> None:
    """A model and pictures of noise."""
    network = build_model(ModelOptions(model="resnet8", width=8), channels=3, classes=10, size=(32, 32))
    rng = np.random.default_rng(0)
    names = tuple(map(str, range(10)))
    shape = Preprocessing(32, 32, 3, (0.5,) * 3, (0.25,) * 3)
    save_model(place / "model.safetensors", Model("resnet8", network, network.init(rng), names, shape))
    (place / "pictures").mkdir()
    for number in range(pictures):
        noise = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(noise).save(place / "pictures" / f"{number:05d}.png")


def begin(place: Path, output: str, workers: int, part: int) -> subprocess.Popen[bytes]:
    """The job, in the folder `place`."""
    words = ["predict", "model.safetensors", "pictures", "--output", output, "--engine", "numpy"]
    words += ["--workers", str(workers), "--part", str(part), "--threads", "1"]
    command = [sys.executable, "-m", "residua", *words]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def children(parent: int) -> list[int]:
    """The workers of a job."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
            words = entry.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z" and b"spawn_main" in words:
            found.append(int(entry.parent.name))
    return found


def left_of(workers: list[int]) -> float:
    """Seconds until none of these processes is left."""
    began = time.monotonic()
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        if time.monotonic() - began > MOST_SECONDS:
            sys.exit(f"workers {workers} go on {MOST_SECONDS:.0f} s after their job was killed")
        time.sleep(0.05)
    return time.monotonic() - began


def disturb(place: Path, options: argparse.Namespace, rng: random.Random) -> dict[str, int]:
    """The job, killed and given again until it is done; how often which process was killed."""
    kills = {"worker": 0, "job": 0}
    longest = 0.0
    while True:
        job = begin(place, "killed", rng.choice(options.workers), options.part)
        while sum(kills.values()) < options.kills and job.poll() is None:
            time.sleep(rng.uniform(0.05, options.pause))
            workers = children(job.pid)
            if rng.random() < 0.4:
                job.kill()
                job.wait()
                kills["job"] += 1
                longest = max(longest, left_of(workers))
                break
            if workers:
                os.kill(rng.choice(workers), signal.SIGKILL)
                kills["worker"] += 1
        _, errors = job.communicate()
        if job.returncode == 0:
            print(f"No worker was there {longest:.1f} s after its job was killed, at the latest.")
            return kills
        if job.returncode != -signal.SIGKILL:
            sys.exit(f"the job ended with {job.returncode}: {errors.decode(errors='replace')}")


def rows(folder: Path) -> dict[str, bytes]:
    """Every file of a job that holds answers, or says what they are."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "manifest.json"}


def main() -> None:
    """Compare a disturbed job with one left in peace; exit code 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, nargs="+", default=[2])
    parser.add_argument("--pictures", type=int, default=8000)
    parser.add_argument("--part", type=int, default=20)
    parser.add_argument("--pause", type=float, default=2.0, help="at most so many seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="residua-kill-"))
    try:
        prepare(place, options.pictures)
        if begin(place, "whole", 1, options.part).wait():
            sys.exit("the job that nobody disturbed failed")
        kills = disturb(place, options, random.Random(options.seed))
        whole, killed = rows(place / "whole"), rows(place / "killed")
        everywhere = sorted({*whole, *killed})
        differing = [name for name in everywhere if whole.get(name) != killed.get(name)]
        pictures = whole["predictions.csv"].count(b"\n") - 1
        print(f"{kills['worker']} workers and {kills['job']} jobs killed, {pictures:,} pictures answered.")
        if differing:
            sys.exit(f"{len(differing)} of {len(whole)} files differ, such as {differing[0]}")
        print(f"All {len(whole)} files hold the same bytes.")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
