"""What an engine must do beside single operations: update weights, and train a network."""

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
from residua.testing.core_cases import OPTIMIZERS
from residua.testing.engine_values import SHAPE_LISTS, Precision, compare_lists, require
from residua.variables import Tree, flatten, merge, trainable, transform, unflatten

STEPS = 5


def check_optimizers(engine: Engine, reference: Engine, seed: int, precision: Precision) -> None:
    """Several steps of every update rule, each from the slots that the last one gave."""
    for rule, (slots, choices) in OPTIMIZERS.items():
        for shapes in SHAPE_LISTS:
            for options in choices:
                mine = _steps(engine, rule, slots, shapes, options, seed, precision.dtype)
                theirs = _steps(reference, rule, slots, shapes, options, seed, np.float64)
                for label, arrays, exact in zip(("weight", *slots), mine, theirs, strict=True):
                    what = f"{type(engine).__name__}.{rule} {shapes} {options}: {label}"
                    compare_lists(what, engine, arrays, exact, precision)


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
        copies = [[np.array(a) for a in arrays] for arrays in arguments]
        if rule == "adam":
            extra["count"] = np.array(number)
        # The last array is spared, as normalisations may be.
        decays = [decay] * (len(shapes) - 1) + [0.0 if len(shapes) > 1 else decay]
        state = list(getattr(engine, rule)(*arguments, 0.03, decays=decays, **extra))
        same = all(
            np.array_equal(np.asarray(a), b)
            for arrays, before in zip(arguments, copies, strict=True)
            for a, b in zip(arrays, before, strict=True)
        )
        require(same, f"{type(engine).__name__}.{rule} wrote to its arguments")
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


def check_network(engine: Engine, reference: Engine, seed: int, dtype: Any = np.float32) -> None:
    """Train a small residual network for some compiled steps; losses, weights and frozen logits agree.

    Bounds are wider than for single operations: rounding may decide a sign somewhere.
    """
    network = _network()
    name = type(engine).__name__
    losses, variables, logits = _train(network, engine, seed, dtype)
    exact_losses, exact_variables, exact_logits = _train(network, reference, seed, np.float64)
    gap = distance(losses, exact_losses)
    require(
        gap <= 1e-4, f"{name}: the losses of a small network in training are {gap:.3g} away, allowed 1e-4"
    )
    for path, value in variables.items():
        gap = distance(value, exact_variables[path], floor=0.1)
        require(gap <= 2e-3, f"{name}: after training {path} is {gap:.3g} away, allowed 2e-3")
    gap = distance(logits, exact_logits)
    require(gap <= 2e-3, f"{name}: the frozen network's logits are {gap:.3g} away, allowed 2e-3")


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
