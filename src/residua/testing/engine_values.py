"""What an engine promises of values: carried, shared and chosen, and in lists of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.engines.vocabulary.together import pooled
from residua.testing.arrays import distance, host, host_tree
from residua.variables import Tree, flatten, transform

# One array, many small ones, and some that are larger than a piece of work.
SHAPE_LISTS = (((7,),), ((17,), (3, 3, 3, 16), (1,)), ((300, 70), (5,), (64, 64, 3)))


@dataclass(frozen=True)
class Precision:
    """The numbers that an engine is given and must give, and how far these may be from the reference's."""

    dtype: Any
    tolerance: float


def check_values(engine: Engine) -> None:
    """Hold share, plain, size, when, apply and compile to what they promise."""
    name, x = type(engine).__name__, np.arange(6, dtype=np.float32).reshape(2, 3)
    shared = engine.share(x)
    readers = [host(engine, engine.add(shared, x)), host(engine, engine.relu(shared)[0])]
    require(all(map(np.array_equal, readers, (2 * x, x))), f"{name}.share: two readers found other numbers")
    require(np.array_equal(host(engine, engine.add(x, x)), 2 * x), f"{name}.plain gave other numbers")
    size = engine.size(engine.add(x, x))
    require(type(size) is int and size == 6, f"{name}.size says {size!r} of an array of 6 numbers")
    count = pooled(engine, 6)
    require(type(count) is int and count == 6, f"{name} counts {count!r} of 6 numbers in a batch of its own")
    for flag in (True, False):
        for condition in (flag, np.bool_(flag), engine.xp.asarray(flag)):
            chosen = engine.when(condition, lambda: {"a": engine.add(x, x)}, {"a": x})
            wanted = 2 * x if flag else x
            right = np.array_equal(host(engine, chosen["a"]), wanted)
            require(right, f"{name}.when took the wrong side of {condition!r}")

    def step(weights: Tree, x: Array, share: Any) -> tuple[Tree, Array]:
        (a, c), total = engine.mix([weights["a"], weights["b"]["c"]], [x, x], share), engine.norm([x])
        return {"a": a, "b": {"c": c}}, engine.apply(lambda xp, n: xp.rint(n * n), total)

    compiled = engine.compile(step, donate=("weights",))
    # Often enough for an engine that learns a step by heart.
    for share in (0.25, 0.5, 0.25, 0.75, 0.125, 0.25):
        argument, weights = x.copy(), {"a": np.ones_like(x), "b": {"c": x + 1}}
        expected = transform(lambda w, share=share: w + share * (x - w), weights)
        mixed, total = compiled(weights, argument, share)
        for path, value in host_tree(engine, mixed).items():
            gap = distance(value, flatten(expected)[path])
            require(gap < 1e-6, f"{name}.compile: a compiled step gave other numbers ({gap:.3g} away)")
        require(float(host(engine, total)) == 55.0, f"{name}.compile: a compiled step gave another sum")
        require(
            np.array_equal(argument, x), f"{name}.compile: an argument that was not donated was written to"
        )


def check_lists(engine: Engine, reference: Engine, seed: int, precision: Precision) -> None:
    """mix, scale, norm and finite on lists of arrays."""
    name, rng = type(engine).__name__, np.random.default_rng(seed)
    for shapes in SHAPE_LISTS:
        old, new = ([rng.normal(size=shape).astype(precision.dtype) for shape in shapes] for _ in range(2))
        exact_old, exact_new = ([a.astype(np.float64) for a in arrays] for arrays in (old, new))
        for share in (0.0, 0.1, 1.0, np.array(0.25)):
            mixed = engine.mix(old, new, share), reference.mix(exact_old, exact_new, share)
            scaled = engine.scale(old, share), reference.scale(exact_old, share)
            for what, (mine, theirs) in (("mix", mixed), ("scale", scaled)):
                compare_lists(f"{name}.{what} {shapes} {share}", engine, mine, theirs, precision)
        norms = [engine.norm(old)], [reference.norm(exact_old)]
        compare_lists(f"{name}.norm {shapes}", engine, *norms, precision)
        require(bool(engine.finite([*old, np.arange(3)])), f"{name}.finite: finite numbers are not")
        for bad in (np.nan, np.inf, -np.inf):
            spoilt = [a.copy() for a in old]
            spoilt[-1].reshape(-1)[-1] = bad
            require(not engine.finite(spoilt), f"{name}.finite {shapes}: {bad} went unseen")


def compare_lists(what: str, engine: Engine, mine: Any, theirs: Any, precision: Precision) -> None:
    """AssertionError unless an engine's arrays are the reference's, but for rounding."""
    require(len(mine) == len(theirs), f"{what} gave {len(mine)} arrays for {len(theirs)}")
    for value, exact in zip(mine, theirs, strict=True):
        result = np.asarray(host(engine, value))
        wanted = np.dtype(precision.dtype)
        require(result.dtype == wanted, f"{what} is {result.dtype} for inputs in {wanted}")
        require(result.shape == np.shape(exact), f"{what} is {result.shape} instead of {np.shape(exact)}")
        gap = distance(result, np.asarray(exact))
        allowed = precision.tolerance
        require(gap <= allowed, f"{what} is {gap:.3g} away, allowed {allowed:.3g}")


def require(condition: bool, promise: str) -> None:
    """AssertionError with the broken promise, unless it was kept."""
    if not condition:
        raise AssertionError(promise)
