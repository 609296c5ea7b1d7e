"""What nobody should send to a server, and what comes of it: for serve_load.py."""

from __future__ import annotations

import asyncio
import contextlib
import io
import struct
import zipfile
import zlib
from collections import Counter

import numpy as np
from PIL import Image
from serve_client import Client, Running

GIGABYTE = 10**9


def bomb(side: int = 30_000) -> bytes:
    """A PNG of side x side black and white pixels, in some kilobytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">L", len(content)) + name + content + struct.pack(">L", zlib.crc32(name + content))
        )

    packer, row = zlib.compressobj(9), bytes(1 + -(-side // 8))
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">LLBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def hostile(server: Running, files: list[bytes], large: bytes) -> dict[str, object]:
    """Statuses of each kind, whether others are served after it, memory before and after."""
    idle, client, found = server.megabytes(), Client(server.port), {}
    rng, stream = np.random.default_rng(0), io.BytesIO()
    noise = rng.integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(noise).save(stream, "jpeg")
    jpeg, packed = stream.getvalue(), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", files[0])
    kinds = {
        "bomb": ([large], {400, 415}),
        "zip called jpg": ([packed.getvalue()], {415}),
        "jpeg cut at every percent": (
            [jpeg[: len(jpeg) * percent // 100] for percent in range(1, 100)],
            {400, 415, 200},
        ),
        "10,000 random bodies": ([rng.bytes(int(rng.integers(1, 2000))) for _ in range(10_000)], {400, 415}),
    }
    good = True
    for name, (bodies, allowed) in kinds.items():
        answers = [await client.post(body) for body in bodies]
        codes = Counter(answer.status for answer in answers)
        one_line = all(answer.status == 200 or answer.body.count(b"\n") == 0 for answer in answers)
        good &= codes.keys() <= allowed and one_line and (await client.post(files[0])).status == 200
        found[name] = dict(codes)
    for name, head, body, allowed in (
        ("1 GB announced", f"Content-Length: {GIGABYTE}", b"x" * 1000, {413}),
        ("1 GB in chunks", "Transfer-Encoding: chunked", _chunks(GIGABYTE), {413}),
        ("wrong length", "Content-Length: 10\r\nContent-Length: 20", b"x" * 10, {400}),
        ("no length", "Content-Length: x", b"x" * 10, {400}),
    ):
        status = await _raw(server.port, head, body)
        good &= status in allowed and (await client.post(files[0])).status == 200
        found[name] = status
    return {"holds": good, **found, "idle_mb": round(idle), "peak_mb": round(server.megabytes("VmHWM"))}


def _chunks(size: int):
    piece = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    return (piece for _ in range(size // 0x100000))


async def _raw(port: int, head: str, body) -> int:
    """The status of a request whose body may be more than is read; 0 for none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with contextlib.suppress(OSError):
            writer.write(f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
            for piece in [body] if isinstance(body, bytes) else body:
                writer.write(piece)
                await writer.drain()
                if reader._buffer:  # it has answered already
                    break
        line = await asyncio.wait_for(reader.readline(), 60)
        return int(line.split()[1]) if line else 0
    except OSError:
        return 0
    finally:
        writer.close()


async def slow_clients(server: Running, files: list[bytes], count: int = 200) -> dict[str, object]:
    """So many that send a byte a second, and how others are served meanwhile."""
    lone = Client(server.port)
    alone = sorted([(await lone.post(files[n % len(files)])).seconds for n in range(300)])
    slow, head = [], b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"
    for number in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head if number % 2 else head[:30])
        slow.append((reader, writer, number % 2))

    async def dribble() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                for _, writer, whole in slow:
                    if whole:
                        writer.write(b"x")
                await asyncio.sleep(1)

    dribbling = asyncio.create_task(dribble())
    answers = [await lone.post(files[n % len(files)]) for n in range(300)]
    beside = sorted(answer.seconds for answer in answers)
    lines = await asyncio.gather(
        *(asyncio.wait_for(reader.readline(), 60) for reader, _, _ in slow), return_exceptions=True
    )
    dribbling.cancel()
    for _, writer, _ in slow:
        writer.close()
    ended = Counter(
        str(line.split()[1].decode()) if isinstance(line, bytes) and line else "closed" for line in lines
    )
    good = all(answer.status == 200 for answer in answers) and sum(ended.values()) == count
    return {
        "holds": good, "slow": count, "ended": dict(ended), "alone_p50_ms": round(1000 * alone[150], 2),
        "beside_p50_ms": round(1000 * beside[150], 2), "beside_p99_ms": round(1000 * beside[297], 2),
    }  # fmt: skip
