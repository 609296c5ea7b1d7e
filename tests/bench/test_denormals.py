"""Denormal numbers against ordinary ones."""

from __future__ import annotations

import numpy as np
import pytest
from bench_harness import SMALL, harness_with

from residua.bench import (
    denormals,
    networks,
)
from residua.bench.networks import TINY


def test_worn_weights_keep_a_network_full_of_denormals(engine):
    layers, variables = TINY.build(), denormals.worn(TINY)
    tiny = np.finfo(np.float32).tiny
    x = networks.random_batch(TINY, 8)[0] * denormals.TINY
    for name, layer in layers.layers.items():
        x = layer.forward(engine, variables[name], x)[0]
        if name == "head":
            break
        numbers = np.abs(x[x != 0])
        assert len(numbers) > 0.2 * x.size, name
        assert (numbers < tiny).mean() > 0.9, name
    assert ((variables["stem"]["conv"]["weight"] != 0).mean(), np.isfinite(x).all()) == (1.0, True)


@pytest.mark.parametrize("peer_too", [False, True])
def test_denormals_are_held_against_ordinary_numbers(monkeypatch, request, peer_too):
    monkeypatch.setattr(denormals, "LAYER", SMALL)
    found = list(
        denormals.measure(harness_with(request.getfixturevalue("peer") if peer_too else None), TINY, 8)
    )
    sides = ["residua", "PyTorch"] if peer_too else ["residua"]
    assert len(found) == 3 * len(sides)
    for number, result in enumerate(found):
        row = result.row()
        assert set(row["sides"]) == {"ordinary", "denormals"}
        assert row["ratio_of"] == "denormals / ordinary"
        assert f": {sides[number % len(sides)]}" in row["work"]
        assert row.get("to_reach") == ("< 1.2" if sides[number % len(sides)] == "residua" else None)
