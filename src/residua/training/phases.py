"""Stretches of epochs: which layers are trained in each, on pictures or on a frozen base's features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from residua.config import OptimizerOptions
from residua.data.batches import Batches
from residua.engines import Engine
from residua.layers import Conv2d, Layer, Sequential
from residua.models.stages import layer_groups
from residua.training.feature_cache import FrozenBase, cache_features, can_be_cached
from residua.training.step import Step, make_step
from residua.training.task import Task
from residua.training.under_way import GOING
from residua.variables import Tree, merge

_NEVER_TWICE = "varied by more than mirroring, or mixed, pictures are never twice the same"


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
class LayerGroup:
    """Layers, by name, that learn at this share of the rate."""

    share: float
    names: tuple[str, ...]


def make_phase(task: Task, epoch: int, variables: Tree) -> Phase:
    """What this epoch of the task trains. Computes the frozen base's features where they can be cached.

    variables: as the epoch finds them.
    """
    network, options = task.model.network, task.config.optimizer
    depth_rate = task.freezing.depth_rate
    if depth_rate is None or not isinstance(network, Sequential):
        resting = whitening_biases(network) if rests(options, epoch) else ()
        step = _made(task, lambda engine: make_step(network, engine, options, resting=resting))
        return Phase(network, step, task.train, task.validation)
    frozen = task.freezing.frozen_at(epoch)
    tail = Sequential({name: layer for name, layer in network.layers.items() if name not in frozen})
    groups = tuple(
        LayerGroup(depth_rate**depth, names)
        for depth, names in enumerate(layer_groups(network, "the base"))
        if names[0] not in frozen
    )
    names = tuple(group.names for group in groups)
    step = _made(task, lambda engine: make_step(tail, engine, options, names))
    step = _on_part_of_state(step, tail, groups)
    if not frozen:
        return Phase(network, step, task.train, task.validation)
    base = Sequential({name: network.layers[name] for name in frozen})
    last = task.config.schedule.epochs or 1
    if epoch < (unfreeze := task.freezing.unfreeze or 0):
        last = min(last, unfreeze)
    return _phase_on_base(task, tail, step, *base.freeze(variables), range(epoch, last))


def _made(task: Task, make: Callable[[Engine], Step]) -> Step:
    """A step by the task's engine, or of the parts in which its batches are computed."""
    return make(task.engine) if task.crew is None else task.crew.step(make)


def rests(options: OptimizerOptions, epoch: int) -> bool:
    """Whether the biases of whitening layers are trained no more in this epoch, counted from 0."""
    return options.whitening_epochs is not None and epoch >= options.whitening_epochs


def whitening_biases(network: Layer) -> tuple[str, ...]:
    """The paths of the biases of a network's own convolutions with fixed weights."""
    if not isinstance(network, Sequential):
        return ()
    fixed = [name for name, layer in network.layers.items() if isinstance(layer, Conv2d) and layer.fixed]
    return tuple(f"{name}.bias" for name in fixed)


def _phase_on_base(
    task: Task, tail: Sequential, step: Step, base: Layer, variables: Tree, epochs: range
) -> Phase:
    """The layers behind a frozen base: on its features where they can be cached, else run for every batch."""
    train, validation, say = task.train, task.validation, task.reporter.say
    count = len(task.freezing.frozen)
    if not can_be_cached(train.augment) or train.mix or task.crew is not None:
        say(
            f"{count} layers are frozen and run for every batch: "
            + ("its parts are computed apart" if task.crew is not None else _NEVER_TWICE)
        )
        infer = task.engine.compile(lambda v, x: base.infer(task.engine, v, x))
        return Phase(task.model.network, _on_features(infer, variables, step), train, validation)
    pictures = len(train.pictures) + (0 if validation is None else len(validation.pictures))
    say(f"{count} layers are frozen: their features of {pictures:,} pictures are computed once")

    frozen = FrozenBase.prepare(task.engine, base, variables)

    def cached(batches: Batches, name: str) -> Batches:
        return cache_features(frozen, batches, task.run, name, epochs)

    features = cached(train, "train")
    return Phase(tail, step, features, None if validation is None else cached(validation, "validation"))


def _on_part_of_state(step: Step, network: Sequential, groups: tuple[LayerGroup, ...]) -> Step:
    """The step on the whole network's state, of which it sees and changes what it trains."""

    def part_of(tree: Tree) -> Tree:
        return {name: tree[name] for name in network.layers if name in tree}

    def whole_step(
        state: Tree, images: Any, labels: Any, weights: Any, rate: float, *others: Any
    ) -> tuple[Tree, Tree]:
        part: Tree = {"variables": part_of(state["variables"])}
        part["slots"] = {
            name: part_of(slot) if isinstance(slot, dict) else slot for name, slot in state["slots"].items()
        }
        if "averaged" in state:
            part["averaged"] = part_of(state["averaged"])
        if GOING in state:
            part[GOING] = state[GOING]
        rates = tuple(rate * group.share for group in groups)
        after, results = step(part, images, labels, weights, rates, *others)
        return merge(state, after), results

    return whole_step


def _on_features(infer: Callable[..., Any], variables: Tree, step: Step) -> Step:
    """The step on what the base makes of the pictures."""

    def whole_step(
        state: Tree, images: Any, labels: Any, weights: Any, rate: float, *others: Any
    ) -> tuple[Tree, Tree]:
        return step(state, infer(variables, images), labels, weights, rate, *others)

    return whole_step
