"""Weights from elsewhere before they are fitted: under plain names, and of numbers to compute with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from residua.errors import ModelFileError
from residua.models.foreign_weights.names import unwrap_names

# Counts beside the weights, which no network here has a use for.
COUNTS = ("num_batches_tracked", "n_averaged")
LARGEST = float(np.finfo(np.float32).max)


def check_weights(weights: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The weights under names without wrappers, counts left out.

    Raises ModelFileError that names the first which is not of finite floating point numbers within float32,
    and where two networks lie in one file.
    """
    held = {name: array for name, array in weights.items() if not name.endswith(COUNTS)}
    plain = unwrap_names(held)
    first: dict[str, str] = {}
    for name, short in plain.items():
        if short in first:
            raise ModelFileError(
                f"{source} holds more than one network ({first[short][:100]} and {name[:100]}): save the "
                "state_dict() of one of them"
            )
        first[short] = name
    for name, array in held.items():
        _check(name[:200], array, source)
    return {short: held[name] for short, name in first.items()}


def _check(name: str, array: Any, source: str) -> None:
    if array.dtype.kind != "f":
        raise ModelFileError(
            f"{source} holds {name} as {array.dtype} numbers, where weights are floating point: save them as "
            "float32, float16 or bfloat16"
        )
    if not array.size:
        raise ModelFileError(f"{source} holds {name} of shape {tuple(array.shape)}: there is nothing in it")
    # Not a number is not at most anything.
    if not (float(np.abs(array).max()) <= LARGEST):
        raise ModelFileError(
            f"{source} holds {name} with numbers that are not finite in float32: take weights from before "
            "training broke down"
        )
