"""A trained network as the base of another: its stages by depth, and a new head for new classes."""

from __future__ import annotations

from dataclasses import dataclass

from residua.errors import ConfigError, ModelFileError
from residua.layers import Conv2d, Dropout, GlobalAveragePool, Layer, Linear, Sequential
from residua.layers.parameters import ZeroGenerator
from residua.variables import trainable


@dataclass(frozen=True)
class Parts:
    """A network's layers by depth, from the pictures to the logits.

    stages: each the names of a layer with weights and of those without that follow it. head: the names of the
    last layer with weights and of what stands around it: dropout before it, pooling behind it.
    """

    stages: tuple[tuple[str, ...], ...]
    head: tuple[str, ...]


def parts(network: Layer, source: str) -> Parts:
    """The parts of a network. Raises ModelFileError where it is no row of layers with a head."""
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
    return Parts(tuple(map(tuple, stages)), tuple(names[first:]))


def with_new_head(network: Layer, classes: int, source: str) -> Sequential:
    """The network with another last layer, for so many classes; all layers before it keep their names.

    A linear layer is replaced by one. 1x1 kernels whose map is averaged (SqueezeNet) become the mean and a
    linear layer, which is the same function but for the ReLU that SqueezeNet has there: rectified logits of
    a few new classes can all be zero, where nothing is learnt any more. Raises ModelFileError for others.
    """
    found = parts(network, source)
    assert isinstance(network, Sequential)
    head = {name: network.layers[name] for name in found.head}
    dropouts = {name: layer for name, layer in head.items() if isinstance(layer, Dropout)}
    name, last = next(item for item in head.items() if item[0] not in dropouts)
    behind = {key: layer for key, layer in head.items() if key != name and key not in dropouts}
    kept = {key: layer for key, layer in network.layers.items() if key not in head}
    if isinstance(last, Linear) and not behind:
        return Sequential(kept | dropouts | {name: Linear(last.in_features, classes)})
    pooled = [type(layer) for layer in behind.values()] == [GlobalAveragePool]
    if isinstance(last, Conv2d) and (last.kernel, last.stride, last.padding) == (1, 1, 0) and pooled:
        return Sequential(kept | behind | dropouts | {name: Linear(last.in_channels, classes)})
    raise ModelFileError(
        f"{source} ends in {type(last).__name__} {name!r}: a new head takes the place of a linear layer, "
        "or of 1x1 kernels whose map is averaged"
    )


def frozen_layers(network: Sequential, freeze: int | str, model: str) -> tuple[str, ...]:
    """The names of the layers of the first `freeze` stages ('all': of all before the head).

    Raises ConfigError for a number beyond the depth.
    """
    stages = parts(network, model).stages
    count = len(stages) if freeze == "all" else int(freeze)
    if count > len(stages):
        known = ", ".join(stage[0] for stage in stages)
        raise ConfigError(
            f"--freeze takes 0 to {len(stages)} or all for {model}, whose stages before the head are "
            f"{known}; it was given {count}"
        )
    return tuple(name for stage in stages[:count] for name in stage)


def depths(network: Sequential, model: str) -> tuple[tuple[str, ...], ...]:
    """The layers in groups, the head first, then stage by stage towards the pictures."""
    found = parts(network, model)
    return (found.head, *reversed(found.stages))
