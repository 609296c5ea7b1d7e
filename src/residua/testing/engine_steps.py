"""What an engine must do beside single operations: carry values, update weights, train a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from residua.engines.base import Array, Engine
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
from residua.variables import Tree, flatten, merge, trainable, transform

STEPS = 5


def check_values(engine: Engine) -> None:
    """Hold share, plain, size, when and compile to what they promise."""
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
        return transform(lambda w: engine.mix(w, x, share), weights), engine.square_sum(x)

    compiled = engine.compile(step, donate=("weights",))
    for share in (0.25, 0.5, 0.25):
        given, weights = x.copy(), {"a": np.ones_like(x), "b": {"c": x + 1}}
        expected = transform(lambda w, share=share: w + share * (x - w), weights)
        mixed, total = compiled(weights, given, share)
        for path, value in host_tree(engine, mixed).items():
            gap = distance(value, flatten(expected)[path])
            _need(gap < 1e-6, f"{name}.compile: a compiled step gave other numbers ({gap:.3g} away)")
        _need(float(host(engine, total)) == 55.0, f"{name}.compile: a compiled step gave another sum")
        _need(np.array_equal(given, x), f"{name}.compile: an argument that was not donated was written to")


def check_optimizers(engine: Engine, reference: Engine, seed: int, tolerance: float) -> None:
    """Several steps of every update rule, each from the slots that the last one gave."""
    for rule, (slots, choices) in OPTIMIZERS.items():
        for shape in ((7,), (17,), (3, 3, 3, 16)):
            for options in choices:
                mine = _steps(engine, rule, slots, shape, options, seed, np.float32)
                theirs = _steps(reference, rule, slots, shape, options, seed, np.float64)
                for label, value, exact in zip(("weight", *slots), mine, theirs, strict=True):
                    what = f"{type(engine).__name__}.{rule} {shape} {options}: {label}"
                    _need(value.dtype == np.float32, f"{what} is {value.dtype} for inputs in float32")
                    gap = distance(value, exact)
                    _need(
                        gap <= tolerance,
                        f"{what} is {gap:.3g} away, allowed {tolerance:.3g}",
                    )


def _steps(
    engine: Engine,
    rule: str,
    slots: tuple[str, ...],
    shape: tuple[int, ...],
    options: dict[str, Any],
    seed: int,
    dtype: Any,
) -> list[Array]:
    rng = np.random.default_rng(seed)
    state: list[Any] = [rng.normal(size=shape).astype(np.float32).astype(dtype)]
    state += [np.zeros(shape, dtype) for _ in slots]
    counted = rule == "adam"
    for number in range(1, STEPS + 1):
        gradient = rng.normal(size=shape).astype(np.float32).astype(dtype)
        arguments = [*map(engine.plain, state), gradient]
        kept = [np.array(a) for a in arguments]
        extra = {"count": float(number)} if counted else {}
        state = list(getattr(engine, rule)(*arguments, 0.03, **options, **extra))
        same = all(np.array_equal(np.asarray(a), b) for a, b in zip(arguments, kept, strict=True))
        _need(same, f"{type(engine).__name__}.{rule} wrote to its arguments")
    return [host(engine, value) for value in state]


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

    def step(variables: Tree, slots: Tree, pictures: Array, labels: Array) -> tuple[Tree, Tree, Array]:
        logits, saved, stats = network.forward(engine, variables, pictures)
        loss, dlogits = engine.softmax_cross_entropy(logits, labels, smoothing=0.1)
        _, grads = network.backward(engine, variables, saved, dlogits)
        trained = trainable(variables)
        pairs = transform(
            lambda w, s, g: engine.sgd(
                w, s, g, 0.02, momentum=0.9, nesterov=False, decay=1e-4, decoupled=False
            ),
            trained,
            slots,
            grads,
        )
        weights, slots = (transform(lambda pair, i=i: pair[i], pairs) for i in range(2))
        return merge(merge(variables, weights), stats), slots, loss

    compiled = engine.compile(step, donate=("variables", "slots"))
    slots = transform(np.zeros_like, trainable(variables))
    losses = []
    for _ in range(3):
        variables, slots, loss = compiled(variables, slots, pictures, labels)
        losses.append(float(host(engine, loss)))
    final = host_tree(engine, variables)
    frozen, frozen_variables = network.freeze(transform(lambda a: host(engine, a), variables))
    return np.array(losses), final, host(engine, frozen.infer(engine, frozen_variables, pictures))


def _need(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(promise)
