"""A publisher on this computer, with faults, and the archives that it offers."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import tarfile
import threading
from dataclasses import replace

import numpy as np

from residua.data.sources.cards import DATASETS
from residua.data.sources.published_files import Download

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """A publisher with faults: cuts connections after some bytes, ignores or misplaces ranges."""

    def __init__(self, content=CONTENT, cut_after=None, ranges=True, cuts=10**9, status=None, shift=0):
        super().__init__(("127.0.0.1", 0), functools.partial(Handler))
        self.content, self.cut_after, self.ranges, self.cuts = content, cut_after, ranges, cuts
        self.status, self.shift = status, shift
        self.asked = []
        self.url = f"http://127.0.0.1:{self.server_port}/file.bin"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, *_):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        if server.status:
            self.send_error(server.status)
            return
        start, total = 0, len(server.content)
        if asked and server.ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            first = start + server.shift
            self.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
        else:
            self.send_response(200)
        body = server.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.cut_after is not None and server.cuts > 0:
            server.cuts -= 1
            body = body[: server.cut_after]
            self.close_connection = True
        self.wfile.write(body)


def offered(*urls, checksum=MD5):
    return Download("file.bin", urls, checksum)


def cifar_archive(path, name="cifar-10-batches-py", extra=()):
    parts = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    with tarfile.open(path, "w:gz") as archive:
        for part in parts:
            member = tarfile.TarInfo(f"{name}/{part}{'.bin' if name.endswith('bin') else ''}")
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
        for member in extra:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return "md5:" + hashlib.md5(path.read_bytes()).hexdigest()


def cifar_card(python="md5:" + "0" * 32, binary="md5:" + "0" * 32):
    card = DATASETS["cifar10"]
    files = [
        Download(f.name, ("http://127.0.0.1:9/" + f.name,), sum_)
        for f, sum_ in zip(card.files, (python, binary), strict=True)
    ]
    return replace(card, files=tuple(files))
