"""The engine's table: nothing of the vocabulary is left out, and it can be inherited from as any class."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines import Engine
from residua.engines.numba import NumbaEngine
from residua.engines.numba.methods import composed, kernel, reference
from residua.engines.numpy.engine import NumpyEngine


def operations():
    members = inspect.getmembers(Engine, inspect.isfunction)
    return [name for name, _ in members if not name.startswith("_")]


def test_every_operation_has_its_line():
    assert [name for name in operations() if name not in vars(NumbaEngine)] == []


@pytest.mark.parametrize("name", operations())
def test_a_line_has_the_name_of_its_operation(name):
    assert vars(NumbaEngine)[name].__name__ == name
    assert inspect.getdoc(getattr(NumbaEngine, name))


def test_no_chain_is_longer_than_three():
    def depth(kind):
        return 0 if kind is object else 1 + max(map(depth, kind.__bases__))

    assert max(map(depth, (Engine, NumpyEngine, NumbaEngine))) <= 3


def test_a_subclass_overrides_an_operation_and_reaches_the_one_above():
    class Doubling(NumbaEngine):
        def relu(self, x):
            y, saved = super().relu(x)
            return 2 * y, saved

    x = np.array([[-1.0, 3.0]], np.float32)
    assert np.array_equal(Doubling(1).relu(x)[0], [[0, 6]])


def test_the_three_kinds_of_lines():
    def scale_shift(engine, x):
        return type(engine).__name__, x

    class Some:
        context = NumbaEngine(1).context

    assert kernel(scale_shift)(Some(), 1) == ("Context", 1)
    assert reference(scale_shift)(Some(), 1) == ("NumpyEngine", 1)
    assert composed(scale_shift)(Some(), 1) == ("Some", 1)
