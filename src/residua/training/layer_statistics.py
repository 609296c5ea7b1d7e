"""A few numbers about every layer after every epoch: weights, activations, and channels that are off.

They are taken on a handful of training pictures, unvaried, by the frozen network, beside the training
itself: no number of it depends on them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from residua.data.batches import Batches
from residua.engines import Engine
from residua.layers import Layer
from residua.layers.hooks import ends_in_relu, with_hooks
from residua.variables import Tree, flatten

FILE = "statistics.jsonl"
LEAST, MOST = 16, 32  # pictures that are looked at
SHARE = 200  # of so many training pictures one, between those bounds


def layer_statistics(engine: Engine, network: Layer, variables: Tree, train: Batches) -> dict[str, Any]:
    """{pictures, layers: [{name, ...}]}: plain numbers for JSON, six digits each.

    weight_std, weight_most: deviation and largest size of the trained weights. mean, std: of the layer's
    results. off: share of results that a ReLU made zero; dead: channels that were off for every picture
    and pixel, of `channels`; the three only where a ReLU comes last.
    """
    count = min(len(train.pictures), max(LEAST, min(MOST, len(train.pictures) // SHARE)))
    places = np.linspace(0, len(train.pictures) - 1, count).round().astype(np.int64)
    weights: dict[str, dict[str, Any]] = {}
    for path, array in flatten(variables).items():
        owner, _, kind = path.rpartition(".")
        if kind == "weight" and array.ndim > 1:
            numbers = np.asarray(array, np.float64)
            own = {"weight_std": _six(numbers.std()), "weight_most": _six(np.abs(numbers).max())}
            weights[owner.removesuffix(".conv")] = own

    found: dict[str, dict[str, Any]] = {}  # in the order in which layers compute

    def hear(name: str, layer: Layer, y: Any) -> None:
        numbers = np.asarray(y, np.float32)
        row = found.setdefault(name, dict(weights.get(name, {})))
        row |= {"mean": _six(numbers.mean(dtype=np.float64)), "std": _six(numbers.std(dtype=np.float64))}
        if ends_in_relu(layer):
            on = numbers.reshape(-1, numbers.shape[-1]) > 0
            row |= {"off": _six(1 - on.mean()), "dead": int((~on.any(axis=0)).sum()), "channels": on.shape[1]}

    frozen, held = network.freeze(variables)
    tapped = with_hooks(frozen, hear, lambda name, layer: name in weights or ends_in_relu(layer))
    tapped.infer(engine, held, train.unvaried(places))
    # A layer may be part of another once it is frozen.
    found |= {name: row for name, row in weights.items() if name not in found}
    return {"pictures": count, "layers": [{"name": name} | row for name, row in found.items()]}


def read_statistics(run: Path) -> list[dict[str, Any]]:
    """The statistics of a run, an entry an epoch, oldest first; none for a run from before there were any."""
    path = run / FILE
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _six(number: Any) -> float:
    """Six digits are more than anybody looks at."""
    return float(f"{float(number):.6g}")
