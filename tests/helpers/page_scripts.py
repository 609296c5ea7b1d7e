"""The scripts of a page in Node: what the engine says of pictures, without a browser."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess

import pytest

from residua.deploy.page.sources import kernel

OLDEST = 18  # has SIMD, DecompressionStream and Blob


def run_in_node(script, payload, seconds=120):
    """What a script prints as JSON; `input` is the payload and `kernel` the compiled kernel there."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node, which runs a page's scripts here, is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < OLDEST:
        pytest.skip(f"node {OLDEST} or newer is needed for a page's scripts, this is {version.strip()}")
    begin = (
        "'use strict'; const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "const bytesOf = (text) => new Uint8Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);"
        "const kernel = new WebAssembly.Module(bytesOf(input.kernel));"
    )
    content = json.dumps({"kernel": text_of(kernel()), "payload": payload})
    done = subprocess.run(
        [node, "-e", f"{begin}\n{script}"], input=content, capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def text_of(content):
    return base64.b64encode(content).decode()
