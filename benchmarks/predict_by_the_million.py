"""Many small pictures in tar shards answered by `residua predict --output`, and by a plain PyTorch script.

    python benchmarks/predict_by_the_million.py MODEL --pictures 100000 --workers 1 2
    python benchmarks/predict_by_the_million.py MODEL --pictures 100000 --peer --rounds 2

MODEL is a ResNet-20 for CIFAR-10. The pictures are made here: CIFAR-10's test pictures as PNG files, over and
over, in tars of 5,000 (RESIDUA_DATA, or noise). The peer is what people write: a data set that reads its
tars, a DataLoader with as many processes, the same network in eval mode, a CSV file at the end. Each is a
whole program, from its start to its end; they run in turn, and memory is the most of all processes together,
pages that several share counted once.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from residua.bench.pipelines.processes import Finished, run_program

A_SHARD = 5000
PEER = "predict_torch"  # beside this file
BESIDE = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}


def pixels() -> np.ndarray:
    """(N, 32, 32, 3) pictures."""
    if "RESIDUA_DATA" in os.environ:
        from residua.config import DataOptions
        from residua.data import open_dataset

        return np.asarray(open_dataset(DataOptions(data="cifar10"), 0).read("test").images[:10_000])
    return np.random.default_rng(0).integers(0, 256, (1000, 32, 32, 3), np.uint8)


def make_shards(folder: Path, count: int) -> None:
    """So many pictures in tars."""
    images = pixels()
    encoded = []
    for image in images[: min(count, len(images))]:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "PNG")
        encoded.append(stream.getvalue())
    for start in range(0, count, A_SHARD):
        with tarfile.open(folder / f"shard-{start // A_SHARD:05d}.tar", "w") as archive:
            for number in range(start, min(start + A_SHARD, count)):
                data = encoded[number % len(encoded)]
                member = tarfile.TarInfo(f"{number:07d}.png")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def agreement(ours: Path, theirs: Path) -> str:
    """How many rows name the same class."""
    rows = [path.read_text().splitlines()[1:] for path in (ours, theirs)]
    classes = [{row.split(",")[0].rsplit("/", 1)[-1]: row.split(",")[1] for row in part} for part in rows]
    same = sum(name == classes[1].get(key) for key, name in classes[0].items())
    return f"{same:,} of {len(classes[0]):,} pictures have the same class"


def main() -> None:
    """Print a line a program: seconds, pictures a second, memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--peer", action="store_true", help="PyTorch's script too")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="residua-million-"))
    try:
        (place / "shards").mkdir()
        make_shards(place / "shards", options.pictures)
        programs: dict[str, tuple[str, list[object]]] = {}
        for workers in options.workers:
            words = ["predict", options.model, place / "shards", "--top", 1]
            words += ["--workers", workers, "--output", place / f"out-{workers}"]
            programs[f"residua, {workers} workers"] = ("residua", words)
        if options.peer:
            programs["PyTorch, 2 loaders"] = (PEER, [options.model, place / "shards", place / "torch.csv"])
        taken: dict[str, list[Finished]] = {name: [] for name in programs}
        for _ in range(options.rounds):
            for name, (module, words) in programs.items():
                for old in place.glob("out-*"):
                    shutil.rmtree(old)
                taken[name].append(run_program(module, words, environment=BESIDE, watch=True))
                if name.startswith("residua"):
                    shutil.copy(next(place.glob("out-*")) / "predictions.csv", place / "ours.csv")
        for name, runs in taken.items():
            seconds, most = statistics.median(run.seconds for run in runs), max(run.memory for run in runs)
            rate = options.pictures / seconds
            print(f"{name:24} {seconds:7.1f} s {rate:9,.0f} pictures a second {most:7.0f} MiB at most")
        if options.peer:
            print(agreement(place / "ours.csv", place / "torch.csv"))
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
