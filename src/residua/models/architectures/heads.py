"""The last layers of networks: what turns maps into logits."""

from __future__ import annotations

from math import prod

from residua.layers import Dropout, Flatten, GlobalAveragePool, Layer, Linear, ReLU, Sequential

# Of the initial weights of fully connected layers, as in Krizhevsky et al. 2012, section 5, and since.
DEVIATION = 0.01


def pooled_head(features: int, classes: int, hidden: tuple[int, ...], dropout: float) -> dict[str, Layer]:
    """What turns the last maps into logits: the mean, `hidden` layers with ReLU, dropout, a linear layer."""
    layers: dict[str, Layer] = {"pool": GlobalAveragePool()}
    for number, units in enumerate(hidden, start=1):
        layers[f"hidden{number}"] = Linear(features, units, gain=2.0)
        layers[f"relu{number}"] = ReLU()
        features = units
    if dropout:
        layers["dropout"] = Dropout(dropout)
    return layers | {"head": Linear(features, classes)}


def fully_connected_head(
    body: dict[str, Layer],
    shape: tuple[int, int, int],
    classes: int,
    hidden: tuple[int, ...],
    dropout: float,
    deviation: float | None = DEVIATION,
) -> dict[str, Layer]:
    """Fully connected layers behind the layers of the `body`, which read pictures of `shape`.

    deviation: of their initial weights; None for He's sqrt(2 / in), and sqrt(1 / in) before the softmax.
    Those would let layers as wide as the papers' not learn at usual rates, normalised or not: one step
    changes an output by the rate times the sum of its inputs' squares, which dropout doubles at each layer
    where nothing makes up for it (about 25,000 before the softmax, instead of 500).
    """
    features = prod(Sequential(body).output_shape(shape))
    layers: dict[str, Layer] = {"flatten": Flatten()}

    def linear(units: int, gain: float) -> Linear:
        return Linear(features, units, gain=gain if deviation is None else deviation**2 * features)

    for number, units in enumerate(hidden, start=1):
        layers[f"hidden{number}"] = linear(units, 2.0)
        layers[f"relu{number}"] = ReLU()
        if dropout:
            layers[f"dropout{number}"] = Dropout(dropout)
        features = units
    return layers | {"head": linear(classes, 1.0)}
