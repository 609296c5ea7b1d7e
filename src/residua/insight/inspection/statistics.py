"""Weights and activations of every layer over the epochs of a run, as numbers to draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from residua.errors import RunError
from residua.training.layer_statistics import read_statistics


def read_statistics_of(run: Path) -> list[dict[str, Any]]:
    """What a run kept of its layers after every epoch. Raises RunError for a run without statistics."""
    rows = read_statistics(run)
    if not rows:
        raise RunError(
            f"{run} holds no statistics.jsonl: it was trained by an earlier residua, or has no epoch"
        )
    return rows


def layer_names(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Every layer of any epoch: what is trained may change on the way, as layers are unfrozen."""
    return list(dict.fromkeys(layer["name"] for row in rows for layer in row["layers"]))


def values_by_epoch(rows: Sequence[dict[str, Any]], names: Sequence[str], key: str) -> Any:
    """(layers, epochs); nan where a layer has no such number."""
    values = np.full((len(names), len(rows)), np.nan)
    indices = {name: index for index, name in enumerate(names)}
    for column, row in enumerate(rows):
        for layer in row["layers"]:
            if key not in layer:
                continue
            number = float(layer[key])
            if key == "dead":
                number = 100 * number / layer["channels"]
            elif key == "off":
                number = 100 * number
            else:
                number = float(np.log10(max(number, 1e-9)))
            values[indices[layer["name"]], column] = number
    return values
