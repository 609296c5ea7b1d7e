"""A split that the processes of a job answer together, each a part of it."""

from __future__ import annotations

import copy

import numpy as np

from residua.data.batches import Batches
from residua.engines import Engine
from residua.layers import Layer
from residua.training.inference import LabelledProbabilities, predict_probabilities
from residua.training.ranks.world import World
from residua.variables import Tree


def predict_divided(
    world: World, engine: Engine, frozen: tuple[Layer, Tree], batches: Batches
) -> LabelledProbabilities:
    """What a frozen network says of all pictures: in each process the same, and as if one had said it all."""
    count = len(batches.pictures)
    bounds = [count * rank // world.size for rank in range(world.size + 1)]
    if 0 in np.diff(bounds):  # fewer pictures than processes
        return predict_probabilities(engine, *frozen, batches)
    own = copy.copy(batches)
    own.pictures = batches.pictures.select(np.arange(bounds[world.rank], bounds[world.rank + 1]))
    answers = predict_probabilities(engine, *frozen, own).probabilities
    longest = max(np.diff(bounds).tolist())
    padded = np.zeros((longest, answers.shape[1]), answers.dtype)
    padded[: len(answers)] = answers
    parts = [rows[:size] for rows, size in zip(world.gather(padded), np.diff(bounds), strict=True)]
    return LabelledProbabilities(np.concatenate(parts), batches.pictures.labels)
