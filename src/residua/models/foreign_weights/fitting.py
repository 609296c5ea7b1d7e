"""Other people's weights under our names: which array of a PyTorch network becomes which variable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from residua.config import ModelOptions
from residua.errors import ModelFileError, ShapeError
from residua.layers import Flatten, Layer, Linear, Sequential
from residua.layers.parameters import ZeroGenerator
from residua.models import MODELS, build_model, find_card, taken_options
from residua.models.foreign_weights.names import our_names
from residua.variables import STATISTICS, Tree, fill, flatten

Shape = tuple[int, int, int]

NEAR = 0.5  # share of names that weights and a model must have in common to be told what does not fit


def fit_foreign(
    weights: Mapping[str, Any], model: str | None, source: str, size: int | None = None
) -> tuple[str, Sequential, Tree]:
    """The model that the weights belong to, and its variables filled with them.

    size: height and width of its pictures (the model's own). Without a name every model is tried. Raises
    ModelFileError that says what does not fit.
    """
    if model is not None:
        return _asked(weights, model, source, size, "was asked for")
    nearest, likeness = "", 0.0
    for name in MODELS:
        try:
            network, shape = _template(name, weights, size)
        except (ShapeError, ValueError):  # pictures too small for it, or widths that it cannot have
            continue
        template = network.init(ZeroGenerator())
        wanted = {path: array.shape for path, array in flatten(template).items() if not _is_key(path)}
        names = set(our_names(_used(weights), network).values())
        shared = len(names & wanted.keys()) / len(names | wanted.keys())
        if shared > likeness:
            nearest, likeness = name, shared
        if names - wanted.keys() and not _folds(names, wanted):
            continue
        if not wanted.keys() <= names:
            continue
        ours = translate(weights, network, shape)
        if {path: array.shape for path, array in ours.items()} == wanted:
            return name, network, _filled(template, ours, source)
    if likeness >= NEAR:
        return _asked(weights, nearest, source, size, "is the nearest model here")
    some = ", ".join(f"{name} {tuple(array.shape)}" for name, array in list(weights.items())[:3])
    raise ModelFileError(
        f"the {len(weights)} weights in {source} belong to no model here ({some}, ...): "
        "`residua models` lists those that can be filled"
    )


def _asked(
    weights: Mapping[str, Any], model: str, source: str, size: int | None, why: str
) -> tuple[str, Sequential, Tree]:
    """That model, filled. Raises ModelFileError that names what does not fit, and why it was this model."""
    network, shape = _template(model, weights, size)
    ours = translate(weights, network, shape)
    try:
        return model, network, _filled(network.init(ZeroGenerator()), ours, source)
    except ModelFileError as error:
        raise ModelFileError(f"{error} ({find_card(model).title} {why})") from None


def translate(weights: Mapping[str, Any], network: Sequential, shape: Shape) -> dict[str, Any]:
    """Foreign names and layouts -> those of this network, for pictures of `shape`.

    Convolutions (out, in, height, width) become (height, width, in, out), linear layers (out, in) become
    (in, out). The first linear layer reads maps channel by channel there and pixel by pixel here, so its
    rows change places. A bias in front of a normalisation goes into the running mean that takes it away
    again. The count of batches that PyTorch's normalisation keeps has no use here and is left out.
    """
    names = our_names(_used(weights), network)
    ours = {}
    for name, path in names.items():
        array = weights[name]
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        elif array.ndim == 2:
            array = array.T
        ours[path] = np.ascontiguousarray(array, dtype=np.float32)
    for path, (height, width, channels) in _flattened(network, shape).items():
        array = ours.get(path)
        if array is not None and array.ndim == 2 and len(array) == height * width * channels:
            maps = array.reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
            ours[path] = np.ascontiguousarray(maps.reshape(array.shape))
    for path in [path for path in ours if path.endswith(".conv.bias")]:
        mean = path.removesuffix("conv.bias") + "norm.running_mean"
        if mean in ours and ours[mean].shape == ours[path].shape:
            ours[mean] = ours[mean] - ours.pop(path)
    return ours


def _used(weights: Mapping[str, Any]) -> list[str]:
    return [name for name in weights if not name.endswith("num_batches_tracked")]


def _is_key(path: str) -> bool:
    return path.rsplit(".", 1)[-1] in STATISTICS - {"running_mean", "running_var"}


def _folds(names: set[str], wanted: Mapping[str, Any]) -> bool:
    """Whether all that the network has no place for are biases in front of its normalisations."""
    return all(
        path.endswith(".conv.bias") and path.removesuffix("conv.bias") + "norm.running_mean" in wanted
        for path in names - wanted.keys()
    )


def _filled(template: Tree, ours: Mapping[str, Any], source: str) -> Tree:
    keys = {path: array for path, array in flatten(template).items() if _is_key(path)}
    return fill(template, dict(ours) | keys, source)


def _flattened(network: Sequential, shape: Shape) -> dict[str, Shape]:
    """{weights of the linear layer that reads flattened maps: the maps' shape}."""
    found: dict[str, Shape] = {}
    inside: tuple[int, ...] = shape
    maps: tuple[int, ...] = ()
    for name, layer in network.layers.items():
        if isinstance(layer, Flatten):
            maps = inside
        elif isinstance(layer, Linear) and len(maps) == 3:
            found[f"{name}.weight"] = (maps[0], maps[1], maps[2])
            return found
        inside = layer.output_shape(inside)
    return found


def _template(name: str, weights: Mapping[str, Any], size: int | None) -> tuple[Sequential, Shape]:
    """The network of that name, with as many channels, classes and features as the weights have."""
    card = find_card(name)
    height, width = card.input_shape[:2] if size is None else (size, size)
    plain = _sequence(ModelOptions(model=name), card.input_shape[2], 2, (height, width))
    ours = {path: weights[foreign] for foreign, path in our_names(_used(weights), plain).items()}
    first = ours.get(next(path for path in flatten(plain.init(ZeroGenerator())) if path.endswith(".weight")))
    head = ours.get("head.weight")
    # As they are published: (out, in, ...).
    channels, wide = (first.shape[1], first.shape[0]) if first is not None and first.ndim == 4 else (3, 16)
    seen: dict[str, Any] = {
        "width": max(int(wide), 1),
        "shortcut": "B" if any(".shortcut.conv." in key for key in ours) else "A",
        "stem": "small" if first is not None and first.shape[-1] == 3 else "large",
        "hidden": _hidden(plain, ours),
    }
    options = ModelOptions(model=name, **{key: seen[key] for key in seen.keys() & taken_options(name)})
    classes = int(head.shape[0]) if head is not None and head.ndim in (2, 4) else 10
    network = _sequence(options, max(int(channels), 1), max(classes, 1), (height, width))
    return network, (height, width, int(channels))


def _sequence(options: ModelOptions, channels: int, classes: int, size: tuple[int, int]) -> Sequential:
    network = build_model(options, channels=channels, classes=classes, size=size, published=True)
    if not isinstance(network, Sequential):
        raise ModelFileError(f"{options.model} has no published weights that could be read")
    return network


def _hidden(plain: Sequential, ours: Mapping[str, Any]) -> tuple[int, ...]:
    """The widths of the fully connected layers before the last, as many as this network has."""
    layers: list[tuple[str, Layer]] = [
        (name, layer) for name, layer in plain.layers.items() if isinstance(layer, Linear) and name != "head"
    ]
    known = [ours.get(f"{name}.weight") for name, _ in layers]
    return tuple(int(array.shape[0]) for array in known if array is not None and array.ndim == 2)
