"""Guided backpropagation: at every ReLU only positive gradients pass, and forward nothing changes."""

from __future__ import annotations

import numpy as np

from residua.engines.guided import guided


def test_negative_gradients_stop_at_a_relu(engine, rng):
    x, dy = rng.normal(size=(3, 4, 4, 2)), rng.normal(size=(3, 4, 4, 2))
    y, saved = guided(engine).relu(x)
    assert np.array_equal(y, engine.relu(x)[0])
    expected = np.where((x > 0) & (dy > 0), dy, 0)
    assert np.array_equal(guided(engine).relu_backward(dy, saved), expected)


def test_a_relu_that_is_part_of_an_operation_counts(engine, rng):
    x, weight = rng.normal(size=(2, 5, 5, 3)), rng.normal(size=(3, 3, 3, 4))
    dy = rng.normal(size=(2, 5, 5, 4))
    for relu in (True, False):
        options = {"stride": 1, "padding": 1, "relu": relu}
        _, saved = engine.conv2d(x, weight, None, **options)
        mine = guided(engine).conv2d_backward(dy, weight, saved, **options)
        theirs = engine.conv2d_backward(np.maximum(dy, 0) if relu else dy, weight, saved, **options)
        for one, other in zip(mine[:2], theirs[:2], strict=True):
            assert np.array_equal(one, other)
