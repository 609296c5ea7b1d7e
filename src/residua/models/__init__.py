"""Models by name: the table of them, and how one is built from options.

May import: config, data, errors, files, layers, variables.
"""

from __future__ import annotations

import inspect
from typing import Any

from residua.config import ModelOptions
from residua.errors import ConfigError, near
from residua.layers import Layer
from residua.models.cards import MODELS, Card

__all__ = ["MODELS", "Card", "build_model", "find_card", "taken_options"]


def find_card(name: str) -> Card:
    """The card of that name. Raises ConfigError for an unknown one, with its nearest neighbours."""
    if name not in MODELS:
        raise ConfigError(f"there is no model {name!r}.{near(name, MODELS)} `residua models` lists them.")
    return MODELS[name]


def taken_options(name: str) -> frozenset[str]:
    """The names of the options that this model's builder knows."""
    return frozenset(inspect.signature(find_card(name).builder).parameters)


def build_model(
    options: ModelOptions,
    *,
    channels: int,
    classes: int,
    size: tuple[int, int] | None = None,
    published: bool = False,
) -> Layer:
    """The network of that name for pictures of so many channels and so many classes.

    size: the pictures' height and width, for networks that depend on it (those of the card unless given).
    published: build the one that published weights belong to, where a new one is built otherwise.
    What the options leave open is as the model's builder has it. Raises ConfigError where an option does
    not fit the model, ShapeError where the pictures are too small for it.
    """
    name = options.model or "resnet20"
    card, taken = find_card(name), taken_options(name)
    given = {
        "width": options.width,
        "shortcut": options.shortcut,
        "stem": options.stem,
        "hidden": options.hidden or None,
        "dropout": options.dropout,
    }
    chosen: dict[str, Any] = {option: value for option, value in given.items() if value is not None}
    for option in chosen:
        if option not in taken:
            known = ", ".join(f"--{other}" for other in given if other in taken)
            raise ConfigError(f"{name} has no --{option}: leave it out; it knows {known}")
    if "size" in taken:
        chosen["size"] = card.input_shape[:2] if size is None else size
    if published:
        chosen |= card.published
    return card.builder(channels=channels, classes=classes, **(chosen | card.options))
