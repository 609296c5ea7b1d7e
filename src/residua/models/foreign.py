"""Other people's weights under our names: which array of a PyTorch network becomes which variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from residua.config import ModelOptions
from residua.errors import ModelFileError
from residua.layers import Layer
from residua.layers.base import Undrawn
from residua.models import MODELS, build_model, find_card, taken_options
from residua.variables import Tree, fill, flatten

# PyTorch's usual names for residual networks, as patterns over whole names.
_RESNET_NAMES = (
    (r"conv1\.(.*)", r"stem.conv.\1"),
    (r"bn1\.(.*)", r"stem.norm.\1"),
    (r"layer(\d+)\.(\d+)\.conv(\d)\.(.*)", r"stage\1.\2.body.conv\3.conv.\4"),
    (r"layer(\d+)\.(\d+)\.bn(\d)\.(.*)", r"stage\1.\2.body.conv\3.norm.\4"),
    (r"layer(\d+)\.(\d+)\.(?:shortcut|downsample)\.0\.(.*)", r"stage\1.\2.shortcut.conv.\3"),
    (r"layer(\d+)\.(\d+)\.(?:shortcut|downsample)\.1\.(.*)", r"stage\1.\2.shortcut.norm.\3"),
    (r"(?:linear|fc)\.(.*)", r"head.\1"),
)


def _rename(name: str) -> str:
    for pattern, replacement in _RESNET_NAMES:
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    return name


def translate(weights: Mapping[str, Any]) -> dict[str, Any]:
    """PyTorch's names and layouts -> ours.

    Convolutions (out, in, height, width) become (height, width, in, out), linear layers (out, in) become
    (in, out). The count of batches that PyTorch's normalisation keeps has no use here and is left out.
    """
    ours = {}
    for name, array in weights.items():
        if name.endswith("num_batches_tracked"):
            continue
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        elif array.ndim == 2:
            array = array.T
        ours[_rename(name)] = np.ascontiguousarray(array, dtype=np.float32)
    return ours


def fit_foreign(weights: Mapping[str, Any], model: str | None, source: str) -> tuple[str, Layer, Tree]:
    """The model that the weights belong to, and its variables filled with them.

    Without a name every model is tried. Raises ModelFileError that says what does not fit.
    """
    ours = translate(weights)
    if model is not None:
        find_card(model)
    for name in [model] if model is not None else list(MODELS):
        network, variables = _template(name, ours)
        template = flatten(variables)
        fits = template.keys() == ours.keys() and all(
            array.shape == ours[key].shape for key, array in template.items()
        )
        if fits or model is not None:
            return name, network, fill(variables, ours, source)
    some = ", ".join(f"{name} {tuple(array.shape)}" for name, array in list(weights.items())[:3])
    raise ModelFileError(
        f"the {len(weights)} weights in {source} belong to no model here ({some}, ...): "
        "`residua models` lists those that can be filled"
    )


def _template(name: str, ours: Mapping[str, Any]) -> tuple[Layer, Tree]:
    """The network of that name, with as many channels, classes and features as the weights have."""
    stem, head = ours.get("stem.conv.weight"), ours.get("head.weight")
    channels, width = (stem.shape[2], stem.shape[3]) if stem is not None and stem.ndim == 4 else (3, 16)
    classes = head.shape[1] if head is not None and head.ndim == 2 else 10
    seen: dict[str, Any] = {
        "width": int(width),
        "shortcut": "B" if any(".shortcut.conv." in key for key in ours) else "A",
        "stem": "small" if stem is not None and stem.shape[0] == 3 else "large",
    }
    options = ModelOptions(model=name, **{key: seen[key] for key in seen.keys() & taken_options(name)})
    network = build_model(options, channels=int(channels), classes=int(classes))
    return network, network.init(Undrawn())
