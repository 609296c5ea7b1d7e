"""`residua serve` under load: many clients, hostile ones, an end under load, memory, speed; a peer beside it.

    python benchmarks/serve_load.py MODEL                        all of it, in about ten minutes
    python benchmarks/serve_load.py MODEL --only load latency    some of it
    python benchmarks/serve_load.py MODEL --peer torch onnx      FastAPI with PyTorch and ONNX Runtime too

MODEL is of 32x32 pictures, such as the published ResNet-20 (docs/transfer.md); clients and server share the
computer, and the clients are one process. Each measurement prints a line of JSON; what was asked for and
does not hold is named, and makes the exit code 1. Linux, as it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from serve_client import Answer, Client, Running, running
from serve_hostile import bomb, hostile, slow_clients

CLIENTS, REQUESTS = 200, 50
FAILED: list[str] = []
PEERS = {"torch": "FastAPI and PyTorch", "onnx": "FastAPI and ONNX Runtime"}


def pictures(count: int, folder: Path | None) -> list[bytes]:
    """PNG files: of a folder, or noise."""
    if folder is not None:
        return [file.read_bytes() for file in sorted(folder.rglob("*.png"))[:count]]
    rng, files = np.random.default_rng(0), []
    for _ in range(count):
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(stream, "png")
        files.append(stream.getvalue())
    return files


def told(name: str, holds: bool | None = None, **figures: object) -> None:
    """A line of figures; `holds`: whether what was asked for does."""
    if holds is not None:
        figures["holds"] = bool(holds)
        if not holds:
            FAILED.append(name)
    print(json.dumps({"measured": name, **figures}), flush=True)


def written(files: list[bytes], folder: Path) -> list[Path]:
    """The pictures as files in a folder, for `predict`."""
    names = [folder / f"{number:05}.png" for number in range(len(files))]
    for name, content in zip(names, files, strict=True):
        name.write_bytes(content)
    return names


async def ask_all(port: int, files: list[bytes], clients: int) -> list[Answer]:
    """All files by so many clients at once, in the files' order."""
    answers: list[Answer | None] = [None] * len(files)
    numbers = iter(range(len(files)))

    async def work() -> None:
        client = Client(port)
        for number in numbers:
            answers[number] = await client.post(files[number])
        client.close()

    await asyncio.gather(*(work() for _ in range(clients)))
    return [answer for answer in answers if answer is not None]


def percentile(answers: list[Answer], share: float) -> float:
    """Milliseconds within which that share of the good answers came."""
    times = sorted(answer.seconds for answer in answers if answer.status == 200)
    return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 2)


def load(server: Running, files: list[bytes], side: str) -> None:
    """200 clients, 50 requests each."""
    idle, begun = server.megabytes(), time.perf_counter()
    answers = asyncio.run(
        ask_all(server.port, [files[n % len(files)] for n in range(CLIENTS * REQUESTS)], CLIENTS)
    )
    seconds, codes = time.perf_counter() - begun, Counter(answer.status for answer in answers)
    p50, p99, peak = percentile(answers, 0.5), percentile(answers, 0.99), server.megabytes("VmHWM")
    holds = codes.keys() <= {200, 503} and p99 <= 5 * p50 and peak <= 2 * idle
    told(
        f"load {side}", holds if side == "residua" else None, clients=CLIENTS, requests=len(answers),
        codes=dict(codes), p50_ms=p50, p99_ms=p99, ratio=round(p99 / p50, 2), seconds=round(seconds, 1),
        good_a_second=round(codes[200] / seconds), idle_mb=round(idle), peak_mb=round(peak),
    )  # fmt: skip


def latency(server: Running, files: list[bytes], side: str) -> None:
    """One client, one picture after the other."""
    answers = asyncio.run(ask_all(server.port, files[:1000], 1))
    p50 = percentile(answers, 0.5)
    told(
        f"latency {side}",
        p50 <= 3 if side == "residua" else None,
        p50_ms=p50,
        p99_ms=percentile(answers, 0.99),
    )


def same_bytes(server: Running, files: list[bytes], folder: Path, model: str) -> None:
    """Every answer has the bytes that `predict` gives the same file."""
    from residua.api import predict

    names = written(files, folder)
    expected = predict(model, names, say=lambda line: None, engine="numba")
    answers = asyncio.run(ask_all(server.port, files, 16))
    same = 0
    for entry, answer in zip(expected, answers, strict=True):
        values = entry.to_dict()
        del values["file"]
        same += answer.body.startswith(json.dumps(values, separators=(",", ":")).encode()[:-1] + b',"model"')
    told("same bytes as predict", same == len(files), pictures=len(files), same=same)


def throughput(server: Running, files: list[bytes], folder: Path, model: str) -> None:
    """Pictures a second by 16 clients, and by `predict` on the same files, in turn; medians."""
    from residua.api import predict

    names = written(files, folder)
    ratios, rates = [], []
    for _ in range(5):
        begun = time.perf_counter()
        predict(model, names, say=lambda line: None, engine="numba")
        middle = time.perf_counter()
        before = server.processor_seconds()
        asyncio.run(ask_all(server.port, files, 16))
        end = time.perf_counter()
        ratios.append((middle - begun) / (end - middle))
        computed = server.processor_seconds() - before
        rates.append((len(files) / (middle - begun), len(files) / (end - middle), computed))
    predicted, served, seconds = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(ratios)
    told(
        "throughput", ratio >= 0.6, predict_a_second=round(predicted), served_a_second=round(served),
        ratio=round(ratio, 2), turns=len(ratios), processor_ms_each=round(1000 * seconds / len(files), 3),
    )  # fmt: skip


def throughput_of_many(server: Running, files: list[bytes]) -> None:
    """The same pictures as lines of JSON, a thousand a request."""

    async def ask() -> int:
        client, count = Client(server.port), 0
        for start in range(0, len(files), 1000):
            coded = [base64.b64encode(content).decode() for content in files[start : start + 1000]]
            lines = "\n".join(json.dumps({"picture": picture}) for picture in coded)
            answer = await client.post(lines.encode(), kind="application/x-ndjson")
            count += sum(b'"probability"' in line for line in answer.body.splitlines())
        return count

    begun = time.perf_counter()
    count = asyncio.run(ask())
    told("lines", count == len(files), served_a_second=round(count / (time.perf_counter() - begun)))


def memory(server: Running, files: list[bytes], seconds: float) -> None:
    """Resident memory while it answers for so long: its slope, the first fifth left out."""

    async def ask() -> list[tuple[int, float, float]]:
        seen, done, begun = [], 0, time.perf_counter()
        while (passed := time.perf_counter() - begun) < seconds:
            done += len(await ask_all(server.port, files[:2000], 16))
            seen.append((done, passed, server.megabytes()))
        return seen

    seen = asyncio.run(ask())
    late = seen[len(seen) // 5 :]
    counts, times, sizes = (np.array(column) for column in zip(*late, strict=True))
    each = float(np.polyfit(counts, sizes, 1)[0]) * 1e6 if len(late) > 2 else float("nan")
    hour = float(np.polyfit(times, sizes, 1)[0]) * 3600 if len(late) > 2 else float("nan")
    told(
        "memory", None, predictions=seen[-1][0], seconds=round(seen[-1][1]), first_mb=round(seen[0][2], 1),
        last_mb=round(seen[-1][2], 1), mb_an_hour=round(hour, 2), mb_a_million=round(each, 2),
        hours_for_a_million=round(1e6 / seen[-1][0] * seen[-1][1] / 3600, 2),
    )  # fmt: skip


def end_under_load(server: Running, files: list[bytes]) -> None:
    """SIGTERM while 50 clients ask: as many answers come as its log says that it gave."""

    async def ask() -> list[Answer]:
        answers: list[Answer] = []

        async def work() -> None:
            client = Client(server.port)
            # A connection that is closed between two requests, or refused, had taken none.
            while (answer := await client.post(files[len(answers) % len(files)])).status:
                answers.append(answer)

        workers = asyncio.gather(*(work() for _ in range(50)))
        await asyncio.sleep(3)
        server.process.terminate()
        await workers
        return answers

    answers = asyncio.run(ask())
    codes, code = Counter(answer.status for answer in answers), server.process.wait(60)
    logged = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    given = sum(entry["status"] == 200 and entry["path"] == "/v1/predict" for entry in logged)
    holds = codes.keys() <= {200, 503} and code == 0 and given == codes[200]
    told("end under load", holds, codes=dict(codes), answers_in_its_log=given, exit_code=code)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ("load", "latency", "bytes", "throughput", "lines", "slow", "hostile", "memory", "end")
    parser.add_argument("model")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--pictures", type=Path, help="a folder of PNG files (noise without)")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=120, help="of the look at memory")
    parser.add_argument(
        "--peer", nargs="+", choices=tuple(PEERS), default=(), help="load and latency of these too"
    )
    parser.add_argument(
        "--turns", type=int, default=1, help="of load and latency, the servers one after the other"
    )
    options = parser.parse_args()
    files = pictures(options.count, options.pictures)
    with tempfile.TemporaryDirectory(prefix="residua-load-") as name:
        folder = Path(name)
        work: dict[str, Callable[[Running], None]] = {
            "load": lambda server: load(server, files, "residua"),
            "latency": lambda server: latency(server, files, "residua"),
            "bytes": lambda server: same_bytes(server, files, folder, options.model),
            "throughput": lambda server: throughput(server, files[:2000], folder, options.model),
            "lines": lambda server: throughput_of_many(server, files),
            "slow": lambda server: told("slow clients", **asyncio.run(slow_clients(server, files))),
            "hostile": lambda server: told("hostile", **asyncio.run(hostile(server, files, bomb()))),
            "memory": lambda server: memory(server, files, options.seconds),
            "end": lambda server: end_under_load(server, files),
        }
        if "onnx" in options.peer:
            from residua.api import export

            export(options.model, folder / "model.onnx", proof=False, say=lambda line: None)
        for measured in options.only:
            compared = {"load": load, "latency": latency}.get(measured)
            for _ in range(options.turns if compared else 1):
                with running(options.model, folder / "log", told_all=measured == "end") as server:
                    work[measured](server)
                for peer in options.peer if compared else ():
                    given = [str(folder / "model.onnx")] if peer == "onnx" else []
                    with running(None, folder / "log", options=given) as server:
                        compared(server, files, PEERS[peer])
    sys.exit(f"does not hold: {', '.join(FAILED)}" if FAILED else 0)


if __name__ == "__main__":
    main()
