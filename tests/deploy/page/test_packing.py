"""A model as a page carries it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from residua.deploy.page.layers import LAYERS_OF_PAGES
from residua.deploy.page.packing import pack_layer
from residua.errors import ConfigError
from residua.layers import LAYERS, Conv2d, ConvNorm, Layer, Residual, Sequential


@dataclass(frozen=True)
class Unheard(Layer):
    """Somebody's own."""


def test_every_layer_is_known_or_another_once_it_is_frozen():
    assert LAYERS.keys() - LAYERS_OF_PAGES == {
        "BatchNorm1d", "BatchNorm2d", "ConvNorm", "Dropout", "Dropout2d"
    }  # fmt: skip


def test_an_unknown_layer_is_named_with_its_place():
    network = Sequential({"stage": Residual(Sequential({"odd": Unheard()}))})
    with pytest.raises(ConfigError, match=r"the layer Unheard \(stage\.body\.odd\)"):
        pack_layer(network, {"stage": {"body": {"odd": {}}, "shortcut": {}}})


def test_numbers_lie_where_the_document_says(rng):
    layer = ConvNorm(Conv2d(2, 3))
    frozen, v = layer.freeze(layer.init(rng))
    packed = pack_layer(Sequential({"conv": frozen}), {"conv": v})
    place = packed.document["variables"]["conv"]["weight"]
    found = np.frombuffer(packed.content, "<f4", 54, place["at"]).reshape(place["shape"])
    assert np.array_equal(found, v["weight"])


def test_what_float16_cannot_hold_stays_as_it_is():
    v = {"weight": np.full((2, 2), 1e6, np.float32)}
    packed = pack_layer(LAYERS["Linear"](2, 2, bias=False), v, half=True)
    assert len(packed.content) == 16
