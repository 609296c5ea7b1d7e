"""What `freeze` promises: the same function for inference, without statistics and without chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.testing.arrays import host
from residua.testing.layer_under_test import LayerUnderTest, check_gradients
from residua.variables import STATISTICS, Tree, flatten, merge, transform, unflatten

SAME = 1e-9


class _WithoutDropout:
    """An engine whose dropout drops nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def dropout(self, x: Array, key: Array, *, rate: float) -> tuple[Array, Any]:
        """x itself."""
        return x, None

    def dropout_maps(self, x: Array, key: Array, *, rate: float) -> tuple[Array, Any]:
        """x itself."""
        return x, None


def check_freeze(
    subject: LayerUnderTest, v: Tree, x: Array, rng: np.random.Generator, tolerance: float
) -> None:
    """Hold `freeze` to forward, at the statistics at which both must agree.

    Where the running statistics are those of the batch itself, normalising by them is what forward does.
    So forward is asked for them, and the frozen layer must then give forward's y.
    """
    engine = subject.engine
    deterministic = LayerUnderTest(subject.layer, cast(Engine, _WithoutDropout(engine)), subject.name)
    rest = merge(v, _statistics_at_rest(deterministic, v, x))
    frozen_layer, frozen_v = _freeze(subject, rest)
    frozen = LayerUnderTest(frozen_layer, engine, f"{subject.name}, frozen")
    y, saved, stats = frozen.forward(frozen_v, x)
    frozen.need(not stats, f"forward still gives statistics: {', '.join(stats)}")
    left = [name for name in flatten(frozen_v) if name.split(".")[-1] in STATISTICS]
    frozen.need(not left, f"statistics are left among its variables: {', '.join(left)}")
    expected = deterministic.forward(rest, x)[0]
    if not _depends_on_keys(deterministic, rest, x, expected):
        promise = "its output is not that of the layer with the same statistics"
        frozen.same(promise, y, expected, SAME)
    alone = frozen.forward(frozen_v, x[:1])[0]
    frozen.same("the output for a picture depends on the rest of the batch", alone, y[:1], SAME)
    inferred = host(engine, frozen_layer.infer(engine, frozen_v, x))
    frozen.same("infer differs from forward's y", inferred, y, SAME)
    dy = rng.uniform(0.5, 1.5, y.shape) * rng.choice((-1.0, 1.0), y.shape)
    dx, _ = frozen.backward(frozen_v, saved, dy)
    frozen.need(dx.shape == x.shape, f"backward gave dx {dx.shape} for x {x.shape}")
    check_gradients(frozen, frozen_v, x, dy, rng, tolerance)


def _freeze(subject: LayerUnderTest, v: Tree) -> tuple[Any, Tree]:
    before = transform(np.copy, v)
    layer, frozen = subject.layer.freeze(v)
    originals = flatten(before)
    for name, value in flatten(v).items():
        subject.need(np.array_equal(value, originals[name]), f"freeze wrote to the variable {name}")
    for name, value in flatten(frozen).items():
        dtype_kept = value.dtype == np.float64 or not np.issubdtype(value.dtype, np.floating)
        subject.need(dtype_kept, f"freeze made {name} {value.dtype} out of float64")
    return layer, frozen


def _depends_on_keys(subject: LayerUnderTest, v: Tree, x: Array, y: Array) -> bool:
    """Whether y depends on keys in another way than through the engine's dropout."""
    keys = {name: value + 1 for name, value in flatten(v).items() if name.split(".")[-1] == "key"}
    return bool(keys) and not np.array_equal(subject.forward(merge(v, unflatten(keys)), x)[0], y)


def _statistics_at_rest(subject: LayerUnderTest, v: Tree, x: Array) -> Tree:
    """The running statistics after infinitely many passes over an infinite repetition of the batch.

    Running variances are unbiased: with m numbers they are s / (m - 1), twice the batch gives
    2 s / (2 m - 1), and 2 / second - 1 / first = m / s is one over the biased variance that forward
    normalises by.
    """
    once = _fixed_point(subject, v, x)
    twice = _fixed_point(subject, v, np.concatenate((x, x)))
    rest = {}
    for name, first in once.items():
        rest[name] = twice[name]
        if name.split(".")[-1] == "running_var":
            positive = (first > 0) & (twice[name] > 0)
            inverse = np.divide(2, twice[name], where=positive, out=np.ones_like(first)) - np.divide(
                1, first, where=positive, out=np.zeros_like(first)
            )
            rest[name] = np.where(positive, 1 / inverse, 0.0)
    return unflatten(rest)


def _fixed_point(subject: LayerUnderTest, v: Tree, x: Array) -> dict[str, Array]:
    """The statistics that a pass over `x` leaves as they are: new = (1 - share) old + share batch."""
    names = [
        name
        for name, value in flatten(v).items()
        if name.split(".")[-1] in STATISTICS and np.issubdtype(value.dtype, np.floating)
    ]
    if not names:
        return {}
    from_zero, from_one = (_pass(subject, v, x, names, start) for start in (0.0, 1.0))
    rest = {}
    for name in names:
        subject.need(name in from_zero and name in from_one, f"forward never gives the statistic {name}")
        share = 1 - (from_one[name] - from_zero[name])
        subject.need(bool((np.abs(share) > 1e-6).all()), f"the statistic {name} never moves to the batch's")
        rest[name] = from_zero[name] / share
    after = subject.forward(merge(v, unflatten(rest)), x)[2]
    for name in names:
        # An absolute comparison: a mean may be nearly zero.
        still = np.allclose(after[name], rest[name], rtol=SAME, atol=SAME)
        subject.need(still, f"the statistic {name} does not come to rest on a batch that repeats")
    return rest


def _pass(subject: LayerUnderTest, v: Tree, x: Array, names: list[str], start: float) -> Mapping[str, Array]:
    flat = flatten(v)
    filled = {name: np.full_like(flat[name], start) for name in names}
    return subject.forward(merge(v, unflatten(filled)), x)[2]
