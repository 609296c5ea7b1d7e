"""Defaults of training: every option that was left open gets its value, from the data set's recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from residua.config import ModelOptions, OptimizerOptions, TrainConfig
from residua.config.defaults import RATES
from residua.data import DataSet, Recipe
from residua.data.sources.card import Card
from residua.models.build import find_card
from residua.training.pretrained import Pretrained

T = TypeVar("T")
_OPEN = OptimizerOptions()

# A new head on a frozen base: few numbers, good features. Everything else learns at shares of this rate.
TRANSFER = Recipe("", width=0, epochs=30, crop=0, flip=False, batch=32, rate=0.001)


def resolve_options(config: TrainConfig, data: DataSet, pretrained: Pretrained | None = None) -> TrainConfig:
    """The config with the data set's own advice where an option is None; `pretrained`: what it begins with.

    What is written to run.toml is this, so that a later version's other advice does not change the run.
    """
    recipe, options = _recipe(config, data.card, pretrained), config.data
    if pretrained is not None:
        model = ModelOptions(model=pretrained.model.name)
    else:
        model = replace(
            config.model,
            model=config.model.model or recipe.model,
            width=config.model.width
            or (recipe.width if _same_builder(config.model.model, recipe.model) else None),
        )
    size = data.height if pretrained is None else pretrained.model.preprocessing.height
    crop, flip = recipe.crop_and_flip(options.crop, options.flip, options.resized_crop)
    return replace(
        config,
        data=replace(
            options,
            size=size if data.card.kind == "folder" else None,
            validation=_first(options.validation, data.card.validation),
            test=_first(options.test, data.card.test),
            crop=crop,
            flip=flip,
            alternate_flip=_first(options.alternate_flip, recipe.alternate_flip and flip),
            border=options.border or recipe.border,
        ),
        model=model,
        optimizer=optimizer_of(recipe, config.optimizer, config.schedule.batch),
        schedule=replace(
            config.schedule,
            epochs=config.schedule.epochs or (None if config.schedule.total_steps else recipe.epochs),
            batch=config.schedule.batch or recipe.batch,
            schedule=config.schedule.schedule or recipe.schedule,
        ),
    )


def _recipe(config: TrainConfig, card: Card, pretrained: Pretrained | None) -> Recipe:
    """The advice of a data set for what is trained. Its own network's is for that network, by SGD, alone."""
    asked = config.model
    as_advised = replace(asked, model=None) == ModelOptions() and config.optimizer.optimizer == "sgd"
    others = card.others or card.recipe
    if pretrained is None:
        return card.recipe_of(asked.model) if as_advised else others
    varied = config.transfer.freeze == 0 or pretrained.keeps_head
    return replace(
        TRANSFER, model=pretrained.model.name, flip=others.flip, crop=others.crop if varied else TRANSFER.crop
    )


def optimizer_of(
    recipe: Recipe, options: OptimizerOptions = _OPEN, batch: int | None = None
) -> OptimizerOptions:
    """The options of the optimiser, those left open from the recipe; batch: another than the recipe's."""
    # Goyal et al. 2017, arXiv 1706.02677, section 2.1: the rate in proportion to the batch.
    rate = recipe.rate * (batch or recipe.batch) / recipe.batch if recipe.rate_by_batch else recipe.rate
    return replace(
        options,
        rate=_first(options.rate, {**RATES, "sgd": rate}[options.optimizer]),
        momentum=_first(options.momentum, recipe.momentum),
        nesterov=_first(options.nesterov, recipe.nesterov),
        decay=_first(options.decay, recipe.decay),
        smoothing=_first(options.smoothing, recipe.smoothing),
        lookahead=_first(options.lookahead, recipe.lookahead),
        bias_rate=_first(options.bias_rate, recipe.bias_rate),
        whitening_epochs=_first(options.whitening_epochs, recipe.whitening_epochs),
    )


def _first(asked: T | None, advised: T) -> T:
    """What was asked for, or else what is advised."""
    return advised if asked is None else asked


def _same_builder(model: str | None, recommended: str) -> bool:
    """Whether the advice on width is about networks of that model's kind."""
    return model is None or find_card(model).builder is find_card(recommended).builder
