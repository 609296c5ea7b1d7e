"""The table of models: what each is, where it comes from and what was published of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from residua.config import ModelOptions
from residua.errors import ConfigError, near
from residua.layers import Sequential
from residua.models.resnet import small_resnet

__all__ = ["MODELS", "Card", "build_model", "find_card"]

HE_2015 = "He et al. 2015, Deep Residual Learning for Image Recognition, arXiv 1512.03385, section 4.2"


@dataclass(frozen=True)
class Card:
    """What is known of a model before it is trained.

    `parameters` counts trained numbers at the input shape, for ten classes; `published_error` is the
    paper's test error on CIFAR-10 in per cent, None where the paper gives none.
    """

    builder: Callable[..., Sequential]
    options: dict[str, Any]
    input_shape: tuple[int, int, int]
    paper: str
    parameters: int
    published_error: float | None = None
    note: str = ""
    title: str = ""


def _resnet(depth: int, parameters: int, error: float | None, note: str = "") -> Card:
    title = f"residual, {depth} layers"
    return Card(small_resnet, {"depth": depth}, (32, 32, 3), HE_2015, parameters, error, note, title)


def _plain(depth: int, parameters: int, error: float | None = None) -> Card:
    options = {"depth": depth, "shortcut": None}
    title = f"plain, {depth} layers: no shortcuts"
    return Card(small_resnet, options, (32, 32, 3), HE_2015, parameters, error, "", title)


MODELS: dict[str, Card] = {
    "resnet8": _resnet(8, 75_290, None, "not in the paper"),
    "resnet20": _resnet(20, 269_722, 8.75),
    "resnet32": _resnet(32, 464_154, 7.51),
    "resnet44": _resnet(44, 658_586, 7.17),
    "resnet56": _resnet(56, 853_018, 6.97),
    "resnet110": _resnet(110, 1_727_962, 6.43),
    "plain20": _plain(20, 269_722),
    "plain32": _plain(32, 464_154),
    "plain44": _plain(44, 658_586),
    "plain56": _plain(56, 853_018),
}


def find_card(name: str) -> Card:
    """The card of that name. Raises ConfigError for an unknown one, with its nearest neighbours."""
    if name not in MODELS:
        raise ConfigError(f"there is no model {name!r}.{near(name, MODELS)} `residua models` lists them.")
    return MODELS[name]


def build_model(options: ModelOptions, *, channels: int, classes: int) -> Sequential:
    """The network of that name for pictures of so many channels and so many classes.

    Raises ConfigError where an option does not fit the model.
    """
    card = find_card(options.model or "resnet20")
    arguments: dict[str, Any] = {
        "channels": channels,
        "classes": classes,
        "width": options.width or 16,
        "hidden": options.hidden,
        "dropout": options.dropout,
        "shortcut": options.shortcut,
    }
    return card.builder(**(arguments | card.options))
