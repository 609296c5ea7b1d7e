"""Tables of models and of layers: what they say is what the networks say of themselves."""

from __future__ import annotations

import pytest

from residua.config import ModelOptions
from residua.models import MODELS, build_model
from residua.models.summary import layer_table, model_table


def test_every_model_has_its_line():
    lines = model_table().splitlines()
    for name, card in MODELS.items():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert f"{card.parameters:,}" in line
    small = model_table(size=16)
    assert "needs larger pictures" in small
    assert "has no width to choose" in model_table(width=8)


@pytest.mark.parametrize("name", ["resnet8", "squeezenet"])
def test_the_layers_add_up(name):
    network = build_model(ModelOptions(model=name), channels=3, classes=10, size=(64, 64))
    rows = [row for row in network.rows((64, 64, 3)) if row.kind != "Identity"]
    text = layer_table(name, network, (64, 64, 3))
    assert all(row.name in text and row.kind in text for row in rows)
    assert f"{sum(row.parameters for row in rows):,}" in text
    assert f"{sum(row.multiply_adds for row in rows):,}" in text
