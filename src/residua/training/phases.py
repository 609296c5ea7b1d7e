"""Stretches of epochs: which layers are trained in each, on pictures or on a frozen base's features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua.config import OptimizerOptions
from residua.data.batches import Batches
from residua.engines import Engine
from residua.layers import Layer, Sequential
from residua.models.stages import depths
from residua.training.feature_cache import cached, can_be_cached
from residua.training.step import Step, make_step
from residua.variables import Tree, merge

Say = Callable[[str], None]


@dataclass(frozen=True)
class Phase:
    """Epochs in which the same layers are trained on the same arrays.

    network: what is trained, and what validation asks once it is frozen; it reads `train` and `validation`.
    """

    network: Layer
    step: Step
    train: Batches
    validation: Batches | None


@dataclass(frozen=True)
class Plan:
    """Which layers are frozen until when.

    frozen: names of layers, the first ones of the network; none for an ordinary training. unfreeze: the
    epoch, from 0, from which everything is trained; None for never. depth_rate: what each stage's rate is of
    that of the next one towards the head (Howard and Ruder 2018, 1801.06146, section 3.2: 1 / 2.6), None for
    one rate.
    """

    frozen: tuple[str, ...] = ()
    unfreeze: int | None = None
    depth_rate: float | None = None

    def holds(self, epoch: int) -> bool:
        """Whether anything is frozen in this epoch."""
        return bool(self.frozen) and (self.unfreeze is None or epoch < self.unfreeze)


ORDINARY = Plan()


def make_phase(
    plan: Plan,
    epoch: int,
    engine: Engine,
    network: Layer,
    options: OptimizerOptions,
    variables: Tree,
    train: Batches,
    validation: Batches | None,
    run: Path,
    say: Say,
) -> Phase:
    """What this epoch trains. Computes the frozen base's features where they can be kept."""
    if plan.depth_rate is None or not isinstance(network, Sequential):
        return Phase(network, make_step(network, engine, options), train, validation)
    frozen = plan.frozen if plan.holds(epoch) else ()
    tail = Sequential({name: layer for name, layer in network.layers.items() if name not in frozen})
    groups = tuple(
        (plan.depth_rate**depth, names)
        for depth, names in enumerate(depths(network, "the base"))
        if names[0] not in frozen
    )
    step = _within(make_step(tail, engine, options, tuple(names for _, names in groups)), tail, groups)
    if not frozen:
        return Phase(network, step, train, validation)
    first = Sequential({name: network.layers[name] for name in frozen})
    base, held = first.freeze(variables)
    if not can_be_cached(train.augment) or train.mix:
        say(
            f"{len(frozen)} layers are frozen and run for every batch: varied by more than mirroring, "
            "or mixed, pictures are never twice the same"
        )
        infer = engine.compile(lambda v, x: base.infer(engine, v, x))
        return Phase(network, _behind(infer, held, step), train, validation)
    count = len(train.pictures) + (0 if validation is None else len(validation.pictures))
    say(f"{len(frozen)} layers are frozen: their features of {count:,} pictures are computed once")
    features = cached(engine, base, held, train, run, "train")
    kept = None if validation is None else cached(engine, base, held, validation, run, "validation")
    return Phase(tail, step, features, kept)


def _within(step: Step, network: Sequential, groups: tuple[tuple[float, tuple[str, ...]], ...]) -> Step:
    """The step on the whole network's state, of which it sees and changes what it trains."""

    def pick(tree: Tree) -> Tree:
        return {name: tree[name] for name in network.layers if name in tree}

    def whole(
        state: Tree, images: Any, labels: Any, weights: Any, rate: float, mixed: Any = None
    ) -> tuple[Tree, Tree]:
        part: Tree = {"variables": pick(state["variables"])}
        part["slots"] = {
            name: pick(slot) if isinstance(slot, dict) else slot for name, slot in state["slots"].items()
        }
        if "averaged" in state:
            part["averaged"] = pick(state["averaged"])
        rates = tuple(rate * factor for factor, _ in groups)
        after, results = step(part, images, labels, weights, rates, mixed)
        return merge(state, after), results

    return whole


def _behind(infer: Callable[..., Any], variables: Tree, step: Step) -> Step:
    """The step on what the base makes of the pictures."""

    def whole(
        state: Tree, images: Any, labels: Any, weights: Any, rate: float, mixed: Any = None
    ) -> tuple[Tree, Tree]:
        return step(state, infer(variables, images), labels, weights, rate, mixed)

    return whole
