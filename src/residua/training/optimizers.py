"""Optimisers: how slots and gradients of a whole network change its variables.

An optimiser is configuration; its slots are trees shaped like the trained variables, held by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from residua.config import OptimizerOptions
from residua.config.defaults import DECAY, MOMENTUM
from residua.engines.vocabulary.core import Array, Engine
from residua.training.muon import kernel_step
from residua.variables import Tree, flatten, merge, trainable, transform, unflatten


@dataclass(frozen=True)
class ParameterStep:
    """What a rule reads: an entry for each trained array, in one order.

    slots: for each of the rule's slot names, an entry for each array. decays: weight decay of each. rate:
    of this step. count: of steps, this one included.
    """

    weights: list[Array]
    slots: list[list[Array]]
    gradients: list[Array]
    decays: list[float]
    rate: Any
    count: Array


@dataclass(frozen=True)
class Optimizer:
    """What all rules share. `decay_norms` False spares biases and normalisation (one-dimensional arrays).

    bias_rate: biases of normalisations learn at so many times the rate; their decay, which the rate
    multiplies, is divided by it and so stays what it was.
    """

    decay: float = 0.0
    decoupled: bool = False
    decay_norms: bool = True
    bias_rate: float = 1.0

    slot_names: ClassVar[tuple[str, ...]] = ("velocity",)

    def init(self, variables: Tree) -> Tree:
        """Slots of zeros for every trained variable, and the count of steps."""
        weights = trainable(variables)
        # Arrays of its own for every slot: an engine may overwrite them in place.
        slots: Tree = {name: transform(np.zeros_like, weights) for name in self.slot_names}
        return slots | {"count": np.zeros((), np.int64)}

    def rule(self, engine: Engine, step: ParameterStep) -> tuple[list[Array], ...]:
        """The new weights and their new slots."""
        raise NotImplementedError

    def update(
        self, engine: Engine, variables: Tree, slots: Tree, grads: Tree, rate: Any
    ) -> tuple[Tree, Tree]:
        """One step with every gradient: variables, slots."""
        count = engine.apply(_next_count, slots["count"])
        gradients, weights = flatten(grads), flatten(variables)
        flat_slots = [flatten(slots[name]) for name in self.slot_names]
        updated: list[dict[str, Array]] = [{} for _ in range(1 + len(flat_slots))]
        for share, paths in self._paths_by_rate(gradients, weights).items():
            step = ParameterStep(
                weights=[weights[path] for path in paths],
                slots=[[slot[path] for path in paths] for slot in flat_slots],
                gradients=[gradients[path] for path in paths],
                decays=[self._decay_of(weights[path]) / share for path in paths],
                rate=rate if share == 1 else engine.apply(lambda xp, rate, share=share: rate * share, rate),
                count=count,
            )
            for part, arrays in zip(updated, self.rule(engine, step), strict=True):
                part.update(zip(paths, arrays, strict=True))
        after: Tree = dict(zip(self.slot_names, map(unflatten, updated[1:]), strict=True))
        return merge(variables, unflatten(updated[0])), after | {"count": count}

    def _paths_by_rate(self, gradients: Tree, weights: Tree) -> dict[float, list[str]]:
        """The paths of what learns at each multiple of the rate."""
        if self.bias_rate == 1:
            return {1.0: list(gradients)}
        paths: dict[float, list[str]] = {}
        for path in gradients:
            of_norm = path.endswith(".bias") and f"{path.removesuffix('bias')}running_mean" in weights
            paths.setdefault(self.bias_rate if of_norm else 1.0, []).append(path)
        return paths

    def _decay_of(self, weight: Array) -> float:
        return 0.0 if not self.decay_norms and weight.ndim == 1 else self.decay


def _next_count(xp: Any, count: Array) -> Array:
    return count + 1


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum, Nesterov's by option (Sutskever et al. 2013)."""

    momentum: float = 0.9
    nesterov: bool = False

    def rule(self, engine: Engine, step: ParameterStep) -> tuple[list[Array], ...]:
        """See `update_rules.sgd`."""
        return engine.sgd(
            step.weights,
            step.slots[0],
            step.gradients,
            step.rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            decays=step.decays,
            decoupled=self.decoupled,
        )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015); with decoupled decay AdamW (Loshchilov and Hutter 2019)."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slot_names: ClassVar[tuple[str, ...]] = ("first", "second")

    def rule(self, engine: Engine, step: ParameterStep) -> tuple[list[Array], ...]:
        """See `update_rules.adam`."""
        return engine.adam(
            step.weights,
            step.slots[0],
            step.slots[1],
            step.gradients,
            step.rate,
            count=step.count,
            beta1=self.beta1,
            beta2=self.beta2,
            eps=self.eps,
            decays=step.decays,
            decoupled=self.decoupled,
        )


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop (Hinton 2012, lecture 6e) with momentum."""

    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0

    slot_names: ClassVar[tuple[str, ...]] = ("square", "velocity")

    def rule(self, engine: Engine, step: ParameterStep) -> tuple[list[Array], ...]:
        """See `update_rules.rmsprop`."""
        return engine.rmsprop(
            step.weights,
            step.slots[0],
            step.slots[1],
            step.gradients,
            step.rate,
            alpha=self.alpha,
            eps=self.eps,
            momentum=self.momentum,
            decays=step.decays,
            decoupled=self.decoupled,
        )


@dataclass(frozen=True)
class Muon(SGD):
    """Kernels of convolutions along orthogonalised directions (Jordan et al. 2024, see `muon`), the rest
    by SGD.

    rest_rate: the rate of the rest, in multiples of the kernels'.
    """

    rest_rate: float = 1.0

    def rule(self, engine: Engine, step: ParameterStep) -> tuple[list[Array], ...]:
        """See `muon.kernel_step`, and `update_rules.sgd` for the rest."""
        weights, velocities = list(step.weights), list(step.slots[0])
        rest = [place for place, weight in enumerate(weights) if weight.ndim != 4]
        for place in (place for place, weight in enumerate(weights) if weight.ndim == 4):
            options = {"momentum": self.momentum, "nesterov": self.nesterov, "decay": step.decays[place]}
            weights[place], velocities[place] = engine.apply(
                lambda xp, *arrays, options=options: kernel_step(*arrays, **options),
                weights[place],
                velocities[place],
                step.gradients[place],
                step.rate,
            )
        if rest:
            lists = (step.weights, step.slots[0], step.gradients, step.decays)
            of_rest: list[list[Any]] = [[values[place] for place in rest] for values in lists]
            rate = engine.apply(lambda xp, rate: rate * self.rest_rate, step.rate)
            part = ParameterStep(of_rest[0], [of_rest[1]], of_rest[2], of_rest[3], rate, step.count)
            for place, weight, velocity in zip(rest, *super().rule(engine, part), strict=True):
                weights[place], velocities[place] = weight, velocity
        return weights, velocities


def make_optimizer(options: OptimizerOptions) -> Optimizer:
    """The optimiser that the options describe."""
    common: dict[str, Any] = {
        "decay": DECAY if options.decay is None else options.decay,
        "decay_norms": options.decay_norms,
        "bias_rate": 1.0 if options.bias_rate is None else options.bias_rate,
    }
    momentum = MOMENTUM if options.momentum is None else options.momentum
    if options.optimizer in ("sgd", "muon"):
        common |= {
            "decoupled": options.decoupled,
            "momentum": momentum,
            "nesterov": bool(options.nesterov),
        }
        return Muon(**common, rest_rate=options.rest_rate) if options.optimizer == "muon" else SGD(**common)
    if options.optimizer == "rmsprop":
        return RMSprop(**common, decoupled=options.decoupled, momentum=momentum)
    return Adam(**common, decoupled=options.decoupled or options.optimizer == "adamw")


def clip(engine: Engine, grads: Tree, norm: Array, limit: float) -> Tree:
    """The gradients, scaled so that their common norm is at most `limit` (Pascanu et al. 2013)."""
    gradients = flatten(grads)
    factor = engine.apply(lambda xp, norm: limit / xp.maximum(norm, limit), norm)
    scaled = engine.scale(list(gradients.values()), factor)
    return unflatten(dict(zip(gradients, scaled, strict=True)))


def gradient_norm(engine: Engine, grads: Tree) -> Array:
    """The Euclidean norm of all gradients together."""
    return engine.norm(list(flatten(grads).values()))
