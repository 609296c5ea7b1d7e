"""Optimisers: how slots and gradients of a whole network change its variables.

An optimiser is configuration; its slots are trees shaped like the trained variables, held by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from residua.config import OptimizerOptions
from residua.engines.base import Array, Engine
from residua.variables import Tree, merge, trainable, transform

# Rates that suit most networks where none is given.
DEFAULT_RATES = {"sgd": 0.1, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.001}

DEFAULT_DECAY = 0.0001


@dataclass(frozen=True)
class Optimizer:
    """What all rules share. `decay_norms` False spares biases and normalisation (one-dimensional arrays)."""

    decay: float = 0.0
    decoupled: bool = False
    decay_norms: bool = True

    slot_names: ClassVar[tuple[str, ...]] = ("velocity",)

    def init(self, variables: Tree) -> Tree:
        """Slots of zeros for every trained variable, and the count of steps."""
        weights = trainable(variables)
        # Arrays of its own for every slot: an engine may overwrite them in place.
        slots: Tree = {name: transform(np.zeros_like, weights) for name in self.slot_names}
        return slots | {"count": np.zeros((), np.int64)}

    def rule(
        self, engine: Engine, weight: Array, slots: list[Array], gradient: Array, rate: Any, count: Any
    ) -> tuple[Array, ...]:
        """The new weight and its new slots."""
        raise NotImplementedError

    def update(
        self, engine: Engine, variables: Tree, slots: Tree, grads: Tree, rate: Any
    ) -> tuple[Tree, Tree]:
        """One step with every gradient: variables, slots."""
        count = slots["count"] + 1
        names = self.slot_names
        weights, *updated = self._walk(engine, variables, [slots[name] for name in names], grads, rate, count)
        return merge(variables, weights), dict(zip(names, updated, strict=True)) | {"count": count}

    def _walk(
        self,
        engine: Engine,
        weights: Mapping[str, Any],
        slots: list[Tree],
        grads: Mapping[str, Any],
        rate: Any,
        count: Any,
    ) -> list[Tree]:
        results: list[Tree] = [{} for _ in range(1 + len(slots))]
        for name, gradient in grads.items():
            inner = [slot[name] for slot in slots]
            if isinstance(gradient, Mapping):
                parts: Any = self._walk(engine, weights[name], inner, gradient, rate, count)
            else:
                spared = not self.decay_norms and weights[name].ndim == 1
                chosen = replace(self, decay=0.0) if spared else self
                parts = chosen.rule(engine, weights[name], inner, gradient, rate, count)
            for result, part in zip(results, parts, strict=True):
                result[name] = part
        return results


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum, Nesterov's by option (Sutskever et al. 2013)."""

    momentum: float = 0.9
    nesterov: bool = False

    def rule(
        self, engine: Engine, weight: Array, slots: list[Array], gradient: Array, rate: Any, count: Any
    ) -> tuple[Array, ...]:
        """See `update_rules.sgd`."""
        updated: tuple[Array, ...] = engine.sgd(
            weight,
            slots[0],
            gradient,
            rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            decay=self.decay,
            decoupled=self.decoupled,
        )
        return updated


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015); with decoupled decay AdamW (Loshchilov and Hutter 2019)."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slot_names: ClassVar[tuple[str, ...]] = ("first", "second")

    def rule(
        self, engine: Engine, weight: Array, slots: list[Array], gradient: Array, rate: Any, count: Any
    ) -> tuple[Array, ...]:
        """See `update_rules.adam`."""
        updated: tuple[Array, ...] = engine.adam(
            weight,
            slots[0],
            slots[1],
            gradient,
            rate,
            # A Python float keeps the arithmetic in the weights' own precision.
            count=float(count) if isinstance(count, np.generic | np.ndarray) else count,
            beta1=self.beta1,
            beta2=self.beta2,
            eps=self.eps,
            decay=self.decay,
            decoupled=self.decoupled,
        )
        return updated


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop (Hinton 2012, lecture 6e) with momentum."""

    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0

    slot_names: ClassVar[tuple[str, ...]] = ("square", "velocity")

    def rule(
        self, engine: Engine, weight: Array, slots: list[Array], gradient: Array, rate: Any, count: Any
    ) -> tuple[Array, ...]:
        """See `update_rules.rmsprop`."""
        updated: tuple[Array, ...] = engine.rmsprop(
            weight,
            slots[0],
            slots[1],
            gradient,
            rate,
            alpha=self.alpha,
            eps=self.eps,
            momentum=self.momentum,
            decay=self.decay,
            decoupled=self.decoupled,
        )
        return updated


def make_optimizer(options: OptimizerOptions) -> Optimizer:
    """The optimiser that the options describe."""
    common: dict[str, Any] = {
        "decay": DEFAULT_DECAY if options.decay is None else options.decay,
        "decay_norms": options.decay_norms,
    }
    if options.optimizer == "sgd":
        return SGD(
            **common,
            decoupled=options.decoupled,
            momentum=options.momentum,
            nesterov=bool(options.nesterov),
        )
    if options.optimizer == "rmsprop":
        return RMSprop(**common, decoupled=options.decoupled, momentum=options.momentum)
    return Adam(**common, decoupled=options.decoupled or options.optimizer == "adamw")


def clip(engine: Engine, grads: Tree, norm: Array, limit: float) -> Tree:
    """The gradients, scaled so that their common norm is at most `limit` (Pascanu et al. 2013)."""
    factor = limit / engine.xp.maximum(norm, limit)
    return transform(lambda gradient: engine.scale(gradient, factor), grads)


def gradient_norm(engine: Engine, grads: Tree) -> Array:
    """The Euclidean norm of all gradients together."""

    def total(tree: Mapping[str, Any]) -> Array:
        return sum(
            (total(leaf) if isinstance(leaf, Mapping) else engine.square_sum(leaf) for leaf in tree.values()),
            start=0.0,
        )

    return engine.xp.sqrt(total(grads))
