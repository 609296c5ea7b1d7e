"""A million pictures in tar shards become training data in bounded memory: what it takes, by the million.

    python benchmarks/a_million_pictures.py                     100,000 pictures of 8x8 in shards of 10,000
    python benchmarks/a_million_pictures.py --pictures 1000000 --format parquet --folder /var/tmp

It writes the shards (WebDataset's samples, or Parquet as the Hugging Face Hub has it), reads them in a
process of its own with a cache of its own, twice (decoded, then from the cache), and takes 100 batches.
Printed: the seconds, and the largest resident memory of that process less what it has before it opens
anything.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

SIDE, CLASSES = 8, 10


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    """The bytes of a picture (8, 8, 3), as a PNG."""
    rows = np.concatenate([np.zeros((SIDE, 1), np.uint8), pixels.reshape(SIDE, -1)], axis=1).tobytes()

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows, 1)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write_tar(path: Path, start: int, pictures: list[bytes]) -> None:
    """Samples such as 000000001.png and 000000001.cls."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for number, content in enumerate(pictures, start):
            for ending, data in (("png", content), ("cls", str(number % CLASSES).encode())):
                member = tarfile.TarInfo(f"{number:09d}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def write_parquet(path: Path, start: int, pictures: list[bytes]) -> None:
    """Rows of {bytes, path} and a label."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    images = [{"bytes": content, "path": None} for content in pictures]
    labels = [number % CLASSES for number in range(start, start + len(pictures))]
    parquet.write_table(arrow.table({"image": images, "label": labels}), path, row_group_size=1000)


def write_shards(folder: Path, count: int, shard: int, kind: str) -> None:
    """Shards of pictures of noise."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    write = write_tar if kind == "tar" else write_parquet
    for start in range(0, count, shard):
        pixels = rng.integers(0, 256, (min(shard, count - start), SIDE, SIDE, 3), np.uint8)
        write(folder / f"train-{start // shard:05d}.{kind}", start, list(map(png, pixels)))


def read(folder: Path) -> dict[str, float]:
    """Open the shards, read the training split, and take 100 batches of it."""
    from residua.config import DataOptions
    from residua.data import Preprocessing, open_dataset
    from residua.data.batches import Batches

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    data = open_dataset(DataOptions(data=str(folder), size=SIDE), 0, say=lambda line: None)
    opened = time.perf_counter()
    pictures = data.read("train")
    seconds = time.perf_counter()
    preprocessing = Preprocessing.measure(pictures.images)
    measured = time.perf_counter()
    with Batches(pictures, preprocessing, batch=128, seed=0).epoch(0) as batches:
        for _, _ in zip(range(100), batches, strict=False):
            pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "pictures": len(pictures),
        "listed_seconds": round(opened - began, 1),
        "decoded_seconds": round(seconds - opened, 1),
        "measured_seconds": round(measured - seconds, 1),
        "hundred_batches_seconds": round(time.perf_counter() - measured, 2),
        "megabytes": round((peak - before) / 1024),
    }


def main() -> None:
    """Parse, write, read twice, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--shard", type=int, default=10_000)
    parser.add_argument("--format", choices=("tar", "parquet"), default="tar")
    parser.add_argument("--folder", help="where to work (a temporary folder)")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read(Path(options.read))))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        began = time.perf_counter()
        write_shards(Path(place) / "shards", options.pictures, options.shard, options.format)
        print(f"{options.pictures:,} pictures written in {time.perf_counter() - began:.1f} s", flush=True)
        own = os.environ | {"XDG_CACHE_HOME": f"{place}/cache"}
        for turn in ("decoded", "from the cache"):
            command = [sys.executable, __file__, "--read", f"{place}/shards"]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=own)
            print(f"{turn}: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
