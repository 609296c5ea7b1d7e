"""What an engine must do beside single operations: carry values, update weights, train a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers import (
    Conv2d,
    ConvNorm,
    Dropout,
    GlobalAveragePool,
    Linear,
    MaxPool2d,
    Residual,
    Sequential,
    SubsamplePad,
)
from residua.testing.arrays import cast, distance, host, host_tree
from residua.testing.engine_cases import OPTIMIZERS
from residua.variables import Tree, flatten, merge, trainable, transform, unflatten

STEPS = 5


def check_values(engine: Engine) -> None:
    """Hold share, plain, size, when, apply and compile to what they promise."""
    name, x = type(engine).__name__, np.arange(6, dtype=np.float32).reshape(2, 3)
    shared = engine.share(x)
    readers = [host(engine, engine.add(shared, x)), host(engine, engine.relu(shared)[0])]
    _need(all(map(np.array_equal, readers, (2 * x, x))), f"{name}.share: two readers found other numbers")
    _need(np.array_equal(host(engine, engine.add(x, x)), 2 * x), f"{name}.plain gave other numbers")
    size = engine.size(engine.add(x, x))
    _need(type(size) is int and size == 6, f"{name}.size says {size!r} of an array of 6 numbers")
    for flag in (True, False):
        for given in (flag, np.bool_(flag), engine.xp.asarray(flag)):
            chosen = engine.when(given, lambda: {"a": engine.add(x, x)}, {"a": x})
            wanted = 2 * x if flag else x
            right = np.array_equal(host(engine, chosen["a"]), wanted)
            _need(right, f"{name}.when took the wrong side of {given!r}")

    def step(weights: Tree, x: Array, share: Any) -> tuple[Tree, Array]:
        (a, c), total = engine.mix([weights["a"], weights["b"]["c"]], [x, x], share), engine.norm([x])
        return {"a": a, "b": {"c": c}}, engine.apply(lambda xp, n: xp.round(n * n, 3), total)

    compiled = engine.compile(step, donate=("weights",))
    # Often enough for an engine that learns a step by heart.
    for share in (0.25, 0.5, 0.25, 0.75, 0.125, 0.25):
        given, weights = x.copy(), {"a": np.ones_like(x), "b": {"c": x + 1}}
        expected = transform(lambda w, share=share: w + share * (x - w), weights)
        mixed, total = compiled(weights, given, share)
        for path, value in host_tree(engine, mixed).items():
            gap = distance(value, flatten(expected)[path])
            _need(gap < 1e-6, f"{name}.compile: a compiled step gave other numbers ({gap:.3g} away)")
        _need(float(host(engine, total)) == 55.0, f"{name}.compile: a compiled step gave another sum")
        _need(np.array_equal(given, x), f"{name}.compile: an argument that was not donated was written to")


# One array, many small ones, and some that are larger than a piece of work.
LISTS = (((7,),), ((17,), (3, 3, 3, 16), (1,)), ((300, 70), (5,), (64, 64, 3)))


def check_lists(engine: Engine, reference: Engine, seed: int, tolerance: float) -> None:
    """mix, scale, norm and finite on lists of arrays."""
    name, rng = type(engine).__name__, np.random.default_rng(seed)
    for shapes in LISTS:
        old, new = ([rng.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(2))
        exact_old, exact_new = ([a.astype(np.float64) for a in arrays] for arrays in (old, new))
        for share in (0.0, 0.1, 1.0, np.array(0.25)):
            mixed = engine.mix(old, new, share), reference.mix(exact_old, exact_new, share)
            scaled = engine.scale(old, share), reference.scale(exact_old, share)
            for what, (mine, theirs) in (("mix", mixed), ("scale", scaled)):
                _compare(f"{name}.{what} {shapes} {share}", engine, mine, theirs, tolerance)
        norms = [engine.norm(old)], [reference.norm(exact_old)]
        _compare(f"{name}.norm {shapes}", engine, *norms, tolerance)
        _need(bool(engine.finite([*old, np.arange(3)])), f"{name}.finite: finite numbers are not")
        for bad in (np.nan, np.inf, -np.inf):
            spoilt = [a.copy() for a in old]
            spoilt[-1].reshape(-1)[-1] = bad
            _need(not engine.finite(spoilt), f"{name}.finite {shapes}: {bad} went unseen")


def _compare(what: str, engine: Engine, mine: Any, theirs: Any, tolerance: float) -> None:
    _need(len(mine) == len(theirs), f"{what} gave {len(mine)} arrays for {len(theirs)}")
    for value, exact in zip(mine, theirs, strict=True):
        found = np.asarray(host(engine, value))
        _need(found.dtype == np.float32, f"{what} is {found.dtype} for inputs in float32")
        _need(found.shape == np.shape(exact), f"{what} is {found.shape} instead of {np.shape(exact)}")
        gap = distance(found, np.asarray(exact))
        _need(gap <= tolerance, f"{what} is {gap:.3g} away, allowed {tolerance:.3g}")


def check_optimizers(engine: Engine, reference: Engine, seed: int, tolerance: float) -> None:
    """Several steps of every update rule, each from the slots that the last one gave."""
    for rule, (slots, choices) in OPTIMIZERS.items():
        for shapes in LISTS:
            for options in choices:
                mine = _steps(engine, rule, slots, shapes, options, seed, np.float32)
                theirs = _steps(reference, rule, slots, shapes, options, seed, np.float64)
                for label, found, exact in zip(("weight", *slots), mine, theirs, strict=True):
                    what = f"{type(engine).__name__}.{rule} {shapes} {options}: {label}"
                    _compare(what, engine, found, exact, tolerance)


def _steps(
    engine: Engine,
    rule: str,
    slots: tuple[str, ...],
    shapes: tuple[tuple[int, ...], ...],
    options: dict[str, Any],
    seed: int,
    dtype: Any,
) -> list[list[Array]]:
    rng = np.random.default_rng(seed)

    def draw() -> list[Array]:
        return [rng.normal(size=shape).astype(np.float32).astype(dtype) for shape in shapes]

    state: list[Any] = [draw()] + [[np.zeros(shape, dtype) for shape in shapes] for _ in slots]
    decay = options["decay"]
    extra = {name: value for name, value in options.items() if name != "decay"}
    for number in range(1, STEPS + 1):
        arguments = [[engine.plain(a) for a in arrays] for arrays in (*state, draw())]
        kept = [[np.array(a) for a in arrays] for arrays in arguments]
        if rule == "adam":
            extra["count"] = np.array(number)
        # The last array is spared, as normalisations may be.
        decays = [decay] * (len(shapes) - 1) + [0.0 if len(shapes) > 1 else decay]
        state = list(getattr(engine, rule)(*arguments, 0.03, decays=decays, **extra))
        same = all(
            np.array_equal(np.asarray(a), b)
            for arrays, copies in zip(arguments, kept, strict=True)
            for a, b in zip(arrays, copies, strict=True)
        )
        _need(same, f"{type(engine).__name__}.{rule} wrote to its arguments")
    return [[host(engine, value) for value in arrays] for arrays in state]


def _network() -> Sequential:
    body = Sequential({"a": ConvNorm(Conv2d(4, 6, stride=2)), "b": ConvNorm(Conv2d(6, 6), relu=False)})
    same = Sequential({"a": ConvNorm(Conv2d(6, 6)), "b": ConvNorm(Conv2d(6, 6), relu=False)})
    wide = Sequential({"a": ConvNorm(Conv2d(6, 8, stride=2)), "b": ConvNorm(Conv2d(8, 8), relu=False)})
    return Sequential(
        {
            "stem": ConvNorm(Conv2d(3, 4)),
            "pool": MaxPool2d(3, 1, 1),
            "one": Residual(body, SubsamplePad(4, 6)),
            "two": Residual(same),
            "three": Residual(wide, ConvNorm(Conv2d(6, 8, 1, 2, 0), relu=False)),
            "plain": Residual(ConvNorm(Conv2d(8, 8), relu=False), None),
            "mean": GlobalAveragePool(),
            "drop": Dropout(0.2),
            "head": Linear(8, 5),
        }
    )


def check_network(engine: Engine, reference: Engine, seed: int) -> None:
    """Train a small residual network for some compiled steps; losses, weights and frozen logits agree.

    Bounds are wider than for single operations: rounding may decide a sign somewhere.
    """
    network = _network()
    name = type(engine).__name__
    losses, variables, logits = _train(network, engine, seed, np.float32)
    exact_losses, exact_variables, exact_logits = _train(network, reference, seed, np.float64)
    gap = distance(losses, exact_losses)
    _need(gap <= 1e-4, f"{name}: the losses of a small network in training are {gap:.3g} away, allowed 1e-4")
    for path, value in variables.items():
        gap = distance(value, exact_variables[path], floor=0.1)
        _need(gap <= 2e-3, f"{name}: after training {path} is {gap:.3g} away, allowed 2e-3")
    gap = distance(logits, exact_logits)
    _need(gap <= 2e-3, f"{name}: the frozen network's logits are {gap:.3g} away, allowed 2e-3")


def _train(
    network: Sequential, engine: Engine, seed: int, dtype: Any
) -> tuple[Array, dict[str, Array], Array]:
    rng = np.random.default_rng(seed)
    variables = cast(network.init(rng), dtype)
    pictures, labels = rng.normal(size=(6, 13, 11, 3)).astype(dtype), rng.integers(0, 5, 6)

    def step(
        variables: Tree, slots: Tree, pictures: Array, labels: Array, rate: float
    ) -> tuple[Tree, Tree, Array]:
        logits, saved, stats = network.forward(engine, variables, pictures)
        loss, dlogits = engine.softmax_cross_entropy(logits, labels, smoothing=0.1)
        _, grads = network.backward(engine, variables, saved, dlogits)
        paths = flatten(grads)
        old, speed, slope = ([flatten(tree)[path] for path in paths] for tree in (variables, slots, grads))
        moved, speeds = engine.sgd(
            old,
            speed,
            slope,
            rate,
            decays=[1e-4] * len(paths),
            momentum=0.9,
            nesterov=False,
            decoupled=False,
        )
        weights, slots = (unflatten(dict(zip(paths, arrays, strict=True))) for arrays in (moved, speeds))
        return merge(merge(variables, weights), stats), slots, loss

    compiled = engine.compile(step, donate=("variables", "slots"))
    slots = transform(np.zeros_like, trainable(variables))
    losses = []
    for number in range(6):
        rate = 0.02 / (1 + number)
        variables, slots, loss = compiled(variables, slots, pictures, labels, rate)
        losses.append(float(host(engine, loss)))
    final = host_tree(engine, variables)
    frozen, frozen_variables = network.freeze(transform(lambda a: host(engine, a), variables))
    return np.array(losses), final, host(engine, frozen.infer(engine, frozen_variables, pictures))


def _need(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(promise)
