"""From what was asked for to what will be done: every option that was left open gets its value."""

from __future__ import annotations

from dataclasses import replace

from residua.config import TrainConfig
from residua.data import DataSet
from residua.models import find_card
from residua.training.optimizers import DEFAULT_RATES


def resolve(config: TrainConfig, data: DataSet) -> TrainConfig:
    """The config with the data set's own advice where an option is None.

    What is written to run.toml is this, so that a later version's other advice does not change the run.
    """
    recipe, options = data.card.recipe, config.data
    crop, flip = recipe.moves(options.crop, options.flip, options.resized_crop)
    rates = {**DEFAULT_RATES, "sgd": recipe.rate}
    rate = config.optimizer.rate
    return replace(
        config,
        data=replace(
            options,
            size=data.height if data.card.kind == "folder" else None,
            validation=data.card.validation if options.validation is None else options.validation,
            test=data.card.test if options.test is None else options.test,
            crop=crop,
            flip=flip,
        ),
        model=replace(
            config.model,
            model=config.model.model or recipe.model,
            width=config.model.width or (recipe.width if _alike(config.model.model, recipe.model) else None),
        ),
        optimizer=replace(
            config.optimizer,
            rate=rates[config.optimizer.optimizer] if rate is None else rate,
            nesterov=recipe.nesterov if config.optimizer.nesterov is None else config.optimizer.nesterov,
            decay=recipe.decay if config.optimizer.decay is None else config.optimizer.decay,
        ),
        schedule=replace(
            config.schedule,
            epochs=config.schedule.epochs or recipe.epochs,
            batch=config.schedule.batch or recipe.batch,
        ),
    )


def _alike(asked: str | None, advised: str) -> bool:
    """Whether the advice on width is about networks of the asked kind."""
    return asked is None or find_card(asked).builder is find_card(advised).builder
