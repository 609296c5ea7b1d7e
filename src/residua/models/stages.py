"""A network's layers by depth: its stages, from the pictures on, and its head."""

from __future__ import annotations

from dataclasses import dataclass

from residua.errors import ConfigError, ModelFileError
from residua.layers import Dropout, Layer, Sequential
from residua.layers.parameters import ZeroGenerator
from residua.variables import trainable


@dataclass(frozen=True)
class Stages:
    """The names of a network's layers, from the pictures to the logits.

    stages: each the names of a layer with weights and of those without that follow it. head: the names of the
    last layer with weights and of what stands around it: dropout before it, pooling behind it.
    """

    stages: tuple[tuple[str, ...], ...]
    head: tuple[str, ...]


def find_stages(network: Layer, source: str) -> Stages:
    """The stages of a network; source: what messages call it.

    Raises ModelFileError where it is no row of layers with a head.
    """
    if not isinstance(network, Sequential):
        raise ModelFileError(f"{source} holds no row of layers: it cannot be divided into base and head")
    names = list(network.layers)
    weighted = [name for name in names if trainable(network.layers[name].init(ZeroGenerator()))]
    if len(weighted) < 2:
        raise ModelFileError(f"{source} has too few layers with weights for a base and a head")
    first = names.index(weighted[-1])
    # What is dropped before the head varies the head's own training.
    while isinstance(network.layers[names[first - 1]], Dropout):
        first -= 1
    stages: list[list[str]] = [[]]
    for name in names[:first]:
        if name in weighted and any(other in weighted for other in stages[-1]):
            stages.append([])
        stages[-1].append(name)
    return Stages(tuple(map(tuple, stages)), tuple(names[first:]))


def frozen_layers(network: Sequential, freeze: int | str, model: str) -> tuple[str, ...]:
    """The names of the layers of the first `freeze` stages ('all': of all before the head).

    Raises ConfigError for a number beyond the depth.
    """
    stages = find_stages(network, model).stages
    count = len(stages) if freeze == "all" else int(freeze)
    if count > len(stages):
        known = ", ".join(stage[0] for stage in stages)
        raise ConfigError(
            f"--freeze takes 0 to {len(stages)} or all for {model}, whose stages before the head are "
            f"{known}; it was given {count}"
        )
    return tuple(name for stage in stages[:count] for name in stage)


def layer_groups(network: Sequential, model: str) -> tuple[tuple[str, ...], ...]:
    """The layers in groups by depth: the head first, then stage by stage towards the pictures."""
    parts = find_stages(network, model)
    return (parts.head, *reversed(parts.stages))
