"""Weights of a small residual network under PyTorch's usual names, and files of them made byte by byte."""

from __future__ import annotations

import json

import numpy as np


def foreign_weights(width=2, classes=3, seed=0):
    """{name: (out, in, ...) float32} of a residual network of 8 layers, as PyTorch's usual one names them."""
    rng = np.random.default_rng(seed)
    found = {}

    def conv(name, out, into):
        found[f"{name}.weight"] = rng.normal(0, 0.3, (out, into, 3, 3)).astype(np.float32)

    def norm(name, count):
        found[f"{name}.weight"] = np.ones(count, np.float32)
        found[f"{name}.bias"] = np.zeros(count, np.float32)
        found[f"{name}.running_mean"] = np.zeros(count, np.float32)
        found[f"{name}.running_var"] = np.ones(count, np.float32)

    conv("conv1", width, 3)
    norm("bn1", width)
    before = width
    for stage in range(3):
        after, place = width << stage, f"layer{stage + 1}.0"
        conv(f"{place}.conv1", after, before)
        norm(f"{place}.bn1", after)
        conv(f"{place}.conv2", after, after)
        norm(f"{place}.bn2", after)
        before = after
    found["linear.weight"] = rng.normal(0, 0.3, (classes, before)).astype(np.float32)
    found["linear.bias"] = np.zeros(classes, np.float32)
    return found


def brain(array):
    """The upper half of each float32: bfloat16, cut off and not rounded."""
    return (np.ascontiguousarray(array, "<f4").view("<u4") >> 16).astype("<u2")


def safetensors_bytes(arrays, kind="F32", kinds=()):
    """A safetensors file; kinds: {name: (type, bytes)} of arrays that are written as they are given."""
    header, body = {}, b""
    for name, array in arrays.items():
        if name in kinds:
            own, data = kinds[name]
        elif kind == "BF16":
            own, data = kind, brain(array).tobytes()
        else:
            own, data = kind, array.astype({"F32": "<f4", "F16": "<f2", "F64": "<f8"}[kind]).tobytes()
        header[name] = {
            "dtype": own,
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body
