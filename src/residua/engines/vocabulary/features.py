"""Features: linear layers, and arrays in another shape; written once."""

from __future__ import annotations

from typing import Any

from residua.errors import ShapeError

Array = Any
Saved = Any


def linear(engine: Any, x: Array, weight: Array, bias: Array | None) -> tuple[Array, Saved]:
    """x @ weight + bias: (N, in) -> (N, out)."""
    if x.shape[-1] != weight.shape[0]:
        raise ShapeError(f"a linear layer over {weight.shape[0]} features was given {tuple(x.shape)}")
    # One product a row: what comes of a picture must not depend on its batch.
    y = engine.xp.matmul(x[:, None, :], weight)[:, 0]
    return (y if bias is None else y + bias), x


def linear_backward(engine: Any, dy: Array, weight: Array, saved: Saved) -> tuple[Array, Array, Array]:
    """Gradients dx, dweight, dbias of `linear`."""
    return dy @ weight.T, saved.T @ dy, dy.sum(axis=0)


def flatten(engine: Any, x: Array) -> tuple[Array, Saved]:
    """(N, ...) -> (N, features), in reading order."""
    return x.reshape(x.shape[0], -1), x.shape


def flatten_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """`dy` in the shape that was flattened."""
    return dy.reshape(saved)


def reshape(engine: Any, x: Array, *, shape: tuple[int, ...]) -> tuple[Array, Saved]:
    """(N, ...) -> (N, *shape), in reading order."""
    return x.reshape(x.shape[0], *shape), x.shape


def reshape_backward(engine: Any, dy: Array, saved: Saved, *, shape: tuple[int, ...]) -> Array:
    """`dy` in x's shape."""
    return dy.reshape(saved)
