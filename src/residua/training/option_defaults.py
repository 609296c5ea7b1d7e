"""Defaults of training: every option that was left open gets its value, from the data set's recipe."""

from __future__ import annotations

from dataclasses import replace

from residua.config import ModelOptions, TrainConfig
from residua.config.defaults import RATES
from residua.data import DataSet, Recipe
from residua.models.build import find_card
from residua.training.pretrained import Pretrained

# A new head on a frozen base: few numbers, good features. Everything else learns at shares of this rate.
TRANSFER = Recipe("", width=0, epochs=30, crop=0, flip=False, batch=32, rate=0.001)


def resolve_options(config: TrainConfig, data: DataSet, pretrained: Pretrained | None = None) -> TrainConfig:
    """The config with the data set's own advice where an option is None; `pretrained`: what it begins with.

    What is written to run.toml is this, so that a later version's other advice does not change the run.
    """
    recipe, options = data.card.recipe, config.data
    if pretrained is not None:
        model = ModelOptions(model=pretrained.model.name)
        recipe = replace(TRANSFER, model=pretrained.model.name, flip=recipe.flip)
        if config.transfer.freeze == 0 or pretrained.keeps_head:
            recipe = replace(recipe, crop=data.card.recipe.crop)
    else:
        model = replace(
            config.model,
            model=config.model.model or recipe.model,
            width=config.model.width
            or (recipe.width if _same_builder(config.model.model, recipe.model) else None),
        )
    size = data.height if pretrained is None else pretrained.model.preprocessing.height
    crop, flip = recipe.crop_and_flip(options.crop, options.flip, options.resized_crop)
    rates = {**RATES, "sgd": recipe.rate}
    rate = config.optimizer.rate
    return replace(
        config,
        data=replace(
            options,
            size=size if data.card.kind == "folder" else None,
            validation=data.card.validation if options.validation is None else options.validation,
            test=data.card.test if options.test is None else options.test,
            crop=crop,
            flip=flip,
        ),
        model=model,
        optimizer=replace(
            config.optimizer,
            rate=rates[config.optimizer.optimizer] if rate is None else rate,
            nesterov=recipe.nesterov if config.optimizer.nesterov is None else config.optimizer.nesterov,
            decay=recipe.decay if config.optimizer.decay is None else config.optimizer.decay,
        ),
        schedule=replace(
            config.schedule,
            epochs=config.schedule.epochs or (None if config.schedule.total_steps else recipe.epochs),
            batch=config.schedule.batch or recipe.batch,
        ),
    )


def _same_builder(model: str | None, recommended: str) -> bool:
    """Whether the advice on width is about networks of that model's kind."""
    return model is None or find_card(model).builder is find_card(recommended).builder
