"""The scripts of a page in Node: what the engine says of pictures, without a browser."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess

import numpy as np
import pytest

from residua.deploy.page.preprocessing import tall_first
from residua.deploy.page.sources import kernel, pixels_script

READ = """
(async () => {
  const answers = [];
  for (const { file, shape } of input.payload) {
    try {
      const picture = await decode(new Blob([bytesOf(file)]), shape);
      answers.push(Array.from(fit(picture, shape)));
    } catch (error) {
      answers.push(error.reason ?? String(error.stack));
    }
  }
  console.log(JSON.stringify(answers));
})();
"""
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


def read_in_node(files):
    """[(file's bytes, height, width, channels)] -> arrays, or the reason why there is none."""
    given = [
        {
            "file": text_of(content),
            "shape": {"stored": [h, w], "reading": [h, w], "channels": c, "tallFirst": tall_first()},
        }
        for content, h, w, c in files
    ]
    found = run_in_node(f"{pixels_script()}\n{READ}", given)
    return [
        answer if isinstance(answer, str) else np.array(answer, np.uint8).reshape(h, w, c)
        for answer, (_, h, w, c) in zip(found, files, strict=True)
    ]


def text_of(content):
    return base64.b64encode(content).decode()
