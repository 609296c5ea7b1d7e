"""What a picture costs: how many are answered at once."""

from __future__ import annotations

import pytest

from residua.config import ModelOptions
from residua.layers.cost import MAPS_BYTES, largest_output, pictures_at_once
from residua.models.build import build_model


@pytest.mark.parametrize(("name", "side"), [("squeezenet", 224), ("resnet18", 224), ("resnet20", 32)])
def test_the_largest_maps_of_all_that_is_answered_at_once_stay_small(name, side):
    network, shape = build_model(ModelOptions(model=name), channels=3, classes=10), (side, side, 3)
    count = pictures_at_once(network, shape)
    assert count & (count - 1) == 0
    assert 4 * count * largest_output(network, shape) <= MAPS_BYTES
    assert 8 * count * largest_output(network, shape) > MAPS_BYTES


def test_one_picture_is_always_answered():
    network = build_model(ModelOptions(model="resnet18"), channels=3, classes=10)
    assert pictures_at_once(network, (4096, 4096, 3)) == 1
