"""A new head for new classes."""

from __future__ import annotations

import numpy as np
import pytest

from residua.config import ModelOptions
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import ModelFileError
from residua.layers import Conv2d, GlobalAveragePool, Linear, ReLU, Sequential
from residua.models import build_model
from residua.models.head_replacement import replace_head
from residua.models.stages import find_stages


def test_squeezenets_new_head_is_its_old_one_but_for_the_relu(rng):
    old = build_model(ModelOptions(model="squeezenet", dropout=0.5), channels=3, classes=4)
    new = replace_head(old, 2, "it")
    assert list(new.layers)[-3:] == ["pool", "dropout", "head"]
    assert new.output_shape((63, 63, 3)) == (2,)
    engine, x = NumpyEngine(), rng.normal(size=(2, 63, 63, 3)).astype(np.float32)
    v = new.init(rng)
    kernels = {"weight": v["head"]["weight"][None, None], "bias": v["head"]["bias"]}
    before = Sequential(
        {name: layer for name, layer in old.layers.items() if name not in ("dropout", "head", "pool")}
    )
    maps = before.infer(engine, v, x)
    wanted = engine.conv2d(maps, kernels["weight"], kernels["bias"], stride=1, padding=0)[0].mean(axis=(1, 2))
    frozen, held = new.freeze(v)
    np.testing.assert_allclose(frozen.infer(engine, held, x), wanted, atol=1e-5)


def test_what_has_no_head_is_refused():
    with pytest.raises(ModelFileError, match="too few layers"):
        find_stages(Sequential({"head": Linear(3, 2)}), "it")
    odd = Sequential({"conv": Conv2d(3, 4), "head": Conv2d(4, 2), "pool": GlobalAveragePool()})
    with pytest.raises(ModelFileError, match="ends in Conv2d 'head'"):
        replace_head(odd, 2, "it")
    with pytest.raises(ModelFileError, match="no row of layers"):
        find_stages(ReLU(), "it")
