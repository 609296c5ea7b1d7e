"""One step of training: forward, loss, backward, update, as one function of its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from residua.config import OptimizerOptions
from residua.data.batches import Batch
from residua.engines.vocabulary.core import Array, Engine
from residua.layers import Layer
from residua.training.optimizers import Optimizer, clip, gradient_norm, make_optimizer
from residua.training.under_way import GOING, without_going
from residua.variables import Tree, flatten, merge, transform, unflatten

Step = Callable[..., tuple[Tree, dict[str, Array]]]


def mixed_labels(batch: Batch) -> tuple[Array, Array] | None:
    """The second labels and the first ones' shares of pictures made of two; None for ordinary ones."""
    return None if batch.others is None or batch.share is None else (batch.others, batch.share)


def start_state(variables: Tree, optimizer: Optimizer, average: float, lookahead: bool = False) -> Tree:
    """What a step changes: the variables, the optimiser's slots and, where wanted, averaged variables.

    With lookahead also the slow variables, which the training loop changes.
    """
    state = {"variables": variables, "slots": optimizer.init(variables)}
    if average:
        state["averaged"] = transform(np.array, variables)
    return state | {"slow": transform(np.array, variables)} if lookahead else state


def make_step(
    network: Layer,
    engine: Engine,
    options: OptimizerOptions,
    groups: tuple[tuple[str, ...], ...] = (),
    resting: tuple[str, ...] = (),
) -> Step:
    """step(state, images, labels, weights, rate, mixed) -> state, results.

    images: (N, H, W, C) float32; labels: (N,); weights: (N,) per picture, or None; rate: the learning
    rate of this step, or one for each of `groups`, which name the network's layers; mixed: None, or the
    second labels (N,) and the first ones' share (N,) of pictures made of two. resting: paths of variables
    that are not trained, and by which no gradient is computed where that saves anything. results: loss,
    correct (how many have the answer of `labels`), norm (of the whole gradient), finite. Where loss,
    gradient or statistics are not finite numbers the state comes back unchanged. Labels below zero are of
    pictures that only fill a batch up (`engine.counted`).
    """
    optimizer, smoothing = make_optimizer(options), options.smoothing or 0.0

    def step(
        state: Tree,
        images: Array,
        labels: Array,
        weights: Array | None,
        rate: Any,
        mixed: tuple[Array, Array] | None = None,
    ) -> tuple[Tree, dict[str, Array]]:
        variables = state["variables"]
        loss, outputs, grads, stats = engine.counted(
            labels,
            lambda: network.loss(
                engine, variables, images, labels, smoothing=smoothing, weights=weights, mixed=mixed
            ),
        )
        if resting:
            grads = unflatten({path: g for path, g in flatten(grads).items() if path not in resting})
        correct = engine.count_correct(outputs, labels)
        if engine.together is not None:
            parts, loss, correct = engine.apply(engine.together.combine, flatten(grads), loss, correct)
            grads = unflatten(parts)
        norm = gradient_norm(engine, grads)
        # Statistics too: a variance can overflow while the normalised output stays finite.
        finite = engine.finite([loss, norm, *flatten(stats).values()])
        if GOING in state:
            finite = engine.apply(lambda xp, now, before: now & before, finite, state[GOING])

        def update() -> Tree:
            clipped = clip(engine, grads, norm, options.clip) if options.clip else grads
            if groups:
                rates = dict(zip(groups, rate, strict=True))
                updated, slots = _update_groups(engine, optimizer, variables, state["slots"], clipped, rates)
            else:
                updated, changed = optimizer.update(engine, variables, state["slots"], clipped, rate)
                slots = merge(state["slots"], changed)  # what rests keeps its own
            updated = merge(updated, stats)
            after: Tree = {"variables": updated, "slots": slots}
            if "averaged" in state:
                after["averaged"] = _averaged(
                    engine, state["averaged"], updated, options.average, slots["count"]
                )
            return after

        after = engine.when(finite, update, without_going(state))
        return after, {"loss": loss, "correct": correct, "norm": norm, "finite": finite}

    return engine.compile(step, donate=("state",))


def _update_groups(
    engine: Engine,
    optimizer: Optimizer,
    variables: Tree,
    slots: Tree,
    grads: Tree,
    rates: dict[tuple[str, ...], Any],
) -> tuple[Tree, Tree]:
    """One step in which every group of layers, by their names, has its own rate: variables, slots."""
    after = slots
    for names, rate in rates.items():
        part = {name: grads[name] for name in names if name in grads}
        if part:
            variables, changed = optimizer.update(engine, variables, slots, part, rate)
            after = merge(after, changed)
    return variables, after


def _averaged(engine: Engine, averaged: Tree, variables: Tree, decay: float, count: Any) -> Tree:
    # Early on the average would be mostly the untrained start: it may only remember as far as it has seen.
    share = engine.apply(lambda xp, count: 1 - xp.minimum(decay, (1 + count) / (10 + count)), count)
    old, new = flatten(averaged), flatten(variables)
    numbers = [path for path, array in old.items() if array.dtype.kind == "f"]
    mixed = engine.mix([old[path] for path in numbers], [new[path] for path in numbers], share)
    return merge(variables, unflatten(dict(zip(numbers, mixed, strict=True))))
