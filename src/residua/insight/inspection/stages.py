"""The stages of a network: the layers in a row, and those that give maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from residua.errors import ConfigError, near
from residua.layers import CapsuleNetwork, Layer, Sequential
from residua.models.model_file import Model
from residua.variables import Tree

MOST_STAGES = 7  # that are shown side by side


def frozen_chain(model: Model) -> tuple[Layer, Tree, dict[str, Layer]]:
    """The inference network, its variables, and its layers in a row.

    Raises ConfigError for a network that is no row of layers, such as an ensemble.
    """
    network, variables = replace(model, calibration=None).frozen()
    if not isinstance(network, Sequential | CapsuleNetwork):
        raise ConfigError(
            f"{model.name} is no row of layers to look into: give one of the models that it was made of"
        )
    return network, variables, dict(network.layers)


def stages(model: Model) -> dict[str, tuple[int, int, int]]:
    """The names of the network's stages with maps, and the shapes (H, W, C) of what they give.

    The layers of the outermost row that give maps; of more than seven, the last ones of each size. None
    for a network without maps.
    """
    _, _, chain = frozen_chain(model)
    shape: tuple[int, ...] = input_shape(model)
    shapes: dict[str, tuple[int, int, int]] = {}
    for name, layer in chain.items():
        shape = layer.output_shape(shape)
        if len(shape) != 3:
            break
        shapes[name] = (shape[0], shape[1], shape[2])
    if len(shapes) <= MOST_STAGES:
        return shapes
    names = list(shapes)
    ends = [
        a for a, b in zip(names, [*names[1:], ""], strict=True) if not b or shapes[a][:2] != shapes[b][:2]
    ]
    chosen = (
        ends
        if len(ends) <= MOST_STAGES
        else [ends[i] for i in np.linspace(0, len(ends) - 1, MOST_STAGES).astype(int)]
    )
    return {name: shapes[name] for name in chosen}


def input_shape(model: Model) -> tuple[int, int, int]:
    """Height, width and channels of what the network sees."""
    shape = model.preprocessing
    return (shape.height, shape.width, shape.channels)


def choose_stage(model: Model, shapes: dict[str, tuple[int, ...]], stage: str | None) -> str:
    """The stage of that name, or the last one with maps, or "".

    Raises ConfigError for one that does not exist or gives no maps.
    """
    if stage is None:
        return next(reversed(stages(model)), "")
    if stage not in shapes:
        raise ConfigError(f"{model.name} has no stage or layer {stage!r}.{near(stage, shapes)}")
    if len(shapes[stage]) != 3:
        maps = ", ".join(stages(model)) or "none"
        raise ConfigError(f"{stage} gives no maps to show; stages that do: {maps}")
    return stage
