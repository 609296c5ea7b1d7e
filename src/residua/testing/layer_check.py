"""The contract of a layer, as a check that anyone can run on a layer of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from residua.engines.numpy.engine import NumpyEngine
from residua.engines.vocabulary.core import Array, Engine
from residua.layers import LAYERS
from residua.layers.base import Layer
from residua.layers.serialization import build, describe
from residua.testing.arrays import FORMS, cast, distinct, host
from residua.testing.freezing import check_freeze
from residua.testing.layer_under_test import LayerUnderTest, check_gradients
from residua.variables import Tree, count_parameters, flatten, transform

SAME = 1e-11  # the same sums in float64, perhaps in another order


def check_layer(
    layer: Layer,
    shape_or_x: tuple[int, ...] | Array,
    *,
    engine: Engine | None = None,
    seed: int = 0,
    variables: Tree | None = None,
    tolerance: float = 1e-6,
) -> None:
    """Hold a layer to the contract, in float64.

    shape_or_x: the shape of a batch, such as (2, 7, 5, 16), or the batch itself. engine: computes in
    float64 (the reference unless given). variables: taken as they are; without them those of `init`,
    moved at random, so that no zero or one hides a mistake. tolerance: the relative error allowed to a
    gradient.

    Raises AssertionError, saying which promise was broken and by how much.
    """
    engine = NumpyEngine() if engine is None else engine
    rng = np.random.default_rng(seed)
    if isinstance(shape_or_x, tuple):
        x = distinct(rng, shape_or_x)
    else:
        x = np.array(shape_or_x, np.float64)
    initial = _check_init(layer, seed)
    v = cast(_move(initial, rng) if variables is None else variables, np.float64)
    subject = LayerUnderTest(layer, engine)
    y = _check_structure(subject, v, x, rng)
    dy = rng.uniform(0.5, 1.5, y.shape) * rng.choice((-1.0, 1.0), y.shape)
    _check_forms(subject, v, x, dy)
    _check_precision(subject, v, x, dy, y)
    _check_reentrance(subject, v, x, dy)
    subject.same("infer differs from forward's y", host(engine, layer.infer(engine, v, x)), y, SAME)
    check_gradients(subject, v, x, dy, rng, tolerance)
    check_freeze(subject, v, x, rng, tolerance)
    _check_summary(subject, initial, x.shape[1:])
    _check_description(subject)


def _check_init(layer: Layer, seed: int) -> Tree:
    subject = LayerUnderTest(layer)
    initial, again = (layer.init(np.random.default_rng(seed)) for _ in range(2))
    subject.need(isinstance(initial, Mapping), f"init gave {type(initial).__name__}, not a dictionary")
    first, second = flatten(initial), flatten(again)
    subject.need(list(first) == list(second), "init gave other names the second time")
    for name, value in first.items():
        subject.need(isinstance(value, np.ndarray), f"init: {name} is {type(value).__name__}, no NumPy array")
        fits = value.dtype == np.float32 or np.issubdtype(value.dtype, np.integer)
        subject.need(fits, f"init: {name} is {value.dtype}, not float32")
        subject.need(bool(np.isfinite(value).all()), f"init: {name} has numbers that are not finite")
        same = np.array_equal(value, second[name])
        subject.need(same, f"init: {name} is not determined by rng: two equal rngs gave different numbers")
    return initial


def _move(tree: Mapping[str, Any], rng: np.random.Generator) -> Tree:
    """The variables away from the special values of a fresh layer."""
    moved: Tree = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            moved[name] = _move(value, rng)
        elif not np.issubdtype(value.dtype, np.floating):
            moved[name] = value
        elif name == "running_var":
            moved[name] = value * rng.uniform(0.5, 2.0, value.shape)
        else:
            moved[name] = value + 0.3 * rng.uniform(-1.0, 1.0, value.shape)
    return moved


def _check_structure(subject: LayerUnderTest, v: Tree, x: Array, rng: np.random.Generator) -> Array:
    """Names and shapes; gives back y."""
    # Copies: what writes to its arguments is found out later, by name.
    y, saved, stats = subject.forward(transform(np.copy, v), x.copy())
    wanted = (len(x), *subject.layer.output_shape(x.shape[1:]))
    subject.need(y.shape == wanted, f"forward gave y {y.shape}, output_shape promises {wanted}")
    subject.need(bool(np.isfinite(y).all()), "forward gave numbers that are not finite")
    subject.check_stats(v, stats)
    dx, grads = subject.backward(v, saved, rng.normal(size=y.shape))
    subject.need(dx.shape == x.shape, f"backward gave dx {dx.shape} for x {x.shape}")
    subject.check_names(v, grads)
    for what, array in (("dx", dx), *_grads(grads).items()):
        subject.need(bool(np.isfinite(array).all()), f"{what} has numbers that are not finite")
    return y


def _check_precision(subject: LayerUnderTest, v: Tree, x: Array, dy: Array, y: Array) -> None:
    for dtype in (np.float32, np.float64):
        kind = np.dtype(dtype).name
        low_v, low_x, low_dy = cast(v, dtype), x.astype(dtype), dy.astype(dtype)
        low, saved, stats = subject.forward(low_v, low_x)
        dx, grads = subject.backward(low_v, saved, low_dy)
        for what, array in (("y", low), ("dx", dx), *grads.items()):
            subject.need(array.dtype == dtype, f"{what} is {array.dtype} for inputs in {kind}")
        before = flatten(low_v)
        for name, array in stats.items():
            dtype_kept = array.dtype == before[name].dtype
            subject.need(dtype_kept, f"the statistic {name} is {array.dtype} for inputs in {kind}")
        subject.same(f"forward in {kind} differs from float64", low, y, 1e-3)


def _check_forms(subject: LayerUnderTest, v: Tree, x: Array, dy: Array) -> None:
    """Read-only and non-contiguous arrays are taken; no argument is written to."""
    copies = transform(np.copy, v)
    y, saved, stats = subject.forward(copies, x.copy())
    dx, grads = subject.backward(copies, saved, dy.copy())
    expected = {"y": y, **stats, "dx": dx, **_grads(grads)}
    for form, shaped in FORMS.items():
        shaped_v, shaped_x, shaped_dy = transform(shaped, v), shaped(x), shaped(dy)
        try:
            y, saved, stats = subject.forward(shaped_v, shaped_x)
            after_forward = shaped_x.copy()
            dx, grads = subject.backward(shaped_v, saved, shaped_dy)
        except ValueError as error:
            raise AssertionError(f"{subject.name}: {form} arrays are not accepted: {error}") from error
        subject.need(np.array_equal(after_forward, x), f"forward wrote to its {form} x")
        subject.need(np.array_equal(shaped_x, x), f"backward wrote to the {form} x of forward")
        subject.need(np.array_equal(shaped_dy, dy), f"backward wrote to its {form} dy")
        originals = flatten(v)
        for name, value in flatten(shaped_v).items():
            subject.need(np.array_equal(value, originals[name]), f"the variable {name} was written to")
        for name, value in {"y": y, **stats, "dx": dx, **_grads(grads)}.items():
            subject.same(f"{name} differs when the arrays are {form}", value, expected[name], SAME, floor=1.0)


def _grads(grads: Mapping[str, Array]) -> dict[str, Array]:
    return {f"the gradient by {name}": value for name, value in grads.items()}


def _check_reentrance(subject: LayerUnderTest, v: Tree, x: Array, dy: Array) -> None:
    """Two forward passes may be under way at once."""
    other_x, other_dy = 0.7 * x[::-1] + 0.1, -0.6 * dy[::-1]
    pairs = ((x, dy), (other_x, other_dy))
    alone = []
    for one_x, one_dy in pairs:
        y, saved, stats = subject.forward(v, one_x)
        dx, grads = subject.backward(v, saved, one_dy)
        alone.append({"y": y, **stats, "dx": dx, **_grads(grads)})
    both = [subject.forward(v, one_x) for one_x, _ in pairs]
    for (y, saved, stats), (_, one_dy), expected in zip(both, pairs, alone, strict=True):
        dx, grads = subject.backward(v, saved, one_dy)
        for name, value in {"y": y, **stats, "dx": dx, **_grads(grads)}.items():
            promise = f"not re-entrant: {name} differs when two passes interleave"
            subject.same(promise, value, expected[name], SAME, floor=1.0)


def _check_summary(subject: LayerUnderTest, initial: Tree, shape: tuple[int, ...]) -> None:
    rows = list(subject.layer.rows(shape))
    counted, listed = count_parameters(initial), sum(row.parameters for row in rows)
    subject.need(counted == listed, f"rows lists {listed} parameters, init makes {counted}")
    costs, cost = sum(row.multiply_adds for row in rows), subject.layer.multiply_adds(shape)
    subject.need(costs == cost, f"rows lists {costs} multiply-adds, multiply_adds says {cost}")


def _check_description(subject: LayerUnderTest) -> None:
    """A layer of the table survives being written to a file."""
    if LAYERS.get(type(subject.layer).__name__) is not type(subject.layer):
        return
    again = build(json.loads(json.dumps(describe(subject.layer))))
    subject.need(again == subject.layer, f"described and built again it is {again}")
