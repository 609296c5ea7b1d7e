"""The verb summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from residua.cli.shared import Options
from residua.cli.terminal import picture_shape, require_positive, to_stdout
from residua.config import ModelOptions
from residua.config.options import check
from residua.errors import ConfigError


def summary(
    model: str,
    /,
    *,
    size: int | None = None,
    channels: int | None = None,
    classes: int | None = None,
    options: Annotated[ModelOptions, Options] = ModelOptions(),
) -> int:
    """Show a network layer by layer: names, shapes, parameters, multiply-adds.

    Parameters
    ----------
    model
        A model's name, a model file or a run folder.
    size
        Height and width of the pictures, in pixels (32, or what the file was trained at).
    channels
        3 for colour, 1 for grey (3).
    classes
        How many classes (10).
    """
    from residua.models import build_model
    from residua.models.summary import layer_table

    if options.model is not None:
        raise ConfigError(f"summary takes one model, without --model: it was given {model} already")
    if Path(model).exists():
        if (channels, classes, options) != (None, None, ModelOptions()):
            raise ConfigError(f"{model} is trained: its network is fixed, and only --size can be chosen")
        from residua.models.model_file import load_model

        loaded = load_model(model)
        trained = loaded.preprocessing
        side = (trained.height, trained.width) if size is None else (require_positive("size", size),) * 2
        to_stdout(layer_table(loaded.name, loaded.network, (*side, trained.channels)))
        return 0
    shape = picture_shape(32 if size is None else size, 3 if channels is None else channels)
    count = require_positive("classes", 10 if classes is None else classes)
    chosen = check(replace(options, model=model))
    network = build_model(chosen, channels=shape[2], classes=count, size=shape[:2])
    to_stdout(layer_table(model, network, shape))
    return 0
