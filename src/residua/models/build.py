"""A network by the name of its model, with the options that its builder takes."""

from __future__ import annotations

import inspect
from typing import Any

from residua.config import ModelOptions
from residua.errors import ConfigError, near
from residua.layers import Layer
from residua.models.cards import MODELS, Card

DEFAULT_MODEL = "resnet20"


def find_card(name: str) -> Card:
    """The card of that name. Raises ConfigError for an unknown one, with its nearest neighbours."""
    if name not in MODELS:
        raise ConfigError(f"there is no model {name!r}.{near(name, MODELS)} `residua models` lists them.")
    return MODELS[name]


def builder_options(name: str) -> frozenset[str]:
    """The names of the options that this model's builder takes."""
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
    name = options.model or DEFAULT_MODEL
    card, accepted = find_card(name), builder_options(name)
    values = {
        "width": options.width,
        "shortcut": options.shortcut,
        "stem": options.stem,
        "hidden": options.hidden or None,
        "dropout": options.dropout,
    }
    arguments: dict[str, Any] = {option: value for option, value in values.items() if value is not None}
    for option in arguments:
        if option not in accepted:
            known = ", ".join(f"--{other}" for other in values if other in accepted)
            raise ConfigError(f"{name} has no --{option}: leave it out; it knows {known}")
    if "size" in accepted:
        arguments["size"] = card.input_shape[:2] if size is None else size
    if published:
        arguments |= card.published
    return card.builder(channels=channels, classes=classes, **(arguments | card.options))
