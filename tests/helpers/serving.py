"""A server that runs in this process, and questions to it over its port."""

from __future__ import annotations

import http.client
import io
import json
import threading
import time
from contextlib import contextmanager

import numpy as np
from PIL import Image

from residua.config import ServeConfig

OPTIONS = {"engine": "numpy", "threads": 1, "port": 0}


@contextmanager
def served(*models, said=None, **options):
    """A server in a thread; (host, port), the server and its worker."""
    from residua.deploy.server.running import build_server, open_models, open_port, read_keys

    config = ServeConfig(**OPTIONS | options)
    listening = open_port(config)
    said = [] if said is None else said
    server, worker = build_server(open_models(models, config), config, read_keys(config), said.append)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield listening.getsockname(), server, worker
    finally:
        server.should_exit = True
        thread.join()
        worker.stop()
        listening.close()


def ask(address, method, path, body=None, **headers):
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): v for name, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def told(address, *arguments, **headers):
    """Status and JSON of an answer."""
    status, _, body = ask(address, *arguments, **headers)
    return status, json.loads(body)


def told_lines(address, *arguments, **headers):
    """Status and the lines of JSON of an answer."""
    status, _, body = ask(address, *arguments, **headers)
    return status, [json.loads(line) for line in body.splitlines()]


def png(size=(8, 8)):
    """A black picture's file."""
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, "png")
    return stream.getvalue()


def jpeg():
    """A noisy picture's file."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).save(stream, "jpeg")
    return stream.getvalue()
