"""Which model published weights belong to: each that may be it is sized as they are and held against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from residua.config import ModelOptions
from residua.errors import ModelFileError, ShapeError
from residua.layers import Linear, Sequential
from residua.layers.parameters import ZeroGenerator
from residua.models.build import build_model, builder_options, find_card
from residua.models.cards import MODELS
from residua.models.foreign_weights.layout import Shape, convert_arrays, normalization_mean
from residua.models.foreign_weights.names import variable_paths
from residua.models.foreign_weights.numbers import check_weights
from residua.variables import STATISTICS, Tree, fill, flatten

NEAR = 0.5  # share of names that weights and a model must have in common to be told what does not fit


class FittedModel(NamedTuple):
    """A model's name, its network, and its variables, which hold the weights."""

    name: str
    network: Sequential
    variables: Tree


def fit_weights(
    weights: Mapping[str, Any], model: str | None, source: str, size: int | None = None
) -> FittedModel:
    """The model that the weights belong to, filled with them.

    weights: {published name: array}. source: where they come from, for messages. size: height and width of
    the model's pictures (the model's own). Without a name every model is tried. Raises ModelFileError that
    says what does not fit.
    """
    weights = check_weights(weights, source)
    if model is not None:
        return _fill_checked(propose(model, weights, size), source, "was asked for")
    nearest: Candidate | None = None
    for name in MODELS:
        try:
            candidate = propose(name, weights, size)
        except (ShapeError, ValueError, MemoryError):  # pictures too small for it, or widths it cannot have
            continue
        if candidate.fits:
            return candidate.fill(source)
        if nearest is None or candidate.overlap > nearest.overlap:
            nearest = candidate
    if nearest is not None and nearest.overlap >= NEAR:
        return _fill_checked(nearest, source, "is the nearest model here")
    examples = ", ".join(f"{name[:100]} {tuple(array.shape)}" for name, array in list(weights.items())[:3])
    raise ModelFileError(
        f"the {len(weights)} weights in {source} belong to no model here ({examples}, ...): "
        "`residua models` lists those that can be filled"
    )


@dataclass(frozen=True)
class Candidate:
    """A model of the table, as wide and deep as the weights, beside what the weights are called in it.

    shape: of its pictures. paths: {published name: path of the variable that it stands for, or itself}.
    """

    model: str
    network: Sequential
    shape: Shape
    weights: Mapping[str, Any]
    paths: dict[str, str]

    @cached_property
    def template(self) -> Tree:
        """The network's variables, all zero."""
        return self.network.init(ZeroGenerator())

    @cached_property
    def wanted(self) -> dict[str, tuple[int, ...]]:
        """{path: shape} of every variable that published weights hold: all but the keys of dropout."""
        return {path: array.shape for path, array in flatten(self.template).items() if not _is_key(path)}

    @cached_property
    def variables(self) -> dict[str, Any]:
        """The weights by path, in this library's layout."""
        return convert_arrays(self.weights, self.paths, self.network, self.shape)

    @property
    def overlap(self) -> float:
        """The share of names that the weights and the network have in common."""
        names = set(self.paths.values())
        return len(names & self.wanted.keys()) / len(names | self.wanted.keys())

    @property
    def fits(self) -> bool:
        """Whether every weight has a place of its shape, and every place a weight."""
        names, wanted = set(self.paths.values()), self.wanted
        if not all(self._folds(path) for path in names - wanted.keys()) or not wanted.keys() <= names:
            return False
        return {path: array.shape for path, array in self.variables.items()} == wanted

    def _folds(self, path: str) -> bool:
        """Whether it is a bias in front of one of the network's normalisations."""
        return path.endswith(".conv.bias") and normalization_mean(path) in self.wanted

    def fill(self, source: str) -> FittedModel:
        """The model with the weights in it. Raises ModelFileError that lists what does not fit."""
        keys = {path: array for path, array in flatten(self.template).items() if _is_key(path)}
        return FittedModel(self.model, self.network, fill(self.template, self.variables | keys, source))


def _fill_checked(candidate: Candidate, source: str, why: str) -> FittedModel:
    try:
        return candidate.fill(source)
    except ModelFileError as error:
        raise ModelFileError(f"{error} ({find_card(candidate.model).title} {why})") from None


def _is_key(path: str) -> bool:
    return path.rsplit(".", 1)[-1] in STATISTICS - {"running_mean", "running_var"}


def propose(name: str, weights: Mapping[str, Any], size: int | None) -> Candidate:
    """The model of that name, with as many channels, classes and features as the weights have.

    Raises ModelFileError where it takes no published weights, ShapeError or ValueError where it cannot have
    these sizes.
    """
    card = find_card(name)
    height, width = card.input_shape[:2] if size is None else (size, size)
    default = _build(ModelOptions(model=name), card.input_shape[2], 2, (height, width))
    arrays = {path: weights[key] for key, path in variable_paths(weights, default).items()}
    first = arrays.get(
        next(path for path in flatten(default.init(ZeroGenerator())) if path.endswith(".weight"))
    )
    head = arrays.get("head.weight")
    # As they are published: (out, in, ...).
    channels, features = (
        (first.shape[1], first.shape[0]) if first is not None and first.ndim == 4 else (3, 16)
    )
    measured: dict[str, Any] = {
        "width": max(int(features), 1),
        "shortcut": "B" if any(".shortcut.conv." in path for path in arrays) else "A",
        "stem": "small" if first is not None and first.shape[-1] == 3 else "large",
        "hidden": _hidden_widths(default, arrays),
    }
    options = ModelOptions(
        model=name, **{key: measured[key] for key in measured.keys() & builder_options(name)}
    )
    classes = int(head.shape[0]) if head is not None and head.ndim in (2, 4) else 10
    network = _build(options, max(int(channels), 1), max(classes, 1), (height, width))
    shape = (height, width, int(channels))
    return Candidate(name, network, shape, weights, variable_paths(weights, network))


def _build(options: ModelOptions, channels: int, classes: int, size: tuple[int, int]) -> Sequential:
    network = build_model(options, channels=channels, classes=classes, size=size, published=True)
    if not isinstance(network, Sequential):
        raise ModelFileError(f"{options.model} has no published weights that could be read")
    return network


def _hidden_widths(network: Sequential, arrays: Mapping[str, Any]) -> tuple[int, ...]:
    """The widths of the fully connected layers before the last, as many as this network has."""
    linear = [name for name, layer in network.layers.items() if isinstance(layer, Linear) and name != "head"]
    hidden = [arrays.get(f"{name}.weight") for name in linear]
    return tuple(int(array.shape[0]) for array in hidden if array is not None and array.ndim == 2)
