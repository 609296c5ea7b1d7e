"""Clients of a server, as many as are wanted in one process, and the server's process: for serve_load.py."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FASTAPI = Path(__file__).parent / "serve_fastapi.py"
START_SECONDS = 120.0


@dataclass
class Answer:
    """Status, body and how long it took; 0 where the connection broke before an answer."""

    status: int
    body: bytes
    seconds: float


class Client:
    """One connection that is kept, and opened again where it was closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, content: bytes, path: str = "/v1/predict", kind: str = "image/png") -> Answer:
        """Ask once, with a body."""
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        return await self.send(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    async def get(self, path: str) -> Answer:
        """Ask once, without a body."""
        return await self.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    async def send(self, request: bytes) -> Answer:
        """Bytes as they are."""
        begun = time.perf_counter()
        try:
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self.streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            if headers.get("transfer-encoding") == "chunked":
                body = await self._chunks(reader)
            else:
                body = await reader.readexactly(int(headers.get("content-length", 0)))
            if headers.get("connection") == "close":
                self.close()
            return Answer(int(lines[0].split()[1]), body, time.perf_counter() - begun)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.close()
            return Answer(0, b"", time.perf_counter() - begun)

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body

    def close(self) -> None:
        """Let go of the connection."""
        if self.streams is not None:
            self.streams[1].close()
        self.streams = None


@dataclass
class Running:
    """A server's process, and what it takes of memory."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def megabytes(self, what: str = "VmRSS") -> float:
        """Resident memory now, or at most (VmHWM); Linux."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith(what))) / 1024

    def processor_seconds(self) -> float:
        """That it has computed for."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextlib.contextmanager
def running(model: str | None, log: Path, told_all: bool = False, options: Sequence[str] = ()):
    """`residua serve` of a model, or the peer where none is named, on a free port until it answers.

    log: the file for what it says; told_all: each request too; options: of `residua serve`, or the peer's.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(FASTAPI), str(port), *options]
    if model is not None:
        command = [sys.executable, "-m", "residua", "serve", model, "--port", str(port)]
        command += [*options] if told_all else ["--no-log", *options]
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
    server = Running(process, port, log)
    try:
        asyncio.run(_until_ready(server))
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def _until_ready(server: Running) -> None:
    end = time.monotonic() + START_SECONDS
    while (await Client(server.port).get("/v2/health/ready")).status != 200:
        if server.process.poll() is not None or time.monotonic() > end:
            raise SystemExit("the server has not started")
        await asyncio.sleep(0.1)
