"""A folder of pictures larger than memory trains: shown in a process that may use less than they take.

    python benchmarks/larger_than_memory.py                       6 GB of pictures, 2 GB of memory
    python benchmarks/larger_than_memory.py --pictures 0.5 --memory 0.4 --folder /var/tmp

It makes up a cache of pictures of 224x224 and trains a small residual network on it for some steps, in an
order drawn anew, as `residua train` does. A line of each picture is noise and the rest a hole in a sparse
file, which takes little of the disk; what is read becomes pages of memory all the same. The process is put
into a cgroup whose memory is limited, where that may be made (Linux, as root): pages of the file count, and
the kernel ends what cannot do with less. Elsewhere RLIMIT_DATA bounds what it may allocate, beside the pages
of the file, which the system takes back by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIDE, CLASSES, BATCH = 224, 10, 32
GIGABYTE = 10**9
CGROUPS = Path("/sys/fs/cgroup")


def make_cache(file: Path, gigabytes: float) -> int:
    """(N, 224, 224, 3) bytes in a .npy file, a row of noise in each picture; how many."""
    count = int(gigabytes * GIGABYTE) // (SIDE * SIDE * 3)
    pixels = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=(count, SIDE, SIDE, 3))
    rng = np.random.default_rng(0)
    for number in range(count):
        pixels[number, 0] = rng.integers(0, 256, (SIDE, 3), np.uint8)
    pixels.flush()
    del pixels
    with file.open("rb") as stream:  # pages that this process has would not count as the other's
        os.fsync(stream.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return count


def train(file: Path, steps: int) -> None:
    """Some steps on pictures that are taken from the mapped file, and what they needed, as a line of JSON."""
    from residua.bench.networks import TrainStepper
    from residua.config import OptimizerOptions
    from residua.data import Pictures
    from residua.data.augmentation.pipeline import Augment
    from residua.data.batches import Batches
    from residua.data.pictures.selection import Selection
    from residua.data.preprocessing import Preprocessing
    from residua.engines import open_engine
    from residua.models.architectures.large_resnet import large_resnet

    mapped = np.load(file, mmap_mode="r")
    count = len(mapped)
    # Every tenth picture is held out, as of a folder: what is trained on is a selection of the file.
    rows = np.flatnonzero(np.arange(count) % 10)
    pictures = Pictures(Selection(mapped, rows), rows % CLASSES, range(len(rows)))
    began = time.perf_counter()
    preprocessing = Preprocessing.measure(pictures.images)  # reads every picture
    measured = time.perf_counter() - began
    engine = open_engine("numba")
    batches = Batches(pictures, preprocessing, Augment(crop=28, flip=True), BATCH, seed=0, engine=engine)
    step = TrainStepper(engine, large_resnet(depth=18, width=8, classes=CLASSES), OptimizerOptions(rate=0.01))
    began, done, waited = time.perf_counter(), 0, 0.0
    for epoch in range(steps):
        with batches.epoch(epoch) as under_way:
            for batch in under_way:
                step(batch.images, batch.labels, 0.01)
                done += 1
                if done == steps:
                    break
            waited += batches.waited_seconds
        if done == steps:
            break
    seconds = time.perf_counter() - began
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(
        json.dumps(
            {
                "pictures": len(pictures),
                "pixels_gb": round(mapped.nbytes / GIGABYTE, 2),
                "measured_seconds": round(measured, 1),
                "steps": done,
                "seconds": round(seconds, 1),
                "waited_share": round(waited / seconds, 3),
                "loss": round(step.loss_sum / step.pictures, 4),
                "own_memory_mb": round(int(status["RssAnon"].split()[0]) / 1024),
                "mapped_mb": round(int(status["RssFile"].split()[0]) / 1024),
            }
        )
    )


def limited(memory: float) -> tuple[str, Path | None]:
    """What bounds the memory of the process to come: a cgroup of its own where one can be made."""
    versions = ((CGROUPS, "memory.max"), (CGROUPS / "memory", "memory.limit_in_bytes"))
    for root, setting in versions:  # of cgroups 2 and 1
        group = root / f"residua-{os.getpid()}"
        if not (root / "cgroup.procs").exists():
            continue
        with contextlib.suppress(OSError):
            group.mkdir()
            (group / setting).write_text(str(int(memory * GIGABYTE)))
            return f"a cgroup's {setting}", group
    return "RLIMIT_DATA", None


def main() -> None:
    """Make the cache, train under the limit, say what it needed."""
    parser = argparse.ArgumentParser(description="Train on pictures that memory cannot hold.")
    parser.add_argument("--pictures", type=float, default=6.0, help="gigabytes of pixels")
    parser.add_argument("--memory", type=float, default=2.0, help="gigabytes that the process may use")
    parser.add_argument("--steps", type=int, default=100, help="of 32 pictures")
    parser.add_argument("--folder", help="where the cache is made for the time")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(Path(options.train), options.steps)
        return
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="residua-large-") as folder:
        file = Path(folder, "pixels.npy")
        count = make_cache(file, options.pictures)
        kind, group = limited(options.memory)

        def enter() -> None:
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))
            else:
                most = int(options.memory * GIGABYTE)
                resource.setrlimit(resource.RLIMIT_DATA, (most, most))

        command = [sys.executable, __file__, "--train", str(file), "--steps", str(options.steps)]
        said = f"{count:,} pictures, {options.pictures:g} GB; at most {options.memory:g} GB by {kind}"
        print(said, flush=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, preexec_fn=enter)
        figures = {"limit_gb": options.memory, "limited_by": kind, "code": done.returncode}
        if group is not None:
            for name, key in (("memory.peak", "peak_mb"), ("memory.max_usage_in_bytes", "peak_mb")):
                with contextlib.suppress(OSError):
                    figures[key] = round(int((group / name).read_text()) / 2**20)
            with contextlib.suppress(OSError):
                group.rmdir()
        if done.stdout.strip():
            figures |= json.loads(done.stdout.splitlines()[-1])
        print(json.dumps(figures, indent=1))
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
