"""A new head for new classes on a trained network: what transfer learning begins with."""

from __future__ import annotations

from residua.errors import ModelFileError
from residua.layers import Conv2d, Dropout, GlobalAveragePool, Layer, Linear, Sequential
from residua.models.stages import find_stages


def replace_head(network: Layer, classes: int, source: str) -> Sequential:
    """The network with another last layer, for so many classes; all layers before it keep their names.

    A linear layer is replaced by one. 1x1 kernels whose map is averaged (SqueezeNet) become the mean and a
    linear layer, which is the same function but for the ReLU that SqueezeNet has there: rectified logits of
    a few new classes can all be zero, where nothing is learnt any more. Raises ModelFileError for others.
    """
    parts = find_stages(network, source)
    assert isinstance(network, Sequential)
    head = {name: network.layers[name] for name in parts.head}
    base = {name: layer for name, layer in network.layers.items() if name not in head}
    dropouts = {name: layer for name, layer in head.items() if isinstance(layer, Dropout)}
    name, last = next(item for item in head.items() if item[0] not in dropouts)
    after = {key: layer for key, layer in head.items() if key != name and key not in dropouts}
    if isinstance(last, Linear) and not after:
        return Sequential(base | dropouts | {name: Linear(last.in_features, classes)})
    pooled = [type(layer) for layer in after.values()] == [GlobalAveragePool]
    if isinstance(last, Conv2d) and (last.kernel, last.stride, last.padding) == (1, 1, 0) and pooled:
        return Sequential(base | after | dropouts | {name: Linear(last.in_channels, classes)})
    raise ModelFileError(
        f"{source} ends in {type(last).__name__} {name!r}: a new head takes the place of a linear layer, "
        "or of 1x1 kernels whose map is averaged"
    )
