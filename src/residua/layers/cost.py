"""What a network needs for one picture, known before any of it is computed."""

from __future__ import annotations

from math import prod

from residua.layers.base import Layer
from residua.layers.branches import _Branches
from residua.layers.capsule_network import CapsuleNetwork
from residua.layers.ensemble import Ensemble
from residua.layers.residual import Residual
from residua.layers.sequential import Sequential
from residua.layers.shapes import Shape

MAPS_BYTES = 2**25  # of the largest maps of pictures that are answered at once


def pictures_at_once(layer: Layer, shape: Shape) -> int:
    """How many pictures to answer at once: a power of two that keeps the largest maps within 32 MiB.

    More are no faster, since maps beyond a cache come from memory anyway, and take memory for each.
    """
    most = MAPS_BYTES // (4 * max(1, largest_output(layer, shape)))
    return 1 << max(0, most.bit_length() - 1)


def largest_output(layer: Layer, shape: Shape) -> int:
    """The most numbers that any layer inside gives for one picture of this shape.

    No variables are made: the description of a network alone may ask for any amount of memory. Raises
    ShapeError where a layer cannot take what comes.
    """
    if isinstance(layer, Sequential | CapsuleNetwork):
        most = 0
        for inner in layer.layers.values():
            most, shape = max(most, largest_output(inner, shape)), inner.output_shape(shape)
        decoder = layer.decoder if isinstance(layer, CapsuleNetwork) else None
        return most if decoder is None else max(most, largest_output(decoder, (prod(shape),)))
    if isinstance(layer, Residual):
        parts = [layer.body] if layer.shortcut is None else [layer.body, layer.shortcut]
    elif isinstance(layer, _Branches):
        parts, shape = list(layer.branches.values()), layer._branch_shape(shape)
        # Side by side, they are one map more.
        return sum(largest_output(part, shape) for part in parts)
    elif isinstance(layer, Ensemble):
        parts = list(layer.members.values())
    else:
        return prod(layer.output_shape(shape))
    return max(largest_output(part, shape) for part in parts)
