"""A few numbers about every layer after every epoch: weights, activations, and channels that are off.

They are taken on a handful of training pictures, unvaried, by the frozen network, beside the training
itself: no number of it depends on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from residua.data.batches import Batches
from residua.engines import Engine
from residua.files.json_lines import is_number, read_lines
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
    indices = np.linspace(0, len(train.pictures) - 1, count).round().astype(np.int64)
    weights: dict[str, dict[str, Any]] = {}
    for path, array in flatten(variables).items():
        owner, _, kind = path.rpartition(".")
        if kind == "weight" and array.ndim > 1:
            numbers = np.asarray(array, np.float64)
            row = {
                "weight_std": _six_digits(numbers.std()),
                "weight_most": _six_digits(np.abs(numbers).max()),
            }
            weights[owner.removesuffix(".conv")] = row

    rows: dict[str, dict[str, Any]] = {}  # in the order in which layers compute

    def measure(name: str, layer: Layer, y: Any) -> None:
        numbers = np.asarray(y, np.float32)
        row = rows.setdefault(name, dict(weights.get(name, {})))
        row |= {
            "mean": _six_digits(numbers.mean(dtype=np.float64)),
            "std": _six_digits(numbers.std(dtype=np.float64)),
        }
        if ends_in_relu(layer):
            positive = numbers.reshape(-1, numbers.shape[-1]) > 0
            row |= {
                "off": _six_digits(1 - positive.mean()),
                "dead": int((~positive.any(axis=0)).sum()),
                "channels": positive.shape[1],
            }

    frozen, frozen_variables = network.freeze(variables)
    hooked = with_hooks(frozen, measure, lambda name, layer: name in weights or ends_in_relu(layer))
    hooked.infer(engine, frozen_variables, train.unvaried(indices))
    # A layer may be part of another once it is frozen.
    rows |= {name: row for name, row in weights.items() if name not in rows}
    return {"pictures": count, "layers": [{"name": name} | row for name, row in rows.items()]}


def read_statistics(run: Path) -> list[dict[str, Any]]:
    """The statistics of a run, an entry an epoch, oldest first; none for a run from before there were any."""
    rows = read_lines(run / FILE, ("epoch", "layers", "pictures"))
    return [row for row in rows if isinstance(row["layers"], list) and all(map(_is_layer, row["layers"]))]


def _is_layer(layer: Any) -> bool:
    if not isinstance(layer, dict) or not isinstance(layer.get("name"), str):
        return False
    numbers = [value for key, value in layer.items() if key != "name"]
    return all(map(is_number, numbers)) and ("dead" not in layer or layer.get("channels", 0) > 0)


def _six_digits(number: Any) -> float:
    """Six digits are more than anybody looks at."""
    return float(f"{float(number):.6g}")
