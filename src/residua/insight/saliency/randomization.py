"""Do maps depend on what was learned? The test of making the weights random, stage after stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import ExplainConfig
from residua.engines import Engine
from residua.errors import ConfigError
from residua.insight.saliency.numbers import METHODS, Explained, compute_maps
from residua.insight.saliency.passes import method_passes
from residua.insight.shared.scorer import Floats, Scorer
from residua.layers import CapsuleNetwork, Sequential
from residua.models.model_file import Model
from residua.training.work import NO_PASSES, Passes
from residua.variables import count_parameters

CHECKED = 8  # pictures at most
STAYS = 0.5  # rank correlation with all weights random from which a map says little of what was learned
BLIND = 0.8  # and with a random head from which it says little of the class


@dataclass(frozen=True)
class Randomization:
    """How like the trained model's maps those of a network with random weights are.

    levels: what is random, from the head alone to all. likeness: for each method, at each level, Spearman's
    rank correlation of the sizes of the maps' numbers, the mean over `pictures`: 1 the same, 0 unrelated.
    """

    levels: tuple[str, ...]
    likeness: dict[str, tuple[float, ...]]
    pictures: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        rows = {name: dict(zip(self.levels, row, strict=True)) for name, row in self.likeness.items()}
        return {"pictures": self.pictures, "rank_correlation": rows}


def compare_with_random(
    explained: Explained, x: Floats, config: ExplainConfig, engine: Engine, batch: int | None = None
) -> Randomization:
    """Maps of the same pictures and classes by networks whose weights are random, from the head downwards.

    x: the pictures (N, H, W, C), normalised. Adebayo et al. 2018, "Sanity checks for saliency maps", section
    3 (cascading randomisation), arXiv 1810.03292: weights are drawn anew as before training. Raises
    ConfigError for a network that is no row of layers.
    """
    model = explained.model
    likeness: dict[str, list[float]] = {name: [] for name in explained.maps}
    count = min(CHECKED, len(x))
    levels = random_levels(model)
    for names in levels.values():
        scorer = Scorer.of_scores(with_random(model, names, config.seed), engine, batch)
        maps, _ = compute_maps(
            scorer,
            x[:count],
            explained.targets[:count],
            tuple(explained.maps),
            # A rank needs no complete integral.
            replace(config, most_steps=min(config.most_steps, 64)),
            explained.layer,
        )
        for name, other in maps.items():
            pairs = zip(explained.maps[name][:count], other, strict=True)
            likeness[name].append(float(np.mean([rank_correlation(a, b) for a, b in pairs])))
    return Randomization(tuple(levels), {name: tuple(row) for name, row in likeness.items()}, count)


def checking_passes(model: Model, pictures: int, config: ExplainConfig) -> Passes:
    """How often these pictures go through the networks of `compare_with_random`."""
    every = NO_PASSES
    for name in config.methods or METHODS:
        every += method_passes(model, name, config)
    return every * (min(CHECKED, pictures) * len(random_levels(model)))


def random_levels(model: Model) -> dict[str, list[str]]:
    """{what is said of it: the layers that are made random}: the head, the upper half, all.

    Raises ConfigError for a network that is no row of layers.
    """
    network = model.network
    if not isinstance(network, Sequential | CapsuleNetwork):
        raise ConfigError(f"{model.name} is no row of layers: check one of the models that it was made of")
    names = [name for name in network.layers if count_parameters(model.variables[name])]
    if not names:
        raise ConfigError(f"{model.name} has no weights that could be made random")
    return {"head": names[-1:], "upper half": names[len(names) // 2 :], "all": names}


def with_random(model: Model, names: Sequence[str], seed: int) -> Model:
    """The model with these layers' variables as they are before training."""
    initial = model.network.init(np.random.default_rng(seed))
    variables = dict(model.variables) | {name: initial[name] for name in names}
    return replace(model, variables=variables)


def rank_correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Spearman's rank correlation of the sizes of two maps' numbers; 0 where one is the same everywhere."""
    from scipy.stats import rankdata

    first, second = (rankdata(np.abs(values).ravel()) for values in (a, b))
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else 0.0
