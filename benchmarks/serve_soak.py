"""Memory of a server over a million answers, at a pace that leaves the processor to others.

    python benchmarks/serve_soak.py MODEL --minutes 70                   a million answers, and the slope
    python benchmarks/serve_soak.py MODEL --pictures FOLDER --answers 20000 --minutes 5 --look 2

Nine tenths of the pictures come by 64, in turn as lines of JSON and in a zip, the rest alone on a second
connection; a damaged one is asked in each round. Every look at the memory is a line of JSON, and so is what
came of it at the end: the slope by least squares, its standard error by the residues, and the slope of the
means of ten parts with the error of that, as neighbouring looks are alike. Linux, as it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import itertools
import json
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
from serve_client import Client, Running, running
from serve_load import pictures

MANY, BODIES = 64, 9  # pictures a body, and bodies a round; a round has as many single pictures as a body
WARM_SHARE = 0.1  # of the time, whose looks do not count
PARTS = 10
LINES, ARCHIVE = "application/x-ndjson", "application/zip"
GOAL = 1.0  # MB an hour


def bodies(files: list[bytes]) -> Iterator[tuple[bytes, str]]:
    """Pictures by 64 for ever, and the media type: made once, as the client is not what is measured."""
    made = []
    for start in range(0, len(files) - MANY + 1, MANY):
        some = files[start : start + MANY]
        coded = [json.dumps({"picture": base64.b64encode(content).decode()}) for content in some]
        made.append(("\n".join(coded).encode(), LINES))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for number, content in enumerate(some):
                archive.writestr(f"{number}.png", content)
        made.append((packed.getvalue(), ARCHIVE))
    return itertools.cycle(made)


async def paced(asks: Callable[[], Awaitable[None]], count: int, seconds: float) -> None:
    """Ask so often, evenly; one that came too late is not waited for."""
    begun = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + seconds * number / count - time.monotonic()))
        await asks()


async def soak(server: Running, files: list[bytes], answers: int, minutes: float, look: float) -> dict:
    """So many answers in so many minutes: what was answered, and how memory went."""
    codes: Counter[str] = Counter()
    rounds = -(-answers // (MANY * (BODIES + 1)))
    packed, alone = bodies(files), itertools.cycle([*files[:MANY], files[0][: len(files[0]) // 2]])
    several, single = Client(server.port), Client(server.port)
    begun, seen = time.monotonic(), []

    async def ask_many() -> None:
        body, kind = next(packed)
        answer = await several.post(body, kind=kind)
        found = sum(b'"class"' in line for line in answer.body.splitlines())
        codes["answers"] += found
        codes["missing"] += MANY - found if answer.status == 200 else 0
        codes[f"bodies {answer.status}"] += 1

    async def ask_one() -> None:
        answer = await single.post(next(alone))
        codes["answers"] += answer.status == 200
        codes[f"alone {answer.status}"] += 1

    async def watch() -> None:
        while True:
            passed, size, own = time.monotonic() - begun, server.megabytes(), server.megabytes("RssAnon")
            seen.append((passed, size, own))
            told = {"minutes": round(passed / 60, 2), "answers": codes["answers"], "resident_mb": size}
            told |= {"own_mb": own, "processor_seconds": server.processor_seconds()}
            print(json.dumps(told), flush=True)
            await asyncio.sleep(look)

    watching = asyncio.create_task(watch())
    await asyncio.gather(
        paced(ask_many, rounds * BODIES, 60 * minutes), paced(ask_one, rounds * (MANY + 1), 60 * minutes)
    )
    watching.cancel()
    passed, computed = time.monotonic() - begun, server.processor_seconds()
    late = np.array([sample for sample in seen if sample[0] >= WARM_SHARE * passed])
    return {
        "measured": "soak", "minutes": round(passed / 60, 1), **codes, "looks": len(late),
        "processor_ms_each": round(1000 * computed / codes["answers"], 3),
        "first_mb": seen[0][1], "last_mb": seen[-1][1],
        "resident": slopes(late[:, 0] / 3600, late[:, 1]), "own": slopes(late[:, 0] / 3600, late[:, 2]),
    }  # fmt: skip


def slope(hours: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """MB an hour by least squares, and its standard error."""
    away = hours - hours.mean()
    steep = float(away @ sizes / (away @ away))
    left = sizes - sizes.mean() - steep * away
    return steep, float(np.sqrt(left @ left / (len(sizes) - 2) / (away @ away)))


def slopes(hours: np.ndarray, sizes: np.ndarray) -> dict[str, float]:
    """The slope of all looks, and of the means of ten parts."""
    means = [np.array([part.mean() for part in np.array_split(column, PARTS)]) for column in (hours, sizes)]
    names = ("mb_an_hour", "error", "mb_an_hour_of_parts", "error_of_parts")
    figures = (*slope(hours, sizes), *slope(*means))
    return {name: round(figure, 3) for name, figure in zip(names, figures, strict=True)}


def main() -> None:
    """Ask, look, and say."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--pictures", type=Path, help="a folder of PNG files (noise without)")
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--look", type=float, default=10, help="seconds from one look to the next")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=(), help="options of `residua serve`")
    options = parser.parse_args()
    files = pictures(1920, options.pictures)
    with (
        tempfile.TemporaryDirectory(prefix="residua-soak-") as name,
        running(options.model, Path(name) / "log", options=options.serve) as server,
    ):
        found = asyncio.run(soak(server, files, options.answers, options.minutes, options.look))
    print(json.dumps(found), flush=True)
    steep = found["resident"]["mb_an_hour"]
    sys.exit(f"memory grows by {steep} MB an hour" if steep >= GOAL else 0)


if __name__ == "__main__":
    main()
